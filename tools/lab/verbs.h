/* The verbs of the lab language: one table.  The parser takes argument kinds
 * from it, the host agent its handlers (by the same X-macro, so that neither can
 * drift), `tcplab verbs` and docs/lab-language.md their reference. */
#ifndef LAB_VERBS_H
#define LAB_VERBS_H

#include <stddef.h>

#include "base/strbuf.h"

enum arg_kind {
    ARG_HOST,     /* the name of a host */
    ARG_PORT,     /* 1..65535 */
    ARG_NUMBER,   /* a whole number */
    ARG_SIZE,     /* a number of bytes */
    ARG_STRING,   /* "…" with \n \t \r \\ \" \xHH */
    ARG_DATA,     /* a string, or `N bytes` of filler */
    ARG_DURATION, /* 200ms */
    ARG_VALUE,    /* of a socket option: a whole number, or for `congestion` a name */
    ARG_WORD,     /* one of the words the help names, or a free word */
    ARG_REST,     /* all words to the end of the line */
};

/* X(name, level, option): what `set` knows; each takes a whole number. */
#define SOCKET_OPTIONS(X)                                                                          \
    X("nodelay", IPPROTO_TCP, TCP_NODELAY)                                                         \
    X("cork", IPPROTO_TCP, TCP_CORK)                                                               \
    X("quickack", IPPROTO_TCP, TCP_QUICKACK)                                                       \
    X("keepidle", IPPROTO_TCP, TCP_KEEPIDLE)                                                       \
    X("keepintvl", IPPROTO_TCP, TCP_KEEPINTVL)                                                     \
    X("keepcnt", IPPROTO_TCP, TCP_KEEPCNT)                                                         \
    X("user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT)                                               \
    X("linger2", IPPROTO_TCP, TCP_LINGER2)                                                         \
    X("syncnt", IPPROTO_TCP, TCP_SYNCNT)                                                           \
    X("maxseg", IPPROTO_TCP, TCP_MAXSEG)                                                           \
    X("window_clamp", IPPROTO_TCP, TCP_WINDOW_CLAMP)                                               \
    X("fastopen", IPPROTO_TCP, TCP_FASTOPEN)                                                       \
    X("fastopen_connect", IPPROTO_TCP, TCP_FASTOPEN_CONNECT)                                       \
    X("ttl", IPPROTO_IP, IP_TTL)                                                                   \
    X("keepalive", SOL_SOCKET, SO_KEEPALIVE)                                                       \
    X("linger", SOL_SOCKET, SO_LINGER)                                                             \
    X("reuseaddr", SOL_SOCKET, SO_REUSEADDR)                                                       \
    X("rcvbuf", SOL_SOCKET, SO_RCVBUF)                                                             \
    X("sndbuf", SOL_SOCKET, SO_SNDBUF)                                                             \
    X("oobinline", SOL_SOCKET, SO_OOBINLINE)
#define SOCKET_OPTION_NAME(name, level, option) name "|"

/* The one whose value is a name: TCP_CONGESTION. */
#define CONGESTION_OPTION "congestion"

/* X(name, member): what `info` tells of struct tcp_info, as the kernel counts it. */
#define TCP_INFO_FIELDS(X)                                                                         \
    X("cwnd", tcpi_snd_cwnd)                                                                       \
    X("ssthresh", tcpi_snd_ssthresh)                                                               \
    X("unacked", tcpi_unacked)                                                                     \
    X("sacked", tcpi_sacked)                                                                       \
    X("lost", tcpi_lost)                                                                           \
    X("retrans", tcpi_retrans)                                                                     \
    X("total_retrans", tcpi_total_retrans)                                                         \
    X("retransmits", tcpi_retransmits)                                                             \
    X("backoff", tcpi_backoff)                                                                     \
    X("probes", tcpi_probes)                                                                       \
    X("rto", tcpi_rto)                                                                             \
    X("rtt", tcpi_rtt)                                                                             \
    X("snd_mss", tcpi_snd_mss)                                                                     \
    X("rcv_mss", tcpi_rcv_mss)                                                                     \
    X("advmss", tcpi_advmss)                                                                       \
    X("pmtu", tcpi_pmtu)                                                                           \
    X("reordering", tcpi_reordering)                                                               \
    X("notsent_bytes", tcpi_notsent_bytes)
#define TCP_INFO_FIELD_NAME(name, member) name "|"

/* The one that is a word: the state of congestion control, enum tcp_ca_state. */
#define CA_STATE_FIELD "ca_state"

/* X(ID, name, signature, help)
 * Signature: argument kinds in order; from a `?` on the rest may be left out (as a
 * whole); a literal word in quotes must stand there and is no argument of its own;
 * `a|b` is a word, one of these.  These are calls, made on a host by its agent: */
#define HOST_VERBS(X)                                                                              \
    X(LISTEN, "listen", "port ?'backlog' number",                                                  \
      "socket, bind to PORT on every address and listen; `backlog N` is the queue's length")       \
    X(ACCEPT, "accept", "?port",                                                                   \
      "take the next connection from the listener (of PORT, if there are several)")                \
    X(BIND, "bind", "port", "give the next connect this local PORT")                               \
    X(CONNECT, "connect", "host port", "open a connection to HOST and PORT, and wait for it")      \
    X(SEND, "send", "data ?urgent|more",                                                           \
      "write a string, or `N bytes` of filler; the result is the count. `urgent`: the last byte "  \
      "is urgent (MSG_OOB); `more`: more will follow, as under cork (MSG_MORE)")                   \
    X(RECV, "recv", "size ?some|urgent",                                                           \
      "read SIZE bytes (fewer only at the end); the result is the count, 0 at the end, or the "    \
      "text. `some`: what there is, at most SIZE; `urgent`: the urgent byte (MSG_OOB)")            \
    X(SOCKATMARK, "sockatmark", "",                                                                \
      "whether the next byte to read is the urgent one, or where it was: 1 or 0")                  \
    X(SHUTDOWN, "shutdown", "read|write|both", "shut down `read`, `write` or `both`")              \
    X(CLOSE, "close", "", "close the connection; without one, the listener")                       \
    X(SET, "set", SOCKET_OPTIONS(SOCKET_OPTION_NAME) CONGESTION_OPTION " value",                   \
      "set a socket option of the connection (or of its next one)")                                \
    X(STATE, "state", "",                                                                          \
      "ask the kernel for the connection's state, such as ESTABLISHED, also when it is closed; "   \
      "a stated one is awaited")                                                                   \
    X(INFO, "info", TCP_INFO_FIELDS(TCP_INFO_FIELD_NAME) CA_STATE_FIELD,                           \
      "ask the kernel for a number of the connection (TCP_INFO; rto and rtt in microseconds); a "  \
      "stated one is awaited")                                                                     \
    X(VANISH, "vanish", "",                                                                        \
      "destroy the connection in silence, as a power cut would: nothing is sent (TCP_REPAIR)")

/* These are steps of the stage, made by the director: */
#define STAGE_VERBS(X)                                                                             \
    X(UNPLUG, "unplug", "host", "pull HOST's cable out of the switch")                             \
    X(REPLUG, "replug", "host", "plug it in again, and wait until the link is up")                 \
    X(WIRE, "wire", "", "program the wire between two hosts, from now on; its forms are below")    \
    X(RUN, "run", "host rest", "run a program of this machine on HOST and wait for its end")       \
    X(WAIT_TIME, "wait", "duration", "let time pass")                                              \
    X(WAIT_PACKETS, "wait", "",                                                                    \
      "`wait client > server [S] x6 within 40s`: until so many such segments were sent")

/* X(ID, word, usage, help): the forms of `wire`, and then what their words stand for. */
#define WIRE_FORMS(X)                                                                              \
    X(DROP, "drop", "wire drop FROM > TO WHICH", "these frames never arrive")                      \
    X(CORRUPT, "corrupt", "wire corrupt FROM > TO WHICH",                                          \
      "they arrive damaged: their TCP checksum is wrong")                                          \
    X(DUPLICATE, "duplicate", "wire duplicate FROM > TO WHICH", "they arrive twice")               \
    X(DELAY, "delay", "wire delay FROM > TO WHICH by DURATION",                                    \
      "they arrive so much later; others may overtake them")                                       \
    X(HOLD, "hold", "wire hold FROM > TO WHICH until N more",                                      \
      "they go on when N later frames of this direction have passed")                              \
    X(SWAP, "swap", "wire swap FROM > TO WHICH",                                                   \
      "the next frame overtakes: `hold … until 1 more`")                                           \
    X(MARK, "mark", "wire mark FROM > TO WHICH ce",                                                \
      "they arrive with the mark Congestion Experienced (ECN), as from a congested router")        \
    X(REWRITE, "rewrite",                                                                          \
      "wire rewrite FROM > TO WHICH win N | mss N | without mss|wscale|sackOK|TS",                 \
      "the window field or the option mss gets another value, or an option is replaced by nop; "   \
      "the checksum is made right again")                                                          \
    X(INJECT, "inject", "wire inject FROM.PORT > TO.PORT: Flags [FLAGS], …",                       \
      "TO gets a segment, in the notation of transcripts, that FROM never sent")                   \
    X(CLEAR, "clear", "wire clear FROM > TO",                                                      \
      "this direction has no rules and properties any more")                                       \
    X(PROPERTIES, "", "wire FROM > TO PROPERTY…", "how this direction is from now on")             \
    X(BOTH, "", "wire FROM <> TO PROPERTY…", "how both directions are from now on")
#define WIRE_WORDS(X)                                                                              \
    X("WHICH",                                                                                     \
      "`[FLAGS]`, `data`, `ack` (with nothing else), `any`, `seq N`, or a pcap filter in double "  \
      "quotes; then `N`, `N..M`, `all` or `every Nth`, and without it the first")                  \
    X("PROPERTY",                                                                                  \
      "`delay DURATION`, `jitter DURATION`, `loss PERCENT%`, `seed N`, "                           \
      "`rate N` with `bit`, `kbit`, `mbit` or `gbit`, `queue N packets` or `queue N bytes`, "      \
      "either with `fair` behind it")

enum wire_form_id {
#define X(id, word, usage, help) WIRE_FORM_##id,
    WIRE_FORMS(X)
#undef X
        WIRE_FORM_COUNT
};

struct wire_form {
    const char *word; /* "" where a host follows at once */
    const char *usage, *help;
};

extern const struct wire_form wire_forms[WIRE_FORM_COUNT];

enum verb_id {
#define X(id, name, signature, help) VERB_##id,
    HOST_VERBS(X) STAGE_VERBS(X)
#undef X
        VERB_COUNT
};

struct verb {
    const char *name, *signature, *help;
    int on_host; /* a call of a host, not a step of the stage */
};

extern const struct verb verbs[VERB_COUNT];

/* One place of a signature. */
struct verb_slot {
    enum arg_kind kind;
    int optional;        /* this and all that follow may be left out */
    const char *literal; /* the word that must stand here, or the choices "a|b"; else NULL */
    size_t literal_len;
    int choice; /* literal holds choices */
};

/* Takes the next place off *signature; 0 at its end. */
int verb_next_slot(const char **signature, struct verb_slot *slot);

/* "connect HOST PORT": the verb and what stands behind it, for hints and reference. */
void verb_usage(struct strbuf *out, const struct verb *verb);

/* The reference, as plain text for a terminal or as a Markdown table. */
void verbs_reference(struct strbuf *out, int markdown);

#endif
