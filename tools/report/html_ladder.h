/* What the parts of the page's ladder share; html_ladder.c tells what it is. */
#ifndef REPORT_HTML_LADDER_H
#define REPORT_HTML_LADDER_H

#include "report/html_page.h"

struct ladder {
    struct page *page;
    const struct picture *picture;
    struct strbuf *out;
    size_t columns;   /* at least 2: a lone host has two lifelines */
    size_t *ends;     /* by row: the row at which its arrow or bar ends, or itself */
    size_t chunk;     /* rows of a grid */
    VEC(size_t) open; /* rows before this grid whose arrows or bars lead into it */
    bool big;
    bool *told; /* by line of the transcript: its note was shown */
    size_t told_n;
};

/* Between which columns the arrow of a row leads. */
void ladder_ends(const struct ladder *l, const struct picture_row *row, int *from, int *to);
/* Whether it has an arrow: of what is no IP nobody knows where it went. */
bool ladder_has_ends(const struct picture_row *row);
const char *ladder_column(const struct ladder *l, int column);

/* What stands on an arrow. */
void ladder_words(struct ladder *l, const struct picture_row *row);
/* What stands beside any other row at its host, or between all: calls, cables, silences and
 * what is missing. */
void ladder_remark(struct ladder *l, const struct picture_row *row);
/* States in the margins, and the notes. */
void ladder_notes(struct ladder *l, const struct picture_row *row);

#endif
