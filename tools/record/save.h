/* A record as the files of the evidence; record/load.h reads them back.
 * docs/result-schema.md describes each file. */
#ifndef RECORD_SAVE_H
#define RECORD_SAVE_H

#include <stdio.h>

#include <jansson.h>

#include "base/error.h"
#include "record/record.h"

/* Of result.json and events.jsonl; a reader refuses any other. */
#define EVIDENCE_SCHEMA 1

#define EVIDENCE_CAPTURE "capture.pcapng"
#define EVIDENCE_RESULT "result.json"
#define EVIDENCE_EVENTS "events.jsonl"
#define EVIDENCE_TRANSCRIPT "transcript.txt"
#define EVIDENCE_PAGE "report.html"

/* The packets, one interface a capture point.  comments[i] stands at packet i;
 * its elements may be NULL, and so may the whole. */
int record_write_capture(FILE *to, const struct record *r, char *const *comments,
                         struct error *err);

/* Calls, events, states and what the wire did by time, one JSON object a line. */
int record_write_events(FILE *to, const struct record *r, struct error *err);

/* All the rest: the "record" part of result.json.  The caller owns the reference. */
json_t *record_to_json(const struct record *r);

#endif
