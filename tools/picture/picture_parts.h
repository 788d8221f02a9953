/* What the files picture*.c share. */
#ifndef PICTURE_PICTURE_PARTS_H
#define PICTURE_PICTURE_PARTS_H

#include "picture/picture.h"

struct picture_row *picture_add_row(struct picture *picture, enum picture_kind kind, nsec time);

/* Hangs the judged lines at rows that are not in order yet, all but the silences that were
 * kept … */
void picture_hang_lines(struct picture *picture);
/* … and these, when they are. */
void picture_hang_quiets(struct picture *picture);
/* Hangs the changes of state; when all rows are there. */
void picture_hang_states(struct picture *picture);

#endif
