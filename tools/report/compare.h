/* Two runs side by side, for a person and for a program. */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include <jansson.h>

#include "report/report.h"
#include "transcript/compare.h"

#define COMPARE_SCHEMA 1

/* What is compared: where each run was read from, and its record. */
struct compare_report {
    const struct compared *compared;
    const char *path[2];
    const struct record *record[2];
};

void compare_text(struct strbuf *out, const struct compare_report *report,
                  const struct text_options *options);
/* The caller owns the reference. */
json_t *compare_json(const struct compare_report *report);

#endif
