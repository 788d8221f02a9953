/* What the parts of the terminal's ladder share; ladder.c tells what it is.  The full screen
 * (watch/ladder.c) draws its rows with these, too. */
#ifndef REPORT_LADDER_PARTS_H
#define REPORT_LADDER_PARTS_H

#include "picture/label.h"
#include "picture/picture.h"
#include "report/canvas.h"
#include "report/text.h"

enum {
    LADDER_MARGIN = 13,     /* columns for a state and a blank */
    LADDER_STATES_MOST = 3, /* in one margin beside one row */
};

enum side { LEFT, RIGHT };

/* The states that are to be shown next in a margin. */
struct margin {
    const char *states[LADDER_STATES_MOST];
    size_t n, shown;
};

/* A state of a host between the outermost ones. */
struct middle {
    int column;
    const char *state;
    bool shown;
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
    bool one_row;    /* nothing stands below an arrow, so it tells as much as it can */
    bool margins;    /* there is room for states outside the lifelines */
    struct margin margin[2];
    struct middle middle[LADDER_STATES_MOST];
    size_t n_middle;
};

const char *ladder_pick(const struct ladder *l, const char *utf8, const char *ascii);
/* The columns of the outermost lifelines. */
int ladder_left(const struct ladder *l);
int ladder_right(const struct ladder *l);

/* A row begins with all lifelines, is written over, and ends with its time, or none. */
void ladder_begin_row(struct ladder *l);
void ladder_end_row(struct ladder *l, const struct picture_row *row);
/* Text of which the end is missing where there is no room says so. */
void ladder_put_cut(struct ladder *l, int x, int room, enum style style, const char *s);
/* Rows of text between the outermost lifelines; `first` stands before the first. */
void ladder_paragraph(struct ladder *l, enum style style, const char *first, const char *s);

/* The arrow of a segment, or its half, on the row that was begun, with as much on it as fits;
 * false: not even its numbers do. */
bool ladder_draw_arrow(struct ladder *l, const struct picture_row *row);
/* The same as rows of its own; what does not fit stands below. */
void ladder_arrow(struct ladder *l, const struct picture_row *row);
/* A frame that is on nobody's way between two hosts. */
void ladder_floating(struct ladder *l, const struct picture_row *row);

/* Takes the changes of state that follow a row: ladder_end_row() puts them into the margins
 * of its rows, if there are any, and ladder_put_states() what is left on rows of their own. */
void ladder_take_states(struct ladder *l, const struct picture_row *row);
void ladder_put_states(struct ladder *l);

#endif
