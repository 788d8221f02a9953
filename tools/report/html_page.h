/* What the parts of the page share. */
#ifndef REPORT_HTML_PAGE_H
#define REPORT_HTML_PAGE_H

#include "lab/lab.h"
#include "picture/label.h"
#include "picture/picture.h"
#include "report/report.h"

/* From so many rows on a ladder scrolls in a frame of its own, and the page leaves out what
 * only repeats. */
enum { PAGE_BIG = 300 };

struct page {
    struct strbuf body;
    struct strbuf style;         /* CSS of this page alone */
    struct strbuf charts;        /* where segments are in the graphs, elements of a JSON array */
    const char *name;            /* the lab's, or what is shown */
    const struct result *result; /* NULL: not judged */
    const struct record *record; /* NULL: nothing ran */
    const struct lab *lab;       /* may be NULL */
    struct picture *picture;     /* NULL without a record */
    struct labels *labels;
    bool seconds; /* times are shown in seconds, else in milliseconds */
};

/* The parts, in the page's order; each adds a section, or nothing if it has nothing to
 * show. */
void page_lesson(struct page *page);
void page_setup(struct page *page);
void page_verdict(struct page *page);
void page_ladder(struct page *page);
void page_graphs(struct page *page);
void page_backoff(struct page *page);
void page_events(struct page *page);
void page_repeat(struct page *page);

/* The headers of all segments as members of a JSON object, each with a comma before it. */
void page_headers_data(struct strbuf *out, const struct page *page);
/* The headers of one segment as RFCs draw them, for a page whose script does not run. */
void html_headers(struct strbuf *out, const struct page *page, const struct story_segment *s);

/* ---------------------------------------------------------------- writing */

/* Text as HTML, for an element or an attribute in quotes: escaped, and what could hide or
 * turn round what is around it (control characters, bidirectional overrides, bytes that
 * are no UTF-8) replaced. */
void html_text(struct strbuf *sb, const char *s);
void html_text_n(struct strbuf *sb, const char *s, size_t n);
/* The same replaced and nothing escaped. */
void html_plain(struct strbuf *sb, const char *s);
/* `before` and `after` are HTML. */
void html_around(struct strbuf *sb, const char *before, const char *text, const char *after);
/* A teacher's note: what stands in `…` is code. */
void html_note(struct strbuf *sb, const char *note);
/* A line of a transcript, the fields that differ in <mark>. */
void html_line(struct strbuf *sb, const struct result_line *line, bool observed);
/* Expected, observed, and what the difference means: of a line that is not fine. */
void html_fault(struct strbuf *sb, const struct result_line *line);
/* A time since the first segment, in the page's unit, with three decimals. */
void html_time(struct strbuf *sb, const struct page *page, nsec time);
const char *html_unit(const struct page *page);
/* Whether both are looks at one socket. */
bool html_same_socket(const struct record_state *a, const struct record_state *b);
/* "PASS" in a box. */
void html_badge(struct strbuf *sb, enum verdict verdict);

#endif
