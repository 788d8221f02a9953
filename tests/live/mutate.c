#include "mutate.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/strbuf.h"

static const char *const names[MUTATION_COUNT] = {
    [MUTATE_FLAGS] = "flags",       [MUTATE_SEQ] = "seq",         [MUTATE_ACK] = "ack",
    [MUTATE_WIN] = "win",           [MUTATE_LENGTH] = "length",   [MUTATE_INTERVAL] = "interval",
    [MUTATE_LOST] = "lost",         [MUTATE_ARRIVES] = "arrives", [MUTATE_OVERTAKEN] = "overtaken",
    [MUTATE_IN_TURN] = "in turn",   [MUTATE_TWICE] = "twice",     [MUTATE_DAMAGED] = "damaged",
    [MUTATE_MARKED] = "marked",     [MUTATE_ECN] = "ecn",         [MUTATE_REWRITTEN] = "rewritten",
    [MUTATE_INJECTED] = "injected", [MUTATE_DOUBLE] = "double",   [MUTATE_RESULT] = "result",
    [MUTATE_DELETE] = "delete",     [MUTATE_REPEAT] = "repeat",   [MUTATE_MORE] = "more",
};

const char *mutation_name(enum mutation m)
{
    return names[m];
}

static bool ends_with(const char *line, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len >= n && memcmp(line + len - n, end, n) == 0;
}

bool mutation_applies_to(const char *line, size_t len)
{
    return len > 0 && line[0] != '#' && !ends_with(line, len, " ?") && !ends_with(line, len, "{") &&
           !ends_with(line, len, "}");
}

static bool is_segment(const char *line)
{
    return strstr(line, " > ") || strstr(line, "ARP, ");
}

/* One more, or one less where a field of 16 bits ends. */
static unsigned long other_number(unsigned long n)
{
    return n == 65535 ? n - 1 : n + 1;
}

/* Another number behind `key`; of a pair, the first number of either half. */
static char *grow_number(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    if (!at || !isdigit((unsigned char)at[strlen(key)]))
        return NULL;
    at += strlen(key);
    char *end, *rest;
    unsigned long n = strtoul(at, &end, 10);
    const char *bar = end + strcspn(end, "| ,");
    if (*bar != '|' || !isdigit((unsigned char)bar[1]))
        return xasprintf("%.*s%lu%s", (int)(at - line), line, other_number(n), end);
    unsigned long six = strtoul(bar + 1, &rest, 10);
    return xasprintf("%.*s%lu%.*s%lu%s", (int)(at - line), line, other_number(n),
                     (int)(bar + 1 - end), end, other_number(six), rest);
}

/* A reset has no `win ~`. */
static char *change_flags(const char *line)
{
    const char *open = strstr(line, "Flags [");
    if (!open)
        return NULL;
    open += strlen("Flags [");
    const char *close = strchr(open, ']');
    bool fin = *open == 'R' || strstr(line, " win ~");
    return xasprintf("%.*s%s%s", (int)(open - line), line, fin ? "F" : "R", close);
}

static size_t label_length(const char *line)
{
    const char *colon = strchr(line, ':'), *blank = strchr(line, ' ');
    bool label = colon && blank == colon + 1 &&
                 (strstr(blank, " > ") || blank[1] == '+' || strchr(blank + 1, ':'));
    return label && strncmp(line, "ipv", 3) != 0 ? (size_t)(colon - line) : 0;
}

/* Behind the label: where `ipv4:` or `ipv6:` may stand. */
static const char *find_version(const char *line)
{
    size_t n = label_length(line);
    return n ? line + n + 1 + strspn(line + n + 1, " ") : line;
}

/* Whether the line is of the other version only. */
static bool is_apart(const char *line, unsigned ip)
{
    return strncmp(find_version(line), ip == 6 ? "ipv4:" : "ipv6:", 5) == 0;
}

/* Where an interval stands, or would stand: behind label and version. */
static const char *behind_label(const char *line)
{
    const char *at = find_version(line);
    if (strncmp(at, "ipv4:", 5) == 0 || strncmp(at, "ipv6:", 5) == 0)
        at += 5 + strspn(at + 5, " ");
    return at;
}

static char *change_interval(const char *line)
{
    const char *at = behind_label(line), *rest = at;
    if (strncmp(line, "link ", 5) == 0)
        return NULL;
    const char *quiet = strncmp(line, "quiet ", 6) == 0 ? line : strstr(line, ": quiet ");
    if (quiet)
        return xasprintf("%.*squiet 60m", (int)(quiet - line) + (*quiet == ':' ? 2 : 0), line);
    if (*at == '+')
        rest = at + strcspn(at, " ") + 1;
    const char *other = strncmp(at, "+1s", 3) == 0 ? "+3s" : "+5s";
    return xasprintf("%.*s%s %s", (int)(at - line), line, other, rest);
}

static char *change_result(const char *line)
{
    const char *arrow = strstr(line, "=> ");
    return arrow ? xasprintf("%.*s=> EBADF", (int)(arrow - line), line) : NULL;
}

/* Where a word stands behind the fields, with the blank before it; NULL: nowhere. */
static const char *find_word(const char *line, const char *word)
{
    cleanup_free char *key = xasprintf(" %s", word);
    const char *length = strstr(line, " length "), *at = length ? length : line;
    while ((at = strstr(at, key))) {
        char next = at[strlen(key)];
        if (next == '\0' || next == ' ')
            return at;
        at++;
    }
    return NULL;
}

/* Without the word and the `more` words behind it; `instead` may be "". */
static char *replace_word(const char *line, const char *word, unsigned more, const char *instead)
{
    const char *at = find_word(line, word), *rest = at;
    for (unsigned i = 0; at && i <= more; i++)
        rest += 1 + strcspn(rest + 1, " ");
    return at ? xasprintf("%.*s%s%s", (int)(at - line), line, instead, rest) : NULL;
}

static char *double_it(const char *line)
{
    static const char *const words[] = {"lost",    "arrives", "overtaken", "twice",
                                        "damaged", "marked",  "rewritten", "injected"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (find_word(line, words[i]))
            return NULL;
    return strstr(line, "at ") == line || strstr(line, ": at ") ? NULL
                                                                : xasprintf("%s twice", line);
}

/* What became of it. */
static char *change_fate(const char *line, enum mutation m)
{
    static const struct {
        const char *word, *instead;
        unsigned more;
    } changes[MUTATION_COUNT] = {
        [MUTATE_LOST] = {"lost", "", 0},
        [MUTATE_ARRIVES] = {"arrives", " arrives +9s", 1},
        [MUTATE_IN_TURN] = {"overtaken", "", 2},
        [MUTATE_TWICE] = {"twice", "", 0},
        [MUTATE_DAMAGED] = {"damaged", " lost", 0},
        [MUTATE_MARKED] = {"marked", "", 0},
        [MUTATE_ECN] = {"ECT(0)", "", 0},
        [MUTATE_REWRITTEN] = {"rewritten", "", 0},
        [MUTATE_INJECTED] = {"injected", "", 0},
    };
    if (m == MUTATE_DOUBLE)
        return double_it(line);
    if (m == MUTATE_OVERTAKEN)
        return grow_number(line, " overtaken by ");
    bool lost_already =
        m == MUTATE_DAMAGED && (find_word(line, "arrives") || find_word(line, "overtaken"));
    return changes[m].word && !lost_already
               ? replace_word(line, changes[m].word, changes[m].more, changes[m].instead)
               : NULL;
}

static char *change_line(const char *line, enum mutation m)
{
    if (m == MUTATE_RESULT)
        return change_result(line);
    if (m == MUTATE_DELETE)
        return is_segment(line) ? xstrdup("") : NULL;
    if (m == MUTATE_INTERVAL)
        return change_interval(line);
    if (!is_segment(line))
        return NULL;
    if (m >= MUTATE_LOST && m <= MUTATE_DOUBLE)
        return change_fate(line, m);
    if (m == MUTATE_REPEAT) {
        const char *body = behind_label(line);
        return xasprintf("%s\n%s", line, body);
    }
    static const char *const keys[MUTATION_COUNT] = {
        [MUTATE_SEQ] = " seq ",
        [MUTATE_ACK] = " ack ",
        [MUTATE_WIN] = " win ",
        [MUTATE_LENGTH] = " length ",
    };
    return m == MUTATE_FLAGS ? change_flags(line) : grow_number(line, keys[m]);
}

/* Without the line that another is timed from, the text is no transcript. */
static bool is_timed_from(const char *text, const char *line)
{
    cleanup_free char *since = xasprintf(" after %.*s ", (int)label_length(line), line);
    return label_length(line) && strstr(text, since) != NULL;
}

/* `mix 100..2000 {` */
static bool opens_mix(const char *line)
{
    return strncmp(line + strspn(line, " "), "mix ", 4) == 0;
}

static char *change_mix(const char *line)
{
    const char *most = strstr(line, "..");
    return xasprintf("mix %lu {", strtoul(most ? most + 2 : line + 4, NULL, 10) + 1);
}

char *mutate(const char *text, size_t number, enum mutation m, unsigned ip)
{
    const char *line = text;
    bool in_mix = false;
    for (size_t i = 1; i < number && line; i++) {
        in_mix = (in_mix || opens_mix(line)) && line[strspn(line, " ")] != '}';
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line || !*line)
        return NULL;
    line += strspn(line, " ");
    size_t len = strcspn(line, "\n");
    bool is_mix = opens_mix(line);
    if (is_mix != (m == MUTATE_MORE) || in_mix || (!is_mix && !mutation_applies_to(line, len)))
        return NULL;
    cleanup_free char *old = xstrndup(line, len);
    if (is_apart(old, ip))
        return NULL;
    if (m == MUTATE_DELETE && is_timed_from(text, old))
        return NULL;
    cleanup_free char *new = is_mix ? change_mix(old) : change_line(old, m);
    if (!new)
        return NULL;
    struct strbuf out = STRBUF_INIT;
    strbuf_add(&out, text, (size_t)(line - text));
    strbuf_puts(&out, new);
    strbuf_puts(&out, line + len);
    return strbuf_steal(&out);
}
