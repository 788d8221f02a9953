/* What the parts of the text report share: styles, rows, columns. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report/report.h"

enum style {
    STYLE_PLAIN,
    STYLE_TITLE,
    STYLE_DIM,
    STYLE_NOTE,
    STYLE_CALL,
    STYLE_RIGHTWARD, /* a segment of the side that spoke first */
    STYLE_LEFTWARD,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_WARN,
};

struct text {
    struct strbuf *out;
    const struct text_options *options;
    int width;
    const struct result *result;
    const struct record *record; /* may be NULL */
    bool has_zero;
    nsec zero;    /* stamp of the story's first segment: times count from it */
    bool live;    /* of a run that goes on */
    bool seconds; /* times are shown in seconds, else in milliseconds */
};

/* Which of two strings the terminal can show. */
const char *text_pick(const struct text *t, const char *utf8, const char *ascii);

void text_put(struct text *t, enum style style, const char *s);
void text_put_n(struct text *t, enum style style, const char *s, size_t n);
/* Puts s and pads with blanks to `columns`. */
void text_put_padded(struct text *t, enum style style, const char *s, int columns);

/* Puts s (of len bytes) in rows from the present column, which is `indent`, on; the
 * rows after the first are indented as far and by `hanging` more.  Ends the line. */
void text_wrapped(struct text *t, enum style style, const char *s, size_t len, int indent,
                  int hanging, bool fields);

/* The columns that a row of the timeline begins with: time, gap, marker. */
#define TEXT_COLUMNS 21
void text_columns(struct text *t, bool has_time, nsec time, const char *gap, enum style style,
                  const char *marker);

/* The first two columns: time and gap. */
#define TEXT_STAMP 18
void text_stamp(struct text *t, bool has_time, nsec time, const char *gap);

/* A line of its own between the parts of a report. */
void text_heading(struct text *t, const char *s);

/* What happened, as a ladder; false, and nothing put, if there is no room or no record for
 * one. */
bool text_ladder(struct text *t);
/* Expected and observed beside each other, from line `first` of the result on. */
void text_beside(struct text *t, size_t first);
/* Any two runs so, one line of the result for both: the first as what was expected. */
void text_both(struct text *t, size_t first, const char *const titles[2]);
/* Whether the segment of a transcript's line goes the other way than the story's first one. */
bool text_is_leftward(const struct text *t, const char *line);
/* Whether line i of the result is one of the many in the middle of a mix of which nothing
 * is said. */
bool text_is_hidden(const struct result *result, size_t i);

/* What happened, line by line: up to the first line that is not fine, that line at
 * length, and the rest in short. */
void text_timeline(struct text *t);
/* One bad line: expected above observed, the differing fields marked, what it means
 * and from what the bounds were derived. */
void text_failure(struct text *t, const struct result_line *line);

/* What is wrong with a line, in a few words; adds nothing to a line that is fine. */
void text_fault(struct strbuf *sb, const struct result_line *line);

/* The text of an observed or expected line behind its interval; *interval_n: the
 * interval's length, 0 if it has none. */
const char *text_behind_interval(const char *line, size_t *interval_n);

#endif
