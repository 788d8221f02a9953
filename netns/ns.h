/* Anonymous network namespaces, held by file descriptor: nothing to leak. */
#ifndef NETNS_NS_H
#define NETNS_NS_H

#include <stdbool.h>

#include "base/error.h"

/* Makes this process (of one thread) able to make namespaces: unless it is already,
 * it becomes root of a user namespace of its own. */
int ns_gain_rights(struct error *err);

/* Moves this process (of one thread) out of the host's network for good, into a
 * network namespace of its own; *user_ns says whether it needed a user namespace
 * for that, in which it is root.  Returns the new namespace's descriptor, or -1. */
int ns_leave_host(bool *user_ns, struct error *err);

/* Makes a further namespace and moves the calling thread into it. */
int ns_create(struct error *err);

/* Moves the calling thread into the namespace. */
int ns_enter(int fd, struct error *err);

/* What stands in the way of namespaces on this machine and how to mend it, or NULL
 * if no known switch is off.  The text is static. */
const char *ns_obstacle(void);

#endif
