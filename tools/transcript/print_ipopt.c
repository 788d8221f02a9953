#include "transcript/print_parts.h"

/* ------------------------------------------------------- IPv4 options (RFC 791 3.1) */
enum {
    OPTION_EOL = 0,
    OPTION_NOP = 1,
    OPTION_RECORD_ROUTE = 7,
    OPTION_TIMESTAMP = 68,
    OPTION_LOOSE_ROUTE = 131,
    OPTION_STRICT_ROUTE = 137,
    OPTION_ROUTER_ALERT = 148,
};

static const struct print_name option_names[] = {
    {OPTION_EOL, "EOL"},
    {OPTION_NOP, "NOP"},
    {OPTION_TIMESTAMP, "timestamp"},
    {130, "security"},
    {OPTION_RECORD_ROUTE, "RR"},
    {OPTION_STRICT_ROUTE, "SSRR"},
    {OPTION_LOOSE_ROUTE, "LSRR"},
    {OPTION_ROUTER_ALERT, "RA"},
    {82, "traceroute"},
    {0, NULL},
};

/* `at` is the whole option of `len` bytes, all captured. */
static bool print_route(struct printer *pr, const uint8_t *at, unsigned len, unsigned captured)
{
    if (len < 3) {
        strbuf_printf(pr->sb, " [bad length %u]", len);
        return true;
    }
    if ((len + 1) & 3)
        strbuf_printf(pr->sb, " [bad length %u]", len);
    unsigned ptr = at[2] - 1u;
    if (ptr < 3 || (ptr + 1) & 3 || ptr > len + 1)
        strbuf_printf(pr->sb, " [bad ptr %u]", at[2]);
    struct cursor c = cursor_over(at + 3, captured - 3);
    for (unsigned i = 3; i < len; i += 4) {
        if (c.left < 4)
            return false;
        strbuf_putc(pr->sb, ' ');
        print_addr_at(pr, &c, 4);
        if (ptr > i)
            strbuf_putc(pr->sb, ',');
    }
    return true;
}

static bool print_stamps(struct printer *pr, const uint8_t *at, unsigned len, unsigned captured)
{
    static const char *const kinds[] = {[0] = "TSONLY", [1] = "TS+ADDR", [3] = "PRESPEC"};
    struct strbuf *sb = pr->sb;
    if (len < 4) {
        strbuf_printf(sb, "[bad length %u]", len);
        return true;
    }
    unsigned kind = at[3] & 0xf, hop = kind ? 8 : 4, ptr = at[2] - 1u, i = 0;
    strbuf_puts(sb, " TS{");
    if ((len - 4) & (hop - 1))
        strbuf_printf(sb, "[bad length %u]", len);
    if (ptr < 4 || (ptr - 4) & (hop - 1) || ptr > len + 1)
        strbuf_printf(sb, "[bad ptr %u]", at[2]);
    if (kind > 3 || !kinds[kind]) {
        strbuf_printf(sb, "[bad ts type %u]", kind);
    } else {
        strbuf_puts(sb, kinds[kind]);
        struct cursor c = cursor_over(at + 4, captured - 4);
        for (i = 4; i < len; i += hop) {
            if (c.left < hop)
                return false;
            strbuf_puts(sb, ptr == i ? " ^ " : " ");
            struct cursor stamp = c;
            cursor_skip(&stamp, hop - 4);
            print_u32(sb, cursor_u32(&stamp));
            strbuf_putc(sb, '@');
            if (hop == 8)
                print_addr_at(pr, &c, 4);
            cursor_skip(&c, 4);
        }
    }
    if (ptr == i)
        strbuf_puts(sb, " ^ ");
    if (at[3] >> 4)
        strbuf_printf(sb, " [%u hops not recorded]} ", at[3] >> 4);
    else
        strbuf_putc(sb, '}');
    return true;
}

/* False when the capture ends inside it. */
static bool print_ipv4_option(struct printer *pr, const uint8_t *at, unsigned len,
                              unsigned captured)
{
    switch (at[0]) {
    case OPTION_TIMESTAMP:
        return print_stamps(pr, at, len, captured);
    case OPTION_RECORD_ROUTE:
    case OPTION_STRICT_ROUTE:
    case OPTION_LOOSE_ROUTE:
        return print_route(pr, at, len, captured);
    case OPTION_ROUTER_ALERT:
        if (len < 4)
            strbuf_printf(pr->sb, " [bad length %u]", len);
        else if (at[2] || at[3])
            strbuf_printf(pr->sb, " value %u", at[2] << 8 | at[3]);
        return true;
    default:
        return true;
    }
}

bool print_ipv4_options(struct printer *pr, const struct ip_header *ip)
{
    unsigned left = ip->header_len - 20;
    struct cursor c = cursor_over(ip->bytes.at + 20, ip->bytes.n - 20);
    for (bool first = true; left > 0; first = false) {
        struct cursor option = c;
        if (!first)
            strbuf_putc(pr->sb, ',');
        uint8_t kind = cursor_u8(&option);
        if (option.cut)
            return print_stop(pr, "ip");
        const char *name = print_find(option_names, kind);
        if (name)
            strbuf_puts(pr->sb, name);
        else
            strbuf_printf(pr->sb, "unknown %u", kind);
        bool single = kind == OPTION_EOL || kind == OPTION_NOP;
        unsigned len = single ? 1 : cursor_u8(&option);
        if (option.cut)
            return print_stop(pr, "ip");
        if ((!single && len < 2) || len > left) {
            strbuf_printf(pr->sb, " [bad length %u]", len);
            return true;
        }
        unsigned captured = (unsigned)c.left;
        const uint8_t *at = cursor_take(&c, len);
        if (!at)
            return false;
        if (kind == OPTION_EOL)
            return true;
        if (!print_ipv4_option(pr, at, len, captured))
            return false;
        left -= len;
    }
    return true;
}

/* ------------------------------------------------------ IPv6 options (RFC 8200 4.2) */
enum {
    OPTION6_PAD1 = 0,
    OPTION6_PADN = 1,
    OPTION6_ROUTER_ALERT = 5,
    OPTION6_JUMBO = 0xc2,
    OPTION6_HOME_ADDRESS = 0xc9,
};
enum { MIN_JUMBO = 65536 };

/* Suboptions behind a home address; false if they cannot be read. */
static bool print_suboptions(struct printer *pr, struct cursor c)
{
    while (c.left > 0) {
        uint8_t kind = cursor_u8(&c);
        if (kind == OPTION6_PAD1) {
            strbuf_puts(pr->sb, ", pad1");
            continue;
        }
        uint8_t len = cursor_u8(&c);
        if (!cursor_skip(&c, len))
            return false;
        if (kind == OPTION6_PADN)
            strbuf_puts(pr->sb, ", padn");
        else
            strbuf_printf(pr->sb, ", sopt_type 0x%02x: len=%u", kind, len);
    }
    return true;
}

static bool print_home_address(struct printer *pr, struct cursor data, unsigned room)
{
    unsigned len = (unsigned)data.left;
    if (room < 16) {
        strbuf_puts(pr->sb, "(homeaddr: trunc)");
        return false;
    }
    if (len < 16) {
        strbuf_printf(pr->sb, "(homeaddr: invalid len %u)", len);
        return false;
    }
    if (!pr->style->checksums)
        return true;
    strbuf_puts(pr->sb, "(homeaddr: ");
    print_addr_at(pr, &data, 6);
    if (!print_suboptions(pr, data))
        return false;
    strbuf_putc(pr->sb, ')');
    return true;
}

static bool print_router_alert(struct printer *pr, struct cursor data, unsigned room)
{
    if (room < 2) {
        strbuf_puts(pr->sb, "(rtalert: trunc)");
        return false;
    }
    if (data.left != 2) {
        strbuf_printf(pr->sb, "(rtalert: invalid len %zu)", data.left);
        return false;
    }
    if (pr->style->checksums)
        strbuf_printf(pr->sb, "(rtalert: 0x%04x) ", cursor_u16(&data));
    return true;
}

/* Why a jumbo option does not count, or "". */
static const char *jumbo_fault(const struct ip_header *ip, bool hop, bool seen, uint32_t len)
{
    bool empty = ip->jumbo || ip->total_len == 40;
    if (seen)
        return " - already seen";
    if (!hop)
        return " - not a hop-by-hop option";
    if (!empty)
        return " - payload len != 0";
    return len < MIN_JUMBO ? " - < 65536" : "";
}

static bool print_jumbo(struct printer *pr, const struct ip_header *ip, struct cursor data,
                        unsigned room, bool hop, bool *seen)
{
    if (room < 4) {
        strbuf_puts(pr->sb, "(jumbo: trunc)");
        return false;
    }
    if (data.left != 4) {
        strbuf_printf(pr->sb, "(jumbo: invalid len %zu)", data.left);
        return false;
    }
    uint32_t len = cursor_u32(&data);
    if (pr->style->checksums)
        strbuf_printf(pr->sb, "(jumbo: %u%s) ", len, jumbo_fault(ip, hop, *seen, len));
    *seen = true;
    return true;
}

static bool print_ipv6_option_list(struct printer *pr, const struct ip_header *ip, struct cursor c,
                                   bool hop)
{
    bool verbose = pr->style->checksums, jumbo_seen = false, good = true;
    while (c.left > 0 && good) {
        uint8_t kind = cursor_u8(&c);
        if (kind == OPTION6_PAD1) {
            if (verbose)
                strbuf_puts(pr->sb, "(pad1)");
            continue;
        }
        uint8_t len = cursor_u8(&c);
        unsigned room = (unsigned)c.left;
        const uint8_t *at = cursor_take(&c, len);
        if (c.cut)
            return false;
        struct cursor data = cursor_over(at, len);
        if (kind == OPTION6_ROUTER_ALERT)
            good = print_router_alert(pr, data, room);
        else if (kind == OPTION6_JUMBO)
            good = print_jumbo(pr, ip, data, room, hop, &jumbo_seen);
        else if (kind == OPTION6_HOME_ADDRESS)
            good = print_home_address(pr, data, room);
        else if (verbose && kind == OPTION6_PADN)
            strbuf_puts(pr->sb, "(padn)");
        else if (verbose)
            strbuf_printf(pr->sb, "(opt_type 0x%02x: len=%u)", kind, len);
    }
    if (good && verbose)
        strbuf_putc(pr->sb, ' ');
    return good;
}

bool print_ipv6_options(struct printer *pr, const struct ip_header *ip, struct bytes header,
                        bool hop)
{
    const char *name = hop ? "hbhopt" : "dstopt";
    if (header.n < header.len)
        return print_cut(pr, name);
    strbuf_puts(pr->sb, hop ? "HBH " : "DSTOPT ");
    if (!hop && !pr->style->checksums)
        return true;
    struct cursor c = cursor_over(header.at + 2, header.len - 2);
    return print_ipv6_option_list(pr, ip, c, hop) || print_cut(pr, name);
}
