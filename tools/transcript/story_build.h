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
    int from, to;              /* hosts, -1: nobody's address */
    uint64_t identity;         /* what stays the same on the way … */
    uint64_t as_sent;          /* … and was it before the wire changed it */
    long arrival;              /* ROLE_SENT: index of the first sighting at the receiver, -1 … */
    unsigned arrivals, broken; /* … and how many there are, and are with a wrong checksum */
    long sending;         /* ROLE_RECEIVED, ROLE_PASSING: index of the sighting that it is of, -1 */
    bool unsent, pending; /* as in struct story_segment */
    enum fate fate;
    /* By what the record knows of the wire: */
    unsigned copies, gone; /* how often it left the wire, were nothing dropped; dropped */
    unsigned corrupted;
    bool stays;                     /* on the wire when the run ended */
    bool late;                      /* the wire kept it: that it is not there says nothing */
    bool rewritten, held, injected; /* as in struct story_segment */
};

struct build {
    const struct record *record;
    int point;                 /* whose view it is, -1: all points together */
    VEC(struct sighting) seen; /* in the order of record.packets */
    struct story *story;
    enum role *roles; /* of the story's segments */
};

/* story_wire.c, for story_match(): notes at every sighting what the wire did to it. */
void story_wire(struct build *b);
/* story_match.c: pairs sendings with arrivals and gives every sending its fate. */
void story_match(struct build *b);
/* story_flow.c: flows, directions and relative numbers. */
void story_flows(struct build *b);
/* story_names.c: names of ports. */
void story_names(struct build *b);
/* story_history.c: what the history determines. */
void story_history(struct build *b);
/* story_order.c: who was overtaken, and which arrival each sending follows. */
void story_order(struct build *b);

#endif
