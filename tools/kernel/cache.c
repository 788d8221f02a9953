#include "kernel/cache.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

char *kernel_cache_root(struct error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    /* The XDG base directory specification: a relative path is to be ignored. */
    if (cache && cache[0] == '/')
        return xasprintf("%s/tcplab/kernels", cache);
    if (home && home[0] == '/')
        return xasprintf("%s/.cache/tcplab/kernels", home);
    error_set(err, STATUS_MACHINE, "there is no place for the cache of kernels");
    error_hint(err, "set HOME, or XDG_CACHE_HOME, to a folder of your own");
    return NULL;
}

bool kernel_version_begins(const char *text, const char *version)
{
    size_t n = strlen(version);
    if (n == 0 || strncmp(text, version, n) != 0)
        return false;
    return !(isdigit((unsigned char)text[n]) && isdigit((unsigned char)version[n - 1]));
}

static int by_release(const void *a, const void *b)
{
    const struct cached_kernel *x = a, *y = b;
    return strverscmp(x->release, y->release);
}

int kernel_cache_list(struct cached_kernels *all, struct error *err)
{
    cleanup_free char *root = kernel_cache_root(err);
    if (!root)
        return -1;
    DIR *dir = opendir(root);
    if (!dir && errno == ENOENT)
        return 0;
    if (!dir)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read the cache of kernels %s", root);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        struct cached_kernel *k = vec_add(&all->list);
        k->release = xstrdup(e->d_name);
        k->path = xasprintf("%s/%s", root, e->d_name);
    }
    closedir(dir);
    if (all->list.n)
        qsort(all->list.at, all->list.n, sizeof(*all->list.at), by_release);
    return 0;
}

void kernel_cache_free(struct cached_kernels *all)
{
    vec_each (&all->list, k) {
        free(k->release);
        free(k->path);
    }
    vec_free(&all->list);
}

const struct cached_kernel *kernel_cache_match(const struct cached_kernels *all,
                                               const char *version)
{
    const struct cached_kernel *found = NULL;
    vec_each (&all->list, k)
        if (kernel_version_begins(k->release, version))
            found = k;
    return found;
}
