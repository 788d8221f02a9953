#include "run/quiet.h"

static bool after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static struct quiet_flow *find_flow(struct quiet *q, const struct ipaddr *src,
                                    const struct ipaddr *dst, uint16_t sport, uint16_t dport)
{
    vec_each (&q->flows, f)
        if (f->sport == sport && f->dport == dport && ipaddr_equal(&f->src, src) &&
            ipaddr_equal(&f->dst, dst))
            return f;
    struct quiet_flow *f = vec_add(&q->flows);
    *f = (struct quiet_flow){.src = *src, .dst = *dst, .sport = sport, .dport = dport};
    return f;
}

static void note_segment(struct quiet *q, const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    const struct ipaddr *src = &p->ip.src, *dst = &p->ip.dst;
    size_t own = (size_t)(find_flow(q, src, dst, t->sport, t->dport) - q->flows.at);
    size_t other = (size_t)(find_flow(q, dst, src, t->dport, t->sport) - q->flows.at);
    struct quiet_flow *f = &q->flows.at[own], *g = &q->flows.at[other];
    if (t->flags & TCP_SYN)
        f->reset = g->reset = f->has_acked = false;
    if (t->flags & TCP_RST)
        f->reset = g->reset = true;
    uint32_t end = t->seq + tcp_seq_len(t);
    if (tcp_seq_len(t) && (!f->has_sent || (t->flags & TCP_SYN) || after(end, f->sent))) {
        f->sent = end;
        f->has_sent = true;
    }
    if ((t->flags & TCP_ACK) &&
        (!g->has_acked || (t->flags & TCP_SYN) || after(t->ack, g->acked))) {
        g->acked = t->ack;
        g->has_acked = true;
    }
}

void quiet_note(struct quiet *q, const struct packet *p, bool outgoing)
{
    if (outgoing)
        q->outgoing++;
    else
        q->incoming++;
    if (p->transport == TRANSPORT_TCP)
        note_segment(q, p);
}

bool quiet_answered(const struct quiet *q)
{
    if (q->both_ends && q->outgoing != q->incoming)
        return false;
    vec_each (&q->flows, f)
        if (!f->reset && f->has_sent && (!f->has_acked || after(f->sent, f->acked)))
            return false;
    return true;
}

void quiet_free(struct quiet *q)
{
    vec_free(&q->flows);
}
