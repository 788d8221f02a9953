/* The texts of the page's ladder. */
#include "report/html_ladder.h"

/* ------------------------------------------------------------------- segments */

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
            strbuf_printf(&text, "%s %u", label_short(label[k].kind),
                          label_short_number(&label[k]));
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
    bool lost = s->fate == FATE_LOST;
    bool plain = s->fate == FATE_ARRIVED && !s->overtaken && s->arrivals < 2 && !s->damaged &&
                 !s->rewritten && !s->injected;
    if (plain && (l->big || row->kind == PICTURE_DEPARTURE))
        return; /* the arrow tells how long it was under way */
    picture_fate(&fate, l->picture, row);
    if (fate.len)
        put_tag(l->out, lost ? "lost" : "fate", lost ? "✗ " : "", fate.data);
}

/* Over its arrow, in the middle if that is whole, else where it begins.  Between two of
 * several lifelines there is not enough room: there it begins at one of them and crosses others. */
static void put_words_place(struct ladder *l, const struct picture_row *row, int from, int to)
{
    int last = (int)l->columns - 1, low = from < to ? from : to, high = from < to ? to : from;
    bool right = from < to, middle = row->kind == PICTURE_SEGMENT;
    if (last > 1 && high - low == 1) {
        right = low + high <= last;
        middle = false;
        *(right ? &high : &low) = right ? last : 0;
    }
    strbuf_printf(l->out, "w %s%s c%d-%d", right ? "lr" : "rl", middle ? " mid" : "", low, high);
}

void ladder_words(struct ladder *l, const struct picture_row *row)
{
    int from, to;
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    ladder_ends(l, row, &from, &to);
    /* The options of a SYN are what is agreed on; those of other segments only fill the row. */
    const struct story_segment *s = picture_segment(l->picture, row);
    bool syn = s->flow >= 0 && s->p->tcp.flags & TCP_SYN;
    picture_words(&words, l->picture, row, syn ? PICTURE_OPTIONS : PICTURE_FIELDS);
    strbuf_puts(l->out, "<a class=\"");
    put_words_place(l, row, from, to);
    strbuf_printf(l->out, "\" href=\"#s%ld\">", row->segment);
    if (ladder_has_ends(row)) {
        html_around(l->out, "<span class=\"vh\">", ladder_column(l, from), "");
        html_around(l->out, " to ", ladder_column(l, to), ": </span>");
    }
    html_around(l->out, "<code>", strbuf_cstr(&words), "</code>");
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

/* `s` may be NULL; that the wire has sent it stands beside its fields already. */
static void put_note(struct ladder *l, const struct result_line *line,
                     const struct story_segment *s)
{
    bool bad = !line_is_fine(line->status), told = is_told(l, line);
    const char *wire = s && s->injected ? NULL : line->wire;
    struct strbuf *out = l->out;
    if (!bad && (told || (!line->note && !wire)))
        return;
    strbuf_puts(out, bad ? "<div class=\"fault\">" : "<p>");
    if (bad)
        html_around(out, "<p><strong>✗ ", line_status_name(line->status), "</strong> ");
    if (line->point)
        html_around(out, "<i>at ", line->point, ":</i> ");
    if (line->note && !told)
        html_note(out, line->note);
    if (wire)
        html_around(out, " <em>", wire, "</em>");
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

/* Which of its host's sockets this is, where that is not plain: a connection by the client's
 * port, as the segments have it.  NULL: it is plain, or nobody knows. */
static const char *socket_name(const struct ladder *l, const struct record_state *state)
{
    bool alone = true;
    if (!state->remote_port)
        return state->new == TCP_STATE_LISTEN ? NULL : "listener";
    vec_each (&l->picture->record->states, other) {
        alone = other->host != state->host || !other->remote_port || html_same_socket(other, state);
        if (!alone)
            break;
    }
    if (alone)
        return NULL;
    vec_each (&l->picture->story->segments, s) {
        const struct tcp_header *t = &s->p->tcp;
        bool from = s->from == state->host && t->sport == state->local_port &&
                    t->dport == state->remote_port;
        bool to =
            s->to == state->host && t->dport == state->local_port && t->sport == state->remote_port;
        if (s->flow >= 0 && (from || to))
            return s->dir ? s->to_port : s->from_port;
    }
    return NULL;
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
        if (!name || picture_state_column(l->picture, state) != column)
            continue;
        if (shown++ == 0)
            strbuf_printf(l->out, "<span class=\"st %s\" aria-hidden=\"true\">",
                          right ? "sr" : "sl");
        strbuf_printf(l->out, "<b>%s", name);
        const char *socket = socket_name(l, state);
        if (socket)
            html_around(l->out, " <small>", socket, "</small>");
        strbuf_puts(l->out, "</b>");
    }
    strbuf_puts(l->out, shown ? "</span>" : "");
}

static void put_states(struct ladder *l, const struct picture_row *row)
{
    const struct record *r = l->picture->record;
    vec_each (&row->states, i) {
        const struct record_state *state = &r->states.at[*i];
        int column = picture_state_column(l->picture, state);
        bool margin = column == 0 || column == (int)l->columns - 1;
        if (!tcp_state_names[state->new])
            continue;
        html_around(l->out, margin ? "<p class=\"stw\">" : "<p class=\"stw mid\">",
                    r->hosts.at[state->host].name, " is now ");
        strbuf_printf(l->out, "<b>%s</b>", tcp_state_names[state->new]);
        const char *socket = socket_name(l, state);
        if (socket)
            html_around(l->out, " (", socket, ")");
        strbuf_puts(l->out, ".</p>");
    }
}

void ladder_notes(struct ladder *l, const struct picture_row *row)
{
    put_margin(l, row, false);
    put_margin(l, row, true);
    bool sent = row->kind == PICTURE_SEGMENT || row->kind == PICTURE_DEPARTURE;
    if (row->kind == PICTURE_MISSING || (!sent && row->lines.n + row->states.n == 0))
        return;
    size_t begin = l->out->len;
    strbuf_puts(l->out, "<div class=\"notes\">");
    size_t empty = l->out->len;
    vec_each (&row->lines, line)
        put_note(l, *line, picture_segment(l->picture, row));
    put_states(l, row);
    if (sent)
        put_raw(l, picture_segment(l->picture, row));
    if (l->out->len == empty)
        strbuf_truncate(l->out, begin);
    else
        strbuf_puts(l->out, "</div>");
}
/* --------------------------------------------------------------------- others */

/* A text at a host's lifeline, on the side where there is more room. */
static void put_at_host(struct ladder *l, int column, const char *class, const char *mark,
                        const char *text)
{
    int last = (int)l->columns - 1;
    if (column < 0)
        column = 0;
    bool left = 2 * column > last;
    strbuf_printf(l->out, "<span class=\"%s %s c%d-%d\"><span class=\"vh\">", class,
                  left ? "rl" : "lr", left ? 0 : column, left ? column : last);
    html_around(l->out, "", ladder_column(l, column), ": </span>");
    html_around(l->out, mark, text, "</span>");
}

static void put_call(struct ladder *l, const struct picture_row *row)
{
    const struct record_call *call = &l->picture->record->calls.at[row->call];
    cleanup_strbuf struct strbuf text = STRBUF_INIT;
    picture_call(&text, l->picture, row);
    if (row->kind == PICTURE_CALL_BEGAN)
        strbuf_puts(&text, " …");
    put_at_host(l, row->from, call->ended && !call->as_stated ? "call bad" : "call", "",
                strbuf_cstr(&text));
}

static void put_link(struct ladder *l, const struct picture_row *row)
{
    const struct record_event *event = &l->picture->record->events.at[row->event];
    bool pulled = event->kind == EVENT_UNPLUG;
    put_at_host(l, row->from, pulled ? "link" : "link in", pulled ? "✂ " : "✓ ",
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

void ladder_remark(struct ladder *l, const struct picture_row *row)
{
    if (row->kind == PICTURE_CALL || row->kind == PICTURE_CALL_BEGAN)
        put_call(l, row);
    else if (row->kind == PICTURE_LINK)
        put_link(l, row);
    else if (row->kind == PICTURE_SILENCE)
        put_silence(l, row);
    else if (row->kind == PICTURE_MISSING)
        put_missing(l, row);
}
