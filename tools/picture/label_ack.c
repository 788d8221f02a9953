/* Segments that carry an acknowledgment and nothing else. */
#include "picture/label_model.h"

/* ------------------------------------------------------- what provoked the answer */

/* RFC 5961: a reset that is not exact (3.2), a SYN in a connection (4.2), an ACK of what was
 * not sent (5.2; RFC 9293 3.10.7.4). */
static bool provokes_challenge(const struct end *e, const struct moment_of *m,
                               const struct story_segment *cause)
{
    uint16_t flags = cause->p->tcp.flags;
    if (flags & TCP_RST)
        return cause->seq != m->s->ack;
    if (flags & TCP_SYN)
        return !(flags & TCP_ACK);
    return flags & TCP_ACK && e->sent_any && seq_before(e->nxt, cause->ack);
}

/* Whether it lies wholly before what the end acknowledges now, and had acknowledged before. */
static bool is_old(const struct moment_of *m, const struct story_segment *cause)
{
    uint32_t end = cause->seq + tcp_seq_len(&cause->p->tcp);
    return end != cause->seq && !seq_before(m->s->ack, end);
}

static bool in_time_wait(const struct end *e)
{
    return e->sent_fin && e->got_fin && e->una == e->nxt;
}

static enum label_kind answer_to_probe(uint8_t probe)
{
    if (probe == LABEL_KEEPALIVE + 1)
        return LABEL_KEEPALIVE_ANSWER;
    return probe == LABEL_ZERO_WINDOW_PROBE + 1 ? LABEL_ZERO_WINDOW_PROBE_ANSWER
                                                : LABEL_PROBE_ANSWER;
}

/* The handshake's third segment, in answer to a SYN-ACK. */
static bool establishes(const struct moment_of *m)
{
    const struct end *e = m->here, *peer = m->there;
    return e->sent_plain_syn && !e->sent_ack_of_syn && peer->sent_syn && m->s->ack == 1;
}

/* An ACK that acknowledges no more than the one before it; LABEL_KINDS_N: no answer. */
static enum label_kind answer(const struct replay *r, const struct moment_of *m)
{
    const struct end *e = m->here;
    const struct story_segment *cause = replay_answered(r, m);
    if (!cause || !e->sent_ack || e->last_ack != m->s->ack || establishes(m))
        return LABEL_KINDS_N;
    size_t segment = (size_t)(cause - r->story->segments.at);
    if (r->probes[segment])
        return answer_to_probe(r->probes[segment]);
    if (e->sent_ack_of_syn && provokes_challenge(e, m, cause))
        return LABEL_CHALLENGE_ACK;
    if (!is_old(m, cause) || m->t->n_sack)
        return LABEL_KINDS_N;
    return in_time_wait(e) ? LABEL_TIME_WAIT_ACK : LABEL_REPEATED_ACK;
}

/* ------------------------------------------------------------------ what it says */

static struct seq_range sack_block(const struct moment_of *m, unsigned i)
{
    uint32_t base = m->t->ack - m->s->ack;
    return (struct seq_range){m->t->sack[i].left - base, m->t->sack[i].right - base};
}

/* RFC 2883 4: the first block lies below the acknowledgment, or within the second. */
static bool is_dsack(const struct moment_of *m, struct seq_range *what)
{
    if (!m->t->n_sack)
        return false;
    *what = sack_block(m, 0);
    if (seq_before(what->from, m->s->ack))
        return true;
    if (m->t->n_sack < 2)
        return false;
    struct seq_range around = sack_block(m, 1);
    return !seq_before(what->from, around.from) && !seq_before(around.to, what->to);
}

static bool says_new_sack(const struct moment_of *m)
{
    for (unsigned i = 0; i < m->t->n_sack; i++) {
        struct seq_range block = sack_block(m, i);
        if (!seq_before(block.from, m->s->ack) && !seq_set_have(&m->here->told, block))
            return true;
    }
    return false;
}

/* RFC 5681 2, as its sender means it: something is outstanding that it does not have.  With
 * SACK the window may change, if the blocks say something new (RFC 6675 2). */
static bool is_duplicate(const struct moment_of *m)
{
    const struct end *e = m->here;
    uint32_t window;
    (void)offered_window(e, m->there, m->t, &window);
    bool outstanding = m->there->sent_any && seq_before(m->s->ack, m->there->nxt);
    bool same_window = e->has_last_window && e->last_window == window;
    return e->sent_ack && e->last_ack == m->s->ack && outstanding &&
           (m->t->n_sack ? says_new_sack(m) : same_window);
}

/* What is sent for another reason is no update, though the window may differ. */
static void label_window(struct replay *r, const struct moment_of *m, enum label_kind reason)
{
    const struct end *e = m->here;
    uint32_t window;
    (void)offered_window(e, m->there, m->t, &window);
    bool same_ack = e->sent_ack && e->last_ack == m->s->ack && e->has_last_window;
    bool asked = reason == LABEL_KINDS_N || reason == LABEL_ZERO_WINDOW_PROBE_ANSWER ||
                 reason == LABEL_PROBE_ANSWER;
    if (!window && !(same_ack && !e->last_window))
        replay_add(r, m->segment, (struct label){.kind = LABEL_ZERO_WINDOW});
    else if (asked && same_ack && window > e->last_window && !m->t->n_sack && !establishes(m))
        replay_add(r, m->segment, (struct label){.kind = LABEL_WINDOW_UPDATE});
}

/* ------------------------------------------------------------- what it waited for */

/* RFC 1122 4.2.3.2: it did not come at once after what it acknowledges. */
static void label_delay(struct replay *r, const struct moment_of *m)
{
    const struct end *e = m->here;
    bool says_more = e->sent_ack && seq_before(e->last_ack, m->s->ack);
    if (!m->captured || !says_more || !e->waiting || replay_prompt(r, e->waiting, m->now))
        return;
    replay_add(r, m->segment,
               (struct label){.kind = LABEL_DELAYED_ACK, .after = m->now - e->waiting});
}

static void label_fin_ack(struct replay *r, const struct moment_of *m)
{
    const struct end *e = m->here, *peer = m->there;
    bool first =
        peer->sent_fin && m->s->ack == peer->fin + 1 && e->sent_ack && e->last_ack != m->s->ack;
    if (!first)
        return;
    bool last = e->sent_fin && e->una == e->fin + 1;
    replay_add(r, m->segment, (struct label){.kind = last ? LABEL_LAST_ACK : LABEL_FIN_ACK});
}

void label_ack(struct replay *r, const struct moment_of *m)
{
    uint16_t flags = m->t->flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_RST);
    bool bare = flags == TCP_ACK && !m->t->payload_len;
    if (!bare || r->probes[m->segment])
        return;
    if (establishes(m))
        replay_add(r, m->segment, (struct label){.kind = LABEL_ESTABLISHED});
    enum label_kind kind = answer(r, m);
    bool repeated = kind == LABEL_REPEATED_ACK && is_duplicate(m);
    struct seq_range dsack;
    if (kind != LABEL_KINDS_N && !repeated) {
        replay_add(r, m->segment, (struct label){.kind = kind});
    } else if (is_dsack(m, &dsack)) {
        replay_add(r, m->segment,
                   (struct label){.kind = LABEL_DSACK, .from = dsack.from, .to = dsack.to});
    } else if (is_duplicate(m)) {
        m->here->repeats++;
        replay_add(r, m->segment,
                   (struct label){.kind = LABEL_DUPLICATE_ACK, .n = m->here->repeats});
    }
    label_window(r, m, kind);
    label_fin_ack(r, m);
    label_delay(r, m);
}
