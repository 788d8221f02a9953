#include "wire/frame.h"

#include <pcap/dlt.h>
#include <string.h>

#include "base/memory.h"

enum { IP4_SUM = 10, TCP_WINDOW = 14, TCP_SUM = 16 };
enum { HEADERS_MAX = 512 /* bytes; few frames have more of them */ };

struct wire_frame *wire_frame_new(const void *data, uint32_t len, nsec at)
{
    struct wire_frame *f = xrealloc(NULL, 1, sizeof(*f) + len);
    *f = (struct wire_frame){.at = at, .len = len};
    memcpy(f->data, data, len);
    return f;
}

static void decode(const struct wire_frame *f, uint32_t caplen, struct packet *p)
{
    struct frame frame = {
        .wirelen = f->len, .caplen = caplen, .data = f->data, .linktype = DLT_EN10MB};
    packet_decode(p, &frame);
}

void wire_frame_decode(const struct wire_frame *f, struct packet *p)
{
    decode(f, f->len, p);
}

void wire_frame_decode_headers(const struct wire_frame *f, struct packet *p)
{
    decode(f, f->len < HEADERS_MAX ? f->len : HEADERS_MAX, p);
    bool cut = p->transport == TRANSPORT_NONE ||
               (p->transport == TRANSPORT_TCP && p->ip.payload.n < p->tcp.header_len);
    if (f->len > HEADERS_MAX && cut)
        decode(f, f->len, p);
}

static uint8_t *place(struct wire_frame *f, const uint8_t *at)
{
    return f->data + (at - f->data);
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void wire_frame_put_sums(struct wire_frame *f)
{
    struct packet p;
    wire_frame_decode(f, &p);
    if (p.net != NET_IP || p.ip.state != LAYER_OK)
        return;
    if (p.ip.version == 4)
        put_u16(place(f, p.ip.bytes.at) + IP4_SUM, p.ip.sum_expected);
    if (p.transport == TRANSPORT_TCP && p.tcp.sum != SUM_UNKNOWN)
        put_u16(place(f, p.ip.payload.at) + TCP_SUM, p.tcp.sum_expected);
}

bool wire_frame_corrupt(struct wire_frame *f, const struct packet *p)
{
    if (p->transport != TRANSPORT_TCP || p->tcp.sum != SUM_GOOD)
        return false;
    /* 0 and 0xffff are the same sum, so the two bytes are not simply inverted. */
    place(f, p->ip.payload.at)[TCP_SUM] ^= 0x55;
    return true;
}

bool wire_frame_mark(struct wire_frame *f, const struct packet *p)
{
    if (packet_ecn(p) == ECN_NOT_ECT || p->ip.state != LAYER_OK)
        return false;
    uint8_t *header = place(f, p->ip.bytes.at);
    if (p->ip.version == 4) {
        header[1] |= ECN_CE;
        wire_frame_put_sums(f);
    } else {
        header[1] |= ECN_CE << 4; /* the lower half of the traffic class: RFC 8200 3 */
    }
    return true;
}

static const struct tcp_option *find_option(const struct packet *p, unsigned kind)
{
    for (unsigned i = 0; i < p->tcp.n_options; i++)
        if (p->tcp.options[i].kind == kind && !p->tcp.options[i].bad)
            return &p->tcp.options[i];
    return NULL;
}

bool wire_frame_rewrite(struct wire_frame *f, const struct packet *p, const struct wire_rule *rule)
{
    if (p->transport != TRANSPORT_TCP)
        return false;
    const struct tcp_option *option =
        find_option(p, rule->rewrite == WIRE_REWRITE_MSS ? TCPOPT_MSS : rule->value);
    switch (rule->rewrite) {
    case WIRE_REWRITE_WINDOW:
        put_u16(place(f, p->ip.payload.at) + TCP_WINDOW, (uint16_t)rule->value);
        break;
    case WIRE_REWRITE_MSS:
        if (!option || !option->data)
            return false;
        put_u16(place(f, option->data), (uint16_t)rule->value);
        break;
    case WIRE_REWRITE_WITHOUT:
        if (!option || !option->data)
            return false;
        memset(place(f, option->data) - 2, TCPOPT_NOP, option->len);
        break;
    }
    wire_frame_put_sums(f);
    return true;
}
