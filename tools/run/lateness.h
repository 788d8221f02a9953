/* How late this machine runs its timers: measured beside every lab, because a
 * timing can be judged only as finely as the machine keeps time.
 *
 * Two kinds of timer, on every processor.  A periodic one of high resolution shows when
 * the processor was kept from everything.  TCP's own timers are on the timer wheel, which
 * the kernel serves in a softirq, and a busy machine hands that to ksoftirqd, to wait for its
 * turn like any program: so a wait that is on the wheel, too, is always under way. */
#ifndef RUN_LATENESS_H
#define RUN_LATENESS_H

#include "base/error.h"
#include "base/time.h"
#include "record/record.h"

struct lateness;

/* Starts them on every processor that this process may use, the one with this period, the
 * other if `wheel` (the tick, 0: without it) says how fine the wheel is. */
struct lateness *lateness_start(nsec period, nsec wheel, struct error *err);

/* Forgets what was seen so far: the scene begins now. */
void lateness_restart(struct lateness *l);

/* Notes in the record how late the timers came since then, and when; a timer that is due
 * and has not come counts. */
void lateness_note(struct lateness *l, struct record *record);

/* Stops the timers; NULL is allowed. */
void lateness_free(struct lateness *l);

#endif
