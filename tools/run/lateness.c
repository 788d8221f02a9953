#include "run/lateness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/timerfd.h>

#include "base/memory.h"

enum { MAX_PROCESSORS = 32 };

struct probe {
    struct lateness *owner;
    pthread_t thread;
    int cpu;
    _Atomic nsec due, worst;
};

struct lateness {
    atomic_bool stop;
    nsec period;
    VEC(struct probe) probes;
};

static struct timespec to_timespec(nsec t)
{
    return (struct timespec){.tv_sec = t / NSEC_PER_SEC, .tv_nsec = t % NSEC_PER_SEC};
}

static void *watch(void *arg)
{
    struct probe *p = arg;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)p->cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
    cleanup_fd int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    nsec period = p->owner->period;
    struct itimerspec when = {.it_interval = to_timespec(period), .it_value = to_timespec(p->due)};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL);
    while (!atomic_load(&p->owner->stop)) {
        uint64_t expired = 0;
        if (read(fd, &expired, sizeof(expired)) != sizeof(expired))
            break;
        /* `expired` periods ended; the first of them was due at `due`. */
        nsec late = clock_ns(CLOCK_MONOTONIC) - p->due;
        if (late > p->worst)
            p->worst = late;
        p->due += (nsec)expired * period;
    }
    return NULL;
}

struct lateness *lateness_start(nsec period, struct error *err)
{
    cpu_set_t mine;
    CPU_ZERO(&mine);
    sched_getaffinity(0, sizeof(mine), &mine);
    struct lateness *l = xcalloc(1, sizeof(*l));
    l->period = period;
    nsec first = clock_ns(CLOCK_MONOTONIC) + period;
    for (int cpu = 0; cpu < CPU_SETSIZE && l->probes.n < MAX_PROCESSORS; cpu++) {
        if (CPU_ISSET((size_t)cpu, &mine)) {
            struct probe *p = vec_add(&l->probes);
            p->owner = l;
            p->cpu = cpu;
            p->due = first;
        }
    }
    for (size_t i = 0; i < l->probes.n; i++) {
        int cause = pthread_create(&l->probes.at[i].thread, NULL, watch, &l->probes.at[i]);
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
    vec_each (&l->probes, p)
        p->worst = 0;
}

nsec lateness_worst(struct lateness *l)
{
    nsec worst = 0, now = clock_ns(CLOCK_MONOTONIC);
    vec_each (&l->probes, p) {
        nsec seen = p->worst, pending = now - p->due;
        if (seen > worst)
            worst = seen;
        if (pending > worst)
            worst = pending;
    }
    return worst;
}

void lateness_free(struct lateness *l)
{
    if (!l)
        return;
    atomic_store(&l->stop, true);
    vec_each (&l->probes, p)
        pthread_join(p->thread, NULL);
    vec_free(&l->probes);
    free(l);
}
