/* Which packets of a record a rule means. */
#include "decode/hop.h"
#include "record/stated_parts.h"
#include "wire/flow.h"

enum { HASHED = 128 }; /* bytes of a frame that tell it from all others */

/* Both directions of a conversation: whether its first number is known to be that of a SYN. */
struct begun {
    bool by_syn[2];
};

/* What `seq 0` is at each packet, as the wire has counted: it sees what hosts send. */
static void find_firsts(struct stated_meaning *m)
{
    const struct record *r = m->record;
    struct wire_flows flows = {0};
    VEC(struct begun) begun = {0};
    for (size_t i = 0; i < r->packets.n; i++) {
        struct packet p;
        int dir;
        packet_decode(&p, &r->packets.at[i].frame);
        if (!r->packets.at[i].outgoing || p.transport != TRANSPORT_TCP)
            continue;
        const struct wire_flow *flow = wire_flows_note(&flows, &p, &dir);
        size_t index = (size_t)(flow - flows.list.at);
        while (begun.n <= index)
            vec_push(&begun, (struct begun){0});
        if (p.tcp.flags & TCP_SYN && p.tcp.seq == flow->side[dir].first)
            begun.at[index].by_syn[dir] = true;
        m->first[i] = flow->side[dir].first;
        m->has_first[i] = begun.at[index].by_syn[dir];
    }
    vec_free(&begun);
    wire_flows_free(&flows);
}

int stated_meaning_open(struct stated_meaning *m, const struct record *r, const struct lab *lab,
                        struct error *err)
{
    *m = (struct stated_meaning){.record = r, .lab = lab};
    m->pickers = xcalloc(lab->steps.n + 1, sizeof(*m->pickers));
    m->first = xcalloc(r->packets.n + 1, sizeof(*m->first));
    m->has_first = xcalloc(r->packets.n + 1, sizeof(*m->has_first));
    m->hash = xcalloc(r->packets.n + 1, sizeof(*m->hash));
    for (size_t i = 0; i < r->packets.n; i++) {
        const struct frame *f = &r->packets.at[i].frame;
        m->hash[i] = hop_of(f->data, f->caplen < HASHED ? f->caplen : HASHED, f->wirelen).hash;
    }
    m->changes = xcalloc(r->packets.n + 1, sizeof(*m->changes));
    vec_each (&r->wire, did)
        if (did->packet >= 0 && (size_t)did->packet < r->packets.n)
            m->changes[did->packet] += did->arrival >= 0;
    bool counts = false;
    for (size_t i = 0; i < lab->steps.n; i++) {
        const struct lab_step *step = &lab->steps.at[i];
        if (step->verb != VERB_WIRE || step->wire.kind != LAB_WIRE_RULE)
            continue;
        const struct wire_pick *pick = &step->wire.rule.pick;
        counts |= pick->kind == WIRE_PICK_SEQ;
        if (wire_picker_init(&m->pickers[i], pick, err) < 0)
            return -1;
    }
    if (counts)
        find_firsts(m);
    return 0;
}

void stated_meaning_close(struct stated_meaning *m)
{
    for (size_t i = 0; i < m->lab->steps.n; i++)
        wire_picker_free(&m->pickers[i]);
    free(m->pickers);
    free(m->first);
    free(m->has_first);
    free(m->changes);
    free(m->hash);
}

bool stated_means(const struct stated_meaning *m, size_t step, size_t packet,
                  const struct packet *p)
{
    const struct wire_picker *picker = &m->pickers[step];
    if (picker->pick->kind == WIRE_PICK_SEQ && !m->has_first[packet])
        return p->transport == TRANSPORT_TCP && tcp_seq_len(&p->tcp) > 0;
    return wire_picker_means(picker, p, m->first[packet]);
}
