/* Frames that wait for a slow wire, a line for each flow, served in turn.  fair.c tells the
 * theory.  Pure: no clock, nothing sent. */
#ifndef WIRE_FAIR_H
#define WIRE_FAIR_H

#include "base/ipaddr.h"
#include "base/memory.h"
#include "wire/frame.h"

/* What frames of one flow have in common.  What is no IP is one flow, and so are packets
 * between two addresses whose ports are not known (fragments, ICMP). */
struct fair_flow {
    struct ipaddr src, dst; /* version 0: no IP */
    unsigned protocol;      /* of IP */
    uint16_t sport, dport;
};

struct fair_waiting {
    struct wire_frame *frame;
    nsec extra;     /* the caller's */
    uint64_t ends;  /* its place in the order of service, in bytes: see fair.c */
    uint64_t order; /* of arrival */
};

/* A flow of which something waits. */
struct fair_line {
    struct fair_flow flow;
    VEC(struct fair_waiting) waiting;
    size_t gone; /* of waiting: those that have been served */
    uint64_t bytes;
    uint64_t served; /* when it was served last, counted in frames; 0: never */
};

struct fair {
    VEC(struct fair_line) lines;
    size_t n;       /* frames */
    uint64_t bytes; /* of them */
    uint64_t turn;  /* where the service has got to: `ends` of what was served last */
    uint64_t served;
    struct fair_flow last; /* served */
    uint64_t order;
};

void fair_free(struct fair *fair);

/* Takes the frame over. */
void fair_push(struct fair *fair, struct wire_frame *frame, nsec extra);

/* The one whose turn is next; NULL if nothing waits. */
const struct wire_frame *fair_next(const struct fair *fair);
/* Takes it out: the caller's. */
struct wire_frame *fair_pop(struct fair *fair, nsec *extra);

/* Takes out the last one of the longest line, in bytes: the caller's; NULL if nothing
 * waits. */
struct wire_frame *fair_drop(struct fair *fair);

/* Calls for each frame that waits. */
void fair_each(const struct fair *fair,
               void (*look)(const void *ctx, const struct wire_frame *frame), const void *ctx);

#endif
