/* Playing the columns of a matrix.
 *
 * Each is `tcplab run` itself, in a child: cmd_run() with --kernel, or without for this
 * machine, evidence to OUT/KERNEL/LAB.  Its report, as JSON, is read back only for what
 * left no evidence. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "cmd.h"
#include "cmd_matrix.h"

/* What `tcplab run` is called with; the strings stay the plan's. */
static char **arguments_of(const struct plan *p, const struct column *column, int *argc)
{
    VEC(char *) argv = {0};
    const char *fixed[] = {"run", "--format", "json", "--out", column->dir};
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        vec_push(&argv, xstrdup(fixed[i]));
    if (column->kernel)
        vec_push(&argv, xasprintf("--kernel=%s", column->kernel));
    else
        vec_push(&argv, xstrdup("--jobs"));
    if (column->kernel && p->modules)
        vec_push(&argv, xasprintf("--modules=%s", p->modules));
    if (p->play_long)
        vec_push(&argv, xstrdup("--long"));
    if (p->values.ip)
        vec_push(&argv, xasprintf("--ip=%u", p->values.ip));
    if (p->slack_text)
        vec_push(&argv, xasprintf("--slack=%s", p->slack_text));
    vec_push(&argv, xstrdup("--"));
    vec_each (&p->names, name)
        vec_push(&argv, xstrdup(*name));
    *argc = (int)argv.n;
    vec_push(&argv, NULL);
    return argv.at;
}

static _Noreturn void run_in_child(const struct plan *p, const struct column *column, int out)
{
    int argc;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (dup2(out, STDOUT_FILENO) < 0)
        _exit(STATUS_MACHINE);
    char **argv = arguments_of(p, column, &argc);
    int status = cmd_run(argc, argv);
    fflush(stdout);
    _exit(status);
}

/* Evidence of an earlier matrix must not be taken for this one's. */
static void forget_evidence(const struct plan *p, const struct column *column)
{
    vec_each (&p->labs, cl) {
        cleanup_free char *old = xasprintf("%s/%s/result.json", column->dir, cl->lab->name);
        unlink(old);
    }
}

/* One lab is an object, several are an array. */
static json_t *read_reports(int fd)
{
    json_t *o = lseek(fd, 0, SEEK_SET) == 0 ? json_loadfd(fd, 0, NULL) : NULL;
    if (!json_is_object(o))
        return o;
    json_t *array = json_array();
    json_array_append_new(array, o);
    return array;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
    (void)signo;
    interrupted = 1;
}

/* Plays one column; an error only when that was not possible at all. */
static int play_column(const struct plan *p, struct column *column, struct error *err)
{
    cleanup_fd int out = memfd_create("tcplab-matrix", MFD_CLOEXEC);
    if (out < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a file in memory");
    forget_evidence(p, column);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot start a process");
    if (pid == 0)
        run_in_child(p, column, out);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_sys(err, STATUS_MACHINE, errno, "cannot wait for a process");
        else if (interrupted)
            kill(pid, SIGTERM);
    if (interrupted)
        return error_set(err, STATUS_MACHINE, "interrupted");
    column->status = WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_MACHINE;
    column->reports = read_reports(out);
    return 0;
}

/* Why a lab left no evidence: what `run` said of it. */
static char *reported_reason(const struct column *column, const char *lab)
{
    size_t i;
    json_t *one;
    json_array_foreach(column->reports, i, one)
    {
        json_t *verdict = json_object_get(one, "verdict");
        const char *name = json_string_value(json_object_get(verdict, "lab"));
        const char *reason = json_string_value(json_object_get(verdict, "reason"));
        if (name && strcmp(name, lab) == 0 && reason)
            return xstrdup(reason);
    }
    return xasprintf("it was not played: `tcplab run` ended with status %d", column->status);
}

static void load_column(const struct plan *p, struct column *column)
{
    vec_each (&p->labs, cl) {
        struct error err = ERROR_INIT;
        cleanup_free char *dir = xasprintf("%s/%s", column->dir, cl->lab->name);
        struct cell *cell = vec_add(&column->cells);
        if (cell_load(cell, cl, dir, p->slack, &err) < 0)
            cell->reason = reported_reason(column, cl->lab->name);
        error_clear(&err);
    }
}

int matrix_play(struct plan *p, struct error *err)
{
    struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
    int ret = 0;
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGTERM, &action, &old_term);
    for (size_t k = 0; k < p->columns.n && ret == 0; k++) {
        ret = play_column(p, &p->columns.at[k], err);
        if (ret == 0)
            load_column(p, &p->columns.at[k]);
    }
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    return ret;
}
