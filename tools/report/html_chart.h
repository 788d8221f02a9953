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

struct chart {
    const char *id;
    char *title, *about; /* `about`: what there is to see, for who does not see it */
    const char *unit;    /* of y: "bytes", "segments", "ms" */
    nsec from, to;       /* x, since the story's first segment */
    double most;         /* y, from 0 */
    VEC(struct chart_series *) series;
};

/* A series of the chart, which owns it. */
struct chart_series *chart_add(struct chart *chart, const char *class, const char *name,
                               enum chart_mark mark);
void chart_point(struct chart_series *series, nsec x, double y, double y2, long segment);
/* Adds the figure to the body and the places of segments to the script's data. */
void chart_put(struct page *page, const struct chart *chart);
void chart_free(struct chart *chart);

#endif
