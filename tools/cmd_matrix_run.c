/* Playing the columns of a matrix, or the two sides of `tcplab compare --kernel`.
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
#include "kernel/image.h"

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

/* "vmlinuz-6.1.0" out of "/boot/vmlinuz-6.1.0": a name that can be a folder's. */
static char *column_name(const char *kernel)
{
    if (!kernel)
        return xstrdup("host");
    cleanup_free char *full = realpath(kernel, NULL);
    const char *path = full && (strchr(kernel, '/') || kernel[0] == '.') ? full : kernel;
    const char *slash = strrchr(path, '/');
    return xstrdup(slash && slash[1] ? slash + 1 : path);
}

static bool has_column(const struct plan *p, const char *name)
{
    vec_each (&p->matrix.kernels, other)
        if (strcmp(other->name, name) == 0)
            return true;
    return false;
}

int plan_add_column(struct plan *p, const char *kernel, bool again, struct error *err)
{
    struct kernel_image image = {0};
    if (kernel && kernel_find(&image, kernel, p->modules, err) < 0)
        return -1;
    kernel_image_free(&image);
    cleanup_free char *name = column_name(kernel);
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
        return error_set(err, STATUS_USAGE, "\"%s\" names no kernel", kernel);
    while (has_column(p, name)) {
        if (!again)
            return error_set(err, STATUS_USAGE, "two columns would be named \"%s\"", name);
        char *other = xasprintf("%s-again", name);
        free(name);
        name = other;
    }
    *vec_add(&p->columns) =
        (struct column){.kernel = kernel, .dir = xasprintf("%s/%s", p->out, name)};
    *vec_add(&p->matrix.kernels) = (struct matrix_kernel){.name = steal_pointer(&name)};
    return 0;
}

void plan_free(struct plan *p)
{
    vec_each (&p->columns, column) {
        vec_each (&column->cells, cell)
            cell_free(cell);
        vec_free(&column->cells);
        json_decref(column->reports);
        free(column->dir);
    }
    vec_free(&p->columns);
    vec_each (&p->labs, cl)
        cmd_free_lab(cl);
    vec_free(&p->labs);
    vec_each (&p->names, name)
        free(*name);
    vec_free(&p->names);
    vec_free(&p->kernels);
    matrix_free(&p->matrix);
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
