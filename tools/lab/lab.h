/* The model of a lab: what labs/NAME.md says, checked, with every name resolved.
 * docs/lab-language.md describes the language; lab_parse() builds this from it. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/ipaddr.h"
#include "base/memory.h"
#include "base/time.h"
#include "lab/course.h"
#include "lab/ip6.h"
#include "lab/verbs.h"
#include "lab/wire.h"

struct lab_addr {
    struct ipaddr addr;
    unsigned prefix;
};

/* One interface of a host: `10.0.0.1/24`, or several addresses joined by commas
 * (`10.0.0.1/24,fd00::1/64`).  Loopback addresses belong to `lo`; others to
 * eth0, eth1 … in order.  Interfaces that share a network share a switch. */
struct lab_iface {
    char name[16];
    VEC(struct lab_addr) addrs;
    int net;      /* index into lab.nets, -1 on lo */
    unsigned mtu; /* bytes, 0: the usual 1500 */
};

struct lab_host {
    char *name;
    bool router; /* forwards packets */
    struct span span;
    VEC(struct lab_iface) ifaces;
};

/* A network: the switch into which the interfaces of one subnet are plugged. */
struct lab_net {
    char name[16];
    bool wired; /* a step of the script programs it: a wire, no switch */
};

/* Where a route leads: to a gateway, or nowhere in one of three ways. */
enum lab_route_kind {
    LAB_ROUTE_VIA,
    LAB_ROUTE_UNREACHABLE,
    LAB_ROUTE_PROHIBITED,
    LAB_ROUTE_BLACKHOLE
};

struct lab_route {
    int host;
    enum lab_route_kind kind;
    struct lab_addr to; /* prefix 0 and version of `via` for "default" */
    struct ipaddr via;  /* LAB_ROUTE_VIA */
    struct span span;
};

/* `neighbour client server`: client's entry for server's address is fixed. */
struct lab_neighbour {
    int host, peer;
    struct span span;
};

struct lab_capture {
    int host;
    int iface;    /* index into the host's interfaces */
    char *filter; /* pcap filter expression, "" for all */
    struct span span;
};

/* `trace client every 10ms`: what the kernel keeps for the host's connections is recorded. */
struct lab_trace {
    int host;
    nsec every; /* 0: after packets and calls only */
    struct span span;
};

struct lab_sysctl {
    int host;
    char *key, *value;
    bool optional; /* `sysctl?`: a kernel without it is no reason to stop */
    struct span span;
};

/* `requires kernel 6.5`, `requires sysctl net.ipv4.x`, `requires program nc`,
 * `requires congestion bbr`, `requires ipv6`: otherwise the lab is skipped and this is the reason.
 * `requires ipv4`: it is not run with `--ip 6`. */
enum require_kind {
    REQUIRE_KERNEL,
    REQUIRE_SYSCTL,
    REQUIRE_PROGRAM,
    REQUIRE_CONGESTION,
    REQUIRE_IPV4,
    REQUIRE_IPV6,
};

struct lab_require {
    enum require_kind kind;
    char *what;
    struct span span;
};

/* `vary port 1024..65535`: $port is a value of its own for each student. */
struct lab_vary {
    char *name;
    int64_t low, high;
    int64_t value; /* what this parse used */
    struct span span;
};

/* One argument, already of the kind that the verb's table asks for.  An optional
 * one that was left out is not in step.args, nor is a literal word.
 *   `listen 1234 backlog 5`  PORT 1234, NUMBER 5
 *   `send "yes\n"`           DATA text, len (and number = len)
 *   `send 1000 bytes`        DATA text NULL, number 1000: filler
 *   `run client ls -l`       HOST, REST "ls", REST "-l": one REST for each word */
struct lab_arg {
    enum arg_kind kind;
    char *text; /* decoded, NUL-terminated; NULL for filler */
    size_t len;
    int64_t number; /* ARG_NUMBER, ARG_PORT, ARG_SIZE, ARG_DATA */
    nsec duration;  /* ARG_DURATION */
    int host;       /* ARG_HOST */
    struct span span;
};

enum result_kind { RESULT_NONE, RESULT_NUMBER, RESULT_ERRNO, RESULT_STRING, RESULT_WORD };

/* What `=> …` states of a call. */
struct lab_result {
    enum result_kind kind;
    int64_t number; /* the value, the least one, or the errno */
    int64_t most;   /* RESULT_NUMBER: the greatest value, `=> 40..60` */
    char *text;     /* string bytes, or the word as written */
    size_t len;
    struct span span;
};

/* `wait client > server [S] x6 within 40s` */
struct lab_wait {
    int from, to;
    char *flags; /* as tcpdump prints them: "S", "P.", "."; NULL: any */
    unsigned count;
};

struct lab_step {
    enum verb_id verb;
    int host; /* the actor; -1 for a step of the stage (wait, unplug …) */
    char *as; /* connection name; NULL: the host's own */
    VEC(struct lab_arg) args;
    struct lab_wait wait; /* VERB_WAIT_PACKETS */
    struct lab_wire wire; /* VERB_WIRE */
    struct lab_result result;
    bool background; /* & */
    nsec within;     /* limit of this step; 0: the lab's */
    struct span span;
    char *text; /* the line as written, without comment and blanks at its ends */
};

struct lab_question {
    char *text;
    struct span span;
};

struct lab {
    char *name;    /* the file's stem */
    char *title;   /* its first heading */
    char *summary; /* the first paragraph, as plain text */
    struct lab_course course;
    unsigned ip;              /* 4 or 6: the version whose values of a pair count */
    enum lab_mapping mapping; /* how its IPv4 addresses were mapped; lab/ip6.h */
    struct source source;
    VEC(struct lab_host) hosts;
    VEC(struct lab_net) nets;
    VEC(struct lab_route) routes;
    VEC(struct lab_neighbour) neighbours;
    VEC(struct lab_capture) captures;
    VEC(struct lab_trace) traces;
    VEC(struct lab_sysctl) sysctls;
    VEC(struct lab_require) requires_;
    VEC(struct lab_vary) varies;
    VEC(struct lab_step) steps;
    VEC(struct lab_question) questions;
    bool is_long; /* `long`: takes minutes on a real clock */
    nsec limit;   /* `limit 30s`: of every step without its own; default LAB_DEFAULT_LIMIT */
};

/* Limits of the language; more is a diagnostic. */
#define LAB_MAX_BYTES (256u << 10) /* of the file */
#define LAB_MAX_HOSTS 64
#define LAB_MAX_IFACES 8 /* cables of a host, and addresses of an interface */
#define LAB_MAX_STEPS 10000
#define LAB_MIN_MTU 576
#define LAB_MIN_MTU_IPV6 1280
#define LAB_MAX_MTU 9000
#define LAB_MAX_DURATION (24 * 60 * 60 * NSEC_PER_SEC)
#define LAB_MAX_DATA (1 << 30)      /* bytes of one send or recv, and of a wire's queue */
#define LAB_MIN_TRACE NSEC_PER_MSEC /* between two looks of a `trace` */
#define LAB_MAX_FRAMES 1000000      /* that one wire step counts */

#define LAB_DEFAULT_LIMIT (10 * NSEC_PER_SEC)
#define LAB_MAX_LINE 1000 /* bytes in one line of script */

/* A value given from outside for a `vary` name. */
struct lab_value {
    const char *name;
    int64_t value;
};

/* Parses the file that src holds (src is taken over).  Always returns a lab; it
 * is usable only if diags->list.n is 0.  diags->source is set to lab->source. */
struct lab *lab_parse(struct source *src, const struct lab_value *values, size_t n_values,
                      struct diags *diags);
/* The same with IPv6 addresses for ip = 6; as the file is written for 4.  A lab without
 * any IPv4 address is one of version 6 in both cases. */
struct lab *lab_parse_ip(struct source *src, const struct lab_value *values, size_t n_values,
                         unsigned ip, struct diags *diags);
void lab_free(struct lab *lab);

int lab_find_host(const struct lab *lab, const char *name, size_t len); /* -1: none */

#endif
