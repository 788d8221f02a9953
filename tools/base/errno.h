/* Names of error numbers, both ways. */
#ifndef BASE_ERRNO_H
#define BASE_ERRNO_H

#include <stddef.h>

/* "ECONNREFUSED"; "0" for 0 and "?" for a number that is no error. */
const char *errno_name(int errnum);

/* The number of a name of len bytes (aliases such as EWOULDBLOCK too); 0: none. */
int errno_from_name(const char *name, size_t len);

/* The known name nearest to a misspelt one, or NULL. */
const char *errno_closest(const char *name, size_t len);

#endif
