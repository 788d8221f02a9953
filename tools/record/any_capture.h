/* A record from a capture file of which no lab is known. */
#ifndef RECORD_ANY_CAPTURE_H
#define RECORD_ANY_CAPTURE_H

#include "base/error.h"
#include "record/record.h"

/* Reads the first `most` packets of a capture file of any link type, made anywhere; each address is
 * a host of that name (the first ANY_CAPTURE_HOSTS of them: the others are strangers).  Calls, tick
 * and lateness are unknown in it, and remarks say what was left out.  The caller frees it with
 * record_free().  NULL: STATUS_USAGE, the file cannot be read, or has no packet at all.  A
 * file that is cut off gives what could be read, and a remark. */
struct record *record_from_any_capture(const char *path, size_t most, struct error *err);

#define ANY_CAPTURE_HOSTS 64
#define ANY_CAPTURE_PACKETS 50000 /* more nobody walks through */

#endif
