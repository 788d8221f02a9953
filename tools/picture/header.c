/* Theory of operation.
 *
 * Each fixed header is a table: where a field begins, how many bits it has, how its value is
 * written and which function says what it means.  The bits are read from the frame itself, so
 * that a header that is cut off, or that the decoder takes for malformed, still shows what it
 * holds; what the decoder and the story know (checksums, relative numbers, names) only goes
 * into the meanings. */
#include "picture/header.h"

#include <inttypes.h>
#include <stdio.h>

#include "picture/header_parts.h"
#include "transcript/print_parts.h"

enum { SHOWN_BYTES = 16 }; /* of what is not taken apart */

/* --------------------------------------------------------------------- fields */

bool header_read(const struct dissection *d, uint32_t offset, uint32_t bit, uint32_t bits,
                 uint64_t *value)
{
    uint64_t from = (uint64_t)offset * 8 + bit;
    *value = 0;
    if (bits > 64 || from + bits > (uint64_t)d->frame->caplen * 8)
        return false;
    for (uint64_t i = from; i < from + bits; i++)
        *value = *value << 1 | (d->frame->data[i / 8] >> (7 - i % 8) & 1);
    return true;
}

struct header *header_add(struct dissection *d, const char *title, const char *source,
                          const uint8_t *at, uint32_t len)
{
    struct header *h = vec_add(&d->headers->list);
    h->title = title;
    h->source = source;
    h->offset = (uint32_t)(at - d->frame->data);
    h->len = len;
    return h;
}

static void put_bytes(struct strbuf *sb, const uint8_t *at, uint32_t n, const char *between)
{
    for (uint32_t i = 0; i < n && i < SHOWN_BYTES; i++)
        strbuf_printf(sb, "%s%02x", i ? between : "", at[i]);
    if (n > SHOWN_BYTES)
        strbuf_puts(sb, "...");
}

static void put_address(struct strbuf *sb, const uint8_t *at, uint32_t n)
{
    struct ipaddr a = {.version = n == 16 ? 6 : 4};
    memcpy(a.bytes, at, n == 16 ? 16 : 4);
    strbuf_ipaddr(sb, &a);
}

static void put_value(struct strbuf *sb, enum header_style style, uint64_t value, const uint8_t *at,
                      uint32_t n)
{
    switch (style) {
    case HEADER_NUMBER:
    case HEADER_FLAG:
        strbuf_printf(sb, "%" PRIu64, value);
        break;
    case HEADER_HEX:
        strbuf_printf(sb, "0x%0*" PRIx64, (int)n * 2, value);
        break;
    case HEADER_ADDRESS:
        put_address(sb, at, n);
        break;
    case HEADER_MAC:
        put_bytes(sb, at, n, ":");
        break;
    case HEADER_BYTES:
        put_bytes(sb, at, n, " ");
        break;
    }
}

struct header_field *header_add_field(struct dissection *d, const char *name, const char *brief,
                                      uint32_t bit, uint32_t bits, enum header_style style)
{
    struct header *h = vec_last(&d->headers->list);
    struct header_field *f = vec_add(&h->fields);
    struct strbuf hex = STRBUF_INIT, shown = STRBUF_INIT;
    uint64_t value = 0, begin = (uint64_t)h->offset * 8 + bit;
    uint32_t n = (bits + 7) / 8;
    *f = (struct header_field){.name = name,
                               .brief = brief,
                               .bit = bit,
                               .bits = bits,
                               .offset = h->offset + bit / 8,
                               .flag = style == HEADER_FLAG,
                               .meaning = xstrdup("")};
    f->cut = begin + bits > (uint64_t)d->frame->caplen * 8;
    if (f->cut) {
        strbuf_puts(&shown, "?");
    } else if (header_read(d, h->offset, bit, bits, &value)) {
        strbuf_printf(&hex, "0x%0*" PRIx64, (int)n * 2, value);
        put_value(&shown, style, value, d->frame->data + f->offset, n);
    } else {
        strbuf_puts(&hex, "0x");
        put_bytes(&hex, d->frame->data + f->offset, n, "");
        put_value(&shown, style, 0, d->frame->data + f->offset, n);
    }
    f->hex = strbuf_steal(&hex);
    f->value = strbuf_steal(&shown);
    if (f->cut)
        header_say(f, "not captured");
    return f;
}

void header_say(struct header_field *field, const char *fmt, ...)
{
    va_list ap;
    if (field->cut && field->meaning[0])
        return;
    free(field->meaning);
    va_start(ap, fmt);
    field->meaning = xvasprintf(fmt, ap);
    va_end(ap);
}

void header_add_specs(struct dissection *d, const struct header_spec *specs, size_t n)
{
    for (const struct header_spec *spec = specs; spec < specs + n; spec++) {
        struct header_field *f =
            header_add_field(d, spec->name, spec->brief, spec->bit, spec->bits, spec->style);
        struct strbuf words cleanup_strbuf = STRBUF_INIT;
        uint64_t value;
        if (!spec->say || f->cut)
            continue;
        header_read(d, vec_last(&d->headers->list)->offset, spec->bit, spec->bits, &value);
        spec->say(&words, d, value);
        header_say(f, "%s", strbuf_cstr(&words));
    }
}

/* ----------------------------------------------------------------------- link */

static void say_ethertype(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    const char *name = print_ethertype((uint16_t)value);
    (void)d;
    strbuf_puts(sb, name ? name : value < 1536 ? "a length: no Ethernet II" : "not known here");
}

static const struct header_spec ethernet_specs[] = {
    {"Destination Address", "Dst", 0, 48, HEADER_MAC, NULL},
    {"Source Address", "Src", 48, 48, HEADER_MAC, NULL},
    {"Type", "Type", 96, 16, HEADER_HEX, say_ethertype},
};

static void add_link(struct dissection *d)
{
    const struct link_header *link = &d->p->link;
    const uint8_t *at = d->frame->data;
    uint32_t len = d->frame->caplen;
    if (link->state == LAYER_OK && link->payload.at)
        len = (uint32_t)(link->payload.at - at);
    if (len == 0)
        return;
    if (link->kind == LINK_ETHERNET) {
        header_add(d, "Ethernet", "IEEE 802.3", at, len);
        header_add_specs(d, ethernet_specs, ARRAY_SIZE(ethernet_specs));
        if (len > 14)
            header_add_field(d, "VLAN Tags", "VLAN", 112, (len - 14) * 8, HEADER_BYTES);
    } else if (link->kind == LINK_UNKNOWN) {
        header_add(d, "Frame", NULL, at, len);
        header_say(header_add_field(d, "Bytes", "Bytes", 0, len * 8, HEADER_BYTES),
                   "of a link type that is not known here: %d", d->frame->linktype);
    } else {
        header_add(d, link->kind == LINK_NULL ? "BSD loopback" : "Linux cooked capture", NULL, at,
                   len);
        header_say(header_add_field(d, "Link Header", "Link", 0, len * 8, HEADER_BYTES),
                   "made by the machine that captured; it was never on a wire");
    }
}

/* -------------------------------------------------------------- ARP, UDP, ICMP */

static void say_op(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)d;
    strbuf_puts(sb, value == 1 ? "request" : value == 2 ? "reply" : "");
}

static const struct header_spec arp_specs[] = {
    {"Hardware Type", "HType", 0, 16, HEADER_NUMBER, NULL},
    {"Protocol Type", "PType", 16, 16, HEADER_HEX, say_ethertype},
    {"Hardware Length", "HLen", 32, 8, HEADER_NUMBER, NULL},
    {"Protocol Length", "PLen", 40, 8, HEADER_NUMBER, NULL},
    {"Operation", "Op", 48, 16, HEADER_NUMBER, say_op},
};

static void add_arp(struct dissection *d)
{
    const struct arp_header *arp = &d->p->arp;
    if (!arp->bytes.at)
        return;
    uint32_t h = arp->hardware_len, p = arp->protocol_len, bit = 64;
    bool read = arp->state == LAYER_OK && h == 6 && p == 4;
    header_add(d, "ARP", "RFC 826", arp->bytes.at, read ? 28 : 8);
    header_add_specs(d, arp_specs, ARRAY_SIZE(arp_specs));
    if (!read)
        return;
    static const char *const names[][2] = {{"Sender Hardware Address", "Sender"},
                                           {"Sender Protocol Address", "Sender"},
                                           {"Target Hardware Address", "Target"},
                                           {"Target Protocol Address", "Target"}};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        uint32_t bits = i % 2 ? 32 : 48;
        header_add_field(d, names[i][0], names[i][1], bit, bits,
                         i % 2 ? HEADER_ADDRESS : HEADER_MAC);
        bit += bits;
    }
}

static void say_sum(struct strbuf *sb, enum sum_state sum, uint16_t expected)
{
    if (sum == SUM_GOOD)
        strbuf_puts(sb, "correct");
    else if (sum == SUM_BAD)
        strbuf_printf(sb, "wrong: 0x%04x would be right", expected);
}

static void say_udp_sum(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)value;
    say_sum(sb, d->p->udp.sum, d->p->udp.sum_expected);
}

static void say_icmp_sum(struct strbuf *sb, const struct dissection *d, uint64_t value)
{
    (void)value;
    say_sum(sb, d->p->icmp.sum, d->p->icmp.sum_expected);
}

static const struct header_spec udp_specs[] = {
    {"Source Port", "Sport", 0, 16, HEADER_NUMBER, NULL},
    {"Destination Port", "Dport", 16, 16, HEADER_NUMBER, NULL},
    {"Length", "Length", 32, 16, HEADER_NUMBER, NULL},
    {"Checksum", "Sum", 48, 16, HEADER_HEX, say_udp_sum},
};

static const struct header_spec icmp_specs[] = {
    {"Type", "Type", 0, 8, HEADER_NUMBER, NULL},
    {"Code", "Code", 8, 8, HEADER_NUMBER, NULL},
    {"Checksum", "Sum", 16, 16, HEADER_HEX, say_icmp_sum},
    {"Rest of Header", "Rest", 32, 32, HEADER_HEX, NULL},
};

/* ----------------------------------------------------------------------- data */

static void add_data(struct dissection *d, const char *title, struct bytes data)
{
    if (!data.at || data.len == 0)
        return;
    header_add(d, title, NULL, data.at, data.len);
    struct header_field *f = header_add_field(
        d, "Data", "Data", 0, (data.n < data.len ? data.n : data.len) * 8, HEADER_BYTES);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    uint32_t n = data.n < 4 * SHOWN_BYTES ? data.n : 4 * SHOWN_BYTES;
    for (uint32_t i = 0; i < n; i++)
        strbuf_putc(&text, data.at[i] >= 0x20 && data.at[i] < 0x7f ? (char)data.at[i] : '.');
    header_say(f, "%" PRIu32 " byte%s, as text: %s%s", data.len, data.len == 1 ? "" : "s",
               strbuf_cstr(&text), n < data.len ? "..." : "");
}

static struct bytes tcp_data(const struct tcp_header *t)
{
    return (struct bytes){t->payload, t->payload_len, t->payload_captured};
}

static void add_transport(struct dissection *d)
{
    const struct packet *p = d->p;
    bool begins = header_ip_is_readable(&p->ip) && p->ip.payload.at && p->ip.payload.n > 0 &&
                  p->ip.fragment_offset == 0;
    if (!begins) {
        if (header_ip_is_readable(&p->ip))
            add_data(d, "Data", p->ip.payload);
        return;
    }
    switch (p->ip.proto) {
    case 6:
        header_add_tcp(d);
        if (p->transport == TRANSPORT_TCP)
            add_data(d, "Data", tcp_data(&p->tcp));
        break;
    case 17:
        header_add(d, "UDP", "RFC 768", p->ip.payload.at, 8);
        header_add_specs(d, udp_specs, ARRAY_SIZE(udp_specs));
        if (p->transport == TRANSPORT_UDP)
            add_data(d, "Data", p->udp.payload);
        break;
    case 1:
    case 58:
        header_add(d, p->ip.proto == 1 ? "ICMP" : "ICMPv6",
                   p->ip.proto == 1 ? "RFC 792" : "RFC 4443", p->ip.payload.at, 8);
        header_add_specs(d, icmp_specs, ARRAY_SIZE(icmp_specs));
        if (p->transport == TRANSPORT_ICMP)
            add_data(d, "Quoted packet", p->icmp.quoted);
        break;
    default:
        add_data(d, "Data", p->ip.payload);
        break;
    }
}

/* ---------------------------------------------------------------------- whole */

struct headers *headers_new(const struct frame *frame, const struct story *story,
                            const struct story_segment *segment)
{
    cleanup_free struct packet *p = xcalloc(1, sizeof(*p));
    struct dissection d = {.headers = xcalloc(1, sizeof(*d.headers)),
                           .frame = frame,
                           .p = p,
                           .story = story,
                           .segment = segment};
    packet_decode(p, frame);
    add_link(&d);
    if (p->net == NET_IP) {
        header_add_ip(&d);
        add_transport(&d);
    } else if (p->net == NET_ARP) {
        add_arp(&d);
    } else if (p->link.state == LAYER_OK && p->link.kind != LINK_UNKNOWN) {
        add_data(&d, "Data", p->link.payload);
    }
    return d.headers;
}

void headers_free(struct headers *headers)
{
    if (!headers)
        return;
    vec_each (&headers->list, h) {
        vec_each (&h->fields, f) {
            free(f->hex);
            free(f->value);
            free(f->meaning);
        }
        vec_free(&h->fields);
    }
    vec_free(&headers->list);
    free(headers);
}

/* Which of those of its name a field is, from 0. */
static size_t turn_of(const struct header *h, size_t field)
{
    size_t turn = 0;
    for (size_t i = 0; i < field; i++)
        turn += strcmp(h->fields.at[i].name, h->fields.at[field].name) == 0;
    return turn;
}

const struct header_field *headers_find(const struct headers *other, const struct headers *headers,
                                        size_t header, size_t field)
{
    const struct header *h = &headers->list.at[header];
    size_t turn = turn_of(h, field);
    vec_each (&other->list, o) {
        if (strcmp(o->title, h->title) != 0)
            continue;
        vec_each (&o->fields, f)
            if (strcmp(f->name, h->fields.at[field].name) == 0 && turn-- == 0)
                return f;
    }
    return NULL;
}
