/* `wire FROM > TO PROPERTY…`: how a direction is from now on. */
#include <ctype.h>

#include "lab/parser.h"

/* A number with at most `places` decimal places at the start of s, times 10^places.
 * Returns how many characters it takes, 0 if it is none. */
static size_t parse_decimal(const char *s, unsigned places, uint64_t *out)
{
    size_t n = 0, whole = strspn(s, "0123456789");
    uint64_t value = 0;
    if (whole == 0 || whole > 9)
        return 0;
    for (; n < whole; n++)
        value = value * 10 + (uint64_t)(s[n] - '0');
    if (s[n] == '.' && isdigit((unsigned char)s[n + 1])) {
        for (n++; isdigit((unsigned char)s[n]); n++, places--) {
            if (places == 0)
                return 0;
            value = value * 10 + (uint64_t)(s[n] - '0');
        }
    }
    for (; places > 0; places--)
        value *= 10;
    *out = value;
    return n;
}

/* `0ms` takes away what an earlier line gave. */
static bool value_lasting(struct parser *p, const struct token *t, nsec *out)
{
    if (t->plain && t->len && parse_duration(t->text, t->len, out) == t->len && *out == 0)
        return true;
    return value_duration(p, t, out);
}

static bool parse_delay(struct parser *p, const struct token *t, struct wire_properties *w)
{
    return value_lasting(p, t, &w->delay);
}

static bool parse_jitter(struct parser *p, const struct token *t, struct wire_properties *w)
{
    return value_lasting(p, t, &w->jitter);
}

static bool parse_loss(struct parser *p, const struct token *t, struct wire_properties *w)
{
    uint64_t millionths;
    size_t n = t->plain ? parse_decimal(t->text, 4, &millionths) : 0;
    if (n && strcmp(t->text + n, "%") == 0 && millionths <= 1000000) {
        w->loss = (uint32_t)millionths;
        return true;
    }
    char buffer[64];
    complain(p, t->span, "from 0% to 100%, such as 1% or 0.5%; at most four decimal places",
             "%s is no share of the frames", shown(p, t, buffer));
    return false;
}

static bool parse_seed(struct parser *p, const struct token *t, struct wire_properties *w)
{
    int64_t n;
    if (!value_number(p, t, "seed", 0, UINT32_MAX, &n))
        return false;
    w->seed = (uint64_t)n;
    return true;
}

static bool parse_rate(struct parser *p, const struct token *t, struct wire_properties *w)
{
    static const char *const units[] = {"bit", "kbit", "mbit", "gbit"};
    for (unsigned i = 0; t->plain && i < ARRAY_SIZE(units); i++) {
        size_t n = parse_decimal(t->text, 3 * i, &w->rate);
        if (n && strcmp(t->text + n, units[i]) == 0 && w->rate >= 1000 &&
            w->rate <= UINT64_C(100000000000))
            return true;
    }
    char buffer[64];
    complain(p, t->span, "from 1kbit to 100gbit, such as 512kbit, 1.5mbit or 1gbit",
             "%s is no rate in bits per second", shown(p, t, buffer));
    return false;
}

static bool parse_queue(struct parser *p, const struct token *t, struct wire_properties *w)
{
    const struct token *unit = peek(p);
    w->queue_bytes = token_is(unit, "bytes");
    int64_t n;
    if (!value_number(p, t, w->queue_bytes ? "number of bytes" : "number of packets", 1,
                      w->queue_bytes ? LAB_MAX_DATA : LAB_MAX_FRAMES, &n))
        return false;
    w->queue = (uint64_t)n;
    if (unit && !w->queue_bytes && !token_is(unit, "packets")) {
        char buffer[64];
        complain(p, unit->span, "`queue N packets` or `queue N bytes`",
                 "%s is nothing that a queue is counted in", shown(p, unit, buffer));
        return false;
    }
    if (!need_word(p, w->queue_bytes ? "bytes" : "packets"))
        return false;
    w->queue_fair = accept_word(p, "fair");
    return true;
}

static const struct property {
    const char *word, *what;
    unsigned has;
    bool (*parse)(struct parser *p, const struct token *t, struct wire_properties *w);
} properties[] = {
    {"delay", "the duration", WIRE_HAS_DELAY, parse_delay},
    {"jitter", "the duration", WIRE_HAS_JITTER, parse_jitter},
    {"loss", "the share", WIRE_HAS_LOSS, parse_loss},
    {"seed", "the number", WIRE_HAS_SEED, parse_seed},
    {"rate", "the rate", WIRE_HAS_RATE, parse_rate},
    {"queue", "the length", WIRE_HAS_QUEUE, parse_queue},
};

static const struct property *find_property(struct parser *p, const struct token *t)
{
    const char *words[ARRAY_SIZE(properties)];
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        if (token_is(t, properties[i].word))
            return &properties[i];
        words[i] = properties[i].word;
    }
    char buffer[64];
    const char *near = closest_name(t->text, t->len, words, ARRAY_SIZE(words));
    cleanup_free char *hint = near ? xasprintf("did you mean \"%s\"?", near)
                                   : xstrdup("they are delay, jitter, loss, seed, rate and queue");
    complain(p, t->span, hint, "%s is no property of a wire", shown(p, t, buffer));
    return NULL;
}

static bool parse_property(struct parser *p, struct wire_properties *w)
{
    const struct token *t = need(p, "");
    const struct property *property = find_property(p, t);
    if (!property)
        return false;
    if (w->has & property->has) {
        complain(p, t->span, NULL, "`%s` stands on this line already", property->word);
        return false;
    }
    const struct token *value = need(p, property->what);
    w->has |= property->has;
    return value && property->parse(p, value, w);
}

bool parse_wire_properties(struct parser *p, struct wire_properties *w)
{
    const struct token *seed = NULL;
    if (at_tail(p)) {
        size_t end = p->tokens.at[p->at - 1].span.to;
        complain(p, ((struct span){end, end}), "such as `delay 50ms`", "a property is missing");
        return false;
    }
    while (!at_tail(p)) {
        if (token_is(peek(p), "seed"))
            seed = peek(p);
        if (!parse_property(p, w))
            return false;
    }
    if (!seed || (w->has & (WIRE_HAS_LOSS | WIRE_HAS_JITTER)))
        return true;
    complain(p, seed->span, "such as `loss 1% seed 7`",
             "`seed` stands with the `loss` or `jitter` that it is for");
    return false;
}
