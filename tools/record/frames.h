/* A capture file's frames. */
#ifndef RECORD_FRAMES_H
#define RECORD_FRAMES_H

#include "record/record.h"

/* Adds the frames that the filter takes (NULL: all) as those of a capture point of which
 * nobody's host is known, sorted by time.  A file that is damaged behind its first frames gives
 * these, and a remark: `…: what comes before that is judged`, the last word being `done`.
 * Returns 0, 1 when there are more than `most` of them, which are not read, or -1 and an error. */
int record_read_frames(struct record *r, const char *path, const char *filter, size_t most,
                       const char *done, struct error *err);

#endif
