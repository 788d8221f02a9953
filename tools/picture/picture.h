/* The picture of a run: what happened, row by row, as a ladder shows it.  Pure; what
 * draws it (the terminal, the full screen, the page) adds nothing of its own.
 *
 *     struct picture *picture = picture_new(record, result);
 *     vec_each (&picture->rows, row) …
 *     picture_free(picture);
 */
#ifndef PICTURE_PICTURE_H
#define PICTURE_PICTURE_H

#include "base/strbuf.h"
#include "transcript/result.h"
#include "transcript/story.h"

enum picture_kind {
    PICTURE_SEGMENT,   /* sent and arrived with nothing in between, or lost: a whole arrow */
    PICTURE_DEPARTURE, /* sent; its arrival has a row of its own */
    PICTURE_ARRIVAL,
    PICTURE_CALL,       /* a call and what it gave */
    PICTURE_CALL_BEGAN, /* a call; its result has a row of its own, a PICTURE_CALL */
    PICTURE_LINK,       /* a cable was pulled or put back */
    PICTURE_SILENCE,    /* nothing happened, and nothing was under way, for `gap` */
    PICTURE_MISSING,    /* the transcript has it, and it was not observed */
};

struct picture_row {
    enum picture_kind kind;
    nsec time;    /* since the story's first segment */
    nsec gap;     /* of a segment that was sent: since the one sent before; PICTURE_SILENCE: its
                     length; else 0 */
    int from, to; /* columns; an end that is none of the lab's hosts, or all of them, is the
                     outermost column on the other side; of a segment whose receiver was not
                     captured `to` is where it was seen last, of a lost one the router that
                     says so, if one does; both -1: nowhere */
    long segment; /* index into story->segments, -1 */
    long call;    /* index into record->calls, -1 */
    long event;   /* index into record->events, -1 */
    VEC(const struct result_line *) lines; /* the judged ones that it is about */
    VEC(size_t)
    states;       /* record->states: changes of state that it made, or else that were
                     seen next after it */
    size_t order; /* among rows of one time */
};

struct picture {
    const struct record *record;
    const struct result *result; /* NULL: not judged */
    struct story *story;
    nsec zero; /* stamp of the story's first segment: times count from it */
    VEC(int)
    columns; /* hosts (indexes into record->hosts), from left to right; one that talks
                to itself twice */
    VEC(struct picture_row) rows;
};

/* The record, and the result if there is one, must outlive it. */
struct picture *picture_new(const struct record *record, const struct result *result);
void picture_free(struct picture *picture);

/* From ten seconds on a run's times are shown in seconds, else in milliseconds: in a burst
 * the microseconds count. */
static inline bool picture_in_seconds(nsec last)
{
    return last >= 10 * NSEC_PER_SEC;
}

/* The column of a host, -1: none; of a state that of its socket. */
int picture_column(const struct picture *picture, int host);
int picture_state_column(const struct picture *picture, const struct record_state *state);
const char *picture_column_name(const struct picture *picture, size_t column);
const struct story_segment *picture_segment(const struct picture *picture,
                                            const struct picture_row *row);
/* Whether the row's segment was lost at the router at `to`, which has said so. */
bool picture_is_stopped(const struct picture *picture, const struct picture_row *row);
/* Whether a judged line of the row is no fine one. */
bool picture_is_bad(const struct picture_row *row);

/* How much of a segment is said, from all to the least. */
enum picture_detail {
    PICTURE_OPTIONS, /* with all options */
    PICTURE_FIELDS,  /* flags, numbers, window, length, and of the options MSS and SACK */
    PICTURE_NO_WINDOW,
    PICTURE_NO_ACK,
    PICTURE_NUMBERS, /* flags and sequence numbers, of a segment without data also the ack */
    PICTURE_FLAGS,
    PICTURE_DETAILS
};

/* A segment in short, in tcpdump's order: `[P.] seq 1:1001 ack 1 win 506 len 1000`; of a
 * run with several connections it begins with the client's port by name. */
void picture_words(struct strbuf *sb, const struct picture *picture, const struct picture_row *row,
                   enum picture_detail detail);
/* The same of a line of a transcript, with its interval cut off. */
void picture_line_words(struct strbuf *sb, const char *line, enum picture_detail detail);

/* What the wire did to a segment that its arrow does not show: `arrives twice`, `rewritten on
 * the way`; adds nothing if there is nothing. */
void picture_mishaps(struct strbuf *sb, const struct picture *picture,
                     const struct picture_row *row);
/* What there is to say of a segment beside its fields: `lost`, `twice`, `under way for
 * 100 ms`; adds nothing if there is nothing. */
void picture_fate(struct strbuf *sb, const struct picture *picture, const struct picture_row *row);

/* A call: `connect server 1234 => ETIMEDOUT`, of PICTURE_CALL_BEGAN without what it gave. */
void picture_call(struct strbuf *sb, const struct picture *picture, const struct picture_row *row);

/* The teacher's note of a line that is fine, of an `at` line with its capture point; adds
 * nothing if there is none. */
void picture_note(struct strbuf *sb, const struct result_line *line);

#endif
