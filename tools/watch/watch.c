/* Theory of operation.
 *
 * There is one list, the picture's rows or those that pass the filter, and one row in it that
 * is chosen.  The first line of the screen says what is shown and its verdict, the last what
 * keys do, or what was typed, or what went wrong; what is between belongs to the page: the
 * ladder with what there is to say of the chosen row below it (ladder.c), a segment's header
 * (header_page.c), two segments (compare_page.c), or help (help.c).
 *
 * How many rows a page has is known when it is drawn, so that is where scrolls are settled;
 * a key that moves by a page takes what was shown last. */
#include "watch/watch_parts.h"

#include <stdio.h>

enum { TYPED_MAX = 200 };

/* -------------------------------------------------------------------- scroll */

void scroll_fit(struct scroll *s, size_t rows)
{
    s->rows = rows;
    if (s->n == 0) {
        s->at = s->top = 0;
        return;
    }
    if (s->at >= s->n)
        s->at = s->n - 1;
    if (rows == 0)
        return;
    if (s->at < s->top)
        s->top = s->at;
    if (s->at >= s->top + rows)
        s->top = s->at - rows + 1;
    if (s->top + rows > s->n)
        s->top = s->n > rows ? s->n - rows : 0;
}

static void go_back(struct scroll *s, size_t n)
{
    s->at = s->at > n ? s->at - n : 0;
}

bool scroll_press(struct scroll *s, int key)
{
    size_t page = s->rows > 1 ? s->rows - 1 : 1;
    switch (key) {
    case WATCH_UP:
    case 'k':
        go_back(s, 1);
        break;
    case WATCH_DOWN:
    case 'j':
        s->at++;
        break;
    case WATCH_PAGE_UP:
        go_back(s, page);
        break;
    case WATCH_PAGE_DOWN:
        s->at += page;
        break;
    case WATCH_HOME:
    case 'g':
        s->at = 0;
        break;
    case WATCH_END:
    case 'G':
        s->at = s->n;
        break;
    default:
        return false;
    }
    if (s->at >= s->n)
        s->at = s->n ? s->n - 1 : 0;
    return true;
}

/* ---------------------------------------------------------------------- rows */

const struct picture_row *watch_row(const struct watch *w)
{
    return w->rows.at < w->shown.n ? &w->picture->rows.at[w->shown.at[w->rows.at]] : NULL;
}

void watch_say(struct watch *w, const char *fmt, ...)
{
    va_list ap;
    free(w->message);
    va_start(ap, fmt);
    w->message = xvasprintf(fmt, ap);
    va_end(ap);
}

static bool passes(struct watch *w, const struct picture_row *row)
{
    if (!w->filter)
        return true;
    if (filter_is_expression(w->filter)) {
        const struct story_segment *s = picture_segment(w->picture, row);
        return s && filter_takes_frame(w->filter, &w->record->packets.at[s->packet].frame);
    }
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    watch_line(&line, w, row);
    strbuf_putc(&line, '\n');
    watch_describe(&line, w, row);
    return filter_takes_line(w->filter, strbuf_cstr(&line));
}

/* The chosen row stays chosen if it is shown, else the next one is. */
static void show_rows(struct watch *w)
{
    size_t before = w->rows.at < w->shown.n ? w->shown.at[w->rows.at] : 0;
    vec_free(&w->shown);
    w->rows = (struct scroll){.rows = w->rows.rows};
    for (size_t i = 0; i < w->picture->rows.n; i++) {
        if (!passes(w, &w->picture->rows.at[i]))
            continue;
        if (i <= before)
            w->rows.at = w->shown.n;
        vec_push(&w->shown, i);
    }
    w->rows.n = w->shown.n;
}

static void set_filter(struct watch *w, const char *text)
{
    filter_free(w->filter);
    w->filter = *text ? filter_new(text, w->record) : NULL;
    show_rows(w);
    if (w->filter && w->shown.n == 0)
        watch_say(w, "nothing here %s \"%s\"; Esc shows all again",
                  filter_is_expression(w->filter) ? "passes the filter" : "has the text", text);
}

/* ---------------------------------------------------------------------- jumps */

static bool is_bad(const struct watch *w, const struct picture_row *row)
{
    (void)w;
    return picture_is_bad(row);
}

/* The next row of a kind, or the one before; beyond the end it goes on at the other one. */
static void jump(struct watch *w, bool (*is)(const struct watch *, const struct picture_row *),
                 bool back, const char *none)
{
    size_t n = w->shown.n;
    for (size_t step = 1; step <= n; step++) {
        size_t at = (w->rows.at + (back ? n - step : step)) % n;
        if (!is(w, &w->picture->rows.at[w->shown.at[at]]))
            continue;
        if (back ? at >= w->rows.at : at <= w->rows.at)
            watch_say(w, n == 1 || step == n ? "that is the only one"
                         : back              ? "on from the end"
                                             : "on from the beginning");
        w->rows.at = at;
        return;
    }
    watch_say(w, "%s", none);
}

static void go_to_failure(struct watch *w)
{
    if (!w->result) {
        watch_say(w, "this was not judged: no lab is known of it");
        return;
    }
    for (size_t i = 0; i < w->shown.n; i++) {
        if (picture_is_bad(&w->picture->rows.at[w->shown.at[i]])) {
            w->rows.at = i;
            return;
        }
    }
    if (w->result->reason)
        watch_say(w, "no line here failed, but: %s", w->result->reason);
    else
        watch_say(w, "no line failed");
}

/* Marks a segment, or compares with the one that is marked. */
static void pick(struct watch *w)
{
    const struct picture_row *row = watch_row(w);
    if (!row || row->segment < 0) {
        watch_say(w, "only segments can be compared");
        return;
    }
    long at = (long)w->shown.at[w->rows.at];
    if (w->picked < 0) {
        w->picked = at;
        watch_say(w, "marked; space on another segment shows how the two differ");
    } else if (w->picked == at) {
        w->picked = -1;
        watch_say(w, "no longer marked");
    } else if (open_compare(w, w->picked, at)) {
        w->page = PAGE_COMPARE;
    }
}

/* ----------------------------------------------------------------------- keys */

static void press_rows(struct watch *w, int key)
{
    static const char none[] = "nothing is sent again, lost or damaged here";
    if (scroll_press(&w->rows, key))
        return;
    switch (key) {
    case WATCH_ENTER:
    case WATCH_RIGHT:
    case 'l':
        if (open_header(w))
            w->page = PAGE_HEADER;
        break;
    case ' ':
        pick(w);
        break;
    case '/':
        w->typing = true;
        strbuf_truncate(&w->typed, 0);
        break;
    case 'n':
    case 'N':
        jump(w, watch_is_remarkable, key == 'N', none);
        break;
    case 'f':
        go_to_failure(w);
        break;
    case 'F':
        jump(w, is_bad, false, "no line failed");
        break;
    case WATCH_ESCAPE:
        w->picked = -1;
        set_filter(w, "");
        break;
    case 'q':
        w->over = true;
        break;
    default:
        watch_say(w, "? tells what keys do");
        break;
    }
}

/* One character of UTF-8 behind the others. */
static void add_typed(struct watch *w, unsigned c)
{
    char s[5] = "";
    if (c < 0x80)
        s[0] = (char)c;
    else if (c < 0x800)
        snprintf(s, sizeof(s), "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 0x3f)));
    else if (c < 0x10000)
        snprintf(s, sizeof(s), "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 0x3f)),
                 (int)(0x80 | (c & 0x3f)));
    else
        snprintf(s, sizeof(s), "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 0x3f)),
                 (int)(0x80 | (c >> 6 & 0x3f)), (int)(0x80 | (c & 0x3f)));
    if (w->typed.len + strlen(s) <= TYPED_MAX)
        strbuf_puts(&w->typed, s);
}

static void press_typing(struct watch *w, int key)
{
    size_t n = w->typed.len;
    if (key == WATCH_ENTER) {
        w->typing = false;
        set_filter(w, strbuf_cstr(&w->typed));
    } else if (key == WATCH_ESCAPE || (key == WATCH_BACKSPACE && n == 0)) {
        w->typing = false;
    } else if (key == WATCH_BACKSPACE) {
        while (n > 1 && ((unsigned char)w->typed.data[n - 1] & 0xc0) == 0x80)
            n--;
        strbuf_truncate(&w->typed, n - 1);
    } else if (key == WATCH_CLEAR_LINE) {
        strbuf_truncate(&w->typed, 0);
    } else if (key >= 0x20 && key < KEY_OF_ARROWS && (key < 0x7f || key > 0x9f)) {
        add_typed(w, (unsigned)key);
    }
}

void open_help(struct watch *w)
{
    w->behind_help = w->page;
    w->page = PAGE_HELP;
}

static void leave(struct watch *w)
{
    if (w->page == PAGE_HELP) {
        w->page = w->behind_help;
        return;
    }
    close_headers(w);
    w->page = PAGE_ROWS;
}

void watch_press(struct watch *w, int key)
{
    free(w->message);
    w->message = NULL;
    if (w->typing) {
        press_typing(w, key);
        return;
    }
    if (w->page == PAGE_ROWS) {
        if (key == '?')
            open_help(w);
        else
            press_rows(w, key);
        return;
    }
    if (key == 'q' || key == WATCH_ESCAPE || key == WATCH_BACKSPACE) {
        leave(w);
        return;
    }
    if (w->page == PAGE_HEADER)
        press_header(w, key);
    else if (w->page == PAGE_COMPARE)
        press_compare(w, key);
    else if (!scroll_press(&w->help, key))
        leave(w);
}

bool watch_is_over(const struct watch *watch)
{
    return watch->over;
}

/* --------------------------------------------------------------------- frame */

static enum style verdict_style(enum verdict v)
{
    return v == VERDICT_PASS                         ? STYLE_GOOD
           : v == VERDICT_FAIL || v == VERDICT_ERROR ? STYLE_BAD
                                                     : STYLE_WARN;
}

/* The verdict first: it is what must not be cut off. */
static void draw_top(const struct watch *w, struct screen *screen)
{
    int x = 0, width = screen->width;
    if (w->result) {
        x += screen_put(screen, x, 0, width, verdict_style(w->result->verdict),
                        verdict_name(w->result->verdict));
        x += 2;
    }
    x += screen_put(screen, x, 0, width - x, STYLE_TITLE, w->name);
    const char *title = w->result && w->result->title ? w->result->title : NULL;
    const char *more = w->result && w->result->reason ? w->result->reason : title;
    if (!w->result)
        more =
            w->record->remarks.n ? w->record->remarks.at[0] : "not judged: no lab is known of it";
    if (!more || x + 4 > width)
        return;
    x += screen_put(screen, x, 0, width - x, STYLE_PLAIN, ": ");
    screen_wrap(screen, x, 0, width - x, 1, STYLE_PLAIN, more);
}

static void put_where(const struct watch *w, struct strbuf *sb)
{
    if (w->page == PAGE_HEADER) {
        strbuf_puts(sb, "q: back  arrows: field  tab: header  n/N: segment  t: list");
        return;
    }
    if (w->page == PAGE_COMPARE) {
        strbuf_printf(sb, "q: back  a: %s", w->all ? "only what differs" : "all fields");
        return;
    }
    if (w->page == PAGE_HELP) {
        strbuf_puts(sb, "q: back  up, down: scroll");
        return;
    }
    if (w->filter)
        strbuf_printf(sb, "%s \"%s\": %zu of %zu  ",
                      filter_is_expression(w->filter) ? "filter" : "text", filter_text(w->filter),
                      w->shown.n, w->picture->rows.n);
    else
        strbuf_printf(sb, "%zu of %zu  ", w->shown.n ? w->rows.at + 1 : 0, w->shown.n);
    strbuf_puts(sb, "q: quit  ?: help  enter: header  space: compare  /: filter  n: next loss");
}

static void draw_bottom(const struct watch *w, struct screen *screen)
{
    int y = screen->height - 1;
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    if (w->typing) {
        int x = screen_put(screen, 0, y, screen->width, STYLE_TITLE, "/");
        const char *typed = strbuf_cstr(&w->typed);
        /* Of a long one its end is shown. */
        while ((int)strlen(typed) > screen->width - 2 && *typed)
            typed++;
        x += screen_put(screen, x, y, screen->width - x, STYLE_PLAIN, typed);
        screen->cursor_x = x < screen->width ? x : screen->width - 1;
        screen->cursor_y = y;
        if (w->typed.len == 0)
            screen_put(screen, x + 1, y, screen->width - x - 1, STYLE_DIM,
                       "a text, or a filter such as  tcp[tcpflags] & tcp-syn != 0");
        return;
    }
    if (w->message)
        strbuf_puts(&words, w->message);
    else
        put_where(w, &words);
    screen_wrap(screen, 0, y, screen->width, 1, w->message ? STYLE_WARN : STYLE_DIM,
                strbuf_cstr(&words));
}

void watch_draw(struct watch *w, struct screen *screen)
{
    int top = screen->height >= 6 ? 1 : 0, end = screen->height - (screen->height >= 3 ? 1 : 0);
    switch (w->page) {
    case PAGE_ROWS:
        draw_rows(w, screen, top, end);
        break;
    case PAGE_HEADER:
        draw_header(w, screen, top, end);
        break;
    case PAGE_COMPARE:
        draw_compare(w, screen, top, end);
        break;
    case PAGE_HELP:
        draw_help(w, screen, top, end);
        break;
    }
    if (top)
        draw_top(w, screen);
    if (end < screen->height || w->typing)
        draw_bottom(w, screen);
}

/* ----------------------------------------------------------------------- whole */

struct watch *watch_new(const char *name, const struct record *record, const struct result *result)
{
    struct watch *w = xcalloc(1, sizeof(*w));
    w->name = name;
    w->record = record;
    w->result = result;
    w->picture = picture_new(record, result);
    w->labels = labels_new(w->picture->story);
    w->picked = -1;
    vec_each (&w->picture->rows, row)
        w->seconds = w->seconds || picture_in_seconds(row->time);
    show_rows(w);
    if (result && result->verdict == VERDICT_FAIL)
        go_to_failure(w);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    close_headers(w);
    filter_free(w->filter);
    labels_free(w->labels);
    picture_free(w->picture);
    vec_free(&w->shown);
    strbuf_free(&w->typed);
    free(w->message);
    free(w);
}
