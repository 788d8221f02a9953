/* What topo.c (which builds) and topo_up.c (which waits and plugs) share. */
#ifndef NETNS_TOPO_INTERNAL_H
#define NETNS_TOPO_INTERNAL_H

#include "base/memory.h"
#include "netns/link.h"
#include "netns/nl.h"
#include "netns/topo.h"

/* What fits into hardware addresses (one byte each) and between the index ranges.
 * The ranges of a host's ends and of the ports must not meet: see link_add_cable(). */
enum { MAX_HOSTS = 200, MAX_SWITCHES = 200, MAX_IFACES = 100 };

/* A namespace: descriptor, conversation with its links, conversation with ethtool. */
struct space {
    struct topo *topo;
    int host; /* -1: the switches' */
    int fd;
    struct nl_conn links;
    struct nl_conn ethtool;
};

struct cable {
    int host, iface, sw;
    struct link_end end, port; /* at the host, at the switch */
    VEC(struct topo_addr) addrs;
    int reports_fd;       /* watches for what IPv6 says at the host's end; -1 without */
    bool end_up, port_up; /* as last notified */
    bool forwarding;      /* the same of the bridge's port; always, without a bridge */
};

struct host {
    char *name;
    bool router;
    struct space *space;
    int n_ifaces;
};

struct pending_route {
    int host;
    struct topo_addr dst;
    struct ipaddr via;
};

struct pending_neighbour {
    int host, peer;
    struct ipaddr addr;
};

struct topo {
    bool user_ns, up;
    int ethtool_family;
    struct space *space;
    VEC(struct host) hosts;
    VEC(struct link_end) switches; /* ifindex 0: without a bridge */
    VEC(struct cable) cables;
    VEC(struct pending_route) routes; /* a route needs its interface up */
    VEC(struct pending_neighbour) neighbours;
};

/* NULL if the host has no such interface. */
struct cable *topo_find_cable(const struct topo *topo, int host, int iface);

#endif
