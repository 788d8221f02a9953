/* A piece of somebody else's text: no copy, no terminator. */
#ifndef TRANSCRIPT_SLICE_H
#define TRANSCRIPT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *at;
    size_t n;
};

static inline struct slice slice_of(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

static inline bool slice_is(struct slice s, const char *z)
{
    return slice_equal(s, slice_of(z));
}

static inline bool slice_starts(struct slice s, const char *z)
{
    size_t n = strlen(z);
    return s.n >= n && memcmp(s.at, z, n) == 0;
}

static inline void slice_skip(struct slice *s, size_t n)
{
    s->at += n;
    s->n -= n;
}

/* Without the blanks (space, tab, CR) at both ends. */
struct slice slice_trim(struct slice s);
/* Takes the next word (up to a blank) off the front of *rest; n is 0 at the end. */
struct slice slice_word(struct slice *rest);
/* Takes the last word off the end of *rest. */
struct slice slice_last_word(struct slice *rest);
/* Where c stands in s, or s.n. */
size_t slice_find(struct slice s, char c);
/* Takes what stands before the next comma that is not inside brackets off *rest,
 * and the comma. */
struct slice slice_until_comma(struct slice *rest);
/* Whether all of s is one decimal number of at most `max`. */
bool slice_number(struct slice s, uint64_t max, uint64_t *out);
/* A letter, then letters, digits, `_` and `-`. */
bool slice_is_name(struct slice s);
/* `…`, or three dots. */
bool slice_is_rest(struct slice s);
/* Whether `word` is what `glob` says; each `*` in it stands for any characters. */
bool slice_glob(struct slice glob, struct slice word);

#endif
