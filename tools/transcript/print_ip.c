#include "transcript/print_parts.h"

enum {
    PROTO_ICMP = 1,
    PROTO_IGMP = 2,
    PROTO_IPV4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_DCCP = 33,
    PROTO_IPV6 = 41,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMPV6 = 58,
    PROTO_NONE = 59,
    PROTO_ND = 77,
    PROTO_SCTP = 132,
    PROTO_ETHERNET = 143,
};
enum { IPV4_FIXED = 20, TCP_FIXED = 20 };

void print_hosts(struct printer *pr, const struct ip_header *ip)
{
    print_addr(pr, &ip->src);
    strbuf_puts(pr->sb, " > ");
    print_addr(pr, &ip->dst);
}

bool print_has_ports(uint8_t proto)
{
    return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_DCCP || proto == PROTO_SCTP;
}

/* `10.0.0.1.4000 > 10.0.0.2.80: `, or the ports alone behind other headers. */
static void print_ends(struct printer *pr, const struct ip_header *ip, uint16_t sport,
                       uint16_t dport)
{
    bool hosts = ip->next == ip->proto;
    if (hosts) {
        print_addr(pr, &ip->src);
        strbuf_putc(pr->sb, '.');
    }
    print_u32(pr->sb, sport);
    strbuf_puts(pr->sb, " > ");
    if (hosts) {
        print_addr(pr, &ip->dst);
        strbuf_putc(pr->sb, '.');
    }
    print_u32(pr->sb, dport);
    strbuf_puts(pr->sb, ": ");
}

static bool print_tcp_transport(struct printer *pr, const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    if (p->ip.payload.n < 4) {
        print_hosts(pr, &p->ip);
        strbuf_putc(pr->sb, ':');
        return print_cut(pr, "tcp");
    }
    print_ends(pr, &p->ip, t->sport, t->dport);
    if (p->ip.payload.n < TCP_FIXED)
        return print_cut(pr, "tcp");
    if (t->header_len < TCP_FIXED) {
        strbuf_printf(pr->sb, " tcp %u [bad hdr length %u - too short, < 20]",
                      p->ip.payload.len - t->header_len, t->header_len);
        return true;
    }
    return print_tcp_segment(pr, p);
}

static void print_udp_sum(struct printer *pr, const struct packet *p)
{
    if (p->ip.version != 6 || p->udp.sum == SUM_UNKNOWN)
        return; /* of version 4, tcpdump shows it only with -vv */
    if (p->udp.sum == SUM_GOOD)
        strbuf_puts(pr->sb, "[udp sum ok] ");
    else
        strbuf_printf(pr->sb, "[bad udp cksum 0x%04x -> 0x%04x!] ", p->udp.checksum,
                      p->udp.sum_expected);
}

static bool print_udp_transport(struct printer *pr, const struct packet *p)
{
    const struct udp_header *u = &p->udp;
    const struct bytes *b = &p->ip.payload;
    if (b->n < 4) {
        if (p->ip.next == p->ip.proto) {
            print_hosts(pr, &p->ip);
            strbuf_puts(pr->sb, ": ");
        }
        return print_cut(pr, "udp");
    }
    print_ends(pr, &p->ip, u->sport, u->dport);
    switch (u->state) {
    case LAYER_SHORT:
        strbuf_printf(pr->sb, "truncated-udp %u", b->len);
        return true;
    case LAYER_BAD_HEADER:
        strbuf_printf(pr->sb, "truncated-udplength %u", u->data_len);
        return true;
    case LAYER_OK:
        break;
    case LAYER_CUT:
    case LAYER_BAD_VERSION:
    case LAYER_BAD_TOTAL:
    case LAYER_BAD_EXTENSION:
        return print_cut(pr, "udp");
    }
    if (pr->style->checksums)
        print_udp_sum(pr, p);
    bool whole = p->ip.version == 4 ? !p->ip.mf : !p->ip.fragment;
    if (u->data_len > u->payload.len && whole)
        strbuf_printf(pr->sb, "UDP, bad length %u > %u", u->data_len, u->payload.len);
    else
        strbuf_printf(pr->sb, "UDP, length %u", u->data_len);
    return true;
}

/* An IP packet inside this one. */
static bool print_tunnel(struct printer *pr, struct bytes b, unsigned version)
{
    struct packet inner;
    if (pr->depth >= PRINT_MAX_DEPTH)
        return true;
    inner.frame.time = 0;
    packet_decode_inner(&inner, b, version);
    pr->depth++;
    bool more = print_ip(pr, &inner);
    pr->depth--;
    return more;
}

static bool print_ah(struct printer *pr, struct bytes *b, uint8_t *proto)
{
    struct cursor c = cursor_over(b->at, b->n);
    if (b->n < 1)
        return print_cut(pr, "ah");
    strbuf_puts(pr->sb, "AH");
    *proto = cursor_u8(&c);
    uint8_t words = cursor_u8(&c);
    uint32_t len = (words + 2u) * 4;
    if (c.cut)
        return print_stop(pr, "ah");
    strbuf_putc(pr->sb, '(');
    if (pr->style->checksums)
        strbuf_printf(pr->sb, "length=%u(%u-bytes),", words, len);
    uint16_t reserved = cursor_u16(&c);
    if (c.cut)
        return print_stop(pr, "ah");
    if (reserved)
        strbuf_printf(pr->sb, "reserved=0x%x[MustBeZero],", reserved);
    uint32_t spi = cursor_u32(&c);
    if (c.cut)
        return print_stop(pr, "ah");
    strbuf_printf(pr->sb, "spi=0x%08x,", spi);
    uint32_t seq = cursor_u32(&c);
    if (c.cut)
        return print_stop(pr, "ah");
    strbuf_printf(pr->sb, "seq=0x%x,icv=0x", seq);
    for (uint32_t i = 12; i < len; i++) {
        const uint8_t *byte = cursor_take(&c, 1);
        if (!byte)
            return print_stop(pr, "ah");
        print_hex_bytes(pr->sb, byte, 1);
    }
    strbuf_puts(pr->sb, "): ");
    if (len > b->len)
        return print_cut(pr, "ah");
    *b = (struct bytes){.at = b->at + len, .n = b->n - len, .len = b->len - len};
    return true;
}

static bool print_esp(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_over(b.at, b.n);
    if (b.n <= 8)
        return print_cut(pr, "esp");
    uint32_t spi = cursor_u32(&c);
    strbuf_printf(pr->sb, "ESP(spi=0x%08x,seq=0x%x), length %u", spi, cursor_u32(&c), b.len);
    return true;
}

static void print_wrong_version(struct printer *pr, uint8_t proto)
{
    bool needs4 = proto == PROTO_ICMP || proto == PROTO_IGMP;
    strbuf_printf(pr->sb, "[%s requires IPv%c] (invalid)", print_ip_proto(proto),
                  needs4 ? '4' : '6');
}

bool print_transport(struct printer *pr, const struct packet *p, struct bytes b, uint8_t proto)
{
    bool v4 = p->ip.version == 4;
    while (proto == PROTO_AH)
        if (!print_ah(pr, &b, &proto))
            return false;
    if (p->ip.state != LAYER_OK)
        return print_cut(pr, v4 ? "ip" : "ip6");
    switch (proto) {
    case PROTO_TCP:
        return print_tcp_transport(pr, p);
    case PROTO_UDP:
        return print_udp_transport(pr, p);
    case PROTO_ICMP:
    case PROTO_IGMP:
        if (v4 && proto == PROTO_ICMP)
            return print_icmp(pr, p);
        if (v4)
            break;
        print_wrong_version(pr, proto);
        return true;
    case PROTO_ICMPV6:
    case PROTO_ETHERNET:
        if (!v4 && proto == PROTO_ICMPV6)
            return print_icmp6(pr, p);
        if (!v4)
            break;
        print_wrong_version(pr, proto);
        return true;
    case PROTO_IPV4:
        return print_tunnel(pr, b, 4);
    case PROTO_IPV6:
        return print_tunnel(pr, b, 6);
    case PROTO_ESP:
        return print_esp(pr, b);
    case PROTO_NONE:
        strbuf_puts(pr->sb, "no next header");
        return true;
    case PROTO_ND:
        strbuf_printf(pr->sb, " nd %u", b.len);
        return true;
    default:
        break;
    }
    strbuf_printf(pr->sb, " ip-proto-%u %u", proto, b.len);
    return true;
}

/* --------------------------------------------------------------------- version 4 */

const char *const print_ecn[4] = {
    [ECN_ECT_1] = "ECT(1)", [ECN_ECT_0] = "ECT(0)", [ECN_CE] = "CE", [ECN_NOT_ECT] = ""};

/* `(tos 0x0, ttl 64, …)` of -v; false when its options are cut off. */
static bool print_ipv4_verbose(struct printer *pr, const struct ip_header *ip)
{
    struct strbuf *sb = pr->sb;
    const char *ecn = print_ecn[ip->tos & ECN_CE];
    strbuf_printf(sb, "(tos 0x%x%s%s", ip->tos, *ecn ? "," : "", ecn);
    if (ip->ttl)
        strbuf_printf(sb, ", ttl %u", ip->ttl);
    strbuf_printf(sb, ", id %u, offset %u, flags [", ip->id, ip->fragment_offset);
    if (!ip->mf && !ip->df && !ip->reserved)
        strbuf_puts(sb, "none");
    if (ip->mf)
        strbuf_putc(sb, '+');
    if (ip->df)
        strbuf_puts(sb, ip->mf ? ", DF" : "DF");
    if (ip->reserved)
        strbuf_puts(sb, ip->mf || ip->df ? ", rsvd" : "rsvd");
    strbuf_printf(sb, "], proto %s (%u), length %u", print_ip_proto(ip->next), ip->next,
                  ip->total_len);
    bool whole = true;
    if (ip->header_len > IPV4_FIXED) {
        strbuf_puts(sb, ", options (");
        whole = print_ipv4_options(pr, ip);
        if (!whole && pr->stopped)
            return false;
        strbuf_puts(sb, whole ? ")" : " [truncated-option])");
    }
    if (ip->sum == SUM_BAD)
        strbuf_printf(sb, ", bad cksum %x (->%x)!", ip->checksum, ip->sum_expected);
    strbuf_puts(sb, ")\n    ");
    if (whole)
        return true;
    print_hosts(pr, ip);
    strbuf_puts(sb, ": ");
    return print_cut(pr, "ip");
}

static bool print_ipv4(struct printer *pr, const struct packet *p)
{
    const struct ip_header *ip = &p->ip;
    strbuf_puts(pr->sb, "IP ");
    if (ip->state == LAYER_CUT)
        return print_cut(pr, "ip");
    if (ip->state == LAYER_SHORT) {
        strbuf_printf(pr->sb, "truncated-ip %u", ip->bytes.len);
        return true;
    }
    if (ip->state == LAYER_BAD_HEADER) {
        strbuf_printf(pr->sb, "bad-hlen %u", ip->header_len);
        return true;
    }
    if (ip->total_len > ip->bytes.len)
        strbuf_printf(pr->sb, "truncated-ip - %u bytes missing! ", ip->total_len - ip->bytes.len);
    if (ip->state == LAYER_BAD_TOTAL) {
        strbuf_printf(pr->sb, "bad-len %u", ip->total_len);
        return true;
    }
    if (pr->style->checksums && !print_ipv4_verbose(pr, ip))
        return false;
    if (ip->fragment_offset) {
        print_hosts(pr, ip);
        strbuf_printf(pr->sb, ": ip-proto-%u", ip->next);
        return true;
    }
    if (!print_has_ports(ip->next)) {
        print_hosts(pr, ip);
        strbuf_puts(pr->sb, ": ");
    }
    if (ip->bytes.n < ip->header_len) {
        strbuf_printf(pr->sb, " [remaining caplen(%u) < header length(%u)]", ip->bytes.n,
                      ip->header_len);
        return print_stop(pr, "ip");
    }
    struct bytes behind = {.at = ip->bytes.at + ip->header_len,
                           .n = ip->bytes.n - ip->header_len,
                           .len = ip->total_len - ip->header_len};
    return print_transport(pr, p, behind, ip->next);
}

bool print_ip(struct printer *pr, const struct packet *p)
{
    const struct ip_header *ip = &p->ip;
    bool raw = p->link.kind == LINK_RAW && pr->depth == 0;
    if (raw && ip->state == LAYER_BAD_VERSION && ip->version != 6) {
        strbuf_printf(pr->sb, "unknown ip %u", ip->version);
        return true;
    }
    if (ip->wanted == 6)
        return print_ipv6(pr, p);
    if (ip->bytes.n == 0)
        return print_stop(pr, raw ? "ipn" : "ip");
    if (ip->version != 4) {
        if (ip->version == 6)
            strbuf_puts(pr->sb, "IP6, wrong link-layer encapsulation (invalid)");
        else
            strbuf_printf(pr->sb, "IP%u (invalid)", ip->version);
        return true;
    }
    return print_ipv4(pr, p);
}
