/* tcplab compare: two runs side by side. */

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "cmd_matrix_cell.h"
#include "lab/find.h"
#include "record/any_capture.h"
#include "record/from_capture.h"
#include "record/load.h"
#include "report/compare.h"

static const char help[] =
    "usage: tcplab compare [OPTIONS] A B\n"
    "\n"
    "Says whether two runs differ, where first, and what was set differently.  A and B are\n"
    "folders of evidence that `tcplab run --out` left, or capture files.\n"
    "\n"
    "Only relative numbers are compared, and results of calls.  Intervals differ where no\n"
    "timer of the kernel's explains both: a microsecond is none, a second against two is.\n"
    "\n"
    "  -f, --format FORMAT  text or json\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 they do not differ, 1 they do, 2 wrong usage or a file that cannot be\n"
    "read\n";

struct side {
    const char *path;
    bool is_evidence;
    struct cell cell; /* record and story; result and marks where the lab is known */
};

/* ------------------------------------------------------------------- reading --- */

static bool is_evidence(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Which lab a folder of evidence is of, if it is one that is here. */
static bool load_lab_of(struct cmd_lab *cl, const char *name, const char *dir)
{
    struct error err = ERROR_INIT;
    const struct cmd_values values = {0};
    cleanup_free char *path = NULL, *expected = NULL;
    if (!name || !*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return false;
    bool found = lab_find(name, &path, &expected, &err) == 0 && access(expected, R_OK) == 0;
    error_clear(&err);
    return found && cmd_load_lab_for(cl, name, &values, dir, true) == 0;
}

/* Evidence: with its lab the lines count as its transcript says, else all of them do. */
static int read_evidence(struct side *s, struct cmd_lab *cl, struct error *err)
{
    struct record *record = record_load(s->path, err);
    if (!record)
        return -1;
    bool known = load_lab_of(cl, record->lab, s->path);
    s->cell = (struct cell){.verdict = VERDICT_ERROR, .record = record};
    if (!known) {
        s->cell.story = story_new(record);
        return 0;
    }
    record_free(record);
    if (cell_load(&s->cell, cl, s->path, JUDGE_DEFAULT_SLACK, err) < 0)
        return -1;
    if (s->cell.verdict == VERDICT_NOISY)
        vec_push(
            &s->cell.record->remarks,
            xasprintf("this machine was too late for its times to mean much: %s", s->cell.reason));
    return 0;
}

/* A capture: with the hosts of the lab that the other one is of, if it is known. */
static int read_capture(struct side *s, const struct lab *lab, struct error *err)
{
    s->cell = (struct cell){.verdict = VERDICT_ERROR};
    s->cell.record =
        lab ? record_from_capture(lab, s->path, err) : record_from_any_capture(s->path, err);
    if (!s->cell.record)
        return -1;
    s->cell.story = story_new(s->cell.record);
    return 0;
}

/* Hosts of captures from two machines have other addresses; who spoke first is the same. */
static void rename_hosts(struct record *r)
{
    for (size_t i = 0; i < r->hosts.n; i++) {
        free(r->hosts.at[i].name);
        r->hosts.at[i].name = xasprintf("host%zu", i + 1);
    }
}

static bool same_hosts(const struct record *a, const struct record *b)
{
    size_t n = a->hosts.n < b->hosts.n ? a->hosts.n : b->hosts.n;
    for (size_t i = 0; i < n; i++)
        if (strcmp(a->hosts.at[i].name, b->hosts.at[i].name) != 0)
            return false;
    return true;
}

static int read_sides(struct side sides[2], struct cmd_lab labs[2])
{
    struct error err = ERROR_INIT;
    for (int i = 0; i < 2; i++)
        if (sides[i].is_evidence && read_evidence(&sides[i], &labs[i], &err) < 0)
            return cmd_fail(&err);
    for (int i = 0; i < 2; i++)
        if (!sides[i].is_evidence && read_capture(&sides[i], labs[!i].lab, &err) < 0)
            return cmd_fail(&err);
    bool captures = !sides[0].is_evidence && !sides[1].is_evidence;
    if (captures && !same_hosts(sides[0].cell.record, sides[1].cell.record))
        for (int i = 0; i < 2; i++)
            rename_hosts(sides[i].cell.record);
    return 0;
}

/* ----------------------------------------------------------------- comparing --- */

static int report_both(const struct side sides[2], bool json)
{
    struct differ_run runs[2];
    for (int i = 0; i < 2; i++)
        runs[i] = (struct differ_run){sides[i].cell.story, sides[i].cell.marks};
    struct compared *c = compare_runs(&runs[0], &runs[1]);
    struct compare_report report = {.compared = c,
                                    .path = {sides[0].path, sides[1].path},
                                    .record = {sides[0].cell.record, sides[1].cell.record}};
    if (json) {
        json_t *o = compare_json(&report);
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(o);
    } else {
        struct text_options options = cmd_text_options(stdout);
        struct strbuf out cleanup_strbuf = STRBUF_INIT;
        compare_text(&out, &report, &options);
        fputs(strbuf_cstr(&out), stdout);
    }
    int status = c->first.sentence ? STATUS_FAILED : STATUS_PASSED;
    compared_free(c);
    return status;
}

static int compare(const char *a, const char *b, bool json)
{
    struct side sides[2] = {{.path = a, .is_evidence = is_evidence(a)},
                            {.path = b, .is_evidence = is_evidence(b)}};
    struct cmd_lab labs[2] = {0};
    int status = read_sides(sides, labs);
    for (int i = 0; i < 2 && status == 0; i++) {
        struct error err = ERROR_INIT;
        if (!sides[i].cell.record->skipped)
            continue;
        error_set(&err, STATUS_USAGE, "%s: the lab was not played: %s", sides[i].path,
                  sides[i].cell.record->skipped);
        status = cmd_fail(&err);
    }
    if (status == 0)
        status = report_both(sides, json);
    for (int i = 0; i < 2; i++) {
        cell_free(&sides[i].cell);
        cmd_free_lab(&labs[i]);
    }
    return status;
}

int cmd_compare(int argc, char **argv)
{
    static const struct option longs[] = {
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    int option, status = 0;
    optind = 1;
    opterr = 0;
    while (status == 0 && (option = getopt_long(argc, argv, ":f:h", longs, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        status = option == 'f' ? cmd_text_or_json("compare", optarg, &json)
                               : cmd_option_error("compare", option, argv);
    }
    if (status == 0 && optind != argc - 2)
        status = cmd_usage_error("compare", "two runs are needed, and not more");
    return status ? status : compare(argv[optind], argv[optind + 1], json);
}
