/* The director.
 *
 * One thread, one event loop.  Steps run in order: a step on a host is asked of
 * its agent and is over when the reply is there; `&` goes on at once.  Every wait
 * is the same function, await(), with a question (is it there yet?) and a limit,
 * so nothing waits for ever; while it waits, the loop takes replies from agents
 * and frames from capture points into the record.
 *
 * When a call gives something else than the script states, when a limit passes,
 * when more is captured than fits or when somebody interrupts, the script ends there
 * (record->stopped says why) and what has been recorded is kept.
 *
 * After the last step the scene is given time to end: until everything sent has
 * been acknowledged, nothing is under way on a wire and nothing more came for SETTLED, or, where an
 * answer will never come (an unplugged cable), until nothing came for AT_ONCE, which is less than
 * any timer of TCP takes, and long enough to call what has not arrived lost. */
#include "run/director_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/errno.h"
#include "base/loop.h"
#include "record/stated.h"
#include "run/quiet.h"
#include "run/sampler.h"
#include "run/wire.h"
#include "wire/ferry.h"

static const nsec SETTLED = 2 * NSEC_PER_MSEC;
static const nsec AT_ONCE = 25 * NSEC_PER_MSEC;
static const nsec SETTLE_LIMIT = 2 * NSEC_PER_SEC;
/* A `state` keeps its limit itself, so that its reply can say which state it was. */
static const nsec STATE_GRACE = NSEC_PER_SEC;

/* --------------------------------------------------------------- waiting --- */

typedef bool question_fn(struct director *d, const struct lab_step *step);

enum answer { ANSWER_YES, ANSWER_LIMIT, ANSWER_STOP, ANSWER_FULL, ANSWER_ERROR };

static void tell(struct director *d, const char *awaited, nsec deadline)
{
    if (d->options->progress)
        d->options->progress(d->options->ctx, awaited, deadline - clock_ns(CLOCK_MONOTONIC));
}

/* Lets somebody look when it disturbs nothing; returns how long until that is so. */
static nsec look(struct director *d)
{
    if (!d->news)
        return NSEC_NEVER;
    nsec calm = clock_ns(CLOCK_MONOTONIC) - d->news_at;
    if (calm < DIRECTOR_CALM)
        return DIRECTOR_CALM - calm;
    d->news = false;
    d->options->look(d->options->ctx, d->record);
    return NSEC_NEVER;
}

static enum answer await(struct director *d, question_fn *question, const struct lab_step *step,
                         nsec deadline)
{
    for (;;) {
        if (error_is_set(d->err))
            return ANSWER_ERROR;
        if (d->full)
            return ANSWER_FULL;
        if (question(d, step))
            return ANSWER_YES;
        if (d->interrupted)
            return ANSWER_STOP;
        nsec silence = look(d);
        nsec left = deadline - clock_ns(CLOCK_MONOTONIC);
        if (left <= 0)
            return ANSWER_LIMIT;
        if (loop_run_once(d->loop, silence < left ? silence : left, d->err) < 0)
            return ANSWER_ERROR;
        sampler_look(d->sampler);
    }
}

static void stop(struct director *d, char *why)
{
    if (d->record->stopped)
        free(why);
    else
        d->record->stopped = why;
}

static void stop_interrupted(struct director *d, char *why)
{
    d->record->interrupted |= d->record->stopped == NULL;
    stop(d, why);
}

static nsec limit_of(const struct director *d, const struct lab_step *step)
{
    return step->within ? step->within : d->lab->limit;
}

static char *took_too_long(const struct director *d, const struct lab_step *step)
{
    struct strbuf limit cleanup_strbuf = STRBUF_INIT;
    strbuf_approx(&limit, limit_of(d, step));
    if (step->verb == VERB_WAIT_PACKETS)
        return xasprintf("`%s`: only %u seen after %s", step->text, d->wait_seen,
                         strbuf_cstr(&limit));
    return xasprintf("`%s` has not returned after %s", step->text, strbuf_cstr(&limit));
}

/* 0 to go on, 1 when the script has to end, -1 on an error. */
static int conclude(struct director *d, const struct lab_step *step, enum answer answer)
{
    switch (answer) {
    case ANSWER_YES:
        return 0;
    case ANSWER_LIMIT:
        stop(d, took_too_long(d, step));
        return 1;
    case ANSWER_STOP:
        stop_interrupted(d, xasprintf("interrupted at `%s`", step->text));
        return 1;
    case ANSWER_FULL:
        stop(d, xasprintf("more than %d MiB of packets came before the end of `%s`",
                          DIRECTOR_RECORD_MAX >> 20, step->text));
        return 1;
    case ANSWER_ERROR:
        break;
    }
    return -1;
}

/* ----------------------------------------------------------------- steps --- */

static size_t index_of(const struct director *d, const struct lab_step *step)
{
    return (size_t)(step - d->lab->steps.at);
}

static bool is_done(struct director *d, const struct lab_step *step)
{
    return d->played[index_of(d, step)].done;
}

static void note_call(struct director *d, const struct lab_step *step, int host)
{
    struct played *played = &d->played[index_of(d, step)];
    played->call = (long)d->record->calls.n;
    played->deadline = clock_ns(CLOCK_MONOTONIC) + limit_of(d, step) +
                       (step->verb == VERB_STATE ? STATE_GRACE : 0);
    struct record_call *call = vec_add(&d->record->calls);
    call->host = host;
    call->as = step->as ? xstrdup(step->as) : NULL;
    call->verb = xstrdup(verbs[step->verb].name);
    call->args = stated_args(d->lab, step);
    call->began = clock_ns(CLOCK_REALTIME);
    call->step = index_of(d, step);
    call->expected = stated_result(d->lab, step);
    call->as_stated = stated_fits(step, call);
    director_note_news(d);
}

static int await_call(struct director *d, const struct lab_step *step)
{
    const struct played *played = &d->played[index_of(d, step)];
    tell(d, step->text, played->deadline);
    int ret = conclude(d, step, await(d, is_done, step, played->deadline));
    if (ret != 0)
        return ret;
    const struct record_call *call = &d->record->calls.at[played->call];
    if (call->as_stated)
        return 0;
    bool state = step->verb == VERB_STATE && call->text;
    stop(d, call->failed ? xasprintf("`%s` gave %s", step->text, errno_name(call->errnum))
            : state      ? xasprintf("`%s` gave %s", step->text, call->text)
            : call->text_len && step->result.kind != RESULT_NUMBER
                ? xasprintf("`%s` gave another text", step->text)
                : xasprintf("`%s` gave %" PRId64, step->text, call->value));
    return 1;
}

static int play_call(struct director *d, const struct lab_step *step)
{
    int host = stated_host(step);
    note_call(d, step, host);
    if (agent_ask(&d->stage->agents.at[host], index_of(d, step), d->err) < 0)
        return -1;
    return step->background ? 0 : await_call(d, step);
}

static int play_cable(struct director *d, const struct lab_step *step)
{
    int host = step->args.at[0].host;
    bool pull = step->verb == VERB_UNPLUG;
    if (d->stage->ferry)
        ferry_plug(d->stage->ferry, host, pull ? FERRY_OUT : FERRY_GOING_IN);
    for (size_t i = 0; i < d->lab->hosts.at[host].ifaces.n; i++) {
        int cable = stage_cable(d->lab, host, (int)i);
        if (cable < 0)
            continue;
        int ret = pull ? topo_unplug(d->stage->topo, host, cable, limit_of(d, step), d->err)
                       : topo_replug(d->stage->topo, host, cable, limit_of(d, step), d->err);
        if (ret < 0)
            return -1;
    }
    if (!pull && d->stage->ferry)
        ferry_plug(d->stage->ferry, host, FERRY_IN);
    struct record_event *event = vec_add(&d->record->events);
    event->kind = pull ? EVENT_UNPLUG : EVENT_REPLUG;
    event->time = clock_ns(CLOCK_REALTIME);
    event->host = host;
    director_note_news(d);
    return 0;
}

static bool never(struct director *d, const struct lab_step *step)
{
    (void)d;
    (void)step;
    return false;
}

static int play_pause(struct director *d, const struct lab_step *step)
{
    nsec deadline = clock_ns(CLOCK_MONOTONIC) + step->args.at[0].duration;
    tell(d, step->text, deadline);
    enum answer answer = await(d, never, step, deadline);
    return answer == ANSWER_LIMIT ? 0 : conclude(d, step, answer);
}

static bool has_point(const struct director *d, int host)
{
    vec_each (&d->record->points, p)
        if (p->host == host)
            return true;
    return false;
}

static bool is_awaited(struct director *d, const struct lab_wait *wait,
                       const struct record_packet *rp)
{
    struct packet p;
    bool by_sender = has_point(d, wait->from);
    if (d->record->points.at[rp->point].host != (by_sender ? wait->from : wait->to) ||
        rp->outgoing != by_sender)
        return false;
    packet_decode(&p, &rp->frame);
    if (p.transport != TRANSPORT_TCP || record_find_host(d->record, &p.ip.src) != wait->from ||
        record_find_host(d->record, &p.ip.dst) != wait->to)
        return false;
    struct strbuf flags cleanup_strbuf = STRBUF_INIT;
    strbuf_tcp_flags(&flags, p.tcp.flags);
    return !wait->flags || strcmp(strbuf_cstr(&flags), wait->flags) == 0;
}

static bool has_seen(struct director *d, const struct lab_step *step)
{
    unsigned before = d->wait_seen;
    for (; d->wait_looked < d->record->packets.n; d->wait_looked++)
        d->wait_seen += is_awaited(d, &step->wait, &d->record->packets.at[d->wait_looked]);
    if (d->wait_seen != before && d->wait_seen < step->wait.count) {
        struct strbuf text cleanup_strbuf = STRBUF_INIT;
        strbuf_printf(&text, "%s (%u so far)", step->text, d->wait_seen);
        tell(d, strbuf_cstr(&text), d->played[index_of(d, step)].deadline);
    }
    return d->wait_seen >= step->wait.count;
}

static int play_wait(struct director *d, const struct lab_step *step)
{
    struct played *played = &d->played[index_of(d, step)];
    played->deadline = clock_ns(CLOCK_MONOTONIC) + limit_of(d, step);
    d->wait_looked = 0;
    d->wait_seen = 0;
    tell(d, step->text, played->deadline);
    return conclude(d, step, await(d, has_seen, step, played->deadline));
}

/* How the script went on is of no use when the wire has failed. */
static int check_wire(struct director *d)
{
    return d->stage->ferry ? ferry_check(d->stage->ferry, d->err) : 0;
}

static int play_step(struct director *d, const struct lab_step *step)
{
    if (check_wire(d) < 0)
        return -1;
    if (step->verb == VERB_WIRE)
        return stage_play_wire(d->stage, step, d->err);
    if (verbs[step->verb].on_host || step->verb == VERB_RUN)
        return play_call(d, step);
    if (step->verb == VERB_UNPLUG || step->verb == VERB_REPLUG)
        return play_cable(d, step);
    return step->verb == VERB_WAIT_TIME ? play_pause(d, step) : play_wait(d, step);
}

/* The calls left running that state a result have to give it. */
static int play_rest(struct director *d)
{
    vec_each (&d->lab->steps, step) {
        if (!step->background || step->result.kind == RESULT_NONE)
            continue;
        int ret = await_call(d, step);
        if (ret != 0)
            return ret;
    }
    return 0;
}

static int play_script(struct director *d)
{
    vec_each (&d->lab->steps, step) {
        int ret = play_step(d, step);
        if (ret != 0)
            return ret;
    }
    return play_rest(d);
}

/* ------------------------------------------------------------------- end --- */

static bool is_settled(struct director *d, const struct lab_step *step)
{
    (void)step;
    if (d->stage->ferry && !ferry_is_idle(d->stage->ferry))
        d->last_frame = clock_ns(CLOCK_MONOTONIC);
    nsec quiet_for = clock_ns(CLOCK_MONOTONIC) - d->last_frame;
    return quiet_for >= (quiet_answered(&d->quiet) ? SETTLED : AT_ONCE);
}

static void on_tick(void *ctx, nsec due)
{
    (void)ctx;
    (void)due;
}

static void settle(struct director *d)
{
    d->last_frame = clock_ns(CLOCK_MONOTONIC);
    loop_id tick = loop_add_timer(d->loop, SETTLED, SETTLED / 2, on_tick, d);
    if (await(d, is_settled, NULL, clock_ns(CLOCK_MONOTONIC) + SETTLE_LIMIT) == ANSWER_STOP)
        stop_interrupted(d, xstrdup("interrupted before the scene had come to rest"));
    loop_remove(d->loop, tick);
}

static nsec clock_offset(void)
{
    return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

/* What was left running (`&`) and states no result has nothing to fail at. */
static void excuse_left_running(struct director *d)
{
    vec_each (&d->lab->steps, step) {
        const struct played *played = &d->played[index_of(d, step)];
        if (step->background && step->result.kind == RESULT_NONE && played->call >= 0 &&
            !played->done)
            d->record->calls.at[played->call].as_stated = true;
    }
}

/* The record ends at one moment: what came later is not part of it. */
static int close_record(struct director *d, nsec offset)
{
    struct record *r = d->record;
    if (d->stage->ferry)
        ferry_note_staying(d->stage->ferry); /* before what may arrive is read */
    sampler_finish(d->sampler);
    r->ended = clock_ns(CLOCK_REALTIME);
    for (size_t i = 0; i < d->stage->captures.n; i++) {
        director_read_point(d, i);
        live_stats(d->stage->captures.at[i], &r->points.at[i].received, &r->points.at[i].dropped);
        r->points.at[i].linktype = live_linktype(d->stage->captures.at[i]);
    }
    excuse_left_running(d);
    lateness_note(d->stage->lateness, r);
    r->clock_step = clock_offset() - offset;
    record_sort(r);
    stage_note_wire(d->stage, r);
    return error_is_set(d->err) || check_wire(d) < 0 ? -1 : 0;
}

int director_play(struct stage *stage, const struct director_options *options,
                  struct record *record, struct error *err)
{
    struct director d = {
        .lab = stage->lab, .stage = stage, .options = options, .record = record, .err = err};
    nsec offset = clock_offset();
    d.loop = loop_new(err);
    if (!d.loop)
        return -1;
    d.played = xcalloc(d.lab->steps.n, sizeof(*d.played));
    for (size_t i = 0; i < d.lab->steps.n; i++)
        d.played[i].call = -1;
    d.sampler = sampler_new(d.lab, stage->topo, record, d.loop, err);
    d.quiet.both_ends = record->points.n > 1;
    lateness_restart(stage->lateness);
    record->began = clock_ns(CLOCK_REALTIME);
    int ret = d.sampler ? director_listen(&d) : -1;
    if (ret == 0)
        ret = play_script(&d);
    if (ret >= 0) {
        settle(&d);
        ret = close_record(&d, offset);
    }
    quiet_free(&d.quiet);
    free(d.played);
    sampler_free(d.sampler);
    loop_free(d.loop);
    return ret < 0 ? -1 : 0;
}
