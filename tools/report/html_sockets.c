/* What the kernel kept of a socket, where the lab says `trace`: congestion window and
 * slow-start threshold, and the smoothed round-trip time with the timeout that is made of it. */
#include "report/html_chart.h"

bool html_same_socket(const struct record_state *a, const struct record_state *b)
{
    return a->host == b->host && a->local_port == b->local_port && a->remote_port == b->remote_port;
}

/* `client.port`, as the transcript has it. */
static char *name_of(const struct page *page, const struct record_state *socket)
{
    const struct record *r = page->record;
    const char *host = socket->host >= 0 ? r->hosts.at[socket->host].name : "?";
    vec_each (&page->picture->story->segments, s) {
        if (s->flow >= 0 && s->from == socket->host && s->p->tcp.sport == socket->local_port)
            return xasprintf("%s.%s", host, s->from_port);
        if (s->flow >= 0 && s->to == socket->host && s->p->tcp.dport == socket->local_port)
            return xasprintf("%s.%s", host, s->to_port);
    }
    return xasprintf("%s.%u", host, socket->local_port);
}

/* A look may be older than the first segment that was captured. */
static void end_chart(struct page *page, struct chart *c, const char *unit, const char *about)
{
    c->unit = unit;
    c->about = xstrdup(about);
    vec_each (&c->series, series)
        vec_each (&(*series)->points, p) {
            c->most = 1.1 * p->y > c->most ? 1.1 * p->y : c->most;
            c->from = p->x < c->from ? p->x : c->from;
        }
    if (c->most > 0)
        chart_put(page, c);
    chart_free(c);
}

/* How long the kernel was looked at the socket. */
static struct chart_span span_of(const struct page *page, size_t first)
{
    const struct record *r = page->record;
    struct chart_span span = {r->states.at[first].time - page->picture->zero, 0};
    for (size_t i = first; i < r->states.n; i++)
        if (r->states.at[i].has_values && html_same_socket(&r->states.at[i], &r->states.at[first]))
            span.to = r->states.at[i].time - page->picture->zero;
    return span;
}

static void put_windows(struct page *page, size_t first, const char *id, const char *name,
                        const struct chart_span *span)
{
    const struct record *r = page->record;
    struct chart chart = {.id = id, .from = span->from, .to = span->to};
    struct chart_series *cwnd = chart_add(&chart, "g-fly", "cwnd", CHART_STEPS);
    struct chart_series *ssthresh = chart_add(&chart, "g-win", "ssthresh", CHART_STEPS);
    for (size_t i = first; i < r->states.n; i++) {
        const struct record_state *s = &r->states.at[i];
        nsec at = s->time - page->picture->zero;
        if (!s->has_values || !html_same_socket(s, &r->states.at[first]))
            continue;
        if (s->values.cwnd >= 0)
            chart_point(cwnd, at, (double)s->values.cwnd, 0, -1);
        /* Until the first loss it is "infinite", 0x7fffffff. */
        if (s->values.ssthresh >= 0 && s->values.ssthresh < 0x7fffffff)
            chart_point(ssthresh, at, (double)s->values.ssthresh, 0, -1);
    }
    chart.title = xasprintf("Congestion window of %s, as its kernel kept it", name);
    end_chart(page, &chart, "segments", "cwnd and ssthresh over time");
}

/* Before the first measurement the timeout is one second, whatever the path: where there is
 * a measurement, that would only make everything else small. */
static void put_times(struct page *page, size_t first, const char *id, const char *name,
                      const struct chart_span *span)
{
    const struct record *r = page->record;
    struct chart chart = {.id = id, .from = span->from, .to = span->to};
    struct chart_series *srtt = chart_add(&chart, "g-fly", "srtt, smoothed", CHART_STEPS);
    struct chart_series *rto = chart_add(&chart, "g-win", "rto", CHART_STEPS);
    bool measured = false;
    for (size_t i = first; i < r->states.n; i++) {
        const struct record_state *s = &r->states.at[i];
        nsec at = s->time - page->picture->zero;
        if (!s->has_values || !html_same_socket(s, &r->states.at[first]))
            continue;
        if (s->values.srtt > 0 && !measured) {
            rto->points.n = 0;
            measured = true;
        }
        if (s->values.srtt > 0)
            chart_point(srtt, at, (double)s->values.srtt / (double)NSEC_PER_MSEC, 0, -1);
        if (s->values.rto >= 0)
            chart_point(rto, at, (double)s->values.rto / (double)NSEC_PER_MSEC, 0, -1);
    }
    chart.title = xasprintf("Times of %s, as its kernel kept them", name);
    end_chart(page, &chart, "ms", "the smoothed round-trip time and the timeout over time");
}

static void put_socket(struct page *page, struct socket_charts *charts, size_t first,
                       const struct chart_span *span)
{
    static const char *const ids[ARRAY_SIZE(charts->shown)][2] = {
        {"cwnd0", "srtt0"},
        {"cwnd1", "srtt1"},
        {"cwnd2", "srtt2"},
        {"cwnd3", "srtt3"},
    };
    if (charts->n == ARRAY_SIZE(charts->shown))
        return;
    for (size_t i = 0; i < charts->n; i++)
        if (html_same_socket(&page->record->states.at[charts->shown[i]],
                             &page->record->states.at[first]))
            return;
    cleanup_free char *name = name_of(page, &page->record->states.at[first]);
    put_windows(page, first, ids[charts->n][0], name, span);
    put_times(page, first, ids[charts->n][1], name, span);
    charts->shown[charts->n++] = first;
}

/* The first look at a socket that found its values, the number of looks: there is none. */
static size_t find_socket(const struct page *page, int host, uint16_t local_port,
                          uint16_t remote_port)
{
    const struct record_state socket = {
        .host = host, .local_port = local_port, .remote_port = remote_port};
    size_t i = 0;
    while (i < page->record->states.n && !(page->record->states.at[i].has_values &&
                                           html_same_socket(&page->record->states.at[i], &socket)))
        i++;
    return i;
}

bool socket_charts_lack(const struct page *page, const struct socket_charts *charts, int host,
                        uint16_t local_port, uint16_t remote_port)
{
    return charts->n < ARRAY_SIZE(charts->shown) &&
           find_socket(page, host, local_port, remote_port) < page->record->states.n;
}

void socket_charts_of(struct page *page, struct socket_charts *charts, int host,
                      uint16_t local_port, uint16_t remote_port, const struct chart_span *span)
{
    size_t first = find_socket(page, host, local_port, remote_port);
    if (first < page->record->states.n)
        put_socket(page, charts, first, span);
}

void socket_charts_rest(struct page *page, struct socket_charts *charts)
{
    for (size_t i = 0; i < page->record->states.n; i++)
        if (page->record->states.at[i].has_values && page->record->states.at[i].remote_port) {
            struct chart_span span = span_of(page, i);
            put_socket(page, charts, i, &span);
        }
}
