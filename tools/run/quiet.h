/* When is a scene over?  When everything that was sent has arrived and been
 * acknowledged, and nothing more comes.  Follows the packets of a run just far
 * enough to know that. */
#ifndef RUN_QUIET_H
#define RUN_QUIET_H

#include <stdbool.h>

#include "base/memory.h"
#include "decode/packet.h"

/* One direction of a connection. */
struct quiet_flow {
    struct ipaddr src, dst;
    uint16_t sport, dport;
    uint32_t sent;  /* one past the last sequence number sent */
    uint32_t acked; /* by the other side */
    bool has_sent, has_acked, reset;
};

struct quiet {
    VEC(struct quiet_flow) flows;
    uint64_t outgoing, incoming; /* packets that a point sent towards, and got from, another */
    bool both_ends;              /* whether those two can be compared */
};

/* `outgoing`: seen leaving its capture point's host. */
void quiet_note(struct quiet *q, const struct packet *p, bool outgoing);

/* Whether nothing is under way and nothing waits for an answer. */
bool quiet_answered(const struct quiet *q);

void quiet_free(struct quiet *q);

#endif
