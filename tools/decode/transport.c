#include "decode/cursor.h"
#include "decode/layers.h"
#include "decode/sum.h"

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58 };
enum { UDP_FIXED = 8, ICMP_FIXED = 8 };
enum { ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_QUENCH = 4, ICMP_REDIRECT = 5 };
enum { ICMP_ECHO = 8, ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETER = 12 };
enum { ICMP_NEED_FRAGMENT = 4 /* a code of unreachable */ };
enum { ICMP6_TOO_BIG = 2, ICMP6_LAST_ERROR = 127, ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129 };

/* Checks a transport's sum over `len` bytes of its payload, if they are all there. */
static enum sum_state transport_sum(const struct ip_header *ip, uint8_t proto, uint32_t len,
                                    uint16_t field, uint16_t *expected)
{
    *expected = 0;
    if (ip->fragment || ip->payload.n < len)
        return SUM_UNKNOWN;
    uint64_t sum = proto == PROTO_ICMP ? 0 : sum_pseudo(ip, proto, len);
    return sum_check(sum_add(sum, ip->payload.at, len), field, expected);
}

static void decode_udp(struct packet *p)
{
    struct udp_header *u = &p->udp;
    struct bytes b = p->ip.payload;
    struct cursor c = cursor_over(b.at, b.n);
    u->sport = cursor_u16(&c);
    u->dport = cursor_u16(&c);
    bool ports = !c.cut;
    u->length = cursor_u16(&c);
    bool length = !c.cut;
    u->checksum = cursor_u16(&c);
    u->sum = SUM_UNKNOWN;
    /* A length of 0 in a jumbogram is the whole payload (RFC 2675 4). */
    u->data_len = u->length == 0 && b.len > UINT16_MAX ? b.len : u->length;
    if (ports && b.len < UDP_FIXED)
        u->state = LAYER_SHORT;
    else if (length && u->data_len < UDP_FIXED)
        u->state = LAYER_BAD_HEADER;
    else if (c.cut)
        u->state = LAYER_CUT;
    else
        u->state = LAYER_OK;
    if (u->state != LAYER_OK)
        return;
    u->data_len -= UDP_FIXED;
    uint32_t room = b.len - UDP_FIXED;
    u->payload = bytes_from(b, UDP_FIXED, u->data_len < room ? u->data_len : room);
    u->payload = bytes_limit(u->payload, u->payload.len);
    if (u->checksum || p->ip.version == 6)
        u->sum = transport_sum(&p->ip, PROTO_UDP, u->payload.len + UDP_FIXED, u->checksum,
                               &u->sum_expected);
    p->transport = TRANSPORT_UDP;
}

static bool icmp_quotes(const struct ip_header *ip, uint8_t type)
{
    if (ip->version == 6)
        return type >= 1 && type <= ICMP6_LAST_ERROR;
    return type == ICMP_UNREACHABLE || type == ICMP_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

static void decode_quote(struct icmp_header *icmp, const struct ip_header *ip)
{
    struct bytes b = ip->payload;
    struct cursor c = cursor_over(b.at, b.n);
    cursor_skip(&c, ICMP_FIXED);
    icmp->quoted = bytes_from(b, ICMP_FIXED, b.len > ICMP_FIXED ? b.len - ICMP_FIXED : 0);
    cursor_skip(&c, ip->version == 4 ? 16 : 24);
    const uint8_t *dst = cursor_take(&c, ip->version == 4 ? 4 : 16);
    if (dst) {
        icmp->target.version = ip->version;
        __builtin_memcpy(icmp->target.bytes, dst, ip->version == 4 ? 4 : 16);
    }
}

static void decode_icmp(struct packet *p)
{
    struct icmp_header *icmp = &p->icmp;
    struct bytes b = p->ip.payload;
    struct cursor c = cursor_over(b.at, b.n);
    bool v6 = p->ip.version == 6;
    *icmp = (struct icmp_header){0};
    icmp->type = cursor_u8(&c);
    icmp->code = cursor_u8(&c);
    icmp->checksum = cursor_u16(&c);
    icmp->rest = cursor_u32(&c);
    icmp->sum = transport_sum(&p->ip, p->ip.proto, b.len, icmp->checksum, &icmp->sum_expected);
    if (c.cut || b.len < ICMP_FIXED) {
        icmp->state = c.cut ? LAYER_CUT : LAYER_SHORT;
        return;
    }
    if (v6 ? icmp->type == ICMP6_ECHO || icmp->type == ICMP6_ECHO_REPLY
           : icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHO_REPLY) {
        icmp->id = (uint16_t)(icmp->rest >> 16);
        icmp->seq = (uint16_t)icmp->rest;
    }
    if (v6 && icmp->type == ICMP6_TOO_BIG)
        icmp->mtu = icmp->rest;
    else if (!v6 && icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_NEED_FRAGMENT)
        icmp->mtu = icmp->rest & 0xffff;
    if (icmp_quotes(&p->ip, icmp->type))
        decode_quote(icmp, &p->ip);
    p->transport = TRANSPORT_ICMP;
}

void decode_transport(struct packet *p)
{
    switch (p->ip.proto) {
    case PROTO_TCP:
        decode_tcp(p);
        if (p->tcp.state == LAYER_OK) {
            struct tcp_header *t = &p->tcp;
            t->sum =
                transport_sum(&p->ip, PROTO_TCP, p->ip.payload.len, t->checksum, &t->sum_expected);
            p->transport = TRANSPORT_TCP;
        }
        break;
    case PROTO_UDP:
        decode_udp(p);
        break;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        if ((p->ip.version == 6) == (p->ip.proto == PROTO_ICMPV6))
            decode_icmp(p);
        break;
    default:
        p->transport = TRANSPORT_OTHER;
    }
}
