/* Theory of operation.  Whoever fills the cache holds a lock on its folder, works in a
 * folder of the cache with a hidden name, and at the end gives it the release's name.  So
 * what has a name is whole.  What an earlier call that was killed left half done is found by
 * its hidden name and removed, which the lock makes safe.
 *
 * Checksums are sha256sum's, run as a program: it is part of every Debian system, and
 * anybody can check the cache with it by hand. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/strbuf.h"
#include "kernel/apt.h"
#include "kernel/cache.h"
#include "kernel/command.h"
#include "kernel/files.h"
#include "kernel/image.h"
#include "kernel/keep.h"

#define HIDDEN ".new-"

struct store {
    char *root;
    char *work; /* a hidden folder: download/, unpacked/, kernel/ */
    int lock;
    const struct kernel_progress *progress;
};

static void remove_leftovers(const char *root)
{
    DIR *dir = opendir(root);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        cleanup_free char *path = xasprintf("%s/%s", root, e->d_name);
        if (strncmp(e->d_name, HIDDEN, strlen(HIDDEN)) == 0)
            files_remove(path);
    }
    if (dir)
        closedir(dir);
}

static int store_begin(struct store *s, const struct kernel_progress *progress, struct error *err)
{
    *s = (struct store){.lock = -1, .progress = progress};
    s->root = kernel_cache_root(err);
    if (!s->root || files_make_folder(s->root, err) < 0)
        return -1;
    s->lock = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->lock < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read %s", s->root);
    if (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
        kernel_progress_show(progress, "waiting for another tcplab that fills the cache", 0, 0);
        if (flock(s->lock, LOCK_EX) < 0)
            return error_sys(err, STATUS_MACHINE, errno, "cannot lock %s", s->root);
    }
    remove_leftovers(s->root);
    s->work = xasprintf("%s/" HIDDEN "XXXXXX", s->root);
    if (!mkdtemp(s->work)) {
        int sys = errno;
        free(s->work);
        s->work = NULL;
        return error_sys(err, STATUS_MACHINE, sys, "cannot make a folder in %s", s->root);
    }
    return 0;
}

static void store_end(struct store *s)
{
    if (s->work)
        files_remove(s->work);
    if (s->lock >= 0)
        close(s->lock);
    free(s->work);
    free(s->root);
}

enum { SUMS_AT_ONCE = 1000 };

/* SHA256SUMS of all files in the folder. */
static int write_sums(const char *folder, struct error *err)
{
    struct file_list files = {0};
    struct strbuf sums cleanup_strbuf = STRBUF_INIT;
    cleanup_free char *path = xasprintf("%s/SHA256SUMS", folder);
    int result = files_list(&files, folder, err);
    for (size_t from = 0; result == 0 && from < files.list.n; from += SUMS_AT_ONCE) {
        VEC(const char *) argv = {0};
        vec_push(&argv, "sha256sum");
        vec_push(&argv, "--");
        for (size_t i = from; i < files.list.n && i < from + SUMS_AT_ONCE; i++)
            vec_push(&argv, files.list.at[i]);
        vec_push(&argv, NULL);
        struct command command = {.argv = argv.at, .folder = folder, .out = &sums};
        result = command_run(&command, err);
        vec_free(&argv);
    }
    files_list_free(&files);
    return result < 0 ? -1 : files_write(path, strbuf_cstr(&sums), err);
}

static int write_source(const char *folder, const struct kernel_image *k, const char *from,
                        const char *sha256, struct error *err)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    cleanup_free char *path = xasprintf("%s/SOURCE", folder);
    char when[32] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
    strbuf_printf(&text, "release: %s\nfrom: ", k->release);
    /* A path may hold anything, a line of SOURCE no control characters. */
    for (const char *p = from; *p; p++)
        strbuf_putc(&text, iscntrl((unsigned char)*p) ? '?' : *p);
    strbuf_putc(&text, '\n');
    if (sha256)
        strbuf_printf(&text, "package-sha256: %s\n", sha256);
    strbuf_printf(&text, "added: %s\n", when);
    return files_write(path, strbuf_cstr(&text), err);
}

/* Gives the finished folder its name.  One of the same release goes first; a reader that
 * comes just then finds none, never half of one. */
static int give_name(const struct store *s, const char *folder, const char *release,
                     struct error *err)
{
    cleanup_free char *path = xasprintf("%s/%s", s->root, release);
    cleanup_free char *old = xasprintf("%s/old", s->work);
    if (rename(path, old) < 0 && errno != ENOENT)
        return error_sys(err, STATUS_MACHINE, errno, "cannot replace %s", path);
    if (rename(folder, path) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make %s", path);
    return 0;
}

/* From a kernel that was found to one in the cache. */
static int store_kernel(struct store *s, const struct kernel_image *k, const char *from,
                        const char *sha256, struct error *err)
{
    cleanup_free char *folder = xasprintf("%s/kernel", s->work);
    cleanup_free char *image = xasprintf("%s/image", folder);
    cleanup_free char *modules = xasprintf("%s/modules", folder);
    kernel_progress_show(s->progress, "copying", 0, 0);
    if (files_copy(k->image, image, err) < 0 ||
        (k->modules && keep_modules(k->modules, modules, err) < 0) ||
        write_source(folder, k, from, sha256, err) < 0)
        return -1;
    kernel_progress_show(s->progress, "writing checksums", 0, 0);
    return write_sums(folder, err) < 0 ? -1 : give_name(s, folder, k->release, err);
}

/* From a package file. */
static int store_package(struct store *s, const char *file, const char *from, const char *sha256,
                         char **release, struct error *err)
{
    cleanup_free char *unpacked = xasprintf("%s/unpacked", s->work);
    struct kernel_image k;
    kernel_progress_show(s->progress, "unpacking", 0, 0);
    if (apt_unpack(file, unpacked, err) < 0)
        return -1;
    if (kernel_find_path(&k, unpacked, NULL, err) < 0)
        return error_wrap(err, "%s", from);
    int result = store_kernel(s, &k, from, sha256, err);
    if (result == 0)
        *release = steal_pointer(&k.release);
    kernel_image_free(&k);
    return result;
}

static int get(struct store *s, const char *version, char **release, struct error *err)
{
    struct kernel_package package;
    kernel_progress_show(s->progress, "asking apt", 0, 0);
    if (apt_find(&package, version, err) < 0)
        return -1;
    cleanup_free char *folder = xasprintf("%s/download", s->work);
    cleanup_free char *from = xasprintf("Debian package %s %s", package.name, package.version);
    int result = files_make_folder(folder, err);
    cleanup_free char *file = result == 0 ? apt_download(&package, folder, s->progress, err) : NULL;
    result = file ? store_package(s, file, from, package.sha256, release, err) : -1;
    kernel_package_free(&package);
    return result;
}

int kernel_cache_get(const char *version, const struct kernel_progress *progress, char **release,
                     struct error *err)
{
    struct store s;
    int result = store_begin(&s, progress, err);
    if (result == 0)
        result = get(&s, version, release, err);
    store_end(&s);
    return result;
}

static bool is_package_file(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".deb") == 0 && stat(path, &st) == 0 &&
           S_ISREG(st.st_mode);
}

static int add(struct store *s, const char *path, const char *modules, char **release,
               struct error *err)
{
    cleanup_free char *real = realpath(path, NULL);
    if (!real)
        return error_sys(err, STATUS_USAGE, errno, "cannot read %s", path);
    if (is_package_file(real)) {
        cleanup_free char *from = apt_describe(real, err);
        return from ? store_package(s, real, from, NULL, release, err) : -1;
    }
    struct kernel_image k;
    if (kernel_find_path(&k, path, modules, err) < 0)
        return -1;
    int result = store_kernel(s, &k, real, NULL, err);
    if (result == 0)
        *release = steal_pointer(&k.release);
    kernel_image_free(&k);
    return result;
}

int kernel_cache_add(const char *path, const char *modules, const struct kernel_progress *progress,
                     char **release, struct error *err)
{
    struct store s;
    int result = store_begin(&s, progress, err);
    if (result == 0)
        result = add(&s, path, modules, release, err);
    store_end(&s);
    return result;
}
