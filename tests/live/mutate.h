/* Wrong transcripts out of right ones: the negative controls of the judge. */
#ifndef TESTS_LIVE_MUTATE_H
#define TESTS_LIVE_MUTATE_H

#include <stdbool.h>
#include <stddef.h>

enum mutation {
    MUTATE_FLAGS,     /* Flags [S] becomes Flags [R] … */
    MUTATE_SEQ,       /* the first number behind "seq " grows by one */
    MUTATE_ACK,       /* … "ack " */
    MUTATE_WIN,       /* … "win " */
    MUTATE_LENGTH,    /* … "length " */
    MUTATE_INTERVAL,  /* +1s becomes +3s; +0, or none at all, becomes +5s */
    MUTATE_LOST,      /* the word is gone */
    MUTATE_ARRIVES,   /* arrives +50ms becomes arrives +9s */
    MUTATE_OVERTAKEN, /* the number behind "overtaken by " grows by one */
    MUTATE_IN_TURN,   /* overtaken by N is gone */
    MUTATE_TWICE,     /* the word is gone */
    MUTATE_DAMAGED,   /* it is lost instead */
    MUTATE_MARKED,    /* the word is gone */
    MUTATE_ECN,       /* ECT(0) is gone */
    MUTATE_REWRITTEN, /* the word is gone */
    MUTATE_INJECTED,  /* … */
    MUTATE_DOUBLE,    /* a line that says nothing of its arrival gets "twice" */
    MUTATE_RESULT,    /* the result of a call is another */
    MUTATE_DELETE,    /* the line is gone */
    MUTATE_REPEAT,    /* the line is there twice */
    MUTATE_MORE,      /* a mix wants one packet more than it may have had */
    MUTATION_COUNT,
};

const char *mutation_name(enum mutation m);

/* Whether a transcript's line (without its newline and the blanks before it) judges
 * something: no comment, not empty, not optional, not the beginning or end of a group. */
bool mutation_applies_to(const char *line, size_t len);

/* The text with line `number` (from 1) changed; NULL if the mutation does not apply to
 * it: of a mix only the line that opens it is changed, since what fits none of its lines
 * differs from any of them.  The caller frees it. */
char *mutate(const char *text, size_t number, enum mutation m, unsigned ip);

#endif
