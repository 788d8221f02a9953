/* The model of a transcript, as pattern_parse() builds it from expected/NAME.txt,
 * and as one line of it is read from what was observed: both in one notation.
 * docs/transcript-language.md describes the language. */
#ifndef TRANSCRIPT_PATTERN_H
#define TRANSCRIPT_PATTERN_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/time.h"
#include "lab/lab.h"
#include "transcript/judge.h"
#include "transcript/pair.h"
#include "transcript/slice.h"
#include "transcript/timing.h"

#define PATTERN_MAX_LINE 1000      /* bytes in one line */
#define PATTERN_MAX_LINES 100000   /* with every repetition written out */
#define PATTERN_MAX_GROUP 12       /* lines of one `any order` or `mix` */
#define PATTERN_MAX_PORT_NAMES 512 /* names for ephemeral ports */

enum item_kind {
    ITEM_SEGMENT, /* a TCP segment */
    ITEM_WORDS,   /* any other packet: compared word by word */
    ITEM_QUIET,
    ITEM_CALL,
    ITEM_LINK,
    ITEM_STATE,
    ITEM_GROUP_OPEN,  /* any order { */
    ITEM_MIX_OPEN,    /* mix 100..2000 { */
    ITEM_GROUP_CLOSE, /* } */
    ITEM_REMARK,      /* a comment that belongs to no line */
};

/* The fields of a segment, in tcpdump's order. */
#define SEGMENT_FIELDS(X)                                                                          \
    X(FLAGS, "Flags")                                                                              \
    X(SEQ, "seq")                                                                                  \
    X(ACK, "ack")                                                                                  \
    X(WIN, "win")                                                                                  \
    X(URG, "urg")                                                                                  \
    X(OPTIONS, "options")                                                                          \
    X(LENGTH, "length")

enum field_id {
#define X(id, name) FIELD_##id,
    SEGMENT_FIELDS(X)
#undef X
        FIELD_COUNT
};

extern const char *const field_names[FIELD_COUNT];

/* HOST.PORT.  `host` and `port` are as written; the others what they stand for:
 * a lab's host instead of its address, a value instead of $NAME. */
struct endpoint {
    struct slice host, port;
    struct slice host_value, port_value;
    int name; /* index into pattern.names: an ephemeral port; -1: not by name */
};

struct field {
    bool present;
    struct slice text;  /* as written, without brackets */
    struct slice value; /* the same with $NAME resolved */
};

/* X(ID, word): what a wire does to a segment that arrives.  The first has a number. */
#define MISHAPS(X)                                                                                 \
    X(OVERTAKEN, "overtaken by")                                                                   \
    X(TWICE, "twice")                                                                              \
    X(DAMAGED, "damaged")                                                                          \
    X(MARKED, "marked")                                                                            \
    X(REWRITTEN, "rewritten")                                                                      \
    X(INJECTED, "injected")

enum mishap {
#define X(id, word) MISHAP_##id,
    MISHAPS(X)
#undef X
        MISHAP_COUNT
};

extern const char *const mishap_words[MISHAP_COUNT];

enum fate_kind { FATE_PLAIN, FATE_IS_LOST, FATE_ARRIVES };

struct pattern_item {
    enum item_kind kind;
    size_t line_number; /* from 1 */
    struct span span;
    struct slice label; /* n 0: none */
    char *note;         /* lines joined by '\n', or NULL */
    bool blank_before;
    int point;  /* index into pattern.points, -1: the story itself */
    int group;  /* number of the `any order` or `mix` around it, from 1; 0: none.  A mix is in its
                   own */
    bool mixed; /* a line of a mix: it stands for any number of packets */
    bool has_interval;
    nsec interval;
    struct slice interval_text; /* "+1s" */
    struct slice since;         /* "+1s after LABEL": the label; n 0: the packet before */

    /* ITEM_SEGMENT */
    struct endpoint from, to;
    struct field fields[FIELD_COUNT];
    VEC(struct slice) options; /* between commas, trimmed; may hold one `…` */
    bool rest;                 /* `…`: fields not mentioned are free */
    int rest_at;               /* the field before which it stands */

    /* ITEM_SEGMENT and ITEM_WORDS */
    struct slice ecn;     /* a word of print_ecn behind the fields; n 0: none */
    struct slice text;    /* from SRC to the end of `length N`, or of `ecn` */
    unsigned least, most; /* xN..M, 1..1 without; of ITEM_MIX_OPEN, how many packets there are */
    bool optional;        /* ? */
    unsigned mishaps;     /* what the wire did: 1 << MISHAP_… */
    unsigned overtaken;   /* MISHAP_OVERTAKEN: by so many */
    enum fate_kind fate;  /* what became of it */
    nsec travel;          /* FATE_ARRIVES: how long it was under way, or at least */
    nsec travel_most;     /* and at most, `arrives +12ms..62ms` */
    struct slice fate_text;

    /* ITEM_CALL, ITEM_STATE, ITEM_LINK */
    struct slice host;       /* the actor */
    struct slice as;         /* connection name, n 0: the host's own */
    struct slice verb, args; /* args n 0: not stated */
    struct slice result;     /* behind =>, n 0: not stated */
    struct slice state;      /* ITEM_STATE */
    bool up;                 /* ITEM_LINK */

    nsec quiet; /* ITEM_QUIET */

    struct slice mishap_text[MISHAP_COUNT]; /* of a packet */
};

/* A capture point that has lines of its own. */
struct pattern_point {
    struct slice host, iface; /* iface n 0: the host's only one */
};

/* A name for an ephemeral port of a host. */
struct port_name {
    struct slice host, name;
};

struct pattern {
    struct source source;
    struct pair_text chosen; /* the source for this version, if it has pairs */
    unsigned ip;             /* 4 or 6 */
    struct pattern *other;   /* the same for the other version; NULL: there is no difference */
    VEC(struct pattern_item) items;
    VEC(struct pattern_point) points;
    VEC(struct port_name) names;
    VEC(char *) owned; /* texts that stand nowhere in the source */
    size_t lines;      /* with repetitions written out */
    bool has_versions; /* lines of one version only */
};

/* Reads one line, without diagnostics: what story_format() printed, or a canonical
 * line of `pattern`.  Slices lead into `line`.  With a pattern, names of ports are
 * those of the pattern; with NULL, ports are what they are.  False if it is no line
 * of the language. */
bool pattern_read_line(struct pattern_item *item, struct pattern *pattern, const struct lab *lab,
                       struct slice line);
void pattern_item_free(struct pattern_item *item);

/* The line as result_line.expected has it: interval and body, no label, no repetition. */
void pattern_item_format(struct strbuf *sb, const struct pattern_item *item);

/* ---- inside the parser ---- */

struct reader {
    const struct lab *lab;   /* NULL: names are taken as they stand */
    struct pattern *pattern; /* NULL: an observed line */
    struct diags *diags;     /* NULL: errors are only counted */
    const char *base;        /* spans count from here … */
    const size_t *offsets;   /* … by way of this; NULL: directly */
    unsigned errors;
};

void reader_complain(struct reader *r, struct slice where, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* $NAME becomes the lab's value for it; anything else stays. */
struct slice reader_resolve(struct reader *r, struct slice value);
bool reader_host(struct reader *r, struct slice host, struct slice *value);
void reader_endpoint(struct reader *r, struct slice word, struct endpoint *e);
/* `SRC > DST: Flags …` and what stands behind `length N`. */
void reader_segment(struct reader *r, struct slice body, struct pattern_item *item);
void reader_words(struct reader *r, struct slice body, struct pattern_item *item);
/* xN, ?, lost, arrives and the wire's words at the end of *body; takes them off. */
void reader_tail(struct reader *r, struct slice *body, struct pattern_item *item);
/* Whether such a word ends with it, or stands there alone. */
bool reader_is_tail(struct slice word);
void reader_options(struct reader *r, struct slice text, struct pattern_item *item);
void reader_check_field(struct reader *r, enum field_id id, struct slice value);
/* Whether a transcript may speak of such a call: not of `run`, whose result the lab states. */
bool reader_has_call(struct slice verb);
/* Where `=>` stands outside quotes, or s.n. */
size_t reader_find_arrow(struct slice s);
/* Whether it is the name of a host of the lab. */
bool reader_actor(const struct reader *r, struct slice name);
/* `+1s` at the front of *rest; takes it off. */
void reader_interval(struct reader *r, struct slice *rest, struct pattern_item *item);
/* `any order {` or `mix N..M {`: then *item is it. */
bool reader_opens(struct reader *r, struct slice line, struct pattern_item *item);
/* `6` or `2..6`, behind an x or without; false (complained of) if it is none. */
bool reader_range(struct reader *r, struct slice word, const char *hint, unsigned *least,
                  unsigned *most);
/* One line without label, point and interval. */
void reader_body(struct reader *r, struct slice body, struct pattern_item *item);

#endif
