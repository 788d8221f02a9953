/* What socket calls give and return, in words. */
#ifndef BASE_SOCKTEXT_H
#define BASE_SOCKTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/strbuf.h"

/* `10.0.0.1:40000`, `[fd00::1]:40000`; an IPv4 address inside IPv6 as IPv4. */
void strbuf_sockaddr(struct strbuf *sb, const struct sockaddr_storage *addr);

/* As it stands between double quotes: `hello\n`, `\x07`; bytes past ASCII stay as they
 * are unless `ascii`. */
void strbuf_escaped(struct strbuf *sb, const char *bytes, size_t n, bool ascii);

/* `12 bytes "hello world\n"`; of a long text the first part and ` …`. */
void strbuf_bytes(struct strbuf *sb, const char *bytes, size_t n);

/* `ECONNREFUSED (Connection refused)` */
void strbuf_errno(struct strbuf *sb, int errnum);

#endif
