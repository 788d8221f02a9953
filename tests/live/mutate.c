#include "mutate.h"

#include <ctype.h>

#include "base/memory.h"
#include "base/strbuf.h"

static const char *const names[MUTATION_COUNT] = {
    [MUTATE_FLAGS] = "flags",   [MUTATE_SEQ] = "seq",       [MUTATE_ACK] = "ack",
    [MUTATE_WIN] = "win",       [MUTATE_LENGTH] = "length", [MUTATE_INTERVAL] = "interval",
    [MUTATE_RESULT] = "result", [MUTATE_DELETE] = "delete", [MUTATE_REPEAT] = "repeat",
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
    return strstr(line, " > ") != NULL;
}

/* The number behind `key` plus one; of a pair, the first number of either half. */
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
        return xasprintf("%.*s%lu%s", (int)(at - line), line, n + 1, end);
    unsigned long six = strtoul(bar + 1, &rest, 10);
    return xasprintf("%.*s%lu%.*s%lu%s", (int)(at - line), line, n + 1, (int)(bar + 1 - end), end,
                     six + 1, rest);
}

static char *change_flags(const char *line)
{
    const char *open = strstr(line, "Flags [");
    if (!open)
        return NULL;
    open += strlen("Flags [");
    const char *close = strchr(open, ']');
    return xasprintf("%.*s%s%s", (int)(open - line), line, *open == 'R' ? "F" : "R", close);
}

/* Where an interval stands, or would stand: behind the label. */
static const char *behind_label(const char *line)
{
    const char *colon = strchr(line, ':'), *blank = strchr(line, ' ');
    bool label = colon && blank == colon + 1 &&
                 (strstr(blank, " > ") || blank[1] == '+' || strchr(blank + 1, ':'));
    return label ? colon + 2 : line;
}

static char *change_interval(const char *line)
{
    const char *at = behind_label(line), *rest = at;
    if (strncmp(line, "link ", 5) == 0)
        return NULL;
    if (strncmp(line, "quiet ", 6) == 0)
        return xstrdup("quiet 60m");
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
    const char *body = behind_label(line);
    if (body == line)
        return false;
    cleanup_free char *since = xasprintf(" after %.*s ", (int)(body - line - 2), line);
    return strstr(text, since) != NULL;
}

char *mutate(const char *text, size_t number, enum mutation m)
{
    const char *line = text;
    for (size_t i = 1; i < number && line; i++) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line || !*line)
        return NULL;
    line += strspn(line, " ");
    size_t len = strcspn(line, "\n");
    if (!mutation_applies_to(line, len))
        return NULL;
    cleanup_free char *old = xstrndup(line, len);
    if (m == MUTATE_DELETE && is_timed_from(text, old))
        return NULL;
    cleanup_free char *new = change_line(old, m);
    if (!new)
        return NULL;
    struct strbuf out = STRBUF_INIT;
    strbuf_add(&out, text, (size_t)(line - text));
    strbuf_puts(&out, new);
    strbuf_puts(&out, line + len);
    return strbuf_steal(&out);
}
