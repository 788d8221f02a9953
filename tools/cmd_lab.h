/* What the subcommands that run or judge labs share. */
#ifndef TOOLS_CMD_LAB_H
#define TOOLS_CMD_LAB_H

#include "base/loop.h"
#include "lab/lab.h"
#include "report/report.h"
#include "transcript/judge.h"

/* A lab with its expected transcript, parsed. */
struct cmd_lab {
    struct lab *lab;
    struct pattern *pattern;
    char *expected_path;
};

/* `--vary NAME=VALUE` values, as given. */
struct cmd_values {
    VEC(struct lab_value) list;
};

/* Takes "NAME=VALUE" apart (in place); -1 if it is none. */
int cmd_add_value(struct cmd_values *values, char *text);

/* Finds and parses a lab and, if `with_expected`, its transcript.  On a failure it
 * has printed why and returns the status to exit with; 0 on success. */
int cmd_load_lab(struct cmd_lab *cl, const char *name, const struct cmd_values *values,
                 bool with_expected);
void cmd_free_lab(struct cmd_lab *cl);

/* Why a lab that is `long` is not played on the real clock: how long it would take there,
 * by the intervals of its transcript.  The caller frees it. */
char *cmd_long_reason(const struct cmd_lab *cl);

/* Width, colours and character set of a stream. */
struct text_options cmd_text_options(FILE *to);

/* The exit status that a set of verdicts gives. */
enum exit_status cmd_verdicts_status(const size_t counts[VERDICT_COUNT]);

/* A duration given to an option; -1 if it is none. */
int cmd_duration(const char *text, nsec *out);

#endif
