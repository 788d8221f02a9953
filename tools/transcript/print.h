/* Packets in the words of tcpdump 4.99, header part only. */
#ifndef TRANSCRIPT_PRINT_H
#define TRANSCRIPT_PRINT_H

#include "base/strbuf.h"
#include "decode/packet.h"

/* How the transcript differs from tcpdump: names for addresses and ports, and
 * numbers relative to a connection's first.  All zero: plain tcpdump -n -S. */
struct print_style {
    /* Writes a host's name for an address; NULL or false: the address itself. */
    bool (*name)(void *ctx, struct strbuf *sb, const struct ipaddr *addr);
    /* Writes the name of the interface that a Linux cooked frame (v2) came by;
     * NULL or false: `?`. */
    bool (*iface)(void *ctx, struct strbuf *sb, uint32_t ifindex);
    /* Called for each segment before its numbers are written, for those inside other
     * packets too, with a copy whose bases it may set; NULL: the bases below. */
    void (*number)(void *ctx, const struct packet *p, struct print_style *style);
    void *ctx;
    uint32_t seq_base, ack_base; /* subtracted from seq, and from ack and SACK edges */
    uint32_t sack_base;          /* subtracted from SACK edges besides ack_base */
    uint32_t tsval_base, tsecr_base;
    bool relative_syn; /* subtract seq_base from a SYN's number too */
    bool checksums;    /* -v: cksum 0x… (correct), and the IP header in parentheses */
};

/* What -v says of ECN_… (decode/packet.h): "", "ECT(1)", "ECT(0)", "CE". */
extern const char *const print_ecn[4];

/* From `Flags [` to `length N`. */
void print_tcp(struct strbuf *sb, const struct packet *p, const struct print_style *style);

/* The options between the brackets: `mss 1460,sackOK,…`. */
void print_tcp_options(struct strbuf *sb, const struct packet *p, const struct print_style *style);

/* The whole line behind the time stamp, as `tcpdump -n` prints it:
 * `IP 10.0.0.1.4000 > 10.0.0.2.1234: Flags [S], …`, `ARP, Request who-has …`. */
void print_packet(struct strbuf *sb, const struct packet *p, const struct print_style *style);

/* What stands in place of time and packet where a capture file gives a frame lengths
 * that cannot be; false if they can. */
bool print_bad_frame(struct strbuf *sb, const struct frame *frame);

#endif
