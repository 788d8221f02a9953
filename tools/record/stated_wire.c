/* What the wire did, against what the script asks of it.
 *
 * Each event has to be by a step that asks for such a thing, on this hop, of such a frame, and
 * what came of it has to be what that step makes; stated_picks.c looks at how many came by. */
#include "record/stated.h"
#include "record/stated_parts.h"

bool stated_is_about(const struct lab_step *step, int from, int to)
{
    const struct lab_wire *w = &step->wire;
    if (step->verb != VERB_WIRE)
        return false;
    return (w->from == from && w->to == to) || (w->both && w->from == to && w->to == from);
}

/* The properties (WIRE_HAS_…) that the direction has been given when this was done. */
static unsigned properties_at(const struct lab *lab, const struct record_wire *did)
{
    unsigned has = 0;
    for (size_t i = 0; i <= (size_t)did->step; i++) {
        const struct lab_step *step = &lab->steps.at[i];
        if (!stated_is_about(step, did->from, did->to))
            continue;
        if (step->wire.kind == LAB_WIRE_CLEAR)
            has = 0;
        else if (step->wire.kind == LAB_WIRE_PROPERTIES)
            has |= step->wire.properties.has;
    }
    return has;
}

/* One of which nobody saw anything can be any. */
static bool is_meant(const struct stated_meaning *m, const struct record_wire *did)
{
    if (did->packet < 0)
        return true;
    if ((size_t)did->packet >= m->record->packets.n)
        return false;
    const struct record_packet *rp = &m->record->packets.at[did->packet];
    struct packet p;
    packet_decode(&p, &rp->frame);
    /* A filter may be about what routers change. */
    bool on_hop = m->record->points.at[rp->point].host == did->from;
    return (m->lab->steps.at[did->step].wire.rule.pick.kind == WIRE_PICK_FILTER && !on_hop) ||
           stated_means(m, (size_t)did->step, (size_t)did->packet, &p);
}

static bool has_option(const struct packet *p, unsigned kind)
{
    for (unsigned i = 0; i < p->tcp.n_options; i++)
        if (p->tcp.options[i].kind == kind)
            return true;
    return false;
}

/* Whether the rule makes this of a packet. */
static bool is_result(const struct wire_rule *rule, const struct packet *p)
{
    if (rule->action == WIRE_MARK)
        return packet_ecn(p) == ECN_CE;
    if (p->transport != TRANSPORT_TCP)
        return false;
    if (rule->action == WIRE_CORRUPT)
        return p->tcp.sum != SUM_GOOD;
    switch (rule->rewrite) {
    case WIRE_REWRITE_WINDOW:
        return p->tcp.window == rule->value;
    case WIRE_REWRITE_MSS:
        return p->tcp.has_mss && p->tcp.mss == rule->value;
    case WIRE_REWRITE_WITHOUT:
        return !has_option(p, rule->value);
    }
    return false;
}

/* Whether what was sent can be changed so, and what came is what becomes of it.  A packet that
 * several rules changed may be anything. */
static bool is_changed(const struct stated_meaning *m, const struct wire_rule *rule,
                       const struct record_wire *did)
{
    const struct record *r = m->record;
    struct packet p;
    bool rewrites =
        rule->action == WIRE_MARK || rule->action == WIRE_CORRUPT || rule->action == WIRE_REWRITE;
    if (!rewrites || did->packet < 0)
        return true;
    packet_decode(&p, &r->packets.at[did->packet].frame);
    if (rule->action == WIRE_MARK && packet_ecn(&p) == ECN_NOT_ECT)
        return false; /* not ECN-capable */
    if (did->arrival < 0 || (size_t)did->arrival >= r->packets.n)
        return true;
    packet_decode(&p, &r->packets.at[did->arrival].frame);
    return m->changes[did->packet] > 1 || is_result(rule, &p);
}

/* Whether the step can have made the wire do this; `before` is how often it did already. */
static bool is_by_step(const struct stated_meaning *m, const struct record_wire *did,
                       unsigned before)
{
    const struct lab *lab = m->lab;
    const struct lab_step *step = &lab->steps.at[did->step];
    const struct wire_rule *rule = &step->wire.rule;
    if (!stated_is_about(step, did->from, did->to))
        return false;
    switch (step->wire.kind) {
    case LAB_WIRE_RULE:
        return did->action == rule->action && is_meant(m, did) && is_changed(m, rule, did) &&
               (rule->pick.last == 0 || before < wire_rule_wants(rule));
    case LAB_WIRE_PROPERTIES:
        return (did->action == WIRE_LOSS && (properties_at(lab, did) & WIRE_HAS_LOSS)) ||
               (did->action == WIRE_OVERFLOW && (properties_at(lab, did) & WIRE_HAS_QUEUE));
    case LAB_WIRE_INJECT:
        return did->action == WIRE_INJECT && before == 0;
    case LAB_WIRE_CLEAR:
        break;
    }
    return false;
}

static bool holds(const struct lab *lab, const struct record_wire *did)
{
    const struct lab_step *step = &lab->steps.at[did->step];
    return stated_is_about(step, did->from, did->to) && step->wire.kind == LAB_WIRE_RULE &&
           step->wire.rule.action == WIRE_HOLD;
}

/* Whether both hosts are on a network with a wire: it keeps the frames of all that are. */
static bool may_be_wired(const struct lab *lab, const struct record_wire *did)
{
    bool from = false, to = false;
    for (size_t i = 0; i < lab->nets.n && !(from && to); i++) {
        from = to = false;
        vec_each (&lab->hosts.at[did->from].ifaces, iface)
            from |= lab->nets.at[i].wired && iface->net == (int)i;
        vec_each (&lab->hosts.at[did->to].ifaces, iface)
            to |= lab->nets.at[i].wired && iface->net == (int)i;
    }
    return from && to;
}

static int check_events(const struct stated_meaning *m, bool *made, struct error *err)
{
    const struct lab *lab = m->lab;
    cleanup_free unsigned *times = xcalloc(lab->steps.n + 1, sizeof(*times));
    vec_each (&m->record->wire, did) {
        bool known = did->step >= 0 && (size_t)did->step < lab->steps.n;
        if (did->action == WIRE_STAY && (known ? holds(lab, did) : may_be_wired(lab, did)))
            continue;
        if (!known || !is_by_step(m, did, times[did->step]++))
            return stated_other(err, "the wire's", wire_action_names[did->action].word);
        made[did->step] = true;
    }
    return 0;
}

int stated_check_wire(const struct record *r, const struct lab *lab, bool *made, struct error *err)
{
    struct stated_meaning m;
    int ret = stated_meaning_open(&m, r, lab, err);
    if (ret == 0)
        ret = check_events(&m, made, err);
    if (ret == 0)
        ret = stated_check_picks(&m, err);
    stated_meaning_close(&m);
    return ret;
}

/* ------------------------------------------------------------------- the networks */

/* The network that two hosts are on, if it is the only one; else -1. */
static int shared_net(const struct lab *lab, const struct lab_host *a, const struct lab_host *b)
{
    int net = -1;
    vec_each (&a->ifaces, i)
        vec_each (&b->ifaces, k) {
            if (i->net < 0 || i->net != k->net)
                continue;
            if (net >= 0)
                return -1;
            net = lab->nets.at[i->net].wired && i->mtu == k->mtu ? i->net : -2;
        }
    return net < 0 ? -1 : net;
}

void stated_wires(struct record *r, const struct lab *lab)
{
    r->wires.n = 0;
    for (int a = 0; a < (int)lab->hosts.n; a++)
        for (int b = 0; b < a; b++)
            if (shared_net(lab, &lab->hosts.at[a], &lab->hosts.at[b]) >= 0)
                vec_push(&r->wires, ((struct record_wires){a, b}));
}
