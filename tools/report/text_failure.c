#include "report/text.h"

#include <inttypes.h>

#include "report/wrap.h"

/* Columns before the two texts: "  expected  ". */
#define BLOCK_COLUMNS 12

struct place {
    size_t from, to;
};

static struct place place_of(const struct field_diff *diff, bool observed, size_t len)
{
    size_t at = observed ? diff->observed_at : diff->expected_at;
    size_t n = observed ? diff->observed_n : diff->expected_n;
    if (at > len)
        return (struct place){len, len};
    return (struct place){at, n > len - at ? len : at + n};
}

/* Whether byte i is in a field that differs. */
static bool is_marked(const struct result_line *line, bool observed, size_t i, size_t len)
{
    vec_each (&line->diffs, diff) {
        struct place place = place_of(diff, observed, len);
        if (i >= place.from && i < place.to)
            return true;
    }
    return false;
}

/* s[from..to), the marked bytes in the style of bad things. */
static void put_row(struct text *t, const struct result_line *line, bool observed, const char *s,
                    size_t len, struct place row)
{
    for (size_t at = row.from; at < row.to;) {
        bool marked = is_marked(line, observed, at, len);
        size_t end = at;
        while (end < row.to && is_marked(line, observed, end, len) == marked)
            end++;
        text_put_n(t, marked ? STYLE_BAD : STYLE_PLAIN, s + at, end - at);
        at = end;
    }
    strbuf_putc(t->out, '\n');
}

/* The line of ^^^^ below a row, if it has marks. */
static void put_marks(struct text *t, const struct result_line *line, bool observed, const char *s,
                      size_t len, struct place row, int indent)
{
    cleanup_strbuf struct strbuf marks = STRBUF_INIT;
    size_t used = 0;
    struct glyph g;
    for (size_t at = row.from; at < row.to; at += g.bytes) {
        glyph_at(&g, s + at, row.to - at, t->options->utf8);
        bool marked = is_marked(line, observed, at, len);
        strbuf_pad(&marks, marked ? '^' : ' ', (size_t)g.width);
        if (marked)
            used = marks.len;
    }
    if (!used)
        return;
    strbuf_pad(t->out, ' ', (size_t)indent);
    text_put_n(t, STYLE_BAD, marks.data, used);
    strbuf_putc(t->out, '\n');
}

static void put_text(struct text *t, const struct result_line *line, bool observed)
{
    const char *s = observed ? line->observed : line->expected;
    strbuf_puts(t->out, "  ");
    text_put_padded(t, STYLE_TITLE, observed ? "observed" : "expected", BLOCK_COLUMNS - 2);
    if (!s) {
        text_put(t, STYLE_BAD, observed ? "nothing like it" : "nothing more");
        strbuf_putc(t->out, '\n');
        return;
    }
    size_t len = strlen(s), skip;
    struct wrap w = {.s = s, .len = len, .fields = true, .utf8 = t->options->utf8};
    struct place row;
    int indent = BLOCK_COLUMNS;
    /* Rows after the first stand below what is behind the interval. */
    int hanging = (int)(text_behind_interval(s, &skip) - s);
    if (hanging == 0 || hanging > 16)
        hanging = 2;
    for (bool first = true; wrap_next(&w, t->width - indent, &row.from, &row.to); first = false) {
        if (!first)
            strbuf_pad(t->out, ' ', (size_t)indent);
        put_row(t, line, observed, s, len, row);
        put_marks(t, line, observed, s, len, row, indent);
        indent = BLOCK_COLUMNS + hanging;
    }
}

static void put_paragraph(struct text *t, enum style style, const char *s)
{
    strbuf_puts(t->out, "  ");
    text_wrapped(t, style, s, strlen(s), 2, 0, false);
}

static const char *const headings[] = {
    [LINE_OK] = "as expected",     [LINE_DIFFERS] = "differs",
    [LINE_MISSING] = "is missing", [LINE_UNEXPECTED] = "was not expected",
    [LINE_ABSENT] = "is absent",   [LINE_UNJUDGED] = "cannot be judged",
};

static void put_heading(struct text *t, const struct result_line *line)
{
    cleanup_strbuf struct strbuf heading = STRBUF_INIT;
    if (line->status == LINE_UNEXPECTED)
        strbuf_printf(&heading, "The first line that %s", headings[line->status]);
    else
        strbuf_printf(&heading, "The first line that %s: %s line %zu", headings[line->status],
                      t->result->expected_path ? t->result->expected_path : "the transcript's",
                      line->line_number);
    if (line->label)
        strbuf_printf(&heading, " (%s)", line->label);
    if (line->point)
        strbuf_printf(&heading, " at %s", line->point);
    text_heading(t, heading.data);
}

static void put_bounds(struct text *t, const struct result_line *line)
{
    cleanup_strbuf struct strbuf bounds = STRBUF_INIT;
    strbuf_puts(&bounds, "Allowed: ");
    strbuf_approx(&bounds, line->earliest);
    if (line->latest == NSEC_NEVER) {
        strbuf_puts(&bounds, " or more");
    } else {
        strbuf_puts(&bounds, " … ");
        strbuf_approx(&bounds, line->latest);
    }
    if (line->derivation)
        strbuf_printf(&bounds, ", from %s", line->derivation);
    put_paragraph(t, STYLE_DIM, bounds.data);
}

void text_failure(struct text *t, const struct result_line *line)
{
    put_heading(t, line);
    put_text(t, line, false);
    put_text(t, line, true);
    strbuf_putc(t->out, '\n');
    if (line->meaning)
        put_paragraph(t, STYLE_TITLE, line->meaning);
    bool interval = false;
    vec_each (&line->diffs, diff)
        interval |= diff->field && strcmp(diff->field, "interval") == 0;
    if (line->has_bounds && interval)
        put_bounds(t, line);
    if (line->note) {
        cleanup_free char *note = xasprintf("The transcript's note: %s", line->note);
        put_paragraph(t, STYLE_NOTE, note);
    }
}
