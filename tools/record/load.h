/* The record of an earlier run, out of its evidence. */
#ifndef RECORD_LOAD_H
#define RECORD_LOAD_H

#include "base/error.h"
#include "record/record.h"

/* No file of the evidence may be larger, in bytes. */
#define EVIDENCE_MAX_JSON (64u << 20)
#define EVIDENCE_MAX_CAPTURE (1u << 30)

/* Reads result.json, events.jsonl and capture.pcapng in `dir`; the caller frees the
 * record.  Nobody has to have written them in good faith: NULL and STATUS_USAGE, with
 * the file, the line and the member at fault, when one is missing, no regular file,
 * too large, malformed, of another schema, out of range or at odds with the others. */
struct record *record_load(const char *dir, struct error *err);

#endif
