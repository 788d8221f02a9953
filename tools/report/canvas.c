#include "report/canvas.h"

#include <string.h>

#include "report/wrap.h"

void canvas_init(struct canvas *c, int width, bool utf8)
{
    c->width = width > 0 ? width : 0;
    c->utf8 = utf8;
    c->cells = xcalloc((size_t)c->width + 1, sizeof(*c->cells));
    canvas_clear(c);
}

void canvas_free(struct canvas *c)
{
    free(c->cells);
    c->cells = NULL;
}

void canvas_clear(struct canvas *c)
{
    for (int x = 0; x < c->width; x++)
        c->cells[x] = (struct cell){.text = " "};
}

int canvas_put(struct canvas *c, int x, int room, enum style style, const char *s, size_t n)
{
    struct glyph g;
    int begin = x, end = x + room < c->width ? x + room : c->width;
    for (size_t at = 0; at < n; at += g.bytes) {
        glyph_at(&g, s + at, n - at, c->utf8);
        if (x < 0 || x + g.width > end)
            break;
        size_t len = strlen(g.text);
        if (g.width == 0) {
            /* A combining mark joins what stands before it, if both fit there. */
            char *before = x > begin ? c->cells[x - 1].text : NULL;
            if (before && *before && strlen(before) + len < sizeof(c->cells->text))
                memcpy(before + strlen(before), g.text, len + 1);
            continue;
        }
        /* Where ASCII stands for another character it may take several cells. */
        for (int i = 0; i < g.width; i++) {
            struct cell *cell = &c->cells[x + i];
            *cell = (struct cell){.style = style};
            if ((int)len == g.width)
                cell->text[0] = g.text[i];
            else if (i == 0)
                memcpy(cell->text, g.text, len + 1);
        }
        x += g.width;
    }
    return x - begin;
}

void canvas_fill(struct canvas *c, int from, int to, enum style style, const char *glyph)
{
    for (int x = from; x < to; x++)
        canvas_put(c, x, 1, style, glyph, strlen(glyph));
}

void canvas_flush(const struct canvas *c, struct text *t)
{
    int width = c->width;
    while (width > 0 && strcmp(c->cells[width - 1].text, " ") == 0)
        width--;
    for (int x = 0; x < width;) {
        cleanup_strbuf struct strbuf run = STRBUF_INIT;
        enum style style = c->cells[x].style;
        for (; x < width && c->cells[x].style == style; x++)
            strbuf_puts(&run, c->cells[x].text);
        text_put_n(t, style, strbuf_cstr(&run), run.len);
    }
    strbuf_putc(t->out, '\n');
}
