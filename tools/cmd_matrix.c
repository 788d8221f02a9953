/* tcplab matrix: every lab on every kernel, and on this machine.
 *
 * 1. Labs and kernels are read, so that a mistake is told before anything runs.
 * 2. Each column is played by `tcplab run`; cmd_matrix_run.c.
 * 3. Each cell is judged from its evidence and compared with the first kernel that
 *    played the lab, and with the cell of the baseline, which is evidence too. */

#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "cmd_matrix.h"
#include "lab/find.h"
#include "report/evidence.h"

static const char help[] =
    "usage: tcplab matrix [--kernel WHAT]… [OPTIONS] LAB…\n"
    "       tcplab matrix [--kernel WHAT]… [OPTIONS] --all\n"
    "\n"
    "Plays every lab on every kernel and on this machine (\"host\"), and shows where they differ\n"
    "from the first.  WHAT is what `tcplab run --kernel` takes.\n"
    "\n"
    "  -k, --kernel WHAT    a kernel; several make several columns\n"
    "      --modules DIR    the modules of images that stand alone\n"
    "      --no-host        leave this machine out\n"
    "  -a, --all            every lab there is\n"
    "      --baseline DIR   compare with the matrix that was stored in DIR\n"
    "      --bless DIR      store this matrix in DIR: it is right as it is\n"
    "      --long           play long labs on this machine, too\n"
    "      --ip 6           with IPv6 addresses in place of the labs' IPv4 addresses\n"
    "  -s, --slack TIME     a machine whose timers come later than this is too noisy to judge\n"
    "                       (default: 100ms)\n"
    "  -o, --out DIR        evidence goes to DIR/KERNEL/LAB/ (default: out/matrix)\n"
    "  -f, --format FORMAT  text, json or ktap\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 all is well, 1 a lab failed or, with --baseline, something has changed since,\n"
    "2 wrong usage or a file that does not parse, 3 this machine cannot run it, 4 nothing was\n"
    "judged\n";

/* ------------------------------------------------------------------ options --- */

static int parse_option(struct plan *p, int option, char **argv)
{
    switch (option) {
    case 'k':
        vec_push(&p->kernels, optarg);
        return 0;
    case 'M':
        p->modules = optarg;
        return 0;
    case 'N':
        p->no_host = true;
        return 0;
    case 'a':
        p->all = true;
        return 0;
    case 'B':
        p->baseline = optarg;
        return 0;
    case 'b':
        p->bless = optarg;
        return 0;
    case 'L':
        p->play_long = true;
        return 0;
    case 'I':
        return cmd_take_ip(&p->values, "matrix", optarg);
    case 's':
        p->slack_text = optarg;
        return parse_duration(optarg, strlen(optarg), &p->slack) == strlen(optarg)
                   ? 0
                   : cmd_usage_error("matrix", "\"%s\" is no time such as 50ms", optarg);
    case 'o':
        p->out = optarg;
        return 0;
    case 'f':
        p->format = optarg;
        if (strcmp(optarg, "text") == 0 || strcmp(optarg, "json") == 0 ||
            strcmp(optarg, "ktap") == 0)
            return 0;
        return cmd_usage_error("matrix", "there is no format \"%s\": text, json or ktap", optarg);
    default:
        return cmd_option_error("matrix", option, argv);
    }
}

static const struct option long_options[] = {
    {"kernel", required_argument, NULL, 'k'},
    {"modules", required_argument, NULL, 'M'},
    {"no-host", no_argument, NULL, 'N'},
    {"all", no_argument, NULL, 'a'},
    {"baseline", required_argument, NULL, 'B'},
    {"bless", required_argument, NULL, 'b'},
    {"long", no_argument, NULL, 'L'},
    {"ip", required_argument, NULL, 'I'},
    {"slack", required_argument, NULL, 's'},
    {"out", required_argument, NULL, 'o'},
    {"format", required_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* -1 to go on, else the status to exit with. */
static int parse_options(struct plan *p, int argc, char **argv)
{
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":k:as:o:f:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        int status = parse_option(p, option, argv);
        if (status)
            return status;
    }
    if (p->kernels.n == 0 && p->no_host)
        return cmd_usage_error("matrix", "which kernels?  `tcplab kernel list` shows them");
    if (p->all == (optind < argc))
        return p->all ? cmd_usage_error("matrix", "--all already means every lab")
                      : cmd_usage_error("matrix", "which labs?  --all means every one");
    if (p->baseline && p->bless)
        return cmd_usage_error("matrix", "--baseline compares and --bless stores: one of them");
    return -1;
}

/* ------------------------------------------------------------------ columns --- */

static int choose_columns(struct plan *p)
{
    struct error err = ERROR_INIT;
    vec_each (&p->kernels, kernel)
        if (plan_add_column(p, *kernel, false, &err) < 0)
            return cmd_fail(&err);
    return p->no_host || plan_add_column(p, NULL, false, &err) == 0 ? 0 : cmd_fail(&err);
}

static int choose_labs(struct plan *p, char **names, size_t n)
{
    struct error err = ERROR_INIT;
    struct lab_names all = {0};
    int worst = 0;
    if (p->all) {
        if (lab_list(&all, &err) < 0)
            return cmd_fail(&err);
        names = all.list.at;
        n = all.list.n;
    }
    for (size_t i = 0; i < n; i++) {
        struct cmd_lab cl;
        int status = cmd_load_lab(&cl, names[i], &p->values, true);
        bool known = false;
        vec_each (&p->matrix.labs, lab)
            known |= !status && strcmp(lab->name, cl.lab->name) == 0;
        if (status || known) {
            cmd_free_lab(&cl);
            worst = status ? status : worst;
            continue;
        }
        vec_push(&p->labs, cl);
        vec_push(&p->names, xstrdup(names[i]));
        matrix_add_lab(&p->matrix, cl.lab->name, cl.lab->title);
    }
    lab_names_free(&all);
    return worst;
}

/* ---------------------------------------------------------------- comparing --- */

static void note_kernel(struct matrix_kernel *kernel, const struct column *column)
{
    vec_each (&column->cells, cell) {
        if (!cell->record || kernel->release)
            continue;
        kernel->release = cell->record->kernel ? xstrdup(cell->record->kernel) : NULL;
        kernel->clock = cell->record->clock ? xstrdup(cell->record->clock) : NULL;
        kernel->tick = cell->record->tick;
    }
}

/* The change since the baseline; NULL: none. */
static char *change_of(const struct plan *p, size_t lab, size_t k)
{
    struct error err = ERROR_INIT;
    struct cell before;
    const struct cell *now = &p->columns.at[k].cells.at[lab];
    const char *kernel = p->matrix.kernels.at[k].name, *name = p->matrix.labs.at[lab].name;
    cleanup_free char *dir = xasprintf("%s/%s/%s", p->baseline, kernel, name);
    char *change = NULL;
    if (cell_load(&before, &p->labs.at[lab], dir, p->slack, &err) == 0)
        change = cell_change(&before, now);
    else if (access(dir, F_OK) < 0)
        change = xstrdup("it is not in the baseline");
    else
        change = xasprintf("the baseline cannot be read: %s", err.message);
    error_clear(&err);
    cell_free(&before);
    return change;
}

static void compare(struct plan *p)
{
    for (size_t k = 0; k < p->columns.n; k++)
        note_kernel(&p->matrix.kernels.at[k], &p->columns.at[k]);
    for (size_t i = 0; i < p->labs.n; i++) {
        const struct cell *first = NULL;
        for (size_t k = 0; k < p->columns.n; k++) {
            const struct cell *cell = &p->columns.at[k].cells.at[i];
            struct matrix_cell *shown = &p->matrix.labs.at[i].cells[k];
            shown->verdict = cell->verdict;
            shown->reason = cell->reason ? xstrdup(cell->reason) : NULL;
            shown->difference = first ? cell_difference(first, cell) : NULL;
            shown->change = p->baseline ? change_of(p, i, k) : NULL;
            if (!first && cell_was_played(cell))
                first = cell;
        }
    }
}

/* ------------------------------------------------------------------- ending --- */

/* Only what can be compared with later is stored. */
static int bless_cell(const struct plan *p, size_t lab, size_t k, struct error *err)
{
    const struct cell *cell = &p->columns.at[k].cells.at[lab];
    const char *kernel = p->matrix.kernels.at[k].name, *name = p->matrix.labs.at[lab].name;
    if (!cell->record || cell->verdict == VERDICT_NOISY || cell->verdict == VERDICT_ERROR)
        return error_set(err, STATUS_NOTHING, "%s on %s is not blessed: it is %s", name, kernel,
                         verdict_name(cell->verdict));
    cleanup_free char *dir = xasprintf("%s/%s/%s", p->bless, kernel, name);
    struct strbuf transcript cleanup_strbuf = STRBUF_INIT;
    const struct cmd_lab *cl = &p->labs.at[lab];
    transcript_write(&transcript, cl->lab, cell->record, cl->pattern);
    return evidence_save(dir, cl->lab, cell->record, cell->result, strbuf_cstr(&transcript), err);
}

static int bless(const struct plan *p)
{
    int worst = 0;
    for (size_t i = 0; i < p->labs.n; i++)
        for (size_t k = 0; k < p->columns.n; k++) {
            struct error err = ERROR_INIT;
            if (bless_cell(p, i, k, &err) < 0)
                worst = cmd_fail(&err);
        }
    return worst;
}

static void print_matrix(const struct plan *p)
{
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    if (strcmp(p->format, "json") == 0) {
        json_t *o = matrix_json(&p->matrix);
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(o);
        return;
    }
    if (strcmp(p->format, "ktap") == 0) {
        matrix_ktap(&out, &p->matrix);
    } else {
        struct text_options text = cmd_text_options(stdout);
        matrix_text(&out, &p->matrix, &text);
    }
    fputs(strbuf_cstr(&out), stdout);
}

static int exit_status(const struct plan *p)
{
    size_t counts[VERDICT_COUNT] = {0};
    vec_each (&p->matrix.labs, lab)
        for (size_t k = 0; k < p->matrix.kernels.n; k++)
            counts[lab->cells[k].verdict]++;
    if (!p->baseline)
        return (int)cmd_verdicts_status(counts);
    if (matrix_count_changes(&p->matrix))
        return STATUS_FAILED;
    /* A failure that was blessed is as it should be. */
    counts[VERDICT_PASS] += counts[VERDICT_FAIL];
    counts[VERDICT_FAIL] = 0;
    return (int)cmd_verdicts_status(counts);
}

static int play_and_show(struct plan *p)
{
    struct error err = ERROR_INIT;
    if (p->baseline)
        p->matrix.baseline = xstrdup(p->baseline);
    if (matrix_play(p, &err) < 0)
        return cmd_fail(&err);
    compare(p);
    print_matrix(p);
    int blessed = p->bless ? bless(p) : 0, status = exit_status(p);
    return p->bless && status == STATUS_FAILED ? blessed : status ? status : blessed;
}

int cmd_matrix(int argc, char **argv)
{
    struct plan p = {.out = "out/matrix", .slack = JUDGE_DEFAULT_SLACK, .format = "text"};
    int status = parse_options(&p, argc, argv);
    if (status < 0) {
        int first = optind;
        status = choose_columns(&p);
        if (status == 0)
            status = choose_labs(&p, argv + first, (size_t)(argc - first));
        if (status == 0)
            status = play_and_show(&p);
    }
    plan_free(&p);
    return status;
}
