/* The programmable wire, as a lab's script speaks of it.
 *
 *   wire ACTION FROM > TO WHICH …     a rule: something is done to certain frames
 *   wire FROM > TO PROPERTY …         how this direction is from now on
 *   wire FROM <> TO PROPERTY …        both directions
 *   wire clear FROM > TO              no rules and no properties any more
 *   wire inject SEGMENT               a segment that nobody sent
 *
 * FROM and TO are hosts on one network.  A step holds from the moment it is played, and
 * its counts begin there. */
#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/time.h"

/* X(ID, word, past): what the wire does to a frame; the last three are no rules: loss and
 * overflow are what properties do, and a frame stays that is on the wire still when the run
 * ends.  `past` tells of it: "the wire dropped it". */
#define WIRE_ACTIONS(X)                                                                            \
    X(DROP, "drop", "dropped")                                                                     \
    X(DELAY, "delay", "delayed")                                                                   \
    X(DUPLICATE, "duplicate", "duplicated")                                                        \
    X(HOLD, "hold", "held back")                                                                   \
    X(CORRUPT, "corrupt", "corrupted")                                                             \
    X(MARK, "mark", "marked CE")                                                                   \
    X(REWRITE, "rewrite", "rewrote")                                                               \
    X(INJECT, "inject", "injected")                                                                \
    X(LOSS, "loss", "lost")                                                                        \
    X(OVERFLOW, "overflow", "dropped (queue full)")                                                \
    X(STAY, "stay", "still had")

enum wire_action {
#define X(id, word, past) WIRE_##id,
    WIRE_ACTIONS(X)
#undef X
        WIRE_ACTION_COUNT
};

struct wire_action_names {
    const char *word, *past;
};
extern const struct wire_action_names wire_action_names[WIRE_ACTION_COUNT];

enum wire_pick_kind {
    WIRE_PICK_ANY,   /* any frame: `any` */
    WIRE_PICK_FLAGS, /* TCP with exactly these flags: `[S.]` */
    WIRE_PICK_DATA,  /* TCP with data: `data` */
    WIRE_PICK_ACK,   /* TCP with ACK only, and no data: `ack` */
    WIRE_PICK_SEQ,   /* TCP whose first number is this, relative, and that takes some: `seq 1449` */
    WIRE_PICK_FILTER, /* a pcap expression: `"tcp[tcpflags] & tcp-push != 0"` */
};

/* Which frames: the `first`th to the `last`th that are so, or each `every`th. */
struct wire_pick {
    enum wire_pick_kind kind;
    char *flags;  /* as tcpdump prints them: "S." */
    char *filter; /* pcap expression */
    uint32_t seq;
    unsigned first, last; /* 1-based; last 0: no end (`all`) */
    unsigned every;       /* 0: not so; else first and last are 0 */
};

enum wire_rewrite {
    WIRE_REWRITE_WINDOW,  /* `win 100`: the field, unscaled */
    WIRE_REWRITE_MSS,     /* `mss 536` */
    WIRE_REWRITE_WITHOUT, /* `without sackOK`: the option replaced by nop */
};

struct wire_rule {
    enum wire_action action;
    struct wire_pick pick;
    nsec delay;    /* WIRE_DELAY: longer than without the rule */
    unsigned more; /* WIRE_HOLD: until so many later frames have passed */
    enum wire_rewrite rewrite;
    unsigned value; /* of the window or the MSS; the option's kind */
};

/* How a direction is.  Only what `has` names was said; the rest stays as it was. */
enum wire_property {
    WIRE_HAS_DELAY = 1,
    WIRE_HAS_JITTER = 2,
    WIRE_HAS_LOSS = 4,
    WIRE_HAS_RATE = 8,
    WIRE_HAS_QUEUE = 16,
    WIRE_HAS_SEED = 32, /* never without jitter or loss, which start from 0 where it is not said */
};
struct wire_properties {
    unsigned has;
    nsec delay, jitter; /* delay ± jitter, in order */
    uint32_t loss;      /* of a million frames */
    uint64_t seed;      /* of loss and jitter */
    uint64_t rate;      /* bits per second, of frames without preamble and checksum; 0: no limit */
    uint64_t queue;     /* what may wait for the rate; more is dropped; 0: no limit */
    bool queue_bytes;   /* counted in bytes, else in frames */
    bool queue_fair;    /* a line for each flow, served in turn */
};

enum lab_wire_kind { LAB_WIRE_RULE, LAB_WIRE_PROPERTIES, LAB_WIRE_CLEAR, LAB_WIRE_INJECT };

struct lab_wire {
    enum lab_wire_kind kind;
    int from, to; /* hosts */
    bool both;    /* `<>` */
    int net;      /* the network that both are on */
    struct wire_rule rule;
    struct wire_properties properties;
    char *segment; /* LAB_WIRE_INJECT: in the transcript's notation, as written, `$NAME` too */
    struct span segment_span;
};

/* How many frames a rule has to meet, or its scene did not happen. */
static inline unsigned wire_rule_wants(const struct wire_rule *rule)
{
    return rule->pick.last ? rule->pick.last - rule->pick.first + 1 : 1;
}

#endif
