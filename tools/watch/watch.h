/* The full screen: a run as a ladder that is walked through, its segments' headers field by
 * field, and two of them compared.
 *
 * Pure: keys go in, a screen comes out.  terminal.h has the keys from a terminal, and shows
 * the screen there.
 *
 *     struct watch *watch = watch_new("handshake", record, result, utf8);
 *     while (!watch_is_over(watch)) {
 *         watch_draw(watch, &screen);  // of any size, another one each time
 *         watch_press(watch, key);
 *     }
 *     watch_free(watch);
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "watch/screen.h"

/* Keys: a character by its code point, or one of these. */
enum {
    KEY_OF_ARROWS = 0x110000, /* behind the last code point */
    WATCH_UP,
    WATCH_DOWN,
    WATCH_LEFT,
    WATCH_RIGHT,
    WATCH_PAGE_UP,
    WATCH_PAGE_DOWN,
    WATCH_HOME,
    WATCH_END,
    WATCH_BACKTAB,
    WATCH_TAB = '\t',
    WATCH_ENTER = '\n',
    WATCH_ESCAPE = 0x1b,
    WATCH_BACKSPACE = 0x7f,
    WATCH_CLEAR_LINE = 0x15 /* Ctrl-U */
};

struct watch;

/* Begins at the first line that failed, if one did.  The record, and the result if it was
 * judged, must outlive it. */
struct watch *watch_new(const char *name, const struct record *record, const struct result *result);
void watch_free(struct watch *watch);

void watch_press(struct watch *watch, int key);
/* Fills a blank screen; what a page is, is known from the last one. */
void watch_draw(struct watch *watch, struct screen *screen);
bool watch_is_over(const struct watch *watch);

#endif
