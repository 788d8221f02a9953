/* The figure of a header, as RFCs draw it: a ruler, and rows of 32 bits.
 *
 * A bit takes two columns, so that a cell of n bits has 2n - 1 columns for its text.  What is
 * longer than a row goes on in the next ones, without a line in between; its text stands where
 * it has most room.  A row with flags is four lines high, since their names stand on end. */
#include <stdio.h>
#include <string.h>

#include "picture/header.h"

enum { WORD = 32, FLAG_LINES = 4, MOST_WORDS = 32 };

/* A field's part of one word. */
struct cell {
    size_t field;
    uint32_t from, to; /* bits of the word */
    bool text;         /* it is here that its text stands */
    bool begins, ends; /* the field does */
};

typedef VEC(struct cell) cells;

static char *blank_row(void)
{
    char *row = xcalloc(1, FIGURE_WIDTH + 1);
    memset(row, ' ', FIGURE_WIDTH);
    return row;
}

static char *add_row(struct figure *figure, long offset)
{
    char *row = blank_row();
    vec_push(&figure->rows, ((struct figure_row){row, offset}));
    return row;
}

static void add_ruler(struct figure *figure)
{
    char *tens = add_row(figure, -1), *ones = add_row(figure, -1);
    for (int bit = 0; bit < WORD; bit++) {
        if (bit % 10 == 0)
            tens[2 * bit + 1] = (char)('0' + bit / 10);
        ones[2 * bit + 1] = (char)('0' + bit % 10);
    }
}

/* ---------------------------------------------------------------------- cells */

static uint32_t shown_bits(const struct header_field *f)
{
    uint32_t most = MOST_WORDS * WORD;
    return f->bits < most ? f->bits : most;
}

/* In which of a field's words there is most room: the first of the widest. */
static uint32_t widest_word(const struct header_field *f)
{
    uint32_t best = f->bit / WORD, most = 0, end = f->bit + shown_bits(f);
    for (uint32_t word = f->bit / WORD; word * WORD < end; word++) {
        uint32_t from = f->bit > word * WORD ? f->bit : word * WORD;
        uint32_t to = end < (word + 1) * WORD ? end : (word + 1) * WORD;
        if (to - from > most) {
            most = to - from;
            best = word;
        }
    }
    return best;
}

static void find_cells(cells *list, const struct header *h, uint32_t word)
{
    for (size_t i = 0; i < h->fields.n; i++) {
        const struct header_field *f = &h->fields.at[i];
        uint32_t end = f->bit + shown_bits(f), low = word * WORD, high = low + WORD;
        if (f->bits == 0 || f->bit >= high || end <= low)
            continue;
        struct cell *c = vec_add(list);
        c->field = i;
        c->from = f->bit > low ? f->bit - low : 0;
        c->to = end < high ? end - low : WORD;
        c->text = widest_word(f) == word;
        c->begins = f->bit >= low;
        c->ends = end <= high;
    }
}

/* ----------------------------------------------------------------------- text */

static void put_centred(char *row, const struct cell *c, const char *text)
{
    size_t room = 2 * (c->to - c->from) - 1, len = strlen(text);
    if (len > room)
        len = room;
    char *at = row + 2 * c->from + 1 + (room - len) / 2;
    for (size_t i = 0; i < len; i++)
        at[i] = text[i];
}

/* The most that fits of name and value. */
static void put_text(char *row, const struct cell *c, const struct header_field *f)
{
    size_t room = 2 * (c->to - c->from) - 1;
    const char *const names[] = {f->name, f->brief};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *both = xasprintf("%s %s", names[i], f->value);
        if (strlen(both) <= room) {
            put_centred(row, c, both);
            return;
        }
    }
    put_centred(row, c, strlen(f->value) <= room ? f->value : f->brief);
}

static void put_name(char *row, const struct cell *c, const struct header_field *f)
{
    size_t room = 2 * (c->to - c->from) - 1;
    put_centred(row, c, strlen(f->name) <= room ? f->name : f->brief);
}

static void put_line(char *row, const struct header *h, const struct cell *c, int line, int lines)
{
    const struct header_field *f = &h->fields.at[c->field];
    row[2 * c->from] = '|';
    row[2 * c->to] = '|';
    if (!c->text)
        return;
    if (lines == 1)
        put_text(row, c, f);
    else if (f->flag && line < lines - 1)
        row[2 * c->from + 1] = f->name[line < (int)strlen(f->name) ? line : 0];
    else if (line == lines - 1)
        put_centred(row, c, f->value);
    else if (line == 1 && !f->flag)
        put_name(row, c, f);
}

static void put_cells(struct figure *figure, const struct header *h, const cells *list,
                      uint32_t word)
{
    int lines = 1;
    vec_each (list, c)
        if (h->fields.at[c->field].flag)
            lines = FLAG_LINES;
    for (int line = 0; line < lines; line++) {
        char *row = add_row(figure, line == 0 ? (long)word * 4 : -1);
        vec_each (list, c) {
            put_line(row, h, c, line, lines);
            vec_push(&figure->spans, ((struct figure_span){c->field, (int)figure->rows.n - 1,
                                                           (int)(2 * c->from + 1),
                                                           (int)(2 * (c->to - c->from) - 1)}));
        }
    }
}

/* ---------------------------------------------------------------------- lines */

static void put_edge(char *row, const cells *list, bool below)
{
    vec_each (list, c) {
        if (below ? !c->ends : !c->begins) {
            row[2 * c->from] = row[2 * c->to] = '+';
            continue;
        }
        for (uint32_t bit = c->from; bit < c->to; bit++) {
            row[2 * bit] = row[2 * bit + 2] = '+';
            row[2 * bit + 1] = '-';
        }
    }
}

/* The line between two words; one of them may be empty. */
static void add_edge(struct figure *figure, const cells *above, const cells *below)
{
    char *row = add_row(figure, -1);
    put_edge(row, above, true);
    put_edge(row, below, false);
}

static void trim(struct figure *figure)
{
    vec_each (&figure->rows, row)
        for (size_t n = strlen(row->text); n > 0 && row->text[n - 1] == ' ';)
            row->text[--n] = '\0';
}

void figure_draw(struct figure *figure, const struct header *header)
{
    uint32_t end = 0;
    *figure = (struct figure){0};
    vec_each (&header->fields, f)
        if (f->bit + shown_bits(f) > end)
            end = f->bit + shown_bits(f);
    add_ruler(figure);
    cells above = {0};
    for (uint32_t word = 0; word * WORD < end; word++) {
        cells list = {0};
        find_cells(&list, header, word);
        add_edge(figure, &above, &list);
        put_cells(figure, header, &list, word);
        vec_free(&above);
        above = list;
    }
    cells none = {0};
    add_edge(figure, &above, &none);
    vec_free(&above);
    trim(figure);
}

void figure_free(struct figure *figure)
{
    vec_each (&figure->rows, row)
        free(row->text);
    vec_free(&figure->rows);
    vec_free(&figure->spans);
}
