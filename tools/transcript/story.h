/* The story of a run: the record's packets as segments, in the order in which
 * they were sent, with relative numbers, what became of each, and the values that
 * the connection's history determines (what `~` stands for). */
#ifndef TRANSCRIPT_STORY_H
#define TRANSCRIPT_STORY_H

#include "base/strbuf.h"
#include "decode/packet.h"
#include "record/record.h"

enum fate {
    FATE_UNKNOWN, /* only one end was captured */
    FATE_ARRIVED,
    FATE_LOST,
};

struct story_segment {
    size_t packet; /* index into record.packets: as its sender sent it, or as first seen */
    long arrival;  /* index of the packet at the receiver's point, -1: none */
    enum fate fate;
    bool unsent;               /* its sender was captured, and was not seen sending it */
    bool pending;              /* its receiver was captured, and had not seen it at the end */
    unsigned arrivals;         /* how often its receiver saw it; more than once: doubled … */
    bool damaged;              /* … each time with a wrong checksum: its TCP never saw it */
    bool mixed;                /* … some of them so */
    bool marked;               /* it arrived with the mark CE, and was sent without it */
    bool rewritten;            /* the wire changed it on the way */
    bool held;                 /* the wire held it back until others had passed */
    bool injected;             /* nobody sent it, the wire did: `packet` is its arrival */
    unsigned overtaken;        /* by so many of its direction that were sent later */
    nsec travel;               /* first arrival - sending, FATE_ARRIVED */
    struct packet *p;          /* decoded; owned by the story */
    struct packet *arrived;    /* as it came, if rewritten, else NULL; owned by the story */
    int from, to;              /* hosts, -1: not one of the lab's */
    char *from_port, *to_port; /* "1234", or a name for an ephemeral port: "port", "port2" */
    nsec time;                 /* since the story's first segment */
    nsec gap;                  /* since the segment before; 0 for the first */
    int flow;                  /* index into story.flows, -1: not TCP */
    int dir;                   /* 0: as the flow's first segment, 1: the other way */
    /* TCP, relative to the flow's first numbers (all modulo 2^32): */
    uint32_t seq, ack;
    uint32_t tsval, tsecr; /* milliseconds since the direction's first TSval */
    /* What the history determines, relative as well: */
    struct {
        bool known;
        uint32_t lowest, highest; /* seq: from snd_una to snd_nxt */
        bool probe;               /* without data also snd_una - 1: it may be a timer's */
    } due_seq;
    struct {
        bool known;
        uint32_t value;  /* all that had arrived in order when it was sent … */
        uint32_t before; /* … and a moment earlier: TCP may not have read it yet */
    } due_ack;
    struct {
        bool known;
        uint32_t earliest, latest; /* TSval, by the capture clock, to a tick */
    } due_tsval;
    struct {
        bool known;
        uint32_t value, before; /* TS.Recent by RFC 7323 4.3; `before`: a moment earlier */
    } due_tsecr;
    struct {
        bool known;
        uint32_t least; /* as the header has it, scaled: less takes back what was offered */
    } due_win;
    bool retransmission; /* of data (or SYN, FIN) that was sent before … */
    nsec waited;         /* … so long before, for the last time; 0: not known */
    nsec rtt; /* the largest round-trip time that its sender had measured by then; 0: none … */
    nsec rtt_least;  /* … and the smallest */
    bool rtt_single; /* it is the only one */
    /* What had reached its sender last, of the same connection: */
    bool answers;  /* something had … */
    nsec response; /* … so long before it was sent */
    long cause;    /* … and is this segment, -1: not in this story … */
    bool direct;   /* … the one before this */
};

struct story_flow {
    int host[2];
    uint16_t port[2];
    struct ipaddr addr[2];
};

struct story {
    const struct record *record;
    int point;   /* whose view it is, -1: the whole run's */
    long *owner; /* by packet of the record: the segment of which it is a sighting, -1: none */
    VEC(struct story_segment) segments;
    VEC(struct story_flow) flows;
};

/* Builds the story; the record must outlive it. */
struct story *story_new(const struct record *record);
/* The packets of one capture point only, as that point saw them (`at server: …`). */
struct story *story_at(const struct record *record, int point);
void story_free(struct story *story);
/* The stamp of its first segment, from which times count; without any, the run's begin. */
nsec story_zero(const struct story *story);

/* One transcript line, without interval and label:
 * `client.port > server.1234: Flags [S], seq 0, win 64240, options […], length 0`
 * followed by what became of it, ` lost` or ` arrives +50ms overtaken by 1`, where that
 * is not: it arrived at once. */
void story_format(struct strbuf *sb, const struct story *story, const struct story_segment *s);

/* The same without what became of it. */
void story_format_sent(struct strbuf *sb, const struct story *story, const struct story_segment *s);

/* A call's line, without interval: `client: connect server 1234 => ETIMEDOUT`. */
void story_format_call(struct strbuf *sb, const struct record *r, const struct record_call *c);
#endif
