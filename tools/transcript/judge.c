/* The judge: from a record and a transcript to a verdict.
 *
 * Theory of operation.  The transcript's lines are dealt out to tracks: the story
 * of the whole run, and each capture point that has `at` lines.  A track says what
 * was observed in the transcript's own notation (judge_track.c), finds out what
 * names of ports stand for (judge_ports.c) and aligns both (match.c).  Calls, links
 * and states are aligned on their own (judge_calls.c), and the script's `wire` steps are
 * asked for what they had to do (judge_wire.c).  Then the lines are written
 * out in the transcript's order, each with what was observed in its place.
 *
 * The verdict follows from the lines alone, so that no report can show one thing
 * and say another.  Evidence that is not sound gives no verdict on the run at all:
 * a clock that was set, a capture with drops, a machine that was too late at a moment
 * that a line depends on (or at any, where the run would fail) are NOISY. */

#include "transcript/judge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "transcript/judge_parts.h"

/* ------------------------------------------------------------------- evidence */

static bool doubt(struct judging *j, struct strbuf *why)
{
    const struct record *r = j->record;
    nsec tick = r->tick > 0 ? r->tick : TIMING_COARSEST_TICK;
    if (r->clock_step > tick || r->clock_step < -tick) {
        strbuf_puts(why, "the clock was stepped by ");
        timing_number(why, r->clock_step);
        strbuf_puts(why, " during the run");
    } else if (r->wire_dropped) {
        strbuf_printf(why, "%" PRIu64 " frame%s dropped by the wire, which had no room",
                      r->wire_dropped, r->wire_dropped == 1 ? " was" : "s were");
    } else {
        vec_each (&r->points, p) {
            if (!p->dropped)
                continue;
            strbuf_printf(why, "%" PRIu64 " packet%s dropped by capture point %s", p->dropped,
                          p->dropped == 1 ? " was" : "s were", p->name ? p->name : "?");
            return true;
        }
        return false;
    }
    return true;
}

/* --------------------------------------------------------------------- tracks */

static int find_record_point(const struct record *r, const struct pattern_point *p)
{
    for (size_t i = 0; i < r->points.n; i++) {
        const struct record_point *point = &r->points.at[i];
        if (point->host < 0 || (size_t)point->host >= r->hosts.n ||
            !slice_is(p->host, r->hosts.at[point->host].name))
            continue;
        if (p->iface.n == 0 || (point->iface && slice_is(p->iface, point->iface)))
            return (int)i;
    }
    return -1;
}

static void add_track(struct judging *j, int point)
{
    struct track *t = vec_add(&j->tracks);
    t->point = point;
    if (point < 0) {
        t->story = story_new(j->record);
    } else {
        const struct pattern_point *p = &j->pattern->points.at[point];
        int at = find_record_point(j->record, p);
        t->name = xasprintf("%.*s%s%.*s", (int)p->host.n, p->host.at, p->iface.n ? ":" : "",
                            (int)p->iface.n, p->iface.n ? p->iface.at : "");
        if (at >= 0)
            t->story = story_at(j->record, at);
        t->unknown = at < 0 && !j->record->has_calls;
    }
    track_open(j, t);
}

static struct track *track_of(struct judging *j, const struct pattern_item *item)
{
    return &j->tracks.at[item->point + 1];
}

static void find_pairs(struct track *t, const struct pattern *p)
{
    vec_each (&t->path.steps, step) {
        if (step->op != MATCH_PAIR)
            continue;
        size_t item = (size_t)(t->lines.at[step->line].item - p->items.at);
        t->pairs[item] = (long)step->seen;
        if (t->firsts[item] < 0)
            t->firsts[item] = (long)step->seen;
    }
}

int judge_open(struct judging *j, struct error *err)
{
    judge_wire_open(j);
    for (int point = -1; point < (int)j->pattern->points.n; point++)
        add_track(j, point);
    const struct track *story = &j->tracks.at[0];
    j->origin = story->seen.n ? j->record->packets.at[story->seen.at[0].s->packet].frame.time
                              : j->record->began;
    vec_each (&j->tracks, t) {
        if (track_align(j, t, err) < 0)
            return -1;
        find_pairs(t, j->pattern);
    }
    return 0;
}

void judge_close(struct judging *j)
{
    vec_each (&j->tracks, t)
        track_free(t);
    vec_free(&j->tracks);
    judge_wire_close(j);
}

/* A transcript that speaks only of capture points, and of all there are, has told
 * the story: the story itself is not judged beside. */
static bool story_is_told(const struct judging *j)
{
    return j->tracks.at[0].lines.n == 0 && j->pattern->points.n &&
           j->pattern->points.n >= j->record->points.n;
}

static void emit_lines(struct judging *j)
{
    struct track *story = &j->tracks.at[0];
    struct call_lines *calls = call_lines_new(j, story);
    if (story_is_told(j))
        story->next_step = story->path.steps.n;
    vec_each (&j->pattern->items, item) {
        switch (item->kind) {
        case ITEM_SEGMENT:
        case ITEM_WORDS:
        case ITEM_QUIET:
        case ITEM_MIX_OPEN:
            track_emit(j, track_of(j, item), item);
            break;
        case ITEM_CALL:
        case ITEM_LINK:
        case ITEM_STATE:
            track_emit_before(j, story, call_lines_moment(calls, item));
            call_lines_emit(j, calls, item);
            break;
        case ITEM_GROUP_OPEN:
        case ITEM_GROUP_CLOSE:
        case ITEM_REMARK:
            break;
        }
    }
    vec_each (&j->tracks, t)
        track_emit(j, t, NULL);
    call_lines_emit_wrong(j, calls);
    judge_wire_steps(j);
    call_lines_free(calls);
}

/* -------------------------------------------------------------------- verdict */

static char *why_failed(const struct judging *j, const struct result_line *bad)
{
    const char *meaning = bad->meaning ? bad->meaning : "it differs";
    if (j->record->stopped)
        return xasprintf("the script stopped: %s", j->record->stopped);
    if (bad->line_number && bad->label)
        return xasprintf("line %zu (%s): %s", bad->line_number, bad->label, meaning);
    if (bad->line_number)
        return xasprintf("line %zu: %s", bad->line_number, meaning);
    const struct result *r = j->result;
    for (const struct result_line *l = bad;
         bad->expected == NULL && l && l < r->lines.at + r->lines.n; l++)
        if (l->line_number)
            return xasprintf("before line %zu: %s", l->line_number, meaning);
    return bad->observed && !bad->expected ? xasprintf("after the last line: %s", meaning)
                                           : xstrdup(meaning);
}

/* What should have come at once and came so late that, had the machine been in time, it
 * must have waited for a timer: the shortest that TCP has is TCP_DELACK_MIN.  On a
 * machine that was late it could be either. */
static bool doubt_at_once(const struct judging *j, struct strbuf *why)
{
    nsec tick = j->record->tick > 0 ? j->record->tick : TIMING_COARSEST_TICK;
    nsec shortest = TIMING_DELACK_MIN - tick;
    if (shortest < TIMING_AT_ONCE)
        shortest = TIMING_AT_ONCE;
    vec_each (&j->result->lines, line) {
        if (line->status != LINE_OK || !line->has_bounds || !line->at_once ||
            line->kind != LINE_SEGMENT || line->gap - line->nominal < shortest)
            continue;
        strbuf_printf(why, "line %zu came ", line->line_number);
        timing_number(why, line->gap);
        strbuf_puts(why, " after the one before; this machine was ");
        timing_number(why, j->record->lateness);
        strbuf_puts(why, " late, so it cannot be told from a delayed acknowledgment");
        return true;
    }
    return false;
}

/* What passed on a machine that was late did so in spite of that, unless a line needed more
 * than the slack.  What failed may have failed because of it, in more than its timings: late
 * by more than TCP's shortest timer, and a timer ran that should not have.  Whoever asks for
 * more slack than usual wants to hear of the failure all the same. */
static bool doubt_lateness(const struct judging *j, bool failed, struct strbuf *why)
{
    nsec lateness = failed ? j->record->lateness : 0, limit = j->slack;
    bool timer = failed && limit > TIMING_DELACK_MIN && limit <= JUDGE_DEFAULT_SLACK;
    if (timer)
        limit = TIMING_DELACK_MIN;
    vec_each (&j->result->lines, line)
        if (line->lateness > lateness)
            lateness = line->lateness;
    if (lateness <= limit)
        return false;
    timer = timer && lateness <= j->slack;
    strbuf_puts(why, "the machine was ");
    timing_number(why, lateness);
    strbuf_puts(why, " late once, more than the ");
    timing_number(why, limit);
    strbuf_puts(why, timer ? " of TCP's shortest timer: what differs may come from that"
                           : " that may be: its timings mean nothing");
    return true;
}

/* A switch keeps the order, and TCP has no way to change it once a segment is sent.  But two
 * processors may each have a segment of one host in their queue (a timer sends on another one
 * than the program does), and one of them may stand still.  What a lab's own wire did is none
 * of this, nor what somebody captured elsewhere. */
static bool doubt_order(const struct judging *j, struct strbuf *why)
{
    if (!j->record->has_calls)
        return false;
    vec_each (&j->lab->nets, net)
        if (net->wired)
            return false;
    vec_each (&j->tracks.at[0].story->segments, s) {
        if (!s->overtaken)
            continue;
        strbuf_puts(why, "this machine let a segment overtake one that was sent before, as no "
                         "switch does and no TCP can: what differs may come from that");
        return true;
    }
    return false;
}

static void decide(struct judging *j)
{
    struct result *r = j->result;
    struct strbuf why = STRBUF_INIT;
    static const struct result_line none = {.meaning = NULL};
    const struct result_line *bad = result_first_bad(r);
    bool failed = bad || j->record->stopped;
    if (j->record->interrupted) {
        r->verdict = VERDICT_ERROR;
        r->reason = xstrdup(j->record->stopped);
    } else if (doubt(j, &why) || doubt_lateness(j, failed, &why) ||
               (failed && doubt_order(j, &why))) {
        r->verdict = VERDICT_NOISY;
        r->reason = j->record->stopped ? xasprintf("the script stopped: %s; and %s",
                                                   j->record->stopped, strbuf_cstr(&why))
                                       : strbuf_steal(&why);
    } else if (failed) {
        r->verdict = VERDICT_FAIL;
        r->reason = why_failed(j, bad ? bad : &none);
    } else if (doubt_at_once(j, &why)) {
        r->verdict = VERDICT_NOISY;
        r->reason = strbuf_steal(&why);
    } else {
        r->verdict = VERDICT_PASS;
    }
    strbuf_free(&why);
}

struct result *judge(const struct lab *lab, const struct pattern *pattern,
                     const struct record *record, nsec slack)
{
    struct error err = ERROR_INIT;
    struct judging j = {.lab = lab, .pattern = pattern, .record = record, .slack = slack};
    struct result *r = j.result = result_new(lab->name);
    r->title = lab->title ? xstrdup(lab->title) : NULL;
    r->expected_path = pattern->source.path ? xstrdup(pattern->source.path) : NULL;
    r->record = record;
    r->lateness_limit = slack;
    if (record->skipped) {
        r->verdict = VERDICT_SKIP;
        r->reason = xstrdup(record->skipped);
        return r;
    }
    if (judge_open(&j, &err) < 0) {
        r->verdict = VERDICT_ERROR;
        r->reason = xstrdup(err.message);
        error_clear(&err);
    } else {
        emit_lines(&j);
        decide(&j);
    }
    judge_close(&j);
    return r;
}
