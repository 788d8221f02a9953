/* Reports: what a run is shown as.  Each format is a small table of functions in a
 * file of its own, and each reads only results (with the records behind them).
 *
 *     struct report *report = report_new(format, stdout, &text_options, n_labs);
 *     report_one(report, result);       // as labs finish, in any order
 *     if (report_end(report, &err) < 0) // frees it
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "transcript/result.h"

/* How what happened is told: as a ladder, or line by line in tcpdump's words. */
enum text_view { VIEW_LADDER, VIEW_LINES };

/* How the text report is set. */
struct text_options {
    enum text_view view;
    int width;  /* columns; below 60 counts as 60 */
    bool color; /* never the only carrier of a meaning */
    bool utf8;  /* else ASCII only */
    bool quiet; /* one line a lab */
};

struct report;

/* A format: what it adds to report->out at the beginning, for each result, and at
 * the end.  What is in `out` goes to the stream after each call. */
struct report_format {
    const char *name;
    void (*begin)(struct report *report);
    void (*one)(struct report *report, const struct result *result);
    void (*end)(struct report *report);
};

#define VERDICT_COUNT (VERDICT_ERROR + 1)

struct report {
    const struct report_format *format;
    FILE *to;
    struct text_options text;     /* may be changed between two results */
    bool was_quiet;               /* the result before this one took one line */
    size_t total;                 /* how many results there will be */
    size_t done;                  /* how many there were before this one */
    size_t counts[VERDICT_COUNT]; /* by verdict, this one included */
    nsec wall;                    /* of all together */
    struct strbuf out;
    struct strbuf held; /* what a format has to hold back until the end */
};

extern const struct report_format report_text_format, report_json_format, report_junit_format,
    report_tap_format, report_ktap_format;

/* By name: text, json, junit, tap, ktap; NULL: there is none. */
const struct report_format *report_format_find(const char *name);
/* "text, json, junit, tap or ktap", for messages. */
const char *report_format_names(void);

/* Begins a report of `total` results on a stream that stays the caller's. */
struct report *report_new(const struct report_format *format, FILE *to,
                          const struct text_options *text, size_t total);
void report_one(struct report *report, const struct result *result);
/* Ends and frees it; -1 and STATUS_MACHINE when the stream could not be written. */
int report_end(struct report *report, struct error *err);

/* What a student sees in the terminal: one lab. */
void report_text(struct strbuf *out, const struct result *result,
                 const struct text_options *options);

/* The ladder of a run that goes on, judged as far as it is; nothing where there is no room
 * for one. */
void report_live(struct strbuf *out, const struct result *so_far,
                 const struct text_options *options);

/* One word each, as JSON and KTAP write them: "segment", "ok" … */
const char *line_kind_name(enum line_kind kind);
const char *line_status_name(enum line_status status);
/* The place of a differing field in a line's text, kept within it; from == to: nowhere. */
void line_mark(const struct result_line *line, const struct field_diff *diff, bool observed,
               size_t *from, size_t *to);

#endif
