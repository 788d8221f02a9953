/* What the files judge_calls*.c share: the lines of calls, links and states, and what of the
 * record they mean. */
#ifndef TRANSCRIPT_JUDGE_CALLS_H
#define TRANSCRIPT_JUDGE_CALLS_H

#include "transcript/judge_parts.h"

/* Something of the record that a line can mean. */
struct happening {
    enum item_kind kind;
    const char *host, *as; /* as may be NULL */
    nsec time;             /* stamp; 0: never ended */
    char *text;            /* in the transcript's notation */
    const char *state;
    bool up;
    const struct record_call *call;   /* NULL: of a link */
    const struct record_event *event; /* NULL: of a call */
    bool claimed;
    size_t order; /* as recorded */
};

struct call_line {
    const struct pattern_item *item;
    long happening;     /* -1: none */
    nsec before, after; /* stamps of the packets around it; 0 and NSEC_NEVER: none */
    nsec since;         /* where its interval begins: `before`, or the packet of a label */
    struct timing_rtt rtt;
};

struct call_lines {
    VEC(struct happening) happenings;
    VEC(struct call_line) lines;
};

/* How far the happening is from the line, 0: it fits; differences are added to `line`, which may
 * be NULL. */
unsigned call_compare(const struct pattern_item *item, const struct happening *h,
                      struct result_line *line);
/* What stands behind `=>`; empty if nothing does. */
struct slice call_result(const struct happening *h);
nsec call_gap(const struct call_line *l, const struct happening *h);
/* What its interval may be; false: that is not judged. */
bool call_bounds(const struct judging *j, const struct call_line *l, const struct happening *h,
                 struct timing_bounds *b);
bool call_in_time(const struct judging *j, const struct call_line *l, const struct happening *h);
bool call_in_place(const struct judging *j, const struct call_line *l, const struct happening *h);

#endif
