#include "lab/find.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/diag.h"

struct roots {
    char *at[4]; /* each ends in '/' or is empty: the current folder */
    size_t n;
};

static void free_roots(struct roots *roots)
{
    for (size_t i = 0; i < roots->n; i++)
        free(roots->at[i]);
}

static bool is_there(const char *path, mode_t type)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

/* tcplab is built in build/ or build/VARIANT/, below the root. */
static void add_built_roots(struct roots *roots)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    if (len <= 0)
        return;
    exe[len] = '\0';
    for (int up = 0; up < 3; up++) {
        char *slash = strrchr(exe, '/');
        if (!slash)
            return;
        *slash = '\0';
        if (up > 0)
            roots->at[roots->n++] = xasprintf("%s/", exe);
    }
}

static struct roots find_roots(void)
{
    struct roots roots = {0};
    const char *set = getenv("TCPLAB_ROOT");
    if (set && *set) {
        roots.at[roots.n++] = xasprintf("%s/", set);
        return roots;
    }
    roots.at[roots.n++] = xstrdup("");
    add_built_roots(&roots);
    return roots;
}

static bool ends_in_md(const char *s, size_t len)
{
    return len > 3 && memcmp(s + len - 3, ".md", 3) == 0;
}

/* Beside labs/STEM.md is expected/STEM.txt; elsewhere the two stand side by side. */
static char *expected_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    const char *stem = path + folder;
    int stem_len = (int)strlen(stem) - 3;
    char *across = xasprintf("%.*s../expected/%.*s.txt", folder, path, stem_len, stem);
    char *beside = xasprintf("%.*s%.*s.txt", folder, path, stem_len, stem);
    bool in_labs = folder >= 5 && memcmp(path + folder - 5, "labs/", 5) == 0 &&
                   (folder == 5 || path[folder - 6] == '/');
    bool cross = is_there(across, S_IFREG) || (in_labs && !is_there(beside, S_IFREG));
    free(cross ? beside : across);
    return cross ? across : beside;
}

static int take_path(const char *path, char **lab_path, char **expected_path, struct error *err)
{
    if (!is_there(path, S_IFREG))
        return error_sys(err, STATUS_USAGE, errno ? errno : ENOENT, "cannot open the lab %s", path);
    *lab_path = xstrdup(path);
    if (expected_path)
        *expected_path = expected_beside(path);
    return 0;
}

static int unknown_lab(const char *name, struct error *err)
{
    struct lab_names all = {0};
    error_set(err, STATUS_USAGE, "there is no lab \"%s\"", name);
    struct error none = ERROR_INIT;
    if (lab_list(&all, &none) < 0) {
        error_hint(err, "%s", none.hint);
        error_clear(&none);
        return -1;
    }
    const char *near =
        closest_name(name, strlen(name), (const char *const *)all.list.at, all.list.n);
    if (near)
        error_hint(err, "did you mean \"%s\"?", near);
    else
        error_hint(err, "`tcplab list` names them all; a path to one ends in .md");
    lab_names_free(&all);
    return -1;
}

int lab_find(const char *name, char **lab_path, char **expected_path, struct error *err)
{
    errno = 0;
    if (ends_in_md(name, strlen(name)))
        return take_path(name, lab_path, expected_path, err);
    struct roots roots = find_roots();
    bool found = false;
    for (size_t i = 0; i < roots.n && !found && *name && !strchr(name, '/'); i++) {
        char *path = xasprintf("%slabs/%s.md", roots.at[i], name);
        found = is_there(path, S_IFREG);
        if (found && expected_path)
            *expected_path = xasprintf("%sexpected/%s.txt", roots.at[i], name);
        if (found)
            *lab_path = steal_pointer(&path);
        free(path);
    }
    free_roots(&roots);
    return found ? 0 : unknown_lab(name, err);
}

static void add_name(struct lab_names *names, const char *file)
{
    size_t len = strlen(file);
    if (file[0] == '.' || !ends_in_md(file, len))
        return;
    vec_each (&names->list, known)
        if (strlen(*known) == len - 3 && memcmp(*known, file, len - 3) == 0)
            return;
    vec_push(&names->list, xstrndup(file, len - 3));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int lab_list(struct lab_names *names, struct error *err)
{
    struct roots roots = find_roots();
    size_t opened = 0;
    for (size_t i = 0; i < roots.n; i++) {
        cleanup_free char *folder = xasprintf("%slabs", roots.at[i]);
        DIR *dir = opendir(folder);
        if (!dir)
            continue;
        opened++;
        for (struct dirent *entry; (entry = readdir(dir));)
            add_name(names, entry->d_name);
        closedir(dir);
    }
    free_roots(&roots);
    if (!opened) {
        error_set(err, STATUS_USAGE, "there is no folder of labs");
        return error_hint(err, "go to the folder that has labs/, or set TCPLAB_ROOT to it");
    }
    if (names->list.n)
        qsort(names->list.at, names->list.n, sizeof(char *), by_name);
    return 0;
}

char *lab_root(void)
{
    struct roots roots = find_roots();
    char *found = NULL;
    for (size_t i = 0; i < roots.n && !found; i++) {
        cleanup_free char *folder = xasprintf("%slabs", roots.at[i]);
        if (is_there(folder, S_IFDIR))
            found = xstrdup(roots.at[i]);
    }
    free_roots(&roots);
    return found;
}

void lab_names_free(struct lab_names *names)
{
    vec_each (&names->list, name)
        free(*name);
    vec_free(&names->list);
}
