/* The page of a run, `report.html`: one file that needs nothing else.  Pure. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "base/strbuf.h"
#include "lab/lab.h"
#include "transcript/result.h"

/* Writes the whole page.  `lab` gives the lesson, the script and the cables of the drawing,
 * and may be NULL.  The same arguments give the same bytes. */
void report_html(struct strbuf *out, const struct result *result, const struct lab *lab);
/* The same of a record that nothing can be judged by; `name` is its title. */
void report_html_unjudged(struct strbuf *out, const struct record *record, const char *name);

#endif
