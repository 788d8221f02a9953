/* The arrows of the ladder. */
#include <string.h>

#include "report/ladder_parts.h"
#include "report/wrap.h"

enum { TEXT_AT = 3 /* columns from the sender's lifeline to the text */ };

static bool is_syn(const struct story_segment *s)
{
    return s->flow >= 0 && (s->p->tcp.flags & TCP_SYN);
}

/* As much of the segment as fits into `room` columns; false: too little.  Of one that arrives
 * the rest stands where it was sent. */
static bool fit_words(const struct ladder *l, const struct picture_row *row, int room,
                      struct strbuf *words)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    enum picture_detail least = row->kind == PICTURE_ARRIVAL ? PICTURE_NUMBERS : PICTURE_NO_ACK;
    for (enum picture_detail d = is_syn(s) ? PICTURE_OPTIONS : PICTURE_FIELDS; d < PICTURE_DETAILS;
         d++) {
        strbuf_truncate(words, 0);
        picture_words(words, l->picture, row, d);
        if (glyphs_width(strbuf_cstr(words), words->len, l->row.utf8) <= room)
            return d <= least;
    }
    return false;
}

/* An arrow's geometry: from the sender's lifeline to the receiver's. */
struct arrow {
    int tail, head; /* columns of the lifelines */
    int low, high;  /* what lies between them */
    bool rightward;
    bool lost;    /* it ends in a cross before the lifeline … */
    bool stopped; /* … or at it, a router's that has said so */
    enum style style;
};

static struct arrow find_arrow(const struct ladder *l, const struct picture_row *row)
{
    struct arrow a = {.tail = l->x[row->from], .head = l->x[row->to]};
    a.rightward = a.tail < a.head;
    a.low = (a.rightward ? a.tail : a.head) + 1;
    a.high = a.rightward ? a.head : a.tail;
    a.style = a.rightward ? STYLE_RIGHTWARD : STYLE_LEFTWARD;
    const struct story_segment *s = picture_segment(l->picture, row);
    a.stopped = picture_is_stopped(l->picture, row);
    a.lost = s->fate == FATE_LOST && !a.stopped;
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
    const char *head = a->rightward ? ladder_pick(l, "▶", ">") : ladder_pick(l, "◀", "<");
    int x = a->rightward ? a->high - 1 : a->low;
    bool bad = s->damaged || a->stopped;
    canvas_fill(&l->row, x, x + 1, bad ? STYLE_BAD : a->style,
                bad ? ladder_pick(l, "✗", "X") : head);
}

/* So many columns of a lost one's line there are before its cross. */
static int before_cross(const struct arrow *a)
{
    return (a->high - a->low) * 7 / 8;
}

static void put_lost(struct ladder *l, const struct arrow *a)
{
    int n = before_cross(a);
    int x = a->rightward ? a->low + n : a->high - 1 - n;
    canvas_fill(&l->row, x, x + 1, STYLE_BAD, ladder_pick(l, "✗", "X"));
}

static void put_strokes(struct ladder *l, const struct picture_row *row, const struct arrow *a)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    const char *solid = ladder_pick(l, "─", "-"), *dotted = ladder_pick(l, "┄", ".");
    if (row->kind == PICTURE_DEPARTURE || (l->live && (a->lost || s->pending))) {
        put_line(l, a, 0, 6, solid);
        put_line(l, a, 6, 8, dotted);
    } else if (row->kind == PICTURE_ARRIVAL) {
        put_line(l, a, 0, 2, dotted);
        put_line(l, a, 2, 8, solid);
        put_head(l, a, s);
    } else {
        put_line(l, a, s->injected ? 4 : 0, a->lost ? 7 : 8, solid);
        if (a->lost)
            put_lost(l, a);
        else
            put_head(l, a, s);
    }
    if (row->kind != PICTURE_ARRIVAL && !s->injected)
        canvas_fill(&l->row, a->tail, a->tail + 1, STYLE_DIM,
                    a->rightward ? ladder_pick(l, "├", "+") : ladder_pick(l, "┤", "+"));
}

/* How long it was under way. */
static void format_travel(struct strbuf *travel, const struct ladder *l,
                          const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(l->picture, row);
    if (row->kind == PICTURE_DEPARTURE || s->fate != FATE_ARRIVED || s->travel < NSEC_PER_MSEC)
        return;
    strbuf_putc(travel, ' ');
    strbuf_approx(travel, s->travel);
    strbuf_putc(travel, ' ');
}

bool ladder_draw_arrow(struct ladder *l, const struct picture_row *row)
{
    struct arrow a = find_arrow(l, row);
    cleanup_strbuf struct strbuf words = STRBUF_INIT, travel = STRBUF_INIT;
    bool is_tcp = picture_segment(l->picture, row)->flow >= 0;
    int room = a.high - a.low - TEXT_AT - 5;
    if (a.lost && room > before_cross(&a) - TEXT_AT)
        room = before_cross(&a) - TEXT_AT;
    format_travel(&travel, l, row);
    int time = glyphs_width(strbuf_cstr(&travel), travel.len, l->row.utf8);
    /* Of an arrival the time is news, and the window is none. */
    bool enough =
        row->kind == PICTURE_ARRIVAL && time && fit_words(l, row, room - time - 4, &words);
    if (!enough)
        enough = fit_words(l, row, room, &words);
    put_strokes(l, row, &a);
    int width = glyphs_width(strbuf_cstr(&words), words.len, l->row.utf8);
    int taken = width < room ? width : room;
    int x = a.rightward ? a.low + TEXT_AT - 1 : a.high - TEXT_AT + 1 - taken;
    if (taken > 0 && (enough || is_tcp || l->one_row)) {
        canvas_fill(&l->row, x - 1, x + taken + 1, STYLE_PLAIN, " ");
        ladder_put_cut(l, x, taken, a.style, words.data);
    }
    if (time && time + 4 <= room - taken)
        canvas_put(&l->row, a.rightward ? a.high - 3 - time : a.low + 3, time, STYLE_DIM,
                   travel.data, travel.len);
    return enough;
}

void ladder_arrow(struct ladder *l, const struct picture_row *row)
{
    ladder_begin_row(l);
    bool enough = ladder_draw_arrow(l, row);
    ladder_end_row(l, row);
    if (enough)
        return;
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    picture_words(&words, l->picture, row, PICTURE_FIELDS);
    ladder_paragraph(l, find_arrow(l, row).style, "", strbuf_cstr(&words));
}

void ladder_floating(struct ladder *l, const struct picture_row *row)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    story_format_sent(&words, l->picture->story, picture_segment(l->picture, row));
    ladder_begin_row(l);
    canvas_put(&l->row, ladder_left(l) + 2, ladder_right(l) - ladder_left(l) - 3, STYLE_PLAIN,
               strbuf_cstr(&words), words.len);
    ladder_end_row(l, row);
}
