#include "wire/flow.h"

static bool is_end(const struct wire_side *side, const struct ipaddr *addr, uint16_t port)
{
    return (port == 0 || side->port == port) && ipaddr_equal(&side->addr, addr);
}

const struct wire_flow *wire_flows_find(const struct wire_flows *flows, const struct ipaddr *from,
                                        uint16_t from_port, const struct ipaddr *to,
                                        uint16_t to_port, int *dir)
{
    for (size_t i = flows->list.n; i > 0; i--) {
        const struct wire_flow *f = &flows->list.at[i - 1];
        for (*dir = 0; *dir < 2; ++*dir)
            if (is_end(&f->side[*dir], from, from_port) && is_end(&f->side[!*dir], to, to_port))
                return f;
    }
    return NULL;
}

static struct wire_flow *add(struct wire_flows *flows, const struct packet *p)
{
    struct wire_flow *f = vec_add(&flows->list);
    f->side[0] = (struct wire_side){.addr = p->ip.src, .port = p->tcp.sport};
    f->side[1] = (struct wire_side){.addr = p->ip.dst, .port = p->tcp.dport};
    return f;
}

const struct wire_flow *wire_flows_note(struct wire_flows *flows, const struct packet *p, int *dir)
{
    const struct tcp_header *t = &p->tcp;
    const struct wire_flow *old =
        wire_flows_find(flows, &p->ip.src, t->sport, &p->ip.dst, t->dport, dir);
    const struct wire_side *known = old ? &old->side[*dir] : NULL;
    bool opens = (t->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    struct wire_flow *f;
    if (!old || (opens && known->known && known->first != t->seq)) {
        f = add(flows, p);
        *dir = 0;
    } else {
        f = &flows->list.at[old - flows->list.at];
    }
    struct wire_side *side = &f->side[*dir];
    if (!side->known) {
        side->known = true;
        side->first = t->seq;
    }
    if (!side->ts_known && t->has_ts) {
        side->ts_known = true;
        side->ts_first = t->tsval;
    }
    return f;
}

void wire_flows_free(struct wire_flows *flows)
{
    vec_free(&flows->list);
}
