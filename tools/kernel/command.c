#include "kernel/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "base/memory.h"

#define OUTPUT_MAX ((size_t)16 << 20)

extern char **environ;

struct output {
    struct strbuf text;
    loop_id watch;
    struct loop *loop;
    int pipe[2];
};

struct running {
    const struct command *command;
    pid_t pid;
    int status;
    int signal; /* that interrupted us; 0: none */
    struct output out, messages;
};

static void on_output(void *ctx, int fd, uint32_t events)
{
    struct output *o = ctx;
    char chunk[16384];
    (void)events;
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0)
        loop_remove(o->loop, o->watch);
    else if (o->text.len < OUTPUT_MAX)
        strbuf_add(&o->text, chunk, (size_t)n);
}

static void on_end(void *ctx, pid_t pid, int status)
{
    struct running *r = ctx;
    (void)pid;
    r->pid = 0;
    r->status = status;
}

static void on_signal(void *ctx, int signo)
{
    struct running *r = ctx;
    r->signal = signo;
    if (r->pid > 0)
        kill(r->pid, SIGTERM);
}

static void on_progress(void *ctx, nsec due)
{
    const struct running *r = ctx;
    (void)due;
    r->command->progress(r->command->ctx);
}

/* The environment with messages in English. */
static char **environment(void)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **env = xcalloc(n + 2, sizeof(*env));
    static char english[] = "LC_ALL=C.UTF-8";
    size_t kept = 0;
    env[kept++] = english;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], "LC_ALL=", 7) != 0)
            env[kept++] = environ[i];
    return env;
}

static int spawn(struct running *r, struct error *err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, r->out.pipe[1], 1);
    posix_spawn_file_actions_adddup2(&files, r->messages.pipe[1], 2);
    if (r->command->folder)
        posix_spawn_file_actions_addchdir_np(&files, r->command->folder);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char **env = environment();
    const char *const *argv = r->command->argv;
    /* POSIX: the strings are not modified; the prototype is older than const. */
    char *const *spawn_argv;
    memcpy(&spawn_argv, &argv, sizeof(argv));
    int sys = posix_spawnp(&r->pid, argv[0], &files, &attr, spawn_argv, env);
    free(env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    if (sys != 0)
        return error_sys(err, STATUS_MACHINE, sys, "cannot run %s", argv[0]);
    return 0;
}

static int watch_output(struct loop *loop, struct output *o, struct error *err)
{
    o->loop = loop;
    if (pipe2(o->pipe, O_CLOEXEC) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a pipe");
    o->watch = loop_add_fd(loop, o->pipe[0], EPOLLIN, on_output, o, err);
    return o->watch ? 0 : -1;
}

static void close_pipe(int pipe[2], int end)
{
    if (pipe[end] >= 0)
        close(pipe[end]);
    pipe[end] = -1;
}

/* Starts it and waits; the signals are watched before, so that none is lost. */
static int run(struct running *r, struct loop *loop, struct error *err)
{
    if (watch_output(loop, &r->out, err) < 0 || watch_output(loop, &r->messages, err) < 0 ||
        !loop_add_signal(loop, SIGINT, on_signal, r, err) ||
        !loop_add_signal(loop, SIGTERM, on_signal, r, err) || spawn(r, err) < 0)
        return -1;
    close_pipe(r->out.pipe, 1);
    close_pipe(r->messages.pipe, 1);
    if (!loop_add_child(loop, r->pid, on_end, r, err))
        return -1;
    if (r->command->progress)
        loop_add_timer(loop, 0, 200 * NSEC_PER_MSEC, on_progress, r);
    while (r->pid > 0)
        if (loop_run_once(loop, NSEC_NEVER, err) < 0)
            return -1;
    /* What is still in the pipes: without waiting, as a grandchild may hold them open. */
    for (int n = 1; n > 0;)
        if ((n = loop_run_once(loop, 0, err)) < 0)
            return -1;
    return 0;
}

static const char *without(const char *line, const char *start)
{
    size_t n = strlen(start);
    return strncmp(line, start, n) == 0 ? line + n : line;
}

/* The line that says why it failed: apt's first "E: …", else the last one, without the
 * "dpkg-deb: error: " that some begin with. */
static char *cause(const struct strbuf *text, const char *name)
{
    const char *s = strbuf_cstr(text);
    const char *best = s;
    size_t best_len = 0;
    for (const char *line = s; *line;) {
        size_t len = strcspn(line, "\n");
        if (len > 3 && strncmp(line, "E: ", 3) == 0)
            return xstrndup(line + 3, len - 3);
        if (len > 0) {
            best = line;
            best_len = len;
        }
        line += len + (line[len] == '\n');
    }
    cleanup_free char *last = xstrndup(best, best_len);
    cleanup_free char *itself = xasprintf("%s: ", name);
    return xstrdup(without(without(last, itself), "error: "));
}

static int judge(const struct running *r, struct error *err)
{
    const char *name = r->command->argv[0];
    if (r->signal) {
        error_set(err, STATUS_MACHINE, "interrupted while %s was running", name);
        err->sys = EINTR;
        return -1;
    }
    if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0)
        return 0;
    cleanup_free char *line = cause(&r->messages.text, name);
    if (*line)
        return error_set(err, STATUS_MACHINE, "%s: %s", name, line);
    if (WIFSIGNALED(r->status))
        return error_set(err, STATUS_MACHINE, "%s was ended by signal %d", name,
                         WTERMSIG(r->status));
    return error_set(err, STATUS_MACHINE, "%s failed with status %d", name, WEXITSTATUS(r->status));
}

int command_run(const struct command *command, struct error *err)
{
    struct running r = {.command = command, .out.pipe = {-1, -1}, .messages.pipe = {-1, -1}};
    struct loop *loop = loop_new(err);
    if (!loop)
        return -1;
    int result = run(&r, loop, err);
    loop_free(loop);
    if (r.pid > 0) {
        kill(r.pid, SIGKILL);
        waitpid(r.pid, NULL, 0);
    }
    for (int end = 0; end < 2; end++) {
        close_pipe(r.out.pipe, end);
        close_pipe(r.messages.pipe, end);
    }
    if (result == 0)
        result = judge(&r, err);
    if (command->out)
        strbuf_add(command->out, strbuf_cstr(&r.out.text), r.out.text.len);
    strbuf_free(&r.out.text);
    strbuf_free(&r.messages.text);
    return result;
}
