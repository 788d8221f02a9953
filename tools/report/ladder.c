/* The ladder in the terminal: a lifeline for each host, an arrow for each segment, time
 * running down.
 *
 * Left of the lifelines stand time and gap, as everywhere; beside an arrow nothing but what
 * fits on it, below it what there is to say: what it is (picture/label.h), what the wire
 * did, the teacher's note.  A segment whose arrival has a row of its own goes off on a solid
 * line that becomes dotted, and comes in on a dotted one that becomes solid. */
#include <string.h>

#include "picture/label.h"
#include "picture/picture.h"
#include "report/canvas.h"
#include "report/text.h"
#include "report/wrap.h"

enum {
    NARROWEST = 18, /* columns between two lifelines */
    WIDEST = 84,
    TEXT_AT = 3 /* columns from the sender's lifeline to the text */
};

struct ladder {
    struct text *t;
    const struct picture *picture;
    struct labels *labels;
    struct canvas row;
    int *x;          /* of each column's lifeline */
    bool *pulled;    /* whose cable is out */
    bool *hidden;    /* segments in the middle of a long mix */
    size_t n_hidden; /* since the last one that was shown */
    bool live;       /* the run goes on: what has not arrived may do so yet */
};

static const char *pick(const struct ladder *l, const char *utf8, const char *ascii)
{
    return text_pick(l->t, utf8, ascii);
}

static size_t n_columns(const struct ladder *l)
{
    return l->picture->columns.n;
}

static int last_x(const struct ladder *l)
{
    return l->x[n_columns(l) - 1];
}

/* ------------------------------------------------------------------- parts */

static void begin_row(struct ladder *l)
{
    canvas_clear(&l->row);
    for (size_t i = 0; i < n_columns(l); i++)
        canvas_fill(&l->row, l->x[i], l->x[i] + 1, STYLE_DIM,
                    l->pulled[i] ? pick(l, "┊", ":") : pick(l, "│", "|"));
}

/* The row with its time, or none. */
static void end_row(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf gap = STRBUF_INIT;
    if (row && row->gap > 0 && row->kind != PICTURE_SILENCE) {
        strbuf_putc(&gap, '+');
        strbuf_approx(&gap, row->gap);
    }
    text_stamp(l->t, row && row->kind != PICTURE_SILENCE, row ? row->time : 0, strbuf_cstr(&gap));
    canvas_flush(&l->row, l->t);
}

/* Rows of text between the outermost lifelines. */
static void put_paragraph(struct ladder *l, enum style style, const char *first, const char *s)
{
    int x = l->x[0] + 2, width = last_x(l) - x - 1;
    int hang = (int)glyphs_width(first, strlen(first), l->row.utf8);
    struct wrap w = {.s = s, .len = strlen(s), .utf8 = l->row.utf8};
    size_t from, to;
    for (bool begun = false; wrap_next(&w, width - hang, &from, &to); begun = true) {
        begin_row(l);
        canvas_fill(&l->row, x - 1, last_x(l), STYLE_PLAIN, " ");
        if (!begun)
            canvas_put(&l->row, x, hang, style, first, strlen(first));
        canvas_put(&l->row, x + hang, width - hang, style, s + from, to - from);
        end_row(l, NULL);
    }
}

/* ------------------------------------------------------------------ arrows */

static bool is_syn(const struct story_segment *s)
{
    return s->flow >= 0 && (s->p->tcp.flags & TCP_SYN);
}

/* As much of the segment as fits into `room` columns; false: not even its numbers do. */
static bool fit_words(const struct ladder *l, const struct picture_row *row, int room,
                      struct strbuf *words)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    for (enum picture_detail d = is_syn(s) ? PICTURE_OPTIONS : PICTURE_FIELDS; d < PICTURE_DETAILS;
         d++) {
        strbuf_truncate(words, 0);
        picture_words(words, l->picture, row, d);
        if (glyphs_width(strbuf_cstr(words), words->len, l->row.utf8) <= room)
            return d < PICTURE_FLAGS;
    }
    return false;
}

/* An arrow's geometry: from the sender's lifeline to the receiver's. */
struct arrow {
    int tail, head; /* columns of the lifelines */
    int low, high;  /* what lies between them */
    bool rightward;
    enum style style;
};

static struct arrow find_arrow(const struct ladder *l, const struct picture_row *row)
{
    struct arrow a = {.tail = l->x[row->from], .head = l->x[row->to]};
    a.rightward = a.tail < a.head;
    a.low = (a.rightward ? a.tail : a.head) + 1;
    a.high = a.rightward ? a.head : a.tail;
    a.style = a.rightward ? STYLE_RIGHTWARD : STYLE_LEFTWARD;
    return a;
}

/* The part of the line from `from` to `to`, fractions of its length seen from the sender. */
static void put_line(struct ladder *l, const struct arrow *a, int from, int to, const char *glyph)
{
    int n = a->high - a->low;
    int begin = n * from / 8, end = n * to / 8;
    if (a->rightward)
        canvas_fill(&l->row, a->low + begin, a->low + end, a->style, glyph);
    else
        canvas_fill(&l->row, a->high - end, a->high - begin, a->style, glyph);
}

static void put_head(struct ladder *l, const struct arrow *a, const struct story_segment *s)
{
    const char *head = a->rightward ? pick(l, "▶", ">") : pick(l, "◀", "<");
    int x = a->rightward ? a->high - 1 : a->low;
    bool bad = s->damaged;
    canvas_fill(&l->row, x, x + 1, bad ? STYLE_BAD : a->style, bad ? pick(l, "✗", "X") : head);
}

static void put_lost(struct ladder *l, const struct arrow *a)
{
    int n = (a->high - a->low) * 7 / 8;
    int x = a->rightward ? a->low + n : a->high - 1 - n;
    canvas_fill(&l->row, x, x + 1, STYLE_BAD, pick(l, "✗", "X"));
}

static void put_strokes(struct ladder *l, const struct picture_row *row, const struct arrow *a)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    const char *solid = pick(l, "─", "-"), *dotted = pick(l, "┄", ".");
    bool lost = s->fate == FATE_LOST;
    if (row->kind == PICTURE_DEPARTURE || (lost && l->live)) {
        put_line(l, a, 0, 6, solid);
        put_line(l, a, 6, 8, dotted);
    } else if (row->kind == PICTURE_ARRIVAL) {
        put_line(l, a, 0, 2, dotted);
        put_line(l, a, 2, 8, solid);
        put_head(l, a, s);
    } else {
        put_line(l, a, s->injected ? 4 : 0, lost ? 7 : 8, solid);
        if (lost)
            put_lost(l, a);
        else
            put_head(l, a, s);
    }
    if (row->kind != PICTURE_ARRIVAL && !s->injected)
        canvas_fill(&l->row, a->tail, a->tail + 1, STYLE_DIM,
                    a->rightward ? pick(l, "├", "+") : pick(l, "┤", "+"));
}

/* How long it was under way, at the arrow's head. */
static void put_travel(struct ladder *l, const struct picture_row *row, const struct arrow *a,
                       int room)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    cleanup_strbuf struct strbuf travel = STRBUF_INIT;
    if (row->kind == PICTURE_DEPARTURE || s->fate != FATE_ARRIVED || s->travel < NSEC_PER_MSEC)
        return;
    strbuf_putc(&travel, ' ');
    strbuf_approx(&travel, s->travel);
    strbuf_putc(&travel, ' ');
    int width = glyphs_width(travel.data, travel.len, l->row.utf8);
    if (width + 4 > room)
        return;
    canvas_put(&l->row, a->rightward ? a->high - 3 - width : a->low + 3, width, STYLE_DIM,
               travel.data, travel.len);
}

static void put_arrow(struct ladder *l, const struct picture_row *row)
{
    struct arrow a = find_arrow(l, row);
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    begin_row(l);
    put_strokes(l, row, &a);
    int room = a.high - a.low - TEXT_AT - 5;
    bool is_tcp = picture_segment(l->picture, row)->flow >= 0;
    bool enough = fit_words(l, row, room, &words);
    int width = glyphs_width(strbuf_cstr(&words), words.len, l->row.utf8);
    int taken = width < room ? width : room;
    int x = a.rightward ? a.low + TEXT_AT - 1 : a.high - TEXT_AT + 1 - taken;
    if (taken > 0 && (enough || is_tcp)) {
        canvas_fill(&l->row, x - 1, x + taken + 1, STYLE_PLAIN, " ");
        canvas_put(&l->row, x, taken, a.style, words.data, words.len);
    }
    put_travel(l, row, &a, room - taken);
    end_row(l, row);
    if (enough)
        return;
    strbuf_truncate(&words, 0);
    picture_words(&words, l->picture, row, PICTURE_FIELDS);
    put_paragraph(l, a.style, "", strbuf_cstr(&words));
}

/* A frame that is on nobody's way between two hosts. */
static void put_floating(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    story_format_sent(&words, l->picture->story, picture_segment(l->picture, row));
    begin_row(l);
    canvas_put(&l->row, l->x[0] + 2, last_x(l) - l->x[0] - 3, STYLE_PLAIN, strbuf_cstr(&words),
               words.len);
    end_row(l, row);
}

/* ---------------------------------------------------------- what there is to say */

static void put_labels(struct ladder *l, const struct picture_row *row)
{
    const struct label *label = NULL;
    size_t n = labels_of(l->labels, (size_t)row->segment, &label);
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    for (size_t i = 0; i < n; i++) {
        strbuf_puts(&words, i ? "; " : "");
        label_format(&words, &label[i]);
    }
    const struct story_segment *s = picture_segment(l->picture, row);
    struct strbuf fate cleanup_strbuf = STRBUF_INIT;
    if (s->arrivals > 1 || s->damaged || s->rewritten || s->overtaken || s->injected)
        picture_fate(&fate, l->picture, row);
    if (fate.len)
        strbuf_printf(&words, "%s%s", words.len ? "; " : "", fate.data);
    if (words.len)
        put_paragraph(l, STYLE_TITLE, pick(l, "↳ ", "` "), words.data);
}

static void put_notes(struct ladder *l, const struct picture_row *row)
{
    vec_each (&row->lines, line) {
        if ((*line)->wire)
            put_paragraph(l, STYLE_WARN, pick(l, "✂ ", "# "), (*line)->wire);
        if (line_is_fine((*line)->status) && (*line)->note)
            put_paragraph(l, STYLE_NOTE, "", (*line)->note);
    }
}

/* What is wrong with the row, where the run is not one that fails at its first fault. */
static void put_faults(struct ladder *l, const struct picture_row *row)
{
    const char *mark = pick(l, "≠ ", "! ");
    if (l->live)
        return;
    vec_each (&row->lines, line) {
        cleanup_strbuf struct strbuf words = STRBUF_INIT;
        text_fault(&words, *line);
        if (words.len)
            put_paragraph(l, STYLE_BAD, mark, words.data);
    }
}

/* ------------------------------------------------------------------- events */

/* Text at a host's lifeline, on the side where there is room. */
static void put_at_host(struct ladder *l, const struct picture_row *row, enum style style,
                        const char *s)
{
    size_t column = row->from < 0 ? 0 : (size_t)row->from;
    bool leftward = column > 0 && column == n_columns(l) - 1;
    int room = last_x(l) - l->x[0] - 4;
    if (!leftward)
        room = last_x(l) - l->x[column] - 3;
    struct wrap w = {.s = s, .len = strlen(s), .utf8 = l->row.utf8};
    size_t from, to;
    const struct picture_row *stamp = row;
    while (wrap_next(&w, room, &from, &to)) {
        begin_row(l);
        int width = glyphs_width(s + from, to - from, l->row.utf8);
        canvas_put(&l->row, leftward ? last_x(l) - 1 - width : l->x[column] + 2, room, style,
                   s + from, to - from);
        end_row(l, stamp);
        stamp = NULL;
    }
}

static void put_call(struct ladder *l, const struct picture_row *row)
{
    const struct record_call *call = &l->picture->record->calls.at[row->call];
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    picture_call(&words, l->picture, row);
    bool over = row->kind == PICTURE_CALL, bad = over && !call->as_stated;
    if (!over)
        strbuf_puts(&words, pick(l, " …", " ..."));
    if (!over && !call->ended && !l->live)
        strbuf_puts(&words, " (not finished)");
    if (bad && call->expected)
        strbuf_printf(&words, ", and the lab states => %s", call->expected);
    put_at_host(l, row, bad ? STYLE_BAD : over ? STYLE_CALL : STYLE_DIM, words.data);
}

static void put_link(struct ladder *l, const struct picture_row *row)
{
    bool pulled = l->picture->record->events.at[row->event].kind == EVENT_UNPLUG;
    if (row->from >= 0)
        l->pulled[row->from] = pulled;
    put_at_host(l, row, STYLE_WARN, pulled ? "its cable is pulled" : "its cable is back");
}

static void put_silence(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_puts(&words, pick(l, "⋯ ", "... "));
    strbuf_approx(&words, row->gap);
    begin_row(l);
    int width = glyphs_width(words.data, words.len, l->row.utf8);
    int x = (l->x[0] + last_x(l) - width) / 2;
    canvas_fill(&l->row, x - 1, x + width + 1, STYLE_PLAIN, " ");
    canvas_put(&l->row, x, width, STYLE_DIM, words.data, words.len);
    end_row(l, row);
}

/* --------------------------------------------------------------------- rows */

static void put_hidden(struct ladder *l)
{
    if (!l->n_hidden)
        return;
    cleanup_free char *words = xasprintf("(and %zu more, all as the transcript says)", l->n_hidden);
    put_paragraph(l, STYLE_DIM, "", words);
    l->n_hidden = 0;
}

static void put_segment(struct ladder *l, const struct picture_row *row)
{
    if (row->from < 0)
        put_floating(l, row);
    else
        put_arrow(l, row);
    if (row->kind == PICTURE_ARRIVAL)
        return;
    put_labels(l, row);
}

static void put_row(struct ladder *l, const struct picture_row *row)
{
    if (row->segment >= 0 && l->hidden[row->segment]) {
        l->n_hidden += row->kind != PICTURE_ARRIVAL;
        return;
    }
    put_hidden(l);
    switch (row->kind) {
    case PICTURE_SEGMENT:
    case PICTURE_DEPARTURE:
    case PICTURE_ARRIVAL:
        put_segment(l, row);
        break;
    case PICTURE_CALL:
    case PICTURE_CALL_BEGAN:
        put_call(l, row);
        break;
    case PICTURE_LINK:
        put_link(l, row);
        break;
    case PICTURE_SILENCE:
        put_silence(l, row);
        break;
    case PICTURE_MISSING:
        break;
    }
    put_faults(l, row);
    put_notes(l, row);
}

/* -------------------------------------------------------------------- whole */

static void put_names(struct ladder *l)
{
    canvas_clear(&l->row);
    size_t last = n_columns(l) - 1;
    for (size_t i = 0; i <= last; i++) {
        const char *name = picture_column_name(l->picture, i);
        int width = glyphs_width(name, strlen(name), l->row.utf8);
        int x = i == 0 ? 0 : i == last ? l->x[i] - width + 1 : l->x[i] - width / 2;
        canvas_put(&l->row, x, width, STYLE_TITLE, name, strlen(name));
    }
    text_put(l->t, STYLE_DIM, l->t->seconds ? "  time/s      gap " : " time/ms      gap ");
    canvas_flush(&l->row, l->t);
}

static void find_hidden(struct ladder *l)
{
    vec_each (&l->picture->rows, row) {
        if (row->segment < 0 || row->lines.n == 0)
            continue;
        bool hidden = true;
        vec_each (&row->lines, line)
            hidden =
                hidden && text_is_hidden(l->t->result, (size_t)(*line - l->t->result->lines.at));
        l->hidden[row->segment] = hidden;
    }
}

/* Whether the row is about this line. */
static bool is_about(const struct picture_row *row, const struct result_line *line)
{
    vec_each (&row->lines, l)
        if (*l == line)
            return true;
    return false;
}

static bool ladder_init(struct ladder *l, struct text *t, const struct picture *picture)
{
    size_t n = picture->columns.n;
    int room = t->width - TEXT_STAMP - 1;
    *l = (struct ladder){.t = t, .picture = picture, .live = t->live};
    if (n < 2 || room / (int)(n - 1) < NARROWEST)
        return false;
    int widest = WIDEST * (int)(n - 1);
    canvas_init(&l->row, room < widest ? room : widest, t->options->utf8);
    l->x = xcalloc(n, sizeof(*l->x));
    for (size_t i = 0; i < n; i++)
        l->x[i] = (l->row.width - 1) * (int)i / (int)(n - 1);
    l->pulled = xcalloc(n, sizeof(bool));
    l->hidden = xcalloc(picture->story->segments.n, sizeof(bool));
    l->labels = labels_new(picture->story);
    find_hidden(l);
    return true;
}

static void ladder_free(struct ladder *l)
{
    canvas_free(&l->row);
    free(l->x);
    free(l->pulled);
    free(l->hidden);
    labels_free(l->labels);
}

bool text_ladder(struct text *t)
{
    if (!t->record)
        return false;
    struct picture *picture = picture_new(t->record, t->result);
    struct ladder l;
    bool drawn = ladder_init(&l, t, picture);
    const struct result_line *bad =
        t->result->verdict == VERDICT_FAIL && !t->live ? result_first_bad(t->result) : NULL;
    if (drawn) {
        put_names(&l);
        for (size_t i = 0; i < picture->rows.n; i++) {
            const struct picture_row *row = &picture->rows.at[i];
            if (bad && is_about(row, bad))
                break;
            put_row(&l, row);
        }
        put_hidden(&l);
        if (bad) {
            text_failure(t, bad);
            if (bad->kind != LINE_WIRE)
                text_beside(t, (size_t)(bad - t->result->lines.at));
        }
        ladder_free(&l);
    }
    picture_free(picture);
    return drawn;
}
