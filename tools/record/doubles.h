/* Packets that a capture holds twice. */
#ifndef RECORD_DOUBLES_H
#define RECORD_DOUBLES_H

#include "record/record.h"

/* Takes packet i away where out[i], and its bytes. */
void record_leave_out(struct record *r, const bool *out);

/* A capture of several interfaces (`-i any`, or a file that was merged) may hold each packet
 * twice.  No TCP repeats a SYN within a millisecond: if the record has such a pair, it is of
 * that kind, and of equal packets within a millisecond the first one stays; a remark says how
 * many were left out. */
void record_leave_out_doubles(struct record *r);

#endif
