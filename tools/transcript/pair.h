/* Pairs: `win 64240|64800` is 64240 in a run with IPv4 and 64800 in one with IPv6.
 *
 * A pair is one word, or what stands between `,`, `[`, `]`, `{` and `}`: so it is found,
 * and one of its halves taken, in the text itself, before any line is read.  A colon at
 * its end belongs to neither half.  Nothing is a pair in a comment, in a string, or with
 * a parenthesis or an apostrophe in it (tcpdump prints `frag (0|1448)`), nor where one
 * half is empty (`[|tcp]`). */
#ifndef TRANSCRIPT_PAIR_H
#define TRANSCRIPT_PAIR_H

#include "base/strbuf.h"
#include "transcript/slice.h"

/* The text with one half of every pair. */
struct pair_text {
    char *text; /* NUL-terminated */
    size_t len;
    size_t *offsets; /* of each byte, and of the end, where it stands in the source */
};

/* The text of a whole transcript for version `ip` (4 or 6).  False, and nothing to be
 * freed, if there is no pair in it. */
bool pairs_choose(struct pair_text *out, struct slice source, unsigned ip);
void pairs_free(struct pair_text *text);

/* Adds one line made of the lines of both versions, with a pair for each word in which
 * they differ.  False, and nothing added, if no such line says the same as the two. */
bool pairs_merge(struct strbuf *out, struct slice four, struct slice six);

#endif
