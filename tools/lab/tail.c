/* What stands behind the arguments of a step, the same for every verb:
 * `[within DURATION] [=> RESULT] [&]`.  Refuses what the verb cannot have. */
#include "base/errno.h"
#include "base/number.h"
#include "base/tcp_state.h"
#include "lab/parser.h"

bool at_tail(const struct parser *p)
{
    const struct token *t = peek(p);
    return !t || token_is(t, "=>") || token_is(t, "&") || token_is(t, "within");
}

static bool is_number(const struct token *t)
{
    return t->plain && t->len && strspn(t->text, "0123456789") == t->len;
}

static bool parse_state(struct parser *p, const struct token *t)
{
    if (t->plain && tcp_state_from_name(t->text, t->len) != TCP_STATE_NONE)
        return true;
    char buffer[64];
    const char *near =
        closest_name(t->text, t->len, tcp_state_names + 1, ARRAY_SIZE(tcp_state_names) - 1);
    cleanup_free char *hint = near ? xasprintf("did you mean %s?", near)
                                   : xstrdup("such as ESTABLISHED, CLOSE-WAIT or TIME-WAIT");
    complain(p, t->span, hint, "%s is no state of TCP", shown(p, t, buffer));
    return false;
}

static bool parse_ca_state(struct parser *p, const struct token *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(tcp_ca_state_names); i++)
        if (token_is(t, tcp_ca_state_names[i]))
            return true;
    char buffer[64];
    complain(p, t->span, "it is one of Open, Disorder, CWR, Recovery, Loss",
             "%s is no state of congestion control", shown(p, t, buffer));
    return false;
}

static bool parse_errno_or_word(struct parser *p, const struct token *t, struct lab_step *s)
{
    struct lab_result *r = &s->result;
    int e = errno_from_name(t->text, t->len);
    if (e) {
        r->kind = RESULT_ERRNO;
        r->number = e;
        return true;
    }
    if (s->verb == VERB_STATE) {
        r->kind = RESULT_WORD;
        return parse_state(p, t);
    }
    if (s->verb == VERB_INFO && strcmp(s->args.at[0].text, CA_STATE_FIELD) == 0) {
        r->kind = RESULT_WORD;
        return parse_ca_state(p, t);
    }
    char buffer[64];
    const char *near = errno_closest(t->text, t->len);
    cleanup_free char *hint =
        near ? xasprintf("did you mean %s?", near)
             : xstrdup(
                   "a result is a number, a range such as 40..60, a \"text\", or an error such as "
                   "ECONNREFUSED");
    complain(p, t->span, hint,
             t->text[0] == 'E' ? "%s is no error of this system" : "%s is no result",
             shown(p, t, buffer));
    return false;
}

/* `40..60` */
static bool is_number_range(const struct token *t)
{
    size_t low = t->plain ? strspn(t->text, "0123456789") : 0;
    size_t high =
        low && strncmp(t->text + low, "..", 2) == 0 ? strspn(t->text + low + 2, "0123456789") : 0;
    return high && low + 2 + high == t->len;
}

static bool parse_number_range(struct parser *p, const struct token *t, struct lab_result *r)
{
    if (range_of_numbers(t->text, &r->number, &r->most))
        return true;
    complain(p, t->span, "such as 40..60, the smaller one first",
             "the range ends before it begins, or its numbers are too large");
    return false;
}

static bool parse_result(struct parser *p, struct lab_step *s)
{
    struct lab_result *r = &s->result;
    size_t arrow = p->tokens.at[p->at - 1].span.to;
    if (r->kind != RESULT_NONE) {
        complain(p, p->tokens.at[p->at - 1].span, NULL, "a step has one result");
        return false;
    }
    if (at_tail(p)) {
        complain(p, ((struct span){arrow, arrow}),
                 "a number, a \"text\", an error such as ECONNREFUSED, or a state",
                 "the result is missing");
        return false;
    }
    const struct token *t = need(p, "the result");
    r->span = t->span;
    r->text = xmemdup(t->text, t->len + 1);
    r->len = t->len;
    if (s->verb == VERB_RUN) {
        r->kind = RESULT_NUMBER;
        bool good = value_number(p, t, "exit status", 0, 255, &r->number);
        r->most = r->number;
        return good;
    }
    if (t->string) {
        r->kind = RESULT_STRING;
        return true;
    }
    if (is_number(t)) {
        r->kind = RESULT_NUMBER;
        bool good = value_number(p, t, "result", 0, INT64_MAX, &r->number);
        r->most = r->number;
        return good;
    }
    if (is_number_range(t)) {
        r->kind = RESULT_NUMBER;
        return parse_number_range(p, t, r);
    }
    return parse_errno_or_word(p, t, s);
}

static bool parse_within(struct parser *p, struct lab_step *s)
{
    struct span word = p->tokens.at[p->at - 1].span;
    if (s->within) {
        complain(p, word, NULL, "a step has one limit");
        return false;
    }
    if (at_tail(p)) {
        complain(p, ((struct span){word.to, word.to}), "such as `within 40s`",
                 "the duration is missing");
        return false;
    }
    return value_duration(p, need(p, "the duration"), &s->within);
}

bool parse_tail(struct parser *p, struct lab_step *s)
{
    bool calls = verbs[s->verb].on_host || s->verb == VERB_RUN;
    while (peek(p)) {
        const struct token *t = peek(p);
        if (accept_word(p, "within")) {
            if (s->verb == VERB_WAIT_TIME) {
                complain(p, t->span, NULL, "a wait for a duration has no limit");
                return false;
            }
            if (s->verb == VERB_WIRE) {
                complain(p, t->span, NULL, "a step of the wire takes no time: it has no limit");
                return false;
            }
            if (!parse_within(p, s))
                return false;
        } else if (calls && accept_word(p, "=>")) {
            if (!parse_result(p, s))
                return false;
        } else if (calls && accept_word(p, "&")) {
            s->background = true;
            return need_end(p);
        } else if (token_is(t, "=>") || token_is(t, "&")) {
            complain(p, t->span, p->usage,
                     *t->text == '&' ? "this step cannot be left running"
                                     : "this step has no result");
            return false;
        } else {
            return need_end(p);
        }
    }
    return true;
}
