/* Synthetic frames and records for unit tests: Ethernet, IPv4 or IPv6, TCP and a
 * few others, with right lengths and checksums, from the fields a test cares for.
 *
 *     struct record *r = build_record();
 *     build_sent(r, 0, 50 * NSEC_PER_USEC,
 *                &(struct build_tcp){.flags = "S", .seq = 1000, .win = 64240, .mss = 1460,
 *                                    .sack_ok = true, .ts = true, .tsval = 500, .wscale = 7});
 */
#ifndef TESTS_BUILD_PACKET_H
#define TESTS_BUILD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "record/record.h"

#define BUILD_MAX_FRAME 66000 /* bytes that every builder may write */

/* A segment.  Options are laid out as Linux does: mss, sackOK, TS, nop, wscale on
 * a SYN; nop, nop, TS, nop, nop, sack elsewhere. */
struct build_tcp {
    const char *src, *dst; /* NULL: "10.0.0.1" (the client), "10.0.0.2" (the server) */
    uint16_t sport, dport; /* 0: 40000 and 1234 */
    bool reply;            /* swaps both addresses and both ports */
    bool bad_sum;
    const char *flags; /* as tcpdump prints them: "S", "S.", ".", "P.", "F.", "R" */
    uint32_t seq, ack; /* raw */
    uint16_t win;
    uint16_t id;    /* IPv4 identification */
    uint8_t ecn;    /* the two bits of the IP header */
    uint16_t mss;   /* 0: none */
    uint8_t wscale; /* 0: none */
    bool sack_ok;
    bool ts;
    uint32_t tsval, tsecr;
    unsigned n_sack;
    struct {
        uint32_t left, right;
    } sack[3];
    const uint8_t *options; /* instead of the above: raw bytes, a multiple of 4 */
    size_t options_len;
    const char *data; /* NULL: len bytes of 'x' */
    size_t len;       /* 0 with data: strlen(data) */
};

/* Each writes a frame to buf (BUILD_MAX_FRAME bytes) and returns its length. */
size_t build_tcp(uint8_t *buf, const struct build_tcp *b);
size_t build_udp(uint8_t *buf, const char *src, uint16_t sport, const char *dst, uint16_t dport,
                 const void *data, size_t len);
/* op 1: request, 2: reply.  Hardware addresses follow from the IP addresses. */
size_t build_arp(uint8_t *buf, unsigned op, const char *sender, const char *target);
/* IPv4 destination unreachable, quoting the IP packet inside an Ethernet frame. */
size_t build_unreachable(uint8_t *buf, const char *src, const char *dst, unsigned code,
                         const uint8_t *quoted_frame, size_t quoted_len);

/* A stamp in a synthetic run: `at` after 2026-01-01 00:00:00 UTC. */
nsec build_time(nsec at);

/* A record of two hosts, client 10.0.0.1 + fd00::1 and server 10.0.0.2 + fd00::2, each with a
 * capture point (0 and 1); tick 4 ms, no lateness, begun at build_time(0). */
struct record *build_record(void);
/* Takes the last capture point away: nobody captured there. */
void build_uncaptured(struct record *r);

/* A frame as seen at one point. */
enum build_seen { BUILD_UNKNOWN, BUILD_OUT, BUILD_IN };
void build_seen(struct record *r, int point, enum build_seen how, nsec at, const uint8_t *buf,
                size_t len);
void build_seen_tcp(struct record *r, int point, enum build_seen how, nsec at,
                    const struct build_tcp *b);

/* Takes the last frame away. */
void build_unseen(struct record *r);

#define BUILD_LOST (-1)

/* A segment sent at `at`, seen at both its sender's and its receiver's point; `travel`
 * later there, or never (BUILD_LOST).  Hosts by address, point = host. */
void build_sent(struct record *r, nsec at, nsec travel, const struct build_tcp *b);

/* A call of a host that took from began to ended (0: not finished), without a result
 * stated; errnum 0: it did not fail and returned value. */
struct record_call *build_call(struct record *r, int host, const char *verb, const char *args,
                               nsec began, nsec ended, int errnum, int64_t value);

/* Call it when all is added: sorts, and sets ended to the last moment seen, unless later. */
void build_done(struct record *r, nsec ended);

#endif
