/* When to look.
 *
 * The kernel tells nobody without root of a change from one state to the next (the
 * tracepoint sock:inet_sock_set_state is not for namespaces), so somebody has to ask, and a
 * clock that asks often enough would disturb what it looks at.  But what changes a state is
 * known: a segment, a call, or a timer.  So the director notes each packet that is captured
 * and each call that returns, and when its loop has come round, the sockets that these were
 * about are looked up: one lookup each, about four microseconds, after the packet and not
 * before it.  For timers, each answer of the kernel says when the socket's own timer is due
 * (TIME-WAIT, FIN-WAIT-2, retransmission …): then it is looked at again, since a socket may
 * end there without a segment.  Timers come late (transcript/timing.h), so while one is
 * overdue the looks go on, at intervals that double.
 *
 * Where packets come by the thousand, a look for each would take time away from those who
 * send them: looks after packets get a share of the time, and one that finds none left is
 * postponed, not left out.  A scene of some dozens of packets never notices.
 *
 * Everything is done in the director's thread and by its loop.  So nothing outlives the run,
 * and where the clock is virtual, looks repeat as exactly as the packets and the calls do.
 * The notifications of destroyed sockets (SKNLGRP_INET_TCP_DESTROY) would say nothing more,
 * and they send each socket's end through a work queue.
 *
 * A connection is known from its packets, or from the call that makes it, of which the agent
 * tells as soon as it has begun: while the peer's hardware address is asked for, or where the
 * cable is out at this end, there is a socket in SYN-SENT and no SYN.  A listener is known
 * from a short list that is asked for after calls that may make one.  The list of all sockets is
 * never asked for: it takes milliseconds where memory is large, see run/diag.h.
 *
 * Where the lab says `trace`, a look asks for the numbers of struct tcp_info, too, for which
 * the kernel locks the socket for a moment; with `every`, a timer makes further looks.
 *
 * What comes and goes between two looks is not seen, and nothing is made up for it. */
#include "run/sampler.h"

#include <errno.h>
#include <fcntl.h>

#include "base/memory.h"
#include "netns/ns.h"
#include "run/diag.h"

enum {
    SOCKETS_MAX = 1024, /* that are told of in one run */
    FRESH_MAX = 256,    /* unknown pairs between two looks */
    CALL_MAX = 64,      /* sockets that are looked at after a call */
    BUCKETS = 1024,
};

/* Looks after packets may take a twentieth of the time, and BURST at once. */
enum { SHARE = 20 };
static const nsec BURST = 5 * NSEC_PER_MSEC;
static const nsec LOOK_MAX = 200 * NSEC_PER_USEC;

static const nsec OVERDUE_MAX = 512 * NSEC_PER_MSEC;

/* One end of a connection, or a listener: where it was seen, and what may be asked again. */
struct end {
    int host;
    struct socket_pair pair;
};

struct watched {
    struct end end;
    enum tcp_state state;
    nsec looked;  /* CLOCK_REALTIME, just before the latest look */
    nsec due;     /* CLOCK_MONOTONIC: when its timer asks for a look */
    nsec overdue; /* the pause before that look, where the timer is late */
    bool touched, has_values;
    struct record_values values;
    size_t next; /* in its bucket: index + 1, 0 at the end */
};

struct sampler;

struct host {
    struct sampler *sampler;
    int fd;      /* of diag_open(); -1: not asked */
    bool relist; /* ask for listeners */
    bool runs;   /* programs of the machine, which may make listeners at any time */
    bool traced; /* the lab asks for values */
    loop_id pulse;
};

struct sampler {
    struct record *record;
    struct loop *loop;
    nsec tick;
    VEC(struct host) hosts;
    VEC(struct watched) watched;
    VEC(size_t) touched;     /* indices of watched */
    VEC(struct end) fresh;   /* not known yet */
    size_t buckets[BUCKETS]; /* index + 1 into watched, 0: empty */
    loop_id timer;
    nsec armed;  /* for when, CLOCK_MONOTONIC; NSEC_NEVER: it is not */
    bool urgent; /* a call or a timer asks for a look */
    nsec budget; /* what looks may take, as of `counted` (CLOCK_MONOTONIC) */
    nsec counted;
    nsec postponed; /* when there will be some again; NSEC_NEVER: there is */
};

/* ------------------------------------------------------------------- sockets */

static bool is_listener(const struct socket_pair *pair)
{
    return pair->remote.version == 0;
}

static bool same_end(const struct end *a, const struct end *b)
{
    return a->host == b->host && a->pair.local_port == b->pair.local_port &&
           a->pair.remote_port == b->pair.remote_port &&
           is_listener(&a->pair) == is_listener(&b->pair) &&
           ipaddr_equal(&a->pair.local, &b->pair.local) &&
           (is_listener(&a->pair) || ipaddr_equal(&a->pair.remote, &b->pair.remote));
}

/* FNV-1a. */
static size_t bucket_of(const struct end *end)
{
    uint32_t hash = 2166136261U;
    unsigned ports[] = {(unsigned)end->host, end->pair.local_port, end->pair.remote_port};
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
        hash = (hash ^ ports[i]) * 16777619U;
    for (size_t i = 0; i < sizeof(end->pair.local.bytes); i++)
        hash = (hash ^ end->pair.local.bytes[i] ^ (uint32_t)end->pair.remote.bytes[i] << 8) *
               16777619U;
    return hash % BUCKETS;
}

static struct watched *find(const struct sampler *s, const struct end *end)
{
    for (size_t i = s->buckets[bucket_of(end)]; i; i = s->watched.at[i - 1].next)
        if (same_end(&s->watched.at[i - 1].end, end))
            return &s->watched.at[i - 1];
    return NULL;
}

static struct watched *watch(struct sampler *s, const struct end *end)
{
    if (s->watched.n == SOCKETS_MAX) {
        s->record->states_cut = true;
        return NULL;
    }
    size_t *bucket = &s->buckets[bucket_of(end)];
    struct watched *w = vec_add(&s->watched);
    *w = (struct watched){.end = *end, .due = NSEC_NEVER, .next = *bucket};
    *bucket = s->watched.n;
    return w;
}

static void touch_watched(struct sampler *s, struct watched *w)
{
    if (w->touched)
        return;
    w->touched = true;
    vec_push(&s->touched, (size_t)(w - s->watched.at));
}

static void touch(struct sampler *s, const struct end *end)
{
    struct watched *w = find(s, end);
    if (w) {
        touch_watched(s, w);
        return;
    }
    vec_each (&s->fresh, f)
        if (same_end(f, end))
            return;
    if (s->fresh.n == FRESH_MAX)
        s->record->states_cut = true;
    else
        vec_push(&s->fresh, *end);
}

static bool is_alive(const struct watched *w)
{
    return w->state != TCP_STATE_CLOSED && w->state != TCP_STATE_NONE;
}

/* ------------------------------------------------------------------- looking */

/* What only a trace has to say must leave room for states. */
static bool is_full(const struct record *r, bool new_state)
{
    return r->states.n >= (new_state ? RECORD_STATES_MAX : RECORD_STATES_MAX / 4 * 3);
}

static void add_state(struct sampler *s, const struct watched *w, nsec time, enum tcp_state state,
                      const struct diag_socket *found)
{
    if (is_full(s->record, state != w->state)) {
        s->record->states_cut = true;
        return;
    }
    struct record_state *r = vec_add(&s->record->states);
    *r = (struct record_state){.time = time,
                               .after = w->looked,
                               .host = w->end.host,
                               .local = w->end.pair.local,
                               .remote = w->end.pair.remote,
                               .local_port = w->end.pair.local_port,
                               .remote_port = w->end.pair.remote_port,
                               .old = w->state,
                               .new = state};
    if (found && found->has_values) {
        r->has_values = true;
        r->values = found->values;
    }
}

/* When the socket's timer will have done what it does.  The kernel counts in ticks. */
static void set_due(const struct sampler *s, struct watched *w, const struct diag_socket *found)
{
    nsec now = clock_ns(CLOCK_MONOTONIC);
    if (!found || !found->has_timer) {
        w->due = NSEC_NEVER;
        return;
    }
    if (found->timer_left > 0) {
        w->overdue = 0;
        w->due = now + found->timer_left + 2 * s->tick;
        return;
    }
    w->overdue = w->overdue ? 2 * w->overdue : s->tick;
    if (w->overdue > OVERDUE_MAX)
        w->overdue = OVERDUE_MAX;
    w->due = now + w->overdue;
}

/* found: NULL if there is no such socket. */
static void note_look(struct sampler *s, struct watched *w, const struct diag_socket *found,
                      nsec before)
{
    enum tcp_state state = found ? found->state : TCP_STATE_CLOSED;
    bool values = found && found->has_values &&
                  (!w->has_values || memcmp(&w->values, &found->values, sizeof(w->values)) != 0);
    if (state != w->state || values)
        add_state(s, w, clock_ns(CLOCK_REALTIME), state, found);
    w->state = state;
    w->looked = before;
    w->has_values = found && found->has_values;
    if (w->has_values)
        w->values = found->values;
    set_due(s, w, found);
}

static void look_again(struct sampler *s, struct watched *w)
{
    struct diag_socket found;
    nsec before = clock_ns(CLOCK_REALTIME);
    w->touched = false;
    w->due = NSEC_NEVER;
    const struct host *h = &s->hosts.at[w->end.host];
    int n = diag_find(h->fd, &w->end.pair, h->traced, &found);
    if (n >= 0)
        note_look(s, w, n ? &found : NULL, before);
}

static void look_first(struct sampler *s, const struct end *end)
{
    struct diag_socket found;
    nsec before = clock_ns(CLOCK_REALTIME);
    const struct host *h = &s->hosts.at[end->host];
    if (diag_find(h->fd, &end->pair, h->traced, &found) <= 0)
        return;
    struct watched *w = watch(s, end);
    if (w)
        note_look(s, w, &found, before);
}

struct listing {
    struct sampler *sampler;
    int host;
    nsec before;
};

static void take_listener(void *ctx, const struct diag_socket *found)
{
    const struct listing *l = ctx;
    struct end end = {.host = l->host, .pair = found->pair};
    struct watched *w = find(l->sampler, &end);
    if (!w)
        w = watch(l->sampler, &end);
    if (w)
        note_look(l->sampler, w, found, l->before);
}

static void list_listeners(struct sampler *s, int host)
{
    struct listing l = {.sampler = s, .host = host};
    for (unsigned ip = 4; ip <= 6; ip += 2) {
        l.before = clock_ns(CLOCK_REALTIME);
        diag_listeners(s->hosts.at[host].fd, ip, take_listener, &l);
    }
    s->hosts.at[host].relist = false;
}

static void on_timer(void *ctx, nsec due)
{
    struct sampler *s = ctx;
    (void)due;
    nsec now = clock_ns(CLOCK_MONOTONIC);
    s->armed = NSEC_NEVER;
    s->urgent = true;
    vec_each (&s->watched, w)
        if (w->due <= now)
            touch_watched(s, w);
}

/* A timer that comes too early finds nothing to do, and is set anew. */
static void arm(struct sampler *s)
{
    nsec first = s->postponed;
    vec_each (&s->watched, w)
        if (w->due < first)
            first = w->due;
    if (first >= s->armed)
        return;
    nsec left = first - clock_ns(CLOCK_MONOTONIC);
    loop_remove(s->loop, s->timer);
    s->timer = loop_add_timer(s->loop, left > 0 ? left : 0, 0, on_timer, s);
    s->armed = first;
}

/* Whether there is something left of the share; if not, the look is made up for. */
static bool can_afford(struct sampler *s)
{
    nsec now = clock_ns(CLOCK_MONOTONIC);
    s->budget += (now - s->counted) / SHARE;
    if (s->budget > BURST)
        s->budget = BURST;
    s->counted = now;
    if (s->budget > 0)
        return true;
    if (s->postponed == NSEC_NEVER) {
        s->postponed = now + NSEC_PER_MSEC - s->budget * SHARE;
        arm(s);
    }
    return false;
}

static void look(struct sampler *s)
{
    for (size_t i = 0; i < s->hosts.n; i++)
        if (s->hosts.at[i].relist)
            list_listeners(s, (int)i);
    vec_each (&s->touched, i)
        look_again(s, &s->watched.at[*i]);
    s->touched.n = 0;
    vec_each (&s->fresh, end)
        look_first(s, end);
    s->fresh.n = 0;
}

/* Other programs' turns, which may fall into a look, are not its cost. */
void sampler_look(struct sampler *s)
{
    bool nothing = s->touched.n == 0 && s->fresh.n == 0;
    if (!s->record->has_states || (nothing && !s->urgent) || (!can_afford(s) && !s->urgent))
        return;
    look(s);
    nsec took = clock_ns(CLOCK_MONOTONIC) - s->counted;
    s->budget -= took < LOOK_MAX ? took : LOOK_MAX;
    s->urgent = false;
    s->postponed = NSEC_NEVER;
    arm(s);
}

/* --------------------------------------------------------------------- events */

static struct end other_end(const struct sampler *s, const struct socket_pair *pair)
{
    return (struct end){.host = record_find_host(s->record, &pair->remote),
                        .pair = {.local = pair->remote,
                                 .remote = pair->local,
                                 .local_port = pair->remote_port,
                                 .remote_port = pair->local_port}};
}

static void touch_both(struct sampler *s, const struct end *end)
{
    struct end other = other_end(s, &end->pair);
    if (end->host >= 0)
        touch(s, end);
    if (other.host >= 0)
        touch(s, &other);
}

void sampler_note_packet(struct sampler *s, const struct packet *p)
{
    if (p->transport != TRANSPORT_TCP)
        return;
    struct end end = {.host = record_find_host(s->record, &p->ip.src),
                      .pair = {.local = p->ip.src,
                               .remote = p->ip.dst,
                               .local_port = p->tcp.sport,
                               .remote_port = p->tcp.dport}};
    touch_both(s, &end);
    int to = record_find_host(s->record, &p->ip.dst);
    if (to >= 0 && (p->tcp.flags & TCP_SYN))
        s->hosts.at[to].relist |= s->hosts.at[to].runs;
}

static void touch_alive(struct sampler *s, size_t most)
{
    for (size_t i = 0; i < s->watched.n && s->touched.n < most; i++)
        if (is_alive(&s->watched.at[i]))
            touch_watched(s, &s->watched.at[i]);
}

void sampler_note_call(struct sampler *s, int host, enum verb_id verb,
                       const struct socket_pair *pair)
{
    if (pair->local.version)
        touch_both(s, &(struct end){.host = host, .pair = *pair});
    touch_alive(s, CALL_MAX);
    s->urgent = true;
    s->hosts.at[host].relist |= verb == VERB_LISTEN || verb == VERB_RUN;
}

void sampler_note_begun(struct sampler *s, int host, const struct socket_pair *pair)
{
    if (pair->local.version)
        touch(s, &(struct end){.host = host, .pair = *pair});
    s->urgent = true;
}

void sampler_finish(struct sampler *s)
{
    touch_alive(s, SOCKETS_MAX);
    s->urgent = true;
    sampler_look(s);
}

/* A trace that looks at its own pace, too. */
static void on_pulse(void *ctx, nsec due)
{
    const struct host *h = ctx;
    (void)due;
    vec_each (&h->sampler->watched, w)
        if (&h->sampler->hosts.at[w->end.host] == h && is_alive(w))
            touch_watched(h->sampler, w);
}

/* ---------------------------------------------------------- beginning and end */

static void ignore(void *ctx, const struct diag_socket *found)
{
    (void)ctx;
    (void)found;
}

/* The array of hosts does not move any more. */
static void start_traces(struct sampler *s, const struct lab *lab)
{
    vec_each (&lab->traces, trace) {
        struct host *h = &s->hosts.at[trace->host];
        h->traced = true;
        if (trace->every)
            h->pulse = loop_add_timer(s->loop, trace->every, trace->every, on_pulse, h);
    }
}

static int open_hosts(struct sampler *s, const struct topo *topo, struct error *err)
{
    cleanup_fd int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot open the switches' namespace");
    int ret = 0;
    for (size_t i = 0; i < s->hosts.n && ret == 0; i++) {
        ret = topo_enter(topo, (int)i, err);
        if (ret == 0)
            s->hosts.at[i].fd = diag_open();
    }
    return ns_enter(own, err) < 0 ? -1 : ret;
}

/* One question tells whether this kernel answers, and makes it load the module for that. */
static bool answers(const struct sampler *s)
{
    vec_each (&s->hosts, h)
        if (h->fd < 0 || diag_listeners(h->fd, 4, ignore, NULL) < 0)
            return false;
    return true;
}

struct sampler *sampler_new(const struct lab *lab, const struct topo *topo, struct record *record,
                            struct loop *loop, struct error *err)
{
    struct sampler *s = xcalloc(1, sizeof(*s));
    s->record = record;
    s->loop = loop;
    s->tick = clock_tick();
    s->armed = s->postponed = NSEC_NEVER;
    s->budget = BURST;
    s->counted = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < lab->hosts.n; i++)
        vec_push(&s->hosts, ((struct host){.sampler = s, .fd = -1}));
    vec_each (&lab->steps, step)
        if (step->verb == VERB_RUN)
            s->hosts.at[step->args.at[0].host].runs = true;
    if (open_hosts(s, topo, err) < 0) {
        sampler_free(s);
        return NULL;
    }
    record->has_states = answers(s);
    if (record->has_states)
        start_traces(s, lab);
    return s;
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    loop_remove(s->loop, s->timer);
    vec_each (&s->hosts, h) {
        loop_remove(s->loop, h->pulse);
        if (h->fd >= 0)
            close(h->fd);
    }
    vec_free(&s->hosts);
    vec_free(&s->watched);
    vec_free(&s->touched);
    vec_free(&s->fresh);
    free(s);
}
