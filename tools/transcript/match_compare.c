/* One line of a transcript against one observed packet, field by field. */

#include "transcript/match.h"
#include "transcript/print.h"

/* What a difference costs.  Below MISSING + UNEXPECTED together the two lines are
 * still taken for each other; above they are two different things. */
enum {
    COST_HOST = 85,
    COST_PORT = 45,
    COST_FLAGS = 105, /* two such lines are rather out of their order */
    COST_NUMBER = 25, /* seq, ack, length */
    COST_WINDOW = 8,
    COST_OPTION = 6,
    COST_OPTIONS = 20, /* other options, or in another order */
    COST_INTERVAL = 15,
    COST_FATE = 20,
    COST_MISHAP = 15,
    COST_WORD = 30,
};

const char *const mishap_fields[MISHAP_COUNT] = {
    [MISHAP_OVERTAKEN] = "overtaken", [MISHAP_TWICE] = "twice",
    [MISHAP_DAMAGED] = "damaged",     [MISHAP_MARKED] = "marked",
    [MISHAP_REWRITTEN] = "rewritten", [MISHAP_INJECTED] = "injected",
};

struct comparison {
    const struct match_rules *rules;
    const struct pattern_item *e;
    const struct observed *o;
    struct differences *out;
    unsigned cost;
};

static bool over(const struct comparison *c)
{
    return !c->out && c->cost > MATCH_COST_MISSING + MATCH_COST_UNEXPECTED;
}

static void differ(struct comparison *c, unsigned cost, const char *field, struct slice expected,
                   struct slice observed)
{
    c->cost += cost;
    if (c->out)
        vec_push(&c->out->list, ((struct difference){field, expected, observed}));
}

/* ------------------------------------------------------- values by history, ~ */

/* Whether `~` holds.  In a run of our own everything that the language lets one write
 * as `~` can be known, and what is not known is wrong; in a foreign capture it may be
 * that the evidence does not reach, and then nothing is said. */
static bool holds(const struct comparison *c, bool known, bool is_due)
{
    return known ? is_due : !c->rules->complete;
}

static bool due_seq(const struct comparison *c)
{
    const struct story_segment *s = c->o->s;
    return holds(c, s->due_seq.known,
                 s->seq - s->due_seq.lowest <= s->due_seq.highest - s->due_seq.lowest);
}

static bool due_ack(const struct comparison *c)
{
    const struct story_segment *s = c->o->s;
    return holds(c, s->due_ack.known, s->ack == s->due_ack.value || s->ack == s->due_ack.before);
}

static bool due_tsval(const struct comparison *c)
{
    const struct story_segment *s = c->o->s;
    return holds(c, s->due_tsval.known,
                 s->tsval - s->due_tsval.earliest <= s->due_tsval.latest - s->due_tsval.earliest);
}

static bool due_tsecr(const struct comparison *c)
{
    const struct story_segment *s = c->o->s;
    return holds(c, s->due_tsecr.known,
                 s->tsecr == s->due_tsecr.value || s->tsecr == s->due_tsecr.before);
}

/* A foreign machine may have other ideas of its windows. */
static bool due_win(const struct comparison *c)
{
    const struct story_segment *s = c->o->s;
    return !c->rules->complete || (s->due_win.known && s->p->tcp.window >= s->due_win.least);
}

/* Whether `~` holds in this field. */
static bool is_due(const struct comparison *c, enum field_id id)
{
    return id == FIELD_SEQ ? due_seq(c) : id == FIELD_ACK ? due_ack(c) : due_win(c);
}

/* Window, mss and wscale follow from a machine's buffers and MTU.  On the stage those
 * are pinned; a foreign capture comes from a machine of which nothing is known, and
 * there only zero, which closes the window, says something about the scene. */
static bool is_the_machines_own(const struct comparison *c, struct slice expected,
                                struct slice observed)
{
    return !c->rules->complete && !slice_is(expected, "0") && !slice_is(observed, "0");
}

/* ------------------------------------------------------------------- options */

enum { OPTION_WORDS = 8 };

static size_t split(struct slice option, struct slice *words)
{
    size_t n = 0;
    while (n < OPTION_WORDS) {
        words[n] = slice_word(&option);
        if (words[n].n == 0)
            return n;
        n++;
    }
    words[n - 1].n = (size_t)(option.at + option.n - words[n - 1].at);
    return n;
}

static bool is_ts(const struct slice *words, size_t n)
{
    return n == 5 && slice_is(words[0], "TS") && slice_is(words[1], "val") &&
           slice_is(words[3], "ecr");
}

static bool word_fits(struct slice e, struct slice o)
{
    return slice_is(e, "*") || slice_equal(e, o);
}

static void compare_ts(struct comparison *c, const struct slice *e, const struct slice *o)
{
    bool val = slice_is(e[2], "~") ? due_tsval(c) : word_fits(e[2], o[2]);
    bool ecr = slice_is(e[4], "~") ? due_tsecr(c) : word_fits(e[4], o[4]);
    if (!val)
        differ(c, COST_OPTION, "TS val", e[2], o[2]);
    if (!ecr)
        differ(c, COST_OPTION, "TS ecr", e[4], o[4]);
}

static void compare_option(struct comparison *c, struct slice expected, struct slice observed)
{
    struct slice e[OPTION_WORDS], o[OPTION_WORDS];
    if (slice_equal(expected, observed) || slice_is(expected, "*"))
        return;
    size_t n = split(expected, e), m = split(observed, o);
    if (is_ts(e, n) && is_ts(o, m)) {
        compare_ts(c, e, o);
        return;
    }
    for (size_t i = 0; i < n && n == m; i++)
        if (!word_fits(e[i], o[i]))
            m = 0;
    if (n == m)
        return;
    if (n == 2 && split(observed, o) == 2 && is_the_machines_own(c, e[1], o[1]) &&
        (slice_is(e[0], "mss") || slice_is(e[0], "wscale")))
        return;
    const char *field = slice_is(e[0], "mss")      ? "mss"
                        : slice_is(e[0], "wscale") ? "wscale"
                        : slice_is(e[0], "sack")   ? "sack"
                                                   : "option";
    differ(c, COST_OPTION, field, expected, observed);
}

static bool same_name(struct slice e, struct slice o)
{
    struct slice name = slice_word(&e);
    return slice_is(name, "*") || slice_equal(name, slice_word(&o));
}

/* Whether the n options at e and at o have the same names in the same order. */
static bool same_names(const struct slice *e, const struct slice *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!same_name(e[i], o[i]))
            return false;
    return true;
}

static void compare_options(struct comparison *c)
{
    const struct pattern_item *e = c->e, *o = &c->o->line;
    size_t before = 0;
    while (before < e->options.n && !slice_is_rest(e->options.at[before]))
        before++;
    bool rest = before < e->options.n;
    size_t behind = rest ? e->options.n - before - 1 : 0;
    if (before + behind > o->options.n || (!rest && before != o->options.n) ||
        !same_names(e->options.at, o->options.at, before) ||
        !same_names(e->options.at + e->options.n - behind, o->options.at + o->options.n - behind,
                    behind)) {
        differ(c, COST_OPTIONS, "options", e->fields[FIELD_OPTIONS].text,
               o->fields[FIELD_OPTIONS].text);
        return;
    }
    for (size_t i = 0; i < before; i++)
        compare_option(c, e->options.at[i], o->options.at[i]);
    for (size_t i = 1; i <= behind; i++)
        compare_option(c, e->options.at[e->options.n - i], o->options.at[o->options.n - i]);
}

/* -------------------------------------------------------------------- fields */

static void compare_field(struct comparison *c, enum field_id id)
{
    static const struct {
        const char *name;
        unsigned cost;
    } rules[FIELD_COUNT] = {
        [FIELD_FLAGS] = {"flags", COST_FLAGS},    [FIELD_SEQ] = {"seq", COST_NUMBER},
        [FIELD_ACK] = {"ack", COST_NUMBER},       [FIELD_WIN] = {"win", COST_WINDOW},
        [FIELD_URG] = {"urg", COST_WINDOW},       [FIELD_OPTIONS] = {"options", COST_OPTIONS},
        [FIELD_LENGTH] = {"length", COST_NUMBER},
    };
    const struct field *e = &c->e->fields[id], *o = &c->o->line.fields[id];
    if (!e->present && (!o->present || c->e->rest))
        return;
    if (e->present && o->present) {
        if (id == FIELD_OPTIONS) {
            compare_options(c);
            return;
        }
        bool same = slice_is(e->value, "*") || slice_equal(e->value, o->value);
        if (slice_is(e->value, "~"))
            same = is_due(c, id);
        else if (id == FIELD_WIN)
            same = same || is_the_machines_own(c, e->value, o->value);
        if (same)
            return;
    }
    differ(c, rules[id].cost, rules[id].name, e->text, o->text);
}

/* Of a foreign capture's senders nobody has said that they know no ECN. */
static void compare_ecn(struct comparison *c)
{
    struct slice e = c->e->ecn, o = c->o->line.ecn;
    if (e.n == 0 && (c->e->rest || !c->rules->complete))
        return;
    bool behind = !c->rules->complete && c->o->s->fate == FATE_UNKNOWN;
    if (behind && c->e->mishaps >> MISHAP_MARKED & 1 && slice_is(o, print_ecn[ECN_CE]))
        return; /* captured where it arrived */
    if (!slice_equal(e, o))
        differ(c, COST_OPTION, "ecn", e, o);
}

static void compare_endpoint(struct comparison *c, const struct endpoint *e,
                             const struct endpoint *o)
{
    if (!slice_is(e->host, "*") && !slice_equal(e->host_value, o->host_value))
        differ(c, COST_HOST, "host", e->host, o->host);
    struct slice port = e->name >= 0 ? c->rules->ports[e->name] : e->port_value;
    if (slice_is(port, "*") || (port.n && slice_equal(port, o->port_value)))
        return;
    differ(c, COST_PORT, "port", e->port, o->port);
}

/* ---------------------------------------------------------- fate and interval */

static bool same_arrival(const struct comparison *c)
{
    const struct pattern_item *e = c->e;
    const struct story_segment *s = c->o->s;
    bool many = s->arrivals > 2 || s->mixed;
    if (c->rules->complete && (s->unsent || s->pending || many))
        return false; /* the language has no words for these */
    if (s->fate == FATE_UNKNOWN)
        return e->fate == FATE_PLAIN || !c->rules->complete;
    if (e->fate == FATE_IS_LOST || s->fate == FATE_LOST)
        return e->fate == FATE_IS_LOST && s->fate == FATE_LOST;
    struct timing_bounds b = match_travel(c->rules, e, c->o);
    return s->injected || timing_within(&b, s->travel);
}

/* Whether the evidence says nothing of it: a foreign capture knows no wire, shows what it
 * did only where both ends were captured, and may show more of a path than a transcript. */
static bool is_silent(const struct comparison *c, enum mishap m)
{
    bool expected = c->e->mishaps >> m & 1, observed = c->o->line.mishaps >> m & 1;
    if (c->rules->complete)
        return false;
    if (m == MISHAP_REWRITTEN || m == MISHAP_INJECTED)
        return true;
    return (c->o->s->fate == FATE_UNKNOWN && !observed) || (m == MISHAP_TWICE && !expected);
}

static bool same_mishap(const struct comparison *c, enum mishap m)
{
    const struct pattern_item *e = c->e, *o = &c->o->line;
    bool same = (e->mishaps >> m & 1) == (o->mishaps >> m & 1);
    return is_silent(c, m) || (same && (m != MISHAP_OVERTAKEN || e->overtaken == o->overtaken));
}

static void compare_fate(struct comparison *c)
{
    const struct pattern_item *e = c->e, *o = &c->o->line;
    if (c->o->plain && e->fate == FATE_PLAIN && !e->mishaps)
        return;
    if (!same_arrival(c))
        differ(c, COST_FATE, "arrival", e->fate_text, o->fate_text);
    if ((!e->mishaps && !o->mishaps) || c->o->s->fate == FATE_LOST)
        return;
    for (int m = 0; m < MISHAP_COUNT; m++)
        if (!same_mishap(c, (enum mishap)m))
            differ(c, COST_MISHAP, mishap_fields[m], e->mishap_text[m], o->mishap_text[m]);
}

static void compare_interval(struct comparison *c)
{
    if (!c->e->has_interval)
        return;
    struct timing_bounds b = match_bounds(c->rules, c->e, c->o);
    if (!timing_within(&b, c->o->gap))
        differ(c, COST_INTERVAL, "interval", c->e->interval_text, (struct slice){NULL, 0});
}

/* tcpdump does not print the sequence number of a pure ACK, so no line can state it;
 * yet it has to be what the history determines. */
static void compare_hidden_seq(struct comparison *c)
{
    const struct pattern_item *e = c->e;
    const struct story_segment *s = c->o->s;
    if (!c->rules->complete || e->rest || e->fields[FIELD_SEQ].present ||
        c->o->line.fields[FIELD_SEQ].present || !(s->p->tcp.flags & TCP_ACK))
        return;
    uint32_t lowest = s->due_seq.lowest - s->due_seq.probe;
    if (s->due_seq.known && s->seq - lowest > s->due_seq.highest - lowest)
        differ(c, COST_NUMBER, "seq", (struct slice){NULL, 0}, (struct slice){NULL, 0});
}

static void compare_segment(struct comparison *c)
{
    compare_endpoint(c, &c->e->from, &c->o->line.from);
    compare_endpoint(c, &c->e->to, &c->o->line.to);
    for (int id = 0; id < FIELD_COUNT && !over(c); id++)
        compare_field(c, (enum field_id)id);
    compare_ecn(c);
    compare_hidden_seq(c);
}

/* --------------------------------------------------------------------- words */

/* Whether `text` fits `glob` word by word; `…` stands for any words. */
static void compare_words(struct comparison *c)
{
    struct slice e = c->e->text, o = c->o->line.text;
    while (!over(c)) {
        struct slice e_word = slice_word(&e), o_word;
        if (slice_is_rest(e_word)) {
            /* What stands behind it is compared from the end. */
            for (struct slice w = slice_last_word(&e); w.n && !over(c); w = slice_last_word(&e)) {
                o_word = slice_last_word(&o);
                if (!slice_glob(w, o_word))
                    differ(c, COST_WORD, "word", w, o_word);
            }
            return;
        }
        o_word = slice_word(&o);
        if (e_word.n == 0 && o_word.n == 0)
            return;
        if (o_word.n == 0 || !slice_glob(e_word, o_word))
            differ(c, COST_WORD, "word", e_word, o_word);
    }
}

unsigned match_compare(const struct match_rules *rules, const struct pattern_item *e,
                       const struct observed *o, struct differences *out)
{
    struct comparison c = {.rules = rules, .e = e, .o = o, .out = out};
    if (e->kind != o->line.kind)
        return MATCH_COST_NEVER;
    compare_interval(&c);
    compare_fate(&c);
    if (e->kind == ITEM_SEGMENT)
        compare_segment(&c);
    else
        compare_words(&c);
    return over(&c) ? MATCH_COST_NEVER : c.cost;
}

nsec match_silence(const struct match_rules *rules, const struct observed *seen, size_t n_seen,
                   size_t at)
{
    if (at == n_seen)
        return rules->quiet_after;
    return at == 0 ? rules->quiet_before : seen[at].gap;
}

enum match_quiet match_quiet(const struct match_rules *rules, const struct pattern_item *e,
                             const struct observed *seen, size_t n_seen, size_t at)
{
    nsec tick = rules->host.tick > 0 ? rules->host.tick : TIMING_COARSEST_TICK;
    if (match_silence(rules, seen, n_seen, at) >= e->quiet - tick)
        return QUIET_KEPT;
    bool open_ended = at == n_seen || at == 0;
    return open_ended && !rules->complete ? QUIET_UNKNOWN : QUIET_BROKEN;
}
