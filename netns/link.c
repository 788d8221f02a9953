#include "netns/link.h"

#include <ctype.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/memory.h"

/* The bridge's times are in hundredths of a second (USER_HZ). */
enum { AGEING_DAY = 24 * 3600 * 100 };

bool link_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > LINK_NAME_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (const char *p = name; *p; p++)
        if (*p == '/' || *p == ':' || isspace((unsigned char)*p))
            return false;
    return true;
}

static struct nl_msg *link_msg(int type, int nl_flags, int ifindex)
{
    struct nl_msg *msg = nl_new(type, nl_flags);
    struct ifinfomsg *info = nl_header(msg, sizeof(*info));
    info->ifi_index = ifindex;
    return msg;
}

/* Queues: one each way, or segments sent from two processors could change order.
 * GSO of one segment: TCP builds each segment by itself, so what is sent does not
 * depend on how large a burst the pacing rate of the moment allows. */
static void put_end(struct nl_msg *msg, const struct link_end *end)
{
    nl_put_str(msg, IFLA_IFNAME, end->name);
    nl_put(msg, IFLA_ADDRESS, end->mac, sizeof(end->mac));
    nl_put_u32(msg, IFLA_NUM_TX_QUEUES, 1);
    nl_put_u32(msg, IFLA_NUM_RX_QUEUES, 1);
    nl_put_u32(msg, IFLA_GSO_MAX_SEGS, 1);
    if (end->mtu)
        nl_put_u32(msg, IFLA_MTU, end->mtu);
}

int link_add_bridge(struct nl_conn *conn, const struct link_end *bridge, struct error *err)
{
    struct nl_msg *msg = link_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, bridge->ifindex);
    nl_put_str(msg, IFLA_IFNAME, bridge->name);
    nl_put(msg, IFLA_ADDRESS, bridge->mac, sizeof(bridge->mac));
    struct nlattr *info = nl_nest(msg, IFLA_LINKINFO);
    nl_put_str(msg, IFLA_INFO_KIND, "bridge");
    struct nlattr *data = nl_nest(msg, IFLA_INFO_DATA);
    nl_put_u32(msg, IFLA_BR_STP_STATE, 0);
    nl_put_u32(msg, IFLA_BR_FORWARD_DELAY, 0);
    nl_put_u32(msg, IFLA_BR_AGEING_TIME, AGEING_DAY);
    nl_put_u8(msg, IFLA_BR_MCAST_SNOOPING, 0);
    nla_nest_end(msg, data);
    nla_nest_end(msg, info);
    return nl_request(conn, msg, err, "make the switch %s", bridge->name);
}

int link_add_cable(struct nl_conn *conn, const struct link_end *port, int master,
                   const struct link_end *far, int ns_fd, struct error *err)
{
    struct nl_msg *msg = link_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, port->ifindex);
    put_end(msg, port);
    if (master)
        nl_put_u32(msg, IFLA_MASTER, (uint32_t)master);
    struct nlattr *info = nl_nest(msg, IFLA_LINKINFO);
    nl_put_str(msg, IFLA_INFO_KIND, "veth");
    struct nlattr *data = nl_nest(msg, IFLA_INFO_DATA);
    struct nlattr *peer = nl_nest(msg, VETH_INFO_PEER);
    struct ifinfomsg *peer_info = nl_header(msg, sizeof(*peer_info));
    peer_info->ifi_index = far->ifindex;
    put_end(msg, far);
    nl_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)ns_fd);
    nla_nest_end(msg, peer);
    nla_nest_end(msg, data);
    nla_nest_end(msg, info);
    return nl_request(conn, msg, err, "make the cable of %s", port->name);
}

int link_set_up(struct nl_conn *conn, int ifindex, bool up, struct error *err)
{
    struct nl_msg *msg = nl_new(RTM_NEWLINK, 0);
    struct ifinfomsg *info = nl_header(msg, sizeof(*info));
    info->ifi_index = ifindex;
    info->ifi_change = IFF_UP;
    info->ifi_flags = up ? IFF_UP : 0;
    return nl_request(conn, msg, err, "set a link %s", up ? "up" : "down");
}

int link_lo_up(struct nl_conn *conn, struct error *err)
{
    struct nl_msg *msg = nl_new(RTM_NEWLINK, 0);
    struct ifinfomsg *info = nl_header(msg, sizeof(*info));
    info->ifi_index = LINK_LO_INDEX;
    info->ifi_change = IFF_UP;
    info->ifi_flags = IFF_UP;
    nl_put_u32(msg, IFLA_GSO_MAX_SEGS, 1);
    return nl_request(conn, msg, err, "set lo up");
}

static void note_port(struct link_state *state, struct nlattr *nest)
{
    struct nlattr *port[IFLA_BRPORT_MAX + 1];
    if (!nest || nla_parse_nested(port, IFLA_BRPORT_MAX, nest, NULL) < 0 ||
        !port[IFLA_BRPORT_STATE] || nla_len(port[IFLA_BRPORT_STATE]) < 1)
        return;
    state->has_port = true;
    state->forwarding = nla_get_u8(port[IFLA_BRPORT_STATE]) == BR_STATE_FORWARDING;
}

bool link_parse(struct nlmsghdr *hdr, struct link_state *state)
{
    struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
    if (hdr->nlmsg_type != RTM_NEWLINK ||
        nlmsg_parse(hdr, sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL) < 0)
        return false;
    const struct ifinfomsg *ifi = nlmsg_data(hdr);
    *state = (struct link_state){.ifindex = ifi->ifi_index};
    if (attrs[IFLA_OPERSTATE] && nla_len(attrs[IFLA_OPERSTATE]) >= 1) {
        state->has_oper = true;
        state->oper_up =
            nla_get_u8(attrs[IFLA_OPERSTATE]) == IF_OPER_UP && (ifi->ifi_flags & IFF_LOWER_UP);
    }
    if (ifi->ifi_family == AF_BRIDGE) {
        note_port(state, attrs[IFLA_PROTINFO]);
    } else if (attrs[IFLA_LINKINFO] &&
               nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) == 0 &&
               info[IFLA_INFO_SLAVE_KIND] &&
               nla_strcmp(info[IFLA_INFO_SLAVE_KIND], "bridge") == 0) {
        note_port(state, info[IFLA_INFO_SLAVE_DATA]);
    }
    return true;
}

int link_dump(struct nl_conn *conn, struct error *err)
{
    struct nl_msg *msg = link_msg(RTM_GETLINK, NLM_F_DUMP, 0);
    return nl_request(conn, msg, err, "ask for the state of links");
}
