/* How late this machine runs its timers: measured beside every lab, because a
 * timing can be judged only as finely as the machine keeps time. */
#ifndef RUN_LATENESS_H
#define RUN_LATENESS_H

#include "base/error.h"
#include "base/time.h"
#include "record/record.h"

struct lateness;

/* Starts a timer of this period on every processor that this process may use. */
struct lateness *lateness_start(nsec period, struct error *err);

/* Forgets what was seen so far: the scene begins now. */
void lateness_restart(struct lateness *l);

/* Notes in the record how late the timers came since then, and when; a timer that is due
 * and has not come counts. */
void lateness_note(struct lateness *l, struct record *record);

/* Stops the timers; NULL is allowed. */
void lateness_free(struct lateness *l);

#endif
