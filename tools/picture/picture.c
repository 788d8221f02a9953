/* Theory of operation.
 *
 * The story tells of each segment when it was sent and when it arrived; the record, when
 * calls began and ended and cables were pulled.  All of these are events in one time, and
 * the picture is the events in their order, with three liberties:
 *
 * - An arrival gets no row of its own if nothing happened while the segment was under way,
 *   or if it came at once (sooner than AT_ONCE): then one arrow tells both.
 * - A call and its return are one row if nothing happened in between.
 * - Where nothing happens for SILENCE and nothing is under way, a row says so.
 *
 * A host that talks to itself has two columns: on the left whoever connects, on the right
 * whoever listens.
 *
 * A change of a socket's state hangs at the segment that entered it, if that is known, else
 * at the last row before the look that saw it (picture_states.c).
 *
 * The judged lines hang at the rows that they are about (picture_lines.c). */
#include "picture/picture_parts.h"

#include <stdlib.h>
#include <string.h>

static const nsec AT_ONCE = NSEC_PER_MSEC;
static const nsec SILENCE = 100 * NSEC_PER_MSEC;
/* A message follows what it quotes by no more segments than that. */
enum { QUOTED_BEHIND = 1000 };

int picture_column(const struct picture *picture, int host)
{
    for (size_t i = 0; i < picture->columns.n; i++)
        if (picture->columns.at[i] == host)
            return (int)i;
    return -1;
}

/* Whether both columns are the same host's. */
static bool is_alone(const struct picture *picture)
{
    return picture->columns.n == 2 && picture->columns.at[0] == picture->columns.at[1];
}

static bool same_connection(const struct record_call *a, const struct record_call *b)
{
    return a->as && b->as ? strcmp(a->as, b->as) == 0 : a->as == b->as;
}

static int call_column(const struct picture *picture, const struct record_call *call)
{
    if (!is_alone(picture))
        return picture_column(picture, call->host);
    vec_each (&picture->record->calls, other)
        if (same_connection(call, other) && strcmp(other->verb, "connect") == 0)
            return 0;
    return 1;
}

int picture_state_column(const struct picture *picture, const struct record_state *state)
{
    if (!is_alone(picture))
        return picture_column(picture, state->host);
    vec_each (&picture->story->flows, flow)
        if (flow->port[0] == state->local_port)
            return 0;
    return 1;
}

const char *picture_column_name(const struct picture *picture, size_t column)
{
    return picture->record->hosts.at[picture->columns.at[column]].name;
}

const struct story_segment *picture_segment(const struct picture *picture,
                                            const struct picture_row *row)
{
    return row->segment >= 0 ? &picture->story->segments.at[row->segment] : NULL;
}

bool picture_is_stopped(const struct picture *picture, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(picture, row);
    return s && s->fate == FATE_LOST && row->to >= 0 && s->to >= 0 && s->to != s->from &&
           row->to != picture_column(picture, s->to);
}

bool picture_is_bad(const struct picture_row *row)
{
    vec_each (&row->lines, line)
        if (!line_is_fine((*line)->status))
            return true;
    return false;
}

/* ------------------------------------------------------------------ columns */

static bool talks_to_itself(const struct picture *picture)
{
    vec_each (&picture->story->segments, s)
        if (s->flow >= 0 && s->from >= 0 && s->from == s->to)
            return true;
    return false;
}

/* The ends of the first connection stand outermost, whoever else there is between them. */
static void order_columns(struct picture *picture)
{
    int n = (int)picture->record->hosts.n, first = 0, last = n - 1;
    vec_each (&picture->story->segments, s) {
        if (s->flow >= 0 && s->from >= 0 && s->to >= 0 && s->from != s->to) {
            first = s->from;
            last = s->to;
            break;
        }
    }
    if (n)
        vec_push(&picture->columns, first);
    for (int i = 0; i < n; i++)
        if (i != first && i != last)
            vec_push(&picture->columns, i);
    if (n > 1)
        vec_push(&picture->columns, last);
    else if (n == 1 && talks_to_itself(picture))
        vec_push(&picture->columns, first);
}

/* The outermost column that is not this one. */
static int opposite(const struct picture *picture, int column)
{
    int last = (int)picture->columns.n - 1;
    if (last < 1)
        return -1;
    return column == last ? 0 : last;
}

/* The lost segment that a router's ICMP message quotes, -1: none. */
static long find_quoted(const struct story *story, size_t message)
{
    const struct story_segment *m = &story->segments.at[message];
    if (m->p->transport != TRANSPORT_ICMP || m->p->icmp.quoted.n == 0 || m->from < 0)
        return -1;
    struct packet inner;
    packet_decode_inner(&inner, m->p->icmp.quoted, m->p->ip.version);
    if (inner.transport != TRANSPORT_TCP)
        return -1;
    size_t least = message > QUOTED_BEHIND ? message - QUOTED_BEHIND : 0;
    for (size_t i = message; i-- > least;) {
        const struct story_segment *s = &story->segments.at[i];
        if (s->flow >= 0 && s->from == m->to && s->p->tcp.seq == inner.tcp.seq &&
            s->p->tcp.sport == inner.tcp.sport && s->p->tcp.dport == inner.tcp.dport)
            return s->fate == FATE_LOST && s->to != m->from ? (long)i : -1;
    }
    return -1;
}

/* Of each segment the host behind which nobody knows what became of it: the last one that saw
 * it, or the router that says that the segment went no further.  -1: none. */
static int *find_last_seen(const struct picture *picture)
{
    const struct record *r = picture->record;
    const struct story *story = picture->story;
    int *seen = xcalloc(story->segments.n, sizeof(*seen));
    for (size_t i = 0; i < story->segments.n; i++)
        seen[i] = -1;
    for (size_t i = 0; i < r->packets.n; i++) {
        long owner = story->owner[i];
        size_t point = (size_t)r->packets.at[i].point;
        if (owner >= 0 && story->segments.at[owner].fate == FATE_UNKNOWN && point < r->points.n)
            seen[owner] = r->points.at[point].host;
    }
    for (size_t i = 0; i < story->segments.n; i++) {
        long quoted = find_quoted(story, i);
        if (quoted >= 0)
            seen[quoted] = story->segments.at[i].from;
    }
    return seen;
}

static void find_ends(const struct picture *picture, const struct story_segment *s, int last_seen,
                      struct picture_row *row)
{
    bool on_its_way = last_seen >= 0 && last_seen != s->from;
    row->from = picture_column(picture, s->from);
    row->to = picture_column(picture, on_its_way ? last_seen : s->to);
    if (is_alone(picture)) {
        row->from = s->dir ? 1 : 0;
        row->to = !row->from;
    }
    if (row->from < 0 && row->to >= 0)
        row->from = opposite(picture, row->to);
    else if (row->from >= 0 && (row->to < 0 || row->to == row->from))
        row->to = opposite(picture, row->from);
}

/* --------------------------------------------------------------------- rows */

struct picture_row *picture_add_row(struct picture *picture, enum picture_kind kind, nsec time)
{
    struct picture_row *row = vec_add(&picture->rows);
    *row = (struct picture_row){.kind = kind,
                                .time = time,
                                .from = -1,
                                .to = -1,
                                .segment = -1,
                                .call = -1,
                                .event = -1,
                                .order = picture->rows.n};
    return row;
}

/* A story is in the order of sending, which the stamps of two CPUs need not be. */
static void add_segments(struct picture *picture)
{
    nsec at = 0;
    int *last_seen = find_last_seen(picture);
    for (size_t i = 0; i < picture->story->segments.n; i++) {
        const struct story_segment *s = &picture->story->segments.at[i];
        at = i == 0 || s->time > at ? s->time : at;
        struct picture_row *row = picture_add_row(picture, PICTURE_SEGMENT, at);
        row->segment = (long)i;
        row->gap = i ? s->gap : 0;
        find_ends(picture, s, last_seen[i], row);
        if (s->fate != FATE_ARRIVED || s->travel < AT_ONCE || s->injected)
            continue;
        row->kind = PICTURE_DEPARTURE;
        int from = row->from, to = row->to;
        row = picture_add_row(picture, PICTURE_ARRIVAL, at + s->travel);
        row->segment = (long)i;
        row->from = from;
        row->to = to;
    }
    free(last_seen);
}

/* The lab looks at a socket until it is as stated: no program waits in that, so that only
 * the moment counts in which it was so. */
static bool is_look(const struct record_call *call)
{
    return call->ended && call->as_stated &&
           (strcmp(call->verb, "info") == 0 || strcmp(call->verb, "state") == 0);
}

static void add_calls(struct picture *picture)
{
    const struct record *r = picture->record;
    for (size_t i = 0; i < r->calls.n; i++) {
        const struct record_call *call = &r->calls.at[i];
        struct picture_row *row;
        if (!is_look(call)) {
            row = picture_add_row(picture, PICTURE_CALL_BEGAN, call->began - picture->zero);
            row->call = (long)i;
            row->from = row->to = call_column(picture, call);
        }
        if (!call->ended)
            continue;
        row = picture_add_row(picture, PICTURE_CALL, call->ended - picture->zero);
        row->call = (long)i;
        row->from = row->to = call_column(picture, call);
    }
}

static void add_events(struct picture *picture)
{
    const struct record *r = picture->record;
    for (size_t i = 0; i < r->events.n; i++) {
        struct picture_row *row =
            picture_add_row(picture, PICTURE_LINK, r->events.at[i].time - picture->zero);
        row->event = (long)i;
        row->from = row->to = picture_column(picture, r->events.at[i].host);
    }
}

/* -------------------------------------------------------------------- order */

static int compare_rows(const void *pa, const void *pb)
{
    const struct picture_row *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool is_second_half(const struct picture_row *first, const struct picture_row *row)
{
    if (first->kind == PICTURE_DEPARTURE)
        return row->kind == PICTURE_ARRIVAL && row->segment == first->segment;
    return first->kind == PICTURE_CALL_BEGAN && row->kind == PICTURE_CALL &&
           row->call == first->call;
}

/* Two rows become one where nothing stands between them.  Lines hang only at the half that
 * stays: a segment's at its departure, a call's at its return. */
static void merge_halves(struct picture *picture)
{
    size_t n = 0;
    for (size_t i = 0; i < picture->rows.n; i++) {
        struct picture_row *row = &picture->rows.at[i];
        struct picture_row *before = n ? &picture->rows.at[n - 1] : NULL;
        if (!before || !is_second_half(before, row)) {
            picture->rows.at[n++] = *row;
        } else if (before->kind == PICTURE_DEPARTURE) {
            before->kind = PICTURE_SEGMENT;
        } else {
            *before = *row;
        }
    }
    picture->rows.n = n;
}

/* The moment at which the last of what a row tells was over. */
static nsec end_of(const struct picture *picture, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(picture, row);
    bool travels = row->kind == PICTURE_SEGMENT && s->fate == FATE_ARRIVED;
    return row->time + (travels ? s->travel : 0);
}

static void add_silences(struct picture *picture)
{
    size_t under_way = 0, n = picture->rows.n;
    nsec since = 0;
    for (size_t i = 0; i < n; i++) {
        const struct picture_row *row = &picture->rows.at[i];
        nsec began = since, until = row->time, end = end_of(picture, row);
        if (i > 0 && under_way == 0 && until - began >= SILENCE) {
            size_t order = row->order;
            struct picture_row *silence = picture_add_row(picture, PICTURE_SILENCE, until);
            silence->gap = until - began;
            silence->order = order ? order - 1 : 0;
            row = &picture->rows.at[i];
        }
        since = i == 0 || end > since ? end : since;
        under_way += row->kind == PICTURE_DEPARTURE;
        under_way -= row->kind == PICTURE_ARRIVAL && under_way;
    }
}

static void sort_rows(struct picture *picture)
{
    if (picture->rows.n)
        qsort(picture->rows.at, picture->rows.n, sizeof(*picture->rows.at), compare_rows);
}

struct picture *picture_new(const struct record *record, const struct result *result)
{
    struct picture *picture = xcalloc(1, sizeof(*picture));
    picture->record = record;
    picture->result = result;
    picture->story = story_new(record);
    picture->zero = story_zero(picture->story);
    order_columns(picture);
    add_segments(picture);
    add_calls(picture);
    add_events(picture);
    if (result)
        picture_hang_lines(picture);
    sort_rows(picture);
    merge_halves(picture);
    for (size_t i = 0; i < picture->rows.n; i++)
        picture->rows.at[i].order = 2 * i + 1;
    add_silences(picture);
    sort_rows(picture);
    if (result)
        picture_hang_quiets(picture);
    picture_hang_states(picture);
    return picture;
}

void picture_free(struct picture *picture)
{
    if (!picture)
        return;
    vec_each (&picture->rows, row) {
        vec_free(&row->lines);
        vec_free(&row->states);
    }
    vec_free(&picture->rows);
    vec_free(&picture->columns);
    story_free(picture->story);
    free(picture);
}
