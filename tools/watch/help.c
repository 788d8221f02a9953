/* What keys do. */
#include "watch/watch_parts.h"

static const struct {
    const char *key, *does;
} help[] = {
    {"The ladder", NULL},
    {"up, down, k, j", "the row before, the next one"},
    {"PgUp, PgDn", "a page up, a page down"},
    {"Home, End, g, G", "the first row, the last one"},
    {"n, N", "the next segment that was sent again, lost or damaged, the one before"},
    {"f, F", "the first line that failed, the next one"},
    {"enter, right", "the segment's header, field by field"},
    {"space", "marks a segment; on another one, shows what differs"},
    {"/", "shows only rows with a text (lost, ack 1001, connect), or only packets that a pcap "
          "filter takes (src host server and tcp[13] & 4 != 0)"},
    {"esc", "shows all rows again, and marks nothing"},
    {"q", "ends"},
    {"", NULL},
    {"A segment's header", NULL},
    {"arrows, h, j, k, l", "the field before, the next one"},
    {"tab", "the next header: Ethernet, IP, TCP"},
    {"t", "as a list, or as the RFCs draw it"},
    {"n, N", "the next segment, the one before"},
    {"q, esc", "back to the ladder"},
    {"", NULL},
    {"Two segments", NULL},
    {"a", "all fields, or only those that differ"},
    {"q, esc", "back to the ladder"},
    {"", NULL},
    {"On the ladder", NULL},
    {"\xe2\x86\xbb or r", "sent again"},
    {"\xe2\x89\xa0 or !", "not as the transcript says"},
    {"\xe2\x9c\x97 or X", "lost, or damaged on its way"},
};

void draw_help(struct watch *w, struct screen *screen, int from, int to)
{
    enum { KEYS = 20 };
    int keys = screen->width >= 50 ? KEYS : 0;
    size_t line = 0;
    w->help.n = ARRAY_SIZE(help);
    scroll_fit(&w->help, 1); /* the chosen line is the first one */
    for (size_t i = w->help.at; i < ARRAY_SIZE(help) && from < to; i++, line++) {
        if (!help[i].does) {
            screen_put(screen, 0, from++, screen->width, STYLE_TITLE, help[i].key);
            continue;
        }
        screen_put(screen, keys ? 2 : 0, from, keys ? keys - 1 : screen->width, STYLE_CALL,
                   help[i].key);
        if (!keys)
            from++;
        int x = keys ? keys + 2 : 2;
        from +=
            screen_wrap(screen, x, from, screen->width - x, to - from, STYLE_PLAIN, help[i].does);
    }
}
