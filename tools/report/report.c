#include "report/report.h"

#include <assert.h>
#include <errno.h>

static const struct report_format *const formats[] = {
    &report_text_format, &report_json_format, &report_junit_format,
    &report_tap_format,  &report_ktap_format,
};

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

const char *report_format_names(void)
{
    return "text, json, junit, tap or ktap";
}

static void flush(struct report *report)
{
    if (report->out.len)
        fwrite(report->out.data, 1, report->out.len, report->to);
    fflush(report->to);
    strbuf_truncate(&report->out, 0);
}

struct report *report_new(const struct report_format *format, FILE *to,
                          const struct text_options *text, size_t total)
{
    struct report *report = xcalloc(1, sizeof(*report));
    report->format = format;
    report->to = to;
    report->text = *text;
    report->total = total;
    format->begin(report);
    flush(report);
    return report;
}

void report_one(struct report *report, const struct result *result)
{
    report->counts[result->verdict]++;
    report->wall += result->wall;
    report->format->one(report, result);
    report->done++;
    flush(report);
}

int report_end(struct report *report, struct error *err)
{
    report->format->end(report);
    flush(report);
    bool bad = ferror(report->to);
    int sys = errno;
    strbuf_free(&report->out);
    strbuf_free(&report->held);
    free(report);
    return bad ? error_sys(err, STATUS_MACHINE, sys, "cannot write the report") : 0;
}

static const char *const kind_names[] = {
    [LINE_SEGMENT] = "segment", [LINE_CALL] = "call",   [LINE_LINK] = "link",
    [LINE_STATE] = "state",     [LINE_QUIET] = "quiet", [LINE_WIRE] = "wire",
};
static_assert(ARRAY_SIZE(kind_names) == LINE_WIRE + 1, "every kind of line has a name");

static const char *const status_names[] = {
    [LINE_OK] = "ok",           [LINE_DIFFERS] = "differs",
    [LINE_MISSING] = "missing", [LINE_UNEXPECTED] = "unexpected",
    [LINE_ABSENT] = "absent",   [LINE_UNJUDGED] = "unjudged",
};
static_assert(ARRAY_SIZE(status_names) == LINE_UNJUDGED + 1, "every status has a name");

const char *line_kind_name(enum line_kind kind)
{
    return kind_names[kind];
}

const char *line_status_name(enum line_status status)
{
    return status_names[status];
}

void line_mark(const struct result_line *line, const struct field_diff *diff, bool observed,
               size_t *from, size_t *to)
{
    const char *text = observed ? line->observed : line->expected;
    size_t len = text ? strlen(text) : 0;
    size_t at = observed ? diff->observed_at : diff->expected_at;
    size_t n = observed ? diff->observed_n : diff->expected_n;
    *from = at < len ? at : len;
    *to = n < len - *from ? *from + n : len;
}
