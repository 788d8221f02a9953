/* Results as the judge would give them, filled by hand: what the reports are
 * tested with.  tests/golden/report/ holds what each looks like. */
#ifndef TESTS_BUILD_RESULT_H
#define TESTS_BUILD_RESULT_H

#include "record/record.h"
#include "transcript/result.h"

enum build_scene {
    SCENE_PASS,       /* a handshake with calls, as expected */
    SCENE_INTERVAL,   /* SYN retries come too early */
    SCENE_FIELDS,     /* two fields of one segment differ, a later segment too */
    SCENE_MISSING,    /* an acknowledgment is missing, a call gives another result */
    SCENE_UNEXPECTED, /* a reset that nobody expected */
    SCENE_NOISY,
    SCENE_SKIP,   /* without a record */
    SCENE_ERROR,  /* without a record */
    SCENE_WIRE,   /* the wire did one thing, and not another */
    SCENE_UNKIND, /* control characters, bytes that are no UTF-8, wide characters */
    SCENE_COUNT
};

extern const char *const build_scene_names[SCENE_COUNT];

/* The result; its record (may be NULL) must be freed by build_result_free(). */
struct result *build_result(enum build_scene scene);
void build_result_free(struct result *result);

/* A record in which every field has a value, also unusual ones. */
struct record *build_full_record(void);

#endif
