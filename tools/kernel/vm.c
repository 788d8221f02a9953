/* Theory of operation.
 *
 * qemu counts instructions (-icount shift=1: two nanoseconds each) and that is the
 * guest's clock: when the guest idles, the clock jumps to its next timer (sleep=off).
 * With a fixed seed and a fixed time of day a guest therefore does the same again.
 *
 * The kernel's cryptography does not test itself at the boot (cryptomgr.notests), which
 * would be an eighth of the instructions until the first lab.
 *
 * The two serial ports end in pipes of ours.  Pipes, and large ones: qemu never waits
 * for a reader, and a byte that does not fit is tried again later, at a time that
 * depends on this machine.  ttyS0 is the console, of which the last lines are kept;
 * ttyS1 carries messages.  qemu's own complaints come through a third pipe.
 *
 * The guest is watched by what it says: every message moves the limit on, and the
 * guest sends one for each second of its own time. */
#include "kernel/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "base/program.h"

#define QEMU "qemu-system-x86_64"

/* The descriptors in qemu. */
enum { CONSOLE = 3, DATA = 4, INITRD = 5, VMLINUX = 6 };
/* In the order of their numbers, and behind them standard error. */
enum { N_PORTS = VMLINUX - CONSOLE + 1, N_FDS = N_PORTS + 1 };
/* A boot is work without a pause, and its first message comes at its end. */
enum { BOOT_SHARE = 4 };
enum { PIPE_BYTES = 1 << 20, KEPT_BYTES = 16 << 10, SHOWN_LINES = 40 };

static const char panic_line[] = "Kernel panic - not syncing: ";

/* A text of which the last lines are kept. */
struct tail {
    struct strbuf text;
    char *panic; /* what the first line that tells of a panic says */
};

struct port {
    struct vm *vm;
    int fd;
    loop_id watch;
    void (*take)(struct vm *vm, const char *data, size_t len);
};

struct vm {
    struct loop *loop;
    struct vm_events events;
    pid_t pid;
    loop_id child, limit;
    nsec silence, last_message;
    struct port console, data, complaints;
    struct tail console_tail, complaints_tail;
    struct message_reader reader;
    char *why; /* it was ended, once set */
    bool running, stopped;
};

/* ------------------------------------------------------------------ texts --- */

static void note_panic(struct tail *t, const char *line, size_t len)
{
    const char *found = memmem(line, len, panic_line, sizeof(panic_line) - 1);
    if (!found || t->panic)
        return;
    struct strbuf text = STRBUF_INIT;
    for (const char *p = found + sizeof(panic_line) - 1; p < line + len && *p != '\r'; p++)
        strbuf_putc(&text, *p >= ' ' && *p < 127 ? *p : '?');
    t->panic = strbuf_steal(&text);
}

/* A line is looked at when it is complete, and old lines go when there are many. */
static void tail_add(struct tail *t, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        strbuf_putc(&t->text, data[i]);
        if (data[i] != '\n')
            continue;
        const char *end = t->text.data + t->text.len - 1;
        const char *start = memrchr(t->text.data, '\n', (size_t)(end - t->text.data));
        start = start ? start + 1 : t->text.data;
        note_panic(t, start, (size_t)(end - start));
    }
    if (t->text.len > 2 * KEPT_BYTES) {
        size_t drop = t->text.len - KEPT_BYTES;
        memmove(t->text.data, t->text.data + drop, KEPT_BYTES);
        strbuf_truncate(&t->text, KEPT_BYTES);
    }
}

static void add_line(struct strbuf *out, const char *line, size_t len)
{
    for (const char *p = line; p < line + len; p++)
        if ((*p >= ' ' && *p < 127) || *p == '\t')
            strbuf_putc(out, *p == '\t' ? ' ' : *p);
    strbuf_putc(out, '\n');
}

static void add_last_lines(struct strbuf *out, const struct tail *t)
{
    const char *text = strbuf_cstr(&t->text), *end = text + t->text.len, *start = end;
    for (int lines = 0; start > text; start--)
        if (start[-1] == '\n' && start < end && ++lines == SHOWN_LINES)
            break;
    while (start < end) {
        const char *stop = memchr(start, '\n', (size_t)(end - start));
        stop = stop ? stop : end;
        if (stop > start && !(stop == start + 1 && *start == '\r'))
            add_line(out, start, (size_t)(stop - start));
        start = stop < end ? stop + 1 : end;
    }
}

char *vm_last_lines(const struct vm *vm)
{
    struct strbuf out = STRBUF_INIT;
    add_last_lines(&out, &vm->console_tail);
    add_last_lines(&out, &vm->complaints_tail);
    return strbuf_steal(&out);
}

/* ------------------------------------------------------------------ ports --- */

static void end(struct vm *vm, char *why)
{
    if (vm->why)
        free(why);
    else
        vm->why = why;
    if (vm->running)
        kill(vm->pid, SIGKILL);
}

void vm_stop(struct vm *vm)
{
    vm->stopped = true;
    end(vm, xstrdup("it was stopped"));
}

static void take_console(struct vm *vm, const char *data, size_t len)
{
    tail_add(&vm->console_tail, data, len);
}

static void take_complaints(struct vm *vm, const char *data, size_t len)
{
    tail_add(&vm->complaints_tail, data, len);
}

static void take_data(struct vm *vm, const char *data, size_t len)
{
    struct error err = ERROR_INIT;
    struct message message;
    int ret = 0;
    message_feed(&vm->reader, data, len);
    while (!vm->stopped && (ret = message_next(&vm->reader, &message, &err)) == 1) {
        vm->last_message = clock_ns(CLOCK_MONOTONIC);
        vm->events.message(vm->events.ctx, &message);
    }
    if (ret < 0) {
        vm->stopped = true;
        end(vm, xstrdup(err.message));
        error_clear(&err);
    }
}

/* Whether there may be more. */
static bool read_port(struct port *port)
{
    char chunk[65536];
    ssize_t n = read(port->fd, chunk, sizeof(chunk));
    if (n < 0)
        return errno == EINTR;
    if (n > 0)
        port->take(port->vm, chunk, (size_t)n);
    else
        loop_remove(port->vm->loop, port->watch);
    return n > 0;
}

static void on_port(void *ctx, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    read_port(ctx);
}

/* -------------------------------------------------------------------- end --- */

static void on_limit(void *ctx, nsec due)
{
    struct vm *vm = ctx;
    (void)due;
    nsec limit = vm->reader.number ? vm->silence : BOOT_SHARE * vm->silence;
    nsec left = vm->last_message + limit - clock_ns(CLOCK_MONOTONIC);
    if (left > 0) {
        vm->limit = loop_add_timer(vm->loop, left, 0, on_limit, vm);
        return;
    }
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_duration(&text, limit);
    end(vm, xasprintf("the guest hung: nothing came from it for %s", strbuf_cstr(&text)));
}

static char *how_it_ended(int status)
{
    if (WIFSIGNALED(status))
        return xasprintf("qemu was ended by signal %d", WTERMSIG(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return xasprintf("qemu ended with status %d", WEXITSTATUS(status));
    return xstrdup("the guest ended before its time");
}

/* Nobody else writes into the pipes, so reading comes to their end. */
static void on_child(void *ctx, pid_t pid, int status)
{
    struct vm *vm = ctx;
    (void)pid;
    vm->running = false;
    while (read_port(&vm->complaints))
        ;
    while (read_port(&vm->console))
        ;
    while (read_port(&vm->data))
        ;
    loop_remove(vm->loop, vm->limit);
    const char *panic = vm->stopped ? NULL : vm->console_tail.panic;
    if (panic) {
        free(vm->why);
        vm->why = xstrdup("kernel panic");
    }
    if (!vm->why)
        vm->why = how_it_ended(status);
    vm->events.ended(vm->events.ctx, vm->why, panic);
}

/* ------------------------------------------------------------------ start --- */

static char *find_qemu(struct error *err)
{
    char *file = program_find(QEMU, "/usr/bin:/bin");
    if (file)
        return file;
    error_set(err, STATUS_MACHINE, "a kernel is booted with qemu, and " QEMU " is not here");
    error_hint(err, "Debian has it: apt-get install --no-install-recommends qemu-system-x86");
    return NULL;
}

/* In the child: nothing here may allocate. */
static _Noreturn void become_qemu(char *const argv[], const int fds[N_FDS], pid_t parent)
{
    int high[N_PORTS];
    loop_reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    for (int i = 0; i < N_PORTS; i++)
        high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, VMLINUX + 1);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(fds[N_PORTS], STDERR_FILENO) < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(null, STDOUT_FILENO) < 0)
        _exit(127);
    for (int i = 0; i < N_PORTS; i++)
        if (fds[i] >= 0 && dup2(high[i], CONSOLE + i) < 0)
            _exit(127);
    close_range(VMLINUX + 1, ~0U, 0);
    execv(argv[0], argv);
    _exit(127);
}

static pid_t start_qemu(const char *qemu, const struct vm_options *o, const int fds[N_FDS])
{
    cleanup_free char *append = xasprintf(
        "console=ttyS0 quiet panic=-1 oops=panic cryptomgr.notests %s", o->append ? o->append : "");
    const char *words[] = {qemu,
                           "-nodefaults",
                           "-no-user-config",
                           "-display",
                           "none",
                           "-no-reboot",
                           "-machine",
                           "q35",
                           "-cpu",
                           "max",
                           "-m",
                           "512",
                           "-smp",
                           "1",
                           "-accel",
                           "tcg",
                           "-icount",
                           "shift=1,sleep=off",
                           "-rtc",
                           "base=2026-01-01,clock=vm",
                           "-seed",
                           "42",
                           "-serial",
                           "file:/proc/self/fd/3",
                           "-serial",
                           "file:/proc/self/fd/4",
                           "-kernel",
                           o->vmlinux >= 0 ? "/proc/self/fd/6" : o->kernel,
                           "-initrd",
                           "/proc/self/fd/5",
                           "-append",
                           append,
                           NULL};
    char *argv[ARRAY_SIZE(words)];
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        argv[i] = words[i] ? xstrdup(words[i]) : NULL;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become_qemu(argv, fds, parent);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        free(argv[i]);
    return pid;
}

static int watch_port(struct vm *vm, struct port *port, int fd,
                      void (*take)(struct vm *vm, const char *data, size_t len), struct error *err)
{
    *port = (struct port){.vm = vm, .fd = fd, .take = take};
    port->watch = loop_add_fd(vm->loop, fd, EPOLLIN, on_port, port, err);
    return port->watch ? 0 : -1;
}

static void close_all(int ends[3][2], int which)
{
    for (int i = 0; i < 3; i++)
        if (ends[i][which] >= 0)
            close(ends[i][which]);
}

static int make_pipes(int ends[3][2], struct error *err)
{
    for (int i = 0; i < 3; i++)
        ends[i][0] = ends[i][1] = -1;
    for (int i = 0; i < 3; i++) {
        if (pipe2(ends[i], O_CLOEXEC) < 0 || fcntl(ends[i][0], F_SETFL, O_NONBLOCK) < 0) {
            close_all(ends, 0);
            close_all(ends, 1);
            return error_sys(err, STATUS_MACHINE, errno, "cannot make a pipe");
        }
        /* Refused where a user has many pipes; the usual size does, too. */
        fcntl(ends[i][0], F_SETPIPE_SZ, PIPE_BYTES);
    }
    return 0;
}

struct vm *vm_start(struct loop *loop, const struct vm_options *options,
                    const struct vm_events *events, struct error *err)
{
    int ends[3][2];
    cleanup_free char *qemu = find_qemu(err);
    if (!qemu || make_pipes(ends, err) < 0)
        return NULL;
    const int fds[N_FDS] = {ends[0][1], ends[1][1], options->initrd, options->vmlinux, ends[2][1]};
    pid_t pid = start_qemu(qemu, options, fds);
    int cause = errno;
    close_all(ends, 1);
    if (pid < 0) {
        close_all(ends, 0);
        error_sys(err, STATUS_MACHINE, cause, "cannot start " QEMU);
        return NULL;
    }
    struct vm *vm = xcalloc(1, sizeof(*vm));
    *vm = (struct vm){.loop = loop,
                      .events = *events,
                      .pid = pid,
                      .silence = options->silence,
                      .last_message = clock_ns(CLOCK_MONOTONIC),
                      .running = true};
    int ret = watch_port(vm, &vm->console, ends[0][0], take_console, err);
    ret |= watch_port(vm, &vm->data, ends[1][0], take_data, err);
    ret |= watch_port(vm, &vm->complaints, ends[2][0], take_complaints, err);
    vm->limit = loop_add_timer(loop, vm->silence, 0, on_limit, vm);
    vm->child = loop_add_child(loop, pid, on_child, vm, err);
    if (ret == 0 && vm->child)
        return vm;
    vm_free(vm);
    return NULL;
}

static void free_port(struct port *port)
{
    loop_remove(port->vm->loop, port->watch);
    close(port->fd);
}

void vm_free(struct vm *vm)
{
    if (!vm)
        return;
    loop_remove(vm->loop, vm->limit);
    loop_remove(vm->loop, vm->child);
    if (vm->running) {
        kill(vm->pid, SIGKILL);
        while (waitpid(vm->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free_port(&vm->console);
    free_port(&vm->data);
    free_port(&vm->complaints);
    message_reader_free(&vm->reader);
    strbuf_free(&vm->console_tail.text);
    strbuf_free(&vm->complaints_tail.text);
    free(vm->console_tail.panic);
    free(vm->complaints_tail.panic);
    free(vm->why);
    free(vm);
}
