/* Kernel images for `--kernel`: a vmlinuz, a build tree, or one of the cache. */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include "base/error.h"

struct kernel_image {
    char *name;    /* as shown: "6.1.0-50-amd64" */
    char *release; /* `uname -r`, read from the image's own header */
    char *image;   /* path of the bzImage */
    char *modules; /* lib/modules/RELEASE, or a build tree with the .ko files in it; NULL: none */
};

/* Finds what a person named: a path of an image, a directory (a kernel build tree, or an
 * unpacked package), or the beginning of a version in the cache ("6.1").  `modules` (may
 * be NULL) is where modules are, for an image that stands alone.  STATUS_USAGE with a
 * hint when there is none, or when it is no Linux image for this machine (a text file, a
 * truncated one …). */
int kernel_find(struct kernel_image *k, const char *what, const char *modules, struct error *err);

/* The same for a path alone, never looking into the cache. */
int kernel_find_path(struct kernel_image *k, const char *path, const char *modules,
                     struct error *err);

void kernel_image_free(struct kernel_image *k);

#endif
