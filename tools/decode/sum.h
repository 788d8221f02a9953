/* The Internet checksum (RFC 1071). */
#ifndef DECODE_SUM_H
#define DECODE_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

/* Adds bytes to a running sum; all parts but the last must have an even length. */
uint64_t sum_add(uint64_t sum, const uint8_t *at, size_t n);

/* A sum over data that includes its checksum field: good or bad, and in *expected
 * what the field, which holds `field`, should hold. */
enum sum_state sum_check(uint64_t sum, uint16_t field, uint16_t *expected);

/* The pseudo-header of a transport (RFC 9293 3.1, RFC 8200 8.1), with the final
 * destination of a source route; `len` is the transport's length. */
uint64_t sum_pseudo(const struct ip_header *ip, uint8_t proto, uint32_t len);

#endif
