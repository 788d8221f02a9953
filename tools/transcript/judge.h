/* Pattern against story: the verdict.  Pure. */
#ifndef TRANSCRIPT_JUDGE_H
#define TRANSCRIPT_JUDGE_H

#include "base/diag.h"
#include "lab/lab.h"
#include "record/record.h"
#include "transcript/result.h"

struct pattern;

/* Parses expected/NAME.txt (src is taken over).  `lab` gives the names of hosts,
 * capture points and `vary` values.  Always returns a pattern; usable only without
 * diagnostics. */
struct pattern *pattern_parse(struct source *src, const struct lab *lab, struct diags *diags);
void pattern_free(struct pattern *pattern);
/* The canonical text, comments and labels included: parses to the same pattern. */
void pattern_format(struct strbuf *sb, const struct pattern *pattern);

/* Why a machine was late, and how much of it is still fair. */
#define JUDGE_DEFAULT_SLACK (100 * NSEC_PER_MSEC)

/* Judges the record.  `slack` is the host lateness past which a run is NOISY.
 * Never fails: what is wrong is in the result. */
struct result *judge(const struct lab *lab, const struct pattern *pattern,
                     const struct record *record, nsec slack);

/* Writes a transcript from a run (`tcplab record`): the notes and labels of `old`
 * (may be NULL) are kept where the lines still match. */
void transcript_write(struct strbuf *sb, const struct lab *lab, const struct record *record,
                      const struct pattern *old);

#endif
