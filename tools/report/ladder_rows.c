/* Rows of the ladder: lifelines, text between them, states beside them. */
#include <string.h>

#include "report/ladder_parts.h"
#include "report/wrap.h"

const char *ladder_pick(const struct ladder *l, const char *utf8, const char *ascii)
{
    return text_pick(l->t, utf8, ascii);
}

int ladder_left(const struct ladder *l)
{
    return l->x[0];
}

int ladder_right(const struct ladder *l)
{
    return l->x[l->picture->columns.n - 1];
}

/* ------------------------------------------------------------------- parts */

void ladder_begin_row(struct ladder *l)
{
    canvas_clear(&l->row);
    for (size_t i = 0; i < l->picture->columns.n; i++)
        canvas_fill(&l->row, l->x[i], l->x[i] + 1, STYLE_DIM,
                    l->pulled[i] ? ladder_pick(l, "┊", ":") : ladder_pick(l, "│", "|"));
}

static void put_margin(struct ladder *l, enum side side)
{
    struct margin *m = &l->margin[side];
    if (m->shown == m->n)
        return;
    const char *state = m->states[m->shown++];
    int width = (int)strlen(state);
    int x = side == LEFT ? ladder_left(l) - 1 - width : ladder_right(l) + 2;
    canvas_put(&l->row, x, width, STYLE_GOOD, state, strlen(state));
}

void ladder_put_cut(struct ladder *l, int x, int room, enum style style, const char *s)
{
    const char *dots = ladder_pick(l, "…", "...");
    int width = l->row.utf8 ? 1 : 3;
    size_t n = strlen(s);
    if (glyphs_width(s, n, l->row.utf8) <= room || room <= width) {
        canvas_put(&l->row, x, room, style, s, n);
        return;
    }
    int taken = canvas_put(&l->row, x, room - width, style, s, n);
    canvas_put(&l->row, x + taken, width, style, dots, strlen(dots));
}

/* The row with its time, or none. */
void ladder_end_row(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf gap = STRBUF_INIT;
    if (row && row->gap > 0 && row->kind != PICTURE_SILENCE) {
        strbuf_putc(&gap, '+');
        strbuf_approx(&gap, row->gap);
    }
    if (l->margins) {
        put_margin(l, LEFT);
        put_margin(l, RIGHT);
    }
    text_stamp(l->t, row && row->kind != PICTURE_SILENCE, row ? row->time : 0, strbuf_cstr(&gap));
    canvas_flush(&l->row, l->t);
}

/* Rows of text between the outermost lifelines. */
void ladder_paragraph(struct ladder *l, enum style style, const char *first, const char *s)
{
    int x = ladder_left(l) + 2, width = ladder_right(l) - x - 1;
    int hang = (int)glyphs_width(first, strlen(first), l->row.utf8);
    struct wrap w = {.s = s, .len = strlen(s), .utf8 = l->row.utf8};
    size_t from, to;
    for (bool begun = false; wrap_next(&w, width - hang, &from, &to); begun = true) {
        ladder_begin_row(l);
        canvas_fill(&l->row, x - 1, ladder_right(l), STYLE_PLAIN, " ");
        if (!begun)
            canvas_put(&l->row, x, hang, style, first, strlen(first));
        canvas_put(&l->row, x + hang, width - hang, style, s + from, to - from);
        ladder_end_row(l, NULL);
    }
}

/* ------------------------------------------------------------------- states */

void ladder_take_states(struct ladder *l, const struct picture_row *row)
{
    int last = (int)l->picture->columns.n - 1;
    l->margin[LEFT] = l->margin[RIGHT] = (struct margin){0};
    l->n_middle = 0;
    vec_each (&row->states, i) {
        const struct record_state *state = &l->picture->record->states.at[*i];
        const char *name = tcp_state_names[state->new];
        int column = picture_state_column(l->picture, state);
        struct margin *m = &l->margin[column == 0 ? LEFT : RIGHT];
        if (!name || column < 0)
            continue;
        if (column > 0 && column < last && l->n_middle < LADDER_STATES_MOST)
            l->middle[l->n_middle++] = (struct middle){column, name, false};
        else if ((column == 0 || column == last) && m->n < LADDER_STATES_MOST)
            m->states[m->n++] = name;
    }
}

/* On the row that was begun, one for each column. */
static void put_middles(struct ladder *l)
{
    int before = -1;
    for (size_t i = 0; i < l->n_middle; i++) {
        struct middle *m = &l->middle[i];
        int x = l->x[m->column] + 2, room = l->x[m->column + 1] - x;
        if (m->shown || m->column <= before)
            continue;
        canvas_put(&l->row, x, room, STYLE_GOOD, m->state, strlen(m->state));
        m->shown = true;
        before = m->column;
    }
}

static bool has_states(const struct ladder *l)
{
    for (size_t i = 0; i < l->n_middle; i++)
        if (!l->middle[i].shown)
            return true;
    const struct margin *m = l->margin;
    return m[LEFT].shown < m[LEFT].n || m[RIGHT].shown < m[RIGHT].n;
}

/* What the row's own lines have left over; on a narrow terminal, all. */
void ladder_put_states(struct ladder *l)
{
    struct margin *m = l->margin;
    while (has_states(l)) {
        ladder_begin_row(l);
        for (enum side side = LEFT; side <= RIGHT && !l->margins; side++) {
            if (m[side].shown == m[side].n)
                continue;
            const char *state = m[side].states[m[side].shown++];
            int width = (int)strlen(state);
            canvas_put(&l->row, side == LEFT ? ladder_left(l) + 2 : ladder_right(l) - 1 - width,
                       width, STYLE_GOOD, state, strlen(state));
        }
        put_middles(l);
        ladder_end_row(l, NULL);
    }
}
