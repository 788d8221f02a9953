/* What the kernel tells of a connection: the fields of struct tcp_info. */
#ifndef RUN_INFO_H
#define RUN_INFO_H

#include <stdint.h>

/* Asks a TCP socket for the field of that name (TCP_INFO_FIELDS in lab/verbs.h).  A
 * number goes to *value; `ca_state` is a word, a constant string, in *word.  0, or -1
 * with errno: EOPNOTSUPP where the kernel is too old to have the field. */
int info_ask(int fd, const char *field, int64_t *value, const char **word);

#endif
