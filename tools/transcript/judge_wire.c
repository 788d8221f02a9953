/* The lab's `wire` steps, and what the wire did.
 *
 * Theory of operation.  A scene that did not happen proves nothing, however well the
 * transcript fits: so each rule must have met as many frames as it names, each injected
 * segment must have been sent on, each `loss` must have lost something, and nothing that was
 * held back may be held at the end.  What falls short is a result line of its own.  Only the
 * record's word for it counts; stated_check() has compared that with the script.
 *
 * How many frames came by that a rule could have meant is told to help, and no more: when
 * exactly the step was played is not in the record, only which calls had returned before.
 *
 * A foreign capture knows nothing of a wire: its lines are not judged. */

#include <stdlib.h>

#include "transcript/judge_parts.h"

#define ECN_BITS 3 /* of the traffic class; 0: not ECN-capable (RFC 3168 5) */

/* -------------------------------------------------- what it did to each packet */

/* Where the story has the packet, and where a capture point's own view has what became of it. */
static long place_of(const struct record_wire *w, size_t which)
{
    return which == 0 ? w->packet : w->arrival;
}

/* By packet, a list of places in their order: place i (+ 1) is of event i / 2. */
void judge_wire_open(struct judging *j)
{
    const struct record *r = j->record;
    j->wire_first = xcalloc(r->packets.n + 1, sizeof(*j->wire_first));
    j->wire_next = xcalloc(2 * r->wire.n + 1, sizeof(*j->wire_next));
    for (size_t i = 2 * r->wire.n; i-- > 0;) {
        long packet = place_of(&r->wire.at[i / 2], i % 2);
        if (packet < 0 || (size_t)packet >= r->packets.n)
            continue;
        j->wire_next[i] = j->wire_first[packet];
        j->wire_first[packet] = i + 1;
    }
}

void judge_wire_close(struct judging *j)
{
    free(j->wire_first);
    free(j->wire_next);
}

static const char *const did[WIRE_ACTION_COUNT] = {
    [WIRE_DROP] = "dropped on the wire",
    [WIRE_DELAY] = "delayed on the wire",
    [WIRE_DUPLICATE] = "doubled on the wire",
    [WIRE_HOLD] = "held back on the wire",
    [WIRE_CORRUPT] = "damaged on the wire",
    [WIRE_MARK] = "marked CE on the wire",
    [WIRE_REWRITE] = "changed on the wire",
    [WIRE_INJECT] = "sent by nobody but the wire",
    [WIRE_LOSS] = "lost on the wire",
    [WIRE_OVERFLOW] = "dropped, the wire's queue was full",
    [WIRE_STAY] = "still on the wire at the end",
};

char *judge_wire_did(const struct judging *j, size_t packet)
{
    struct strbuf text = STRBUF_INIT;
    for (size_t i = j->wire_first[packet]; i; i = j->wire_next[i - 1]) {
        const struct record_wire *w = &j->record->wire.at[(i - 1) / 2];
        strbuf_printf(&text, "%s%s", text.len ? "; " : "", did[w->action]);
        if (w->step >= 0 && (size_t)w->step < j->lab->steps.n && j->lab->steps.at[w->step].text)
            strbuf_printf(&text, " (%s)", j->lab->steps.at[w->step].text);
    }
    return text.len ? strbuf_steal(&text) : NULL;
}

/* ------------------------------------------------------------- which came by */

/* The moment before which the step cannot have been played. */
static nsec played_after(const struct judging *j, long step)
{
    nsec after = j->record->began;
    vec_each (&j->record->calls, call)
        if ((long)call->step < step && call->step < j->lab->steps.n &&
            !j->lab->steps.at[call->step].background && call->ended > after)
            after = call->ended;
    return after;
}

static bool picks(const struct wire_pick *pick, const struct story_segment *s)
{
    if (pick->kind == WIRE_PICK_ANY)
        return true;
    if (s->flow < 0)
        return false;
    const struct tcp_header *t = &s->p->tcp;
    switch (pick->kind) {
    case WIRE_PICK_DATA:
        return t->payload_len > 0;
    case WIRE_PICK_ACK:
        return t->flags == TCP_ACK && t->payload_len == 0;
    case WIRE_PICK_SEQ:
        return s->seq == pick->seq && tcp_seq_len(t) > 0;
    case WIRE_PICK_FLAGS:
    case WIRE_PICK_FILTER:
    case WIRE_PICK_ANY:
        break;
    }
    return false;
}

/* How many such frames were sent since, and how many of them say that they are ECN-capable;
 * -1: that cannot be told. */
struct came {
    long all, capable;
};

static struct came came_by(const struct judging *j, const struct lab_wire *w, long step)
{
    const struct track *story = &j->tracks.at[0];
    const struct wire_pick *pick = &w->rule.pick;
    if (!story->story || pick->kind == WIRE_PICK_FILTER || j->lab->hosts.at[w->from].router ||
        j->lab->hosts.at[w->to].router)
        return (struct came){-1, -1};
    nsec after = played_after(j, step);
    struct came n = {0};
    vec_each (&story->seen, o) {
        bool here = o->s->from == w->from && o->s->to == w->to && !o->s->injected;
        if (!here || j->record->packets.at[o->s->packet].frame.time < after)
            continue;
        bool meant = pick->kind == WIRE_PICK_FLAGS
                         ? o->line.kind == ITEM_SEGMENT &&
                               slice_is(o->line.fields[FIELD_FLAGS].value, pick->flags)
                         : picks(pick, o->s);
        n.all += meant;
        n.capable += meant && o->s->p->net == NET_IP && o->s->p->ip.tos & ECN_BITS;
    }
    return n;
}

/* ----------------------------------------------------------------- the steps */

static void put_missing(struct judging *j, const struct lab_step *step, char *meaning)
{
    struct result_line *line = vec_add(&j->result->lines);
    line->kind = LINE_WIRE;
    line->status = meaning ? LINE_MISSING : LINE_UNJUDGED;
    line->expected = xstrdup(step->text);
    line->meaning = meaning;
    line->segment = line->call = line->event = -1;
}

static unsigned count_done(const struct judging *j, long step, enum wire_action action)
{
    unsigned n = 0;
    vec_each (&j->record->wire, w)
        n += w->step == step && w->action == action;
    return n;
}

static bool is_held(const struct judging *j, const struct record_wire *w)
{
    if (w->action == WIRE_STAY)
        return true;
    if (w->action != WIRE_HOLD)
        return false;
    const struct story *story = j->tracks.at[0].story;
    long owner = story && w->packet >= 0 ? story->owner[w->packet] : -1;
    return owner >= 0 && story->segments.at[owner].pending;
}

/* The end of the sentence. */
static char *why_missed(const struct wire_rule *rule, struct came came)
{
    unsigned first = rule->pick.every ? rule->pick.every : rule->pick.first;
    bool enough = came.all < 0 || (unsigned long)came.all >= first;
    if (came.all == 0)
        return xstrdup(": no such segment came by");
    if (!enough)
        return xasprintf(": only %ld such segment%s came by", came.all, came.all == 1 ? "" : "s");
    if (rule->action != WIRE_MARK || (came.all >= 0 && came.capable == came.all))
        return xstrdup("");
    if (came.all < 0)
        return xstrdup(": a packet that is not ECN-capable is not marked (RFC 3168)");
    return xasprintf(
        ": %ld of the %ld such segments that came by were not ECN-capable, and these are "
        "not marked (RFC 3168)",
        came.all - came.capable, came.all);
}

/* What a rule fell short of, or NULL. */
static char *rule_missed(const struct judging *j, const struct lab_step *step, long index)
{
    const struct wire_rule *rule = &step->wire.rule;
    unsigned wants = wire_rule_wants(rule), done = count_done(j, index, rule->action);
    if (done >= wants) {
        vec_each (&j->record->wire, w)
            if (w->step == index && is_held(j, w))
                return xasprintf("`%s`: at the end it was held back still, fewer than %u more had "
                                 "come by",
                                 step->text, rule->more);
        return NULL;
    }
    struct came came = came_by(j, &step->wire, index);
    cleanup_free char *why = why_missed(rule, came);
    if (done)
        return xasprintf("`%s` happened %u times only, and should have %u times%s", step->text,
                         done, wants, rule->action == WIRE_MARK ? why : "");
    return xasprintf("`%s` never happened%s", step->text, why);
}

/* Whether a later step says anew how much is lost in this direction. */
static bool ends_loss(const struct lab_step *step, int from, int to)
{
    const struct lab_wire *w = &step->wire;
    bool same = (w->from == from && w->to == to) || (w->both && w->from == to && w->to == from);
    return step->verb == VERB_WIRE && same &&
           (w->kind == LAB_WIRE_CLEAR ||
            (w->kind == LAB_WIRE_PROPERTIES && w->properties.has & WIRE_HAS_LOSS));
}

/* An event names the last step that set a property, which need not be that of the loss. */
static bool has_lost(const struct judging *j, size_t index, int from, int to)
{
    size_t end = index + 1;
    while (end < j->lab->steps.n && !ends_loss(&j->lab->steps.at[end], from, to))
        end++;
    vec_each (&j->record->wire, w) {
        bool its = w->step < 0 || ((size_t)w->step >= index && (size_t)w->step < end);
        if (w->action == WIRE_LOSS && its && w->from == from && w->to == to)
            return true;
    }
    return false;
}

static char *step_missed(const struct judging *j, const struct lab_step *step, size_t index)
{
    const struct lab_wire *w = &step->wire;
    switch (w->kind) {
    case LAB_WIRE_RULE:
        return rule_missed(j, step, (long)index);
    case LAB_WIRE_PROPERTIES:
        if (!(w->properties.has & WIRE_HAS_LOSS) || w->properties.loss == 0 ||
            has_lost(j, index, w->from, w->to) || (w->both && has_lost(j, index, w->to, w->from)))
            return NULL;
        return xasprintf("`%s` never happened: nothing was lost", step->text);
    case LAB_WIRE_INJECT:
        return count_done(j, (long)index, WIRE_INJECT)
                   ? NULL
                   : xasprintf("`%s` never happened", step->text);
    case LAB_WIRE_CLEAR:
        break;
    }
    return NULL;
}

/* Whether the step asks for something that has to happen. */
static bool has_to_happen(const struct lab_step *step)
{
    const struct lab_wire *w = &step->wire;
    return step->verb == VERB_WIRE && (w->kind == LAB_WIRE_RULE || w->kind == LAB_WIRE_INJECT ||
                                       (w->kind == LAB_WIRE_PROPERTIES &&
                                        w->properties.has & WIRE_HAS_LOSS && w->properties.loss));
}

void judge_wire_steps(struct judging *j)
{
    for (size_t i = 0; i < j->lab->steps.n && !j->record->stopped; i++) {
        const struct lab_step *step = &j->lab->steps.at[i];
        if (!has_to_happen(step))
            continue;
        if (!j->record->has_calls) {
            put_missing(j, step, NULL);
            continue;
        }
        char *missed = step_missed(j, step, i);
        if (missed)
            put_missing(j, step, missed);
    }
}
