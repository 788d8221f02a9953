/* The stage of a lab: namespaces, cables, agents, capture points and the timer
 * that measures lateness; built from a lab, noted in the record. */
#ifndef RUN_STAGE_H
#define RUN_STAGE_H

#include "base/error.h"
#include "capture/live.h"
#include "lab/lab.h"
#include "netns/topo.h"
#include "record/record.h"
#include "run/agent.h"
#include "run/lateness.h"

struct ferry;

struct stage {
    const struct lab *lab;
    struct topo *topo;
    struct ferry *ferry;         /* of the wired networks; NULL: there are none */
    VEC(struct agent) agents;    /* one a host */
    VEC(struct live *) captures; /* one a capture point, as in record.points */
    struct lateness *lateness;
};

/* Builds it all: on success everything is up and every capture point is listening,
 * or record->skipped says what this kernel lacks.  The process leaves the host's
 * network for good and must have one thread.  `stage` is to be freed in any case. */
int stage_build(struct stage *stage, const struct lab *lab, struct record *record,
                struct error *err);

/* Fills the record of a lab that is not played, with the reason why; nothing is built. */
void stage_note_skipped(struct record *record, const struct lab *lab, const char *reason);

/* Whether time here is a virtual machine's own, in which waiting takes no time: the
 * guest that tcplab boots says so in its environment, TCPLAB_CLOCK=virtual. */
bool stage_clock_is_virtual(void);

/* The index of a host's interface among its cables; -1 for lo. */
int stage_cable(const struct lab *lab, int host, int iface);

void stage_free(struct stage *stage);

#endif
