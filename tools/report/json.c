#include "report/json.h"

#include "record/json.h"
#include "record/save.h"
#include "report/report.h"

static void set_mark(json_t *o, const char *at, const char *n, const struct result_line *line,
                     const struct field_diff *diff, bool observed)
{
    size_t from, to;
    line_mark(line, diff, observed, &from, &to);
    json_object_set_new(o, at, json_integer((json_int_t)from));
    json_object_set_new(o, n, json_integer((json_int_t)(to - from)));
}

static json_t *diff_to_json(const struct result_line *line, const struct field_diff *diff)
{
    json_t *o = json_object();
    json_object_set_new(o, "field", json_readable(diff->field));
    json_object_set_new(o, "expected", json_readable(diff->expected));
    json_object_set_new(o, "observed", json_readable(diff->observed));
    set_mark(o, "expected_at", "expected_n", line, diff, false);
    set_mark(o, "observed_at", "observed_n", line, diff, true);
    return o;
}

static json_t *bounds_to_json(const struct result_line *line)
{
    if (!line->has_bounds)
        return json_null();
    json_t *o = json_object();
    json_object_set_new(o, "nominal_ns", json_integer(line->nominal));
    json_object_set_new(o, "earliest_ns", json_integer(line->earliest));
    json_object_set_new(o, "latest_ns",
                        line->latest == NSEC_NEVER ? json_null() : json_integer(line->latest));
    json_object_set_new(o, "derivation", json_readable(line->derivation));
    return o;
}

static json_t *index_to_json(long index)
{
    return index < 0 ? json_null() : json_integer(index);
}

static json_t *line_to_json(const struct result_line *line)
{
    json_t *diffs = json_array();
    vec_each (&line->diffs, diff)
        json_array_append_new(diffs, diff_to_json(line, diff));
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_string(line_kind_name(line->kind)));
    json_object_set_new(o, "status", json_string(line_status_name(line->status)));
    json_object_set_new(o, "line_number",
                        line->line_number ? json_integer((json_int_t)line->line_number)
                                          : json_null());
    json_object_set_new(o, "point", json_readable(line->point));
    json_object_set_new(o, "label", json_readable(line->label));
    json_object_set_new(o, "note", json_readable(line->note));
    json_object_set_new(o, "expected", json_readable(line->expected));
    json_object_set_new(o, "observed", json_readable(line->observed));
    json_object_set_new(o, "diffs", diffs);
    json_object_set_new(o, "time_ns", line->observed ? json_integer(line->time) : json_null());
    json_object_set_new(o, "gap_ns", line->observed ? json_integer(line->gap) : json_null());
    json_object_set_new(o, "bounds", bounds_to_json(line));
    json_object_set_new(o, "wire", json_readable(line->wire));
    json_object_set_new(o, "meaning", json_readable(line->meaning));
    json_object_set_new(o, "segment", index_to_json(line->segment));
    json_object_set_new(o, "call", index_to_json(line->call));
    return o;
}

static json_t *verdict_to_json(const struct result *result)
{
    json_t *lines = json_array();
    vec_each (&result->lines, line)
        json_array_append_new(lines, line_to_json(line));
    json_t *o = json_object();
    json_object_set_new(o, "lab", json_readable(result->lab));
    json_object_set_new(o, "title", json_readable(result->title));
    json_object_set_new(o, "verdict", json_string(verdict_name(result->verdict)));
    json_object_set_new(o, "reason", json_readable(result->reason));
    json_object_set_new(o, "expected_path", json_readable(result->expected_path));
    json_object_set_new(o, "lateness_limit_ns", json_integer(result->lateness_limit));
    json_object_set_new(o, "wall_ns", json_integer(result->wall));
    json_object_set_new(o, "lines", lines);
    return o;
}

json_t *result_to_json(const struct result *result)
{
    json_t *o = json_object();
    json_object_set_new(o, "schema_version", json_integer(EVIDENCE_SCHEMA));
    json_object_set_new(o, "verdict", verdict_to_json(result));
    json_object_set_new(o, "record", result->record ? record_to_json(result->record) : json_null());
    return o;
}

/* ------------------------------------------------------------------- format */

/* One lab is one object, the same as in result.json; several are an array. */

static void json_begin(struct report *report)
{
    if (report->total != 1)
        strbuf_puts(&report->out, "[");
}

static void json_one(struct report *report, const struct result *result)
{
    if (report->total != 1)
        strbuf_puts(&report->out, report->done ? ",\n" : "\n");
    json_t *o = result_to_json(result);
    char *text = json_dumps(o, RESULT_JSON_FLAGS);
    if (text)
        strbuf_puts(&report->out, text);
    free(text);
    json_decref(o);
}

static void json_end(struct report *report)
{
    strbuf_puts(&report->out, report->total != 1 ? "\n]\n" : "\n");
}

const struct report_format report_json_format = {"json", json_begin, json_one, json_end};
