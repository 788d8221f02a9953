/* What the parts of `tcplab matrix` share: cmd_matrix.c takes the options, compares and
 * prints; cmd_matrix_run.c plays the columns, for cmd_compare_kernels.c as well. */
#ifndef TOOLS_CMD_MATRIX_H
#define TOOLS_CMD_MATRIX_H

#include <jansson.h>

#include "cmd_matrix_cell.h"
#include "report/matrix.h"

/* One kernel. */
struct column {
    const char *kernel; /* as given, NULL: this machine */
    char *dir;          /* OUT/KERNEL */
    VEC(struct cell) cells;
    json_t *reports; /* what `run` said: an array of results, NULL: nothing */
    int status;
};

/* Everything about one call. */
struct plan {
    bool all, no_host, play_long;
    const char *out, *baseline, *bless, *modules, *slack_text, *format;
    nsec slack;
    struct cmd_values values; /* only `--ip` */
    VEC(const char *) kernels;
    VEC(char *) names; /* of labs, as given */
    VEC(struct cmd_lab) labs;
    VEC(struct column) columns;
    struct matrix matrix;
};

/* Adds a column for a kernel (NULL: this machine), after looking for it: it may be a typing
 * error, and what comes before it takes minutes.  `again`: one that is there already gets
 * another name, else that is an error. */
int plan_add_column(struct plan *plan, const char *kernel, bool again, struct error *err);
void plan_free(struct plan *plan);

/* Plays every column, one after another, and judges its cells; -1 and an error only when
 * that was not possible at all. */
int matrix_play(struct plan *plan, struct error *err);

#endif
