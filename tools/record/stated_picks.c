/* Whether each rule met those frames that it says: the third with data, and no other.
 *
 * Theory of operation
 *
 * A rule counts the frames of its direction that it means, from the moment at which its step
 * was played, so what it met can be counted again in what its sender's capture point saw leave.
 * What is not known is only
 *
 *   when the step was played: between the end of the calls before it and the beginning of the
 *     calls behind it;
 *   the exact order: what left a host within less than NEAR, and the lateness of the run, may
 *     have come to the wire in another order.
 *
 * So each frame has a first and a last number that it can have had.  An event must be about a
 * frame with a number that the rule names; and a frame all of whose numbers it names must have
 * an event, unless that was the end of the run.  (A rule that changes something need not find
 * it in every frame, so of those only the first is asked.)
 *
 * That can be said only where the capture shows all frames that the rule can mean: the sender was
 * captured on that network, only one other host is on it, no cable was pulled and nothing got
 * lost in capturing; and its filter takes all of them, as that of `tcp port 1234` does where
 * no other port is spoken of in the lab.  Elsewhere nothing is counted. */
#include <ctype.h>
#include <string.h>

#include "record/stated_parts.h"

static const nsec NEAR = 100 * NSEC_PER_USEC;
static const nsec AT_ONCE = 20 * NSEC_PER_MSEC;

/* ------------------------------------------------------------ what is shown */

/* Whether all that hosts of the lab speak is TCP with this port at one of its ends. */
static bool speaks_only(const struct lab *lab, unsigned long port)
{
    vec_each (&lab->steps, step) {
        if (step->verb == VERB_RUN ||
            (step->verb == VERB_WIRE && step->wire.kind == LAB_WIRE_INJECT))
            return false;
        vec_each (&step->args, arg)
            if (arg->kind == ARG_PORT && (unsigned long)arg->number != port &&
                step->verb != VERB_BIND)
                return false;
    }
    return true;
}

static bool shows_all(const struct lab *lab, const struct wire_pick *pick, const char *filter)
{
    static const char tcp[] = "tcp", port[] = "tcp port ";
    if (!filter || !*filter)
        return true;
    if (pick->kind == WIRE_PICK_ANY || pick->kind == WIRE_PICK_FILTER)
        return false;
    if (strcmp(filter, tcp) == 0)
        return true;
    if (strncmp(filter, port, strlen(port)) != 0 || !isdigit((unsigned char)filter[strlen(port)]))
        return false;
    char *end;
    unsigned long n = strtoul(filter + strlen(port), &end, 10);
    return (*end == 0 || strcmp(end, " or icmp") == 0) && speaks_only(lab, n);
}

/* The capture point that shows all frames that the rule can mean; -1: none does. */
static long showing_point(const struct stated_meaning *m, const struct lab_wire *w)
{
    const struct lab *lab = m->lab;
    unsigned on_net = 0;
    vec_each (&lab->hosts, h)
        vec_each (&h->ifaces, iface)
            on_net += iface->net == w->net;
    if (on_net != 2 || m->record->events.n || m->record->wire_dropped)
        return -1;
    for (size_t i = 0; i < lab->captures.n; i++) {
        const struct lab_capture *c = &lab->captures.at[i];
        const struct record_point *p = &m->record->points.at[i];
        if (c->host == w->from && lab->hosts.at[c->host].ifaces.at[c->iface].net == w->net)
            return p->dropped == 0 && shows_all(lab, &w->rule.pick, p->filter) ? (long)i : -1;
    }
    return -1;
}

/* ----------------------------------------------------------------- the times */

/* The step was played between the two. */
struct played {
    nsec after, before;
};

static struct played when_played(const struct stated_meaning *m, size_t step)
{
    const struct record *r = m->record;
    struct played p = {r->began, r->ended};
    vec_each (&r->calls, call) {
        bool waited = call->step < step && !m->lab->steps.at[call->step].background;
        if (waited && call->ended > p.after)
            p.after = call->ended;
        if (call->step > step && call->began < p.before)
            p.before = call->began;
    }
    return p;
}

/* When the direction was cleared behind the step; never: at the end of the run. */
static struct played when_cleared(const struct stated_meaning *m, size_t step)
{
    const struct lab_wire *w = &m->lab->steps.at[step].wire;
    for (size_t i = step + 1; i < m->lab->steps.n; i++) {
        const struct lab_step *s = &m->lab->steps.at[i];
        if (stated_is_about(s, w->from, w->to) && s->wire.kind == LAB_WIRE_CLEAR)
            return when_played(m, i);
    }
    return (struct played){m->record->ended, m->record->ended};
}

/* ---------------------------------------------------------------- the counting */

struct count {
    const struct stated_meaning *m;
    size_t step;
    const struct wire_rule *rule;
    struct played played, cleared;
    nsec near;
    VEC(size_t) meant; /* packets, by time */
    VEC(uint64_t) met; /* hashes of those that events are about, sorted */
};

static nsec time_of(const struct count *c, size_t packet)
{
    return c->m->record->packets.at[packet].frame.time;
}

/* How many of those that are meant came before t. */
static size_t meant_before(const struct count *c, nsec t)
{
    size_t low = 0, high = c->meant.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (time_of(c, c->meant.at[middle]) < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first and the last number that the frame can have had; last 0: none. */
struct numbers {
    size_t first, last;
};

static struct numbers numbers_of(const struct count *c, size_t packet)
{
    nsec t = time_of(c, packet);
    size_t sure = meant_before(c, c->played.before + c->near),
           begin = meant_before(c, c->played.after);
    size_t behind = meant_before(c, t - c->near), until = meant_before(c, t + c->near);
    if (t < c->played.after || t > c->cleared.before + c->near)
        return (struct numbers){0, 0};
    return (struct numbers){behind > sure ? behind - sure + 1 : 1,
                            until > begin ? until - begin : 1};
}

static bool names_any(const struct wire_pick *pick, struct numbers n)
{
    if (n.last == 0)
        return false;
    if (pick->every)
        return n.last / pick->every > (n.first - 1) / pick->every;
    return n.last >= pick->first && (pick->last == 0 || n.first <= pick->last);
}

static bool names_all(const struct wire_pick *pick, struct numbers n)
{
    if (n.last == 0)
        return false;
    if (pick->every)
        return pick->every == 1 || (n.first == n.last && n.first % pick->every == 0);
    return n.first >= pick->first && (pick->last == 0 || n.last <= pick->last);
}

/* What a rule set before has dropped does not get to this one. */
static bool *list_dropped(const struct count *c)
{
    const struct record *r = c->m->record;
    const struct lab_wire *w = &c->m->lab->steps.at[c->step].wire;
    bool *dropped = xcalloc(r->packets.n + 1, sizeof(*dropped));
    vec_each (&r->wire, did)
        if (did->packet >= 0 && did->action == WIRE_DROP && did->from == w->from &&
            did->to == w->to && did->step < (long)c->step)
            dropped[did->packet] = true;
    return dropped;
}

static void list_meant(struct count *c, long point)
{
    const struct record *r = c->m->record;
    cleanup_free bool *dropped = list_dropped(c);
    for (size_t i = 0; i < r->packets.n; i++) {
        const struct record_packet *rp = &r->packets.at[i];
        struct packet p;
        if (rp->point != point || !rp->outgoing || dropped[i])
            continue;
        packet_decode(&p, &rp->frame);
        if (stated_means(c->m, c->step, i, &p))
            vec_push(&c->meant, i);
    }
}

static int compare_hashes(const void *pa, const void *pb)
{
    const uint64_t *a = pa, *b = pb;
    return (*a > *b) - (*a < *b);
}

static bool is_event(const struct count *c, const struct record_wire *did)
{
    return did->step == (long)c->step && did->action == c->rule->action && did->packet >= 0;
}

static void list_met(struct count *c)
{
    vec_each (&c->m->record->wire, did)
        if (is_event(c, did))
            vec_push(&c->met, c->m->hash[did->packet]);
    if (c->met.n)
        qsort(c->met.at, c->met.n, sizeof(*c->met.at), compare_hashes);
}

/* Of frames that are equal to the byte, any may be the one that an event is about. */
static bool is_met(const struct count *c, size_t packet)
{
    return c->met.n &&
           bsearch(&c->m->hash[packet], c->met.at, c->met.n, sizeof(*c->met.at), compare_hashes);
}

static bool is_always_done(enum wire_action action)
{
    return action == WIRE_DROP || action == WIRE_DELAY || action == WIRE_DUPLICATE ||
           action == WIRE_HOLD;
}

/* Whether some frame that is equal to this one has a number that the rule names. */
static bool may_be_met(const struct count *c, size_t packet)
{
    if (names_any(&c->rule->pick, numbers_of(c, packet)))
        return true;
    for (size_t i = 0; i < c->meant.n; i++)
        if (c->m->hash[c->meant.at[i]] == c->m->hash[packet] &&
            names_any(&c->rule->pick, numbers_of(c, c->meant.at[i])))
            return true;
    return false;
}

static bool fits(const struct count *c)
{
    const struct record *r = c->m->record;
    vec_each (&r->wire, did)
        if (is_event(c, did) && !may_be_met(c, (size_t)did->packet))
            return false;
    nsec last = c->cleared.after - AT_ONCE - c->near;
    for (size_t i = 0; i < c->meant.n && is_always_done(c->rule->action); i++) {
        size_t packet = c->meant.at[i];
        if (time_of(c, packet) <= c->played.before + c->near || time_of(c, packet) >= last)
            continue;
        if (names_all(&c->rule->pick, numbers_of(c, packet)) && !is_met(c, packet))
            return false;
    }
    return true;
}

int stated_check_picks(const struct stated_meaning *m, struct error *err)
{
    for (size_t i = 0; i < m->lab->steps.n; i++) {
        const struct lab_step *step = &m->lab->steps.at[i];
        if (step->verb != VERB_WIRE || step->wire.kind != LAB_WIRE_RULE)
            continue;
        long point = showing_point(m, &step->wire);
        if (point < 0)
            continue;
        struct count c = {.m = m,
                          .step = i,
                          .rule = &step->wire.rule,
                          .played = when_played(m, i),
                          .cleared = when_cleared(m, i),
                          .near = NEAR + m->record->lateness};
        c.played.after -= AT_ONCE + c.near; /* what was under way to the wire */
        list_meant(&c, point);
        list_met(&c);
        bool good = fits(&c);
        vec_free(&c.meant);
        vec_free(&c.met);
        if (good)
            continue;
        error_set(err, STATUS_USAGE, "`%s` met other frames than it means", step->text);
        return error_hint(err, "one of the files was changed");
    }
    return 0;
}
