#include "transcript/print_parts.h"

static const struct print_name option_names[] = {
    {TCPOPT_EOL, "eol"},
    {TCPOPT_NOP, "nop"},
    {TCPOPT_MSS, "mss"},
    {TCPOPT_WSCALE, "wscale"},
    {TCPOPT_SACK_OK, "sackOK"},
    {TCPOPT_SACK, "sack"},
    {TCPOPT_ECHO, "echo"},
    {TCPOPT_TS, "TS"},
    {TCPOPT_ECHO_REPLY, "echoreply"},
    {TCPOPT_CC, "cc"},
    {TCPOPT_CC_NEW, "ccnew"},
    {TCPOPT_CC_ECHO, ""},
    {TCPOPT_MD5, "md5"},
    {TCPOPT_SCPS, "scps"},
    {TCPOPT_UTO, "uto"},
    {TCPOPT_AO, "tcp-ao"},
    {TCPOPT_MPTCP, "mptcp"},
    {TCPOPT_FASTOPEN, "tfo"},
    {TCPOPT_EXPERIMENT2, "exp"},
    {0, NULL},
};

/* How an option's text ends. */
enum ending { WHOLE, BAD, CUT };

/* Whether n data bytes are there: BAD if the header ends before, CUT if the capture does. */
static enum ending need(const struct tcp_option *o, unsigned n)
{
    if (n > o->room)
        return BAD;
    return n > o->captured ? CUT : WHOLE;
}

static enum ending print_sack(struct printer *pr, const struct tcp_option *o)
{
    unsigned size = o->len - 2u;
    uint32_t base = pr->style->ack_base + pr->style->sack_base;
    struct cursor c = cursor_over(o->data, o->captured);
    if (size % 8) {
        strbuf_puts(pr->sb, " invalid sack");
        return WHOLE;
    }
    strbuf_putc(pr->sb, ' ');
    print_u32(pr->sb, size / 8);
    strbuf_putc(pr->sb, ' ');
    for (unsigned i = 0; i < size; i += 8) {
        uint32_t left = cursor_u32(&c), right = cursor_u32(&c);
        if (c.cut)
            return CUT;
        strbuf_putc(pr->sb, '{');
        print_u32(pr->sb, left - base);
        strbuf_putc(pr->sb, ':');
        print_u32(pr->sb, right - base);
        strbuf_putc(pr->sb, '}');
    }
    return WHOLE;
}

static void print_ts(struct printer *pr, const struct packet *p, struct cursor *c)
{
    uint32_t val = cursor_u32(c), ecr = cursor_u32(c);
    /* A SYN echoes nothing yet: its 0 is no time stamp to be relative to another. */
    bool nothing = ecr == 0 && (p->tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    strbuf_puts(pr->sb, " val ");
    print_u32(pr->sb, val - pr->style->tsval_base);
    strbuf_puts(pr->sb, " ecr ");
    print_u32(pr->sb, nothing ? 0 : ecr - pr->style->tsecr_base);
}

static void print_md5(struct printer *pr, const struct packet *p, const struct tcp_option *o)
{
    strbuf_puts(pr->sb, p->ip.payload.n < p->ip.payload.len
                            ? " snaplen too short, "
                            : " shared secret not supplied with -M, ");
    strbuf_puts(pr->sb, "can't check - ");
    print_hex_bytes(pr->sb, o->data, 16);
}

static enum ending print_ao(struct printer *pr, const struct tcp_option *o)
{
    unsigned size = o->len - 2u;
    if (size < 2) {
        strbuf_puts(pr->sb, " (invalid)");
        return WHOLE;
    }
    if (need(o, 1) != WHOLE)
        return need(o, 1);
    strbuf_printf(pr->sb, " keyid %u", o->data[0]);
    if (need(o, 2) != WHOLE)
        return need(o, 2);
    strbuf_printf(pr->sb, " rnextkeyid %u", o->data[1]);
    if (size == 2)
        return WHOLE;
    strbuf_puts(pr->sb, " mac 0x");
    unsigned have = o->captured < size ? o->captured : size;
    print_hex_bytes(pr->sb, o->data + 2, have - 2);
    return need(o, size);
}

static void print_cookie(struct printer *pr, const uint8_t *at, unsigned n)
{
    if (n == 0) {
        strbuf_puts(pr->sb, " cookiereq");
    } else if (n % 2 || n < 4 || n > 16) {
        strbuf_puts(pr->sb, " (invalid)");
    } else {
        strbuf_puts(pr->sb, " cookie ");
        print_hex_bytes(pr->sb, at, n);
    }
}

/* The shared experimental option (RFC 6994): its first two bytes name the experiment. */
static enum ending print_experiment(struct printer *pr, const struct tcp_option *o)
{
    enum { EXPERIMENT_FASTOPEN = 0xf989 };
    unsigned size = o->len - 2u;
    if (size < 2)
        return BAD;
    unsigned id = (unsigned)o->data[0] << 8 | o->data[1];
    if (id == EXPERIMENT_FASTOPEN) {
        strbuf_puts(pr->sb, "-tfo");
        print_cookie(pr, o->data + 2, size - 2);
    } else {
        strbuf_printf(pr->sb, "-%04x", id);
    }
    return WHOLE;
}

static enum ending print_unknown(struct printer *pr, const struct tcp_option *o)
{
    unsigned size = o->len - 2u;
    if (size)
        strbuf_puts(pr->sb, " 0x");
    print_hex_bytes(pr->sb, o->data, o->captured < size ? o->captured : size);
    return need(o, size);
}

static void print_uto(struct printer *pr, unsigned v)
{
    strbuf_printf(pr->sb, " 0x%x %u", v, v & 1 ? (v >> 1) * 60 : v >> 1);
}

/* Options whose data is needed whole. */
static enum ending print_option_data(struct printer *pr, const struct packet *p,
                                     const struct tcp_option *o)
{
    struct cursor c = cursor_over(o->data, o->captured);
    switch (o->kind) {
    case TCPOPT_MSS:
        strbuf_putc(pr->sb, ' ');
        print_u32(pr->sb, cursor_u16(&c));
        break;
    case TCPOPT_WSCALE:
        strbuf_putc(pr->sb, ' ');
        print_u32(pr->sb, cursor_u8(&c));
        break;
    case TCPOPT_TS:
        print_ts(pr, p, &c);
        break;
    case TCPOPT_MD5:
        print_md5(pr, p, o);
        break;
    case TCPOPT_SCPS:
        strbuf_printf(pr->sb, " cap %02x id %u", o->data[0], o->data[1]);
        break;
    case TCPOPT_UTO:
        print_uto(pr, cursor_u16(&c));
        break;
    case TCPOPT_MPTCP:
        pr->segment = "mptcp"; /* so tcpdump calls what is cut off behind it, too */
        return print_mptcp(pr, o, p->tcp.flags) ? WHOLE : BAD;
    case TCPOPT_FASTOPEN:
        strbuf_putc(pr->sb, ' ');
        print_cookie(pr, o->data, o->len - 2u);
        break;
    case TCPOPT_EXPERIMENT2:
        return print_experiment(pr, o);
    case TCPOPT_ECHO:
    case TCPOPT_ECHO_REPLY:
    case TCPOPT_CC:
    case TCPOPT_CC_NEW:
    case TCPOPT_CC_ECHO:
        strbuf_putc(pr->sb, ' ');
        print_u32(pr->sb, cursor_u32(&c));
        break;
    default:
        break;
    }
    return WHOLE;
}

static enum ending print_option(struct printer *pr, const struct packet *p,
                                const struct tcp_option *o)
{
    bool single = o->kind == TCPOPT_EOL || o->kind == TCPOPT_NOP;
    if (!single && !o->data)
        return BAD;
    const char *name = print_find(option_names, o->kind);
    if (name)
        strbuf_puts(pr->sb, name);
    else
        strbuf_printf(pr->sb, "unknown-%u", o->kind);
    if (single)
        return WHOLE;
    enum ending ending;
    if (o->kind == TCPOPT_SACK) {
        ending = print_sack(pr, o);
    } else if (o->kind == TCPOPT_AO) {
        ending = print_ao(pr, o);
    } else if (!name) {
        ending = print_unknown(pr, o);
    } else {
        ending = need(o, tcp_option_data_size(o));
        if (ending == WHOLE)
            ending = print_option_data(pr, p, o);
    }
    if (ending == WHOLE && o->len != tcp_option_data_size(o) + 2)
        strbuf_printf(pr->sb, "[len %u]", o->len);
    return ending;
}

/* Whether a line may go on behind the options. */
static bool print_options(struct printer *pr, const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    for (unsigned i = 0; i < t->n_options; i++) {
        const struct tcp_option *o = &t->options[i];
        if (i > 0)
            strbuf_putc(pr->sb, ',');
        if (o->bad && !o->data && o->room == 1 && t->payload_captured == 0)
            return print_stop(pr, pr->segment); /* its length byte would stand behind the header */
        enum ending ending = print_option(pr, p, o);
        if (ending == WHOLE)
            continue;
        if (ending == BAD)
            strbuf_puts(pr->sb, "[bad opt]");
        else
            print_cut(pr, pr->segment);
        if (i > 0)
            strbuf_putc(pr->sb, ending == BAD ? ']' : '>');
        return false;
    }
    if (t->options_cut) {
        if (t->n_options > 0)
            strbuf_putc(pr->sb, ',');
        return print_stop(pr, pr->segment);
    }
    return true;
}

/* The text that RFC 9293 3.5.3 allows in a reset. */
static void print_reset_data(struct printer *pr, const struct tcp_header *t)
{
    enum { SHOWN = 30 };
    uint32_t n = t->payload_len < SHOWN ? t->payload_len : SHOWN;
    strbuf_puts(pr->sb, t->payload_captured < t->payload_len ? " [!RST" : " [RST");
    strbuf_puts(pr->sb, t->payload_len > SHOWN ? "+ " : " ");
    for (uint32_t i = 0; i < n && i < t->payload_captured; i++)
        print_ascii(pr->sb, t->payload[i]);
    strbuf_putc(pr->sb, ']');
}

static void print_numbers(struct printer *pr, const struct tcp_header *t)
{
    const struct print_style *s = pr->style;
    struct strbuf *sb = pr->sb;
    if (t->payload_len > 0 || t->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
        bool raw = t->flags & TCP_SYN && !s->relative_syn;
        uint32_t seq = raw ? t->seq : t->seq - s->seq_base;
        strbuf_puts(sb, ", seq ");
        print_u32(sb, seq);
        if (t->payload_len > 0) {
            strbuf_putc(sb, ':');
            print_u32(sb, seq + t->payload_len);
        }
    }
    if (t->flags & TCP_ACK) {
        strbuf_puts(sb, ", ack ");
        print_u32(sb, t->ack - s->ack_base);
    }
    strbuf_puts(sb, ", win ");
    print_u32(sb, t->window);
    if (t->flags & TCP_URG) {
        strbuf_puts(sb, ", urg ");
        print_u32(sb, t->urgent);
    }
}

static void print_sum(struct printer *pr, const struct tcp_header *t)
{
    strbuf_printf(pr->sb, ", cksum 0x%04x", t->checksum);
    if (t->sum == SUM_BAD)
        strbuf_printf(pr->sb, " (incorrect -> 0x%04x)", t->sum_expected);
    else
        strbuf_puts(pr->sb, " (correct)");
}

/* What stands behind `Flags […]`. */
static bool print_fields(struct printer *pr, const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    struct strbuf *sb = pr->sb;
    if (t->header_len > p->ip.payload.len) {
        strbuf_printf(sb, " [bad hdr length %u - too long, > %u]", t->header_len,
                      p->ip.payload.len);
        return true;
    }
    if (pr->style->checksums && t->sum != SUM_UNKNOWN)
        print_sum(pr, t);
    print_numbers(pr, t);
    if (t->header_len > 20) {
        strbuf_puts(sb, ", options [");
        if (!print_options(pr, p))
            return false;
        strbuf_putc(sb, ']');
    }
    strbuf_puts(sb, ", length ");
    print_u32(sb, t->payload_len);
    if (t->payload_len > 0 && p->ip.payload.n < t->header_len) {
        strbuf_printf(sb, " [remaining caplen(%u) < header length(%u)]", p->ip.payload.n,
                      t->header_len);
        return print_stop(pr, pr->segment);
    }
    if (t->payload_len > 0 && t->flags & TCP_RST && pr->style->checksums)
        print_reset_data(pr, t);
    return true;
}

bool print_tcp_segment(struct printer *pr, const struct packet *p)
{
    pr->segment = "tcp";
    strbuf_puts(pr->sb, "Flags [");
    strbuf_tcp_flags(pr->sb, p->tcp.flags);
    strbuf_putc(pr->sb, ']');
    if (!pr->style->number)
        return print_fields(pr, p);
    const struct print_style *outer = pr->style;
    struct print_style style = *outer;
    outer->number(outer->ctx, p, &style);
    pr->style = &style;
    bool more = print_fields(pr, p);
    pr->style = outer;
    return more;
}

void print_tcp(struct strbuf *sb, const struct packet *p, const struct print_style *style)
{
    struct printer pr = {.sb = sb, .style = style};
    print_tcp_segment(&pr, p);
}

void print_tcp_options(struct strbuf *sb, const struct packet *p, const struct print_style *style)
{
    struct printer pr = {.sb = sb, .style = style, .segment = "tcp"};
    print_options(&pr, p);
}
