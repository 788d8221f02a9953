/* Two segments beside each other, field by field: what differs, or all. */
#include "watch/watch_parts.h"

enum { NAME = 24, NARROW_NAME = 12, MARK = 2 };

/* A line of the page. */
struct line {
    const char *title;                   /* of a header; NULL: a field */
    const struct header_field *field[2]; /* NULL: the other one alone has it */
    bool differs;
};

typedef VEC(struct line) lines;

static bool same(const struct header_field *a, const struct header_field *b)
{
    return a && b && strcmp(a->value, b->value) == 0 && strcmp(a->hex, b->hex) == 0;
}

static bool has_header(const struct headers *headers, const char *title)
{
    vec_each (&headers->list, h)
        if (strcmp(h->title, title) == 0)
            return true;
    return false;
}

/* The fields of header i of one side, found in the other's. */
static void add_fields(lines *list, const struct watch *w, size_t i)
{
    const struct header *h = &w->headers->list.at[i];
    for (size_t k = 0; k < h->fields.n; k++) {
        const struct header_field *other = headers_find(w->others, w->headers, i, k);
        struct line line = {.field = {&h->fields.at[k], other}};
        line.differs = !same(line.field[0], other);
        if (line.differs || w->all)
            vec_push(list, line);
    }
}

/* What the second alone has. */
static void add_rest(lines *list, const struct watch *w, const char *title)
{
    for (size_t i = 0; i < w->others->list.n; i++) {
        const struct header *h = &w->others->list.at[i];
        if (strcmp(h->title, title) != 0)
            continue;
        for (size_t k = 0; k < h->fields.n; k++)
            if (!headers_find(w->headers, w->others, i, k))
                vec_push(list, ((struct line){.field = {NULL, &h->fields.at[k]}, .differs = true}));
    }
}

static void add_header(lines *list, const struct watch *w, const char *title, long i)
{
    size_t before = list->n;
    vec_push(list, ((struct line){.title = title}));
    if (i >= 0)
        add_fields(list, w, (size_t)i);
    add_rest(list, w, title);
    if (list->n == before + 1)
        list->n = before;
}

static void find_lines(lines *list, const struct watch *w)
{
    for (size_t i = 0; i < w->headers->list.n; i++)
        add_header(list, w, w->headers->list.at[i].title, (long)i);
    vec_each (&w->others->list, h)
        if (!has_header(w->headers, h->title))
            add_header(list, w, h->title, -1);
}

void press_compare(struct watch *w, int key)
{
    if (scroll_press(&w->fields, key))
        return;
    if (key == 'a' || key == 'd')
        w->all = !w->all;
    else if (key == '?')
        open_help(w);
    else
        watch_say(w, "? tells what keys do");
}

/* ---------------------------------------------------------------------- lines */

/* Value and meaning, as much as there is room for. */
static void put_side(struct screen *screen, int x, int y, int room, enum style style,
                     const struct header_field *f)
{
    if (!f) {
        screen_put(screen, x, y, room, STYLE_DIM, "not there");
        return;
    }
    int n = screen_put(screen, x, y, room, style, f->value);
    if (f->meaning[0] && n + 6 < room)
        screen_wrap(screen, x + n + 2, y, room - n - 2, 1, STYLE_NOTE, f->meaning);
}

static void put_line(struct screen *screen, int y, const struct line *line)
{
    int name = screen->width >= 72 ? NAME : NARROW_NAME;
    int half = (screen->width - name - MARK) / 2;
    if (line->title) {
        screen_put(screen, 0, y, screen->width, STYLE_TITLE, line->title);
        return;
    }
    const struct header_field *f = line->field[0] ? line->field[0] : line->field[1];
    enum style style = line->differs ? STYLE_BAD : STYLE_PLAIN;
    if (line->differs)
        screen_put(screen, 0, y, 1, STYLE_BAD, screen_pick(screen, "≠", "!"));
    screen_put(screen, MARK, y, name - 1, STYLE_PLAIN, name == NAME ? f->name : f->brief);
    put_side(screen, MARK + name, y, half - 1, style, line->field[0]);
    put_side(screen, MARK + name + half, y, half, style, line->field[1]);
}

/* Which two they are. */
static int draw_both(const struct watch *w, struct screen *screen, int from)
{
    for (int i = 0; i < 2; i++) {
        const struct picture_row *row = &w->picture->rows.at[w->compared[i]];
        cleanup_strbuf struct strbuf line = STRBUF_INIT;
        strbuf_puts(&line, i ? "second  " : "first   ");
        watch_line(&line, w, row);
        screen_wrap(screen, 0, from + i, screen->width, 1, STYLE_PLAIN, line.data);
    }
    const struct picture_row *a = &w->picture->rows.at[w->compared[0]];
    const struct picture_row *b = &w->picture->rows.at[w->compared[1]];
    cleanup_strbuf struct strbuf apart = STRBUF_INIT;
    strbuf_puts(&apart, "the second came ");
    strbuf_approx(&apart, b->time > a->time ? b->time - a->time : a->time - b->time);
    strbuf_puts(&apart, b->time >= a->time ? " after the first" : " before the first");
    screen_put(screen, 0, from + 2, screen->width, STYLE_DIM, apart.data);
    return 3;
}

void draw_compare(struct watch *w, struct screen *screen, int from, int to)
{
    lines list = {0};
    find_lines(&list, w);
    if (to - from >= 8)
        from += draw_both(w, screen, from);
    w->fields.n = list.n;
    scroll_fit(&w->fields, to > from ? (size_t)(to - from) : 0);
    for (size_t i = w->fields.top; i < list.n && from < to; i++, from++) {
        put_line(screen, from, &list.at[i]);
        if (i == w->fields.at)
            screen_mark(screen, 0, from, screen->width);
    }
    if (list.n == 0)
        screen_put(screen, 0, from, screen->width, STYLE_GOOD, "Not one field differs.");
    vec_free(&list);
}
