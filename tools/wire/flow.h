/* Where the numbers of each conversation begin, as the wire has seen them: what a rule
 * (`seq 1449`) and an injected segment are relative to.  As in a transcript: the first
 * sequence number of a direction is 0, and so is its first time stamp. */
#ifndef WIRE_FLOW_H
#define WIRE_FLOW_H

#include <stdbool.h>

#include "base/memory.h"
#include "decode/packet.h"

struct wire_side {
    struct ipaddr addr;
    uint16_t port;
    bool known, ts_known;
    uint32_t first, ts_first;
};

struct wire_flow {
    struct wire_side side[2];
};

struct wire_flows {
    VEC(struct wire_flow) list; /* the latest conversation last */
};

/* Takes note of a TCP segment.  Returns its conversation, until the next call, and in
 * *dir which of the two sides has sent it. */
const struct wire_flow *wire_flows_note(struct wire_flows *flows, const struct packet *p, int *dir);

/* The latest conversation between two ends (port 0: whichever) and in *dir which side is
 * `from`; NULL if there was none. */
const struct wire_flow *wire_flows_find(const struct wire_flows *flows, const struct ipaddr *from,
                                        uint16_t from_port, const struct ipaddr *to,
                                        uint16_t to_port, int *dir);

void wire_flows_free(struct wire_flows *flows);

#endif
