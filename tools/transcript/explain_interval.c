/* Why a packet came sooner or later than it should: what timers of TCP would explain it. */
#include "transcript/explain_parts.h"

static const struct timing_rtt no_rtt = {0, 0, false};

static bool near_base(const struct explanation *x, nsec gap, nsec nominal, enum timing_base base,
                      struct timing_rtt rtt)
{
    struct timing_host host = {x->record->tick, record_lateness(x->record, 0, 0)};
    struct timing_bounds b = timing_derive(&host, nominal, base, rtt);
    return timing_within(&b, gap);
}

/* As long as this time-out and the next, its double, together. */
static bool spans_two(const struct explanation *x, nsec gap, nsec nominal, enum timing_base base,
                      struct timing_rtt rtt)
{
    struct timing_host host = {x->record->tick, record_lateness(x->record, 0, 0)};
    struct timing_bounds one = timing_derive(&host, nominal, base, rtt);
    struct timing_bounds two = timing_derive(&host, 2 * nominal, base, rtt);
    return gap >= one.earliest + two.earliest && gap <= one.latest + two.latest;
}

static const char *why_syn(const struct explanation *x, nsec expected, nsec gap)
{
    bool one = near_base(x, gap, NSEC_PER_SEC, TIMING_SYN, no_rtt);
    if (one && expected > NSEC_PER_SEC)
        return "this kernel retries linearly, see tcp_syn_linear_timeouts";
    if (expected > 0 && spans_two(x, gap, expected, TIMING_SYN, no_rtt))
        return "the one in between was not sent";
    if (!one && expected == NSEC_PER_SEC && near_base(x, gap, 2 * expected, TIMING_SYN, no_rtt))
        return "this kernel doubles the time between SYNs earlier, see tcp_syn_linear_timeouts";
    return NULL;
}

static const char *why_data(const struct explanation *x, nsec expected, nsec gap)
{
    const nsec rto = 200 * NSEC_PER_MSEC;
    const struct story_segment *s = x->seen[x->at].s;
    struct timing_rtt rtt = match_rtt(s);
    bool base = near_base(x, gap, rto, TIMING_DATA, rtt);
    if (base && expected == 2 * rto)
        return "a tail loss probe (TLP) comes before the first RTO, see tcp_early_retrans";
    if (near_base(x, gap, 2 * rto, TIMING_DATA, rtt) && expected == rto)
        return "no tail loss probe (TLP) came before the first RTO, see tcp_early_retrans";
    if (expected > 0 && spans_two(x, gap, expected, TIMING_DATA, rtt))
        return "the one in between was not sent";
    if (near_base(x, gap, 2 * expected, TIMING_DATA, rtt) ||
        near_base(x, 2 * gap, expected, TIMING_DATA, rtt))
        return "the RTO doubles with every time-out: one more, or one fewer, came before";
    return NULL;
}

static const char *why_interval(const struct explanation *x, nsec expected, nsec gap)
{
    const struct observed *o = &x->seen[x->at];
    enum noun noun = explain_noun(&o->line);
    if (noun == NOUN_SYN || noun == NOUN_SYN_ACK)
        return why_syn(x, expected, gap);
    if (noun == NOUN_ACK && expected == 0 && gap >= 35 * NSEC_PER_MSEC &&
        gap <= 250 * NSEC_PER_MSEC)
        return "a delayed ACK, the receiver waited for data to send it with (40 ms and more)";
    if (o->s->retransmission)
        return why_data(x, expected, gap);
    if (expected == 0 && gap > TIMING_AT_ONCE)
        return "it waited for a timer or for a program, `+0` is at once";
    return NULL;
}

/* "the third SYN came 1.02 s after the second; expected 2 s … 2.04 s: …" */
void explain_put_interval(struct strbuf *sb, const struct explanation *x,
                          const struct timing_bounds *b)
{
    char room[32];
    nsec gap = x->line->gap;
    long before = explain_before(x, x->at);
    explain_put_packet(sb, x, x->at);
    strbuf_puts(sb, " came ");
    timing_number(sb, gap);
    if (before >= 0 && (size_t)before + 1 == x->at)
        strbuf_printf(sb, " after the %s",
                      explain_ordinal(explain_number(x, (size_t)before), room, sizeof(room)));
    else
        strbuf_puts(sb, x->at ? " after the packet before" : " after the beginning");
    strbuf_puts(sb, "; expected ");
    timing_range(sb, b);
    const char *why = why_interval(x, b->nominal, gap);
    if (why)
        strbuf_printf(sb, ": %s", why);
}

bool explain_interval(struct strbuf *sb, const struct explanation *x)
{
    if (!explain_find_diff(x, "interval"))
        return false;
    struct timing_bounds b = {.nominal = x->line->nominal, .latest = x->line->latest};
    if (x->line->kind == LINE_SEGMENT) {
        explain_put_interval(sb, x, &b);
        return true;
    }
    strbuf_puts(sb, "this came ");
    timing_number(sb, x->line->gap);
    struct slice since = x->item ? x->item->since : slice_of("");
    if (since.n)
        strbuf_printf(sb, " after %.*s; expected ", (int)since.n, since.at);
    else
        strbuf_puts(sb, " after the packet before; expected ");
    timing_range(sb, &b);
    return true;
}
