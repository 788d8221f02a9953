/* What an interval in a transcript allows, derived from how Linux keeps timers. */
#ifndef TRANSCRIPT_TIMING_H
#define TRANSCRIPT_TIMING_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/time.h"

/* Which timer an interval stems from. */
enum timing_base {
    TIMING_SYN,  /* SYN, SYN-ACK: TCP_TIMEOUT_INIT, 1 s */
    TIMING_DATA, /* everything else of TCP: TCP_RTO_MIN, 200 ms */
    TIMING_OTHER /* no TCP timer: nothing is doubled */
};

/* The machine that the record comes from. */
struct timing_host {
    nsec tick;     /* 1/HZ; 0: unknown, the coarsest that Linux has is assumed */
    nsec lateness; /* the worst that was seen beside the run */
};

/* What a time that a transcript states is that of. */
enum timing_kind {
    TIMING_TIMER,  /* a timer of the kernel's; a nominal 0: at once */
    TIMING_TRAVEL, /* a path that delays */
    TIMING_ANSWER  /* what comes at once after an arrival that was so long under way */
};

struct timing_bounds {
    enum timing_kind kind;
    nsec nominal;          /* as the transcript says */
    nsec earliest, latest; /* both inclusive */
    nsec tick, granule, rounding, lateness;
    nsec jitter; /* of the path */
    bool tick_assumed;
};

/* The round-trip times that a sender had measured, the smallest and the largest; 0: none. */
struct timing_rtt {
    nsec least, most;
    bool single; /* there is one only, so that it is known how far the RTO is from it */
};

/* How a path keeps to its delay. */
struct timing_path {
    bool foreign; /* it is not known by what clock */
    bool queue;   /* what is sent later waits the less */
    nsec jitter;  /* how much longer or shorter it may be by chance */
};

#define TIMING_COARSEST_TICK (10 * NSEC_PER_MSEC)
/* `+0`: sooner than any timer of TCP can fire (half of TCP_DELACK_MIN). */
#define TIMING_DELACK_MIN (40 * NSEC_PER_MSEC) /* TCP_DELACK_MIN, include/net/tcp.h */
#define TIMING_AT_ONCE (TIMING_DELACK_MIN / 2)
/* From the interrupt to the packet's stamp, on an idle machine too. */
#define TIMING_MIN_LATENESS (250 * NSEC_PER_USEC)
/* The longest interval that a transcript may state. */
#define TIMING_LONGEST (INT64_C(30) * 86400 * NSEC_PER_SEC)

struct timing_bounds timing_derive(const struct timing_host *host, nsec nominal,
                                   enum timing_base base, struct timing_rtt rtt);
bool timing_within(const struct timing_bounds *b, nsec measured);

/* How long a path that delays by `nominal` may take: no TCP timer is involved. */
struct timing_bounds timing_travel(const struct timing_host *host, nsec nominal,
                                   const struct timing_path *path);

/* When the answer may come to a segment that was under way for `nominal`, if the answer took
 * `response`; and to one that was it since another segment was sent in between. */
struct timing_bounds timing_answer(const struct timing_host *host, nsec nominal,
                                   const struct timing_path *path, nsec response);
struct timing_bounds timing_answer_later(const struct timing_host *host, nsec nominal,
                                         const struct timing_path *path);

/* What tcp_set_rto() takes for the base RTO of data with this round-trip time. */
nsec timing_rto(nsec rtt);

/* What a sender of data waits for; the head of timing.c has how long each is. */
enum timing_wait {
    TIMING_WAIT_RTO,
    TIMING_WAIT_PROBE,         /* tail loss probe, one segment in flight */
    TIMING_WAIT_PROBE_SEVERAL, /* … several */
    TIMING_WAIT_RACK           /* a segment that may only be late */
};

/* Whether `measured` can be this wait, `doubled` so many times: from where it would end at
 * the earliest with the round-trip times that were measured to where it would at the latest.
 * A probe comes no later than the RTO would; RACK's wait may have begun before. */
bool timing_may_be(const struct timing_host *host, enum timing_wait wait, unsigned doubled,
                   struct timing_rtt rtt, nsec measured);

/* "2 s = 500 ticks of 4 ms: granule 32 ms, rounding 8 ms, host lateness 0.3 ms" */
void timing_explain(struct strbuf *sb, const struct timing_bounds *b);
/* "2 s … 2.04 s", "at most 20.3 ms" */
void timing_range(struct strbuf *sb, const struct timing_bounds *b);
/* As strbuf_approx(), without zeros that say nothing: "2 s", "1.024 s", "0.25 ms". */
void timing_number(struct strbuf *sb, nsec t);

#endif
