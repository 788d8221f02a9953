/* What the parts of the ferry share: ferry.c carries, and ferry_ask.c tells what has become of
 * what was carried. */
#ifndef WIRE_FERRY_PARTS_H
#define WIRE_FERRY_PARTS_H

#include <pthread.h>

#include "base/memory.h"
#include "wire/ferry.h"
#include "wire/lane.h"
#include "wire/pin.h"
#include "wire/port.h"

struct end {
    struct ferry_port at;
    enum ferry_plug plug;
    struct wire_port port;
};

/* One direction, from ends[from] to ends[to]. */
struct way {
    struct ferry *ferry;
    size_t from, to;
    struct lane lane;
};

struct ferry {
    pthread_t thread;
    bool started;
    int wake_fd;
    unsigned asking;      /* who wants the lock, or has it, beside the thread; atomic */
    pthread_mutex_t lock; /* of what follows */
    bool stop;
    pthread_cond_t asked; /* somebody beside the thread has let go of the lock, or wants … */
    bool wanted;          /* … what is due to be sent */
    pthread_cond_t sent;  /* the thread has done so, or has ended */
    VEC(struct end) ends;
    VEC(struct way) ways; /* of each ordered pair of ends on one network */
    struct wire_flows flows;
    VEC(struct ferry_event) events;
    VEC(struct ferry_stall) stalls;
    struct wire_pin pin;
    nsec offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
    struct error err;
};

/* Beside the thread, the lock is taken and let go by these: the thread, which would have it
 * again before anybody who waits for it has woken up, stands back for them. */
void ferry_lock(struct ferry *ferry);
void ferry_unlock(struct ferry *ferry);

/* With the lock: takes what has come; whether anything has. */
bool ferry_take_all(struct ferry *ferry);

#endif
