/* Any bytes as a lab: the parser, its messages and the lesson's rendering must
 * stay within bounds, give everything back, and keep what lab.h promises. */
#include <stdlib.h>

#include "lab/lab.h"
#include "lab/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_wire(const struct lab *lab, const struct lab_wire *w)
{
    int hosts = (int)lab->hosts.n;
    const struct wire_pick *pick = &w->rule.pick;
    require(w->from >= 0 && w->from < hosts && w->to >= 0 && w->to < hosts && w->from != w->to);
    require(w->net >= 0 && w->net < (int)lab->nets.n && lab->nets.at[w->net].wired);
    require(w->properties.jitter <= LAB_MAX_DURATION && w->properties.loss <= 1000000);
    if (w->kind == LAB_WIRE_INJECT)
        require(w->segment && w->segment_span.to <= lab->source.len);
    if (w->kind != LAB_WIRE_RULE)
        return;
    require((pick->every == 0) == (pick->first != 0));
    require(pick->last == 0 || pick->first <= pick->last);
    require((pick->kind == WIRE_PICK_FLAGS) == (pick->flags != NULL));
    require((pick->kind == WIRE_PICK_FILTER) == (pick->filter != NULL));
    require((w->rule.action == WIRE_DELAY) == (w->rule.delay > 0));
    require((w->rule.action == WIRE_HOLD) == (w->rule.more > 0));
}

static void check_promises(const struct lab *lab)
{
    require(lab->hosts.n > 0 && lab->captures.n > 0 && lab->steps.n > 0);
    vec_each (&lab->hosts, h)
        vec_each (&h->ifaces, i)
            require(i->net >= -1 && i->net < (int)lab->nets.n);
    vec_each (&lab->captures, c)
        require(c->host >= 0 && (size_t)c->host < lab->hosts.n && c->iface >= 0 &&
                (size_t)c->iface < lab->hosts.at[c->host].ifaces.n);
    vec_each (&lab->steps, s) {
        require(s->verb < VERB_COUNT && s->host < (int)lab->hosts.n);
        require((s->host >= 0) == (verbs[s->verb].on_host != 0));
        require(s->span.from < s->span.to && s->span.to <= lab->source.len);
        if (s->verb == VERB_WIRE)
            check_wire(lab, &s->wire);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source src;
    struct diags diags = {0};
    struct strbuf out = STRBUF_INIT;
    source_from(&src, "fuzz.md", (const char *)data, size);
    struct lab *lab = lab_parse(&src, NULL, 0, &diags);
    if (diags.list.n == 0)
        check_promises(lab);
    vec_each (&diags.list, d)
        require(d->span.from <= d->span.to && d->span.to <= lab->source.len);
    diags_format(&diags, &out);
    lab_render(&out, lab, 60, true);
    strbuf_free(&out);
    diags_free(&diags);
    lab_free(lab);
    return 0;
}
