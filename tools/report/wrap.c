#include "report/wrap.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define REPLACEMENT 0xFFFD

/* Decodes one UTF-8 character; an ill-formed one gives REPLACEMENT and takes one byte. */
static uint32_t decode(const char *s, size_t len, size_t *bytes)
{
    const unsigned char *u = (const unsigned char *)s;
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    *bytes = 1;
    if (u[0] < 0x80)
        return u[0];
    size_t n = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4 || n > len)
        return REPLACEMENT;
    uint32_t c = u[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return REPLACEMENT;
        c = c << 6 | (u[i] & 0x3F);
    }
    if (c < lowest[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return REPLACEMENT;
    *bytes = n;
    return c;
}

static bool in_ranges(uint32_t c, const uint32_t (*ranges)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

/* Two columns: East Asian Width W and F (Unicode TR 11), in coarse blocks. */
static bool is_wide(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
        {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
        {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
    };
    return in_ranges(c, ranges, ARRAY_SIZE(ranges));
}

/* No column of their own: combining marks, joiners, variation selectors. */
static bool is_combining(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
    };
    return in_ranges(c, ranges, ARRAY_SIZE(ranges));
}

/* What would drive the terminal instead of being shown: C0, DEL, C1, and the
 * controls that turn the direction of text around; and what no XML can hold. */
static bool is_unsafe(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},
        {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFFE, 0xFFFF},
    };
    return in_ranges(c, ranges, ARRAY_SIZE(ranges));
}

static const char *ascii_for(uint32_t c)
{
    static const struct {
        uint32_t c;
        const char *text;
    } table[] = {
        {0x2026, "..."}, {0xB5, "u"},    {0x3BC, "u"},   {0xB1, "+-"},   {0xD7, "x"},
        {0xB7, "-"},     {0x2013, "-"},  {0x2014, "--"}, {0x2018, "'"},  {0x2019, "'"},
        {0x201C, "\""},  {0x201D, "\""}, {0x2190, "<-"}, {0x2192, "->"}, {0x2264, "<="},
        {0x2265, ">="},  {0x2212, "-"},  {0xA0, " "},    {0xE4, "ae"},   {0xF6, "oe"},
        {0xFC, "ue"},    {0xDF, "ss"},   {0xE9, "e"},    {0xE8, "e"},    {0xE0, "a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].c == c)
            return table[i].text;
    return "?";
}

void glyph_at(struct glyph *g, const char *s, size_t len, bool utf8)
{
    *g = (struct glyph){0};
    uint32_t c = decode(s, len, &g->bytes);
    if (c == ' ' || c == '\n' || c == '\t') {
        g->space = true;
        g->text[0] = ' ';
        g->width = 1;
        return;
    }
    if (c == REPLACEMENT || is_unsafe(c)) {
        snprintf(g->text, sizeof(g->text), "%s", utf8 ? "\xEF\xBF\xBD" : "?");
        g->width = 1;
    } else if (c < 0x80 || utf8) {
        memcpy(g->text, s, g->bytes);
        g->wide = is_wide(c);
        g->width = is_combining(c) ? 0 : g->wide ? 2 : 1;
    } else if (!is_combining(c)) {
        snprintf(g->text, sizeof(g->text), "%s", ascii_for(c));
        g->width = (int)strlen(g->text);
    }
}

int glyphs_width(const char *s, size_t len, bool utf8)
{
    int width = 0;
    struct glyph g;
    for (size_t at = 0; at < len; at += g.bytes) {
        glyph_at(&g, s + at, len - at, utf8);
        width += g.width;
    }
    return width;
}

void glyphs_put(struct strbuf *out, const char *s, size_t len, bool utf8)
{
    struct glyph g;
    for (size_t at = 0; at < len; at += g.bytes) {
        glyph_at(&g, s + at, len - at, utf8);
        strbuf_puts(out, g.text);
    }
}

static size_t skip_blanks(const struct wrap *w, size_t at)
{
    while (at < w->len && (w->s[at] == ' ' || w->s[at] == '\n' || w->s[at] == '\t'))
        at++;
    return at;
}

/* Where a row that began at `from` and overflows at `full` had best end. */
struct breaks {
    size_t field, item, space, wide; /* 0: no such place */
    bool field_far;                  /* the row is well filled up to `field` */
};

/* Behind a field; if that leaves the row rather empty, inside its list of items. */
static size_t best_break(const struct breaks *b, size_t full)
{
    if (b->field && (b->field_far || !b->item))
        return b->field;
    if (b->item)
        return b->item;
    size_t at = b->space > b->wide ? b->space : b->wide;
    return at ? at : full;
}

/* Notes that a row may end before the character at `at`, `used` columns into it. */
static void note_break(struct breaks *b, const struct wrap *w, size_t at, const struct glyph *g,
                       int used, int width)
{
    char before = w->s[at - 1];
    if (g->space)
        b->space = at;
    else if (g->wide)
        b->wide = at;
    if (!w->fields)
        return;
    if (g->space && (before == ',' || before == ':')) {
        b->field = at;
        b->field_far = used >= width * 6 / 10;
        b->item = 0;
    } else if (before == ',') {
        b->item = at;
    }
}

bool wrap_next(struct wrap *w, int width, size_t *from, size_t *to)
{
    size_t at = skip_blanks(w, w->at);
    if (at == w->len)
        return false;
    *from = at;
    struct breaks b = {0};
    struct glyph g;
    for (int used = 0; at < w->len; at += g.bytes) {
        glyph_at(&g, w->s + at, w->len - at, w->utf8);
        if (at > *from)
            note_break(&b, w, at, &g, used, width);
        used += g.width;
        if (used > width && at > *from && !g.space) {
            at = best_break(&b, at);
            break;
        }
    }
    w->at = at;
    while (at > *from && (w->s[at - 1] == ' ' || w->s[at - 1] == '\n' || w->s[at - 1] == '\t'))
        at--;
    *to = at;
    return true;
}
