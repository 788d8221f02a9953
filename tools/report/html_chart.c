/* Theory of operation.
 *
 * Three <svg> make a chart: the numbers at the left, those below, and between them the plot.
 * The plot's own coordinates (WIDE times HIGH) are stretched to whatever size it has, while
 * strokes keep their width; marks that must not be stretched, and the numbers, stand at
 * percentages in an <svg> without coordinates of its own. */
#include "report/html_chart.h"

#include <inttypes.h>

enum { WIDE = 2000, HIGH = 600, TICK = 12, X_TICKS = 7, Y_TICKS = 7 };

struct chart_series *chart_add(struct chart *chart, const char *class, const char *name,
                               enum chart_mark mark)
{
    struct chart_series *s = xcalloc(1, sizeof(*s));
    *s = (struct chart_series){.class = class, .name = name, .mark = mark};
    vec_push(&chart->series, s);
    return s;
}

void chart_point(struct chart_series *series, nsec x, double y, double y2, long segment)
{
    vec_push(&series->points, ((struct chart_point){x, y, y2, segment}));
}

void chart_free(struct chart *chart)
{
    vec_each (&chart->series, series) {
        vec_free(&(*series)->points);
        free(*series);
    }
    vec_free(&chart->series);
    free(chart->title);
    free(chart->about);
}

/* --------------------------------------------------------------------- scales */

static double x_share(const struct chart *c, nsec x)
{
    return c->to > c->from ? (double)(x - c->from) / (double)(c->to - c->from) : 0;
}

/* From the top; what is above the plot is not drawn, and how far above does not matter. */
static double y_share(const struct chart *c, double y)
{
    double share = c->most > 0 ? y / c->most : 0;
    return 1 - (share > 1.1 ? 1.1 : share < 0 ? 0 : share);
}

static int x_of(const struct chart *c, nsec x)
{
    return (int)(x_share(c, x) * WIDE + .5);
}

static int y_of(const struct chart *c, double y)
{
    return (int)((y_share(c, y) + 1) * HIGH + .5) - HIGH; /* the sum is positive */
}

/* The least of 1, 2, 5, 10, 20 … with which `ticks` steps are enough. */
static double nice_step(double range, int ticks)
{
    static const double factors[] = {2, 2.5, 2};
    double step = 1e-9;
    for (size_t i = 0; step * ticks < range && step < 1e30; i++)
        step *= factors[i % ARRAY_SIZE(factors)];
    return step;
}

/* -------------------------------------------------------------------- numbers */

/* 1234567 with thin spaces; short fractions as they are. */
static void put_number(struct strbuf *sb, double value, double step)
{
    if (step < 1) {
        strbuf_printf(sb, "%.*f", step < .001 ? 6 : 3, value);
        while (sb->data[sb->len - 1] == '0')
            strbuf_truncate(sb, sb->len - 1);
        if (sb->data[sb->len - 1] == '.')
            strbuf_truncate(sb, sb->len - 1);
        return;
    }
    cleanup_free char *digits = xasprintf("%.0f", value);
    size_t n = strlen(digits);
    for (size_t i = 0; i < n; i++) {
        strbuf_putc(sb, digits[i]);
        if (n > 4 && i + 1 < n && (n - i - 1) % 3 == 0)
            strbuf_puts(sb, "\u202f");
    }
}

static void put_y_numbers(struct strbuf *out, const struct chart *c)
{
    double step = nice_step(c->most, Y_TICKS);
    strbuf_puts(out, "<svg class=\"ylab\" aria-hidden=\"true\">");
    for (int i = 0; i * step <= c->most; i++) {
        double y = i * step;
        strbuf_printf(out, "<text x=\"100%%\" y=\"%.2f%%\" dy=\".35em\">", 100 * y_share(c, y));
        put_number(out, y, step);
        strbuf_puts(out, "</text>");
    }
    strbuf_puts(out, "</svg>");
}

/* Where the numbers of x are: `first`, `first` + 1 … times `step`, in the page's unit. */
struct ticks {
    double from, to, step;
    int64_t first;
};

static struct ticks find_ticks(const struct chart *c, const struct page *page)
{
    double unit = page->seconds ? (double)NSEC_PER_SEC : (double)NSEC_PER_MSEC;
    struct ticks t = {.from = (double)c->from / unit, .to = (double)c->to / unit};
    t.step = nice_step(t.to - t.from, X_TICKS);
    t.first = t.from <= 0 ? 0 : (int64_t)(t.from / t.step + 1);
    return t;
}

static double tick_share(const struct ticks *t, int64_t i)
{
    return t->to > t->from ? ((double)i * t->step - t->from) / (t->to - t->from) : 0;
}

static void put_x_numbers(struct strbuf *out, const struct chart *c, const struct page *page)
{
    struct ticks t = find_ticks(c, page);
    strbuf_puts(out, "<svg class=\"xlab\" aria-hidden=\"true\">");
    for (int64_t i = t.first; (double)i * t.step <= t.to; i++) {
        strbuf_printf(out, "<text x=\"%.2f%%\" y=\"1.1em\" text-anchor=\"%s\">",
                      100 * tick_share(&t, i), tick_share(&t, i) > .985 ? "end" : "middle");
        put_number(out, (double)i * t.step, t.step);
        strbuf_puts(out, "</text>");
    }
    strbuf_puts(out, "</svg>");
}

/* ----------------------------------------------------------------------- plot */

static void put_grid(struct strbuf *out, const struct chart *c, const struct page *page)
{
    double step = nice_step(c->most, Y_TICKS);
    strbuf_puts(out, "<path class=\"grid\" d=\"");
    for (int i = 0; i * step <= c->most; i++)
        strbuf_printf(out, "M0 %dH%d", y_of(c, i * step), WIDE);
    struct ticks t = find_ticks(c, page);
    for (int64_t i = t.first; (double)i * t.step <= t.to; i++)
        strbuf_printf(out, "M%d %dV%d", (int)(tick_share(&t, i) * WIDE + .5), HIGH, HIGH - TICK);
    strbuf_puts(out, "\"/>");
}

static void put_path(struct strbuf *out, const struct chart *c, const struct chart_series *s)
{
    strbuf_printf(out, "<path class=\"%s\" d=\"", s->class);
    bool first = true;
    vec_each (&s->points, p) {
        int x = x_of(c, p->x), y = y_of(c, p->y);
        if (s->mark == CHART_BARS)
            strbuf_printf(out, "M%d %dV%d", x, y, y_of(c, p->y2));
        else if (s->mark == CHART_DOTS)
            strbuf_printf(out, "M%d %dh0", x, y);
        else
            strbuf_printf(out, first ? "M%d %d" : "H%dV%d", x, y);
        first = false;
    }
    if (s->mark == CHART_STEPS && s->points.n)
        strbuf_printf(out, "H%d", WIDE);
    strbuf_puts(out, "\"/>");
}

static void put_crosses(struct strbuf *out, const struct chart *c, const struct chart_series *s)
{
    vec_each (&s->points, p)
        strbuf_printf(out, "<use href=\"#xs\" x=\"%.2f%%\" y=\"%.2f%%\"/>", 100 * x_share(c, p->x),
                      100 * y_share(c, (p->y + p->y2) / 2));
}

static void put_plot(struct strbuf *out, const struct chart *c, const struct page *page)
{
    strbuf_printf(out,
                  "<div class=\"area\"><svg role=\"img\" aria-labelledby=\"%s-t %s-d\" "
                  "viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\">",
                  c->id, c->id, WIDE, HIGH);
    strbuf_printf(out, "<title id=\"%s-t\">", c->id);
    html_text(out, c->title);
    strbuf_printf(out, "</title><desc id=\"%s-d\">", c->id);
    html_text(out, c->about);
    strbuf_puts(out, "</desc>");
    put_grid(out, c, page);
    vec_each (&c->series, series)
        if ((*series)->mark != CHART_CROSSES && (*series)->points.n)
            put_path(out, c, *series);
    strbuf_puts(out, "</svg><svg class=\"over\" aria-hidden=\"true\">");
    vec_each (&c->series, series)
        if ((*series)->mark == CHART_CROSSES)
            put_crosses(out, c, *series);
    strbuf_puts(out, "</svg></div>");
}

static void put_legend(struct strbuf *out, const struct chart *c)
{
    strbuf_puts(out, "<ul class=\"legend\">");
    vec_each (&c->series, series) {
        const struct chart_series *s = *series;
        if (!s->points.n)
            continue;
        strbuf_puts(out, "<li><svg class=\"swatch\" aria-hidden=\"true\">");
        if (s->mark == CHART_CROSSES)
            strbuf_puts(out, "<use href=\"#xs\" x=\"50%\" y=\"50%\"/>");
        else if (s->mark == CHART_STEPS)
            strbuf_printf(out, "<path class=\"%s\" d=\"M0 8H26\"/>", s->class);
        else if (s->mark == CHART_BARS)
            strbuf_printf(out, "<path class=\"%s\" d=\"M13 2V14\"/>", s->class);
        else
            strbuf_printf(out, "<path class=\"%s\" d=\"M13 8h0\"/>", s->class);
        html_around(out, "</svg> ", s->name, "</li>");
    }
    strbuf_puts(out, "</ul>");
}

static void put_data(struct strbuf *data, const struct chart *c)
{
    const char *separator = "";
    strbuf_printf(data, "%s{\"id\":\"%s\",\"at\":[", data->len ? "," : "", c->id);
    vec_each (&c->series, series)
        vec_each (&(*series)->points, p)
            if (p->segment >= 0 && (*series)->mark != CHART_CROSSES) {
                strbuf_printf(data, "%s[%ld,%d,%d,%d]", separator, p->segment, x_of(c, p->x),
                              y_of(c, p->y), y_of(c, p->y2));
                separator = ",";
            }
    strbuf_puts(data, "]}");
}

void chart_put(struct page *page, const struct chart *c)
{
    struct strbuf *out = &page->body;
    strbuf_printf(out, "<figure class=\"chart%s\" id=\"%s\">", c->low ? " low" : "", c->id);
    html_around(out, "<h3>", c->title, "</h3>");
    strbuf_printf(out, "<p class=\"unit\">%s</p><div class=\"plot\">", c->unit);
    put_y_numbers(out, c);
    put_plot(out, c, page);
    put_x_numbers(out, c, page);
    strbuf_printf(out, "</div><p class=\"unit x\">%s</p>", page->seconds ? "seconds" : "ms");
    put_legend(out, c);
    strbuf_puts(out, "</figure>\n");
    put_data(&page->charts, c);
}
