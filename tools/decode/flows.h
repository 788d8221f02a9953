/* Relative sequence numbers as tcpdump counts them, connection by connection.
 *
 * The first segment with ACK of a connection, and each SYN with ACK, sets where
 * its two directions begin and keeps its own numbers; later ones are relative. */
#ifndef DECODE_FLOWS_H
#define DECODE_FLOWS_H

#include "decode/packet.h"

struct flows;

/* What to subtract from a segment's numbers. */
struct flow_bases {
    uint32_t seq, ack, sack;
};

struct flows *flows_new(void);
void flows_free(struct flows *flows);

/* Takes note of a segment.  A table that has FLOWS_MAX connections starts afresh, so
 * that memory is bounded. */
struct flow_bases flows_number(struct flows *flows, const struct packet *p);
#define FLOWS_MAX (1u << 20)

#endif
