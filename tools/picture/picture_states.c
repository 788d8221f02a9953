/* Where changes of sockets' states hang.
 *
 * A state is seen by a look, which comes a little after what happened, and after more than
 * that if the machine was busy.  But what may enter a state is known (RFC 9293, figure 5), and
 * the record has when it happened.  So a state hangs at the one segment that entered it:
 *
 *   SYN-SENT                its own SYN is sent
 *   SYN-RECEIVED            a SYN arrives
 *   ESTABLISHED             a SYN-ACK arrives; of an end that has not asked, the
 *                           handshake's last ACK, or else the data that come instead
 *   FIN-WAIT-1, LAST-ACK    its own FIN is sent
 *   FIN-WAIT-2              the ACK of its own FIN arrives
 *   CLOSE-WAIT, CLOSING     a FIN arrives, and all that stands before it has
 *   TIME-WAIT               the later of these two
 *   CLOSED                  a reset arrives or is sent; of an end whose peer had closed, too,
 *                           the ACK of its own FIN arrives
 *
 * It has to lie between the two looks, the one that saw the state before and the one that saw
 * this, and has to be the only one there that can have done so.  Else, where the cause is a
 * timer for instance, or an end at which nobody captured, the state hangs at the last row before
 * the look that saw it; or at the silence behind that row, if the look before saw in its middle
 * that nothing had changed yet. */
#include <stdlib.h>

#include "picture/picture_parts.h"

/* From the stamp of an arrival until TCP has changed the state. */
static const nsec TAKEN_IN = 50 * NSEC_PER_USEC;

/* No timer of TCP's is shorter, so what comes later is the work of one. */
static const nsec TIMER_LEAST = 20 * NSEC_PER_MSEC;

/* A segment of the socket's connection, as it leaves the socket's host or comes to it. */
struct event {
    const struct story_segment *s;
    bool mine;
    nsec time;
};

/* What has happened to a socket, and what of it enters states: indexes of events, -1. */
struct past {
    VEC(struct event) events;
    long fin, fin_acked, got_fin;
    bool asked;       /* it has sent a SYN without ACK */
    uint32_t syn_end; /* the number behind the peer's SYN, and behind its data if it had some */
};

/* ------------------------------------------------------------------- events */

/* A sighting at this host: its stamp; 0: there is none. */
static nsec stamp_at(const struct record *r, long packet, int host)
{
    if (packet < 0)
        return 0;
    const struct record_packet *p = &r->packets.at[packet];
    bool here =
        p->point >= 0 && (size_t)p->point < r->points.n && r->points.at[p->point].host == host;
    return here ? p->frame.time : 0;
}

static bool is_between(const struct packet *p, const struct ipaddr *from, uint16_t sport,
                       const struct ipaddr *to, uint16_t dport)
{
    return p->tcp.sport == sport && p->tcp.dport == dport && ipaddr_equal(&p->ip.src, from) &&
           ipaddr_equal(&p->ip.dst, to);
}

static bool read_event(struct event *e, const struct record *r, const struct story_segment *s,
                       const struct record_state *state)
{
    if (s->flow < 0 || s->damaged)
        return false;
    const struct ipaddr *local = &state->local, *remote = &state->remote;
    bool mine = is_between(s->p, local, state->local_port, remote, state->remote_port);
    if (!mine && !is_between(s->p, remote, state->remote_port, local, state->local_port))
        return false;
    bool alone = s->injected || s->from == s->to; /* one sighting is all there is */
    long packet = mine || alone ? (long)s->packet : s->arrival;
    if (mine && (s->injected || s->unsent))
        return false;
    *e = (struct event){s, mine, stamp_at(r, packet, state->host)};
    return e->time != 0;
}

static int compare_events(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->s < b->s ? -1 : a->s > b->s;
}

static uint16_t flags_of(const struct event *e)
{
    return e->s->p->tcp.flags;
}

static bool is_syn(const struct event *e)
{
    return (flags_of(e) & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_syn_ack(const struct event *e)
{
    return (flags_of(e) & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

static uint32_t end_of(const struct event *e)
{
    return e->s->seq + tcp_seq_len(&e->s->p->tcp);
}

/* ------------------------------------------------------------------ the past */

/* The same addresses and ports may have been another connection's: it began with the last new
 * SYN, or with two that crossed. */
static size_t find_begin(const struct past *past)
{
    size_t i = past->events.n;
    while (i > 0 && !(is_syn(&past->events.at[i - 1]) && !past->events.at[i - 1].s->retransmission))
        i--;
    while (i > 1 && is_syn(&past->events.at[i - 2]))
        i--;
    return i ? i - 1 : 0;
}

static int compare_numbers(const void *pa, const void *pb)
{
    const struct event *a = *(const struct event *const *)pa;
    const struct event *b = *(const struct event *const *)pb;
    return a->s->seq == b->s->seq ? 0 : seq_before(a->s->seq, b->s->seq) ? -1 : 1;
}

/* Whether all that stands before event `fin` had arrived by then. */
static bool is_in_order(const struct past *past, size_t fin)
{
    VEC(const struct event *) arrived = {0};
    bool known = false;
    uint32_t next = 0;
    for (size_t i = 0; i <= fin; i++)
        if (!past->events.at[i].mine && !(flags_of(&past->events.at[i]) & TCP_RST))
            vec_push(&arrived, &past->events.at[i]);
    if (arrived.n)
        qsort(arrived.at, arrived.n, sizeof(const struct event *), compare_numbers);
    vec_each (&arrived, e) {
        if (flags_of(*e) & TCP_SYN) {
            known = true;
            next = end_of(*e);
        } else if (known && !seq_before(next, (*e)->s->seq) && seq_before(next, end_of(*e))) {
            next = end_of(*e);
        }
    }
    vec_free(&arrived);
    return known && !seq_before(next, end_of(&past->events.at[fin]));
}

static void read_past(struct past *past)
{
    for (size_t i = 0; i < past->events.n; i++) {
        const struct event *e = &past->events.at[i];
        uint16_t flags = flags_of(e);
        past->asked |= e->mine && is_syn(e);
        if (!e->mine && flags & TCP_SYN)
            past->syn_end = end_of(e);
        if (flags & TCP_RST)
            continue;
        if (e->mine && flags & TCP_FIN && past->fin < 0)
            past->fin = (long)i;
        bool acks = !e->mine && flags & TCP_ACK && past->fin >= 0;
        if (acks && past->fin_acked < 0 &&
            !seq_before(e->s->ack, end_of(&past->events.at[past->fin])))
            past->fin_acked = (long)i;
        if (!e->mine && flags & TCP_FIN && past->got_fin < 0 && is_in_order(past, i))
            past->got_fin = (long)i;
    }
}

/* All that had happened to the socket by the look. */
static void past_open(struct past *past, const struct story *story,
                      const struct record_state *state)
{
    *past = (struct past){.fin = -1, .fin_acked = -1, .got_fin = -1};
    struct event e;
    vec_each (&story->segments, s)
        if (read_event(&e, story->record, s, state) && e.time <= state->time)
            vec_push(&past->events, e);
    if (past->events.n == 0)
        return;
    qsort(past->events.at, past->events.n, sizeof(e), compare_events);
    size_t begin = find_begin(past);
    past->events.n -= begin;
    for (size_t i = 0; i < past->events.n; i++)
        past->events.at[i] = past->events.at[begin + i];
    read_past(past);
}

/* -------------------------------------------------------------- what enters a state */

static bool asks(const struct past *past, size_t i)
{
    const struct event *e = &past->events.at[i];
    return e->mine && is_syn(e);
}

static bool is_asked(const struct past *past, size_t i)
{
    const struct event *e = &past->events.at[i];
    return !e->mine && is_syn(e);
}

static bool is_answered(const struct past *past, size_t i)
{
    const struct event *e = &past->events.at[i];
    return !e->mine && is_syn_ack(e);
}

/* An ACK of the SYN with the first number behind the peer's SYN; its data may not have been
 * taken (RFC 7413 4.1.2). */
static bool completes(const struct past *past, size_t i)
{
    const struct event *e = &past->events.at[i];
    uint16_t flags = flags_of(e) & (TCP_SYN | TCP_RST | TCP_ACK);
    bool first = e->s->seq == 1 || e->s->seq == past->syn_end;
    return !e->mine && flags == TCP_ACK && e->s->ack == 1 && first;
}

static bool completes_bare(const struct past *past, size_t i)
{
    return completes(past, i) && tcp_seq_len(&past->events.at[i].s->p->tcp) == 0;
}

static bool ends(const struct past *past, size_t i)
{
    bool last = (long)i == past->fin_acked && past->got_fin >= 0 && past->got_fin < (long)i;
    return last || flags_of(&past->events.at[i]) & TCP_RST;
}

/* Whether it lies behind the look that saw the state before.  An arrival is stamped before TCP
 * has it, so that look may have begun a moment later. */
static bool is_behind(const struct event *e, nsec after)
{
    return e->time > after - (e->mine ? 0 : TAKEN_IN);
}

/* The only such event behind `after`; -1: there is none, -2: there are several. */
static long find_only(const struct past *past, nsec after,
                      bool (*fits)(const struct past *past, size_t i))
{
    long found = -1;
    for (size_t i = past->events.n; i-- > 0 && past->events.at[i].time > after - TAKEN_IN;)
        if (is_behind(&past->events.at[i], after) && fits(past, i))
            found = found == -1 ? (long)i : -2;
    return found;
}

static long find_established(const struct past *past, nsec after)
{
    if (past->asked)
        return find_only(past, after, is_answered);
    long bare = find_only(past, after, completes_bare);
    return bare == -1 ? find_only(past, after, completes) : bare;
}

/* The event that entered the state; negative: nobody knows. */
static long find_cause(const struct past *past, const struct record_state *state)
{
    long cause = -1;
    switch (state->new) {
    case TCP_STATE_SYN_SENT:
        cause = find_only(past, state->after, asks);
        break;
    case TCP_STATE_SYN_RECEIVED:
        cause = find_only(past, state->after, is_asked);
        break;
    case TCP_STATE_ESTABLISHED:
        cause = find_established(past, state->after);
        break;
    case TCP_STATE_FIN_WAIT_1:
    case TCP_STATE_LAST_ACK:
        cause = past->fin;
        break;
    case TCP_STATE_FIN_WAIT_2:
        cause = past->fin_acked;
        break;
    case TCP_STATE_CLOSE_WAIT:
    case TCP_STATE_CLOSING:
        cause = past->got_fin;
        break;
    case TCP_STATE_TIME_WAIT:
        if (past->got_fin >= 0 && past->fin_acked >= 0)
            cause = past->got_fin > past->fin_acked ? past->got_fin : past->fin_acked;
        break;
    case TCP_STATE_CLOSED:
        cause = find_only(past, state->after, ends);
        break;
    case TCP_STATE_NONE:
    case TCP_STATE_LISTEN:
    case TCP_STATE_COUNT:
        break;
    }
    return cause >= 0 && is_behind(&past->events.at[cause], state->after) ? cause : -1;
}

/* --------------------------------------------------------------------- rows */

/* The rows of each segment: where it is sent, and where it arrives. */
struct rows {
    size_t *sent, *arrived;
};

static void find_rows(struct rows *rows, const struct picture *picture)
{
    size_t n = picture->story->segments.n;
    rows->sent = xcalloc(n + 1, sizeof(size_t));
    rows->arrived = xcalloc(n + 1, sizeof(size_t));
    for (size_t i = 0; i < picture->rows.n; i++) {
        const struct picture_row *row = &picture->rows.at[i];
        if (row->segment < 0)
            continue;
        rows->arrived[row->segment] = i;
        if (row->kind != PICTURE_ARRIVAL)
            rows->sent[row->segment] = i;
    }
}

/* The row of the segment that entered the state; `row`, where that is not known. */
static size_t find_place(const struct picture *picture, const struct rows *rows,
                         const struct record_state *state, size_t row)
{
    struct past past;
    if (state->remote.version == 0)
        return row;
    past_open(&past, picture->story, state);
    long cause = find_cause(&past, state);
    if (cause >= 0) {
        const struct event *e = &past.events.at[cause];
        size_t segment = (size_t)(e->s - picture->story->segments.at);
        row = e->mine ? rows->sent[segment] : rows->arrived[segment];
    }
    vec_free(&past.events);
    return row;
}

static bool same_socket(const struct record_state *a, const struct record_state *b)
{
    return a->host == b->host && a->local_port == b->local_port &&
           a->remote_port == b->remote_port && ipaddr_equal(&a->local, &b->local) &&
           ipaddr_equal(&a->remote, &b->remote);
}

/* A state stands no earlier than the one that its socket had before. */
static size_t keep_order(const struct record *r, const size_t *places, size_t i)
{
    size_t place = places[i];
    for (size_t k = i; k-- > 0;)
        if (same_socket(&r->states.at[k], &r->states.at[i]))
            return places[k] > place ? places[k] : place;
    return place;
}

/* Whether the state was entered in the silence behind the row, and not at its beginning. */
static bool in_silence(const struct picture *picture, const struct record_state *state, size_t row)
{
    if (row + 1 >= picture->rows.n || picture->rows.at[row + 1].kind != PICTURE_SILENCE)
        return false;
    const struct picture_row *silence = &picture->rows.at[row + 1];
    return state->after - picture->zero > silence->time - silence->gap + TIMER_LEAST;
}

void picture_hang_states(struct picture *picture)
{
    const struct record *r = picture->record;
    size_t row = 0, n = picture->rows.n;
    cleanup_free size_t *places = xcalloc(r->states.n + 1, sizeof(*places));
    struct rows rows;
    find_rows(&rows, picture);
    for (size_t i = 0; i < r->states.n && n; i++) {
        const struct record_state *state = &r->states.at[i];
        while (row + 1 < n && picture->rows.at[row + 1].time <= state->time - picture->zero)
            row++;
        size_t at = row;
        while (at > 0 && picture->rows.at[at].kind == PICTURE_SILENCE)
            at--;
        at = in_silence(picture, state, row) ? row + 1 : at;
        places[i] = state->old == state->new ? at : find_place(picture, &rows, state, at);
        places[i] = keep_order(r, places, i);
        if (state->old != state->new)
            vec_push(&picture->rows.at[places[i]].states, i);
    }
    free(rows.sent);
    free(rows.arrived);
}
