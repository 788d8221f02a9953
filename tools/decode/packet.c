#include "decode/packet.h"

#include "decode/cursor.h"
#include "decode/layers.h"

enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_RARP = 0x8035 };
enum { ETHERTYPE_IPV6 = 0x86dd };

/* Address families by which DLT_NULL names IP; BSDs disagree on the one for IPv6. */
enum {
    FAMILY_INET = 2,
    FAMILY_INET6_BSD = 24,
    FAMILY_INET6_FREEBSD = 28,
    FAMILY_INET6_DARWIN = 30
};

/* Only what says whether anything else is valid; the rest is set with it. */
static void clear(struct packet *p)
{
    p->net = NET_NONE;
    p->transport = TRANSPORT_NONE;
    p->arp.state = p->ip.state = p->tcp.state = p->udp.state = p->icmp.state = LAYER_CUT;
    p->ip.version = 0;
    p->ip.proto = p->ip.next = 0;
    p->ip.fragment = false;
    p->ip.src.version = p->ip.dst.version = 0;
    p->ip.bytes = p->ip.payload = (struct bytes){0};
    p->tcp.n_options = 0;
    p->tcp.payload_len = p->tcp.payload_captured = 0;
    p->tcp.payload = NULL;
}

void decode_arp(struct packet *p, struct bytes bytes)
{
    struct arp_header *a = &p->arp;
    struct cursor c = cursor_over(bytes.at, bytes.n);
    p->net = NET_ARP;
    a->bytes = bytes;
    a->hardware = cursor_u16(&c);
    a->protocol = cursor_u16(&c);
    a->hardware_len = cursor_u8(&c);
    a->protocol_len = cursor_u8(&c);
    a->op = cursor_u16(&c);
    a->sender_hw = cursor_take(&c, a->hardware_len);
    a->sender_addr = cursor_take(&c, a->protocol_len);
    a->target_hw = cursor_take(&c, a->hardware_len);
    a->target_addr = cursor_take(&c, a->protocol_len);
    a->state = c.cut ? LAYER_CUT : LAYER_OK;
}

static void decode_ethertype(struct packet *p)
{
    switch (p->link.protocol) {
    case ETHERTYPE_IPV4:
        decode_ip(p, p->link.payload, 4);
        break;
    case ETHERTYPE_IPV6:
        decode_ip(p, p->link.payload, 6);
        break;
    case ETHERTYPE_ARP:
    case ETHERTYPE_RARP:
        decode_arp(p, p->link.payload);
        break;
    default:
        p->net = NET_OTHER;
    }
}

static void decode_family(struct packet *p)
{
    switch (p->link.family) {
    case FAMILY_INET:
        decode_ip(p, p->link.payload, 4);
        break;
    case FAMILY_INET6_BSD:
    case FAMILY_INET6_FREEBSD:
    case FAMILY_INET6_DARWIN:
        decode_ip(p, p->link.payload, 6);
        break;
    default:
        p->net = NET_OTHER;
    }
}

void packet_decode(struct packet *p, const struct frame *frame)
{
    p->frame = *frame;
    clear(p);
    decode_link(&p->link, frame);
    if (p->link.state != LAYER_OK)
        return;
    switch (p->link.kind) {
    case LINK_ETHERNET:
    case LINK_SLL:
    case LINK_SLL2:
        decode_ethertype(p);
        break;
    case LINK_NULL:
        decode_family(p);
        break;
    case LINK_RAW:
        decode_ip(p, p->link.payload, 0);
        break;
    case LINK_UNKNOWN:
        break;
    }
}

unsigned packet_ecn(const struct packet *p)
{
    bool known =
        p->net == NET_IP && (p->ip.state == LAYER_OK || p->ip.state == LAYER_BAD_EXTENSION);
    return known ? p->ip.tos & ECN_CE : ECN_NOT_ECT;
}

void packet_decode_inner(struct packet *p, struct bytes inner, unsigned version)
{
    p->frame = (struct frame){.time = p->frame.time,
                              .wirelen = inner.len,
                              .caplen = inner.n,
                              .data = inner.at,
                              .linktype = -1};
    clear(p);
    p->link = (struct link_header){.kind = LINK_RAW, .payload = inner};
    decode_ip(p, inner, version);
}
