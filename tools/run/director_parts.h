/* What the parts of the director share: director.c plays the script, director_events.c takes in
 * what happens meanwhile. */
#ifndef RUN_DIRECTOR_PARTS_H
#define RUN_DIRECTOR_PARTS_H

#include "run/director.h"
#include "run/quiet.h"
#include "run/sampler.h"

#define DIRECTOR_RECORD_MAX (256 << 20) /* bytes of packets, about */

/* What the director remembers of a step of a host. */
struct played {
    long call; /* index into record->calls, -1: not asked yet */
    bool done;
    nsec deadline; /* CLOCK_MONOTONIC */
};

struct director {
    const struct lab *lab;
    struct stage *stage;
    const struct director_options *options;
    struct record *record;
    struct loop *loop;
    struct played *played; /* one a step */
    struct quiet quiet;
    struct sampler *sampler;
    nsec last_frame; /* CLOCK_MONOTONIC, when the last one was taken */
    bool news;       /* something was recorded that options->look has not seen … */
    nsec news_at;    /* … last at, CLOCK_MONOTONIC */
    size_t recorded; /* bytes, about */
    bool full;       /* DIRECTOR_RECORD_MAX is reached */
    bool interrupted;
    struct error *err;  /* of a callback */
    size_t point;       /* whose frames are being taken */
    size_t wait_looked; /* packets that a `wait` has counted already */
    unsigned wait_seen;
};

/* From here on, what comes from capture points and agents is recorded whenever the loop runs. */
int director_listen(struct director *d);
/* Takes the frames that one capture point has. */
void director_read_point(struct director *d, size_t point);
/* Something has been recorded that somebody may want to look at. */
void director_note_news(struct director *d);

#endif
