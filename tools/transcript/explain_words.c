/* How a packet is called in a sentence. */
#include "transcript/explain_parts.h"

#include <stdio.h>

const char *const explain_nouns[] = {
    [NOUN_SYN] = "SYN",      [NOUN_SYN_ACK] = "SYN-ACK",   [NOUN_RESET] = "reset",
    [NOUN_FIN] = "FIN",      [NOUN_DATA] = "data segment", [NOUN_ACK] = "ACK",
    [NOUN_OTHER] = "packet",
};

bool explain_has_flag(const struct pattern_item *line, char flag)
{
    struct slice flags = line->fields[FIELD_FLAGS].value;
    return slice_find(flags, flag) < flags.n;
}

enum noun explain_noun(const struct pattern_item *line)
{
    struct slice length = line->fields[FIELD_LENGTH].value;
    if (line->kind != ITEM_SEGMENT)
        return NOUN_OTHER;
    if (explain_has_flag(line, 'S'))
        return explain_has_flag(line, '.') ? NOUN_SYN_ACK : NOUN_SYN;
    if (explain_has_flag(line, 'R'))
        return NOUN_RESET;
    if (explain_has_flag(line, 'F'))
        return NOUN_FIN;
    if (explain_has_flag(line, 'P') || (length.n && !slice_is(length, "0")))
        return NOUN_DATA;
    return explain_has_flag(line, '.') ? NOUN_ACK : NOUN_OTHER;
}

const char *explain_ordinal(size_t n, char *room, size_t size)
{
    static const char *const words[] = {"",      "first",   "second", "third", "fourth", "fifth",
                                        "sixth", "seventh", "eighth", "ninth", "tenth"};
    if (n < ARRAY_SIZE(words))
        return words[n];
    const char *end = n % 100 / 10 == 1 ? "th"
                      : n % 10 == 1     ? "st"
                      : n % 10 == 2     ? "nd"
                      : n % 10 == 3     ? "rd"
                                        : "th";
    snprintf(room, size, "%zu%s", n, end);
    return room;
}

/* Of which number of its kind, from its sender, the packet at `at` is. */
size_t explain_number(const struct explanation *x, size_t at)
{
    const struct pattern_item *line = &x->seen[at].line;
    size_t n = 0;
    for (size_t i = 0; i <= at; i++) {
        const struct pattern_item *other = &x->seen[i].line;
        n += explain_noun(other) == explain_noun(line) &&
             x->seen[i].s->flow == x->seen[at].s->flow && x->seen[i].s->dir == x->seen[at].s->dir;
    }
    return n;
}

/* "the second SYN", "the server's FIN". */
void explain_put_packet(struct strbuf *sb, const struct explanation *x, size_t at)
{
    char room[32];
    const struct pattern_item *line = &x->seen[at].line;
    if (line->kind != ITEM_SEGMENT) {
        strbuf_puts(sb, "this packet");
        return;
    }
    size_t n = explain_number(x, at);
    enum noun noun = explain_noun(line);
    if (n == 1 && noun != NOUN_SYN && noun != NOUN_DATA)
        strbuf_printf(sb, "%.*s's %s", (int)line->from.host.n, line->from.host.at,
                      explain_nouns[noun]);
    else
        strbuf_printf(sb, "the %s %s", explain_ordinal(n, room, sizeof(room)), explain_nouns[noun]);
}

/* Where the kind before `at` was sent, -1: it is the first. */
long explain_before(const struct explanation *x, size_t at)
{
    for (size_t i = at; i-- > 0;)
        if (explain_noun(&x->seen[i].line) == explain_noun(&x->seen[at].line) &&
            x->seen[i].s->flow == x->seen[at].s->flow && x->seen[i].s->dir == x->seen[at].s->dir)
            return (long)i;
    return -1;
}

const struct field_diff *explain_find_diff(const struct explanation *x, const char *field)
{
    vec_each (&x->line->diffs, d)
        if (strcmp(d->field, field) == 0)
            return d;
    return NULL;
}
