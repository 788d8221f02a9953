#include "lab/verbs.h"

#include <ctype.h>
#include <string.h>

#include "base/memory.h"

const struct verb verbs[VERB_COUNT] = {
#define X(id, name, signature, help) [VERB_##id] = {name, signature, help, 1},
    HOST_VERBS(X)
#undef X
#define X(id, name, signature, help) [VERB_##id] = {name, signature, help, 0},
        STAGE_VERBS(X)
#undef X
};

const struct wire_form wire_forms[WIRE_FORM_COUNT] = {
#define X(id, word, usage, help) [WIRE_FORM_##id] = {word, usage, help},
    WIRE_FORMS(X)
#undef X
};

static const struct wire_word {
    const char *word, *help;
} wire_words[] = {
#define X(word, help) {word, help},
    WIRE_WORDS(X)
#undef X
};

static const char *const kind_names[] = {
    [ARG_HOST] = "host",         [ARG_PORT] = "port",     [ARG_NUMBER] = "number",
    [ARG_SIZE] = "size",         [ARG_STRING] = "string", [ARG_DATA] = "data",
    [ARG_DURATION] = "duration", [ARG_VALUE] = "value",   [ARG_WORD] = "word",
    [ARG_REST] = "rest",
};
_Static_assert(ARRAY_SIZE(kind_names) == ARG_REST + 1, "every kind of argument has its name");

int verb_next_slot(const char **signature, struct verb_slot *slot)
{
    const char *s = *signature;
    *slot = (struct verb_slot){.kind = ARG_WORD};
    while (*s == ' ')
        s++;
    if (!*s)
        return 0;
    if (*s == '?') {
        slot->optional = 1;
        s++;
    }
    size_t len = strcspn(s, " ");
    *signature = s + len;
    if (*s == '\'') {
        slot->literal = s + 1;
        slot->literal_len = len - 2;
        return 1;
    }
    if (memchr(s, '|', len)) {
        slot->literal = s;
        slot->literal_len = len;
        slot->choice = 1;
        return 1;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
        if (strlen(kind_names[i]) == len && memcmp(kind_names[i], s, len) == 0)
            slot->kind = (enum arg_kind)i;
    return 1;
}

static void put_upper(struct strbuf *out, const char *s)
{
    for (; *s; s++)
        strbuf_putc(out, (char)toupper((unsigned char)*s));
}

/* Choices too many to write out in a usage. */
static int is_long(const struct verb_slot *slot)
{
    return slot->choice && slot->literal_len > 40;
}

static void put_slot(struct strbuf *out, const struct verb *verb, const struct verb_slot *slot)
{
    if (is_long(slot))
        strbuf_puts(out, verb == &verbs[VERB_INFO] ? "FIELD" : "OPTION");
    else if (slot->literal)
        strbuf_add(out, slot->literal, slot->literal_len);
    else if (slot->kind == ARG_DATA)
        strbuf_puts(out, "\"TEXT\" | N bytes");
    else if (slot->kind == ARG_STRING)
        strbuf_puts(out, "\"TEXT\"");
    else if (slot->kind == ARG_REST)
        strbuf_puts(out, "COMMAND…");
    else
        put_upper(out, kind_names[slot->kind]);
}

void verb_usage(struct strbuf *out, const struct verb *verb)
{
    strbuf_puts(out, verb->name);
    if (verb == &verbs[VERB_WAIT_PACKETS])
        strbuf_puts(out, " FROM > TO [FLAGS] [xN]");
    if (verb == &verbs[VERB_WIRE])
        strbuf_puts(out, " [ACTION] FROM > TO …");
    const char *signature = verb->signature;
    struct verb_slot slot;
    int optional = 0;
    while (verb_next_slot(&signature, &slot)) {
        strbuf_putc(out, ' ');
        if (slot.optional)
            strbuf_putc(out, '[');
        optional |= slot.optional;
        put_slot(out, verb, &slot);
    }
    if (optional)
        strbuf_putc(out, ']');
}

/* The help, with the choices that the usage leaves out. */
static void put_help(struct strbuf *out, const struct verb *verb)
{
    strbuf_puts(out, verb->help);
    const char *signature = verb->signature;
    struct verb_slot slot;
    while (verb_next_slot(&signature, &slot)) {
        if (!is_long(&slot))
            continue;
        const char *separator = ": ";
        for (size_t i = 0, n; i < slot.literal_len; i += n + 1) {
            n = strcspn(slot.literal + i, "| ");
            strbuf_printf(out, "%s%.*s", separator, (int)n, slot.literal + i);
            separator = ", ";
        }
    }
}

/* `|` separates the cells of a Markdown table, so it must be escaped there. */
static void put_cell(struct strbuf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '|')
            strbuf_putc(out, '\\');
        strbuf_putc(out, *s);
    }
}

static void put_row(struct strbuf *out, const char *before, const char *usage, const char *help)
{
    strbuf_printf(out, "| `%s", before);
    put_cell(out, usage);
    strbuf_puts(out, "` | ");
    put_cell(out, help);
    strbuf_puts(out, " |\n");
}

/* Words in indented lines of at most 80 bytes. */
static void put_wrapped(struct strbuf *out, const char *words)
{
    size_t column = 80;
    while (*words) {
        size_t n = strcspn(words, " ");
        int breaks = column + 1 + n > 80;
        strbuf_printf(out, "%s%.*s", breaks ? "\n      " : " ", (int)n, words);
        column = (breaks ? 6 : column + 1) + n;
        words += n + (words[n] == ' ');
    }
    strbuf_putc(out, '\n');
}

static void put_item(struct strbuf *out, const char *before, const char *usage, const char *help)
{
    strbuf_printf(out, "  %s%s", before, usage);
    put_wrapped(out, help);
}

typedef void put_fn(struct strbuf *out, const char *before, const char *usage, const char *help);

static void put_verbs(struct strbuf *out, put_fn *put, int on_host)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (verbs[i].on_host != on_host)
            continue;
        struct strbuf usage cleanup_strbuf = STRBUF_INIT;
        verb_usage(&usage, &verbs[i]);
        struct strbuf help cleanup_strbuf = STRBUF_INIT;
        put_help(&help, &verbs[i]);
        put(out, on_host ? "HOST " : "", strbuf_cstr(&usage), strbuf_cstr(&help));
    }
}

static void put_wire(struct strbuf *out, put_fn *put)
{
    for (size_t i = 0; i < WIRE_FORM_COUNT; i++)
        put(out, "", wire_forms[i].usage, wire_forms[i].help);
    for (size_t i = 0; i < ARRAY_SIZE(wire_words); i++)
        put(out, "", wire_words[i].word, wire_words[i].help);
}

void verbs_reference(struct strbuf *out, int markdown)
{
    static const char rule[] = " | what it does |\n|---|---|\n";
    put_fn *put = markdown ? put_row : put_item;
    strbuf_puts(out, "Calls, which a host makes:\n\n");
    if (markdown)
        strbuf_printf(out, "| call%s", rule);
    put_verbs(out, put, 1);
    strbuf_puts(out, "\nSteps of the stage:\n\n");
    if (markdown)
        strbuf_printf(out, "| step%s", rule);
    put_verbs(out, put, 0);
    strbuf_puts(out, "\nForms of `wire`, and their words:\n\n");
    if (markdown)
        strbuf_printf(out, "| form%s", rule);
    put_wire(out, put);
}
