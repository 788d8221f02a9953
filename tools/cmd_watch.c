/* tcplab watch: a run on the full screen. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "lab/find.h"
#include "record/any_capture.h"
#include "record/load.h"
#include "record/stated.h"
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
    struct cmd_values values;
};

/* What is shown. */
struct shown {
    struct record *record;
    struct cmd_lab cl;
    struct result *result; /* NULL: not judged */
    char *name;
};

static void free_shown(struct shown *s)
{
    if (s->result)
        result_free(s->result);
    if (s->record)
        record_free(s->record);
    cmd_free_lab(&s->cl);
    free(s->name);
}

/* ------------------------------------------------------------------- reading --- */

/* Only a plain name: it stands in a file that anybody may have written. */
static bool is_lab(const char *name)
{
    struct error err = ERROR_INIT;
    cleanup_free char *path = NULL, *expected = NULL;
    if (!name || !*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return false;
    bool found =
        lab_find(name, &path, &expected, &err) == 0 && expected && access(expected, R_OK) == 0;
    error_clear(&err);
    return found;
}

/* Judges evidence of a lab that is here; what stands in its way is a remark. */
static int judge_shown(struct shown *s, const struct options *o, const char *dir)
{
    struct error err = ERROR_INIT;
    if (!is_lab(s->record->lab) || s->record->skipped)
        return 0;
    int status = cmd_load_lab_for(&s->cl, s->record->lab, &o->values, dir, true);
    if (status)
        return status;
    if (stated_check(s->record, s->cl.lab, &err) < 0) {
        vec_push(&s->record->remarks,
                 xasprintf("not judged, as it is not a run of the lab %s that is here: %s",
                           s->record->lab, err.message));
        error_clear(&err);
        return 0;
    }
    s->result = judge(s->cl.lab, s->cl.pattern, s->record, JUDGE_DEFAULT_SLACK);
    return 0;
}

static int show_evidence(struct shown *s, const struct options *o, const char *dir)
{
    struct error err = ERROR_INIT;
    s->record = record_load(dir, &err);
    if (!s->record)
        return cmd_fail(&err);
    s->name = xstrdup(s->record->lab ? s->record->lab : dir);
    if (s->record->skipped) {
        error_set(&err, STATUS_NOTHING, "%s was not played: %s", s->name, s->record->skipped);
        return cmd_fail(&err);
    }
    return judge_shown(s, o, dir);
}

static int show_capture(struct shown *s, const char *path)
{
    struct error err = ERROR_INIT;
    s->record = record_from_any_capture(path, &err);
    const char *slash = strrchr(path, '/');
    s->name = xstrdup(slash ? slash + 1 : path);
    return s->record ? 0 : cmd_fail(&err);
}

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

static int play_and_show(struct shown *s, const struct options *o, const char *name)
{
    struct cmd_lab cl;
    int status = cmd_load_lab(&cl, name, &o->values, true);
    cleanup_free char *dir = status ? NULL : xasprintf("%s/%s", o->out, cl.lab->name);
    cmd_free_lab(&cl);
    if (status == 0)
        status = play(o, name);
    return status ? status : show_evidence(s, o, dir);
}

/* ----------------------------------------------------------------------- all --- */

static bool is_evidence(const char *path)
{
    struct stat st;
    cleanup_free char *result = xasprintf("%s/result.json", path);
    return stat(result, &st) == 0;
}

/* A capture beside a result.json is a part of evidence, which says more than it alone. */
static char *evidence_around(const char *path)
{
    static const char name[] = "capture.pcapng";
    size_t n = strlen(path), m = strlen(name);
    if (n < m || strcmp(path + n - m, name) != 0 || (n > m && path[n - m - 1] != '/'))
        return NULL;
    char *dir = n > m ? xstrndup(path, n - m - 1) : xstrdup(".");
    if (is_evidence(dir))
        return dir;
    free(dir);
    return NULL;
}

static int load_shown(struct shown *s, const struct options *o, const char *what)
{
    struct stat st;
    size_t n = strlen(what);
    bool exists = stat(what, &st) == 0;
    bool is_source = n > 3 && strcmp(what + n - 3, ".md") == 0;
    cleanup_free char *around = evidence_around(what);
    if (around)
        return show_evidence(s, o, around);
    if (exists && S_ISDIR(st.st_mode) && (is_evidence(what) || !is_lab(what)))
        return show_evidence(s, o, what);
    if (exists && !S_ISDIR(st.st_mode) && !is_source)
        return show_capture(s, what);
    return play_and_show(s, o, what);
}

static int watch(const struct options *o, const char *what)
{
    struct error err = ERROR_INIT;
    struct shown s = {0};
    if (terminal_check(&err) < 0)
        return cmd_fail(&err);
    int status = load_shown(&s, o, what);
    if (status == 0) {
        struct text_options text = cmd_text_options(stdout);
        struct watch *w = watch_new(s.name, s.record, s.result);
        if (terminal_run(w, text.color, text.utf8, &err) < 0)
            status = cmd_fail(&err);
        watch_free(w);
    }
    free_shown(&s);
    return status;
}

int cmd_watch(int argc, char **argv)
{
    static const struct option longs[] = {{"out", required_argument, NULL, 'o'},
                                          {"ip", required_argument, NULL, 'I'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct options o = {.out = "out"};
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
            status = cmd_take_ip(&o.values, "watch", optarg);
            break;
        default:
            status = cmd_option_error("watch", option, argv);
            break;
        }
    }
    if (status == 0 && optind != argc - 1)
        status =
            cmd_usage_error("watch", "exactly one lab, folder of evidence or capture is needed");
    return status ? status : watch(&o, argv[optind]);
}
