#include "report/plain.h"

#include "report/report.h"
#include "report/wrap.h"

void plain_add(struct strbuf *out, const char *s)
{
    glyphs_put(out, s, strlen(s), true);
}

void plain_line_name(struct strbuf *out, const struct result_line *line)
{
    if (line->line_number)
        strbuf_printf(out, "line %zu", line->line_number);
    else
        strbuf_puts(out, line->kind == LINE_WIRE ? "the script" : "no line");
    if (line->label) {
        strbuf_puts(out, " (");
        plain_add(out, line->label);
        strbuf_putc(out, ')');
    }
    const char *text = line->expected ? line->expected : line->observed;
    if (text) {
        strbuf_puts(out, ": ");
        plain_add(out, text);
    }
}

void plain_fault(struct strbuf *out, const struct result_line *line)
{
    if (line->meaning)
        plain_add(out, line->meaning);
    else
        strbuf_puts(out, line_status_name(line->status));
}

void plain_reason(struct strbuf *out, const struct result *result)
{
    plain_add(out, result->reason ? result->reason : "no reason was given");
}

static void add_pair(struct strbuf *out, const char *prefix, const char *name, const char *value)
{
    if (!value)
        return;
    strbuf_printf(out, "%s  %s ", prefix, name);
    plain_add(out, value);
    strbuf_putc(out, '\n');
}

void plain_trouble(struct strbuf *out, const struct result *result, const char *prefix)
{
    strbuf_puts(out, prefix);
    plain_reason(out, result);
    strbuf_putc(out, '\n');
    vec_each (&result->lines, line) {
        if (line_is_fine(line->status))
            continue;
        strbuf_printf(out, "%s%s", prefix, line_status_name(line->status));
        if (line->line_number)
            strbuf_printf(out, ", line %zu", line->line_number);
        strbuf_puts(out, ":\n");
        add_pair(out, prefix, "expected", line->expected);
        add_pair(out, prefix, "observed", line->observed);
        add_pair(out, prefix, "the wire", line->wire);
        add_pair(out, prefix, "meaning ", line->meaning);
    }
}
