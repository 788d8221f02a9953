/* The first page: the ladder, one line for each row of the picture, and below it what there
 * is to say of the chosen one.  Where the lifelines find no room (a narrow terminal, a capture
 * of many hosts) each row is a line of text. */
#include "report/ladder_parts.h"
#include "report/wrap.h"
#include "watch/watch_parts.h"

enum {
    MARK_WIDTH = 2,    /* what is marked, and what failed */
    NARROWEST = 14,    /* columns between two lifelines */
    WIDEST = 84,       /* likewise */
    MARGINS_FROM = 54, /* … which the margins for states must leave */
    LABEL_WIDTH = 15,  /* for a label at the right, where … */
    LABELS_FROM = 50,  /* … so much is left */
    STAMPS_FROM = 60,  /* columns of a screen that has time and gap … */
    TIME_FROM = 40,    /* … and of one that has the time */
    TIME_WIDTH = 9
};

struct layout {
    int stamp; /* columns for time and gap; 0: none */
    int x;     /* where the ladder begins */
    int room;  /* from there to the label, or to the end */
    int label; /* columns for it; 0: none */
};

static struct layout lay_out(const struct watch *w, int width)
{
    struct layout at = {.stamp = width >= STAMPS_FROM ? TEXT_STAMP
                                 : width >= TIME_FROM ? TIME_WIDTH
                                                      : 0};
    int n = (int)w->picture->columns.n;
    at.x = MARK_WIDTH + at.stamp;
    at.room = width - at.x;
    if (n > 1 && at.room - LABEL_WIDTH >= LABELS_FROM * (n - 1))
        at.label = LABEL_WIDTH;
    at.room -= at.label;
    return at;
}

/* false: there is no room for lifelines. */
static bool begin_ladder(struct ladder *l, const struct watch *w, struct text *t, int room)
{
    const struct picture *p = w->picture;
    int n = (int)p->columns.n;
    *l = (struct ladder){.t = t, .picture = p, .labels = w->labels, .one_row = true};
    if (n < 2 || (room - 1) / (n - 1) < NARROWEST)
        return false;
    l->margins = p->record->states.n && room - 2 * LADDER_MARGIN >= MARGINS_FROM * (n - 1);
    int margin = l->margins ? LADDER_MARGIN : 0, width = room - 2 * margin;
    width = width < WIDEST * (n - 1) ? width : WIDEST * (n - 1);
    canvas_init(&l->row, width + 2 * margin, t->options->utf8);
    l->x = xcalloc((size_t)n, sizeof(*l->x));
    for (int i = 0; i < n; i++)
        l->x[i] = margin + (width - 1) * i / (n - 1);
    l->pulled = xcalloc((size_t)n, sizeof(bool));
    return true;
}

static void end_ladder(struct ladder *l)
{
    canvas_free(&l->row);
    free(l->x);
    free(l->pulled);
}

/* Whose cables are out before row `to` of the picture. */
static void find_pulled(struct ladder *l, size_t to)
{
    for (size_t i = 0; i < to; i++) {
        const struct picture_row *row = &l->picture->rows.at[i];
        if (row->event >= 0 && row->from >= 0)
            l->pulled[row->from] = l->picture->record->events.at[row->event].kind == EVENT_UNPLUG;
    }
}

/* ----------------------------------------------------------------------- rows */

/* Text at a host's lifeline, on the side where there is room. */
static void put_at_host(struct ladder *l, const struct picture_row *row, enum style style,
                        const char *s)
{
    size_t column = row->from < 0 ? 0 : (size_t)row->from, n = strlen(s);
    bool leftward = column > 0 && column == l->picture->columns.n - 1;
    int right = ladder_right(l), width = glyphs_width(s, n, l->row.utf8);
    int room = leftward ? right - ladder_left(l) - 4 : right - l->x[column] - 3;
    width = width < room ? width : room;
    ladder_put_cut(l, leftward ? right - 1 - width : l->x[column] + 2, room, style, s);
}

static void put_call(struct ladder *l, const struct picture_row *row)
{
    const struct record_call *call = &l->picture->record->calls.at[row->call];
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    bool over = row->kind == PICTURE_CALL;
    picture_call(&words, l->picture, row);
    if (!over)
        strbuf_puts(&words, ladder_pick(l, " …", " ..."));
    put_at_host(l, row,
                over && !call->as_stated ? STYLE_BAD
                : over                   ? STYLE_CALL
                                         : STYLE_DIM,
                words.data);
}

static void put_middle(struct ladder *l, enum style style, const char *s)
{
    int left = ladder_left(l), right = ladder_right(l);
    int width = glyphs_width(s, strlen(s), l->row.utf8);
    width = width < right - left - 3 ? width : right - left - 3;
    int x = (left + right - width) / 2;
    canvas_fill(&l->row, x - 1, x + width + 1, STYLE_PLAIN, " ");
    ladder_put_cut(l, x, width, style, s);
}

static void put_states(struct ladder *l, const struct picture_row *row)
{
    ladder_take_states(l, row);
    for (enum side side = LEFT; side <= RIGHT && l->margins; side++) {
        const struct margin *m = &l->margin[side];
        if (m->n == 0)
            continue;
        const char *state = m->states[m->n - 1];
        int width = (int)strlen(state);
        canvas_put(&l->row, side == LEFT ? ladder_left(l) - 1 - width : ladder_right(l) + 2, width,
                   STYLE_GOOD, state, strlen(state));
    }
}

static void put_silence(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_puts(&words, ladder_pick(l, "⋯ ", "... "));
    strbuf_approx(&words, row->gap);
    put_middle(l, STYLE_DIM, words.data);
}

static void put_missing(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_puts(&words, "missing: ");
    if (row->lines.n && row->lines.at[0]->expected)
        picture_line_words(&words, row->lines.at[0]->expected, PICTURE_FIELDS);
    put_middle(l, STYLE_BAD, words.data);
}

/* A frame that is on nobody's way between two hosts. */
static void put_floating(struct ladder *l, const struct watch *w, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    watch_line(&words, w, row);
    ladder_put_cut(l, ladder_left(l) + 2, ladder_right(l) - ladder_left(l) - 3, STYLE_PLAIN,
                   strbuf_cstr(&words));
}

static void put_row(struct ladder *l, const struct watch *w, const struct picture_row *row)
{
    bool pulled = row->event >= 0 && l->picture->record->events.at[row->event].kind == EVENT_UNPLUG;
    if (row->event >= 0 && row->from >= 0)
        l->pulled[row->from] = pulled;
    ladder_begin_row(l);
    if (row->segment >= 0 && row->from >= 0)
        ladder_draw_arrow(l, row);
    else if (row->segment >= 0)
        put_floating(l, w, row);
    else if (row->call >= 0)
        put_call(l, row);
    else if (row->event >= 0)
        put_at_host(l, row, STYLE_WARN, pulled ? "its cable is pulled" : "its cable is back");
    else if (row->kind == PICTURE_SILENCE)
        put_silence(l, row);
    else
        put_missing(l, row);
    put_states(l, row);
}

static enum style style_of(const struct picture_row *row)
{
    if (picture_is_bad(row))
        return STYLE_BAD;
    return row->call >= 0 ? STYLE_CALL : row->event >= 0 ? STYLE_WARN : STYLE_PLAIN;
}

static void put_stamp(const struct watch *w, struct screen *screen, int y,
                      const struct picture_row *row, int width)
{
    struct text_options options = {.utf8 = screen->utf8};
    struct strbuf stamp cleanup_strbuf = STRBUF_INIT, gap cleanup_strbuf = STRBUF_INIT;
    struct text t = {.out = &stamp, .options = &options, .seconds = w->seconds};
    if (row->gap > 0 && row->kind != PICTURE_SILENCE) {
        strbuf_putc(&gap, '+');
        strbuf_approx(&gap, row->gap);
    }
    bool has_time = row->kind != PICTURE_SILENCE && row->kind != PICTURE_MISSING;
    text_stamp(&t, has_time, row->time, strbuf_cstr(&gap));
    screen_put_n(screen, MARK_WIDTH, y, width - 1, STYLE_DIM, strbuf_cstr(&stamp), stamp.len);
}

/* What stands left of a row: that it is marked, and that it failed, or was sent again. */
static void put_mark(const struct watch *w, struct screen *screen, int y, size_t i)
{
    const struct picture_row *row = &w->picture->rows.at[i];
    const struct story_segment *s = picture_segment(w->picture, row);
    if (w->picked == (long)i)
        screen_put(screen, 0, y, 1, STYLE_WARN, screen_pick(screen, "●", "*"));
    if (picture_is_bad(row))
        screen_put(screen, 1, y, 1, STYLE_BAD, screen_pick(screen, "≠", "!"));
    else if (s && s->retransmission && row->kind != PICTURE_ARRIVAL)
        screen_put(screen, 1, y, 1, STYLE_WARN, screen_pick(screen, "↻", "r"));
}

static void put_label(const struct watch *w, struct screen *screen, int y,
                      const struct picture_row *row, const struct layout *at)
{
    const struct label *label = NULL;
    if (row->segment < 0 || row->kind == PICTURE_ARRIVAL || !at->label ||
        !labels_of(w->labels, (size_t)row->segment, &label))
        return;
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_puts(&words, label_short(label->kind));
    if (label->n && words.len + 3 < LABEL_WIDTH)
        strbuf_printf(&words, " %u", label_short_number(label));
    screen_put_n(screen, at->x + at->room + 1, y, at->label - 1, STYLE_TITLE, words.data,
                 words.len);
}

static void put_as_text(const struct watch *w, struct screen *screen, int y,
                        const struct picture_row *row, const struct layout *at)
{
    cleanup_strbuf struct strbuf line = STRBUF_INIT;
    watch_line(&line, w, row);
    screen_wrap(screen, at->x, y, at->room, 1, style_of(row), strbuf_cstr(&line));
}

static void put_names(const struct watch *w, struct screen *screen, int y, const struct ladder *l,
                      const struct layout *at)
{
    if (at->stamp)
        screen_put(screen, MARK_WIDTH, y, at->stamp - 1, STYLE_DIM,
                   w->seconds ? "  time/s      gap" : " time/ms      gap");
    for (int i = 0, n = (int)w->picture->columns.n; l && i < n; i++) {
        const char *name = picture_column_name(w->picture, (size_t)i);
        int width = glyphs_width(name, strlen(name), screen->utf8);
        int x = i == 0 ? l->x[0] : i == n - 1 ? l->x[i] - width + 1 : l->x[i] - width / 2;
        int least = i ? l->x[i - 1] + 2 : 0;
        screen_put(screen, at->x + (x > least ? x : least), y, width, STYLE_TITLE, name);
    }
}

static void draw_list(struct watch *w, struct screen *screen, int from, int to)
{
    struct text_options options = {.utf8 = screen->utf8};
    struct text t = {.options = &options, .seconds = w->seconds};
    struct layout at = lay_out(w, screen->width);
    struct ladder l;
    bool drawn = begin_ladder(&l, w, &t, at.room);
    if (drawn)
        at.room = l.row.width; /* it may be less wide than it could be */
    if (to - from >= 4)
        put_names(w, screen, from++, drawn ? &l : NULL, &at);
    scroll_fit(&w->rows, to > from ? (size_t)(to - from) : 0);
    if (drawn && w->rows.top < w->shown.n)
        find_pulled(&l, w->shown.at[w->rows.top]);
    for (size_t i = w->rows.top; i < w->shown.n && from < to; i++, from++) {
        const struct picture_row *row = &w->picture->rows.at[w->shown.at[i]];
        put_mark(w, screen, from, w->shown.at[i]);
        if (at.stamp)
            put_stamp(w, screen, from, row, at.stamp);
        if (drawn) {
            put_row(&l, w, row);
            screen_copy(screen, at.x, from, &l.row);
        } else {
            put_as_text(w, screen, from, row, &at);
        }
        put_label(w, screen, from, row, &at);
        if (i == w->rows.at)
            screen_mark(screen, 0, from, screen->width);
    }
    if (drawn)
        end_ladder(&l);
}

/* ---------------------------------------------------------------- what is said */

static int height_of_words(int height)
{
    return height >= 34 ? 8 : height >= 22 ? 6 : height >= 14 ? 4 : height >= 9 ? 2 : 0;
}

/* The row as a line of a transcript, and what is known of it. */
static void draw_words(const struct watch *w, struct screen *screen, int from, int to)
{
    const struct picture_row *row = watch_row(w);
    if (!row)
        return;
    cleanup_strbuf struct strbuf line = STRBUF_INIT, words = STRBUF_INIT;
    watch_describe(&words, w, row);
    watch_line(&line, w, row);
    bool bad = picture_is_bad(row);
    if (row->segment >= 0 || to - from > 2)
        from += screen_wrap(screen, 0, from, screen->width, (to - from + 1) / 2, STYLE_PLAIN,
                            strbuf_cstr(&line));
    for (const char *s = strbuf_cstr(&words); *s && from < to;) {
        size_t n = strcspn(s, "\n");
        cleanup_free char *one = xstrndup(s, n);
        from += screen_wrap(screen, 0, from, screen->width, to - from, bad ? STYLE_BAD : STYLE_NOTE,
                            one);
        s += n + (s[n] == '\n');
        bad = false;
    }
}

void draw_rows(struct watch *w, struct screen *screen, int from, int to)
{
    int words = height_of_words(to - from);
    if (w->shown.n == 0 && to > from)
        screen_put(screen, MARK_WIDTH, from + (to - from) / 2, screen->width - MARK_WIDTH,
                   STYLE_DIM, w->filter ? "nothing passes the filter" : "nothing happened");
    draw_list(w, screen, from, words ? to - words - 1 : to);
    if (!words)
        return;
    screen_rule(screen, to - words - 1);
    draw_words(w, screen, to - words, to);
}
