/* Calls of two runs: differ.c tells the theory. */
#include "base/number.h"
#include "transcript/differ_parts.h"
#include "transcript/story_build.h"

/* Programs are woken when the scheduler comes to it: shorter differences say nothing. */
static const nsec CALL_SLACK = 100 * NSEC_PER_MSEC;

static const struct timing_rtt no_rtt = {0, 0, false};

static const struct record_call *call_of(const struct side *s, size_t i)
{
    return &s->story->record->calls.at[s->calls.at[i]];
}

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
        if (differ_segment(s, middle)->time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? differ_segment(s, low - 1) : NULL;
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
        differ_widen(rtt, last);
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
    if (off <= CALL_SLACK || differ_same_interval(c, gap, base, rtt))
        return false;
    strbuf_puts(sentence, strbuf_cstr(&b));
    differ_put_after(sentence, gap);
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

void differ_calls(struct comparison *c)
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
            differ_take(c, DIFFERENCE_CALL, no_segment, calls,
                        times[0] < times[1] ? times[0] : times[1], &sentence);
        }
        strbuf_free(&sentence);
        i++;
        k++;
    }
}
