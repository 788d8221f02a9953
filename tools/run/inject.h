/* `wire inject …`: a segment in the transcript's notation, to be sent by the wire. */
#ifndef RUN_INJECT_H
#define RUN_INJECT_H

#include "base/diag.h"
#include "lab/lab.h"
#include "wire/segment.h"

/* Reads what stands behind `wire inject` in the lab's source; -1 after a diagnostic. */
int inject_read(const struct lab *lab, const struct lab_wire *w, struct wire_segment *segment,
                struct diags *diags);

/* Reads every injection of the lab, for its mistakes. */
void inject_check(const struct lab *lab, struct diags *diags);

#endif
