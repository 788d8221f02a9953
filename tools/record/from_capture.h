/* A record from somebody's own capture of a lab's scene. */
#ifndef RECORD_FROM_CAPTURE_H
#define RECORD_FROM_CAPTURE_H

#include "lab/lab.h"
#include "record/record.h"

/* Reads a capture file ("-": standard input) of any link type, made anywhere with
 * one tcpdump or more: what the lab's capture filters take, with addresses mapped to
 * the lab's hosts, exact ones first and then by who connects to whom at which port.
 * Calls, tick and lateness are unknown in it, and remarks say what was taken for what.
 * The caller frees it with record_free().  NULL: STATUS_USAGE, the file cannot be
 * read, or nothing in it fits the lab.  A file that is cut off gives what could be
 * read, and a remark. */
struct record *record_from_capture(const struct lab *lab, const char *path, struct error *err);

#endif
