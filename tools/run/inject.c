/* Whatever stands in a transcript's line may stand here, if it is a value: what is sent
 * has to be known (`*`, `~` and `…` are not). */
#include "run/inject.h"

#include "transcript/pattern.h"

struct injection {
    struct reader reader;
    struct pattern_item item;
    struct wire_segment *to;
};

static uint32_t value(struct injection *in, struct slice text)
{
    uint64_t n = 0;
    if (!slice_number(text, UINT32_MAX, &n))
        reader_complain(&in->reader, text, "the wire sends numbers", "this is no number");
    return (uint32_t)n;
}

static uint32_t field(struct injection *in, enum field_id id)
{
    const struct field *f = &in->item.fields[id];
    return f->present ? value(in, f->value) : 0;
}

static void take_flags(struct injection *in)
{
    struct slice text = in->item.fields[FIELD_FLAGS].value;
    if (!tcp_flags_read(text.at, text.n, &in->to->flags))
        reader_complain(&in->reader, text, "the wire sends flags", "these are no flags");
}

/* `seq 1:13` says the length a second time. */
static void take_numbers(struct injection *in)
{
    struct slice seq = in->item.fields[FIELD_SEQ].value;
    size_t colon = slice_find(seq, ':');
    struct slice end = {seq.at + colon, seq.n - colon};
    seq.n = colon;
    in->to->seq = in->item.fields[FIELD_SEQ].present ? value(in, seq) : 0;
    in->to->ack = field(in, FIELD_ACK);
    in->to->window = (uint16_t)field(in, FIELD_WIN);
    in->to->urgent = (uint16_t)field(in, FIELD_URG);
    in->to->length = field(in, FIELD_LENGTH);
    if (!in->item.fields[FIELD_SEQ].present)
        reader_complain(&in->reader, in->item.text,
                        "a transcript leaves it out where a segment takes no number; the wire "
                        "sends one all the same",
                        "the sequence number is missing");
    if (in->item.fields[FIELD_ACK].present != !!(in->to->flags & TCP_ACK))
        reader_complain(&in->reader, in->item.text, "`.` among the flags is ACK",
                        "a segment has an ack if it has the flag, and only then");
    if (end.n) {
        slice_skip(&end, 1);
        if (value(in, end) != in->to->seq + in->to->length)
            reader_complain(&in->reader, end, NULL, "the length says otherwise");
    }
    if (in->to->length > WIRE_SEGMENT_DATA)
        reader_complain(&in->reader, in->item.fields[FIELD_LENGTH].value, NULL,
                        "the wire injects at most %d bytes at once", WIRE_SEGMENT_DATA);
}

static void take_option(struct injection *in, struct slice text)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } kinds[] = {{"eol", TCPOPT_EOL},       {"nop", TCPOPT_NOP},        {"mss", TCPOPT_MSS},
                 {"wscale", TCPOPT_WSCALE}, {"sackOK", TCPOPT_SACK_OK}, {"TS", TCPOPT_TS}};
    struct slice rest = text, name = slice_word(&rest), a = slice_word(&rest);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!slice_is(name, kinds[i].name) || in->to->n_options == WIRE_SEGMENT_OPTIONS)
            continue;
        struct wire_option *o = &in->to->options[in->to->n_options++];
        o->kind = kinds[i].kind;
        if (o->kind == TCPOPT_TS) { /* TS val N ecr N */
            o->a = value(in, slice_word(&rest));
            slice_word(&rest);
            o->b = value(in, slice_word(&rest));
        } else if (o->kind == TCPOPT_MSS || o->kind == TCPOPT_WSCALE) {
            o->a = value(in, a);
        }
        return;
    }
    reader_complain(&in->reader, text, "it knows eol, nop, mss, wscale, sackOK and TS, ten at most",
                    "the wire cannot send this option");
}

/* The address that the host has on this network, or its first one. */
static bool take_address(struct injection *in, const struct endpoint *e, int net,
                         struct ipaddr *addr)
{
    const struct lab *lab = in->reader.lab;
    int host = lab_find_host(lab, e->host_value.at, e->host_value.n);
    if (host < 0) {
        if (ipaddr_parse(addr, e->host.at, e->host.n))
            return true;
        reader_complain(&in->reader, e->host, "a host of the lab, or an address",
                        "who is meant has to be said");
        return false;
    }
    bool found = false;
    vec_each (&lab->hosts.at[host].ifaces, iface) {
        if (iface->addrs.n && (!found || iface->net == net)) {
            *addr = iface->addrs.at[0].addr;
            found = true;
        }
    }
    return found;
}

static uint16_t port(struct injection *in, const struct endpoint *e)
{
    return e->name >= 0 ? 0 : (uint16_t)value(in, e->port_value);
}

static void take(struct injection *in, const struct lab_wire *w)
{
    in->to->sport = port(in, &in->item.from);
    in->to->dport = port(in, &in->item.to);
    if (take_address(in, &in->item.from, w->net, &in->to->src) &&
        take_address(in, &in->item.to, w->net, &in->to->dst) &&
        in->to->src.version != in->to->dst.version)
        reader_complain(&in->reader, in->item.text, NULL,
                        "the two ends have addresses of different versions");
    take_flags(in);
    take_numbers(in);
    vec_each (&in->item.options, option)
        take_option(in, *option);
}

int inject_read(const struct lab *lab, const struct lab_wire *w, struct wire_segment *segment,
                struct diags *diags)
{
    struct pattern scratch = {0};
    const char *text = lab->source.text;
    struct slice line = {text + w->segment_span.from, w->segment_span.to - w->segment_span.from};
    struct injection in = {
        .reader = {.lab = lab, .pattern = &scratch, .diags = diags, .base = text}, .to = segment};
    *segment = (struct wire_segment){0};
    reader_segment(&in.reader, line, &in.item);
    if (in.item.rest)
        reader_complain(&in.reader, line, NULL, "`…` leaves open what is to be sent");
    if (in.item.ecn.n)
        reader_complain(&in.reader, in.item.ecn, NULL, "what is injected is not ECN-capable");
    if (in.reader.errors == 0)
        take(&in, w);
    pattern_item_free(&in.item);
    vec_each (&scratch.owned, s)
        free(*s);
    vec_free(&scratch.owned);
    vec_free(&scratch.names);
    return in.reader.errors ? -1 : 0;
}

void inject_check(const struct lab *lab, struct diags *diags)
{
    struct wire_segment segment;
    vec_each (&lab->steps, step)
        if (step->verb == VERB_WIRE && step->wire.kind == LAB_WIRE_INJECT)
            inject_read(lab, &step->wire, &segment, diags);
}
