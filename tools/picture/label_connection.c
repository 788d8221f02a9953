/* How connections begin and end. */
#include "picture/label_model.h"

static void add(struct replay *r, const struct moment_of *m, enum label_kind kind)
{
    replay_add(r, m->segment, (struct label){.kind = kind});
}

/* ---------------------------------------------------------------------- opening */

/* RFC 3168 6.1.1: ECE and CWR ask, ECE alone agrees. */
static void label_ecn_setup(struct replay *r, const struct moment_of *m)
{
    uint16_t ecn = m->t->flags & (TCP_ECE | TCP_CWR | TCP_AE);
    bool answer = m->t->flags & TCP_ACK;
    if (!answer && ecn == (TCP_ECE | TCP_CWR))
        add(r, m, LABEL_ECN_ASKED);
    else if (answer && ecn == TCP_ECE)
        add(r, m, LABEL_ECN_GRANTED);
}

/* RFC 7413 4.1: an option without a cookie asks for one. */
static void label_fast_open(struct replay *r, const struct moment_of *m)
{
    const struct tcp_option *o = NULL;
    for (unsigned i = 0; i < m->t->n_options; i++)
        if (m->t->options[i].kind == TCPOPT_FASTOPEN && !m->t->options[i].bad)
            o = &m->t->options[i];
    if (!o)
        return;
    bool cookie = tcp_option_data_size(o) > 0, answer = m->t->flags & TCP_ACK;
    if (!answer && !cookie)
        add(r, m, LABEL_FAST_OPEN_REQUEST);
    else if (answer && cookie)
        add(r, m, LABEL_FAST_OPEN_COOKIE);
    else if (!answer && m->t->payload_len)
        add(r, m, LABEL_FAST_OPEN_DATA);
}

void label_opening(struct replay *r, const struct moment_of *m)
{
    if (!(m->t->flags & TCP_SYN))
        return;
    bool crossing = m->here->sent_plain_syn && m->t->flags & TCP_ACK;
    if (crossing)
        add(r, m, LABEL_SIMULTANEOUS_OPEN);
    label_ecn_setup(r, m);
    label_fast_open(r, m);
}

/* ---------------------------------------------------------------------- closing */

void label_closing(struct replay *r, const struct moment_of *m)
{
    struct end *e = m->here, *peer = m->there;
    bool first_fin = m->t->flags & TCP_FIN && !e->sent_fin && !(m->t->flags & TCP_RST);
    /* The peer's FIN is out and has not arrived here. */
    if (first_fin && peer->sent_fin && !e->got_fin && m->captured) {
        add(r, m, LABEL_SIMULTANEOUS_CLOSE);
        replay_add(r, peer->fin_segment, (struct label){.kind = LABEL_SIMULTANEOUS_CLOSE});
    }
    /* It acknowledges data that the peer has sent since this end's FIN reached it. */
    bool goes_on = e->sent_fin && !e->told_half_close && peer->got_fin && m->t->flags & TCP_ACK &&
                   seq_before(peer->nxt_at_fin, m->s->ack) &&
                   !(peer->sent_fin && peer->fin == peer->nxt_at_fin);
    if (goes_on && !(m->t->flags & TCP_RST)) {
        e->told_half_close = true;
        replay_add(r, e->fin_segment, (struct label){.kind = LABEL_HALF_CLOSE});
    }
}

/* ----------------------------------------------------------------------- resets */

/* RFC 9293 3.10.7.1: without ACK it takes its number from what it answers. */
static enum label_kind reset_by_number(const struct moment_of *m, const struct story_segment *cause)
{
    const struct tcp_header *t = &cause->p->tcp;
    if (!(t->flags & TCP_ACK) || cause->ack != m->s->seq)
        return LABEL_RESET;
    return m->here->sent_fin && t->payload_len ? LABEL_AFTER_CLOSE : LABEL_UNKNOWN_CONNECTION;
}

static bool refuses(const struct moment_of *m, const struct story_segment *cause)
{
    const struct tcp_header *t = &cause->p->tcp;
    return m->t->flags & TCP_ACK && !m->here->sent_any &&
           (t->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && m->s->ack == cause->seq + tcp_seq_len(t);
}

static bool was_closed(const struct replay *r, const struct moment_of *m)
{
    nsec from = m->now - replay_at_once(r, m->now, m->now);
    return m->s->from >= 0 && replay_called(r, m->s->from, "close", from, m->now);
}

void label_reset(struct replay *r, const struct moment_of *m)
{
    if (!(m->t->flags & TCP_RST))
        return;
    const struct end *e = m->here;
    const struct story_segment *cause = replay_answered(r, m);
    if (cause && refuses(m, cause))
        add(r, m, LABEL_REFUSED);
    else if (cause && !(m->t->flags & TCP_ACK))
        add(r, m, reset_by_number(m, cause));
    else if (e->keepalives && m->captured && !replay_prompt(r, e->active, m->now))
        add(r, m, LABEL_GAVE_UP);
    else if (m->captured && (was_closed(r, m) || !replay_prompt(r, e->active, m->now)))
        add(r, m, LABEL_ABORT);
    else
        add(r, m, LABEL_RESET);
}
