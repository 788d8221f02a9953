/* Why something was sent again.
 *
 * What a sender sends again it sends because something has arrived, or because a timer has
 * run out.  Which of the two it was the record shows: an ACK that said something new had
 * reached the sender at once before, or nothing had.  Then the first of these that fits:
 *
 *   after an arrival   an ICMP error said that the path's MTU is smaller (RFC 1191, 8201);
 *                      a time-out came before, and what it took for lost is not all
 *                      acknowledged yet: slow start (RFC 5681 3.1);
 *                      the same after a fast retransmission: recovery, by SACK (RFC 6675) or
 *                      by partial ACKs (RFC 6582);
 *                      three duplicate ACKs, or three segments beyond it sacked: fast
 *                      (RFC 5681 3.2, RFC 6675 4);
 *                      something that was sent later has arrived, and this not within the
 *                      reordering window: RACK (RFC 8985 6.2)
 *   by a timer         RACK's reordering timer; a tail loss probe (RFC 8985 7); the RTO
 *                      (RFC 6298), doubled for each one before.  How long each is says
 *                      transcript/timing.c, from the round-trip times that were measured.
 *
 * A probe is the last segment, the RTO repeats the first; of a flight of one both do, and
 * both take as long.  Linux has one timer for both, and while a probe can be sent it is set
 * for the probe: with SACK, with nothing known to be missing, one for each tail, and if
 * tcp_early_retrans says so (tcp_schedule_loss_probe()).  Where the record does not have
 * that, the next time-out tells: the RTO's wait doubles, the probe's does not.
 *
 * Where the numbers of the sender's socket are recorded, they have the last word. */
#include "picture/label_model.h"

enum { DUP_THRESH = 3 }; /* RFC 5681 3.2; tcp_reordering */

/* A segment that was sent again. */
struct again {
    unsigned n;  /* which time */
    nsec before; /* when it was sent before */
    struct seq_range span;
};

static struct again again_of(const struct moment_of *m)
{
    struct again a = {.n = 1, .before = m->here->active};
    a.span = (struct seq_range){m->s->seq, m->s->seq + tcp_seq_len(m->t)};
    const struct unit *u = end_find_unit(m->here, a.span.from);
    if (!u)
        return a;
    a.n = u->times + 1;
    a.before = u->sent;
    return a;
}

/* ------------------------------------------------------------- after an arrival */

static bool is_too_big(const struct replay *r, const struct moment_of *m)
{
    if (m->s->from < 0)
        return false;
    const struct too_big *b = &r->too_big[m->s->from];
    return b->time && replay_prompt(r, b->time, m->now) && b->sport == m->t->sport &&
           b->dport == m->t->dport && ipaddr_equal(&b->src, &m->s->p->ip.src) &&
           ipaddr_equal(&b->dst, &m->s->p->ip.dst);
}

/* RACK's reordering window, as long as nothing is known to be reordered: min_RTT / 4. */
static bool rack_finds_lost(const struct end *e, const struct again *a)
{
    return e->sacked.list.n && e->rack_sent - a->before > e->rtt.least / 4;
}

static bool is_fast(const struct end *e, const struct again *a)
{
    bool first = !seq_before(e->una, a->span.from);
    return (first && e->dups >= DUP_THRESH) ||
           end_sacked_beyond(e, a->span.to, DUP_THRESH) >= DUP_THRESH;
}

/* LABEL_KINDS_N: none fits. */
static enum label_kind after_arrival(const struct end *e, const struct again *a)
{
    bool before_end = seq_before(a->span.from, e->recover);
    if (e->state == SENDER_LOSS && before_end)
        return LABEL_AFTER_RTO;
    if (e->state == SENDER_RECOVERY && before_end) {
        bool partial = e->news == e->progress && !e->sacked.list.n;
        return partial ? LABEL_PARTIAL : LABEL_RECOVERY;
    }
    if (is_fast(e, a))
        return LABEL_FAST;
    return rack_finds_lost(e, a) ? LABEL_RACK : LABEL_KINDS_N;
}

/* ------------------------------------------------------------------- what follows */

static void enter(struct replay *r, struct end *e, enum label_kind kind)
{
    if (kind == LABEL_FAST || kind == LABEL_RACK) {
        if (e->state != SENDER_RECOVERY)
            e->recover = e->nxt;
        e->state = SENDER_RECOVERY;
    } else if (kind == LABEL_RTO) {
        e->backoff = e->progressed ? 1 : e->backoff + 1;
        e->progressed = false;
        e->state = SENDER_LOSS;
        e->recover = e->nxt;
    } else if (kind == LABEL_TAIL_LOSS_PROBE) {
        e->probed = true;
        e->probe_high = e->nxt;
    } else if (kind == LABEL_RTO_OR_PROBE) {
        e->undecided = r->labels->entries.n - 1;
    }
}

/* -------------------------------------------------------------------- by a timer */

enum maybe { NO, MAYBE, YES };

/* Whether the sender's next timer may be, or is, that of a tail loss probe. */
static enum maybe probe_pending(const struct replay *r, const struct moment_of *m,
                                const struct again *a)
{
    const struct end *e = m->here, *peer = m->there;
    bool offers_known = e->seen_offer && peer->seen_offer;
    bool sack = e->offers_sack && peer->offers_sack;
    long early_retrans = m->s->from < 0 ? -1 : r->early_retrans[m->s->from];
    bool excluded = (offers_known && !sack) || (early_retrans >= 0 && early_retrans < 3);
    if (excluded || a->span.to != e->nxt || e->probed || e->state != SENDER_CALM ||
        e->sacked.list.n)
        return NO;
    return offers_known && early_retrans >= 3 ? YES : MAYBE;
}

/* A time-out's wait, from the sending before or from an ACK that set the timer anew. */
struct wait_found {
    bool found, after_ack;
    nsec after;
};

static struct wait_found find_wait(const struct replay *r, const struct moment_of *m,
                                   const struct again *a, enum timing_wait wait, unsigned doubled)
{
    const struct end *e = m->here;
    nsec from[] = {a->before, e->progress, e->news};
    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        struct timing_host host = replay_host(r, from[i], m->now);
        bool usable = from[i] && from[i] >= a->before;
        if (usable && timing_may_be(&host, wait, doubled, e->rtt, m->now - from[i]))
            return (struct wait_found){true, i > 0, m->now - from[i]};
    }
    return (struct wait_found){.after = m->now - a->before};
}

static struct wait_found find_probe(const struct replay *r, const struct moment_of *m,
                                    const struct again *a)
{
    const struct end *e = m->here;
    bool one = e->units.n - e->head == 1;
    return find_wait(r, m, a, one ? TIMING_WAIT_PROBE : TIMING_WAIT_PROBE_SEVERAL, 0);
}

/* The RTO doubles, and begins anew when something was acknowledged; if that was a round-trip
 * time that could be measured, which is not always known. */
static struct wait_found find_rto(const struct replay *r, const struct moment_of *m,
                                  const struct again *a)
{
    const struct end *e = m->here;
    if (seq_before(e->una, a->span.from) || !e->rtt.most)
        return (struct wait_found){.after = m->now - a->before};
    if (e->progressed && e->backoff) {
        struct wait_found w = find_wait(r, m, a, TIMING_WAIT_RTO, 0);
        if (w.found)
            return w;
    }
    return find_wait(r, m, a, TIMING_WAIT_RTO, e->backoff);
}

static bool rack_waits(const struct replay *r, const struct moment_of *m, const struct again *a)
{
    const struct end *e = m->here;
    struct timing_host host = replay_host(r, e->news, m->now);
    return e->state != SENDER_LOSS && e->sacked.list.n && e->rack_sent > a->before && e->news &&
           timing_may_be(&host, TIMING_WAIT_RACK, 0, e->rtt, m->now - e->news);
}

/* The time-out before this one was a probe or an RTO: now it is seen which. */
static void decide(struct replay *r, const struct moment_of *m, const struct again *a)
{
    struct end *e = m->here;
    bool single = find_wait(r, m, a, TIMING_WAIT_RTO, e->backoff).found;
    bool doubled = find_wait(r, m, a, TIMING_WAIT_RTO, e->backoff + 1).found;
    struct label *before = &r->labels->entries.at[e->undecided].label;
    if (single != doubled) {
        before->kind = single ? LABEL_TAIL_LOSS_PROBE : LABEL_RTO;
        enter(r, e, before->kind);
    }
    e->undecided = NO_SEGMENT;
}

static struct label by_timer(struct replay *r, const struct moment_of *m, const struct again *a)
{
    struct end *e = m->here;
    struct label label = {.kind = LABEL_TIMER, .n = a->n, .after = m->now - a->before};
    if (rack_waits(r, m, a)) {
        label.kind = LABEL_RACK;
        label.after = m->now - e->news;
        label.after_ack = true;
        return label;
    }
    if (e->undecided != NO_SEGMENT)
        decide(r, m, a);
    enum maybe pending = e->rtt.most ? probe_pending(r, m, a) : NO;
    struct wait_found probe = find_probe(r, m, a), rto = find_rto(r, m, a);
    bool is_probe = pending != NO && probe.found;
    if (is_probe && rto.found && pending == MAYBE)
        label.kind = LABEL_RTO_OR_PROBE;
    else if (is_probe)
        label.kind = LABEL_TAIL_LOSS_PROBE;
    else if (rto.found)
        label.kind = LABEL_RTO;
    struct wait_found w = is_probe ? probe : rto;
    label.after = w.after;
    label.after_ack = w.found && w.after_ack;
    return label;
}

/* ---------------------------------------------------------------------- together */

static struct label syn_again(const struct replay *r, const struct moment_of *m,
                              const struct again *a)
{
    struct label label = {.kind = LABEL_SYN_RETRANSMISSION, .n = a->n};
    label.after = m->now - a->before;
    if (!(m->t->flags & TCP_ACK))
        return label;
    const struct story_segment *cause = replay_answered(r, m);
    bool asked = cause && (cause->p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    label.kind = asked ? LABEL_SYN_ACK_REPEATED : LABEL_SYN_ACK_RETRANSMISSION;
    return label;
}

static struct label why_again(struct replay *r, const struct moment_of *m, const struct again *a)
{
    struct label label = {.kind = LABEL_RETRANSMISSION, .n = a->n};
    const struct end *e = m->here;
    if (is_too_big(r, m)) {
        label.kind = LABEL_PATH_MTU;
        return label;
    }
    bool prompt = e->news >= a->before && replay_prompt(r, e->news, m->now);
    enum label_kind kind = prompt ? after_arrival(e, a) : LABEL_KINDS_N;
    if (kind != LABEL_KINDS_N) {
        label.kind = kind;
        return label;
    }
    if (replay_prompt(r, a->before, m->now))
        return label;
    struct label timer = by_timer(r, m, a);
    return prompt && timer.kind == LABEL_TIMER ? label : timer;
}

static void confirm(struct label *label, enum label_kind kind, bool fits)
{
    label->basis = label->kind == kind || fits ? LABEL_CONFIRMED : LABEL_BY_KERNEL;
    if (label->kind != kind) {
        label->after_ack = false;
        label->kind = kind;
    }
}

static bool found_by_loss(enum label_kind kind)
{
    return kind == LABEL_FAST || kind == LABEL_RACK || kind == LABEL_RECOVERY ||
           kind == LABEL_PARTIAL;
}

/* The kernel's word about it.  What a state leaves open remains as the rule says. */
static void take_word(struct label *label, const struct moment_of *m, const struct again *a,
                      struct kernel_word word)
{
    bool by_ack = found_by_loss(label->kind) || label->kind == LABEL_AFTER_RTO;
    if (word.says == KERNEL_RTO) {
        confirm(label, LABEL_RTO, label->kind == LABEL_RTO_OR_PROBE);
        label->rto = word.rto;
    } else if (word.says == KERNEL_PROBE && a->span.to == m->here->nxt) {
        confirm(label, LABEL_TAIL_LOSS_PROBE, label->kind == LABEL_RTO_OR_PROBE);
    } else if (word.says == KERNEL_RECOVERY) {
        enum label_kind kind = word.entered ? LABEL_FAST : LABEL_RECOVERY;
        confirm(label, found_by_loss(label->kind) ? label->kind : kind, false);
    } else if (word.says == KERNEL_LOSS && by_ack) {
        confirm(label, LABEL_AFTER_RTO, false);
    } else if (word.says == KERNEL_LOSS &&
               (label->kind == LABEL_TAIL_LOSS_PROBE || label->kind == LABEL_RTO_OR_PROBE)) {
        label->kind = LABEL_TIMER; /* no probe, and no RTO that the kernel has counted */
    }
    if (label->basis == LABEL_BY_KERNEL &&
        (label->kind == LABEL_RTO || label->kind == LABEL_TAIL_LOSS_PROBE))
        label->after = m->now - a->before;
}

/* Whether the receiver has all of it already, acknowledged or not. */
static bool has_arrived(const struct end *receiver, struct seq_range span)
{
    return (receiver->receiving && !seq_before(receiver->rcv_nxt, span.to)) ||
           seq_set_have(&receiver->early, span);
}

void label_retransmission(struct replay *r, const struct moment_of *m)
{
    if (!m->s->retransmission || m->t->flags & TCP_RST || r->probes[m->segment])
        return;
    bool answers_syn = m->here->sent_plain_syn && m->t->flags & TCP_SYN && m->t->flags & TCP_ACK;
    if (answers_syn)
        return; /* of a simultaneous open */
    struct label label = {.kind = LABEL_RETRANSMISSION};
    struct again a = again_of(m);
    r->under_way[m->segment] = !has_arrived(m->there, a.span);
    if (m->t->flags & TCP_SYN && m->captured) {
        label = syn_again(r, m, &a);
    } else if (m->captured) {
        label = why_again(r, m, &a);
        take_word(&label, m, &a, kernel_says_again(r, m));
    }
    replay_add(r, m->segment, label);
    enter(r, m->here, label.kind);
}
