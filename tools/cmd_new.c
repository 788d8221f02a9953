/* tcplab new: the files of a new lab, to be edited. */

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmd.h"
#include "lab/find.h"
#include "lab/lab.h"
#include "lab/template.h"
#include "transcript/judge.h"

static const char help[] =
    "usage: tcplab new [OPTIONS] NAME\n"
    "\n"
    "Starts a lab: labs/NAME.md, the lesson with its script, and expected/NAME.txt, what\n"
    "is expected of it.  Both are complete and pass, so there is something to run at once\n"
    "and to change from there.  Nothing is overwritten.\n"
    "\n"
    "      --from LAB   a copy of this lab instead of the small one that is built in\n"
    "      --root DIR   the folder in which labs/ and expected/ are, made if need be\n"
    "                   (default: where `tcplab list` finds its first lab)\n"
    "  -h, --help\n"
    "\n"
    "docs/writing-labs.md leads from here to a new scene.\n";

static const char *const name_hint = "a name is made of a-z, 0-9 and -, and begins with a letter";

enum { MAX_NAME = 40 };

struct new_lab {
    const char *name, *from, *root;
    struct source lesson, transcript;
    char *lesson_path, *transcript_path;
    bool found_by_name; /* `tcplab run NAME` finds it, else only its path does */
};

static bool is_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return islower((unsigned char)*s) && s[n] == '\0' && n <= MAX_NAME;
}

/* ---------------------------------------------------------------- where it goes */

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* "" or with a '/' at its end. */
static int find_root(struct new_lab *n, char **root, struct error *err)
{
    if (n->root && strcmp(n->root, ".") == 0) {
        *root = xstrdup("");
        const char *set = getenv("TCPLAB_ROOT");
        n->found_by_name = !set || !*set;
        return 0;
    }
    if (n->root) {
        *root = xasprintf("%s%s", n->root, n->root[strlen(n->root) - 1] == '/' ? "" : "/");
        return 0;
    }
    n->found_by_name = true;
    *root = lab_root();
    if (*root)
        return 0;
    error_set(err, STATUS_USAGE, "there is no folder of labs");
    return error_hint(err, "`--root .` makes one here, with its neighbour for transcripts");
}

static int choose_paths(struct new_lab *n, struct error *err)
{
    cleanup_free char *root = NULL, *other = NULL;
    struct error none = ERROR_INIT;
    if (find_root(n, &root, err) < 0)
        return -1;
    n->lesson_path = xasprintf("%slabs/%s.md", root, n->name);
    n->transcript_path = xasprintf("%sexpected/%s.txt", root, n->name);
    const char *taken = is_there(n->lesson_path)       ? n->lesson_path
                        : is_there(n->transcript_path) ? n->transcript_path
                                                       : NULL;
    if (!taken && n->found_by_name && lab_find(n->name, &other, NULL, &none) == 0)
        taken = other;
    error_clear(&none);
    if (!taken)
        return 0;
    error_set(err, STATUS_USAGE, "%s is there already", taken);
    return error_hint(err, "nothing is overwritten: take another name, or edit that one");
}

/* ------------------------------------------------------------- what goes there */

static int read_template(struct new_lab *n, struct error *err)
{
    if (!n->from) {
        source_from(&n->lesson, n->lesson_path, lab_template_lesson, strlen(lab_template_lesson));
        source_from(&n->transcript, n->transcript_path, lab_template_transcript,
                    strlen(lab_template_transcript));
        return 0;
    }
    cleanup_free char *lesson = NULL, *transcript = NULL;
    struct source read;
    if (lab_find(n->from, &lesson, &transcript, err) < 0 || source_read(&read, lesson, err) < 0)
        return -1;
    source_from(&n->lesson, n->lesson_path, read.text, read.len);
    source_free(&read);
    if (source_read(&read, transcript, err) < 0)
        return error_wrap(err, "lab %s has no expected transcript", n->from);
    source_from(&n->transcript, n->transcript_path, read.text, read.len);
    source_free(&read);
    return 0;
}

/* Whether the two can be read under their new name; 0, or the status to exit with. */
static int check(const struct new_lab *n)
{
    struct source lesson, transcript;
    struct diags diags = {0};
    source_from(&lesson, n->lesson_path, n->lesson.text, n->lesson.len);
    source_from(&transcript, n->transcript_path, n->transcript.text, n->transcript.len);
    struct lab *lab = lab_parse(&lesson, NULL, 0, &diags);
    if (diags.list.n) {
        int status = cmd_fail_diags(&diags);
        source_free(&transcript);
        lab_free(lab);
        return status;
    }
    struct pattern *pattern = pattern_parse(&transcript, lab, &diags);
    int status = diags.list.n ? cmd_fail_diags(&diags) : 0;
    pattern_free(pattern);
    lab_free(lab);
    return status;
}

/* ------------------------------------------------------------------- writing */

/* The folders above the file; one that is there is as good. */
static int make_folders(const char *path, struct error *err)
{
    cleanup_free char *folder = xstrdup(path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0777) < 0 && errno != EEXIST)
            return error_sys(err, STATUS_USAGE, errno, "cannot make the folder %s", folder);
        *slash = '/';
    }
    return 0;
}

/* Never over a file that is there. */
static int write_new(const char *path, const struct source *src, struct error *err)
{
    if (make_folders(path, err) < 0)
        return -1;
    FILE *file = fopen(path, "wxe");
    if (!file)
        return error_sys(err, STATUS_USAGE, errno, "cannot write %s", path);
    bool bad = fwrite(src->text, 1, src->len, file) != src->len;
    if (fclose(file) == 0 && !bad)
        return 0;
    error_sys(err, STATUS_MACHINE, errno, "cannot write %s", path);
    unlink(path);
    return -1;
}

static int write_both(const struct new_lab *n, struct error *err)
{
    if (write_new(n->lesson_path, &n->lesson, err) < 0)
        return -1;
    if (write_new(n->transcript_path, &n->transcript, err) == 0)
        return 0;
    unlink(n->lesson_path); /* half a lab is none */
    return -1;
}

/* One row: a blank-separated pair of words, padded so that the remarks stand in a column. */
static void say(int width, const char *what, const char *lab, const char *remark)
{
    int padding = width - (int)(strlen(what) + strlen(lab));
    printf("  %s%s%*s  %s\n", what, lab, padding > 0 ? padding : 0, "", remark);
}

static void say_what_next(const struct new_lab *n)
{
    static const char longest[] = "tcplab record --force ";
    const char *lab = n->found_by_name ? n->name : n->lesson_path;
    int width = (int)(strlen(longest) + strlen(lab));
    printf("Wrote %s and %s.\n\nWhat next:\n", n->lesson_path, n->transcript_path);
    say(width, "tcplab run ", lab, "it passes as it is");
    say(width, "edit ", n->lesson_path, "change the scene, and what is said of it");
    say(width, "tcplab record -o - ", lab, "see what the new scene puts on the wire");
    say(width, longest, lab, "expect that, and read every line of it");
    puts("\ndocs/writing-labs.md goes through it step by step.");
}

static int make_lab(struct new_lab *n)
{
    struct error err = ERROR_INIT;
    int status = 0;
    bool bad = choose_paths(n, &err) < 0 || read_template(n, &err) < 0;
    if (!bad && (status = check(n)) == 0) {
        bad = write_both(n, &err) < 0;
        if (!bad)
            say_what_next(n);
    }
    if (bad)
        status = cmd_fail(&err);
    source_free(&n->lesson);
    source_free(&n->transcript);
    free(n->lesson_path);
    free(n->transcript_path);
    return status;
}

int cmd_new(int argc, char **argv)
{
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"root", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct new_lab n = {0};
    optind = 1;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (c == 'f')
            n.from = optarg;
        else if (c == 'r' && *optarg)
            n.root = optarg;
        else if (c == 'r')
            return cmd_usage_error("new", "--root is the name of a folder");
        else
            return cmd_option_error("new", c, argv);
    }
    if (optind + 1 != argc)
        return cmd_usage_error("new", optind < argc ? "one lab at a time" : "what is its name?");
    n.name = argv[optind];
    if (is_name(n.name))
        return make_lab(&n);
    struct error err = ERROR_INIT;
    error_set(&err, STATUS_USAGE, "\"%s\" is no name for a lab", n.name);
    error_hint(&err, "%s", name_hint);
    return cmd_fail(&err);
}
