#include "kernel/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/diag.h"
#include "base/loop.h"
#include "kernel/message.h"
#include "kernel/modules.h"
#include "record/save.h"

#define LINE "/dev/ttyS1"
#define OUT "/out"

enum { MAX_PRINTED = 8 << 10 };

static const nsec BEAT = NSEC_PER_SEC;
/* How long a lab may take beyond its limit, and then to die. */
static const nsec GRACE = 60 * NSEC_PER_SEC;
static const nsec DYING = 10 * NSEC_PER_SEC;

/* ------------------------------------------------------------------- line --- */

static void write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR)
            return; /* the caller outside sees that a message is missing */
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
}

static void say(struct guest *guest, enum message_type type, const void *data, size_t len)
{
    struct strbuf message cleanup_strbuf = STRBUF_INIT;
    message_write(&message, guest->sent++, type, data, len);
    write_all(guest->line, message.data, message.len);
}

static int open_line(struct guest *guest, struct error *err)
{
    struct termios t;
    guest->line = open(LINE, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (guest->line < 0 || tcgetattr(guest->line, &t) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot open " LINE);
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL;
    t.c_cflag &= ~(tcflag_t)CRTSCTS;
    cfsetspeed(&t, B115200);
    if (tcsetattr(guest->line, TCSANOW, &t) < 0 || fcntl(guest->line, F_SETFL, 0) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot set up " LINE);
    return 0;
}

/* ----------------------------------------------------------------- set-up --- */

static int mount_all(struct error *err)
{
    static const struct {
        const char *type, *at;
    } mounts[] = {{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}};
    for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
        if (mount(mounts[i].type, mounts[i].at, mounts[i].type, 0, NULL) < 0)
            return error_sys(err, STATUS_MACHINE, errno, "cannot mount %s", mounts[i].type);
    return 0;
}

static int is_module(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Their names begin with a number that tells the order.  A module that is there already
 * (built in after all) is no fault. */
static int load_modules(struct error *err)
{
    struct dirent **names;
    int n = scandir("/" MODULES_FOLDER, &names, is_module, alphasort), ret = 0;
    for (int i = 0; i < n; i++) {
        cleanup_free char *path = xasprintf("/" MODULES_FOLDER "/%s", names[i]->d_name);
        cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (ret == 0 && (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) && errno != EEXIST) {
            ret = error_sys(err, STATUS_MACHINE, errno, "this kernel does not take the module %s",
                            names[i]->d_name);
            error_hint(err, "are these the modules of this very kernel?  --modules DIR names "
                            "others");
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return ret;
}

static int read_job(struct guest *guest, struct error *err)
{
    struct source src;
    if (source_read(&src, "/" KERNEL_JOB_PATH, err) < 0)
        return -1;
    int ret = kernel_job_read(&guest->job, src.text, src.len, err);
    source_free(&src);
    return ret;
}

int guest_set_up(struct guest *guest, struct error *err)
{
    *guest = (struct guest){.line = -1};
    setenv("PATH", "/bin", 1);
    setenv("TCPLAB_ROOT", "/", 1);
    setenv("TCPLAB_CLOCK", "virtual", 1);
    if (mount_all(err) < 0 || open_line(guest, err) < 0 || load_modules(err) < 0)
        return -1;
    return read_job(guest, err);
}

void guest_say_cannot(struct guest *guest, const struct error *why)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&text, why->message);
    if (guest->line < 0) {
        strbuf_putc(&text, '\n');
        write_all(STDERR_FILENO, text.data, text.len);
        return;
    }
    if (why->hint) {
        strbuf_putc(&text, '\0');
        strbuf_puts(&text, why->hint);
    }
    say(guest, MESSAGE_CANNOT, text.data, text.len < 4096 ? text.len : 4096);
}

/* ------------------------------------------------------------------- labs --- */

/* One lab while it is played. */
struct play {
    struct guest *guest;
    const struct kernel_job_lab *lab;
    struct loop *loop;
    pid_t pid;
    bool over, killed;
    int status;
    nsec deadline;
    struct strbuf printed;
    loop_id printed_watch;
};

static void on_over(void *ctx, pid_t pid, int status)
{
    struct play *p = ctx;
    (void)pid;
    p->over = true;
    p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void on_printed(void *ctx, int fd, uint32_t events)
{
    struct play *p = ctx;
    char chunk[4096];
    (void)events;
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n > 0 && p->printed.len < MAX_PRINTED)
        strbuf_add(&p->printed, chunk, (size_t)n);
    if (n == 0)
        loop_remove(p->loop, p->printed_watch);
}

/* A guest that is stuck says so once and then says no more. */
static void on_beat(void *ctx, nsec due)
{
    struct play *p = ctx;
    nsec now = clock_ns(CLOCK_MONOTONIC);
    (void)due;
    if (now < p->deadline) {
        say(p->guest, MESSAGE_BEAT, NULL, 0);
    } else if (!p->killed) {
        kill(p->pid, SIGKILL);
        p->killed = true;
        p->deadline = now + DYING;
    } else {
        say(p->guest, MESSAGE_STUCK, NULL, 0);
        p->deadline = NSEC_NEVER;
    }
}

static int spawn_run(struct play *p, int errors, struct error *err)
{
    VEC(char *) words = {0};
    cleanup_free char *path = xasprintf("/labs/%s.md", p->lab->name);
    static const char *const fixed[] = {"tcplab", "run", "--quiet", "--no-page", "--out", OUT};
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        vec_push(&words, xstrdup(fixed[i]));
    vec_each (&p->guest->job.options, option)
        vec_push(&words, xstrdup(*option));
    vec_push(&words, xstrdup(path));
    vec_push(&words, NULL);

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    int cause = posix_spawn(&p->pid, "/proc/self/exe", &files, NULL, words.at, environ);
    posix_spawn_file_actions_destroy(&files);
    vec_each (&words, word)
        free(*word);
    vec_free(&words);
    return cause ? error_sys(err, STATUS_MACHINE, cause, "cannot start tcplab run") : 0;
}

static int run_lab(struct play *p, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a pipe");
    int ret = spawn_run(p, ends[1], err);
    close(ends[1]);
    p->printed_watch = ret < 0 ? 0 : loop_add_fd(p->loop, ends[0], EPOLLIN, on_printed, p, err);
    if (!p->printed_watch || !loop_add_child(p->loop, p->pid, on_over, p, err))
        ret = -1;
    p->deadline = clock_ns(CLOCK_MONOTONIC) + p->lab->limit + GRACE;
    loop_add_timer(p->loop, BEAT, BEAT, on_beat, p);
    while (ret == 0 && !p->over)
        if (loop_run_once(p->loop, NSEC_NEVER, err) < 0)
            ret = -1;
    if (ret == 0)
        on_printed(p, ends[0], 0);
    loop_remove(p->loop, p->printed_watch);
    close(ends[0]);
    return ret;
}

/* A file that is not there is not sent: the caller judges by what came. */
static void send_file(struct guest *guest, const char *dir, const char *name)
{
    char chunk[MESSAGE_MAX_PAYLOAD];
    cleanup_free char *path = xasprintf("%s/%s", dir, name);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    say(guest, MESSAGE_FILE, name, strlen(name));
    for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0;)
        say(guest, MESSAGE_DATA, chunk, (size_t)n);
    unlink(path);
}

static void send_evidence(struct play *p)
{
    static const char *const names[] = {EVIDENCE_CAPTURE, EVIDENCE_EVENTS, EVIDENCE_TRANSCRIPT,
                                        EVIDENCE_RESULT};
    struct strbuf end cleanup_strbuf = STRBUF_INIT;
    cleanup_free char *dir = xasprintf(OUT "/%s", p->lab->name);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        send_file(p->guest, dir, names[i]);
    message_put_u32(&end, (uint32_t)p->status);
    strbuf_add(&end, strbuf_cstr(&p->printed), p->printed.len);
    say(p->guest, MESSAGE_END, end.data, end.len);
}

static int play_lab(struct guest *guest, const struct kernel_job_lab *lab, struct error *err)
{
    struct play p = {.guest = guest, .lab = lab};
    struct strbuf number cleanup_strbuf = STRBUF_INIT;
    message_put_u32(&number, lab->number);
    say(guest, MESSAGE_BEGIN, number.data, number.len);
    p.loop = loop_new(err);
    if (!p.loop)
        return -1;
    int ret = run_lab(&p, err);
    loop_free(p.loop);
    if (ret == 0)
        send_evidence(&p);
    strbuf_free(&p.printed);
    /* As the first process of the machine it inherits what others leave behind. */
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return ret;
}

int guest_play(struct guest *guest, struct error *err)
{
    struct utsname name;
    uname(&name);
    say(guest, MESSAGE_UP, name.release, strlen(name.release));
    vec_each (&guest->job.labs, lab)
        if (play_lab(guest, lab, err) < 0)
            return -1;
    return 0;
}

void guest_say_done(struct guest *guest)
{
    say(guest, MESSAGE_DONE, NULL, 0);
}

_Noreturn void guest_power_off(struct guest *guest)
{
    if (guest->line >= 0)
        tcdrain(guest->line);
    kernel_job_free(&guest->job);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
