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
#include "transcript/judge_calls.h"

enum { COST_ARGS = 40, COST_RESULT = 30, COST_STATE = 60, COST_TIME = 15, MAX_CELLS = 16000000 };

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
    h->event = e;
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
struct slice call_result(const struct happening *h)
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
        return slice_equal(result, call_result(h)) && result.n;
    if (result.n == 0)
        return !call->failed || call->as_stated;
    if (slice_is(result, "*") || slice_equal(result, call_result(h)))
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
unsigned call_compare(const struct pattern_item *item, const struct happening *h,
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
            d[1] = (struct difference){"result", item->result, call_result(h)};
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

nsec call_gap(const struct call_line *l, const struct happening *h)
{
    return h->time - l->since;
}

bool call_bounds(const struct judging *j, const struct call_line *l, const struct happening *h,
                 struct timing_bounds *b)
{
    struct timing_host host = {j->record->tick, record_lateness(j->record, 0, 0)};
    if (!l->item->has_interval)
        return false;
    enum timing_base base = slice_is(l->item->verb, "connect") ? TIMING_SYN : TIMING_DATA;
    *b = timing_derive(&host, l->item->interval, base, l->rtt);
    if (h->time && call_gap(l, h) > b->latest) {
        host.lateness = record_lateness(j->record, l->since + b->earliest, h->time);
        *b = timing_derive(&host, l->item->interval, base, l->rtt);
    }
    /* A program may be told before the packet that it is told of is stamped. */
    if (l->item->interval == 0)
        b->earliest = -b->latest;
    return true;
}

bool call_in_time(const struct judging *j, const struct call_line *l, const struct happening *h)
{
    struct timing_bounds b;
    return !call_bounds(j, l, h, &b) || (h->time && timing_within(&b, call_gap(l, h)));
}

/* A call line belongs between the packets around it, give or take the slack. */
bool call_in_place(const struct judging *j, const struct call_line *l, const struct happening *h)
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
    unsigned cost = call_compare(l->item, h, NULL);
    return cost + (call_in_time(j, l, h) ? 0 : COST_TIME) +
           (call_in_place(j, l, h) ? 0 : COST_TIME);
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
