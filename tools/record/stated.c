#include "record/stated.h"

#include <string.h>

#include "base/strbuf.h"
#include "record/stated_parts.h"

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

int stated_other(struct error *err, const char *what, const char *name)
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
            return stated_other(err, "host", name);
    }
    for (size_t i = 0; i < lab->captures.n || i < r->points.n; i++) {
        if (i >= lab->captures.n)
            return stated_other(err, "capture point", r->points.at[i].name);
        const struct lab_capture *c = &lab->captures.at[i];
        const struct lab_host *host = &lab->hosts.at[c->host];
        const struct record_point *p = i < r->points.n ? &r->points.at[i] : NULL;
        if (!p || p->host != c->host || !same(p->iface, host->ifaces.at[c->iface].name) ||
            !same(p->filter, c->filter))
            return stated_other(err, "capture point", p ? p->name : host->name);
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
            return stated_other(err, "call", call->verb);
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
            return stated_other(err, "step", verbs[verb].name);
        made[step++] = true;
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
        check_links(r, lab, made, err) < 0 || stated_check_wire(r, lab, made, err) < 0)
        return -1;
    stated_wires(r, lab);
    for (size_t i = 0; i < lab->steps.n && !r->stopped; i++) {
        const struct lab_step *step = &lab->steps.at[i];
        if (!leaves_trace(step) || made[i])
            continue;
        error_set(err, STATUS_USAGE, "there is no trace of the step `%s`", step->text);
        return error_hint(err, "it is the evidence of another script, or it was changed");
    }
    return 0;
}
