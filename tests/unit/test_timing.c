/* The timing rule against gaps that were measured on real kernels. */

#include "unit.h"

#include "base/memory.h"
#include "transcript/timing.h"

#define MS NSEC_PER_MSEC
#define RTT (100 * NSEC_PER_USEC)

static const struct timing_rtt none = {0, 0, false};

static struct timing_bounds at_hz(int hz, nsec nominal, enum timing_base base, nsec rtt)
{
    struct timing_host host = {NSEC_PER_SEC / hz, 0};
    return timing_derive(&host, nominal, base, (struct timing_rtt){rtt, rtt, false});
}

static void check(int hz, enum timing_base base, nsec nominal, nsec measured, bool fits)
{
    struct timing_bounds b = at_hz(hz, nominal, base, base == TIMING_DATA ? RTT : 0);
    ck_assert_msg(timing_within(&b, measured) == fits,
                  "HZ %d: %.3f s for %.3f s, allowed %.4f … %.4f", hz, (double)measured / 1e9,
                  (double)nominal / 1e9, (double)b.earliest / 1e9, (double)b.latest / 1e9);
}

/* {nominal, measured}, in milliseconds, up to a 0. */
struct pair {
    int nominal, measured;
};

static const struct series {
    int hz;
    enum timing_base base;
    struct pair pairs[20];
} series[] = {
    /* SYN to silence, tcp_syn_linear_timeouts=0, Linux 6.18 */
    {250, TIMING_SYN, {{1000, 1005}, {2000, 2016}, {4000, 4064}, {8000, 8192}, {16000, 16132}}},
    /* the default, 4 */
    {250,
     TIMING_SYN,
     {{1000, 1028},
      {1000, 1024},
      {1000, 1024},
      {1000, 1024},
      {1000, 1024},
      {2000, 2016},
      {4000, 4064},
      {8000, 8192},
      {16000, 16128},
      {32000, 32300},
      {32000, 33000}}},
    /* Debian 6.1 on a virtual clock */
    {250,
     TIMING_SYN,
     {{1000, 1006}, {2000, 2016}, {4000, 4064}, {8000, 8192}, {16000, 16128}, {32000, 33792}}},
    /* Debian 6.12 on a virtual clock */
    {250,
     TIMING_SYN,
     {{1000, 1030}, {2000, 2016}, {4000, 4224}, {8000, 8192}, {16000, 16128}, {32000, 32256}}},
    /* data into an unplugged cable, tail loss probe on */
    {250,
     TIMING_DATA,
     {{200, 204}, {200, 208}, {400, 428}, {800, 832}, {1600, 1664}, {3200, 3296}, {6400, 6656}}},
    /* one of them on two processors, of which one counted a tick late */
    {250, TIMING_DATA, {{1600, 1668}}},
    /* tcp_early_retrans=0 */
    {250,
     TIMING_DATA,
     {{200, 208}, {400, 412}, {800, 832}, {1600, 1664}, {3200, 3456}, {6400, 6656}}},
    /* HZ=100, 6.12 */
    {100,
     TIMING_DATA,
     {{200, 209},
      {200, 210},
      {400, 410},
      {800, 870},
      {1600, 1680},
      {3200, 3280},
      {6400, 6960},
      {12800, 13440},
      {25600, 26240},
      {51200, 53120},
      {102400, 107520},
      {120000, 122880}}},
};

START_TEST(measured_gaps_fit)
{
    const struct series *s = &series[_i];
    for (const struct pair *p = s->pairs; p->nominal; p++)
        check(s->hz, s->base, p->nominal * MS, p->measured * MS, true);
}
END_TEST

/* A gap is never taken for the next one of its series. */
START_TEST(neighbours_do_not_fit)
{
    const struct series *s = &series[_i];
    for (const struct pair *p = s->pairs; p->nominal; p++) {
        if (p->nominal >= 100000)
            continue; /* RTO_MAX comes next, which is no double */
        check(s->hz, s->base, 2 * p->nominal * MS, p->measured * MS, false);
        check(s->hz, s->base, p->nominal / 2 * MS, p->measured * MS, false);
    }
}
END_TEST

START_TEST(edges)
{
    struct timing_bounds b = at_hz(250, 2000 * MS, TIMING_SYN, 0);
    ck_assert_int_eq(b.earliest, 1996 * MS);
    ck_assert_int_eq(b.granule, 32 * MS);
    ck_assert_int_eq(b.rounding, 8 * MS);
    ck_assert_int_eq(b.latest, (2040 + 4) * MS + TIMING_MIN_LATENESS);
    check(250, TIMING_SYN, 2000 * MS, 1996 * MS - 1, false);
    check(250, TIMING_SYN, 2000 * MS, b.latest + 1, false);
    /* one level up, in the rounding too */
    b = at_hz(250, 4000 * MS, TIMING_SYN, 0);
    ck_assert_int_eq(b.latest, (4000 + 256 + 16 + 4) * MS + TIMING_MIN_LATENESS);
    /* 503 ticks are of level 1, 504 of level 2 */
    ck_assert_int_eq(at_hz(1000, 502 * MS, TIMING_OTHER, 0).granule, 8 * MS);
    ck_assert_int_eq(at_hz(1000, 503 * MS, TIMING_OTHER, 0).granule, 64 * MS);
}
END_TEST

START_TEST(round_trips_widen)
{
    /* 10 ms are three ticks; a probe waits two round trips */
    ck_assert_int_eq(at_hz(250, 400 * MS, TIMING_DATA, 10 * MS).rounding, 24 * MS);
    ck_assert_int_eq(at_hz(250, 200 * MS, TIMING_DATA, 10 * MS).rounding, 20 * MS);
    /* RACK waits a quarter of one and two ticks: 50 ms and 8 ms are 15 ticks */
    ck_assert_int_eq(at_hz(250, 50 * MS, TIMING_DATA, 200 * MS).rounding, 10 * MS);
    ck_assert_int_eq(at_hz(250, 100 * MS, TIMING_DATA, 200 * MS).rounding, 4 * MS);
    ck_assert_int_eq(at_hz(250, 400 * MS, TIMING_SYN, 10 * MS).rounding, 4 * MS);
}
END_TEST

/* Retransmissions behind a wire that delays, measured on 6.18: T, and what it was. */
START_TEST(an_rto_with_a_real_round_trip)
{
    static const struct {
        nsec rtt;
        int nominal, measured;
        bool fits;
    } cases[] = {
        {100200 * NSEC_PER_USEC, 300, 315, true},   {100200 * NSEC_PER_USEC, 300, 330, true},
        {100200 * NSEC_PER_USEC, 600, 640, true},   {100200 * NSEC_PER_USEC, 1200, 1248, true},
        {100200 * NSEC_PER_USEC, 2400, 2592, true}, {100200 * NSEC_PER_USEC, 2400, 2496, true},
        {100200 * NSEC_PER_USEC, 400, 330, false},  {100200 * NSEC_PER_USEC, 300, 400, false},
        {100200 * NSEC_PER_USEC, 200, 315, false},  {100200 * NSEC_PER_USEC, 400, 640, false},
        {100200 * NSEC_PER_USEC, 304, 304, true},   {100200 * NSEC_PER_USEC, 304, 336, true},
        {200300 * NSEC_PER_USEC, 600, 608, true},   {200300 * NSEC_PER_USEC, 600, 632, true},
        {200300 * NSEC_PER_USEC, 1200, 1216, true}, {200300 * NSEC_PER_USEC, 2400, 2656, true},
        {200300 * NSEC_PER_USEC, 400, 608, false},  {200300 * NSEC_PER_USEC, 200, 608, false},
        {200300 * NSEC_PER_USEC, 300, 608, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct timing_host host = {4 * MS, 0};
        struct timing_rtt rtt = {cases[i].rtt, cases[i].rtt, true};
        struct timing_bounds b = timing_derive(&host, cases[i].nominal * MS, TIMING_DATA, rtt);
        ck_assert_msg(timing_within(&b, cases[i].measured * MS) == cases[i].fits,
                      "case %zu: %d ms for %d ms, allowed %.4f … %.4f", i, cases[i].measured,
                      cases[i].nominal, (double)b.earliest / 1e9, (double)b.latest / 1e9);
    }
    /* From the second round trip on the deviation is less: 400 ms and 600 ms are possible. */
    struct timing_host host = {4 * MS, 0};
    struct timing_rtt more = {200 * MS, 200300 * NSEC_PER_USEC, false};
    struct timing_bounds b = timing_derive(&host, 400 * MS, TIMING_DATA, more);
    ck_assert(timing_within(&b, 416 * MS));
    ck_assert_int_eq(timing_rto(100 * MS), 300 * MS);
    ck_assert_int_eq(timing_rto(200 * MS), 600 * MS);
    ck_assert_int_eq(timing_rto(0), 200 * MS);
}
END_TEST

START_TEST(paths_keep_their_delay)
{
    struct timing_host host = {4 * MS, 300 * NSEC_PER_USEC};
    struct timing_path wire = {0}, queue = {.queue = true}, foreign = {.foreign = true};
    struct timing_path jitter = {.jitter = 10 * MS};
    struct timing_bounds b = timing_travel(&host, 50 * MS, &wire);
    ck_assert_int_eq(b.earliest, 50 * MS);
    ck_assert_int_eq(b.latest, 54300 * NSEC_PER_USEC);
    b = timing_travel(&host, 50 * MS, &queue);
    ck_assert_int_eq(b.earliest, 45700 * NSEC_PER_USEC);
    b = timing_travel(&host, 50 * MS, &foreign);
    ck_assert_int_eq(b.earliest, 46 * MS);
    b = timing_travel(&host, 50 * MS, &jitter);
    ck_assert_int_eq(b.earliest, 40 * MS);
    ck_assert_int_eq(b.latest, 64300 * NSEC_PER_USEC);
    b = timing_travel(&host, 0, &jitter);
    ck_assert_int_eq(b.earliest, 0);
    ck_assert_int_eq(b.latest, TIMING_AT_ONCE + 300 * NSEC_PER_USEC);
    /* An answer: at once behind the arrival, and no later than that. */
    b = timing_answer(&host, 50 * MS, &wire, MS);
    ck_assert_int_eq(b.earliest, 50 * MS);
    ck_assert_int_eq(b.latest, 55300 * NSEC_PER_USEC);
    b = timing_answer(&host, 50 * MS, &wire, 1000 * MS);
    ck_assert_int_eq(b.latest, 54300 * NSEC_PER_USEC + TIMING_AT_ONCE + 300 * NSEC_PER_USEC);
    b = timing_answer_later(&host, 50 * MS, &wire);
    ck_assert_int_eq(b.earliest, 50 * MS - TIMING_AT_ONCE - 300 * NSEC_PER_USEC);
    ck_assert_int_eq(b.latest, 50 * MS + TIMING_AT_ONCE + 300 * NSEC_PER_USEC);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    timing_explain(&text, &b);
    ck_assert_str_eq(strbuf_cstr(&text), "50 ms until what it answers had arrived: at once, sooner "
                                         "than any timer of TCP: 20 ms, host lateness 0.3 ms");
}
END_TEST

START_TEST(at_once)
{
    check(250, TIMING_DATA, 0, 0, true);
    check(250, TIMING_DATA, 0, 20 * MS, true);
    check(250, TIMING_DATA, 0, 40 * MS, false);
    struct timing_host late = {4 * MS, 30 * MS};
    struct timing_bounds b = timing_derive(&late, 0, TIMING_DATA, none);
    ck_assert(timing_within(&b, 45 * MS));
}
END_TEST

START_TEST(the_derivation_is_told)
{
    struct timing_host host = {4 * MS, 300 * NSEC_PER_USEC};
    struct timing_bounds b = timing_derive(&host, 2000 * MS, TIMING_SYN, none);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    timing_explain(&text, &b);
    ck_assert_str_eq(strbuf_cstr(&text), "2 s = 500 ticks of 4 ms: granule 32 ms, rounding 8 ms, "
                                         "one tick, host lateness 0.3 ms");
    strbuf_truncate(&text, 0);
    timing_range(&text, &b);
    ck_assert_str_eq(strbuf_cstr(&text), "2 s … 2.044 s");
    host.tick = 0;
    b = timing_derive(&host, 1000 * MS, TIMING_SYN, none);
    strbuf_truncate(&text, 0);
    timing_explain(&text, &b);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&text), "ticks of 10 ms (assumed"));
}
END_TEST

/* Whatever the evidence says, no overflow and no bound below the nominal value. */
START_TEST(unkind_evidence)
{
    static const nsec values[] = {INT64_MIN, -1, 0, 1, 5, MS, NSEC_PER_SEC, INT64_MAX};
    for (size_t t = 0; t < ARRAY_SIZE(values); t++)
        for (size_t l = 0; l < ARRAY_SIZE(values); l++)
            for (size_t r = 0; r < ARRAY_SIZE(values); r++) {
                struct timing_host host = {values[t], values[l]};
                static const nsec nominals[] = {0, 1, MS, TIMING_LONGEST};
                for (size_t n = 0; n < ARRAY_SIZE(nominals); n++) {
                    struct timing_bounds b =
                        timing_derive(&host, nominals[n], TIMING_DATA,
                                      (struct timing_rtt){values[r], values[r], r % 2});
                    ck_assert_int_ge(b.latest, b.nominal);
                    ck_assert_int_le(b.earliest, b.nominal);
                    ck_assert_int_ge(b.earliest, 0);
                }
            }
}
END_TEST

START_TEST(numbers_as_people_write)
{
    static const struct {
        nsec t;
        const char *text;
    } cases[] = {
        {0, "0 s"},
        {2000 * MS, "2 s"},
        {2040 * MS, "2.04 s"},
        {1024 * MS, "1.024 s"},
        {32 * MS, "32 ms"},
        {200 * MS, "200 ms"},
        {31000, "31 µs"},
        {300000, "0.3 ms"},
        {16128 * MS, "16.13 s"},
        {120000 * MS, "120 s"},
        {8 * MS, "8 ms"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf text cleanup_strbuf = STRBUF_INIT;
        timing_number(&text, cases[i].t);
        ck_assert_str_eq(strbuf_cstr(&text), cases[i].text);
    }
}
END_TEST

static Suite *suite_timing(void)
{
    Suite *s = suite_create("timing");
    TCase *t = tcase_create("timing");
    tcase_add_loop_test(t, measured_gaps_fit, 0, (int)ARRAY_SIZE(series));
    tcase_add_loop_test(t, neighbours_do_not_fit, 0, (int)ARRAY_SIZE(series));
    tcase_add_test(t, edges);
    tcase_add_test(t, round_trips_widen);
    tcase_add_test(t, an_rto_with_a_real_round_trip);
    tcase_add_test(t, paths_keep_their_delay);
    tcase_add_test(t, at_once);
    tcase_add_test(t, the_derivation_is_told);
    tcase_add_test(t, unkind_evidence);
    tcase_add_test(t, numbers_as_people_write);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_timing)
