/* One bounds-checked cursor over captured bytes: every read goes through it.
 *
 * A read past the end gives zero and sets `cut`; from then on nothing is left, and
 * `cut` stays set, so that a row of reads needs one test at its end. */
#ifndef DECODE_CURSOR_H
#define DECODE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *at;
    size_t left;
    bool cut;
};

static inline struct cursor cursor_over(const uint8_t *at, size_t n)
{
    return (struct cursor){.at = at, .left = at ? n : 0};
}

/* The next n bytes, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
    if (c->cut || n > c->left) {
        c->cut = true;
        c->left = 0;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += n;
    c->left -= n;
    return p;
}

static inline bool cursor_skip(struct cursor *c, size_t n)
{
    return cursor_take(c, n) != NULL;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 8);
    uint64_t v = 0;
    for (int i = 0; p && i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

#endif
