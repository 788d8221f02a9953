#include "netns/offload.h"

#include <assert.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/memory.h"
#include "netns/nl.h"

/* All of these are as old as ethtool netlink itself: the kernel refuses a request
 * with a name that it does not know.  Names: net/ethtool/common.c. */
static const char *const features[] = {
    "tx-scatter-gather",
    "tx-scatter-gather-fraglist",
    "tx-checksum-ipv4",
    "tx-checksum-ip-generic",
    "tx-checksum-ipv6",
    "tx-checksum-sctp",
    "tx-generic-segmentation",
    "tx-tcp-segmentation",
    "tx-tcp-ecn-segmentation",
    "tx-tcp-mangleid-segmentation",
    "tx-tcp6-segmentation",
    "tx-sctp-segmentation",
    "tx-udp-segmentation",
    "rx-gro",
    "rx-gro-hw",
    "rx-gro-list",
    "rx-lro",
    "rx-checksum",
};

const char *offload_name(unsigned i)
{
    return i < ARRAY_SIZE(features) ? features[i] : NULL;
}

int offload_open(struct nl_conn *conn, int *family, struct error *err)
{
    if (nl_conn_open(conn, NETLINK_GENERIC, 0, err) < 0)
        return -1;
    if (*family)
        return 0;
    int id = genl_ctrl_resolve(conn->sock, ETHTOOL_GENL_NAME);
    if (id < 0) {
        nl_conn_close(conn);
        error_set(err, STATUS_MACHINE, "this kernel has no ethtool netlink (%s)", nl_geterror(id));
        return error_hint(err, "offloads are switched off with it: Linux 5.6 or newer with "
                               "CONFIG_ETHTOOL_NETLINK");
    }
    *family = id;
    return 0;
}

static struct nl_msg *request(int family, int command, int ifindex, uint32_t flags)
{
    struct nl_msg *msg = nl_new(family, 0);
    struct genlmsghdr *genl = nl_header(msg, sizeof(*genl));
    genl->cmd = (uint8_t)command;
    genl->version = ETHTOOL_GENL_VERSION;
    struct nlattr *header = nl_nest(msg, ETHTOOL_A_FEATURES_HEADER);
    nl_put_u32(msg, ETHTOOL_A_HEADER_DEV_INDEX, (uint32_t)ifindex);
    if (flags)
        nl_put_u32(msg, ETHTOOL_A_HEADER_FLAGS, flags);
    nla_nest_end(msg, header);
    return msg;
}

int offload_off(struct nl_conn *conn, int family, int ifindex, struct error *err)
{
    struct nl_msg *msg =
        request(family, ETHTOOL_MSG_FEATURES_SET, ifindex, ETHTOOL_FLAG_OMIT_REPLY);
    struct nlattr *wanted = nl_nest(msg, ETHTOOL_A_FEATURES_WANTED);
    struct nlattr *bits = nl_nest(msg, ETHTOOL_A_BITSET_BITS);
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        struct nlattr *bit = nl_nest(msg, ETHTOOL_A_BITSET_BITS_BIT);
        nl_put_str(msg, ETHTOOL_A_BITSET_BIT_NAME, features[i]); /* without _VALUE: off */
        nla_nest_end(msg, bit);
    }
    nla_nest_end(msg, bits);
    nla_nest_end(msg, wanted);
    return nl_request(conn, msg, err, "switch offloads off");
}

static void note_active(void *ctx, struct nlmsghdr *hdr)
{
    uint32_t *on = ctx;
    struct nlattr *attrs[ETHTOOL_A_FEATURES_MAX + 1], *set[ETHTOOL_A_BITSET_MAX + 1], *bit;
    int left;
    if (nlmsg_parse(hdr, sizeof(struct genlmsghdr), attrs, ETHTOOL_A_FEATURES_MAX, NULL) < 0 ||
        !attrs[ETHTOOL_A_FEATURES_ACTIVE] ||
        nla_parse_nested(set, ETHTOOL_A_BITSET_MAX, attrs[ETHTOOL_A_FEATURES_ACTIVE], NULL) < 0 ||
        !set[ETHTOOL_A_BITSET_BITS])
        return;
    nla_for_each_nested(bit, set[ETHTOOL_A_BITSET_BITS], left)
    {
        struct nlattr *field[ETHTOOL_A_BITSET_BIT_MAX + 1];
        if (nla_parse_nested(field, ETHTOOL_A_BITSET_BIT_MAX, bit, NULL) < 0 ||
            !field[ETHTOOL_A_BITSET_BIT_NAME])
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(features); i++)
            if (nla_strcmp(field[ETHTOOL_A_BITSET_BIT_NAME], features[i]) == 0)
                *on |= 1u << i;
    }
}

int offload_query(struct nl_conn *conn, int family, int ifindex, uint32_t *on, struct error *err)
{
    static_assert(ARRAY_SIZE(features) <= 32, "one bit a feature");
    *on = 0;
    struct nl_msg *msg = request(family, ETHTOOL_MSG_FEATURES_GET, ifindex, 0);
    struct nl_conn asking = {.sock = conn->sock, .handler = note_active, .ctx = on};
    return nl_request(&asking, msg, err, "ask for offloads");
}
