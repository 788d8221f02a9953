/* Result lines of calls, links and socket states; judge_calls.c finds what each means. */
#include "transcript/explain.h"
#include "transcript/judge_calls.h"

static void set_happening(struct judging *j, struct result_line *line, const struct happening *h,
                          nsec gap, struct slice since)
{
    struct strbuf text = STRBUF_INIT;
    if (h->time) {
        judge_put_gap(&text, gap);
        if (since.n)
            strbuf_printf(&text, "after %.*s ", (int)since.n, since.at);
        line->time = h->time - j->origin;
        line->gap = gap;
    }
    strbuf_puts(&text, h->text);
    line->observed = strbuf_steal(&text);
    line->call = h->call ? h->call - j->record->calls.at : -1;
    line->event = h->event ? h->event - j->record->events.at : -1;
}

static void judge_line(struct judging *j, struct result_line *line, const struct call_line *l,
                       const struct happening *h)
{
    struct timing_bounds b;
    struct slice observed = {line->observed, strlen(line->observed) - strlen(h->text)};
    struct slice gap = slice_word(&observed);
    call_compare(l->item, h, line);
    if (call_bounds(j, l, h, &b))
        judge_set_bounds(line, &b);
    if (!call_in_time(j, l, h)) {
        struct slice expected = {line->expected, slice_find(slice_of(line->expected), ' ')};
        struct difference d = {"interval", expected, gap};
        judge_add_diff(line, &d, line->expected, line->observed, 0);
    }
    if (!call_in_place(j, l, h)) {
        struct difference d = {"place", {NULL, 0}, gap};
        judge_add_diff(line, &d, line->expected, line->observed, 0);
    }
    if (h->call && !h->call->as_stated && line->diffs.n == 0) {
        struct slice stated = slice_of(h->call->expected ? h->call->expected : "success");
        struct field_diff *f = vec_add(&line->diffs);
        f->field = xstrdup("result");
        f->expected = xstrndup(stated.at, stated.n);
        struct slice result = call_result(h);
        f->observed = xstrndup(result.n ? result.at : "", result.n);
        f->observed_n = result.n;
        f->observed_at = result.n ? (size_t)(result.at - h->text) + observed.n : 0;
    }
    line->status = line->diffs.n ? LINE_DIFFERS : LINE_OK;
}

static enum line_kind kind_of(enum item_kind kind)
{
    return kind == ITEM_LINK ? LINE_LINK : kind == ITEM_STATE ? LINE_STATE : LINE_CALL;
}

static const struct call_line *find_line(const struct call_lines *c,
                                         const struct pattern_item *item)
{
    vec_each (&c->lines, l)
        if (l->item == item)
            return l;
    return NULL;
}

nsec call_lines_moment(const struct call_lines *c, const struct pattern_item *item)
{
    const struct call_line *l = find_line(c, item);
    return l && l->happening >= 0 ? c->happenings.at[l->happening].time : 0;
}

const char *call_lines_text(const struct judging *j, const struct call_lines *c,
                            const struct pattern_item *item, bool *fits)
{
    const struct call_line *l = find_line(c, item);
    if (!l || l->happening < 0)
        return NULL;
    const struct happening *h = &c->happenings.at[l->happening];
    *fits = call_compare(item, h, NULL) == 0 && call_in_time(j, l, h) && call_in_place(j, l, h);
    return h->text;
}

void call_lines_emit(struct judging *j, struct call_lines *c, const struct pattern_item *item)
{
    const struct call_line *l = find_line(c, item);
    if (!l)
        return;
    struct result_line *line = vec_add(&j->result->lines);
    struct strbuf text = STRBUF_INIT;
    pattern_item_format(&text, item);
    line->expected = strbuf_steal(&text);
    line->kind = kind_of(item->kind);
    line->line_number = item->line_number;
    line->label = item->label.n ? xstrndup(item->label.at, item->label.n) : NULL;
    line->note = judge_note(item);
    line->segment = line->call = line->event = -1;
    line->status = j->record->has_calls ? LINE_MISSING : LINE_UNJUDGED;
    if (l->happening >= 0) {
        const struct happening *h = &c->happenings.at[l->happening];
        set_happening(j, line, h, call_gap(l, h), item->since);
        judge_line(j, line, l, h);
    }
    struct explanation x = {.record = j->record, .item = item, .line = line};
    line->meaning = explain_line(&x);
}

/* Where a line of that moment stands among those that there are. */
static size_t place_in_time(const struct result *r, nsec time)
{
    for (size_t i = 0; i < r->lines.n; i++)
        if (r->lines.at[i].observed && r->lines.at[i].time > time)
            return i;
    return r->lines.n;
}

static void emit_wrong(struct judging *j, const struct happening *h)
{
    struct result *r = j->result;
    struct result_line line = {.kind = LINE_CALL, .status = LINE_DIFFERS, .segment = -1};
    const struct record_call *call = h->call;
    set_happening(j, &line, h, h->time - j->origin, slice_of(""));
    struct slice body = slice_of(h->text), result = call_result(h);
    body.n = reader_find_arrow(body);
    body = slice_trim(body);
    const char *stated = call->expected ? call->expected : "success";
    line.expected = xasprintf("%.*s => %s", (int)body.n, body.at, stated);
    struct difference d = {"result", slice_of(line.expected), result};
    slice_skip(&d.expected, d.expected.n - strlen(stated));
    judge_add_diff(&line, &d, line.expected, h->text, strlen(line.observed) - strlen(h->text));
    struct explanation x = {.record = j->record, .line = &line};
    line.meaning = explain_line(&x);
    size_t at = call->ended ? place_in_time(r, line.time) : r->lines.n;
    vec_add(&r->lines);
    memmove(&r->lines.at[at + 1], &r->lines.at[at], (r->lines.n - 1 - at) * sizeof(*r->lines.at));
    r->lines.at[at] = line;
}

void call_lines_emit_wrong(struct judging *j, const struct call_lines *c)
{
    vec_each (&c->happenings, h)
        if (h->kind == ITEM_CALL && !h->call->as_stated && !h->claimed && j->record->has_calls)
            emit_wrong(j, h);
}
