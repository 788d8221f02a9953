/* The cache of kernels: ${XDG_CACHE_HOME:-~/.cache}/tcplab/kernels/RELEASE/ with
 *
 *   image          the bzImage
 *   modules/       its modules that labs can need (kernel/keep.h), as in lib/modules/RELEASE
 *   SOURCE         where it came from: one `key: value` a line
 *   SHA256SUMS     of all of these, as sha256sum(1) writes and checks it
 *
 * A folder gets its name when it is complete, so what has a name is whole. */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"

struct cached_kernel {
    char *release;
    char *path; /* of its folder */
};

struct cached_kernels {
    VEC(struct cached_kernel) list; /* oldest release first */
};

/* The cache's folder, which need not exist; the caller frees.  NULL: neither
 * XDG_CACHE_HOME nor HOME is set (STATUS_MACHINE). */
char *kernel_cache_root(struct error *err);

/* All kernels in the cache; none if there is no cache yet. */
int kernel_cache_list(struct cached_kernels *all, struct error *err);
void kernel_cache_free(struct cached_kernels *all);

/* The newest whose release, or whose package's version, begins with `version` (whole
 * numbers: "6.1" is not 6.12); NULL: none. */
const struct cached_kernel *kernel_cache_match(const struct cached_kernels *all,
                                               const char *version);

/* Whether `text` is `version` or begins with it where a number ends. */
bool kernel_version_begins(const char *text, const char *version);

#endif
