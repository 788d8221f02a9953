/* A chart: series of points over time, as an SVG whose lines stretch with the page and whose
 * texts do not. */
#ifndef REPORT_HTML_CHART_H
#define REPORT_HTML_CHART_H

#include "report/html_page.h"

enum chart_mark {
    CHART_STEPS, /* a line that keeps each value until the next */
    CHART_BARS,  /* from y to y2 */
    CHART_DOTS,
    CHART_CROSSES,
};

struct chart_point {
    nsec x;
    double y, y2;
    long segment; /* that the page's script may mark here, -1 */
};

struct chart_series {
    const char *class; /* in page.css, which also has its key in the legend */
    const char *name;  /* in the legend */
    enum chart_mark mark;
    VEC(struct chart_point) points;
};

/* Of x, since the story's first segment. */
struct chart_span {
    nsec from, to;
};

struct chart {
    const char *id;
    char *title, *about; /* `about`: what there is to see, for who does not see it */
    const char *unit;    /* of y: "bytes", "segments", "ms" */
    nsec from, to;       /* x, since the story's first segment */
    double most;         /* y, from 0 */
    bool low;            /* there is little to see, so it is not as high as others */
    VEC(struct chart_series *) series;
};

/* A series of the chart, which owns it. */
struct chart_series *chart_add(struct chart *chart, const char *class, const char *name,
                               enum chart_mark mark);
void chart_point(struct chart_series *series, nsec x, double y, double y2, long segment);
/* Adds the figure to the body and the places of segments to the script's data. */
void chart_put(struct page *page, const struct chart *chart);
void chart_free(struct chart *chart);

/* Which sockets have had their charts: of what their kernels kept of them. */
struct socket_charts {
    size_t shown[4]; /* the first look at each, an index into record->states */
    size_t n;
};

/* The congestion window and the times of one socket, if the record has them, over the time of
 * the connection. */
void socket_charts_of(struct page *page, struct socket_charts *charts, int host,
                      uint16_t local_port, uint16_t remote_port, const struct chart_span *span);
/* Whether there is room for a socket's charts, and the record has something for them. */
bool socket_charts_lack(const struct page *page, const struct socket_charts *charts, int host,
                        uint16_t local_port, uint16_t remote_port);
/* … and of all others, as long as there is room, over the time of each. */
void socket_charts_rest(struct page *page, struct socket_charts *charts);

#endif
