#include "run/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "netns/ns.h"
#include "run/director.h"

/* The descriptors of the two pipes in the processes of a job. */
enum { UP = 3, STOP = 4 };

/* A look is one write into an empty pipe, which holds 64 KiB (pipe(7)). */
enum { LOOK_MAX = 60000 };

/* Messages from the director: a header, then `len` bytes. */
enum message { MESSAGE_PROGRESS, MESSAGE_SEEN, MESSAGE_REPLY, MESSAGE_ERROR };

struct header {
    enum message type;
    enum exit_status status; /* MESSAGE_ERROR */
    nsec left;               /* MESSAGE_PROGRESS, MESSAGE_SEEN */
    size_t len;
};

struct job {
    struct loop *loop;
    struct job_events events;
    char *lab;
    pid_t pid;
    int up;   /* messages from the director */
    int stop; /* closed to stop the script */
    loop_id up_watch, child_watch, limit_watch;
    nsec limit;
    struct strbuf received;
    bool finished, over;
};

/* ------------------------------------------------- in the job's processes --- */

static void write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(STATUS_MACHINE);
        at += n;
        len -= (size_t)n;
    }
}

static void send_message(struct header header, const char *data, size_t len)
{
    header.len = len;
    struct strbuf both cleanup_strbuf = STRBUF_INIT;
    strbuf_add(&both, (const char *)&header, sizeof(header));
    strbuf_add(&both, data, len);
    write_all(UP, both.data, both.len);
}

/* Message and hint, each with its NUL. */
static void send_error(const struct error *err)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_add(&text, err->message, strlen(err->message) + 1);
    if (err->hint)
        strbuf_add(&text, err->hint, strlen(err->hint) + 1);
    struct header header = {.type = MESSAGE_ERROR, .status = err->status};
    send_message(header, strbuf_cstr(&text), text.len);
}

static void send_progress(void *ctx, const char *awaited, nsec left)
{
    (void)ctx;
    struct header header = {.type = MESSAGE_PROGRESS, .left = left};
    send_message(header, awaited, strlen(awaited));
}

/* What the director is called back with. */
struct looking {
    const struct lab *lab;
    const struct job_work *work;
};

/* Tells main what there is to see; not while main has not read the last of it yet: nobody
 * who is slow to look may keep the scene waiting. */
static void send_look(void *ctx, const struct record *so_far)
{
    const struct looking *looking = ctx;
    struct strbuf seen cleanup_strbuf = STRBUF_INIT;
    struct header header = {.type = MESSAGE_SEEN};
    int unread = 0;
    if (ioctl(UP, FIONREAD, &unread) < 0 || unread > 0)
        return;
    looking->work->look(looking->work->ctx, looking->lab, so_far, &seen, &header.left);
    if (seen.len && seen.len < LOOK_MAX)
        send_message(header, seen.data, seen.len);
}

/* Keeps only the two pipes (as UP and STOP) and the standard descriptors: another
 * job's pipe that stayed open here would hide its end from that job. */
static void keep_pipes(int up, int stop)
{
    int high_up = fcntl(up, F_DUPFD, STOP + 1), high_stop = fcntl(stop, F_DUPFD, STOP + 1);
    if (dup2(high_up, UP) < 0 || dup2(high_stop, STOP) < 0 || close_range(STOP + 1, ~0U, 0) < 0)
        _exit(STATUS_MACHINE);
}

/* Main's end of STOP is gone when main is, and the launcher's pidfd is readable when
 * that is (-1: it is not the parent): this closes the gap between the fork and prctl(),
 * in which a parent's death would not be noticed. */
static void die_with_parent(int launcher)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct pollfd fds[] = {{.fd = STOP, .events = POLLIN}, {.fd = launcher, .events = POLLIN}};
    if (poll(fds, 2, 0) != 0)
        _exit(STATUS_MACHINE);
    if (launcher >= 0)
        close(launcher);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
}

static _Noreturn void direct(const struct lab *lab, const struct job_work *work)
{
    struct error err = ERROR_INIT;
    struct record *record = record_new();
    struct stage stage;
    struct strbuf reply cleanup_strbuf = STRBUF_INIT;
    struct looking looking = {lab, work};
    struct director_options options = {.progress = send_progress,
                                       .look = work->look ? send_look : NULL,
                                       .ctx = &looking,
                                       .stop_fd = STOP};

    record->lab = xstrdup(lab->name);
    int ret = stage_build(&stage, lab, record, &err);
    if (ret == 0 && !record->skipped)
        ret = director_play(&stage, &options, record, &err);
    if (ret == 0)
        ret = work->body(work->ctx, lab, record, &reply, &err);
    if (ret == 0)
        send_message((struct header){.type = MESSAGE_REPLY}, strbuf_cstr(&reply), reply.len);
    else
        send_error(&err);
    /* Closing a capture point takes the kernel long: it comes after the reply. */
    stage_free(&stage);
    _exit(0);
}

/* A stage of many hosts takes more descriptors than the usual soft limit gives. */
static void lift_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static _Noreturn void launch(const struct lab *lab, const struct job_work *work)
{
    struct error err = ERROR_INIT;
    lift_descriptor_limit();
    if (ns_gain_rights(&err) < 0) {
        send_error(&err);
        _exit(0);
    }
    if (unshare(CLONE_NEWPID) < 0) {
        error_sys(&err, STATUS_MACHINE, errno, "cannot make a PID namespace");
        send_error(&err);
        _exit(0);
    }
    int self = pidfd_open(getpid(), 0);
    pid_t pid = fork();
    if (pid < 0) {
        error_sys(&err, STATUS_MACHINE, errno, "cannot start the director");
        send_error(&err);
        _exit(0);
    }
    if (pid == 0) {
        die_with_parent(self);
        direct(lab, work);
    }
    close(UP);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    _exit(0);
}

/* ------------------------------------------------------ in the main process --- */

static void finish(struct job *job, const char *reply, size_t len, struct error *err)
{
    if (job->finished)
        return;
    job->finished = true;
    job->events.finished(job->events.ctx, reply, len, err);
}

static void take_error(struct job *job, const struct header *h, const char *data)
{
    struct error err = ERROR_INIT;
    size_t first = strnlen(data, h->len);
    error_set(&err, h->status, "%.*s", (int)first, data);
    if (first + 1 < h->len)
        error_hint(&err, "%s", data + first + 1);
    finish(job, NULL, 0, &err);
    error_clear(&err);
}

static void take_message(struct job *job, const struct header *h, const char *data)
{
    if (h->type == MESSAGE_REPLY) {
        finish(job, data, h->len, NULL);
    } else if (h->type == MESSAGE_ERROR) {
        take_error(job, h, data);
    } else if (h->type == MESSAGE_SEEN) {
        if (job->events.seen)
            job->events.seen(job->events.ctx, data, h->len, h->left);
    } else if (job->events.progress) {
        cleanup_free char *text = xstrndup(data, h->len);
        job->events.progress(job->events.ctx, text, h->left);
    }
}

static void take_messages(struct job *job)
{
    struct header h;
    size_t at = 0;
    while (job->received.len - at >= sizeof(h)) {
        memcpy(&h, job->received.data + at, sizeof(h));
        if (job->received.len - at - sizeof(h) < h.len)
            break;
        take_message(job, &h, job->received.data + at + sizeof(h));
        at += sizeof(h) + h.len;
    }
    memmove(job->received.data, job->received.data + at, job->received.len - at);
    strbuf_truncate(&job->received, job->received.len - at);
}

static void on_up(void *ctx, int fd, uint32_t events)
{
    struct job *job = ctx;
    char chunk[65536];
    (void)events;
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        strbuf_add(&job->received, chunk, (size_t)n);
        take_messages(job);
        return;
    }
    loop_remove(job->loop, job->up_watch);
    if (!job->finished) {
        struct error err = ERROR_INIT;
        error_set(&err, STATUS_MACHINE, "the process that played %s ended before its time",
                  job->lab);
        finish(job, NULL, 0, &err);
        error_clear(&err);
    }
}

/* The director keeps every limit of the script itself.  This is for the director. */
static void on_limit(void *ctx, nsec due)
{
    struct job *job = ctx;
    struct error err = ERROR_INIT;
    (void)due;
    kill(job->pid, SIGKILL);
    error_set(&err, STATUS_MACHINE, "lab %s was killed: it had not ended after %d s", job->lab,
              (int)(job->limit / NSEC_PER_SEC));
    error_hint(&err, "its steps may take that long at the most, so this is a fault of tcplab or of "
                     "this machine: please report it");
    finish(job, NULL, 0, &err);
    error_clear(&err);
}

nsec job_longest(const struct lab *lab)
{
    nsec sum = 30 * NSEC_PER_SEC;
    vec_each (&lab->steps, step)
        sum += step->verb == VERB_WAIT_TIME ? step->args.at[0].duration
               : step->within               ? step->within
                                            : lab->limit;
    return sum;
}

static void on_over(void *ctx, pid_t pid, int status)
{
    struct job *job = ctx;
    (void)pid;
    (void)status;
    job->over = true;
}

static int make_pipes(int up[2], int stop[2])
{
    if (pipe2(up, O_CLOEXEC) < 0)
        return -1;
    if (pipe2(stop, O_CLOEXEC) == 0)
        return 0;
    int cause = errno;
    close(up[0]);
    close(up[1]);
    errno = cause;
    return -1;
}

struct job *job_start(struct loop *loop, const struct lab *lab, const struct job_work *work,
                      const struct job_events *events, struct error *err)
{
    int up[2], stop[2];
    if (make_pipes(up, stop) < 0) {
        error_sys(err, STATUS_MACHINE, errno, "cannot make a pipe");
        return NULL;
    }
    pid_t pid = fork();
    int cause = errno;
    if (pid == 0) {
        loop_reset_signals();
        keep_pipes(up[1], stop[0]);
        die_with_parent(-1);
        setsid(); /* what the terminal sends (Ctrl-C, Ctrl-Z) is for main, not for the scene */
        launch(lab, work);
    }
    close(up[1]);
    close(stop[0]);
    if (pid < 0) {
        error_sys(err, STATUS_MACHINE, cause, "cannot start a process for %s", lab->name);
        close(up[0]);
        close(stop[1]);
        return NULL;
    }
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){.loop = loop,
                        .events = *events,
                        .lab = xstrdup(lab->name),
                        .pid = pid,
                        .up = up[0],
                        .stop = stop[1]};
    job->up_watch = loop_add_fd(loop, job->up, EPOLLIN, on_up, job, err);
    job->limit = job_longest(lab);
    job->limit_watch = loop_add_timer(loop, job->limit, 0, on_limit, job);
    job->child_watch = loop_add_child(loop, pid, on_over, job, err);
    if (!job->up_watch || !job->child_watch) {
        job_free(job);
        return NULL;
    }
    return job;
}

void job_interrupt(struct job *job)
{
    if (job->stop >= 0)
        close(job->stop);
    job->stop = -1;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    loop_remove(job->loop, job->up_watch);
    loop_remove(job->loop, job->child_watch);
    loop_remove(job->loop, job->limit_watch);
    if (!job->over) {
        kill(job->pid, SIGKILL);
        while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    job_interrupt(job);
    close(job->up);
    strbuf_free(&job->received);
    free(job->lab);
    free(job);
}
