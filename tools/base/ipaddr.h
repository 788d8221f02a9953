/* IPv4 and IPv6 addresses as values. */
#ifndef BASE_IPADDR_H
#define BASE_IPADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct ipaddr {
    uint8_t version;   /* 4, 6, or 0: no address */
    uint8_t bytes[16]; /* network order; the first 4 for version 4 */
};

/* Parses a whole string of len bytes; false if it is no address. */
bool ipaddr_parse(struct ipaddr *a, const char *s, size_t len);
bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b);
/* Whether both are of one version and share the first `prefix` bits. */
bool ipaddr_same_net(const struct ipaddr *a, const struct ipaddr *b, unsigned prefix);
bool ipaddr_is_loopback(const struct ipaddr *a);
unsigned ipaddr_bits(const struct ipaddr *a); /* 32 or 128 */
void strbuf_ipaddr(struct strbuf *sb, const struct ipaddr *a);

#endif
