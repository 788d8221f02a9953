/* Debian's kernel packages, by the machine's own apt: found, downloaded and unpacked, never
 * installed, so that neither root nor a change of the machine is needed. */
#ifndef KERNEL_APT_H
#define KERNEL_APT_H

#include <stdint.h>

#include "base/error.h"
#include "kernel/cache.h"

struct kernel_package {
    char *name;    /* "linux-image-6.1.0-56-amd64" */
    char *version; /* "6.1.192-2" */
    char *release; /* "6.1.0-56-amd64" */
    char *sha256;  /* as apt has it from the signed lists; NULL: unknown */
    uint64_t size; /* of the package file; 0: unknown */
};

/* The newest whose release or version begins with `version`, out of what `apt-cache
 * madison` printed.  False: none.  Pure. */
bool apt_choose(struct kernel_package *package, const char *madison, const char *version);

/* Asks apt.  STATUS_MACHINE without apt, STATUS_USAGE if it has no such kernel. */
int apt_find(struct kernel_package *package, const char *version, struct error *err);

/* Downloads it into `folder`: the path of the package file, which the caller frees.  apt
 * itself holds its checksum against the signed lists. */
char *apt_download(const struct kernel_package *package, const char *folder,
                   const struct kernel_progress *progress, struct error *err);

/* Unpacks a package file into a new folder. */
int apt_unpack(const char *file, const char *folder, struct error *err);

/* "Debian package NAME VERSION" of a package file, which the caller frees; NULL if it
 * is none (STATUS_USAGE). */
char *apt_describe(const char *file, struct error *err);

void kernel_package_free(struct kernel_package *package);

#endif
