#include "check_notes.h"

#include <string.h>

static bool did_happen(const struct result_line *line)
{
    return line->status != LINE_ABSENT && line->status != LINE_UNJUDGED && line->kind != LINE_WIRE;
}

static size_t count_rows(const struct picture *picture, const struct result_line *wanted)
{
    size_t n = 0;
    vec_each (&picture->rows, row)
        vec_each (&row->lines, line)
            n += *line == wanted;
    return n;
}

/* The lines of a group whose note it is, too; a line of a mix may be about no packet. */
static bool is_told(const struct pattern_item *item, const struct result *result)
{
    cleanup_free char *note = xstrdup(item->note);
    bool idle = item->mixed;
    for (char *p = note; *p; p++)
        if (*p == '\n')
            *p = ' ';
    vec_each (&result->lines, line) {
        if (line->note && did_happen(line) && strstr(line->note, note))
            return true;
        if (line->line_number == item->line_number)
            idle = !did_happen(line);
    }
    return idle;
}

char *check_notes(const struct pattern *pattern, const struct picture *picture)
{
    vec_each (&pattern->items, item)
        if (item->kind != ITEM_REMARK && item->note && !is_told(item, picture->result))
            return xasprintf("line %zu: no judged line has the note \"%s\"", item->line_number,
                             item->note);
    vec_each (&picture->result->lines, line) {
        size_t n = line->note && did_happen(line) ? count_rows(picture, line) : 1;
        if (n != 1)
            return xasprintf("line %zu hangs at %zu rows, with its note \"%s\"", line->line_number,
                             n, line->note);
    }
    return NULL;
}
