/* One view of the run: what was observed, in the transcript's notation, the lines
 * that speak of it, and the result lines that come of both. */

#include <stdlib.h>

#include "transcript/explain.h"
#include "transcript/judge_parts.h"

/* To tell what a line means takes a look at all that was sent before. */
enum { MAX_EXPLAINED = 100 };

static bool arrived_plainly(const struct story_segment *s)
{
    bool odd = s->unsent || s->pending || s->damaged || s->mixed || s->marked || s->rewritten ||
               s->injected;
    if (odd || s->overtaken || s->arrivals > 1)
        return false;
    return s->fate == FATE_UNKNOWN || (s->fate == FATE_ARRIVED && s->travel <= TIMING_AT_ONCE);
}

static void add_observed(struct track *t, const struct story_segment *s)
{
    struct observed *o = vec_add(&t->seen);
    struct strbuf text = STRBUF_INIT;
    story_format(&text, t->story, s);
    o->text = strbuf_steal(&text);
    for (char *p = o->text; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' '; /* tcpdump dumps what it cannot read, in lines */
    o->s = s;
    o->gap = s->gap;
    o->plain = t->point >= 0 || arrived_plainly(s);
    struct slice line = slice_of(o->text);
    if (pattern_read_line(&o->line, NULL, NULL, line) &&
        (o->line.kind == ITEM_SEGMENT || o->line.kind == ITEM_WORDS))
        return;
    /* Of TCP, but not in words that the language has (a malformed header): as words. */
    struct reader r = {.base = o->text};
    pattern_item_free(&o->line);
    o->line = (struct pattern_item){.point = -1, .least = 1, .most = 1};
    reader_tail(&r, &line, &o->line);
    reader_words(&r, line, &o->line);
}

/* In a foreign capture: what was lost can have been seen at its sender only. */
static bool is_out_of_sight(const struct record *r, const struct pattern_item *item)
{
    if (r->has_calls || item->fate != FATE_IS_LOST)
        return false;
    struct slice text = item->text;
    struct slice from = item->kind == ITEM_SEGMENT ? item->from.host_value : slice_word(&text);
    vec_each (&r->points, p)
        if (p->host >= 0 && slice_is(from, r->hosts.at[p->host].name))
            return false;
    return true;
}

static void add_lines(struct track *t, const struct record *r, const struct pattern_item *item)
{
    bool optional = item->optional || is_out_of_sight(r, item);
    if (item->kind == ITEM_MIX_OPEN) {
        vec_push(&t->lines, ((struct match_line){.item = item, .optional = item->least == 0}));
        return;
    }
    for (unsigned i = 0; i < item->most; i++)
        vec_push(&t->lines, ((struct match_line){.item = item,
                                                 .optional = optional || i >= item->least,
                                                 .spare = i > 0 && i >= item->least}));
}

/* How the paths of the lab keep to their delays, as its script says.  A path may lead over
 * several networks, each of which makes a frame earlier or later by its own jitter. */
static struct timing_path path_of(const struct judging *j)
{
    struct timing_path path = {.foreign = !j->record->has_calls};
    cleanup_free nsec *jitter = xcalloc(j->lab->nets.n + 1, sizeof(*jitter));
    vec_each (&j->lab->steps, step) {
        const struct wire_properties *p = &step->wire.properties;
        if (step->verb != VERB_WIRE || step->wire.kind != LAB_WIRE_PROPERTIES)
            continue;
        path.queue |= (p->has & WIRE_HAS_RATE) && p->rate;
        if (p->has & WIRE_HAS_JITTER && p->jitter > jitter[step->wire.net])
            jitter[step->wire.net] = p->jitter;
    }
    for (size_t i = 0; i < j->lab->nets.n; i++)
        path.jitter += jitter[i];
    return path;
}

void track_open(struct judging *j, struct track *t)
{
    const struct record *r = j->record;
    vec_each (&j->pattern->items, item)
        if (item->point == t->point && (item->kind == ITEM_SEGMENT || item->kind == ITEM_WORDS ||
                                        item->kind == ITEM_QUIET || item->kind == ITEM_MIX_OPEN))
            add_lines(t, r, item);
    t->pairs = xcalloc(j->pattern->items.n, sizeof(*t->pairs));
    t->firsts = xcalloc(j->pattern->items.n, sizeof(*t->firsts));
    t->ports = xcalloc(j->pattern->names.n, sizeof(*t->ports));
    for (size_t i = 0; i < j->pattern->items.n; i++)
        t->pairs[i] = t->firsts[i] = -1;
    t->rules = (struct match_rules){.host = {.tick = r->tick, .lateness = r->lateness},
                                    .record = r,
                                    .ports = t->ports,
                                    .complete = r->has_calls,
                                    .path = path_of(j)};
    if (!t->story)
        return;
    vec_each (&t->story->segments, s)
        add_observed(t, s);
    const struct observed *last = t->seen.n ? vec_last(&t->seen) : NULL;
    nsec first_stamp = last ? r->packets.at[t->seen.at[0].s->packet].frame.time : r->ended;
    nsec last_stamp = last ? r->packets.at[last->s->packet].frame.time : r->began;
    t->rules.quiet_after = r->ended - last_stamp;
    t->rules.quiet_before = first_stamp - r->began;
}

void track_free(struct track *t)
{
    vec_each (&t->seen, o) {
        free(o->text);
        pattern_item_free(&o->line);
    }
    vec_free(&t->seen);
    vec_free(&t->lines);
    vec_free(&t->path.steps);
    story_free(t->story);
    free(t->name);
    free(t->ports);
    free(t->pairs);
    free(t->firsts);
}

/* -------------------------------------------------------------- result lines */

/* Four significant digits: what a person reads of an interval. */
static nsec rounded(nsec t)
{
    nsec unit = 1;
    while (t / unit >= 10000)
        unit *= 10;
    return (t + unit / 2) / unit * unit;
}

void judge_put_gap(struct strbuf *sb, nsec gap)
{
    strbuf_puts(sb, gap < 0 ? "-" : "+");
    strbuf_duration(sb, rounded(gap < 0 ? -gap : gap));
    strbuf_putc(sb, ' ');
}

char *judge_note(const struct pattern_item *item)
{
    if (!item->note)
        return NULL;
    char *note = xstrdup(item->note);
    for (char *p = note; *p; p++)
        if (*p == '\n')
            *p = ' ';
    return note;
}

static char *slice_text(struct slice s)
{
    return s.at ? xstrndup(s.at, s.n) : xstrdup("");
}

static size_t place(struct slice s, const char *text)
{
    return s.n ? (size_t)(s.at - text) : 0;
}

struct field_diff *judge_add_diff(struct result_line *line, const struct difference *d,
                                  const char *expected_text, const char *observed_text,
                                  size_t observed_shift)
{
    struct field_diff *f = vec_add(&line->diffs);
    f->field = xstrdup(d->field);
    f->expected = slice_text(d->expected);
    f->observed = slice_text(d->observed);
    f->expected_at = place(d->expected, expected_text);
    f->expected_n = d->expected.n;
    f->observed_at = d->observed.n ? place(d->observed, observed_text) + observed_shift : 0;
    f->observed_n = d->observed.n;
    return f;
}

void judge_set_bounds(struct result_line *line, const struct timing_bounds *b)
{
    struct strbuf text = STRBUF_INIT;
    timing_explain(&text, b);
    line->derivation = strbuf_steal(&text);
    line->has_bounds = true;
    line->lateness = b->lateness;
    line->nominal = b->nominal;
    line->earliest = b->earliest;
    line->latest = b->latest;
    line->at_once = b->nominal == 0 || b->kind == TIMING_ANSWER;
}

static struct result_line *new_line(struct judging *j, struct track *t,
                                    const struct pattern_item *item)
{
    struct result_line *line = vec_add(&j->result->lines);
    line->kind = LINE_SEGMENT;
    line->segment = line->call = line->event = -1;
    line->point = t->name ? xstrdup(t->name) : NULL;
    if (!item)
        return line;
    struct strbuf text = STRBUF_INIT;
    pattern_item_format(&text, item);
    line->expected = strbuf_steal(&text);
    line->line_number = item->line_number;
    line->label = item->label.n ? slice_text(item->label) : NULL;
    line->note = judge_note(item);
    return line;
}

/* What was observed; returns how long its interval is in the text. */
static size_t set_observed(const struct judging *j, struct result_line *line, const struct track *t,
                           size_t seen)
{
    const struct observed *o = &t->seen.at[seen];
    struct strbuf text = STRBUF_INIT;
    judge_put_gap(&text, o->gap);
    size_t shift = text.len;
    strbuf_puts(&text, o->text);
    line->observed = strbuf_steal(&text);
    line->time = o->s->time;
    line->gap = o->gap;
    line->segment = o->s - t->story->segments.at;
    /* Where the story is judged, its own line tells what the wire did. */
    if (t->point < 0 || j->tracks.at[0].lines.n == 0)
        line->wire = judge_wire_did(j, o->s->packet);
    return shift;
}

/* The differences again, now between the texts that the reader sees. */
static void list_differences(struct judging *j, const struct track *t, struct result_line *line,
                             const struct observed *o, size_t shift)
{
    struct pattern_item shown;
    struct differences found = {0};
    struct pattern scratch = {0};
    vec_each (&j->pattern->names, name)
        vec_push(&scratch.names, *name);
    pattern_read_line(&shown, &scratch, j->lab, slice_of(line->expected));
    match_compare(&t->rules, &shown, o, &found);
    vec_each (&found.list, d) {
        struct field_diff *f = judge_add_diff(line, d, line->expected, o->text, shift);
        if (strcmp(f->field, "interval") == 0) {
            free(f->observed);
            f->observed = xstrndup(line->observed, shift - 1);
            f->observed_at = 0;
            f->observed_n = shift - 1;
        }
    }
    vec_free(&found.list);
    pattern_item_free(&shown);
    vec_each (&scratch.owned, text)
        free(*text);
    vec_free(&scratch.owned);
    vec_free(&scratch.names);
}

/* Puts a note in front of the line's own. */
static void prepend_note(struct result_line *line, char *note)
{
    if (note && line->note) {
        char *both = xasprintf("%s %s", note, line->note);
        free(note);
        free(line->note);
        line->note = both;
    } else if (note) {
        line->note = note;
    }
}

/* The note of an `any order` or a mix stands beside the first packet of all its lines, and
 * that of a mix's line beside the first packet that it is about. */
static void set_group(struct result_line *line, const struct judging *j, const struct track *t,
                      const struct pattern_item *item, size_t seen)
{
    const struct pattern_item *open = item;
    bool first_of_all = true;
    while (open->kind != ITEM_MIX_OPEN && open->kind != ITEM_GROUP_OPEN)
        open--;
    for (const struct pattern_item *i = open + 1; i->kind != ITEM_GROUP_CLOSE; i++) {
        long first = t->firsts[i - j->pattern->items.at];
        first_of_all = first_of_all && (first < 0 || first >= (long)seen);
    }
    if (item->mixed) {
        line->mix = (size_t)open->group;
        if (t->firsts[item - j->pattern->items.at] != (long)seen) {
            free(line->note);
            line->note = NULL;
        }
    }
    if (first_of_all)
        prepend_note(line, judge_note(open));
}

static void emit_pair(struct judging *j, struct track *t, const struct match_line *expected,
                      size_t seen)
{
    const struct pattern_item *item = expected->item;
    const struct observed *o = &t->seen.at[seen];
    struct result_line *line = new_line(j, t, item);
    size_t shift = set_observed(j, line, t, seen);
    if (item->group)
        set_group(line, j, t, item, seen);
    if (item->has_interval) {
        struct timing_bounds b = match_bounds(&t->rules, item, o);
        judge_set_bounds(line, &b);
    }
    if (o->s->fate == FATE_ARRIVED) {
        nsec lateness = match_travel(&t->rules, item, o).lateness;
        if (lateness > line->lateness)
            line->lateness = lateness;
    }
    if (match_compare(&t->rules, item, o, NULL) == 0)
        return;
    line->status = LINE_DIFFERS;
    list_differences(j, t, line, o, shift);
}

static void emit_quiet(struct judging *j, struct track *t, const struct pattern_item *item,
                       size_t at)
{
    struct result_line *line = new_line(j, t, item);
    enum match_quiet kept = match_quiet(&t->rules, item, t->seen.at, t->seen.n, at);
    nsec silence = match_silence(&t->rules, t->seen.at, t->seen.n, at);
    struct strbuf text = STRBUF_INIT;
    line->kind = LINE_QUIET;
    line->status = kept == QUIET_KEPT      ? LINE_OK
                   : kept == QUIET_UNKNOWN ? LINE_UNJUDGED
                                           : LINE_DIFFERS;
    strbuf_puts(&text, "quiet ");
    strbuf_duration(&text, rounded(silence > 0 ? silence : 0));
    line->observed = strbuf_steal(&text);
    line->gap = silence;
    line->time = at ? t->seen.at[at - 1].s->time : 0;
    line->has_bounds = true;
    line->nominal = item->quiet;
    line->earliest = item->quiet - (t->rules.host.tick > 0 ? t->rules.host.tick : 0);
    line->latest = NSEC_NEVER;
    if (line->status == LINE_DIFFERS) {
        size_t blank = strlen("quiet ");
        struct difference d = {"quiet", slice_of(line->expected), slice_of(line->observed)};
        slice_skip(&d.expected, blank);
        slice_skip(&d.observed, blank);
        judge_add_diff(line, &d, line->expected, line->observed, 0);
    }
}

static void emit_alone(struct judging *j, struct track *t, const struct match_line *expected,
                       size_t at)
{
    if (expected->spare && expected->optional && !t->unknown)
        return;
    struct result_line *line = new_line(j, t, expected->item);
    line->status = expected->optional ? LINE_ABSENT : LINE_MISSING;
    if (t->unknown)
        line->status = LINE_UNJUDGED;
    line->time = at ? t->seen.at[at - 1].s->time : 0;
}

/* The line that the path comes to next. */
static const struct pattern_item *next_item(const struct track *t)
{
    for (size_t i = t->next_step; i < t->path.steps.n; i++)
        if (t->path.steps.at[i].op != MATCH_UNEXPECTED)
            return t->lines.at[t->path.steps.at[i].line].item;
    return NULL;
}

static void emit_step(struct judging *j, struct track *t, const struct match_step *step)
{
    const struct match_line *expected =
        step->op == MATCH_UNEXPECTED ? NULL : &t->lines.at[step->line];
    size_t before = j->result->lines.n;
    switch (step->op) {
    case MATCH_PAIR:
        emit_pair(j, t, expected, step->seen);
        break;
    case MATCH_PLACE:
        emit_quiet(j, t, expected->item, step->seen);
        break;
    case MATCH_MISSING:
        emit_alone(j, t, expected, step->seen);
        break;
    case MATCH_UNEXPECTED: {
        struct result_line *line = new_line(j, t, NULL);
        line->status = LINE_UNEXPECTED;
        set_observed(j, line, t, step->seen);
        break;
    }
    }
    if (j->result->lines.n == before)
        return;
    struct result_line *line = vec_last(&j->result->lines);
    if (line->status == LINE_OK || line->status == LINE_ABSENT || line->status == LINE_UNJUDGED)
        return;
    if (j->explained++ >= MAX_EXPLAINED) {
        line->meaning =
            xstrdup(line->status == LINE_UNEXPECTED ? "this packet is not in the transcript"
                    : line->status == LINE_MISSING  ? "no such packet was seen"
                                                    : "it differs");
        return;
    }
    struct explanation x = {.record = j->record,
                            .story = t->story,
                            .seen = t->seen.at,
                            .n_seen = t->seen.n,
                            .at = step->seen,
                            .item = expected ? expected->item : NULL,
                            .next = next_item(t),
                            .rules = &t->rules,
                            .path = &t->path,
                            .lines = t->lines.at,
                            .line = line};
    line->meaning = explain_line(&x);
}

static bool belongs(const struct track *t, const struct match_step *step,
                    const struct pattern_item *item)
{
    if (step->op == MATCH_UNEXPECTED)
        return false;
    const struct pattern_item *other = t->lines.at[step->line].item;
    return other == item || (item->group && other->group == item->group);
}

void track_emit_before(struct judging *j, struct track *t, nsec stamp)
{
    while (t->next_step < t->path.steps.n) {
        const struct match_step *step = &t->path.steps.at[t->next_step];
        if (step->op != MATCH_UNEXPECTED ||
            j->record->packets.at[t->seen.at[step->seen].s->packet].frame.time >= stamp)
            return;
        emit_step(j, t, step);
        t->next_step++;
    }
}

void track_emit(struct judging *j, struct track *t, const struct pattern_item *until)
{
    size_t end = until ? t->next_step : t->path.steps.n;
    for (size_t i = t->next_step; until && i < t->path.steps.n; i++) {
        const struct match_step *step = &t->path.steps.at[i];
        if (belongs(t, step, until))
            end = i + 1;
        else if (step->op != MATCH_UNEXPECTED)
            break;
    }
    while (t->next_step < end)
        emit_step(j, t, &t->path.steps.at[t->next_step++]);
}
