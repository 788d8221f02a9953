#include "report/text.h"

#include <ctype.h>
#include <inttypes.h>

#include "report/wrap.h"

static const char *const codes[] = {
    [STYLE_PLAIN] = "",
    [STYLE_TITLE] = "\033[1m",
    [STYLE_DIM] = "\033[2m",
    [STYLE_NOTE] = "\033[3m",
    [STYLE_CALL] = "\033[33m",
    [STYLE_RIGHTWARD] = "\033[36m",
    [STYLE_LEFTWARD] = "\033[35m",
    [STYLE_GOOD] = "\033[1;32m",
    [STYLE_BAD] = "\033[1;31m",
    [STYLE_WARN] = "\033[1;33m",
};

const char *text_pick(const struct text *t, const char *utf8, const char *ascii)
{
    return t->options->utf8 ? utf8 : ascii;
}

void text_put_n(struct text *t, enum style style, const char *s, size_t n)
{
    bool colored = t->options->color && *codes[style] && n;
    if (colored)
        strbuf_puts(t->out, codes[style]);
    glyphs_put(t->out, s, n, t->options->utf8);
    if (colored)
        strbuf_puts(t->out, "\033[0m");
}

void text_put(struct text *t, enum style style, const char *s)
{
    text_put_n(t, style, s, strlen(s));
}

void text_put_padded(struct text *t, enum style style, const char *s, int columns)
{
    int width = glyphs_width(s, strlen(s), t->options->utf8);
    text_put(t, style, s);
    strbuf_pad(t->out, ' ', width < columns ? (size_t)(columns - width) : 1);
}

void text_wrapped(struct text *t, enum style style, const char *s, size_t len, int indent,
                  int hanging, bool fields)
{
    struct wrap w = {.s = s, .len = len, .fields = fields, .utf8 = t->options->utf8};
    size_t from, to;
    bool first = true;
    while (wrap_next(&w, t->width - indent - (first ? 0 : hanging), &from, &to)) {
        if (!first) {
            strbuf_putc(t->out, '\n');
            strbuf_pad(t->out, ' ', (size_t)(indent + hanging));
        }
        text_put_n(t, style, s + from, to - from);
        first = false;
    }
    strbuf_putc(t->out, '\n');
}

void text_stamp(struct text *t, bool has_time, nsec time, const char *gap)
{
    char stamp[32] = "";
    nsec unit = t->seconds ? NSEC_PER_SEC : NSEC_PER_MSEC;
    nsec size = (time < 0 ? -time : time) + unit / 2000; /* rounded, as gaps are */
    nsec whole = size / unit, fraction = size % unit / (unit / 1000);
    if (has_time)
        snprintf(stamp, sizeof(stamp), "%s%" PRId64 ".%03" PRId64,
                 time < 0 && (whole || fraction) ? "-" : "", whole, fraction);
    cleanup_strbuf struct strbuf row = STRBUF_INIT;
    strbuf_printf(&row, "%8s ", stamp);
    int gap_width = glyphs_width(gap, strlen(gap), t->options->utf8);
    strbuf_pad(&row, ' ', gap_width < 8 ? (size_t)(8 - gap_width) : 0);
    strbuf_puts(&row, gap);
    strbuf_putc(&row, ' ');
    text_put(t, STYLE_DIM, row.data);
}

void text_columns(struct text *t, bool has_time, nsec time, const char *gap, enum style style,
                  const char *marker)
{
    text_stamp(t, has_time, time, gap);
    text_put_padded(t, style, marker, 3);
}

const char *text_behind_interval(const char *line, size_t *interval_n)
{
    const char *p = line;
    /* One that an observed call has is negative where the call was over earlier. */
    if (*p == '+' || (*p == '-' && isdigit((unsigned char)p[1]))) {
        p += strcspn(p, " ");
        *interval_n = (size_t)(p - line);
        p += strspn(p, " ");
    } else {
        *interval_n = 0;
    }
    return p;
}
