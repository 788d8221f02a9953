#include "report/matrix.h"

#include "record/json.h"
#include "report/plain.h"
#include "transcript/timing.h"

struct matrix_lab *matrix_add_lab(struct matrix *m, const char *name, const char *title)
{
    struct matrix_lab *lab = vec_add(&m->labs);
    *lab = (struct matrix_lab){.name = xstrdup(name),
                               .title = title ? xstrdup(title) : NULL,
                               .cells = xcalloc(m->kernels.n, sizeof(*lab->cells))};
    return lab;
}

void matrix_free(struct matrix *m)
{
    vec_each (&m->labs, lab) {
        for (size_t k = 0; k < m->kernels.n; k++) {
            free(lab->cells[k].reason);
            free(lab->cells[k].difference);
            free(lab->cells[k].change);
        }
        free(lab->cells);
        free(lab->name);
        free(lab->title);
    }
    vec_free(&m->labs);
    vec_each (&m->kernels, kernel) {
        free(kernel->name);
        free(kernel->release);
        free(kernel->clock);
    }
    vec_free(&m->kernels);
    free(m->baseline);
    *m = (struct matrix){0};
}

bool matrix_cell_is_fine(const struct matrix *m, const struct matrix_cell *cell)
{
    if (cell->verdict == VERDICT_ERROR)
        return false;
    return m->baseline ? !cell->change : cell->verdict != VERDICT_FAIL;
}

size_t matrix_count_changes(const struct matrix *m)
{
    size_t n = 0;
    vec_each (&m->labs, lab)
        for (size_t k = 0; k < m->kernels.n; k++)
            n += lab->cells[k].change != NULL;
    return n;
}

/* ---------------------------------------------------------------------- text */

/* "PASS", with a mark for what is told below the table. */
static void put_cell(struct strbuf *out, const struct matrix_cell *cell, size_t width, bool color)
{
    static const char *const colors[] = {[VERDICT_PASS] = "1;32",
                                         [VERDICT_FAIL] = "1;31",
                                         [VERDICT_SKIP] = "33",
                                         [VERDICT_NOISY] = "33",
                                         [VERDICT_ERROR] = "1;31"};
    const char *name = verdict_name(cell->verdict);
    size_t used = strlen(name) + !!cell->difference + !!cell->change;
    if (color)
        strbuf_printf(out, "\033[%sm", colors[cell->verdict]);
    strbuf_puts(out, name);
    if (color)
        strbuf_puts(out, "\033[0m");
    if (cell->difference)
        strbuf_putc(out, '*');
    if (cell->change)
        strbuf_putc(out, '!');
    strbuf_pad(out, ' ', width > used ? width - used : 0);
}

static void end_line(struct strbuf *out)
{
    while (out->len && out->data[out->len - 1] == ' ')
        strbuf_truncate(out, out->len - 1);
    strbuf_putc(out, '\n');
}

static void put_table(struct strbuf *out, const struct matrix *m, bool color)
{
    size_t first = 0;
    vec_each (&m->labs, lab)
        first = strlen(lab->name) > first ? strlen(lab->name) : first;
    strbuf_pad(out, ' ', first + 2);
    vec_each (&m->kernels, kernel)
        strbuf_printf(out, "%-8s ", kernel->name);
    end_line(out);
    vec_each (&m->labs, lab) {
        strbuf_printf(out, "%-*s  ", (int)first, lab->name);
        for (size_t k = 0; k < m->kernels.n; k++) {
            size_t width = strlen(m->kernels.at[k].name);
            put_cell(out, &lab->cells[k], (width > 8 ? width : 8) + 1, color);
        }
        end_line(out);
    }
}

static void put_kernels(struct strbuf *out, const struct matrix *m)
{
    size_t width = 0;
    vec_each (&m->kernels, kernel)
        width = strlen(kernel->name) > width ? strlen(kernel->name) : width;
    strbuf_putc(out, '\n');
    vec_each (&m->kernels, kernel) {
        strbuf_printf(out, "%-*s  ", (int)width, kernel->name);
        if (!kernel->release) {
            strbuf_puts(out, "nothing was played\n");
            continue;
        }
        strbuf_puts(out, "Linux ");
        plain_add(out, kernel->release);
        if (kernel->tick > 0) {
            strbuf_puts(out, ", tick ");
            timing_number(out, kernel->tick);
        }
        strbuf_printf(out, ", %s clock\n", kernel->clock ? kernel->clock : "unknown");
    }
}

/* What is told of a cell, or NULL. */
typedef const char *telling(const struct matrix_cell *cell);

static const char *tell_difference(const struct matrix_cell *cell)
{
    return cell->difference;
}

static const char *tell_change(const struct matrix_cell *cell)
{
    return cell->change;
}

static const char *tell_failure(const struct matrix_cell *cell)
{
    bool failed = cell->verdict == VERDICT_FAIL || cell->verdict == VERDICT_ERROR;
    return failed ? cell->reason : NULL;
}

static const char *tell_unjudged(const struct matrix_cell *cell)
{
    bool unjudged = cell->verdict == VERDICT_SKIP || cell->verdict == VERDICT_NOISY;
    return unjudged ? cell->reason : NULL;
}

static void put_section(struct strbuf *out, const struct matrix *m, const char *title,
                        telling *tell)
{
    bool begun = false;
    vec_each (&m->labs, lab) {
        for (size_t k = 0; k < m->kernels.n; k++) {
            const char *text = tell(&lab->cells[k]);
            if (!text)
                continue;
            if (!begun)
                strbuf_printf(out, "\n%s\n", title);
            begun = true;
            strbuf_printf(out, "  %s on %s: ", lab->name, m->kernels.at[k].name);
            plain_add(out, text);
            strbuf_putc(out, '\n');
        }
    }
}

void matrix_text(struct strbuf *out, const struct matrix *m, const struct text_options *options)
{
    put_table(out, m, options->color);
    put_kernels(out, m);
    put_section(out, m, "* The first difference from the first kernel that played the lab:",
                tell_difference);
    put_section(out, m, "Failed:", tell_failure);
    put_section(out, m, "Not judged:", tell_unjudged);
    put_section(out, m, "! Changed since the baseline:", tell_change);
    if (m->baseline && matrix_count_changes(m) == 0)
        strbuf_puts(out, "\nNothing has changed since the baseline.\n");
}

/* ---------------------------------------------------------------------- KTAP */

/* A description cannot hold `#`, which begins a directive, and has no escape. */
static void put_description(struct strbuf *out, const char *s)
{
    for (; *s; s++)
        strbuf_putc(out, *s == '#' ? ' ' : *s);
}

static bool was_judged(const struct matrix_cell *cell)
{
    return cell->verdict != VERDICT_SKIP && cell->verdict != VERDICT_NOISY;
}

static void put_remark(struct strbuf *out, const char *what, const char *text)
{
    if (!text)
        return;
    strbuf_printf(out, "  # %s: ", what);
    plain_add(out, text);
    strbuf_putc(out, '\n');
}

static void put_subtest(struct strbuf *out, const struct matrix *m, const struct matrix_cell *cell,
                        size_t k)
{
    bool fine = matrix_cell_is_fine(m, cell);
    put_remark(out, "difference", cell->difference);
    put_remark(out, "change", cell->change);
    if (was_judged(cell))
        put_remark(out, verdict_name(cell->verdict), cell->reason);
    strbuf_printf(out, "  %sok %zu ", fine ? "" : "not ", k + 1);
    put_description(out, m->kernels.at[k].name);
    if (fine && !was_judged(cell)) {
        strbuf_puts(out, cell->verdict == VERDICT_SKIP ? " # SKIP " : " # SKIP NOISY: ");
        plain_add(out, cell->reason ? cell->reason : "it was not judged");
    }
    strbuf_putc(out, '\n');
}

void matrix_ktap(struct strbuf *out, const struct matrix *m)
{
    strbuf_printf(out, "KTAP version 1\n1..%zu\n", m->labs.n);
    for (size_t i = 0; i < m->labs.n; i++) {
        const struct matrix_lab *lab = &m->labs.at[i];
        bool fine = true, judged = false;
        strbuf_printf(out, "  KTAP version 1\n  1..%zu\n", m->kernels.n);
        for (size_t k = 0; k < m->kernels.n; k++) {
            put_subtest(out, m, &lab->cells[k], k);
            fine &= matrix_cell_is_fine(m, &lab->cells[k]);
            judged |= was_judged(&lab->cells[k]);
        }
        strbuf_printf(out, "%sok %zu ", fine ? "" : "not ", i + 1);
        put_description(out, lab->name);
        strbuf_puts(out, fine && !judged ? " # SKIP no kernel played it\n" : "\n");
    }
}

/* ---------------------------------------------------------------------- JSON */

static json_t *kernel_json(const struct matrix_kernel *kernel)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_readable(kernel->name));
    json_object_set_new(o, "release", json_readable(kernel->release));
    json_object_set_new(o, "clock", json_readable(kernel->clock));
    json_object_set_new(o, "tick_ns", json_integer(kernel->tick));
    return o;
}

static json_t *cell_json(const struct matrix_kernel *kernel, const struct matrix_cell *cell)
{
    json_t *o = json_object();
    json_object_set_new(o, "kernel", json_readable(kernel->name));
    json_object_set_new(o, "verdict", json_string(verdict_name(cell->verdict)));
    json_object_set_new(o, "reason", json_readable(cell->reason));
    json_object_set_new(o, "difference", json_readable(cell->difference));
    json_object_set_new(o, "change", json_readable(cell->change));
    return o;
}

json_t *matrix_json(const struct matrix *m)
{
    json_t *o = json_object(), *kernels = json_array(), *labs = json_array();
    vec_each (&m->kernels, kernel)
        json_array_append_new(kernels, kernel_json(kernel));
    vec_each (&m->labs, lab) {
        json_t *row = json_object(), *cells = json_array();
        for (size_t k = 0; k < m->kernels.n; k++)
            json_array_append_new(cells, cell_json(&m->kernels.at[k], &lab->cells[k]));
        json_object_set_new(row, "name", json_readable(lab->name));
        json_object_set_new(row, "title", json_readable(lab->title));
        json_object_set_new(row, "cells", cells);
        json_array_append_new(labs, row);
    }
    json_object_set_new(o, "schema_version", json_integer(MATRIX_SCHEMA));
    json_object_set_new(o, "baseline", json_readable(m->baseline));
    json_object_set_new(o, "changed", json_integer((json_int_t)matrix_count_changes(m)));
    json_object_set_new(o, "kernels", kernels);
    json_object_set_new(o, "labs", labs);
    return o;
}
