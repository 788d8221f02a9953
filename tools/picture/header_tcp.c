/* The TCP header (RFC 9293 3.1) and its options, field by field. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "picture/header_parts.h"

enum { TCP_FIXED = 20 };

/* -------------------------------------------------------------- what is known */

/* The segment, if the numbers in the story are this frame's: the wire may have changed it. */
static const struct story_segment *known(const struct dissection *d)
{
    const struct story_segment *s = d->segment;
    return s && s->flow >= 0 && s->p->tcp.seq == d->p->tcp.seq && s->p->tcp.ack == d->p->tcp.ack
               ? s
               : NULL;
}

static void say_port(struct strbuf *sb, const struct dissection *d, int host, const char *port,
                     uint64_t value)
{
    char number[24];
    snprintf(number, sizeof(number), "%" PRIu64, value);
    if (!d->segment || d->segment->flow < 0)
        return;
    const char *name = host >= 0 ? d->story->record->hosts.at[host].name : "a stranger";
    if (strcmp(port, number) == 0)
        strbuf_printf(sb, "of %s", name);
    else
        strbuf_printf(sb, "of %s, whose kernel chose it: %s in the transcript", name, port);
}

static void say_source(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    if (d->segment)
        say_port(sb, d, d->segment->from, d->segment->from_port, value);
}

static void say_destination(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    if (d->segment)
        say_port(sb, d, d->segment->to, d->segment->to_port, value);
}

static void say_seq(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    const struct story_segment *s = known(d);
    const struct tcp_header *t = &d->p->tcp;
    (void)value;
    if (!s || d->p->transport != TRANSPORT_TCP)
        return;
    strbuf_printf(sb, "relative %" PRIu32, s->seq);
    if (t->flags & TCP_SYN)
        strbuf_puts(sb, ": where this direction begins; SYN takes this number");
    else if (t->payload_len)
        strbuf_printf(sb, ": bytes %" PRIu32 " to %" PRIu32, s->seq, s->seq + t->payload_len - 1);
    else if (t->flags & TCP_FIN)
        strbuf_puts(sb, ": FIN takes this number");
    if (t->payload_len && t->flags & TCP_FIN)
        strbuf_puts(sb, ", and FIN the one behind");
    if (!tcp_seq_len(t) && !(t->flags & TCP_RST))
        strbuf_puts(sb, ": what is sent next; this segment takes no number");
}

static void say_ack(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    const struct story_segment *s = known(d);
    (void)value;
    if (!(d->p->tcp.flags & TCP_ACK)) {
        strbuf_puts(sb, "without ACK it says nothing");
        return;
    }
    if (s)
        strbuf_printf(sb, "relative %" PRIu32 ": everything before it has arrived", s->ack);
    else
        strbuf_puts(sb, "everything before it has arrived");
}

static void say_offset(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_printf(sb, "%" PRIu64 " words of 32 bits: a header of %" PRIu64 " bytes", value,
                  value * 4);
    if (value < 5)
        strbuf_puts(sb, ", which is shorter than any can be");
    else if (value == 5)
        strbuf_puts(sb, ", without options");
    else
        strbuf_printf(sb, ", %" PRIu64 " of them options", value * 4 - TCP_FIXED);
}

static void say_reserved(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    if (value & 1)
        strbuf_puts(sb, "its last bit is AE of accurate ECN (RFC 9768)");
    else
        strbuf_puts(sb, value ? "must be zero, and is not" : "must be zero");
}

#define SAY_FLAG(name, set, clear)                                                                 \
    static void say_##name(struct strbuf *sb, const struct dissection *d, uint64_t value)          \
    {                                                                                              \
        (void)d;                                                                                   \
        strbuf_puts(sb, value ? (set) : (clear));                                                  \
    }
SAY_FLAG(cwr, "congestion window reduced: the sender has heard ECE (RFC 3168)", "")
SAY_FLAG(ece, "ECN echo: asks for ECN in a SYN, else tells of congestion on the way (RFC 3168)", "")
SAY_FLAG(urg, "the urgent pointer counts", "the urgent pointer says nothing")
SAY_FLAG(ack_flag, "the acknowledgment number counts", "the acknowledgment number says nothing")
SAY_FLAG(psh, "push: the receiver should hand the data on without waiting for more", "")
SAY_FLAG(rst, "reset: the connection is over at once", "")
SAY_FLAG(syn, "synchronize: opens this direction, and takes a sequence number", "")
SAY_FLAG(fin, "the sender has no more data; takes a sequence number", "")

/* The shift count that a SYN of this direction asked for, -1: there was none, -2: no SYN was
 * seen. */
static int scale_of(const struct story *story, int flow, int dir)
{
    int scale = -2;
    vec_each (&story->segments, s)
        if (s->flow == flow && s->dir == dir && s->p->tcp.flags & TCP_SYN)
            scale = s->p->tcp.has_wscale ? s->p->tcp.wscale : -1;
    return scale;
}

static void say_window(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    const struct story_segment *s = d->segment;
    if (d->p->tcp.flags & TCP_SYN) {
        strbuf_printf(sb, "%" PRIu64 " bytes: in a SYN it is never scaled", value);
        return;
    }
    if (d->p->tcp.flags & TCP_RST || !s || s->flow < 0)
        return;
    int own = scale_of(d->story, s->flow, s->dir), other = scale_of(d->story, s->flow, !s->dir);
    if (own == -2 || other == -2)
        strbuf_puts(sb, "by how much it is scaled stood in the SYNs, which were not captured");
    else if (own == -1 || other == -1)
        strbuf_printf(sb, "%" PRIu64 " bytes: no scaling was agreed on", value);
    else if (own > 14)
        strbuf_printf(sb, "\xc3\x97 2^14 (the largest shift count) = %" PRIu64 " bytes",
                      value << 14);
    else
        strbuf_printf(sb, "\xc3\x97 2^%d = %" PRIu64 " bytes that the sender of this has room for",
                      own, value << own);
}

static void say_checksum(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    const struct tcp_header *t = &d->p->tcp;
    (void)value;
    if (t->sum == SUM_GOOD)
        strbuf_puts(sb, "correct");
    else if (t->sum == SUM_BAD)
        strbuf_printf(sb, "wrong: 0x%04x would be right", t->sum_expected);
    else
        strbuf_puts(sb, "not verified: not all of the segment is here");
}

static void say_urgent(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    if (d->p->tcp.flags & TCP_URG)
        strbuf_printf(sb, "urgent data ends %" PRIu64 " bytes behind the sequence number", value);
    else
        strbuf_puts(sb, "without URG it says nothing");
}

static const struct header_spec tcp_specs[] = {
    {"Source Port", "Sport", 0, 16, HEADER_NUMBER, say_source},
    {"Destination Port", "Dport", 16, 16, HEADER_NUMBER, say_destination},
    {"Sequence Number", "Seq", 32, 32, HEADER_NUMBER, say_seq},
    {"Acknowledgment Number", "Ack", 64, 32, HEADER_NUMBER, say_ack},
    {"Data Offset", "DOffset", 96, 4, HEADER_NUMBER, say_offset},
    {"Reserved", "Rsrvd", 100, 4, HEADER_NUMBER, say_reserved},
    {"CWR", "CWR", 104, 1, HEADER_FLAG, say_cwr},
    {"ECE", "ECE", 105, 1, HEADER_FLAG, say_ece},
    {"URG", "URG", 106, 1, HEADER_FLAG, say_urg},
    {"ACK", "ACK", 107, 1, HEADER_FLAG, say_ack_flag},
    {"PSH", "PSH", 108, 1, HEADER_FLAG, say_psh},
    {"RST", "RST", 109, 1, HEADER_FLAG, say_rst},
    {"SYN", "SYN", 110, 1, HEADER_FLAG, say_syn},
    {"FIN", "FIN", 111, 1, HEADER_FLAG, say_fin},
    {"Window", "Win", 112, 16, HEADER_NUMBER, say_window},
    {"Checksum", "Sum", 128, 16, HEADER_HEX, say_checksum},
    {"Urgent Pointer", "Urgent", 144, 16, HEADER_NUMBER, say_urgent},
};

/* -------------------------------------------------------------------- options */

struct option_name {
    uint8_t kind;
    const char *brief, *name;
};

static const struct option_name *option_name(uint8_t kind)
{
    static const struct option_name names[] = {
        {TCPOPT_EOL, "EOL", "end of options"},
        {TCPOPT_NOP, "nop", "no operation, to align what follows"},
        {TCPOPT_MSS, "mss", "maximum segment size (RFC 9293)"},
        {TCPOPT_WSCALE, "wscale", "window scale (RFC 7323)"},
        {TCPOPT_SACK_OK, "sackOK", "selective acknowledgments permitted (RFC 2018)"},
        {TCPOPT_SACK, "sack", "selective acknowledgment (RFC 2018)"},
        {TCPOPT_ECHO, "echo", "echo (RFC 1072)"},
        {TCPOPT_ECHO_REPLY, "echo", "echo reply (RFC 1072)"},
        {TCPOPT_TS, "TS", "timestamps (RFC 7323)"},
        {TCPOPT_CC, "CC", "connection count (RFC 1644)"},
        {TCPOPT_CC_NEW, "CC", "connection count, new (RFC 1644)"},
        {TCPOPT_CC_ECHO, "CC", "connection count, echo (RFC 1644)"},
        {TCPOPT_MD5, "MD5", "MD5 signature (RFC 2385)"},
        {TCPOPT_SCPS, "SCPS", "SCPS capabilities (CCSDS 714.0-B-2)"},
        {TCPOPT_UTO, "uto", "user timeout (RFC 5482)"},
        {TCPOPT_AO, "AO", "authentication (RFC 5925)"},
        {TCPOPT_MPTCP, "mptcp", "multipath TCP (RFC 8684)"},
        {TCPOPT_FASTOPEN, "tfo", "fast open cookie (RFC 7413)"},
        {TCPOPT_EXPERIMENT2, "exp", "an experiment (RFC 6994)"},
    };
    static const struct option_name unknown = {0, NULL, "not known here"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].kind == kind)
            return &names[i];
    return &unknown;
}

/* The kind's number, and what tcpdump calls it. */
static void add_kind(struct dissection *d, uint8_t kind, uint32_t bit)
{
    const struct option_name *name = option_name(kind);
    struct header_field *f = header_add_field(d, "Kind", "Kind", bit, 8, HEADER_NUMBER);
    header_say(f, "%s", name->name);
    if (!name->brief || f->cut)
        return;
    char *both = xasprintf("%s (%s)", f->value, name->brief);
    free(f->value);
    f->value = both;
}

static void add_mss(struct dissection *d, uint32_t bit)
{
    struct header_field *f =
        header_add_field(d, "Maximum Segment Size", "MSS", bit, 16, HEADER_NUMBER);
    header_say(f, "bytes of data that a segment to the sender of this may carry");
}

static void add_wscale(struct dissection *d, uint32_t bit)
{
    struct header_field *f = header_add_field(d, "Shift Count", "Shift", bit, 8, HEADER_NUMBER);
    unsigned shift = d->p->tcp.wscale < 14 ? d->p->tcp.wscale : 14;
    header_say(f, "the windows that follow count in units of %u byte%s, if both sides scale",
               1u << shift, shift ? "s" : "");
}

static void add_timestamps(struct dissection *d, uint32_t bit)
{
    const struct story_segment *s = known(d);
    struct header_field *f =
        header_add_field(d, "Timestamp Value", "TSval", bit, 32, HEADER_NUMBER);
    if (s && s->p->tcp.has_ts)
        header_say(f, "relative %" PRIu32 " ms, by the sender's clock", s->tsval);
    f = header_add_field(d, "Timestamp Echo Reply", "TSecr", bit + 32, 32, HEADER_NUMBER);
    if (!(d->p->tcp.flags & TCP_ACK))
        header_say(f, "without ACK it says nothing");
    else if (s && s->p->tcp.has_ts)
        header_say(f, "relative %" PRIu32 " ms: the latest of the other side's that was taken over",
                   s->tsecr);
}

static void add_sack(struct dissection *d, uint32_t bit, unsigned size)
{
    const struct story_segment *s = known(d);
    const struct tcp_header *t = &d->p->tcp;
    for (unsigned i = 0; i < size / 8; i++) {
        for (int right = 0; right < 2; right++) {
            struct header_field *f =
                header_add_field(d, right ? "Right Edge of Block" : "Left Edge of Block",
                                 right ? "Right" : "Left", bit, 32, HEADER_NUMBER);
            bit += 32;
            if (!s || i >= t->n_sack)
                continue;
            uint32_t edge = (right ? t->sack[i].right : t->sack[i].left) - (t->ack - s->ack);
            header_say(f,
                       right ? "relative %" PRIu32 ": the first number that is not in the block"
                             : "relative %" PRIu32 ": the first number of a block that has arrived",
                       edge);
        }
    }
    if (size % 8)
        header_add_field(d, "Rest", "Rest", bit, size % 8 * 8, HEADER_BYTES);
}

static void add_option_data(struct dissection *d, const struct tcp_option *o, uint32_t bit)
{
    unsigned size = tcp_option_data_size(o);
    bool right = o->len == size + 2;
    if (size == 0)
        return;
    if (right && o->kind == TCPOPT_MSS)
        add_mss(d, bit);
    else if (right && o->kind == TCPOPT_WSCALE)
        add_wscale(d, bit);
    else if (right && o->kind == TCPOPT_TS)
        add_timestamps(d, bit);
    else if (right && o->kind == TCPOPT_SACK)
        add_sack(d, bit, size);
    else
        header_add_field(d, "Option Data", "Data", bit, size * 8, HEADER_BYTES);
}

/* `at`: the option's first byte in the header; returns where the next one begins. */
static uint32_t add_option(struct dissection *d, const struct tcp_option *o, uint32_t at)
{
    bool single = o->kind == TCPOPT_EOL || o->kind == TCPOPT_NOP;
    add_kind(d, o->kind, at * 8);
    if (single)
        return at + 1;
    uint32_t end = d->p->tcp.header_len;
    if (at + 1 >= end)
        return end;
    struct header_field *f = header_add_field(d, "Length", "Length", at * 8 + 8, 8, HEADER_NUMBER);
    header_say(f, o->bad ? "bytes, of the whole option: more or less than there can be here"
                         : "bytes, of the whole option");
    if (o->bad)
        return at + 2;
    add_option_data(d, o, at * 8 + 16);
    return at + 2 + tcp_option_data_size(o);
}

static void add_options(struct dissection *d)
{
    const struct tcp_header *t = &d->p->tcp;
    uint32_t at = TCP_FIXED;
    for (unsigned i = 0; i < t->n_options && at < t->header_len; i++)
        at = add_option(d, &t->options[i], at);
    if (at >= t->header_len)
        return;
    bool over = t->n_options && t->options[t->n_options - 1].kind == TCPOPT_EOL;
    struct header_field *f =
        header_add_field(d, over ? "Padding" : "Rest of Options", over ? "Pad" : "Rest", at * 8,
                         (t->header_len - at) * 8, HEADER_BYTES);
    header_say(f, over ? "fills the last word up" : "cannot be read as options");
}

void header_add_tcp(struct dissection *d)
{
    const struct tcp_header *t = &d->p->tcp;
    bool whole = d->p->transport == TRANSPORT_TCP;
    uint32_t len = whole ? t->header_len : TCP_FIXED;
    header_add(d, "TCP", "RFC 9293, figure 1", d->p->ip.payload.at, len);
    header_add_specs(d, tcp_specs, ARRAY_SIZE(tcp_specs));
    if (whole)
        add_options(d);
}
