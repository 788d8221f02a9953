/* Theory of operation
 *
 * A frame passes four stations:
 *
 *   rules → loss → rate and queue → delay and jitter → due
 *
 * Rules look at it in the order in which they were set; each counts the frames that are
 * as it says and that no rule before has dropped.  A frame may meet several.  One that
 * is held back stands aside until so many later frames have gone on, and enters behind
 * them.
 *
 * The rate is a clerk who takes one frame at a time: a frame departs when those before
 * it have departed and its own bits are through, length · 8 / rate later.  Whoever comes
 * while more than the queue's limit wait behind the one in service is dropped at the tail.
 * All of this is arithmetic at the moment of arrival; no timer runs for a departure.
 *
 * Where the queue is fair (fair.c), who is next cannot be known before the clerk is free,
 * since somebody may still come whose turn is sooner.  So frames wait in their lines, and
 * the clerk's choices are made up afterwards, in order, each with all that had come by
 * then: when the next frame comes, and at the latest when what he chose would be due.
 *
 * Frames that go the usual way stay in order, jitter or not; a rule's delay and a copy
 * are exceptions to that.
 *
 * Chance is a generator (splitmix64) that starts from the seed: the same frames in the
 * same order have the same luck in every run. */
#include "wire/lane.h"

#include <string.h>

enum { MILLION = 1000000 };

void lane_init(struct lane *lane, struct wire_flows *flows, lane_note *note, void *ctx)
{
    *lane = (struct lane){.flows = flows, .note = note, .ctx = ctx, .properties_step = -1};
}

static void drop_rules(struct lane *lane)
{
    vec_each (&lane->rules, r)
        wire_picker_free(&r->picker);
    vec_free(&lane->rules);
}

void lane_free(struct lane *lane)
{
    drop_rules(lane);
    vec_each (&lane->held, h)
        free(h->frame);
    vec_each (&lane->travels, t)
        free(t->frame);
    fair_free(&lane->fair);
    vec_free(&lane->held);
    vec_free(&lane->travels);
    vec_free(&lane->waiting);
}

/* ---------------------------------------------------------------------- chance */

static uint64_t next_random(struct lane *lane)
{
    uint64_t z = lane->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static nsec jitter(struct lane *lane)
{
    uint64_t range = 2 * (uint64_t)lane->properties.jitter + 1;
    return (nsec)(next_random(lane) % range) - lane->properties.jitter;
}

/* ------------------------------------------------------------------- under way */

static bool is_before(const struct lane_travel *a, const struct lane_travel *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct lane_travel *a, struct lane_travel *b)
{
    struct lane_travel c = *a;
    *a = *b;
    *b = c;
}

static void depart(struct lane *lane, struct wire_frame *frame, nsec due)
{
    vec_push(&lane->travels, ((struct lane_travel){due, lane->order++, frame}));
    struct lane_travel *t = lane->travels.at;
    for (size_t i = lane->travels.n - 1; i > 0; i = (i - 1) / 2) {
        if (!is_before(&t[i], &t[(i - 1) / 2]))
            break;
        swap(&t[i], &t[(i - 1) / 2]);
    }
}

static struct wire_frame *arrive(struct lane *lane)
{
    struct lane_travel *t = lane->travels.at;
    struct wire_frame *frame = t[0].frame;
    t[0] = t[--lane->travels.n];
    for (size_t i = 0, child; (child = 2 * i + 1) < lane->travels.n; i = child) {
        if (child + 1 < lane->travels.n && is_before(&t[child + 1], &t[child]))
            child++;
        if (!is_before(&t[child], &t[i]))
            break;
        swap(&t[child], &t[i]);
    }
    return frame;
}

/* -------------------------------------------------------- loss, rate and delay */

static bool is_lost(struct lane *lane)
{
    return lane->properties.loss && next_random(lane) % MILLION < lane->properties.loss;
}

/* Forgets those that have departed by `now`. */
static void let_go(struct lane *lane, nsec now)
{
    while (lane->gone < lane->waiting.n && lane->waiting.at[lane->gone].departs <= now)
        lane->waiting_bytes -= lane->waiting.at[lane->gone++].len;
    if (lane->gone * 2 < lane->waiting.n || lane->gone == 0)
        return;
    lane->waiting.n -= lane->gone;
    memmove(lane->waiting.at, lane->waiting.at + lane->gone,
            lane->waiting.n * sizeof(*lane->waiting.at));
    lane->gone = 0;
}

/* The first of those that have not departed is in service and does not wait. */
static bool is_queue_full(const struct lane *lane, uint32_t len)
{
    const struct wire_properties *p = &lane->properties;
    size_t n = lane->waiting.n - lane->gone;
    if (!p->queue || n == 0)
        return false;
    if (p->queue_bytes)
        return lane->waiting_bytes - lane->waiting.at[lane->gone].len + len > p->queue;
    return n - 1 >= p->queue;
}

/* How long the rate takes for a frame. */
static nsec service_time(const struct lane *lane, uint32_t len)
{
    uint64_t rate = lane->properties.rate, bits = (uint64_t)len * 8;
    return rate ? (nsec)((bits * NSEC_PER_SEC + rate / 2) / rate) : 0;
}

/* When a frame that comes at `now` has passed the rate; NSEC_NEVER: the queue is full. */
static nsec pass_rate(struct lane *lane, uint32_t len, nsec now)
{
    if (!lane->properties.rate)
        return now;
    let_go(lane, now);
    if (is_queue_full(lane, len))
        return NSEC_NEVER;
    nsec begins = lane->free_at > now ? lane->free_at : now;
    lane->free_at = begins + service_time(lane, len);
    vec_push(&lane->waiting, ((struct lane_waiting){lane->free_at, len}));
    lane->waiting_bytes += len;
    return lane->free_at;
}

static void lose(struct lane *lane, enum wire_action how, struct wire_frame *frame)
{
    lane->note(lane->ctx, how, lane->properties_step, frame, NULL);
    free(frame);
}

/* Takes over a frame that has passed the rate at `departs`. */
static void put_under_way(struct lane *lane, struct wire_frame *frame, nsec departs, nsec extra)
{
    nsec due = departs + lane->properties.delay;
    if (lane->properties.jitter)
        due += jitter(lane);
    if (due < lane->last_due)
        due = lane->last_due;
    if (!extra)
        lane->last_due = due;
    depart(lane, frame, due + extra);
}

/* ------------------------------------------------------------- the fair queue */

/* The clerk takes the next one. */
static void serve_one(struct lane *lane)
{
    nsec extra;
    struct wire_frame *frame = fair_pop(&lane->fair, &extra);
    lane->free_at += service_time(lane, frame->len);
    put_under_way(lane, frame, lane->free_at, extra);
}

/* What he has chosen by `now`. */
static void serve(struct lane *lane, nsec now)
{
    while (lane->fair.n && lane->free_at <= now)
        serve_one(lane);
}

/* Takes the frame over.  If nobody is before it, it is in service at once. */
static void line_up(struct lane *lane, struct wire_frame *frame, nsec now, nsec extra)
{
    const struct wire_properties *p = &lane->properties;
    serve(lane, now);
    if (lane->free_at < now)
        lane->free_at = now;
    fair_push(&lane->fair, frame, extra);
    serve(lane, now);
    while ((p->queue_bytes ? lane->fair.bytes : lane->fair.n) > p->queue)
        lose(lane, WIRE_OVERFLOW, fair_drop(&lane->fair));
}

/* The earliest moment at which the next of those that wait can be due. */
static nsec first_due(const struct lane *lane)
{
    const struct wire_frame *next = fair_next(&lane->fair);
    return next ? lane->free_at + service_time(lane, next->len) + lane->properties.delay -
                      lane->properties.jitter
                : NSEC_NEVER;
}

nsec lane_next(const struct lane *lane)
{
    nsec waits = first_due(lane), travels = lane->travels.n ? lane->travels.at[0].due : NSEC_NEVER;
    return waits < travels ? waits : travels;
}

struct wire_frame *lane_pop(struct lane *lane, nsec now)
{
    while (first_due(lane) <= now)
        serve_one(lane);
    return lane->travels.n && lane->travels.at[0].due <= now ? arrive(lane) : NULL;
}

/* ------------------------------------------------------------------- entrance */

/* Takes the frame over. */
static void enter(struct lane *lane, struct wire_frame *frame, nsec now, nsec extra)
{
    nsec departs;
    if (is_lost(lane))
        lose(lane, WIRE_LOSS, frame);
    else if (lane->properties.rate && lane->properties.queue_fair)
        line_up(lane, frame, now, extra);
    else if ((departs = pass_rate(lane, frame->len, now)) == NSEC_NEVER)
        lose(lane, WIRE_OVERFLOW, frame);
    else
        put_under_way(lane, frame, departs, extra);
}

static struct wire_frame *copy_of(const struct wire_frame *frame)
{
    struct wire_frame *copy = wire_frame_new(frame->data, frame->len, frame->at);
    copy->number = frame->number;
    copy->stamp = frame->stamp;
    return copy;
}

static void enter_copies(struct lane *lane, struct wire_frame *frame, unsigned copies, nsec now,
                         nsec extra)
{
    for (; copies; copies--)
        enter(lane, copy_of(frame), now, extra);
    enter(lane, frame, now, extra);
}

/* ----------------------------------------------------------------------- rules */

struct verdict {
    bool drop;
    unsigned copies, hold;
    nsec extra;
    long held_by; /* the step */
};

static bool change(struct wire_frame *frame, const struct wire_rule *rule)
{
    struct packet p;
    wire_frame_decode(frame, &p);
    if (rule->action == WIRE_CORRUPT)
        return wire_frame_corrupt(frame, &p);
    return rule->action == WIRE_MARK ? wire_frame_mark(frame, &p)
                                     : wire_frame_rewrite(frame, &p, rule);
}

/* Whether it could be done. */
static bool apply(const struct lane_rule *r, struct wire_frame *frame, struct verdict *v)
{
    const struct wire_rule *rule = r->rule;
    switch (rule->action) {
    case WIRE_DROP:
        v->drop = true;
        return true;
    case WIRE_DELAY:
        v->extra += rule->delay;
        return true;
    case WIRE_DUPLICATE:
        v->copies++;
        return true;
    case WIRE_HOLD:
        v->hold += rule->more;
        v->held_by = r->step;
        return true;
    case WIRE_CORRUPT:
    case WIRE_MARK:
    case WIRE_REWRITE:
        return change(frame, rule);
    case WIRE_INJECT:
    case WIRE_LOSS:
    case WIRE_OVERFLOW:
    case WIRE_STAY:
    case WIRE_ACTION_COUNT:
        break;
    }
    return false;
}

static bool changes(const struct wire_rule *rule)
{
    return rule->action == WIRE_CORRUPT || rule->action == WIRE_MARK ||
           rule->action == WIRE_REWRITE;
}

/* `as_sent` is how the frame came.  What is told of a frame that was changed is what became
 * of it in the end. */
static struct verdict ask_rules(struct lane *lane, struct wire_frame *frame,
                                const struct wire_frame *as_sent, uint32_t first)
{
    struct verdict v = {0};
    struct packet p;
    VEC(const struct lane_rule *) applied = {0};
    wire_frame_decode(as_sent, &p);
    for (size_t i = 0; i < lane->rules.n && !v.drop; i++) {
        struct lane_rule *r = &lane->rules.at[i];
        if (wire_picker_takes(&r->picker, &p, first) && apply(r, frame, &v))
            vec_push(&applied, r);
    }
    vec_each (&applied, r)
        lane->note(lane->ctx, (*r)->rule->action, (*r)->step, as_sent,
                   changes((*r)->rule) && !v.drop ? frame : NULL);
    vec_free(&applied);
    return v;
}

static uint32_t first_number(struct lane *lane, const struct wire_frame *frame)
{
    struct packet p;
    int dir;
    wire_frame_decode_headers(frame, &p);
    return p.transport == TRANSPORT_TCP ? wire_flows_note(lane->flows, &p, &dir)->side[dir].first
                                        : 0;
}

static void release(struct lane *lane, size_t at, nsec now)
{
    struct lane_held h = lane->held.at[at];
    lane->held.n--;
    memmove(&lane->held.at[at], &lane->held.at[at + 1],
            (lane->held.n - at) * sizeof(*lane->held.at));
    enter_copies(lane, h.frame, h.copies, now, h.extra);
}

/* One more frame has gone on. */
static void count_passing(struct lane *lane, nsec now)
{
    for (size_t i = 0; i < lane->held.n;) {
        if (--lane->held.at[i].more == 0)
            release(lane, i, now);
        else
            i++;
    }
}

void lane_take(struct lane *lane, struct wire_frame *frame)
{
    nsec now = frame->at;
    frame->number = ++lane->taken;
    uint32_t first = first_number(lane, frame);
    struct verdict v = {0};
    if (lane->rules.n) {
        cleanup_free struct wire_frame *as_sent = copy_of(frame);
        v = ask_rules(lane, frame, as_sent, first);
    }
    if (v.drop) {
        free(frame);
    } else if (v.hold) {
        vec_push(&lane->held, ((struct lane_held){frame, v.hold, v.copies, v.extra, v.held_by}));
    } else {
        enter_copies(lane, frame, v.copies, now, v.extra);
        count_passing(lane, now);
    }
}

void lane_inject(struct lane *lane, long step, struct wire_frame *frame)
{
    lane->note(lane->ctx, WIRE_INJECT, step, NULL, frame);
    depart(lane, frame, frame->at);
}

static void note_waiting(const void *ctx, const struct wire_frame *frame)
{
    const struct lane *lane = ctx;
    lane->note(lane->ctx, WIRE_STAY, -1, frame, NULL);
}

void lane_note_staying(const struct lane *lane)
{
    fair_each(&lane->fair, note_waiting, lane);
    vec_each (&lane->held, h)
        lane->note(lane->ctx, WIRE_STAY, h->step, h->frame, NULL);
    vec_each (&lane->travels, t)
        if (t->frame->number)
            lane->note(lane->ctx, WIRE_STAY, -1, t->frame, NULL);
}

/* ------------------------------------------------------------------ programming */

int lane_add_rule(struct lane *lane, long step, const struct wire_rule *rule, struct error *err)
{
    struct lane_rule r = {.step = step, .rule = rule};
    if (wire_picker_init(&r.picker, &rule->pick, err) < 0)
        return -1;
    vec_push(&lane->rules, r);
    return 0;
}

void lane_set(struct lane *lane, long step, const struct wire_properties *p)
{
    struct wire_properties *mine = &lane->properties;
    serve(lane, NSEC_NEVER - 1); /* who waits goes as he would have gone */
    lane->properties_step = step;
    if (p->has & WIRE_HAS_DELAY)
        mine->delay = p->delay;
    if (p->has & WIRE_HAS_JITTER)
        mine->jitter = p->jitter;
    if (p->has & WIRE_HAS_LOSS)
        mine->loss = p->loss;
    if (p->has & (WIRE_HAS_LOSS | WIRE_HAS_JITTER))
        lane->random = mine->seed = p->seed;
    if (p->has & WIRE_HAS_RATE)
        mine->rate = p->rate;
    if (p->has & WIRE_HAS_QUEUE) {
        mine->queue = p->queue;
        mine->queue_bytes = p->queue_bytes;
        mine->queue_fair = p->queue_fair;
    }
}

void lane_clear(struct lane *lane, nsec now)
{
    drop_rules(lane);
    serve(lane, NSEC_NEVER - 1);
    lane->properties = (struct wire_properties){0};
    lane->properties_step = -1;
    while (lane->held.n)
        release(lane, 0, now);
}
