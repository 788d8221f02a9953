/* Where on its way a frame was seen that the wire did something to. */
#ifndef RUN_TRACE_H
#define RUN_TRACE_H

#include "record/record.h"
#include "wire/ferry.h"

/* Adds the events to record->wire, each with the packets that it is about.  The record's packets
 * are sorted, the events in the order in which they happened. */
void trace_events(struct record *record, const struct ferry_event *events, size_t n);

#endif
