/* What the evidence calls each kind of event. */
#ifndef RECORD_EVENT_NAMES_H
#define RECORD_EVENT_NAMES_H

#include <assert.h>

#include "record/record.h"

static const char *const event_kind_names[] = {
    [EVENT_UNPLUG] = "unplug",
    [EVENT_REPLUG] = "replug",
};
static_assert(ARRAY_SIZE(event_kind_names) == EVENT_REPLUG + 1, "every kind of event has a name");

#endif
