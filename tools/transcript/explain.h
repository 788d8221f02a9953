/* What a difference means, in one sentence for a person. */
#ifndef TRANSCRIPT_EXPLAIN_H
#define TRANSCRIPT_EXPLAIN_H

#include "transcript/match.h"
#include "transcript/result.h"

struct explanation {
    const struct record *record;
    const struct story *story; /* may be NULL */
    const struct observed *seen;
    size_t n_seen;
    size_t at;                       /* the packet observed; for a missing line the one behind it */
    const struct pattern_item *item; /* NULL for what was not expected … */
    const struct pattern_item *next; /* … then the line that was, or NULL */
    const struct match_rules *rules;
    const struct match_path *path; /* with `lines` what else stayed alone; may be NULL */
    const struct match_line *lines;
    const struct result_line *line;
};

/* The caller frees; NULL if the line is fine. */
char *explain_line(const struct explanation *x);

#endif
