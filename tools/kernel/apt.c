#include "kernel/apt.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/command.h"
#include "kernel/files.h"

static const char prefix[] = "linux-image-";
static const char unsigned_end[] = "-unsigned";
static const char arch[] = "-amd64";

enum { PACKAGES_MAX = 4096 };

static const char by_hand[] =
    "put a kernel into the cache yourself: `tcplab kernel add PATH` takes a package "
    "file, an unpacked package or a kernel build tree";

static bool ends_with(const char *s, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && memcmp(s + n - m, end, m) == 0;
}

/* The release of a package of one kernel: a digit first, three numbers, of this machine's
 * kind.  "linux-image-6.12-amd64" only depends on the newest, -dbg has symbols. */
static char *release_of(const char *name, size_t len)
{
    size_t n = strlen(prefix);
    if (len <= n || memcmp(name, prefix, n) != 0 || !isdigit((unsigned char)name[n]))
        return NULL;
    len -= n;
    if (ends_with(name + n, len, unsigned_end))
        len -= strlen(unsigned_end);
    if (!ends_with(name + n, len, arch))
        return NULL;
    char *release = xstrndup(name + n, len);
    const char *dot = strchr(release, '.');
    if (dot && strchr(dot + 1, '.'))
        return release;
    free(release);
    return NULL;
}

/* Built for something else than a usual PC; taken if asked for by its whole name. */
static bool is_flavour(const char *release)
{
    return strstr(release, "-rt-") || strstr(release, "-cloud-");
}

static bool matches(const char *release, const char *package_version, const char *version)
{
    if (strcmp(release, version) == 0)
        return true;
    return !is_flavour(release) && (kernel_version_begins(release, version) ||
                                    kernel_version_begins(package_version, version));
}

static bool is_unsigned(const struct kernel_package *p)
{
    return ends_with(p->name, strlen(p->name), unsigned_end);
}

/* Newer first, then signed before unsigned, which are the same kernel. */
static bool is_better(const struct kernel_package *a, const struct kernel_package *b)
{
    int releases = strverscmp(a->release, b->release);
    if (releases != 0)
        return releases > 0;
    if (is_unsigned(a) != is_unsigned(b))
        return is_unsigned(b);
    return strverscmp(a->version, b->version) > 0;
}

/* The field of a line of " | " from *at on, without the blanks around it. */
static char *next_field(const char **at)
{
    const char *from = *at + strspn(*at, " ");
    size_t len = strcspn(from, "|\n");
    *at = from + len + (from[len] == '|');
    while (len > 0 && from[len - 1] == ' ')
        len--;
    return xstrndup(from, len);
}

/* One line of `apt-cache madison`: NAME | VERSION | SOURCE.  False: no kernel's. */
static bool read_line(struct kernel_package *p, const char *line)
{
    const char *at = line;
    *p = (struct kernel_package){0};
    p->name = next_field(&at);
    p->version = next_field(&at);
    p->release = release_of(p->name, strlen(p->name));
    if (p->release && *p->version)
        return true;
    kernel_package_free(p);
    return false;
}

bool apt_choose(struct kernel_package *package, const char *madison, const char *version)
{
    struct kernel_package best = {0};
    for (const char *line = madison; *line;) {
        struct kernel_package p;
        if (read_line(&p, line)) {
            if (matches(p.release, p.version, version) && (!best.name || is_better(&p, &best))) {
                struct kernel_package worse = best;
                best = p;
                p = worse;
            }
            kernel_package_free(&p);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    *package = best;
    return best.name != NULL;
}

static int run(const char *const *argv, struct strbuf *out, struct error *err)
{
    struct command command = {.argv = argv, .out = out};
    if (command_run(&command, err) == 0)
        return 0;
    if (err->sys == ENOENT)
        error_hint(err, "this machine has no apt; %s", by_hand);
    return -1;
}

/* `apt-cache madison` of all packages that hold a kernel for this machine; nothing to
 * ask about gives an empty text. */
static int ask_versions(struct strbuf *madison, struct error *err)
{
    static const char *const list[] = {"apt-cache", "pkgnames", prefix, NULL};
    struct strbuf names cleanup_strbuf = STRBUF_INIT;
    VEC(const char *) argv = {0};
    if (run(list, &names, err) < 0)
        return -1;
    vec_push(&argv, "apt-cache");
    vec_push(&argv, "madison");
    char *save = NULL;
    for (char *name = names.len ? strtok_r(names.data, "\n", &save) : NULL; name;
         name = strtok_r(NULL, "\n", &save)) {
        cleanup_free char *release = release_of(name, strlen(name));
        if (release && argv.n < PACKAGES_MAX)
            vec_push(&argv, name);
    }
    bool any = argv.n > 2;
    vec_push(&argv, NULL);
    int result = any ? run(argv.at, madison, err) : 0;
    vec_free(&argv);
    return result;
}

/* Size and checksum, out of `apt-cache show`. */
static void read_details(struct kernel_package *package, const char *text)
{
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        if (len > 6 && strncmp(line, "Size: ", 6) == 0 && !package->size)
            package->size = strtoull(line + 6, NULL, 10);
        if (len == 8 + 64 && strncmp(line, "SHA256: ", 8) == 0 && !package->sha256)
            package->sha256 = xstrndup(line + 8, 64);
        line += len + (line[len] == '\n');
    }
}

int apt_find(struct kernel_package *package, const char *version, struct error *err)
{
    struct strbuf madison cleanup_strbuf = STRBUF_INIT;
    *package = (struct kernel_package){0};
    if (ask_versions(&madison, err) < 0)
        return -1;
    if (!apt_choose(package, strbuf_cstr(&madison), version)) {
        error_set(err, STATUS_USAGE, "apt knows no kernel package linux-image-%s*-amd64", version);
        return error_hint(err,
                          "bring its lists up to date (sudo apt-get update) and see "
                          "`apt-cache search --names-only '^linux-image-'`; or %s",
                          by_hand);
    }
    cleanup_free char *which = xasprintf("%s=%s", package->name, package->version);
    const char *const show[] = {"apt-cache", "show", which, NULL};
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    if (run(show, &text, err) < 0) {
        kernel_package_free(package);
        return -1;
    }
    read_details(package, strbuf_cstr(&text));
    return 0;
}

struct download {
    const struct kernel_package *package;
    const struct kernel_progress *progress;
    const char *folder;
};

/* The package file in a folder: all that apt puts there. */
static char *package_file(const char *folder)
{
    struct file_list files = {0};
    struct error ignored = ERROR_INIT;
    char *path = NULL;
    files_list(&files, folder, &ignored);
    error_clear(&ignored);
    vec_each (&files.list, name)
        if (!path && ends_with(*name, strlen(*name), ".deb"))
            path = xasprintf("%s/%s", folder, *name);
    files_list_free(&files);
    return path;
}

static void show_download(void *ctx)
{
    const struct download *d = ctx;
    cleanup_free char *file = package_file(d->folder);
    struct stat st;
    uint64_t done = file && stat(file, &st) == 0 ? (uint64_t)st.st_size : 0;
    kernel_progress_show(d->progress, "downloading", done, d->package->size);
}

char *apt_download(const struct kernel_package *package, const char *folder,
                   const struct kernel_progress *progress, struct error *err)
{
    struct download d = {.package = package, .progress = progress, .folder = folder};
    cleanup_free char *which = xasprintf("%s=%s", package->name, package->version);
    const char *const argv[] = {"apt-get", "-qq", "download", which, NULL};
    struct command command = {.argv = argv, .folder = folder, .progress = show_download, .ctx = &d};
    if (command_run(&command, err) < 0) {
        if (err->sys != EINTR)
            error_hint(err,
                       "is there a network, and are apt's lists up to date (sudo apt-get "
                       "update)?  Or %s",
                       by_hand);
        return NULL;
    }
    char *file = package_file(folder);
    if (!file)
        error_set(err, STATUS_MACHINE, "apt-get downloaded no package file of %s", package->name);
    return file;
}

int apt_unpack(const char *file, const char *folder, struct error *err)
{
    const char *const argv[] = {"dpkg-deb", "--extract", file, folder, NULL};
    return run(argv, NULL, err);
}

char *apt_describe(const char *file, struct error *err)
{
    const char *const argv[] = {"dpkg-deb", "--show", "--showformat=${Package} ${Version}", file,
                                NULL};
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    if (run(argv, &out, err) < 0)
        return NULL;
    return xasprintf("Debian package %s", strbuf_cstr(&out));
}

void kernel_package_free(struct kernel_package *package)
{
    free(package->name);
    free(package->version);
    free(package->release);
    free(package->sha256);
    *package = (struct kernel_package){0};
}
