/* Bridges, veth pairs and the state of links. */
#ifndef NETNS_LINK_H
#define NETNS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netns/nl.h"

#define LINK_NAME_MAX 15 /* bytes, without the NUL (IFNAMSIZ) */
#define LINK_LO_INDEX 1  /* the kernel's LOOPBACK_IFINDEX */

/* One end of a cable, or a bridge.  Names, indexes and hardware addresses are given,
 * not found, so that they are the same in every run. */
struct link_end {
    char name[LINK_NAME_MAX + 1];
    int ifindex;
    uint8_t mac[6];
    unsigned mtu; /* bytes; 0: the kernel's usual 1500 */
};

/* Whether the kernel takes it as an interface's name. */
bool link_name_ok(const char *name);

/* Without STP, forward delay or multicast snooping; addresses learned are kept a day. */
int link_add_bridge(struct nl_conn *conn, const struct link_end *bridge, struct error *err);

/* A veth pair: `port` in the socket's namespace, in the bridge `master` (0: in none);
 * `far` in the namespace ns_fd.  Both are down.  The two indexes must differ: the kernel
 * takes a device whose peer has its own index for one without a peer, and then
 * reports its carrier up to a second late (net/core/link_watch.c). */
int link_add_cable(struct nl_conn *conn, const struct link_end *port, int master,
                   const struct link_end *far, int ns_fd, struct error *err);

int link_set_up(struct nl_conn *conn, int ifindex, bool up, struct error *err);

/* lo up, with segments no longer than its MTU (no GSO). */
int link_lo_up(struct nl_conn *conn, struct error *err);

/* What a notification says of a link. */
struct link_state {
    int ifindex;
    bool has_oper, oper_up; /* RFC 2863 operational state, if the message tells it */
    bool has_port, forwarding;
};

/* False if hdr is no news of a link. */
bool link_parse(struct nlmsghdr *hdr, struct link_state *state);

/* Asks for the state of all links of the namespace: the answers go to conn's handler. */
int link_dump(struct nl_conn *conn, struct error *err);

#endif
