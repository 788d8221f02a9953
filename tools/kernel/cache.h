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

enum cache_state {
    CACHE_VERIFIED, /* every file has its checksum */
    CACHE_DAMAGED,  /* some file is missing, or is not what it was */
    CACHE_UNKNOWN,  /* there are no checksums, or nothing to verify them with */
};
const char *cache_state_name(enum cache_state state);

struct cache_info {
    char *source; /* "Debian package linux-image-6.1.0-56-amd64 6.1.192-2"; "unknown" */
    uint64_t bytes;
    size_t modules; /* how many */
    enum cache_state state;
    char *trouble; /* what is damaged; NULL: nothing */
};

/* Reads all of its files, to verify them. */
int kernel_cache_inspect(struct cache_info *info, const struct cached_kernel *kernel,
                         struct error *err);
void cache_info_free(struct cache_info *info);

/* How a long operation gets on; `done` and `total` are bytes, 0 where there is nothing to
 * count. */
struct kernel_progress {
    void (*fn)(void *ctx, const char *what, uint64_t done, uint64_t total);
    void *ctx;
};
/* Calls it; `progress` may be NULL. */
void kernel_progress_show(const struct kernel_progress *progress, const char *what, uint64_t done,
                          uint64_t total);

/* Fetches the newest package of a version ("6.1", "6.1.192-2", "6.1.0-56-amd64") with apt
 * and puts its kernel into the cache.  0 with *release, which the caller frees.  A broken
 * download leaves nothing. */
int kernel_cache_get(const char *version, const struct kernel_progress *progress, char **release,
                     struct error *err);

/* Puts a package file, or what kernel_find_path() finds, into the cache; replaces a kernel
 * of the same release. */
int kernel_cache_add(const char *path, const char *modules, const struct kernel_progress *progress,
                     char **release, struct error *err);

#endif
