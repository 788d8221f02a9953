/* The course as a list for a terminal. */
#ifndef REPORT_COURSE_H
#define REPORT_COURSE_H

#include "lab/course.h"
#include "report/report.h"

/* Adds labs that course_sort() has put in order, group by group, each with its level, its
 * title and what it comes after.  A lab with diagnostics is shown as broken, with the one
 * that stands first in its file. */
void report_course(struct strbuf *out, const struct course_lab *labs, size_t n,
                   const struct text_options *options);

/* The mistake that comes first in the file, on one line; nothing if there is none. */
void course_first_mistake(struct strbuf *out, const struct diags *diags);

#endif
