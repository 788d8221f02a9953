/* The ladder in the terminal: a lifeline for each host, an arrow for each segment, time
 * running down.
 *
 * Left of the lifelines stand time and gap, as everywhere; beside an arrow nothing but what
 * fits on it, below it what there is to say: what it is (picture/label.h), what the wire
 * did, the teacher's note.  A segment whose arrival has a row of its own goes off on a solid
 * line that becomes dotted, and comes in on a dotted one that becomes solid.
 *
 * The states of sockets stand outside the outermost lifelines, beside the row that they
 * follow; on a narrow terminal inside, on a row of their own. */
#include <string.h>

#include "report/ladder_parts.h"
#include "report/wrap.h"

enum {
    NARROWEST = 14, /* columns between two lifelines */
    WIDEST = 84,
    MARGINS_FROM = 54, /* … which margins must leave */
};

/* ---------------------------------------------------------- what there is to say */

/* Whether a line of the row tells what the wire did. */
static bool has_wire(const struct picture_row *row)
{
    vec_each (&row->lines, line)
        if ((*line)->wire)
            return true;
    return false;
}

static void put_labels(struct ladder *l, const struct picture_row *row)
{
    const struct label *label = NULL;
    size_t n = labels_of(l->labels, (size_t)row->segment, &label);
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    for (size_t i = 0; i < n; i++) {
        strbuf_puts(&words, i ? "; " : "");
        label_format(&words, &label[i]);
    }
    struct strbuf mishaps cleanup_strbuf = STRBUF_INIT;
    if (!has_wire(row))
        picture_mishaps(&mishaps, l->picture, row);
    if (mishaps.len)
        strbuf_printf(&words, "%s%s", words.len ? "; " : "", mishaps.data);
    if (words.len)
        ladder_paragraph(l, STYLE_TITLE, ladder_pick(l, "↳ ", "` "), words.data);
}

static void put_notes(struct ladder *l, const struct picture_row *row)
{
    vec_each (&row->lines, line) {
        if ((*line)->wire)
            ladder_paragraph(l, STYLE_WARN, ladder_pick(l, "✂ ", "# "), (*line)->wire);
        cleanup_strbuf struct strbuf note = STRBUF_INIT;
        picture_note(&note, *line);
        if (note.len)
            ladder_paragraph(l, STYLE_NOTE, "", note.data);
    }
}

/* What is wrong with the row, where the run is not one that fails at its first fault. */
static void put_faults(struct ladder *l, const struct picture_row *row)
{
    const char *mark = ladder_pick(l, "≠ ", "! ");
    if (l->live)
        return;
    vec_each (&row->lines, line) {
        cleanup_strbuf struct strbuf words = STRBUF_INIT;
        text_fault(&words, *line);
        if (words.len)
            ladder_paragraph(l, STYLE_BAD, mark, words.data);
    }
}

/* ------------------------------------------------------------------- events */

/* Text at a host's lifeline, on the side where there is room. */
static void put_at_host(struct ladder *l, const struct picture_row *row, enum style style,
                        const char *s)
{
    size_t column = row->from < 0 ? 0 : (size_t)row->from;
    bool leftward = column > 0 && column == l->picture->columns.n - 1;
    int room = ladder_right(l) - ladder_left(l) - 4;
    if (!leftward)
        room = ladder_right(l) - l->x[column] - 3;
    struct wrap w = {.s = s, .len = strlen(s), .utf8 = l->row.utf8};
    size_t from, to;
    const struct picture_row *stamp = row;
    while (wrap_next(&w, room, &from, &to)) {
        ladder_begin_row(l);
        int width = glyphs_width(s + from, to - from, l->row.utf8);
        canvas_put(&l->row, leftward ? ladder_right(l) - 1 - width : l->x[column] + 2, room, style,
                   s + from, to - from);
        ladder_end_row(l, stamp);
        stamp = NULL;
    }
}

static void put_call(struct ladder *l, const struct picture_row *row)
{
    const struct record_call *call = &l->picture->record->calls.at[row->call];
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    picture_call(&words, l->picture, row);
    bool over = row->kind == PICTURE_CALL, bad = over && !call->as_stated;
    if (!over)
        strbuf_puts(&words, ladder_pick(l, " …", " ..."));
    if (!over && !call->ended && !l->live)
        strbuf_puts(&words, " (not finished)");
    if (bad && call->expected)
        strbuf_printf(&words, ", and the lab states => %s", call->expected);
    put_at_host(l, row, bad ? STYLE_BAD : over ? STYLE_CALL : STYLE_DIM, words.data);
}

static void put_link(struct ladder *l, const struct picture_row *row)
{
    bool pulled = l->picture->record->events.at[row->event].kind == EVENT_UNPLUG;
    if (row->from >= 0)
        l->pulled[row->from] = pulled;
    put_at_host(l, row, STYLE_WARN, pulled ? "its cable is pulled" : "its cable is back");
}

static void put_silence(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_puts(&words, ladder_pick(l, "⋯ ", "... "));
    strbuf_approx(&words, row->gap);
    ladder_begin_row(l);
    int width = glyphs_width(words.data, words.len, l->row.utf8);
    int x = (ladder_left(l) + ladder_right(l) - width) / 2;
    canvas_fill(&l->row, x - 1, x + width + 1, STYLE_PLAIN, " ");
    canvas_put(&l->row, x, width, STYLE_DIM, words.data, words.len);
    ladder_end_row(l, row);
}

/* --------------------------------------------------------------------- rows */

static void put_hidden(struct ladder *l)
{
    if (!l->n_hidden)
        return;
    cleanup_free char *words = xasprintf("(and %zu more, all as the transcript says)", l->n_hidden);
    ladder_paragraph(l, STYLE_DIM, "", words);
    l->n_hidden = 0;
}

static void put_segment(struct ladder *l, const struct picture_row *row)
{
    if (row->from < 0)
        ladder_floating(l, row);
    else
        ladder_arrow(l, row);
    if (row->kind == PICTURE_ARRIVAL)
        return;
    put_labels(l, row);
}

static void put_row(struct ladder *l, const struct picture_row *row)
{
    if (row->segment >= 0 && l->hidden[row->segment]) {
        l->n_hidden += row->kind != PICTURE_ARRIVAL;
        return;
    }
    if (row->kind == PICTURE_ARRIVAL && l->n_hidden)
        return; /* of the first ones of many, which would cut up those that are left out */
    put_hidden(l);
    ladder_take_states(l, row);
    switch (row->kind) {
    case PICTURE_SEGMENT:
    case PICTURE_DEPARTURE:
    case PICTURE_ARRIVAL:
        put_segment(l, row);
        break;
    case PICTURE_CALL:
    case PICTURE_CALL_BEGAN:
        put_call(l, row);
        break;
    case PICTURE_LINK:
        put_link(l, row);
        break;
    case PICTURE_SILENCE:
        put_silence(l, row);
        break;
    case PICTURE_MISSING:
        break;
    }
    put_faults(l, row);
    put_notes(l, row);
    ladder_put_states(l);
}

/* -------------------------------------------------------------------- whole */

static void put_names(struct ladder *l)
{
    canvas_clear(&l->row);
    size_t last = l->picture->columns.n - 1;
    int least = 0; /* the first column behind the names so far */
    for (size_t i = 0; i <= last; i++) {
        const char *name = picture_column_name(l->picture, i);
        int width = glyphs_width(name, strlen(name), l->row.utf8);
        int x = i == 0 ? ladder_left(l) : i == last ? l->x[i] - width + 1 : l->x[i] - width / 2;
        x = x > least ? x : least;
        canvas_put(&l->row, x, width, STYLE_TITLE, name, strlen(name));
        least = x + width + 1;
    }
    text_put(l->t, STYLE_DIM, l->t->seconds ? "  time/s      gap " : " time/ms      gap ");
    canvas_flush(&l->row, l->t);
}

static void find_hidden(struct ladder *l)
{
    vec_each (&l->picture->rows, row) {
        if (row->segment < 0 || row->lines.n == 0)
            continue;
        bool hidden = true;
        vec_each (&row->lines, line)
            hidden =
                hidden && text_is_hidden(l->t->result, (size_t)(*line - l->t->result->lines.at));
        l->hidden[row->segment] = hidden;
    }
}

/* Whether the row is about this line. */
static bool is_about(const struct picture_row *row, const struct result_line *line)
{
    vec_each (&row->lines, l)
        if (*l == line)
            return true;
    return false;
}

static bool ladder_init(struct ladder *l, struct text *t, const struct picture *picture)
{
    size_t n = picture->columns.n;
    int room = t->width - TEXT_STAMP - 1;
    *l = (struct ladder){.t = t, .picture = picture, .live = t->live};
    if (n < 2 || room / (int)(n - 1) < NARROWEST)
        return false;
    l->margins = t->record->states.n && room - 2 * LADDER_MARGIN >= MARGINS_FROM * (int)(n - 1);
    int margin = l->margins ? LADDER_MARGIN : 0;
    int widest = WIDEST * (int)(n - 1), width = room - 2 * margin;
    width = width < widest ? width : widest;
    canvas_init(&l->row, width + 2 * margin, t->options->utf8);
    l->x = xcalloc(n, sizeof(*l->x));
    for (size_t i = 0; i < n; i++)
        l->x[i] = margin + (width - 1) * (int)i / (int)(n - 1);
    l->pulled = xcalloc(n, sizeof(bool));
    l->hidden = xcalloc(picture->story->segments.n, sizeof(bool));
    l->labels = labels_new(picture->story);
    find_hidden(l);
    return true;
}

static void ladder_free(struct ladder *l)
{
    canvas_free(&l->row);
    free(l->x);
    free(l->pulled);
    free(l->hidden);
    labels_free(l->labels);
}

bool text_ladder(struct text *t)
{
    if (!t->record)
        return false;
    struct picture *picture = picture_new(t->record, t->result);
    struct ladder l;
    bool drawn = ladder_init(&l, t, picture);
    const struct result_line *bad =
        t->result->verdict == VERDICT_FAIL && !t->live ? result_first_bad(t->result) : NULL;
    if (drawn) {
        put_names(&l);
        for (size_t i = 0; i < picture->rows.n; i++) {
            const struct picture_row *row = &picture->rows.at[i];
            if (bad && is_about(row, bad))
                break;
            put_row(&l, row);
        }
        put_hidden(&l);
        if (bad) {
            text_failure(t, bad);
            if (bad->kind != LINE_WIRE)
                text_beside(t, (size_t)(bad - t->result->lines.at));
        }
        ladder_free(&l);
    }
    picture_free(picture);
    return drawn;
}
