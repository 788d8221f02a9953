/* The director: plays a lab's script on a stage and fills the record. */
#ifndef RUN_DIRECTOR_H
#define RUN_DIRECTOR_H

#include "lab/lab.h"
#include "record/record.h"
#include "run/stage.h"

#define DIRECTOR_CALM (20 * NSEC_PER_MSEC)

struct director_options {
    /* What is being awaited and how much of its limit is left, whenever that
     * changes; may be NULL. */
    void (*progress)(void *ctx, const char *awaited, nsec left);
    /* In a silence of the scene after something new was recorded (DIRECTOR_CALM after the
     * last of it): what there is so far, unsorted; may be NULL. */
    void (*look)(void *ctx, const struct record *so_far);
    void *ctx;
    int stop_fd; /* readable or closed: stop the script, keep what was recorded; -1: none */
};

/* Plays lab->steps on the stage.  Whatever the scene brings (a call that fails, a
 * limit that passes, an interruption) is in the record; an error is one of the
 * machine.  The capture points are read to the end, and stay open. */
int director_play(struct stage *stage, const struct director_options *options,
                  struct record *record, struct error *err);

#endif
