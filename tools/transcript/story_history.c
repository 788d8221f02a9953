/* What a connection's history determines.
 *
 * Theory of operation
 *
 * Sendings and arrivals of all flows are put in one order in time and played through
 * a model of both endpoints of each flow.  At every sending, before the model takes
 * it in, the model's state is what the segment must agree with:
 *
 *   seq    from snd_una to snd_nxt: what was sent, and what the ACKs that had arrived
 *          covered.  A reset without ACK takes its number from the ACK that provoked
 *          it (RFC 9293 3.5.2).
 *   ack    rcv_nxt: everything that had arrived in order, SYN and FIN included.
 *   TSval  the first one and the time since, in milliseconds (Linux counts 1000 a
 *          second), give or take 1, a tick (TICK_UNKNOWN if the record does not say),
 *          the host's lateness and the steps of its clock.
 *   TSecr  TS.Recent of RFC 7323 4.3: an acceptable segment's TSval is taken when it
 *          begins at or before the last ACK sent.  As Linux has it, a segment wholly
 *          before that is not acceptable, nor is a repeated SYN, nor anything but the
 *          next number in TIME-WAIT.
 *
 * All of it is relative, as in the story.  It can be known only if the sender's own
 * host was captured, so that what had reached it is known.  For other senders the
 * model takes everything as sent when it was seen, and as arrived then too: what they
 * sent is known to be right where it agrees with that, and otherwise nothing is known.
 * Their TSval may be off by STORY_AT_ONCE more, since the stamp is not theirs.
 *
 * What arrives in the kernel may lie in a socket's backlog while a call has the socket;
 * so a value that an arrival changed sooner than STORY_AT_ONCE before also has its
 * `before`.
 *
 * Round-trip times are those that the sender could measure by Karn's rule: from a
 * segment that was sent once to the ACK that first covers it, the largest yet. */
#include "transcript/story_build.h"

#define TICK_UNKNOWN (10 * NSEC_PER_MSEC)
#define MAX_SLACK (3600 * NSEC_PER_SEC) /* of each part; evidence may say anything */
#define MAX_EARLY 1024 /* gaps that one endpoint's reassembly is followed through */
#define MAX_COVER 2048 /* segments in flight that one retransmission may cover */
#define MAX_WSCALE 14  /* RFC 7323 2.3 */
#define PAWS_WINDOW 1  /* TCP_PAWS_WINDOW of Linux: how much older is still good */

struct range {
    uint32_t from, to; /* to: one past the last */
};

/* Something that was sent and is not acknowledged yet. */
struct flight {
    uint32_t to;
    nsec sent;
    bool again; /* sent more than once: no sample */
};

struct endpoint {
    /* Sending: */
    bool sent_any, sent_fin;
    uint32_t snd_una, snd_nxt;
    VEC(struct flight) flight; /* in the order of their numbers */
    size_t flight_head;
    nsec rtt;
    bool sent_ts;
    uint32_t tsval; /* its first, relative: where its clock stood … */
    nsec ts_time;   /* … at this stamp */
    /* Receiving: */
    bool receiving; /* rcv_nxt is known */
    bool astray;    /* too many gaps: rcv_nxt is not followed any more */
    bool got_syn, got_fin;
    uint32_t rcv_nxt, rcv_before;
    nsec rcv_time;           /* when it last changed */
    VEC(struct range) early; /* beyond a gap, in order */
    bool got_ack;
    uint32_t last_ack_got;
    bool sent_ack;
    uint32_t last_ack_sent;
    bool has_recent;
    uint32_t recent, recent_before;
    nsec recent_time;
    /* The window it offered: */
    bool sent_syn, offers_wscale, has_edge;
    uint8_t wscale;
    uint32_t edge; /* one past the highest number that it was ready to take */
};

struct event {
    nsec time;
    size_t packet;
    bool arrival; /* of two at one packet the sending comes first */
    size_t segment;
};

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* ------------------------------------------------------------------ reassembly */

/* The first range that ends at or behind `from`. */
static size_t find_range(const struct endpoint *e, uint32_t from)
{
    size_t low = 0, high = e->early.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (before(e->early.at[middle].to, from))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_range(const struct endpoint *e, struct range r)
{
    if (!before(e->rcv_nxt, r.to))
        return true;
    size_t i = find_range(e, r.to);
    return i < e->early.n && !before(r.from, e->early.at[i].from) &&
           !before(e->early.at[i].to, r.to);
}

/* Keeps a range that begins beyond rcv_nxt. */
static void keep_range(struct endpoint *e, struct range r)
{
    size_t i = find_range(e, r.from), end = i;
    for (; end < e->early.n && !before(r.to, e->early.at[end].from); end++) {
        if (before(e->early.at[end].from, r.from))
            r.from = e->early.at[end].from;
        if (before(r.to, e->early.at[end].to))
            r.to = e->early.at[end].to;
    }
    size_t tail = e->early.n - end;
    if (end == i)
        (void)vec_add(&e->early);
    memmove(&e->early.at[i + 1], &e->early.at[end], tail * sizeof(*e->early.at));
    e->early.at[i] = r;
    e->early.n = i + 1 + tail;
    if (e->early.n > MAX_EARLY)
        e->astray = true;
}

static void receive_to(struct endpoint *e, uint32_t to, nsec now)
{
    e->rcv_before = e->rcv_nxt;
    e->rcv_time = now;
    e->rcv_nxt = to;
    size_t used = 0;
    for (; used < e->early.n && !before(e->rcv_nxt, e->early.at[used].from); used++) {
        if (before(e->rcv_nxt, e->early.at[used].to))
            e->rcv_nxt = e->early.at[used].to;
    }
    if (!used)
        return;
    e->early.n -= used;
    memmove(e->early.at, e->early.at + used, e->early.n * sizeof(*e->early.at));
}

static void receive_range(struct endpoint *e, struct range r, nsec now)
{
    if (e->astray || !before(e->rcv_nxt, r.to))
        return;
    if (e->has_edge && !before(r.from, e->edge))
        return;
    if (before(e->rcv_nxt, r.from))
        keep_range(e, r);
    else
        receive_to(e, r.to, now);
}

/* --------------------------------------------------------------------- arrivals */

static void arrive_ack(struct endpoint *e, uint32_t ack, nsec now)
{
    e->got_ack = true;
    e->last_ack_got = ack;
    if (!e->sent_any || !before(e->snd_una, ack) || before(e->snd_nxt, ack))
        return;
    e->snd_una = ack;
    while (e->flight_head < e->flight.n && !before(ack, e->flight.at[e->flight_head].to)) {
        const struct flight *f = &e->flight.at[e->flight_head++];
        if (!f->again && now - f->sent > e->rtt)
            e->rtt = now - f->sent;
    }
}

static void take_recent(struct endpoint *e, uint32_t tsval, nsec now)
{
    if (!e->has_recent || e->recent != tsval) {
        e->recent_before = e->has_recent ? e->recent : tsval;
        e->recent_time = now;
    }
    e->recent = tsval;
    e->has_recent = true;
}

static bool in_time_wait(const struct endpoint *e)
{
    return e->got_fin && e->sent_fin && e->snd_una == e->snd_nxt;
}

/* RFC 7323 4.3, with Linux's idea of what is acceptable. */
static void arrive_timestamp(struct endpoint *e, const struct story_segment *s, nsec now)
{
    const struct tcp_header *t = &s->p->tcp;
    uint32_t end = s->seq + tcp_seq_len(t);
    if (!t->has_ts)
        return;
    if (!e->has_recent || !e->sent_ack) {
        if (!e->has_recent || t->flags & TCP_SYN || before(e->recent, s->tsval))
            take_recent(e, s->tsval, now);
        return;
    }
    bool repeated_syn = (t->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && e->got_syn;
    bool old = before(end, e->last_ack_sent);
    if (repeated_syn || old || (in_time_wait(e) && s->seq != e->rcv_nxt))
        return;
    if (!before(s->tsval, e->recent) && !before(e->last_ack_sent, s->seq))
        take_recent(e, s->tsval, now);
}

static bool paws_rejects(const struct endpoint *e, const struct story_segment *s)
{
    return s->p->tcp.has_ts && e->has_recent && !(s->p->tcp.flags & TCP_SYN) &&
           (int32_t)(e->recent - s->tsval) > PAWS_WINDOW;
}

/* Damaged on the way.  A bad checksum alone says nothing: on a loopback interface, and
 * wherever a capture is made before the network card fills it in, it is always bad. */
static bool is_damaged(const struct record *r, const struct story_segment *s)
{
    struct packet arrived;
    if (s->arrival < 0 || s->p->tcp.sum != SUM_GOOD)
        return false;
    packet_decode(&arrived, &r->packets.at[s->arrival].frame);
    return arrived.tcp.sum == SUM_BAD;
}

static void arrive(struct endpoint *e, struct story_segment *s, bool seen_sent, bool damaged,
                   nsec now)
{
    const struct tcp_header *t = &s->p->tcp;
    uint32_t end = s->seq + tcp_seq_len(t);
    struct range r = {s->seq, end};
    if (!seen_sent)
        s->retransmission = end != s->seq && e->receiving && has_range(e, r);
    if (damaged)
        return;
    if (t->flags & TCP_ACK)
        arrive_ack(e, s->ack, now);
    if (t->flags & TCP_RST)
        return;
    bool rejected = paws_rejects(e, s);
    arrive_timestamp(e, s, now);
    if (t->flags & TCP_SYN && !e->got_syn) {
        e->got_syn = e->receiving = true;
        e->rcv_nxt = e->rcv_before = s->seq;
        receive_to(e, s->seq + 1, now);
        return; /* data on a SYN is taken only with a Fast Open cookie: its ACK will tell */
    }
    if (e->receiving && end != s->seq && !rejected)
        receive_range(e, r, now);
    if (t->flags & TCP_FIN && e->receiving && e->rcv_nxt == end)
        e->got_fin = true;
}

/* --------------------------------------------------------------------- sendings */

static void due_numbers(struct story_segment *s, const struct endpoint *e)
{
    const struct tcp_header *t = &s->p->tcp;
    bool bare_reset = (t->flags & (TCP_RST | TCP_ACK)) == TCP_RST;
    if (bare_reset && e->got_ack) {
        s->due_seq.known = true;
        s->due_seq.lowest = s->due_seq.highest = e->last_ack_got;
    } else if (e->sent_any) {
        s->due_seq.known = true;
        s->due_seq.lowest = e->snd_una;
        s->due_seq.highest = e->snd_nxt;
    } else if (t->flags & (TCP_SYN | TCP_RST)) {
        s->due_seq.known = true;
    }
    if (t->flags & TCP_ACK && e->receiving && !e->astray) {
        s->due_ack.known = true;
        s->due_ack.value = s->due_ack.before = e->rcv_nxt;
    }
}

static void due_echo(struct story_segment *s, const struct endpoint *e)
{
    if (!(s->p->tcp.flags & TCP_ACK)) {
        s->due_tsecr.known = true;
    } else if (e->has_recent) {
        s->due_tsecr.known = true;
        s->due_tsecr.value = s->due_tsecr.before = e->recent;
    }
}

static void due_a_moment_earlier(struct story_segment *s, const struct endpoint *e, nsec now)
{
    if (s->due_ack.known && now - e->rcv_time < STORY_AT_ONCE)
        s->due_ack.before = e->rcv_before;
    bool echoes = s->due_tsecr.known && s->p->tcp.flags & TCP_ACK;
    if (echoes && now - e->recent_time < STORY_AT_ONCE)
        s->due_tsecr.before = e->recent_before;
}

static void due_tsval(struct story_segment *s, const struct endpoint *e, const struct record *r,
                      bool seen_sent, nsec now)
{
    s->due_tsval.known = true;
    if (!e->sent_ts)
        return; /* the first is 0 by definition */
    nsec step = story_clamp(r->clock_step, -MAX_SLACK, MAX_SLACK);
    nsec slack = story_clamp(r->tick > 0 ? r->tick : TICK_UNKNOWN, 0, MAX_SLACK) +
                 story_clamp(r->lateness, 0, MAX_SLACK);
    slack += step < 0 ? -step : step;
    slack += NSEC_PER_MSEC + (seen_sent ? 0 : STORY_AT_ONCE);
    nsec since = now - e->ts_time, low = since - slack, high = since + slack;
    if (low < 0)
        low = 0;
    s->due_tsval.earliest = e->tsval + (uint32_t)(low / NSEC_PER_MSEC);
    s->due_tsval.latest = e->tsval + (uint32_t)((high + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

/* Takes note of what is in flight; says whether some of it was sent before. */
static bool send_range(struct endpoint *e, uint32_t from, uint32_t to, nsec now)
{
    if (!e->sent_any) {
        e->sent_any = true;
        e->snd_una = e->snd_nxt = from;
    }
    if (from == to)
        return false;
    bool again = before(from, e->snd_nxt);
    size_t low = e->flight_head, high = e->flight.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (before(from, e->flight.at[middle].to))
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = low; i < e->flight.n && i < low + MAX_COVER; i++) {
        bool behind = i > low && !before(e->flight.at[i - 1].to, to);
        if (behind)
            break;
        e->flight.at[i].again = true;
    }
    if (before(e->snd_nxt, to)) {
        vec_push(&e->flight, ((struct flight){to, now, again}));
        e->snd_nxt = to;
    }
    return again;
}

static void offer_window(struct endpoint *e, const struct endpoint *peer,
                         const struct story_segment *s)
{
    const struct tcp_header *t = &s->p->tcp;
    if (t->flags & TCP_SYN) {
        e->sent_syn = true;
        e->offers_wscale = t->has_wscale;
        e->wscale = t->wscale > MAX_WSCALE ? MAX_WSCALE : t->wscale;
    }
    if (!(t->flags & TCP_ACK) || !e->sent_syn || !peer->sent_syn)
        return;
    bool scaled = !(t->flags & TCP_SYN) && e->offers_wscale && peer->offers_wscale;
    uint32_t edge = s->ack + ((uint32_t)t->window << (scaled ? e->wscale : 0));
    if (!e->has_edge || before(e->edge, edge))
        e->edge = edge;
    e->has_edge = true;
}

static void send_segment(struct endpoint *e, const struct endpoint *peer, struct story_segment *s,
                         bool seen_sent, nsec now)
{
    const struct tcp_header *t = &s->p->tcp;
    if (t->flags & TCP_RST)
        return;
    bool again = send_range(e, s->seq, s->seq + tcp_seq_len(t), now);
    if (seen_sent)
        s->retransmission = again;
    e->sent_fin |= (t->flags & TCP_FIN) != 0;
    offer_window(e, peer, s);
    if (t->has_ts && !e->sent_ts) {
        e->sent_ts = true;
        e->tsval = s->tsval;
        e->ts_time = now;
    }
    if (!(t->flags & TCP_ACK))
        return;
    e->sent_ack = true;
    e->last_ack_sent = s->ack;
    bool late_start = !e->receiving, took_more = e->receiving && before(e->rcv_nxt, s->ack);
    if (late_start || took_more) { /* it knows better than the capture */
        if (late_start)
            e->rcv_nxt = s->ack;
        e->receiving = true;
        receive_to(e, s->ack, now);
    }
}

/* Nothing of the sender's past is certain: keep what is confirmed. */
static void keep_confirmed(struct story_segment *s)
{
    s->due_seq.known &= s->seq - s->due_seq.lowest <= s->due_seq.highest - s->due_seq.lowest;
    s->due_ack.known &= s->ack == s->due_ack.value || s->ack == s->due_ack.before;
    s->due_tsecr.known &= s->tsecr == s->due_tsecr.value || s->tsecr == s->due_tsecr.before;
}

static void send_event(const struct story *story, struct endpoint *e, const struct endpoint *peer,
                       struct story_segment *s, bool seen_sent, nsec now)
{
    due_numbers(s, e);
    if (s->p->tcp.has_ts) {
        due_echo(s, e);
        due_tsval(s, e, story->record, seen_sent, now);
    }
    due_a_moment_earlier(s, e, now);
    if (!seen_sent)
        keep_confirmed(s);
    s->rtt = e->rtt;
    send_segment(e, peer, s, seen_sent, now);
}

/* ----------------------------------------------------------------------- replay */

static int compare_events(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->packet != b->packet)
        return a->packet < b->packet ? -1 : 1;
    return a->arrival - b->arrival;
}

static bool is_captured(const struct record *r, int host)
{
    vec_each (&r->points, p) {
        if (p->host == host && host >= 0)
            return true;
    }
    return false;
}

static struct event *list_events(const struct build *b, size_t *n)
{
    const struct story *story = b->story;
    struct event *events = xcalloc(story->segments.n * 2, sizeof(*events));
    *n = 0;
    for (size_t i = 0; i < story->segments.n; i++) {
        const struct story_segment *s = &story->segments.at[i];
        if (s->flow < 0)
            continue;
        events[(*n)++] =
            (struct event){story_packet_stamp(b->record, s->packet), s->packet, false, i};
        if (b->roles[i] == ROLE_SENT && s->arrival < 0 && is_captured(b->record, s->to))
            continue;
        size_t arrival = s->arrival >= 0 ? (size_t)s->arrival : s->packet;
        events[(*n)++] = (struct event){story_packet_stamp(b->record, arrival), arrival, true, i};
    }
    qsort(events, *n, sizeof(*events), compare_events);
    return events;
}

void story_history(struct build *b)
{
    struct story *story = b->story;
    size_t n;
    cleanup_free struct event *events = list_events(b, &n);
    cleanup_free struct endpoint *ends = xcalloc(story->flows.n * 2, sizeof(*ends));
    for (size_t i = 0; i < n; i++) {
        struct story_segment *s = &story->segments.at[events[i].segment];
        struct endpoint *flow = &ends[s->flow * 2];
        enum role role = b->roles[events[i].segment];
        bool seen_sent = role == ROLE_SENT || role == ROLE_LOCAL;
        if (events[i].arrival)
            arrive(&flow[!s->dir], s, seen_sent, is_damaged(b->record, s), events[i].time);
        else
            send_event(story, &flow[s->dir], &flow[!s->dir], s, seen_sent, events[i].time);
    }
    for (size_t i = 0; i < story->flows.n * 2; i++) {
        vec_free(&ends[i].flight);
        vec_free(&ends[i].early);
    }
}
