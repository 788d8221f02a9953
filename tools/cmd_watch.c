/* tcplab watch: a run on the full screen. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/wait.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "cmd_shown.h"
#include "record/any_capture.h"
#include "watch/terminal.h"
#include "watch/watch.h"

static const char help[] =
    "usage: tcplab watch [OPTIONS] LAB|DIR|CAPTURE\n"
    "\n"
    "Shows a run on the full screen: the ladder, each segment's header field by field as\n"
    "the RFCs draw it, and what differs between two segments.\n"
    "\n"
    "  LAB      plays the lab as `tcplab run LAB` does, and then shows it\n"
    "  DIR      a run's evidence, such as out/handshake\n"
    "  CAPTURE  any capture file, pcap or pcapng\n"
    "\n"
    "  -o, --out DIR   a lab's evidence goes to DIR/LAB/ (default: out)\n"
    "      --ip 6      a lab with IPv6 addresses\n"
    "  -h, --help\n"
    "\n"
    "keys: arrows, PgUp, PgDn, Home, End move; enter shows a header; space on one segment\n"
    "and then on another compares them; / filters, by a text or a pcap filter; n and N go\n"
    "to what was sent again or lost, f to the first line that failed; ? tells more; q ends\n"
    "\n"
    "exit status: 0 it was shown, 2 wrong usage, a file that cannot be read, or no\n"
    "terminal, 3 this machine cannot run the lab\n";

struct options {
    const char *out;
    const char *ip;
    struct cmd_judging judging;
};

/* ------------------------------------------------------------------- playing --- */

static _Noreturn void play_in_child(const struct options *o, const char *lab)
{
    char *argv[] = {xstrdup("run"),
                    xasprintf("--out=%s", o->out),
                    o->ip ? xasprintf("--ip=%s", o->ip) : xstrdup("--view=ladder"),
                    xstrdup("--"),
                    xstrdup(lab),
                    NULL};
    int status = cmd_run(5, argv);
    fflush(stdout);
    _exit(status);
}

/* `tcplab run` itself, which draws the ladder while the lab is played, and reports.  What
 * interrupts it goes to all processes of the terminal; here it is waited for. */
static int play(const struct options *o, const char *lab)
{
    struct error err = ERROR_INIT;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    int status = 0;
    fflush(stdout);
    sigaction(SIGINT, &ignore, &old);
    pid_t pid = fork();
    if (pid == 0) {
        sigaction(SIGINT, &old, NULL);
        play_in_child(o, lab);
    }
    int failed = pid < 0 ? errno : 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) {
            failed = errno;
            break;
        }
    sigaction(SIGINT, &old, NULL);
    if (failed) {
        error_sys(&err, STATUS_MACHINE, failed, "cannot start a process");
        return cmd_fail(&err);
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_MACHINE;
    return code == STATUS_FAILED || code == STATUS_NOTHING ? 0 : code;
}

static int play_and_show(struct cmd_shown *s, const struct options *o, const char *name)
{
    struct cmd_lab cl;
    int status = cmd_load_lab(&cl, name, &o->judging.values, true);
    cleanup_free char *dir = status ? NULL : xasprintf("%s/%s", o->out, cl.lab->name);
    cmd_free_lab(&cl);
    if (status == 0)
        status = play(o, name);
    return status ? status : cmd_show_evidence(s, dir, &o->judging);
}

/* ----------------------------------------------------------------------- all --- */

static int watch(const struct options *o, const char *what)
{
    struct error err = ERROR_INIT;
    struct cmd_shown s = {0};
    bool found;
    if (terminal_check(&err) < 0)
        return cmd_fail(&err);
    int status = cmd_show_found(&s, what, &o->judging, ANY_CAPTURE_PACKETS, &found);
    if (status == 0 && !found)
        status = play_and_show(&s, o, what);
    if (status == 0) {
        struct text_options text = cmd_text_options(stdout);
        struct watch *w = watch_new(s.name, s.record, s.result);
        if (terminal_run(w, text.color, text.utf8, &err) < 0)
            status = cmd_fail(&err);
        watch_free(w);
    }
    cmd_free_shown(&s);
    return status;
}

int cmd_watch(int argc, char **argv)
{
    static const struct option longs[] = {{"out", required_argument, NULL, 'o'},
                                          {"ip", required_argument, NULL, 'I'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct options o = {.out = "out"};
    cmd_judging_init(&o.judging);
    int option, status = 0;
    optind = 1;
    opterr = 0;
    while (status == 0 && (option = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return STATUS_PASSED;
        case 'o':
            o.out = optarg;
            break;
        case 'I':
            o.ip = optarg;
            status = cmd_take_ip(&o.judging.values, "watch", optarg);
            break;
        default:
            status = cmd_option_error("watch", option, argv);
            break;
        }
    }
    if (status == 0 && optind != argc - 1)
        status =
            cmd_usage_error("watch", "exactly one lab, folder of evidence or capture is needed");
    if (status == 0)
        status = watch(&o, argv[optind]);
    cmd_judging_free(&o.judging);
    return status;
}
