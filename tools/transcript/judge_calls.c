/* Calls, links and socket states.
 *
 * They are not packets, and the moments at which programs see things stand in no
 * exact order to the packets on the wire: a call may return a little before or
 * after the segment that follows.  So their lines are aligned on their own, for
 * each host and connection in order; what the transcript does not list is no
 * failure.  Then two things are judged against the packets around the line in the
 * transcript: its interval, and that it is not out of place by more than the slack
 * that a late machine is given. */

#include <inttypes.h>
#include <stdlib.h>

#include "base/errno.h"
#include "base/number.h"
#include "transcript/explain.h"
#include "transcript/judge_parts.h"

enum { COST_ARGS = 40, COST_RESULT = 30, COST_STATE = 60, COST_TIME = 15, MAX_CELLS = 16000000 };

/* Something of the record that a line can mean. */
struct happening {
    enum item_kind kind;
    const char *host, *as; /* as may be NULL */
    nsec time;             /* stamp; 0: never ended */
    char *text;            /* in the transcript's notation */
    const char *state;
    bool up;
    const struct record_call *call;
    bool claimed;
    size_t order; /* as recorded */
};

struct call_line {
    const struct pattern_item *item;
    long happening;     /* -1: none */
    nsec before, after; /* stamps of the packets around it; 0 and NSEC_NEVER: none */
    nsec since;         /* where its interval begins: `before`, or the packet of a label */
    struct timing_rtt rtt;
};

struct call_lines {
    VEC(struct happening) happenings;
    VEC(struct call_line) lines;
};

static const char *host_name(const struct record *r, int host)
{
    return host >= 0 && (size_t)host < r->hosts.n ? r->hosts.at[host].name : "?";
}

static void add_call(struct call_lines *c, const struct record *r, const struct record_call *call)
{
    struct strbuf text = STRBUF_INIT;
    struct happening *h = vec_add(&c->happenings);
    h->kind = ITEM_CALL;
    h->host = host_name(r, call->host);
    h->as = call->as;
    h->time = call->ended;
    h->call = call;
    story_format_call(&text, r, call);
    h->text = strbuf_steal(&text);
    if (strcmp(call->verb, "state") != 0 || call->failed || !call->text)
        return;
    struct happening state = *h;
    state.kind = ITEM_STATE;
    state.state = call->text;
    state.text = xasprintf("%s%s%s: state %s", state.host, call->as ? " as " : "",
                           call->as ? call->as : "", call->text);
    vec_push(&c->happenings, state);
}

static void add_event(struct call_lines *c, const struct record *r, const struct record_event *e)
{
    struct happening *h = vec_add(&c->happenings);
    h->kind = ITEM_LINK;
    h->host = host_name(r, e->host);
    h->time = e->time;
    h->up = e->kind == EVENT_REPLUG;
    h->text = xasprintf("link %s %s", h->host, h->up ? "up" : "down");
}

static int by_time(const void *a, const void *b)
{
    const struct happening *x = a, *y = b;
    nsec s = x->time ? x->time : NSEC_NEVER, t = y->time ? y->time : NSEC_NEVER;
    if (s != t)
        return s < t ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* ---------------------------------------------------------------- comparisons */

static bool same_words(struct slice a, struct slice b)
{
    for (;;) {
        struct slice x = slice_word(&a), y = slice_word(&b);
        if (!slice_is(x, "*") && !slice_equal(x, y))
            return false;
        if (x.n == 0)
            return true;
    }
}

/* Behind `=>` of a formatted call. */
static struct slice result_of(const struct happening *h)
{
    struct slice text = slice_of(h->text);
    size_t arrow = reader_find_arrow(text);
    slice_skip(&text, arrow < text.n ? arrow + 2 : text.n);
    return slice_trim(text);
}

/* The arguments of a formatted call. */
static struct slice args_of(const struct happening *h)
{
    struct slice none = {NULL, 0};
    const char *args = h->call->args;
    if (!args || !*args)
        return none;
    const char *at = strstr(h->text, args);
    return at ? (struct slice){at, strlen(args)} : none;
}

static bool result_fits(const struct pattern_item *item, const struct happening *h)
{
    const struct record_call *call = h->call;
    int64_t number;
    struct slice result = item->result;
    if (call->ended == 0)
        return slice_equal(result, result_of(h)) && result.n;
    if (result.n == 0)
        return !call->failed || call->as_stated;
    if (slice_is(result, "*") || slice_equal(result, result_of(h)))
        return true;
    if (call->failed)
        return errno_from_name(result.at, result.n) == call->errnum && call->errnum;
    cleanup_free char *text = xstrndup(result.at, result.n);
    char *end;
    int64_t least, most;
    if (range_of_numbers(text, &least, &most))
        return call->value >= least && call->value <= most;
    number = strtoll(text, &end, 10);
    if (end != text && !*end)
        return number == call->value;
    return call->text && slice_is(result, call->text);
}

static bool same_actor(const struct pattern_item *item, const struct happening *h)
{
    return item->kind == h->kind && slice_is(item->host, h->host) &&
           slice_is(item->as, h->as ? h->as : "");
}

/* Compares; with line, lists the differences in it. */
static unsigned compare(const struct pattern_item *item, const struct happening *h,
                        struct result_line *line)
{
    unsigned cost = 0;
    struct slice nothing = slice_of("");
    struct difference d[2] = {{.field = NULL}};
    if (item->kind == ITEM_LINK || item->kind == ITEM_STATE) {
        if (item->kind == ITEM_LINK ? item->up == h->up : slice_is(item->state, h->state))
            return 0;
        struct slice e = nothing, o = slice_of(h->text);
        if (line) {
            e = slice_of(line->expected);
            e = slice_last_word(&e);
        }
        d[0] = (struct difference){"state", e, slice_last_word(&o)};
        cost = COST_STATE;
    } else {
        if (!slice_is(item->verb, h->call->verb))
            return MATCH_COST_NEVER;
        if (item->args.n && !same_words(item->args, slice_of(h->call->args ? h->call->args : ""))) {
            cost += COST_ARGS;
            d[0] = (struct difference){"arguments", item->args, args_of(h)};
        }
        if (!result_fits(item, h)) {
            cost += COST_RESULT;
            d[1] = (struct difference){"result", item->result, result_of(h)};
        }
    }
    for (size_t i = 0; line && i < ARRAY_SIZE(d); i++) {
        if (!d[i].field)
            continue;
        /* The item's slices lead into its file: place them in the line instead. */
        const char *at = d[i].expected.n ? memmem(line->expected, strlen(line->expected),
                                                  d[i].expected.at, d[i].expected.n)
                                         : NULL;
        if (at)
            d[i].expected.at = at;
        judge_add_diff(line, &d[i], line->expected, h->text,
                       strlen(line->observed) - strlen(h->text));
    }
    return cost;
}

static nsec gap_of(const struct call_line *l, const struct happening *h)
{
    return h->time - l->since;
}

static bool bounds_of(const struct judging *j, const struct call_line *l, const struct happening *h,
                      struct timing_bounds *b)
{
    struct timing_host host = {j->record->tick, record_lateness(j->record, 0, 0)};
    if (!l->item->has_interval)
        return false;
    enum timing_base base = slice_is(l->item->verb, "connect") ? TIMING_SYN : TIMING_DATA;
    *b = timing_derive(&host, l->item->interval, base, l->rtt);
    if (h->time && gap_of(l, h) > b->latest) {
        host.lateness = record_lateness(j->record, l->since + b->earliest, h->time);
        *b = timing_derive(&host, l->item->interval, base, l->rtt);
    }
    /* A program may be told before the packet that it is told of is stamped. */
    if (l->item->interval == 0)
        b->earliest = -b->latest;
    return true;
}

static bool in_time(const struct judging *j, const struct call_line *l, const struct happening *h)
{
    struct timing_bounds b;
    return !bounds_of(j, l, h, &b) || (h->time && timing_within(&b, gap_of(l, h)));
}

/* A call line belongs between the packets around it, give or take the slack. */
static bool in_place(const struct judging *j, const struct call_line *l, const struct happening *h)
{
    if (h->time == 0)
        return true;
    return h->time >= l->before - j->slack &&
           (l->after == NSEC_NEVER || h->time <= l->after + j->slack);
}

static unsigned cost_of(const struct judging *j, const struct call_line *l,
                        const struct happening *h)
{
    if (h->claimed || !same_actor(l->item, h))
        return MATCH_COST_NEVER;
    unsigned cost = compare(l->item, h, NULL);
    return cost + (in_time(j, l, h) ? 0 : COST_TIME) + (in_place(j, l, h) ? 0 : COST_TIME);
}

/* ------------------------------------------------------------------ alignment */

/* Aligns the lines of one actor (all with the same actor as the first), in order,
 * with what happened; costs[i][k] is the cheapest from line i and happening k on. */
static void align(struct judging *j, struct call_lines *c, const size_t *mine, size_t n)
{
    size_t m = c->happenings.n, width = m + 1;
    if (n * width > MAX_CELLS)
        return;
    unsigned *costs = xcalloc((n + 1) * width, sizeof(*costs));
    for (size_t i = n; i-- > 0;) {
        struct call_line *l = &c->lines.at[mine[i]];
        costs[i * width + m] = (unsigned)(n - i) * MATCH_COST_MISSING;
        for (size_t k = m; k-- > 0;) {
            unsigned pair = cost_of(j, l, &c->happenings.at[k]) + costs[(i + 1) * width + k + 1];
            unsigned missing = MATCH_COST_MISSING + costs[(i + 1) * width + k];
            unsigned other = costs[i * width + k + 1];
            unsigned best = pair < missing ? pair : missing;
            costs[i * width + k] = best < other ? best : other;
        }
    }
    for (size_t i = 0, k = 0; i < n && k < m;) {
        struct call_line *l = &c->lines.at[mine[i]];
        unsigned here = costs[i * width + k];
        if (here == cost_of(j, l, &c->happenings.at[k]) + costs[(i + 1) * width + k + 1]) {
            l->happening = (long)k++;
            i++;
        } else if (here == costs[i * width + k + 1]) {
            k++;
        } else {
            i++;
        }
    }
    free(costs);
}

static bool same_party(const struct pattern_item *a, const struct pattern_item *b)
{
    return a->kind == b->kind && slice_equal(a->host, b->host) && slice_equal(a->as, b->as);
}

static void align_all(struct judging *j, struct call_lines *c)
{
    size_t *mine = xcalloc(c->lines.n, sizeof(*mine));
    bool *done = xcalloc(c->lines.n, sizeof(*done));
    for (size_t i = 0; i < c->lines.n; i++) {
        size_t n = 0;
        for (size_t k = i; k < c->lines.n && !done[i]; k++) {
            if (done[k] || !same_party(c->lines.at[i].item, c->lines.at[k].item))
                continue;
            mine[n++] = k;
        }
        for (size_t k = 0; k < n; k++)
            done[mine[k]] = true;
        if (n)
            align(j, c, mine, n);
    }
    vec_each (&c->lines, l)
        if (l->happening >= 0)
            c->happenings.at[l->happening].claimed = true;
    free(mine);
    free(done);
}

static nsec stamp(const struct judging *j, const struct track *story, long seen)
{
    return j->record->packets.at[story->seen.at[seen].s->packet].frame.time;
}

/* The first packet that was taken for a line of the group that this item is in. */
static long first_of_group(const struct pattern *p, const struct track *story, size_t item)
{
    long first = story->firsts[item];
    for (size_t i = item; i < p->items.n && p->items.at[i].group == p->items.at[item].group; i++)
        if (story->firsts[i] >= 0 && story->firsts[i] < first)
            first = story->firsts[i];
    return first;
}

/* When the packet of the line with this label came; 0: it did not. */
static nsec stamp_of_label(const struct judging *j, const struct track *story, struct slice label)
{
    const struct pattern *p = j->pattern;
    for (size_t i = 0; i < p->items.n; i++)
        if (slice_equal(p->items.at[i].label, label) && story->pairs[i] >= 0)
            return stamp(j, story, story->pairs[i]);
    return 0;
}

/* The lines, each with the packets that the transcript has before and behind it. */
static void add_lines(struct judging *j, struct call_lines *c, const struct track *story)
{
    const struct pattern *p = j->pattern;
    long seen = -1;
    size_t waiting = 0;
    for (size_t i = 0; i < p->items.n; i++) {
        const struct pattern_item *item = &p->items.at[i];
        if (item->kind == ITEM_CALL || item->kind == ITEM_LINK || item->kind == ITEM_STATE) {
            struct call_line l = {.item = item, .happening = -1, .after = NSEC_NEVER};
            l.before = seen >= 0 ? stamp(j, story, seen) : j->origin;
            if (seen >= 0)
                l.rtt = match_rtt(story->seen.at[seen].s);
            l.since = item->since.n ? stamp_of_label(j, story, item->since) : 0;
            if (l.since == 0)
                l.since = l.before;
            vec_push(&c->lines, l);
        } else if (item->point < 0 && story->pairs[i] >= 0) {
            long first = item->group ? first_of_group(p, story, i) : story->pairs[i];
            if (story->pairs[i] > seen)
                seen = story->pairs[i];
            for (; waiting < c->lines.n; waiting++)
                c->lines.at[waiting].after = stamp(j, story, first);
        }
    }
}

struct call_lines *call_lines_new(struct judging *j, const struct track *story)
{
    struct call_lines *c = xcalloc(1, sizeof(*c));
    const struct record *r = j->record;
    vec_each (&r->calls, call)
        add_call(c, r, call);
    vec_each (&r->events, e)
        add_event(c, r, e);
    for (size_t i = 0; i < c->happenings.n; i++)
        c->happenings.at[i].order = i;
    if (c->happenings.n)
        qsort(c->happenings.at, c->happenings.n, sizeof(*c->happenings.at), by_time);
    add_lines(j, c, story);
    if (r->has_calls)
        align_all(j, c);
    return c;
}

void call_lines_free(struct call_lines *c)
{
    if (!c)
        return;
    vec_each (&c->happenings, h)
        free(h->text);
    vec_free(&c->happenings);
    vec_free(&c->lines);
    free(c);
}

/* --------------------------------------------------------------- result lines */

static void set_happening(struct judging *j, struct result_line *line, const struct happening *h,
                          nsec gap, struct slice since)
{
    struct strbuf text = STRBUF_INIT;
    if (h->time) {
        judge_put_gap(&text, gap);
        if (since.n)
            strbuf_printf(&text, "after %.*s ", (int)since.n, since.at);
        line->time = h->time - j->origin;
        line->gap = gap;
    }
    strbuf_puts(&text, h->text);
    line->observed = strbuf_steal(&text);
    line->call = h->call ? h->call - j->record->calls.at : -1;
}

static void judge_line(struct judging *j, struct result_line *line, const struct call_line *l,
                       const struct happening *h)
{
    struct timing_bounds b;
    struct slice observed = {line->observed, strlen(line->observed) - strlen(h->text)};
    struct slice gap = slice_word(&observed);
    compare(l->item, h, line);
    if (bounds_of(j, l, h, &b))
        judge_set_bounds(line, &b);
    if (!in_time(j, l, h)) {
        struct slice expected = {line->expected, slice_find(slice_of(line->expected), ' ')};
        struct difference d = {"interval", expected, gap};
        judge_add_diff(line, &d, line->expected, line->observed, 0);
    }
    if (!in_place(j, l, h)) {
        struct difference d = {"place", {NULL, 0}, gap};
        judge_add_diff(line, &d, line->expected, line->observed, 0);
    }
    if (h->call && !h->call->as_stated && line->diffs.n == 0) {
        struct slice stated = slice_of(h->call->expected ? h->call->expected : "success");
        struct field_diff *f = vec_add(&line->diffs);
        f->field = xstrdup("result");
        f->expected = xstrndup(stated.at, stated.n);
        struct slice result = result_of(h);
        f->observed = xstrndup(result.n ? result.at : "", result.n);
        f->observed_n = result.n;
        f->observed_at = result.n ? (size_t)(result.at - h->text) + observed.n : 0;
    }
    line->status = line->diffs.n ? LINE_DIFFERS : LINE_OK;
}

static enum line_kind kind_of(enum item_kind kind)
{
    return kind == ITEM_LINK ? LINE_LINK : kind == ITEM_STATE ? LINE_STATE : LINE_CALL;
}

static const struct call_line *find_line(const struct call_lines *c,
                                         const struct pattern_item *item)
{
    vec_each (&c->lines, l)
        if (l->item == item)
            return l;
    return NULL;
}

nsec call_lines_moment(const struct call_lines *c, const struct pattern_item *item)
{
    const struct call_line *l = find_line(c, item);
    return l && l->happening >= 0 ? c->happenings.at[l->happening].time : 0;
}

const char *call_lines_text(const struct judging *j, const struct call_lines *c,
                            const struct pattern_item *item, bool *fits)
{
    const struct call_line *l = find_line(c, item);
    if (!l || l->happening < 0)
        return NULL;
    const struct happening *h = &c->happenings.at[l->happening];
    *fits = compare(item, h, NULL) == 0 && in_time(j, l, h) && in_place(j, l, h);
    return h->text;
}

void call_lines_emit(struct judging *j, struct call_lines *c, const struct pattern_item *item)
{
    const struct call_line *l = find_line(c, item);
    if (!l)
        return;
    struct result_line *line = vec_add(&j->result->lines);
    struct strbuf text = STRBUF_INIT;
    pattern_item_format(&text, item);
    line->expected = strbuf_steal(&text);
    line->kind = kind_of(item->kind);
    line->line_number = item->line_number;
    line->label = item->label.n ? xstrndup(item->label.at, item->label.n) : NULL;
    line->note = judge_note(item);
    line->segment = line->call = -1;
    line->status = j->record->has_calls ? LINE_MISSING : LINE_UNJUDGED;
    if (l->happening >= 0) {
        const struct happening *h = &c->happenings.at[l->happening];
        set_happening(j, line, h, gap_of(l, h), item->since);
        judge_line(j, line, l, h);
    }
    struct explanation x = {.record = j->record, .item = item, .line = line};
    line->meaning = explain_line(&x);
}

/* Where a line of that moment stands among those that there are. */
static size_t place_in_time(const struct result *r, nsec time)
{
    for (size_t i = 0; i < r->lines.n; i++)
        if (r->lines.at[i].observed && r->lines.at[i].time > time)
            return i;
    return r->lines.n;
}

static void emit_wrong(struct judging *j, const struct happening *h)
{
    struct result *r = j->result;
    struct result_line line = {.kind = LINE_CALL, .status = LINE_DIFFERS, .segment = -1};
    const struct record_call *call = h->call;
    set_happening(j, &line, h, h->time - j->origin, slice_of(""));
    struct slice body = slice_of(h->text), result = result_of(h);
    body.n = reader_find_arrow(body);
    body = slice_trim(body);
    const char *stated = call->expected ? call->expected : "success";
    line.expected = xasprintf("%.*s => %s", (int)body.n, body.at, stated);
    struct difference d = {"result", slice_of(line.expected), result};
    slice_skip(&d.expected, d.expected.n - strlen(stated));
    judge_add_diff(&line, &d, line.expected, h->text, strlen(line.observed) - strlen(h->text));
    struct explanation x = {.record = j->record, .line = &line};
    line.meaning = explain_line(&x);
    size_t at = call->ended ? place_in_time(r, line.time) : r->lines.n;
    vec_add(&r->lines);
    memmove(&r->lines.at[at + 1], &r->lines.at[at], (r->lines.n - 1 - at) * sizeof(*r->lines.at));
    r->lines.at[at] = line;
}

void call_lines_emit_wrong(struct judging *j, const struct call_lines *c)
{
    vec_each (&c->happenings, h)
        if (h->kind == ITEM_CALL && !h->call->as_stated && !h->claimed && j->record->has_calls)
            emit_wrong(j, h);
}
