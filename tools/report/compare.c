#include "report/compare.h"

#include <stdio.h>

#include "record/json.h"
#include "report/text.h"
#include "report/wrap.h"

enum { BEFORE = 3 /* lines that are shown before the first that differs */ };

static const char *const names[2] = {"a", "b"};

/* ----------------------------------------------------------------------- text */

/* `  a  out/before: unplugged, 12 segments, Linux 6.18.44` */
static void put_run(struct text *t, const struct compare_report *r, int side)
{
    const struct record *record = r->record[side];
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_printf(&words, "%s: ", r->path[side]);
    if (record->lab)
        strbuf_printf(&words, "%s, ", record->lab);
    size_t n = r->compared->segments[side];
    strbuf_printf(&words, "%zu packet%s", n, n == 1 ? "" : "s");
    if (record->kernel)
        strbuf_printf(&words, ", Linux %s", record->kernel);
    strbuf_puts(t->out, "  ");
    text_put_padded(t, STYLE_TITLE, names[side], 3);
    text_wrapped(t, STYLE_PLAIN, words.data, words.len, 5, 0, false);
    vec_each (&record->remarks, remark) {
        strbuf_puts(t->out, "     ");
        text_wrapped(t, STYLE_DIM, *remark, strlen(*remark), 5, 0, false);
    }
}

static const char *or_unset(const char *value)
{
    return value ? value : "not set";
}

static void put_settings(struct text *t, const struct compared *c)
{
    if (c->settings.n == 0)
        return;
    text_heading(t, "What was set differently");
    vec_each (&c->settings, s) {
        cleanup_free char *words =
            xasprintf("%s%s%s: %s in a, %s in b", s->name, s->hosts ? " of " : "",
                      s->hosts ? s->hosts : "", or_unset(s->value[0]), or_unset(s->value[1]));
        strbuf_puts(t->out, "  ");
        text_wrapped(t, STYLE_WARN, words, strlen(words), 2, 2, false);
    }
}

static void put_states(struct text *t, const struct compared *c)
{
    if (c->states.n == 0)
        return;
    text_heading(t, "States (one that does not last may be missed, so this decides nothing)");
    vec_each (&c->states, s) {
        strbuf_puts(t->out, "  ");
        text_wrapped(t, STYLE_DIM, *s, strlen(*s), 2, 0, false);
    }
}

static void put_lines(struct text *t, const struct compared *c)
{
    size_t first = c->first_line > BEFORE ? c->first_line - BEFORE : 0;
    if (c->first_line == c->lines->lines.n)
        return;
    cleanup_free char *heading =
        first ? xasprintf("Side by side, from line %zu on", first + 1) : xstrdup("Side by side");
    text_heading(t, heading);
    text_both(t, first, names);
}

/* What is the same.  A run may have more packets where its transcript leaves that open. */
static char *same_words(const struct compare_report *r)
{
    const size_t *n = r->compared->segments;
    struct strbuf sb = STRBUF_INIT;
    if (n[0] == n[1])
        strbuf_printf(&sb, "%zu packet%s", n[1], n[1] == 1 ? "" : "s");
    else
        strbuf_printf(&sb, "%zu and %zu packets, but for what the transcript leaves open", n[0],
                      n[1]);
    if (r->record[0]->has_calls && r->record[1]->has_calls)
        strbuf_puts(&sb, n[0] == n[1] ? " and what each call gave" : ", what each call gave");
    strbuf_puts(&sb, ", and no interval that one timer does not explain");
    return strbuf_steal(&sb);
}

void compare_text(struct strbuf *out, const struct compare_report *report,
                  const struct text_options *options)
{
    const struct compared *c = report->compared;
    struct text t = {.out = out,
                     .options = options,
                     .width = options->width < 60    ? 60
                              : options->width > 400 ? 400
                                                     : options->width,
                     .result = c->lines,
                     .record = report->record[1]};
    put_run(&t, report, 0);
    put_run(&t, report, 1);
    put_settings(&t, c);
    if (c->first.sentence) {
        text_heading(&t, "The first difference, of b and measured by a");
        strbuf_puts(out, "  ");
        text_wrapped(&t, STYLE_BAD, c->first.sentence, strlen(c->first.sentence), 2, 0, false);
        put_lines(&t, c);
    }
    put_states(&t, c);
    if (c->first.sentence)
        return;
    strbuf_putc(out, '\n');
    text_put(&t, STYLE_GOOD, "SAME");
    strbuf_puts(out, "  ");
    cleanup_free char *words = same_words(report);
    text_wrapped(&t, STYLE_PLAIN, words, strlen(words), 6, 0, false);
}

/* ----------------------------------------------------------------------- JSON */

static json_t *both(json_t *a, json_t *b)
{
    json_t *array = json_array();
    json_array_append_new(array, a);
    json_array_append_new(array, b);
    return array;
}

static json_t *run_json(const struct compare_report *r, int side)
{
    const struct record *record = r->record[side];
    json_t *o = json_object();
    json_object_set_new(o, "path", json_readable(r->path[side]));
    json_object_set_new(o, "lab", json_readable(record->lab));
    json_object_set_new(o, "kernel", json_readable(record->kernel));
    json_object_set_new(o, "packets", json_integer((json_int_t)r->compared->segments[side]));
    return o;
}

static json_t *settings_json(const struct compared *c)
{
    json_t *array = json_array();
    vec_each (&c->settings, s) {
        json_t *o = json_object();
        json_object_set_new(o, "name", json_readable(s->name));
        json_object_set_new(o, "hosts", json_readable(s->hosts));
        json_object_set_new(o, "values",
                            both(json_readable(s->value[0]), json_readable(s->value[1])));
        json_array_append_new(array, o);
    }
    return array;
}

static const char *status_of(const struct result_line *line)
{
    switch (line->status) {
    case LINE_MISSING:
        return "only in a";
    case LINE_UNEXPECTED:
        return "only in b";
    case LINE_DIFFERS:
        return "differs";
    case LINE_OK:
    case LINE_ABSENT:
    case LINE_UNJUDGED:
        break;
    }
    return "same";
}

/* The interval has a member of its own. */
static json_t *text_json(const char *text)
{
    size_t interval;
    return json_readable(text ? text_behind_interval(text, &interval) : NULL);
}

static json_t *gap_json(nsec gap)
{
    return gap < 0 ? json_null() : json_integer(gap);
}

static json_t *lines_json(const struct compared *c)
{
    json_t *array = json_array();
    const struct compared_gaps *gaps = c->gaps.at;
    vec_each (&c->lines->lines, line) {
        json_t *o = json_object(), *fields = json_array();
        vec_each (&line->diffs, diff)
            json_array_append_new(fields, json_string(diff->field));
        json_object_set_new(o, "kind", json_string(line_kind_name(line->kind)));
        json_object_set_new(o, "status", json_string(status_of(line)));
        json_object_set_new(o, "texts", both(text_json(line->expected), text_json(line->observed)));
        json_object_set_new(o, "gaps_ns", both(gap_json(gaps->of[0]), gap_json(gaps->of[1])));
        gaps++;
        json_object_set_new(o, "fields", fields);
        json_array_append_new(array, o);
    }
    return array;
}

json_t *compare_json(const struct compare_report *report)
{
    const struct compared *c = report->compared;
    json_t *o = json_object(), *states = json_array();
    bool none = c->first_line == c->lines->lines.n;
    vec_each (&c->states, s)
        json_array_append_new(states, json_readable(*s));
    json_object_set_new(o, "schema_version", json_integer(COMPARE_SCHEMA));
    json_object_set_new(o, "same", json_boolean(!c->first.sentence));
    json_object_set_new(o, "first_difference", json_readable(c->first.sentence));
    json_object_set_new(o, "first_line",
                        none ? json_null() : json_integer((json_int_t)c->first_line));
    json_object_set_new(o, "runs", both(run_json(report, 0), run_json(report, 1)));
    json_object_set_new(o, "settings", settings_json(c));
    json_object_set_new(o, "lines", lines_json(c));
    json_object_set_new(o, "states", states);
    return o;
}
