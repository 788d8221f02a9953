/* Theory of operation.
 *
 * Whether two runs differ, and where first, is differ()'s word: it compares in the order of
 * sending, and its answer decides.  What is shown beside it is an alignment, so that a segment
 * that one run has more does not make all that follow look different: the cheapest sequence of
 * pairs and of segments that stand alone, by a table of all with all.  Two segments are the
 * dearer a pair the less they have in common; without the same direction and flags they are
 * never one.  What is the same at both ends is paired before; where the table of the rest
 * would be too large, that is paired in its order.
 *
 * Calls are paired by the step of the script.  Those that differ in what they gave stand
 * behind the last segment that had been sent when they ended. */
#include "transcript/compare_parts.h"

enum { ALONE = 50, NEVER = 1000 };

/* 5,000 segments by 5,000 are 25 million. */
#define MOST_CELLS ((size_t)40 * 1000 * 1000)

/* A pair, or a segment or call of one run: -1 in the other. */
struct pair {
    long segment[2];
    long call[2];
    unsigned differs; /* DIFFER_TEXT … */
    bool ignored;     /* it may be there or not */
};

typedef VEC(struct pair) pairs;

struct comparing {
    const struct differ_run *run[2];
    struct compared *out;
};

static const struct story_segment *segment_of(const struct comparing *c, int side, size_t i)
{
    return &c->run[side]->story->segments.at[i];
}

static enum differ_mark mark_of(const struct comparing *c, int side, long i)
{
    return c->run[side]->marks && i >= 0 ? c->run[side]->marks[i] : DIFFER_COUNTS;
}

/* ------------------------------------------------------------------ alignment */

static unsigned cost_of(const struct story_segment *a, const struct story_segment *b)
{
    if ((a->flow < 0) != (b->flow < 0) || a->from != b->from || a->to != b->to)
        return NEVER;
    if (a->flow < 0)
        return a->p->ip.proto == b->p->ip.proto && a->p->net == b->p->net ? 10 : NEVER;
    const struct tcp_header *x = &a->p->tcp, *y = &b->p->tcp;
    if (a->flow != b->flow || a->dir != b->dir ||
        (x->flags ^ y->flags) & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK))
        return NEVER;
    return (a->seq != b->seq) * 40u + (x->payload_len != y->payload_len) * 20u +
           (a->ack != b->ack) * 20u + (x->flags != y->flags) * 5u + (a->fate != b->fate) * 5u +
           (x->window != y->window);
}

static void push_pair(pairs *list, long a, long b)
{
    vec_push(list, ((struct pair){.segment = {a, b}, .call = {-1, -1}}));
}

/* Segments of both that are to be aligned: a piece of each, as what is the same at the beginning
 * and at the end needs no table. */
struct stretch {
    size_t from[2], n[2];
};

static unsigned cost_in(const struct comparing *c, const struct stretch *s, size_t i, size_t k)
{
    return cost_of(segment_of(c, 0, s->from[0] + i), segment_of(c, 1, s->from[1] + k));
}

static void pair_in_order(pairs *list, const struct stretch *s)
{
    for (size_t i = 0; i < s->n[0] || i < s->n[1]; i++)
        push_pair(list, i < s->n[0] ? (long)(s->from[0] + i) : -1,
                  i < s->n[1] ? (long)(s->from[1] + i) : -1);
}

/* What it costs from (i, k) to the end. */
static uint32_t *fill_table(const struct comparing *c, const struct stretch *s)
{
    size_t n = s->n[0], m = s->n[1];
    uint32_t *cost = xcalloc((n + 1) * (m + 1), sizeof(*cost));
    for (size_t i = n + 1; i-- > 0;) {
        for (size_t k = m + 1; k-- > 0;) {
            uint32_t *here = &cost[i * (m + 1) + k], best = UINT32_MAX;
            if (i < n)
                best = cost[(i + 1) * (m + 1) + k] + ALONE;
            if (k < m && cost[i * (m + 1) + k + 1] + ALONE < best)
                best = cost[i * (m + 1) + k + 1] + ALONE;
            if (i < n && k < m) {
                uint32_t both = cost[(i + 1) * (m + 1) + k + 1] + cost_in(c, s, i, k);
                best = both < best ? both : best;
            }
            *here = best == UINT32_MAX ? 0 : best;
        }
    }
    return cost;
}

static void align_stretch(pairs *list, const struct comparing *c, const struct stretch *s)
{
    size_t n = s->n[0], m = s->n[1];
    cleanup_free uint32_t *cost = fill_table(c, s);
    for (size_t i = 0, k = 0; i < n || k < m;) {
        uint32_t here = cost[i * (m + 1) + k];
        long a = (long)(s->from[0] + i), b = (long)(s->from[1] + k);
        if (i < n && k < m && here == cost[(i + 1) * (m + 1) + k + 1] + cost_in(c, s, i, k)) {
            push_pair(list, a, b);
            i++;
            k++;
        } else if (i < n && here == cost[(i + 1) * (m + 1) + k] + ALONE) {
            push_pair(list, a, -1);
            i++;
        } else {
            push_pair(list, -1, b);
            k++;
        }
    }
}

static void align(pairs *list, const struct comparing *c)
{
    struct stretch s = {.n = {c->out->segments[0], c->out->segments[1]}};
    while (s.n[0] && s.n[1] && cost_in(c, &s, 0, 0) == 0) {
        push_pair(list, (long)s.from[0]++, (long)s.from[1]++);
        s.n[0]--;
        s.n[1]--;
    }
    size_t tail = 0;
    while (s.n[0] && s.n[1] && cost_in(c, &s, s.n[0] - 1, s.n[1] - 1) == 0) {
        s.n[0]--;
        s.n[1]--;
        tail++;
    }
    if (s.n[0] && s.n[1] && s.n[0] + 1 > MOST_CELLS / (s.n[1] + 1))
        pair_in_order(list, &s);
    else
        align_stretch(list, c, &s);
    for (size_t i = 0; i < tail; i++)
        push_pair(list, (long)(s.from[0] + s.n[0] + i), (long)(s.from[1] + s.n[1] + i));
}

static void look_at_pairs(pairs *list, const struct comparing *c)
{
    for (size_t i = 0; i < list->n; i++) {
        struct pair *p = &list->at[i];
        p->ignored = mark_of(c, 0, p->segment[0]) == DIFFER_IGNORED ||
                     mark_of(c, 1, p->segment[1]) == DIFFER_IGNORED;
        if (p->segment[0] < 0 || p->segment[1] < 0)
            continue;
        bool timed = i > 0 && list->at[i - 1].segment[0] >= 0 && list->at[i - 1].segment[1] >= 0;
        p->differs =
            differ_pair(c->run[0], (size_t)p->segment[0], c->run[1], (size_t)p->segment[1], timed);
    }
}

/* ---------------------------------------------------------------------- calls */

static const struct record *record_of(const struct comparing *c, int side)
{
    return c->run[side]->story->record;
}

/* The call of b that is the same step's; -1: none. */
static long find_call(const struct record *b, const struct record_call *call)
{
    for (size_t i = 0; i < b->calls.n; i++) {
        const struct record_call *other = &b->calls.at[i];
        if (other->step == call->step && other->host == call->host &&
            strcmp(other->verb, call->verb) == 0)
            return (long)i;
    }
    return -1;
}

/* The place behind the last pair of which run `side` had sent its segment by then. */
static size_t place_of(const pairs *list, const struct comparing *c, int side, nsec stamp)
{
    nsec time = stamp - story_zero(c->run[side]->story);
    size_t place = 0;
    for (size_t i = 0; i < list->n; i++) {
        long segment = list->at[i].segment[side];
        if (segment >= 0 && segment_of(c, side, (size_t)segment)->time <= time)
            place = i + 1;
    }
    return place;
}

static void insert_call(pairs *list, const struct comparing *c, long a, long b)
{
    int side = a >= 0 ? 0 : 1;
    const struct record *r = record_of(c, side);
    const struct record_call *call = &r->calls.at[a >= 0 ? a : b];
    size_t place = place_of(list, c, side, call->ended ? call->ended : r->ended);
    (void)vec_add(list);
    for (size_t i = list->n - 1; i > place; i--)
        list->at[i] = list->at[i - 1];
    list->at[place] = (struct pair){.segment = {-1, -1}, .call = {a, b}, .differs = DIFFER_TEXT};
}

static bool same_call(const struct comparing *c, size_t i, size_t k)
{
    struct strbuf a cleanup_strbuf = STRBUF_INIT, b cleanup_strbuf = STRBUF_INIT;
    const struct record_call *x = &record_of(c, 0)->calls.at[i], *y = &record_of(c, 1)->calls.at[k];
    story_format_call(&a, record_of(c, 0), x);
    story_format_call(&b, record_of(c, 1), y);
    /* `=> 40..60`: what the script leaves open is no difference (differ.c has the same). */
    bool open = x->as_stated && y->as_stated && x->expected && y->expected &&
                strstr(x->expected, "..") && strstr(y->expected, "..");
    return open || strcmp(strbuf_cstr(&a), strbuf_cstr(&b)) == 0;
}

static void add_calls(pairs *list, const struct comparing *c)
{
    const struct record *a = record_of(c, 0), *b = record_of(c, 1);
    if (!a->has_calls || !b->has_calls)
        return;
    for (size_t i = 0; i < a->calls.n; i++) {
        long k = find_call(b, &a->calls.at[i]);
        if (k < 0 || !same_call(c, i, (size_t)k))
            insert_call(list, c, (long)i, k);
    }
    for (size_t k = 0; k < b->calls.n; k++)
        if (find_call(a, &b->calls.at[k]) < 0)
            insert_call(list, c, -1, (long)k);
}

/* ---------------------------------------------------------------------- lines */

/* With its interval before it: a blank would end that. */
static char *text_of(const struct comparing *c, int side, const struct pair *p)
{
    struct strbuf sb = STRBUF_INIT;
    if (p->call[side] >= 0) {
        story_format_call(&sb, record_of(c, side), &record_of(c, side)->calls.at[p->call[side]]);
        return strbuf_steal(&sb);
    }
    if (p->segment[side] < 0)
        return NULL;
    const struct story_segment *s = segment_of(c, side, (size_t)p->segment[side]);
    struct strbuf gap cleanup_strbuf = STRBUF_INIT;
    strbuf_approx(&gap, s->gap);
    if (p->segment[side] > 0) {
        strbuf_putc(&sb, '+');
        for (const char *t = strbuf_cstr(&gap); *t; t++)
            strbuf_puts(&sb, *t == ' ' ? "\xc2\xa0" : (char[]){*t, '\0'});
        strbuf_putc(&sb, ' ');
    }
    story_format(&sb, c->run[side]->story, s);
    return strbuf_steal(&sb);
}

static void add_diff(struct result_line *line, const char *field)
{
    *vec_add(&line->diffs) = (struct field_diff){.field = xstrdup(field)};
}

/* The names of fields that are not the same, or not in both. */
static void add_fields(struct result_line *line, const struct story_segment *a,
                       const struct story_segment *b)
{
    const struct tcp_header *x = &a->p->tcp, *y = &b->p->tcp;
    size_t before = line->diffs.n;
    if (a->flow >= 0 && b->flow >= 0) {
        if (x->flags != y->flags)
            add_diff(line, "flags");
        if (a->seq != b->seq)
            add_diff(line, "seq");
        if (a->ack != b->ack)
            add_diff(line, "ack");
        if (x->window != y->window)
            add_diff(line, "win");
        if (x->payload_len != y->payload_len)
            add_diff(line, "length");
        if (packet_ecn(a->p) != packet_ecn(b->p))
            add_diff(line, "ecn");
    }
    if (line->diffs.n == before)
        add_diff(line, a->flow >= 0 ? "options" : "packet");
}

static void add_gaps(const struct comparing *c, const struct pair *p)
{
    struct compared_gaps *gaps = vec_add(&c->out->gaps);
    for (int side = 0; side < 2; side++)
        gaps->of[side] =
            p->segment[side] < 0 ? -1 : segment_of(c, side, (size_t)p->segment[side])->gap;
}

static void add_line(const struct comparing *c, const struct pair *p)
{
    struct result_line *line = vec_add(&c->out->lines->lines);
    bool in[2] = {p->segment[0] >= 0 || p->call[0] >= 0, p->segment[1] >= 0 || p->call[1] >= 0};
    line->kind = p->call[0] >= 0 || p->call[1] >= 0 ? LINE_CALL : LINE_SEGMENT;
    line->expected = text_of(c, 0, p);
    line->observed = text_of(c, 1, p);
    line->segment = p->segment[1];
    line->call = p->call[1];
    line->event = -1;
    if (p->segment[1] >= 0) {
        line->time = segment_of(c, 1, (size_t)p->segment[1])->time;
        line->gap = segment_of(c, 1, (size_t)p->segment[1])->gap;
    }
    line->status = p->ignored   ? LINE_OK
                   : !in[1]     ? LINE_MISSING
                   : !in[0]     ? LINE_UNEXPECTED
                   : p->differs ? LINE_DIFFERS
                                : LINE_OK;
    if (p->ignored && !in[1])
        line->status = LINE_ABSENT;
    if (line->status != LINE_DIFFERS || line->kind != LINE_SEGMENT)
        return;
    if (p->differs & DIFFER_TIME)
        add_diff(line, "interval");
    if (p->differs & DIFFER_FATE)
        add_diff(line, "fate");
    if (p->differs & DIFFER_TEXT)
        add_fields(line, segment_of(c, 0, (size_t)p->segment[0]),
                   segment_of(c, 1, (size_t)p->segment[1]));
}

/* ---------------------------------------------------------------------- whole */

static size_t first_bad_line(const struct compared *out)
{
    vec_each (&out->lines->lines, line)
        if (!line_is_fine(line->status))
            return (size_t)(line - out->lines->lines.at);
    return out->lines->lines.n;
}

struct compared *compare_runs(const struct differ_run *a, const struct differ_run *b)
{
    struct compared *out = xcalloc(1, sizeof(*out));
    struct comparing c = {.run = {a, b}, .out = out};
    pairs list = {0};
    out->lines = result_new("");
    out->lines->record = b->story->record;
    out->segments[0] = a->story->segments.n;
    out->segments[1] = b->story->segments.n;
    differ(a, b, &out->first);
    align(&list, &c);
    look_at_pairs(&list, &c);
    add_calls(&list, &c);
    vec_each (&list, p) {
        add_line(&c, p);
        add_gaps(&c, p);
    }
    vec_free(&list);
    out->first_line = out->first.sentence ? first_bad_line(out) : out->lines->lines.n;
    compare_settings(out, a->story->record, b->story->record);
    compare_states(out, a->story->record, b->story->record);
    return out;
}

void compared_free(struct compared *compared)
{
    if (!compared)
        return;
    vec_each (&compared->settings, s) {
        free(s->name);
        free(s->hosts);
        free(s->value[0]);
        free(s->value[1]);
    }
    vec_free(&compared->settings);
    vec_each (&compared->states, s)
        free(*s);
    vec_free(&compared->states);
    vec_free(&compared->gaps);
    result_free(compared->lines);
    difference_free(&compared->first);
    free(compared);
}
