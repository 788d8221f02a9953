/* tcplab run: plays labs, each in processes of its own, and reports as they end.
 *
 * The director's process judges the run and saves the evidence; this process
 * reads the evidence back and judges it again, so what is reported is always what
 * the files in out/NAME/ say. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "base/number.h"
#include "cmd.h"
#include "cmd_lab.h"
#include "lab/find.h"
#include "report/evidence.h"
#include "report/wrap.h"
#include "run/job.h"

static const nsec PROGRESS_AFTER = NSEC_PER_SEC / 2;
static const nsec PROGRESS_EVERY = NSEC_PER_SEC / 4;

static const char help[] =
    "usage: tcplab run [OPTIONS] LAB…\n"
    "       tcplab run [OPTIONS] --all\n"
    "\n"
    "Plays each lab in network namespaces of its own, captures both ends, and judges\n"
    "what it saw against the lab's expected transcript.  LAB is a name (labs/NAME.md)\n"
    "or a file.\n"
    "\n"
    "  -a, --all            every lab there is\n"
    "  -j, --jobs[=N]       up to N labs at the same time (without N: four for each\n"
    "                       processor; without -j: one after another)\n"
    "  -o, --out DIR        evidence goes to DIR/LAB/ (default: out)\n"
    "  -s, --slack TIME     a machine whose timers come later than this is too noisy\n"
    "                       to judge (default: 100ms)\n"
    "  -q, --quiet          one line for each lab\n"
    "  -f, --format FORMAT  text, json, tap, ktap or junit\n"
    "      --vary NAME=N    the value of a lab's `vary NAME`\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 all passed (skips allowed), 1 a lab failed, 2 wrong usage or a\n"
    "file that does not parse, 3 this machine cannot run it, 4 nothing was judged\n"
    "(all skipped or noisy)\n";

enum entry_state { ENTRY_WAITING, ENTRY_RUNNING, ENTRY_REPORTED };

struct run;

struct entry {
    struct run *run;
    struct cmd_lab cl;
    char *out; /* DIR/LAB */
    int claim; /* of that folder; -1: none */
    struct job *job;
    enum entry_state state;
    char *awaited;
    nsec began, deadline; /* CLOCK_MONOTONIC */
};

struct run {
    bool all;
    size_t jobs;
    const char *out;
    struct cmd_judging judging;
    VEC(struct entry) entries;
    struct loop *loop;
    struct report *report;
    size_t running, reported;
    bool interrupted, aborted, drawn;
};

/* ---------------------------------------------------------------- options --- */

static int parse_jobs(const char *text, size_t *jobs)
{
    int64_t n;
    if (!parse_number(text, 1, 1000, &n))
        return cmd_usage_error("run", "\"%s\" is no number of jobs from 1 to 1000", text);
    *jobs = (size_t)n;
    return 0;
}

static size_t default_jobs(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 ? (size_t)processors * 4 : 4;
}

static int parse_option(struct run *run, int option, int argc, char **argv)
{
    switch (option) {
    case 'a':
        run->all = true;
        return 0;
    case 'j':
        if (!optarg && optind < argc && argv[optind][0] >= '0' && argv[optind][0] <= '9')
            optarg = argv[optind++];
        run->jobs = default_jobs();
        return optarg ? parse_jobs(optarg, &run->jobs) : 0;
    case 'o':
        run->out = optarg;
        return 0;
    default:
        return cmd_judging_option(&run->judging, "run", option, argv);
    }
}

static const struct option long_options[] = {
    {"all", no_argument, NULL, 'a'},       {"jobs", optional_argument, NULL, 'j'},
    {"out", required_argument, NULL, 'o'}, CMD_JUDGING_LONG,
    {"help", no_argument, NULL, 'h'},      {0},
};

/* -1 to go on, else the status to exit with. */
static int parse_options(struct run *run, int argc, char **argv)
{
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":aj::o:h" CMD_JUDGING_SHORT, long_options, NULL)) !=
           -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        int status = parse_option(run, option, argc, argv);
        if (status)
            return status;
    }
    if (run->all && optind < argc)
        return cmd_usage_error("run", "--all already means every lab");
    if (!run->all && optind == argc)
        return cmd_usage_error("run", "which lab?  `tcplab list` shows them");
    return -1;
}

/* ------------------------------------------------------------------- labs --- */

static int add_entry(struct run *run, const char *name)
{
    struct cmd_lab cl;
    int status = cmd_load_lab(&cl, name, &run->judging.values, true);
    if (status) {
        cmd_free_lab(&cl);
        return status;
    }
    vec_each (&run->entries, other) {
        if (strcmp(other->cl.lab->name, cl.lab->name) == 0) {
            bool same = strcmp(other->cl.lab->source.path, cl.lab->source.path) == 0;
            status = same ? 0
                          : cmd_usage_error("run", "%s and %s are both named %s",
                                            other->cl.lab->source.path, cl.lab->source.path,
                                            cl.lab->name);
            cmd_free_lab(&cl);
            return status;
        }
    }
    struct entry *e = vec_add(&run->entries);
    e->run = run;
    e->cl = cl;
    e->claim = -1;
    e->out = xasprintf("%s/%s", run->out, cl.lab->name);
    return 0;
}

/* Everything is read before anything runs, and every mistake is shown. */
static int load_labs(struct run *run, char **names, size_t n)
{
    int worst = 0;
    for (size_t i = 0; i < n; i++) {
        int status = add_entry(run, names[i]);
        if (status)
            worst = status;
    }
    return worst;
}

static int load_all(struct run *run)
{
    struct error err = ERROR_INIT;
    struct lab_names names = {0};
    if (lab_list(&names, &err) < 0)
        return cmd_fail(&err);
    int status = load_labs(run, names.list.at, names.list.n);
    lab_names_free(&names);
    return status;
}

/* --------------------------------------------------------------- progress --- */

static void erase_progress(struct run *run)
{
    if (run->drawn)
        fputs("\r\033[K", stderr);
    run->drawn = false;
}

/* Puts what is awaited and how long yet into one row; when it is too narrow for both,
 * the former is cut, since the latter moves. */
static void put_progress(struct strbuf *row, const char *awaited, const char *how_long,
                         const struct text_options *text)
{
    const char *dots = text->utf8 ? "…" : "...";
    int room = text->width - 1 - glyphs_width(how_long, strlen(how_long), text->utf8);
    size_t len = strlen(awaited), keep = 0;
    struct glyph g;
    if (glyphs_width(awaited, len, text->utf8) <= room) {
        glyphs_put(row, awaited, len, text->utf8);
    } else if (room > 3) {
        int width = text->utf8 ? 1 : 3;
        for (; keep < len; keep += g.bytes, width += g.width) {
            glyph_at(&g, awaited + keep, len - keep, text->utf8);
            if (width + g.width > room)
                break;
        }
        glyphs_put(row, awaited, keep, text->utf8);
        strbuf_puts(row, dots);
    }
    if (room >= 0)
        strbuf_puts(row, how_long);
}

static void draw_progress(void *ctx, nsec due)
{
    struct run *run = ctx;
    struct entry *shown = NULL;
    nsec now = clock_ns(CLOCK_MONOTONIC);
    (void)due;
    vec_each (&run->entries, e)
        if (e->state == ENTRY_RUNNING && e->awaited && now - e->began > PROGRESS_AFTER &&
            (!shown || e->deadline > shown->deadline))
            shown = e;
    erase_progress(run);
    if (!shown)
        return;
    nsec left = shown->deadline > now ? shown->deadline - now : 0;
    struct text_options text = cmd_text_options(stderr);
    struct strbuf row cleanup_strbuf = STRBUF_INIT;
    cleanup_free char *awaited = xasprintf("%s: %s", shown->cl.lab->name, shown->awaited);
    int seconds = (int)(left / NSEC_PER_SEC);
    struct strbuf how_long cleanup_strbuf = STRBUF_INIT;
    strbuf_printf(&how_long, ", at most %d s more", seconds);
    if (run->running > 1 && text.width > 60)
        strbuf_printf(&how_long, "; %zu labs running", run->running);
    put_progress(&row, awaited, strbuf_cstr(&how_long), &text);
    fputs(strbuf_cstr(&row), stderr);
    run->drawn = true;
}

static void on_progress(void *ctx, const char *awaited, nsec left)
{
    struct entry *e = ctx;
    free(e->awaited);
    e->awaited = xstrdup(awaited);
    e->deadline = clock_ns(CLOCK_MONOTONIC) + left;
}

/* ------------------------------------------------------------------- jobs --- */

/* In the director's process. */
static int judge_and_save(void *ctx, const struct lab *lab, struct record *record,
                          struct strbuf *reply, struct error *err)
{
    const struct entry *e = ctx;
    (void)reply;
    struct result *result = judge(lab, e->cl.pattern, record, e->run->judging.slack);
    result->wall = clock_ns(CLOCK_MONOTONIC) - e->began;
    struct strbuf transcript cleanup_strbuf = STRBUF_INIT;
    transcript_write(&transcript, lab, record, e->cl.pattern);
    int ret = evidence_save(e->out, record, result, strbuf_cstr(&transcript), err);
    result_free(result);
    return ret;
}

static void report_result(struct entry *e, struct result *result)
{
    struct run *run = e->run;
    result->wall = clock_ns(CLOCK_MONOTONIC) - e->began;
    erase_progress(run);
    /* Of many labs, those that passed need no more than their line. */
    run->report->text.quiet =
        run->judging.quiet || (run->entries.n > 1 && result->verdict == VERDICT_PASS);
    report_one(run->report, result);
    fflush(stdout);
    if (e->claim >= 0)
        close(e->claim);
    e->claim = -1;
    e->state = ENTRY_REPORTED;
    run->reported++;
    run->running--;
}

static void report_error(struct entry *e, struct error *err)
{
    struct result *result = result_new(e->cl.lab->name);
    result->verdict = VERDICT_ERROR;
    result->title = xstrdup(e->cl.lab->title ? e->cl.lab->title : e->cl.lab->name);
    result->reason = xstrdup(err->message);
    erase_progress(e->run);
    cmd_fail(err);
    report_result(e, result);
    result_free(result);
}

static void on_finished(void *ctx, const char *reply, size_t len, struct error *err)
{
    struct entry *e = ctx;
    struct error local = ERROR_INIT;
    (void)reply;
    (void)len;
    if (err) {
        report_error(e, err);
        return;
    }
    struct record *record = cmd_load_record(e->cl.lab, e->out, &local);
    if (!record) {
        report_error(e, &local);
        return;
    }
    struct result *result = judge(e->cl.lab, e->cl.pattern, record, e->run->judging.slack);
    report_result(e, result);
    result_free(result);
    record_free(record);
}

static void start(struct entry *e)
{
    struct error err = ERROR_INIT;
    struct job_events events = {.progress = on_progress, .finished = on_finished, .ctx = e};
    e->state = ENTRY_RUNNING;
    e->run->running++;
    e->began = clock_ns(CLOCK_MONOTONIC);
    e->claim = evidence_claim(e->out, &err);
    if (e->claim >= 0)
        e->job = job_start(e->run->loop, e->cl.lab, judge_and_save, e, &events, &err);
    if (!e->job)
        report_error(e, &err);
}

static void start_more(struct run *run)
{
    vec_each (&run->entries, e)
        if (e->state == ENTRY_WAITING && run->running < run->jobs && !run->interrupted)
            start(e);
}

static void on_signal(void *ctx, int signo)
{
    struct run *run = ctx;
    (void)signo;
    run->aborted = run->interrupted;
    run->interrupted = true;
    vec_each (&run->entries, e)
        if (e->job)
            job_interrupt(e->job);
}

static bool is_over(const struct run *run)
{
    return run->aborted ||
           (run->running == 0 && (run->interrupted || run->reported == run->entries.n));
}

static int run_labs(struct run *run, struct error *err)
{
    run->loop = loop_new(err);
    if (!run->loop || !loop_add_signal(run->loop, SIGINT, on_signal, run, err) ||
        !loop_add_signal(run->loop, SIGTERM, on_signal, run, err))
        return -1;
    struct text_options text = cmd_text_options(stdout);
    text.quiet = run->judging.quiet;
    run->report = report_new(run->judging.format, stdout, &text, run->entries.n);
    if (isatty(STDERR_FILENO))
        loop_add_timer(run->loop, PROGRESS_AFTER, PROGRESS_EVERY, draw_progress, run);
    for (start_more(run); !is_over(run); start_more(run))
        if (loop_run_once(run->loop, NSEC_NEVER, err) < 0)
            return -1;
    erase_progress(run);
    size_t left = run->entries.n - run->reported;
    return left ? error_set(err, STATUS_FAILED, "interrupted: %zu of %zu labs were not judged",
                            left, run->entries.n)
                : 0;
}

/* The exit status. */
static int run_and_report(struct run *run)
{
    struct error err = ERROR_INIT;
    size_t counts[VERDICT_COUNT] = {0};
    int ret = run_labs(run, &err);
    if (run->report) {
        memcpy(counts, run->report->counts, sizeof(counts));
        if (report_end(run->report, &err) < 0)
            ret = -1;
    }
    return ret < 0 ? cmd_fail(&err) : (int)cmd_verdicts_status(counts);
}

static void free_run(struct run *run)
{
    vec_each (&run->entries, e) {
        job_free(e->job);
        if (e->claim >= 0)
            close(e->claim);
        cmd_free_lab(&e->cl);
        free(e->out);
        free(e->awaited);
    }
    vec_free(&run->entries);
    cmd_judging_free(&run->judging);
    if (run->loop)
        loop_free(run->loop);
}

int cmd_run(int argc, char **argv)
{
    struct run run = {.jobs = 1, .out = "out"};
    cmd_judging_init(&run.judging);
    int status = parse_options(&run, argc, argv);
    if (status < 0) {
        status = run.all ? load_all(&run) : load_labs(&run, argv + optind, (size_t)(argc - optind));
        if (status == 0)
            status = run_and_report(&run);
    }
    free_run(&run);
    return status;
}
