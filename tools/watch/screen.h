/* What is on a screen: rows of cells, each with a style, some of them marked.  Pure; the
 * terminal (terminal.h) shows it, tests write it into a file. */
#ifndef WATCH_SCREEN_H
#define WATCH_SCREEN_H

#include "report/canvas.h"

struct screen {
    int width, height;
    bool utf8;
    struct canvas *rows;
    bool *marks;            /* width * height: shown in reverse */
    int cursor_x, cursor_y; /* where the cursor is; -1: it is not shown */
};

/* A blank screen; screen_free() frees it. */
void screen_init(struct screen *screen, int width, int height, bool utf8);
void screen_free(struct screen *screen);

/* The character of the two that the screen can show. */
const char *screen_pick(const struct screen *screen, const char *utf8, const char *ascii);
/* Puts s at a place, cut to `room` columns; returns the columns taken.  A row that there is
 * not takes nothing. */
int screen_put(struct screen *screen, int x, int y, int room, enum style style, const char *s);
int screen_put_n(struct screen *screen, int x, int y, int room, enum style style, const char *s,
                 size_t n);
/* A line across. */
void screen_rule(struct screen *screen, int y);
/* Rows of s from y on, at most `rows`; returns how many.  What is too long ends in dots. */
int screen_wrap(struct screen *screen, int x, int y, int width, int rows, enum style style,
                const char *s);
/* Copies a drawn row, from its beginning. */
void screen_copy(struct screen *screen, int x, int y, const struct canvas *row);
void screen_mark(struct screen *screen, int x, int y, int width);

/* The screen as lines of text; marked cells stand in a second line below theirs, as `^`. */
void screen_dump(struct strbuf *sb, const struct screen *screen);

#endif
