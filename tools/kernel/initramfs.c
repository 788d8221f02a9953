#include "kernel/initramfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/strbuf.h"

#define MAX_FILE (1u << 30)

static const char *relative(const char *path)
{
    return path + strspn(path, "/");
}

bool initramfs_has(const struct initramfs *fs, const char *path)
{
    path = relative(path);
    vec_each (&fs->list, e)
        if (strcmp(e->path, path) == 0)
            return true;
    return false;
}

static void add_parents(struct initramfs *fs, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return;
    cleanup_free char *parent = xstrndup(path, (size_t)(slash - path));
    initramfs_add_dir(fs, parent);
}

/* NULL if the name is taken. */
static struct initramfs_entry *add(struct initramfs *fs, const char *path, mode_t mode)
{
    path = relative(path);
    if (!*path || initramfs_has(fs, path))
        return NULL;
    add_parents(fs, path);
    struct initramfs_entry *e = vec_add(&fs->list);
    e->path = xstrdup(path);
    e->mode = mode;
    return e;
}

void initramfs_add_dir(struct initramfs *fs, const char *path)
{
    add(fs, path, S_IFDIR | 0755);
}

void initramfs_add_device(struct initramfs *fs, const char *path, unsigned major, unsigned minor)
{
    struct initramfs_entry *e = add(fs, path, S_IFCHR | 0600);
    if (!e)
        return;
    e->major = major;
    e->minor = minor;
}

void initramfs_add_bytes(struct initramfs *fs, const char *path, mode_t permissions,
                         const void *data, size_t len)
{
    struct initramfs_entry *e = add(fs, path, S_IFREG | permissions);
    if (!e)
        return;
    e->data = xmemdup(data, len);
    e->len = len;
}

static int read_all(int fd, const char *name, char *data, size_t len, struct error *err)
{
    for (size_t got = 0; got < len;) {
        ssize_t n = read(fd, data + got, len - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, STATUS_MACHINE, errno, "cannot read %s", name);
        if (n == 0)
            return error_set(err, STATUS_MACHINE, "%s became shorter while it was read", name);
        got += (size_t)n;
    }
    return 0;
}

int initramfs_add_file(struct initramfs *fs, const char *path, const char *from, struct error *err)
{
    struct stat st;
    cleanup_fd int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read %s", from);
    if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
        return error_set(err, STATUS_MACHINE, "%s is no file that fits into a guest", from);
    cleanup_free char *data = xcalloc((size_t)st.st_size + 1, 1);
    if (read_all(fd, from, data, (size_t)st.st_size, err) < 0)
        return -1;
    struct initramfs_entry *e = add(fs, path, S_IFREG | (st.st_mode & 0111 ? 0755 : 0644));
    if (e) {
        e->data = steal_pointer(&data);
        e->len = (size_t)st.st_size;
    }
    return 0;
}

/* ------------------------------------------------------------ the archive --- */

static void pad(struct strbuf *out)
{
    strbuf_pad(out, '\0', -out->len & 3);
}

/* Inode numbers matter only in that different files have different ones. */
static void write_entry(struct strbuf *out, const struct initramfs_entry *e, unsigned inode)
{
    unsigned links = S_ISDIR(e->mode) ? 2 : 1;
    strbuf_printf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode,
                  (unsigned)e->mode, 0U, 0U, links, 0U, (unsigned)e->len, 0U, 0U, e->major,
                  e->minor, (unsigned)strlen(e->path) + 1, 0U);
    strbuf_add(out, e->path, strlen(e->path) + 1);
    pad(out);
    strbuf_add(out, e->data ? e->data : "", e->len);
    pad(out);
}

static int by_path(const void *a, const void *b)
{
    const struct initramfs_entry *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static int write_all(int fd, const char *data, size_t len, struct error *err)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, STATUS_MACHINE, errno, "cannot write the guest's files");
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int initramfs_write(struct initramfs *fs, struct error *err)
{
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    const struct initramfs_entry end = {.path = (char[]){"TRAILER!!!"}};
    /* A folder's name is the beginning of what is in it, so it is sorted before. */
    if (fs->list.n)
        qsort(fs->list.at, fs->list.n, sizeof(*fs->list.at), by_path);
    for (size_t i = 0; i < fs->list.n; i++)
        write_entry(&out, &fs->list.at[i], (unsigned)i + 1);
    write_entry(&out, &end, 0);
    cleanup_fd int fd = memfd_create("tcplab-initramfs", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a file in memory");
    if (write_all(fd, out.data, out.len, err) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -1;
    return steal_fd(&fd);
}

void initramfs_free(struct initramfs *fs)
{
    vec_each (&fs->list, e) {
        free(e->path);
        free(e->data);
    }
    vec_free(&fs->list);
}
