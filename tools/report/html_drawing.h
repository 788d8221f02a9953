/* The set-up as a drawing: hosts, what they are plugged into, and the cables. */
#ifndef REPORT_HTML_DRAWING_H
#define REPORT_HTML_DRAWING_H

#include "report/html_page.h"

/* Adds one <svg>, or, where a narrow page needs another, two, of which page.css shows one. */
void html_drawing(struct strbuf *out, const struct page *page);

#endif
