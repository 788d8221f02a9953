/* Theory of operation.  A package that was unpacked and never installed has no
 * modules.dep (depmod writes it), and a build tree may have none either.  So every .ko
 * below the folder is found by its name, and what a module depends on is read where
 * depmod reads it, in the module's own .modinfo.  A depth-first walk gives the order in
 * which they have to be loaded.  Names count with '-' as '_', as they do for modprobe. */
#include "kernel/modules.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>

#include "base/strbuf.h"

enum { MAX_MODULES = 100, MAX_FILES = 200000 };

/* What labs need; where a kernel lacks a thing that is not `needed`, a lab says so. */
static const struct wanted {
    const char *name, *what;
    bool needed;
} wanted[] = {
    {"af_packet", "packet sockets", false},
    {"ipv6", "IPv6", false},
    {"veth", "cables (veth)", true},
    {"bridge", "switches (bridge)", true},
    {"tcp_bbr", "the congestion control bbr", false},
    {"tcp_diag", "the quick look at a socket (tcp_diag)", false},
};

struct file {
    char *name, *path;
};

struct modules {
    struct initramfs *fs;
    VEC(struct file) files; /* all that there are */
    VEC(char *) builtin;
    VEC(char *) taken;
    const char *dir;
    struct error *err;
};

/* "drivers/net/veth.ko.xz" is "veth"; NULL if it is no module. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *ko = strstr(base, ".ko");
    if (!ko || ko == base || (ko[3] && ko[3] != '.') || strcmp(ko, ".ko.debug") == 0)
        return NULL;
    char *name = xstrndup(base, (size_t)(ko - base));
    for (char *p = name; *p; p++)
        if (*p == '-')
            *p = '_';
    return name;
}

static int find_files(struct modules *m)
{
    char *root[] = {xstrdup(m->dir), NULL};
    FTS *walk = fts_open(root, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
    int ret = walk ? 0 : error_sys(m->err, STATUS_USAGE, errno, "cannot read %s", m->dir);
    for (FTSENT *e; walk && ret == 0 && (e = fts_read(walk));) {
        if (e->fts_info == FTS_DNR || (e->fts_info == FTS_NS && e->fts_level == 0))
            ret = error_sys(m->err, STATUS_USAGE, e->fts_errno, "cannot read %s", e->fts_path);
        char *name = e->fts_info == FTS_D || e->fts_info == FTS_DP ? NULL : name_of(e->fts_path);
        if (name && m->files.n < MAX_FILES)
            vec_push(&m->files, ((struct file){.name = name, .path = xstrdup(e->fts_path)}));
        else
            free(name);
    }
    if (walk)
        fts_close(walk);
    free(root[0]);
    return ret;
}

/* modules.builtin has one path a line; without the file nothing counts as built in. */
static void read_builtin(struct modules *m)
{
    cleanup_free char *path = xasprintf("%s/modules.builtin", m->dir);
    FILE *f = fopen(path, "re");
    char line[4096];
    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        char *name = name_of(line);
        if (name)
            vec_push(&m->builtin, name);
    }
    if (f)
        fclose(f);
}

static bool is_in(char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

char *module_depends(const char *data, size_t len)
{
    static const char key[] = "\0depends="; /* with the end of the entry before it */
    const char *found = len ? memmem(data, len, key, sizeof(key) - 1) : NULL;
    if (!found)
        return NULL;
    found += sizeof(key) - 1;
    return xstrndup(found, strnlen(found, (size_t)(data + len - found)));
}

static int take(struct modules *m, const char *name);

static int take_depends(struct modules *m, const char *data, size_t len)
{
    cleanup_free char *depends = module_depends(data, len);
    char *save = NULL;
    for (char *name = depends ? strtok_r(depends, ",", &save) : NULL; name;
         name = strtok_r(NULL, ",", &save))
        if (take(m, name) < 0)
            return -1;
    return 0;
}

static const struct file *find_file(const struct modules *m, const char *name)
{
    vec_each (&m->files, f)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

/* What it depends on first; a name counts as taken from the beginning, so a circle ends. */
static int take(struct modules *m, const char *name)
{
    const struct file *file = find_file(m, name);
    if (is_in(m->taken.at, m->taken.n, name) || is_in(m->builtin.at, m->builtin.n, name))
        return 0;
    if (!file)
        return error_set(m->err, STATUS_USAGE, "there is no module %s in %s", name, m->dir);
    if (m->taken.n == MAX_MODULES)
        return error_set(m->err, STATUS_USAGE, "the modules in %s need too many others", m->dir);
    vec_push(&m->taken, xstrdup(name));

    struct initramfs packed = {0};
    cleanup_free char *data = NULL;
    size_t len = 0;
    int ret = initramfs_add_file(&packed, "module", file->path, m->err);
    if (ret == 0)
        ret = module_unpack(vec_last(&packed.list)->data, vec_last(&packed.list)->len, &data, &len,
                            m->err);
    initramfs_free(&packed);
    if (ret < 0)
        return error_wrap(m->err, "%s", file->path);
    if (take_depends(m, data, len) < 0)
        return -1;
    size_t order = 0;
    vec_each (&m->fs->list, e)
        order += strncmp(e->path, MODULES_FOLDER "/", sizeof(MODULES_FOLDER)) == 0;
    cleanup_free char *path = xasprintf(MODULES_FOLDER "/%03zu-%s.ko", order, name);
    initramfs_add_bytes(m->fs, path, 0644, data, len);
    return 0;
}

static int take_wanted(struct modules *m)
{
    for (const struct wanted *w = wanted; w < wanted + ARRAY_SIZE(wanted); w++) {
        if (!find_file(m, w->name) && !w->needed)
            continue;
        if (take(m, w->name) == 0)
            continue;
        if (w->needed && !find_file(m, w->name)) {
            error_clear(m->err);
            error_set(m->err, STATUS_USAGE, "this kernel has no %s: no module %s in %s", w->what,
                      w->name, m->dir);
            error_hint(m->err, "labs need it; give the kernel's own modules with --modules DIR "
                               "(lib/modules/RELEASE of its package, or its build tree)");
        }
        return -1;
    }
    return 0;
}

int modules_add(struct initramfs *fs, const char *dir, struct error *err)
{
    struct modules m = {.fs = fs, .dir = dir, .err = err};
    int ret = find_files(&m);
    if (ret == 0) {
        read_builtin(&m);
        ret = take_wanted(&m);
    }
    vec_each (&m.files, f) {
        free(f->name);
        free(f->path);
    }
    vec_each (&m.builtin, name)
        free(*name);
    vec_each (&m.taken, name)
        free(*name);
    vec_free(&m.files);
    vec_free(&m.builtin);
    vec_free(&m.taken);
    return ret;
}
