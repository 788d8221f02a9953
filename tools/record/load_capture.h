/* The packets of the evidence, out of its capture.pcapng. */
#ifndef RECORD_LOAD_CAPTURE_H
#define RECORD_LOAD_CAPTURE_H

#include <stdio.h>

#include "base/error.h"
#include "record/record.h"

/* Adds the packets to a record whose points are known: the interfaces of the capture
 * must be these points, in their order.  No stamp may be later than max_stamp.
 * Closes the stream. */
int record_load_packets(struct record *r, FILE *from, nsec max_stamp, struct error *err);

#endif
