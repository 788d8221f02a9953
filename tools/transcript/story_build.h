/* What the files story*.c share while they build a story; story.c explains it. */
#ifndef TRANSCRIPT_STORY_BUILD_H
#define TRANSCRIPT_STORY_BUILD_H

#include "transcript/story.h"

/* "At once": sooner than any timer of TCP can fire, half of TCP_DELACK_MIN. */
#define STORY_AT_ONCE (20 * NSEC_PER_MSEC)

/* Evidence may say anything: a value between the limits. */
static inline nsec story_clamp(nsec t, nsec low, nsec high)
{
    return t < low ? low : t > high ? high : t;
}

/* A stamp whose difference to any other fits. */
static inline nsec story_stamp(nsec t)
{
    return story_clamp(t, 0, INT64_MAX / 2);
}
static inline nsec story_packet_stamp(const struct record *r, size_t packet)
{
    return story_stamp(r->packets.at[packet].frame.time);
}

/* Where, on its way, a frame was seen. */
enum role {
    ROLE_SENT,     /* at its sender */
    ROLE_RECEIVED, /* at its receiver */
    ROLE_LOCAL,    /* at both: loopback */
    ROLE_PASSING,  /* at neither */
};

/* A frame at one capture point. */
struct sighting {
    size_t packet; /* index into record.packets */
    struct packet *p;
    enum role role;
    int from, to;      /* hosts, -1: nobody's address */
    uint64_t identity; /* what stays the same on the way */
    long arrival;      /* ROLE_SENT: index of the sighting at the receiver, -1 */
    bool answered;     /* ROLE_RECEIVED: its sending was seen too, or it is the double of such */
    bool unsent, pending, doubled; /* as in struct story_segment */
    enum fate fate;
};

struct build {
    const struct record *record;
    int point;                 /* whose view it is, -1: all points together */
    VEC(struct sighting) seen; /* in the order of record.packets */
    struct story *story;
    enum role *roles; /* of the story's segments */
};

/* story_match.c: pairs sendings with arrivals and gives every sending its fate. */
void story_match(struct build *b);
/* story_flow.c: flows, directions and relative numbers. */
void story_flows(struct build *b);
/* story_names.c: names of ports. */
void story_names(struct build *b);
/* story_history.c: what the history determines. */
void story_history(struct build *b);

#endif
