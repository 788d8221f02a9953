/* A segment's headers: as the RFCs draw them, or as a list where that has no room or is asked
 * for; on a wide screen both.  Below stands what the chosen field means. */
#include "watch/watch_parts.h"

enum {
    OFFSETS = 6,                              /* columns left of a figure for byte offsets */
    FIGURE_FROM = FIGURE_WIDTH + OFFSETS - 2, /* columns of a screen that has room for one */
    BOTH_FROM = FIGURE_WIDTH + OFFSETS + 44,
    WORDS = 3 /* lines for the chosen field, and a rule */
};

/* A field, counted over all headers. */
struct place {
    const struct header *header;
    const struct header_field *field;
    size_t in_header;
};

static struct place place_of(const struct headers *headers, size_t at)
{
    vec_each (&headers->list, h) {
        if (at < h->fields.n)
            return (struct place){h, &h->fields.at[at], at};
        at -= h->fields.n;
    }
    return (struct place){0};
}

static size_t count_fields(const struct headers *headers)
{
    size_t n = 0;
    vec_each (&headers->list, h)
        n += h->fields.n;
    return n;
}

/* The frame as it was sent; of an arrival, as it came. */
static const struct frame *frame_of(const struct watch *w, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(w->picture, row);
    size_t packet =
        row->kind == PICTURE_ARRIVAL && s->arrival >= 0 ? (size_t)s->arrival : s->packet;
    return &w->record->packets.at[packet].frame;
}

void close_headers(struct watch *w)
{
    headers_free(w->headers);
    headers_free(w->others);
    w->headers = w->others = NULL;
}

static struct headers *headers_of(const struct watch *w, const struct picture_row *row)
{
    return headers_new(frame_of(w, row), w->picture->story, picture_segment(w->picture, row));
}

/* Begins at the transport's header, if there is one: that is what is asked for first. */
static size_t first_field(const struct headers *headers)
{
    size_t n = 0;
    vec_each (&headers->list, h) {
        if (strcmp(h->title, "TCP") == 0 || strcmp(h->title, "UDP") == 0)
            return n;
        n += h->fields.n;
    }
    return 0;
}

bool open_header(struct watch *w)
{
    const struct picture_row *row = watch_row(w);
    if (!row || row->segment < 0) {
        watch_say(w, "only segments have a header");
        return false;
    }
    close_headers(w);
    w->headers = headers_of(w, row);
    w->fields = (struct scroll){.n = count_fields(w->headers)};
    w->fields.at = first_field(w->headers);
    return true;
}

bool open_compare(struct watch *w, long first, long second)
{
    close_headers(w);
    w->headers = headers_of(w, &w->picture->rows.at[first]);
    w->others = headers_of(w, &w->picture->rows.at[second]);
    w->compared[0] = first;
    w->compared[1] = second;
    w->fields = (struct scroll){.n = 1};
    return true;
}

/* ----------------------------------------------------------------------- keys */

/* The first field of the next header, or of the one before. */
static void next_header(struct watch *w, bool back)
{
    struct place now = place_of(w->headers, w->fields.at);
    size_t begin = 0, before = 0;
    vec_each (&w->headers->list, h) {
        if (h == now.header)
            break;
        before = begin;
        begin += h->fields.n;
    }
    if (back)
        w->fields.at = w->fields.at > begin ? begin : before;
    else if (now.header && begin + now.header->fields.n < w->fields.n)
        w->fields.at = begin + now.header->fields.n;
}

/* The same field of the next segment, or of the one before. */
static void next_segment(struct watch *w, bool back)
{
    size_t at = w->rows.at, field = w->fields.at;
    while (back ? at > 0 : at + 1 < w->shown.n) {
        at += back ? (size_t)-1 : 1;
        const struct picture_row *row = &w->picture->rows.at[w->shown.at[at]];
        if (row->segment < 0 || row->kind == PICTURE_ARRIVAL)
            continue;
        w->rows.at = at;
        open_header(w);
        w->fields.at = field < w->fields.n ? field : first_field(w->headers);
        return;
    }
    watch_say(w, back ? "this is the first segment" : "this is the last segment");
}

void press_header(struct watch *w, int key)
{
    if (key == WATCH_LEFT || key == 'h')
        scroll_press(&w->fields, WATCH_UP);
    else if (key == WATCH_RIGHT || key == 'l')
        scroll_press(&w->fields, WATCH_DOWN);
    else if (scroll_press(&w->fields, key))
        return;
    else if (key == WATCH_TAB || key == WATCH_BACKTAB)
        next_header(w, key == WATCH_BACKTAB);
    else if (key == 'n' || key == 'N' || key == WATCH_ENTER)
        next_segment(w, key == 'N');
    else if (key == 't')
        w->list = !w->list;
    else if (key == '?')
        open_help(w);
    else
        watch_say(w, "? tells what keys do");
}

/* --------------------------------------------------------------------- figure */

/* A page of lines of which as many are put as there is room for. */
struct sheet {
    struct screen *screen;
    int from, to;   /* rows of the screen */
    int skip;       /* lines of the sheet above them */
    int line;       /* the next one */
    int mark_line;  /* the first that is marked, -1: none … */
    int title_line; /* … and the title above it */
    int x, width;
};

static int row_of(const struct sheet *s, int line)
{
    int y = s->from + line - s->skip;
    return line >= s->skip && y < s->to ? y : -1;
}

static void put_title(struct sheet *s, const struct header *h)
{
    cleanup_free char *words =
        h->source
            ? xasprintf("%s: %u bytes from byte %u of the frame on (%s)", h->title, h->len,
                        h->offset, h->source)
            : xasprintf("%s: %u bytes from byte %u of the frame on", h->title, h->len, h->offset);
    screen_put(s->screen, s->x, row_of(s, s->line++), s->width, STYLE_TITLE, words);
}

static void put_figure(struct sheet *s, const struct header *h, long chosen)
{
    struct figure figure;
    int begin, offsets = s->width >= FIGURE_WIDTH + OFFSETS ? OFFSETS : 4;
    figure_draw(&figure, h);
    begin = s->line;
    vec_each (&figure.rows, row) {
        int y = row_of(s, s->line++);
        cleanup_free char *offset = xasprintf("%4ld", row->offset + (long)h->offset);
        if (row->offset >= 0)
            screen_put(s->screen, s->x, y, offsets, STYLE_DIM, offset);
        screen_put(s->screen, s->x + offsets, y, s->width - offsets, STYLE_PLAIN, row->text);
    }
    vec_each (&figure.spans, span) {
        if ((long)span->field != chosen)
            continue;
        int line = begin + span->row;
        if (s->mark_line < 0)
            s->mark_line = line;
        screen_mark(s->screen, s->x + offsets + span->column, row_of(s, line), span->width);
    }
    figure_free(&figure);
}

static void put_field(struct sheet *s, const struct header_field *f, bool chosen)
{
    int y = row_of(s, s->line++), x = s->x;
    int name = s->width >= 60 ? 22 : s->width >= 40 ? 16 : 8;
    cleanup_free char *offset = xasprintf("%4u  ", f->offset);
    if (chosen) {
        s->mark_line = s->line - 1;
        screen_mark(s->screen, s->x, y, s->width);
    }
    x += screen_put(s->screen, x, y, s->width, STYLE_DIM, offset);
    screen_put(s->screen, x, y, name - 1, STYLE_PLAIN,
               (int)strlen(f->name) < name ? f->name : f->brief);
    x += name;
    x += screen_put(s->screen, x, y, s->x + s->width - x, STYLE_GOOD, f->value);
    if (f->meaning[0])
        screen_wrap(s->screen, x + 2, y, s->x + s->width - x - 2, 1, STYLE_NOTE, f->meaning);
}

/* All headers, as figures or as lists. */
static void put_sheet(struct sheet *s, const struct headers *headers, size_t at, bool list)
{
    vec_each (&headers->list, h) {
        bool here = at < h->fields.n;
        if (here)
            s->title_line = s->line;
        put_title(s, h);
        if (h->source && !list)
            put_figure(s, h, here ? (long)at : -1);
        for (size_t i = 0; i < h->fields.n && (list || !h->source); i++)
            put_field(s, &h->fields.at[i], here && i == at);
        at = here ? SIZE_MAX : at == SIZE_MAX ? at : at - h->fields.n;
        s->line++;
    }
}

/* The chosen header begins at the top, if the chosen field is then to be seen. */
static int lines_above(const struct sheet *s, int rows)
{
    int lines = s->line - 1, skip = s->mark_line >= 0 ? s->title_line : 0;
    if (s->mark_line >= skip + rows - 1)
        skip = s->mark_line - rows / 2;
    if (skip > lines - rows)
        skip = lines - rows;
    return skip > 0 ? skip : 0;
}

/* Twice: where the chosen field is shows only when all is laid out. */
static void draw_sheet(const struct watch *w, struct screen *screen, int from, int to, int x,
                       int width, bool list)
{
    struct screen none;
    screen_init(&none, 0, 0, screen->utf8);
    struct sheet s = {.screen = &none, .from = 0, .to = INT32_MAX, .mark_line = -1, .width = width};
    put_sheet(&s, w->headers, w->fields.at, list);
    screen_free(&none);
    int skip = lines_above(&s, to - from);
    s = (struct sheet){.screen = screen,
                       .from = from,
                       .to = to,
                       .skip = skip,
                       .mark_line = -1,
                       .x = x,
                       .width = width};
    put_sheet(&s, w->headers, w->fields.at, list);
}

/* --------------------------------------------------------------- what it means */

static void draw_field(const struct watch *w, struct screen *screen, int from, int to)
{
    struct place p = place_of(w->headers, w->fields.at);
    if (!p.field)
        return;
    cleanup_free char *words =
        xasprintf("%s, %s: %s  %s", p.header->title, p.field->name, p.field->value,
                  strcmp(p.field->hex, p.field->value) == 0 ? "" : p.field->hex);
    cleanup_free char *where =
        p.field->bits % 8 == 0 && p.field->bit % 8 == 0
            ? xasprintf("%u byte%s from byte %u of the header on, byte %u of the frame",
                        p.field->bits / 8, p.field->bits == 8 ? "" : "s", p.field->bit / 8,
                        p.field->offset)
            : xasprintf("%u bit%s from bit %u of the header on, in byte %u of the frame",
                        p.field->bits, p.field->bits == 1 ? "" : "s", p.field->bit,
                        p.field->offset);
    int y = from;
    y += screen_wrap(screen, 0, y, screen->width, 1, STYLE_TITLE, words);
    if (y < to)
        y += screen_wrap(screen, 0, y, screen->width, to - y > 1 ? to - y - 1 : to - y, STYLE_NOTE,
                         p.field->meaning);
    if (y < to)
        screen_wrap(screen, 0, y, screen->width, to - y, STYLE_DIM, where);
}

void draw_header(struct watch *w, struct screen *screen, int from, int to)
{
    const struct picture_row *row = watch_row(w);
    bool list = w->list || screen->width < FIGURE_FROM;
    int words = to - from >= 10 ? WORDS + 1 : to - from >= 5 ? 2 : 0;
    scroll_fit(&w->fields, w->fields.n);
    w->fields.rows = 8; /* a page of fields */
    if (to - from >= 8 && row) {
        cleanup_strbuf struct strbuf line = STRBUF_INIT;
        watch_line(&line, w, row);
        screen_wrap(screen, 0, from++, screen->width, 1, STYLE_PLAIN, line.data);
        screen_rule(screen, from++);
    }
    int end = to - words;
    if (screen->width >= BOTH_FROM && !w->list) {
        int left = FIGURE_WIDTH + OFFSETS + 2;
        draw_sheet(w, screen, from, end, 0, left - 2, false);
        draw_sheet(w, screen, from, end, left, screen->width - left, true);
    } else {
        draw_sheet(w, screen, from, end, 0, screen->width, list);
    }
    if (words > 1)
        screen_rule(screen, end);
    if (words)
        draw_field(w, screen, end + 1, to);
}
