/* One row of a drawing for a terminal: cells that can be written over, each with a style. */
#ifndef REPORT_CANVAS_H
#define REPORT_CANVAS_H

#include "report/text.h"

struct cell {
    char text[8]; /* "": the second half of a wide character */
    enum style style;
};

struct canvas {
    struct cell *cells;
    int width;
    bool utf8;
};

void canvas_init(struct canvas *c, int width, bool utf8);
void canvas_free(struct canvas *c);
void canvas_clear(struct canvas *c);
/* Puts n bytes of s at column x, cut to `room` columns; returns the columns taken. */
int canvas_put(struct canvas *c, int x, int room, enum style style, const char *s, size_t n);
/* The same character in columns from … to - 1. */
void canvas_fill(struct canvas *c, int from, int to, enum style style, const char *glyph);
/* Adds the row, without the blanks at its end, and ends the line. */
void canvas_flush(const struct canvas *c, struct text *t);

#endif
