/* Theory of operation.
 *
 * The ladder is one CSS grid.  Its columns are time, the states of the left host, the space
 * between the lifelines (one track between two neighbours), the states of the right host,
 * and the notes.  Each row of the picture has three tracks: words, lane, and what a narrow
 * page puts below.  Text is ordinary text in ordinary cells, so it wraps and is never
 * overlapped, whatever its size and the page's width.
 *
 * An arrow is an <svg> that lies absolutely in the grid from the lane of the row in which
 * the segment was sent to the lane of the row in which it arrived: the browser knows how
 * far that is, and a straight line from corner to corner is the arrow.  In the same way a
 * bar along a lifeline tells how long a call took.
 *
 * The rows' places are CSS of this page alone (`--r` is a row's first track, `--e` the
 * line at which its arrow or bar ends), since the page's policy forbids style attributes. */
#include "report/html_page.h"

struct ladder {
    struct page *page;
    const struct picture *picture;
    struct strbuf *out;
    size_t columns; /* at least 2: a lone host has two lifelines */
    size_t *ends;   /* by row: the row at which its arrow or bar ends, or itself */
    bool big;
    bool *told; /* by line of the transcript: its note was shown */
    size_t told_n;
};

static size_t line_of(size_t row)
{
    return 3 * row + 1;
}

/* ------------------------------------------------------------------ columns */

/* On a host alone, who spoke first is on the left. */
static void find_columns(const struct ladder *l, const struct picture_row *row, int *from, int *to)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    *from = row->from;
    *to = row->to;
    if (l->picture->columns.n == 1 && s) {
        *from = s->dir ? 1 : 0;
        *to = 1 - *from;
    }
    if (*from < 0)
        *from = 0;
    if (*to < 0)
        *to = *from;
}

static const char *column_name(const struct ladder *l, int column)
{
    size_t n = l->picture->columns.n;
    return n ? picture_column_name(l->picture, (size_t)column < n ? (size_t)column : n - 1) : "?";
}

static void put_grid(struct ladder *l)
{
    struct strbuf *css = &l->page->style;
    strbuf_printf(css, ".lad{--n:%zu%s}", l->columns - 1,
                  l->picture->record->states.n ? ";--sw:7rem" : "");
    for (size_t a = 0; a < l->columns; a++)
        for (size_t b = a + 1; b < l->columns; b++)
            strbuf_printf(css, ".c%zu-%zu{grid-column:%zu/%zu}", a, b, a + 3, b + 3);
    strbuf_puts(css, ".all{grid-column:3/");
    strbuf_printf(css,
                  "%zu}.sr{grid-column:%zu}.notes{--c:%zu}.lines{background-image:", l->columns + 2,
                  l->columns + 2, l->columns + 3);
    for (size_t k = 0; k < l->columns; k++)
        strbuf_printf(css, "%slinear-gradient(var(--life),var(--life))", k ? "," : "");
    strbuf_puts(css, ";background-position:");
    for (size_t k = 0; k < l->columns; k++)
        strbuf_printf(css, "%s%.4g%% 0", k ? "," : "",
                      100.0 * (double)k / (double)(l->columns - 1));
    strbuf_puts(css, "}");
}

static void put_heads(struct ladder *l)
{
    struct strbuf *out = l->out;
    strbuf_printf(out,
                  "<div class=\"lad heads%s\" aria-hidden=\"true\"><span class=\"time\">time/%s"
                  "</span><div class=\"all\">",
                  l->columns > 3 ? " crowd" : "", html_unit(l->page));
    for (size_t k = 0; k < l->columns; k++)
        html_around(out, "<span><b>", column_name(l, (int)k), "</b></span>");
    strbuf_puts(out, "</div></div>\n");
}

/* -------------------------------------------------------------------- places */

/* Where the arrows and bars that begin in a row end. */
static void find_ends(struct ladder *l)
{
    const struct picture *p = l->picture;
    size_t *departed = xcalloc(p->story->segments.n, sizeof(size_t));
    size_t *began = xcalloc(p->record->calls.n, sizeof(size_t));
    l->ends = xcalloc(p->rows.n, sizeof(size_t));
    for (size_t i = 0; i < p->rows.n; i++) {
        const struct picture_row *row = &p->rows.at[i];
        l->ends[i] = i;
        if (row->kind == PICTURE_DEPARTURE)
            departed[row->segment] = i;
        else if (row->kind == PICTURE_ARRIVAL)
            l->ends[departed[row->segment]] = i;
        else if (row->kind == PICTURE_CALL_BEGAN) {
            began[row->call] = i + 1;
            if (!p->record->calls.at[row->call].ended)
                l->ends[i] = p->rows.n - 1;
        } else if (row->kind == PICTURE_CALL && began[row->call]) {
            l->ends[began[row->call] - 1] = i;
        }
    }
    free(departed);
    free(began);
}

static void put_row_id(struct ladder *l, size_t i)
{
    const struct picture_row *row = &l->picture->rows.at[i];
    bool sent = row->kind == PICTURE_SEGMENT || row->kind == PICTURE_DEPARTURE;
    cleanup_free char *id = sent ? xasprintf("s%ld", row->segment) : xasprintf("r%zu", i);
    strbuf_printf(l->out, " id=\"%s\"", id);
    strbuf_printf(&l->page->style, "#%s{--r:%zu", id, line_of(i));
    if (l->ends[i] != i)
        strbuf_printf(&l->page->style, ";--e:%zu", line_of(l->ends[i]) + 2);
    strbuf_puts(&l->page->style, "}");
}

/* ------------------------------------------------------------------- segments */

static const char *segment_class(const struct story_segment *s)
{
    if (s->flow < 0)
        return "other";
    if (s->p->tcp.flags & TCP_RST)
        return "rst";
    if (s->p->tcp.flags & (TCP_SYN | TCP_FIN))
        return "ctl";
    return s->p->tcp.payload_len ? "dat" : "ack";
}

static void put_arrow(struct ladder *l, const struct picture_row *row, int from, int to)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    bool right = from < to, lost = s->fate == FATE_LOST;
    int begin = s->injected ? 40 : 0, end = lost ? 72 : 100;
    strbuf_printf(l->out, "<svg class=\"a %s%s%s c%d-%d\" aria-hidden=\"true\">", segment_class(s),
                  s->retransmission ? " re" : "", lost ? " lost" : "", right ? from : to,
                  right ? to : from);
    strbuf_printf(l->out, "<line x1=\"%d%%\" y1=\"%d%%\" x2=\"%d%%\" y2=\"%d%%\"/>",
                  right ? begin : 100 - begin, begin, right ? end : 100 - end, end);
    if (lost)
        strbuf_printf(l->out, "<use href=\"#x\" x=\"%d%%\" y=\"%d%%\"/>", right ? end : 100 - end,
                      end);
    strbuf_puts(l->out, "</svg>");
}

static void put_tag(struct strbuf *out, const char *class, const char *mark, const char *text)
{
    strbuf_printf(out, " <span class=\"tag %s\">%s", class, mark);
    html_text(out, text);
    strbuf_puts(out, "</span>");
}

static void put_labels(struct ladder *l, const struct picture_row *row)
{
    const struct label *label;
    size_t n = labels_of(l->page->labels, (size_t)row->segment, &label);
    bool re = picture_segment(l->picture, row)->retransmission;
    for (size_t k = 0; k < n; k++) {
        cleanup_strbuf struct strbuf text = STRBUF_INIT;
        if (!l->big)
            label_format(&text, &label[k]);
        else if (label[k].n)
            strbuf_printf(&text, "%s %u", label_short(label[k].kind), label[k].n);
        else
            strbuf_puts(&text, label_short(label[k].kind));
        put_tag(l->out, re ? "re" : "lab", re && k == 0 ? "↻ " : "", strbuf_cstr(&text));
    }
    if (re && n == 0)
        put_tag(l->out, "re", "↻ ", "sent again");
}

static void put_fate(struct ladder *l, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    cleanup_strbuf struct strbuf fate = STRBUF_INIT;
    bool plain = s->fate == FATE_ARRIVED && !s->overtaken && s->arrivals < 2 && !s->damaged &&
                 !s->rewritten && !s->injected;
    if (plain && (l->big || row->kind == PICTURE_DEPARTURE))
        return; /* the arrow tells how long it was under way */
    picture_fate(&fate, l->picture, row);
    if (fate.len)
        put_tag(l->out, s->fate == FATE_LOST ? "lost" : "fate", s->fate == FATE_LOST ? "✗ " : "",
                fate.data);
}

static void put_words(struct ladder *l, const struct picture_row *row, int from, int to)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    bool whole = row->kind == PICTURE_SEGMENT;
    picture_words(&words, l->picture, row, PICTURE_FIELDS);
    strbuf_printf(l->out, "<a class=\"w %s%s c%d-%d\" href=\"#s%ld\"><span class=\"vh\">",
                  from < to ? "lr" : "rl", whole ? " mid" : "", from < to ? from : to,
                  from < to ? to : from, row->segment);
    html_text(l->out, column_name(l, from));
    html_around(l->out, " to ", column_name(l, to), ": </span><code>");
    html_text(l->out, strbuf_cstr(&words));
    strbuf_puts(l->out, "</code>");
    put_labels(l, row);
    put_fate(l, row);
    strbuf_puts(l->out, "</a>");
}

/* ---------------------------------------------------------------------- notes */

static bool is_told(struct ladder *l, const struct result_line *line)
{
    if (!line->mix || !line->line_number)
        return false;
    while (l->told_n <= line->line_number) {
        l->told = xrealloc(l->told, l->told_n + 1, sizeof(bool));
        l->told[l->told_n++] = false;
    }
    bool told = l->told[line->line_number];
    l->told[line->line_number] = true;
    return told;
}

/* Beside an arrow there is room for the fields that differ; the verdict has the lines. */
static void put_diffs(struct strbuf *out, const struct result_line *line)
{
    if (!line->diffs.n) {
        html_fault(out, line);
        return;
    }
    strbuf_puts(out, "<ul class=\"diffs\">");
    vec_each (&line->diffs, diff) {
        html_around(out, "<li>", diff->field, ": expected ");
        html_around(out, "<code>", diff->expected, "</code>, observed ");
        html_around(out, "<code><mark>", diff->observed, "</mark></code></li>");
    }
    strbuf_puts(out, "</ul>");
    if (line->meaning)
        html_around(out, "<p class=\"meaning\">", line->meaning, "</p>");
}

static void put_note(struct ladder *l, const struct result_line *line)
{
    bool bad = !line_is_fine(line->status), told = is_told(l, line);
    struct strbuf *out = l->out;
    if (!bad && (told || (!line->note && !line->wire)))
        return;
    strbuf_puts(out, bad ? "<div class=\"fault\">" : "<p>");
    if (bad)
        html_around(out, "<p><strong>✗ ", line_status_name(line->status), "</strong> ");
    if (line->point)
        html_around(out, "<i>at ", line->point, ":</i> ");
    if (line->note && !told)
        html_text(out, line->note);
    if (line->wire)
        html_around(out, " <em>", line->wire, "</em>");
    strbuf_puts(out, "</p>");
    if (bad) {
        put_diffs(out, line);
        strbuf_puts(out, "</div>");
    }
}

/* The whole line as tcpdump would print it, and the headers: shown, where no script does
 * that, when the row is the page's target. */
static void put_raw(struct ladder *l, const struct story_segment *s)
{
    cleanup_strbuf struct strbuf line = STRBUF_INIT;
    story_format(&line, l->picture->story, s);
    html_around(l->out, "<code class=\"raw\">", strbuf_cstr(&line), "</code>");
    if (!l->big)
        html_headers(l->out, l->page, s);
}

/* Changes of state: beside the outermost lifelines, and once more in words, for a page
 * without margins and for hosts in the middle. */
static void put_margin(struct ladder *l, const struct picture_row *row, bool right)
{
    const struct record *r = l->picture->record;
    int column = right ? (int)l->columns - 1 : 0, shown = 0;
    vec_each (&row->states, i) {
        const struct record_state *state = &r->states.at[*i];
        const char *name = tcp_state_names[state->new];
        if (!name || picture_column(l->picture, state->host) != column)
            continue;
        if (shown++ == 0)
            strbuf_printf(l->out, "<span class=\"st %s\" aria-hidden=\"true\">",
                          right ? "sr" : "sl");
        strbuf_printf(l->out, "<b>%s</b>", name);
    }
    strbuf_puts(l->out, shown ? "</span>" : "");
}

static void put_states(struct ladder *l, const struct picture_row *row)
{
    const struct record *r = l->picture->record;
    vec_each (&row->states, i) {
        const struct record_state *state = &r->states.at[*i];
        int column = picture_column(l->picture, state->host);
        bool margin = column == 0 || column == (int)l->columns - 1;
        if (!tcp_state_names[state->new])
            continue;
        html_around(l->out, margin ? "<p class=\"stw\">" : "<p class=\"stw mid\">",
                    r->hosts.at[state->host].name, " is now ");
        strbuf_printf(l->out, "<b>%s</b>.</p>", tcp_state_names[state->new]);
    }
}

static void put_notes(struct ladder *l, const struct picture_row *row)
{
    bool sent = row->kind == PICTURE_SEGMENT || row->kind == PICTURE_DEPARTURE;
    if (row->kind == PICTURE_MISSING || (!sent && row->lines.n + row->states.n == 0))
        return;
    size_t begin = l->out->len;
    strbuf_puts(l->out, "<div class=\"notes\">");
    size_t empty = l->out->len;
    vec_each (&row->lines, line)
        put_note(l, *line);
    put_states(l, row);
    if (sent)
        put_raw(l, picture_segment(l->picture, row));
    if (l->out->len == empty)
        strbuf_truncate(l->out, begin);
    else
        strbuf_puts(l->out, "</div>");
}

/* ------------------------------------------------------------------------ rows */

static void put_time(struct ladder *l, const struct picture_row *row)
{
    strbuf_puts(l->out, "<span class=\"time\">");
    html_time(l->out, l->page, row->time);
    if (row->gap && row->kind != PICTURE_SILENCE) {
        cleanup_strbuf struct strbuf gap = STRBUF_INIT;
        strbuf_approx(&gap, row->gap);
        strbuf_printf(l->out, "<small>+%s</small>", gap.data);
    }
    strbuf_puts(l->out, "</span>");
}

/* A text at a host's lifeline: on the right of it, at the last one on the left. */
static void put_at_host(struct ladder *l, int column, const char *class, const char *mark,
                        const char *text)
{
    int last = (int)l->columns - 1;
    if (column < 0)
        column = 0;
    bool end = column == last;
    strbuf_printf(l->out, "<span class=\"%s %s c%d-%d\"><span class=\"vh\">", class,
                  end ? "rl" : "lr", end ? 0 : column, last);
    html_around(l->out, "", column_name(l, column), ": </span>");
    html_around(l->out, mark, text, "</span>");
}

static void put_call(struct ladder *l, const struct picture_row *row, size_t i)
{
    const struct record_call *call = &l->picture->record->calls.at[row->call];
    cleanup_strbuf struct strbuf text = STRBUF_INIT;
    int last = (int)l->columns - 1, column = row->from < 0 ? 0 : row->from;
    picture_call(&text, l->picture, row);
    if (row->kind == PICTURE_CALL_BEGAN)
        strbuf_puts(&text, " …");
    put_at_host(l, row->from, call->ended && !call->as_stated ? "call bad" : "call", "",
                strbuf_cstr(&text));
    if (l->ends[i] != i)
        strbuf_printf(l->out, "<i class=\"busy %s c%d-%d\"></i>", column == last ? "rl" : "lr",
                      column == last ? last - 1 : column, column == last ? last : column + 1);
}

static void put_link(struct ladder *l, const struct picture_row *row)
{
    const struct record_event *event = &l->picture->record->events.at[row->event];
    bool pulled = event->kind == EVENT_UNPLUG;
    put_at_host(l, row->from, "link", pulled ? "✂ " : "⏚ ",
                pulled ? "the cable is pulled" : "the cable is plugged in again");
}

static void put_silence(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf gap = STRBUF_INIT;
    strbuf_approx(&gap, row->gap);
    strbuf_printf(l->out, "<span class=\"silence all\"><span>⋯ %s of silence</span></span>",
                  gap.data);
}

static void put_missing(struct ladder *l, const struct picture_row *row)
{
    strbuf_puts(l->out, "<div class=\"missing all\">");
    vec_each (&row->lines, line) {
        strbuf_puts(l->out, "<p><strong>✗ expected here, and not observed</strong></p>");
        html_fault(l->out, *line);
    }
    strbuf_puts(l->out, "</div>");
}

static void put_row(struct ladder *l, size_t i)
{
    const struct picture_row *row = &l->picture->rows.at[i];
    bool sent = row->kind == PICTURE_SEGMENT || row->kind == PICTURE_DEPARTURE;
    int from, to;
    find_columns(l, row, &from, &to);
    strbuf_printf(l->out, "<li class=\"%s%s\"", sent ? "seg" : "",
                  picture_is_bad(row) ? " bad" : "");
    if (row->kind == PICTURE_ARRIVAL)
        strbuf_puts(l->out, " aria-hidden=\"true\"");
    put_row_id(l, i);
    strbuf_puts(l->out, ">");
    if (row->kind != PICTURE_SILENCE && row->kind != PICTURE_MISSING)
        put_time(l, row);
    if (sent) {
        put_words(l, row, from, to);
        put_arrow(l, row, from, to);
    } else if (row->kind == PICTURE_CALL || row->kind == PICTURE_CALL_BEGAN) {
        put_call(l, row, i);
    } else if (row->kind == PICTURE_LINK) {
        put_link(l, row);
    } else if (row->kind == PICTURE_SILENCE) {
        put_silence(l, row);
    } else if (row->kind == PICTURE_MISSING) {
        put_missing(l, row);
    }
    put_margin(l, row, false);
    put_margin(l, row, true);
    put_notes(l, row);
    strbuf_puts(l->out, "</li>");
}

/* ----------------------------------------------------------------------- whole */

static const char definitions[] =
    "<svg class=\"defs\" aria-hidden=\"true\"><defs>"
    "<marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"10\" "
    "markerHeight=\"10\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
    "<path d=\"M0 .8L10 5L0 9.2L2.6 5z\"/></marker>"
    "<marker id=\"tip-re\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"10\" "
    "markerHeight=\"10\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
    "<path d=\"M0 .8L10 5L0 9.2L2.6 5z\"/></marker>"
    "<g id=\"x\"><path d=\"M-6-6L6 6M-6 6L6-6\"/></g>"
    "<g id=\"xs\"><path d=\"M-3.5-3.5L3.5 3.5M-3.5 3.5L3.5-3.5\"/></g></defs></svg>\n";

static const char legend[] =
    "<ul class=\"legend\" aria-label=\"Legend\">"
    "<li><svg aria-hidden=\"true\" class=\"key dat\"><line x1=\"0\" y1=\"50%\" x2=\"100%\" "
    "y2=\"50%\"/></svg> data</li>"
    "<li><svg aria-hidden=\"true\" class=\"key ctl\"><line x1=\"0\" y1=\"50%\" x2=\"100%\" "
    "y2=\"50%\"/></svg> SYN, FIN</li>"
    "<li><svg aria-hidden=\"true\" class=\"key ack\"><line x1=\"0\" y1=\"50%\" x2=\"100%\" "
    "y2=\"50%\"/></svg> only an acknowledgment</li>"
    "<li><svg aria-hidden=\"true\" class=\"key dat re\"><line x1=\"0\" y1=\"50%\" x2=\"100%\" "
    "y2=\"50%\"/></svg> ↻ sent again</li>"
    "<li><svg aria-hidden=\"true\" class=\"key dat lost\"><line x1=\"0\" y1=\"50%\" x2=\"60%\" "
    "y2=\"50%\"/><use href=\"#x\" x=\"70%\" y=\"50%\"/></svg> lost</li>"
    "<li><i class=\"key busy\"></i> a call that waits</li></ul>\n";

void page_ladder(struct page *page)
{
    struct ladder l = {.page = page, .picture = page->picture, .out = &page->body};
    if (!page->picture || page->picture->rows.n == 0)
        return;
    size_t n = page->picture->rows.n;
    l.columns = page->picture->columns.n < 2 ? 2 : page->picture->columns.n;
    l.big = n > PAGE_BIG;
    find_ends(&l);
    put_grid(&l);
    strbuf_puts(l.out, "<section id=\"ladder\" aria-labelledby=\"ladder-h\">\n"
                       "<h2 id=\"ladder-h\">What happened</h2>\n");
    strbuf_puts(l.out, definitions);
    strbuf_puts(l.out, legend);
    strbuf_printf(l.out, "<div class=\"frame%s\"%s>\n", l.big ? " big" : "",
                  l.big ? " tabindex=\"0\" role=\"region\" aria-label=\"The ladder\"" : "");
    put_heads(&l);
    strbuf_puts(l.out,
                "<div class=\"lad rows\"><div class=\"lines all\" aria-hidden=\"true\"></div>"
                "<ol>\n");
    for (size_t i = 0; i < n; i++)
        put_row(&l, i);
    strbuf_puts(l.out, "</ol></div></div></section>\n");
    free(l.ends);
    free(l.told);
}
