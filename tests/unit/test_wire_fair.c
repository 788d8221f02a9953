/* The wire's fair queue: who is served when, and who is dropped. */

#include "unit.h"

#include <stdio.h>

#include "build_packet.h"
#include "wire/lane.h"

#define MS NSEC_PER_MSEC

/* Frames of 1000 bytes take 8 ms, those of 100 bytes 0.8 ms. */
enum { RATE = 1000000, LONG = 1000, SHORT = 100 };

/* A frame's first sequence number says who sent it and which of his it is. */
#define NAME(flow, i) ((flow)*1000 + (i))

static struct wire_flows flows;
static struct lane lane;
static long dropped[16];
static size_t n_dropped, n_staying;

static long name_of(const struct wire_frame *frame)
{
    struct packet p;
    wire_frame_decode(frame, &p);
    return p.transport == TRANSPORT_TCP ? (long)p.tcp.seq : -1;
}

static void note(void *ctx, enum wire_action action, long step, const struct wire_frame *frame,
                 const struct wire_frame *result)
{
    (void)ctx;
    ck_assert(!result && frame);
    if (action == WIRE_STAY) {
        n_staying++;
        return;
    }
    ck_assert_int_eq(action, WIRE_OVERFLOW);
    ck_assert_int_eq(step, 7);
    ck_assert_uint_lt(n_dropped, ARRAY_SIZE(dropped));
    dropped[n_dropped++] = name_of(frame);
}

static void set(uint64_t queue, bool bytes, nsec delay, nsec jitter)
{
    lane_set(&lane, 7,
             &(struct wire_properties){.has = WIRE_HAS_RATE | WIRE_HAS_QUEUE | WIRE_HAS_DELAY |
                                              WIRE_HAS_JITTER,
                                       .rate = RATE,
                                       .queue = queue,
                                       .queue_bytes = bytes,
                                       .queue_fair = true,
                                       .delay = delay,
                                       .jitter = jitter});
}

static void setup(void)
{
    flows = (struct wire_flows){0};
    n_dropped = n_staying = 0;
    lane_init(&lane, &flows, note, NULL);
    set(100, false, 0, 0);
}

static void teardown(void)
{
    lane_free(&lane);
    wire_flows_free(&flows);
}

/* The flow's frame of that length with all headers comes at `at`. */
static void come(unsigned flow, unsigned i, size_t len, nsec at)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    size_t n = build_tcp(buf, &(struct build_tcp){.flags = ".",
                                                  .sport = (uint16_t)(5000 + flow),
                                                  .seq = NAME(flow, i),
                                                  .len = len - 54});
    ck_assert_uint_eq(n, len);
    lane_take(&lane, wire_frame_new(buf, (uint32_t)n, at));
}

static void come_many(unsigned flow, unsigned from, unsigned to, size_t len, nsec at)
{
    for (unsigned i = from; i <= to; i++)
        come(flow, i, len, at);
}

/* As the ferry does: asks when the next one is due, and takes it then. */
static long next(nsec *at)
{
    for (nsec due; (due = lane_next(&lane)) != NSEC_NEVER;) {
        cleanup_free struct wire_frame *f = lane_pop(&lane, due);
        if (!f)
            continue;
        *at = due;
        return name_of(f);
    }
    return -1;
}

static void expect(const long *names, size_t n)
{
    nsec at;
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(next(&at), names[i]);
    ck_assert_int_eq(next(&at), -1);
}
#define EXPECT(...)                                                                                \
    expect((const long[]){__VA_ARGS__}, sizeof((long[]){__VA_ARGS__}) / sizeof(long))

/* -------------------------------------------------------------------- service */

START_TEST(one_flow_as_in_any_queue)
{
    nsec at;
    set(100, false, 3 * MS, 0);
    come_many(1, 1, 3, LONG, 0);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(next(&at), NAME(1, i));
        ck_assert_int_eq(at, i * 8 * MS + 3 * MS);
    }
    come(1, 4, LONG, 100 * MS); /* nobody before it */
    ck_assert_int_eq(next(&at), NAME(1, 4));
    ck_assert_int_eq(at, 108 * MS + 3 * MS);
}
END_TEST

START_TEST(two_flows_alternate)
{
    come_many(1, 1, 6, LONG, 0);
    come_many(2, 1, 3, LONG, 1 * MS); /* when the first is in service */
    EXPECT(NAME(1, 1), NAME(2, 1), NAME(1, 2), NAME(2, 2), NAME(1, 3), NAME(2, 3), NAME(1, 4),
           NAME(1, 5), NAME(1, 6));
}
END_TEST

START_TEST(three_flows_take_turns)
{
    for (unsigned flow = 1; flow <= 3; flow++)
        come_many(flow, 1, 3, LONG, 0);
    EXPECT(NAME(1, 1), NAME(2, 1), NAME(3, 1), NAME(1, 2), NAME(2, 2), NAME(3, 2), NAME(1, 3),
           NAME(2, 3), NAME(3, 3));
}
END_TEST

/* Who joins late gets his share from then on, and nothing for the time before. */
START_TEST(no_credit_for_silence)
{
    come_many(1, 1, 8, LONG, 0);
    come_many(2, 1, 3, LONG, 33 * MS); /* the fifth is in service since 32 ms */
    EXPECT(NAME(1, 1), NAME(1, 2), NAME(1, 3), NAME(1, 4), NAME(1, 5), NAME(2, 1), NAME(1, 6),
           NAME(2, 2), NAME(1, 7), NAME(2, 3), NAME(1, 8));
}
END_TEST

START_TEST(shares_are_of_bytes)
{
    come_many(1, 1, 2, LONG, 0);
    come_many(2, 1, 12, SHORT, 0);
    /* While 1001 is in service; then ten short ones end before 1002, and one with it. */
    EXPECT(NAME(1, 1), NAME(2, 1), NAME(2, 2), NAME(2, 3), NAME(2, 4), NAME(2, 5), NAME(2, 6),
           NAME(2, 7), NAME(2, 8), NAME(2, 9), NAME(1, 2), NAME(2, 10), NAME(2, 11), NAME(2, 12));
}
END_TEST

/* Golestani's bound, with two flows that always have something waiting: what one got is
 * never ahead of the other by more than one frame of each. */
START_TEST(within_one_frame_of_each)
{
    static const unsigned lens[] = {LONG, 700, SHORT, 350, 60};
    uint64_t got[3] = {0};
    set(1000, false, 0, 0);
    for (unsigned i = 0; i < 100; i++)
        come(1, i, LONG, 0);
    for (unsigned i = 0; i < 200; i++)
        come(2, i, lens[i % ARRAY_SIZE(lens)], 0);
    for (unsigned i = 0; i < 150; i++) {
        cleanup_free struct wire_frame *f = lane_pop(&lane, lane_next(&lane));
        ck_assert_ptr_nonnull(f);
        got[name_of(f) / 1000] += f->len;
        ck_assert_uint_le(got[1], got[2] + 2 * LONG);
        ck_assert_uint_le(got[2], got[1] + 2 * LONG);
    }
}
END_TEST

/* The ferry looks late: what came meanwhile is served as if it had been there in time. */
START_TEST(choices_are_made_as_of_their_time)
{
    nsec at;
    come_many(1, 1, 4, LONG, 0);
    come(2, 1, LONG, 20 * MS); /* the third is in service from 16 to 24 ms */
    ck_assert_int_eq(next(&at), NAME(1, 1));
    ck_assert_int_eq(at, 8 * MS);
    for (int i = 0; i < 4; i++) {
        cleanup_free struct wire_frame *f = lane_pop(&lane, 1000 * MS);
        static const long order[] = {NAME(1, 2), NAME(1, 3), NAME(2, 1), NAME(1, 4)};
        ck_assert_int_eq(name_of(f), order[i]);
    }
    ck_assert_int_eq(lane_next(&lane), NSEC_NEVER);
}
END_TEST

START_TEST(jitter_keeps_the_order_of_service)
{
    nsec at, before = 0;
    set(100, false, 20 * MS, 15 * MS);
    come_many(1, 1, 20, LONG, 0);
    come_many(2, 1, 20, LONG, 0);
    for (int i = 1; i <= 20; i++) {
        for (int flow = 1; flow <= 2; flow++) {
            ck_assert_int_eq(next(&at), NAME(flow, i));
            nsec departs = (2 * (i - 1) + flow) * 8 * MS;
            ck_assert_int_ge(at, departs + 5 * MS);
            ck_assert_int_le(at, departs + 35 * MS);
            ck_assert_int_ge(at, before);
            before = at;
        }
    }
}
END_TEST

/* What is no TCP: a flow of its own, not one of everybody's. */
START_TEST(other_packets_are_flows_too)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    come_many(1, 1, 3, LONG, 0);
    lane_take(&lane, wire_frame_new(buf, (uint32_t)build_arp(buf, 1, "10.0.0.1", "10.0.0.2"), 0));
    lane_take(&lane,
              wire_frame_new(
                  buf, (uint32_t)build_udp(buf, "10.0.0.1", 5001, "10.0.0.2", 1234, "?", 1), 0));
    EXPECT(NAME(1, 1), -1);
}
END_TEST

/* -------------------------------------------------------------------- overflow */

START_TEST(the_longest_line_loses)
{
    set(4, false, 0, 0);
    come_many(1, 1, 5, LONG, 0); /* one in service, four wait */
    come(2, 1, LONG, 1 * MS);    /* instead of 1005 */
    come(2, 2, LONG, 1 * MS);    /* instead of 1004 */
    ck_assert_uint_eq(n_dropped, 2);
    ck_assert_int_eq(dropped[0], NAME(1, 5));
    ck_assert_int_eq(dropped[1], NAME(1, 4));
    come(1, 6, LONG, 2 * MS); /* its own line is the longest */
    ck_assert_uint_eq(n_dropped, 3);
    ck_assert_int_eq(dropped[2], NAME(1, 6));
    come(1, 7, LONG, 9 * MS); /* 2001 is in service: room for one */
    ck_assert_uint_eq(n_dropped, 3);
    EXPECT(NAME(1, 1), NAME(2, 1), NAME(1, 2), NAME(2, 2), NAME(1, 3), NAME(1, 7));
}
END_TEST

START_TEST(room_in_bytes)
{
    set(2 * LONG, true, 0, 0);
    come_many(1, 1, 3, LONG, 0); /* one in service, two wait */
    come(2, 1, SHORT, 0);
    ck_assert_uint_eq(n_dropped, 1);
    ck_assert_int_eq(dropped[0], NAME(1, 3));
    come_many(2, 2, 10, SHORT, 0);
    ck_assert_uint_eq(n_dropped, 1);
    come(2, 11, SHORT, 0); /* 1100 bytes are the longest line now */
    ck_assert_uint_eq(n_dropped, 2);
    ck_assert_int_eq(dropped[1], NAME(2, 11));
    set(50, true, 0, 0);
    come(3, 1, SHORT, 0); /* does not even fit alone */
    ck_assert_uint_eq(n_dropped, 3);
    ck_assert_int_eq(dropped[2], NAME(3, 1));
}
END_TEST

/* --------------------------------------------------------------------- changes */

/* Who waits goes as he would have gone; who comes goes behind them. */
START_TEST(what_waits_keeps_its_turn)
{
    nsec at;
    come_many(1, 1, 2, LONG, 0);
    come_many(2, 1, 2, LONG, 0);
    lane_set(&lane, 8,
             &(struct wire_properties){
                 .has = WIRE_HAS_RATE | WIRE_HAS_QUEUE, .rate = (uint64_t)10 * RATE, .queue = 100});
    come_many(1, 3, 4, LONG, 1 * MS);
    static const long order[] = {NAME(1, 1), NAME(2, 1), NAME(1, 2),
                                 NAME(2, 2), NAME(1, 3), NAME(1, 4)};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        ck_assert_int_eq(next(&at), order[i]);
        ck_assert_int_eq(at,
                         i < 4 ? (nsec)(i + 1) * 8 * MS : 32 * MS + (nsec)(i - 3) * 8 * MS / 10);
    }
}
END_TEST

START_TEST(what_is_left)
{
    come_many(1, 1, 3, LONG, 0);
    come(2, 1, LONG, 0);
    lane_note_staying(&lane);
    ck_assert_uint_eq(n_staying, 4);
    lane_clear(&lane, 1 * MS);
    come(3, 1, LONG, 1 * MS); /* no rate any more, but in order */
    EXPECT(NAME(1, 1), NAME(2, 1), NAME(1, 2), NAME(1, 3), NAME(3, 1));
}
END_TEST

static Suite *suite_wire_fair(void)
{
    Suite *s = suite_create("wire-fair");
    TCase *t = tcase_create("fair");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, one_flow_as_in_any_queue);
    tcase_add_test(t, two_flows_alternate);
    tcase_add_test(t, three_flows_take_turns);
    tcase_add_test(t, no_credit_for_silence);
    tcase_add_test(t, shares_are_of_bytes);
    tcase_add_test(t, within_one_frame_of_each);
    tcase_add_test(t, choices_are_made_as_of_their_time);
    tcase_add_test(t, jitter_keeps_the_order_of_service);
    tcase_add_test(t, other_packets_are_flows_too);
    tcase_add_test(t, the_longest_line_loses);
    tcase_add_test(t, room_in_bytes);
    tcase_add_test(t, what_waits_keeps_its_turn);
    tcase_add_test(t, what_is_left);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_wire_fair)
