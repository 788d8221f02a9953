#include "netns/route.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "netns/nl.h"

static int family_of(const struct ipaddr *a)
{
    return a->version == 6 ? AF_INET6 : AF_INET;
}

/* A network address for a route: without the bits behind the prefix. */
static struct ipaddr network_of(const struct ipaddr *dst, unsigned prefix)
{
    struct ipaddr net = *dst;
    for (unsigned bit = prefix; bit < ipaddr_bits(dst); bit++)
        net.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return net;
}

int route_add(struct nl_conn *conn, int ifindex, const struct ipaddr *dst, unsigned prefix,
              const struct ipaddr *via, struct error *err)
{
    struct ipaddr net = network_of(dst, prefix);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&text, &net);
    strbuf_printf(&text, "/%u via ", prefix);
    strbuf_ipaddr(&text, via);

    struct nl_addr *to = nl_from_ipaddr(&net, prefix);
    struct nl_addr *gateway = nl_from_ipaddr(via, ipaddr_bits(via));
    struct rtnl_route *route = rtnl_route_alloc();
    struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
    struct nl_msg *msg = NULL;
    int rc = -1;
    if (route && hop) {
        rtnl_route_set_family(route, (uint8_t)family_of(via));
        rtnl_route_set_dst(route, to);
        rtnl_route_nh_set_ifindex(hop, ifindex);
        rtnl_route_nh_set_gateway(hop, gateway);
        rtnl_route_add_nexthop(route, hop); /* the route's from here on */
        rc = rtnl_route_build_add_request(route, NLM_F_CREATE | NLM_F_EXCL, &msg);
    }
    nl_addr_put(to);
    nl_addr_put(gateway);
    rtnl_route_put(route);
    if (rc < 0)
        return error_set(err, STATUS_USAGE, "%s is no route", strbuf_cstr(&text));
    return nl_request(conn, msg, err, "add the route %s", strbuf_cstr(&text));
}

int route_refuse(struct nl_conn *conn, const struct ipaddr *dst, unsigned prefix,
                 enum route_refusal refusal, struct error *err)
{
    static const struct {
        const char *name;
        uint8_t type;
    } kinds[] = {[ROUTE_UNREACHABLE] = {"unreachable", RTN_UNREACHABLE},
                 [ROUTE_PROHIBITED] = {"prohibited", RTN_PROHIBIT},
                 [ROUTE_BLACKHOLE] = {"blackhole", RTN_BLACKHOLE}};
    struct ipaddr net = network_of(dst, prefix);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&text, &net);
    strbuf_printf(&text, "/%u %s", prefix, kinds[refusal].name);

    struct nl_addr *to = nl_from_ipaddr(&net, prefix);
    struct rtnl_route *route = rtnl_route_alloc();
    struct nl_msg *msg = NULL;
    int rc = -1;
    if (route) {
        rtnl_route_set_family(route, (uint8_t)family_of(dst));
        rtnl_route_set_dst(route, to);
        rtnl_route_set_type(route, kinds[refusal].type);
        rc = rtnl_route_build_add_request(route, NLM_F_CREATE | NLM_F_EXCL, &msg);
    }
    nl_addr_put(to);
    rtnl_route_put(route);
    if (rc < 0)
        return error_set(err, STATUS_USAGE, "%s is no route", strbuf_cstr(&text));
    return nl_request(conn, msg, err, "add the route %s", strbuf_cstr(&text));
}

int neighbour_add(struct nl_conn *conn, int ifindex, const struct ipaddr *addr,
                  const uint8_t mac[6], struct error *err)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&text, addr);
    struct nl_addr *dst = nl_from_ipaddr(addr, ipaddr_bits(addr));
    struct nl_addr *hw = nl_addr_build(AF_LLC, mac, 6);
    struct rtnl_neigh *neigh = rtnl_neigh_alloc();
    struct nl_msg *msg = NULL;
    int rc = -1;
    if (hw && neigh) {
        rtnl_neigh_set_family(neigh, family_of(addr));
        rtnl_neigh_set_ifindex(neigh, ifindex);
        rtnl_neigh_set_dst(neigh, dst);
        rtnl_neigh_set_lladdr(neigh, hw);
        rtnl_neigh_set_state(neigh, NUD_PERMANENT);
        rc = rtnl_neigh_build_add_request(neigh, NLM_F_CREATE | NLM_F_REPLACE, &msg);
    }
    nl_addr_put(dst);
    nl_addr_put(hw);
    rtnl_neigh_put(neigh);
    if (rc < 0)
        return error_set(err, STATUS_USAGE, "%s cannot be a neighbour", strbuf_cstr(&text));
    return nl_request(conn, msg, err, "fix the neighbour %s", strbuf_cstr(&text));
}
