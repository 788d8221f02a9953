/* Expected and observed beside each other, from the first divergence on: two small ladders
 * with one row for each judged line. */
#include <string.h>

#include "picture/picture.h"
#include "report/canvas.h"
#include "report/text.h"
#include "report/wrap.h"

enum {
    INTERVAL = 9, /* columns for an interval and a blank */
    MIDDLE = 3,   /* between the halves: a mark at the lines that differ */
    MOST = 24     /* lines */
};

struct half {
    struct text *t;
    struct canvas *row;
    int x, width;
    const struct result_line *line;
    bool observed;
};

static const char *pick(const struct half *h, const char *utf8, const char *ascii)
{
    return text_pick(h->t, utf8, ascii);
}

static bool differs(const struct half *h, const char *field)
{
    vec_each (&h->line->diffs, diff)
        if (diff->field && strcmp(diff->field, field) == 0)
            return true;
    return false;
}

/* Text of which the end is missing says so. */
static void put_cut(struct half *h, int x, int room, enum style style, const char *s, size_t n)
{
    if (glyphs_width(s, n, h->row->utf8) <= room) {
        canvas_put(h->row, x, room, style, s, n);
        return;
    }
    const char *dots = pick(h, "…", "...");
    int width = h->row->utf8 ? 1 : 3;
    int taken = canvas_put(h->row, x, room - width, style, s, n);
    canvas_put(h->row, x + taken, width, style, dots, strlen(dots));
}

/* One that is too long to be written out, such as +10.118ms, is rounded. */
static void put_interval(struct half *h, const char *text, size_t n)
{
    cleanup_strbuf struct strbuf interval = STRBUF_INIT;
    nsec exact = h->line->gap;
    bool rounded = h->observed && h->line->kind != LINE_QUIET && exact != 0 && n;
    if (!h->observed && (int)n >= INTERVAL)
        rounded = n == 1 + parse_duration(text + 1, n - 1, &exact);
    if (rounded) {
        strbuf_puts(&interval, exact > 0 ? "+" : "");
        strbuf_approx(&interval, exact);
    } else if (!h->observed) {
        strbuf_add(&interval, text, n);
    }
    int width = glyphs_width(strbuf_cstr(&interval), interval.len, h->row->utf8);
    int x = width < INTERVAL ? INTERVAL - 1 - width : 0;
    canvas_put(h->row, h->x + x, INTERVAL - 1, differs(h, "interval") ? STYLE_BAD : STYLE_DIM,
               strbuf_cstr(&interval), interval.len);
}

/* Whether the arrow and the interval tell it anyway. */
static bool is_drawn(const char *field, const char *value)
{
    return strcmp(field, "interval") == 0 || strcmp(field, "flags") == 0 ||
           (strcmp(field, "arrival") == 0 && strcmp(value, "lost") == 0);
}

/* `win 501`; a value that says what it is stands alone, as the words of other packets do. */
static void put_difference(struct strbuf *sb, const char *field, const char *value)
{
    bool alone = strcmp(field, "word") == 0 || strcmp(field, "arrival") == 0 ||
                 strncmp(value, field, strlen(field)) == 0;
    strbuf_printf(sb, " %s%s%s", alone ? "" : field, alone ? "" : " ", value);
}

/* The fields that differ, if they are not among the words. */
static void add_what_differs(struct half *h, struct strbuf *words, const char *text, int room)
{
    struct strbuf what cleanup_strbuf = STRBUF_INIT;
    vec_each (&h->line->diffs, diff) {
        const char *value = h->observed ? diff->observed : diff->expected;
        if (value && *value && diff->field && !is_drawn(diff->field, value))
            put_difference(&what, diff->field, value);
    }
    bool cut = glyphs_width(strbuf_cstr(words), words->len, h->row->utf8) > room;
    if (what.len == 0 || (!cut && strstr(strbuf_cstr(words), what.data)))
        return;
    bool is_tcp = *strbuf_cstr(words) == '[';
    strbuf_truncate(words, 0);
    if (is_tcp)
        picture_line_words(words, text, PICTURE_FLAGS);
    else
        strbuf_puts(words, pick(h, "…", "..."));
    strbuf_puts(words, what.data);
}

static void put_segment(struct half *h, const char *text, enum style style)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    bool leftward = text_is_leftward(h->t, text), lost = strstr(text, " lost") != NULL;
    int tail = h->x + INTERVAL, head = h->x + h->width - 1;
    int room = head - tail - (lost ? 9 : 6);
    for (enum picture_detail d = PICTURE_FIELDS; d < PICTURE_DETAILS; d++) {
        strbuf_truncate(&words, 0);
        picture_line_words(&words, text, d);
        if (glyphs_width(strbuf_cstr(&words), words.len, h->row->utf8) <= room)
            break;
    }
    add_what_differs(h, &words, text, room);
    canvas_fill(h->row, tail + 1, head, style, pick(h, "─", "-"));
    canvas_fill(h->row, tail, tail + 1, STYLE_DIM, pick(h, "│", "|"));
    canvas_fill(h->row, head, head + 1, STYLE_DIM, pick(h, "│", "|"));
    int at = leftward ? tail + 1 : head - 1;
    if (lost) {
        at += leftward ? 2 : -2;
        canvas_fill(h->row, leftward ? tail + 1 : at, leftward ? at : head, style, " ");
    }
    canvas_fill(h->row, at, at + 1, lost ? STYLE_BAD : style,
                lost       ? pick(h, "✗", "X")
                : leftward ? pick(h, "◀", "<")
                           : pick(h, "▶", ">"));
    int width = glyphs_width(strbuf_cstr(&words), words.len, h->row->utf8);
    width = width < room ? width : room;
    int x = leftward ? head - 2 - width : tail + 3; /* near its sender */
    canvas_fill(h->row, x - 1, x + width + 1, style, " ");
    put_cut(h, x, width, style, strbuf_cstr(&words), words.len);
}

/* Where not all of a call has room, its arguments give way, then the host before the name of
 * its connection: how it ended is what matters. */
static void put_call(struct half *h, const char *text, enum style style)
{
    int x = h->x + INTERVAL, room = h->width - INTERVAL;
    const char *result = strstr(text, " => "), *verb = strstr(text, ": ");
    struct strbuf words cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&words, text);
    bool is_call = h->line->kind == LINE_CALL && result && verb && verb < result;
    for (int step = 0; is_call && step < 3; step++) {
        if (glyphs_width(words.data, words.len, h->row->utf8) <= room)
            break;
        const char *as = strstr(text, " as ");
        const char *from = step == 2 && as && as < verb ? as + 4 : text;
        strbuf_truncate(&words, 0);
        strbuf_add(&words, from, (size_t)(verb - from) + 2 + strcspn(verb + 2, " "));
        strbuf_puts(&words, step == 0 ? pick(h, " …", " ...") : "");
        strbuf_puts(&words, result);
    }
    put_cut(h, x, room, style, strbuf_cstr(&words), words.len);
}

static void put_half(struct half *h)
{
    const char *text = h->observed ? h->line->observed : h->line->expected;
    enum style style = line_is_fine(h->line->status) ? STYLE_PLAIN : STYLE_BAD;
    size_t n = 0;
    if (!text) {
        text = h->line->status == LINE_ABSENT     ? "(need not happen)"
               : h->line->status == LINE_UNJUDGED ? "(the evidence does not say)"
               : h->observed                      ? "nothing like it"
                                                  : "nothing";
        canvas_put(h->row, h->x + INTERVAL + 2, h->width - INTERVAL - 2, STYLE_DIM, text,
                   strlen(text));
        return;
    }
    const char *behind = text_behind_interval(text, &n);
    put_interval(h, text, n);
    if (h->line->kind == LINE_SEGMENT)
        put_segment(h, behind, style);
    else
        put_call(h, behind, style);
}

static void put_titles(struct text *t, struct canvas *row, int half, const char *const titles[2])
{
    canvas_clear(row);
    for (int i = 0; i < 2; i++)
        canvas_put(row, INTERVAL + i * (half + MIDDLE), half, STYLE_TITLE, titles[i],
                   strlen(titles[i]));
    canvas_flush(row, t);
}

static void put_both(struct text *t, struct canvas *row, const struct result_line *line, int half)
{
    bool fine = line_is_fine(line->status);
    canvas_clear(row);
    struct half h = {.t = t, .row = row, .width = half, .line = line};
    put_half(&h);
    if (!fine)
        canvas_put(row, half + 1, 1, STYLE_BAD, text_pick(t, "≠", "!"),
                   strlen(text_pick(t, "≠", "!")));
    h.x = half + MIDDLE;
    h.observed = true;
    put_half(&h);
    canvas_flush(row, t);
}

void text_beside(struct text *t, size_t first)
{
    static const char *const titles[] = {"expected", "observed"};
    text_heading(t, "From there on");
    text_both(t, first, titles);
}

void text_both(struct text *t, size_t first, const char *const titles[2])
{
    const struct result *r = t->result;
    struct canvas row;
    int half = (t->width - MIDDLE) / 2;
    size_t shown = 0, more = 0;
    canvas_init(&row, t->width, t->options->utf8);
    put_titles(t, &row, half, titles);
    for (size_t i = first; i < r->lines.n; i++) {
        if (r->lines.at[i].kind == LINE_WIRE || text_is_hidden(r, i))
            continue;
        if (shown == MOST) {
            more++;
            continue;
        }
        put_both(t, &row, &r->lines.at[i], half);
        shown++;
    }
    if (more) {
        cleanup_free char *words = xasprintf("(and %zu more lines)", more);
        canvas_clear(&row);
        canvas_put(&row, INTERVAL, t->width, STYLE_DIM, words, strlen(words));
        canvas_flush(&row, t);
    }
    canvas_free(&row);
}
