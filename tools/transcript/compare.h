/* Two runs side by side: what differs, where it starts, and what was set differently. */
#ifndef TRANSCRIPT_COMPARE_H
#define TRANSCRIPT_COMPARE_H

#include "transcript/differ.h"
#include "transcript/result.h"

/* A setting of hosts that was not the same in both runs. */
struct compared_setting {
    char *name;     /* "net.ipv4.tcp_syn_linear_timeouts", or "kernel", "tick" … */
    char *hosts;    /* "client, server"; NULL: of the machine */
    char *value[2]; /* NULL: this kernel does not have it, or it was left as it was */
};

/* After what time the two were sent, since the segments before; -1: it is not in that run, or
 * no segment. */
struct compared_gaps {
    nsec of[2];
};

/* Runs a and b; b is measured by a. */
struct compared {
    struct difference first; /* the first difference; kind DIFFERENCE_NONE: none */
    struct result *lines;    /* each segment of both, and the calls that differ: a as `expected`,
                                b as `observed`, and what differs as the names in `diffs` */
    VEC(struct compared_gaps) gaps; /* one a line */
    size_t first_line;              /* the line of the first difference; lines.n if there is none */
    size_t segments[2];
    VEC(struct compared_setting) settings;
    VEC(char *) states; /* "client: SYN-SENT was seen in a only" */
};

/* Aligns the segments of both at least cost, by direction, flags and relative numbers.  The
 * intervals of those whose predecessors are aligned as well count as differ() counts them.
 * What differ.h says of marks holds here, too.  Both stories must outlive the answer. */
struct compared *compare_runs(const struct differ_run *a, const struct differ_run *b);
void compared_free(struct compared *compared);

#endif
