/* A frame on the wire, and what the wire may change of it. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "base/time.h"
#include "decode/packet.h"
#include "lab/wire.h"

struct wire_frame {
    nsec at;         /* CLOCK_MONOTONIC, when it came to the wire */
    nsec stamp;      /* the same by CLOCK_REALTIME, as the kernel stamped it; 0: nobody sent it */
    uint64_t number; /* in its lane, from 1; 0: nobody sent it.  A copy has the same */
    uint32_t len;
    uint8_t data[]; /* Ethernet */
};

/* The caller frees it. */
struct wire_frame *wire_frame_new(const void *data, uint32_t len, nsec at);

/* Decodes; p leads into f. */
void wire_frame_decode(const struct wire_frame *f, struct packet *p);
/* The same without adding up the data of a long frame: whether its sum is right is unknown. */
void wire_frame_decode_headers(const struct wire_frame *f, struct packet *p);

/* Each changes the frame that p was decoded from; false where it has no such thing (it is
 * not TCP, has no such option …) and stays as it was. */
bool wire_frame_corrupt(struct wire_frame *f, const struct packet *p);
/* Congestion experienced, with the IPv4 header's checksum put right; not where the packet is
 * not ECN-capable (RFC 3168 5). */
bool wire_frame_mark(struct wire_frame *f, const struct packet *p);
/* With the TCP checksum put right. */
bool wire_frame_rewrite(struct wire_frame *f, const struct packet *p, const struct wire_rule *rule);

/* Writes the checksums that the headers should have. */
void wire_frame_put_sums(struct wire_frame *f);

#endif
