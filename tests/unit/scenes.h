/* Whole runs for tests of the judge: records as a lab would leave them, and the
 * transcripts that they satisfy. */
#ifndef TESTS_SCENES_H
#define TESTS_SCENES_H

#include "lab/lab.h"
#include "record/record.h"
#include "transcript/judge.h"
#include "transcript/result.h"

struct scene {
    const char *name;
    struct record *(*build)(void);
    const char *expected; /* one packet a line */
};

extern const struct scene scenes[];
extern const int n_scenes;

struct record *scene_conversation(void);
struct record *scene_syn_retry(const nsec *gaps, size_t n);
struct record *scene_unplugged(const nsec *gaps, size_t n);

/* Whether the two hosts are at a wire, and not at a switch (the default). */
extern bool scene_wired;
struct lab *scene_lab(void);
/* Judges; the result is printed to the test's log if it is not `verdict`. */
struct result *scene_judge(const struct record *r, const char *expected, enum verdict verdict);

#endif
