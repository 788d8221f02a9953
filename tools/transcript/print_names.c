#include <string.h>

#include "transcript/print_parts.h"

const char *print_find(const struct print_name *names, uint32_t value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}

const char *print_ethertype(uint16_t type)
{
    static const struct print_name names[] = {
        {0x0800, "IPv4"},
        {0x8847, "MPLS unicast"},
        {0x8848, "MPLS multicast"},
        {0x86dd, "IPv6"},
        {0x8100, "802.1Q"},
        {0x9100, "802.1Q-9100"},
        {0x88a8, "802.1Q-QinQ"},
        {0x9200, "802.1Q-9200"},
        {0x88e5, "802.1AE MACsec"},
        {0x0200, "PUP"},
        {0x0806, "ARP"},
        {0x8035, "Reverse ARP"},
        {0x0600, "NS"},
        {0x0500, "Sprite"},
        {0x1000, "Trail"},
        {0x6001, "MOP DL"},
        {0x6002, "MOP RC"},
        {0x6003, "DN"},
        {0x6004, "LAT"},
        {0x6007, "SCA"},
        {0x6558, "TEB"},
        {0x8038, "Lanbridge"},
        {0x803c, "DEC DNS"},
        {0x803e, "DEC DTS"},
        {0x805b, "VEXP"},
        {0x805c, "VPROD"},
        {0x809b, "Appletalk"},
        {0x80f3, "Appletalk ARP"},
        {0x8137, "IPX"},
        {0x880b, "PPP"},
        {0x8808, "MPCP"},
        {0x8809, "Slow Protocols"},
        {0x8863, "PPPoE D"},
        {0x8864, "PPPoE S"},
        {0x888e, "EAPOL"},
        {0x8899, "Realtek protocols"},
        {0x886f, "MS NLB heartbeat"},
        {0x8870, "Jumbo"},
        {0x894f, "NSH"},
        {0x9000, "Loopback"},
        {0xfefe, "OSI"},
        {0x00fe, "GRE-OSI"},
        {0xabcd, "CFM (old)"},
        {0x8902, "CFM"},
        {0x893a, "IEEE1905.1"},
        {0x88cc, "LLDP"},
        {0x88ca, "TIPC"},
        {0x0707, "GeoNet (old)"},
        {0x8947, "GeoNet"},
        {0x1111, "CALM FAST"},
        {0x88a2, "AoE"},
        {0x88f7, "PTP"},
        {0xd28b, "Arista Vendor Specific Protocol"},
        {0, NULL},
    };
    return print_find(names, type);
}

const char *print_ip_proto(uint8_t proto)
{
    static const struct print_name names[] = {
        {0, "Options"},
        {1, "ICMP"},
        {2, "IGMP"},
        {4, "IPIP"},
        {6, "TCP"},
        {8, "EGP"},
        {9, "IGRP"},
        {17, "UDP"},
        {33, "DCCP"},
        {41, "IPv6"},
        {43, "Routing"},
        {44, "Fragment"},
        {46, "RSVP"},
        {47, "GRE"},
        {50, "ESP"},
        {51, "AH"},
        {55, "Mobile IP"},
        {58, "ICMPv6"},
        {62, "Mobile IP (old)"},
        {88, "EIGRP"},
        {89, "OSPF"},
        {103, "PIM"},
        {108, "Compressed IP"},
        {112, "VRRP"},
        {113, "PGM"},
        {132, "SCTP"},
        {135, "Mobility"},
        {143, "Ethernet"},
        {0, NULL},
    };
    const char *name = print_find(names, proto);
    return name ? name : "unknown";
}

void print_u32(struct strbuf *sb, uint32_t v)
{
    char digits[10];
    size_t n = sizeof(digits);
    do
        digits[--n] = (char)('0' + v % 10);
    while (v /= 10);
    strbuf_add(sb, digits + n, sizeof(digits) - n);
}

static const char hex[] = "0123456789abcdef";

void print_hex_bytes(struct strbuf *sb, const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char two[2] = {hex[at[i] >> 4], hex[at[i] & 0xf]};
        strbuf_add(sb, two, 2);
    }
}

void print_hw_addr(struct strbuf *sb, const uint8_t *at, size_t n)
{
    if (n == 0)
        strbuf_puts(sb, "<empty>");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            strbuf_putc(sb, ':');
        print_hex_bytes(sb, at + i, 1);
    }
}

void print_addr(struct printer *pr, const struct ipaddr *a)
{
    if (pr->style->name && pr->style->name(pr->style->ctx, pr->sb, a))
        return;
    if (a->version != 4) {
        strbuf_ipaddr(pr->sb, a);
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            strbuf_putc(pr->sb, '.');
        print_u32(pr->sb, a->bytes[i]);
    }
}

bool print_addr_at(struct printer *pr, struct cursor *c, unsigned version)
{
    size_t n = version == 4 ? 4 : 16;
    const uint8_t *at = cursor_take(c, n);
    if (!at)
        return false;
    struct ipaddr a = {.version = (uint8_t)version};
    memcpy(a.bytes, at, n);
    print_addr(pr, &a);
    return true;
}

void print_ascii(struct strbuf *sb, uint8_t c)
{
    if (c & 0x80) {
        c &= 0x7f;
        strbuf_puts(sb, "M-");
    }
    if (c < 0x20 || c == 0x7f) {
        c ^= 0x40;
        strbuf_putc(sb, '^');
    }
    strbuf_putc(sb, (char)c);
}

void print_dump(struct strbuf *sb, const char *indent, const uint8_t *at, size_t n, bool text)
{
    enum { LINE = 16, WIDTH = 8 * 5 };
    for (size_t from = 0; from < n; from += LINE) {
        size_t line = n - from < LINE ? n - from : LINE;
        strbuf_printf(sb, "%s0x%04zx: ", indent, from);
        size_t start = sb->len;
        for (size_t i = 0; i < line; i++) {
            if (i % 2 == 0)
                strbuf_putc(sb, ' ');
            print_hex_bytes(sb, at + from + i, 1);
        }
        if (!text)
            continue;
        strbuf_pad(sb, ' ', WIDTH - (sb->len - start) + 2);
        for (size_t i = 0; i < line; i++) {
            uint8_t c = at[from + i];
            strbuf_putc(sb, c > 0x20 && c < 0x7f ? (char)c : '.');
        }
    }
}
