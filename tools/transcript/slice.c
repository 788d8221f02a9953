#include "transcript/slice.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct slice slice_trim(struct slice s)
{
    while (s.n && blank(s.at[0]))
        slice_skip(&s, 1);
    while (s.n && blank(s.at[s.n - 1]))
        s.n--;
    return s;
}

struct slice slice_word(struct slice *rest)
{
    while (rest->n && blank(rest->at[0]))
        slice_skip(rest, 1);
    struct slice word = {rest->at, 0};
    while (word.n < rest->n && !blank(rest->at[word.n]))
        word.n++;
    slice_skip(rest, word.n);
    return word;
}

struct slice slice_last_word(struct slice *rest)
{
    *rest = slice_trim(*rest);
    size_t from = rest->n;
    while (from && !blank(rest->at[from - 1]))
        from--;
    struct slice word = {rest->at + from, rest->n - from};
    rest->n = from;
    *rest = slice_trim(*rest);
    return word;
}

size_t slice_find(struct slice s, char c)
{
    const char *p = s.n ? memchr(s.at, c, s.n) : NULL;
    return p ? (size_t)(p - s.at) : s.n;
}

struct slice slice_until_comma(struct slice *rest)
{
    size_t depth = 0, i = 0;
    for (; i < rest->n; i++) {
        char c = rest->at[i];
        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth)
            depth--;
        else if (c == ',' && depth == 0)
            break;
    }
    struct slice part = {rest->at, i};
    slice_skip(rest, i < rest->n ? i + 1 : i);
    return part;
}

bool slice_number(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!digit(s.at[i]))
            return false;
        unsigned d = (unsigned)(s.at[i] - '0');
        if (d > max || value > (max - d) / 10)
            return false;
        value = value * 10 + d;
    }
    *out = value;
    return true;
}

bool slice_is_name(struct slice s)
{
    if (s.n == 0 || !letter(s.at[0]))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!letter(s.at[i]) && !digit(s.at[i]) && s.at[i] != '_' && s.at[i] != '-')
            return false;
    return true;
}

bool slice_is_rest(struct slice s)
{
    return slice_is(s, "…") || slice_is(s, "...");
}

bool slice_glob(struct slice glob, struct slice word)
{
    size_t g = 0, w = 0, star = glob.n, mark = 0;
    while (w < word.n) {
        if (g < glob.n && glob.at[g] == '*') {
            star = g++;
            mark = w;
        } else if (g < glob.n && glob.at[g] == word.at[w]) {
            g++;
            w++;
        } else if (star < glob.n) {
            g = star + 1;
            w = ++mark;
        } else {
            return false;
        }
    }
    while (g < glob.n && glob.at[g] == '*')
        g++;
    return g == glob.n;
}
