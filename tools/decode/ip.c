/* IPv4 (RFC 791) and IPv6 (RFC 8200).
 *
 * A header's lengths are claims: the packet may be longer than its frame (cut off,
 * or a lie) or shorter (padding).  So `bytes.len` is what the layer below gives,
 * `total_len` what the header says, and what was captured is limited by both.  The
 * transport gets the header's length, as it is what its own numbers depend on. */
#include <string.h>

#include "decode/cursor.h"
#include "decode/layers.h"
#include "decode/sum.h"

enum { IPV4_FIXED = 20, IPV6_FIXED = 40 };
enum {
    PROTO_HOP_OPTIONS = 0,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_AH = 51,
    PROTO_DST_OPTIONS = 60,
};
enum { OPTION6_PAD1 = 0, OPTION6_JUMBO = 0xc2 };

static void set_addr(struct ipaddr *a, uint8_t version, const uint8_t *bytes)
{
    *a = (struct ipaddr){.version = version};
    if (bytes)
        memcpy(a->bytes, bytes, version == 4 ? 4 : 16);
}

static uint16_t load16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* The last hop of a loose or strict source route option (RFC 791 3.1). */
static const uint8_t *source_route_end(const struct ip_header *ip)
{
    struct cursor c = cursor_over(ip->bytes.at + IPV4_FIXED, ip->header_len - IPV4_FIXED);
    while (c.left > 0) {
        uint8_t kind = cursor_u8(&c);
        if (kind == 0)
            break;
        if (kind == 1)
            continue;
        uint8_t len = cursor_u8(&c);
        const uint8_t *data = len >= 2 ? cursor_take(&c, len - 2u) : NULL;
        if (!data)
            break;
        if ((kind == 0x83 || kind == 0x89) && len >= 7)
            return data + len - 2 - 4;
    }
    return NULL;
}

/* The last segment of a routing header of type 0, 2 (RFC 6275) or 4 (RFC 8754). */
static const uint8_t *routing_end(const struct ip_header *ip)
{
    struct ip6_walk w;
    ip6_walk_start(&w, ip);
    while (ip6_walk_next(&w) && !w.cut) {
        if (w.kind != PROTO_ROUTING)
            continue;
        unsigned blocks = w.header.at[1];
        if (w.header.n < w.header.len || blocks < 2 || blocks % 2)
            return NULL;
        switch (w.header.at[2]) {
        case 0:
        case 2:
            return w.header.at + w.header.len - 16;
        case 4:
            return w.header.at + 8; /* segments stand in reverse order */
        default:
            return NULL;
        }
    }
    return NULL;
}

struct ipaddr ip_final_destination(const struct ip_header *ip)
{
    const uint8_t *end = NULL;
    if (ip->version == 4 && ip->header_len > IPV4_FIXED && ip->bytes.n >= ip->header_len)
        end = source_route_end(ip);
    else if (ip->version == 6 && ip->next != ip->proto)
        end = routing_end(ip);
    struct ipaddr dst = ip->dst;
    if (end)
        set_addr(&dst, ip->version, end);
    return dst;
}

/* Authentication headers (RFC 4302) may stand before the transport in both versions. */
static void skip_ah(struct ip_header *ip)
{
    while (ip->proto == PROTO_AH) {
        if (ip->payload.n < 2) {
            ip->state = LAYER_BAD_EXTENSION;
            return;
        }
        uint32_t len = (ip->payload.at[1] + 2u) * 4;
        if (len > ip->payload.len) {
            ip->state = LAYER_BAD_EXTENSION;
            return;
        }
        ip->proto = ip->payload.at[0];
        ip->payload = bytes_from(ip->payload, len, ip->payload.len - len);
    }
}

static void decode_ipv4(struct ip_header *ip)
{
    struct cursor c = cursor_over(ip->bytes.at, ip->bytes.n);
    uint8_t first = cursor_u8(&c);
    ip->header_len = (first & 0xfu) * 4;
    ip->tos = cursor_u8(&c);
    ip->total_len = cursor_u16(&c);
    ip->id = cursor_u16(&c);
    uint16_t offset = cursor_u16(&c);
    ip->ttl = cursor_u8(&c);
    ip->next = ip->proto = cursor_u8(&c);
    ip->checksum = cursor_u16(&c);
    set_addr(&ip->src, 4, cursor_take(&c, 4));
    set_addr(&ip->dst, 4, cursor_take(&c, 4));
    ip->reserved = offset & 0x8000;
    ip->df = offset & 0x4000;
    ip->mf = offset & 0x2000;
    ip->fragment_offset = (uint16_t)((offset & 0x1fff) * 8);
    ip->fragment = ip->mf || ip->fragment_offset;
    if (c.cut)
        ip->state = LAYER_CUT;
    else if (ip->bytes.len < IPV4_FIXED)
        ip->state = LAYER_SHORT;
    else if (ip->header_len < IPV4_FIXED)
        ip->state = LAYER_BAD_HEADER;
    else if (ip->total_len < ip->header_len)
        ip->state = LAYER_BAD_TOTAL;
    if (ip->state != LAYER_OK)
        return;
    ip->bytes = bytes_limit(ip->bytes, ip->total_len);
    ip->payload = bytes_from(ip->bytes, ip->header_len, ip->total_len - ip->header_len);
    if (ip->bytes.n >= ip->header_len)
        ip->sum =
            sum_check(sum_add(0, ip->bytes.at, ip->header_len), ip->checksum, &ip->sum_expected);
    if (ip->fragment_offset == 0)
        skip_ah(ip);
}

static bool is_extension(uint8_t next)
{
    return next == PROTO_HOP_OPTIONS || next == PROTO_ROUTING || next == PROTO_FRAGMENT ||
           next == PROTO_DST_OPTIONS;
}

void ip6_walk_start(struct ip6_walk *w, const struct ip_header *ip)
{
    uint32_t len = ip->total_len > IPV6_FIXED ? ip->total_len - IPV6_FIXED : ip->bytes.len;
    *w = (struct ip6_walk){.next = ip->next, .rest = bytes_from(ip->bytes, IPV6_FIXED, len)};
}

bool ip6_walk_next(struct ip6_walk *w)
{
    if (w->cut || w->overrun || w->later_fragment || !is_extension(w->next))
        return false;
    w->kind = w->next;
    w->header = bytes_limit(w->rest, UINT32_MAX);
    w->header.len = 0;
    w->cut = w->kind == PROTO_FRAGMENT ? w->rest.n < 8 : w->rest.n < 2;
    if (w->cut)
        return true;
    uint32_t len = w->kind == PROTO_FRAGMENT ? 8 : (w->rest.at[1] + 1u) * 8;
    w->header.len = len;
    w->header = bytes_limit(w->header, len);
    w->later_fragment = w->kind == PROTO_FRAGMENT && load16(w->rest.at + 2) & 0xfff8;
    w->next = w->rest.at[0];
    w->overrun = len > w->rest.len;
    w->rest = bytes_from(w->rest, len, w->overrun ? 0 : w->rest.len - len);
    return true;
}

bool ip6_jumbo(struct bytes hop_options, uint32_t *jumbo)
{
    struct cursor c = cursor_over(hop_options.at, hop_options.n);
    bool seen = false;
    cursor_skip(&c, 2);
    while (c.left > 0 && !c.cut) {
        uint8_t kind = cursor_u8(&c);
        if (kind == OPTION6_PAD1)
            continue;
        uint8_t len = cursor_u8(&c);
        struct cursor data = cursor_over(cursor_take(&c, len), len);
        if (kind != OPTION6_JUMBO || seen)
            continue;
        seen = true;
        *jumbo = cursor_u32(&data);
        if (len == 4 && *jumbo > UINT16_MAX)
            return true;
    }
    return false;
}

/* Follows the extension headers; false if nothing behind them can be read. */
static bool walk_extensions(struct ip_header *ip, struct ip6_walk *w)
{
    unsigned n = 0;
    for (ip6_walk_start(w, ip); ip6_walk_next(w); n++) {
        if (w->cut || w->overrun)
            return false;
        if (w->kind == PROTO_FRAGMENT) {
            uint16_t offset = load16(w->header.at + 2);
            ip->fragment = true;
            ip->mf = offset & 1;
            ip->fragment_offset = offset & 0xfff8;
            ip->fragment_id = (uint32_t)load16(w->header.at + 4) << 16 | load16(w->header.at + 6);
        }
        if (w->kind != PROTO_HOP_OPTIONS)
            continue;
        if (n > 0 || w->header.n < w->header.len)
            return false; /* it must be the first */
        if (ip->total_len != IPV6_FIXED)
            continue;
        uint32_t payload;
        ip->jumbo = ip6_jumbo(w->header, &payload);
        if (!ip->jumbo || payload > UINT32_MAX - IPV6_FIXED)
            return false;
        ip->total_len = payload + IPV6_FIXED;
        ip->bytes = bytes_limit(ip->bytes, ip->total_len);
        uint32_t passed = IPV6_FIXED + w->header.len;
        w->rest = bytes_from(ip->bytes, passed, ip->total_len - passed);
    }
    return n == 0 || ip->total_len > IPV6_FIXED;
}

static void decode_ipv6(struct ip_header *ip)
{
    struct cursor c = cursor_over(ip->bytes.at, ip->bytes.n);
    uint32_t first = cursor_u32(&c);
    ip->header_len = IPV6_FIXED;
    ip->tos = (uint8_t)(first >> 20);
    ip->flow = first & 0xfffff;
    ip->total_len = cursor_u16(&c) + (uint32_t)IPV6_FIXED;
    ip->next = ip->proto = cursor_u8(&c);
    ip->ttl = cursor_u8(&c);
    set_addr(&ip->src, 6, cursor_take(&c, 16));
    set_addr(&ip->dst, 6, cursor_take(&c, 16));
    if (c.cut)
        ip->state = LAYER_CUT;
    else if (ip->bytes.len < IPV6_FIXED)
        ip->state = LAYER_SHORT;
    else if (ip->version != 6)
        ip->state = LAYER_BAD_VERSION;
    if (ip->state != LAYER_OK)
        return;
    if (ip->total_len > IPV6_FIXED)
        ip->bytes = bytes_limit(ip->bytes, ip->total_len);
    struct ip6_walk w;
    if (!walk_extensions(ip, &w)) {
        ip->state = LAYER_BAD_EXTENSION;
        return;
    }
    ip->proto = w.next;
    ip->payload = w.rest;
    if (ip->total_len == IPV6_FIXED)
        ip->payload.len = ip->payload.n = 0;
    if (ip->fragment_offset == 0)
        skip_ah(ip);
}

void decode_ip(struct packet *p, struct bytes bytes, unsigned version)
{
    struct ip_header *ip = &p->ip;
    memset(ip, 0, sizeof(*ip));
    p->net = NET_IP;
    ip->bytes = bytes;
    ip->wanted = version == 6 ? 6 : 4;
    if (bytes.n == 0) {
        ip->state = bytes.len == 0 && version == 0 ? LAYER_SHORT : LAYER_CUT;
        return;
    }
    ip->version = bytes.at[0] >> 4;
    if (version == 0 && (ip->version == 4 || ip->version == 6))
        version = ip->version;
    ip->wanted = version == 6 ? 6 : 4;
    if (version == 6)
        decode_ipv6(ip);
    else if (ip->version == 4)
        decode_ipv4(ip);
    else
        ip->state = LAYER_BAD_VERSION;
    if (ip->state == LAYER_OK && ip->fragment_offset == 0)
        decode_transport(p);
}
