/* An event loop: descriptors, timers, signals and children in one place.
 *
 * Every watch has a number that is never used again, so loop_remove() of a watch
 * that is already over (a one-shot timer that fired, a child that ended) does
 * nothing, and removing or adding any watch from within any callback is safe.
 * 0 is no watch.  Times are nanoseconds of CLOCK_MONOTONIC.
 *
 * Remove a descriptor's watch before closing the descriptor.  One thread a loop. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/time.h"

struct loop;
typedef uint64_t loop_id;

/* events: EPOLLIN, EPOLLOUT …, and EPOLLHUP and EPOLLERR, which are always watched. */
typedef void loop_fd_fn(void *ctx, int fd, uint32_t events);
/* due: the moment that was asked for; clock_ns(CLOCK_MONOTONIC) - due is the lateness. */
typedef void loop_timer_fn(void *ctx, nsec due);
typedef void loop_signal_fn(void *ctx, int signo);
/* status: as waitpid() gives it; the child is reaped.  -1: somebody else had reaped it. */
typedef void loop_child_fn(void *ctx, pid_t pid, int status);

/* Errors of all functions here are STATUS_MACHINE. */
struct loop *loop_new(struct error *err);
/* Removes all watches and gives the calling thread its signal mask back. */
void loop_free(struct loop *loop);

/* Level-triggered.  A regular file counts as always ready.  0 and err on failure. */
loop_id loop_add_fd(struct loop *loop, int fd, uint32_t events, loop_fd_fn *fn, void *ctx,
                    struct error *err);
int loop_change_fd(struct loop *loop, loop_id id, uint32_t events, struct error *err);

/* Fires after `delay`, and then every `period` if that is not 0.  Periods that passed
 * while the process was held up are left out, not made up for. */
loop_id loop_add_timer(struct loop *loop, nsec delay, nsec period, loop_timer_fn *fn, void *ctx);

/* Blocks the signal in the calling thread and delivers it by callback.  Children
 * inherit the blocked mask: see loop_reset_signals(). */
loop_id loop_add_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *ctx,
                        struct error *err);

/* Once, when this child of ours ends; it may have ended already. */
loop_id loop_add_child(struct loop *loop, pid_t pid, loop_child_fn *fn, void *ctx,
                       struct error *err);

void loop_remove(struct loop *loop, loop_id id);

/* Waits for the next event, at most `timeout` (0: looks only; NSEC_NEVER: no limit),
 * and calls back.  The number of callbacks made, or -1. */
int loop_run_once(struct loop *loop, nsec timeout, struct error *err);
/* Runs until loop_stop(), or until nothing is left to watch. */
int loop_run(struct loop *loop, struct error *err);
/* Makes the loop_run() in progress, or else the next one, return. */
void loop_stop(struct loop *loop);

/* In a forked child before exec: unblocks every signal, default handlers for all. */
void loop_reset_signals(void);

#endif
