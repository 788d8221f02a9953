/* The timeline of a run: the lines of the result in their order, and between them
 * the calls that no line is about, by time.
 *
 * A call takes two rows, `client: connect server 1234 ...` when it was made and
 * `client: connect server 1234 => 0` when it returned, if something else is shown in
 * between, else only the second.  So the rows of the calls are sorted by time
 * first and merged while the lines go by. */
#include <limits.h>

#include "report/text.h"

#include "report/wrap.h"
#include "transcript/story.h"

/* So many packets of a mix are shown at its beginning and at its end. */
enum { MIX_HEAD = 8, MIX_TAIL = 4 };

/* ---------------------------------------------------------------- direction */

struct end {
    const char *name; /* "client.port" */
    size_t n;
    int host; /* index into record.hosts, -1 */
};

static struct end find_end(const struct text *t, const char *name, size_t n)
{
    struct end end = {name, n, -1};
    for (size_t i = 0; t->record && i < t->record->hosts.n; i++) {
        const char *host = t->record->hosts.at[i].name;
        size_t len = strlen(host);
        if (n >= len && memcmp(name, host, len) == 0 && (n == len || name[len] == '.'))
            end.host = (int)i;
    }
    return end;
}

/* Sender and receiver, out of `client.port > server.1234: …`. */
static bool find_ends(const struct text *t, const char *line, struct end *from, struct end *to)
{
    const char *arrow = strstr(line, " > ");
    const char *colon = arrow ? strchr(arrow, ':') : NULL;
    if (!colon)
        return false;
    *from = find_end(t, line, (size_t)(arrow - line));
    *to = find_end(t, arrow + 3, (size_t)(colon - arrow - 3));
    return true;
}

static bool same_end(const struct end *a, const struct end *b)
{
    return a->n == b->n && memcmp(a->name, b->name, a->n) == 0;
}

/* The ends of the first segment that has two, as the picture's outermost columns have. */
static bool find_first_ends(const struct text *t, struct end *from, struct end *to)
{
    size_t skip;
    vec_each (&t->result->lines, line)
        if (line->kind == LINE_SEGMENT && line->observed &&
            find_ends(t, text_behind_interval(line->observed, &skip), from, to))
            return true;
    return false;
}

/* Where a host stands between the two of the first segment. */
static int rank_of(int host, int first, int last)
{
    return host == first ? -1 : host == last ? INT_MAX : host;
}

bool text_is_leftward(const struct text *t, const char *line)
{
    struct end from, to, first_from, first_to;
    if (!find_ends(t, line, &from, &to) || !find_first_ends(t, &first_from, &first_to))
        return false;
    bool by_host = from.host >= 0 && to.host >= 0 && from.host != to.host && first_from.host >= 0 &&
                   first_to.host >= 0 && first_from.host != first_to.host;
    if (by_host)
        return rank_of(from.host, first_from.host, first_to.host) >
               rank_of(to.host, first_from.host, first_to.host);
    return !same_end(&from, &first_from);
}

/* -------------------------------------------------------------------- calls */

struct call_row {
    nsec time; /* since the story's first segment */
    size_t call;
    bool returned;
};

struct calls {
    VEC(struct call_row) rows;
    size_t next;
    bool *by_line; /* calls that a line of the result is about */
    bool *shown;   /* calls whose last row is out */
};

static int compare_rows(const void *pa, const void *pb)
{
    const struct call_row *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->call != b->call)
        return a->call < b->call ? -1 : 1;
    return a->returned - b->returned;
}

static void calls_collect(struct calls *calls, const struct text *t)
{
    *calls = (struct calls){0};
    size_t n = t->record ? t->record->calls.n : 0;
    calls->by_line = xcalloc(n, sizeof(bool));
    calls->shown = xcalloc(n, sizeof(bool));
    for (size_t i = 0; i < n; i++) {
        const struct record_call *call = &t->record->calls.at[i];
        vec_push(&calls->rows, ((struct call_row){call->began - t->zero, i, false}));
        nsec ended = call->ended ? call->ended : t->record->ended;
        vec_push(&calls->rows, ((struct call_row){ended - t->zero, i, true}));
    }
    if (calls->rows.n)
        qsort(calls->rows.at, calls->rows.n, sizeof(*calls->rows.at), compare_rows);
    vec_each (&t->result->lines, line)
        if (line->call >= 0 && (size_t)line->call < n)
            calls->by_line[line->call] = true;
}

static void calls_free(struct calls *calls)
{
    vec_free(&calls->rows);
    free(calls->by_line);
    free(calls->shown);
}

/* `client as other: connect server 1234`, as story_format_call() begins. */
static void format_call(struct strbuf *sb, const struct record *r, const struct record_call *call)
{
    strbuf_puts(sb, call->host >= 0 ? r->hosts.at[call->host].name : "?");
    if (call->as)
        strbuf_printf(sb, " as %s", call->as);
    strbuf_printf(sb, ": %s", call->verb);
    if (call->args && *call->args)
        strbuf_printf(sb, " %s", call->args);
}

static void put_call_row(struct text *t, const struct call_row *row, bool whole)
{
    const struct record_call *call = &t->record->calls.at[row->call];
    cleanup_strbuf struct strbuf line = STRBUF_INIT;
    format_call(&line, t->record, call);
    size_t made = line.len;
    if (whole) {
        /* A transcript leaves a plain success out; here it tells that the call is over. */
        strbuf_truncate(&line, 0);
        story_format_call(&line, t->record, call);
        if (line.len == made)
            strbuf_puts(&line, " => 0");
    } else {
        strbuf_puts(&line, " …");
    }
    bool bad = whole && !call->as_stated;
    text_columns(t, t->has_zero, row->time, "", bad ? STYLE_BAD : STYLE_DIM,
                 bad ? "!" : text_pick(t, "·", "-"));
    text_wrapped(t,
                 bad     ? STYLE_BAD
                 : whole ? STYLE_CALL
                         : STYLE_DIM,
                 line.data, line.len, TEXT_COLUMNS, 2, false);
    if (bad && call->expected) {
        strbuf_truncate(&line, 0);
        strbuf_printf(&line, "the lab states => %s", call->expected);
        strbuf_pad(t->out, ' ', TEXT_COLUMNS + 2);
        text_wrapped(t, STYLE_BAD, line.data, line.len, TEXT_COLUMNS + 2, 0, false);
    }
}

/* All rows up to a moment. */
static void put_calls(struct text *t, struct calls *calls, nsec until)
{
    for (; calls->next < calls->rows.n; calls->next++) {
        const struct call_row *row = &calls->rows.at[calls->next];
        const struct record_call *call = &t->record->calls.at[row->call];
        if (row->time > until)
            return;
        if (calls->shown[row->call])
            continue;
        bool whole = row->returned || (call->ended && call->ended - t->zero <= until);
        if (calls->by_line[row->call] && whole)
            continue; /* its line shows it */
        put_call_row(t, row, whole);
        calls->shown[row->call] = whole;
    }
}

static bool calls_left(const struct calls *calls)
{
    for (size_t i = calls->next; i < calls->rows.n; i++) {
        size_t call = calls->rows.at[i].call;
        if (!calls->shown[call] && !calls->by_line[call])
            return true;
    }
    return false;
}

/* -------------------------------------------------------------------- lines */

static void put_note(struct text *t, const struct result_line *line)
{
    if (!line->note)
        return;
    struct wrap w = {.s = line->note, .len = strlen(line->note), .utf8 = t->options->utf8};
    size_t from, to;
    while (wrap_next(&w, t->width - TEXT_COLUMNS - 2, &from, &to)) {
        strbuf_pad(t->out, ' ', TEXT_COLUMNS);
        text_put(t, STYLE_DIM, text_pick(t, "│ ", "| "));
        text_put_n(t, STYLE_NOTE, line->note + from, to - from);
        strbuf_putc(t->out, '\n');
    }
}

/* A line's marker and style, by its kind and direction. */
static const char *marker_of(const struct text *t, const struct result_line *line, const char *text,
                             enum style *style)
{
    *style = line->kind == LINE_SEGMENT ? STYLE_RIGHTWARD : STYLE_CALL;
    if (!line_is_fine(line->status) || !line->observed) {
        *style = line_is_fine(line->status) ? STYLE_DIM : STYLE_BAD;
        if (!line->observed)
            return line_is_fine(line->status) ? " " : "!";
    }
    if (line->kind != LINE_SEGMENT)
        return text_pick(t, "·", "-");
    if (!text_is_leftward(t, text))
        return text_pick(t, "─▶", "->");
    if (*style == STYLE_RIGHTWARD)
        *style = STYLE_LEFTWARD;
    return text_pick(t, "◀─", "<-");
}

static void put_remark(struct text *t, enum style style, const char *s)
{
    strbuf_pad(t->out, ' ', TEXT_COLUMNS + 2);
    text_wrapped(t, style, s, strlen(s), TEXT_COLUMNS + 2, 0, false);
}

static void put_line(struct text *t, const struct result_line *line)
{
    cleanup_strbuf struct strbuf gap = STRBUF_INIT;
    size_t skip;
    const char *shown = line->observed ? line->observed : line->expected;
    const char *text = text_behind_interval(shown ? shown : "", &skip);
    enum style style;
    const char *marker = marker_of(t, line, text, &style);
    if (line->observed && line->kind != LINE_QUIET && line->gap > 0) {
        strbuf_putc(&gap, '+');
        strbuf_approx(&gap, line->gap);
    }
    text_columns(t, line->observed != NULL, line->time, strbuf_cstr(&gap), style, marker);
    text_wrapped(t, style, text, strlen(text), TEXT_COLUMNS, 2, true);
    if (line->wire)
        put_remark(t, STYLE_WARN, line->wire);
    if (line->status == LINE_ABSENT)
        put_remark(t, STYLE_DIM, "(did not happen, and need not)");
    if (line->status == LINE_UNJUDGED)
        put_remark(t, STYLE_DIM, "(the evidence does not say)");
}

/* What is wrong with a line of the rest, in a few words. */
static void put_fault(struct text *t, const struct result_line *line)
{
    cleanup_strbuf struct strbuf fault = STRBUF_INIT;
    text_fault(&fault, line);
    if (fault.len)
        put_remark(t, STYLE_BAD, fault.data);
}

static nsec next_time(const struct result *result, size_t from)
{
    for (size_t i = from; i < result->lines.n; i++)
        if (result->lines.at[i].observed)
            return result->lines.at[i].time;
    return NSEC_NEVER;
}

/* Whether the n lines from `from` on are of this mix, and fine. */
static bool all_of_mix(const struct result *result, size_t mix, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        if (i >= result->lines.n || result->lines.at[i].mix != mix ||
            !line_is_fine(result->lines.at[i].status))
            return false;
    return true;
}

bool text_is_hidden(const struct result *result, size_t i)
{
    const struct result_line *line = &result->lines.at[i];
    return line->mix && !line->note && i >= MIX_HEAD &&
           all_of_mix(result, line->mix, i - MIX_HEAD, MIX_HEAD + 1 + MIX_TAIL);
}

static void put_hidden(struct text *t, size_t *hidden)
{
    cleanup_strbuf struct strbuf row = STRBUF_INIT;
    if (*hidden == 0)
        return;
    strbuf_printf(&row, "(and %zu more, all as the transcript says)", *hidden);
    put_remark(t, STYLE_DIM, row.data);
    *hidden = 0;
}

void text_timeline(struct text *t)
{
    size_t hidden = 0;
    const struct result *result = t->result;
    const struct result_line *bad = result_first_bad(result);
    size_t first_bad = bad ? (size_t)(bad - result->lines.at) : result->lines.n;
    bool stop = result->verdict == VERDICT_FAIL && bad;
    struct calls calls;
    text_put(t, STYLE_DIM, t->seconds ? "  time/s      gap" : " time/ms      gap");
    strbuf_putc(t->out, '\n');
    calls_collect(&calls, t);
    for (size_t i = 0; i < result->lines.n; i++) {
        const struct result_line *line = &result->lines.at[i];
        if (text_is_hidden(result, i)) {
            hidden++;
            continue;
        }
        if (!line->observed && t->record && t->record->interrupted)
            continue; /* nobody waited for it */
        put_hidden(t, &hidden);
        if (line->observed || i == first_bad)
            put_calls(t, &calls, next_time(result, i));
        if (stop && i == first_bad) {
            text_failure(t, line);
            if (i + 1 < result->lines.n || calls_left(&calls))
                text_heading(t, "The rest");
            continue;
        }
        put_line(t, line);
        if (i < first_bad)
            put_note(t, line);
        if (!line_is_fine(line->status))
            put_fault(t, line);
    }
    put_calls(t, &calls, NSEC_NEVER);
    calls_free(&calls);
}
