/* Steps: `ACTOR [as NAME] VERB ARGUMENTS [within DURATION] [=> RESULT] [&]`, and
 * the steps of the stage, which have no actor.
 *
 * What stands behind the arguments is the same everywhere: see tail.c.  A step is
 * added only when its whole line was right; a line with a mistake still counts for
 * `too many steps` and `no steps`, so that one mistake gives one message. */
#include <ctype.h>

#include "lab/parser.h"

static void keep(struct parser *p, struct lab_step *s, bool good)
{
    p->saw_step = true;
    if (good && p->lab->steps.n == LAB_MAX_STEPS) {
        if (!p->too_many_steps)
            complain(p, p->line, NULL, "more than %d steps", LAB_MAX_STEPS);
        p->too_many_steps = true;
        good = false;
    }
    if (!good) {
        lab_free_step(s);
        return;
    }
    s->span = (struct span){p->tokens.at[0].span.from, p->tokens.at[p->tokens.n - 1].span.to};
    s->text = xstrndup(p->text + s->span.from, s->span.to - s->span.from);
    vec_push(&p->lab->steps, *s);
}

static struct lab_arg *add_arg(struct lab_step *s, enum arg_kind kind, const struct token *t)
{
    struct lab_arg *a = vec_add(&s->args);
    a->kind = kind;
    a->host = -1;
    a->span = t->span;
    a->text = xmemdup(t->text, t->len + 1);
    a->len = t->len;
    return a;
}

/* ---------------------------------------------------------------- arguments */

/* `"text"` or `N bytes`. */
static bool parse_data(struct parser *p, const struct token *t, struct lab_step *s)
{
    if (t->string) {
        struct lab_arg *a = add_arg(s, ARG_DATA, t);
        a->number = (int64_t)a->len;
        return true;
    }
    if (!isdigit((unsigned char)t->text[0])) {
        complain(p, t->span, "a text in double quotes, or a number of `bytes`",
                 "this is nothing to send");
        return false;
    }
    int64_t n;
    if (!value_number(p, t, "number of bytes", 1, LAB_MAX_DATA, &n) || !need_word(p, "bytes"))
        return false;
    struct lab_arg *a = add_arg(s, ARG_DATA, t);
    a->span.to = p->tokens.at[p->at - 1].span.to;
    free(a->text);
    a->text = NULL;
    a->len = 0;
    a->number = n;
    return true;
}

static bool parse_choice(struct parser *p, const struct token *t, const struct verb_slot *slot)
{
    char buffer[64];
    cleanup_free char *choices = xstrndup(slot->literal, slot->literal_len);
    const char *words[32];
    size_t n = 0;
    struct strbuf all cleanup_strbuf = STRBUF_INIT;
    char *rest = choices;
    for (char *word; n < ARRAY_SIZE(words) && (word = strsep(&rest, "|"));) {
        if (!*word)
            continue;
        if (token_is(t, word))
            return true;
        strbuf_printf(&all, n ? ", %s" : "it is one of %s", word);
        words[n++] = word;
    }
    const char *near = closest_name(t->text, t->len, words, n);
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near) : xstrdup(strbuf_cstr(&all));
    complain(p, t->span, hint, "%s is no word that can stand here", shown(p, t, buffer));
    return false;
}

static bool is_clean_word(struct parser *p, const struct token *t)
{
    char buffer[64];
    bool good = t->plain && t->len > 0;
    for (size_t i = 0; good && i < t->len; i++)
        good = isalnum((unsigned char)t->text[i]) || strchr("_-", t->text[i]);
    if (!good)
        complain(p, t->span, p->usage, "here stands %s instead of a word", shown(p, t, buffer));
    return good;
}

static bool parse_number_arg(struct parser *p, const struct token *t, enum arg_kind kind,
                             struct lab_step *s)
{
    int64_t n;
    if (kind == ARG_PORT   ? !value_number(p, t, "port", 1, 65535, &n)
        : kind == ARG_SIZE ? !value_number(p, t, "number of bytes", 1, LAB_MAX_DATA, &n)
                           : !value_number(p, t, "number", INT32_MIN, INT32_MAX, &n))
        return false;
    add_arg(s, kind, t)->number = n;
    return true;
}

/* What `set` gives the option that stands before it. */
static bool parse_value(struct parser *p, const struct token *t, struct lab_step *s)
{
    if (strcmp(s->args.at[0].text, CONGESTION_OPTION) != 0)
        return parse_number_arg(p, t, ARG_NUMBER, s);
    if (!is_clean_word(p, t))
        return false;
    add_arg(s, ARG_WORD, t);
    return true;
}

/* One argument that begins with token t. */
static bool parse_arg(struct parser *p, const struct token *t, const struct verb_slot *slot,
                      struct lab_step *s)
{
    nsec duration = 0;
    int host = -1;
    switch (slot->kind) {
    case ARG_HOST:
        host = value_host(p, t);
        if (host < 0)
            return false;
        add_arg(s, ARG_HOST, t)->host = host;
        return true;
    case ARG_PORT:
    case ARG_NUMBER:
    case ARG_SIZE:
        return parse_number_arg(p, t, slot->kind, s);
    case ARG_VALUE:
        return parse_value(p, t, s);
    case ARG_DATA:
        return parse_data(p, t, s);
    case ARG_DURATION:
        if (!value_duration(p, t, &duration))
            return false;
        add_arg(s, ARG_DURATION, t)->duration = duration;
        return true;
    case ARG_STRING:
        if (t->string) {
            add_arg(s, ARG_STRING, t);
            return true;
        }
        complain(p, t->span, p->usage, "a text stands in double quotes");
        return false;
    case ARG_WORD:
        if (slot->choice ? !parse_choice(p, t, slot) : !is_clean_word(p, t))
            return false;
        add_arg(s, ARG_WORD, t);
        return true;
    case ARG_REST:
        add_arg(s, ARG_REST, t);
        return true;
    }
    return false;
}

static const char *slot_name(const struct verb_slot *slot)
{
    static const char *const names[] = {
        [ARG_HOST] = "the host's name",     [ARG_PORT] = "the port",   [ARG_NUMBER] = "the number",
        [ARG_SIZE] = "the number of bytes", [ARG_STRING] = "the text", [ARG_DATA] = "what to send",
        [ARG_DURATION] = "the duration",    [ARG_VALUE] = "the value", [ARG_WORD] = "the word",
        [ARG_REST] = "the command",
    };
    return names[slot->kind];
}

static bool parse_args(struct parser *p, const char *signature, struct lab_step *s)
{
    struct verb_slot slot;
    while (verb_next_slot(&signature, &slot)) {
        if (at_tail(p)) {
            if (slot.optional)
                return true;
            size_t end = p->tokens.at[p->at - 1].span.to;
            complain(p, ((struct span){end, end}), p->usage, "%s is missing", slot_name(&slot));
            return false;
        }
        const struct token *t = need(p, "");
        if (slot.literal && !slot.choice) {
            cleanup_free char *word = xstrndup(slot.literal, slot.literal_len);
            p->at--;
            if (!need_word(p, word))
                return false;
        } else if (!parse_arg(p, t, &slot, s)) {
            return false;
        }
    }
    return true;
}

/* -------------------------------------------------------------------- calls */

static void unknown_verb(struct parser *p, const struct token *t)
{
    const char *names[VERB_COUNT];
    size_t n = 0;
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (verbs[i].on_host)
            names[n++] = verbs[i].name;
    char buffer[64];
    const char *near = closest_name(t->text, t->len, names, n);
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near) : xstrdup("`tcplab verbs` lists them all");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (!verbs[i].on_host && token_is(t, verbs[i].name)) {
            free(hint);
            hint = xasprintf("`%s` begins its line: it is no call of a host", verbs[i].name);
            break;
        }
    }
    complain(p, t->span, hint, "unknown verb %s", shown(p, t, buffer));
}

void parse_call(struct parser *p, int host)
{
    struct lab_step s = {.host = host, .verb = VERB_COUNT};
    p->usage = "ACTOR [as NAME] VERB ARGUMENTS [within DURATION] [=> RESULT] [&]";
    p->saw_step = true;
    if (accept_word(p, "as")) {
        const struct token *as = need(p, "the connection's name");
        if (!as || !value_name(p, as, "connection"))
            return;
        s.as = xstrdup(as->text);
    }
    const struct token *t = need(p, "the verb");
    for (size_t i = 0; t && i < VERB_COUNT; i++)
        if (verbs[i].on_host && token_is(t, verbs[i].name))
            s.verb = (enum verb_id)i;
    if (!t || s.verb == VERB_COUNT) {
        if (t)
            unknown_verb(p, t);
        lab_free_step(&s);
        return;
    }
    struct strbuf usage cleanup_strbuf = STRBUF_INIT;
    strbuf_printf(&usage, "%s ", p->lab->hosts.at[host].name);
    verb_usage(&usage, &verbs[s.verb]);
    p->usage = strbuf_cstr(&usage);
    bool good = parse_args(p, verbs[s.verb].signature, &s) && parse_tail(p, &s);
    keep(p, &s, good);
    p->usage = NULL;
}

/* ----------------------------------------------------- steps of the stage */

static bool parse_wait_packets(struct parser *p, struct lab_step *s)
{
    const struct token *from = need(p, "the sender"), *to;
    s->wait.count = 1;
    s->wait.from = value_host(p, from);
    if (s->wait.from < 0 && !token_is(peek(p), ">"))
        return false;
    if (!need_word(p, ">") || !(to = need(p, "the receiver")))
        return false;
    s->wait.to = value_host(p, to);
    bool good = s->wait.from >= 0 && s->wait.to >= 0;
    if (peek(p) && peek(p)->plain && peek(p)->text[0] == '[')
        good = value_flags(p, need(p, "the flags"), &s->wait.flags) && good;
    const struct token *t = peek(p);
    if (t && t->plain && t->text[0] == 'x' && isdigit((unsigned char)t->text[1])) {
        struct token digits = *t;
        digits.text++;
        digits.len--;
        int64_t n;
        p->at++;
        if (!value_number(p, &digits, "count", 1, 1000000, &n))
            return false;
        s->wait.count = (unsigned)n;
    }
    return good;
}

/* A shell's operator that stands alone without quotes would only be an argument. */
static bool is_operator(const struct token *t)
{
    static const char *const operators[] = {"|", "||", "&&", ";", "<", ">", ">>", "2>", "2>&1"};
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (token_is(t, operators[i]))
            return true;
    return false;
}

/* In a command only `=>`, a last `&` and `within DURATION` before them are not its own. */
static bool at_run_tail(const struct parser *p)
{
    size_t left = p->tokens.n - p->at;
    const struct token *t = peek(p);
    if (!t || token_is(t, "=>") || (left == 1 && token_is(t, "&")))
        return true;
    if (!token_is(t, "within") || (left > 1 && !isdigit((unsigned char)t[1].text[0])))
        return false;
    return left <= 2 || token_is(t + 2, "=>") || token_is(t + 2, "&");
}

static bool parse_run(struct parser *p, struct lab_step *s)
{
    const struct verb_slot host = {.kind = ARG_HOST}, rest = {.kind = ARG_REST};
    const struct token *t = need(p, "the host's name");
    if (!t || !parse_arg(p, t, &host, s))
        return false;
    while (!at_run_tail(p)) {
        t = need(p, "");
        if (memchr(t->text, '\0', t->len)) {
            complain(p, t->span, NULL, "a NUL byte in a command");
            return false;
        }
        if (is_operator(t)) {
            complain(p, t->span, "quote it, or run a shell: sh -c \"…\"",
                     "`run` starts a program; there is no shell that would understand this");
            return false;
        }
        parse_arg(p, t, &rest, s);
    }
    if (s->args.n > 1)
        return true;
    complain(p, ((struct span){t->span.to, t->span.to}), p->usage, "the command is missing");
    return false;
}

void parse_stage_step(struct parser *p)
{
    const struct token *word = &p->tokens.at[0];
    struct lab_step s = {.host = -1};
    bool wait_time = token_is(word, "wait") && peek(p) && isdigit((unsigned char)peek(p)->text[0]);
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (!verbs[i].on_host && token_is(word, verbs[i].name))
            s.verb = (enum verb_id)i;
    if (wait_time)
        s.verb = VERB_WAIT_TIME;
    struct strbuf usage cleanup_strbuf = STRBUF_INIT;
    verb_usage(&usage, &verbs[s.verb]);
    if (s.verb == VERB_WAIT_PACKETS)
        strbuf_puts(&usage, " [within DURATION], or wait DURATION");
    p->usage = strbuf_cstr(&usage);
    bool good;
    if (s.verb == VERB_WAIT_PACKETS && at_tail(p))
        good = need(p, "what to wait for") && false;
    else if (s.verb == VERB_WAIT_PACKETS)
        good = parse_wait_packets(p, &s);
    else if (s.verb == VERB_RUN)
        good = parse_run(p, &s);
    else if (s.verb == VERB_WIRE)
        good = parse_wire(p, &s.wire);
    else
        good = parse_args(p, verbs[s.verb].signature, &s);
    keep(p, &s, good && parse_tail(p, &s));
    p->usage = NULL;
}
