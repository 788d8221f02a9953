/* The fields of an IP header, of both versions. */
#include <inttypes.h>

#include "picture/header_parts.h"
#include "transcript/print_parts.h"

static void say_host(struct strbuf *sb, const struct dissection *d, const struct ipaddr *addr)
{
    if (!d->story)
        return;
    int host = record_find_host(d->story->record, addr);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&text, addr);
    /* The hosts of a foreign capture are called by their addresses. */
    if (host >= 0 && strcmp(d->story->record->hosts.at[host].name, text.data) != 0)
        strbuf_puts(sb, d->story->record->hosts.at[host].name);
}

static void say_ip_src(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)value;
    say_host(sb, d, &d->p->ip.src);
}

static void say_ip_dst(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)value;
    say_host(sb, d, &d->p->ip.dst);
}

static void say_ihl(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_printf(sb, "%" PRIu64 " words of 32 bits: a header of %" PRIu64 " bytes%s", value,
                  value * 4,
                  value < 5    ? ", which is shorter than any can be"
                  : value == 5 ? ", without options"
                               : "");
}

static void say_tos(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    static const char *const ecn[] = {"not ECN-capable", "ECN-capable, ECT(1)",
                                      "ECN-capable, ECT(0)", "congestion experienced"};
    (void)d;
    strbuf_printf(sb, "DSCP %" PRIu64 " (RFC 2474), ECN %" PRIu64 " (RFC 3168): %s", value >> 2,
                  value & 3, ecn[value & 3]);
}

static void say_total(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    uint32_t header = d->p->ip.header_len;
    if (value == 0)
        strbuf_puts(sb, "bytes; 0 is what a capture shows before the network card cuts segments");
    else if (value < header)
        strbuf_puts(sb, "bytes, which is less than the header");
    else
        strbuf_printf(sb, "bytes: this header of %" PRIu32 ", and %" PRIu64 " behind it", header,
                      value - header);
}

static void say_ip_flags(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_puts(sb, value & 2 ? "DF: must not be fragmented" : "may be fragmented");
    if (value & 1)
        strbuf_puts(sb, "; MF: more fragments follow");
    if (value & 4)
        strbuf_puts(sb, "; the first bit must be zero, and is not");
}

static void say_fragment(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    if (value)
        strbuf_printf(sb, "units of 8 bytes: it begins at byte %" PRIu64 " of the whole",
                      value * 8);
}

static void say_ttl(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_printf(sb, "so many routers may pass it on%s", value ? "" : ": none");
}

static void say_protocol(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_puts(sb, print_ip_proto((uint8_t)value));
}

static void say_ip_sum(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    const struct ip_header *ip = &d->p->ip;
    (void)value;
    if (ip->sum == SUM_GOOD)
        strbuf_puts(sb, "correct");
    else if (ip->sum == SUM_BAD)
        strbuf_printf(sb, "wrong: 0x%04x would be right", ip->sum_expected);
}

static const struct header_spec ip4_specs[] = {
    {"Version", "Ver", 0, 4, HEADER_NUMBER, NULL},
    {"IHL", "IHL", 4, 4, HEADER_NUMBER, say_ihl},
    {"Type of Service", "ToS", 8, 8, HEADER_HEX, say_tos},
    {"Total Length", "Length", 16, 16, HEADER_NUMBER, say_total},
    {"Identification", "Id", 32, 16, HEADER_NUMBER, NULL},
    {"Flags", "Fl", 48, 3, HEADER_NUMBER, say_ip_flags},
    {"Fragment Offset", "Offset", 51, 13, HEADER_NUMBER, say_fragment},
    {"Time to Live", "TTL", 64, 8, HEADER_NUMBER, say_ttl},
    {"Protocol", "Proto", 72, 8, HEADER_NUMBER, say_protocol},
    {"Header Checksum", "Sum", 80, 16, HEADER_HEX, say_ip_sum},
    {"Source Address", "Src", 96, 32, HEADER_ADDRESS, say_ip_src},
    {"Destination Address", "Dst", 128, 32, HEADER_ADDRESS, say_ip_dst},
};

static void say_payload(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_puts(sb, value ? "bytes behind this header"
                          : "bytes; 0 where a hop-by-hop option has "
                            "the length (RFC 2675)");
}

static const struct header_spec ip6_specs[] = {
    {"Version", "Ver", 0, 4, HEADER_NUMBER, NULL},
    {"Traffic Class", "Class", 4, 8, HEADER_HEX, say_tos},
    {"Flow Label", "Flow", 12, 20, HEADER_HEX, NULL},
    {"Payload Length", "Length", 32, 16, HEADER_NUMBER, say_payload},
    {"Next Header", "Next", 48, 8, HEADER_NUMBER, say_protocol},
    {"Hop Limit", "Hops", 56, 8, HEADER_NUMBER, say_ttl},
    {"Source Address", "Src", 64, 128, HEADER_ADDRESS, say_ip_src},
    {"Destination Address", "Dst", 192, 128, HEADER_ADDRESS, say_ip_dst},
};

static const struct header_spec extension_specs[] = {
    {"Next Header", "Next", 0, 8, HEADER_NUMBER, say_protocol},
    {"Hdr Ext Len", "Len", 8, 8, HEADER_NUMBER, NULL},
};

static void add_extensions(struct dissection *d)
{
    struct ip6_walk walk;
    ip6_walk_start(&walk, &d->p->ip);
    while (ip6_walk_next(&walk)) {
        uint32_t len = walk.header.n;
        header_add(d, "IPv6 extension header", "RFC 8200, section 4", walk.header.at, len);
        header_add_specs(d, extension_specs, ARRAY_SIZE(extension_specs));
        if (len > 2)
            header_add_field(d, "Rest", "Rest", 16, (len - 2) * 8, HEADER_BYTES);
    }
}

bool header_ip_is_readable(const struct ip_header *ip)
{
    return ip->state == LAYER_OK || ip->state == LAYER_BAD_EXTENSION;
}

void header_add_ip(struct dissection *d)
{
    const struct ip_header *ip = &d->p->ip;
    if (!ip->bytes.at)
        return;
    if (ip->version == 6) {
        header_add(d, "IPv6", "RFC 8200, section 3", ip->bytes.at, 40);
        header_add_specs(d, ip6_specs, ARRAY_SIZE(ip6_specs));
        if (header_ip_is_readable(ip))
            add_extensions(d);
        return;
    }
    uint32_t len = header_ip_is_readable(ip) ? ip->header_len : 20;
    header_add(d, "IPv4", "RFC 791, figure 4", ip->bytes.at, len);
    header_add_specs(d, ip4_specs, ARRAY_SIZE(ip4_specs));
    if (len > 20)
        header_add_field(d, "Options", "Options", 160, (len - 20) * 8, HEADER_BYTES);
}
