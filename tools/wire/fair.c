/* Theory of operation
 *
 * Fair queueing (J. Nagle, RFC 970; A. Demers, S. Keshav and S. Shenker, "Analysis and
 * Simulation of a Fair Queueing Algorithm", SIGCOMM 1989).  Each flow has a line of its own.
 * Were bytes served one by one, a byte from each line in each round, every line would get
 * its share exactly.  But frames cannot be mixed, so whole frames are served in the order
 * in which they would end in such a service.
 *
 * A frame that joins a line begins, in rounds, where the one before it in the line ends,
 * and ends as many rounds later as it has bytes.  In an empty line it begins at the present
 * round.  Which round it is at present would need the byte-wise service to be played beside
 * the real one; instead it is taken to be the end of the frame that was served last, the
 * "self-clocked" form of S. J. Golestani, "A Self-Clocked Fair Queueing Scheme for Broadband
 * Applications", INFOCOM 1994.  There it is shown that of two flows which both have
 * something waiting all the time, one cannot get ahead of the other by more than one frame
 * of each.  Between frames of one length they simply alternate.  A flow that sends little
 * does not wait for those that send much: a short frame, in an empty line, ends early.
 *
 * Of two that end in the same round, the one whose line was served longer ago goes first,
 * before both one whose line is new.  A line is not new if its flow is in service.
 *
 * When there is no room, the last frame of the line with the most bytes is dropped, as in
 * P. McKenney, "Stochastic Fairness Queueing", INFOCOM 1990: who takes the most room loses,
 * and a full queue is nobody else's affair.  The next frame of that line then begins where
 * the dropped one would have.
 *
 * Deficit round robin, which fq_codel (RFC 8290) and fq of Linux use, comes to the same
 * within a quantum, and is quicker with thousands of flows.  Here there are a handful, and
 * with frames of one length strict turns are easier to foretell.  Nor is a flow found by a
 * hash, so that no two share a line.
 *
 * A line exists only as long as something waits in it: when the last frame is taken out,
 * the present round is at or beyond that frame's end, or beginning if it was dropped. */
#include "wire/fair.h"

#include <string.h>

static void free_line(struct fair_line *line)
{
    for (size_t i = line->gone; i < line->waiting.n; i++)
        free(line->waiting.at[i].frame);
    vec_free(&line->waiting);
}

void fair_free(struct fair *fair)
{
    vec_each (&fair->lines, line)
        free_line(line);
    vec_free(&fair->lines);
    fair->n = 0;
    fair->bytes = 0;
}

/* ----------------------------------------------------------------------- lines */

static struct fair_flow flow_of(const struct wire_frame *frame)
{
    struct packet p;
    wire_frame_decode_headers(frame, &p);
    struct fair_flow flow = {0};
    if (p.net != NET_IP || p.ip.state != LAYER_OK)
        return flow;
    flow.src = p.ip.src;
    flow.dst = p.ip.dst;
    flow.protocol = p.ip.proto;
    if (p.transport == TRANSPORT_TCP) {
        flow.sport = p.tcp.sport;
        flow.dport = p.tcp.dport;
    } else if (p.transport == TRANSPORT_UDP) {
        flow.sport = p.udp.sport;
        flow.dport = p.udp.dport;
    }
    return flow;
}

static bool is_same(const struct fair_flow *a, const struct fair_flow *b)
{
    return a->protocol == b->protocol && a->sport == b->sport && a->dport == b->dport &&
           ipaddr_equal(&a->src, &b->src) && ipaddr_equal(&a->dst, &b->dst);
}

static struct fair_line *line_of(struct fair *fair, const struct fair_flow *flow)
{
    vec_each (&fair->lines, line)
        if (is_same(&line->flow, flow))
            return line;
    struct fair_line *line = vec_add(&fair->lines);
    line->flow = *flow;
    line->served = is_same(&fair->last, flow) ? fair->served : 0;
    return line;
}

static const struct fair_waiting *first_of(const struct fair_line *line)
{
    return &line->waiting.at[line->gone];
}

void fair_push(struct fair *fair, struct wire_frame *frame, nsec extra)
{
    struct fair_flow flow = flow_of(frame);
    struct fair_line *line = line_of(fair, &flow);
    uint64_t begins = line->waiting.n > line->gone ? vec_last(&line->waiting)->ends : fair->turn;
    vec_push(
        &line->waiting,
        ((struct fair_waiting){
            .frame = frame, .extra = extra, .ends = begins + frame->len, .order = fair->order++}));
    line->bytes += frame->len;
    fair->bytes += frame->len;
    fair->n++;
}

/* One frame less in a line, which ends with the last. */
static void forget(struct fair *fair, struct fair_line *line, const struct wire_frame *frame)
{
    fair->n--;
    fair->bytes -= frame->len;
    line->bytes -= frame->len;
    if (line->gone < line->waiting.n)
        return;
    vec_free(&line->waiting);
    *line = fair->lines.at[--fair->lines.n];
}

/* --------------------------------------------------------------------- service */

static bool is_before(const struct fair_line *a, const struct fair_line *b)
{
    const struct fair_waiting *x = first_of(a), *y = first_of(b);
    if (x->ends != y->ends)
        return x->ends < y->ends;
    return a->served != b->served ? a->served < b->served : x->order < y->order;
}

/* NULL if nothing waits. */
static struct fair_line *next_line(const struct fair *fair)
{
    struct fair_line *next = NULL;
    vec_each (&fair->lines, line)
        if (!next || is_before(line, next))
            next = line;
    return next;
}

const struct wire_frame *fair_next(const struct fair *fair)
{
    const struct fair_line *line = next_line(fair);
    return line ? first_of(line)->frame : NULL;
}

/* Frames that have gone from the front are cut off when they are as many as those that
 * wait. */
static void cut(struct fair_line *line)
{
    if (line->gone * 2 < line->waiting.n)
        return;
    line->waiting.n -= line->gone;
    memmove(line->waiting.at, line->waiting.at + line->gone,
            line->waiting.n * sizeof(*line->waiting.at));
    line->gone = 0;
}

struct wire_frame *fair_pop(struct fair *fair, nsec *extra)
{
    struct fair_line *line = next_line(fair);
    if (!line)
        return NULL;
    struct fair_waiting first = *first_of(line);
    fair->turn = first.ends;
    line->served = ++fair->served;
    fair->last = line->flow;
    line->gone++;
    cut(line);
    forget(fair, line, first.frame);
    *extra = first.extra;
    return first.frame;
}

struct wire_frame *fair_drop(struct fair *fair)
{
    struct fair_line *longest = NULL;
    vec_each (&fair->lines, line)
        if (!longest || line->bytes > longest->bytes)
            longest = line;
    if (!longest)
        return NULL;
    struct wire_frame *last = longest->waiting.at[--longest->waiting.n].frame;
    forget(fair, longest, last);
    return last;
}

void fair_each(const struct fair *fair,
               void (*look)(const void *ctx, const struct wire_frame *frame), const void *ctx)
{
    vec_each (&fair->lines, line)
        for (size_t i = line->gone; i < line->waiting.n; i++)
            look(ctx, line->waiting.at[i].frame);
}
