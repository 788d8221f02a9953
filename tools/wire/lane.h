/* One direction of a wire: rules, properties, and the frames under way.
 *
 * Pure: time comes in as an argument, frames as bytes; nothing here sends or waits.
 * lane.c tells the theory. */
#ifndef WIRE_LANE_H
#define WIRE_LANE_H

#include "base/error.h"
#include "base/memory.h"
#include "lab/lab.h"
#include "wire/fair.h"
#include "wire/flow.h"
#include "wire/frame.h"
#include "wire/pick.h"

/* The wire did something to `frame`; `result` is what became of it where that is another
 * one.  `frame` is NULL for a segment that nobody sent.  step: the script's, -1: none. */
typedef void lane_note(void *ctx, enum wire_action action, long step,
                       const struct wire_frame *frame, const struct wire_frame *result);

struct lane_rule {
    long step;
    const struct wire_rule *rule;
    struct wire_picker picker;
};

/* A frame that waits for others to pass. */
struct lane_held {
    struct wire_frame *frame;
    unsigned more;
    unsigned copies;
    nsec extra; /* of a `delay` that it met, too */
    long step;  /* of the rule that holds it */
};

/* A frame that is on its way. */
struct lane_travel {
    nsec due;
    uint64_t order; /* of two that are due at once */
    struct wire_frame *frame;
};

/* What the rate has not let go yet. */
struct lane_waiting {
    nsec departs;
    uint32_t len;
};

struct lane {
    struct wire_flows *flows; /* of the whole network */
    lane_note *note;
    void *ctx;
    VEC(struct lane_rule) rules;
    VEC(struct lane_held) held;
    VEC(struct lane_travel) travels;  /* a heap: the next one due first */
    VEC(struct lane_waiting) waiting; /* in a queue that is not fair */
    struct fair fair;                 /* what waits in one that is */
    size_t gone;                      /* of waiting: those that have departed */
    uint64_t waiting_bytes;
    struct wire_properties properties;
    long properties_step;
    uint64_t random;
    uint64_t order;
    uint64_t taken; /* frames */
    nsec free_at;   /* when the rate has let go what it took */
    nsec last_due;  /* of what went the usual way: it stays in order */
};

void lane_init(struct lane *lane, struct wire_flows *flows, lane_note *note, void *ctx);
void lane_free(struct lane *lane);

/* A further rule, behind the others; `rule` must outlive the lane. */
int lane_add_rule(struct lane *lane, long step, const struct wire_rule *rule, struct error *err);
/* Changes what p->has names. */
void lane_set(struct lane *lane, long step, const struct wire_properties *p);
/* No rules and properties; what was held back goes on. */
void lane_clear(struct lane *lane, nsec now);

/* A frame (taken over) comes to the wire. */
void lane_take(struct lane *lane, struct wire_frame *frame);
/* A segment (taken over) that nobody sent: it arrives at once. */
void lane_inject(struct lane *lane, long step, struct wire_frame *frame);

/* Notes WIRE_STAY of each frame that it has still; the step is that of the rule which holds
 * it, else -1. */
void lane_note_staying(const struct lane *lane);

/* When the next frame is to be sent on; NSEC_NEVER if none is under way. */
nsec lane_next(const struct lane *lane);
/* The frame that is due by now, the caller's; NULL if none is. */
struct wire_frame *lane_pop(struct lane *lane, nsec now);

#endif
