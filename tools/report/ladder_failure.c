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

static void put_interval(struct half *h, const char *text, size_t n)
{
    cleanup_strbuf struct strbuf interval = STRBUF_INIT;
    if (h->observed && h->line->kind != LINE_QUIET && h->line->gap > 0) {
        strbuf_putc(&interval, '+');
        strbuf_approx(&interval, h->line->gap);
    } else if (!h->observed) {
        strbuf_add(&interval, text, n);
    }
    int width = glyphs_width(strbuf_cstr(&interval), interval.len, h->row->utf8);
    int x = width < INTERVAL ? INTERVAL - 1 - width : 0;
    canvas_put(h->row, h->x + x, INTERVAL - 1, differs(h, "interval") ? STYLE_BAD : STYLE_DIM,
               strbuf_cstr(&interval), interval.len);
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
    canvas_put(h->row, x, width, style, strbuf_cstr(&words), words.len);
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
        canvas_put(h->row, h->x + INTERVAL, h->width - INTERVAL, style, behind, strlen(behind));
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
