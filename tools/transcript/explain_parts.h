/* What the files explain*.c share. */
#ifndef TRANSCRIPT_EXPLAIN_PARTS_H
#define TRANSCRIPT_EXPLAIN_PARTS_H

#include "transcript/explain.h"

enum noun { NOUN_SYN, NOUN_SYN_ACK, NOUN_RESET, NOUN_FIN, NOUN_DATA, NOUN_ACK, NOUN_OTHER };

extern const char *const explain_nouns[];

bool explain_has_flag(const struct pattern_item *line, char flag);
enum noun explain_noun(const struct pattern_item *line);
/* "second"; large numbers are written to `room`. */
const char *explain_ordinal(size_t n, char *room, size_t size);
/* Of which number of its kind, from its sender, the packet at `at` is. */
size_t explain_number(const struct explanation *x, size_t at);
/* "the second SYN", "server's FIN". */
void explain_put_packet(struct strbuf *sb, const struct explanation *x, size_t at);
/* Where the kind before `at` was sent, -1: it is the first. */
long explain_before(const struct explanation *x, size_t at);
/* The line's difference in this field, or NULL. */
const struct field_diff *explain_find_diff(const struct explanation *x, const char *field);

/* explain_interval.c: "the third SYN came 1.02 s after the second; expected 2 s … 2.04 s: …" */
void explain_put_interval(struct strbuf *sb, const struct explanation *x,
                          const struct timing_bounds *b);
/* … if its interval differs; false if it does not. */
bool explain_interval(struct strbuf *sb, const struct explanation *x);

/* explain_fate.c: what became of it on the way; false if the difference is another one. */
bool explain_fate(struct strbuf *sb, const struct explanation *x, const struct field_diff *d);

#endif
