/* The graphs: of each direction that carried data its sequence numbers over time, and where
 * there are enough of them what was under way and the round-trip times; and what its kernel
 * kept (html_sockets.c), where the lab recorded it.
 *
 * All is drawn as the sender saw it: a segment when it was sent, an acknowledgment when it
 * had arrived. */
#include "report/html_chart.h"

#include <inttypes.h>
#include <math.h>

enum { GRAPHS_MOST = 4, ENOUGH = 8, FEW = 4, SHIFT_MOST = 14 /* RFC 7323 2.3 */ };

/* One direction of a connection. */
struct direction {
    size_t flow;
    int dir;
    int64_t bytes, highest; /* data, and the highest number (a modulus unwound) */
    size_t segments;
};

/* ----------------------------------------------------------------- directions */

static bool is_of(const struct direction *d, const struct story_segment *s)
{
    return s->flow >= 0 && (size_t)s->flow == d->flow;
}

/* As they were opened. */
static int compare_order(const void *pa, const void *pb)
{
    const struct direction *a = pa, *b = pb;
    return a->flow != b->flow ? (a->flow < b->flow ? -1 : 1) : a->dir - b->dir;
}

static int compare_bytes(const void *pa, const void *pb)
{
    const struct direction *a = pa, *b = pb;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return compare_order(a, b);
}

/* Those with data, the largest first. */
static struct direction *find_directions(const struct story *story, size_t *n)
{
    size_t all = 2 * story->flows.n;
    struct direction *list = xcalloc(all, sizeof(*list));
    for (size_t i = 0; i < all; i++)
        list[i] = (struct direction){.flow = i / 2, .dir = (int)(i % 2)};
    vec_each (&story->segments, s) {
        if (s->flow < 0 || s->injected)
            continue;
        struct direction *d = &list[2 * s->flow + (s->dir != 0)];
        d->bytes += s->p->tcp.payload_len;
        d->segments += s->p->tcp.payload_len > 0;
    }
    if (all)
        qsort(list, all, sizeof(*list), compare_bytes);
    for (*n = 0; *n < all && list[*n].bytes > 0;)
        ++*n;
    return list;
}

/* A number near another one, without the modulus. */
static int64_t unwind(int64_t near, uint32_t number)
{
    return near + (int32_t)(number - (uint32_t)near);
}

/* ------------------------------------------------------------------- the walk */

struct moment {
    nsec time;
    size_t segment;
};

/* A direction's segments and the acknowledgments for them, by the sender's time. */
struct moments {
    VEC(struct moment) list;
};

static int compare_moments(const void *pa, const void *pb)
{
    const struct moment *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->segment < b->segment ? -1 : a->segment > b->segment;
}

static bool is_sent(const struct direction *d, const struct story_segment *s)
{
    return (s->dir != 0) == (d->dir != 0);
}

static void collect(struct moments *m, const struct story *story, const struct direction *d)
{
    for (size_t i = 0; i < story->segments.n; i++) {
        const struct story_segment *s = &story->segments.at[i];
        if (!is_of(d, s) || s->injected)
            continue;
        bool sent = is_sent(d, s);
        if (!sent && (s->fate == FATE_LOST || !(s->p->tcp.flags & TCP_ACK)))
            continue;
        nsec time = s->time + (sent || s->fate != FATE_ARRIVED ? 0 : s->travel);
        vec_push(&m->list, ((struct moment){time, i}));
    }
    if (m->list.n)
        qsort(m->list.at, m->list.n, sizeof(*m->list.at), compare_moments);
}

/* How many places the windows are shifted that the other side offers. */
static unsigned offered_shift(const struct story *story, const struct direction *d)
{
    const struct story_segment *syn[2] = {NULL, NULL};
    vec_each (&story->segments, s)
        if (is_of(d, s) && s->p->tcp.flags & TCP_SYN && !syn[s->dir != 0])
            syn[s->dir != 0] = s;
    if (!syn[0] || !syn[1] || !syn[0]->p->tcp.has_wscale || !syn[1]->p->tcp.has_wscale)
        return 0;
    unsigned shift = syn[1 - (d->dir != 0)]->p->tcp.wscale;
    return shift < SHIFT_MOST ? shift : SHIFT_MOST;
}

/* ----------------------------------------------------------------- the graphs */

struct graph {
    struct page *page;
    const struct story *story;
    struct direction d;
    struct moments moments;
    struct chart sequence, flight, rtt;
    struct chart_series *sent, *again, *lost, *acked, *window, *open, *under_way, *trips;
    size_t n_again, n_lost; /* segments with data */
    int64_t next, una;      /* the highest number sent, and acknowledged */
    int64_t edge;           /* what the other side has room up to */
    int64_t most_edge;
    unsigned shift;
};

static const char *name_of(const struct graph *g, int dir)
{
    const struct record *r = g->page->record;
    int host = g->story->flows.at[g->d.flow].host[dir != 0];
    return host >= 0 ? r->hosts.at[host].name : "?";
}

/* `client.port → server.1234` */
static char *title_of(const struct graph *g, const char *what)
{
    vec_each (&g->story->segments, s)
        if (is_of(&g->d, s) && is_sent(&g->d, s))
            return xasprintf("%s, %s.%s → %s.%s", what, name_of(g, g->d.dir), s->from_port,
                             name_of(g, !g->d.dir), s->to_port);
    return xstrdup(what);
}

/* The time from each sending to the acknowledgment that covers it, of what was sent once; and
 * not if something before it was sent again since, for which the acknowledgment had to wait
 * (Karn's algorithm, RFC 6298 3). */
static void take_trips(struct graph *g, size_t upto, nsec now, int64_t from, int64_t to)
{
    for (size_t k = upto; k-- > 0;) {
        const struct moment *m = &g->moments.list.at[k];
        const struct story_segment *s = &g->story->segments.at[m->segment];
        uint32_t len = tcp_seq_len(&s->p->tcp);
        if (!is_sent(&g->d, s) || !len)
            continue;
        int64_t end = unwind(to, s->seq + len);
        if (end <= from || (s->retransmission && end <= to))
            return;
        if (end == to) {
            chart_point(g->trips, now, (double)(now - m->time) / (double)NSEC_PER_MSEC, 0, -1);
            return;
        }
    }
}

static void walk_sent(struct graph *g, const struct moment *m)
{
    const struct story_segment *s = &g->story->segments.at[m->segment];
    uint32_t len = s->p->tcp.payload_len, takes = tcp_seq_len(&s->p->tcp);
    int64_t seq = unwind(g->next, s->seq);
    if (takes && seq + takes > g->next)
        g->next = seq + takes;
    if (takes) {
        double from = (double)seq, to = (double)(seq + takes);
        chart_point(s->retransmission ? g->again : g->sent, m->time, from, to, (long)m->segment);
        if (s->fate == FATE_LOST)
            chart_point(g->lost, m->time, from, to, (long)m->segment);
        chart_point(g->open, m->time, (double)(g->next - g->una), 0, -1);
    }
    g->n_again += len && s->retransmission;
    g->n_lost += len && s->fate == FATE_LOST;
}

static void walk_ack(struct graph *g, size_t k)
{
    const struct moment *m = &g->moments.list.at[k];
    const struct story_segment *s = &g->story->segments.at[m->segment];
    const struct tcp_header *t = &s->p->tcp;
    int64_t ack = unwind(g->una, s->ack);
    unsigned shift = t->flags & TCP_SYN ? 0 : g->shift;
    if (ack < g->una || ack > g->next + 1)
        return;
    if (ack > g->una)
        take_trips(g, k, m->time, g->una, ack);
    g->una = ack;
    g->edge = ack + ((int64_t)t->window << shift);
    g->most_edge = g->edge > g->most_edge ? g->edge : g->most_edge;
    chart_point(g->acked, m->time, (double)ack, (double)ack, (long)m->segment);
    chart_point(g->window, m->time, (double)g->edge, 0, -1);
    chart_point(g->open, m->time, (double)(g->next - g->una), 0, -1);
}

/* --------------------------------------------------------------- under way */

struct change {
    nsec time;
    int64_t bytes;
};

static int compare_changes(const void *pa, const void *pb)
{
    const struct change *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

/* When the sender could first know that this had arrived: whatever the other side sent
 * after its arrival says so, by its number or by SACK. */
static nsec heard_of(const struct graph *g, size_t segment)
{
    const struct story *story = g->story;
    const struct story_segment *s = &story->segments.at[segment];
    nsec arrival = s->time + s->travel;
    for (size_t i = segment + 1; i < story->segments.n; i++) {
        const struct story_segment *answer = &story->segments.at[i];
        if (is_of(&g->d, answer) && !is_sent(&g->d, answer) && answer->time >= arrival &&
            answer->fate == FATE_ARRIVED)
            return answer->time + answer->travel;
    }
    return NSEC_NEVER;
}

/* Needs to know what was lost and what arrived, so both ends must have been captured. */
static void walk_under_way(struct graph *g)
{
    VEC(struct change) changes = {0};
    vec_each (&g->moments.list, m) {
        const struct story_segment *s = &g->story->segments.at[m->segment];
        if (!is_sent(&g->d, s) || !s->p->tcp.payload_len || s->fate != FATE_ARRIVED)
            continue;
        nsec end = heard_of(g, m->segment);
        vec_push(&changes, ((struct change){s->time, s->p->tcp.payload_len}));
        if (end != NSEC_NEVER)
            vec_push(&changes, ((struct change){end, -(int64_t)s->p->tcp.payload_len}));
    }
    if (changes.n)
        qsort(changes.at, changes.n, sizeof(*changes.at), compare_changes);
    int64_t bytes = 0;
    for (size_t i = 0; i < changes.n; i++) {
        bytes += changes.at[i].bytes;
        if (i + 1 == changes.n || changes.at[i + 1].time != changes.at[i].time)
            chart_point(g->under_way, changes.at[i].time, (double)bytes, 0, -1);
    }
    vec_free(&changes);
}

static double least_of(const struct chart_series *s)
{
    double least = INFINITY;
    vec_each (&s->points, p)
        least = p->y < least ? p->y : least;
    return least;
}

static double most_of(const struct chart_series *s)
{
    double most = 0;
    vec_each (&s->points, p)
        most = p->y > most ? p->y : most;
    return most;
}

static void begin_charts(struct graph *g, const struct chart_span *span, size_t number)
{
    static const char *const ids[][3] = {
        {"seq0", "fly0", "rtt0"},
        {"seq1", "fly1", "rtt1"},
        {"seq2", "fly2", "rtt2"},
        {"seq3", "fly3", "rtt3"},
    };
    struct chart *charts[] = {&g->sequence, &g->flight, &g->rtt};
    for (size_t i = 0; i < ARRAY_SIZE(charts); i++) {
        charts[i]->id = ids[number][i];
        charts[i]->unit = i == 2 ? "ms" : i == 1 ? "bytes" : "sequence number, from 0";
        charts[i]->from = span->from;
        charts[i]->to = span->to;
    }
    g->acked = chart_add(&g->sequence, "g-ack", "acknowledged", CHART_STEPS);
    /* Over what is acknowledged: where the two meet, the window is closed. */
    g->window =
        chart_add(&g->sequence, "g-win", "receive window: up to here there is room", CHART_STEPS);
    g->sent = chart_add(&g->sequence, "g-sent", "sent", CHART_BARS);
    g->again = chart_add(&g->sequence, "g-re", "↻ sent again", CHART_BARS);
    g->lost = chart_add(&g->sequence, "g-lost", "lost", CHART_CROSSES);
    g->open = chart_add(&g->flight, "g-win", "sent and not yet acknowledged", CHART_STEPS);
    g->under_way =
        chart_add(&g->flight, "g-fly", "sent, not lost, and not yet heard of", CHART_STEPS);
    g->trips = chart_add(&g->rtt, "g-rtt", "from a sending to its acknowledgment", CHART_DOTS);
}

static const char *s_of(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static const char *were(uint64_t n)
{
    return n == 1 ? "was" : "were";
}

static void put_charts(struct graph *g)
{
    double data = (double)g->next, edge = (double)g->most_edge;
    g->sequence.most = edge < 1.3 * data && edge > data ? 1.03 * edge : 1.1 * data;
    if (least_of(g->window) > g->sequence.most)
        g->window->points.n = 0;
    else if (edge > g->sequence.most)
        g->window->name = "receive window (where it is not beyond the top)";
    g->sequence.low = g->d.segments < FEW;
    g->sequence.title = title_of(g, "Sequence numbers over time");
    g->sequence.about = xasprintf(
        "%zu segment%s with %" PRId64 " byte%s of data %s sent, %zu of them again; %zu %s lost; at "
        "the end %" PRId64 " number%s %s acknowledged.",
        g->d.segments, s_of(g->d.segments), g->d.bytes, s_of((uint64_t)g->d.bytes),
        were(g->d.segments), g->n_again, g->n_lost, were(g->n_lost), g->una, s_of((uint64_t)g->una),
        were((uint64_t)g->una));
    chart_put(g->page, &g->sequence);
    if (g->d.segments < ENOUGH)
        return;
    if (g->under_way->points.n) {
        /* With what was sent again too early, more is under way than is open. */
        double open = most_of(g->open), under_way = most_of(g->under_way);
        g->flight.most = 1.1 * (open > under_way ? open : under_way);
        g->flight.title = title_of(g, "Under way");
        g->flight.about = xasprintf(
            "At most %.0f numbers were sent and not yet acknowledged; at most %.0f bytes were "
            "under way, there or back.",
            open, under_way);
        chart_put(g->page, &g->flight);
    }
    if (g->trips->points.n < ENOUGH)
        return;
    g->rtt.most = 1.1 * most_of(g->trips);
    g->rtt.title = title_of(g, "Round-trip times");
    g->rtt.about = xasprintf("%zu round trips were measured; the longest took %.1f ms.",
                             g->trips->points.n, most_of(g->trips));
    chart_put(g->page, &g->rtt);
}

static void put_direction(struct page *page, const struct direction *d,
                          const struct chart_span *span, size_t number)
{
    struct graph g = {.page = page, .story = page->picture->story, .d = *d};
    collect(&g.moments, g.story, d);
    g.shift = offered_shift(g.story, d);
    begin_charts(&g, span, number);
    for (size_t k = 0; k < g.moments.list.n; k++)
        if (is_sent(d, &g.story->segments.at[g.moments.list.at[k].segment]))
            walk_sent(&g, &g.moments.list.at[k]);
        else
            walk_ack(&g, k);
    walk_under_way(&g);
    put_charts(&g);
    chart_free(&g.sequence);
    chart_free(&g.flight);
    chart_free(&g.rtt);
    vec_free(&g.moments.list);
}

/* All graphs of a connection have one axis of time: from its first segment to the last, or to
 * the last look at one of its sockets; of the only one there is to the end of the run. */
static struct chart_span span_of(const struct page *page, size_t number)
{
    const struct story *story = page->picture->story;
    const struct story_flow *flow = &story->flows.at[number];
    struct chart_span span = {NSEC_NEVER, 0};
    vec_each (&story->segments, s) {
        if (s->flow < 0 || (size_t)s->flow != number)
            continue;
        nsec end = s->time + (s->fate == FATE_ARRIVED ? s->travel : 0);
        span.from = s->time < span.from ? s->time : span.from;
        span.to = end > span.to ? end : span.to;
    }
    vec_each (&page->record->states, s) {
        nsec at = s->time - page->picture->zero;
        for (int end = 0; s->has_values && end < 2; end++)
            if (s->host == flow->host[end] && s->local_port == flow->port[end] &&
                s->remote_port == flow->port[1 - end] && at > span.to)
                span.to = at;
    }
    /* What a connection alone in its run waits for at the end is no segment. */
    vec_each (&page->picture->rows, row)
        if (story->flows.n == 1 && row->time > span.to)
            span.to = row->time;
    nsec room = (span.to - span.from) / 50 + 1;
    return (struct chart_span){span.from - room, span.to + room};
}

void page_graphs(struct page *page)
{
    size_t n, begin = page->body.len;
    if (!page->picture)
        return;
    struct direction *list = find_directions(page->picture->story, &n);
    n = n < GRAPHS_MOST ? n : GRAPHS_MOST;
    if (n)
        qsort(list, n, sizeof(*list), compare_order);
    strbuf_puts(&page->body, "<section id=\"graphs\" aria-labelledby=\"graphs-h\">\n"
                             "<h2 id=\"graphs-h\">Graphs</h2>\n");
    size_t empty = page->body.len;
    struct socket_charts sockets = {0};
    for (size_t i = 0; i < n; i++) {
        const struct story_flow *flow = &page->picture->story->flows.at[list[i].flow];
        bool back = list[i].dir != 0;
        struct chart_span span = span_of(page, list[i].flow);
        put_direction(page, &list[i], &span, i);
        socket_charts_of(page, &sockets, flow->host[back], flow->port[back], flow->port[!back],
                         &span);
    }
    for (size_t i = 0; i < 2 * page->picture->story->flows.n; i++) {
        const struct story_flow *flow = &page->picture->story->flows.at[i / 2];
        if (!socket_charts_lack(page, &sockets, flow->host[i % 2], flow->port[i % 2],
                                flow->port[1 - i % 2]))
            continue;
        struct chart_span span = span_of(page, i / 2);
        socket_charts_of(page, &sockets, flow->host[i % 2], flow->port[i % 2],
                         flow->port[1 - i % 2], &span);
    }
    socket_charts_rest(page, &sockets);
    if (page->body.len == empty)
        strbuf_truncate(&page->body, begin);
    else
        strbuf_puts(&page->body, "</section>\n");
    free(list);
}
