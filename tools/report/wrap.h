/* Text for a terminal: characters with their widths, made harmless, and rows of a
 * given width.  Offsets are bytes of the text as it was given, so a mark can be put
 * below a place in it. */
#ifndef REPORT_WRAP_H
#define REPORT_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* One character as it will be shown. */
struct glyph {
    size_t bytes; /* that it takes in the text, at least 1 */
    char text[8]; /* what is printed: control characters, bidirectional overrides and
                     bytes that are no UTF-8 are replaced; all of it ASCII without utf8 */
    int width;    /* columns: 0, 1, 2, or more where ASCII stands for another */
    bool space, wide;
};

/* The character at s (len > 0 bytes are there). */
void glyph_at(struct glyph *g, const char *s, size_t len, bool utf8);

/* Columns that len bytes take. */
int glyphs_width(const char *s, size_t len, bool utf8);
void glyphs_put(struct strbuf *out, const char *s, size_t len, bool utf8);

struct wrap {
    const char *s;
    size_t len;
    size_t at;   /* where the next row begins */
    bool fields; /* prefer to break behind "," and ": ", as packet lines want it */
    bool utf8;
};

/* The next row of at most `width` columns (at least one character): s[*from] up to
 * s[*to], without blanks at its ends.  False when nothing is left. */
bool wrap_next(struct wrap *w, int width, size_t *from, size_t *to);

#endif
