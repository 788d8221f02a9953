/* `tcplab kernel`: the cache of kernels that `run --kernel VERSION` takes from. */

#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "kernel/cache.h"

static const char help[] =
    "usage: tcplab kernel list [--format text|json]\n"
    "       tcplab kernel get [--newest] VERSION…\n"
    "       tcplab kernel add [--modules DIR] PATH\n"
    "\n"
    "Kernels for `tcplab run --kernel`, kept in ${XDG_CACHE_HOME:-~/.cache}/tcplab/kernels.\n"
    "\n"
    "  list   what is there: release, size, whether every checksum still holds, and where\n"
    "         it came from\n"
    "  get    fetches Debian's newest kernel package whose version begins with VERSION\n"
    "         (\"6.1\", \"6.12\", \"6.1.192-2\", \"6.1.0-56-amd64\") with this machine's apt.  "
    "The\n"
    "         package is downloaded and unpacked, never installed; root is not needed.\n"
    "         Where the cache has such a kernel, nothing is done\n"
    "  add    takes a kernel from a package file (.deb), an unpacked package, a kernel build\n"
    "         tree or an image\n"
    "\n"
    "  --newest            fetch also if the cache has one, to have the newest\n"
    "  --modules DIR       where the modules of an image are\n"
    "  --format text|json  how to print the list (default: text)\n"
    "  --help              this text\n"
    "\n"
    "Exit status: 0 if it worked, 2 on wrong usage or a file that is no kernel, 3 if this\n"
    "machine cannot do it, or if `list` finds a damaged kernel.\n";

/* ------------------------------------------------------------------------- progress */

struct line {
    const char *title;
    size_t shown; /* width of what stands on the terminal's line */
};

static void show_line(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct line *line = ctx;
    if (!isatty(STDERR_FILENO))
        return;
    cleanup_free char *text = total ? xasprintf("%s: %s, %.1f of %.1f MB", line->title, what,
                                                (double)done / 1e6, (double)total / 1e6)
                                    : xasprintf("%s: %s …", line->title, what);
    fprintf(stderr, "\r%-*s", (int)line->shown, text);
    fflush(stderr);
    line->shown = strlen(text);
}

static void end_line(const struct line *line)
{
    if (line->shown)
        fprintf(stderr, "\r%*s\r", (int)line->shown, "");
}

/* ---------------------------------------------------------------------------- get */

/* A sound kernel of this version in the cache: its release, or NULL. */
static char *have(const char *version, struct error *err)
{
    struct cached_kernels all = {0};
    char *release = NULL;
    if (kernel_cache_list(&all, err) == 0) {
        const struct cached_kernel *found = kernel_cache_match(&all, version);
        struct cache_info info = {0};
        struct error unreadable = ERROR_INIT;
        if (found && kernel_cache_inspect(&info, found, &unreadable) == 0 &&
            info.state != CACHE_DAMAGED)
            release = xstrdup(found->release);
        cache_info_free(&info);
        error_clear(&unreadable);
    }
    kernel_cache_free(&all);
    return release;
}

static int get_one(const char *version, bool newest)
{
    struct error err = ERROR_INIT;
    cleanup_free char *release = newest ? NULL : have(version, &err);
    if (release) {
        printf("%s: %s is there already\n", version, release);
        return STATUS_PASSED;
    }
    struct line line = {.title = version};
    struct kernel_progress progress = {show_line, &line};
    int result = error_is_set(&err) ? -1 : kernel_cache_get(version, &progress, &release, &err);
    end_line(&line);
    if (result < 0)
        return cmd_fail(&err);
    printf("%s: %s\n", version, release);
    return STATUS_PASSED;
}

static int get(int n, char **versions, bool newest)
{
    for (int i = 0; i < n; i++) {
        if (versions[i][0] < '0' || versions[i][0] > '9')
            return cmd_usage_error("kernel", "\"%s\" is no version of a kernel", versions[i]);
        int status = get_one(versions[i], newest);
        if (status != STATUS_PASSED)
            return status;
    }
    return STATUS_PASSED;
}

/* ---------------------------------------------------------------------------- add */

static int add(const char *path, const char *modules)
{
    struct error err = ERROR_INIT;
    struct line line = {.title = path};
    struct kernel_progress progress = {show_line, &line};
    cleanup_free char *release = NULL;
    int result = kernel_cache_add(path, modules, &progress, &release, &err);
    end_line(&line);
    if (result < 0)
        return cmd_fail(&err);
    printf("%s\n", release);
    return STATUS_PASSED;
}

/* --------------------------------------------------------------------------- list */

static void print_one(const struct cached_kernel *k, const struct cache_info *info, int width)
{
    printf("%-*s  %6.1f MB  %4zu modules  %-8s  %s\n", width, k->release, (double)info->bytes / 1e6,
           info->modules, cache_state_name(info->state), info->source);
    if (info->trouble)
        printf("%-*s  %s\n", width, "", info->trouble);
}

static json_t *one_as_json(const struct cached_kernel *k, const struct cache_info *info)
{
    json_t *one = json_object();
    json_object_set_new(one, "release", json_string(k->release));
    json_object_set_new(one, "path", json_string(k->path));
    json_object_set_new(one, "bytes", json_integer((json_int_t)info->bytes));
    json_object_set_new(one, "modules", json_integer((json_int_t)info->modules));
    json_object_set_new(one, "checksums", json_string(cache_state_name(info->state)));
    json_object_set_new(one, "source", json_string(info->source));
    if (info->trouble)
        json_object_set_new(one, "trouble", json_string(info->trouble));
    return one;
}

static void print_empty(void)
{
    struct error err = ERROR_INIT;
    cleanup_free char *root = kernel_cache_root(&err);
    printf("There is no kernel in %s; `tcplab kernel get 6.12` fetches one.\n", root ? root : "?");
    error_clear(&err);
}

static int list(bool json)
{
    struct error err = ERROR_INIT;
    struct cached_kernels all = {0};
    if (kernel_cache_list(&all, &err) < 0)
        return cmd_fail(&err);
    int width = 0, status = STATUS_PASSED;
    vec_each (&all.list, k)
        width = (int)strlen(k->release) > width ? (int)strlen(k->release) : width;
    json_t *array = json_array();
    vec_each (&all.list, k) {
        struct cache_info info;
        if (kernel_cache_inspect(&info, k, &err) < 0) {
            status = cmd_fail(&err);
            continue;
        }
        if (info.state == CACHE_DAMAGED)
            status = STATUS_MACHINE;
        if (json)
            json_array_append_new(array, one_as_json(k, &info));
        else
            print_one(k, &info, width);
        cache_info_free(&info);
    }
    if (json) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (all.list.n == 0) {
        print_empty();
    }
    json_decref(array);
    kernel_cache_free(&all);
    return status;
}

/* --------------------------------------------------------------------------- front */

struct flags {
    bool json, newest;
    const char *modules;
    char set; /* the option that was given, for what takes none; 0: none */
};

/* 0, or -1 and the status to exit with. */
static int read_flags(struct flags *flags, int argc, char **argv, int *status)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"newest", no_argument, NULL, 'n'},
                                            {"modules", required_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    opterr = 0;
    *status = STATUS_USAGE;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (c) {
        case 'h':
            fputs(help, stdout);
            *status = STATUS_PASSED;
            return -1;
        case 'f':
            flags->json = strcmp(optarg, "json") == 0;
            if (!flags->json && strcmp(optarg, "text") != 0) {
                cmd_usage_error("kernel", "unknown format \"%s\": text or json", optarg);
                return -1;
            }
            break;
        case 'n':
            flags->newest = true;
            break;
        case 'm':
            flags->modules = optarg;
            break;
        default:
            cmd_usage_error("kernel", c == ':' ? "%s needs a value" : "unknown option %s",
                            argv[optind - 1]);
            return -1;
        }
        flags->set = (char)c;
    }
    return 0;
}

int cmd_kernel(int argc, char **argv)
{
    static const struct {
        const char *name;
        char option; /* the only one that it takes */
        int least, most;
    } actions[] = {{"list", 'f', 0, 0}, {"get", 'n', 1, INT_MAX}, {"add", 'm', 1, 1}};
    struct flags flags = {0};
    int status;
    if (read_flags(&flags, argc, argv, &status) < 0)
        return status;
    if (optind == argc)
        return cmd_usage_error("kernel", "it needs one of: list, get, add");
    const char *word = argv[optind++];
    size_t i = 0;
    while (i < ARRAY_SIZE(actions) && strcmp(actions[i].name, word) != 0)
        i++;
    if (i == ARRAY_SIZE(actions))
        return cmd_usage_error("kernel", "there is no \"%s\": list, get or add", word);
    int n = argc - optind;
    if (flags.set && flags.set != actions[i].option)
        return cmd_usage_error("kernel", "%s does not take this option", word);
    if (n < actions[i].least)
        return cmd_usage_error("kernel", "%s needs a %s", word, i == 1 ? "VERSION" : "PATH");
    if (n > actions[i].most)
        return cmd_usage_error("kernel", "%s takes no argument \"%s\"", word,
                               argv[optind + actions[i].most]);
    if (i == 0)
        return list(flags.json);
    return i == 1 ? get(n, argv + optind, flags.newest) : add(argv[optind], flags.modules);
}
