/* A matrix: every lab on every kernel, as a terminal, a program or a kernel test runner
 * reads it. */
#ifndef REPORT_MATRIX_H
#define REPORT_MATRIX_H

#include <jansson.h>

#include "report/report.h"

#define MATRIX_SCHEMA 1

/* A column. */
struct matrix_kernel {
    char *name;    /* as the caller named it: "6.1", "host" */
    char *release; /* uname -r, NULL while nothing has been played there */
    char *clock;   /* "real" or "virtual" */
    nsec tick;     /* 1/HZ; 0: unknown */
};

struct matrix_cell {
    enum verdict verdict;
    char *reason;     /* why it is not PASS, else NULL */
    char *difference; /* from the same lab on the first kernel that played it; NULL: none */
    char *change;     /* from the baseline; NULL: none, or there is no baseline */
};

/* A row. */
struct matrix_lab {
    char *name, *title;
    struct matrix_cell *cells; /* one a kernel */
};

struct matrix {
    char *baseline; /* where the stored matrix is, NULL: compared with none */
    VEC(struct matrix_kernel) kernels;
    VEC(struct matrix_lab) labs;
};

/* Adds a row for a lab; its cells are empty (and freed with the matrix).  All kernels
 * must have been added. */
struct matrix_lab *matrix_add_lab(struct matrix *m, const char *name, const char *title);
void matrix_free(struct matrix *m);

/* Whether a cell is as it should be: unchanged where there is a baseline, else not
 * failed.  What was not played or is too noisy is neither good nor bad: fine as well. */
bool matrix_cell_is_fine(const struct matrix *m, const struct matrix_cell *cell);
size_t matrix_count_changes(const struct matrix *m);

void matrix_text(struct strbuf *out, const struct matrix *m, const struct text_options *options);
void matrix_ktap(struct strbuf *out, const struct matrix *m);
/* The caller owns the reference. */
json_t *matrix_json(const struct matrix *m);

#endif
