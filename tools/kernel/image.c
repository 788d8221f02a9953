#include "kernel/image.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "kernel/bzimage.h"
#include "kernel/cache.h"

/* Deeper than any kernel tree; a limit for folders that are something else. */
static const short depth_max = 24;

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static bool is_module(const char *name)
{
    const char *dot = strstr(name, ".ko");
    return dot && (dot[3] == '\0' || dot[3] == '.');
}

static bool has_modules(char *folder)
{
    char *const folders[] = {folder, NULL};
    FTS *fts = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
    bool found = false;
    for (FTSENT *e; fts && !found && (e = fts_read(fts));) {
        if (e->fts_level > depth_max)
            fts_set(fts, e, FTS_SKIP);
        found = e->fts_info != FTS_D && e->fts_info != FTS_DP && is_module(e->fts_name);
    }
    if (fts)
        fts_close(fts);
    return found;
}

/* lib/modules/RELEASE below a folder, wherever it is; NULL: not there. */
static char *modules_below(const char *folder, const char *release)
{
    static const char *const places[] = {"lib/modules", "usr/lib/modules", "."};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        char *path = i + 1 < ARRAY_SIZE(places) ? xasprintf("%s/%s/%s", folder, places[i], release)
                                                : xasprintf("%s/%s", folder, release);
        if (is_folder(path))
            return path;
        free(path);
    }
    return NULL;
}

/* Modules where a person said that they are. */
static int given_modules(struct kernel_image *k, const char *folder, struct error *err)
{
    if (!is_folder(folder)) {
        int sys = exists(folder) ? ENOTDIR : ENOENT;
        return error_sys(err, STATUS_USAGE, sys, "no modules in %s", folder);
    }
    k->modules = modules_below(folder, k->release);
    if (!k->modules)
        k->modules = xstrdup(folder);
    if (!has_modules(k->modules)) {
        error_set(err, STATUS_USAGE, "there is no module (.ko) of %s below %s", k->release, folder);
        return error_hint(err,
                          "name lib/modules/%s, the folder that it stands in, or the build "
                          "tree after `make modules`",
                          k->release);
    }
    return 0;
}

static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* The build tree that an image's folder belongs to; NULL: it is in none. */
static char *tree_of(const char *folder)
{
    static const char *const inside[] = {"arch/x86/boot", "arch/x86_64/boot"};
    for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
        if (strcmp(folder, inside[i]) == 0)
            return xstrdup(".");
        cleanup_free char *end = xasprintf("/%s", inside[i]);
        if (ends_with(folder, end))
            return xstrndup(folder, strlen(folder) - strlen(end));
    }
    return NULL;
}

/* Modules of an image that stands where its maker left it: in a package's boot/, beside
 * them in lib/modules/RELEASE/, or in a build tree's arch/x86/boot/. */
static char *modules_beside(const char *image, const char *release)
{
    cleanup_free char *folder = parent_of(image);
    if (ends_with(folder, release) && has_modules(folder))
        return steal_pointer(&folder);
    cleanup_free char *up = ends_with(folder, ".") ? xasprintf("%s/..", folder) : parent_of(folder);
    char *path = modules_below(up, release);
    if (!path)
        path = tree_of(folder);
    if (path && !has_modules(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

static int take_image(struct kernel_image *k, const char *image, const char *folder,
                      const char *modules, struct error *err)
{
    k->release = bzimage_read_release(image, err);
    if (!k->release)
        return -1;
    k->name = xstrdup(k->release);
    k->image = xstrdup(image);
    if (modules)
        return given_modules(k, modules, err);
    if (folder) {
        k->modules = modules_below(folder, k->release);
        cleanup_free char *cached = xasprintf("%s/modules", folder);
        if (!k->modules && ends_with(image, "/image") && has_modules(cached))
            k->modules = steal_pointer(&cached);
    }
    if (!k->modules)
        k->modules = modules_beside(image, k->release);
    return 0;
}

/* The one file of a folder whose name begins with `prefix` and is not hidden: 0 with *path (NULL:
 * none). */
static int only_one(const char *folder, const char *prefix, char **path, struct error *err)
{
    DIR *dir = opendir(folder);
    int result = 0;
    *path = NULL;
    for (struct dirent *e; dir && result == 0 && (e = readdir(dir));) {
        if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0)
            continue;
        if (*path) {
            error_set(err, STATUS_USAGE, "%s has more than one kernel: %s and %s", folder,
                      strrchr(*path, '/') + 1, e->d_name);
            result = error_hint(err, "name the one that you mean");
        } else {
            *path = xasprintf("%s/%s", folder, e->d_name);
        }
    }
    if (dir)
        closedir(dir);
    if (result < 0) {
        free(*path);
        *path = NULL;
    }
    return result;
}

/* The image in a folder of lib/modules/, where some distributions keep it. */
static int image_among_modules(const char *folder, char **image, struct error *err)
{
    cleanup_free char *all = xasprintf("%s/lib/modules", folder);
    cleanup_free char *one = NULL;
    if (only_one(all, "", &one, err) < 0)
        return -1;
    if (one) {
        char *path = xasprintf("%s/vmlinuz", one);
        if (exists(path))
            *image = path;
        else
            free(path);
    }
    return 0;
}

/* A build tree, an unpacked package, or a folder of the cache. */
static int find_in_folder(const char *folder, char **image, struct error *err)
{
    static const char *const names[] = {"arch/x86/boot/bzImage", "arch/x86_64/boot/bzImage",
                                        "image", "vmlinuz", "bzImage"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        *image = xasprintf("%s/%s", folder, names[i]);
        if (exists(*image))
            return 0;
        free(*image);
        *image = NULL;
    }
    cleanup_free char *boot = xasprintf("%s/boot", folder);
    if (only_one(boot, "vmlinuz-", image, err) < 0 || *image)
        return *image ? 0 : -1;
    if (image_among_modules(folder, image, err) < 0 || *image)
        return *image ? 0 : -1;
    if (only_one(folder, "vmlinuz-", image, err) < 0 || *image)
        return *image ? 0 : -1;
    cleanup_free char *kconfig = xasprintf("%s/Kconfig", folder);
    if (exists(kconfig)) {
        error_set(err, STATUS_USAGE, "the kernel tree %s has no arch/x86/boot/bzImage", folder);
        return error_hint(err, "build it first: make -C %s bzImage modules", folder);
    }
    error_set(err, STATUS_USAGE, "there is no kernel in %s", folder);
    return error_hint(err, "a build tree has arch/x86/boot/bzImage, an unpacked package "
                           "boot/vmlinuz-*");
}

int kernel_find_path(struct kernel_image *k, const char *path, const char *modules,
                     struct error *err)
{
    *k = (struct kernel_image){0};
    if (!exists(path))
        return error_sys(err, STATUS_USAGE, errno, "cannot read %s", path);
    int result;
    if (is_folder(path)) {
        size_t n = strlen(path);
        while (n > 1 && path[n - 1] == '/')
            n--;
        cleanup_free char *folder = xstrndup(path, n);
        cleanup_free char *image = NULL;
        result = find_in_folder(folder, &image, err);
        if (result == 0)
            result = take_image(k, image, folder, modules, err);
    } else {
        result = take_image(k, path, NULL, modules, err);
    }
    if (result < 0)
        kernel_image_free(k);
    return result;
}

static int not_found(const char *what, struct error *err)
{
    if (what[0] >= '0' && what[0] <= '9') {
        error_set(err, STATUS_USAGE, "no kernel %s in the cache", what);
        return error_hint(err,
                          "`tcplab kernel get %s` fetches one, `tcplab kernel list` says "
                          "what is there",
                          what);
    }
    error_set(err, STATUS_USAGE, "there is no kernel \"%s\"", what);
    return error_hint(err, "name an image, a kernel build tree, an unpacked package, or the "
                           "beginning of a version that `tcplab kernel list` lists");
}

int kernel_find(struct kernel_image *k, const char *what, const char *modules, struct error *err)
{
    *k = (struct kernel_image){0};
    if (!*what)
        return not_found(what, err);
    if (strchr(what, '/'))
        return kernel_find_path(k, what, modules, err);
    struct cached_kernels all = {0};
    struct error no_cache = ERROR_INIT;
    const struct cached_kernel *found = NULL;
    /* Without a home there is no cache, but a path may do. */
    if (kernel_cache_list(&all, &no_cache) == 0)
        found = kernel_cache_match(&all, what);
    error_clear(&no_cache);
    int result;
    if (found)
        result = kernel_find_path(k, found->path, modules, err);
    else if (exists(what))
        result = kernel_find_path(k, what, modules, err);
    else
        result = not_found(what, err);
    kernel_cache_free(&all);
    return result;
}

void kernel_image_free(struct kernel_image *k)
{
    free(k->name);
    free(k->release);
    free(k->image);
    free(k->modules);
    *k = (struct kernel_image){0};
}
