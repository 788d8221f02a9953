/* A lab with IPv6 addresses: `--ip 6`.
 *
 * The addresses that a lab is written with are mapped while it is parsed, so that all
 * that comes after knows only a lab with IPv6 addresses.  The mapping depends on the
 * address alone: 10.0.1.2 is fd00:10:0:1::2, each part of the one as it is written in
 * the other, and a network of 8, 16, 24 or 32 bits is one of 32, 48, 64 or 128.  A part
 * written in decimal does not keep the order of bits, which a network of another length
 * (10.0.0.4/30) needs: a lab that has one has all its addresses with their parts in
 * hexadecimal (fd00:a::4/126).  127.0.0.1 is ::1.  IPv6 addresses stay as they are. */
#ifndef LAB_IP6_H
#define LAB_IP6_H

#include "base/diag.h"
#include "base/ipaddr.h"
#include "base/strbuf.h"

struct lab;
struct parser;

enum lab_mapping { MAP_NOTHING, MAP_DECIMAL, MAP_HEXADECIMAL };

/* Maps an IPv4 address; prefix may be NULL.  Any other stays. */
void ip6_map(enum lab_mapping mapping, struct ipaddr *addr, unsigned *prefix);

/* How the addresses of a lab that was parsed as it is written are to be mapped:
 * MAP_NOTHING where it says `requires ipv4`. */
enum lab_mapping ip6_mapping_for(const struct lab *lab);

/* Whether no host has an IPv4 address. */
bool ip6_only(const struct lab *lab);

/* Adds the filter expression for IPv6; false after a mistake that it has reported at
 * span: what it speaks of is not there in IPv6. */
bool ip6_filter(struct parser *p, struct span span, const char *filter, size_t len,
                struct strbuf *out);

/* Puts IPv6 addresses for those of hosts into the words of `run`. */
void ip6_commands(struct lab *lab);

#endif
