#include "report/course.h"

#include <string.h>

#include "lab/lab.h"
#include "report/text.h"
#include "report/wrap.h"

enum { GUTTER = 2, LEVEL_COLUMNS = 3, LEAST_TITLE = 20 };

void course_first_mistake(struct strbuf *out, const struct diags *diags)
{
    const struct diag *first = NULL;
    vec_each (&diags->list, d)
        if (!first || d->span.from < first->span.from)
            first = d;
    if (!first)
        return;
    if (diags->source) {
        size_t line, column;
        source_locate(diags->source, first->span.from, &line, &column);
        strbuf_printf(out, "%s:%zu:%zu: ", diags->source->path, line, column);
    }
    strbuf_puts(out, first->message);
}

static enum course_group group_of(const struct course_lab *lab)
{
    return lab->lab ? lab->lab->course.group : GROUP_NONE;
}

static void put_group(struct text *t, enum course_group group, bool first)
{
    if (!first)
        strbuf_putc(t->out, '\n');
    text_put(t, STYLE_TITLE, group == GROUP_NONE ? "other" : course_group_names[group]);
    strbuf_puts(t->out, ": ");
    text_put(t, STYLE_PLAIN,
             group == GROUP_NONE ? "labs without a place in the course"
                                 : course_group_abouts[group]);
    strbuf_putc(t->out, '\n');
}

/* As many dots as the level is high. */
static void put_level(struct text *t, const struct course_lab *lab)
{
    int dots = group_of(lab) == GROUP_NONE ? 0 : (int)lab->lab->course.level + 1;
    for (int i = 0; i < dots; i++)
        text_put(t, STYLE_PLAIN, text_pick(t, "●", "*"));
    strbuf_pad(t->out, ' ', (size_t)(LEVEL_COLUMNS - dots));
}

/* The title, and behind it what the lab comes after: on the same row if there is room. */
static void put_title(struct text *t, const struct lab *lab, int indent)
{
    struct strbuf after cleanup_strbuf = STRBUF_INIT;
    vec_each (&lab->course.after, a)
        strbuf_printf(&after, "%s%s", after.len ? ", " : "after ", a->name);
    bool utf8 = t->options->utf8;
    int title = glyphs_width(lab->title, strlen(lab->title), utf8);
    if (!after.len) {
        text_wrapped(t, STYLE_PLAIN, lab->title, strlen(lab->title), indent, 0, false);
    } else if (indent + title + 3 + (int)after.len <= t->width) {
        text_put(t, STYLE_PLAIN, lab->title);
        text_put(t, STYLE_DIM, " (");
        text_put(t, STYLE_DIM, strbuf_cstr(&after));
        text_put(t, STYLE_DIM, ")");
        strbuf_putc(t->out, '\n');
    } else {
        strbuf_putc(&after, ')');
        text_wrapped(t, STYLE_PLAIN, lab->title, strlen(lab->title), indent, 0, false);
        strbuf_pad(t->out, ' ', (size_t)indent);
        text_put(t, STYLE_DIM, "(");
        text_wrapped(t, STYLE_DIM, after.data, after.len, indent + 1, 0, false);
    }
}

static void put_lab(struct text *t, const struct course_lab *lab, int names)
{
    int indent = GUTTER + names + GUTTER + LEVEL_COLUMNS + GUTTER;
    strbuf_pad(t->out, ' ', GUTTER);
    text_put_padded(t, STYLE_PLAIN, lab->name, names + GUTTER);
    put_level(t, lab);
    strbuf_pad(t->out, ' ', GUTTER);
    struct strbuf broken cleanup_strbuf = STRBUF_INIT;
    course_first_mistake(&broken, lab->diags);
    if (!broken.len) {
        put_title(t, lab->lab, indent);
        return;
    }
    text_put(t, STYLE_BAD, "broken: ");
    text_wrapped(t, STYLE_PLAIN, broken.data, broken.len, indent + 8, 0, false);
}

static void put_legend(struct text *t)
{
    const char *dot = text_pick(t, "●", "*");
    strbuf_putc(t->out, '\n');
    for (int level = 0; level < LEVEL_COUNT; level++) {
        strbuf_pad(t->out, ' ', level ? 3 : GUTTER);
        for (int i = 0; i <= level; i++)
            text_put(t, STYLE_PLAIN, dot);
        strbuf_putc(t->out, ' ');
        text_put(t, STYLE_DIM, course_level_names[level]);
    }
    strbuf_putc(t->out, '\n');
}

void report_course(struct strbuf *out, const struct course_lab *labs, size_t n,
                   const struct text_options *options)
{
    struct text t = {.out = out, .options = options};
    int names = 0;
    bool levels = false;
    for (size_t i = 0; i < n; i++) {
        int width = glyphs_width(labs[i].name, strlen(labs[i].name), options->utf8);
        names = width > names ? width : names;
        levels |= group_of(&labs[i]) != GROUP_NONE;
    }
    int least = 3 * GUTTER + names + LEVEL_COLUMNS + LEAST_TITLE;
    t.width = options->width > least ? options->width : least;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || group_of(&labs[i]) != group_of(&labs[i - 1]))
            put_group(&t, group_of(&labs[i]), i == 0);
        put_lab(&t, &labs[i], names);
    }
    if (levels)
        put_legend(&t);
}
