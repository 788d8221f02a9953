#include "report/words.h"

#include <inttypes.h>

void words_seconds(struct strbuf *sb, nsec t)
{
    if (t < 10 * NSEC_PER_MSEC)
        strbuf_approx(sb, t);
    else
        strbuf_printf(sb, "%.2f s", (double)t / (double)NSEC_PER_SEC);
}

/* How many there were; one that is looked at once more, at a capture point, is no other.  Where
 * only capture points are judged, what they saw. */
static size_t count_packets(const struct result *r, bool *all_tcp)
{
    size_t n = 0;
    bool story = false;
    vec_each (&r->lines, line)
        story = story || (line->kind == LINE_SEGMENT && line->observed && !line->point);
    vec_each (&r->lines, line) {
        if (line->kind != LINE_SEGMENT || !line->observed || (line->point && story))
            continue;
        n++;
        *all_tcp = *all_tcp && strstr(line->observed, ": Flags [");
    }
    return n;
}

void words_verdict(struct strbuf *sb, const struct result *r)
{
    if (r->verdict == VERDICT_PASS) {
        bool all_tcp = true;
        size_t n = count_packets(r, &all_tcp), calls = r->record ? r->record->calls.n : 0;
        strbuf_printf(sb, "%zu %s%s", n, all_tcp ? "segment" : "packet", n == 1 ? "" : "s");
        if (calls)
            strbuf_printf(sb, " and %zu call%s", calls, calls == 1 ? "" : "s");
        strbuf_puts(sb, ", all as expected");
    } else if (r->reason) {
        strbuf_puts(sb, r->reason);
    }
}

void words_point(struct strbuf *sb, const struct record_point *point)
{
    if (point->iface)
        strbuf_printf(sb, "%s, ", point->iface);
    if (point->filter && *point->filter)
        strbuf_printf(sb, "filter \"%s\"", point->filter);
    else
        strbuf_puts(sb, "every packet");
    if (point->dropped)
        strbuf_printf(sb, ", %" PRIu64 " packets lost by the capture", point->dropped);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* How many settings there are, whether on one host or on all. */
static size_t count_keys(const struct record *r, bool absent)
{
    VEC(char *) keys = {0};
    size_t n = 0;
    vec_each (&r->sysctls, sysctl)
        if (sysctl->absent == absent)
            vec_push(&keys, sysctl->key);
    if (keys.n)
        qsort(keys.at, keys.n, sizeof(*keys.at), compare_keys);
    for (size_t i = 0; i < keys.n; i++)
        n += i == 0 || strcmp(keys.at[i], keys.at[i - 1]) != 0;
    vec_free(&keys);
    return n;
}

void words_machine(struct strbuf *sb, const struct record *r)
{
    strbuf_printf(sb, "Linux %s", r->kernel);
    if (r->machine)
        strbuf_printf(sb, " %s", r->machine);
    if (r->clock && strcmp(r->clock, "real") != 0)
        strbuf_printf(sb, ", %s clock", r->clock);
    if (r->tick)
        strbuf_printf(sb, ", tick %g ms", (double)r->tick / (double)NSEC_PER_MSEC);
    size_t pinned = count_keys(r, false), absent = count_keys(r, true);
    if (pinned)
        strbuf_printf(sb, "; %zu kernel setting%s pinned", pinned, pinned == 1 ? "" : "s");
    if (absent)
        strbuf_printf(sb, "%s %zu absent", pinned ? "," : ";", absent);
}

static const char *const headings[] = {
    [LINE_OK] = "as expected",     [LINE_DIFFERS] = "differs",
    [LINE_MISSING] = "is missing", [LINE_UNEXPECTED] = "was not expected",
    [LINE_ABSENT] = "is absent",   [LINE_UNJUDGED] = "cannot be judged",
};

void words_fault(struct strbuf *sb, const struct result *result, const struct result_line *line)
{
    if (line->kind == LINE_WIRE)
        strbuf_puts(sb, "What the script asks of the wire, and did not happen");
    else if (line->line_number == 0)
        strbuf_printf(sb, "The first line that %s", headings[line->status]);
    else
        strbuf_printf(sb, "The first line that %s: %s line %zu", headings[line->status],
                      result->expected_path ? result->expected_path : "the transcript's",
                      line->line_number);
    if (line->label)
        strbuf_printf(sb, " (%s)", line->label);
    if (line->point)
        strbuf_printf(sb, " at %s", line->point);
}

void words_bounds(struct strbuf *sb, const struct result_line *line)
{
    strbuf_puts(sb, "Allowed: ");
    strbuf_approx(sb, line->earliest);
    if (line->latest == NSEC_NEVER) {
        strbuf_puts(sb, " or more");
    } else {
        strbuf_puts(sb, " … ");
        strbuf_approx(sb, line->latest);
    }
    if (line->derivation)
        strbuf_printf(sb, ", from %s", line->derivation);
}

bool line_interval_differs(const struct result_line *line)
{
    bool interval = false;
    vec_each (&line->diffs, diff)
        interval |= diff->field && strcmp(diff->field, "interval") == 0;
    return line->has_bounds && interval;
}
