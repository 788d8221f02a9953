/* What stands behind `length N`: how often, and what became of it. */

#include "transcript/pattern.h"

const char *const mishap_words[MISHAP_COUNT] = {
#define X(id, word) [MISHAP_##id] = word,
    MISHAPS(X)
#undef X
};

bool reader_range(struct reader *r, struct slice word, const char *hint, unsigned *least,
                  unsigned *most)
{
    struct slice low = word;
    if (low.n && low.at[0] == 'x')
        slice_skip(&low, 1);
    struct slice high = low;
    uint64_t from = 0, to = 0;
    for (size_t i = 0; i + 1 < low.n; i++)
        if (low.at[i] == '.' && low.at[i + 1] == '.') {
            high = (struct slice){low.at + i + 2, low.n - i - 2};
            low.n = i;
        }
    if (!slice_number(low, PATTERN_MAX_LINES, &from) ||
        !slice_number(high, PATTERN_MAX_LINES, &to)) {
        reader_complain(r, word, hint, "a repetition is a number up to %d", PATTERN_MAX_LINES);
        return false;
    }
    if (to < from) {
        reader_complain(r, word, hint, "more at the low end than at the high");
        return false;
    }
    *least = (unsigned)from;
    *most = (unsigned)to;
    return true;
}

static void read_repeat(struct reader *r, struct slice word, struct pattern_item *item)
{
    unsigned least, most;
    if (!reader_range(r, word, "`x6`, or `x2..6`", &least, &most))
        return;
    if (least == 0) {
        reader_complain(r, word, "`?` marks a line that may be absent; `x1..6 ?` is 0 to 6 times",
                        "0 times is never");
        return;
    }
    item->least = least;
    item->most = most;
}

static bool is_repeat(struct slice word)
{
    return word.n > 1 && word.at[0] == 'x' && word.at[1] >= '0' && word.at[1] <= '9';
}

/* `50ms`, or `12ms..62ms` where it depends on how many wait. */
static bool read_travel(struct slice text, struct pattern_item *item)
{
    size_t low = parse_duration(text.at, text.n, &item->travel);
    item->travel_most = item->travel;
    if (low && low + 2 < text.n && memcmp(text.at + low, "..", 2) == 0) {
        slice_skip(&text, low + 2);
        low = parse_duration(text.at, text.n, &item->travel_most);
    }
    return low && low == text.n && item->travel <= item->travel_most &&
           item->travel_most <= TIMING_LONGEST;
}

static bool read_arrives(struct reader *r, struct slice *before, struct slice word,
                         struct pattern_item *item)
{
    struct slice rest = *before, arrives = slice_last_word(&rest);
    if (word.n < 2 || word.at[0] != '+' || !slice_is(arrives, "arrives"))
        return false;
    if (!read_travel((struct slice){word.at + 1, word.n - 1}, item))
        reader_complain(r, word, "`arrives +50ms`", "this is no duration with its unit");
    item->fate = FATE_ARRIVES;
    item->fate_text = (struct slice){arrives.at, (size_t)(word.at + word.n - arrives.at)};
    *before = rest;
    return true;
}

static bool has(const struct pattern_item *item, enum mishap m)
{
    return item->mishaps >> m & 1;
}

/* `overtaken by 2` */
static bool read_overtaken(struct reader *r, struct slice *before, struct slice word,
                           struct pattern_item *item)
{
    struct slice rest = *before, by = slice_last_word(&rest), overtaken = slice_last_word(&rest);
    uint64_t n = 0;
    if (has(item, MISHAP_OVERTAKEN) || !slice_is(by, "by") || !slice_is(overtaken, "overtaken"))
        return false;
    if (!slice_number(word, PATTERN_MAX_LINES, &n) || n == 0)
        reader_complain(r, word, "`overtaken by 1`",
                        "by how many segments is a number from 1 to %d", PATTERN_MAX_LINES);
    item->mishaps |= 1u << MISHAP_OVERTAKEN;
    item->overtaken = (unsigned)n;
    item->mishap_text[MISHAP_OVERTAKEN] =
        (struct slice){overtaken.at, (size_t)(word.at + word.n - overtaken.at)};
    *before = rest;
    return true;
}

static bool read_mishap(struct slice word, struct pattern_item *item)
{
    for (int i = MISHAP_OVERTAKEN + 1; i < MISHAP_COUNT; i++) {
        if (!slice_is(word, mishap_words[i]) || has(item, (enum mishap)i))
            continue;
        item->mishaps |= 1u << i;
        item->mishap_text[i] = word;
        return true;
    }
    return false;
}

bool reader_is_tail(struct slice word)
{
    struct pattern_item unused = {0};
    return slice_is(word, "lost") || slice_is(word, "?") || is_repeat(word) ||
           slice_starts(word, "+") || read_mishap(word, &unused);
}

/* One word, or two or three that belong together, off the end of *body. */
static bool read_one(struct reader *r, struct slice *body, bool *repeated,
                     struct pattern_item *item)
{
    struct slice before = *body, word = slice_last_word(&before);
    if (slice_is(word, "lost") && item->fate == FATE_PLAIN) {
        item->fate = FATE_IS_LOST;
        item->fate_text = word;
    } else if (slice_is(word, "?") && !item->optional) {
        item->optional = true;
    } else if (is_repeat(word) && !*repeated) {
        *repeated = true;
        read_repeat(r, word, item);
    } else if (!read_mishap(word, item) && !read_overtaken(r, &before, word, item) &&
               (item->fate != FATE_PLAIN || !read_arrives(r, &before, word, item))) {
        return false;
    }
    *body = before;
    return true;
}

/* What cannot be so together. */
static void check_tail(struct reader *r, const struct pattern_item *item)
{
    for (int i = 0; i < MISHAP_COUNT; i++) {
        if (!has(item, (enum mishap)i))
            continue;
        if (item->fate == FATE_IS_LOST)
            reader_complain(r, item->mishap_text[i], "a segment is either lost or arrives",
                            "what is lost does not arrive, and cannot be %s", mishap_words[i]);
        else if (i != MISHAP_INJECTED && has(item, MISHAP_INJECTED))
            reader_complain(r, item->mishap_text[i], NULL,
                            "what nobody sent was not under way, and cannot be %s",
                            mishap_words[i]);
    }
    if (has(item, MISHAP_INJECTED) && item->fate == FATE_ARRIVES)
        reader_complain(r, item->fate_text, NULL,
                        "what nobody sent has no moment from which it could arrive later");
}

void reader_tail(struct reader *r, struct slice *body, struct pattern_item *item)
{
    bool repeated = false;
    while (read_one(r, body, &repeated, item))
        ;
    check_tail(r, item);
    if (item->optional && item->least > 1)
        reader_complain(r, *body, "`x1..6 ?` is 0 to 6 times",
                        "a line that may be absent repeats from 1");
}
