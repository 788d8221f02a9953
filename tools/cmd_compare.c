/* tcplab compare: two runs side by side. */

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmd.h"
#include "cmd_compare.h"
#include "lab/find.h"
#include "record/any_capture.h"
#include "record/from_capture.h"
#include "record/load.h"
#include "report/compare.h"

static const char help[] =
    "usage: tcplab compare [OPTIONS] A B\n"
    "       tcplab compare [OPTIONS] --kernel WHAT [--kernel WHAT] LAB\n"
    "\n"
    "Says whether two runs differ, where first, and what was set differently.  A and B are\n"
    "folders of evidence that `tcplab run --out` left, or capture files.  With --kernel, LAB\n"
    "is played now, in each of the two kernels, and these two runs are compared.\n"
    "\n"
    "Only relative numbers are compared, and results of calls.  Intervals differ where no\n"
    "timer of the kernel's explains both: a microsecond is none, a second against two is.\n"
    "\n"
    "  -f, --format FORMAT  text or json\n"
    "  -k, --kernel WHAT    what `tcplab run --kernel` takes, or \"host\", this machine as it\n"
    "                       is; given once, the other side is this machine\n"
    "  -h, --help\n"
    "\n"
    "With --kernel:\n"
    "\n"
    "      --modules DIR    the modules of images that stand alone\n"
    "      --long           play a long lab on this machine, too\n"
    "      --ip 6           with IPv6 addresses in place of the lab's IPv4 addresses\n"
    "  -s, --slack TIME     a machine whose timers come later than this is too noisy to judge\n"
    "                       (default: 100ms)\n"
    "  -o, --out DIR        evidence goes to DIR/KERNEL/LAB/ (default: out/compare)\n"
    "\n"
    "exit status: 0 they do not differ, 1 they do, 2 wrong usage or a file that cannot be\n"
    "read, 3 this machine cannot run it, 4 the lab was skipped on one of the two\n";

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

void compare_remark_noise(struct cell *cell)
{
    if (cell->verdict == VERDICT_NOISY)
        vec_push(
            &cell->record->remarks,
            xasprintf("this machine was too late for its times to mean much: %s", cell->reason));
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
    compare_remark_noise(&s->cell);
    return 0;
}

/* A capture: with the hosts of the lab that the other one is of, if it is known. */
static int read_capture(struct side *s, const struct lab *lab, struct error *err)
{
    s->cell = (struct cell){.verdict = VERDICT_ERROR};
    s->cell.record = lab ? record_from_capture(lab, s->path, err)
                         : record_from_any_capture(s->path, ANY_CAPTURE_PACKETS, err);
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

int compare_and_report(const char *const paths[2], const struct cell *const cells[2], bool json)
{
    struct differ_run runs[2];
    for (int i = 0; i < 2; i++)
        runs[i] = (struct differ_run){cells[i]->story, cells[i]->marks};
    struct compared *c = compare_runs(&runs[0], &runs[1]);
    struct compare_report report = {.compared = c,
                                    .path = {paths[0], paths[1]},
                                    .record = {cells[0]->record, cells[1]->record}};
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

static int compare_stored(const char *a, const char *b, bool json)
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
        status =
            compare_and_report((const char *const[]){a, b},
                               (const struct cell *const[]){&sides[0].cell, &sides[1].cell}, json);
    for (int i = 0; i < 2; i++) {
        cell_free(&sides[i].cell);
        cmd_free_lab(&labs[i]);
    }
    return status;
}

/* ------------------------------------------------------------------- options --- */

struct options {
    bool json;
    const char *needs_kernel; /* an option that goes with --kernel; NULL: none */
    struct plan plan;
};

static const struct option long_options[] = {
    {"format", required_argument, NULL, 'f'},
    {"kernel", required_argument, NULL, 'k'},
    {"modules", required_argument, NULL, 'M'},
    {"long", no_argument, NULL, 'L'},
    {"ip", required_argument, NULL, 'I'},
    {"slack", required_argument, NULL, 's'},
    {"out", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int take_slack(struct plan *p, const char *text)
{
    p->slack_text = text;
    return parse_duration(text, strlen(text), &p->slack) == strlen(text)
               ? 0
               : cmd_usage_error("compare", "\"%s\" is no time such as 50ms", text);
}

static int parse_option(struct options *o, int option, char **argv)
{
    struct plan *p = &o->plan;
    switch (option) {
    case 'f':
        return cmd_text_or_json("compare", optarg, &o->json);
    case 'k':
        vec_push(&p->kernels, optarg);
        return 0;
    case 'M':
        o->needs_kernel = "--modules";
        p->modules = optarg;
        return 0;
    case 'L':
        o->needs_kernel = "--long";
        p->play_long = true;
        return 0;
    case 'I':
        o->needs_kernel = "--ip";
        return cmd_take_ip(&p->values, "compare", optarg);
    case 's':
        o->needs_kernel = "--slack";
        return take_slack(p, optarg);
    case 'o':
        o->needs_kernel = "--out";
        p->out = optarg;
        return 0;
    default:
        return cmd_option_error("compare", option, argv);
    }
}

static int check_use(const struct options *o, int n)
{
    if (o->plan.kernels.n > 2)
        return cmd_usage_error("compare",
                               "two kernels are compared; `tcplab matrix` takes any number");
    if (o->plan.kernels.n && n != 1)
        return cmd_usage_error("compare", "with --kernel, one lab is needed, and not more");
    if (!o->plan.kernels.n && o->needs_kernel)
        return cmd_usage_error("compare", "%s goes with --kernel", o->needs_kernel);
    if (!o->plan.kernels.n && n != 2)
        return cmd_usage_error("compare", "two runs are needed, and not more");
    return 0;
}

int cmd_compare(int argc, char **argv)
{
    struct options o = {.plan = {.out = "out/compare", .slack = JUDGE_DEFAULT_SLACK}};
    int option, status = 0;
    optind = 1;
    opterr = 0;
    while (status == 0 &&
           (option = getopt_long(argc, argv, ":f:k:s:o:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            plan_free(&o.plan);
            return STATUS_PASSED;
        }
        status = parse_option(&o, option, argv);
    }
    /* What is played gets at options of its own, so the words are taken first. */
    char **words = argv + optind;
    if (status == 0)
        status = check_use(&o, argc - optind);
    if (status == 0)
        status = o.plan.kernels.n ? compare_kernels(&o.plan, words[0], o.json)
                                  : compare_stored(words[0], words[1], o.json);
    plan_free(&o.plan);
    return status;
}
