/* A model of one end of a connection, as far as evidence can follow it: what it has
 * sent, what it has received, what it will acknowledge and echo.  All numbers are
 * relative to the flow's first ones, as in the story. */
#ifndef TRANSCRIPT_STORY_ENDPOINT_H
#define TRANSCRIPT_STORY_ENDPOINT_H

#include "transcript/story_build.h"

struct range {
    uint32_t from, to; /* to: one past the last */
};

/* Something that was sent and is not acknowledged yet. */
struct flight {
    uint32_t to;
    nsec sent, last; /* for the first time, and for the last */
    bool again;      /* sent more than once: no sample */
};

struct change {
    nsec time;
    uint32_t value;
};

/* What a value was lately. */
struct trail {
    uint32_t past; /* before the changes from `head` on */
    size_t head;
    VEC(struct change) changes;
};

#define STORY_BEYOND 32

struct story_endpoint {
    /* Sending: */
    bool sent_any, sent_fin;
    uint32_t snd_una, snd_nxt;
    nsec active;               /* when it last sent or received */
    VEC(struct flight) flight; /* in the order of their numbers */
    size_t flight_head;
    nsec rtt, rtt_least;
    bool rtt_single; /* one sample */
    bool sent_ts;
    uint32_t tsval; /* its first, relative: where its clock stood … */
    nsec ts_time;   /* … at this stamp, or up to ts_early before (story_history.c) */
    nsec ts_early;
    bool ts_confirmed;
    /* Receiving: */
    bool receiving; /* rcv_nxt is known */
    bool astray;    /* too many gaps: rcv_nxt is not followed any more */
    bool got_syn, got_fin;
    uint32_t rcv_nxt;
    struct trail rcv_trail;
    VEC(struct range) early; /* beyond a gap, in order */
    bool got_ack;
    uint32_t last_ack_got;
    bool sent_ack;
    uint32_t last_ack_sent;
    bool has_recent;
    uint32_t recent;
    struct trail recent_trail;
    /* Of the last segments that were beyond the last ACK when they arrived, and so did not set
     * `recent`; n counts all there were. */
    struct {
        uint32_t seq, tsval;
    } beyond[STORY_BEYOND];
    size_t n_beyond;
    /* An ACK shows that one of them was not read yet when it was made: it may set it now. */
    bool has_recent_late;
    uint32_t recent_late;
    /* The window it offered: */
    bool sent_syn, offers_wscale, peer_offers_wscale, has_edge;
    bool from_syn_ack; /* the edge is */
    uint8_t wscale;
    uint16_t syn_window;
    uint32_t edge; /* one past the highest number that it was ready to take */
};

/* A segment reaches it.  If its sending was not seen, says whether it is a retransmission. */
void endpoint_arrive(struct story_endpoint *e, struct story_segment *s, bool seen_sent, nsec now);
/* It sends a segment to its peer; if that is seen there, says whether it is a retransmission. */
void endpoint_send(struct story_endpoint *e, struct story_segment *s, bool seen_sent, nsec now);
/* How far the window of a segment that it sends is shifted (RFC 7323 2.2). */
unsigned endpoint_shift(const struct story_endpoint *e, const struct story_segment *s);
/* What the trail's value was STORY_AT_ONCE ago. */
uint32_t trail_past(struct trail *t, nsec now);
void endpoint_free(struct story_endpoint *e);

#endif
