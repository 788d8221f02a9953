#include "transcript/result.h"

#include <stdlib.h>

const char *verdict_name(enum verdict v)
{
    static const char *const names[] = {
        [VERDICT_PASS] = "PASS",   [VERDICT_FAIL] = "FAIL",   [VERDICT_SKIP] = "SKIP",
        [VERDICT_NOISY] = "NOISY", [VERDICT_ERROR] = "ERROR",
    };
    return (size_t)v < ARRAY_SIZE(names) ? names[v] : "ERROR";
}

struct result *result_new(const char *lab)
{
    struct result *r = xcalloc(1, sizeof(*r));
    r->verdict = VERDICT_ERROR;
    r->lab = xstrdup(lab ? lab : "");
    return r;
}

static void free_line(struct result_line *l)
{
    vec_each (&l->diffs, d) {
        free(d->field);
        free(d->expected);
        free(d->observed);
    }
    vec_free(&l->diffs);
    free(l->point);
    free(l->label);
    free(l->note);
    free(l->expected);
    free(l->observed);
    free(l->derivation);
    free(l->wire);
    free(l->meaning);
}

void result_free(struct result *r)
{
    if (!r)
        return;
    vec_each (&r->lines, l)
        free_line(l);
    vec_free(&r->lines);
    free(r->lab);
    free(r->title);
    free(r->reason);
    free(r->expected_path);
    free(r);
}

const struct result_line *result_first_bad(const struct result *r)
{
    vec_each (&r->lines, l)
        if (l->status == LINE_DIFFERS || l->status == LINE_MISSING || l->status == LINE_UNEXPECTED)
            return l;
    return NULL;
}

bool line_is_fine(enum line_status status)
{
    return status == LINE_OK || status == LINE_ABSENT || status == LINE_UNJUDGED;
}
