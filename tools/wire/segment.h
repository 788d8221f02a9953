/* A segment that nobody sent, built to go into a conversation. */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include "base/error.h"
#include "wire/flow.h"
#include "wire/frame.h"

enum { WIRE_SEGMENT_OPTIONS = 10 };

struct wire_option {
    uint8_t kind;  /* TCPOPT_* */
    uint32_t a, b; /* mss; wscale; TSval, TSecr; left and right edge of a SACK block */
};

/* Numbers are relative to the conversation, as in a transcript. */
struct wire_segment {
    struct ipaddr src, dst;
    uint16_t sport, dport; /* 0: that of the conversation between the two ends */
    uint16_t flags;        /* TCP_* */
    uint32_t seq, ack;
    uint16_t window, urgent;
    struct wire_option options[WIRE_SEGMENT_OPTIONS];
    unsigned n_options;
    uint32_t length; /* of data: filler */
};

enum { WIRE_SEGMENT_DATA = 1400 }; /* bytes at the most */

/* The frame from one hardware address to another; NULL and STATUS_USAGE if its numbers
 * are relative to a conversation that the wire has not seen.  The caller frees it. */
struct wire_frame *wire_segment_build(const struct wire_segment *s, const struct wire_flows *flows,
                                      const uint8_t src_mac[6], const uint8_t dst_mac[6], nsec now,
                                      struct error *err);

#endif
