/* The layers of packet_decode(), for its own files only. */
#ifndef DECODE_LAYERS_H
#define DECODE_LAYERS_H

#include "decode/packet.h"

/* A part of b from `offset` on that takes `len` bytes by the headers. */
static inline struct bytes bytes_from(struct bytes b, uint32_t offset, uint32_t len)
{
    uint32_t skip = offset < b.n ? offset : b.n;
    return (struct bytes){.at = b.at + skip, .len = len, .n = b.n - skip};
}

/* Cuts what was captured to at most n bytes. */
static inline struct bytes bytes_limit(struct bytes b, uint32_t n)
{
    if (b.n > n)
        b.n = n;
    return b;
}

void decode_link(struct link_header *link, const struct frame *frame);
void decode_arp(struct packet *p, struct bytes bytes);
/* version 4, 6, or 0: the one that the first bits name. */
void decode_ip(struct packet *p, struct bytes bytes, unsigned version);
void decode_transport(struct packet *p);
void decode_tcp(struct packet *p);

/* The last address of a source route or routing header, else ip->dst. */
struct ipaddr ip_final_destination(const struct ip_header *ip);

#endif
