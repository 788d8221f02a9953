/* Offloads, by ethtool netlink (Linux 5.6): a capture must show segments of the
 * size that a wire carries, with true checksums. */
#ifndef NETNS_OFFLOAD_H
#define NETNS_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "netns/nl.h"

/* Opens a generic netlink socket in the calling thread's namespace.  *family is the
 * ethtool family's number, which is one for the whole kernel: looked up if it is 0. */
int offload_open(struct nl_conn *conn, int *family, struct error *err);

/* Switches off all that can be switched off on an interface (on `lo`, checksums and
 * scatter-gather cannot).  The interface should be down: this is cheap then. */
int offload_off(struct nl_conn *conn, int family, int ifindex, struct error *err);

/* Which of them are on: bit i of *on stands for offload_name(i). */
int offload_query(struct nl_conn *conn, int family, int ifindex, uint32_t *on, struct error *err);
const char *offload_name(unsigned i); /* NULL behind the last */

#endif
