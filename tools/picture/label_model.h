/* What the files label*.c share while they label a story; label.c explains it. */
#ifndef PICTURE_LABEL_MODEL_H
#define PICTURE_LABEL_MODEL_H

#include "picture/label.h"
#include "transcript/timing.h"

struct entry {
    size_t segment;
    struct label label;
};

struct labels {
    VEC(struct entry) entries; /* by segment, when labels_new() is over */
    struct label *flat;        /* the labels alone, in that order */
    size_t *first;             /* of each segment, and one behind the last */
    size_t n;                  /* segments */
};

#endif
