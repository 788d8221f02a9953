/* Filter expressions: libpcap itself says whether one is right.
 *
 * libpcap asks the resolver for words that it does not know, and a parser must not
 * talk to the network, nor read /etc/services.  So every word has to be one of
 * libpcap's own, a number or an address; others never reach it, nor do backslashes,
 * which would make a name of libpcap's own words. */
#include <ctype.h>
#include <pcap/pcap.h>

#include "lab/filter.h"
#include "lab/parser.h"

/* From libpcap 1.10's scanner.l. */
static const char *const words[] = {
    "dst",
    "src",
    "link",
    "ether",
    "ppp",
    "slip",
    "fddi",
    "tr",
    "wlan",
    "arp",
    "rarp",
    "ip",
    "sctp",
    "tcp",
    "udp",
    "icmp",
    "igmp",
    "igrp",
    "pim",
    "vrrp",
    "carp",
    "radio",
    "ip6",
    "icmp6",
    "ah",
    "esp",
    "atalk",
    "aarp",
    "decnet",
    "lat",
    "sca",
    "moprc",
    "mopdl",
    "iso",
    "esis",
    "es-is",
    "isis",
    "is-is",
    "l1",
    "l2",
    "iih",
    "lsp",
    "snp",
    "csnp",
    "psnp",
    "clnp",
    "stp",
    "ipx",
    "netbeui",
    "host",
    "net",
    "mask",
    "port",
    "portrange",
    "proto",
    "protochain",
    "type",
    "subtype",
    "dir",
    "direction",
    "ra",
    "ta",
    "addr1",
    "addr2",
    "addr3",
    "addr4",
    "address1",
    "address2",
    "address3",
    "address4",
    "less",
    "greater",
    "byte",
    "broadcast",
    "multicast",
    "and",
    "or",
    "not",
    "len",
    "length",
    "inbound",
    "outbound",
    "ifindex",
    "vlan",
    "mpls",
    "pppoed",
    "pppoes",
    "geneve",
    "icmptype",
    "icmpcode",
    "icmp-echoreply",
    "icmp-unreach",
    "icmp-sourcequench",
    "icmp-redirect",
    "icmp-echo",
    "icmp-routeradvert",
    "icmp-routersolicit",
    "icmp-timxceed",
    "icmp-paramprob",
    "icmp-tstamp",
    "icmp-tstampreply",
    "icmp-ireq",
    "icmp-ireqreply",
    "icmp-maskreq",
    "icmp-maskreply",
    "icmp6type",
    "icmp6code",
    "icmp6-destinationrunreach",
    "icmp6-packettoobig",
    "icmp6-timeexceeded",
    "icmp6-parameterproblem",
    "icmp6-echo",
    "icmp6-echoreply",
    "icmp6-multicastlistenerquery",
    "icmp6-multicastlistenerreportv1",
    "icmp6-multicastlistenerdone",
    "icmp6-routersolicit",
    "icmp6-routeradvert",
    "icmp6-neighborsolicit",
    "icmp6-neighboradvert",
    "icmp6-redirect",
    "tcpflags",
    "tcp-fin",
    "tcp-syn",
    "tcp-rst",
    "tcp-push",
    "tcp-ack",
    "tcp-urg",
    "tcp-ece",
    "tcp-cwr",
};

static size_t digits(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && isdigit((unsigned char)s[n]))
        n++;
    return n;
}

/* 80, 0x1f, 1024-2047, 10.0.0.0/8, 10.1: nothing that could be the name of a host. */
static bool is_number(const char *word, size_t len)
{
    size_t n = digits(word, len), parts = 1;
    if (n == 1 && len > 2 && word[0] == '0' && word[1] == 'x') {
        for (n = 2; n < len && isxdigit((unsigned char)word[n]);)
            n++;
        return n == len;
    }
    if (n && n + 1 < len && word[n] == '-')
        return n + 1 + digits(word + n + 1, len - n - 1) == len;
    while (n && n + 1 < len && word[n] == '.' && parts < 4 && isdigit((unsigned char)word[n + 1])) {
        n += 1 + digits(word + n + 1, len - n - 1);
        parts++;
    }
    if (n && n + 1 < len && word[n] == '/')
        n += 1 + digits(word + n + 1, len - n - 1);
    return n && n == len;
}

static bool is_hardware_address(const char *word, size_t len)
{
    if (len != 17)
        return false;
    for (size_t i = 0; i < len; i++)
        if (i % 3 == 2 ? word[i] != ':' : !isxdigit((unsigned char)word[i]))
            return false;
    return true;
}

static bool is_known(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
            return true;
    const char *slash = memchr(word, '/', len);
    struct ipaddr a;
    return is_number(word, len) || is_hardware_address(word, len) ||
           ipaddr_parse(&a, word, slash ? (size_t)(slash - word) : len);
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._-/", c));
}

size_t filter_find_lookup(const char *filter, size_t len, size_t *at)
{
    for (size_t i = 0; i < len;) {
        size_t n = 0;
        /* `tcp[13:2]` and `ip6 host fd00::1` both have colons: only in the second
         * does one belong to a word. */
        while (i + n < len && in_word(filter[i + n]))
            n++;
        size_t wide = n;
        while (i + wide < len && (in_word(filter[i + wide]) || filter[i + wide] == ':'))
            wide++;
        if (wide && is_known(filter + i, wide))
            n = wide;
        else if (n && !is_known(filter + i, n)) {
            *at = i;
            return n;
        }
        i += n ? n : 1;
    }
    return 0;
}

bool filter_check(struct parser *p, struct span span, const char *filter, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (filter[i] < 0x20 || filter[i] > 0x7e || filter[i] == '\\') {
            complain(p, span, "man pcap-filter has the language of filters",
                     "a filter expression is plain ASCII text without backslashes");
            return false;
        }
    }
    size_t at = 0, n = filter_find_lookup(filter, len, &at);
    if (n) {
        const char *near = closest_name(filter + at, n, words, ARRAY_SIZE(words));
        cleanup_free char *hint =
            near ? xasprintf("did you mean \"%s\"?", near)
                 : xstrdup("names of hosts and services are not looked up: write the number");
        if (span.to - span.from == len + 2) /* a string without escapes: point at the word */
            span = (struct span){span.from + 1 + at, span.from + 1 + at + n};
        complain(p, span, hint, "\"%.*s\" is no word of a filter expression",
                 (int)(n < 40 ? n : 40), filter + at);
        return false;
    }
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
    if (!dead)
        return true;
    struct bpf_program program;
    bool good = pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (good)
        pcap_freecode(&program);
    else
        complain(p, span, "man pcap-filter has the language of filters", "libpcap: %s",
                 pcap_geterr(dead));
    pcap_close(dead);
    return good;
}
