/* Theory of operation
 *
 * A wired network has no bridge: the switch's ends of its cables lie open, and the ferry
 * takes off and puts on what goes through each (port.c).  One thread waits for all of them and for
 * the next frame that is due.  A frame that came to a port goes to the one whose hardware address
 * it names, or to all others; for each pair of ports there is a lane (lane.c), which decides what
 * becomes of it and when.
 *
 * Time.  A frame's moment of arrival is the kernel's stamp, not the moment at which the
 * thread got to see it, so that waking up late does not add to a delay.  What is left is
 * the lateness with which the thread wakes up for a frame that is due: its timer slack is
 * set to the least, and it notes itself how late it was, since the timers that measure that
 * beside the run (run/lateness.h) need not have had to wait for their turn as long as it.
 *
 * One lock holds all of it while the thread is awake; the script's steps take it to change
 * the lanes, and carry what came before them first. */
#include "wire/ferry.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include "base/memory.h"
#include "wire/ferry_parts.h"

/* Memory for frames comes and goes in bursts; so much is not given back between them, bytes. */
enum { KEEP_BYTES = 16 << 20 };

enum { CLOCK_TRIES = 8, CLOCK_CLOSE = 2000 /* ns */ };

/* ---------------------------------------------------------------------- events */

static void copy_frame(struct ferry_frame *to, const struct wire_frame *frame)
{
    if (!frame)
        return;
    to->len = frame->len;
    to->n = frame->len < FERRY_SNAP ? frame->len : FERRY_SNAP;
    memcpy(to->data, frame->data, to->n);
}

static void note(void *ctx, enum wire_action action, long step, const struct wire_frame *frame,
                 const struct wire_frame *result)
{
    const struct way *way = ctx;
    struct ferry *ferry = way->ferry;
    struct ferry_event *e = vec_add(&ferry->events);
    e->action = action;
    e->step = step;
    e->time = frame ? frame->stamp : result->at + ferry->offset;
    e->from = ferry->ends.at[way->from].at.host;
    e->to = ferry->ends.at[way->to].at.host;
    e->number = frame ? frame->number : 0;
    copy_frame(&e->frame, frame);
    copy_frame(&e->result, result);
}

/* -------------------------------------------------------------------- the thread */

static struct way *find_way(struct ferry *ferry, size_t from, size_t to)
{
    vec_each (&ferry->ways, way)
        if (way->from == from && way->to == to)
            return way;
    return NULL;
}

static bool is_for(const uint8_t *frame, const struct end *end)
{
    return memcmp(frame, end->at.mac, ETH_ALEN) == 0;
}

/* Of a few readings the one that took least: one in whose middle the thread had to wait
 * would be that much wrong.  What is left makes frames late, never early. */
static void settle_clocks(struct ferry *ferry)
{
    nsec least = NSEC_NEVER;
    for (int i = 0; i < CLOCK_TRIES && least > CLOCK_CLOSE; i++) {
        nsec before = clock_ns(CLOCK_MONOTONIC), real = clock_ns(CLOCK_REALTIME);
        nsec after = clock_ns(CLOCK_MONOTONIC);
        if (after - before >= least)
            continue;
        least = after - before;
        ferry->offset = real - after;
    }
}

/* When a frame came; now, if the clock was set meanwhile.  *now is a reading of the clock,
 * and is renewed where it is too old to tell. */
static nsec arrival_time(const struct ferry *ferry, nsec stamp, nsec *now)
{
    nsec at = stamp - ferry->offset;
    if (at >= *now + NSEC_PER_MSEC)
        *now = clock_ns(CLOCK_MONOTONIC);
    return at < *now + NSEC_PER_MSEC ? at : *now;
}

/* To the end that the frame names, or, if it names none, to all others. */
static void carry(struct ferry *ferry, size_t from, const uint8_t *data, uint32_t len, nsec at,
                  nsec stamp)
{
    if (len < ETH_HLEN || ferry->ends.at[from].plug == FERRY_OUT)
        return;
    const struct way *only = NULL;
    vec_each (&ferry->ways, way)
        if (way->from == from && is_for(data, &ferry->ends.at[way->to]))
            only = way;
    vec_each (&ferry->ways, way) {
        if (way->from != from || (only && way != only))
            continue;
        struct wire_frame *frame = wire_frame_new(data, len, at);
        frame->stamp = stamp;
        lane_take(&way->lane, frame);
    }
}

bool ferry_take_all(struct ferry *ferry)
{
    bool any = false;
    nsec now = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < ferry->ends.n; i++) {
        struct wire_port *port = &ferry->ends.at[i].port;
        uint32_t len;
        nsec stamp;
        const uint8_t *data;
        for (unsigned n = 0; n < port->slots && (data = wire_port_take(port, &len, &stamp)); n++) {
            carry(ferry, i, data, len, arrival_time(ferry, stamp, &now), stamp);
            wire_port_done(port);
            any = true;
        }
    }
    return any;
}

/* A frame that was due at `due` has been sent by `now`, when the last of its batch was.  What was
 * late together with the one before and no longer than it needs no stall of its own. */
static void note_stall(struct ferry *ferry, nsec due, nsec now)
{
    nsec from = due + ferry->offset, to = now + ferry->offset;
    const struct ferry_stall *last =
        ferry->stalls.n ? &ferry->stalls.at[ferry->stalls.n - 1] : NULL;
    bool told = last && from <= last->to && to - from <= last->to - last->from;
    if (to - from > FERRY_STALL_MIN && !told && ferry->stalls.n < FERRY_STALLS_MAX)
        vec_push(&ferry->stalls, ((struct ferry_stall){.from = from, .to = to}));
}

/* The one whose next frame is due first; NULL: nothing is under way. */
static struct way *first_due(struct ferry *ferry)
{
    struct way *first = NULL;
    nsec due = NSEC_NEVER;
    vec_each (&ferry->ways, way) {
        if (lane_next(&way->lane) < due) {
            first = way;
            due = lane_next(&way->lane);
        }
    }
    return first;
}

/* Frames that go to one end together. */
struct batch {
    size_t to, n;
    struct wire_frame *frames[WIRE_BATCH];
    nsec due[WIRE_BATCH];
};

/* The next that are due, in the order in which they are, whatever way they go; `most` is one
 * as long as the thread may be moved to another CPU between two. */
static void gather(struct ferry *ferry, nsec now, size_t most, struct batch *batch)
{
    batch->n = 0;
    for (struct way *way = first_due(ferry); way && batch->n < most; way = first_due(ferry)) {
        nsec due = lane_next(&way->lane);
        struct wire_frame *frame =
            batch->n && way->to != batch->to ? NULL : lane_pop(&way->lane, now);
        if (!frame)
            return;
        batch->to = way->to;
        batch->due[batch->n] = due;
        batch->frames[batch->n++] = frame;
    }
}

static nsec next_due(struct ferry *ferry)
{
    const struct way *way = first_due(ferry);
    return way ? lane_next(&way->lane) : NSEC_NEVER;
}

/* Sends what is due; returns when the next frame will be. */
static nsec send_due(struct ferry *ferry)
{
    struct batch batch;
    nsec now = clock_ns(CLOCK_MONOTONIC);
    while (next_due(ferry) <= now) {
        wire_pin_keep(&ferry->pin, now);
        gather(ferry, now, ferry->pin.pinned ? WIRE_BATCH : 1, &batch);
        if (!batch.n)
            continue; /* what might have been due has to wait longer */
        struct end *to = &ferry->ends.at[batch.to];
        if (to->plug == FERRY_IN)
            wire_port_send(&to->port, batch.frames, (unsigned)batch.n);
        now = clock_ns(CLOCK_MONOTONIC);
        wire_pin_note(&ferry->pin, now);
        for (size_t i = 0; i < batch.n; i++) {
            note_stall(ferry, batch.due[i], now);
            free(batch.frames[i]);
        }
    }
    return next_due(ferry);
}

/* For who asks; not for long, since they may have to wait for a processor before they have
 * the lock, and then get it after one of the next rounds. */
static void stand_back(struct ferry *ferry)
{
    nsec until = 0;
    while (__atomic_load_n(&ferry->asking, __ATOMIC_SEQ_CST) && !ferry->wanted) {
        if (!until)
            until = clock_ns(CLOCK_MONOTONIC) + FERRY_STALL_MIN;
        struct timespec ts = {until / NSEC_PER_SEC, until % NSEC_PER_SEC};
        if (pthread_cond_clockwait(&ferry->asked, &ferry->lock, CLOCK_MONOTONIC, &ts) != 0)
            return;
    }
}

static void await(struct ferry *ferry, struct pollfd *fds, nsec next)
{
    nsec left = next == NSEC_NEVER ? NSEC_PER_SEC : next - clock_ns(CLOCK_MONOTONIC);
    if (left < 0)
        left = 0;
    struct timespec ts = {left / NSEC_PER_SEC, left % NSEC_PER_SEC};
    if (ppoll(fds, ferry->ends.n + 1, &ts, NULL) < 0)
        return;
    uint64_t woken;
    if (fds[ferry->ends.n].revents && read(ferry->wake_fd, &woken, sizeof(woken)) < 0)
        return;
}

static void *run(void *arg)
{
    struct ferry *ferry = arg;
    size_t n = ferry->ends.n;
    cleanup_free struct pollfd *fds = xcalloc(n + 1, sizeof(*fds));
    for (size_t i = 0; i < n; i++)
        fds[i] = (struct pollfd){.fd = ferry->ends.at[i].port.fd, .events = POLLIN};
    fds[n] = (struct pollfd){.fd = ferry->wake_fd, .events = POLLIN};
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    wire_pin_init(&ferry->pin);
    pthread_mutex_lock(&ferry->lock);
    while (!ferry->stop && !error_is_set(&ferry->err)) {
        settle_clocks(ferry);
        for (size_t i = 0; i < n; i++) {
            if (fds[i].revents & POLLERR)
                wire_port_check(&ferry->ends.at[i].port, &ferry->err);
            fds[i].revents = 0;
        }
        ferry->wanted = false;
        bool any = ferry_take_all(ferry);
        nsec next = send_due(ferry);
        pthread_cond_broadcast(&ferry->sent);
        stand_back(ferry);
        pthread_mutex_unlock(&ferry->lock);
        if (!any)
            await(ferry, fds, next);
        pthread_mutex_lock(&ferry->lock);
    }
    pthread_cond_broadcast(&ferry->sent);
    pthread_mutex_unlock(&ferry->lock);
    return NULL;
}

/* --------------------------------------------------------------- start and stop */

static void add_ways(struct ferry *ferry)
{
    for (size_t i = 0; i < ferry->ends.n; i++)
        for (size_t j = 0; j < ferry->ends.n; j++)
            if (i != j && ferry->ends.at[i].at.net == ferry->ends.at[j].at.net)
                vec_push(&ferry->ways, ((struct way){.ferry = ferry, .from = i, .to = j}));
    vec_each (&ferry->ways, way)
        lane_init(&way->lane, &ferry->flows, note, way);
}

struct ferry *ferry_start(const struct ferry_port *ports, size_t n, struct error *err)
{
    struct ferry *ferry = xcalloc(1, sizeof(*ferry));
    mallopt(M_MMAP_THRESHOLD, KEEP_BYTES); /* else the next would fix it at its least */
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    pthread_mutex_init(&ferry->lock, NULL);
    pthread_cond_init(&ferry->asked, NULL);
    pthread_cond_init(&ferry->sent, NULL);
    ferry->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int cause = ferry->wake_fd < 0 ? errno : 0;
    for (size_t i = 0; i < n && !cause; i++) {
        struct end *end = vec_add(&ferry->ends);
        end->at = ports[i];
        if (wire_port_open(&end->port, &ports[i].cable, err) < 0) {
            ferry->ends.n--;
            ferry_stop(ferry);
            return NULL;
        }
    }
    add_ways(ferry);
    settle_clocks(ferry);
    if (!cause)
        cause = pthread_create(&ferry->thread, NULL, run, ferry);
    ferry->started = !cause;
    if (!cause)
        return ferry;
    error_sys(err, STATUS_MACHINE, cause, "cannot start the wire");
    ferry_stop(ferry);
    return NULL;
}

void ferry_lock(struct ferry *ferry)
{
    __atomic_add_fetch(&ferry->asking, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&ferry->lock);
}

void ferry_unlock(struct ferry *ferry)
{
    __atomic_sub_fetch(&ferry->asking, 1, __ATOMIC_SEQ_CST);
    pthread_cond_signal(&ferry->asked);
    pthread_mutex_unlock(&ferry->lock);
}

static void wake(struct ferry *ferry)
{
    const uint64_t one = 1;
    if (write(ferry->wake_fd, &one, sizeof(one)) < 0)
        return; /* only when it is woken already */
}

void ferry_stop(struct ferry *ferry)
{
    if (!ferry)
        return;
    if (ferry->started) {
        ferry_lock(ferry);
        ferry->stop = true;
        ferry_unlock(ferry);
        wake(ferry);
        pthread_join(ferry->thread, NULL);
    }
    vec_each (&ferry->ways, way)
        lane_free(&way->lane);
    vec_each (&ferry->ends, end)
        wire_port_close(&end->port);
    vec_free(&ferry->ways);
    vec_free(&ferry->ends);
    vec_free(&ferry->events);
    vec_free(&ferry->stalls);
    wire_flows_free(&ferry->flows);
    error_clear(&ferry->err);
    if (ferry->wake_fd >= 0)
        close(ferry->wake_fd);
    pthread_cond_destroy(&ferry->asked);
    pthread_cond_destroy(&ferry->sent);
    pthread_mutex_destroy(&ferry->lock);
    free(ferry);
}

/* ------------------------------------------------------------------ programming */

static long find_end(const struct ferry *ferry, int host, int net)
{
    for (size_t i = 0; i < ferry->ends.n; i++)
        if (ferry->ends.at[i].at.host == host && ferry->ends.at[i].at.net == net)
            return (long)i;
    return -1;
}

static struct way *way_of(struct ferry *ferry, int from, int to, int net)
{
    long i = find_end(ferry, from, net), j = find_end(ferry, to, net);
    return i < 0 || j < 0 ? NULL : find_way(ferry, (size_t)i, (size_t)j);
}

static int program(struct way *way, long step, const struct lab_wire *w, struct error *err)
{
    switch (w->kind) {
    case LAB_WIRE_RULE:
        return lane_add_rule(&way->lane, step, &w->rule, err);
    case LAB_WIRE_PROPERTIES:
        lane_set(&way->lane, step, &w->properties);
        return 0;
    case LAB_WIRE_CLEAR:
        lane_clear(&way->lane, clock_ns(CLOCK_MONOTONIC));
        return 0;
    case LAB_WIRE_INJECT:
        break;
    }
    return 0;
}

/* What came before a step of the script is not its business, though the thread may not have
 * got to see it yet. */
static void begin_step(struct ferry *ferry)
{
    ferry_lock(ferry);
    settle_clocks(ferry);
    ferry_take_all(ferry);
}

int ferry_program(struct ferry *ferry, long step, const struct lab_wire *w, struct error *err)
{
    int ret = -1;
    begin_step(ferry);
    struct way *there = way_of(ferry, w->from, w->to, w->net);
    struct way *back = w->both ? way_of(ferry, w->to, w->from, w->net) : there;
    if (!there || !back)
        error_set(err, STATUS_USAGE, "there is no wire between these two hosts");
    else
        ret = program(there, step, w, err);
    if (ret == 0 && back != there)
        ret = program(back, step, w, err);
    ferry_unlock(ferry);
    wake(ferry);
    return ret;
}

int ferry_inject(struct ferry *ferry, long step, const struct lab_wire *w,
                 const struct wire_segment *segment, struct error *err)
{
    struct wire_frame *frame = NULL;
    begin_step(ferry);
    struct way *way = way_of(ferry, w->from, w->to, w->net);
    if (!way)
        error_set(err, STATUS_USAGE, "there is no wire between these two hosts");
    else
        frame = wire_segment_build(segment, &ferry->flows, ferry->ends.at[way->from].at.mac,
                                   ferry->ends.at[way->to].at.mac, clock_ns(CLOCK_MONOTONIC), err);
    if (frame)
        lane_inject(&way->lane, step, frame);
    ferry_unlock(ferry);
    wake(ferry);
    return frame ? 0 : -1;
}

/* What is due is on its way, whether or not the thread has woken up for it. */
static void await_sent(struct ferry *ferry)
{
    nsec now = clock_ns(CLOCK_MONOTONIC);
    while (next_due(ferry) <= now && !error_is_set(&ferry->err)) {
        ferry->wanted = true;
        wake(ferry);
        pthread_cond_signal(&ferry->asked);
        pthread_cond_wait(&ferry->sent, &ferry->lock);
    }
}

void ferry_plug(struct ferry *ferry, int host, enum ferry_plug plug)
{
    begin_step(ferry);
    await_sent(ferry);
    vec_each (&ferry->ends, end)
        if (end->at.host == host && (plug != FERRY_GOING_IN || end->plug == FERRY_OUT))
            end->plug = plug;
    ferry_unlock(ferry);
}
