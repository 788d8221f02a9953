/* What the wire did, as lines of events.jsonl. */
#ifndef RECORD_WIRE_JSON_H
#define RECORD_WIRE_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "record/record.h"

/* The caller owns the reference. */
json_t *record_wire_to_json(const struct record *r, const struct record_wire *wire);

/* Adds what record_wire_to_json() wrote to r->wire.  Hosts are known by then; whether its
 * packets are there, record_check_wire() looks at when all are. */
int record_take_wire(struct record *r, const json_t *o, nsec max_stamp, struct error *err);

/* Whether each thing that the wire did is about packets that are in the record, sorted, and
 * that were on their way before it and behind it: story and report rely on it. */
int record_check_wire(const struct record *r, struct error *err);

#endif
