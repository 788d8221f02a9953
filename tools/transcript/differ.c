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
#include "transcript/differ.h"
#include "base/number.h"

#include <ctype.h>
#include <stdio.h>

#include "transcript/story_build.h"
#include "transcript/timing.h"

/* Programs are woken when the scheduler comes to it: shorter differences say nothing. */
static const nsec CALL_SLACK = 100 * NSEC_PER_MSEC;

struct side {
    const struct differ_run *run;
    const struct story *story;
    VEC(size_t) segments; /* those that count */
    VEC(size_t) calls;    /* by step */
};

struct comparison {
    struct side side[2];
    struct difference found;
    nsec found_at;
};

/* ------------------------------------------------------------------- sides -- */

static enum differ_mark mark_of(const struct side *s, size_t segment)
{
    return s->run->marks ? s->run->marks[segment] : DIFFER_COUNTS;
}

static const struct record_call *call_of(const struct side *s, size_t i)
{
    return &s->story->record->calls.at[s->calls.at[i]];
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

static const struct story_segment *segment_of(const struct side *s, size_t i)
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

static void widen(struct timing_rtt *rtt, const struct story_segment *s)
{
    if (s->rtt && (!rtt->most || s->rtt_least < rtt->least))
        rtt->least = s->rtt_least;
    if (s->rtt > rtt->most)
        rtt->most = s->rtt;
}

static bool same_interval(const struct comparison *c, const nsec gap[2], enum timing_base base,
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
    const struct story_segment *s = segment_of(side, i);
    if (s->flow < 0) {
        strbuf_printf(sb, "packet %zu", i + 1);
        return;
    }
    size_t retry = 1;
    for (size_t k = 0; k < i; k++) {
        const struct story_segment *before = segment_of(side, k);
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
static void put_after(struct strbuf *sb, const nsec gap[2])
{
    strbuf_puts(sb, " after ");
    timing_number(sb, gap[1]);
    strbuf_puts(sb, " instead of ");
    timing_number(sb, gap[0]);
}

/* Takes the difference if it came before the one that is known.  Steals the sentence. */
static void take(struct comparison *c, enum difference_kind kind, const long segment[2],
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

static bool differ_in_text(const struct comparison *c, size_t i, struct strbuf *sentence)
{
    cleanup_free char *a = text_of(&c->side[0], segment_of(&c->side[0], i));
    cleanup_free char *b = text_of(&c->side[1], segment_of(&c->side[1], i));
    if (strcmp(a, b) == 0)
        return false;
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
    const struct story_segment *a = segment_of(&c->side[0], i), *b = segment_of(&c->side[1], i);
    if (a->fate == FATE_UNKNOWN || b->fate == FATE_UNKNOWN)
        return false;
    if (differ_in_mishap(a, b, c, i, sentence))
        return true;
    nsec travel[2] = {a->travel, b->travel};
    bool same = a->fate == b->fate &&
                (a->fate == FATE_LOST || same_interval(c, travel, TIMING_OTHER, no_rtt));
    if (same)
        return false;
    put_name(sentence, &c->side[1], i);
    if (a->fate != b->fate) {
        strbuf_puts(sentence, b->fate == FATE_LOST ? " is lost instead of arriving"
                                                   : " arrives instead of being lost");
    } else {
        strbuf_puts(sentence, " arrives");
        put_after(sentence, travel);
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
        gap[k] = segment_of(s, i)->gap;
        widen(&rtt, segment_of(s, i));
    }
    if (same_interval(c, gap, base_of(segment_of(&c->side[1], i)), rtt))
        return false;
    put_name(sentence, &c->side[1], i);
    put_after(sentence, gap);
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
        timing_number(&sentence, segment_of(s, i)->gap);
    } else {
        strbuf_puts(&sentence, " is not sent");
    }
    take(c, longer ? DIFFERENCE_MORE : DIFFERENCE_MISSING, segment, no_call, segment_of(s, i)->time,
         &sentence);
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
            nsec times[2] = {segment_of(&c->side[0], i)->time, segment_of(&c->side[1], i)->time};
            take(c, other ? DIFFERENCE_FIELD : DIFFERENCE_INTERVAL, segment, no_call,
                 times[0] < times[1] ? times[0] : times[1], &sentence);
            return;
        }
        strbuf_free(&sentence);
    }
    if (n[0] != n[1])
        take_rest(c, both);
}

/* --------------------------------------------------------------------- calls -- */

/* When it ended, on the clock of the story: the run's length if it did not. */
static nsec call_time(const struct side *s, const struct record_call *call)
{
    const struct record *r = s->story->record;
    nsec zero = s->story->segments.n ? story_packet_stamp(r, s->story->segments.at[0].packet)
                                     : story_stamp(r->began);
    return story_stamp(call->ended ? call->ended : r->ended) - zero;
}

/* The last segment that counts and was sent before `time`; NULL: none. */
static const struct story_segment *last_before(const struct side *s, nsec time)
{
    size_t low = 0, high = s->segments.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segment_of(s, middle)->time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? segment_of(s, low - 1) : NULL;
}

/* How long it had waited, since it began or since the last segment that counts. */
static nsec call_gap(const struct side *s, const struct record_call *call, struct timing_rtt *rtt)
{
    nsec end = call_time(s, call);
    nsec gap = story_stamp(call->ended) - story_stamp(call->began);
    const struct story_segment *last = last_before(s, end);
    if (last && end - last->time < gap)
        gap = end - last->time;
    if (last)
        widen(rtt, last);
    return gap > 0 ? gap : 0;
}

static const char *result_of(const char *call)
{
    const char *arrow = strstr(call, " => ");
    return arrow ? arrow + 4 : "success";
}

/* Both gave what the script leaves open: `=> 40..60`. */
static bool in_range(const struct record_call *call[2])
{
    int64_t least, most;
    return call[0]->as_stated && call[1]->as_stated && call[0]->expected && call[1]->expected &&
           range_of_numbers(call[0]->expected, &least, &most) &&
           range_of_numbers(call[1]->expected, &least, &most);
}

static bool differ_in_call(const struct comparison *c, const struct record_call *call[2],
                           struct strbuf *sentence)
{
    struct strbuf a cleanup_strbuf = STRBUF_INIT, b cleanup_strbuf = STRBUF_INIT;
    nsec gap[2];
    struct timing_rtt rtt = no_rtt;
    story_format_call(&a, c->side[0].story->record, call[0]);
    story_format_call(&b, c->side[1].story->record, call[1]);
    if (strcmp(strbuf_cstr(&a), strbuf_cstr(&b)) != 0 && !in_range(call)) {
        strbuf_puts(sentence, strbuf_cstr(&b));
        strbuf_printf(sentence, "%s instead of %s",
                      strstr(strbuf_cstr(&b), " => ") ? "" : " => success",
                      result_of(strbuf_cstr(&a)));
        return true;
    }
    if (!call[0]->ended || !call[1]->ended)
        return false;
    for (int k = 0; k < 2; k++)
        gap[k] = call_gap(&c->side[k], call[k], &rtt);
    enum timing_base base = strcmp(call[1]->verb, "connect") == 0 ? TIMING_SYN : TIMING_DATA;
    nsec off = gap[1] > gap[0] ? gap[1] - gap[0] : gap[0] - gap[1];
    if (off <= CALL_SLACK || same_interval(c, gap, base, rtt))
        return false;
    strbuf_puts(sentence, strbuf_cstr(&b));
    put_after(sentence, gap);
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* The script may have been changed between the two runs. */
static bool same_call(const struct record_call *a, const struct record_call *b)
{
    return a->host == b->host && same_text(a->as, b->as) && same_text(a->verb, b->verb) &&
           same_text(a->args, b->args);
}

static void compare_calls(struct comparison *c)
{
    static const long no_segment[2] = {-1, -1};
    const struct side *s = c->side;
    if (!s[0].story->record->has_calls || !s[1].story->record->has_calls)
        return;
    for (size_t i = 0, k = 0; i < s[0].calls.n && k < s[1].calls.n;) {
        const struct record_call *call[2] = {call_of(&s[0], i), call_of(&s[1], k)};
        struct strbuf sentence = STRBUF_INIT;
        if (call[0]->step != call[1]->step) {
            call[0]->step < call[1]->step ? i++ : k++;
            continue;
        }
        if (same_call(call[0], call[1]) && differ_in_call(c, call, &sentence)) {
            const long calls[2] = {(long)s[0].calls.at[i], (long)s[1].calls.at[k]};
            nsec times[2] = {call_time(&s[0], call[0]), call_time(&s[1], call[1])};
            take(c, DIFFERENCE_CALL, no_segment, calls, times[0] < times[1] ? times[0] : times[1],
                 &sentence);
        }
        strbuf_free(&sentence);
        i++;
        k++;
    }
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
        gap[side] = segment_of(&c.side[side], 0)->gap;
        widen(&rtt, segment_of(&c.side[side], 0));
    }
    unsigned found = differ_in_text(&c, 0, &sentence) ? DIFFER_TEXT : 0;
    found |= differ_in_fate(&c, 0, &sentence) ? DIFFER_FATE : 0;
    if (timed && !same_interval(&c, gap, base_of(segment_of(&c.side[1], 0)), rtt))
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
    compare_calls(&c);
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
