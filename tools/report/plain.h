/* A result in plain lines, for the formats that machines read: no colours, no
 * columns, one fact a line. */
#ifndef REPORT_PLAIN_H
#define REPORT_PLAIN_H

#include "base/strbuf.h"
#include "transcript/result.h"

/* `expected/x.txt:7 (retry1): client.port > …`: what a line is about, on one line
 * and without control characters. */
void plain_line_name(struct strbuf *out, const struct result_line *line);

/* One sentence for a bad line: its meaning, or its status where it has none. */
void plain_fault(struct strbuf *out, const struct result_line *line);

/* The whole trouble: the reason, then expected, observed and fault of each bad line,
 * every line ended by a newline and begun with `prefix`. */
void plain_trouble(struct strbuf *out, const struct result *result, const char *prefix);

/* The reason of a verdict, or a word if it has none; on one line. */
void plain_reason(struct strbuf *out, const struct result *result);

/* Adds s on one line: control characters and newlines become blanks. */
void plain_add(struct strbuf *out, const char *s);

#endif
