/* What a difference means.
 *
 * Theory of operation.  For every line that is not fine one sentence is built: what
 * came (named as a person would: "client's second SYN"), what was expected, and,
 * where the kernel's ways are known, why.  The rules are tried in order of what a
 * reader should be told first; each returns whether it had something to say, and
 * the last of them always has.  Names of sysctls are those of
 * Documentation/networking/ip-sysctl.rst. */

#include "transcript/explain_parts.h"

#include <stdlib.h>

/* ---------------------------------------------------------------------- flags */

static bool ecn_only(const char *a, const char *b)
{
    while (*a || *b) {
        if (*a == *b && *a) {
            a++;
            b++;
        } else if (*a == 'E' || *a == 'W' || *a == 'e') {
            a++;
        } else if (*b == 'E' || *b == 'W' || *b == 'e') {
            b++;
        } else {
            return false;
        }
    }
    return true;
}

static const char *why_flags(const struct explanation *x, const struct field_diff *d)
{
    const struct pattern_item *o = &x->seen[x->at].line;
    enum noun expected = explain_noun(x->item), observed = explain_noun(o);
    if (ecn_only(d->expected, d->observed))
        return "the flags E and W negotiate and report congestion, see tcp_ecn";
    if (observed == NOUN_FIN && expected == NOUN_DATA)
        return "the last data and the FIN went in one segment";
    if (expected == NOUN_FIN && !explain_has_flag(o, 'F'))
        return "the connection was not closed here";
    if (slice_is(o->fields[FIELD_FLAGS].value, ".") && strcmp(d->expected, "P.") == 0)
        return "PSH marks the end of what a program wrote; more was to follow";
    return NULL;
}

static bool refused(struct strbuf *sb, const struct explanation *x, const struct pattern_item *o)
{
    if (explain_noun(o) != NOUN_RESET)
        return false;
    struct slice host = o->from.host, port = o->from.port;
    bool answers_syn = false;
    for (size_t i = 0; i < x->at; i++)
        answers_syn = answers_syn || (explain_noun(&x->seen[i].line) == NOUN_SYN_ACK &&
                                      x->seen[i].s->flow == x->seen[x->at].s->flow);
    if (!answers_syn && explain_has_flag(o, '.'))
        strbuf_printf(sb, "nobody listens on port %.*s of %.*s: it answered with a reset",
                      (int)port.n, port.at, (int)host.n, host.at);
    else
        strbuf_printf(sb, "%.*s sent a reset: it has no such connection, or gave it up",
                      (int)host.n, host.at);
    return true;
}

static bool flags(struct strbuf *sb, const struct explanation *x)
{
    const struct field_diff *d = explain_find_diff(x, "flags");
    if (!d)
        return false;
    if (x->item && explain_noun(x->item) != NOUN_RESET && refused(sb, x, &x->seen[x->at].line))
        return true;
    strbuf_printf(sb, "the flags are [%s], expected [%s]", d->observed, d->expected);
    const char *why = why_flags(x, d);
    if (why)
        strbuf_printf(sb, ": %s", why);
    return true;
}

/* -------------------------------------------------------------- other fields */

static const struct reason {
    const char *field, *why;
} reasons[] = {
    {"host", "another host sent or got it"},
    {"port", "it belongs to another connection, or to another service"},
    {"seq", "its data stands elsewhere in the stream: some was sent again, or never"},
    {"ack", "the sender had received more, or less, when it sent this"},
    {"length", "the data was cut otherwise: by the program's writes, the MSS or an offload"},
    {"win", "the window follows the receive buffer, see tcp_rmem"},
    {"urg", NULL},
    {"mss", "the MSS follows the MTU of the way out, see ip link and tcp_base_mss"},
    {"wscale", "the scale follows the largest receive buffer, see tcp_rmem and "
               "tcp_window_scaling"},
    {"sack", "other data had arrived out of order, see tcp_sack"},
    {"TS val", "the time stamp does not follow the sender's clock"},
    {"TS ecr", "the echo is not the peer's latest time stamp"},
    {"ecn", "data is ECN-capable if both ends agreed to it, see tcp_ecn; SYNs, bare ACKs and "
            "what is sent again are not"},
    {"option", NULL},
    {"state", "the socket, or the link, is not where it was expected"},
    {"result", NULL},
    {"arguments", NULL},
};

static const char *why_options(const struct field_diff *d)
{
    static const struct {
        const char *option, *why;
    } known[] = {
        {"TS val", "one of them has no time stamps, see tcp_timestamps"},
        {"wscale", "one of them has no window scale, see tcp_window_scaling"},
        {"sackOK", "one of them does not permit selective ACKs, see tcp_sack"},
        {"sack ", "one of them reports data out of order (SACK), the other does not"},
        {"tfo", "one of them asks for TCP Fast Open, see tcp_fastopen"},
        {"mptcp", "one of them speaks Multipath TCP, see net.mptcp.enabled"},
        {"mss", "one of them states no MSS"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (!strstr(d->expected, known[i].option) != !strstr(d->observed, known[i].option))
            return known[i].why;
    return "they are others, or in another order";
}

/* What the transcript leaves to the history: by `~`, or by not mentioning it. */
static bool is_due(const struct field_diff *d)
{
    bool hidden = strcmp(d->field, "seq") == 0 && !*d->expected && !*d->observed;
    return hidden || strcmp(d->expected, "~") == 0;
}

static void due_value(struct strbuf *sb, const struct explanation *x, const struct field_diff *d)
{
    const struct story_segment *s = x->seen[x->at].s;
    if (*d->observed)
        strbuf_printf(sb, "%s is %s", d->field, d->observed);
    else
        strbuf_printf(sb, "its sequence number, which tcpdump does not print, is %u", s->seq);
    if (strcmp(d->field, "seq") == 0 && s->due_seq.known && s->due_seq.lowest == s->due_seq.highest)
        strbuf_printf(sb, ", by the connection's history it must be %u", s->due_seq.lowest);
    else if (strcmp(d->field, "seq") == 0 && s->due_seq.known)
        strbuf_printf(sb, ", by the connection's history it must be from %u to %u",
                      s->due_seq.lowest, s->due_seq.highest);
    else if (strcmp(d->field, "ack") == 0 && s->due_ack.known)
        strbuf_printf(sb, ", by the connection's history it must be %u", s->due_ack.value);
    else if (strcmp(d->field, "win") == 0 && s->due_win.known)
        strbuf_printf(sb, ", which takes back what had been offered: it must be %u at least, %s",
                      s->due_win.least, "see RFC 9293, 3.8.6");
    else if (strcmp(d->field, "TS val") == 0 && s->due_tsval.known)
        strbuf_printf(sb, ", by the sender's clock it must be from %u to %u", s->due_tsval.earliest,
                      s->due_tsval.latest);
    else if (strcmp(d->field, "TS ecr") == 0 && s->due_tsecr.known)
        strbuf_printf(sb, ", the peer's latest time stamp is %u", s->due_tsecr.value);
    else
        strbuf_puts(sb, ", and what it must be cannot be told from what was captured");
}

static const char ecn_name[] = "ECN field";

/* An option stands with its name. */
static void put_value(struct strbuf *sb, const char *field, const char *value)
{
    size_t n = strlen(field);
    if (!*value && strcmp(field, ecn_name) == 0)
        strbuf_puts(sb, "not-ECT");
    else if (!*value)
        strbuf_printf(sb, "no %s", field);
    else if (strncmp(value, field, n) == 0 && value[n] == ' ')
        strbuf_puts(sb, value + n + 1);
    else
        strbuf_puts(sb, value);
}

/* Without the punctuation behind it. */
static int bare(const char *word)
{
    size_t n = strlen(word);
    while (n > 1 && strchr(",:;()[]", word[n - 1]))
        n--;
    return (int)n;
}

/* A word of a packet that is not TCP. */
static void word(struct strbuf *sb, const struct field_diff *d)
{
    int observed = bare(d->observed), expected = bare(d->expected);
    if (observed == expected && memcmp(d->observed, d->expected, (size_t)observed) == 0) {
        observed = (int)strlen(d->observed);
        expected = (int)strlen(d->expected);
    }
    if (!expected)
        strbuf_printf(sb, "it also says `%.*s`", observed, d->observed);
    else if (!observed)
        strbuf_printf(sb, "it does not say `%.*s`", expected, d->expected);
    else
        strbuf_printf(sb, "it says `%.*s`, expected `%.*s`", observed, d->observed, expected,
                      d->expected);
}

static void field(struct strbuf *sb, const struct explanation *x, const struct field_diff *d)
{
    const char *name = strcmp(d->field, "win") == 0   ? "window"
                       : strcmp(d->field, "ecn") == 0 ? ecn_name
                                                      : d->field;
    const char *why = NULL;
    if (is_due(d) && x->seen) {
        due_value(sb, x, d);
        return;
    }
    if (strcmp(d->field, "port") == 0 && slice_is_name(slice_of(d->expected))) {
        strbuf_printf(sb, "the port is not the one that the transcript calls %s: %s", d->expected,
                      "it belongs to another connection, or to another service");
        return;
    }
    if (x->seen && explain_fate(sb, x, d))
        return;
    /* The transcript's own words are right: it is the script that has others. */
    if (strcmp(d->field, "result") == 0 && d->expected_n == 0 && x->line && x->line->line_number) {
        strbuf_printf(sb,
                      "the result is %s, as the transcript says, but the lab's script states "
                      "%s",
                      d->observed, d->expected);
        return;
    }
    if (strcmp(d->field, "word") == 0) {
        word(sb, d);
        return;
    }
    if (strcmp(d->field, "place") == 0) {
        strbuf_puts(sb,
                    "this happened at another place among the packets than the transcript says");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (strcmp(reasons[i].field, d->field) == 0)
            why = reasons[i].why;
    if (strcmp(d->field, "options") == 0)
        why = why_options(d);
    if (strcmp(d->field, "seq") == 0 && x->item && explain_noun(x->item) == NOUN_SYN)
        why = "a SYN that nobody answered is repeated with its number";
    bool many = strcmp(d->field, "options") == 0 || strcmp(d->field, "arguments") == 0;
    strbuf_printf(sb, "%s %s ", name, many ? "are" : "is");
    put_value(sb, name, d->observed);
    strbuf_puts(sb, ", expected ");
    put_value(sb, name, d->expected);
    if (why)
        strbuf_printf(sb, ": %s", why);
}

/* A call that no line of the transcript lists. */
static void call_result(struct strbuf *sb, const struct explanation *x, const struct field_diff *d)
{
    const char *call = x->line->expected;
    strbuf_printf(sb, "`%.*s` gave %s, and the lab states %s",
                  (int)(reader_find_arrow(slice_of(call)) - 1), call,
                  *d->observed ? d->observed : "success", d->expected);
}

static void differs(struct strbuf *sb, const struct explanation *x)
{
    static const char *const order[] = {"host",   "port",      "flags",    "interval",  "length",
                                        "seq",    "ack",       "injected", "rewritten", "damaged",
                                        "marked", "overtaken", "twice",    "arrival"};
    if (x->line->kind == LINE_QUIET) {
        strbuf_puts(sb, "it was quiet for ");
        timing_number(sb, x->line->gap);
        strbuf_puts(sb, " only, expected at least ");
        timing_number(sb, x->line->nominal);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        const struct field_diff *d = explain_find_diff(x, order[i]);
        if (!d)
            continue;
        if (strcmp(order[i], "flags") == 0      ? flags(sb, x)
            : strcmp(order[i], "interval") == 0 ? explain_interval(sb, x)
                                                : false)
            return;
        field(sb, x, d);
        return;
    }
    if (x->line->kind == LINE_CALL && !x->item && x->line->diffs.n)
        call_result(sb, x, &x->line->diffs.at[0]);
    else if (x->line->diffs.n)
        field(sb, x, &x->line->diffs.at[0]);
}

/* --------------------------------------------------------- packets on their own */

static bool duplicate_ack(const struct explanation *x)
{
    const struct observed *o = &x->seen[x->at];
    long before = explain_before(x, x->at);
    return explain_noun(&o->line) == NOUN_ACK && before >= 0 && x->seen[before].s->ack == o->s->ack;
}

static bool fits_but_for_its_place(const struct explanation *x, const struct pattern_item *item,
                                   const struct observed *o)
{
    struct pattern_item bare = *item;
    bare.has_interval = false;
    return match_compare(x->rules, &bare, o, NULL) == 0;
}

/* A missing line and an unexpected packet that are one another, out of order. */
static bool out_of_order(struct strbuf *sb, const struct explanation *x)
{
    for (size_t i = 0; x->path && i < x->path->steps.n; i++) {
        const struct match_step *step = &x->path->steps.at[i];
        if (x->item && step->op == MATCH_UNEXPECTED &&
            fits_but_for_its_place(x, x->item, &x->seen[step->seen])) {
            explain_put_packet(sb, x, step->seen);
            strbuf_printf(sb, " is out of order: it was sent %s than the transcript has it",
                          step->seen < x->at ? "earlier" : "later");
            return true;
        }
        if (!x->item && step->op == MATCH_MISSING && !x->lines[step->line].optional &&
            fits_but_for_its_place(x, x->lines[step->line].item, &x->seen[x->at])) {
            explain_put_packet(sb, x, x->at);
            strbuf_printf(sb, " is out of order: the transcript has it in line %zu",
                          x->lines[step->line].item->line_number);
            return true;
        }
    }
    return false;
}

/* Sent again, and sooner than the line that was expected to be it says. */
static bool too_soon(struct strbuf *sb, const struct explanation *x)
{
    const struct observed *o = &x->seen[x->at];
    if (!o->s->retransmission || !x->next || !x->next->has_interval || x->next->interval == 0 ||
        explain_noun(x->next) != explain_noun(&o->line))
        return false;
    struct timing_bounds b = match_bounds(x->rules, x->next, o);
    if (timing_within(&b, o->gap))
        return false;
    explain_put_interval(sb, x, &b);
    return true;
}

static void unexpected(struct strbuf *sb, const struct explanation *x)
{
    const struct observed *o = &x->seen[x->at];
    if (refused(sb, x, &o->line)) {
        strbuf_puts(sb, "; the transcript does not expect it");
        return;
    }
    if (too_soon(sb, x) || out_of_order(sb, x))
        return;
    explain_put_packet(sb, x, x->at);
    strbuf_puts(sb, " is not in the transcript");
    if (duplicate_ack(x)) {
        strbuf_puts(sb, ": a duplicate ACK, for something that came twice or out of order");
    } else if (o->s->retransmission) {
        strbuf_puts(sb, ": it was sent again ");
        timing_number(sb, o->gap);
        strbuf_puts(sb, " after the packet before");
        strbuf_puts(sb, o->gap > TIMING_AT_ONCE ? ", because no acknowledgment had come"
                                                : ", sooner than any time-out");
    } else if (explain_noun(&o->line) == NOUN_SYN) {
        strbuf_puts(sb, ": another connection was opened");
    }
}

/* Too few packets fit the lines of a mix. */
static void missing_mix(struct strbuf *sb, const struct explanation *x)
{
    size_t fitted = 0;
    vec_each (&x->path->steps, step)
        fitted += step->op == MATCH_PAIR && x->lines[step->line].item->group == x->item->group;
    strbuf_printf(sb, "%zu packet%s of this mix came, expected at least %u", fitted,
                  fitted == 1 ? "" : "s", x->item->least);
}

static void missing(struct strbuf *sb, const struct explanation *x)
{
    const struct pattern_item *item = x->item;
    if (item && item->kind == ITEM_MIX_OPEN) {
        missing_mix(sb, x);
        return;
    }
    enum noun noun = item ? explain_noun(item) : NOUN_OTHER;
    if (x->line->kind == LINE_CALL || x->line->kind == LINE_STATE || x->line->kind == LINE_LINK) {
        strbuf_puts(sb, x->line->kind == LINE_CALL    ? "no such call was made"
                        : x->line->kind == LINE_STATE ? "no such state was seen"
                                                      : "the link did not change so");
        return;
    }
    if (!item || item->kind != ITEM_SEGMENT) {
        strbuf_puts(sb, "no such packet was seen");
        return;
    }
    if (noun == NOUN_SYN_ACK && x->at < x->n_seen && refused(sb, x, &x->seen[x->at].line))
        return;
    if (out_of_order(sb, x))
        return;
    if (slice_is(item->from.host, "*"))
        strbuf_printf(sb, "nobody sent such a %s", explain_nouns[noun]);
    else
        strbuf_printf(sb, "%.*s sent no such %s", (int)item->from.host.n, item->from.host.at,
                      explain_nouns[noun]);
    if (noun == NOUN_FIN)
        strbuf_puts(sb, ": it did not close the connection");
    else if (noun == NOUN_SYN_ACK)
        strbuf_puts(sb, ": it did not answer the SYN");
    if (x->at == x->n_seen)
        strbuf_puts(sb, noun == NOUN_FIN || noun == NOUN_SYN_ACK ? "; nothing more was captured"
                                                                 : ": nothing more was captured");
}

char *explain_line(const struct explanation *x)
{
    struct strbuf text = STRBUF_INIT;
    switch (x->line->status) {
    case LINE_DIFFERS:
        differs(&text, x);
        break;
    case LINE_MISSING:
        missing(&text, x);
        break;
    case LINE_UNEXPECTED:
        unexpected(&text, x);
        break;
    case LINE_OK:
    case LINE_ABSENT:
    case LINE_UNJUDGED:
        return NULL;
    }
    return strbuf_steal(&text);
}
