/* Which congestion controls there are. */
#ifndef NETNS_CONGESTION_H
#define NETNS_CONGESTION_H

#include <stdbool.h>

/* Whether the kernel lists it as available.  One that is not listed must not be asked for:
 * for root, TCP_CONGESTION loads the module tcp_NAME (net/ipv4/tcp_cong.c,
 * tcp_ca_find_autoload()), and a lab changes nothing of the machine. */
bool congestion_is_available(const char *name);

/* Whether a socket in the calling thread's namespace can have it: 0, or what it lacks:
 * ENOENT (there is none), EPERM (not for this user) … */
int congestion_try(const char *name);

#endif
