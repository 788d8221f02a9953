/* The wire's pure parts: which frames a rule means, what becomes of them, and when. */

#include "unit.h"

#include <stdio.h>

#include "build_packet.h"
#include "wire/lane.h"
#include "wire/segment.h"

#define MS NSEC_PER_MSEC
#define US NSEC_PER_USEC

enum { MAX_NOTES = 4096 };

struct noted {
    long step;
    enum wire_action action;
    bool has_frame, has_result;
    uint16_t window; /* of the result */
};

static struct noted notes[MAX_NOTES];
static size_t n_notes;
static struct wire_flows flows;
static struct lane lane;

static void note(void *ctx, enum wire_action action, long step, const struct wire_frame *frame,
                 const struct wire_frame *result)
{
    (void)ctx;
    ck_assert_uint_lt(n_notes, MAX_NOTES);
    struct packet p = {0};
    if (result)
        wire_frame_decode(result, &p);
    notes[n_notes++] =
        (struct noted){step, action, frame != NULL, result != NULL, result ? p.tcp.window : 0};
}

static void setup(void)
{
    n_notes = 0;
    flows = (struct wire_flows){0};
    lane_init(&lane, &flows, note, NULL);
}

static void teardown(void)
{
    lane_free(&lane);
    wire_flows_free(&flows);
}

static struct wire_frame *frame_of(const struct build_tcp *b, nsec at)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    size_t n = build_tcp(buf, b);
    return wire_frame_new(buf, (uint32_t)n, at);
}

/* The client's segments: a SYN, and data of 1000 bytes each, numbered from 0. */
static void send_syn(nsec at)
{
    lane_take(&lane, frame_of(&(struct build_tcp){.flags = "S", .seq = 5000, .mss = 1460}, at));
}

static void send_data(unsigned i, nsec at)
{
    lane_take(&lane, frame_of(&(struct build_tcp){.flags = "P.",
                                                  .seq = 5001 + 1000 * i,
                                                  .ack = 9001,
                                                  .win = 500,
                                                  .id = (uint16_t)i,
                                                  .len = 1000},
                              at));
}

static void send_ack(nsec at)
{
    lane_take(&lane, frame_of(&(struct build_tcp){.flags = ".", .seq = 5001, .ack = 9001}, at));
}

/* The relative number of the next frame that is due by then; -1: none is. */
static long next_seq(nsec now)
{
    struct packet p;
    cleanup_free struct wire_frame *f = lane_pop(&lane, now);
    if (!f)
        return -1;
    wire_frame_decode(f, &p);
    return (long)(p.tcp.seq - 5000);
}

static void expect_order(const long *seqs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(next_seq(NSEC_NEVER - 1), seqs[i]);
    ck_assert_int_eq(next_seq(NSEC_NEVER - 1), -1);
}
#define EXPECT(...)                                                                                \
    expect_order((const long[]){__VA_ARGS__}, sizeof((const long[]){__VA_ARGS__}) / sizeof(long))

static void add(const struct wire_rule *rule, long step)
{
    struct error err = ERROR_INIT;
    ck_assert_int_eq(lane_add_rule(&lane, step, rule, &err), 0);
}

static void set(const struct wire_properties *p)
{
    lane_set(&lane, 77, p);
}

/* ----------------------------------------------------------------------- rules */

START_TEST(nothing_said)
{
    send_syn(0);
    send_data(0, MS);
    ck_assert_int_eq(lane_next(&lane), 0);
    EXPECT(0, 1);
    ck_assert_uint_eq(n_notes, 0);
    ck_assert_int_eq(lane_next(&lane), NSEC_NEVER);
}
END_TEST

START_TEST(the_third_data_segment)
{
    struct wire_rule rule = {.action = WIRE_DROP,
                             .pick = {.kind = WIRE_PICK_DATA, .first = 3, .last = 3}};
    add(&rule, 4);
    send_syn(0);
    send_ack(0);
    for (unsigned i = 0; i < 4; i++)
        send_data(i, 0);
    EXPECT(0, 1, 1, 1001, 3001);
    ck_assert_uint_eq(n_notes, 1);
    ck_assert_int_eq(notes[0].action, WIRE_DROP);
    ck_assert_int_eq(notes[0].step, 4);
    ck_assert(notes[0].has_frame && !notes[0].has_result);
}
END_TEST

START_TEST(picks)
{
    char syn[] = "S", longer[] = "greater 1000";
    struct wire_rule flags = {
        .action = WIRE_DROP,
        .pick = {.kind = WIRE_PICK_FLAGS, .flags = syn, .first = 1, .last = 1}};
    struct wire_rule acks = {.action = WIRE_DROP,
                             .pick = {.kind = WIRE_PICK_ACK, .first = 2, .last = 3}};
    struct wire_rule seq = {.action = WIRE_DROP,
                            .pick = {.kind = WIRE_PICK_SEQ, .seq = 1001, .first = 1, .last = 1}};
    struct wire_rule filter = {.action = WIRE_DROP,
                               .pick = {.kind = WIRE_PICK_FILTER, .filter = longer, .first = 4}};
    add(&flags, 0);
    add(&acks, 1);
    add(&seq, 2);
    add(&filter, 3);
    send_syn(0); /* dropped */
    send_syn(0); /* the second one is not */
    send_ack(0); /* the first */
    send_ack(0); /* dropped */
    send_ack(0); /* dropped */
    send_ack(0); /* the fourth */
    send_data(0, 0);
    send_data(1, 0); /* dropped: it begins at 1001 */
    send_data(1, 0); /* sent again */
    send_data(2, 0); /* the third long one that got so far: seq's own does not count */
    send_data(3, 0); /* the fourth, and from there on all */
    send_data(4, 0);
    EXPECT(0, 1, 1, 1, 1001, 2001);
    ck_assert_uint_eq(n_notes, 6);
}
END_TEST

START_TEST(every_third)
{
    struct wire_rule rule = {.action = WIRE_DROP, .pick = {.kind = WIRE_PICK_ANY, .every = 3}};
    add(&rule, 0);
    send_syn(0);
    for (unsigned i = 0; i < 6; i++)
        send_data(i, 0);
    EXPECT(0, 1, 2001, 3001, 5001);
}
END_TEST

START_TEST(held_until_others_have_passed)
{
    struct wire_rule hold = {
        .action = WIRE_HOLD, .more = 2, .pick = {.kind = WIRE_PICK_DATA, .first = 1, .last = 1}};
    struct wire_rule drop = {.action = WIRE_DROP,
                             .pick = {.kind = WIRE_PICK_SEQ, .seq = 1001, .first = 1, .last = 1}};
    add(&hold, 0);
    add(&drop, 1);
    send_syn(0);
    send_data(0, 0); /* held */
    send_data(1, 0); /* dropped: it has not passed */
    send_data(2, MS);
    ck_assert_uint_eq(lane.held.n, 1);
    send_data(3, 2 * MS);
    ck_assert_uint_eq(lane.held.n, 0);
    send_data(4, 3 * MS);
    EXPECT(0, 2001, 3001, 1, 4001);
}
END_TEST

/* A frame that meets two rules: both of what they ask for happens. */
START_TEST(held_and_delayed)
{
    const struct wire_pick first = {.kind = WIRE_PICK_DATA, .first = 1, .last = 1};
    struct wire_rule hold = {.action = WIRE_HOLD, .more = 1, .pick = first};
    struct wire_rule delay = {.action = WIRE_DELAY, .delay = 30 * MS, .pick = first};
    add(&hold, 0);
    add(&delay, 1);
    send_data(0, 0);
    send_data(1, 2 * MS);
    ck_assert_int_eq(next_seq(2 * MS), 1001);
    ck_assert_int_eq(lane_next(&lane), 32 * MS);
    EXPECT(1);
}
END_TEST

/* What is told of a frame that was changed twice is what arrives, not what it was in between. */
START_TEST(changed_twice)
{
    struct wire_pick data = {.kind = WIRE_PICK_DATA, .first = 1};
    struct wire_rule small = {
        .action = WIRE_REWRITE, .rewrite = WIRE_REWRITE_WINDOW, .value = 1, .pick = data};
    struct wire_rule smaller = small, drop = {.action = WIRE_DROP, .pick = data};
    smaller.value = 2;
    drop.pick.first = 2;
    add(&small, 0);
    add(&smaller, 1);
    add(&drop, 2);
    send_data(0, 0);
    ck_assert_uint_eq(n_notes, 2);
    ck_assert_uint_eq(notes[0].window, 2);
    ck_assert_uint_eq(notes[1].window, 2);
    send_data(1, 0);
    ck_assert_uint_eq(n_notes, 5);
    ck_assert(!notes[2].has_result && !notes[3].has_result);
    EXPECT(1);
}
END_TEST

START_TEST(staying)
{
    struct wire_rule hold = {
        .action = WIRE_HOLD, .more = 9, .pick = {.kind = WIRE_PICK_DATA, .first = 1, .last = 1}};
    add(&hold, 5);
    set(&(struct wire_properties){.has = WIRE_HAS_DELAY, .delay = 5 * MS});
    send_data(0, 0); /* held */
    send_data(1, 0);
    ck_assert_int_eq(next_seq(5 * MS), 1001);
    send_data(2, 5 * MS);
    n_notes = 0;
    lane_note_staying(&lane);
    ck_assert_uint_eq(n_notes, 2);
    ck_assert_int_eq(notes[0].action, WIRE_STAY);
    ck_assert_int_eq(notes[0].step, 5);
    ck_assert_int_eq(notes[1].action, WIRE_STAY);
    ck_assert_int_eq(notes[1].step, -1);
}
END_TEST

START_TEST(cleared)
{
    struct wire_rule hold = {
        .action = WIRE_HOLD, .more = 9, .pick = {.kind = WIRE_PICK_DATA, .first = 1, .last = 1}};
    struct wire_rule drop = {.action = WIRE_DROP, .pick = {.kind = WIRE_PICK_DATA, .first = 2}};
    add(&hold, 0);
    add(&drop, 1);
    set(&(struct wire_properties){.has = WIRE_HAS_DELAY, .delay = 5 * MS});
    send_data(0, 0); /* held */
    send_data(1, 0); /* dropped */
    ck_assert_int_eq(lane_next(&lane), NSEC_NEVER);
    lane_clear(&lane, 10 * MS);
    send_data(2, 10 * MS);
    ck_assert_int_eq(lane_next(&lane), 10 * MS);
    EXPECT(1, 2001);
}
END_TEST

START_TEST(twice_and_late)
{
    struct wire_rule twice = {.action = WIRE_DUPLICATE,
                              .pick = {.kind = WIRE_PICK_DATA, .first = 1, .last = 1}};
    struct wire_rule late = {.action = WIRE_DELAY,
                             .delay = 30 * MS,
                             .pick = {.kind = WIRE_PICK_DATA, .first = 2, .last = 2}};
    add(&twice, 0);
    add(&late, 1);
    set(&(struct wire_properties){.has = WIRE_HAS_DELAY, .delay = 10 * MS});
    send_data(0, 0);
    send_data(1, 1 * MS);
    send_data(2, 2 * MS);
    ck_assert_int_eq(lane_next(&lane), 10 * MS);
    ck_assert_int_eq(next_seq(10 * MS - 1), -1);
    ck_assert_int_eq(next_seq(10 * MS), 1);
    ck_assert_int_eq(next_seq(10 * MS), 1);
    ck_assert_int_eq(lane_next(&lane), 12 * MS);
    ck_assert_int_eq(next_seq(12 * MS), 2001);
    ck_assert_int_eq(lane_next(&lane), 41 * MS);
    ck_assert_int_eq(next_seq(41 * MS), 1001);
}
END_TEST

/* A rule that cannot be applied has not happened. */
START_TEST(nothing_to_rewrite)
{
    struct wire_rule rule = {.action = WIRE_REWRITE,
                             .rewrite = WIRE_REWRITE_MSS,
                             .value = 536,
                             .pick = {.kind = WIRE_PICK_DATA, .first = 1, .last = 1}};
    add(&rule, 0);
    send_data(0, 0);
    EXPECT(1);
    ck_assert_uint_eq(n_notes, 0);
}
END_TEST

/* ------------------------------------------------------------------ properties */

START_TEST(rate)
{
    /* 1054 bytes are 8432 bits: at 1 Mbit/s, 8.432 ms each. */
    set(&(struct wire_properties){
        .has = WIRE_HAS_RATE | WIRE_HAS_DELAY, .rate = 1000000, .delay = 2 * MS});
    for (unsigned i = 0; i < 3; i++)
        send_data(i, 0);
    for (unsigned i = 0; i < 3; i++) {
        nsec due = (i + 1) * 8432 * US + 2 * MS;
        ck_assert_int_eq(lane_next(&lane), due);
        ck_assert_int_eq(next_seq(due), 1 + 1000 * (long)i);
    }
    send_data(9, 100 * MS); /* nobody before it */
    ck_assert_int_eq(lane_next(&lane), 100 * MS + 8432 * US + 2 * MS);
}
END_TEST

START_TEST(queue_of_two)
{
    set(&(struct wire_properties){
        .has = WIRE_HAS_RATE | WIRE_HAS_QUEUE, .rate = 1000000, .queue = 2});
    for (unsigned i = 0; i < 5; i++)
        send_data(i, 0); /* one in service, two wait, two are dropped */
    ck_assert_uint_eq(n_notes, 2);
    ck_assert_int_eq(notes[0].action, WIRE_OVERFLOW);
    ck_assert_int_eq(notes[0].step, 77);
    send_data(5, 8432 * US); /* the first has departed: room for one */
    send_data(6, 8432 * US);
    ck_assert_uint_eq(n_notes, 3);
    EXPECT(1, 1001, 2001, 5001);
}
END_TEST

START_TEST(queue_in_bytes)
{
    set(&(struct wire_properties){.has = WIRE_HAS_RATE | WIRE_HAS_QUEUE,
                                  .rate = 1000000,
                                  .queue = 1054 + 54,
                                  .queue_bytes = true});
    send_data(0, 0); /* in service */
    send_data(1, 0); /* 1054 bytes wait */
    send_data(2, 0); /* too many */
    send_ack(0);     /* 54: just enough */
    send_ack(0);     /* too many */
    EXPECT(1, 1001, 1);
    ck_assert_uint_eq(n_notes, 2);
}
END_TEST

static size_t lose(uint64_t seed, size_t n, unsigned long *which)
{
    teardown();
    setup();
    set(&(struct wire_properties){.has = WIRE_HAS_LOSS, .loss = 100000, .seed = seed});
    *which = 0;
    for (size_t i = 0; i < n; i++) {
        size_t before = n_notes;
        send_ack(0);
        *which = *which * 31 + (n_notes - before);
    }
    return n_notes;
}

START_TEST(loss_repeats_by_seed)
{
    unsigned long first, again, other;
    size_t n = lose(7, 20000, &first);
    /* A tenth of 20000 is 2000, with a standard deviation of 42. */
    ck_assert_uint_gt(n, 2000 - 5 * 42);
    ck_assert_uint_lt(n, 2000 + 5 * 42);
    ck_assert_uint_eq(lose(7, 20000, &again), n);
    ck_assert_uint_eq(first, again);
    lose(8, 20000, &other);
    ck_assert_uint_ne(first, other);
}
END_TEST

START_TEST(jitter_keeps_order)
{
    set(&(struct wire_properties){
        .has = WIRE_HAS_DELAY | WIRE_HAS_JITTER, .delay = 10 * MS, .jitter = 5 * MS, .seed = 3});
    nsec earliest = NSEC_NEVER, latest = 0, before = 0;
    for (unsigned i = 0; i < 500; i++) {
        nsec sent = 20 * MS * i;
        send_ack(sent);
        nsec due = lane_next(&lane), took = due - sent;
        ck_assert_int_ge(due, before);
        before = due;
        earliest = took < earliest ? took : earliest;
        latest = took > latest ? took : latest;
        ck_assert_int_eq(next_seq(due), 1);
    }
    ck_assert(earliest >= 5 * MS && earliest < 5.2 * MS);
    ck_assert(latest <= 15 * MS && latest > 14.8 * MS);
    for (unsigned i = 0; i < 50; i++)
        send_data(i, 20000 * MS); /* all at once: still in order */
    for (unsigned i = 0; i < 50; i++)
        ck_assert_int_eq(next_seq(NSEC_NEVER - 1), 1 + 1000 * (long)i);
}
END_TEST

/* -------------------------------------------------------------------- segments */

static struct ipaddr address(const char *text)
{
    struct ipaddr addr;
    ck_assert(ipaddr_parse(&addr, text, strlen(text)));
    return addr;
}

static struct wire_segment reset_of(uint16_t sport)
{
    return (struct wire_segment){.src = address("10.0.0.1"),
                                 .dst = address("10.0.0.2"),
                                 .sport = sport,
                                 .dport = 1234,
                                 .flags = TCP_RST | TCP_ACK,
                                 .seq = 1001,
                                 .ack = 7,
                                 .window = 3,
                                 .options = {{.kind = TCPOPT_NOP},
                                             {.kind = TCPOPT_NOP},
                                             {.kind = TCPOPT_TS, .a = 20, .b = 30}},
                                 .n_options = 3,
                                 .length = 5};
}

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 1}, mac_b[6] = {2, 0, 0, 0, 0, 2};

START_TEST(injected_numbers_are_relative)
{
    struct error err = ERROR_INIT;
    struct packet p;
    struct wire_segment s = reset_of(0);
    ck_assert_ptr_null(wire_segment_build(&s, &flows, mac_a, mac_b, 0, &err));
    ck_assert_int_eq(err.status, STATUS_USAGE);
    error_clear(&err);

    lane_take(
        &lane,
        frame_of(&(struct build_tcp){.flags = "S", .seq = 0xfffffff0, .ts = true, .tsval = 500},
                 0));
    lane_take(&lane, frame_of(&(struct build_tcp){.reply = true,
                                                  .flags = "S.",
                                                  .seq = 9000,
                                                  .ack = 0xfffffff1,
                                                  .ts = true,
                                                  .tsval = 70000,
                                                  .tsecr = 500},
                              0));
    cleanup_free struct wire_frame *f = wire_segment_build(&s, &flows, mac_a, mac_b, 5 * MS, &err);
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(f->at, 5 * MS);
    wire_frame_decode(f, &p);
    ck_assert_uint_eq(p.tcp.sport, 40000);
    ck_assert_uint_eq(p.tcp.seq, 0xfffffff0 + 1001u);
    ck_assert_uint_eq(p.tcp.ack, 9007);
    ck_assert_uint_eq(p.tcp.tsval, 520);
    ck_assert_uint_eq(p.tcp.tsecr, 70030);
    ck_assert_uint_eq(p.tcp.flags, TCP_RST | TCP_ACK);
    ck_assert_uint_eq(p.tcp.window, 3);
    ck_assert_uint_eq(p.tcp.payload_len, 5);
    ck_assert_int_eq(p.tcp.sum, SUM_GOOD);
    ck_assert_int_eq(p.ip.sum, SUM_GOOD);
    ck_assert_mem_eq(f->data, mac_b, 6);
    ck_assert_mem_eq(f->data + 6, mac_a, 6);
}
END_TEST

START_TEST(injected_without_conversation)
{
    struct error err = ERROR_INIT;
    struct wire_segment s = reset_of(5);
    ck_assert_ptr_null(wire_segment_build(&s, &flows, mac_a, mac_b, 0, &err));
    error_clear(&err);
    s.flags = TCP_SYN; /* acknowledges nothing */
    cleanup_free struct wire_frame *f = wire_segment_build(&s, &flows, mac_a, mac_b, 0, &err);
    ck_assert_ptr_nonnull(f);
    lane_inject(&lane, 3, steal_pointer(&f));
    ck_assert_int_eq(lane_next(&lane), 0);
    ck_assert_uint_eq(n_notes, 1);
    ck_assert(notes[0].action == WIRE_INJECT && !notes[0].has_frame && notes[0].has_result);
}
END_TEST

/* A port that is used again is another conversation. */
START_TEST(port_used_again)
{
    struct wire_rule rule = {.action = WIRE_DROP,
                             .pick = {.kind = WIRE_PICK_SEQ, .seq = 1, .first = 1}};
    add(&rule, 0);
    send_syn(0);
    lane_take(&lane, frame_of(&(struct build_tcp){.flags = "S", .seq = 800000}, 0));
    lane_take(&lane, frame_of(&(struct build_tcp){.flags = "P.", .seq = 800001, .len = 10}, 0));
    EXPECT(0, 800000 - 5000);
}
END_TEST

static Suite *suite_wire(void)
{
    Suite *s = suite_create("wire");
    TCase *t = tcase_create("lane");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_said);
    tcase_add_test(t, the_third_data_segment);
    tcase_add_test(t, picks);
    tcase_add_test(t, every_third);
    tcase_add_test(t, held_until_others_have_passed);
    tcase_add_test(t, held_and_delayed);
    tcase_add_test(t, changed_twice);
    tcase_add_test(t, staying);
    tcase_add_test(t, cleared);
    tcase_add_test(t, twice_and_late);
    tcase_add_test(t, nothing_to_rewrite);
    tcase_add_test(t, rate);
    tcase_add_test(t, queue_of_two);
    tcase_add_test(t, queue_in_bytes);
    tcase_add_test(t, loss_repeats_by_seed);
    tcase_add_test(t, jitter_keeps_order);
    tcase_add_test(t, injected_numbers_are_relative);
    tcase_add_test(t, injected_without_conversation);
    tcase_add_test(t, port_used_again);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_wire)
