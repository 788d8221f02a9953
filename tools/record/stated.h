/* What a lab's script states of its calls, and whether a record is one of it. */
#ifndef RECORD_STATED_H
#define RECORD_STATED_H

#include "lab/lab.h"
#include "record/record.h"

/* The host that makes the step's call; -1 for a step of the stage. */
int stated_host(const struct lab_step *step);
/* The step's arguments as a call's `args` has them: strings as the script writes them,
 * everything else by its value.  The caller frees it. */
char *stated_args(const struct lab *lab, const struct lab_step *step);
/* What stands behind `=>`, NULL if nothing does.  The caller frees it. */
char *stated_result(const struct lab *lab, const struct lab_step *step);
/* Whether the call gave what the step states; without a statement: success, which for a
 * program is the exit status 0.  A call that has not returned fits if the step leaves it
 * running (`&`) and states nothing. */
bool stated_fits(const struct lab_step *step, const struct record_call *call);

/* Evidence says itself of which script it is and whether its calls gave what was stated.
 * Neither is believed: this checks hosts, capture points, calls, links and what the wire
 * did against the lab, each rule against the packets that came by, and says anew of each call what
 * was stated and whether it fits.  -1 (STATUS_USAGE): the record is not one of this lab, or not a
 * whole one. */
int stated_check(struct record *record, const struct lab *lab, struct error *err);

/* Notes in record->wires between which hosts the lab has a wire and nothing else, so that no
 * frame is lost unless the wire says so. */
void stated_wires(struct record *record, const struct lab *lab);

#endif
