/* Where the judged lines hang, and with them the teacher's notes: each at one row.
 *
 * A segment's line hangs at the row of its sending, an `at` line at that of the segment
 * that the capture point saw; a call's at its return; a link's at the cable.  A missing
 * line has no time: it stands behind what was expected before it.  A silence hangs at the
 * row that tells of it; where there is none, because it is short or programs were busy
 * meanwhile, behind the line before it.  What is marked `?` and did not happen, and what
 * the evidence does not say, hangs nowhere. */
#include <stdlib.h>
#include <string.h>

#include "picture/picture_parts.h"

/* Where the first row of each segment, the last of each call, and that of each link is. */
struct places {
    long *segment, *call, *event;
};

/* An `at` line counts the segments of its point's story: which one of the run's it is. */
static long find_segment(const struct picture *picture, const struct result_line *line,
                         struct story **at)
{
    const struct record *r = picture->record;
    if (!line->point || line->segment < 0)
        return line->segment;
    for (size_t i = 0; i < r->points.n; i++) {
        if (strcmp(r->points.at[i].name, line->point) != 0)
            continue;
        if (!at[i])
            at[i] = story_at(r, (int)i);
        if ((size_t)line->segment < at[i]->segments.n)
            return picture->story->owner[at[i]->segments.at[line->segment].packet];
    }
    return -1;
}

static void places_free(struct places *places)
{
    free(places->segment);
    free(places->call);
    free(places->event);
}

static void find_places(const struct picture *picture, struct places *places)
{
    const struct record *r = picture->record;
    places->segment = xcalloc(picture->story->segments.n, sizeof(long));
    places->call = xcalloc(r->calls.n, sizeof(long));
    places->event = xcalloc(r->events.n, sizeof(long));
    for (size_t i = picture->rows.n; i-- > 0;)
        if (picture->rows.at[i].segment >= 0)
            places->segment[picture->rows.at[i].segment] = (long)i;
    for (size_t i = 0; i < picture->rows.n; i++) {
        if (picture->rows.at[i].call >= 0)
            places->call[picture->rows.at[i].call] = (long)i;
        if (picture->rows.at[i].event >= 0)
            places->event[picture->rows.at[i].event] = (long)i;
    }
}

/* The row that a line is about, -1: none. */
static long find_row(const struct picture *picture, const struct places *places,
                     const struct result_line *line, struct story **at)
{
    const struct record *r = picture->record;
    if (line->kind == LINE_SEGMENT) {
        long segment = find_segment(picture, line, at);
        bool known = segment >= 0 && (size_t)segment < picture->story->segments.n;
        if (known)
            return places->segment[segment];
    }
    if (line->kind == LINE_LINK)
        return line->event >= 0 && (size_t)line->event < r->events.n ? places->event[line->event]
                                                                     : -1;
    return line->call >= 0 && (size_t)line->call < r->calls.n ? places->call[line->call] : -1;
}

void picture_hang_lines(struct picture *picture)
{
    size_t points = picture->record->points.n;
    struct story **at = xcalloc(points, sizeof(struct story *));
    struct places places;
    find_places(picture, &places);
    nsec time = 0;
    vec_each (&picture->result->lines, line) {
        long row = find_row(picture, &places, line, at);
        if (row >= 0) {
            time = line->point ? time : picture->rows.at[row].time;
        } else {
            /* What somebody did not wait for is not missing. */
            bool shown = (line->status == LINE_MISSING || line->kind == LINE_QUIET) &&
                         !picture->record->interrupted;
            if (!shown || line_is_fine(line->status))
                continue;
            picture_add_row(picture, PICTURE_MISSING, time);
            row = (long)picture->rows.n - 1;
        }
        vec_push(&picture->rows.at[row].lines, line);
    }
    for (size_t i = 0; i < points; i++)
        story_free(at[i]);
    free(at);
    places_free(&places);
}

/* ----------------------------------------------------------------- silences */

/* The first silence behind the beginning of the one that was expected, if it is the same. */
static struct picture_row *find_silence(const struct picture *picture,
                                        const struct result_line *quiet)
{
    if (quiet->point)
        return NULL;
    vec_each (&picture->rows, row)
        if (row->kind == PICTURE_SILENCE && row->time > quiet->time)
            return row->time - row->gap < quiet->time + quiet->gap ? row : NULL;
    return NULL;
}

static struct picture_row *find_row_of(const struct picture *picture,
                                       const struct result_line *wanted)
{
    vec_each (&picture->rows, row)
        vec_each (&row->lines, line)
            if (*line == wanted)
                return row;
    return NULL;
}

/* The row of the last line before this one that has one; the first row. */
static struct picture_row *find_row_before(const struct picture *picture,
                                           const struct result_line *line)
{
    while (line > picture->result->lines.at) {
        struct picture_row *row = find_row_of(picture, --line);
        if (row)
            return row;
    }
    return picture->rows.n ? picture->rows.at : NULL;
}

void picture_hang_quiets(struct picture *picture)
{
    vec_each (&picture->result->lines, line) {
        if (line->kind != LINE_QUIET || !line_is_fine(line->status))
            continue;
        struct picture_row *row = find_silence(picture, line);
        if (!row && line->status == LINE_OK)
            row = find_row_before(picture, line);
        if (row)
            vec_push(&row->lines, line);
    }
}
