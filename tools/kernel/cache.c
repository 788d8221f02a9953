#include "kernel/cache.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "kernel/command.h"
#include "kernel/files.h"

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

const char *cache_state_name(enum cache_state state)
{
    static const char *const names[] = {"verified", "damaged", "unknown"};
    return names[state];
}

/* The value of a key in SOURCE; NULL: it is not there. */
static char *read_source(const char *folder, const char *key)
{
    cleanup_free char *path = xasprintf("%s/SOURCE", folder);
    FILE *f = fopen(path, "re");
    char line[4096];
    char *value = NULL;
    while (f && !value && fgets(line, sizeof(line), f)) {
        size_t n = strlen(key);
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, key, n) == 0 && strncmp(line + n, ": ", 2) == 0)
            value = xstrdup(line + n + 2);
    }
    if (f)
        fclose(f);
    return value;
}

static void verify(struct cache_info *info, const char *folder)
{
    static const char *const argv[] = {"sha256sum", "--check",    "--quiet",
                                       "--strict",  "SHA256SUMS", NULL};
    cleanup_free char *sums = xasprintf("%s/SHA256SUMS", folder);
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    struct stat st;
    struct error err = ERROR_INIT;
    struct command command = {.argv = argv, .folder = folder, .out = &out};
    if (stat(sums, &st) < 0) {
        info->state = CACHE_UNKNOWN;
    } else if (command_run(&command, &err) < 0) {
        info->state = err.sys ? CACHE_UNKNOWN : CACHE_DAMAGED;
        /* "modules/kernel/net/x.ko: FAILED" */
        info->trouble = xstrndup(out.len ? out.data : err.message,
                                 strcspn(out.len ? out.data : err.message, "\n"));
    }
    error_clear(&err);
}

int kernel_cache_inspect(struct cache_info *info, const struct cached_kernel *kernel,
                         struct error *err)
{
    struct file_list files = {0};
    *info = (struct cache_info){0};
    int result = files_list(&files, kernel->path, err);
    vec_each (&files.list, path)
        info->modules += strstr(*path, ".ko") != NULL;
    info->bytes = files.bytes;
    files_list_free(&files);
    if (result < 0)
        return -1;
    info->source = read_source(kernel->path, "from");
    if (!info->source)
        info->source = xstrdup("unknown");
    verify(info, kernel->path);
    return 0;
}

void cache_info_free(struct cache_info *info)
{
    free(info->source);
    free(info->trouble);
    *info = (struct cache_info){0};
}

void kernel_progress_show(const struct kernel_progress *progress, const char *what, uint64_t done,
                          uint64_t total)
{
    if (progress && progress->fn)
        progress->fn(progress->ctx, what, done, total);
}
