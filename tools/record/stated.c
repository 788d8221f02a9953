#include "record/stated.h"

#include <string.h>

#include "base/strbuf.h"
#include "decode/packet.h"

int stated_host(const struct lab_step *step)
{
    return step->verb == VERB_RUN ? step->args.at[0].host : step->host;
}

char *stated_args(const struct lab *lab, const struct lab_step *step)
{
    struct strbuf sb = STRBUF_INIT;
    vec_each (&step->args, arg) {
        if (step->verb == VERB_RUN && arg == step->args.at)
            continue;
        if (sb.len)
            strbuf_putc(&sb, ' ');
        if (arg->kind == ARG_DATA)
            strbuf_add(&sb, lab->source.text + arg->span.from, arg->span.to - arg->span.from);
        else
            strbuf_puts(&sb, arg->text);
    }
    return strbuf_steal(&sb);
}

char *stated_result(const struct lab *lab, const struct lab_step *step)
{
    if (step->result.kind == RESULT_NONE)
        return NULL;
    return xstrndup(lab->source.text + step->result.span.from,
                    step->result.span.to - step->result.span.from);
}

bool stated_fits(const struct lab_step *step, const struct record_call *call)
{
    const struct lab_result *stated = &step->result;
    if (call->ended == 0)
        return step->background && stated->kind == RESULT_NONE;
    switch (stated->kind) {
    case RESULT_NONE:
        return !call->failed && (step->verb != VERB_RUN || call->value == 0);
    case RESULT_NUMBER:
        return !call->failed && call->value >= stated->number && call->value <= stated->most;
    case RESULT_ERRNO:
        return call->failed && call->errnum == stated->number;
    case RESULT_STRING:
    case RESULT_WORD:
        return !call->failed && call->text && call->text_len == stated->len &&
               memcmp(call->text, stated->text, stated->len) == 0;
    }
    return false;
}

/* -------------------------------------------------------------------- the check */

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int other(struct error *err, const char *what, const char *name)
{
    error_set(err, STATUS_USAGE, "%s \"%s\" is not as in the lab", what, name);
    return error_hint(err, "it is the evidence of another lab, or of another value of `vary`, or "
                           "it was changed");
}

static bool has_addresses(const struct record_host *rh, const struct lab_host *h)
{
    size_t n = 0;
    vec_each (&h->ifaces, iface)
        vec_each (&iface->addrs, a)
            if (n >= rh->addrs.n || !ipaddr_equal(&rh->addrs.at[n++], &a->addr))
                return false;
    return n == rh->addrs.n;
}

static int check_scene(const struct record *r, const struct lab *lab, struct error *err)
{
    for (size_t i = 0; i < lab->hosts.n || i < r->hosts.n; i++) {
        const char *name = i < lab->hosts.n ? lab->hosts.at[i].name : r->hosts.at[i].name;
        if (i >= lab->hosts.n || i >= r->hosts.n || !same(name, r->hosts.at[i].name) ||
            !has_addresses(&r->hosts.at[i], &lab->hosts.at[i]))
            return other(err, "host", name);
    }
    for (size_t i = 0; i < lab->captures.n || i < r->points.n; i++) {
        if (i >= lab->captures.n)
            return other(err, "capture point", r->points.at[i].name);
        const struct lab_capture *c = &lab->captures.at[i];
        const struct lab_host *host = &lab->hosts.at[c->host];
        const struct record_point *p = i < r->points.n ? &r->points.at[i] : NULL;
        if (!p || p->host != c->host || !same(p->iface, host->ifaces.at[c->iface].name) ||
            !same(p->filter, c->filter))
            return other(err, "capture point", p ? p->name : host->name);
    }
    return 0;
}

static bool is_call(const struct lab_step *step)
{
    return verbs[step->verb].on_host || step->verb == VERB_RUN;
}

static bool is_of_step(const struct record_call *call, const struct lab *lab,
                       const struct lab_step *step)
{
    cleanup_free char *args = stated_args(lab, step);
    return is_call(step) && call->host == stated_host(step) && same(call->as, step->as) &&
           same(call->verb, verbs[step->verb].name) && same(call->args, args);
}

static int check_calls(struct record *r, const struct lab *lab, bool *made, struct error *err)
{
    vec_each (&r->calls, call) {
        const struct lab_step *step = call->step < lab->steps.n ? &lab->steps.at[call->step] : NULL;
        if (!step || made[call->step] || !is_of_step(call, lab, step))
            return other(err, "call", call->verb);
        made[call->step] = true;
        free(call->expected);
        call->expected = stated_result(lab, step);
        call->as_stated = stated_fits(step, call);
    }
    return 0;
}

static int check_links(const struct record *r, const struct lab *lab, bool *made, struct error *err)
{
    size_t step = 0;
    vec_each (&r->events, e) {
        enum verb_id verb = e->kind == EVENT_UNPLUG ? VERB_UNPLUG : VERB_REPLUG;
        while (step < lab->steps.n && lab->steps.at[step].verb != VERB_UNPLUG &&
               lab->steps.at[step].verb != VERB_REPLUG)
            step++;
        if (step == lab->steps.n || lab->steps.at[step].verb != verb ||
            lab->steps.at[step].args.at[0].host != e->host)
            return other(err, "step", verbs[verb].name);
        made[step++] = true;
    }
    return 0;
}

/* Whether the step is about this direction. */
static bool is_about(const struct lab_step *step, int from, int to)
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
        if (!is_about(step, did->from, did->to))
            continue;
        if (step->wire.kind == LAB_WIRE_CLEAR)
            has = 0;
        else if (step->wire.kind == LAB_WIRE_PROPERTIES)
            has |= step->wire.properties.has;
    }
    return has;
}

/* Whether the frame can be one that the rule means; one of which the sender's capture point
 * saw nothing can.  What a filter means, and which number is the first, is not looked into. */
static bool is_meant(const struct record *r, const struct wire_pick *pick, long packet)
{
    struct packet p;
    if (packet < 0 || pick->kind == WIRE_PICK_ANY || pick->kind == WIRE_PICK_FILTER)
        return true;
    if ((size_t)packet >= r->packets.n)
        return false;
    packet_decode(&p, &r->packets.at[packet].frame);
    if (p.transport != TRANSPORT_TCP)
        return false;
    struct strbuf flags cleanup_strbuf = STRBUF_INIT;
    strbuf_tcp_flags(&flags, p.tcp.flags);
    switch (pick->kind) {
    case WIRE_PICK_FLAGS:
        return strcmp(strbuf_cstr(&flags), pick->flags) == 0;
    case WIRE_PICK_DATA:
        return p.tcp.payload_len > 0;
    case WIRE_PICK_ACK:
        return p.tcp.flags == TCP_ACK && p.tcp.payload_len == 0;
    case WIRE_PICK_SEQ:
        return tcp_seq_len(&p.tcp) > 0;
    case WIRE_PICK_ANY:
    case WIRE_PICK_FILTER:
        break;
    }
    return true;
}

/* Whether the step can have made the wire do this; `before` is how often it did already. */
static bool is_by_step(const struct record *r, const struct lab *lab, const struct record_wire *did,
                       unsigned before)
{
    const struct lab_step *step = &lab->steps.at[did->step];
    const struct wire_rule *rule = &step->wire.rule;
    if (!is_about(step, did->from, did->to))
        return false;
    switch (step->wire.kind) {
    case LAB_WIRE_RULE:
        return did->action == rule->action && is_meant(r, &rule->pick, did->packet) &&
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
    return is_about(step, did->from, did->to) && step->wire.kind == LAB_WIRE_RULE &&
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

static int check_wire(const struct record *r, const struct lab *lab, bool *made, struct error *err)
{
    cleanup_free unsigned *times = xcalloc(lab->steps.n + 1, sizeof(*times));
    vec_each (&r->wire, did) {
        bool known = did->step >= 0 && (size_t)did->step < lab->steps.n;
        if (did->action == WIRE_STAY && (known ? holds(lab, did) : may_be_wired(lab, did)))
            continue;
        if (!known || !is_by_step(r, lab, did, times[did->step]++))
            return other(err, "the wire's", wire_action_names[did->action].word);
        made[did->step] = true;
    }
    return 0;
}

/* Whether nothing that may happen or not decides if the step leaves a trace. */
static bool leaves_trace(const struct lab_step *step)
{
    return is_call(step) || step->verb == VERB_UNPLUG || step->verb == VERB_REPLUG ||
           (step->verb == VERB_WIRE && step->wire.kind == LAB_WIRE_INJECT);
}

int stated_check(struct record *r, const struct lab *lab, struct error *err)
{
    if (r->ip != lab->ip) {
        error_set(err, STATUS_USAGE, "it is the evidence of a run with IPv%u", r->ip);
        return error_hint(err, "`--ip %u` reads the lab for that", r->ip);
    }
    if (!r->has_calls)
        return error_set(err, STATUS_USAGE, "it has no record of calls, as every run leaves one");
    if (r->skipped)
        return 0;
    cleanup_free bool *made = xcalloc(lab->steps.n + 1, sizeof(*made));
    if (check_scene(r, lab, err) < 0 || check_calls(r, lab, made, err) < 0 ||
        check_links(r, lab, made, err) < 0 || check_wire(r, lab, made, err) < 0)
        return -1;
    for (size_t i = 0; i < lab->steps.n && !r->stopped; i++) {
        const struct lab_step *step = &lab->steps.at[i];
        if (!leaves_trace(step) || made[i])
            continue;
        error_set(err, STATUS_USAGE, "there is no trace of the step `%s`", step->text);
        return error_hint(err, "it is the evidence of another script, or it was changed");
    }
    return 0;
}
