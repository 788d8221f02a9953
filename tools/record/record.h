/* The record of a run: everything that was seen and done, as plain values.
 *
 * `run` fills it live, record_load() from the evidence of an earlier run,
 * record_from_capture() from somebody's capture file.  All that judges or shows
 * a run reads only this, so it works the same on all three. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/tcp_state.h"
#include "base/time.h"
#include "decode/packet.h"
#include "lab/wire.h"

/* Where packets were captured: one interface of one host. */
struct record_point {
    char *name; /* the host's name, or host:iface where a host has several points */
    int host;   /* index into record.hosts, -1: unknown (a foreign capture) */
    char *iface;
    char *filter;
    int linktype;
    uint64_t received, dropped; /* by libpcap's statistics; drops forbid PASS */
};

struct record_host {
    char *name;
    VEC(struct ipaddr) addrs;
};

/* Who is at an address and port: for a foreign capture in which hosts share one
 * address (both ends on a machine's loopback).  Such a port is well known. */
struct record_endpoint {
    struct ipaddr addr;
    uint16_t port;
    int host;
};

/* A frame at one capture point; record.packets is sorted by time. */
struct record_packet {
    int point;
    bool outgoing, incoming; /* seen from the point's host; both false: unknown */
    struct frame frame;      /* frame.data is owned by the record */
};

/* A call that a host made: a line of the script. */
struct record_call {
    int host;
    char *as;          /* connection name, NULL: the host's own */
    char *verb;        /* "connect" */
    char *args;        /* "server 1234", as written; "" if none */
    nsec began, ended; /* stamps; ended is 0 while unfinished at the end of the run */
    bool failed;
    int64_t value; /* what it returned when it did not fail */
    int errnum;    /* when it failed */
    char *text;    /* words or text it returned (state, recv), else NULL */
    size_t text_len;
    char *expected; /* what the script stated behind =>, NULL if nothing */
    bool as_stated; /* whether the result is the one stated (or success, if none was) */
    size_t step;    /* index of the script's step */
};

/* Something that happened to a host's cables. */
enum event_kind { EVENT_UNPLUG, EVENT_REPLUG };

struct record_event {
    enum event_kind kind;
    nsec time;
    int host;
};

/* What the wire did to one frame. */
struct record_wire {
    enum wire_action action;
    nsec time;    /* when the frame came to the wire; of an injected one, when it was sent on */
    int from, to; /* neighbours: the hop on which it did it */
    long step;    /* the script's step that asked for it; -1: none did */
    /* Where on its way, indexes into record.packets; -1: nobody saw it there: */
    long packet;  /* first, before the wire: as it left its sender, if that was captured */
    long arrival; /* last, what became of it, where that is another frame (rewritten, injected):
                     as its receiver got it, if that was captured */
};

/* X(member, name in the evidence): what the kernel keeps for a connection, from struct
 * tcp_info; times are nanoseconds, ca_state is an index into tcp_ca_state_names. */
#define RECORD_VALUES(X)                                                                           \
    X(rto, "rto_ns")                                                                               \
    X(backoff, "backoff")                                                                          \
    X(cwnd, "cwnd")                                                                                \
    X(ssthresh, "ssthresh")                                                                        \
    X(srtt, "srtt_ns")                                                                             \
    X(rttvar, "rttvar_ns")                                                                         \
    X(ca_state, "ca_state")                                                                        \
    X(unacked, "unacked")                                                                          \
    X(sacked, "sacked")                                                                            \
    X(lost, "lost")                                                                                \
    X(retrans, "retrans")                                                                          \
    X(total_retrans, "total_retrans")                                                              \
    X(retransmits, "retransmits")                                                                  \
    X(probes, "probes")                                                                            \
    X(notsent_bytes, "notsent_bytes")                                                              \
    X(snd_wnd, "snd_wnd")                                                                          \
    X(rcv_space, "rcv_space")

/* -1: this kernel does not tell. */
struct record_values {
#define X(member, name) int64_t member;
    RECORD_VALUES(X)
#undef X
};

/* A look at one socket of a host that saw something new: another state than the look
 * before, or, where the lab traces the host, another value (then both states are the
 * same).  What came and went between two looks is not there. */
struct record_state {
    nsec time;  /* of the look: the state was this by then */
    nsec after; /* of the look before it, which saw `old`; 0: it was the first */
    int host;
    struct ipaddr local, remote; /* remote.version 0: a listener */
    uint16_t local_port, remote_port;
    enum tcp_state old; /* TCP_STATE_NONE: it had not been seen before */
    enum tcp_state new; /* CLOSED: the kernel has no such socket any more */
    bool has_values;
    struct record_values values;
};

#define RECORD_STATES_MAX 32768

/* Two hosts with a wire between them. */
struct record_wires {
    int a, b;
};

/* A time in which the machine did not keep time: a timer due at `from` came at `to`. */
struct record_stall {
    nsec from, to;
};

#define RECORD_STALL_MIN NSEC_PER_MSEC /* shorter ones are not listed */
#define RECORD_STALLS_MAX 4096

struct record_sysctl {
    int host;
    char *key, *value;
    bool absent; /* this kernel does not have the key; it was left out */
};

struct record {
    char *lab;
    char *kernel, *machine, *version; /* uname release and machine; tcplab's version */
    char *clock;                      /* "real" or "virtual" */
    unsigned ip;                      /* 4, or 6: the lab was played with IPv6 addresses */
    nsec tick;                        /* 1/HZ; 0: unknown */
    nsec lateness;                    /* the worst that the timers beside the run, or a wire, saw */
    nsec clock_step;   /* how far CLOCK_REALTIME moved against CLOCK_MONOTONIC during the run */
    nsec began, ended; /* stamps of the script's first and last moment */
    bool has_calls;    /* false for a foreign capture: calls are unknown, not absent */
    VEC(struct record_host) hosts;
    VEC(struct record_endpoint) endpoints; /* before hosts[].addrs; empty for a live run */
    VEC(struct record_point) points;
    VEC(struct record_packet) packets;
    VEC(struct record_call) calls;
    VEC(struct record_event) events;
    VEC(struct record_wire) wire;    /* by time */
    VEC(struct record_wires) wires;  /* by the lab: record/stated.h */
    uint64_t wire_dropped;           /* frames that it had no room for, unasked; they forbid PASS */
    bool has_states;                 /* false: nobody looked, so states are unknown, not absent */
    bool states_cut;                 /* there was more to see than the record has room for */
    VEC(struct record_state) states; /* by time */
    VEC(struct record_sysctl) sysctls;
    VEC(struct record_stall) stalls; /* empty: it is not known when the machine was late */
    char *skipped;                   /* the reason why it did not run, else NULL */
    char *stopped;       /* the script could not go on: a step's limit passed …, else NULL */
    bool interrupted;    /* … because somebody wanted it so; then it cannot be judged */
    VEC(char *) remarks; /* what else a reader has to know */
};

struct record *record_new(void);
void record_free(struct record *r);
/* Copies the frame's bytes. */
void record_add_packet(struct record *r, int point, bool outgoing, bool incoming,
                       const struct frame *frame);
/* Sorts packets, calls, events, states and what the wire did by time; stable.  Indexes of packets
 * are of sorted ones: record.wire is filled when the packets are. */
void record_sort(struct record *r);
/* What has been recorded so far, sorted, as if the run ended now; it borrows from `r`, which
 * must neither change nor go while it is looked at. */
struct record *record_glance(const struct record *r, nsec now);
void record_glance_free(struct record *glance);
/* The worst lateness that can have touched what happened between two stamps; the run's
 * worst where the record does not say when the machine was late. */
nsec record_lateness(const struct record *r, nsec from, nsec to);
int record_find_host(const struct record *r, const struct ipaddr *addr); /* -1: none */

#endif
