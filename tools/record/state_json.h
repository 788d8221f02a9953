/* Socket states, as lines of events.jsonl. */
#ifndef RECORD_STATE_JSON_H
#define RECORD_STATE_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "record/record.h"

/* The caller owns the reference. */
json_t *record_state_to_json(const struct record *r, const struct record_state *state);

/* Adds what record_state_to_json() wrote to r->states.  The record's hosts, its beginning
 * and its end are known by then: a state outside them is refused. */
int record_take_state(struct record *r, const json_t *o, struct error *err);

#endif
