/* The course: which labs belong together, and in what order a student takes them.
 * The statement `course GROUP LEVEL [after LAB…]` gives a lab its place. */
#ifndef LAB_COURSE_H
#define LAB_COURSE_H

#include <stddef.h>

#include "base/diag.h"
#include "base/memory.h"

struct lab;

/* X(ID, name, what it is about), in the order in which they are taught. */
#define COURSE_GROUPS(X)                                                                           \
    X(BASICS, "basics", "a connection from its beginning to its end")                              \
    X(OPENING, "opening", "how a connection begins, or does not")                                  \
    X(CLOSING, "closing", "how a connection ends")                                                 \
    X(TALKING, "talking", "data, acknowledgments and windows")                                     \
    X(LOSING, "losing", "segments are lost, and TCP notices")                                      \
    X(PATH, "path", "what lies between the hosts")                                                 \
    X(ATTACKS, "attacks", "what others may try, and what helps against it")

#define COURSE_LEVELS(X)                                                                           \
    X(BEGINNER, "beginner")                                                                        \
    X(INTERMEDIATE, "intermediate")                                                                \
    X(ADVANCED, "advanced")

enum course_group {
#define X(id, name, about) GROUP_##id,
    COURSE_GROUPS(X)
#undef X
        GROUP_NONE, /* a lab without the statement; COURSE_GROUP_COUNT is its number */
    COURSE_GROUP_COUNT = GROUP_NONE
};

enum course_level {
#define X(id, name) LEVEL_##id,
    COURSE_LEVELS(X)
#undef X
        LEVEL_COUNT
};

extern const char *const course_group_names[COURSE_GROUP_COUNT];
extern const char *const course_group_abouts[COURSE_GROUP_COUNT];
extern const char *const course_level_names[LEVEL_COUNT];

struct course_after {
    char *name; /* of the lab that comes before */
    struct span span;
};

struct lab_course {
    enum course_group group;
    enum course_level level; /* means nothing in GROUP_NONE */
    VEC(struct course_after) after;
    struct span span;
};

/* One lab among all that there are.  A lab that does not parse has its place as well,
 * as far as it is known, so that others may come after it. */
struct course_lab {
    const char *name;
    struct lab *lab;     /* NULL: it cannot be read */
    struct diags *diags; /* its mistakes; course_check() adds to them */
};

/* Adds a diagnostic for each `after` that names no lab of these, and for each lab that
 * comes after itself by way of others. */
void course_check(const struct course_lab *labs, size_t n);

/* Sorts: by group; in a group a lab stands behind those that it comes after, and apart
 * from that by level and then by name.  A circle is cut where its first lab stands. */
void course_sort(struct course_lab *labs, size_t n);

#endif
