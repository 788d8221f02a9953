/* Sentences that more than one report says. */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "base/strbuf.h"
#include "transcript/result.h"

/* How long something took: "0.02 s", below ten milliseconds "3.12 ms". */
void words_seconds(struct strbuf *sb, nsec t);
/* "6 segments and 6 calls, all as expected", or why it is not PASS; may be nothing. */
void words_verdict(struct strbuf *sb, const struct result *result);
/* "eth0, filter \"tcp port 1234\"" */
void words_point(struct strbuf *sb, const struct record_point *point);
/* "Linux 6.18.44 x86_64, tick 4 ms; 77 kernel settings pinned"; the kernel must be known. */
void words_machine(struct strbuf *sb, const struct record *record);
/* "The first line that differs: expected/handshake.txt line 6 (ack)" */
void words_fault(struct strbuf *sb, const struct result *result, const struct result_line *line);
/* "Allowed: 396 ms … 458 ms, from 400 ms = 100 ticks …"; the line must have bounds. */
void words_bounds(struct strbuf *sb, const struct result_line *line);
/* Whether its interval is what is wrong with a line that has bounds. */
bool line_interval_differs(const struct result_line *line);

#endif
