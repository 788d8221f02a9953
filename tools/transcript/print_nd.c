/* Neighbor discovery (RFC 4861) and its options. */
#include "transcript/print_parts.h"

enum { ROUTER_SOLICIT = 133, ROUTER_ADVERT, NEIGHBOR_SOLICIT, NEIGHBOR_ADVERT, REDIRECT };
enum {
    OPTION_SOURCE = 1,
    OPTION_TARGET = 2,
    OPTION_PREFIX = 3,
    OPTION_REDIRECTED = 4,
    OPTION_MTU = 5,
    OPTION_INTERVAL = 7,
    OPTION_HOME_AGENT = 8,
    OPTION_ROUTE = 24,
    OPTION_RDNSS = 25,
};

static const struct print_name option_names[] = {
    {OPTION_SOURCE, "source link-address"},
    {OPTION_TARGET, "destination link-address"},
    {OPTION_PREFIX, "prefix info"},
    {OPTION_REDIRECTED, "redirected header"},
    {OPTION_MTU, "mtu"},
    {OPTION_RDNSS, "rdnss"},
    {31, "dnssl"},
    {OPTION_INTERVAL, "advertisement interval"},
    {OPTION_HOME_AGENT, "homeagent information"},
    {OPTION_ROUTE, "route info"},
    {0, NULL},
};

struct flag {
    uint32_t bit;
    const char *name;
};

static void print_flags(struct printer *pr, const struct flag *flags, uint32_t value)
{
    const char *sep = "";
    strbuf_puts(pr->sb, ", Flags [");
    size_t start = pr->sb->len;
    for (; flags->name; flags++) {
        if (!(value & flags->bit))
            continue;
        strbuf_puts(pr->sb, sep);
        strbuf_puts(pr->sb, flags->name);
        sep = ", ";
    }
    strbuf_puts(pr->sb, pr->sb->len == start ? "none]" : "]");
}

static void print_lifetime(struct printer *pr, const char *name, uint32_t seconds)
{
    if (seconds == UINT32_MAX)
        strbuf_printf(pr->sb, "%sinfinity", name);
    else
        strbuf_printf(pr->sb, "%s%us", name, seconds);
}

static const char *preference(uint8_t flags)
{
    static const char *const names[] = {"medium", "high", "rsv", "low"};
    return names[flags >> 3 & 3];
}

static void print_prefix(struct printer *pr, struct cursor c, unsigned units)
{
    static const struct flag flags[] = {
        {0x80, "onlink"}, {0x40, "auto"}, {0x20, "router"}, {0, NULL}};
    uint8_t prefix = cursor_u8(&c), bits = cursor_u8(&c);
    uint32_t valid = cursor_u32(&c), preferred = cursor_u32(&c);
    cursor_skip(&c, 4);
    print_addr_at(pr, &c, 6);
    strbuf_printf(pr->sb, "/%u%s", prefix, units != 4 ? "badlen" : "");
    print_flags(pr, flags, bits);
    print_lifetime(pr, ", valid time ", valid);
    print_lifetime(pr, ", pref. time ", preferred);
}

static bool print_route(struct printer *pr, struct cursor c, unsigned units)
{
    uint8_t prefix = cursor_u8(&c), flags = cursor_u8(&c);
    uint32_t lifetime = cursor_u32(&c);
    uint8_t addr[16] = {0};
    if (units > 3)
        return false;
    for (unsigned i = 0; i < (units - 1) * 8; i++)
        addr[i] = cursor_u8(&c);
    struct cursor whole = cursor_over(addr, sizeof(addr));
    strbuf_putc(pr->sb, ' ');
    print_addr_at(pr, &whole, 6);
    strbuf_printf(pr->sb, "/%u, pref=%s", prefix, preference(flags));
    print_lifetime(pr, ", lifetime=", lifetime);
    return true;
}

static void print_rdnss(struct printer *pr, struct cursor c, unsigned units)
{
    cursor_skip(&c, 2);
    strbuf_printf(pr->sb, " lifetime %us,", cursor_u32(&c));
    for (unsigned i = 0; i < (units - 1) / 2; i++) {
        strbuf_puts(pr->sb, " addr: ");
        print_addr_at(pr, &c, 6);
    }
}

/* An option's text: `c` is all of its `units` times 8 bytes behind type and length.
 * False if no option behind it is to be shown. */
static bool print_option(struct printer *pr, struct cursor c, uint8_t type, unsigned units,
                         const uint8_t *first)
{
    struct cursor word = c;
    switch (type) {
    case OPTION_SOURCE:
    case OPTION_TARGET:
        print_hw_addr(pr->sb, c.at, c.left);
        return true;
    case OPTION_PREFIX:
        if (units < 4)
            return print_stop(pr, "icmp6");
        print_prefix(pr, c, units);
        return true;
    case OPTION_REDIRECTED:
        print_dump(pr->sb, "\n\t    ", first, units * 8, false);
        return true;
    case OPTION_MTU:
        cursor_skip(&word, 2);
        strbuf_printf(pr->sb, " %u%s", cursor_u32(&word), units != 1 ? "bad option length" : "");
        return true;
    case OPTION_RDNSS:
        print_rdnss(pr, c, units);
        return true;
    case OPTION_INTERVAL:
        cursor_skip(&word, 2);
        strbuf_printf(pr->sb, " %ums", cursor_u32(&word));
        return true;
    case OPTION_HOME_AGENT:
        cursor_skip(&word, 2);
        strbuf_printf(pr->sb, " preference %u", cursor_u16(&word));
        strbuf_printf(pr->sb, ", lifetime %u", cursor_u16(&word));
        return true;
    case OPTION_ROUTE:
        return print_route(pr, c, units) || print_cut(pr, "icmp6");
    default:
        print_dump(pr->sb, "\n\t  ", c.at, c.left, false);
        return false;
    }
}

/* The options from `offset` on; false if the line ends in them. */
static bool print_options(struct printer *pr, struct bytes b, size_t offset)
{
    struct cursor c = cursor_over(b.at, b.n);
    if (offset > b.n)
        return true;
    cursor_skip(&c, offset);
    const uint8_t *first = c.at;
    int64_t left = (int64_t)b.len - (int64_t)offset;
    while (c.left > 0) {
        struct cursor option = c;
        uint8_t type = cursor_u8(&option);
        unsigned units = cursor_u8(&option);
        if (option.cut)
            return print_cut(pr, "icmp6");
        if (left <= 0)
            return true;
        if (units == 0 || !cursor_skip(&c, units * 8))
            return print_cut(pr, "icmp6");
        const char *name = print_find(option_names, type);
        strbuf_printf(pr->sb, "\n\t  %s option (%u), length %u (%u): ", name ? name : "unknown",
                      type, units * 8, units);
        if (!print_option(pr, cursor_over(option.at, units * 8 - 2), type, units, first))
            return !pr->stopped;
        left -= units * 8;
    }
    return true;
}

static bool print_router_advert(struct printer *pr, struct bytes b)
{
    static const struct flag flags[] = {{0x80, "managed"},
                                        {0x40, "other stateful"},
                                        {0x20, "home agent"},
                                        {0x02, "ipv6 only"},
                                        {0, NULL}};
    struct cursor c = cursor_over(b.at, b.n);
    cursor_skip(&c, 4);
    uint8_t hops = cursor_u8(&c), bits = cursor_u8(&c);
    uint16_t lifetime = cursor_u16(&c);
    uint32_t reachable = cursor_u32(&c), retransmit = cursor_u32(&c);
    if (c.cut)
        return print_stop(pr, "icmp6");
    strbuf_printf(pr->sb, "\n\thop limit %u", hops);
    print_flags(pr, flags, bits);
    strbuf_printf(pr->sb, ", pref %s, router lifetime %us, reachable time %ums, retrans timer %ums",
                  preference(bits), lifetime, reachable, retransmit);
    return print_options(pr, b, 16);
}

static bool print_target(struct printer *pr, struct bytes b, const char *before, size_t offset)
{
    struct cursor c = cursor_over(b.at, b.n);
    cursor_skip(&c, offset);
    if (c.left < 16)
        return print_stop(pr, "icmp6");
    strbuf_puts(pr->sb, before);
    return print_addr_at(pr, &c, 6);
}

bool print_neighbor(struct printer *pr, struct bytes b, uint8_t type)
{
    static const struct flag flags[] = {
        {0x80, "router"}, {0x40, "solicited"}, {0x20, "override"}, {0, NULL}};
    bool verbose = pr->style->checksums;
    switch (type) {
    case ROUTER_SOLICIT:
        return !verbose || print_options(pr, b, 8);
    case ROUTER_ADVERT:
        return !verbose || print_router_advert(pr, b);
    case NEIGHBOR_SOLICIT:
        if (!print_target(pr, b, ", who has ", 8))
            return false;
        return !verbose || print_options(pr, b, 24);
    case NEIGHBOR_ADVERT:
        if (!print_target(pr, b, ", tgt is ", 8))
            return false;
        if (verbose)
            print_flags(pr, flags, b.at[4]);
        return !verbose || print_options(pr, b, 24);
    default:
        if (!print_target(pr, b, ", ", 24) || !print_target(pr, b, " to ", 8))
            return false;
        return !verbose || print_options(pr, b, 40);
    }
}
