/* A transcript's lines against what was observed: comparing one with one, and
 * aligning all with all at least cost.  match.c tells the theory. */
#ifndef TRANSCRIPT_MATCH_H
#define TRANSCRIPT_MATCH_H

#include "base/error.h"
#include "transcript/pattern.h"
#include "transcript/story.h"
#include "transcript/timing.h"

/* One observed packet, in the transcript's notation. */
struct observed {
    char *text;               /* by story_format() */
    bool plain;               /* a line that says nothing of its arrival is right about that */
    struct pattern_item line; /* the same, read */
    const struct story_segment *s;
    nsec gap; /* to the packet observed before; 0 for the first */
};

/* A line to be matched: an item, one of its repetitions, or a mix, which the lines in
 * it follow. */
struct match_line {
    const struct pattern_item *item;
    bool optional;
    bool spare; /* a repetition beyond the least number */
};

/* What a comparison depends on beside the two lines. */
struct match_rules {
    struct timing_host host;
    const struct record *record; /* says when the host was late; NULL: always by host.lateness */
    const struct slice *ports;   /* what each of pattern.names stands for; n 0: for nothing */
    bool complete;               /* false: a foreign capture; what it cannot show is not judged */
    struct timing_path path;     /* how the lab's paths delay */
    nsec quiet_after;            /* from the last packet to the end of the record */
    nsec quiet_before;           /* from the record's begin to the first packet */
};

/* One thing that differs; slices lead into the two texts (n 0: nowhere). */
struct difference {
    const char *field;
    struct slice expected, observed;
};

struct differences {
    VEC(struct difference) list;
};

enum {
    MATCH_COST_MISSING = 100,
    MATCH_COST_UNEXPECTED = 100,
    MATCH_COST_NEVER = 100000 /* of different kinds, or too different to be one another */
};

/* What a difference in what the wire did is called. */
extern const char *const mishap_fields[MISHAP_COUNT];

/* The cost of taking `o` for `e`: 0 if nothing differs.  With `out`, every
 * difference is listed; without, the answer is MATCH_COST_NEVER as soon as taking
 * them for each other can no longer be the cheapest. */
unsigned match_compare(const struct match_rules *rules, const struct pattern_item *e,
                       const struct observed *o, struct differences *out);

/* The round-trip times that its sender had measured by then. */
struct timing_rtt match_rtt(const struct story_segment *s);

/* The bounds that the line's interval has when `o` is taken for it. */
struct timing_bounds match_bounds(const struct match_rules *rules, const struct pattern_item *e,
                                  const struct observed *o);

/* The same of the time that it travelled. */
struct timing_bounds match_travel(const struct match_rules *rules, const struct pattern_item *e,
                                  const struct observed *o);

/* The silence at a place: before observed packet `at` (n_seen: the end). */
nsec match_silence(const struct match_rules *rules, const struct observed *seen, size_t n_seen,
                   size_t at);
/* Whether a quiet line is satisfied there. */
enum match_quiet { QUIET_KEPT, QUIET_BROKEN, QUIET_UNKNOWN };
enum match_quiet match_quiet(const struct match_rules *rules, const struct pattern_item *e,
                             const struct observed *seen, size_t n_seen, size_t at);

enum match_op {
    MATCH_UNEXPECTED, /* observed only */
    MATCH_PAIR,       /* line and packet taken for each other */
    MATCH_MISSING,    /* line only; fine if it is optional.  Of a mix: too few packets fit it */
    MATCH_PLACE       /* a quiet line, judged before packet `seen` */
};

struct match_step {
    enum match_op op;
    size_t line, seen;
};

struct match_path {
    VEC(struct match_step) steps;
    unsigned long cost;
};

/* Cells of the table, a byte each, of which few are touched where little differs; a mix of
 * up to 10,000 packets by 10,000 are 100 million. */
#define MATCH_MAX_CELLS (INT64_C(160) * 1000 * 1000)

/* Aligns; fails only when the table would be too large.  What cannot cost less than `below`
 * is not looked for: path->cost is no less than that then, and there are no steps. */
int match_align(const struct match_rules *rules, const struct match_line *lines, size_t n_lines,
                const struct observed *seen, size_t n_seen, unsigned long below,
                struct match_path *path, struct error *err);

#endif
