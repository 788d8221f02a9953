/* A run that is shown, to somebody who need not say which lab it is of: what `watch` and
 * `report` share. */
#ifndef TOOLS_CMD_SHOWN_H
#define TOOLS_CMD_SHOWN_H

#include "cmd_lab.h"

struct cmd_shown {
    struct record *record;
    struct cmd_lab cl;     /* empty: of no lab that is here */
    struct result *result; /* NULL: not judged, as it is of no lab that is here */
    char *name;            /* the lab's, or the file's or folder's */
};

void cmd_free_shown(struct cmd_shown *s);

/* Reads the evidence in a folder, and judges it if its lab is here.  All of these return 0, or
 * the status to exit with, and have said why. */
int cmd_show_evidence(struct cmd_shown *s, const char *dir, const struct cmd_judging *judging);
/* Reads any capture file, of at most so many packets. */
int cmd_show_capture(struct cmd_shown *s, const char *path, size_t most);
/* Does what fits: `what` may be a folder with evidence, a capture in one, or any capture.
 * Sets *found to false, and does nothing, if it is none of these but a lab, or nothing. */
int cmd_show_found(struct cmd_shown *s, const char *what, const struct cmd_judging *judging,
                   size_t most, bool *found);

#endif
