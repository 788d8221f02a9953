/* tcplab run: plays labs and reports as they end.  Options, labs and the whole; see
 * cmd_run.h for the other parts. */

#include "cmd_run.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "base/number.h"
#include "cmd.h"
#include "kernel/boot.h"
#include "lab/find.h"

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
    "  -j, --jobs[=N]       up to N labs at the same time, the longest first (without N:\n"
    "                       four for each processor; without -j: one after another)\n"
    "  -o, --out DIR        evidence goes to DIR/LAB/ (default: out)\n"
    "      --no-page        without the page, DIR/LAB/report.html\n"
    "  -s, --slack TIME     a machine whose timers come later than this is too noisy\n"
    "                       to judge (default: 100ms)\n"
    "  -q, --quiet          one line for each lab\n"
    "  -f, --format FORMAT  text, json, tap, ktap or junit\n"
    "      --view VIEW      the text's: ladder (the default), or lines, as tcpdump has them\n"
    "      --long           play labs that take many minutes on the real clock, too\n"
    "      --vary NAME=N    the value of a lab's `vary NAME`\n"
    "      --ip 6           with IPv6 addresses in place of the lab's IPv4 addresses\n"
    "  -k, --kernel WHAT    play them inside this kernel, under qemu and on a virtual\n"
    "                       clock: an image, a build tree, or the beginning of a\n"
    "                       version that `tcplab kernel list` shows; one boot for all\n"
    "      --modules DIR    its modules, for an image that stands alone\n"
    "      --hang-after TIME\n"
    "                       a guest that says nothing for so long has hung\n"
    "                       (default: 60s; four times as long while it boots)\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 all passed (skips allowed), 1 a lab failed, 2 wrong usage or a\n"
    "file that does not parse, 3 it was interrupted, or this machine cannot run it,\n"
    "4 nothing was judged (all skipped or noisy)\n";

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
    case 'L':
        run->play_long = true;
        return 0;
    case 'P':
        run->no_page = true;
        return 0;
    case 'k':
        run->kernel = optarg;
        return 0;
    case 'M':
        run->modules = optarg;
        return 0;
    case 'H':
        return parse_duration(optarg, strlen(optarg), &run->silence) == strlen(optarg) &&
                       run->silence > 0
                   ? 0
                   : cmd_usage_error("run", "\"%s\" is no time such as 60s", optarg);
    default:
        return cmd_judging_option(&run->judging, "run", option, argv);
    }
}

static const struct option long_options[] = {
    {"all", no_argument, NULL, 'a'},
    {"jobs", optional_argument, NULL, 'j'},
    {"out", required_argument, NULL, 'o'},
    {"long", no_argument, NULL, 'L'},
    {"no-page", no_argument, NULL, 'P'},
    {"kernel", required_argument, NULL, 'k'},
    {"modules", required_argument, NULL, 'M'},
    {"hang-after", required_argument, NULL, 'H'},
    CMD_JUDGING_LONG,
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* -1 to go on, else the status to exit with. */
static int parse_options(struct run *run, int argc, char **argv)
{
    int option;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":aj::o:k:h" CMD_JUDGING_SHORT, long_options, NULL)) !=
           -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        int status = parse_option(run, option, argc, argv);
        if (status)
            return status;
    }
    if (run->modules && !run->kernel)
        return cmd_usage_error("run", "--modules goes with --kernel");
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
    e->length = cmd_lab_length(&cl);
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

/* ------------------------------------------------------------------- run --- */

static void on_signal(void *ctx, int signo)
{
    struct run *run = ctx;
    (void)signo;
    run->aborted = run->interrupted;
    run->interrupted = true;
    vec_each (&run->entries, e)
        if (e->job)
            job_interrupt(e->job);
    if (run->boot)
        boot_interrupt(run->boot);
}

/* Ctrl-Z: nothing of what is drawn stays before the shell's prompt, and when we go on nothing
 * of the shell's is erased.  The scene goes on meanwhile. */
static void on_stop(void *ctx, int signo)
{
    sigset_t set;
    run_erase_progress(ctx);
    sigemptyset(&set);
    sigaddset(&set, signo);
    raise(signo);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* here it stops */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int run_labs(struct run *run, struct error *err)
{
    run->loop = loop_new(err);
    if (!run->loop || !loop_add_signal(run->loop, SIGINT, on_signal, run, err) ||
        !loop_add_signal(run->loop, SIGTERM, on_signal, run, err))
        return -1;
    struct text_options text = cmd_text_options(stdout);
    text.quiet = run->judging.quiet;
    text.view = run->judging.view;
    run->report = report_new(run->judging.format, stdout, &text, run->entries.n);
    if (isatty(STDERR_FILENO)) {
        loop_add_timer(run->loop, PROGRESS_EVERY, PROGRESS_EVERY, run_draw_progress, run);
        if (!loop_add_signal(run->loop, SIGTSTP, on_stop, run, err))
            return -1;
    }
    int ret = run->kernel ? run_play_in_kernel(run, err) : run_play_here(run, err);
    run_erase_progress(run);
    size_t left = run->entries.n - run->reported;
    if (ret == 0 && left)
        ret = error_set(err, STATUS_MACHINE, "interrupted: %zu of %zu labs were not judged", left,
                        run->entries.n);
    return ret;
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
    int status = ret < 0 ? cmd_fail(&err) : (int)cmd_verdicts_status(counts);
    return counts[VERDICT_FAIL] ? STATUS_FAILED : status;
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
        free(e->ladder);
        free(e->next);
    }
    vec_free(&run->entries);
    cmd_judging_free(&run->judging);
    boot_free(run->boot);
    free(run->progress);
    if (run->loop)
        loop_free(run->loop);
}

int cmd_run(int argc, char **argv)
{
    struct run run = {.jobs = 1, .out = "out", .silence = 60 * NSEC_PER_SEC};
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
