/* What the parts of `tcplab compare` share: cmd_compare.c takes the options, reads runs that
 * are there already and prints; cmd_compare_kernels.c makes two runs first. */
#ifndef TOOLS_CMD_COMPARE_H
#define TOOLS_CMD_COMPARE_H

#include "cmd_matrix.h"

/* The cell as a side of the comparison: a run whose times mean little says so. */
void compare_remark_noise(struct cell *cell);

/* Prints how the two differ; the exit status. */
int compare_and_report(const char *const paths[2], const struct cell *const cells[2], bool json);

/* Plays the lab in each of the plan's kernels ("host": on this machine, which a single one is
 * compared with) and compares the two runs.  The plan remains the caller's. */
int compare_kernels(struct plan *plan, const char *lab, bool json);

#endif
