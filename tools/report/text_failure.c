#include "report/text.h"

#include "report/words.h"
#include "report/wrap.h"

/* Columns before the two texts: "  expected  ". */
#define BLOCK_COLUMNS 12

struct place {
    size_t from, to;
};

/* Whether byte i of a text is in a field that differs. */
static bool is_marked(const struct result_line *line, bool observed, size_t i)
{
    vec_each (&line->diffs, diff) {
        size_t from, to;
        line_mark(line, diff, observed, &from, &to);
        if (i >= from && i < to)
            return true;
    }
    return false;
}

/* s[from..to), the marked bytes in the style of bad things. */
static void put_row(struct text *t, const struct result_line *line, bool observed, const char *s,
                    struct place row)
{
    for (size_t at = row.from; at < row.to;) {
        bool marked = is_marked(line, observed, at);
        size_t end = at;
        while (end < row.to && is_marked(line, observed, end) == marked)
            end++;
        text_put_n(t, marked ? STYLE_BAD : STYLE_PLAIN, s + at, end - at);
        at = end;
    }
}

/* Adds to `marks` a ^ below each column of s[from..to) that is in a marked field. */
static void add_marks(struct strbuf *marks, const struct text *t, const struct result_line *line,
                      bool observed, const char *s, struct place row)
{
    struct glyph g;
    for (size_t at = row.from; at < row.to; at += g.bytes) {
        glyph_at(&g, s + at, row.to - at, t->options->utf8);
        strbuf_pad(marks, is_marked(line, observed, at) ? '^' : ' ', (size_t)g.width);
    }
}

static void put_marks(struct text *t, struct strbuf *marks, int indent)
{
    while (marks->len && marks->data[marks->len - 1] == ' ')
        strbuf_truncate(marks, marks->len - 1);
    if (!marks->len)
        return;
    size_t blanks = strspn(marks->data, " ");
    strbuf_pad(t->out, ' ', (size_t)indent + blanks);
    text_put_n(t, STYLE_BAD, marks->data + blanks, marks->len - blanks);
    strbuf_putc(t->out, '\n');
}

/* Columns for the interval of either text, so that the fields behind it stand below
 * each other. */
static int interval_columns(const struct text *t, const struct result_line *line)
{
    const char *texts[] = {line->expected, line->observed};
    int widest = 0;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        size_t n = 0;
        if (texts[i])
            text_behind_interval(texts[i], &n);
        int width = n ? glyphs_width(texts[i], n, t->options->utf8) + 1 : 0;
        widest = width > widest ? width : widest;
    }
    return widest < t->width / 3 ? widest : 0;
}

static void put_text(struct text *t, const struct result_line *line, bool observed)
{
    const char *s = observed ? line->observed : line->expected;
    strbuf_puts(t->out, "  ");
    text_put_padded(t, STYLE_TITLE, observed ? "observed" : "expected", BLOCK_COLUMNS - 2);
    if (!s) {
        text_put(t, STYLE_BAD, observed ? "nothing like it" : "nothing");
        strbuf_putc(t->out, '\n');
        return;
    }
    cleanup_strbuf struct strbuf marks = STRBUF_INIT;
    size_t len = strlen(s), interval_n = 0;
    int columns = interval_columns(t, line), indent = BLOCK_COLUMNS + columns;
    const char *text = columns ? text_behind_interval(s, &interval_n) : s;
    if (columns) {
        put_row(t, line, observed, s, (struct place){0, interval_n});
        add_marks(&marks, t, line, observed, s, (struct place){0, interval_n});
        int width = glyphs_width(s, interval_n, t->options->utf8);
        strbuf_pad(t->out, ' ', (size_t)(columns - width));
        strbuf_pad(&marks, ' ', (size_t)(columns - width));
    }
    struct wrap w = {
        .s = s, .len = len, .at = (size_t)(text - s), .fields = true, .utf8 = t->options->utf8};
    struct place row;
    for (bool first = true; wrap_next(&w, t->width - indent, &row.from, &row.to); first = false) {
        if (!first) {
            strbuf_pad(t->out, ' ', (size_t)indent);
            strbuf_pad(&marks, ' ', (size_t)columns);
        }
        put_row(t, line, observed, s, row);
        strbuf_putc(t->out, '\n');
        add_marks(&marks, t, line, observed, s, row);
        put_marks(t, &marks, BLOCK_COLUMNS);
        strbuf_truncate(&marks, 0);
    }
}

static void put_paragraph(struct text *t, enum style style, const char *s)
{
    strbuf_puts(t->out, "  ");
    text_wrapped(t, style, s, strlen(s), 2, 0, false);
}

static void put_heading(struct text *t, const struct result_line *line)
{
    cleanup_strbuf struct strbuf heading = STRBUF_INIT;
    words_fault(&heading, t->result, line);
    text_heading(t, heading.data);
}

static void put_bounds(struct text *t, const struct result_line *line)
{
    cleanup_strbuf struct strbuf bounds = STRBUF_INIT;
    words_bounds(&bounds, line);
    put_paragraph(t, STYLE_DIM, bounds.data);
}

void text_failure(struct text *t, const struct result_line *line)
{
    put_heading(t, line);
    if (line->kind != LINE_WIRE) { /* its meaning names the step */
        put_text(t, line, false);
        put_text(t, line, true);
        strbuf_putc(t->out, '\n');
    }
    if (line->wire)
        put_paragraph(t, STYLE_WARN, line->wire);
    if (line->meaning)
        put_paragraph(t, STYLE_TITLE, line->meaning);
    if (line_interval_differs(line))
        put_bounds(t, line);
    if (line->note) {
        cleanup_free char *note = xasprintf("The transcript's note: %s", line->note);
        put_paragraph(t, STYLE_NOTE, note);
    }
}

static const char *or_nothing(const char *s)
{
    return s && *s ? s : "nothing";
}

void text_fault(struct strbuf *sb, const struct result_line *line)
{
    vec_each (&line->diffs, diff)
        strbuf_printf(sb, "%s%s: expected %s, observed %s", sb->len ? "; " : "", diff->field,
                      or_nothing(diff->expected), or_nothing(diff->observed));
    if (line->status == LINE_MISSING)
        strbuf_printf(sb, "missing: %s", or_nothing(line->expected));
    if (line->status == LINE_UNEXPECTED)
        strbuf_puts(sb, "unexpected");
}
