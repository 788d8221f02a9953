/* The kernel proper inside a bzImage. */
#ifndef KERNEL_VMLINUX_H
#define KERNEL_VMLINUX_H

#include <stdbool.h>
#include <stddef.h>

/* Unpacks it into an anonymous file in memory: its descriptor (close-on-exec), or -1
 * where there is none that a virtual machine can enter directly (PVH); the bzImage
 * itself can then still be booted. */
int vmlinux_open(const char *image);

/* Whether an ELF file has an entry for PVH: a note of Xen's, PHYS32_ENTRY. */
bool vmlinux_has_pvh(const char *elf, size_t len);

#endif
