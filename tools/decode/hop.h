/* A frame on one hop of its way, known again on another: routers give it other hardware
 * addresses, one hop less to live, with IPv4 a checksum for that, and perhaps an ECN mark. */
#ifndef DECODE_HOP_H
#define DECODE_HOP_H

#include <stddef.h>
#include <stdint.h>

struct hop {
    uint64_t hash; /* of all that no router changes */
    int left;      /* hops to live: fewer, the further on its way; -1: no router passes it on */
};

/* Of an Ethernet frame of len bytes, of which the first n are there. */
struct hop hop_of(const uint8_t *data, uint32_t n, uint32_t len);

#endif
