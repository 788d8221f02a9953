/* The one thing that an interface with an IPv6 address says by itself. */
#ifndef NETNS_MLD_H
#define NETNS_MLD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/time.h"

/* Watches an interface of the calling thread's namespace for the multicast listener
 * reports that it sends.  Returns a descriptor, or -1. */
int mld_watch(int ifindex, struct error *err);

/* Waits for the first report, at most so long: whether it came. */
bool mld_await(int fd, nsec limit);

#endif
