/* A decoded packet: values only, no text.  packet_decode() fills it from bytes
 * through one bounds-checked cursor; pointers lead into those bytes. */
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

enum sum_state { SUM_UNKNOWN /* not all bytes there, or a fragment */, SUM_GOOD, SUM_BAD };

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

/* One option as it stands in the header. */
struct tcp_option {
    uint8_t kind;
    uint8_t len;         /* the whole option, 1 for EOL and NOP */
    const uint8_t *data; /* len - 2 bytes behind kind and length; NULL for EOL and NOP */
    bool bad;            /* a length that cannot be, or cut off: the rest is not read */
};

#define TCP_MAX_OPTIONS 40
#define TCP_MAX_SACK 4

struct tcp_header {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint16_t flags; /* TCP_* */
    uint16_t window, checksum, urgent;
    uint8_t header_len; /* bytes */
    enum sum_state sum;
    uint16_t sum_expected; /* what the checksum field should hold */
    struct tcp_option options[TCP_MAX_OPTIONS];
    unsigned n_options;
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

/* How many sequence numbers the segment takes (data, SYN and FIN). */
static inline uint32_t tcp_seq_len(const struct tcp_header *t)
{
    return t->payload_len + !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
}

enum net_kind { NET_NONE, NET_ARP, NET_IP, NET_OTHER };
enum transport_kind {
    TRANSPORT_NONE,
    TRANSPORT_TCP,
    TRANSPORT_UDP,
    TRANSPORT_ICMP,
    TRANSPORT_OTHER
};

/* H1 (decode) owns what follows and extends it: ARP, IP, UDP, ICMP, link layer. */
struct ip_header {
    uint8_t version;
    struct ipaddr src, dst;
    uint8_t proto; /* of the transport, behind extension headers */
    uint8_t ttl, tos;
    uint32_t flow; /* version 6 */
    uint16_t id;
    bool df, mf;
    uint16_t fragment_offset; /* bytes */
    uint32_t total_len;
    enum sum_state sum;
};

struct packet {
    struct frame frame;
    enum net_kind net;
    struct ip_header ip;
    enum transport_kind transport;
    struct tcp_header tcp;
};

/* Decodes; never fails: what cannot be read leaves its kind NONE and says so by
 * `truncated` or `malformed` of its layer. */
void packet_decode(struct packet *p, const struct frame *frame);

#endif
