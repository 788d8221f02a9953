#include "run/lateness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "base/memory.h"

enum { MAX_PROBES = 64 };

struct probe {
    struct lateness *owner;
    pthread_t thread;
    int cpu;
    bool wheel;
    pthread_mutex_t lock; /* of what follows; CLOCK_MONOTONIC */
    nsec due, worst;
    VEC(struct record_stall) stalls;
};

struct lateness {
    atomic_bool stop;
    nsec period, tick;
    VEC(struct probe) probes;
};

/* A wait on the wheel is so many ticks long. */
enum { WHEEL_TICKS = 2 };

static struct timespec to_timespec(nsec t)
{
    return (struct timespec){.tv_sec = t / NSEC_PER_SEC, .tv_nsec = t % NSEC_PER_SEC};
}

/* The timer that was due at p->due comes, or is looked for, at `now`. */
static void note_lateness(struct probe *p, nsec now)
{
    nsec late = now - p->due;
    if (late > p->worst)
        p->worst = late;
    if (late > RECORD_STALL_MIN && p->stalls.n <= RECORD_STALLS_MAX)
        vec_push(&p->stalls, ((struct record_stall){.from = p->due, .to = now}));
}

static void stay(const struct probe *p)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)p->cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

static void set_due(struct probe *p, nsec due)
{
    pthread_mutex_lock(&p->lock);
    p->due = due;
    pthread_mutex_unlock(&p->lock);
}

/* A time-out of recv() is kept on the wheel (schedule_timeout() in kernel/time/timer.c): n
 * ticks, rounded up by one.  A further one is no lateness here: a tick that is counted late
 * is in every bound already (transcript/timing.h). */
static void *watch_wheel(void *arg)
{
    struct probe *p = arg;
    const nsec wait = WHEEL_TICKS * p->owner->tick;
    const struct timeval limit = {.tv_usec = wait / NSEC_PER_USEC};
    cleanup_fd int silent = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* nobody knows it */
    stay(p);
    if (silent < 0 || setsockopt(silent, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
        return NULL;
    while (!atomic_load(&p->owner->stop)) {
        char byte;
        set_due(p, clock_ns(CLOCK_MONOTONIC) + wait + 2 * p->owner->tick);
        if (recv(silent, &byte, 1, 0) >= 0)
            break;
        pthread_mutex_lock(&p->lock);
        note_lateness(p, clock_ns(CLOCK_MONOTONIC));
        pthread_mutex_unlock(&p->lock);
    }
    set_due(p, NSEC_NEVER);
    return NULL;
}

static void *watch(void *arg)
{
    struct probe *p = arg;
    stay(p);
    cleanup_fd int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    nsec period = p->owner->period;
    struct itimerspec when = {.it_interval = to_timespec(period), .it_value = to_timespec(p->due)};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
    while (!atomic_load(&p->owner->stop)) {
        uint64_t expired = 0;
        if (read(fd, &expired, sizeof(expired)) != sizeof(expired))
            break;
        pthread_mutex_lock(&p->lock);
        note_lateness(p, clock_ns(CLOCK_MONOTONIC));
        p->due += (nsec)expired * period;
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

static void add_probe(struct lateness *l, int cpu, bool wheel, nsec due)
{
    struct probe *p = vec_add(&l->probes);
    p->owner = l;
    p->cpu = cpu;
    p->wheel = wheel;
    p->due = due;
    pthread_mutex_init(&p->lock, NULL);
}

struct lateness *lateness_start(nsec period, nsec wheel, struct error *err)
{
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof(mine), &mine);
    struct lateness *l = xcalloc(1, sizeof(*l));
    l->period = period;
    l->tick = wheel;
    nsec first = clock_ns(CLOCK_MONOTONIC) + period;
    for (int cpu = 0; cpu < CPU_SETSIZE && l->probes.n < MAX_PROBES; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &mine))
            continue;
        add_probe(l, cpu, false, first);
        if (wheel)
            add_probe(l, cpu, true, NSEC_NEVER);
    }
    for (size_t i = 0; i < l->probes.n; i++) {
        struct probe *p = &l->probes.at[i];
        int cause = pthread_create(&p->thread, NULL, p->wheel ? watch_wheel : watch, p);
        if (cause) {
            l->probes.n = i;
            lateness_free(l);
            error_sys(err, STATUS_MACHINE, cause, "cannot start the timer that measures lateness");
            return NULL;
        }
    }
    return l;
}

void lateness_restart(struct lateness *l)
{
    vec_each (&l->probes, p) {
        pthread_mutex_lock(&p->lock);
        p->worst = 0;
        p->stalls.n = 0;
        pthread_mutex_unlock(&p->lock);
    }
}

void lateness_note(struct lateness *l, struct record *record)
{
    nsec now = clock_ns(CLOCK_MONOTONIC), offset = clock_ns(CLOCK_REALTIME) - now;
    size_t n = 0;
    vec_each (&l->probes, p) {
        pthread_mutex_lock(&p->lock);
        note_lateness(p, now);
        if (p->worst > record->lateness)
            record->lateness = p->worst;
        n += p->stalls.n;
        vec_each (&p->stalls, s)
            vec_push(&record->stalls,
                     ((struct record_stall){.from = s->from + offset, .to = s->to + offset}));
        pthread_mutex_unlock(&p->lock);
    }
    /* Too many to tell them apart: late all the time. */
    if (n > RECORD_STALLS_MAX)
        vec_free(&record->stalls);
}

void lateness_free(struct lateness *l)
{
    if (!l)
        return;
    atomic_store(&l->stop, true);
    vec_each (&l->probes, p) {
        pthread_join(p->thread, NULL);
        pthread_mutex_destroy(&p->lock);
        vec_free(&p->stalls);
    }
    vec_free(&l->probes);
    free(l);
}
