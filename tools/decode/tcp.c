/* TCP (RFC 9293) and its options.
 *
 * Options stand one behind the other, so one false length makes the rest
 * meaningless.  Which length counts where a kind has a fixed size and the length
 * byte says otherwise is a matter of taste: here it is the kind's, as in tcpdump,
 * so that both show the same; but only an option whose length is right becomes
 * one of the ready values (has_mss …), as in the kernel. */
#include <string.h>

#include "decode/cursor.h"
#include "decode/layers.h"

enum { TCP_FIXED = 20 };

/* Data bytes that a kind takes whatever its length byte says, -1: that many as it says. */
static int fixed_data_size(uint8_t kind)
{
    switch (kind) {
    case TCPOPT_SACK_OK:
        return 0;
    case TCPOPT_WSCALE:
        return 1;
    case TCPOPT_MSS:
    case TCPOPT_SCPS:
    case TCPOPT_UTO:
        return 2;
    case TCPOPT_ECHO:
    case TCPOPT_ECHO_REPLY:
    case TCPOPT_CC:
    case TCPOPT_CC_NEW:
    case TCPOPT_CC_ECHO:
        return 4;
    case TCPOPT_TS:
        return 8;
    case TCPOPT_MD5:
        return 16;
    default:
        return -1;
    }
}

unsigned tcp_option_data_size(const struct tcp_option *o)
{
    if (o->kind == TCPOPT_EOL || o->kind == TCPOPT_NOP)
        return 0;
    int fixed = fixed_data_size(o->kind);
    if (fixed >= 0)
        return (unsigned)fixed;
    return o->len >= 2 ? o->len - 2u : 0;
}

static void use_sack(struct tcp_header *t, const struct tcp_option *o)
{
    struct cursor c = cursor_over(o->data, o->len - 2u);
    t->n_sack = 0;
    if ((o->len - 2) % 8)
        return;
    while (c.left && t->n_sack < TCP_MAX_SACK) {
        t->sack[t->n_sack].left = cursor_u32(&c);
        t->sack[t->n_sack].right = cursor_u32(&c);
        t->n_sack++;
    }
}

static void use_option(struct tcp_header *t, const struct tcp_option *o)
{
    unsigned size = tcp_option_data_size(o);
    struct cursor c = cursor_over(o->data, size);
    if (o->len != size + 2)
        return;
    switch (o->kind) {
    case TCPOPT_MSS:
        t->has_mss = true;
        t->mss = cursor_u16(&c);
        break;
    case TCPOPT_WSCALE:
        t->has_wscale = true;
        t->wscale = cursor_u8(&c);
        break;
    case TCPOPT_SACK_OK:
        t->sack_ok = true;
        break;
    case TCPOPT_TS:
        t->has_ts = true;
        t->tsval = cursor_u32(&c);
        t->tsecr = cursor_u32(&c);
        break;
    case TCPOPT_SACK:
        use_sack(t, o);
        break;
    default:
        break;
    }
}

/* Reads one option from c, which holds the captured ones of `room` bytes; false
 * when nothing behind it can be read. */
static bool decode_option(struct tcp_header *t, struct cursor *c, unsigned room)
{
    struct tcp_option *o = &t->options[t->n_options];
    *o = (struct tcp_option){.kind = cursor_u8(c), .len = 1};
    bool single = o->kind == TCPOPT_EOL || o->kind == TCPOPT_NOP;
    if (!single)
        o->len = cursor_u8(c);
    bool ends_early = room == 1 && !single; /* no room for its length byte */
    if (c->cut && !ends_early) {
        t->options_cut = true;
        return false;
    }
    t->n_options++;
    if (single)
        return o->kind != TCPOPT_EOL;
    if (ends_early || o->len < 2 || o->len > room) {
        o->bad = true;
        o->room = (uint8_t)room;
        return false;
    }
    o->data = c->at;
    o->room = (uint8_t)(room - 2);
    o->captured = (uint8_t)c->left;
    unsigned size = tcp_option_data_size(o);
    if (!cursor_skip(c, size)) {
        o->bad = true;
        t->options_cut = o->room > size;
        return false;
    }
    use_option(t, o);
    return true;
}

static void decode_options(struct tcp_header *t, struct bytes b)
{
    uint32_t have = b.n < t->header_len ? b.n : t->header_len;
    struct cursor c = cursor_over(b.at + TCP_FIXED, have - TCP_FIXED);
    unsigned missing = t->header_len - have;
    while (c.left + missing > 0 && t->n_options < TCP_MAX_OPTIONS)
        if (!decode_option(t, &c, (unsigned)c.left + missing))
            break;
}

void decode_tcp(struct packet *p)
{
    struct tcp_header *t = &p->tcp;
    struct bytes b = p->ip.payload;
    struct cursor c = cursor_over(b.at, b.n);
    memset(t, 0, offsetof(struct tcp_header, options));
    memset((char *)t + offsetof(struct tcp_header, n_options), 0,
           sizeof(*t) - offsetof(struct tcp_header, n_options));
    t->sport = cursor_u16(&c);
    t->dport = cursor_u16(&c);
    t->seq = cursor_u32(&c);
    t->ack = cursor_u32(&c);
    uint16_t offset_flags = cursor_u16(&c);
    t->header_len = (uint8_t)((offset_flags >> 12) * 4);
    t->flags = offset_flags & 0x1ff;
    t->window = cursor_u16(&c);
    t->checksum = cursor_u16(&c);
    t->urgent = cursor_u16(&c);
    if (c.cut)
        t->state = LAYER_CUT;
    else if (t->header_len < TCP_FIXED || t->header_len > b.len)
        t->state = LAYER_BAD_HEADER;
    if (t->state != LAYER_OK)
        return;
    decode_options(t, b);
    struct bytes data = bytes_from(b, t->header_len, b.len - t->header_len);
    t->payload = data.at;
    t->payload_len = data.len;
    t->payload_captured = data.n;
}

/* By bit.  tcpdump prints no more than the first eight. */
static const char flag_letters[] = "FSRP.UEWe";
enum { PRINTED_FLAGS = 8 };

void strbuf_tcp_flags(struct strbuf *sb, uint16_t flags)
{
    size_t before = sb->len;
    for (int i = 0; i < PRINTED_FLAGS; i++)
        if (flags >> i & 1)
            strbuf_putc(sb, flag_letters[i]);
    if (sb->len == before)
        strbuf_puts(sb, "none");
}

bool tcp_flags_read(const char *text, size_t n, uint16_t *flags)
{
    *flags = 0;
    if (n == strlen("none") && memcmp(text, "none", n) == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        const char *letter = memchr(flag_letters, text[i], sizeof(flag_letters) - 1);
        if (!letter)
            return false;
        *flags |= (uint16_t)(1 << (letter - flag_letters));
    }
    return n > 0;
}
