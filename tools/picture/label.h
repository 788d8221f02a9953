/* What a teacher would write beside each TCP segment: that it is a retransmission, and why
 * it was sent again; a duplicate ACK, and which; a window update, a keep-alive …
 *
 * Each label is derived from the record alone, by the rule that stands in docs/labels.md.
 * Both ends are captured on one clock, so it is known what had reached a host when it sent;
 * where the record cannot tell, the label is the general one, and says so. */
#ifndef PICTURE_LABEL_H
#define PICTURE_LABEL_H

#include "base/strbuf.h"
#include "transcript/story.h"

/* kind, name (a word for JSON, CSS …), short text for a narrow column */
#define LABEL_KINDS(X)                                                                             \
    /* Opening */                                                                                  \
    X(SYN_RETRANSMISSION, "syn-retransmission", "SYN again")                                       \
    X(SYN_ACK_RETRANSMISSION, "syn-ack-retransmission", "SYN-ACK again")                           \
    X(SYN_ACK_REPEATED, "syn-ack-repeated", "SYN-ACK again")                                       \
    X(SIMULTANEOUS_OPEN, "simultaneous-open", "crossing SYN")                                      \
    X(ESTABLISHED, "established", "established")                                                   \
    X(ECN_ASKED, "ecn-asked", "ECN?")                                                              \
    X(ECN_GRANTED, "ecn-granted", "ECN yes")                                                       \
    X(FAST_OPEN_REQUEST, "fast-open-request", "TFO cookie?")                                       \
    X(FAST_OPEN_COOKIE, "fast-open-cookie", "TFO cookie")                                          \
    X(FAST_OPEN_DATA, "fast-open-data", "TFO data")                                                \
    /* Sent again, and why */                                                                      \
    X(RTO, "rto", "RTO")                                                                           \
    X(TAIL_LOSS_PROBE, "tail-loss-probe", "TLP")                                                   \
    X(RTO_OR_PROBE, "rto-or-probe", "RTO or TLP")                                                  \
    X(TIMER, "timer", "timer")                                                                     \
    X(AFTER_RTO, "after-rto", "after RTO")                                                         \
    X(FAST, "fast", "fast")                                                                        \
    X(RACK, "rack", "RACK")                                                                        \
    X(RECOVERY, "recovery", "recovery")                                                            \
    X(PARTIAL, "partial", "partial ACK")                                                           \
    X(PATH_MTU, "path-mtu", "path MTU")                                                            \
    X(RETRANSMISSION, "retransmission", "again")                                                   \
    X(SPURIOUS_UNDER_WAY, "spurious-under-way", "spurious")                                        \
    X(SPURIOUS, "spurious", "spurious")                                                            \
    /* Data */                                                                                     \
    X(LIMITED_TRANSMIT, "limited-transmit", "limited tx")                                          \
    X(WINDOW_FULL, "window-full", "window full")                                                   \
    X(BEHIND, "behind", "late or again")                                                           \
    X(OUT_OF_ORDER, "out-of-order", "overtaken")                                                   \
    /* Probes of a timer, and their answers */                                                     \
    X(KEEPALIVE, "keep-alive", "keep-alive")                                                       \
    X(KEEPALIVE_ANSWER, "keep-alive-answer", "alive")                                              \
    X(ZERO_WINDOW_PROBE, "zero-window-probe", "win probe")                                         \
    X(ZERO_WINDOW_PROBE_ANSWER, "zero-window-probe-answer", "win answer")                          \
    X(PROBE, "probe", "probe")                                                                     \
    X(PROBE_ANSWER, "probe-answer", "answer")                                                      \
    /* Acknowledgments */                                                                          \
    X(DUPLICATE_ACK, "duplicate-ack", "dup ACK")                                                   \
    X(DSACK, "dsack", "DSACK")                                                                     \
    X(PARTIAL_ACK, "partial-ack", "partial")                                                       \
    X(FULL_ACK, "full-ack", "full ACK")                                                            \
    X(DELAYED_ACK, "delayed-ack", "delayed ACK")                                                   \
    X(REPEATED_ACK, "repeated-ack", "ACK again")                                                   \
    X(CHALLENGE_ACK, "challenge-ack", "challenge")                                                 \
    X(ZERO_WINDOW, "zero-window", "window 0")                                                      \
    X(WINDOW_UPDATE, "window-update", "window up")                                                 \
    /* Congestion that is told, not guessed from a loss */                                         \
    X(CE, "ce", "CE")                                                                              \
    X(ECE, "ece", "ECE")                                                                           \
    X(CWR, "cwr", "CWR")                                                                           \
    /* Closing */                                                                                  \
    X(HALF_CLOSE, "half-close", "half-close")                                                      \
    X(SIMULTANEOUS_CLOSE, "simultaneous-close", "crossing FIN")                                    \
    X(FIN_ACK, "fin-ack", "ACK of FIN")                                                            \
    X(LAST_ACK, "last-ack", "last ACK")                                                            \
    X(TIME_WAIT_ACK, "time-wait-ack", "TIME-WAIT")                                                 \
    X(REFUSED, "refused", "refused")                                                               \
    X(ABORT, "abort", "abort")                                                                     \
    X(UNKNOWN_CONNECTION, "unknown-connection", "unknown")                                         \
    X(AFTER_CLOSE, "after-close", "was closed")                                                    \
    X(GAVE_UP, "gave-up", "gave up")                                                               \
    X(RESET, "reset", "reset")

#define LABEL_ENUM(kind, name, text) LABEL_##kind,
enum label_kind { LABEL_KINDS(LABEL_ENUM) LABEL_KINDS_N };
#undef LABEL_ENUM

/* What a label rests on. */
enum label_basis {
    LABEL_BY_RULE,   /* the packets, and their times */
    LABEL_CONFIRMED, /* the same, and the numbers of the sender's socket say so, too */
    LABEL_BY_KERNEL, /* these numbers, against the rule or where the packets do not tell */
};

struct label {
    enum label_kind kind;
    enum label_basis basis;
    unsigned n;        /* of what is counted (retransmissions of the same data, duplicate ACKs,
                          probes …) which it is, from 1; 0: not counted */
    nsec after;        /* how long it waited; 0: it was sent at once, or it is not known */
    unsigned rto;      /* of an RTO: which in a row, by the kernel's count; 0: not known */
    bool after_ack;    /* … from the ACK that set the timer anew; else from the sending before */
    uint32_t from, to; /* DSACK: what had arrived already, relative sequence numbers */
};

/* The labels of a story, also of a capture point's view; the story must outlive them. */
struct labels *labels_new(const struct story *story);
void labels_free(struct labels *labels);

/* The segment's labels, the most telling one first; returns how many.  `*first` is owned by
 * `labels`, and not set when there are none. */
size_t labels_of(const struct labels *labels, size_t segment, const struct label **first);

/* "retransmission 2 (RTO, after 408 ms)", "duplicate ACK 3" … */
void label_format(struct strbuf *sb, const struct label *label);
/* For a narrow column, at most 13 characters: "RTO", "dup ACK" …; of what is counted the
 * number may be put behind. */
const char *label_short(enum label_kind kind);
/* That number: of an RTO the kernel's, where it is known. */
unsigned label_short_number(const struct label *label);
/* "rto", "duplicate-ack" …: a name that stays. */
const char *label_name(enum label_kind kind);

#endif
