/* `wire`: what a step asks of the cable between two hosts.
 *
 * The word behind `wire` chooses the form; where an arrow stands behind that word, it
 * is a host and the line sets properties, so that a host may be named like an action.
 * In each form FROM > TO stands next; wire_check.c finds the network that joins them. */
#include <ctype.h>
#include <netinet/tcp.h>

#include "lab/parser.h"

/* --------------------------------------------------------------- directions */

static bool is_arrow(const struct token *t)
{
    return token_is(t, ">") || token_is(t, "<>");
}

static bool has_two_ends(struct parser *p, const struct lab_wire *w, const struct token *to)
{
    if (w->from < 0 || w->to < 0)
        return false;
    if (w->from != w->to)
        return true;
    complain(p, to->span, "a wire lies between two hosts", "a host has no wire to itself");
    return false;
}

/* FROM > TO, or FROM <> TO where the form is of properties. */
static bool parse_ends(struct parser *p, struct lab_wire *w)
{
    const struct token *from = need(p, "the sender");
    if (!from)
        return false;
    w->from = value_host(p, from);
    if (w->from < 0 && !is_arrow(peek(p)))
        return false;
    if (w->kind != LAB_WIRE_PROPERTIES && token_is(peek(p), "<>")) {
        complain(p, peek(p)->span, "say it of each direction, with `>`",
                 "only properties are given to both directions at once");
        return false;
    }
    w->both = accept_word(p, "<>");
    if (!w->both && !need_word(p, ">"))
        return false;
    const struct token *to = need(p, "the receiver");
    if (!to)
        return false;
    w->to = value_host(p, to);
    return has_two_ends(p, w, to);
}

/* -------------------------------------------------------------- which frames */

/* The first n bytes of a token, or those from `from` on; the whole place where a
 * `vary` value stands in it. */
static struct token part_of(const struct token *t, size_t from, size_t n)
{
    struct token part = *t;
    part.text += from;
    part.len = n;
    if (t->span.to - t->span.from == t->len)
        part.span = (struct span){t->span.from + from, t->span.from + from + n};
    return part;
}

static bool value_count(struct parser *p, const struct token *t, unsigned *out)
{
    int64_t n;
    if (!value_number(p, t, "number of a frame", 1, LAB_MAX_FRAMES, &n))
        return false;
    *out = (unsigned)n;
    return true;
}

static size_t leading_digits(const struct token *t)
{
    return t->plain ? strspn(t->text, "0123456789") : 0;
}

static const char *ordinal_suffix(unsigned n)
{
    unsigned last = n % 10;
    bool teen = n / 10 % 10 == 1;
    return teen || last == 0 || last > 3 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : "rd";
}

/* `every 3rd`, `every 3`. */
static bool parse_every(struct parser *p, struct wire_pick *pick)
{
    const struct token *t = need(p, "the number");
    size_t digits = t ? leading_digits(t) : 0;
    if (!t)
        return false;
    struct token number = digits ? part_of(t, 0, digits) : *t;
    if (!value_count(p, &number, &pick->every))
        return false;
    const char *suffix = ordinal_suffix(pick->every);
    if (t->len == digits || strcmp(t->text + digits, suffix) == 0)
        return true;
    char buffer[64];
    cleanup_free char *hint = xasprintf("it is `every %u%s`", pick->every, suffix);
    complain(p, t->span, hint, "%s is no number of a frame", shown(p, t, buffer));
    return false;
}

/* `3`, `3..5`. */
static bool parse_range(struct parser *p, const struct token *t, struct wire_pick *pick)
{
    size_t n = leading_digits(t);
    if (strncmp(t->text + n, "..", 2) != 0) {
        bool good = value_count(p, t, &pick->first);
        pick->last = pick->first;
        return good;
    }
    struct token low = part_of(t, 0, n), high = part_of(t, n + 2, t->len - n - 2);
    if (high.len == 0 || strspn(high.text, "0123456789") != high.len) {
        complain(p, t->span, "two whole numbers, such as 2..5", "this is no range");
        return false;
    }
    if (!value_count(p, &low, &pick->first) || !value_count(p, &high, &pick->last))
        return false;
    if (pick->first <= pick->last)
        return true;
    complain(p, t->span, "two whole numbers, such as 2..5", "the range ends before it begins");
    return false;
}

/* Without any word of it: the first. */
static bool parse_count(struct parser *p, struct wire_pick *pick)
{
    pick->first = 1;
    pick->last = 1;
    if (accept_word(p, "all")) {
        pick->last = 0;
        return true;
    }
    if (accept_word(p, "every")) {
        pick->first = 0;
        pick->last = 0;
        return parse_every(p, pick);
    }
    const struct token *t = peek(p);
    if (!t || leading_digits(t) == 0)
        return true;
    p->at++;
    return parse_range(p, t, pick);
}

static bool parse_seq(struct parser *p, struct wire_pick *pick)
{
    const struct token *t = need(p, "the sequence number");
    int64_t n;
    if (!t || !value_number(p, t, "relative sequence number", 0, UINT32_MAX, &n))
        return false;
    pick->kind = WIRE_PICK_SEQ;
    pick->seq = (uint32_t)n;
    return true;
}

static bool parse_kind(struct parser *p, const struct token *t, struct wire_pick *pick)
{
    static const char *const words[] = {[WIRE_PICK_ANY] = "any",
                                        [WIRE_PICK_FLAGS] = "[FLAGS]",
                                        [WIRE_PICK_DATA] = "data",
                                        [WIRE_PICK_ACK] = "ack",
                                        [WIRE_PICK_SEQ] = "seq"};
    if (t->string && t->len == 0) {
        complain(p, t->span, "`any` means every frame", "an empty filter says not which frames");
        return false;
    }
    if (t->string) {
        pick->kind = WIRE_PICK_FILTER;
        struct strbuf filter cleanup_strbuf = STRBUF_INIT;
        bool good = value_filter(p, t, &filter);
        pick->filter = strbuf_steal(&filter);
        return good;
    }
    if (t->plain && t->text[0] == '[') {
        pick->kind = WIRE_PICK_FLAGS;
        return value_flags(p, t, &pick->flags);
    }
    if (token_is(t, "seq"))
        return parse_seq(p, pick);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (token_is(t, words[i])) {
            pick->kind = (enum wire_pick_kind)i;
            return true;
        }
    }
    char buffer[64];
    const char *near = closest_name(t->text, t->len, words, ARRAY_SIZE(words));
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near)
             : xstrdup("[FLAGS], data, ack, any, seq N or a pcap filter in double quotes; a number "
                       "stands behind it");
    complain(p, t->span, hint, "%s says not which frames", shown(p, t, buffer));
    return false;
}

static bool parse_which(struct parser *p, struct wire_pick *pick)
{
    if (at_tail(p)) {
        size_t end = p->tokens.at[p->at - 1].span.to;
        complain(p, ((struct span){end, end}), p->usage, "it is not said which frames");
        return false;
    }
    return parse_kind(p, need(p, ""), pick) && parse_count(p, pick);
}

/* -------------------------------------------------- rules: what stands behind */

static bool parse_by(struct parser *p, struct wire_rule *rule)
{
    const struct token *t = need_word(p, "by") ? need(p, "the duration") : NULL;
    return t && value_duration(p, t, &rule->delay);
}

static bool parse_until(struct parser *p, struct wire_rule *rule)
{
    int64_t n;
    const struct token *t = need_word(p, "until") ? need(p, "the number of frames") : NULL;
    if (!t || !value_number(p, t, "number of frames", 1, LAB_MAX_FRAMES, &n))
        return false;
    rule->more = (unsigned)n;
    return need_word(p, "more");
}

static bool take_one_more(struct parser *p, struct wire_rule *rule)
{
    (void)p;
    rule->more = 1;
    return true;
}

static bool parse_ce(struct parser *p, struct wire_rule *rule)
{
    (void)rule;
    return need_word(p, "ce");
}

static bool parse_option(struct parser *p, struct wire_rule *rule)
{
    static const struct {
        const char *word;
        unsigned kind;
    } options[] = {{"mss", TCPOPT_MAXSEG},
                   {"wscale", TCPOPT_WINDOW},
                   {"sackOK", TCPOPT_SACK_PERMITTED},
                   {"TS", TCPOPT_TIMESTAMP}};
    const struct token *t = need(p, "the option");
    rule->rewrite = WIRE_REWRITE_WITHOUT;
    for (size_t i = 0; t && i < ARRAY_SIZE(options); i++) {
        if (token_is(t, options[i].word)) {
            rule->value = options[i].kind;
            return true;
        }
    }
    char buffer[64];
    if (t)
        complain(p, t->span, "one of mss, wscale, sackOK and TS",
                 "%s is no option that the wire can take away", shown(p, t, buffer));
    return false;
}

static bool parse_rewrite(struct parser *p, struct wire_rule *rule)
{
    const struct token *word = need(p, "what to rewrite");
    if (!word)
        return false;
    if (token_is(word, "without"))
        return parse_option(p, rule);
    if (!token_is(word, "win") && !token_is(word, "mss")) {
        char buffer[64];
        complain(p, word->span, p->usage, "%s is nothing that the wire rewrites",
                 shown(p, word, buffer));
        return false;
    }
    const struct token *t = need(p, "the value");
    int64_t n;
    if (!t || !value_number(p, t, "value of 16 bits", 0, UINT16_MAX, &n))
        return false;
    rule->rewrite = token_is(word, "win") ? WIRE_REWRITE_WINDOW : WIRE_REWRITE_MSS;
    rule->value = (unsigned)n;
    return true;
}

static const struct rule_form {
    enum wire_action action;
    bool (*behind)(struct parser *p, struct wire_rule *rule);
} rule_forms[] = {
    [WIRE_FORM_DROP] = {WIRE_DROP, NULL},
    [WIRE_FORM_CORRUPT] = {WIRE_CORRUPT, NULL},
    [WIRE_FORM_DUPLICATE] = {WIRE_DUPLICATE, NULL},
    [WIRE_FORM_DELAY] = {WIRE_DELAY, parse_by},
    [WIRE_FORM_HOLD] = {WIRE_HOLD, parse_until},
    [WIRE_FORM_SWAP] = {WIRE_HOLD, take_one_more},
    [WIRE_FORM_MARK] = {WIRE_MARK, parse_ce},
    [WIRE_FORM_REWRITE] = {WIRE_REWRITE, parse_rewrite},
};

/* ------------------------------------------------------------------- inject */

/* The host of HOST.PORT, of which len bytes of the token are left. */
static int segment_host(struct parser *p, const struct token *t, size_t len)
{
    const char *dot = memchr(t->text, '.', len);
    if (!dot || dot == t->text + len - 1) {
        complain(p, t->span, "such as client.port or server.1234", "a port is missing");
        return -1;
    }
    size_t n = (size_t)(dot - t->text);
    cleanup_free char *name = xstrndup(t->text, n);
    struct token host = {.text = name, .len = n, .span = t->span, .plain = t->plain};
    if (t->span.to - t->span.from > n && memcmp(p->text + t->span.from, name, n) == 0)
        host.span.to = host.span.from + n;
    return value_host(p, &host);
}

/* The line as written from here on; `FROM.PORT > TO.PORT:` is all that is looked at. */
static bool parse_segment(struct parser *p, struct lab_wire *w)
{
    const struct token *from = need(p, "the segment");
    if (!from)
        return false;
    w->from = segment_host(p, from, from->len);
    if (w->from < 0 || !need_word(p, ">"))
        return false;
    const struct token *to = need(p, "the receiver");
    if (!to)
        return false;
    if (to->len == 0 || to->text[to->len - 1] != ':') {
        complain(p, ((struct span){to->span.to, to->span.to}), p->usage, "a `:` is missing here");
        return false;
    }
    w->to = segment_host(p, to, to->len - 1);
    if (!has_two_ends(p, w, to))
        return false;
    if (at_tail(p)) {
        complain(p, ((struct span){to->span.to, to->span.to}), p->usage,
                 "what the segment holds is missing");
        return false;
    }
    while (!at_tail(p))
        p->at++;
    w->segment_span = (struct span){from->span.from, p->tokens.at[p->at - 1].span.to};
    w->segment = xstrndup(p->text + w->segment_span.from, w->segment_span.to - from->span.from);
    return true;
}

/* --------------------------------------------------------------------- forms */

static enum wire_form_id unknown_form(struct parser *p, const struct token *t)
{
    const char *names[WIRE_FORM_COUNT + LAB_MAX_HOSTS];
    size_t n = 0;
    for (size_t i = 0; i < WIRE_FORM_PROPERTIES; i++)
        names[n++] = wire_forms[i].word;
    vec_each (&p->lab->hosts, h)
        names[n++] = h->name;
    char buffer[64];
    const char *near = closest_name(t->text, t->len, names, n);
    cleanup_free char *hint = near ? xasprintf("did you mean \"%s\"?", near)
                                   : xstrdup("`tcplab verbs` lists what a wire does");
    complain(p, t->span, hint, "%s is nothing that a wire does, and no host", shown(p, t, buffer));
    return WIRE_FORM_COUNT;
}

static enum wire_form_id find_form(struct parser *p)
{
    const struct token *t = need(p, "what to do"), *next = peek(p);
    if (!t)
        return WIRE_FORM_COUNT;
    for (size_t i = 0; i < WIRE_FORM_PROPERTIES && !is_arrow(next); i++)
        if (token_is(t, wire_forms[i].word))
            return (enum wire_form_id)i;
    if (!is_arrow(next) && lab_find_host(p->lab, t->text, t->len) < 0)
        return unknown_form(p, t);
    p->at--;
    return token_is(next, "<>") ? WIRE_FORM_BOTH : WIRE_FORM_PROPERTIES;
}

bool parse_wire(struct parser *p, struct lab_wire *w)
{
    enum wire_form_id form = find_form(p);
    w->net = -1;
    if (form == WIRE_FORM_COUNT)
        return false;
    p->usage = wire_forms[form].usage;
    if (form == WIRE_FORM_INJECT) {
        w->kind = LAB_WIRE_INJECT;
        return parse_segment(p, w);
    }
    if (form == WIRE_FORM_PROPERTIES || form == WIRE_FORM_BOTH) {
        w->kind = LAB_WIRE_PROPERTIES;
        return parse_ends(p, w) && parse_wire_properties(p, &w->properties);
    }
    if (form == WIRE_FORM_CLEAR) {
        w->kind = LAB_WIRE_CLEAR;
        return parse_ends(p, w);
    }
    const struct rule_form *rule = &rule_forms[form];
    w->kind = LAB_WIRE_RULE;
    w->rule.action = rule->action;
    return parse_ends(p, w) && parse_which(p, &w->rule.pick) &&
           (!rule->behind || rule->behind(p, &w->rule));
}
