/* KTAP version 1, as the kernel's test tools read it: one test a lab, and inside it
 * one subtest for each line of the result, nested by two blanks.
 *
 * SKIP and NOISY are `ok … # SKIP reason` and have no subtests: what a noisy run
 * showed is no result.  A lab that failed for a reason beside its lines (packets
 * lost by the capture) is not ok although its subtests are; the reason stands in
 * the diagnostic lines before it. */
#include "report/plain.h"
#include "report/report.h"

/* A description cannot hold `#`, which begins a directive, and has no escape. */
static void add_description(struct strbuf *out, const char *s)
{
    for (; *s; s++)
        strbuf_putc(out, *s == '#' ? ' ' : *s);
}

static void add_subtest(struct strbuf *out, size_t number, const struct result_line *line)
{
    cleanup_strbuf struct strbuf name = STRBUF_INIT;
    plain_line_name(&name, line);
    bool fine = line_is_fine(line->status);
    if (!fine) {
        strbuf_puts(out, "  # ");
        plain_fault(out, line);
        if (line->observed) {
            strbuf_puts(out, "\n  # observed ");
            plain_add(out, line->observed);
        }
        strbuf_putc(out, '\n');
    }
    strbuf_printf(out, "  %sok %zu ", fine ? "" : "not ", number);
    add_description(out, name.data);
    if (line->status == LINE_UNJUDGED)
        strbuf_puts(out, " # SKIP the evidence does not say");
    strbuf_putc(out, '\n');
}

static void add_subtests(struct strbuf *out, const struct result *result)
{
    strbuf_printf(out, "  KTAP version 1\n  1..%zu\n", result->lines.n);
    for (size_t i = 0; i < result->lines.n; i++)
        add_subtest(out, i + 1, &result->lines.at[i]);
}

static void ktap_begin(struct report *report)
{
    strbuf_printf(&report->out, "KTAP version 1\n1..%zu\n", report->total);
}

static void ktap_one(struct report *report, const struct result *result)
{
    struct strbuf *out = &report->out;
    bool bad = result->verdict == VERDICT_FAIL || result->verdict == VERDICT_ERROR;
    if (result->lines.n && (bad || result->verdict == VERDICT_PASS))
        add_subtests(out, result);
    if (bad) {
        strbuf_puts(out, "# ");
        plain_reason(out, result);
        strbuf_putc(out, '\n');
    }
    cleanup_strbuf struct strbuf lab = STRBUF_INIT;
    plain_add(&lab, result->lab);
    strbuf_printf(out, "%sok %zu ", bad ? "not " : "", report->done + 1);
    add_description(out, strbuf_cstr(&lab));
    if (result->verdict == VERDICT_SKIP || result->verdict == VERDICT_NOISY) {
        strbuf_puts(out, result->verdict == VERDICT_SKIP ? " # SKIP " : " # SKIP NOISY: ");
        plain_reason(out, result);
    }
    strbuf_putc(out, '\n');
}

static void ktap_end(struct report *report)
{
    (void)report;
}

const struct report_format report_ktap_format = {"ktap", ktap_begin, ktap_one, ktap_end};
