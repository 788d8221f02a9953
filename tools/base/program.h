/* Programs of this machine. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

/* The path of an executable file by its name without a folder, looked up in $PATH as execvp() does,
 * and then in `more` (folders parted by colons; may be NULL); the caller frees.  NULL: none. */
char *program_find(const char *name, const char *more);

#endif
