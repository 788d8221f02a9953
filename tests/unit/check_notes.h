/* Whether the teacher's notes of a transcript reach the picture of a run. */
#ifndef TESTS_CHECK_NOTES_H
#define TESTS_CHECK_NOTES_H

#include "picture/picture.h"
#include "transcript/pattern.h"

/* What is wrong with them, NULL: nothing (the caller frees).  Each note of the transcript has to
 * be that of a judged line, but for lines that did not happen and need not; and each line that
 * was judged hangs at one row, if it has a note. */
char *check_notes(const struct pattern *pattern, const struct picture *picture);

#endif
