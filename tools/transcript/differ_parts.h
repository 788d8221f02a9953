/* What the files differ*.c share. */
#ifndef TRANSCRIPT_DIFFER_PARTS_H
#define TRANSCRIPT_DIFFER_PARTS_H

#include "transcript/differ.h"
#include "transcript/timing.h"

struct side {
    const struct differ_run *run;
    const struct story *story;
    VEC(size_t) segments; /* those that count */
    VEC(size_t) calls;    /* by step */
};

struct comparison {
    struct side side[2];
    struct difference found;
    nsec found_at;
};

/* The ith segment that counts. */
const struct story_segment *differ_segment(const struct side *s, size_t i);
/* Takes the round-trip times in that the segment's sender had measured. */
void differ_widen(struct timing_rtt *rtt, const struct story_segment *s);
/* Whether two intervals can be the same timer's. */
bool differ_same_interval(const struct comparison *c, const nsec gap[2], enum timing_base base,
                          struct timing_rtt rtt);
/* `after X instead of Y` */
void differ_put_after(struct strbuf *sb, const nsec gap[2]);
/* Takes the difference if it came before the one that is known.  Steals the sentence. */
void differ_take(struct comparison *c, enum difference_kind kind, const long segment[2],
                 const long call[2], nsec at, struct strbuf *sentence);

/* differ_calls.c: compares the calls of the two runs, step by step. */
void differ_calls(struct comparison *c);

#endif
