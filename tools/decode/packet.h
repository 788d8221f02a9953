/* A decoded packet: values only, no text.  packet_decode() fills it from bytes
 * through one bounds-checked cursor (cursor.h); pointers lead into those bytes. */
#ifndef DECODE_PACKET_H
#define DECODE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ipaddr.h"
#include "base/time.h"

/* One captured frame, as a capture file or a live capture point delivers it. */
struct frame {
    nsec time;        /* stamp, since the Unix epoch */
    uint32_t wirelen; /* bytes on the wire */
    uint32_t caplen;  /* bytes in data */
    const uint8_t *data;
    int linktype; /* a DLT_* value of libpcap */
};

/* A part of a frame: what the headers say that it takes, and what was captured of it. */
struct bytes {
    const uint8_t *at;
    uint32_t len; /* by the headers; may be more than n, or less */
    uint32_t n;   /* captured, never past the end of the frame or of the packet around it */
};

enum sum_state { SUM_UNKNOWN /* not all bytes there, or a fragment */, SUM_GOOD, SUM_BAD };

enum layer_state {
    LAYER_OK,
    LAYER_CUT,           /* the capture ends inside the fixed header */
    LAYER_SHORT,         /* the layer below leaves less room than the fixed header */
    LAYER_BAD_VERSION,   /* IP: a version that cannot be here */
    LAYER_BAD_HEADER,    /* a header length that cannot be */
    LAYER_BAD_TOTAL,     /* IP: a total length shorter than its header */
    LAYER_BAD_EXTENSION, /* IPv6: an extension header that cannot be followed */
};

/* ------------------------------------------------------------------------ link */
enum link_kind { LINK_UNKNOWN, LINK_ETHERNET, LINK_SLL, LINK_SLL2, LINK_NULL, LINK_RAW };

#define LINK_MAX_VLANS 4

struct link_header {
    enum link_kind kind;
    enum layer_state state; /* LAYER_OK or LAYER_CUT */
    bool cut_in_vlan;       /* with LAYER_CUT: in a VLAN tag */
    uint8_t dst[6], src[6]; /* Ethernet; SLL: src only, when it has 6 bytes */
    uint16_t protocol;      /* EtherType behind VLAN tags; SLL: a value below 1536 is none */
    uint16_t vlans[LINK_MAX_VLANS]; /* tag control information, the outermost first */
    unsigned n_vlans;               /* tags in the frame; more than LINK_MAX_VLANS are skipped */
    uint32_t family;                /* DLT_NULL: address family, in host order */
    uint32_t ifindex;               /* SLL2 */
    uint16_t packet_type;           /* SLL: 0 in, 1 broadcast, 2 multicast, 3 other, 4 out */
    uint16_t addr_len;              /* SLL: of the link-layer address */
    struct bytes payload;
};

/* --------------------------------------------------------------------- network */
enum net_kind { NET_NONE, NET_ARP, NET_IP, NET_OTHER };

struct arp_header {
    enum layer_state state;
    uint16_t hardware, protocol, op;
    uint8_t hardware_len, protocol_len;
    /* Addresses of the lengths above; all four captured when state is LAYER_OK. */
    const uint8_t *sender_hw, *sender_addr, *target_hw, *target_addr;
    struct bytes bytes;
};

struct ip_header {
    enum layer_state state; /* the fields are valid with LAYER_OK and LAYER_BAD_EXTENSION */
    uint8_t version;        /* by its first bits */
    uint8_t wanted;         /* by the layer below, which is not always right: 4 or 6 */
    struct ipaddr src, dst;
    uint8_t proto;    /* of the transport, behind extension headers and AH */
    uint8_t next;     /* the protocol (next header) field of the fixed header */
    uint8_t ttl, tos; /* tos: IPv6 has its traffic class here */
    uint32_t flow;    /* version 6 */
    uint16_t id;      /* version 4 */
    bool reserved, df, mf;
    bool fragment;            /* the first or a later one */
    uint16_t fragment_offset; /* bytes */
    uint32_t fragment_id;     /* version 6 */
    uint32_t header_len;      /* the fixed header and, in version 4, its options */
    uint32_t total_len;       /* as the header says (version 6: payload length + 40) */
    bool jumbo;               /* version 6: total_len is from a Jumbo Payload option (RFC 2675) */
    uint16_t checksum, sum_expected; /* version 4 */
    enum sum_state sum;
    struct bytes bytes;   /* the packet; len is what the layer below gives it */
    struct bytes payload; /* what the transport gets */
};

/* What the header says of explicit congestion notification: RFC 3168 5. */
enum { ECN_NOT_ECT = 0, ECN_ECT_1 = 1, ECN_ECT_0 = 2, ECN_CE = 3 };

/* ------------------------------------------------------------------- transport */
enum transport_kind {
    TRANSPORT_NONE,
    TRANSPORT_TCP,
    TRANSPORT_UDP,
    TRANSPORT_ICMP, /* of either version */
    TRANSPORT_OTHER
};

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
    TCP_AE = 0x100, /* accurate ECN, RFC 9768; the former NS bit */
};

enum {
    TCPOPT_EOL = 0,
    TCPOPT_NOP = 1,
    TCPOPT_MSS = 2,
    TCPOPT_WSCALE = 3,
    TCPOPT_SACK_OK = 4,
    TCPOPT_SACK = 5,
    TCPOPT_ECHO = 6,       /* RFC 1072 */
    TCPOPT_ECHO_REPLY = 7, /* RFC 1072 */
    TCPOPT_TS = 8,
    TCPOPT_CC = 11,           /* RFC 1644 */
    TCPOPT_CC_NEW = 12,       /* RFC 1644 */
    TCPOPT_CC_ECHO = 13,      /* RFC 1644 */
    TCPOPT_MD5 = 19,          /* RFC 2385 */
    TCPOPT_SCPS = 20,         /* CCSDS 714.0-B-2 */
    TCPOPT_UTO = 28,          /* RFC 5482 */
    TCPOPT_AO = 29,           /* RFC 5925 */
    TCPOPT_MPTCP = 30,        /* RFC 8684 */
    TCPOPT_FASTOPEN = 34,     /* RFC 7413 */
    TCPOPT_EXPERIMENT2 = 254, /* RFC 6994 */
};

/* One option as it stands in the header. */
struct tcp_option {
    uint8_t kind;
    uint8_t len;         /* as its length byte says, 1 for EOL and NOP */
    const uint8_t *data; /* behind kind and length: tcp_option_data_size() bytes, fewer if
                            bad; NULL for EOL, NOP and an impossible length */
    bool bad;            /* a length that cannot be, or cut off: the rest is not read */
    uint8_t room;     /* bytes from data to the end of the header (without data: from kind) … */
    uint8_t captured; /* … and how many of them were captured */
};

#define TCP_MAX_OPTIONS 40
#define TCP_MAX_SACK 4

struct tcp_header {
    enum layer_state state;
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint16_t flags; /* TCP_* */
    uint16_t window, checksum, urgent;
    uint8_t header_len; /* bytes */
    enum sum_state sum;
    uint16_t sum_expected; /* what the checksum field should hold */
    struct tcp_option options[TCP_MAX_OPTIONS];
    unsigned n_options;
    bool options_cut; /* the capture ends where the next option would begin */
    /* The options that a connection's history needs, ready to use: */
    bool has_mss, has_wscale, sack_ok, has_ts;
    uint16_t mss;
    uint8_t wscale;
    uint32_t tsval, tsecr;
    unsigned n_sack;
    struct {
        uint32_t left, right;
    } sack[TCP_MAX_SACK];
    uint32_t payload_len; /* by the IP length, whether captured or not */
    const uint8_t *payload;
    uint32_t payload_captured;
};

/* The flags as tcpdump writes them: `S`, `S.`, `P.`, `.`, `none` … */
void strbuf_tcp_flags(struct strbuf *sb, uint16_t flags);
/* Reads what it writes, and `e` (TCP_AE), which tcpdump has too; letters may stand in any order.
 * False: there is something else in it. */
bool tcp_flags_read(const char *text, size_t n, uint16_t *flags);

/* How many sequence numbers the segment takes (data, SYN and FIN). */
static inline uint32_t tcp_seq_len(const struct tcp_header *t)
{
    return t->payload_len + !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
}

/* Whether sequence number a comes before b. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

struct udp_header {
    enum layer_state state;
    uint16_t sport, dport;
    uint16_t length;   /* the field */
    uint32_t data_len; /* what it says of the data, without the header */
    uint16_t checksum, sum_expected;
    enum sum_state sum;
    struct bytes payload; /* len: the smaller of what UDP and IP say */
};

struct icmp_header {
    enum layer_state state;
    uint8_t type, code;
    uint16_t checksum, sum_expected;
    enum sum_state sum;
    uint32_t rest;        /* the second word of the header */
    uint16_t id, seq;     /* echo */
    uint32_t mtu;         /* too big, need to fragment */
    struct ipaddr target; /* the destination of the quoted packet; version 0: none quoted */
    struct bytes quoted;  /* of an error: the packet that it answers; n 0: none */
};

struct packet {
    struct frame frame;
    struct link_header link;
    enum net_kind net;
    struct arp_header arp; /* NET_ARP */
    struct ip_header ip;   /* NET_IP */
    /* What was decoded whole, header and sane: its struct below may be used.  A
     * broken one is TRANSPORT_NONE, and `state` of the one that ip.proto names says why. */
    enum transport_kind transport;
    struct tcp_header tcp;
    struct udp_header udp;
    struct icmp_header icmp;
};

/* Decodes; never fails: what cannot be read leaves its kind NONE, and `state` of
 * its layer says why. */
void packet_decode(struct packet *p, const struct frame *frame);
/* One of ECN_…; of what is not IP, ECN_NOT_ECT. */
unsigned packet_ecn(const struct packet *p);

/* Decodes a packet inside another (quoted by ICMP, or IP in IP) that must be of
 * this IP version; p may be the packet that `inner` comes from. */
void packet_decode_inner(struct packet *p, struct bytes inner, unsigned version);

/* The extension headers of an IPv6 packet, one after another (RFC 8200 4).
 *
 * A walk starts with ip6_walk_start() and ends when ip6_walk_next() returns false:
 * `next` is then the first header that is none, and `at` stands before it. */
struct ip6_walk {
    struct bytes rest; /* from the header that `next` names */
    uint8_t next;
    bool cut;            /* the header's length is not captured */
    bool overrun;        /* the header is longer than the packet */
    bool later_fragment; /* a fragment without its beginning: no transport follows */
    /* The header that the last step passed: */
    uint8_t kind;
    struct bytes header; /* len: its own length */
};

void ip6_walk_start(struct ip6_walk *w, const struct ip_header *ip);
bool ip6_walk_next(struct ip6_walk *w);

/* The payload length of a jumbogram (RFC 2675) in a hop-by-hop options header. */
bool ip6_jumbo(struct bytes hop_options, uint32_t *jumbo);

/* How many data bytes the option takes: by its kind, or by its length byte. */
unsigned tcp_option_data_size(const struct tcp_option *o);

#endif
