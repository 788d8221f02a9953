/* The modules of a kernel that labs need, out of lib/modules/RELEASE or a build tree. */
#ifndef KERNEL_MODULES_H
#define KERNEL_MODULES_H

#include "kernel/initramfs.h"

/* Where a guest finds them: numbered in the order in which they have to be loaded. */
#define MODULES_FOLDER "lib/modules"

/* Puts what labs need (veth, bridge, packet sockets) and what those need into the root
 * of a guest, uncompressed.  What is built into the kernel is left out.  STATUS_USAGE
 * with a hint where veth or the bridge is neither a module there nor built in;
 * STATUS_MACHINE when a file cannot be read. */
int modules_add(struct initramfs *fs, const char *dir, struct error *err);

/* The modules that one depends on, "llc,stp", as its .modinfo says; NULL if it says
 * nothing.  The caller frees it. */
char *module_depends(const char *data, size_t len);

/* Unpacks a module by its magic number: xz, zstd, gzip, or as it is.  At most 256 MiB;
 * STATUS_MACHINE when it is damaged.  The caller frees *out. */
int module_unpack(const char *data, size_t len, char **out, size_t *out_len, struct error *err);

#endif
