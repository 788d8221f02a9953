/* The first difference between two runs of one lab, in one sentence: what a table of
 * kernels shows, and what a comparison with an earlier run is made of. */
#ifndef TRANSCRIPT_DIFFER_H
#define TRANSCRIPT_DIFFER_H

#include "transcript/story.h"

/* What a segment counts for in a comparison. */
enum differ_mark {
    DIFFER_COUNTS,  /* as it is, and when it was sent */
    DIFFER_UNTIMED, /* as it is: when it was sent was up to a program, not to TCP */
    DIFFER_IGNORED, /* not at all: it may be there or not, and both are right */
};

struct differ_run {
    const struct story *story;
    const enum differ_mark *marks; /* one a segment of the story; NULL: all count */
};

enum difference_kind {
    DIFFERENCE_NONE,
    DIFFERENCE_FIELD,    /* a segment is in the other's place, or differs in a field or its fate */
    DIFFERENCE_INTERVAL, /* the same segment, sooner or later than the timer rule explains */
    DIFFERENCE_MISSING,  /* b ends where a goes on */
    DIFFERENCE_MORE,     /* b goes on where a ends */
    DIFFERENCE_CALL,     /* a call's result, or how long it took */
};

struct difference {
    enum difference_kind kind;
    long segment[2]; /* of a and of b: index into the story's segments, -1: none */
    long call[2];    /* index into the record's calls, -1: none */
    char *sentence;  /* of b, measured by a: "SYN retry 2 after 1.02 s instead of 2.02 s";
                        NULL if there is no difference */
};

/* Compares b with a and frees nothing; *out is to be freed.  True if they differ.  Only
 * relative values count.  Intervals are equal if one timer can explain both, by the tick
 * and the lateness of their machines (transcript/timing.h). */
bool differ(const struct differ_run *a, const struct differ_run *b, struct difference *out);
/* In what two segments differ, wherever in their runs they are. */
enum { DIFFER_TEXT = 1, DIFFER_FATE = 2, DIFFER_TIME = 4 };
/* `timed`: their intervals count (the segments before them are taken for each other). */
unsigned differ_pair(const struct differ_run *a, size_t i, const struct differ_run *b, size_t k,
                     bool timed);
void difference_free(struct difference *d);

#endif
