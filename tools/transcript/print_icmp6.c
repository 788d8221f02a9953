#include "transcript/print_parts.h"

enum {
    UNREACHABLE = 1,
    TOO_BIG = 2,
    TIME_EXCEEDED = 3,
    PARAMETER = 4,
    ECHO = 128,
    ECHO_REPLY = 129,
    LISTENER_QUERY = 130,
    LISTENER_REPORT = 131,
    LISTENER_DONE = 132,
    ROUTER_SOLICIT = 133,
    ROUTER_ADVERT = 134,
    NEIGHBOR_SOLICIT = 135,
    NEIGHBOR_ADVERT = 136,
    REDIRECT = 137,
    INVERSE_SOLICIT = 141,
    INVERSE_ADVERT = 142,
    LISTENER_REPORT_2 = 143,
};
enum { NO_ROUTE = 0, PROHIBITED = 1, BEYOND_SCOPE = 2, NO_ADDRESS = 3, NO_PORT = 4 };
enum { PROTO_TCP = 6, PROTO_UDP = 17, PROTO_AH = 51 };
/* Offsets: the second word of the header, the quoted packet, and fields of that. */
enum { REST = 4, QUOTED = 8, QUOTED_SRC = QUOTED + 8, QUOTED_DST = QUOTED + 24 };

static const struct print_name type_names[] = {
    {UNREACHABLE, "destination unreachable"},
    {TOO_BIG, "packet too big"},
    {TIME_EXCEEDED, "time exceeded in-transit"},
    {PARAMETER, "parameter problem"},
    {ECHO, "echo request"},
    {ECHO_REPLY, "echo reply"},
    {LISTENER_QUERY, "multicast listener query"},
    {LISTENER_REPORT, "multicast listener report"},
    {LISTENER_DONE, "multicast listener done"},
    {ROUTER_SOLICIT, "router solicitation"},
    {ROUTER_ADVERT, "router advertisement"},
    {NEIGHBOR_SOLICIT, "neighbor solicitation"},
    {NEIGHBOR_ADVERT, "neighbor advertisement"},
    {REDIRECT, "redirect"},
    {INVERSE_SOLICIT, "inverse neighbor solicitation"},
    {INVERSE_ADVERT, "inverse neighbor advertisement"},
    {LISTENER_REPORT_2, "multicast listener report v2"},
    {0, NULL},
};

static struct cursor cursor_at(struct bytes b, size_t offset)
{
    struct cursor c = cursor_over(b.at, b.n);
    cursor_skip(&c, offset);
    return c;
}

/* `before` and an address in the message; false (and nothing) if it is cut off. */
static bool print_addr_in(struct printer *pr, struct bytes b, const char *before, size_t offset)
{
    struct cursor c = cursor_at(b, offset);
    if (c.left < 16)
        return print_stop(pr, "icmp6");
    strbuf_puts(pr->sb, before);
    return print_addr_at(pr, &c, 6);
}

/* The destination port of the quoted packet, behind its extension headers. */
static bool quoted_port(struct bytes b, uint16_t *port, uint8_t *proto)
{
    if (b.n < QUOTED + 40)
        return false;
    struct bytes inner = {.at = b.at + QUOTED, .n = b.n - QUOTED, .len = b.len - QUOTED};
    struct ip_header ip = {.bytes = inner, .next = inner.at[6], .total_len = UINT16_MAX};
    struct ip6_walk w;
    ip6_walk_start(&w, &ip);
    while (ip6_walk_next(&w) && !w.cut)
        ;
    if (w.cut || w.later_fragment)
        return false;
    struct cursor c = cursor_over(w.rest.at, w.rest.n);
    while (w.next == PROTO_AH) {
        w.next = cursor_u8(&c);
        size_t words = cursor_u8(&c);
        cursor_skip(&c, words * 4 + 6);
    }
    cursor_skip(&c, 2);
    *port = cursor_u16(&c);
    *proto = w.next;
    return !c.cut && (w.next == PROTO_TCP || w.next == PROTO_UDP);
}

static bool print_unreachable(struct printer *pr, struct bytes b, uint8_t code)
{
    static const char *const codes[] = {[NO_ROUTE] = "unreachable route",
                                        [PROHIBITED] = " unreachable prohibited",
                                        [BEYOND_SCOPE] = "beyond scope",
                                        [NO_ADDRESS] = "unreachable address",
                                        [NO_PORT] = "unreachable port"};
    uint16_t port;
    uint8_t proto;
    if (code > NO_PORT) {
        strbuf_printf(pr->sb, ", unknown unreach code (%u)", code);
        print_dump(pr->sb, "\n\t", b.at, b.n < b.len ? b.n : b.len, false);
        return false;
    }
    strbuf_printf(pr->sb, ", %s", codes[code]);
    switch (code) {
    case BEYOND_SCOPE:
        return print_addr_in(pr, b, " ", QUOTED_DST) &&
               print_addr_in(pr, b, ", source address ", QUOTED_SRC);
    case NO_PORT:
        if (!quoted_port(b, &port, &proto))
            return print_cut(pr, "icmp6");
        if (!print_addr_in(pr, b, ", ", QUOTED_DST))
            return false;
        strbuf_printf(pr->sb, " %s port %u", proto == PROTO_TCP ? "tcp" : "udp", port);
        return true;
    default:
        return print_addr_in(pr, b, " ", QUOTED_DST);
    }
}

static bool print_parameter(struct printer *pr, struct bytes b, uint8_t code)
{
    static const char *const codes[] = {"erroneous", "next header", "option",
                                        "incomplete header chain"};
    struct cursor rest = cursor_at(b, REST);
    if (b.n < QUOTED_DST + 16)
        return print_cut(pr, "icmp6");
    if (code < 4)
        strbuf_printf(pr->sb, ", %s - octet %u", codes[code], cursor_u32(&rest));
    else
        strbuf_printf(pr->sb, ", code-#%u", code);
    return true;
}

static bool print_error(struct printer *pr, struct bytes b, uint8_t type, uint8_t code)
{
    struct cursor rest = cursor_at(b, REST);
    uint32_t word = cursor_u32(&rest);
    switch (type) {
    case UNREACHABLE:
        return print_unreachable(pr, b, code);
    case TOO_BIG:
        if (rest.cut)
            return print_stop(pr, "icmp6");
        strbuf_printf(pr->sb, ", mtu %u", word);
        return true;
    case TIME_EXCEEDED:
        if (code == 0)
            return print_addr_in(pr, b, " for ", QUOTED_DST);
        if (code == 1)
            strbuf_puts(pr->sb, " (reassembly)");
        else
            strbuf_printf(pr->sb, ", unknown code (%u)", code);
        return true;
    default:
        return print_parameter(pr, b, code);
    }
}

static bool print_echo(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, REST);
    uint16_t id = cursor_u16(&c), seq = cursor_u16(&c);
    if (c.cut)
        return print_stop(pr, "icmp6");
    strbuf_printf(pr->sb, ", id %u, seq %u", id, seq);
    return true;
}

/* ----------------------------------------------- multicast listeners (RFC 2710, 3810) */

static void print_listener(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, REST);
    if (b.n < QUOTED + 16)
        return;
    strbuf_printf(pr->sb, "max resp delay: %u addr: ", cursor_u16(&c));
    print_addr_in(pr, b, "", QUOTED);
}

/* Suppress flag, robustness and interval (RFC 3810 5.1.7 to 5.1.9). */
static bool print_query_state(struct printer *pr, struct cursor *c)
{
    unsigned flags = cursor_u8(c);
    if (c->cut)
        return print_stop(pr, "icmp6");
    if (flags & 8)
        strbuf_puts(pr->sb, " sflag");
    if (flags & 7)
        strbuf_printf(pr->sb, " robustness=%u", flags & 7);
    unsigned interval = cursor_u8(c);
    if (c->cut)
        return print_stop(pr, "icmp6");
    if (interval >= 128)
        interval = ((interval & 0xf) | 0x10) << ((interval >> 4 & 7) + 3);
    strbuf_printf(pr->sb, " qqi=%u", interval);
    return true;
}

static bool print_query_2(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, REST), tail = cursor_at(b, QUOTED + 16);
    bool verbose = pr->style->checksums;
    unsigned code = cursor_u16(&c);
    unsigned delay = code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
    strbuf_puts(pr->sb, " v2");
    if (c.cut)
        return print_stop(pr, "icmp6");
    if (verbose)
        strbuf_printf(pr->sb, " [max resp delay=%u]", delay);
    if (!print_addr_in(pr, b, " [gaddr ", QUOTED))
        return false;
    if (verbose && !print_query_state(pr, &tail))
        return false;
    tail = cursor_at(b, QUOTED + 18);
    unsigned n = cursor_u16(&tail);
    if (tail.cut)
        return print_stop(pr, "icmp6");
    if (n > 0 && b.len < 28 + n * 16)
        strbuf_puts(pr->sb, " [invalid number of sources]");
    else if (n > 0)
        strbuf_printf(pr->sb, ", %u source(s)", n);
    strbuf_putc(pr->sb, ']');
    return true;
}

static bool print_query(struct printer *pr, struct bytes b)
{
    enum { VERSION_1 = 24, VERSION_2 = 28 };
    if (b.len == VERSION_1)
        print_listener(pr, b);
    else if (b.len >= VERSION_2)
        return print_query_2(pr, b);
    else
        strbuf_printf(pr->sb, " unknown-version (len %u) ", b.len);
    return !pr->stopped;
}

static bool print_record(struct printer *pr, struct bytes b, uint32_t *offset)
{
    static const struct print_name types[] = {{1, "is_in"}, {2, "is_ex"}, {3, "to_in"},
                                              {4, "to_ex"}, {5, "allow"}, {6, "block"},
                                              {0, NULL}};
    struct cursor c = cursor_at(b, *offset);
    if (b.len < *offset + 20) {
        strbuf_puts(pr->sb, " [invalid number of groups]");
        return false;
    }
    uint8_t type = cursor_u8(&c);
    cursor_skip(&c, 1);
    unsigned n = cursor_u16(&c);
    if (!print_addr_in(pr, b, " [gaddr ", *offset + 4))
        return false;
    const char *name = print_find(types, type);
    if (name)
        strbuf_printf(pr->sb, " %s", name);
    else
        strbuf_printf(pr->sb, "  [v2-report-#%u]", type);
    if (b.len < *offset + 20 + n * 16) {
        strbuf_printf(pr->sb, " [invalid number of sources %u]", n);
        return false;
    }
    strbuf_printf(pr->sb, ", %u source(s)]", n);
    *offset += 20 + n * 16;
    return true;
}

static bool print_report_2(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, REST + 2);
    if (b.len < 8) {
        strbuf_printf(pr->sb, " [invalid len %u]", b.len);
        return true;
    }
    unsigned n = cursor_u16(&c);
    if (c.cut)
        return print_stop(pr, "icmp6");
    strbuf_printf(pr->sb, ", %u group record(s)", n);
    uint32_t offset = 8;
    for (unsigned i = 0; pr->style->checksums && i < n; i++)
        if (!print_record(pr, b, &offset))
            break;
    return !pr->stopped;
}

/* -------------------------------------------------------------------------- message */

/* What a message other than an error says; true if `, length N` still follows. */
static bool print_message(struct printer *pr, struct bytes b, uint8_t type)
{
    switch (type) {
    case ECHO:
    case ECHO_REPLY:
        return print_echo(pr, b);
    case LISTENER_QUERY:
        return print_query(pr, b);
    case LISTENER_REPORT:
    case LISTENER_DONE:
        print_listener(pr, b);
        return !pr->stopped;
    case LISTENER_REPORT_2:
        return print_report_2(pr, b);
    case ROUTER_SOLICIT:
    case ROUTER_ADVERT:
    case NEIGHBOR_SOLICIT:
    case NEIGHBOR_ADVERT:
    case REDIRECT:
        return print_neighbor(pr, b, type);
    case INVERSE_SOLICIT:
    case INVERSE_ADVERT:
        return true;
    default:
        strbuf_printf(pr->sb, ", length %u", b.len);
        print_dump(pr->sb, "\n\t", b.at, b.n < b.len ? b.n : b.len, false);
        return false;
    }
}

static void print_sum(struct printer *pr, const struct icmp_header *icmp)
{
    if (icmp->sum == SUM_GOOD)
        strbuf_puts(pr->sb, "[icmp6 sum ok] ");
    else if (icmp->sum == SUM_BAD)
        strbuf_printf(pr->sb, "[bad icmp6 cksum 0x%04x -> 0x%04x!] ", icmp->checksum,
                      icmp->sum_expected);
}

bool print_icmp6(struct printer *pr, const struct packet *p)
{
    struct bytes b = p->ip.payload;
    struct cursor c = cursor_over(b.at, b.n);
    bool verbose = pr->style->checksums;
    if (b.len == 0) {
        strbuf_puts(pr->sb, "ICMP6, length 0 (invalid)");
        return true;
    }
    if (verbose && p->icmp.sum != SUM_UNKNOWN && b.n < 4)
        return print_stop(pr, "icmp6");
    if (verbose)
        print_sum(pr, &p->icmp);
    uint8_t type = cursor_u8(&c);
    if (c.cut)
        return print_stop(pr, "icmp6");
    const char *name = print_find(type_names, type);
    if (name)
        strbuf_printf(pr->sb, "ICMP6, %s", name);
    else
        strbuf_printf(pr->sb, "ICMP6, unknown icmp6 type (%u)", type);
    bool neighbor = type >= ROUTER_SOLICIT && type <= REDIRECT;
    if (verbose && neighbor)
        strbuf_printf(pr->sb, ", length %u", b.len);
    uint8_t code = cursor_u8(&c);
    if (c.cut)
        return print_stop(pr, "icmp6");
    bool error = type >= UNREACHABLE && type <= PARAMETER;
    if (!(error ? print_error(pr, b, type, code) : print_message(pr, b, type)))
        return false;
    if (!verbose)
        strbuf_printf(pr->sb, ", length %u", b.len);
    return true;
}
