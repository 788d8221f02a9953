/* Settings below /proc/sys/net, of the namespace that the calling thread is in.
 *
 * Only rooms whose settings belong to a network namespace are open: net.core,
 * net.ipv4, net.ipv6, net.mptcp and net.unix.  What the kernel keeps for the whole
 * machine there (net.core.rmem_max, net.ipv4.tcp_mem …) is missing or read-only
 * in any namespace but the first, for root too. */
#ifndef NETNS_SYSCTL_H
#define NETNS_SYSCTL_H

#include <stdbool.h>

#include "base/error.h"

/* "net.ipv4.tcp_sack" → "/proc/sys/net/ipv4/tcp_sack" (the caller frees); NULL with
 * STATUS_USAGE for a key that is none, or that is not a namespace's. */
char *sysctl_path(const char *key, struct error *err);

/* *absent (may be NULL: then it is an error) is set if this kernel has no such key
 * in a namespace. */
int sysctl_write(const char *key, const char *value, bool *absent, struct error *err);
/* *value is one line, tabs made blanks (the caller frees), NULL if absent. */
int sysctl_read(const char *key, char **value, bool *absent, struct error *err);

#endif
