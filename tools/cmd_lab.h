/* What the subcommands that run or judge labs share. */
#ifndef TOOLS_CMD_LAB_H
#define TOOLS_CMD_LAB_H

#include <getopt.h>
#include <stdio.h>

#include "base/time.h"
#include "lab/lab.h"
#include "report/report.h"
#include "transcript/judge.h"

/* A lab with its expected transcript, parsed. */
struct cmd_lab {
    struct lab *lab;
    struct pattern *pattern;
    char *expected_path;
};

/* How a lab is to be read: `--vary NAME=VALUE`, as given, and `--ip VERSION`. */
struct cmd_values {
    VEC(struct lab_value) list;
    unsigned ip; /* 0: not given */
};

/* The `--vary` of a command: takes "NAME=VALUE" apart (in place); 0, or the status to
 * exit with. */
int cmd_add_value(struct cmd_values *values, const char *command, char *text);

/* The `--ip` of a command: 4 or 6; 0, or the status to exit with. */
int cmd_take_ip(struct cmd_values *values, const char *command, const char *text);

/* How a command judges and reports: the options that `run` and `check` share. */
struct cmd_judging {
    nsec slack;
    bool quiet;
    enum text_view view;
    const struct report_format *format;
    struct cmd_values values;
};

/* Their letters and long names for getopt_long(). */
#define CMD_JUDGING_SHORT "s:qf:"
#define CMD_JUDGING_LONG                                                                           \
    {"slack", required_argument, NULL, 's'}, {"quiet", no_argument, NULL, 'q'},                    \
        {"format", required_argument, NULL, 'f'}, {"vary", required_argument, NULL, 'V'},          \
        {"view", required_argument, NULL, 'W'},                                                    \
    {                                                                                              \
        "ip", required_argument, NULL, 'I'                                                         \
    }

void cmd_judging_init(struct cmd_judging *judging);
void cmd_judging_free(struct cmd_judging *judging);
/* Takes one of these options, or says that there is none such; 0, or the status to exit
 * with. */
int cmd_judging_option(struct cmd_judging *judging, const char *command, int option, char **argv);

/* Finds and parses a lab and, if `with_expected`, its transcript.  On a failure it
 * has printed why and returns the status to exit with; 0 on success. */
int cmd_load_lab(struct cmd_lab *cl, const char *name, const struct cmd_values *values,
                 bool with_expected);
void cmd_free_lab(struct cmd_lab *cl);

/* The same for a lab that is to be judged from what `--from` names: without `--ip`, with the
 * version that this is of. */
int cmd_load_lab_for(struct cmd_lab *cl, const char *name, const struct cmd_values *values,
                     const char *from, bool with_expected);

/* How long a run takes on the real clock, by the intervals of its transcript (ns). */
nsec cmd_lab_length(const struct cmd_lab *cl);

/* Why a lab that is `long` is not played on the real clock: how long it would take there.
 * The caller frees it. */
char *cmd_long_reason(const struct cmd_lab *cl);

/* What `--from` names: the evidence in a folder, or a capture file.  NULL on an error. */
struct record *cmd_load_record(const struct lab *lab, const char *from, struct error *err);

/* Width, colours and character set of a stream. */
struct text_options cmd_text_options(FILE *to);
/* Whether it is a terminal that takes control codes, by TERM. */
bool cmd_has_codes(FILE *to);

/* The exit status that a set of verdicts gives. */
enum exit_status cmd_verdicts_status(const size_t counts[VERDICT_COUNT]);

#endif
