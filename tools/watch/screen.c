#include "watch/screen.h"

#include "report/wrap.h"

void screen_init(struct screen *screen, int width, int height, bool utf8)
{
    *screen = (struct screen){.width = width > 0 ? width : 0,
                              .height = height > 0 ? height : 0,
                              .utf8 = utf8,
                              .cursor_x = -1,
                              .cursor_y = -1};
    screen->rows = xcalloc((size_t)screen->height + 1, sizeof(*screen->rows));
    for (int y = 0; y < screen->height; y++)
        canvas_init(&screen->rows[y], screen->width, utf8);
    screen->marks = xcalloc((size_t)screen->width * (size_t)screen->height + 1, sizeof(bool));
}

void screen_free(struct screen *screen)
{
    for (int y = 0; y < screen->height; y++)
        canvas_free(&screen->rows[y]);
    free(screen->rows);
    free(screen->marks);
    *screen = (struct screen){0};
}

const char *screen_pick(const struct screen *screen, const char *utf8, const char *ascii)
{
    return screen->utf8 ? utf8 : ascii;
}

int screen_put_n(struct screen *screen, int x, int y, int room, enum style style, const char *s,
                 size_t n)
{
    if (y < 0 || y >= screen->height || room <= 0)
        return 0;
    return canvas_put(&screen->rows[y], x, room, style, s, n);
}

int screen_put(struct screen *screen, int x, int y, int room, enum style style, const char *s)
{
    return screen_put_n(screen, x, y, room, style, s, strlen(s));
}

void screen_rule(struct screen *screen, int y)
{
    if (y >= 0 && y < screen->height)
        canvas_fill(&screen->rows[y], 0, screen->width, STYLE_DIM, screen_pick(screen, "─", "-"));
}

int screen_wrap(struct screen *screen, int x, int y, int width, int rows, enum style style,
                const char *s)
{
    struct wrap w = {.s = s, .len = strlen(s), .utf8 = screen->utf8};
    size_t from, to;
    int n = 0, taken = 0;
    if (width <= 0)
        return 0;
    for (; n < rows && wrap_next(&w, width, &from, &to); n++)
        taken = screen_put_n(screen, x, y + n, width, style, s + from, to - from);
    if (n == rows && n > 0 && wrap_next(&w, width, &from, &to)) {
        const char *dots = screen_pick(screen, "…", "...");
        int columns = screen->utf8 ? 1 : 3;
        if (taken > width - columns)
            taken = width - columns;
        screen_put(screen, x + taken, y + n - 1, columns, STYLE_DIM, taken >= 0 ? dots : "");
    }
    return n;
}

void screen_copy(struct screen *screen, int x, int y, const struct canvas *row)
{
    if (y < 0 || y >= screen->height)
        return;
    for (int i = 0; i < row->width && x + i < screen->width; i++)
        screen->rows[y].cells[x + i] = row->cells[i];
}

void screen_mark(struct screen *screen, int x, int y, int width)
{
    if (y < 0 || y >= screen->height)
        return;
    for (int i = x < 0 ? 0 : x; i < x + width && i < screen->width; i++)
        screen->marks[y * screen->width + i] = true;
}

static void put_trimmed(struct strbuf *sb, const struct strbuf *row)
{
    size_t n = row->len;
    while (n > 0 && row->data[n - 1] == ' ')
        n--;
    strbuf_add(sb, strbuf_cstr(row), n);
    strbuf_putc(sb, '\n');
}

void screen_dump(struct strbuf *sb, const struct screen *screen)
{
    for (int y = 0; y < screen->height; y++) {
        struct strbuf text cleanup_strbuf = STRBUF_INIT, marks cleanup_strbuf = STRBUF_INIT;
        bool marked = false;
        for (int x = 0; x < screen->width; x++) {
            bool here = screen->marks[y * screen->width + x];
            strbuf_puts(&text, screen->rows[y].cells[x].text);
            strbuf_putc(&marks, here ? '^' : ' ');
            marked = marked || here;
        }
        put_trimmed(sb, &text);
        if (marked)
            put_trimmed(sb, &marks);
    }
}
