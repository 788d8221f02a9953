/* IPv6 (RFC 8200): the fixed header, and the extension headers one by one. */
#include "transcript/print_parts.h"

enum { PROTO_HOP_OPTIONS = 0, PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_DST_OPTIONS = 60 };
enum { IPV6_FIXED = 40 };

static bool print_fragment_header(struct printer *pr, const struct ip_header *ip, struct bytes h)
{
    bool verbose = pr->style->checksums;
    struct cursor c = cursor_over(h.at, h.n);
    cursor_skip(&c, 2);
    uint16_t offset = cursor_u16(&c);
    bool cut = c.cut;
    uint32_t id = cursor_u32(&c);
    if (cut || (verbose && c.cut))
        return print_stop(pr, "frag6");
    strbuf_puts(pr->sb, "frag (");
    if (verbose)
        strbuf_printf(pr->sb, "0x%08x:", id);
    size_t total = ip->jumbo ? IPV6_FIXED : ip->total_len;
    strbuf_printf(pr->sb, "%u|%zu)", offset & 0xfff8, total - (size_t)(h.at - ip->bytes.at) - 8);
    if (offset & 0xfff8)
        return false;
    strbuf_putc(pr->sb, ' ');
    return !c.cut;
}

static bool print_segments(struct printer *pr, struct cursor *c, unsigned words)
{
    if (words % 2) {
        strbuf_printf(pr->sb, " (invalid length %u) (invalid)", words);
        return false;
    }
    for (unsigned i = 0; i < words / 2; i++) {
        if (c->left < 16)
            return print_stop(pr, "rt6");
        strbuf_printf(pr->sb, ", [%u]", i);
        print_addr_at(pr, c, 6);
    }
    strbuf_puts(pr->sb, ") ");
    return true;
}

/* The type-specific part: types 0 (RFC 5095), 2 (RFC 6275) and 4 (RFC 8754). */
static bool print_routing_type(struct printer *pr, struct cursor *c, unsigned type, unsigned words)
{
    bool verbose = pr->style->checksums;
    if (type == 0 || type == 2) {
        uint32_t reserved = cursor_u32(c);
        if (c->cut)
            return print_stop(pr, "rt6");
        if (reserved || verbose)
            strbuf_printf(pr->sb, ", rsv=0x%0x", reserved);
        return print_segments(pr, c, words);
    }
    if (type != 4) {
        strbuf_puts(pr->sb, " (unknown type) (invalid)");
        return false;
    }
    uint8_t last = cursor_u8(c);
    if (c->cut)
        return print_stop(pr, "rt6");
    strbuf_printf(pr->sb, ", last-entry=%u", last);
    uint8_t flags = cursor_u8(c);
    if (c->cut)
        return print_stop(pr, "rt6");
    if (flags || verbose)
        strbuf_printf(pr->sb, ", flags=0x%0x", flags);
    uint16_t tag = cursor_u16(c);
    if (c->cut)
        return print_stop(pr, "rt6");
    strbuf_printf(pr->sb, ", tag=%x", tag);
    return print_segments(pr, c, words);
}

static bool print_routing(struct printer *pr, struct bytes h)
{
    struct cursor c = cursor_over(h.at, h.n);
    if (h.n < 1)
        return print_cut(pr, "ip6");
    strbuf_puts(pr->sb, "RT6");
    cursor_skip(&c, 1);
    uint8_t words = cursor_u8(&c);
    if (c.cut)
        return print_stop(pr, "rt6");
    strbuf_printf(pr->sb, " (len=%u", words);
    uint8_t type = cursor_u8(&c);
    if (c.cut)
        return print_stop(pr, "rt6");
    strbuf_printf(pr->sb, ", type=%u%s", type, type == 0 ? " [Deprecated]" : "");
    uint8_t left = cursor_u8(&c);
    if (c.cut)
        return print_stop(pr, "rt6");
    strbuf_printf(pr->sb, ", segleft=%u", left);
    return print_routing_type(pr, &c, type, words);
}

static bool print_hop_options(struct printer *pr, const struct ip_header *ip,
                              const struct ip6_walk *w, unsigned position)
{
    if (position > 0) {
        strbuf_puts(pr->sb, ip->next == PROTO_HOP_OPTIONS
                                ? "[The Hop-by-Hop Options header was already found] (invalid)"
                                : "[The Hop-by-Hop Options header don't follow the IPv6 header] "
                                  "(invalid)");
        return false;
    }
    if (w->cut)
        return print_stop(pr, "hbhopt");
    bool empty = ip->jumbo || ip->total_len == IPV6_FIXED; /* by the fixed header */
    bool good = print_ipv6_options(pr, ip, w->header, true);
    if (empty && !ip->jumbo) {
        strbuf_puts(pr->sb, "[No valid Jumbo Payload Hop-by-Hop option found] (invalid)");
        return false;
    }
    return good;
}

static bool print_extension(struct printer *pr, const struct ip_header *ip,
                            const struct ip6_walk *w, unsigned position)
{
    switch (w->kind) {
    case PROTO_HOP_OPTIONS:
        return print_hop_options(pr, ip, w, position);
    case PROTO_DST_OPTIONS:
        if (w->cut)
            return print_stop(pr, "dstopt");
        return print_ipv6_options(pr, ip, w->header, false);
    case PROTO_ROUTING:
        return print_routing(pr, w->header);
    case PROTO_FRAGMENT:
        return print_fragment_header(pr, ip, w->header) && w->rest.n > 0;
    default:
        return false;
    }
}

static void print_ipv6_verbose(struct printer *pr, const struct ip_header *ip)
{
    strbuf_putc(pr->sb, '(');
    if (ip->tos)
        strbuf_printf(pr->sb, "class 0x%02x, ", ip->tos);
    if (ip->flow)
        strbuf_printf(pr->sb, "flowlabel 0x%05x, ", ip->flow);
    strbuf_printf(pr->sb, "hlim %u, next-header %s (%u) payload length: %u) ", ip->ttl,
                  print_ip_proto(ip->next), ip->next, ip->jumbo ? 0 : ip->total_len - IPV6_FIXED);
}

static void print_missing6(struct printer *pr, const struct ip_header *ip)
{
    if (ip->total_len > ip->bytes.len)
        strbuf_printf(pr->sb, "truncated-ip6 - %u bytes missing!", ip->total_len - ip->bytes.len);
}

bool print_ipv6(struct printer *pr, const struct packet *p)
{
    const struct ip_header *ip = &p->ip;
    if (ip->state == LAYER_CUT)
        return print_cut(pr, "ip6");
    if (ip->state == LAYER_SHORT) {
        strbuf_printf(pr->sb, "truncated-ip6 %u", ip->bytes.len);
        return true;
    }
    strbuf_puts(pr->sb, "IP6 ");
    if (ip->state == LAYER_BAD_VERSION) {
        strbuf_printf(pr->sb, "version error: %u != 6", ip->version);
        return true;
    }
    if (!ip->jumbo && ip->total_len > IPV6_FIXED)
        print_missing6(pr, ip);
    if (pr->style->checksums)
        print_ipv6_verbose(pr, ip);
    if (!print_has_ports(ip->next)) {
        print_hosts(pr, ip);
        strbuf_puts(pr->sb, ": ");
    }
    struct ip6_walk w;
    unsigned n = 0;
    for (ip6_walk_start(&w, ip); ip6_walk_next(&w); n++)
        if (!print_extension(pr, ip, &w, n))
            return false;
    if (w.overrun || (n > 0 && ip->total_len == IPV6_FIXED))
        return print_cut(pr, "ip6");
    if (ip->jumbo)
        print_missing6(pr, ip);
    if (ip->total_len == IPV6_FIXED)
        w.rest.n = w.rest.len = 0;
    return print_transport(pr, p, w.rest, w.next);
}
