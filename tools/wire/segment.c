#include "wire/segment.h"

#include <linux/if_ether.h>
#include <string.h>

#include "base/memory.h"

enum {
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    TCP_HEADER = 20,
    TCP_OPTIONS = 40,
    HOP_LIMIT = 64,
    PROTO_TCP = 6,
    FILLER = 'i',
};

/* What the conversation's numbers begin at, from the segment's point of view. */
struct bases {
    uint16_t sport, dport;
    uint32_t seq, ack, tsval, tsecr;
};

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value);
}

static int find_bases(const struct wire_segment *s, const struct wire_flows *flows, struct bases *b,
                      struct error *err)
{
    int dir;
    const struct wire_flow *flow =
        wire_flows_find(flows, &s->src, s->sport, &s->dst, s->dport, &dir);
    *b = (struct bases){.sport = s->sport, .dport = s->dport};
    if (flow) {
        const struct wire_side *mine = &flow->side[dir], *other = &flow->side[!dir];
        *b = (struct bases){mine->port,   other->port,    mine->first,
                            other->first, mine->ts_first, other->ts_first};
        return 0;
    }
    if (!s->sport || !s->dport)
        return error_set(err, STATUS_USAGE,
                         "the wire has seen no connection between these two ends yet");
    if (s->flags & TCP_ACK)
        return error_set(err, STATUS_USAGE,
                         "the wire has seen no connection whose numbers this could acknowledge");
    return 0;
}

static uint8_t *put_option(uint8_t *at, const struct wire_option *o, const struct bases *b)
{
    *at++ = o->kind;
    switch (o->kind) {
    case TCPOPT_EOL:
    case TCPOPT_NOP:
        return at;
    case TCPOPT_MSS:
        *at++ = 4;
        return put16(at, o->a);
    case TCPOPT_WSCALE:
        *at++ = 3;
        *at++ = (uint8_t)o->a;
        return at;
    case TCPOPT_SACK:
        *at++ = 10;
        return put32(put32(at, o->a + b->ack), o->b + b->ack);
    case TCPOPT_TS:
        *at++ = 10;
        return put32(put32(at, o->a + b->tsval), o->b + b->tsecr);
    default: /* sackOK */
        *at++ = 2;
        return at;
    }
}

static uint32_t option_size(const struct wire_option *o)
{
    uint8_t room[TCP_OPTIONS];
    return (uint32_t)(put_option(room, o, &(struct bases){0}) - room);
}

static uint8_t *put_ip(uint8_t *at, const struct wire_segment *s, uint32_t tcp_len)
{
    if (s->src.version == 4) {
        uint8_t header[IP4_HEADER] = {[0] = 0x45, [6] = 0x40, [8] = HOP_LIMIT, [9] = PROTO_TCP};
        put16(header + 2, IP4_HEADER + tcp_len);
        memcpy(header + 12, s->src.bytes, 4);
        memcpy(header + 16, s->dst.bytes, 4);
        return (uint8_t *)memcpy(at, header, sizeof(header)) + sizeof(header);
    }
    uint8_t header[IP6_HEADER] = {[0] = 0x60, [6] = PROTO_TCP, [7] = HOP_LIMIT};
    put16(header + 4, tcp_len);
    memcpy(header + 8, s->src.bytes, 16);
    memcpy(header + 24, s->dst.bytes, 16);
    return (uint8_t *)memcpy(at, header, sizeof(header)) + sizeof(header);
}

static uint8_t *put_tcp(uint8_t *at, const struct wire_segment *s, const struct bases *b,
                        uint32_t header_len)
{
    uint8_t *end = at + header_len;
    at = put16(put16(at, b->sport), b->dport);
    at = put32(at, s->seq + b->seq);
    at = put32(at, s->flags & TCP_ACK ? s->ack + b->ack : 0);
    at = put16(at, header_len / 4 << 12 | s->flags);
    at = put16(put16(put16(at, s->window), 0), s->urgent);
    for (unsigned i = 0; i < s->n_options; i++)
        at = put_option(at, &s->options[i], b);
    memset(at, TCPOPT_EOL, (size_t)(end - at));
    return end;
}

struct wire_frame *wire_segment_build(const struct wire_segment *s, const struct wire_flows *flows,
                                      const uint8_t src_mac[6], const uint8_t dst_mac[6], nsec now,
                                      struct error *err)
{
    struct bases b;
    uint32_t options = 0;
    for (unsigned i = 0; i < s->n_options; i++)
        options += option_size(&s->options[i]);
    options = (options + 3) & ~3u;
    if (options > TCP_OPTIONS || s->length > WIRE_SEGMENT_DATA)
        return error_set(err, STATUS_USAGE, "no segment has room for so much"), NULL;
    if (find_bases(s, flows, &b, err) < 0)
        return NULL;
    uint32_t header_len = TCP_HEADER + options;
    uint8_t data[ETH_HLEN + IP6_HEADER + TCP_HEADER + TCP_OPTIONS + WIRE_SEGMENT_DATA];
    memcpy(data, dst_mac, ETH_ALEN);
    memcpy(data + ETH_ALEN, src_mac, ETH_ALEN);
    uint8_t *at = put16(data + 2 * ETH_ALEN, s->src.version == 4 ? ETH_P_IP : ETH_P_IPV6);
    at = put_tcp(put_ip(at, s, header_len + s->length), s, &b, header_len);
    memset(at, FILLER, s->length);
    struct wire_frame *f = wire_frame_new(data, (uint32_t)(at - data) + s->length, now);
    wire_frame_put_sums(f);
    return f;
}
