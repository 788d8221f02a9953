/* What story_match.c and story_fate.c share while they pair sendings with arrivals. */
#ifndef TRANSCRIPT_STORY_MATCH_H
#define TRANSCRIPT_STORY_MATCH_H

#include "transcript/story_build.h"

struct rank {
    uint64_t identity;
    size_t seen; /* index into build.seen */
};

/* How long a frame took from one host to another. */
struct travel {
    int from, to;
    nsec sent, took;
    nsec slowest; /* of this path, up to here */
};

struct matching {
    struct build *b;
    VEC(struct rank) sent;
    VEC(struct rank) received;
    VEC(struct rank) ways;      /* what sendings were like on their way */
    VEC(struct travel) travels; /* by path, then by time, once sorted */
    bool corrupts;              /* the wire is known to have damaged something */
};

struct sighting *match_sighting(const struct matching *m, const struct rank *r);
nsec match_stamp(const struct matching *m, const struct rank *r);
/* The last travel on a path that began at `sent` or before, else the first; NULL: none. */
const struct travel *travel_near(const struct travel *t, size_t n, int from, int to, nsec sent);

/* story_fate.c: what became of the sendings without arrival, and which arrivals nobody sent. */
void story_fate(struct matching *m);

#endif
