/* Routes and fixed neighbour entries. */
#ifndef NETNS_ROUTE_H
#define NETNS_ROUTE_H

#include <stdint.h>

#include "base/error.h"
#include "base/ipaddr.h"
#include "netns/nl.h"
#include "netns/refusal.h"

/* To dst/prefix (prefix 0: the default route) via a gateway behind the interface,
 * which must be up. */
int route_add(struct nl_conn *conn, int ifindex, const struct ipaddr *dst, unsigned prefix,
              const struct ipaddr *via, struct error *err);

/* Packets to dst/prefix go nowhere. */
int route_refuse(struct nl_conn *conn, const struct ipaddr *dst, unsigned prefix,
                 enum route_refusal refusal, struct error *err);

/* addr is at the hardware address for ever: no ARP or neighbour discovery for it. */
int neighbour_add(struct nl_conn *conn, int ifindex, const struct ipaddr *addr,
                  const uint8_t mac[6], struct error *err);

#endif
