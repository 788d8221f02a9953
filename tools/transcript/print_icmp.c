#include "transcript/print_parts.h"

#include "decode/sum.h"

enum {
    ECHO_REPLY = 0,
    UNREACHABLE = 3,
    SOURCE_QUENCH = 4,
    REDIRECT = 5,
    ECHO = 8,
    ROUTER_ADVERT = 9,
    TIME_EXCEEDED = 11,
    PARAMETER = 12,
    STAMP = 13,
    STAMP_REPLY = 14,
    MASK_REPLY = 18,
};
enum { UNREACHABLE_PROTOCOL = 2, UNREACHABLE_PORT = 3, UNREACHABLE_NEED_FRAGMENT = 4 };
enum { REDIRECT_TOS = 2 };
enum { PROTO_TCP = 6, PROTO_UDP = 17 };
/* Offsets: the second word of the header, the quoted packet, and fields of that. */
enum { REST = 4, QUOTED = 8, QUOTED_PROTO = QUOTED + 9, QUOTED_DST = QUOTED + 16 };

static const struct print_name plain_types[] = {
    {SOURCE_QUENCH, "source quench"}, {10, "router solicitation"},  {15, "information request"},
    {16, "information reply"},        {17, "address mask request"}, {0, NULL},
};

/* `before` ADDRESS `after` */
struct around {
    const char *before, *after;
};

static const struct around unreachable_codes[] = {
    [0] = {"net ", " unreachable"},
    [1] = {"host ", " unreachable"},
    [5] = {"", " unreachable - source route failed"},
    [6] = {"net ", " unreachable - unknown"},
    [7] = {"host ", " unreachable - unknown"},
    [8] = {"", " unreachable - source host isolated"},
    [9] = {"net ", " unreachable - admin prohibited"},
    [10] = {"host ", " unreachable - admin prohibited"},
    [11] = {"net ", " unreachable - tos prohibited"},
    [12] = {"host ", " unreachable - tos prohibited"},
    [13] = {"host ", " unreachable - admin prohibited filter"},
    [14] = {"host ", " unreachable - host precedence violation"},
    [15] = {"host ", " unreachable - precedence cutoff"},
};

static struct cursor cursor_at(struct bytes b, size_t offset)
{
    struct cursor c = cursor_over(b.at, b.n);
    cursor_skip(&c, offset);
    return c;
}

static bool print_quoted_dst(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, QUOTED_DST);
    return print_addr_at(pr, &c, 4);
}

static bool print_port_unreachable(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, QUOTED);
    unsigned header = (cursor_u8(&c) & 0xfu) * 4;
    struct cursor port = cursor_at(b, QUOTED + header + 2);
    uint16_t dport = cursor_u16(&port);
    c = cursor_at(b, QUOTED_PROTO);
    uint8_t proto = cursor_u8(&c);
    if (port.cut || c.cut || !print_quoted_dst(pr, b))
        return false;
    if (proto == PROTO_TCP || proto == PROTO_UDP)
        strbuf_printf(pr->sb, " %s port %u unreachable", proto == PROTO_TCP ? "tcp" : "udp", dport);
    else
        strbuf_printf(pr->sb, " protocol %u port %u unreachable", proto, dport);
    return true;
}

static bool print_unreachable(struct printer *pr, struct bytes b, uint8_t code)
{
    struct cursor rest = cursor_at(b, REST);
    struct cursor proto = cursor_at(b, QUOTED_PROTO);
    uint32_t mtu = cursor_u32(&rest) & 0xffff;
    if (code == UNREACHABLE_PORT)
        return print_port_unreachable(pr, b);
    const struct around *text = code < sizeof(unreachable_codes) / sizeof(unreachable_codes[0])
                                    ? &unreachable_codes[code]
                                    : &(struct around){0};
    strbuf_puts(pr->sb, text->before ? text->before : "");
    if (!print_quoted_dst(pr, b))
        return false;
    if (code == UNREACHABLE_PROTOCOL)
        strbuf_printf(pr->sb, " protocol %u unreachable", cursor_u8(&proto));
    else if (code == UNREACHABLE_NEED_FRAGMENT && mtu)
        strbuf_printf(pr->sb, " unreachable - need to frag (mtu %u)", mtu);
    else if (code == UNREACHABLE_NEED_FRAGMENT)
        strbuf_puts(pr->sb, " unreachable - need to frag");
    else if (text->after)
        strbuf_puts(pr->sb, text->after);
    else
        strbuf_printf(pr->sb, " unreachable - #%u", code);
    return true;
}

static bool print_redirect(struct printer *pr, struct bytes b, uint8_t code)
{
    struct cursor gateway = cursor_at(b, REST);
    if (code < 4)
        strbuf_puts(pr->sb, code < REDIRECT_TOS ? "redirect " : "redirect-tos ");
    else
        strbuf_printf(pr->sb, "redirect-#%u ", code);
    if (!print_quoted_dst(pr, b))
        return false;
    if (code < 4)
        strbuf_puts(pr->sb, code % 2 ? " to host " : " to net ");
    else
        strbuf_puts(pr->sb, " to ");
    return print_addr_at(pr, &gateway, 4);
}

static bool print_router_advert(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, REST);
    uint8_t n = cursor_u8(&c), size = cursor_u8(&c);
    unsigned lifetime = cursor_u16(&c);
    if (c.cut)
        return false;
    strbuf_puts(pr->sb, "router advertisement lifetime ");
    if (lifetime < 60)
        strbuf_printf(pr->sb, "%u", lifetime);
    else if (lifetime < 3600)
        strbuf_printf(pr->sb, "%u:%02u", lifetime / 60, lifetime % 60);
    else
        strbuf_printf(pr->sb, "%u:%02u:%02u", lifetime / 3600, lifetime % 3600 / 60, lifetime % 60);
    strbuf_printf(pr->sb, " %u:", n);
    if (size != 2) {
        strbuf_printf(pr->sb, " [size %u]", size);
        return true;
    }
    for (; n > 0; n--) {
        strbuf_puts(pr->sb, " {");
        bool whole = print_addr_at(pr, &c, 4);
        strbuf_printf(pr->sb, " %u}", cursor_u32(&c));
        if (!whole || c.cut)
            return false;
    }
    return true;
}

static void print_clock(struct printer *pr, const char *name, uint32_t ms)
{
    uint32_t s = ms / 1000;
    strbuf_printf(pr->sb, "%s%02u:%02u:%02u.%03u", name, s / 3600, s / 60 % 60, s % 60, ms % 1000);
}

static bool print_stamps(struct printer *pr, struct bytes b, bool reply)
{
    struct cursor c = cursor_at(b, REST);
    uint16_t id = cursor_u16(&c), seq = cursor_u16(&c);
    bool cut = c.cut;
    strbuf_printf(pr->sb, "time stamp %s id %u seq %u", reply ? "reply" : "query", id, seq);
    if (!reply)
        return !cut;
    print_clock(pr, ": org ", cursor_u32(&c));
    print_clock(pr, ", recv ", cursor_u32(&c));
    print_clock(pr, ", xmit ", cursor_u32(&c));
    return !c.cut;
}

/* What the message says; false when the capture ends inside it. */
static bool print_message(struct printer *pr, struct bytes b, uint8_t type, uint8_t code)
{
    struct cursor rest = cursor_at(b, REST), data = cursor_at(b, QUOTED);
    const char *name = print_find(plain_types, type);
    switch (type) {
    case ECHO:
    case ECHO_REPLY:
        strbuf_printf(pr->sb, "echo %s, id %u, ", type == ECHO ? "request" : "reply",
                      cursor_u16(&rest));
        strbuf_printf(pr->sb, "seq %u", cursor_u16(&rest));
        return !rest.cut;
    case UNREACHABLE:
        return print_unreachable(pr, b, code);
    case REDIRECT:
        return print_redirect(pr, b, code);
    case ROUTER_ADVERT:
        return print_router_advert(pr, b);
    case TIME_EXCEEDED:
        if (code > 1)
            strbuf_printf(pr->sb, "time exceeded-#%u", code);
        else
            strbuf_puts(pr->sb, code ? "ip reassembly time exceeded" : "time exceeded in-transit");
        return b.n >= QUOTED_DST + 4;
    case PARAMETER:
        if (code)
            strbuf_printf(pr->sb, "parameter problem - code %u", code);
        else
            strbuf_printf(pr->sb, "parameter problem - octet %u", cursor_u8(&rest));
        return code || !rest.cut;
    case MASK_REPLY:
        strbuf_printf(pr->sb, "address mask is 0x%08x", cursor_u32(&data));
        return !data.cut;
    case STAMP:
    case STAMP_REPLY:
        return print_stamps(pr, b, type == STAMP_REPLY);
    default:
        if (name)
            strbuf_puts(pr->sb, name);
        else
            strbuf_printf(pr->sb, "type-#%u", type);
        return true;
    }
}

/* The quoted packet of an error, on a line of its own; false ends the line. */
static bool print_quoted(struct printer *pr, struct bytes b)
{
    struct cursor c = cursor_at(b, QUOTED + 2);
    strbuf_puts(pr->sb, "\n\t");
    uint32_t len = cursor_u16(&c); /* of the quoted packet, by its own header */
    if (c.cut)
        return print_stop(pr, "icmp");
    uint32_t n = b.n - QUOTED < len ? b.n - QUOTED : len;
    if (n < 4)
        return print_stop(pr, "icmp");
    if (pr->depth >= PRINT_MAX_DEPTH)
        return true;
    struct packet inner;
    inner.frame.time = 0;
    packet_decode_inner(&inner, (struct bytes){.at = b.at + QUOTED, .n = n, .len = len}, 4);
    pr->depth++;
    print_ip(pr, &inner);
    pr->depth--;
    return !pr->stopped;
}

/* ------------------------------- extensions behind the quoted packet (RFC 4884, 4950) */

enum { EXTENSION = 136, EXTENSION_HEADER = 4, OBJECT_HEADER = 4, CLASS_MPLS = 1 };

static void print_mpls(struct printer *pr, uint32_t label)
{
    strbuf_printf(pr->sb, "\n\t    label %u, tc %u%s, ttl %u", label >> 12, label >> 9 & 7,
                  label & 0x100 ? ", [S]" : "", label & 0xff);
}

static bool print_object_data(struct printer *pr, struct cursor *c, unsigned class, unsigned ctype,
                              unsigned len)
{
    if (class == CLASS_MPLS && ctype == 1) {
        struct cursor label = *c;
        uint32_t word = cursor_u32(&label);
        if (label.cut)
            return print_stop(pr, "icmp");
        print_mpls(pr, word);
    } else {
        print_dump(pr->sb, "\n\t    ", c->at, c->left < len ? c->left : len, false);
    }
    return true;
}

static bool print_objects(struct printer *pr, struct cursor c, unsigned left)
{
    static const struct print_name classes[] = {
        {1, "MPLS Stack Entry"}, {2, "Interface Identification"}, {0, NULL}};
    while (left > OBJECT_HEADER) {
        if (c.left < OBJECT_HEADER)
            return print_cut(pr, "icmp");
        unsigned len = cursor_u16(&c), class = cursor_u8(&c), ctype = cursor_u8(&c);
        const char *name = print_find(classes, class);
        strbuf_printf(pr->sb, "\n\t  %s Object (%u), Class-Type: %u, length %u",
                      name ? name : "unknown", class, ctype, len);
        left -= OBJECT_HEADER;
        if (class == 0 || len < OBJECT_HEADER)
            return true;
        len -= OBJECT_HEADER;
        if (!print_object_data(pr, &c, class, ctype, len))
            return false;
        if (left < len)
            return true;
        left -= len;
        cursor_skip(&c, len < c.left ? len : c.left);
    }
    return true;
}

static bool print_extensions(struct printer *pr, struct bytes b)
{
    unsigned len = b.len - EXTENSION;
    uint16_t ignored;
    bool captured = b.n >= b.len;
    if (b.n < EXTENSION + EXTENSION_HEADER + 1)
        return print_cut(pr, "icmp");
    struct cursor c = cursor_at(b, EXTENSION);
    bool good = captured && sum_check(sum_add(0, c.at, len), 0, &ignored) == SUM_GOOD;
    if (b.at[5] == 0 && captured && !good)
        return true; /* no length field, no sum: no extension */
    unsigned version = cursor_u16(&c) >> 12;
    strbuf_printf(pr->sb, "\n\tICMP Multi-Part extension v%u", version);
    if (version != 2) {
        strbuf_puts(pr->sb, " packet not supported");
        return true;
    }
    uint16_t sum = cursor_u16(&c);
    if (captured)
        strbuf_printf(pr->sb, ", checksum 0x%04x (%scorrect), length %u", sum, good ? "" : "in",
                      len);
    return len < EXTENSION_HEADER || print_objects(pr, c, len - EXTENSION_HEADER);
}

bool print_icmp(struct printer *pr, const struct packet *p)
{
    struct bytes b = p->ip.payload;
    struct cursor c = cursor_over(b.at, b.n);
    uint8_t type = cursor_u8(&c), code = cursor_u8(&c);
    size_t start = pr->sb->len;
    strbuf_puts(pr->sb, "ICMP ");
    if (c.cut || !print_message(pr, b, type, code)) {
        strbuf_truncate(pr->sb, start);
        return print_stop(pr, "icmp");
    }
    strbuf_printf(pr->sb, ", length %u", b.len);
    if (!pr->style->checksums)
        return true;
    if (p->icmp.sum == SUM_BAD && b.n < 4)
        return print_stop(pr, "icmp");
    if (p->icmp.sum == SUM_BAD)
        strbuf_printf(pr->sb, " (wrong icmp cksum %x (->%x)!)", p->icmp.checksum,
                      p->icmp.sum_expected);
    bool multipart = type == UNREACHABLE || type == TIME_EXCEEDED || type == PARAMETER;
    if ((multipart || type == SOURCE_QUENCH || type == REDIRECT) && !print_quoted(pr, b))
        return false;
    return !multipart || b.len <= EXTENSION || print_extensions(pr, b);
}
