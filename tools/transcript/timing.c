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
 * What the kernel takes for T is not T itself.  With the round-trip times r that a sender
 * of data had measured, it waits (net/ipv4/tcp_input.c, tcp_output.c)
 *
 *     RTO      r + max(TCP_RTO_MIN, 2r)   tcp_set_rto(): srtt and four mean deviations,
 *              to r + TCP_RTO_MIN         which are 2r after the first sample, then less,
 *                                         and at least RTO_MIN
 *     probe    2r + TCP_RTO_MIN           tcp_schedule_loss_probe(), one segment in flight
 *              2r + TCP_TIMEOUT_MIN       several in flight
 *     RACK     r/4 + TCP_TIMEOUT_MIN      tcp_rack_mark_lost(): what is missing may come yet
 *
 * rounded up to a tick, and each time-out doubles the RTO with its rounding.  T is what an
 * author takes this for: with no round-trip time worth speaking of 200 ms, 400 ms …, and on
 * a path of 100 ms 300 ms, 600 ms ….  So T, or T halved k times, lies somewhere within what
 * one of these can be: down to a round-trip time shorter than measured by what either host
 * may take to answer at once.  From there it is as far as the longest of it:
 *
 *     rounding = (ceil_to_tick(longest) - T / 2^k) * 2^k
 *
 * of those that T can be, the largest.  If it can be none it is no time-out of data: one
 * tick.  A SYN's base, TCP_TIMEOUT_INIT, knows no RTT: a tick, doubled likewise.  From
 * TCP_RTO_MAX on nothing is doubled any more.  Hence
 *
 *     latest = T + granule(T + rounding) + rounding + tick + lateness
 *
 * with the lateness of the host, as a periodic timer beside the run measured it.  The
 * tick: the wheel is turned at ticks only, and a processor whose tick comes before
 * another one, a little late, has counted the jiffy (kernel/time/tick-sched.c) looks
 * again at its next tick (seen on Linux 6.18 with two processors: 417 ticks and 8 us
 * for 408 rounded up to 416).
 *
 * A path that delays is no timer of TCP's.  The programmable wire keeps its time with a
 * high-resolution timer, never early, and late by the host's lateness; and by a tick,
 * because it is a process, which may have to wait for another one's turn to end.  In the
 * queue of a rate a frame waits for those before it: coming later it waits less, so there
 * the lateness counts on both sides.
 *
 * What answers an arrival is sent at once after it.  Its interval counts from the segment
 * before, so it is the time that its cause was under way since.  Is that the segment before
 * itself, the bounds are the path's, and what it took to answer, if that was at once.  Else
 * both the segment before and the cause came at once after something, so the answer may seem
 * early or late by as much. */

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

/* A time that the kernel may wait. */
struct wait {
    nsec least, most;
};

/* How far it is from `nominal` to the longest of it; -1: it is not this that is meant. */
static nsec excess(nsec nominal, struct wait w, nsec tick)
{
    nsec longest = ceil_to_tick(w.most, tick);
    return nominal >= w.least - tick && nominal <= longest ? longest - nominal : -1;
}

static nsec between(nsec low, nsec t, nsec high)
{
    return t < low ? low : t > high ? high : t;
}

nsec timing_rto(nsec rtt)
{
    rtt = between(0, rtt, RTO_MAX);
    return rtt + (2 * rtt > RTO_MIN ? 2 * rtt : RTO_MIN);
}

/* Of round-trip times from `least` to `most`. */
static struct wait wait_for(enum timing_wait kind, nsec least, nsec most, bool single, nsec tick)
{
    switch (kind) {
    case TIMING_WAIT_RTO:
        break;
    case TIMING_WAIT_PROBE:
        return (struct wait){2 * least + RTO_MIN, 2 * most + RTO_MIN};
    case TIMING_WAIT_PROBE_SEVERAL:
        return (struct wait){2 * least, 2 * most + 2 * tick};
    case TIMING_WAIT_RACK:
        return (struct wait){least / 4, most / 4 + 2 * tick};
    }
    return (struct wait){single ? timing_rto(least) : least + RTO_MIN, timing_rto(most)};
}

static nsec data_rounding(const struct timing_bounds *b, struct timing_rtt rtt)
{
    nsec most = between(1, rtt.most, RTO_MAX);
    nsec shorter = between(0, rtt.least, RTO_MAX) - 2 * (TIMING_AT_ONCE + b->lateness);
    nsec least = between(0, shorter, most);
    struct wait rto = wait_for(TIMING_WAIT_RTO, least, most, rtt.single, b->tick);
    nsec rounding = b->tick;
    static const enum timing_wait others[] = {TIMING_WAIT_PROBE, TIMING_WAIT_PROBE_SEVERAL,
                                              TIMING_WAIT_RACK};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct wait other = wait_for(others[i], least, most, rtt.single, b->tick);
        nsec found = excess(b->nominal, other, b->tick);
        rounding = found > rounding ? found : rounding;
    }
    for (int k = 0; b->nominal >> k >= RTO_MIN / 2; k++) {
        nsec off = excess(b->nominal >> k, rto, b->tick);
        if (off > 0 && off << k > rounding)
            rounding = off << k;
    }
    return rounding;
}

static nsec rounding_of(const struct timing_bounds *b, enum timing_base base, struct timing_rtt rtt)
{
    if (base == TIMING_OTHER || b->nominal >= RTO_MAX)
        return b->tick;
    if (base == TIMING_DATA)
        return data_rounding(b, rtt);
    if (b->nominal <= TIMEOUT_INIT)
        return b->tick;
    return (nsec)((__int128)b->tick * b->nominal / TIMEOUT_INIT);
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

static void derive_latest(struct timing_bounds *b, enum timing_base base, struct timing_rtt rtt)
{
    b->rounding = rounding_of(b, base, rtt);
    b->granule = granule_ticks((b->nominal + b->rounding) / b->tick) * b->tick;
    b->latest = b->nominal + b->granule + b->rounding + b->tick + b->lateness;
}

/* A finer tick has finer slots at the bottom of the wheel, but its levels end sooner:
 * of a kernel whose tick is unknown the latest moment is that of its worst HZ. */
static void derive_for_any_tick(struct timing_bounds *b, enum timing_base base,
                                struct timing_rtt rtt)
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
                                   enum timing_base base, struct timing_rtt rtt)
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

static nsec smaller(nsec a, nsec b)
{
    return a < b ? a : b;
}

/* Doubled as the kernel does, up to TCP_RTO_MAX. */
static nsec double_wait(nsec t, unsigned doubled)
{
    while (doubled-- && t < RTO_MAX)
        t *= 2;
    return smaller(t, RTO_MAX);
}

bool timing_may_be(const struct timing_host *host, enum timing_wait wait, unsigned doubled,
                   struct timing_rtt rtt, nsec measured)
{
    nsec most = between(1, rtt.most, RTO_MAX), least = between(0, rtt.least, most);
    nsec tick = begin(host, 0).tick;
    struct wait w = wait_for(wait, least, most, rtt.single, tick);
    struct wait rto = wait_for(TIMING_WAIT_RTO, least, most, rtt.single, tick);
    w = (struct wait){smaller(w.least, rto.least), smaller(w.most, rto.most)};
    nsec longest = double_wait(ceil_to_tick(w.most, tick), doubled);
    struct timing_bounds b = timing_derive(host, longest, TIMING_OTHER, rtt);
    nsec shortest = double_wait(w.least, doubled);
    b.earliest = wait == TIMING_WAIT_RACK || shortest < b.tick ? 0 : shortest - b.tick;
    return timing_within(&b, measured);
}

static nsec path_jitter(const struct timing_path *path)
{
    nsec jitter = path->jitter;
    return jitter < 0 ? 0 : jitter > TIMING_LONGEST ? TIMING_LONGEST : jitter;
}

static nsec path_earliest(const struct timing_bounds *b, const struct timing_path *path)
{
    nsec earliest = b->nominal - b->jitter;
    if (path->foreign || path->queue)
        earliest -= b->tick;
    if (path->queue)
        earliest -= b->lateness;
    return earliest > 0 ? earliest : 0;
}

struct timing_bounds timing_travel(const struct timing_host *host, nsec nominal,
                                   const struct timing_path *path)
{
    struct timing_bounds b = begin(host, nominal);
    b.kind = TIMING_TRAVEL;
    b.jitter = path_jitter(path);
    b.earliest = path_earliest(&b, path);
    b.latest = b.nominal + b.jitter + b.tick + b.lateness;
    if (b.nominal == 0)
        b.latest = TIMING_AT_ONCE + b.lateness;
    return b;
}

/* What of it was at once. */
static nsec at_once(const struct timing_bounds *b, nsec response)
{
    nsec most = TIMING_AT_ONCE + b->lateness;
    return response < 0 ? 0 : response > most ? most : response;
}

struct timing_bounds timing_answer(const struct timing_host *host, nsec nominal,
                                   const struct timing_path *path, nsec response)
{
    struct timing_bounds b = timing_travel(host, nominal, path);
    b.kind = TIMING_ANSWER;
    b.latest += at_once(&b, response);
    return b;
}

struct timing_bounds timing_answer_later(const struct timing_host *host, nsec nominal,
                                         const struct timing_path *path)
{
    struct timing_bounds b = timing_travel(host, nominal, path);
    nsec before = TIMING_AT_ONCE + b.lateness + b.jitter;
    b.kind = TIMING_ANSWER;
    b.earliest = b.earliest > before ? b.earliest - before : 0;
    b.latest = b.nominal + b.jitter + TIMING_AT_ONCE + b.lateness;
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

static void explain_timer(struct strbuf *sb, const struct timing_bounds *b)
{
    timing_number(sb, b->nominal);
    strbuf_printf(sb, " = %" PRId64 " ticks of ", b->nominal / b->tick);
    timing_number(sb, b->tick);
    put(sb, b->tick_assumed ? " (assumed, the record does not say): granule " : ": granule ",
        b->granule);
    if (b->rounding)
        put(sb, ", rounding ", b->rounding);
    strbuf_puts(sb, ", one tick");
}

void timing_explain(struct strbuf *sb, const struct timing_bounds *b)
{
    if (b->nominal == 0) {
        put(sb, "at once, sooner than any timer of TCP: ", TIMING_AT_ONCE);
    } else if (b->kind == TIMING_ANSWER) {
        timing_number(sb, b->nominal);
        put(sb, " until what it answers had arrived: at once, sooner than any timer of TCP: ",
            TIMING_AT_ONCE);
    } else if (b->kind == TIMING_TRAVEL) {
        timing_number(sb, b->nominal);
        strbuf_puts(sb, " under way: one tick");
    } else {
        explain_timer(sb, b);
    }
    if (b->jitter)
        put(sb, ", jitter ", b->jitter);
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
