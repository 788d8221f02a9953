/* What the parts of the full screen share; watch.c tells what it is. */
#ifndef WATCH_WATCH_PARTS_H
#define WATCH_WATCH_PARTS_H

#include "picture/header.h"
#include "picture/label.h"
#include "picture/picture.h"
#include "watch/filter.h"
#include "watch/watch.h"

enum page { PAGE_ROWS, PAGE_HEADER, PAGE_COMPARE, PAGE_HELP };

/* A list that is scrolled: `n` lines, one of them chosen, and the first that is shown. */
struct scroll {
    size_t n, at, top;
    size_t rows; /* as many as were shown last */
};

struct watch {
    const char *name;
    const struct record *record;
    const struct result *result; /* NULL: not judged */
    struct picture *picture;
    struct labels *labels;
    bool seconds; /* times are shown in seconds, else in milliseconds */
    enum page page, behind_help;
    bool over;
    char *message; /* until the next key; NULL: none */

    VEC(size_t) shown; /* rows of the picture that pass the filter */
    struct scroll rows;
    long picked; /* the row of the picture that space has marked; -1: none */

    struct filter *filter; /* NULL: all rows are shown */
    bool typing;           /* … one, which is: */
    struct strbuf typed;

    /* PAGE_HEADER and PAGE_COMPARE: */
    struct headers *headers, *others;
    struct scroll fields; /* over all headers, one behind the other */
    bool list;            /* fields are shown as a list, not as figures */
    bool all;             /* of two segments all fields are shown, not only what differs */
    long compared[2];     /* rows of the picture */
    struct scroll help;
};

/* ------------------------------------------------------------------ watch.c */

/* The row that is chosen; NULL: none is shown. */
const struct picture_row *watch_row(const struct watch *w);
void watch_say(struct watch *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Moves by a key, if it is one that moves; whether it was. */
bool scroll_press(struct scroll *s, int key);
/* Settles what is shown in `rows` lines; the chosen one is among them. */
void scroll_fit(struct scroll *s, size_t rows);

/* -------------------------------------------------------------------- words */

/* What there is to say of a row, a line each, the most telling first. */
void watch_describe(struct strbuf *sb, const struct watch *w, const struct picture_row *row);
/* The row in a line, as tcpdump would have it. */
void watch_line(struct strbuf *sb, const struct watch *w, const struct picture_row *row);
/* Whether a row is one of those that n and N go to: sent again, lost, damaged. */
bool watch_is_remarkable(const struct watch *w, const struct picture_row *row);

/* -------------------------------------------------------------------- pages */

/* Each draws rows `from` to `to` - 1 of the screen. */
void draw_rows(struct watch *w, struct screen *screen, int from, int to);
void draw_header(struct watch *w, struct screen *screen, int from, int to);
void draw_compare(struct watch *w, struct screen *screen, int from, int to);
void draw_help(struct watch *w, struct screen *screen, int from, int to);

/* Help, which goes back to the page that is shown. */
void open_help(struct watch *w);
/* The header of the chosen row's segment; false: it has none, and that is said. */
bool open_header(struct watch *w);
/* The two segments' headers. */
bool open_compare(struct watch *w, long first, long second);
void close_headers(struct watch *w);
void press_header(struct watch *w, int key);
void press_compare(struct watch *w, int key);

#endif
