/* The full screen in a terminal, by ncurses. */
#ifndef WATCH_TERMINAL_H
#define WATCH_TERMINAL_H

#include "base/error.h"
#include "watch/watch.h"

/* Whether standard input and output are a terminal that can be used so; STATUS_USAGE, with a
 * hint, if not. */
int terminal_check(struct error *err);

/* Shows it until it is over, or a signal says so (SIGINT, SIGTERM, SIGHUP).  However it ends
 * (a crash too) the terminal is as it was.  `color`: where the terminal has some. */
int terminal_run(struct watch *watch, bool color, bool utf8, struct error *err);

#endif
