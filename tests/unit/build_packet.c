#include "build_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKTYPE_ETHERNET 1
#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17

static void put16(uint8_t *to, unsigned v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
    put16(to, v >> 16);
    put16(to + 2, v & 0xffff);
}

static struct ipaddr address(const char *text)
{
    struct ipaddr a;
    if (!ipaddr_parse(&a, text, strlen(text))) {
        fprintf(stderr, "build_packet: \"%s\" is no address\n", text);
        abort();
    }
    return a;
}

static uint32_t sum16(uint32_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)data[i] << 8 | data[i + 1];
    if (len & 1)
        sum += (uint32_t)data[len - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint16_t transport_sum(const struct ipaddr *src, const struct ipaddr *dst, uint8_t proto,
                              const uint8_t *data, size_t len)
{
    size_t n = src->version == 4 ? 4 : 16;
    uint32_t sum = sum16(sum16(0, src->bytes, n), dst->bytes, n);
    sum += proto + (uint32_t)(len >> 16) + (uint32_t)(len & 0xffff);
    return fold(sum16(sum, data, len));
}

static void hardware_address(uint8_t *to, const struct ipaddr *a)
{
    static const uint8_t prefix[5] = {0x02, 0, 0, 0, 0};
    memcpy(to, prefix, sizeof(prefix));
    to[5] = a->bytes[a->version == 4 ? 3 : 15];
}

static size_t ethernet(uint8_t *buf, const struct ipaddr *src, const struct ipaddr *dst,
                       unsigned type)
{
    hardware_address(buf, dst);
    hardware_address(buf + 6, src);
    put16(buf + 12, type);
    return 14;
}

/* Ethernet and IP headers before a payload of len bytes; returns where that goes. */
static uint8_t *ip_headers(uint8_t *buf, const struct ipaddr *src, const struct ipaddr *dst,
                           uint8_t proto, uint16_t id, size_t len)
{
    bool v4 = src->version == 4;
    uint8_t *ip = buf + ethernet(buf, src, dst, v4 ? 0x0800 : 0x86dd);
    if (v4) {
        memset(ip, 0, 20);
        ip[0] = 0x45;
        put16(ip + 2, (unsigned)len + 20);
        put16(ip + 4, id);
        put16(ip + 6, 0x4000);
        ip[8] = 64;
        ip[9] = proto;
        memcpy(ip + 12, src->bytes, 4);
        memcpy(ip + 16, dst->bytes, 4);
        put16(ip + 10, fold(sum16(0, ip, 20)));
        return ip + 20;
    }
    put32(ip, 0x60000000);
    put16(ip + 4, (unsigned)len);
    ip[6] = proto;
    ip[7] = 64;
    memcpy(ip + 8, src->bytes, 16);
    memcpy(ip + 24, dst->bytes, 16);
    return ip + 40;
}

static void set_ecn(uint8_t *ip, uint8_t ecn)
{
    if (ip[0] >> 4 == 6) {
        ip[1] |= (uint8_t)(ecn << 4);
        return;
    }
    ip[1] = ecn;
    put16(ip + 10, 0);
    put16(ip + 10, fold(sum16(0, ip, 20)));
}

static unsigned flag_bits(const char *flags)
{
    static const char names[] = "FSRP.UEWA";
    unsigned bits = 0;
    for (const char *f = flags ? flags : "."; *f; f++) {
        const char *at = strchr(names, *f);
        if (!at) {
            fprintf(stderr, "build_packet: there is no flag '%c'\n", *f);
            abort();
        }
        bits |= 1u << (at - names);
    }
    return bits;
}

static size_t put_timestamps(uint8_t *o, const struct build_tcp *b)
{
    o[0] = 8;
    o[1] = 10;
    put32(o + 2, b->tsval);
    put32(o + 6, b->tsecr);
    return 10;
}

static size_t put_syn_options(uint8_t *o, const struct build_tcp *b)
{
    size_t n = 0;
    if (b->mss) {
        put16(o + n, 2 << 8 | 4);
        put16(o + n + 2, b->mss);
        n += 4;
    }
    if (b->sack_ok) {
        put16(o + n, b->ts ? 4 << 8 | 2 : 0x0101);
        n += 2;
        if (!b->ts) {
            put16(o + n, 4 << 8 | 2);
            n += 2;
        }
    } else if (b->ts) {
        put16(o + n, 0x0101);
        n += 2;
    }
    if (b->ts)
        n += put_timestamps(o + n, b);
    if (b->wscale) {
        o[n] = 1;
        o[n + 1] = 3;
        o[n + 2] = 3;
        o[n + 3] = b->wscale;
        n += 4;
    }
    return n;
}

static size_t put_options(uint8_t *o, const struct build_tcp *b)
{
    if (b->options) {
        memcpy(o, b->options, b->options_len);
        return b->options_len;
    }
    if (flag_bits(b->flags) & TCP_SYN)
        return put_syn_options(o, b);
    size_t n = 0;
    if (b->ts) {
        put16(o, 0x0101);
        n = 2 + put_timestamps(o + 2, b);
    }
    if (b->n_sack) {
        put16(o + n, 0x0101);
        o[n + 2] = 5;
        o[n + 3] = (uint8_t)(2 + 8 * b->n_sack);
        n += 4;
        for (unsigned i = 0; i < b->n_sack; i++, n += 8) {
            put32(o + n, b->sack[i].left);
            put32(o + n + 4, b->sack[i].right);
        }
    }
    return n;
}

static void endpoints(const struct build_tcp *b, struct ipaddr addr[2], uint16_t port[2])
{
    addr[b->reply] = address(b->src ? b->src : "10.0.0.1");
    addr[!b->reply] = address(b->dst ? b->dst : "10.0.0.2");
    port[b->reply] = b->sport ? b->sport : 40000;
    port[!b->reply] = b->dport ? b->dport : 1234;
}

size_t build_tcp(uint8_t *buf, const struct build_tcp *b)
{
    struct ipaddr addr[2];
    uint16_t port[2];
    endpoints(b, addr, port);
    uint8_t options[40];
    size_t n_options = put_options(options, b);
    size_t len = b->data && !b->len ? strlen(b->data) : b->len;
    size_t total = 20 + n_options + len;
    uint8_t *t = ip_headers(buf, &addr[0], &addr[1], PROTO_TCP, b->id, total);
    set_ecn(buf + 14, b->ecn);
    unsigned flags = flag_bits(b->flags);
    put16(t, port[0]);
    put16(t + 2, port[1]);
    put32(t + 4, b->seq);
    put32(t + 8, b->ack);
    put16(t + 12, (unsigned)((20 + n_options) / 4) << 12 | flags);
    put16(t + 14, b->win);
    put32(t + 16, 0);
    memcpy(t + 20, options, n_options);
    if (b->data)
        memcpy(t + 20 + n_options, b->data, len);
    else
        memset(t + 20 + n_options, 'x', len);
    put16(t + 16, transport_sum(&addr[0], &addr[1], PROTO_TCP, t, total) ^ (b->bad_sum ? 1 : 0));
    return (size_t)(t - buf) + total;
}

size_t build_udp(uint8_t *buf, const char *src, uint16_t sport, const char *dst, uint16_t dport,
                 const void *data, size_t len)
{
    struct ipaddr from = address(src), to = address(dst);
    uint8_t *u = ip_headers(buf, &from, &to, PROTO_UDP, 0, 8 + len);
    put16(u, sport);
    put16(u + 2, dport);
    put16(u + 4, (unsigned)len + 8);
    put16(u + 6, 0);
    if (len)
        memcpy(u + 8, data, len);
    uint16_t sum = transport_sum(&from, &to, PROTO_UDP, u, 8 + len);
    put16(u + 6, sum ? sum : 0xffff);
    return (size_t)(u - buf) + 8 + len;
}

size_t build_arp(uint8_t *buf, unsigned op, const char *sender, const char *target)
{
    struct ipaddr from = address(sender), to = address(target);
    uint8_t *a = buf + ethernet(buf, &from, &to, 0x0806);
    if (op == 1)
        memset(buf, 0xff, 6);
    put16(a, 1);
    put16(a + 2, 0x0800);
    put16(a + 4, 6 << 8 | 4);
    put16(a + 6, op);
    hardware_address(a + 8, &from);
    memcpy(a + 14, from.bytes, 4);
    memset(a + 18, 0, 6);
    if (op != 1)
        hardware_address(a + 18, &to);
    memcpy(a + 24, to.bytes, 4);
    return 14 + 28;
}

size_t build_unreachable(uint8_t *buf, const char *src, const char *dst, unsigned code,
                         const uint8_t *quoted_frame, size_t quoted_len)
{
    struct ipaddr from = address(src), to = address(dst);
    size_t quoted = quoted_len - 14;
    uint8_t *i = ip_headers(buf, &from, &to, PROTO_ICMP, 0, 8 + quoted);
    put32(i, 0);
    put32(i + 4, 0);
    i[0] = 3;
    i[1] = (uint8_t)code;
    memcpy(i + 8, quoted_frame + 14, quoted);
    put16(i + 2, fold(sum16(0, i, 8 + quoted)));
    return (size_t)(i - buf) + 8 + quoted;
}

nsec build_time(nsec at)
{
    return INT64_C(1767225600) * NSEC_PER_SEC + at;
}

static void add_host(struct record *r, const char *name, const char *v4, const char *v6)
{
    struct record_host *h = vec_add(&r->hosts);
    h->name = xstrdup(name);
    vec_push(&h->addrs, address(v4));
    vec_push(&h->addrs, address(v6));
    struct record_point *p = vec_add(&r->points);
    p->name = xstrdup(name);
    p->host = (int)r->hosts.n - 1;
    p->iface = xstrdup("eth0");
    p->filter = xstrdup("tcp port 1234");
    p->linktype = LINKTYPE_ETHERNET;
}

struct record *build_record(void)
{
    struct record *r = record_new();
    r->lab = xstrdup("synthetic");
    r->kernel = xstrdup("6.18.0");
    r->machine = xstrdup("x86_64");
    r->version = xstrdup("test");
    r->clock = xstrdup("virtual");
    r->tick = 4 * NSEC_PER_MSEC;
    r->began = build_time(0);
    r->has_calls = true;
    add_host(r, "client", "10.0.0.1", "fd00::1");
    add_host(r, "server", "10.0.0.2", "fd00::2");
    return r;
}

void build_uncaptured(struct record *r)
{
    struct record_point *last = &r->points.at[--r->points.n];
    free(last->name);
    free(last->iface);
    free(last->filter);
}

void build_seen(struct record *r, int point, enum build_seen how, nsec at, const uint8_t *buf,
                size_t len)
{
    struct frame frame = {.time = build_time(at),
                          .wirelen = (uint32_t)len,
                          .caplen = (uint32_t)len,
                          .data = buf,
                          .linktype = LINKTYPE_ETHERNET};
    record_add_packet(r, point, how == BUILD_OUT, how == BUILD_IN, &frame);
}

void build_seen_tcp(struct record *r, int point, enum build_seen how, nsec at,
                    const struct build_tcp *b)
{
    cleanup_free uint8_t *buf = xcalloc(1, BUILD_MAX_FRAME);
    build_seen(r, point, how, at, buf, build_tcp(buf, b));
}

void build_unseen(struct record *r)
{
    union {
        const uint8_t *read_only;
        void *owned;
    } data = {r->packets.at[--r->packets.n].frame.data};
    free(data.owned);
}

void build_sent(struct record *r, nsec at, nsec travel, const struct build_tcp *b)
{
    struct ipaddr addr[2];
    uint16_t port[2];
    endpoints(b, addr, port);
    int from = record_find_host(r, &addr[0]), to = record_find_host(r, &addr[1]);
    if (from >= 0)
        build_seen_tcp(r, from, BUILD_OUT, at, b);
    if (to >= 0 && travel != BUILD_LOST)
        build_seen_tcp(r, to, BUILD_IN, at + travel, b);
}

struct record_call *build_call(struct record *r, int host, const char *verb, const char *args,
                               nsec began, nsec ended, int errnum, int64_t value)
{
    struct record_call *c = vec_add(&r->calls);
    c->host = host;
    c->verb = xstrdup(verb);
    c->args = xstrdup(args);
    c->began = build_time(began);
    c->ended = ended ? build_time(ended) : 0;
    c->failed = errnum != 0;
    c->errnum = errnum;
    c->value = value;
    c->as_stated = !errnum;
    c->step = r->calls.n - 1;
    return c;
}

void build_done(struct record *r, nsec ended)
{
    record_sort(r);
    r->ended = build_time(ended);
    vec_each (&r->packets, p) {
        if (p->frame.time > r->ended)
            r->ended = p->frame.time;
    }
    vec_each (&r->calls, c) {
        if (c->ended > r->ended)
            r->ended = c->ended;
    }
}
