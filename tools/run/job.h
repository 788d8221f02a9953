/* A job: one lab played in a process of its own, away from everything of the host.
 *
 *   main ── launcher (user namespace if not root) ── director (first of its own
 *   PID namespace) ── agents ── programs that the lab runs
 *
 * The director is the first process of a PID namespace, so whatever it started
 * ends with it; it is killed when the launcher ends, and the launcher when main
 * does.  After a `kill -9` of any of them nothing is left. */
#ifndef RUN_JOB_H
#define RUN_JOB_H

#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"
#include "lab/lab.h"
#include "record/record.h"

/* Runs in the director's process when the scene is over and the record complete:
 * judges, saves, writes what the parent gets into `reply`. */
typedef int job_body_fn(void *ctx, const struct lab *lab, struct record *record,
                        struct strbuf *reply, struct error *err);

/* Runs there too, in a silence of the scene: puts what main is to be shown of the run so
 * far into `seen` (nothing: it is not told), and how long the silence should last yet. */
typedef void job_look_fn(void *ctx, const struct lab *lab, const struct record *so_far,
                         struct strbuf *seen, nsec *left);

/* What is done in the director's process. */
struct job_work {
    job_body_fn *body;
    job_look_fn *look; /* may be NULL */
    void *ctx;
};

struct job_events {
    void (*seen)(void *ctx, const char *seen, size_t len, nsec left);
    void (*progress)(void *ctx, const char *awaited, nsec left);
    /* Exactly once: the reply, or an error. */
    void (*finished)(void *ctx, const char *reply, size_t len, struct error *err);
    void *ctx;
};

struct job;

/* Starts it and watches it from the loop; NULL on an error. */
struct job *job_start(struct loop *loop, const struct lab *lab, const struct job_work *work,
                      const struct job_events *events, struct error *err);

/* How long it may take at the most, by the limits of the lab's steps. */
nsec job_longest(const struct lab *lab);

/* Asks the director to end the script now and to keep what it has. */
void job_interrupt(struct job *job);

/* Kills what has not ended; NULL is allowed. */
void job_free(struct job *job);

#endif
