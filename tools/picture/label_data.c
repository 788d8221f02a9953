/* New data, what became of it, and what the network says of congestion. */
#include "picture/label_model.h"

/* ------------------------------------------------------------------------- sent */

/* RFC 3042: each of the first duplicate ACKs lets one new segment go. */
static bool is_limited_transmit(const struct replay *r, const struct moment_of *m)
{
    const struct end *e = m->here;
    if (!m->captured || e->state != SENDER_CALM || !e->dups || !replay_prompt(r, e->news, m->now))
        return false;
    return !replay_called(r, m->s->from, "send", e->news, m->now);
}

void label_new_data(struct replay *r, const struct moment_of *m)
{
    const struct end *e = m->here;
    uint32_t end = m->s->seq + m->t->payload_len;
    bool fresh = m->t->payload_len && e->sent_any && !seq_before(m->s->seq, e->nxt) &&
                 !(m->t->flags & (TCP_SYN | TCP_RST)) && !r->probes[m->segment];
    if (!fresh)
        return;
    if (is_limited_transmit(r, m))
        replay_add(r, m->segment, (struct label){.kind = LABEL_LIMITED_TRANSMIT});
    if (m->captured && e->has_edge && end == e->edge)
        replay_add(r, m->segment, (struct label){.kind = LABEL_WINDOW_FULL});
}

/* ---------------------------------------------------------------------- congestion */

void label_congestion(struct replay *r, const struct moment_of *m)
{
    uint16_t flags = m->t->flags;
    struct flow_ends *flow = &r->flows[m->s->flow];
    /* No sender marks: it was seen behind the router then. */
    if (m->s->marked || packet_ecn(m->s->p) == ECN_CE)
        replay_add(r, m->segment, (struct label){.kind = LABEL_CE});
    if (flags & TCP_SYN)
        flow->accurate_ecn |= (flags & TCP_AE) != 0;
    if (flags & TCP_SYN || flow->accurate_ecn)
        return;
    if (flags & TCP_ECE)
        replay_add(r, m->segment, (struct label){.kind = LABEL_ECE});
    if (flags & TCP_CWR)
        replay_add(r, m->segment, (struct label){.kind = LABEL_CWR});
}

/* ------------------------------------------------------------------------ arrived */

/* Whether the receiver has said that it has all of this. */
static bool was_told(const struct end *receiver, struct seq_range span)
{
    bool below = receiver->sent_ack && !seq_before(receiver->last_ack, span.to);
    return below || seq_set_have(&receiver->told, span);
}

/* `here` is the receiver: at this moment the segment arrives; or it is lost, and is sent. */
void label_arrival(struct replay *r, const struct moment_of *m)
{
    const struct story_segment *s = m->s;
    struct seq_range span = {s->seq, s->seq + tcp_seq_len(m->t)};
    bool plain = span.from != span.to && !(m->t->flags & (TCP_SYN | TCP_RST));
    if (!plain || r->probes[m->segment])
        return;
    if (s->retransmission && was_told(m->here, span))
        replay_add(r, m->segment,
                   (struct label){.kind = r->under_way[m->segment] ? LABEL_SPURIOUS_UNDER_WAY
                                                                   : LABEL_SPURIOUS});
    if (s->overtaken)
        replay_add(r, m->segment, (struct label){.kind = LABEL_OUT_OF_ORDER, .n = s->overtaken});
    else if (!m->captured && !s->injected && !s->retransmission && m->here->early.list.n &&
             seq_before(span.from, vec_last(&m->here->early.list)->to))
        replay_add(r, m->segment, (struct label){.kind = LABEL_BEHIND});
}
