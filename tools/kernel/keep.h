/* Which modules of a kernel the cache keeps. */
#ifndef KERNEL_KEEP_H
#define KERNEL_KEEP_H

#include <stdbool.h>

#include "base/error.h"

/* Whether labs can need a module, by its path below lib/modules/RELEASE/kernel or below
 * a build tree ("drivers/net/veth.ko.xz"). */
bool keep_module(const char *path);

/* Copies those, and modules.builtin, from lib/modules/RELEASE or a build tree into a new
 * folder with the same paths below.  STATUS_MACHINE. */
int keep_modules(const char *from, const char *to, struct error *err);

#endif
