/* TAP version 13 (prove of Debian 12 does not read 14): one test a lab, a YAML block
 * behind a test that is not ok.  SKIP and NOISY are `ok … # SKIP reason`. */
#include <jansson.h>

#include "record/json.h"
#include "report/plain.h"
#include "report/report.h"

/* A description: `#` begins a directive and `\` escapes, so both are escaped. */
static void add_description(struct strbuf *out, const char *s)
{
    cleanup_strbuf struct strbuf clean = STRBUF_INIT;
    plain_add(&clean, s);
    for (const char *p = strbuf_cstr(&clean); *p; p++) {
        if (*p == '#' || *p == '\\')
            strbuf_putc(out, '\\');
        strbuf_putc(out, *p);
    }
}

/* `indent`key: "value"; a JSON string is a YAML string. */
static void add_yaml(struct strbuf *out, const char *indent, const char *key, const char *value)
{
    if (!value)
        return;
    json_t *string = json_readable(value);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    strbuf_printf(out, "%s%s: %s\n", indent, key, quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(string);
}

static void add_diagnostics(struct strbuf *out, const struct result *result)
{
    strbuf_puts(out, "  ---\n");
    add_yaml(out, "  ", "verdict", verdict_name(result->verdict));
    add_yaml(out, "  ", "message", result->reason ? result->reason : "no reason was given");
    bool first = true;
    vec_each (&result->lines, line) {
        if (line_is_fine(line->status))
            continue;
        strbuf_puts(out, first ? "  lines:\n" : "");
        first = false;
        strbuf_printf(out, "    - status: \"%s\"\n", line_status_name(line->status));
        if (line->line_number)
            strbuf_printf(out, "      line: %zu\n", line->line_number);
        add_yaml(out, "      ", "expected", line->expected);
        add_yaml(out, "      ", "observed", line->observed);
        add_yaml(out, "      ", "meaning", line->meaning);
    }
    strbuf_puts(out, "  ...\n");
}

static void tap_begin(struct report *report)
{
    strbuf_printf(&report->out, "TAP version 13\n1..%zu%s\n", report->total,
                  report->total ? "" : " # SKIP no labs");
}

static void tap_one(struct report *report, const struct result *result)
{
    struct strbuf *out = &report->out;
    bool bad = result->verdict == VERDICT_FAIL || result->verdict == VERDICT_ERROR;
    strbuf_printf(out, "%sok %zu - ", bad ? "not " : "", report->done + 1);
    add_description(out, result->lab);
    if (result->verdict == VERDICT_SKIP || result->verdict == VERDICT_NOISY) {
        strbuf_puts(out, result->verdict == VERDICT_SKIP ? " # SKIP " : " # SKIP NOISY: ");
        plain_reason(out, result);
    }
    strbuf_putc(out, '\n');
    if (bad)
        add_diagnostics(out, result);
}

static void tap_end(struct report *report)
{
    (void)report;
}

const struct report_format report_tap_format = {"tap", tap_begin, tap_one, tap_end};
