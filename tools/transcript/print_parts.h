/* The parts of print_packet(), for its own files only.
 *
 * A part returns whether the line goes on: false when the capture ended inside it
 * (` [|protocol]` is then already written) or nothing more can be read. */
#ifndef TRANSCRIPT_PRINT_PARTS_H
#define TRANSCRIPT_PRINT_PARTS_H

#include "decode/cursor.h"
#include "transcript/print.h"

/* Quoted packets may quote packets; deeper ones are not opened. */
#define PRINT_MAX_DEPTH 8

struct printer {
    struct strbuf *sb;
    const struct print_style *style;
    const char *segment; /* what a segment that is cut off is called */
    unsigned depth;      /* packets around this one */
    bool stopped;        /* by print_stop(): those packets have no more to say either */
};

/* Both write ` [|protocol]` and return false.  Behind a cut one, the packet that
 * quotes it goes on; behind a stopped one, the line ends.  (tcpdump's two ways.) */
bool print_cut(struct printer *pr, const char *protocol);
bool print_stop(struct printer *pr, const char *protocol);

void print_u32(struct strbuf *sb, uint32_t v);
/* Lower case, without a prefix or leading zeros. */
void print_hex(struct strbuf *sb, uint64_t v);
void print_hex_bytes(struct strbuf *sb, const uint8_t *at, size_t n);
void print_addr(struct printer *pr, const struct ipaddr *a);
/* An address from captured bytes; false if they are not all there. */
bool print_addr_at(struct printer *pr, struct cursor *c, unsigned version);
void print_hw_addr(struct strbuf *sb, const uint8_t *at, size_t n);
void print_ascii(struct strbuf *sb, uint8_t c);
/* Lines of `\n\t0x0000:  4500 003c …`, with or without the bytes as text. */
void print_dump(struct strbuf *sb, const char *indent, const uint8_t *at, size_t n, bool text);

/* A number's name in a table that ends with NULL; NULL if it has none. */
struct print_name {
    uint32_t value;
    const char *name;
};
const char *print_find(const struct print_name *names, uint32_t value);
const char *print_ethertype(uint16_t type); /* "IPv4"; NULL if unknown */
const char *print_ip_proto(uint8_t proto);  /* "TCP"; "unknown" if unknown */

bool print_arp(struct printer *pr, const struct packet *p);
bool print_ip(struct printer *pr, const struct packet *p);
bool print_ipv6(struct printer *pr, const struct packet *p);
/* What stands behind the IP headers: b, which `proto` names. */
bool print_transport(struct printer *pr, const struct packet *p, struct bytes b, uint8_t proto);
/* `10.0.0.1 > 10.0.0.2` */
void print_hosts(struct printer *pr, const struct ip_header *ip);
/* Whether the transport writes the addresses itself, with its ports. */
bool print_has_ports(uint8_t proto);
/* Between the brackets of `options (…)`; false when cut off. */
bool print_ipv4_options(struct printer *pr, const struct ip_header *ip);
/* A hop-by-hop or destination options header. */
bool print_ipv6_options(struct printer *pr, const struct ip_header *ip, struct bytes header,
                        bool hop);
bool print_tcp_segment(struct printer *pr, const struct packet *p);
bool print_icmp(struct printer *pr, const struct packet *p);
bool print_icmp6(struct printer *pr, const struct packet *p);
/* A router or neighbor message, or a redirect, of ICMPv6 behind its name. */
bool print_neighbor(struct printer *pr, struct bytes b, uint8_t type);
/* An MPTCP option (RFC 8684) of `len` bytes behind its length byte; false if malformed. */
bool print_mptcp(struct printer *pr, const struct tcp_option *o, uint16_t flags);

#endif
