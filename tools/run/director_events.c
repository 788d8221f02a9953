/* What the director takes in while it waits: frames of capture points, what agents say. */
#include "run/director_parts.h"

#include "base/loop.h"
#include "record/stated.h"

enum { PACKET_OVERHEAD = 128 }; /* bytes */

void director_note_news(struct director *d)
{
    d->news = d->options->look != NULL;
    d->news_at = clock_ns(CLOCK_MONOTONIC);
}

static void take_frame(void *ctx, const struct frame *frame, bool outgoing, bool incoming)
{
    struct director *d = ctx;
    struct packet p;
    if (d->record->ended && frame->time > d->record->ended)
        return;
    d->recorded += frame->caplen + PACKET_OVERHEAD;
    d->full |= d->recorded > DIRECTOR_RECORD_MAX;
    if (d->full)
        return;
    record_add_packet(d->record, (int)d->point, outgoing, incoming, frame);
    packet_decode(&p, frame);
    quiet_note(&d->quiet, &p, outgoing);
    sampler_note_packet(d->sampler, &p);
    director_note_news(d);
    d->last_frame = d->news_at;
}

void director_read_point(struct director *d, size_t point)
{
    d->point = point;
    live_read(d->stage->captures.at[point], take_frame, d, d->err);
}

static void on_frames(void *ctx, int fd, uint32_t events)
{
    struct director *d = ctx;
    (void)events;
    for (size_t i = 0; i < d->stage->captures.n; i++)
        if (live_fd(d->stage->captures.at[i]) == fd)
            director_read_point(d, i);
}

/* The time in which nobody looked is lateness of the call: it widens the bounds of what
 * is judged by that moment. */
static void note_unseen(struct record *record, const struct agent_reply *reply)
{
    if (reply->unseen <= RECORD_STALL_MIN)
        return;
    vec_push(&record->stalls,
             ((struct record_stall){.from = reply->ended - reply->unseen, .to = reply->ended}));
    if (reply->unseen > record->lateness)
        record->lateness = reply->unseen;
}

static void take_reply(struct director *d, const struct agent_reply *reply)
{
    if (reply->step >= d->lab->steps.n || d->played[reply->step].call < 0)
        return;
    const struct lab_step *step = &d->lab->steps.at[reply->step];
    struct record_call *call = &d->record->calls.at[d->played[reply->step].call];
    if (reply->begun) {
        sampler_note_begun(d->sampler, call->host, &reply->pair);
        return;
    }
    call->began = reply->began;
    call->ended = reply->ended;
    call->failed = reply->failed;
    call->errnum = reply->errnum;
    call->value = reply->value;
    if (reply->text_len) {
        call->text = xcalloc(reply->text_len + 1, 1);
        memcpy(call->text, reply->text, reply->text_len);
        call->text_len = reply->text_len;
    }
    call->as_stated = stated_fits(step, call);
    note_unseen(d->record, reply);
    sampler_note_call(d->sampler, call->host, step->verb, &reply->pair);
    director_note_news(d);
    d->played[reply->step].done = true;
}

static void on_reply(void *ctx, int fd, uint32_t events)
{
    struct director *d = ctx;
    struct agent_reply reply;
    (void)events;
    vec_each (&d->stage->agents, agent) {
        if (agent->fd != fd)
            continue;
        while (agent_reply(agent, &reply, d->err) == 1)
            take_reply(d, &reply);
    }
}

static void on_stop(void *ctx, int fd, uint32_t events)
{
    struct director *d = ctx;
    (void)fd;
    (void)events;
    d->interrupted = true;
}

int director_listen(struct director *d)
{
    for (size_t i = 0; i < d->stage->captures.n; i++)
        if (!loop_add_fd(d->loop, live_fd(d->stage->captures.at[i]), EPOLLIN, on_frames, d, d->err))
            return -1;
    vec_each (&d->stage->agents, agent)
        if (!loop_add_fd(d->loop, agent->fd, EPOLLIN, on_reply, d, d->err))
            return -1;
    if (d->options->stop_fd >= 0 &&
        !loop_add_fd(d->loop, d->options->stop_fd, EPOLLIN, on_stop, d, d->err))
        return -1;
    return 0;
}
