/* The wire of a stage: its ferry, and what the record keeps of it. */
#ifndef RUN_WIRE_H
#define RUN_WIRE_H

#include "record/record.h"
#include "run/stage.h"

/* Opens the wired networks of a stage that is up; a stage without any has no ferry. */
int stage_start_wire(struct stage *stage, struct error *err);

/* Plays a `wire` step. */
int stage_play_wire(struct stage *stage, const struct lab_step *step, struct error *err);

/* Notes in the record, whose packets are sorted, what the wire did. */
void stage_note_wire(struct stage *stage, struct record *record);

#endif
