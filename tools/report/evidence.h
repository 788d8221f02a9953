/* The evidence of a run: the files of out/NAME/.  record/load.h reads them. */
#ifndef REPORT_EVIDENCE_H
#define REPORT_EVIDENCE_H

#include "base/error.h"
#include "lab/lab.h"
#include "record/record.h"
#include "transcript/result.h"

/* Makes the folder `dir` if need be, parents too, and claims it: until the descriptor
 * that this returns is closed (or its process has ended, in whatever way) nobody else
 * can claim it, so the evidence of two runs is never mixed.  -1, STATUS_MACHINE: it
 * cannot be made or written to, or somebody else has it. */
int evidence_claim(const char *dir, struct error *err);

/* Writes capture.pcapng, events.jsonl, transcript.txt, report.html and result.json into
 * `dir`, which is made if need be, parents too.  All of them are complete before the first
 * takes its name, so a crash or a full disk leaves older evidence as it was, and a
 * symbolic link in the place of a file is replaced, not followed.  Files for which there
 * is nothing (no record, transcript_text NULL; without `lab` no page) are removed.
 * STATUS_MACHINE when something cannot be written. */
int evidence_save(const char *dir, const struct lab *lab, const struct record *record,
                  const struct result *result, const char *transcript_text, struct error *err);

#endif
