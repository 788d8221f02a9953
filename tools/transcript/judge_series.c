/* Series of retransmissions whose intervals are not those of the transcript.
 *
 * A kernel that repeats an interval (1, 1, 1, 2, 4 …) where the transcript doubles
 * it (1, 2, 4 …) is aligned most cheaply by calling the repetitions unexpected: the
 * longer intervals come later and fit.  A person sees it otherwise: the second
 * interval was too short.  So where a packet repeats both the segment and the
 * interval of the packet before it, and differs from the next line only by the
 * interval, it is shown as that line.  The number of lines that are wrong stays the
 * same or grows, so that no verdict depends on this. */
#include "transcript/judge_parts.h"

static bool same_interval(nsec a, nsec b)
{
    nsec shorter = a < b ? a : b, longer = a < b ? b : a;
    return shorter > 0 && longer - shorter < shorter / 4;
}

static bool repeats_the_one_before(const struct track *t, size_t seen)
{
    if (seen == 0)
        return false;
    const struct observed *o = &t->seen.at[seen], *p = o - 1;
    return o->s->retransmission && p->s->retransmission && o->s->flow == p->s->flow &&
           o->s->dir == p->s->dir && o->s->seq == p->s->seq && same_interval(o->gap, p->gap);
}

static bool differs_only_by_interval(const struct track *t, const struct match_line *line,
                                     size_t seen)
{
    struct differences found = {0};
    match_compare(&t->rules, line->item, &t->seen.at[seen], &found);
    bool only = found.list.n == 1 && strcmp(found.list.at[0].field, "interval") == 0;
    vec_free(&found.list);
    return only;
}

void judge_series(struct track *t)
{
    for (size_t i = 0; i < t->path.steps.n; i++) {
        struct match_step *first = &t->path.steps.at[i];
        if (first->op != MATCH_UNEXPECTED || !repeats_the_one_before(t, first->seen))
            continue;
        size_t k = i;
        while (k < t->path.steps.n && t->path.steps.at[k].op == MATCH_UNEXPECTED)
            k++;
        if (k == t->path.steps.n)
            return;
        struct match_step *pair = &t->path.steps.at[k];
        if (pair->op == MATCH_PAIR &&
            differs_only_by_interval(t, &t->lines.at[pair->line], first->seen)) {
            first->op = MATCH_PAIR;
            first->line = pair->line;
            pair->op = MATCH_UNEXPECTED;
        }
        i = k;
    }
}
