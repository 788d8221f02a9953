/* A transcript from a run, for `tcplab record`.
 *
 * Theory of operation.  The run is aligned with the old transcript, as for judging.
 * Where a line still fits it is kept as its author wrote it; where it was taken for
 * a packet and differs, its label and note are kept, its interval as long as it holds,
 * and the packet is written; what was not expected is written; what did not happen is
 * left out.  Without an old transcript everything is new.  Of calls and links, an old transcript
 * keeps those that it lists; a new one gets the calls whose result the script states or that
 * failed, and all links.
 *
 * An old transcript that speaks of both IP versions keeps what it says of the other one:
 * the new lines are paired with those (pattern_format()), by the numbers of their lines.
 *
 * A new line states what a rerun will repeat: values that the history determines
 * become `~`, and an interval is written only where a timer or the kernel's own
 * answer makes it, as the nominal value whose bounds hold what was measured. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "transcript/judge_write.h"

struct writer {
    struct judging *j;
    struct pattern out; /* shares the old transcript's texts */
    int group;          /* the old transcript's `any order` that is open */
    size_t remarks;     /* its items before this one are looked through for remarks */
    /* What was found for the last mix, which each of its packets asks for. */
    const struct track *mix_track;
    int mix_group;
    bool mix_fits;
};

static char *own(struct writer *w, char *text)
{
    vec_push(&w->out.owned, text);
    return text;
}

/* ------------------------------------------------------------------ new lines */

static const char *due_or(bool due, uint32_t value, char *room, size_t size)
{
    if (due)
        return "~";
    snprintf(room, size, "%u", value);
    return room;
}

/* A direction's first time stamp is 0 by definition; a later one may be 0 too, within the
 * same millisecond. */
static bool val_is_due(const struct story_segment *s)
{
    bool first = s->due_tsval.latest == 0;
    return s->due_tsval.known && !first &&
           s->tsval - s->due_tsval.earliest <= s->due_tsval.latest - s->due_tsval.earliest;
}

/* Without ACK there is no echo, and a SYN-ACK echoes the first SYN, unless that was lost. */
static bool ecr_is_due(const struct story_segment *s)
{
    bool fixed = !(s->p->tcp.flags & TCP_ACK) || (s->p->tcp.flags & TCP_SYN && s->tsecr == 0);
    return s->due_tsecr.known && !fixed &&
           (s->tsecr == s->due_tsecr.value || s->tsecr == s->due_tsecr.before);
}

/* The text of an observed line, with `TS val ~ ecr ~` where the history has them. */
static char *general_text(const struct observed *o)
{
    const struct story_segment *s = o->s;
    const char *ts = s->flow >= 0 && s->p->tcp.has_ts ? strstr(o->text, "TS val ") : NULL;
    const char *dump = strstr(o->text, " 0x0000: ");
    if (dump)
        return xasprintf("%.*s …", (int)(dump - o->text), o->text);
    if (!ts || o->line.kind != ITEM_SEGMENT)
        return xstrdup(o->text);
    char val[16], ecr[16];
    const char *end = ts + strcspn(ts, ",]");
    return xasprintf("%.*sTS val %s ecr %s%s", (int)(ts - o->text), o->text,
                     due_or(val_is_due(s), s->tsval, val, sizeof(val)),
                     due_or(ecr_is_due(s), s->tsecr, ecr, sizeof(ecr)), end);
}

/* The time-out that is over after `gap`: base * 2^k, or none (-1). */
static nsec time_out_of(const struct track *t, nsec first, enum timing_base base, nsec gap,
                        struct timing_rtt rtt)
{
    for (nsec n = first; n < 300 * NSEC_PER_SEC; n *= 2) {
        nsec capped = n < 120 * NSEC_PER_SEC ? n : 120 * NSEC_PER_SEC;
        struct timing_bounds b = timing_derive(&t->rules.host, capped, base, rtt);
        if (timing_within(&b, gap))
            return capped;
    }
    return -1;
}

/* A round-trip time is written in whole milliseconds, as a path has it by its delay. */
static nsec time_out(const struct track *t, enum timing_base base, nsec gap, struct timing_rtt rtt)
{
    nsec least = rtt.least / NSEC_PER_MSEC * NSEC_PER_MSEC;
    if (base == TIMING_SYN)
        return time_out_of(t, NSEC_PER_SEC, base, gap, rtt);
    nsec found = time_out_of(t, NSEC_PER_SEC / 5 + least, base, gap, rtt);
    return found < 0 ? time_out_of(t, timing_rto(least), base, gap, rtt) : found;
}

/* Whether the kernel sends it as an answer, without a program. */
static bool is_answer(const struct story_segment *s)
{
    uint16_t flags = s->flow >= 0 ? s->p->tcp.flags : TCP_FIN;
    if (flags & TCP_RST) /* one with ACK and a number of its own is a program's abort */
        return !(flags & TCP_ACK) || s->seq == 0;
    if (flags & TCP_SYN)
        return flags & TCP_ACK;
    return !(flags & TCP_FIN) && s->p->tcp.payload_len == 0;
}

static nsec interval_of(const struct track *t, const struct observed *o)
{
    if (o == t->seen.at)
        return 0;
    if (o->s->retransmission) {
        bool syn = o->s->flow >= 0 && o->s->p->tcp.flags & TCP_SYN;
        return time_out(t, syn ? TIMING_SYN : TIMING_DATA, o->gap, match_rtt(o->s));
    }
    if (!is_answer(o->s) || o->s->injected)
        return -1;
    if (o->gap <= TIMING_AT_ONCE)
        return 0;
    /* What it answers had been under way for so long. */
    bool answers = o->s->answers && o->s->response <= TIMING_AT_ONCE;
    return answers ? (o->gap - o->s->response) / NSEC_PER_MSEC * NSEC_PER_MSEC : -1;
}

static struct pattern_item *add_text(struct writer *w, char *text)
{
    struct pattern_item item;
    if (!pattern_read_line(&item, NULL, NULL, slice_of(own(w, text)))) {
        struct reader r = {.base = text};
        struct slice line = slice_of(text);
        pattern_item_free(&item);
        item = (struct pattern_item){.point = -1, .least = 1, .most = 1};
        reader_tail(&r, &line, &item);
        reader_words(&r, line, &item);
    }
    vec_push(&w->out.items, item);
    return vec_last(&w->out.items);
}

/* A port by the name that the old transcript has for it. */
static void rename_port(const struct writer *w, const struct track *t, struct endpoint *e)
{
    const struct pattern *old = w->j->pattern;
    for (size_t i = 0; i < old->names.n; i++)
        if (t->ports[i].n && slice_equal(t->ports[i], e->port) &&
            slice_equal(old->names.at[i].host, e->host)) {
            e->port = old->names.at[i].name;
            return;
        }
}

static void keep_names(struct pattern_item *item, const struct pattern_item *old)
{
    item->label = old->label;
    item->note = old->note ? xstrdup(old->note) : NULL;
    item->blank_before = old->blank_before;
    item->line_number = old->line_number;
}

/* What its author stated of the time, also nothing, as long as it holds. */
static nsec old_interval(const struct track *t, const struct observed *o,
                         const struct pattern_item *old)
{
    if (!old->has_interval)
        return -1;
    struct timing_bounds bounds = match_bounds(&t->rules, old, o);
    return timing_within(&bounds, o->gap) ? old->interval : interval_of(t, o);
}

static void add_packet(struct writer *w, const struct track *t, const struct observed *o,
                       const struct pattern_item *old)
{
    struct pattern_item *item = add_text(w, general_text(o));
    nsec interval = old ? old_interval(t, o, old) : interval_of(t, o);
    if (item->kind == ITEM_SEGMENT) {
        rename_port(w, t, &item->from);
        rename_port(w, t, &item->to);
    }
    item->point = t->point;
    item->group = w->group;
    item->has_interval = interval >= 0;
    item->interval = interval;
    if (old) {
        item->optional = old->optional;
        keep_names(item, old);
    }
}

/* ------------------------------------------------------------------- old lines */

static void add_old(struct writer *w, const struct pattern_item *old)
{
    struct pattern_item item = *old;
    item.note = old->note ? xstrdup(old->note) : NULL;
    item.options.at = NULL;
    item.options.n = item.options.cap = 0;
    vec_each (&old->options, option)
        vec_push(&item.options, *option);
    vec_push(&w->out.items, item);
}

/* What does not depend on what was observed: a remark, and, where nothing is known of
 * calls, their lines. */
static bool stays(const struct writer *w, const struct pattern_item *item)
{
    bool call = item->kind == ITEM_CALL || item->kind == ITEM_LINK || item->kind == ITEM_STATE;
    return item->kind == ITEM_REMARK || (call && !w->j->record->has_calls);
}

/* Keeps what stays of what stands before this item of the old transcript. */
static void add_remarks(struct writer *w, const struct pattern_item *before)
{
    const struct pattern *old = w->j->pattern;
    for (; w->remarks < old->items.n && &old->items.at[w->remarks] != before; w->remarks++)
        if (stays(w, &old->items.at[w->remarks]))
            add_old(w, &old->items.at[w->remarks]);
}

/* The number of the line that closes a group of the old transcript. */
static size_t close_of(const struct writer *w, int group)
{
    bool inside = false;
    vec_each (&w->j->pattern->items, item) {
        inside |= item->kind == ITEM_GROUP_OPEN && (item + 1)->group == group;
        if (inside && item->kind == ITEM_GROUP_CLOSE)
            return item->line_number;
    }
    return 0;
}

static void enter_group(struct writer *w, int group)
{
    if (group == w->group)
        return;
    if (w->group)
        vec_push(&w->out.items,
                 ((struct pattern_item){
                     .kind = ITEM_GROUP_CLOSE, .point = -1, .line_number = close_of(w, w->group)}));
    w->group = group;
    if (!group)
        return;
    vec_each (&w->j->pattern->items, item)
        if (item->kind == ITEM_GROUP_OPEN && (item + 1)->group == group)
            add_old(w, item);
}

/* The mix that the item is in, or is; NULL: none. */
static const struct pattern_item *mix_of(const struct pattern_item *item)
{
    if (!item->mixed && item->kind != ITEM_MIX_OPEN)
        return NULL;
    while (item->kind != ITEM_MIX_OPEN)
        item--;
    return item;
}

/* Whether there are as many packets as the mix says, and each fits one of its lines. */
static bool mix_fits(const struct track *t, int group)
{
    vec_each (&t->path.steps, s) {
        if (s->op == MATCH_UNEXPECTED || t->lines.at[s->line].item->group != group)
            continue;
        if (s->op == MATCH_MISSING && !t->lines.at[s->line].optional)
            return false;
        if (s->op == MATCH_PAIR &&
            match_compare(&t->rules, t->lines.at[s->line].item, &t->seen.at[s->seen], NULL))
            return false;
    }
    return true;
}

/* A mix that still fits is kept as a whole when its first packet comes; the packets of
 * one that does not are written out. */
static void add_mixed(struct writer *w, const struct track *t, const struct match_step *step,
                      const struct pattern_item *open, const struct pattern_item *last)
{
    enter_group(w, 0);
    if (w->mix_track != t || w->mix_group != open->group) {
        w->mix_track = t;
        w->mix_group = open->group;
        w->mix_fits = mix_fits(t, open->group);
    }
    if (!w->mix_fits) {
        if (step->op == MATCH_PAIR)
            add_packet(w, t, &t->seen.at[step->seen], NULL);
        return;
    }
    if (last && last->group == open->group)
        return;
    const struct pattern_item *item = open;
    do
        add_old(w, item++);
    while (item->group == open->group);
    add_old(w, item++); /* } */
    w->remarks = (size_t)(item - w->j->pattern->items.at);
}

/* Whether every repetition of the step's line fits as it was written. */
static bool still_fits(const struct track *t, const struct match_step *step)
{
    const struct pattern_item *item = t->lines.at[step->line].item;
    vec_each (&t->path.steps, s) {
        if (s->op == MATCH_UNEXPECTED || t->lines.at[s->line].item != item)
            continue;
        if (s->op == MATCH_MISSING && !t->lines.at[s->line].optional)
            return false;
        if (s->op == MATCH_PAIR && match_compare(&t->rules, item, &t->seen.at[s->seen], NULL))
            return false;
    }
    return true;
}

static void add_step(struct writer *w, const struct track *t, const struct match_step *step,
                     const struct pattern_item **last)
{
    const struct pattern_item *item =
        step->op == MATCH_UNEXPECTED ? NULL : t->lines.at[step->line].item;
    if (!item) {
        add_packet(w, t, &t->seen.at[step->seen], NULL);
        return;
    }
    const struct pattern_item *mix = mix_of(item), *first = mix ? mix : item;
    if (first - w->j->pattern->items.at >= (long)w->remarks)
        add_remarks(w, first);
    const struct pattern_item *before = *last;
    bool again = item == before;
    *last = item;
    if (mix) {
        add_mixed(w, t, step, mix, before);
        return;
    }
    enter_group(w, item->group);
    if (step->op == MATCH_PLACE) {
        if (match_quiet(&t->rules, item, t->seen.at, t->seen.n, step->seen) != QUIET_BROKEN)
            add_old(w, item);
    } else if (item->most == 1 || still_fits(t, step)) {
        if (!again && still_fits(t, step) && (step->op == MATCH_PAIR || item->optional))
            add_old(w, item);
        else if (!again && step->op == MATCH_PAIR)
            add_packet(w, t, &t->seen.at[step->seen], item);
    } else if (step->op == MATCH_PAIR) {
        add_packet(w, t, &t->seen.at[step->seen], again ? NULL : item);
    }
}

/* -------------------------------------------------------------------- moments */

/* Of a connect that fails the kernel says when: at once, or after the last time-out. */
static nsec connect_interval(const struct track *t, const struct record_call *call, nsec gap,
                             struct timing_rtt rtt)
{
    if (!call || !call->failed || strcmp(call->verb, "connect") != 0)
        return -1;
    if (call->errnum == ETIMEDOUT)
        return time_out(t, TIMING_SYN, gap, rtt);
    return gap <= TIMING_AT_ONCE ? 0 : -1;
}

/* `before`: the packet before it, or NULL. */
static void add_moment(struct writer *w, const struct track *t, struct moment *m,
                       const struct observed *before)
{
    if (!m->text) {
        add_old(w, m->old);
        return;
    }
    struct pattern_item *item = add_text(w, m->text);
    m->text = NULL;
    if (before) {
        nsec gap = m->time - w->j->record->packets.at[before->s->packet].frame.time;
        nsec interval = connect_interval(t, m->call, gap, match_rtt(before->s));
        item->has_interval = interval >= 0;
        item->interval = interval;
    }
    if (m->old)
        keep_names(item, m->old);
}

static void write_track(struct writer *w, struct track *t)
{
    const struct pattern_item *last = NULL;
    size_t n = 0, next = 0;
    struct moment *list = t->point < 0 ? write_moments(w->j, t, &n) : NULL;
    const struct observed *before = NULL;
    vec_each (&t->path.steps, step) {
        nsec time = NSEC_NEVER;
        if (step->op == MATCH_PAIR || step->op == MATCH_UNEXPECTED)
            time = w->j->record->packets.at[t->seen.at[step->seen].s->packet].frame.time;
        while (next < n && time != NSEC_NEVER && list[next].time < time && !w->group)
            add_moment(w, t, &list[next++], before);
        add_step(w, t, step, &last);
        if (time != NSEC_NEVER)
            before = &t->seen.at[step->seen];
    }
    enter_group(w, 0);
    while (next < n)
        add_moment(w, t, &list[next++], before);
    free(list);
}

void transcript_write(struct strbuf *sb, const struct lab *lab, const struct record *record,
                      const struct pattern *old)
{
    static const struct pattern empty = {.lines = 0};
    struct error err = ERROR_INIT;
    struct judging j = {
        .lab = lab, .pattern = old ? old : &empty, .record = record, .slack = JUDGE_DEFAULT_SLACK};
    struct writer w = {.j = &j};
    /* The lines of the other version stay, and where they differ now there is a pair. */
    w.out.ip = lab->ip;
    w.out.other = j.pattern->other;
    if (judge_open(&j, &err) == 0) {
        vec_each (&j.pattern->points, point)
            vec_push(&w.out.points, *point);
        vec_each (&j.tracks, t)
            write_track(&w, t);
        add_remarks(&w, NULL);
        pattern_format(sb, &w.out);
    }
    error_clear(&err);
    judge_close(&j);
    vec_each (&w.out.items, item)
        pattern_item_free(item);
    vec_each (&w.out.owned, text)
        free(*text);
    vec_free(&w.out.items);
    vec_free(&w.out.owned);
    vec_free(&w.out.points);
}
