/* An initramfs: the root of a guest, as a cpio archive of the "newc" kind that Linux
 * unpacks (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * The same content gives the same bytes: names are sorted, times are 0, owners root,
 * inodes numbered in order.  Folders above a name are made by themselves. */
#ifndef KERNEL_INITRAMFS_H
#define KERNEL_INITRAMFS_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"

struct initramfs_entry {
    char *path;  /* without a leading '/' */
    mode_t mode; /* with the type: S_IFREG, S_IFDIR, S_IFCHR */
    unsigned major, minor;
    char *data;
    size_t len;
};

struct initramfs {
    VEC(struct initramfs_entry) list;
};

/* Each takes an absolute path, or one relative to the root; the first of a name wins. */
void initramfs_add_dir(struct initramfs *fs, const char *path);
void initramfs_add_device(struct initramfs *fs, const char *path, unsigned major, unsigned minor);
/* Copies the data. */
void initramfs_add_bytes(struct initramfs *fs, const char *path, mode_t permissions,
                         const void *data, size_t len);
/* Takes a file of this machine (at most 1 GiB), links followed.  STATUS_MACHINE. */
int initramfs_add_file(struct initramfs *fs, const char *path, const char *from, struct error *err);
bool initramfs_has(const struct initramfs *fs, const char *path);

/* Writes the archive into an anonymous file in memory: its descriptor (close-on-exec,
 * at the beginning), or -1 and STATUS_MACHINE. */
int initramfs_write(struct initramfs *fs, struct error *err);

void initramfs_free(struct initramfs *fs);

#endif
