/* A cell of the matrix: one lab on one kernel, from its evidence. */
#ifndef TOOLS_CMD_MATRIX_CELL_H
#define TOOLS_CMD_MATRIX_CELL_H

#include "cmd_lab.h"
#include "transcript/differ.h"

struct cell {
    enum verdict verdict;
    char *reason;
    struct record *record; /* NULL: there is no evidence */
    struct result *result;
    struct story *story;
    enum differ_mark *marks;
};

/* Judges the evidence in `dir`; STATUS_USAGE if there is none, or none that can be read. */
int cell_load(struct cell *cell, const struct cmd_lab *cl, const char *dir, nsec slack,
              struct error *err);
void cell_free(struct cell *cell);

/* Whether there is something to compare: it was played, and its times mean something. */
bool cell_was_played(const struct cell *cell);

/* The first difference of b from a, if both were played; NULL: none. */
char *cell_difference(const struct cell *a, const struct cell *b);

/* What has changed between an earlier cell and this one, its verdict included; NULL:
 * nothing, or this one was too noisy or broken to say. */
char *cell_change(const struct cell *before, const struct cell *now);

#endif
