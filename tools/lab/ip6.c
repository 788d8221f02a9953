#include "lab/ip6.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lab/parser.h"

/* ----------------------------------------------------------------- addresses */

/* 16, 32, 48 and 112: where the parts of an IPv4 address begin. */
static unsigned part_at(unsigned part)
{
    return part < 3 ? 16 * (part + 1) : 112;
}

static unsigned map_prefix(unsigned prefix)
{
    unsigned part = prefix / 8, more = prefix % 8;
    if (more)
        return part_at(part) + 8 + more;
    return part == 4 ? 128 : part == 3 ? 64 : part_at(part);
}

void ip6_map(enum lab_mapping mapping, struct ipaddr *addr, unsigned *prefix)
{
    if (mapping == MAP_NOTHING || addr->version != 4)
        return;
    struct ipaddr six = {.version = 6};
    if (ipaddr_is_loopback(addr)) {
        six.bytes[15] = 1;
        if (prefix)
            *prefix = 128;
        *addr = six;
        return;
    }
    six.bytes[0] = 0xfd;
    for (unsigned i = 0; i < 4; i++) {
        unsigned n = addr->bytes[i];
        unsigned group = mapping == MAP_HEXADECIMAL
                             ? n
                             : (n / 100) << 8 | (n / 10 % 10) << 4 | n % 10; /* as it is written */
        six.bytes[part_at(i) / 8] = (uint8_t)(group >> 8);
        six.bytes[part_at(i) / 8 + 1] = (uint8_t)group;
    }
    if (prefix)
        *prefix = map_prefix(*prefix);
    *addr = six;
}

static bool is_odd(const struct lab_addr *a)
{
    return a->addr.version == 4 && a->prefix % 8 && !ipaddr_is_loopback(&a->addr);
}

enum lab_mapping ip6_mapping_for(const struct lab *lab)
{
    vec_each (&lab->requires_, r)
        if (r->kind == REQUIRE_IPV4)
            return MAP_NOTHING;
    bool odd = false;
    vec_each (&lab->hosts, h)
        vec_each (&h->ifaces, iface)
            vec_each (&iface->addrs, a)
                odd |= is_odd(a);
    vec_each (&lab->routes, r)
        odd |= is_odd(&r->to);
    return odd ? MAP_HEXADECIMAL : MAP_DECIMAL;
}

bool ip6_only(const struct lab *lab)
{
    bool any = false;
    vec_each (&lab->hosts, h) {
        vec_each (&h->ifaces, iface) {
            vec_each (&iface->addrs, a) {
                if (a->addr.version == 4)
                    return false;
                any = true;
            }
        }
    }
    return any;
}

/* ------------------------------------------------------------------- filters */

/* Words of IPv4 and what stands for them; NULL: nothing does. */
static const struct {
    const char *word, *six, *hint;
} translations[] = {
    {"ip", "ip6", NULL},
    {"icmp", "icmp6", NULL},
    {"arp", "(icmp6 and ip6[40] >= 135 and ip6[40] <= 136)", NULL}, /* RFC 4861 */
    {"rarp", NULL, "there is no RARP for IPv6"},
    {"igmp", NULL, "with IPv6 this is a part of ICMPv6: icmp6"},
    {"mask", NULL, "write the network as ADDRESS/LENGTH"},
    {"broadcast", NULL, "IPv6 has no broadcast"},
};

static int fail(struct parser *p, struct span span, size_t len, size_t at, size_t n,
                const char *filter, const char *hint)
{
    if (span.to - span.from == len + 2) /* a string without escapes: point at the word */
        span = (struct span){span.from + 1 + at, span.from + 1 + at + n};
    cleanup_free char *all =
        xasprintf("%s; a lab that is about IPv4 says `requires ipv4`, and --ip 6 skips it", hint);
    complain(p, span, all, "\"%.*s\" has no meaning with IPv6", (int)(n < 40 ? n : 40),
             filter + at);
    return -1;
}

/* Whether `[` is what follows: an access to the bytes of a header. */
static bool is_access(const char *filter, size_t len, size_t at)
{
    while (at < len && filter[at] == ' ')
        at++;
    return at < len && filter[at] == '[';
}

/* 10.0.0.1 or 10.0.0.0/24; false if it is neither. */
static bool put_address(struct strbuf *out, enum lab_mapping mapping, const char *word, size_t n)
{
    const char *slash = memchr(word, '/', n);
    struct ipaddr addr;
    if (!ipaddr_parse(&addr, word, slash ? (size_t)(slash - word) : n) || addr.version != 4)
        return false;
    unsigned prefix = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 32;
    ip6_map(mapping, &addr, prefix <= 32 ? &prefix : NULL);
    strbuf_ipaddr(out, &addr);
    if (slash)
        strbuf_printf(out, "/%u", prefix);
    return true;
}

/* 10.0, or 10 behind `net`. */
static bool is_cut_address(const char *filter, size_t at, size_t n)
{
    if (strspn(filter + at, "0123456789./") < n)
        return false;
    size_t before = at;
    while (before && filter[before - 1] == ' ')
        before--;
    bool net = before >= 3 && memcmp(filter + before - 3, "net", 3) == 0;
    return net || memchr(filter + at, '.', n);
}

/* One word: 1, or -1 after a mistake; 0: it is the same in both versions. */
static int put_word(struct parser *p, struct span span, const char *filter, size_t len, size_t at,
                    size_t n, struct strbuf *out)
{
    const char *word = filter + at;
    if (put_address(out, p->mapping, word, n))
        return 1;
    if (is_cut_address(filter, at, n))
        return fail(p, span, len, at, n, filter, "write the address in full");
    bool access = is_access(filter, len, at + n);
    static const char *const headers[] = {"ip", "icmp", "tcp", "udp", "arp"};
    for (size_t i = 0; access && i < ARRAY_SIZE(headers); i++)
        if (strlen(headers[i]) == n && memcmp(headers[i], word, n) == 0)
            return fail(p, span, len, at, n, filter,
                        "libpcap looks into these headers only behind IPv4");
    for (size_t i = 0; i < ARRAY_SIZE(translations); i++) {
        if (strlen(translations[i].word) != n || memcmp(translations[i].word, word, n) != 0)
            continue;
        if (!translations[i].six)
            return fail(p, span, len, at, n, filter, translations[i].hint);
        strbuf_puts(out, translations[i].six);
        return 1;
    }
    return 0;
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._-/:", c));
}

bool ip6_filter(struct parser *p, struct span span, const char *filter, size_t len,
                struct strbuf *out)
{
    for (size_t at = 0; at < len;) {
        size_t n = 0;
        while (at + n < len && in_word(filter[at + n]))
            n++;
        int put = n ? put_word(p, span, filter, len, at, n, out) : 0;
        if (put < 0)
            return false;
        if (put == 0)
            strbuf_add(out, filter + at, n ? n : 1);
        at += n ? n : 1;
    }
    return true;
}

/* ------------------------------------------------------------------ commands */

static bool is_of_host(const struct lab *lab, const struct ipaddr *addr)
{
    vec_each (&lab->hosts, h)
        vec_each (&h->ifaces, iface)
            vec_each (&iface->addrs, a)
                if (ipaddr_equal(&a->addr, addr))
                    return true;
    return false;
}

/* The text with the addresses of hosts mapped; in a URL, or before a port, they stand in
 * brackets. */
static char *map_text(const struct lab *lab, const char *text)
{
    struct strbuf out = STRBUF_INIT;
    for (const char *s = text; *s;) {
        size_t n = strspn(s, "0123456789.");
        struct ipaddr addr;
        bool begins = s == text || (!isalnum((unsigned char)s[-1]) && s[-1] != '-');
        if (!n || !begins || isalnum((unsigned char)s[n]) || !ipaddr_parse(&addr, s, n)) {
            strbuf_add(&out, s, n ? n : 1);
            s += n ? n : 1;
            continue;
        }
        ip6_map(lab->mapping, &addr, NULL);
        bool known = is_of_host(lab, &addr);
        bool url = known && ((s >= text + 2 && s[-1] == '/' && s[-2] == '/') ||
                             (s[n] == ':' && isdigit((unsigned char)s[n + 1])));
        strbuf_puts(&out, url ? "[" : "");
        if (known)
            strbuf_ipaddr(&out, &addr);
        else
            strbuf_add(&out, s, n);
        strbuf_puts(&out, url ? "]" : "");
        s += n;
    }
    return strbuf_steal(&out);
}

void ip6_commands(struct lab *lab)
{
    vec_each (&lab->steps, step) {
        vec_each (&step->args, arg) {
            if (step->verb != VERB_RUN || arg->kind != ARG_REST || !arg->text)
                continue;
            char *mapped = map_text(lab, arg->text);
            free(arg->text);
            arg->text = mapped;
            arg->len = strlen(mapped);
        }
    }
}
