/* The timing rule.
 *
 * Theory of operation.  Linux keeps TCP's timers on a timer wheel
 * (kernel/time/timer.c).  Time is counted in ticks of 1/HZ.  A delay of d ticks
 * goes to the lowest level n whose successor begins behind it; level n begins at
 * LVL_START(n) = 63 << 3(n-1) ticks and has slots of 8^n ticks (its granule).
 * The expiry is rounded *up* to the next slot, so a timer is never early and late
 * by at most one granule.  It is set in the middle of a tick that has begun
 * before, so what is measured from the packet may be short by up to one tick:
 *
 *     earliest = T - tick
 *
 * What the kernel takes for T is not T itself.  The base RTO of data is
 * TCP_RTO_MIN plus the smoothed RTT, rounded up to a tick (tcp_set_rto() in
 * net/ipv4/tcp_input.c), and each time-out doubles it with its rounding.  After k
 * doublings of a base B, T = B * 2^k, the rounding has grown to
 *
 *     rounding = ceil_to_tick(rtt) * T / B        (k = 0 for T <= B)
 *
 * where rtt is the largest sample the sender had, at least one tick.  A tail loss
 * probe waits two RTTs behind TCP_RTO_MIN (tcp_schedule_loss_probe()), so at T <= B
 * it is twice the RTT that is rounded.  A SYN's base, TCP_TIMEOUT_INIT, knows no
 * RTT: one tick.  From TCP_RTO_MAX on nothing is doubled any more.  Hence
 *
 *     latest = T + granule(T + rounding) + rounding + tick + lateness
 *
 * with the lateness of the host, as a periodic timer beside the run measured it.  The
 * tick: the wheel is turned at ticks only, and a processor whose tick comes before
 * another one, a little late, has counted the jiffy (kernel/time/tick-sched.c) looks
 * again at its next tick (seen on Linux 6.18 with two processors: 417 ticks and 8 us
 * for 408 rounded up to 416). */

#include "transcript/timing.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

#define TIMEOUT_INIT NSEC_PER_SEC
#define RTO_MIN (200 * NSEC_PER_MSEC)
#define RTO_MAX (120 * NSEC_PER_SEC)

enum { WHEEL_LEVELS = 9, SLOTS_LESS_ONE = 63, BITS_PER_LEVEL = 3 };

/* Slots of the level that holds a delay, in ticks. */
static int64_t granule_ticks(int64_t delay)
{
    int level = 0;
    while (level < WHEEL_LEVELS - 1 && delay >= (int64_t)SLOTS_LESS_ONE << (BITS_PER_LEVEL * level))
        level++;
    return INT64_C(1) << (BITS_PER_LEVEL * level);
}

static nsec ceil_to_tick(nsec t, nsec tick)
{
    if (t < 1)
        t = 1;
    return (t / tick + (t % tick != 0)) * tick;
}

static nsec doubled_rounding(nsec nominal, nsec tick, enum timing_base base, nsec rtt)
{
    nsec b = base == TIMING_SYN ? TIMEOUT_INIT : RTO_MIN;
    if (base != TIMING_DATA || rtt < 0)
        rtt = 0;
    if (rtt > RTO_MAX)
        rtt = RTO_MAX;
    if (base == TIMING_OTHER || nominal >= RTO_MAX)
        return tick;
    if (nominal <= b)
        return ceil_to_tick(2 * rtt, tick);
    return (nsec)((__int128)ceil_to_tick(rtt, tick) * nominal / b);
}

static struct timing_bounds begin(const struct timing_host *host, nsec nominal)
{
    struct timing_bounds b = {.nominal = nominal, .tick = host->tick, .lateness = host->lateness};
    if (b.tick <= 0 || b.tick > NSEC_PER_SEC) {
        b.tick = TIMING_COARSEST_TICK;
        b.tick_assumed = true;
    }
    if (b.lateness < TIMING_MIN_LATENESS)
        b.lateness = TIMING_MIN_LATENESS;
    if (b.lateness > TIMING_LONGEST)
        b.lateness = TIMING_LONGEST;
    if (b.nominal > TIMING_LONGEST)
        b.nominal = TIMING_LONGEST;
    b.earliest = b.nominal > b.tick ? b.nominal - b.tick : 0;
    return b;
}

static void derive_latest(struct timing_bounds *b, enum timing_base base, nsec rtt)
{
    b->rounding = doubled_rounding(b->nominal, b->tick, base, rtt);
    b->granule = granule_ticks((b->nominal + b->rounding) / b->tick) * b->tick;
    b->latest = b->nominal + b->granule + b->rounding + b->tick + b->lateness;
}

/* A finer tick has finer slots at the bottom of the wheel, but its levels end sooner:
 * of a kernel whose tick is unknown the latest moment is that of its worst HZ. */
static void derive_for_any_tick(struct timing_bounds *b, enum timing_base base, nsec rtt)
{
    static const int hz[] = {100, 250, 300, 1000}; /* kernel/Kconfig.hz */
    struct timing_bounds worst = *b;
    for (size_t i = 0; i < ARRAY_SIZE(hz); i++) {
        struct timing_bounds candidate = *b;
        candidate.tick = NSEC_PER_SEC / hz[i];
        derive_latest(&candidate, base, rtt);
        if (candidate.latest > worst.latest)
            worst = candidate;
    }
    nsec earliest = b->earliest;
    *b = worst;
    b->earliest = earliest;
}

struct timing_bounds timing_derive(const struct timing_host *host, nsec nominal,
                                   enum timing_base base, nsec rtt)
{
    struct timing_bounds b = begin(host, nominal);
    if (b.nominal == 0)
        b.latest = TIMING_AT_ONCE + b.lateness;
    else if (b.tick_assumed)
        derive_for_any_tick(&b, base, rtt);
    else
        derive_latest(&b, base, rtt);
    return b;
}

struct timing_bounds timing_travel(const struct timing_host *host, nsec nominal)
{
    struct timing_bounds b = begin(host, nominal);
    b.granule = nominal ? b.tick : 0;
    b.latest = nominal ? b.nominal + b.granule + b.lateness : TIMING_AT_ONCE + b.lateness;
    return b;
}

bool timing_within(const struct timing_bounds *b, nsec measured)
{
    return measured >= b->earliest && measured <= b->latest;
}

void timing_number(struct strbuf *sb, nsec t)
{
    if (t >= NSEC_PER_MSEC / 10 && t < NSEC_PER_MSEC && t % (10 * NSEC_PER_USEC) == 0) {
        strbuf_printf(sb, "%g ms", (double)t / 1e6);
        return;
    }
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_approx(&text, t);
    const char *s = strbuf_cstr(&text), *unit = strchr(s, ' ');
    const char *end = unit;
    if (!unit || !memchr(s, '.', (size_t)(unit - s))) {
        strbuf_puts(sb, t == 0 ? "0 s" : s);
        return;
    }
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    strbuf_add(sb, s, (size_t)(end - s));
    strbuf_puts(sb, unit);
}

static void put(struct strbuf *sb, const char *before, nsec t)
{
    strbuf_puts(sb, before);
    timing_number(sb, t);
}

void timing_explain(struct strbuf *sb, const struct timing_bounds *b)
{
    if (b->nominal == 0) {
        put(sb, "at once, sooner than any timer of TCP: ", TIMING_AT_ONCE);
    } else {
        timing_number(sb, b->nominal);
        strbuf_printf(sb, " = %" PRId64 " ticks of ", b->nominal / b->tick);
        timing_number(sb, b->tick);
        put(sb, b->tick_assumed ? " (assumed, the record does not say): granule " : ": granule ",
            b->granule);
        if (b->rounding)
            put(sb, ", rounding ", b->rounding);
    }
    if (b->nominal != 0)
        strbuf_puts(sb, ", one tick");
    put(sb, ", host lateness ", b->lateness);
}

void timing_range(struct strbuf *sb, const struct timing_bounds *b)
{
    if (b->nominal == 0) {
        put(sb, "at most ", b->latest);
        return;
    }
    timing_number(sb, b->nominal);
    put(sb, " … ", b->latest);
}
