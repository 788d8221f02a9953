/* Tokens as values, with what is wrong said at the token's place. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "lab/parser.h"

bool parser_may_complain(struct parser *p, struct span span)
{
    size_t n = p->diags->list.n;
    if (n == PARSER_MAX_DIAGS)
        diag_add(p->diags, span, NULL, "too many mistakes: the rest is not listed");
    return n < PARSER_MAX_DIAGS;
}

const struct token *peek(const struct parser *p)
{
    return p->at < p->tokens.n ? &p->tokens.at[p->at] : NULL;
}

const struct token *need(struct parser *p, const char *what)
{
    const struct token *t = peek(p);
    if (t) {
        p->at++;
        return t;
    }
    size_t end = p->tokens.n ? vec_last(&p->tokens)->span.to : p->line.to;
    complain(p, ((struct span){end, end}), p->usage, "%s is missing", what);
    return NULL;
}

bool token_is(const struct token *t, const char *word)
{
    return t && t->plain && strcmp(t->text, word) == 0;
}

bool accept_word(struct parser *p, const char *word)
{
    if (!token_is(peek(p), word))
        return false;
    p->at++;
    return true;
}

bool need_word(struct parser *p, const char *word)
{
    char buffer[64];
    cleanup_free char *what = xasprintf("`%s`", word);
    const struct token *t = need(p, what);
    if (!t)
        return false;
    if (token_is(t, word))
        return true;
    complain(p, t->span, p->usage, "here stands %s instead of `%s`", shown(p, t, buffer), word);
    return false;
}

bool need_end(struct parser *p)
{
    const struct token *t = peek(p);
    if (!t)
        return true;
    struct span rest = {t->span.from, vec_last(&p->tokens)->span.to};
    complain(p, rest, p->usage, "nothing more is expected here");
    return false;
}

const char *shown(const struct parser *p, const struct token *t, char buffer[64])
{
    size_t n = t->span.to - t->span.from;
    bool quoted = t->string;
    bool cut = n > 48;
    if (cut)
        n = 48;
    while (cut && n > 0 && ((unsigned char)p->text[t->span.from + n] & 0xc0) == 0x80)
        n--;
    snprintf(buffer, 64, "%s%.*s%s%s", quoted ? "" : "\"", (int)n, p->text + t->span.from,
             cut ? "…" : "", quoted ? "" : "\"");
    return buffer;
}

/* Words that mean something of their own in a script or a transcript. */
static const char *const reserved[] = {
    "host",     "router", "route", "neighbour", "neighbor", "capture", "sysctl",
    "requires", "vary",   "limit", "long",      "wire",     "unplug",  "replug",
    "wait",     "run",    "as",    "within",    "via",      "default", "any",
    "at",       "quiet",  "order", "lost",      "arrives",  "lo",      "link",
    "switch",   "course", "mtu",   "ipv4",      "ipv6",     "trace",   "every",
};

bool value_name(struct parser *p, const struct token *t, const char *what)
{
    char buffer[64];
    bool good = t->plain && t->len <= 15 && islower((unsigned char)t->text[0]);
    for (size_t i = 0; good && i < t->len; i++)
        good = islower((unsigned char)t->text[i]) || isdigit((unsigned char)t->text[i]) ||
               t->text[i] == '-';
    if (!good) {
        complain(p, t->span,
                 "a name is 1 to 15 of a-z, 0-9 and -, and begins with a letter: interfaces "
                 "are named after it",
                 "%s is no name for a %s", shown(p, t, buffer), what);
        return false;
    }
    bool net =
        strncmp(t->text, "net", 3) == 0 && t->text[3 + strspn(t->text + 3, "0123456789")] == 0;
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
        net |= strcmp(reserved[i], t->text) == 0;
    if (net)
        complain(p, t->span, "take another name", "\"%s\" is a word of the language", t->text);
    return !net;
}

int value_host(struct parser *p, const struct token *t)
{
    const struct lab *lab = p->lab;
    char buffer[64];
    int host = t->string ? -1 : lab_find_host(lab, t->text, t->len);
    if (host >= 0)
        return host;
    const char *names[LAB_MAX_HOSTS];
    size_t n = 0;
    for (; n < lab->hosts.n; n++)
        names[n] = lab->hosts.at[n].name;
    const char *near = closest_name(t->text, t->len, names, n);
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near)
             : xstrdup(
                   "a host is declared above the lines that name it: `host NAME ADDRESS/LENGTH`");
    complain(p, t->span, hint, "there is no host %s", shown(p, t, buffer));
    return -1;
}

bool value_number(struct parser *p, const struct token *t, const char *what, int64_t low,
                  int64_t high, int64_t *out)
{
    char buffer[64];
    const char *s = t->text;
    bool minus = *s == '-', good = t->plain && isdigit((unsigned char)s[minus]);
    int64_t value = 0;
    for (size_t i = minus; good && i < t->len; i++)
        good = isdigit((unsigned char)s[i]) && !__builtin_mul_overflow(value, 10, &value) &&
               !__builtin_add_overflow(value, s[i] - '0', &value);
    if (minus)
        value = -value;
    if (good && value >= low && value <= high) {
        *out = value;
        return true;
    }
    cleanup_free char *hint =
        xasprintf("it is a whole number from %" PRId64 " to %" PRId64, low, high);
    bool amp = !good && t->len > 1 && s[t->len - 1] == '&';
    complain(p, t->span, amp ? "put a blank before the `&`" : hint, "%s is no %s",
             shown(p, t, buffer), what);
    return false;
}

bool value_duration(struct parser *p, const struct token *t, nsec *out)
{
    char buffer[64];
    if (t->plain && t->len && parse_duration(t->text, t->len, out) == t->len) {
        if (*out > 0 && *out <= LAB_MAX_DURATION)
            return true;
        complain(p, t->span, NULL, "a duration is more than nothing and at most a day");
        return false;
    }
    complain(p, t->span, "a number with its unit, such as 200ms, 1.5s or 15m", "%s is no duration",
             shown(p, t, buffer));
    return false;
}

bool value_flags(struct parser *p, const struct token *t, char **out)
{
    static const char order[] = "FSRP.UEWe";
    cleanup_free char *inside = xstrndup(t->text + 1, t->len > 2 ? t->len - 2 : 0);
    bool good = t->len > 2 && t->text[t->len - 1] == ']';
    const char *after = order;
    for (const char *c = inside; good && *c; c++) {
        after = strchr(after, *c);
        good = after != NULL;
        after = after ? after + 1 : order;
    }
    if (!good && strcmp(t->text, "[none]") != 0) {
        complain(p, t->span,
                 "as tcpdump writes them, in the order F S R P . U E W e: [S], [S.], [P.]",
                 "these are no flags");
        return false;
    }
    *out = steal_pointer(&inside);
    return true;
}

bool value_ipaddr(struct parser *p, struct span span, const char *s, size_t len, struct ipaddr *out)
{
    if (ipaddr_parse(out, s, len))
        return true;
    complain(p, span, "an address is like 10.0.0.1 or fd00::1", "this is no IP address");
    return false;
}

bool value_network(struct parser *p, struct span span, const char *s, size_t len,
                   struct lab_addr *out)
{
    const char *slash = memchr(s, '/', len);
    if (!value_ipaddr(p, span, s, slash ? (size_t)(slash - s) : len, &out->addr))
        return false;
    unsigned bits = ipaddr_bits(&out->addr);
    if (!slash) {
        complain(p, span, bits == 32 ? "such as 10.0.0.1/24" : "such as fd00::1/64",
                 "the address has no prefix length");
        return false;
    }
    const char *digits = slash + 1;
    size_t n = len - (size_t)(digits - s);
    unsigned value = 0;
    bool good = n >= 1 && n <= 3;
    for (size_t i = 0; good && i < n; i++) {
        good = isdigit((unsigned char)digits[i]) != 0;
        value = value * 10 + (unsigned)(digits[i] - '0');
    }
    if (good && value >= 1 && value <= bits) {
        out->prefix = value;
        return true;
    }
    cleanup_free char *hint =
        xasprintf("an IPv%u prefix is 1 to %u bits long", out->addr.version, bits);
    complain(p, span, hint,
             good && value > bits ? "the prefix is too long" : "this is no prefix length");
    return false;
}

bool value_sysctl_key(struct parser *p, const struct token *t)
{
    char buffer[64];
    bool good = t->plain && t->len < 128, part = false;
    for (size_t i = 0; good && i < t->len; i++) {
        bool dot = t->text[i] == '.';
        good = dot ? part : isalnum((unsigned char)t->text[i]) || strchr("_-", t->text[i]);
        part = !dot;
    }
    if (good && part && strncmp(t->text, "net.", 4) == 0)
        return true;
    complain(p, t->span, "such as net.ipv4.tcp_sack; only net.* belongs to a namespace",
             "%s is no sysctl key below `net.`", shown(p, t, buffer));
    return false;
}
