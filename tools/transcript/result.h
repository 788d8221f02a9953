/* The result of judging one run: what every report reads, and nothing else. */
#ifndef TRANSCRIPT_RESULT_H
#define TRANSCRIPT_RESULT_H

#include <stdbool.h>

#include "base/memory.h"
#include "base/time.h"
#include "record/record.h"

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_SKIP,  /* `requires` not met, with the reason */
    VERDICT_NOISY, /* the machine did what TCP does not: too late, or in another order */
    VERDICT_ERROR, /* the lab could not be run or read, or was interrupted */
};

const char *verdict_name(enum verdict v); /* "PASS" … */

enum line_kind {
    LINE_SEGMENT,
    LINE_CALL,
    LINE_LINK,
    LINE_STATE,
    LINE_QUIET,
    LINE_WIRE, /* a `wire` step of the script: of no line of the transcript */
};

enum line_status {
    LINE_OK,
    LINE_DIFFERS,    /* matched with what was observed in its place, some fields differ */
    LINE_MISSING,    /* expected, and nothing like it was observed */
    LINE_UNEXPECTED, /* observed, and not in the transcript */
    LINE_ABSENT,     /* marked `?`, and did not happen: fine */
    LINE_UNJUDGED,   /* the evidence does not say (calls of a foreign capture): fine */
};

/* Whether a line of this status is no reason to fail. */
bool line_is_fine(enum line_status status);

/* One field that differs, with its place in both texts for the mark below it. */
struct field_diff {
    char *field;                    /* "flags", "seq", "win", "interval", "options" … */
    char *expected, *observed;      /* the field's text */
    size_t expected_at, expected_n; /* place in line.expected; n 0: nowhere */
    size_t observed_at, observed_n;
};

struct result_line {
    enum line_kind kind;
    enum line_status status;
    size_t line_number; /* in the transcript file, from 1; 0 for LINE_UNEXPECTED */
    char *point;        /* name of the capture point for an `at` line, else NULL */
    char *label;        /* or NULL */
    size_t mix;         /* number of the mix that the packet is one of, 0: none */
    char *note;         /* the teacher's note, or NULL */
    char *expected;     /* the pattern as written canonically, without label; NULL if unexpected */
    char *observed;     /* the line as observed, with its interval; NULL if missing */
    VEC(struct field_diff) diffs;
    nsec time; /* since the story's first segment, of what was observed */
    nsec gap;  /* observed interval to the line before */
    bool has_bounds;
    nsec lateness;                  /* of the host, as the bounds allow for it */
    nsec nominal, earliest, latest; /* the interval allowed, and from what it was derived */
    bool at_once;                   /* at the nominal time nothing was to wait for any more */
    char *derivation; /* "2 s = 500 ticks of 4 ms: granule 32 ms, rounding 8 ms, host lateness 0.3
                         ms" */
    char *wire;       /* what the wire did to it, in a few words; NULL: nothing */
    char *meaning;    /* one sentence for a person on what the difference means; NULL if OK */
    long segment;     /* index into the story's segments, of an `at` line into those that
                         its point saw (story_at()), -1 */
    long call;        /* index into record.calls, -1 */
    long event;       /* LINE_LINK: index into record.events, -1 */
};

struct result {
    enum verdict verdict;
    char *lab, *title;
    char *reason; /* one sentence: why it is not PASS; NULL on PASS */
    char *expected_path;
    VEC(struct result_line) lines;
    const struct record *record; /* may be NULL for SKIP and ERROR; owned by the caller */
    nsec lateness_limit;         /* past it the verdict is NOISY */
    nsec wall;                   /* how long the whole run took */
};

struct result *result_new(const char *lab);
void result_free(struct result *result);

/* The first line that is not fine, or NULL. */
const struct result_line *result_first_bad(const struct result *result);

#endif
