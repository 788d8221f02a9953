/* Subcommands: `int cmd_NAME(int argc, char **argv)` gets its own name as argv[0]
 * and returns the exit status (base/error.h).  Only cmd_*.c prints errors. */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/error.h"

int cmd_check(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_kernel(int argc, char **argv);
int cmd_guest(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_matrix(int argc, char **argv);
int cmd_new(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_states(int argc, char **argv);
int cmd_verbs(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_decode(int argc, char **argv);

/* Prints "tcplab: MESSAGE" and its hint to standard error, clears err and returns
 * the status to exit with. */
int cmd_fail(struct error *err);

/* Prints diagnostics to standard error, frees them, returns STATUS_USAGE. */
int cmd_fail_diags(struct diags *diags);

/* "tcplab NAME: TEXT" and where help is; returns STATUS_USAGE. */
int cmd_usage_error(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says what is wrong with the option that getopt_long() refused, with opterr = 0 and a
 * ':' before the letters: `refused` is what it returned.  Returns STATUS_USAGE. */
int cmd_option_error(const char *name, int refused, char **argv);

/* Ends a command: what it printed has to arrive, or STATUS_PASSED becomes STATUS_MACHINE. */
int cmd_end(int status);

/* The value of `--format`, which is text or json; 0, or STATUS_USAGE. */
int cmd_text_or_json(const char *name, const char *value, bool *json);

#endif
