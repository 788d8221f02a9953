#include "report/html_page.h"

#include <inttypes.h>

#include "report/words.h"
#include "report/wrap.h"

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_text_n(struct strbuf *sb, const char *s, size_t n)
{
    struct glyph g;
    for (size_t i = 0; i < n; i += g.bytes) {
        const char *escaped = entity(s[i]);
        glyph_at(&g, s + i, n - i, true);
        strbuf_puts(sb, escaped ? escaped : g.text);
    }
}

void html_plain(struct strbuf *sb, const char *s)
{
    glyphs_put(sb, s, strlen(s), true);
}

void html_text(struct strbuf *sb, const char *s)
{
    html_text_n(sb, s, strlen(s));
}

void html_around(struct strbuf *sb, const char *before, const char *text, const char *after)
{
    strbuf_puts(sb, before);
    html_text(sb, text);
    strbuf_puts(sb, after);
}

void html_note(struct strbuf *sb, const char *note)
{
    for (const char *p = note, *end; *p; p = end + 1) {
        const char *begin = strchr(p, '`');
        end = begin ? strchr(begin + 1, '`') : NULL;
        if (!end) {
            html_text(sb, p);
            return;
        }
        html_text_n(sb, p, (size_t)(begin - p));
        strbuf_puts(sb, "<code>");
        html_text_n(sb, begin + 1, (size_t)(end - begin) - 1);
        strbuf_puts(sb, "</code>");
    }
}

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

void html_line(struct strbuf *sb, const struct result_line *line, bool observed)
{
    const char *s = observed ? line->observed : line->expected;
    size_t len = strlen(s);
    for (size_t at = 0, end; at < len; at = end) {
        bool marked = is_marked(line, observed, at);
        for (end = at; end < len && is_marked(line, observed, end) == marked;)
            end++;
        strbuf_puts(sb, marked ? "<mark>" : "");
        html_text_n(sb, s + at, end - at);
        strbuf_puts(sb, marked ? "</mark>" : "");
    }
}

static void put_side(struct strbuf *sb, const struct result_line *line, bool observed)
{
    bool there = observed ? line->observed != NULL : line->expected != NULL;
    strbuf_printf(sb, "<dt>%s</dt><dd>", observed ? "observed" : "expected");
    if (there) {
        strbuf_puts(sb, "<code>");
        html_line(sb, line, observed);
        strbuf_puts(sb, "</code>");
    } else {
        strbuf_puts(sb, observed ? "nothing like it" : "nothing");
    }
    strbuf_puts(sb, "</dd>");
}

void html_fault(struct strbuf *sb, const struct result_line *line)
{
    if (line->kind != LINE_WIRE) { /* its meaning names the step */
        strbuf_puts(sb, "<dl class=\"sides\">");
        put_side(sb, line, false);
        put_side(sb, line, true);
        strbuf_puts(sb, "</dl>");
    }
    if (line->meaning)
        html_around(sb, "<p class=\"meaning\">", line->meaning, "</p>");
    if (line_interval_differs(line)) {
        cleanup_strbuf struct strbuf bounds = STRBUF_INIT;
        words_bounds(&bounds, line);
        html_around(sb, "<p>", bounds.data, "</p>");
    }
}

void html_time(struct strbuf *sb, const struct page *page, nsec time)
{
    nsec unit = page->seconds ? NSEC_PER_SEC : NSEC_PER_MSEC;
    nsec size = (time < 0 ? -time : time) + unit / 2000;
    nsec whole = size / unit, fraction = size % unit / (unit / 1000);
    strbuf_printf(sb, "%s%" PRId64 ".%03" PRId64, time < 0 && (whole || fraction) ? "−" : "", whole,
                  fraction);
}

const char *html_unit(const struct page *page)
{
    return page->seconds ? "s" : "ms";
}

void html_badge(struct strbuf *sb, enum verdict verdict)
{
    static const char *const marks[] = {
        [VERDICT_PASS] = "✓",  [VERDICT_FAIL] = "✗",  [VERDICT_SKIP] = "–",
        [VERDICT_NOISY] = "≈", [VERDICT_ERROR] = "!",
    };
    strbuf_printf(sb, "<strong class=\"badge %s\"><span aria-hidden=\"true\">%s</span> %s</strong>",
                  verdict_name(verdict), marks[verdict], verdict_name(verdict));
}
