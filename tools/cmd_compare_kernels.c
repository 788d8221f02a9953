/* tcplab compare --kernel: the two runs are made now, each as a column of a matrix. */

#include "cmd.h"
#include "cmd_compare.h"
#include "transcript/pattern.h"

/* Of a single kernel this machine is the other side, as in a matrix. */
static int choose_sides(struct plan *p)
{
    struct error err = ERROR_INIT;
    if (p->kernels.n == 1)
        vec_push(&p->kernels, "host");
    vec_each (&p->kernels, kernel)
        if (plan_add_column(p, strcmp(*kernel, "host") == 0 ? NULL : *kernel, true, &err) < 0)
            return cmd_fail(&err);
    return 0;
}

static int choose_lab(struct plan *p, const char *name)
{
    struct cmd_lab cl;
    int status = cmd_load_lab(&cl, name, &p->values, true);
    if (status) {
        cmd_free_lab(&cl);
        return status;
    }
    vec_push(&p->labs, cl);
    vec_push(&p->names, xstrdup(name));
    return 0;
}

/* Why there is nothing to compare, for each side on which the lab was not played; 0: it was
 * on both. */
static int refuse_unplayed(const struct plan *p)
{
    int status = 0;
    for (size_t i = 0; i < p->columns.n; i++) {
        struct error err = ERROR_INIT;
        const struct column *column = &p->columns.at[i];
        const struct cell *cell = &column->cells.at[0];
        const char *skipped = cell->record ? cell->record->skipped : NULL;
        if (cell->record && !skipped)
            continue;
        enum exit_status why = skipped || column->status == STATUS_PASSED
                                   ? STATUS_NOTHING
                                   : (enum exit_status)column->status;
        error_set(&err, why, "%s was not played on %s: %s", p->labs.at[0].lab->name,
                  p->matrix.kernels.at[i].name, skipped ? skipped : cell->reason);
        int ended = cmd_fail(&err);
        /* A machine that cannot run it is worse than a lab that has no place there. */
        status = status && ended == STATUS_NOTHING ? status : ended;
    }
    return status;
}

int compare_kernels(struct plan *p, const char *lab, bool json)
{
    struct error err = ERROR_INIT;
    int status = choose_lab(p, lab);
    if (status == 0)
        status = choose_sides(p);
    if (status == 0 && matrix_play(p, &err) < 0)
        status = cmd_fail(&err);
    if (status == 0)
        status = refuse_unplayed(p);
    if (status)
        return status;
    const char *name = p->labs.at[0].lab->name;
    struct cell *cells[] = {&p->columns.at[0].cells.at[0], &p->columns.at[1].cells.at[0]};
    for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
        compare_remark_noise(cells[i]);
    cleanup_free char *a = xasprintf("%s/%s", p->columns.at[0].dir, name);
    cleanup_free char *b = xasprintf("%s/%s", p->columns.at[1].dir, name);
    return compare_and_report((const char *const[]){a, b},
                              (const struct cell *const[]){cells[0], cells[1]}, json);
}
