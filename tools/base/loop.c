/* Theory of operation.
 *
 * All watches stand in one array in the order of their numbers.  What epoll hands
 * back is a number, not a pointer: before each callback the number is looked up
 * again, so a watch that an earlier callback of the same round removed is simply
 * not found.  A loop here has tens of watches, so look-ups walk the array.
 *
 * Signals (signalfd) and children (pidfd) are descriptors that the loop owns.
 * Timers share one timerfd, armed for the earliest; unlike the timeout of
 * epoll_wait() it has nanoseconds and no timer slack.  Number 0 in epoll is this
 * timerfd.  In a round descriptors are served before timers: what arrived in time
 * wins over the limit that was waiting for it. */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "base/memory.h"

enum kind { KIND_FD, KIND_TIMER, KIND_SIGNAL, KIND_CHILD };

struct watch {
    loop_id id;
    enum kind kind;
    int fd;            /* -1 for a timer */
    bool always_ready; /* a regular file, which epoll refuses */
    uint32_t events;
    nsec due, period;
    int signo;
    pid_t pid;
    union {
        loop_fd_fn *fd;
        loop_timer_fn *timer;
        loop_signal_fn *signal;
        loop_child_fn *child;
    } fn;
    void *ctx;
};

struct loop {
    int epoll_fd, timer_fd;
    loop_id next_id;
    bool stopped;
    bool mask_saved;
    sigset_t mask;
    VEC(struct watch) watches;
};

struct loop *loop_new(struct error *err)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    struct epoll_event ev = {.events = EPOLLIN};
    loop->next_id = 1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->timer_fd < 0 ||
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &ev) < 0) {
        error_sys(err, STATUS_MACHINE, errno, "cannot make an event loop");
        loop_free(loop);
        return NULL;
    }
    return loop;
}

static struct watch *find(struct loop *loop, loop_id id)
{
    vec_each (&loop->watches, w)
        if (w->id == id)
            return w;
    return NULL;
}

static struct watch *add(struct loop *loop, enum kind kind, int fd, void *ctx)
{
    struct watch *w = vec_add(&loop->watches);
    w->id = loop->next_id++;
    w->kind = kind;
    w->fd = fd;
    w->ctx = ctx;
    return w;
}

static int poll_fd(struct loop *loop, struct watch *w, int op, uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.u64 = w->id};
    w->events = events;
    return epoll_ctl(loop->epoll_fd, op, w->fd, &ev);
}

void loop_remove(struct loop *loop, loop_id id)
{
    struct watch *w = find(loop, id);
    if (!w)
        return;
    if (w->fd >= 0 && !w->always_ready)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    if (w->kind == KIND_SIGNAL || w->kind == KIND_CHILD)
        close(w->fd);
    size_t behind = (size_t)(loop->watches.at + loop->watches.n - (w + 1));
    memmove(w, w + 1, behind * sizeof(*w));
    loop->watches.n--;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->watches.n)
        loop_remove(loop, vec_last(&loop->watches)->id);
    vec_free(&loop->watches);
    if (loop->mask_saved)
        pthread_sigmask(SIG_SETMASK, &loop->mask, NULL);
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
}

loop_id loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx,
                    struct error *err)
{
    struct watch *w = add(loop, KIND_FD, fd, ctx);
    w->fn.fd = fn;
    if (poll_fd(loop, w, EPOLL_CTL_ADD, events) == 0)
        return w->id;
    w->always_ready = true;
    if (errno == EPERM)
        return w->id;
    error_sys(err, STATUS_MACHINE, errno, "cannot watch descriptor %d", fd);
    loop_remove(loop, w->id);
    return 0;
}

int loop_change_fd(struct loop *loop, loop_id id, uint32_t events, struct error *err)
{
    struct watch *w = find(loop, id);
    if (!w || w->kind != KIND_FD)
        return error_sys(err, STATUS_MACHINE, ENOENT, "no watch of a descriptor");
    if (w->always_ready)
        w->events = events;
    else if (poll_fd(loop, w, EPOLL_CTL_MOD, events) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot watch descriptor %d", w->fd);
    return 0;
}

static nsec later(nsec moment, nsec delay)
{
    nsec sum;
    return __builtin_add_overflow(moment, delay, &sum) ? NSEC_NEVER : sum;
}

loop_id loop_add_timer(struct loop *loop, nsec delay, nsec period, loop_timer_fn *fn, void *ctx)
{
    struct watch *w = add(loop, KIND_TIMER, -1, ctx);
    w->due = later(clock_ns(CLOCK_MONOTONIC), delay > 0 ? delay : 0);
    w->period = period > 0 ? period : 0;
    w->fn.timer = fn;
    return w->id;
}

/* Watches a descriptor that the loop owns from here on; -1 stands for a failure in errno. */
static struct watch *add_owned(struct loop *loop, enum kind kind, int fd, void *ctx)
{
    if (fd < 0)
        return NULL;
    struct watch *w = add(loop, kind, fd, ctx);
    if (poll_fd(loop, w, EPOLL_CTL_ADD, EPOLLIN) == 0)
        return w;
    int saved = errno;
    loop_remove(loop, w->id);
    errno = saved;
    return NULL;
}

loop_id loop_add_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *ctx,
                        struct error *err)
{
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, signo);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    if (!loop->mask_saved)
        loop->mask = old;
    loop->mask_saved = true;
    struct watch *w =
        add_owned(loop, KIND_SIGNAL, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), ctx);
    if (!w) {
        error_sys(err, STATUS_MACHINE, errno, "cannot watch signal %d", signo);
        return 0;
    }
    w->signo = signo;
    w->fn.signal = fn;
    return w->id;
}

loop_id loop_add_child(struct loop *loop, pid_t pid, loop_child_fn *fn, void *ctx,
                       struct error *err)
{
    struct watch *w = add_owned(loop, KIND_CHILD, pidfd_open(pid, 0), ctx); /* always CLOEXEC */
    if (!w) {
        error_sys(err, STATUS_MACHINE, errno, "cannot watch process %d", (int)pid);
        return 0;
    }
    w->pid = pid;
    w->fn.child = fn;
    return w->id;
}

/* Calls back for a descriptor; `w` is copied since callbacks may move the array. */
static int serve(struct loop *loop, struct watch w, uint32_t events)
{
    struct signalfd_siginfo info;
    int status = 0;
    pid_t reaped;
    switch (w.kind) {
    case KIND_FD:
        w.fn.fd(w.ctx, w.fd, events);
        return 1;
    case KIND_SIGNAL:
        if (read(w.fd, &info, sizeof(info)) != sizeof(info))
            return 0;
        w.fn.signal(w.ctx, w.signo);
        return 1;
    case KIND_CHILD:
        reaped = waitpid(w.pid, &status, WNOHANG);
        if (reaped == 0)
            return 0;
        if (reaped < 0)
            status = -1;
        loop_remove(loop, w.id);
        w.fn.child(w.ctx, w.pid, status);
        return 1;
    case KIND_TIMER:
        break;
    }
    return 0;
}

static struct watch *earliest(struct loop *loop, loop_id before)
{
    struct watch *first = NULL;
    vec_each (&loop->watches, w)
        if (w->kind == KIND_TIMER && w->id < before && (!first || w->due < first->due))
            first = w;
    return first;
}

/* Timers that a callback adds wait for the next round, whatever their delay. */
static int serve_timers(struct loop *loop)
{
    nsec now = clock_ns(CLOCK_MONOTONIC);
    loop_id before = loop->next_id;
    int calls = 0;
    for (struct watch *w; (w = earliest(loop, before)) && w->due <= now; calls++) {
        struct watch fired = *w;
        if (w->period)
            w->due = later(w->due, ((now - w->due) / w->period + 1) * w->period);
        else
            loop_remove(loop, w->id);
        fired.fn.timer(fired.ctx, fired.due);
    }
    return calls;
}

static int serve_always_ready(struct loop *loop)
{
    loop_id last = 0, before = loop->next_id;
    int calls = 0;
    for (size_t i = 0; i < loop->watches.n; i++) {
        struct watch w = loop->watches.at[i];
        if (!w.always_ready || !w.events || w.id <= last || w.id >= before)
            continue;
        last = w.id;
        calls += serve(loop, w, w.events);
        i = (size_t)-1; /* the callback may have moved the array: start over behind `last` */
    }
    return calls;
}

static bool any_always_ready(struct loop *loop)
{
    vec_each (&loop->watches, w)
        if (w->always_ready && w->events)
            return true;
    return false;
}

/* Arms the timerfd for the earliest timer or the end of the wait; NSEC_NEVER disarms it. */
static void arm(struct loop *loop, nsec timeout)
{
    nsec due = timeout == NSEC_NEVER ? NSEC_NEVER : later(clock_ns(CLOCK_MONOTONIC), timeout);
    struct watch *first = earliest(loop, loop->next_id);
    if (first && first->due < due)
        due = first->due;
    struct itimerspec when = {0};
    if (due != NSEC_NEVER)
        when.it_value =
            (struct timespec){.tv_sec = due / NSEC_PER_SEC, .tv_nsec = due % NSEC_PER_SEC};
    timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

int loop_run_once(struct loop *loop, nsec timeout, struct error *err)
{
    struct epoll_event ready[16];
    bool at_once = timeout <= 0 || any_always_ready(loop);
    if (!at_once)
        arm(loop, timeout);
    int n = epoll_wait(loop->epoll_fd, ready, ARRAY_SIZE(ready), at_once ? 0 : -1);
    if (n < 0 && errno != EINTR)
        return error_sys(err, STATUS_MACHINE, errno, "cannot wait for events");
    int calls = 0;
    for (int i = 0; i < n; i++) {
        struct watch *w = find(loop, ready[i].data.u64);
        if (w)
            calls += serve(loop, *w, ready[i].events);
    }
    return calls + serve_always_ready(loop) + serve_timers(loop);
}

int loop_run(struct loop *loop, struct error *err)
{
    int result = 0;
    while (!loop->stopped && loop->watches.n && result >= 0)
        result = loop_run_once(loop, NSEC_NEVER, err);
    loop->stopped = false;
    return result < 0 ? -1 : 0;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void loop_reset_signals(void)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    for (int signo = 1; signo < NSIG; signo++)
        sigaction(signo, &act, NULL); /* refuses SIGKILL and SIGSTOP, rightly */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
