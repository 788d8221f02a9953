/* Where labs are: NAME is labs/NAME.md and expected/NAME.txt below a root, which is
 * $TCPLAB_ROOT if that is set, else the current folder, else where tcplab was built. */
#ifndef LAB_FIND_H
#define LAB_FIND_H

#include "base/error.h"
#include "base/memory.h"

struct lab_names {
    VEC(char *) list;
};

/* Finds a lab by its name, or takes a path that ends in ".md" as it is.  The caller
 * frees both paths; expected_path (which may be NULL) is set whether that file is
 * there or not.  STATUS_USAGE with a hint if there is no such lab. */
int lab_find(const char *name_or_path, char **lab_path, char **expected_path, struct error *err);

/* The names of all labs, sorted; STATUS_USAGE if there is no folder of labs at all. */
int lab_list(struct lab_names *names, struct error *err);
/* The first root that has labs, "" or with a '/' at its end; the caller frees it.  NULL:
 * there is none. */
char *lab_root(void);
void lab_names_free(struct lab_names *names);

#endif
