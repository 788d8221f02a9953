/* What became of a packet on its way, and what should have. */
#include "transcript/explain_parts.h"

static void travelled(struct strbuf *sb, const struct explanation *x)
{
    const struct observed *o = &x->seen[x->at];
    strbuf_puts(sb, " arrived ");
    timing_number(sb, o->s->travel);
    if (x->item->fate == FATE_IS_LOST) {
        strbuf_puts(sb, " later, and should have been lost");
    } else if (x->item->fate == FATE_ARRIVES && x->rules) {
        struct timing_bounds b = match_travel(x->rules, x->item, o);
        strbuf_puts(sb, " later, and not when it should have, after ");
        timing_number(sb, b.earliest);
        strbuf_puts(sb, " … ");
        timing_number(sb, b.latest);
    } else {
        strbuf_puts(sb, " later, and should have arrived at once");
    }
}

static void arrival(struct strbuf *sb, const struct explanation *x)
{
    const struct story_segment *s = x->seen[x->at].s;
    explain_put_packet(sb, x, x->at);
    if (s->fate == FATE_LOST)
        strbuf_puts(sb, " was lost on the way, and should have arrived");
    else if (s->unsent)
        strbuf_puts(sb, " arrived, but the capture at its sender shows no such packet");
    else if (s->fate == FATE_UNKNOWN)
        strbuf_puts(sb, s->pending ? " had not arrived when the capture ended"
                                   : " was captured at one end only: whether it arrived is not "
                                     "known");
    else if (s->mixed)
        strbuf_puts(sb, " arrived more than once, damaged and undamaged");
    else if (s->arrivals > 2)
        strbuf_printf(sb, " was sent once and arrived %u times", s->arrivals);
    else
        travelled(sb, x);
}

/* By field: behind the packet's name, where it was so and should not, and the other way. */
static const struct {
    enum mishap mishap;
    const char *was, *was_not;
} sentences[] = {
    {MISHAP_TWICE, " was sent once and arrived more than once",
     " arrived once, and should have arrived twice"},
    {MISHAP_DAMAGED, " arrived damaged: its checksum was wrong, and TCP did not see it",
     " arrived undamaged, and should have been damaged on the way"},
    {MISHAP_MARKED, " arrived with the mark CE, and should have arrived without it",
     " arrived without the mark CE, and should have been marked on the way"},
    {MISHAP_REWRITTEN, " was changed on the way, and should have arrived as it was sent",
     " arrived as it was sent, and should have been changed on the way"},
    {MISHAP_INJECTED, " was sent by nobody, the wire injected it",
     " was sent, and should have been injected by the wire"},
};

static void overtaken(struct strbuf *sb, const struct explanation *x)
{
    unsigned expected = x->item->overtaken, observed = x->seen[x->at].s->overtaken;
    explain_put_packet(sb, x, x->at);
    if (observed)
        strbuf_printf(sb, " was overtaken by %u that %s sent later", observed,
                      observed == 1 ? "was" : "were");
    else
        strbuf_puts(sb, " arrived before all that were sent later");
    if (expected)
        strbuf_printf(sb, ", and should have been overtaken by %u", expected);
    else
        strbuf_puts(sb, ", and should have arrived in its turn");
}

bool explain_fate(struct strbuf *sb, const struct explanation *x, const struct field_diff *d)
{
    if (!x->item)
        return false;
    if (strcmp(d->field, "arrival") == 0) {
        arrival(sb, x);
        return true;
    }
    if (strcmp(d->field, mishap_fields[MISHAP_OVERTAKEN]) == 0) {
        overtaken(sb, x);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
        if (strcmp(d->field, mishap_fields[sentences[i].mishap]) != 0)
            continue;
        bool wanted = x->item->mishaps >> sentences[i].mishap & 1;
        explain_put_packet(sb, x, x->at);
        strbuf_puts(sb, wanted ? sentences[i].was_not : sentences[i].was);
        return true;
    }
    return false;
}
