/* The intervals: what the transcript allows between two lines, and what was observed.
 *
 * A table, with a drawing in each row: a bar as long as the interval that was observed, and
 * a bracket from the earliest to the latest that would have passed.  All rows have one
 * scale, so that a series that doubles is seen to double. */
#include "report/html_page.h"

enum { ROWS_MOST = 60 };

/* What comes at once has no interval to speak of. */
static bool is_shown(const struct result_line *line)
{
    return line->has_bounds && line->nominal > 0 && line->observed && line->kind != LINE_WIRE &&
           !line->mix;
}

/* The longest that has to be drawn. */
static nsec find_scale(const struct result *r)
{
    nsec most = 0;
    vec_each (&r->lines, line) {
        if (!is_shown(line))
            continue;
        nsec end = line->latest == NSEC_NEVER ? line->earliest : line->latest;
        end = line->gap > end ? line->gap : end;
        most = end > most ? end : most;
    }
    return most;
}

static double share(nsec t, nsec scale)
{
    return t <= 0 ? 0 : 100 * (double)t / (double)scale;
}

static void put_drawing(struct strbuf *out, const struct result_line *line, nsec scale)
{
    double from = share(line->earliest, scale), gap = share(line->gap, scale);
    double to = line->latest == NSEC_NEVER ? 100 : share(line->latest, scale);
    strbuf_printf(out,
                  "<svg class=\"interval\" aria-hidden=\"true\">"
                  "<rect class=\"seen\" x=\"0\" y=\"7\" width=\"%.2f%%\" height=\"8\"/>"
                  "<rect class=\"may\" x=\"%.2f%%\" y=\"2\" width=\"%.2f%%\" height=\"18\"/>"
                  "<line x1=\"%.2f%%\" y1=\"1\" x2=\"%.2f%%\" y2=\"21\"/></svg>",
                  gap, from, to > from ? to - from : 0, gap, gap);
}

/* The line's label, or else what it begins with behind the interval. */
static void put_name(struct strbuf *out, const struct page *page, const struct result_line *line)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    if (line->kind == LINE_SEGMENT)
        picture_line_words(&words, line->observed, PICTURE_NO_WINDOW);
    else
        strbuf_puts(&words, line->observed);
    bool linked = line->kind == LINE_SEGMENT && line->segment >= 0 && !line->point && page->picture;
    if (linked)
        strbuf_printf(out, "<a href=\"#s%ld\">", line->segment);
    if (line->label)
        html_around(out, "<b>", line->label, "</b> ");
    html_around(out, "<code>", strbuf_cstr(&words), linked ? "</code></a>" : "</code>");
}

static void put_row(struct page *page, const struct result_line *line, nsec scale)
{
    struct strbuf *out = &page->body;
    cleanup_strbuf struct strbuf gap = STRBUF_INIT, from = STRBUF_INIT, to = STRBUF_INIT;
    bool in_time = line->gap >= line->earliest && line->gap <= line->latest;
    strbuf_approx(&gap, line->gap);
    strbuf_approx(&from, line->earliest);
    if (line->latest != NSEC_NEVER)
        strbuf_approx(&to, line->latest);
    strbuf_printf(out, "<tr%s><th scope=\"row\">", in_time ? "" : " class=\"bad\"");
    put_name(out, page, line);
    strbuf_printf(out, "</th><td class=\"num\">%s%s</td><td class=\"num\">%s %s%s</td>",
                  in_time ? "" : "✗ ", gap.data, from.data, to.len ? "… " : "or more",
                  strbuf_cstr(&to));
    strbuf_puts(out, "<td class=\"bar\">");
    put_drawing(out, line, scale);
    strbuf_puts(out, "</td></tr>\n");
}

void page_backoff(struct page *page)
{
    struct strbuf *out = &page->body;
    const struct result *r = page->result;
    nsec scale = r ? find_scale(r) : 0;
    size_t shown = 0, left = 0;
    if (!scale)
        return;
    strbuf_puts(out,
                "<section id=\"backoff\" aria-labelledby=\"backoff-h\">\n"
                "<h2 id=\"backoff-h\">Intervals</h2>\n<p class=\"hint\">Of each line whose time "
                "the transcript states: how long after the line before it came (the bar), and "
                "between which times it had to (the box).</p>\n"
                "<table class=\"intervals\"><thead><tr><th scope=\"col\">line</th>"
                "<th scope=\"col\" class=\"num\">observed</th>"
                "<th scope=\"col\" class=\"num\">allowed</th>"
                "<th scope=\"col\" class=\"bar\"><span class=\"vh\">drawn</span></th></tr>"
                "</thead><tbody>\n");
    vec_each (&r->lines, line) {
        if (!is_shown(line))
            continue;
        if (shown == ROWS_MOST) {
            left++;
            continue;
        }
        put_row(page, line, scale);
        shown++;
    }
    strbuf_puts(out, "</tbody></table>\n");
    if (left)
        strbuf_printf(out, "<p class=\"hint\">And %zu more, see result.json.</p>\n", left);
    strbuf_puts(out, "</section>\n");
}
