#include "transcript/pair.h"

#include <stdlib.h>

#include "base/memory.h"

static bool separates(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == '[' || c == ']' || c == '{' ||
           c == '}';
}

/* The word at the front of a line (n 0: a separator stands there); a string is one. */
static size_t word_length(struct slice line)
{
    if (line.n && line.at[0] == '"') {
        size_t n = 1;
        while (n < line.n && line.at[n] != '"')
            n += line.at[n] == '\\' && n + 1 < line.n ? 2 : 1;
        return n < line.n ? n + 1 : n;
    }
    size_t n = 0;
    while (n < line.n && !separates(line.at[n]) && (n == 0 || line.at[n] != '"'))
        n++;
    return n;
}

/* Takes a word apart; false if it is no pair. */
static bool split(struct slice word, struct slice *four, struct slice *six, struct slice *colon)
{
    if (word.n == 0 || word.at[0] == '"')
        return false;
    *colon = (struct slice){word.at + word.n, 0};
    if (word.at[word.n - 1] == ':')
        *colon = (struct slice){word.at + --word.n, 1};
    size_t bar = slice_find(word, '|');
    *four = (struct slice){word.at, bar};
    *six = (struct slice){word.at + bar, 0};
    if (bar + 1 < word.n)
        *six = (struct slice){word.at + bar + 1, word.n - bar - 1};
    for (size_t i = 0; i < word.n; i++)
        if (strchr("()'", word.at[i]) || word.at[i] == '\0')
            return false;
    return four->n && six->n && slice_find(*six, '|') == six->n && four->at[0] != '#' &&
           six->at[0] != '#'; /* which would make a comment of the line */
}

/* ------------------------------------------------------------------- choosing */

struct chooser {
    struct strbuf text;
    VEC(size_t) offsets;
    const char *base;
    unsigned ip;
    bool any;
};

static void keep(struct chooser *c, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        vec_push(&c->offsets, (size_t)(s.at - c->base) + i);
    strbuf_add(&c->text, s.at, s.n);
}

static void choose_in_line(struct chooser *c, struct slice line)
{
    if (slice_starts(slice_trim(line), "#")) {
        keep(c, line);
        return;
    }
    while (line.n) {
        struct slice word = {line.at, word_length(line)}, four, six, colon;
        if (word.n == 0)
            word.n = 1;
        if (split(word, &four, &six, &colon)) {
            keep(c, c->ip == 6 ? six : four);
            keep(c, colon);
            c->any = true;
        } else {
            keep(c, word);
        }
        slice_skip(&line, word.n);
    }
}

bool pairs_choose(struct pair_text *out, struct slice source, unsigned ip)
{
    struct chooser c = {.base = source.at, .ip = ip};
    struct slice rest = source;
    *out = (struct pair_text){0};
    if (slice_find(source, '|') == source.n)
        return false;
    while (rest.n) {
        size_t n = slice_find(rest, '\n');
        choose_in_line(&c, (struct slice){rest.at, n});
        slice_skip(&rest, n);
        if (rest.n) {
            keep(&c, (struct slice){rest.at, 1});
            slice_skip(&rest, 1);
        }
    }
    vec_push(&c.offsets, source.n);
    out->len = c.text.len;
    out->text = strbuf_steal(&c.text);
    out->offsets = c.offsets.at;
    if (c.any)
        return true;
    pairs_free(out);
    return false;
}

void pairs_free(struct pair_text *text)
{
    free(text->text);
    free(text->offsets);
    *text = (struct pair_text){0};
}

/* -------------------------------------------------------------------- merging */

static bool put_pair(struct strbuf *out, struct slice four, struct slice six)
{
    size_t from = out->len;
    bool colon = four.n > 1 && six.n > 1 && four.at[four.n - 1] == ':' && six.at[six.n - 1] == ':';
    strbuf_add(out, four.at, four.n - colon);
    strbuf_putc(out, '|');
    strbuf_add(out, six.at, six.n);
    struct slice whole = {out->data + from, out->len - from}, a, b, c;
    /* Whether it is read as it was meant. */
    return split(whole, &a, &b, &c) && word_length(whole) == whole.n && a.n == four.n - colon &&
           b.n == six.n - colon;
}

bool pairs_merge(struct strbuf *out, struct slice four, struct slice six)
{
    size_t from = out->len;
    bool good = true;
    while (good && (four.n || six.n)) {
        struct slice a = {four.at, word_length(four)}, b = {six.at, word_length(six)}, x, y, z;
        if (a.n == 0 && b.n == 0 && four.n && six.n) {
            good = four.at[0] == six.at[0];
            a.n = b.n = 1;
            strbuf_add(out, a.at, 1);
        } else if (slice_equal(a, b)) {
            good = a.n > 0 && !split(a, &x, &y, &z);
            strbuf_add(out, a.at, a.n);
        } else {
            good = a.n && b.n && put_pair(out, a, b);
        }
        slice_skip(&four, a.n);
        slice_skip(&six, b.n);
    }
    if (!good)
        strbuf_truncate(out, from);
    return good;
}
