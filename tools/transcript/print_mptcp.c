#include <inttypes.h>

#include "transcript/print_parts.h"

/* Subtypes of RFC 8684 (and, for ADD_ADDR, of RFC 6824, its version 0).  Each part
 * starts behind kind, length and the subtype's byte, whose lower half is `low`. */

struct mptcp {
    struct cursor c;
    unsigned len; /* of the whole option */
    uint8_t low;
    uint16_t flags; /* of the segment */
};

static bool capable(struct printer *pr, struct mptcp *m)
{
    enum { CHECKSUM = 0x80 };
    bool syn = m->flags & TCP_SYN;
    bool third = (m->flags & (TCP_SYN | TCP_ACK)) == TCP_ACK;
    if (!((m->len == 12 || m->len == 4) && syn) && !((m->len == 20 || m->len == 22) && third))
        return false;
    if (m->low > 1) {
        strbuf_printf(pr->sb, " Unknown Version (%u)", m->low);
        return true;
    }
    strbuf_printf(pr->sb, " v%u", m->low);
    if (cursor_u8(&m->c) & CHECKSUM)
        strbuf_puts(pr->sb, " csum");
    if (m->len < 12)
        return true;
    strbuf_printf(pr->sb, " {0x%" PRIx64, cursor_u64(&m->c));
    if (m->len >= 20)
        strbuf_printf(pr->sb, ",0x%" PRIx64, cursor_u64(&m->c));
    strbuf_putc(pr->sb, '}');
    return true;
}

static bool join(struct printer *pr, struct mptcp *m)
{
    bool syn = m->flags & TCP_SYN, ack = m->flags & TCP_ACK;
    if (!(m->len == 12 && syn) && !(m->len == 16 && syn && ack) && !(m->len == 24 && ack))
        return false;
    uint8_t id = cursor_u8(&m->c);
    if (m->len == 24) {
        strbuf_puts(pr->sb, " hmac 0x");
        const uint8_t *hmac = cursor_take(&m->c, 20);
        if (hmac)
            print_hex_bytes(pr->sb, hmac, 20);
        return true;
    }
    if (m->low & 1)
        strbuf_puts(pr->sb, " backup");
    strbuf_printf(pr->sb, " id %u", id);
    if (m->len == 12)
        strbuf_printf(pr->sb, " token 0x%" PRIx32, cursor_u32(&m->c));
    else
        strbuf_printf(pr->sb, " hmac 0x%" PRIx64, cursor_u64(&m->c));
    strbuf_printf(pr->sb, " nonce 0x%" PRIx32, cursor_u32(&m->c));
    return true;
}

/* A number of 4 or 8 bytes behind its name; false if the option ends inside it. */
static bool number(struct printer *pr, struct cursor *c, const char *name, bool wide)
{
    strbuf_puts(pr->sb, name);
    uint64_t v = wide ? cursor_u64(c) : cursor_u32(c);
    if (!c->cut)
        strbuf_printf(pr->sb, "%" PRIu64, v);
    return !c->cut;
}

static bool dss(struct printer *pr, struct mptcp *m)
{
    enum { FIN = 0x10, WIDE_SEQ = 0x08, SEQ = 0x04, WIDE_ACK = 0x02, ACK = 0x01 };
    if (m->len < 4 || m->flags & TCP_SYN)
        return false;
    uint8_t what = cursor_u8(&m->c);
    if (what & FIN)
        strbuf_puts(pr->sb, " fin");
    if (what & ACK && !number(pr, &m->c, " ack ", what & WIDE_ACK))
        return false;
    if (what & SEQ) {
        if (!number(pr, &m->c, " seq ", what & WIDE_SEQ) || m->c.left < 4)
            return false;
        strbuf_printf(pr->sb, " subseq %" PRIu32, cursor_u32(&m->c));
        if (m->c.left < 2)
            return false;
        strbuf_printf(pr->sb, " len %u", cursor_u16(&m->c));
        if (m->c.left >= 2)
            strbuf_printf(pr->sb, " csum 0x%x", cursor_u16(&m->c));
    }
    return m->c.left == 0;
}

static bool add_addr(struct printer *pr, struct mptcp *m)
{
    static const struct print_name echoes[] = {
        {6, "v0-ip6"}, {4, "v0-ip4"}, {1, "v1-echo"}, {0, "v1"}, {0, NULL}};
    unsigned rest = m->len - 4; /* address, perhaps a port, perhaps 8 bytes of HMAC */
    bool v4 = rest == 4 || rest == 6 || rest == 12 || rest == 14;
    bool v6 = rest == 16 || rest == 18 || rest == 24 || rest == 26;
    if (m->len < 4 || (!v4 && !v6))
        return false;
    const char *echo = print_find(echoes, m->low);
    strbuf_printf(pr->sb, " %s id %u ", echo ? echo : "[bad version/echo]", cursor_u8(&m->c));
    print_addr_at(pr, &m->c, v4 ? 4 : 6);
    rest -= v4 ? 4 : 16;
    if (rest == 2 || rest == 10)
        strbuf_printf(pr->sb, ":%u", cursor_u16(&m->c));
    if (rest >= 8)
        strbuf_printf(pr->sb, " hmac 0x%" PRIx64, cursor_u64(&m->c));
    return true;
}

static bool remove_addr(struct printer *pr, struct mptcp *m)
{
    if (m->len < 4)
        return false;
    strbuf_puts(pr->sb, " id");
    while (m->c.left)
        strbuf_printf(pr->sb, " %u", cursor_u8(&m->c));
    return true;
}

static bool priority(struct printer *pr, struct mptcp *m)
{
    if (m->len != 3 && m->len != 4)
        return false;
    strbuf_puts(pr->sb, m->low & 1 ? " backup" : " non-backup");
    if (m->len == 4)
        strbuf_printf(pr->sb, " id %u", cursor_u8(&m->c));
    return true;
}

static bool fail(struct printer *pr, struct mptcp *m)
{
    if (m->len != 12)
        return false;
    cursor_skip(&m->c, 1);
    return number(pr, &m->c, " seq ", true);
}

static bool fast_close(struct printer *pr, struct mptcp *m)
{
    if (m->len != 12)
        return false;
    cursor_skip(&m->c, 1);
    strbuf_printf(pr->sb, " key 0x%" PRIx64, cursor_u64(&m->c));
    return true;
}

bool print_mptcp(struct printer *pr, const struct tcp_option *o, uint16_t flags)
{
    static const struct {
        const char *name;
        bool (*print)(struct printer *, struct mptcp *);
    } subtypes[] = {
        {"capable", capable},      {"join", join},     {"dss", dss},   {"add-addr", add_addr},
        {"rem-addr", remove_addr}, {"prio", priority}, {"fail", fail}, {"fast-close", fast_close},
    };
    struct mptcp m = {.c = cursor_over(o->data, o->len - 2u), .len = o->len, .flags = flags};
    if (o->len < 3)
        return false;
    uint8_t sub = cursor_u8(&m.c);
    m.low = sub & 0xf;
    strbuf_printf(pr->sb, " %u ", o->len);
    if (sub >> 4 >= (int)(sizeof(subtypes) / sizeof(subtypes[0]))) {
        strbuf_puts(pr->sb, "unknown");
        return true;
    }
    strbuf_puts(pr->sb, subtypes[sub >> 4].name);
    return subtypes[sub >> 4].print(pr, &m);
}
