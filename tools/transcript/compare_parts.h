/* What the files compare*.c share. */
#ifndef TRANSCRIPT_COMPARE_PARTS_H
#define TRANSCRIPT_COMPARE_PARTS_H

#include "transcript/compare.h"

/* compare_settings.c */
void compare_settings(struct compared *out, const struct record *a, const struct record *b);
void compare_states(struct compared *out, const struct record *a, const struct record *b);

#endif
