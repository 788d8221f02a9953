/* `sysctl`, `requires`, `vary`, `limit` and `long`. */
#include <ctype.h>
#include <inttypes.h>

#include "lab/parser.h"

void parse_sysctl(struct parser *p)
{
    bool optional = token_is(&p->tokens.at[0], "sysctl?");
    const struct token *t = need(p, "the host");
    int host = t ? value_host(p, t) : -1;
    const struct token *key = t ? need(p, "the key") : NULL;
    if (!key || !value_sysctl_key(p, key) || !need(p, "the value"))
        return;
    struct strbuf value cleanup_strbuf = STRBUF_INIT;
    for (size_t i = p->at - 1; i < p->tokens.n; i++) {
        const struct token *word = &p->tokens.at[i];
        for (size_t k = 0; k < word->len; k++) {
            if (iscntrl((unsigned char)word->text[k])) {
                complain(p, word->span, NULL, "a sysctl's value has no control characters");
                return;
            }
        }
        if (value.len)
            strbuf_putc(&value, ' ');
        strbuf_add(&value, word->text, word->len);
    }
    if (host < 0)
        return;
    struct lab_sysctl *s = vec_add(&p->lab->sysctls);
    *s = (struct lab_sysctl){host, xstrdup(key->text), strbuf_steal(&value), optional, p->line};
}

/* "6.5", "6.5.0": numbers with dots between them. */
static bool is_version(const struct token *t)
{
    size_t digits = 0, dots = 0;
    for (size_t i = 0; i < t->len; i++) {
        if (t->text[i] == '.') {
            if (digits == 0)
                return false;
            dots++;
            digits = 0;
        } else if (!isdigit((unsigned char)t->text[i]) || ++digits > 4) {
            return false;
        }
    }
    return t->plain && digits && dots <= 2;
}

static bool is_program(const struct token *t)
{
    for (size_t i = 0; i < t->len; i++)
        if (!isalnum((unsigned char)t->text[i]) && !strchr("._+-", t->text[i]))
            return false;
    return t->plain && t->text[0] != '.' && t->text[0] != '-';
}

/* At most 15 characters, TCP_CA_NAME_MAX less the end. */
static bool is_congestion(const struct token *t)
{
    for (size_t i = 0; i < t->len; i++)
        if (!isalnum((unsigned char)t->text[i]) && !strchr("_-", t->text[i]))
            return false;
    return t->plain && t->len <= 15;
}

static bool check_required(struct parser *p, enum require_kind kind, const struct token *t)
{
    static const struct {
        bool (*is_one)(const struct token *t);
        const char *what, *hint;
    } checks[] = {
        [REQUIRE_KERNEL] = {is_version, "kernel version", "such as 6.5"},
        [REQUIRE_PROGRAM] = {is_program, "name of a program", "such as nc, without a folder"},
        [REQUIRE_CONGESTION] = {is_congestion, "name of a congestion control", "such as bbr"},
    };
    char buffer[64];
    if (kind == REQUIRE_SYSCTL)
        return value_sysctl_key(p, t);
    if (checks[kind].is_one(t))
        return true;
    complain(p, t->span, checks[kind].hint, "%s is no %s", shown(p, t, buffer), checks[kind].what);
    return false;
}

void parse_requires(struct parser *p)
{
    static const char *const kinds[] = {
        [REQUIRE_KERNEL] = "kernel",   [REQUIRE_SYSCTL] = "sysctl",
        [REQUIRE_PROGRAM] = "program", [REQUIRE_CONGESTION] = "congestion",
        [REQUIRE_IPV4] = "ipv4",       [REQUIRE_IPV6] = "ipv6"};
    char buffer[64];
    const struct token *t = need(p, "what is required");
    if (!t)
        return;
    size_t kind = 0;
    while (kind < ARRAY_SIZE(kinds) && !token_is(t, kinds[kind]))
        kind++;
    if (kind == ARRAY_SIZE(kinds)) {
        complain(p, t->span, p->usage, "%s is nothing that a lab can require", shown(p, t, buffer));
        return;
    }
    bool alone = kind == REQUIRE_IPV4 || kind == REQUIRE_IPV6;
    const struct token *what = alone ? t : need(p, "its name");
    if (!what || (what != t && !check_required(p, (enum require_kind)kind, what)) || !need_end(p))
        return;
    struct lab_require *r = vec_add(&p->lab->requires_);
    *r = (struct lab_require){(enum require_kind)kind, xstrdup(what->text), p->line};
}

static bool vary_name(struct parser *p, const struct token *t)
{
    char buffer[64];
    bool good = t->plain && t->len <= 31 && islower((unsigned char)t->text[0]);
    for (size_t i = 0; good && i < t->len; i++)
        good = islower((unsigned char)t->text[i]) || isdigit((unsigned char)t->text[i]) ||
               t->text[i] == '_';
    if (!good) {
        complain(p, t->span, "it is made of a-z, 0-9 and _, and begins with a letter",
                 "%s is no name for a value", shown(p, t, buffer));
        return false;
    }
    vec_each (&p->lab->varies, v) {
        if (strcmp(v->name, t->text) == 0) {
            complain(p, t->span, NULL, "there is a value \"%s\" already", t->text);
            return false;
        }
    }
    return true;
}

/* LOW..HIGH: both written without a sign. */
static bool vary_range(struct parser *p, const struct token *t, struct lab_vary *v)
{
    int64_t *ends[] = {&v->low, &v->high};
    const char *s = t->text;
    bool good = t->plain;
    for (int i = 0; i < 2 && good; i++) {
        size_t digits = 0;
        for (*ends[i] = 0; isdigit((unsigned char)*s) && digits < 15; s++, digits++)
            *ends[i] = *ends[i] * 10 + (*s - '0');
        good = digits > 0;
        if (i == 0) {
            good = good && s[0] == '.' && s[1] == '.';
            s += good ? 2 : 0;
        }
    }
    if (good && !*s && v->low <= v->high)
        return true;
    complain(p, t->span, "two whole numbers, such as 1024..65535",
             good && !*s ? "the range ends before it begins" : "this is no range");
    return false;
}

void parse_vary(struct parser *p)
{
    struct lab_vary v = {.span = p->line};
    const struct token *name = need(p, "the name");
    if (!name)
        return;
    bool good = vary_name(p, name);
    const struct token *range = need(p, "the range");
    if (!range)
        return;
    good = vary_range(p, range, &v) && good;
    if (!need_end(p) || !good)
        return;
    v.value = v.low;
    for (size_t i = 0; i < p->n_values; i++)
        if (strcmp(p->values[i].name, name->text) == 0)
            v.value = p->values[i].value;
    if (v.value < v.low || v.value > v.high) {
        complain(p, range->span, NULL,
                 "the value given for \"%s\", %" PRId64 ", is out of this range", name->text,
                 v.value);
        v.value = v.low;
    }
    v.name = xstrdup(name->text);
    vec_push(&p->lab->varies, v);
}

void parse_limit(struct parser *p)
{
    const struct token *t = need(p, "the duration");
    nsec limit;
    if (!t || !value_duration(p, t, &limit) || !need_end(p))
        return;
    if (p->limit_set)
        complain(p, p->line, "a step's own limit is written `within DURATION`",
                 "the lab's limit is set already");
    p->limit_set = true;
    p->lab->limit = limit;
}

void parse_long(struct parser *p)
{
    if (!need_end(p))
        return;
    if (p->lab->is_long)
        complain(p, p->line, NULL, "the lab is long already");
    p->lab->is_long = true;
}
