#include "cmd_matrix_cell.h"

#include "record/load.h"
#include "transcript/pattern.h"

/* The line of the transcript that a line of the result is about; NULL: none. */
static const struct pattern_item *item_of(const struct pattern *pattern, size_t line_number)
{
    size_t low = 0, high = pattern->items.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pattern->items.at[middle].line_number < line_number)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < pattern->items.n && pattern->items.at[low].line_number == line_number;
    return found && line_number ? &pattern->items.at[low] : NULL;
}

/* What the transcript leaves open is no difference: lines that may be absent or come in
 * any order, and the time of those without an interval. */
static void mark_segments(struct cell *cell, const struct pattern *pattern)
{
    size_t n = cell->story->segments.n;
    cell->marks = xcalloc(n + 1, sizeof(*cell->marks));
    vec_each (&cell->result->lines, line) {
        const struct pattern_item *item = item_of(pattern, line->line_number);
        if (!item || line->point || line->segment < 0 || (size_t)line->segment >= n)
            continue;
        cell->marks[line->segment] = item->optional || item->group ? DIFFER_IGNORED
                                     : item->has_interval          ? DIFFER_COUNTS
                                                                   : DIFFER_UNTIMED;
    }
}

int cell_load(struct cell *cell, const struct cmd_lab *cl, const char *dir, nsec slack,
              struct error *err)
{
    *cell = (struct cell){.verdict = VERDICT_ERROR};
    cell->record = record_load(dir, err);
    if (!cell->record)
        return -1;
    if (cell->record->ip != cl->lab->ip) {
        error_set(err, STATUS_USAGE, "it is of a run with IPv%u", cell->record->ip);
        record_free(cell->record);
        cell->record = NULL;
        return -1;
    }
    cell->result = judge(cl->lab, cl->pattern, cell->record, slack);
    cell->verdict = cell->result->verdict;
    cell->reason = cell->result->reason ? xstrdup(cell->result->reason) : NULL;
    cell->story = story_new(cell->record);
    mark_segments(cell, cl->pattern);
    return 0;
}

void cell_free(struct cell *cell)
{
    if (cell->story)
        story_free(cell->story);
    if (cell->result)
        result_free(cell->result);
    if (cell->record)
        record_free(cell->record);
    free(cell->marks);
    free(cell->reason);
    *cell = (struct cell){.verdict = VERDICT_ERROR};
}

bool cell_was_played(const struct cell *cell)
{
    return cell->record && (cell->verdict == VERDICT_PASS || cell->verdict == VERDICT_FAIL);
}

char *cell_difference(const struct cell *a, const struct cell *b)
{
    struct difference difference;
    if (!cell_was_played(a) || !cell_was_played(b))
        return NULL;
    struct differ_run run_a = {a->story, a->marks}, run_b = {b->story, b->marks};
    if (!differ(&run_a, &run_b, &difference))
        return NULL;
    char *sentence = steal_pointer(&difference.sentence);
    difference_free(&difference);
    return sentence;
}

char *cell_change(const struct cell *before, const struct cell *now)
{
    if (now->verdict == VERDICT_NOISY || now->verdict == VERDICT_ERROR)
        return NULL;
    cleanup_free char *difference = cell_difference(before, now);
    if (before->verdict == now->verdict)
        return steal_pointer(&difference);
    const char *why = difference ? difference : now->reason;
    return xasprintf("%s, was %s%s%s", verdict_name(now->verdict), verdict_name(before->verdict),
                     why ? ": " : "", why ? why : "");
}
