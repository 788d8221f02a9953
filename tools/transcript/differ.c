/* Theory of operation.  Two runs of one lab are two stories, in relative numbers.
 * Segments that may be there or not are left out, and what remains is compared pair by
 * pair, in the order of sending: the text of a transcript line first (with `~` for time
 * stamps, which follow the clock), then what became of it, then the interval to the
 * segment before.  The first pair that differs is the answer; nothing is aligned behind
 * it, as whatever follows may be its consequence.
 *
 * Two intervals x <= y are taken for the same timer's if some time T explains both.  A
 * timer is early by less than a tick, so the longest T that x allows is x + tick; and if
 * y lies within the upper bound that timing_derive() gives for this T on y's machine, T
 * is it.  So 32.26 s and 33.79 s are the same 32 s, but 1.02 s and 2.02 s are not.
 *
 * Calls are paired by the step of the script that they are, and compared by their
 * results, and by the time from the last segment before their end.  Of a segment and a
 * call that differ, the one that came first is told. */
#include "transcript/differ_parts.h"

#include <ctype.h>
#include <stdio.h>

#include "transcript/print.h"
#include "transcript/story_build.h"

/* ------------------------------------------------------------------- sides -- */

static enum differ_mark mark_of(const struct side *s, size_t segment)
{
    return s->run->marks ? s->run->marks[segment] : DIFFER_COUNTS;
}

static int compare_steps(const void *a, const void *b, void *ctx)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const struct record *r = ctx;
    size_t step[2] = {r->calls.at[x].step, r->calls.at[y].step};
    return step[0] != step[1] ? (step[0] > step[1]) - (step[0] < step[1]) : (x > y) - (x < y);
}

/* Calls in the order of the script; those of one step stay in theirs. */
static void sort_calls(struct side *s)
{
    union {
        const struct record *read_only;
        void *ctx;
    } record = {s->story->record};
    for (size_t i = 0; i < s->story->record->calls.n; i++)
        vec_push(&s->calls, i);
    if (s->calls.n)
        qsort_r(s->calls.at, s->calls.n, sizeof(*s->calls.at), compare_steps, record.ctx);
}

static void open_side(struct side *s, const struct differ_run *run)
{
    *s = (struct side){.run = run, .story = run->story};
    for (size_t i = 0; i < run->story->segments.n; i++)
        if (mark_of(s, i) != DIFFER_IGNORED)
            vec_push(&s->segments, i);
    sort_calls(s);
}

const struct story_segment *differ_segment(const struct side *s, size_t i)
{
    return &s->story->segments.at[s->segments.at[i]];
}

/* ----------------------------------------------------------------- intervals -- */

static struct timing_host host_of(const struct side *s)
{
    const struct record *r = s->story->record;
    return (struct timing_host){r->tick, r->lateness};
}

static const struct timing_rtt no_rtt = {0, 0, false};

void differ_widen(struct timing_rtt *rtt, const struct story_segment *s)
{
    if (s->rtt && (!rtt->most || s->rtt_least < rtt->least))
        rtt->least = s->rtt_least;
    if (s->rtt > rtt->most)
        rtt->most = s->rtt;
}

bool differ_same_interval(const struct comparison *c, const nsec gap[2], enum timing_base base,
                          struct timing_rtt rtt)
{
    int longer = gap[1] > gap[0];
    struct timing_host host = host_of(&c->side[longer]);
    nsec tick = c->side[!longer].story->record->tick;
    if (tick <= 0)
        tick = TIMING_COARSEST_TICK;
    struct timing_bounds at_once = timing_derive(&host, 0, base, rtt);
    if (gap[longer] <= at_once.latest)
        return true;
    nsec shorter = story_clamp(gap[!longer], 0, TIMING_LONGEST);
    struct timing_bounds b = timing_derive(&host, shorter + tick, base, rtt);
    return gap[longer] <= b.latest;
}

static enum timing_base base_of(const struct story_segment *s)
{
    return s->flow < 0 ? TIMING_OTHER : s->p->tcp.flags & TCP_SYN ? TIMING_SYN : TIMING_DATA;
}

/* ----------------------------------------------------------------- sentences -- */

static const char *kind_of(const struct story_segment *s)
{
    unsigned flags = s->p->tcp.flags;
    return flags & TCP_SYN         ? (flags & TCP_ACK ? "SYN-ACK" : "SYN")
           : flags & TCP_RST       ? "reset"
           : flags & TCP_FIN       ? "FIN"
           : s->p->tcp.payload_len ? "data"
                                   : "ACK";
}

/* "SYN retry 2", or "segment 4 (data of client)". */
static void put_name(struct strbuf *sb, const struct side *side, size_t i)
{
    const struct story_segment *s = differ_segment(side, i);
    if (s->flow < 0) {
        strbuf_printf(sb, "packet %zu", i + 1);
        return;
    }
    size_t retry = 1;
    for (size_t k = 0; k < i; k++) {
        const struct story_segment *before = differ_segment(side, k);
        retry += before->flow == s->flow && before->dir == s->dir && before->seq == s->seq &&
                 before->retransmission;
    }
    if (s->retransmission)
        strbuf_printf(sb, "%s retry %zu", kind_of(s), retry);
    else
        strbuf_printf(sb, "segment %zu (%s of %s)", i + 1, kind_of(s),
                      s->from >= 0 ? side->story->record->hosts.at[s->from].name : "a stranger");
}

/* `after X instead of Y` */
void differ_put_after(struct strbuf *sb, const nsec gap[2])
{
    strbuf_puts(sb, " after ");
    timing_number(sb, gap[1]);
    strbuf_puts(sb, " instead of ");
    timing_number(sb, gap[0]);
}

/* Takes the difference if it came before the one that is known.  Steals the sentence. */
void differ_take(struct comparison *c, enum difference_kind kind, const long segment[2],
                 const long call[2], nsec at, struct strbuf *sentence)
{
    if (c->found.sentence && c->found_at <= at) {
        strbuf_free(sentence);
        return;
    }
    free(c->found.sentence);
    c->found = (struct difference){.kind = kind,
                                   .segment = {segment[0], segment[1]},
                                   .call = {call[0], call[1]},
                                   .sentence = strbuf_steal(sentence)};
    c->found_at = at;
}

/* ------------------------------------------------------------------ segments -- */

/* Replaces the number behind `word` by `~`. */
static void mask(struct strbuf *sb, const char *word)
{
    const char *at = strstr(strbuf_cstr(sb), word);
    if (!at)
        return;
    struct strbuf masked cleanup_strbuf = STRBUF_INIT;
    const char *from = sb->data, *number = at + strlen(word), *rest = number;
    while (isdigit((unsigned char)*rest))
        rest++;
    strbuf_add(&masked, from, (size_t)(number - from));
    strbuf_putc(&masked, '~');
    strbuf_puts(&masked, rest);
    strbuf_truncate(sb, 0);
    strbuf_add(sb, masked.data, masked.len);
}

/* The transcript line without what became of it.  A time stamp is the clock's, and its
 * echo is shown only if it is not the one that is due. */
static char *text_of(const struct side *side, const struct story_segment *s)
{
    struct strbuf sb = STRBUF_INIT;
    story_format_sent(&sb, side->story, s);
    if (s->flow >= 0) {
        size_t ecn = strlen(print_ecn[packet_ecn(s->p)]); /* differ_in_ecn() */
        strbuf_truncate(&sb, sb.len - (ecn ? ecn + 1 : 0));
        bool due = s->due_tsecr.known && s->p->tcp.tsecr != 0 &&
                   (s->tsecr == s->due_tsecr.value || s->tsecr == s->due_tsecr.before);
        mask(&sb, "TS val ");
        if (due)
            mask(&sb, " ecr ");
    }
    return strbuf_steal(&sb);
}

/* The end of the field at `s`: a comma outside of brackets, or the end of the text. */
static const char *field_end(const char *s)
{
    int depth = 0;
    for (; *s; s++) {
        depth += (*s == '[') - (*s == ']');
        if (depth <= 0 && s[0] == ',' && s[1] == ' ')
            break;
    }
    return s;
}

/* "win 510 instead of 502", if the texts differ in the values of fields alone. */
static bool put_field(struct strbuf *sb, const char *a, const char *b)
{
    while (*a && *b) {
        const char *end_a = field_end(a), *end_b = field_end(b);
        size_t name = strcspn(b, " ");
        if (strncmp(a, b, name + 1) != 0 || b[name] != ' ' || b + name > end_b)
            return false;
        if (end_a - a != end_b - b || memcmp(a, b, (size_t)(end_a - a)) != 0) {
            strbuf_add(sb, b, (size_t)(end_b - b));
            strbuf_puts(sb, " instead of ");
            strbuf_add(sb, a + name + 1, (size_t)(end_a - a) - name - 1);
            return true;
        }
        a = *end_a ? end_a + 2 : end_a;
        b = *end_b ? end_b + 2 : end_b;
    }
    return false;
}

/* Enough of a line to know it: up to the window. */
static void put_short(struct strbuf *sb, const char *text)
{
    const char *end = strstr(text, ", win ");
    strbuf_add(sb, text, end ? (size_t)(end - text) : strlen(text));
}

static bool differ_in_ecn(const struct comparison *c, size_t i, struct strbuf *sentence)
{
    const struct packet *a = differ_segment(&c->side[0], i)->p,
                        *b = differ_segment(&c->side[1], i)->p;
    if (packet_ecn(a) == packet_ecn(b))
        return false;
    const char *is = print_ecn[packet_ecn(b)], *was = print_ecn[packet_ecn(a)];
    put_name(sentence, &c->side[1], i);
    strbuf_printf(sentence, " is %s instead of %s", *is ? is : "not ECN-capable",
                  *was ? was : "not ECN-capable");
    return true;
}

static bool differ_in_text(const struct comparison *c, size_t i, struct strbuf *sentence)
{
    cleanup_free char *a = text_of(&c->side[0], differ_segment(&c->side[0], i));
    cleanup_free char *b = text_of(&c->side[1], differ_segment(&c->side[1], i));
    if (strcmp(a, b) == 0)
        return differ_in_ecn(c, i, sentence);
    static const char behind_ends[] = ": Flags ";
    const char *fields_a = strstr(a, behind_ends), *fields_b = strstr(b, behind_ends);
    bool same_ends = fields_a && fields_b && fields_a - a == fields_b - b &&
                     memcmp(a, b, (size_t)(fields_a - a)) == 0;
    struct strbuf field cleanup_strbuf = STRBUF_INIT;
    put_name(sentence, &c->side[1], i);
    if (same_ends && put_field(&field, fields_a + 2, fields_b + 2)) {
        strbuf_printf(sentence, ": %s", field.data);
    } else {
        strbuf_puts(sentence, " is `");
        put_short(sentence, b);
        strbuf_puts(sentence, "` instead of `");
        put_short(sentence, a);
        strbuf_putc(sentence, '`');
    }
    return true;
}

/* What the wire did to one of them and not to the other. */
static bool differ_in_mishap(const struct story_segment *a, const struct story_segment *b,
                             const struct comparison *c, size_t i, struct strbuf *sentence)
{
    const struct {
        bool a, b;
        const char *is, *is_not;
    } ways[] = {
        {a->injected, b->injected, "was injected by the wire", "was sent, not injected"},
        {a->rewritten, b->rewritten, "was rewritten on the way", "was not rewritten on the way"},
        {a->marked, b->marked, "was marked CE on the way", "was not marked CE on the way"},
        {a->damaged, b->damaged, "was damaged on the way", "was not damaged on the way"},
        {a->arrivals > 1, b->arrivals > 1, "arrives more than once", "arrives once only"},
    };
    for (size_t k = 0; k < ARRAY_SIZE(ways) && a->fate == b->fate; k++) {
        if (ways[k].a == ways[k].b)
            continue;
        put_name(sentence, &c->side[1], i);
        strbuf_printf(sentence, " %s", ways[k].b ? ways[k].is : ways[k].is_not);
        return true;
    }
    if (a->overtaken == b->overtaken || a->fate != b->fate)
        return false;
    put_name(sentence, &c->side[1], i);
    strbuf_printf(sentence, " was overtaken by %u instead of %u", b->overtaken, a->overtaken);
    return true;
}

static bool differ_in_fate(const struct comparison *c, size_t i, struct strbuf *sentence)
{
    const struct story_segment *a = differ_segment(&c->side[0], i),
                               *b = differ_segment(&c->side[1], i);
    if (a->fate == FATE_UNKNOWN || b->fate == FATE_UNKNOWN)
        return false;
    if (differ_in_mishap(a, b, c, i, sentence))
        return true;
    nsec travel[2] = {a->travel, b->travel};
    bool same = a->fate == b->fate &&
                (a->fate == FATE_LOST || differ_same_interval(c, travel, TIMING_OTHER, no_rtt));
    if (same)
        return false;
    put_name(sentence, &c->side[1], i);
    if (a->fate != b->fate) {
        strbuf_puts(sentence, b->fate == FATE_LOST ? " is lost instead of arriving"
                                                   : " arrives instead of being lost");
    } else {
        strbuf_puts(sentence, " arrives");
        differ_put_after(sentence, travel);
    }
    return true;
}

/* The interval to the segment before, if that is the same on both sides. */
static bool differ_in_time(const struct comparison *c, size_t i, struct strbuf *sentence)
{
    nsec gap[2];
    struct timing_rtt rtt = no_rtt;
    for (int k = 0; k < 2; k++) {
        const struct side *s = &c->side[k];
        bool next_to = i > 0 && s->segments.at[i] == s->segments.at[i - 1] + 1;
        if (!next_to || mark_of(s, s->segments.at[i]) != DIFFER_COUNTS)
            return false;
        gap[k] = differ_segment(s, i)->gap;
        differ_widen(&rtt, differ_segment(s, i));
    }
    if (differ_same_interval(c, gap, base_of(differ_segment(&c->side[1], i)), rtt))
        return false;
    put_name(sentence, &c->side[1], i);
    differ_put_after(sentence, gap);
    return true;
}

/* One side has ended. */
static void take_rest(struct comparison *c, size_t i)
{
    static const long no_call[2] = {-1, -1};
    int longer = c->side[1].segments.n > i;
    const struct side *s = &c->side[longer];
    long segment[2] = {-1, -1};
    struct strbuf sentence = STRBUF_INIT;
    segment[longer] = (long)s->segments.at[i];
    put_name(&sentence, s, i);
    if (longer) {
        strbuf_puts(&sentence, " is sent as well, after ");
        timing_number(&sentence, differ_segment(s, i)->gap);
    } else {
        strbuf_puts(&sentence, " is not sent");
    }
    differ_take(c, longer ? DIFFERENCE_MORE : DIFFERENCE_MISSING, segment, no_call,
                differ_segment(s, i)->time, &sentence);
}

static void compare_segments(struct comparison *c)
{
    static const long no_call[2] = {-1, -1};
    size_t n[2] = {c->side[0].segments.n, c->side[1].segments.n};
    size_t both = n[0] < n[1] ? n[0] : n[1];
    for (size_t i = 0; i < both; i++) {
        struct strbuf sentence = STRBUF_INIT;
        bool other = differ_in_text(c, i, &sentence) || differ_in_fate(c, i, &sentence);
        if (other || differ_in_time(c, i, &sentence)) {
            const long segment[2] = {(long)c->side[0].segments.at[i],
                                     (long)c->side[1].segments.at[i]};
            nsec times[2] = {differ_segment(&c->side[0], i)->time,
                             differ_segment(&c->side[1], i)->time};
            differ_take(c, other ? DIFFERENCE_FIELD : DIFFERENCE_INTERVAL, segment, no_call,
                        times[0] < times[1] ? times[0] : times[1], &sentence);
            return;
        }
        strbuf_free(&sentence);
    }
    if (n[0] != n[1])
        take_rest(c, both);
}

/* ---------------------------------------------------------------------- pairs -- */

unsigned differ_pair(const struct differ_run *a, size_t i, const struct differ_run *b, size_t k,
                     bool timed)
{
    const struct differ_run *runs[2] = {a, b};
    size_t at[2] = {i, k};
    struct comparison c = {0};
    struct strbuf sentence cleanup_strbuf = STRBUF_INIT;
    struct timing_rtt rtt = no_rtt;
    nsec gap[2];
    for (int side = 0; side < 2; side++) {
        c.side[side] = (struct side){.run = runs[side], .story = runs[side]->story};
        vec_push(&c.side[side].segments, at[side]);
        timed = timed && mark_of(&c.side[side], at[side]) == DIFFER_COUNTS;
        gap[side] = differ_segment(&c.side[side], 0)->gap;
        differ_widen(&rtt, differ_segment(&c.side[side], 0));
    }
    unsigned found = differ_in_text(&c, 0, &sentence) ? DIFFER_TEXT : 0;
    found |= differ_in_fate(&c, 0, &sentence) ? DIFFER_FATE : 0;
    if (timed && !differ_same_interval(&c, gap, base_of(differ_segment(&c.side[1], 0)), rtt))
        found |= DIFFER_TIME;
    vec_free(&c.side[0].segments);
    vec_free(&c.side[1].segments);
    return found;
}

bool differ(const struct differ_run *a, const struct differ_run *b, struct difference *out)
{
    struct comparison c = {.found = {.segment = {-1, -1}, .call = {-1, -1}}};
    open_side(&c.side[0], a);
    open_side(&c.side[1], b);
    compare_segments(&c);
    differ_calls(&c);
    for (int k = 0; k < 2; k++) {
        vec_free(&c.side[k].segments);
        vec_free(&c.side[k].calls);
    }
    *out = c.found;
    return out->sentence != NULL;
}

void difference_free(struct difference *d)
{
    free(d->sentence);
    *d = (struct difference){.segment = {-1, -1}, .call = {-1, -1}};
}
