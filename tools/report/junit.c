/* JUnit XML: one test suite, one test case a lab.
 *
 * FAIL is a failure and ERROR an error.  NOISY is skipped, like SKIP: the format
 * has no third answer, and a run that could not be judged has neither passed nor
 * failed; its message begins with "NOISY". */
#include "report/plain.h"
#include "report/report.h"
#include "report/wrap.h"

/* Characters that XML 1.0 cannot hold, not even escaped, are replaced. */
static void add_xml(struct strbuf *out, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '&')
            strbuf_puts(out, "&amp;");
        else if (c == '<')
            strbuf_puts(out, "&lt;");
        else if (c == '>')
            strbuf_puts(out, "&gt;");
        else if (c == '"')
            strbuf_puts(out, "&quot;");
        else if (c == '\n')
            strbuf_puts(out, "\n");
        else
            strbuf_putc(out, (char)c);
    }
}

static void add_xml_text(struct strbuf *out, const char *s)
{
    cleanup_strbuf struct strbuf clean = STRBUF_INIT;
    plain_add(&clean, s);
    add_xml(out, strbuf_cstr(&clean));
}

static void add_seconds(struct strbuf *out, nsec t)
{
    strbuf_printf(out, "%.3f", (double)(t > 0 ? t : 0) / (double)NSEC_PER_SEC);
}

static void add_outcome(struct strbuf *out, const char *element, const char *type,
                        const struct result *result, bool with_text)
{
    cleanup_strbuf struct strbuf reason = STRBUF_INIT;
    if (result->verdict == VERDICT_NOISY)
        strbuf_puts(&reason, "NOISY: ");
    plain_reason(&reason, result);
    strbuf_printf(out, "      <%s", element);
    if (type)
        strbuf_printf(out, " type=\"%s\"", type);
    strbuf_puts(out, " message=\"");
    add_xml(out, reason.data);
    if (!with_text) {
        strbuf_puts(out, "\"/>\n");
        return;
    }
    strbuf_puts(out, "\">");
    cleanup_strbuf struct strbuf trouble = STRBUF_INIT;
    plain_trouble(&trouble, result, "");
    add_xml(out, trouble.data);
    strbuf_printf(out, "</%s>\n", element);
}

static void junit_begin(struct report *report)
{
    strbuf_puts(&report->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

/* The suite's element says how many failed, so the cases are held back till the end. */
static void junit_one(struct report *report, const struct result *result)
{
    struct strbuf *out = &report->held;
    strbuf_puts(out, "    <testcase name=\"");
    add_xml_text(out, result->lab);
    strbuf_puts(out, "\" classname=\"tcplab\" time=\"");
    add_seconds(out, result->wall);
    if (result->verdict == VERDICT_PASS) {
        strbuf_puts(out, "\"/>\n");
        return;
    }
    strbuf_puts(out, "\">\n");
    if (result->verdict == VERDICT_FAIL)
        add_outcome(out, "failure", "mismatch", result, true);
    else if (result->verdict == VERDICT_ERROR)
        add_outcome(out, "error", "error", result, true);
    else
        add_outcome(out, "skipped", NULL, result, false);
    strbuf_puts(out, "    </testcase>\n");
}

static void add_counts(struct report *report)
{
    strbuf_printf(&report->out,
                  " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"",
                  report->done, report->counts[VERDICT_FAIL], report->counts[VERDICT_ERROR],
                  report->counts[VERDICT_SKIP] + report->counts[VERDICT_NOISY]);
    add_seconds(&report->out, report->wall);
    strbuf_puts(&report->out, "\">\n");
}

static void junit_end(struct report *report)
{
    strbuf_puts(&report->out, "<testsuites name=\"tcplab\"");
    add_counts(report);
    strbuf_puts(&report->out, "  <testsuite name=\"tcplab\"");
    add_counts(report);
    strbuf_puts(&report->out, strbuf_cstr(&report->held));
    strbuf_puts(&report->out, "  </testsuite>\n</testsuites>\n");
}

const struct report_format report_junit_format = {"junit", junit_begin, junit_one, junit_end};
