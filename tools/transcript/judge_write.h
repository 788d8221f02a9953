/* What the files judge_write*.c share. */
#ifndef TRANSCRIPT_JUDGE_WRITE_H
#define TRANSCRIPT_JUDGE_WRITE_H

#include "transcript/judge_parts.h"

/* A call or link between the packets. */
struct moment {
    nsec time;
    const struct pattern_item *old; /* the old transcript's line for it, or NULL */
    const struct record_call *call; /* NULL: a link */
    char *text;                     /* NULL: as the old line has it */
};

/* Those that a new transcript is to have, by time: the old one's, or, if there is none, what a
 * rerun will repeat.  The caller frees the list; texts are owned by whoever takes them. */
struct moment *write_moments(struct judging *j, const struct track *t, size_t *n);

#endif
