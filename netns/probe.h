/* What this kernel and this user may do, found by trying it. */
#ifndef NETNS_PROBE_H
#define NETNS_PROBE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"

struct probe {
    char *name;
    bool ok;
    bool needed;  /* no lab runs without it; otherwise it is of use to some */
    char *detail; /* what was found, one line */
    char *mend;   /* how to mend a no; NULL when ok */
};

struct probes {
    VEC(struct probe) list;
};

/* Tries everything in a child process, which leaves the caller as it was; takes some
 * milliseconds.  Fails only if the child cannot be made or does not answer. */
int probe_machine(struct probes *probes, struct error *err);

/* Whether all that is needed is there. */
bool probes_can_run(const struct probes *probes);

void probes_free(struct probes *probes);

#endif
