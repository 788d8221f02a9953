/* What the files label*.c share while they label a story; label.c explains it. */
#ifndef PICTURE_LABEL_MODEL_H
#define PICTURE_LABEL_MODEL_H

#include "picture/label.h"
#include "transcript/timing.h"

/* ----------------------------------------------------------------------- ranges */

struct seq_range {
    uint32_t from, to; /* to: one past the last */
};

/* Ranges of sequence numbers, apart from each other and in order. */
struct seq_set {
    VEC(struct seq_range) list;
};

/* Adds one; what was there is joined with it.  Beyond a limit nothing is added. */
void seq_set_add(struct seq_set *s, struct seq_range span);
bool seq_set_have(const struct seq_set *s, struct seq_range span);
/* Forgets what lies before `from`. */
void seq_set_drop(struct seq_set *s, uint32_t from);
/* The first that ends behind `from`; list.n if none. */
size_t seq_set_find(const struct seq_set *s, uint32_t from);

/* ---------------------------------------------------------------------- one end */

/* What was sent in one segment, and is not acknowledged yet. */
struct unit {
    uint32_t from, to;
    nsec sent;      /* the last time */
    unsigned times; /* how often it was sent again */
};

enum sender_state {
    SENDER_CALM,
    SENDER_RECOVERY, /* from a fast retransmission until all that was sent by then is acknowledged
                      */
    SENDER_LOSS,     /* the same from a time-out on */
};

#define NO_SEGMENT ((size_t)-1)

/* One end of a connection, as far as labels need it.  Numbers are relative, times stamps. */
struct end {
    /* Sending: */
    uint32_t una, nxt;
    VEC(struct unit) units; /* in the order of their numbers */
    size_t head;            /* the first that is not acknowledged */
    struct seq_set sacked;  /* what the peer has beyond una */
    nsec active;            /* when it last sent or got something */
    nsec progress;          /* when una last advanced */
    nsec news;              /* when an ACK last said something new: that, a duplicate, a SACK */
    nsec rack_sent;         /* when the latest sent of all that has arrived was sent */
    size_t undecided;       /* entry of RTO_OR_PROBE that the next time-out may decide */
    struct timing_rtt rtt;
    enum sender_state state;
    uint32_t recover;       /* where that ends */
    uint32_t probe_high;    /* the tail that was probed ends here */
    unsigned dups;          /* duplicate ACKs that have arrived since una advanced */
    unsigned backoff;       /* time-outs in a row, unless `progressed` */
    unsigned keepalives;    /* in a row, unanswered */
    unsigned window_probes; /* since its peer's window closed */
    uint32_t window, edge;  /* the peer's, as it has arrived here: see offered_window(), and one
                               past the highest number that the peer is ready to take */
    uint32_t fin;           /* its number … */
    size_t fin_segment;     /* … and its first sending */
    /* Receiving: */
    struct seq_set early; /* beyond rcv_nxt */
    nsec waiting;         /* since when something in order is not acknowledged; 0: nothing is */
    uint32_t rcv_nxt;
    uint32_t nxt_at_fin; /* what it had sent when the peer's FIN came */
    /* Acknowledging: */
    struct seq_set told;  /* what it has reported by SACK */
    long answered;        /* the arrival that its last sending took for its cause, -1 */
    uint32_t last_ack;    /* that it sent … */
    uint32_t last_window; /* … and with it, see offered_window() */
    unsigned repeats;     /* duplicate ACKs in a row */
    /* What of that there is: */
    bool sent_any, sent_syn, sent_plain_syn, sent_ack, sent_ack_of_syn, sent_fin;
    bool receiving, got_fin;
    bool has_window, has_edge, has_last_window;
    bool progressed; /* una has advanced since the last time-out */
    bool probed;     /* a tail loss probe is out */
    bool told_half_close;
    /* Of its SYN, when that has reached its peer: */
    bool seen_offer, offers_sack, offers_wscale;
    uint8_t wscale;
};

struct flow_ends {
    struct end end[2];
    bool accurate_ecn; /* ECE and CWR are a counter (RFC 9768) */
};

/* The last ICMP error that says "too big" and reached a host. */
struct too_big {
    nsec time; /* 0: none */
    struct ipaddr src, dst;
    uint16_t sport, dport;
};

struct entry {
    size_t segment;
    struct label label;
};

struct labels {
    VEC(struct entry) entries; /* in the order in which they were found */
    struct label *flat;        /* the labels by segment */
    size_t *first;             /* of each segment, and one behind the last */
    size_t n;                  /* segments */
};

/* The looks at sockets of which numbers are recorded, by socket and time; borrowed. */
typedef VEC(const struct record_state *) looks;

/* A replay of the story, event by event. */
struct replay {
    const struct story *story;
    const struct record *record;
    struct labels *labels;
    struct flow_ends *flows;
    struct too_big *too_big; /* by host */
    long *early_retrans;     /* by host: the setting tcp_early_retrans, -1: not recorded */
    uint8_t *probes;         /* by segment: enum label_kind + 1 of a timer's probe */
    bool *under_way;         /* by segment: sent again when what it repeats had not arrived */
    looks looks;             /* empty: nothing was traced */
};

/* A segment at the moment at which it is sent, or arrives. */
struct moment_of {
    size_t segment;
    const struct story_segment *s;
    const struct tcp_header *t; /* as it was sent; as it has arrived */
    struct end *here, *there;   /* who sends it or gets it, and the other end */
    bool captured;              /* the sender's own host was captured: it is seen when it sends */
    nsec now;
};

/* label.c */
void replay_add(struct replay *r, size_t segment, struct label label);
/* What is still at once, for something that began at `from`. */
nsec replay_at_once(const struct replay *r, nsec from, nsec now);
bool replay_prompt(const struct replay *r, nsec from, nsec now);
struct timing_host replay_host(const struct replay *r, nsec from, nsec now);
/* Whether the host began this call between two moments. */
bool replay_called(const struct replay *r, int host, const char *verb, nsec from, nsec to);
/* The arrival that the segment answers at once and nothing has answered yet, or NULL. */
const struct story_segment *replay_answered(const struct replay *r, const struct moment_of *m);

/* label_kernel.c: what the sockets' own numbers say of a sending, where they were recorded. */
enum kernel_says {
    KERNEL_NOTHING,  /* or not what made the difference */
    KERNEL_RTO,      /* the retransmission timer had run out */
    KERNEL_PROBE,    /* a tail loss probe: sent again in a state without loss */
    KERNEL_RECOVERY, /* in fast recovery */
    KERNEL_LOSS,     /* in the recovery from an RTO, but not by another one */
    KERNEL_KEEPALIVE,
    KERNEL_ZERO_WINDOW_PROBE,
};

struct kernel_word {
    enum kernel_says says;
    unsigned rto; /* of an RTO: which in a row, from 1; 0: beyond belief */
    bool entered; /* the state that it says is a new one */
};

void looks_index(looks *list, const struct record *r);
/* Of something that is sent again, and of what looks like a probe. */
struct kernel_word kernel_says_again(const struct replay *r, const struct moment_of *m);
enum kernel_says kernel_says_probe(const struct replay *r, const struct moment_of *m);

/* label_end.c: what an end knows. */
/* The window that a segment of `from` offers, in bytes; false: its scale is not known, as the
 * SYNs were not seen, and the field itself is comparable with others, but with no SYN's. */
bool offered_window(const struct end *from, const struct end *to, const struct tcp_header *t,
                    uint32_t *window);
const struct unit *end_find_unit(const struct end *e, uint32_t from);
/* How many segments beyond `from` the peer has reported by SACK, up to `enough`. */
size_t end_sacked_beyond(const struct end *e, uint32_t from, size_t enough);
/* Each, after the labels of the moment were given. */
void end_sent(const struct moment_of *m);
void end_got(struct replay *r, const struct moment_of *m);
void end_free(struct end *e);

/* One room of labels each; they read the ends and add labels. */
void label_opening(struct replay *r, const struct moment_of *m);        /* label_connection.c */
void label_closing(struct replay *r, const struct moment_of *m);        /* label_connection.c */
void label_reset(struct replay *r, const struct moment_of *m);          /* label_connection.c */
void label_retransmission(struct replay *r, const struct moment_of *m); /* label_retransmission.c */
void label_probe(struct replay *r, const struct moment_of *m);          /* label_probe.c */
void label_new_data(struct replay *r, const struct moment_of *m);       /* label_data.c */
void label_congestion(struct replay *r, const struct moment_of *m);     /* label_data.c */
void label_arrival(struct replay *r, const struct moment_of *m);        /* label_data.c */
void label_ack(struct replay *r, const struct moment_of *m);            /* label_ack.c */

#endif
