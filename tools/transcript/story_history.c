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
 *          it (RFC 9293 3.5.2).  A keep-alive and a window probe have the number
 *          before snd_una (tcp_xmit_probe_skb()); both wait for a timer.
 *   ack    rcv_nxt: everything that had arrived in order, SYN and FIN included.
 *   TSval  the first one and the time since, in milliseconds (Linux counts 1000 a
 *          second), give or take 1, a tick (TICK_UNKNOWN if the record does not say),
 *          the host's lateness and the steps of its clock.  The first may have been made
 *          before it was seen, but not before the call that sends it (made_early()).
 *   TSecr  TS.Recent of RFC 7323 4.3: an acceptable segment's TSval is taken when it
 *          begins at or before the last ACK sent.  As Linux has it, a segment wholly
 *          before that is not acceptable, nor is a repeated SYN, nor anything but the
 *          next number in TIME-WAIT.
 *   win    so much at least that the right edge of the window, ACK + window, stays where
 *          it was or moves on: a receiver should not take back what it offered (RFC 9293
 *          3.8.6).  Linux rounds up to what the window scale can express
 *          (tcp_select_window()).  A reset offers nothing, and what a SYN-ACK offers binds
 *          nobody: with a SYN cookie it is forgotten (cookie_v4_check()), and a connection
 *          that waits for its ACK rounds down (tcp_v4_reqsk_send_ack()).  A receiver that is
 *          out of memory may close its window all the same; no lab brings it there.
 *
 * A segment that the wire injected was sent by nobody, so nothing is due of it; but it
 * reaches its receiver as any other, and may change what that acknowledges and echoes.
 * What the wire rewrote reaches it as it was rewritten; what it damaged does not.
 *
 * All of it is relative, as in the story.  It can be known only if the sender's own
 * host was captured, so that what had reached it is known.  For other senders the
 * model takes everything as sent when it was seen, and as arrived then too: what they
 * sent is known to be right where it agrees with that, and otherwise nothing is known.
 * Their TSval may be off by STORY_AT_ONCE more, since the stamp is not theirs.
 *
 * What arrives may lie in a socket's backlog while a call has the socket, so that TCP
 * sends with what it knew a moment ago.  Hence `before`: of what the value was within
 * the last STORY_AT_ONCE, what the segment says, or else the oldest.
 *
 * Round-trip times are those that the sender could measure by Karn's rule: from a
 * segment that was sent once to the ACK that first covers it, the largest yet; of a SYN from
 * when it was made, as far as the next time stamp shows that it was made before it was seen. */
#include "transcript/story_endpoint.h"

#define TICK_UNKNOWN (10 * NSEC_PER_MSEC)
#define SHORTEST_TICK NSEC_PER_MSEC
#define MAX_SLACK (3600 * NSEC_PER_SEC) /* of each part; evidence may say anything */

struct event {
    nsec time;
    size_t packet;
    bool arrival; /* of two at one packet the sending comes first */
    size_t segment;
};

/* ------------------------------------------------------------------- what is due */

static void due_numbers(struct story_segment *s, const struct story_endpoint *e, nsec now)
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
        s->due_seq.probe = now - e->active >= SHORTEST_TICK;
    } else if (t->flags & (TCP_SYN | TCP_RST)) {
        s->due_seq.known = true;
    }
    if (t->flags & TCP_ACK && e->receiving && !e->astray) {
        s->due_ack.known = true;
        s->due_ack.value = e->rcv_nxt;
    }
}

static void due_echo(struct story_segment *s, const struct story_endpoint *e)
{
    if (!(s->p->tcp.flags & TCP_ACK)) {
        s->due_tsecr.known = true;
    } else if (e->has_recent) {
        s->due_tsecr.known = true;
        s->due_tsecr.value = e->recent;
    }
}

static void due_window(struct story_segment *s, const struct story_endpoint *e)
{
    if ((s->p->tcp.flags & (TCP_ACK | TCP_RST)) != TCP_ACK || !e->has_edge)
        return;
    uint32_t left = e->edge - s->ack;
    if ((int32_t)left < 0 || e->from_syn_ack)
        left = 0;
    unsigned shift = endpoint_shift(e, s);
    s->due_win.known = true;
    s->due_win.least = (left + (1U << shift) - 1) >> shift;
}

/* Of what the value was between `past` and `value`, what the segment says; else `past`. */
static uint32_t a_moment_earlier(uint32_t past, uint32_t value, uint32_t says)
{
    return says - past <= value - past ? says : past;
}

static void due_before(struct story_segment *s, struct story_endpoint *e, nsec now)
{
    if (s->due_ack.known)
        s->due_ack.before =
            a_moment_earlier(trail_past(&e->rcv_trail, now), s->due_ack.value, s->ack);
    if (s->due_tsecr.known && s->p->tcp.flags & TCP_ACK)
        s->due_tsecr.before =
            e->has_recent_late && s->tsecr == e->recent_late
                ? e->recent_late
                : a_moment_earlier(trail_past(&e->recent_trail, now), s->due_tsecr.value, s->tsecr);
}

/* How long before its stamp a SYN may have been made, its time stamp with it: no earlier than
 * the call that sends it began.  The kernel may give the processor to somebody else in between
 * (tcp_connect() is preemptible), and then counts that time as part of the round trip. */
static nsec made_early(const struct record *r, const struct story_segment *s, nsec now)
{
    nsec early = 0;
    if ((s->p->tcp.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return 0;
    vec_each (&r->calls, call) {
        bool sends = strcmp(call->verb, "connect") == 0 || strcmp(call->verb, "send") == 0;
        bool lasts = call->began <= now && (call->ended == 0 || call->ended >= now);
        /* Of several calls any may be the one: the next time stamp tells. */
        if (sends && lasts && call->host == s->from && now - call->began > early)
            early = now - call->began;
    }
    return early;
}

/* The next segment's time stamp tells how long it was, to a millisecond. */
static void confirm_early(struct story_endpoint *e, const struct story_segment *s, nsec now)
{
    if (!e->sent_ts || e->ts_confirmed)
        return;
    nsec ticks = (nsec)(s->tsval - e->tsval) + 1;
    nsec early =
        story_clamp(ticks, 0, MAX_SLACK / NSEC_PER_MSEC) * NSEC_PER_MSEC - (now - e->ts_time);
    e->ts_confirmed = true;
    e->ts_early = story_clamp(early, 0, e->ts_early);
    if (e->rtt)
        e->rtt += e->ts_early;
}

static void due_tsval(struct story_segment *s, const struct story_endpoint *e,
                      const struct record *r, bool seen_sent, nsec now)
{
    s->due_tsval.known = true;
    if (!e->sent_ts)
        return; /* the first is 0 by definition */
    nsec then = record_lateness(r, e->ts_time - NSEC_PER_MSEC, e->ts_time);
    nsec lateness = record_lateness(r, now - NSEC_PER_MSEC, now);
    if (then > lateness)
        lateness = then;
    nsec step = story_clamp(r->clock_step, -MAX_SLACK, MAX_SLACK);
    nsec slack = story_clamp(r->tick > 0 ? r->tick : TICK_UNKNOWN, 0, MAX_SLACK) +
                 story_clamp(lateness, 0, MAX_SLACK);
    slack += step < 0 ? -step : step;
    slack += NSEC_PER_MSEC + (seen_sent ? 0 : STORY_AT_ONCE);
    nsec since = now - e->ts_time, low = since - slack, high = since + slack + e->ts_early;
    if (low < 0)
        low = 0;
    s->due_tsval.earliest = e->tsval + (uint32_t)(low / NSEC_PER_MSEC);
    s->due_tsval.latest = e->tsval + (uint32_t)((high + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
}

/* Nothing of the sender's past is certain: keep what is confirmed. */
static void keep_confirmed(struct story_segment *s)
{
    s->due_seq.known &= s->seq - s->due_seq.lowest <= s->due_seq.highest - s->due_seq.lowest;
    s->due_ack.known &= s->ack == s->due_ack.value || s->ack == s->due_ack.before;
    s->due_tsecr.known &= s->tsecr == s->due_tsecr.value || s->tsecr == s->due_tsecr.before;
    s->due_win.known &= s->p->tcp.window >= s->due_win.least;
}

static void send_event(const struct story *story, struct story_endpoint *e, struct story_segment *s,
                       bool seen_sent, nsec now)
{
    due_numbers(s, e, now);
    due_window(s, e);
    if (s->p->tcp.has_ts) {
        due_echo(s, e);
        due_tsval(s, e, story->record, seen_sent, now);
        if (!e->sent_ts && seen_sent)
            e->ts_early = story_clamp(made_early(story->record, s, now), 0, MAX_SLACK);
        else
            confirm_early(e, s, now);
    }
    due_before(s, e, now);
    if (!seen_sent)
        keep_confirmed(s);
    s->rtt = e->rtt;
    s->rtt_least = e->rtt_least;
    s->rtt_single = e->rtt_single;
    endpoint_send(e, s, seen_sent, now);
}

static void arrive_event(struct story_endpoint *e, struct story_segment *s, bool seen_sent,
                         nsec now)
{
    struct story_segment came = *s;
    bool known = seen_sent || s->injected;
    if (s->arrived)
        came.p = s->arrived;
    endpoint_arrive(e, &came, known, now);
    if (!known)
        s->retransmission = came.retransmission;
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

/* Whether the view shows what this host sends and gets. */
static bool is_captured(const struct build *b, int host)
{
    const struct record *r = b->record;
    for (size_t i = 0; i < r->points.n; i++) {
        bool in_view = b->point < 0 || (size_t)b->point == i;
        if (in_view && r->points.at[i].host == host && host >= 0)
            return true;
    }
    return false;
}

/* Changed on the way: it arrived so, its sender was captured and did not send it so.
 * A bad checksum alone says nothing: on loopback, and wherever the network card fills
 * it in later, it is always bad. */
static bool is_damaged(const struct build *b, const struct story_segment *s)
{
    return b->roles[s - b->story->segments.at] == ROLE_RECEIVED && s->p->tcp.sum == SUM_BAD &&
           is_captured(b, s->from);
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
        if (!s->injected)
            events[(*n)++] =
                (struct event){story_packet_stamp(b->record, s->packet), s->packet, false, i};
        bool gone = b->roles[i] == ROLE_SENT && s->arrival < 0 &&
                    (s->fate == FATE_LOST || is_captured(b, s->to));
        if (gone || s->damaged || is_damaged(b, s))
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
    cleanup_free struct story_endpoint *ends = xcalloc(story->flows.n * 2, sizeof(*ends));
    for (size_t i = 0; i < n; i++) {
        struct story_segment *s = &story->segments.at[events[i].segment];
        struct story_endpoint *flow = &ends[s->flow * 2];
        enum role role = b->roles[events[i].segment];
        bool seen_sent = role == ROLE_SENT || role == ROLE_LOCAL;
        if (events[i].arrival)
            arrive_event(&flow[!s->dir], s, seen_sent, events[i].time);
        else
            send_event(story, &flow[s->dir], s, seen_sent, events[i].time);
    }
    for (size_t i = 0; i < story->flows.n * 2; i++) {
        endpoint_free(&ends[i]);
    }
}
