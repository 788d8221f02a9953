/* Addresses of interfaces. */
#ifndef NETNS_ADDR_H
#define NETNS_ADDR_H

#include "base/error.h"
#include "base/ipaddr.h"
#include "netns/nl.h"

/* Gives an interface an address, usable at once (IPv6: no duplicate detection). */
int addr_add(struct nl_conn *conn, int ifindex, const struct ipaddr *addr, unsigned prefix,
             struct error *err);

#endif
