/* One end of a connection.  story_history.c says what the model is for.
 *
 * Segments are taken in as Linux does: what is wholly old or beyond the window that
 * was offered, or fails PAWS (RFC 7323 5), changes nothing. */
#include "transcript/story_endpoint.h"

#define MAX_EARLY 1024 /* gaps that one endpoint's reassembly is followed through */
#define MAX_COVER 2048 /* segments in flight that one retransmission may cover */
#define MAX_WSCALE 14  /* RFC 7323 2.3 */
#define PAWS_WINDOW 1  /* TCP_PAWS_WINDOW of Linux: how much older is still good */

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* ----------------------------------------------------------------------- trails */

static void trail_start(struct trail *t, uint32_t value)
{
    t->past = value;
    t->head = t->changes.n;
}

static void trail_change(struct trail *t, uint32_t value, nsec now)
{
    vec_push(&t->changes, ((struct change){now, value}));
}

uint32_t trail_past(struct trail *t, nsec now)
{
    while (t->head < t->changes.n && t->changes.at[t->head].time <= now - STORY_AT_ONCE)
        t->past = t->changes.at[t->head++].value;
    return t->past;
}

/* ------------------------------------------------------------------ reassembly */

/* The first range that ends at or behind `from`. */
static size_t find_range(const struct story_endpoint *e, uint32_t from)
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

static bool has_range(const struct story_endpoint *e, struct range r)
{
    if (!before(e->rcv_nxt, r.to))
        return true;
    size_t i = find_range(e, r.to);
    return i < e->early.n && !before(r.from, e->early.at[i].from) &&
           !before(e->early.at[i].to, r.to);
}

/* Keeps a range that begins beyond rcv_nxt. */
static void keep_range(struct story_endpoint *e, struct range r)
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

static void receive_to(struct story_endpoint *e, uint32_t to, nsec now)
{
    e->rcv_nxt = to;
    size_t used = 0;
    for (; used < e->early.n && !before(e->rcv_nxt, e->early.at[used].from); used++) {
        if (before(e->rcv_nxt, e->early.at[used].to))
            e->rcv_nxt = e->early.at[used].to;
    }
    trail_change(&e->rcv_trail, e->rcv_nxt, now);
    if (!used)
        return;
    e->early.n -= used;
    memmove(e->early.at, e->early.at + used, e->early.n * sizeof(*e->early.at));
}

static void receive_range(struct story_endpoint *e, struct range r, nsec now)
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

static void arrive_ack(struct story_endpoint *e, uint32_t ack, nsec now)
{
    e->got_ack = true;
    e->last_ack_got = ack;
    if (!e->sent_any || !before(e->snd_una, ack) || before(e->snd_nxt, ack))
        return;
    e->snd_una = ack;
    while (e->flight_head < e->flight.n && !before(ack, e->flight.at[e->flight_head].to)) {
        const struct flight *f = &e->flight.at[e->flight_head++];
        nsec sample = now - f->sent;
        if (f->again)
            continue;
        e->rtt_single = e->rtt == 0;
        if (e->rtt == 0 || sample < e->rtt_least)
            e->rtt_least = sample;
        if (sample > e->rtt)
            e->rtt = sample;
    }
}

static void take_recent(struct story_endpoint *e, uint32_t tsval, nsec now)
{
    if (!e->has_recent)
        trail_start(&e->recent_trail, tsval);
    else if (e->recent != tsval)
        trail_change(&e->recent_trail, tsval, now);
    e->recent = tsval;
    e->has_recent = true;
}

static bool in_time_wait(const struct story_endpoint *e)
{
    return e->got_fin && e->sent_fin && e->snd_una == e->snd_nxt;
}

/* RFC 7323 4.3, with Linux's idea of what is acceptable. */
static void arrive_timestamp(struct story_endpoint *e, const struct story_segment *s, nsec now)
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
    if (!before(s->tsval, e->recent) && !before(e->last_ack_sent, s->seq)) {
        take_recent(e, s->tsval, now);
    } else if (before(e->last_ack_sent, s->seq) && end != s->seq) {
        size_t at = e->n_beyond++ % STORY_BEYOND;
        e->beyond[at].seq = s->seq;
        e->beyond[at].tsval = s->tsval;
    }
}

/* An ACK for less than has arrived was made before the rest was read, by a program that had
 * the socket to itself just then, though it was captured later.  What it leaves out is
 * compared with it, and not with the ACK before. */
static void reconsider_recent(struct story_endpoint *e, const struct story_segment *s, nsec now)
{
    if (e->has_recent_late && s->p->tcp.has_ts && s->tsecr == e->recent_late)
        take_recent(e, e->recent_late, now);
    e->has_recent_late = false;
    if (!e->receiving || !before(s->ack, e->rcv_nxt))
        return;
    size_t n = e->n_beyond < STORY_BEYOND ? e->n_beyond : STORY_BEYOND;
    for (size_t i = 0; i < n; i++) {
        if (e->beyond[i].seq != s->ack || before(e->beyond[i].tsval, e->recent))
            continue;
        e->has_recent_late = true;
        e->recent_late = e->beyond[i].tsval;
    }
}

static bool paws_rejects(const struct story_endpoint *e, const struct story_segment *s)
{
    return s->p->tcp.has_ts && e->has_recent && !(s->p->tcp.flags & TCP_SYN) &&
           (int32_t)(e->recent - s->tsval) > PAWS_WINDOW;
}

void endpoint_arrive(struct story_endpoint *e, struct story_segment *s, bool seen_sent, nsec now)
{
    const struct tcp_header *t = &s->p->tcp;
    uint32_t end = s->seq + tcp_seq_len(t);
    struct range r = {s->seq, end};
    e->active = now;
    if (!seen_sent)
        s->retransmission = end != s->seq && e->receiving && has_range(e, r);
    if (t->flags & TCP_ACK)
        arrive_ack(e, s->ack, now);
    if (t->flags & TCP_RST)
        return;
    bool rejected = paws_rejects(e, s);
    arrive_timestamp(e, s, now);
    if (t->flags & TCP_SYN && !e->got_syn) {
        e->got_syn = e->receiving = true;
        e->peer_offers_wscale = t->has_wscale;
        e->rcv_nxt = s->seq + 1;
        if (e->sent_syn && !e->has_edge) { /* the window of its own SYN counts from here */
            e->has_edge = true;
            e->edge = e->rcv_nxt + e->syn_window;
        }
        trail_start(&e->rcv_trail, e->rcv_nxt);
        return; /* data on a SYN is taken only with a Fast Open cookie: its ACK will tell */
    }
    if (e->receiving && end != s->seq && !rejected)
        receive_range(e, r, now);
    if (t->flags & TCP_FIN && e->receiving && e->rcv_nxt == end)
        e->got_fin = true;
}

/* --------------------------------------------------------------------- sendings */

/* Takes note of what is in flight; says whether some of it was sent before, and how long ago
 * its beginning was. */
static bool send_range(struct story_endpoint *e, uint32_t from, uint32_t to, nsec now, nsec *waited)
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
    if (low < e->flight.n)
        *waited = now - e->flight.at[low].last;
    for (size_t i = low; i < e->flight.n && i < low + MAX_COVER; i++) {
        bool behind = i > low && !before(e->flight.at[i - 1].to, to);
        if (behind)
            break;
        e->flight.at[i].again = true;
        e->flight.at[i].last = now;
    }
    if (before(e->snd_nxt, to)) {
        vec_push(&e->flight, ((struct flight){to, now, now, again}));
        e->snd_nxt = to;
    }
    return again;
}

unsigned endpoint_shift(const struct story_endpoint *e, const struct story_segment *s)
{
    bool syn = s->p->tcp.flags & TCP_SYN;
    return !syn && e->offers_wscale && e->peer_offers_wscale ? e->wscale : 0;
}

/* What a SYN-ACK offered holds until the next segment only: with a SYN cookie the server has
 * forgotten it. */
static void offer_window(struct story_endpoint *e, const struct story_segment *s)
{
    const struct tcp_header *t = &s->p->tcp;
    bool syn = t->flags & TCP_SYN;
    if (syn) {
        e->sent_syn = true;
        e->offers_wscale = t->has_wscale;
        e->wscale = t->wscale > MAX_WSCALE ? MAX_WSCALE : t->wscale;
        e->syn_window = t->window;
    }
    if (!(t->flags & TCP_ACK) || !e->sent_syn || !e->got_syn)
        return;
    uint32_t edge = s->ack + ((uint32_t)t->window << endpoint_shift(e, s));
    if (!e->has_edge || (e->from_syn_ack && !syn) || before(e->edge, edge))
        e->edge = edge;
    e->has_edge = true;
    e->from_syn_ack = syn;
}

void endpoint_send(struct story_endpoint *e, struct story_segment *s, bool seen_sent, nsec now)
{
    const struct tcp_header *t = &s->p->tcp;
    e->active = now;
    if (t->flags & TCP_RST)
        return;
    nsec waited = 0;
    bool again = send_range(e, s->seq, s->seq + tcp_seq_len(t), now, &waited);
    if (seen_sent) {
        s->retransmission = again;
        s->waited = again ? waited : 0;
    }
    e->sent_fin |= (t->flags & TCP_FIN) != 0;
    offer_window(e, s);
    if (t->has_ts && !e->sent_ts) {
        e->sent_ts = true;
        e->tsval = s->tsval;
        e->ts_time = now;
    }
    if (!(t->flags & TCP_ACK))
        return;
    e->sent_ack = true;
    e->last_ack_sent = s->ack;
    reconsider_recent(e, s, now);
    bool late_start = !e->receiving, took_more = e->receiving && before(e->rcv_nxt, s->ack);
    if (late_start || took_more) { /* it knows better than the capture */
        if (late_start)
            trail_start(&e->rcv_trail, s->ack);
        e->receiving = true;
        receive_to(e, s->ack, now);
    }
}

void endpoint_free(struct story_endpoint *e)
{
    vec_free(&e->flight);
    vec_free(&e->early);
    vec_free(&e->rcv_trail.changes);
    vec_free(&e->recent_trail.changes);
}
