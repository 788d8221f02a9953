#include "kernel/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

int files_make_folder(const char *path, struct error *err)
{
    cleanup_free char *part = xstrdup(path);
    for (char *p = part + (*part == '/');; p++) {
        if (*p && *p != '/')
            continue;
        char end = *p;
        *p = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return error_sys(err, STATUS_MACHINE, errno, "cannot make the folder %s", part);
        *p = end;
        if (!end)
            return 0;
    }
}

static int make_parent(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    cleanup_free char *parent = xstrndup(path, (size_t)(slash - path));
    return files_make_folder(parent, err);
}

int files_copy(const char *from, const char *to, struct error *err)
{
    struct stat st;
    cleanup_fd int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0 || fstat(in, &st) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read %s", from);
    if (!S_ISREG(st.st_mode))
        return error_set(err, STATUS_MACHINE, "%s is not a file", from);
    if (make_parent(to, err) < 0)
        return -1;
    cleanup_fd int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write %s", to);
    for (;;) {
        ssize_t n = sendfile(out, in, NULL, 1 << 20);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return error_sys(err, STATUS_MACHINE, errno, "cannot copy %s to %s", from, to);
    }
    if (close(steal_fd(&out)) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write %s", to);
    return 0;
}

int files_write(const char *path, const char *text, struct error *err)
{
    FILE *f = fopen(path, "we");
    bool ok = f && fputs(text, f) >= 0;
    int sys = errno;
    if (f && fclose(f) != 0 && ok) {
        ok = false;
        sys = errno;
    }
    return ok ? 0 : error_sys(err, STATUS_MACHINE, sys, "cannot write %s", path);
}

void files_remove(const char *path)
{
    cleanup_free char *top = xstrdup(path);
    char *const tops[] = {top, NULL};
    FTS *fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!fts)
        return;
    for (FTSENT *e; (e = fts_read(fts));)
        if (e->fts_info == FTS_DP)
            rmdir(e->fts_path);
        else if (e->fts_info != FTS_D)
            unlink(e->fts_path);
    fts_close(fts);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

int files_list(struct file_list *files, const char *folder, struct error *err)
{
    cleanup_free char *top = xstrdup(folder);
    char *const tops[] = {top, NULL};
    size_t skip = strlen(folder) + 1;
    FTS *fts = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    if (!fts)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read %s", folder);
    int result = 0;
    for (FTSENT *e; result == 0 && (e = fts_read(fts));) {
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
            result = error_sys(err, STATUS_MACHINE, e->fts_errno, "cannot read %s", e->fts_path);
        if (e->fts_info != FTS_F)
            continue;
        vec_push(&files->list, xstrdup(e->fts_path + skip));
        files->bytes += (uint64_t)e->fts_statp->st_size;
    }
    fts_close(fts);
    return result;
}

void files_list_free(struct file_list *files)
{
    vec_each (&files->list, path)
        free(*path);
    vec_free(&files->list);
}
