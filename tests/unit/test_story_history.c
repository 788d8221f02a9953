/* What a connection's history determines: numbers, timestamps, round-trip times. */
#include "unit.h"

#include "build_packet.h"
#include "transcript/story.h"

#define MS(n) ((n)*NSEC_PER_MSEC)
#define SEC(n) ((n)*NSEC_PER_SEC)
#define OFFER(...) (&(struct build_tcp){.ts = true, __VA_ARGS__}) /* its .win */
#define TCP(...) OFFER(.win = 60000, __VA_ARGS__)

static struct record *record;
static struct story *story;

static bool only_client; /* is captured */

static void sent(nsec at, nsec travel, const struct build_tcp *b)
{
    if (!only_client)
        build_sent(record, at, travel, b);
    else if (!b->reply)
        build_seen_tcp(record, 0, BUILD_OUT, at, b);
    else if (travel != BUILD_LOST)
        build_seen_tcp(record, 0, BUILD_IN, at + travel, b);
}

/* A handshake: client's ISN 1000 and TSval 5000, server's 8000 and 9000; half a
 * round-trip takes 30 ms, and is over at 60 ms. */
static void begin(void)
{
    record = build_record();
    story = NULL;
    sent(0, MS(30), TCP(.flags = "S", .seq = 1000, .tsval = 5000));
    sent(MS(30), MS(30),
         TCP(.reply = true, .flags = "S.", .seq = 8000, .ack = 1001, .tsval = 9000, .tsecr = 5000));
    sent(MS(60), MS(30), TCP(.flags = ".", .seq = 1001, .ack = 8001, .tsval = 5060, .tsecr = 9000));
}

static void end(void)
{
    story_free(story);
    record_free(record);
}

#define HANDSHAKE 3

/* The n-th segment behind the handshake. */
static const struct story_segment *tell(size_t n)
{
    if (!story) {
        build_done(record, SEC(1000));
        story = story_new(record);
    }
    ck_assert_uint_lt(HANDSHAKE + n, story->segments.n);
    return &story->segments.at[HANDSHAKE + n];
}

static void client(nsec at, nsec travel, uint32_t seq, uint32_t len, uint32_t ack, uint32_t tsval,
                   uint32_t tsecr)
{
    sent(at, travel,
         TCP(.flags = len ? "P." : ".", .seq = 1000 + seq, .len = len, .ack = 8000 + ack,
             .tsval = 5000 + tsval, .tsecr = 9000 + tsecr, .id = (uint16_t)(at / NSEC_PER_MSEC)));
}

static void server(nsec at, nsec travel, uint32_t seq, uint32_t len, uint32_t ack, uint32_t tsval,
                   uint32_t tsecr)
{
    sent(at, travel,
         TCP(.reply = true, .flags = len ? "P." : ".", .seq = 8000 + seq, .len = len,
             .ack = 1000 + ack, .tsval = 9000 + tsval, .tsecr = 5000 + tsecr,
             .id = (uint16_t)(at / NSEC_PER_MSEC)));
}

static void check_seq(size_t n, uint32_t lowest, uint32_t highest)
{
    const struct story_segment *s = tell(n);
    ck_assert(s->due_seq.known);
    ck_assert_uint_eq(s->due_seq.lowest, lowest);
    ck_assert_uint_eq(s->due_seq.highest, highest);
}

static void check_ack(size_t n, uint32_t value)
{
    const struct story_segment *s = tell(n);
    ck_assert(s->due_ack.known);
    ck_assert_uint_eq(s->due_ack.value, value);
}

static void check_ecr(size_t n, uint32_t value)
{
    const struct story_segment *s = tell(n);
    ck_assert(s->due_tsecr.known);
    ck_assert_uint_eq(s->due_tsecr.value, value);
}

START_TEST(the_handshake_itself)
{
    tell(-1ul);
    const struct story_segment *s = story->segments.at;
    ck_assert(s[0].due_seq.known && !s[0].due_ack.known && s[0].due_tsecr.known);
    ck_assert_uint_eq(s[0].due_seq.highest, 0);
    ck_assert_uint_eq(s[0].due_tsval.latest, 0);
    ck_assert_uint_eq(s[0].due_tsecr.value, 0);
    ck_assert_uint_eq(s[1].due_seq.highest, 0);
    ck_assert_uint_eq(s[1].due_ack.value, 1);
    ck_assert_uint_eq(s[1].due_tsecr.value, 0);
    ck_assert_int_eq(s[1].rtt, 0);
    ck_assert_uint_eq(s[2].due_seq.lowest, 1);
    ck_assert_uint_eq(s[2].due_seq.highest, 1);
    ck_assert_uint_eq(s[2].due_ack.value, 1);
    ck_assert_int_eq(s[2].rtt, MS(60));
    /* 60 ms, give or take 1 ms and a tick of 4 ms */
    ck_assert_uint_eq(s[2].due_tsval.earliest, 55);
    ck_assert_uint_eq(s[2].due_tsval.latest, 65);
}
END_TEST

START_TEST(data_is_acknowledged_when_it_arrived)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    client(MS(101), MS(30), 11, 10, 1, 101, 30);
    server(MS(120), MS(30), 1, 5, 1, 120, 60); /* nothing has arrived yet */
    server(MS(131), MS(30), 6, 0, 21, 131, 100);
    client(MS(200), MS(30), 21, 0, 6, 200, 120);
    check_seq(0, 1, 1);
    check_seq(1, 1, 11);
    check_seq(2, 1, 1);
    check_ack(2, 1);
    check_ack(3, 21);
    check_ack(4, 6);
    check_seq(4, 21, 21);
    ck_assert_int_eq(tell(4)->rtt, MS(61));
    check_ecr(2, 60);
    check_ecr(3, 100);
    check_ecr(4, 120);
}
END_TEST

START_TEST(what_arrived_a_moment_ago_may_be_unread)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    client(MS(115), MS(30), 11, 10, 1, 115, 30);
    client(MS(116), MS(30), 21, 10, 1, 116, 30);
    server(MS(147), MS(30), 1, 5, 11, 147, 100); /* agrees with what it knew at 130 */
    server(MS(148), MS(30), 6, 5, 1, 148, 60);   /* with what it knew before 130 */
    server(MS(160), MS(30), 11, 5, 1, 160, 60);  /* that is too old now */
    check_ack(3, 31);
    ck_assert_uint_eq(tell(3)->due_ack.before, 11);
    check_ecr(3, 100);
    ck_assert_uint_eq(tell(3)->due_tsecr.before, 100);
    check_ack(4, 31);
    ck_assert_uint_eq(tell(4)->due_ack.before, 1);
    check_ecr(4, 100);
    ck_assert_uint_eq(tell(4)->due_tsecr.before, 60);
    check_ack(5, 31);
    ck_assert_uint_eq(tell(5)->due_ack.before, 11);
    ck_assert_uint_eq(tell(5)->due_tsecr.before, 100);
}
END_TEST

/* The second segment came in while the ACK for the first was on its way out. */
START_TEST(what_an_ack_leaves_out_is_read_after_it)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    client(MS(115), MS(30), 11, 10, 1, 115, 30);
    server(MS(146), MS(30), 1, 0, 11, 146, 100);
    server(MS(147), MS(30), 1, 0, 21, 147, 115);
    server(MS(148), MS(30), 1, 0, 21, 148, 100); /* and then there is no way back */
    check_ecr(2, 100);
    ck_assert_uint_eq(tell(3)->due_tsecr.before, 115);
    check_ecr(4, 115);
}
END_TEST

START_TEST(an_ack_for_all_leaves_nothing_to_be_read)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    client(MS(115), MS(30), 11, 10, 1, 115, 30);
    server(MS(146), MS(30), 1, 0, 21, 146, 100);
    server(MS(147), MS(30), 1, 0, 21, 147, 115);
    check_ecr(3, 100);
    ck_assert_uint_ne(tell(3)->due_tsecr.before, 115);
}
END_TEST

START_TEST(bad_checksums)
{
    /* where offloads are on, every checksum is bad, and nothing is damaged */
    struct build_tcp b = *TCP(.flags = "P.", .seq = 1001, .ack = 8001, .len = 10, .tsval = 5100,
                              .tsecr = 9030, .bad_sum = true);
    sent(MS(100), MS(30), &b);
    server(MS(150), MS(30), 1, 0, 11, 150, 100);
    /* here the data was changed on the way */
    client(MS(200), BUILD_LOST, 11, 10, 1, 200, 30);
    b.seq = 1011;
    b.data = "1234567890";
    b.tsval = 5200;
    build_seen_tcp(record, 1, BUILD_IN, MS(230), &b);
    server(MS(260), MS(30), 1, 0, 11, 260, 100);
    check_ack(1, 11);
    check_ecr(1, 100);
    ck_assert_int_eq(tell(2)->fate, FATE_LOST);
    ck_assert_int_eq(tell(3)->from, 0);
    check_ack(4, 11);
    check_ecr(4, 100);
}
END_TEST

START_TEST(a_gap_is_not_acknowledged_until_it_is_filled)
{
    client(MS(100), BUILD_LOST, 1, 10, 1, 100, 30);
    client(MS(101), MS(30), 11, 10, 1, 101, 30);
    client(MS(102), BUILD_LOST, 21, 10, 1, 102, 30);
    client(MS(103), MS(30), 31, 10, 1, 103, 30);
    server(MS(140), MS(30), 1, 0, 1, 140, 60);
    client(MS(300), MS(30), 1, 10, 1, 300, 30);
    server(MS(330), MS(30), 1, 0, 21, 330, 300);
    client(MS(500), MS(30), 21, 10, 1, 500, 30);
    server(MS(530), MS(30), 1, 0, 41, 530, 500);
    client(MS(600), MS(30), 41, 0, 1, 600, 30);
    check_ack(4, 1);
    check_ecr(4, 60); /* what lies beyond a gap is not echoed */
    check_seq(5, 1, 41);
    ck_assert(tell(5)->retransmission);
    check_ack(6, 21);
    check_ecr(6, 300);
    check_seq(7, 21, 41);
    ck_assert(tell(7)->retransmission);
    check_ack(8, 41);
    check_ecr(8, 500);
    check_seq(9, 41, 41);
    /* Karn: of 1:11 and 21:31 nothing is measured, but 31:41 was covered at 560 */
    ck_assert_int_eq(tell(9)->rtt, MS(457));
}
END_TEST

START_TEST(karns_rule)
{
    client(MS(100), BUILD_LOST, 1, 10, 1, 100, 30);
    client(MS(300), MS(30), 1, 10, 1, 300, 30);
    server(MS(330), MS(30), 1, 0, 11, 330, 300);
    client(MS(500), MS(30), 11, 10, 1, 500, 30);
    ck_assert(tell(1)->retransmission);
    ck_assert(!tell(3)->retransmission);
    ck_assert_int_eq(tell(3)->rtt, MS(60));
}
END_TEST

START_TEST(an_old_double_changes_nothing)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    server(MS(131), BUILD_LOST, 1, 0, 11, 131, 100);
    client(MS(300), MS(30), 1, 10, 1, 300, 30); /* spurious: its end is the last ACK */
    server(MS(330), MS(30), 1, 0, 11, 330, 300);
    client(MS(400), MS(30), 11, 10, 1, 400, 30);
    server(MS(430), MS(30), 1, 0, 21, 430, 400);
    client(MS(500), MS(30), 1, 10, 1, 500, 30); /* wholly before the last ACK */
    server(MS(530), MS(30), 1, 0, 21, 530, 400);
    check_ack(3, 11);
    check_ecr(3, 300);
    check_ack(7, 21);
    check_ecr(7, 400);
}
END_TEST

START_TEST(a_delayed_ack_echoes_the_first_of_two)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    client(MS(110), MS(30), 11, 10, 1, 110, 30);
    server(MS(170), MS(30), 1, 0, 21, 170, 100);
    check_ack(2, 21);
    check_ecr(2, 100);
}
END_TEST

START_TEST(fin_and_time_wait)
{
    sent(MS(100), MS(30),
         TCP(.flags = "F.", .seq = 1001, .ack = 8001, .tsval = 5100, .tsecr = 9030));
    server(MS(131), MS(30), 1, 0, 2, 131, 100);
    struct build_tcp fin = *TCP(.reply = true, .flags = "F.", .seq = 8001, .ack = 1002,
                                .tsval = 9200, .tsecr = 5100, .id = 1);
    sent(MS(200), MS(30), &fin);
    client(MS(230), BUILD_LOST, 2, 0, 2, 230, 200);
    fin.tsval = 9500;
    sent(MS(500), MS(30), &fin);
    client(MS(530), MS(30), 2, 0, 2, 530, 200);
    check_ack(1, 2);
    check_seq(2, 1, 1);
    check_ack(3, 2);
    check_seq(3, 2, 2);
    ck_assert(tell(4)->retransmission);
    check_seq(4, 1, 2);
    check_ack(5, 2);
    check_ecr(5, 200); /* TIME-WAIT does not take a repeated FIN's */
}
END_TEST

START_TEST(a_bare_reset_takes_the_number_of_the_ack)
{
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    sent(MS(130), MS(30), &(struct build_tcp){.reply = true, .flags = "R", .seq = 8001});
    check_seq(1, 1, 1);
    ck_assert_uint_eq(tell(1)->seq, 1);
    ck_assert(!tell(1)->due_ack.known);
    ck_assert(!tell(1)->due_tsval.known);
}
END_TEST

START_TEST(what_the_window_does_not_allow_is_not_received)
{
    client(MS(100), MS(30), 60000, 5000, 1, 100, 30);
    client(MS(110), MS(30), 60001, 5000, 1, 110, 30);
    client(MS(120), MS(30), 1, 59999, 1, 120, 30);
    server(MS(200), MS(30), 1, 0, 65000, 200, 120);
    check_ack(3, 65000);
}
END_TEST

static void check_win(size_t n, uint32_t least)
{
    const struct story_segment *s = tell(n);
    ck_assert(s->due_win.known);
    ck_assert_uint_eq(s->due_win.least, least);
}

static void windows(uint8_t client_scale, uint8_t server_scale)
{
    static const uint16_t offered[] = {1000, 993, 986, 979, 0};
    record_free(record);
    record = build_record();
    sent(0, MS(1), TCP(.flags = "S", .seq = 1000, .wscale = client_scale));
    sent(MS(1), MS(1),
         TCP(.reply = true, .flags = "S.", .seq = 8000, .ack = 1001, .wscale = server_scale));
    sent(MS(2), MS(1), TCP(.flags = ".", .seq = 1001, .ack = 8001));
    for (unsigned i = 0; i < ARRAY_SIZE(offered); i++)
        sent(MS(10 + i), MS(1),
             OFFER(.reply = true, .flags = i < 4 ? "." : "R.", .seq = 8001, .ack = 1001 + 1000 * i,
                   .win = offered[i], .id = (uint16_t)i));
}

/* Each ACK is for 1000 bytes more, which are 7.8 units, and offers as little as it may. */
START_TEST(a_window_is_not_taken_back)
{
    windows(7, 7);
    const struct story_segment *s = tell(0) - HANDSHAKE;
    ck_assert(!s[0].due_win.known && !s[1].due_win.known);
    ck_assert_uint_eq(s[2].due_win.least, 469); /* 60000 of its SYN, rounded up */
    check_win(0, 0);                            /* what its SYN-ACK offered binds nobody */
    check_win(1, 993);
    check_win(2, 986);
    check_win(3, 979);
    ck_assert(!tell(4)->due_win.known); /* a reset */
}
END_TEST

/* What was taken back was offered all the same. */
START_TEST(taken_back_is_remembered)
{
    server(MS(100), MS(1), 1, 0, 1, 100, 60);
    sent(MS(110), MS(1),
         OFFER(.reply = true, .flags = ".", .seq = 8001, .ack = 1001, .tsval = 9110, .tsecr = 5060,
               .win = 100));
    server(MS(120), MS(1), 1, 0, 1, 120, 60);
    check_win(1, 60000);
    check_win(2, 60000);
}
END_TEST

/* Both have to offer a scale, or there is none (RFC 7323 2.2). */
START_TEST(a_window_without_scale)
{
    windows(_i ? 7 : 0, _i ? 0 : 7);
    ck_assert_uint_eq((tell(0) - 1)->due_win.least, 60000);
}
END_TEST

START_TEST(repeated_syns_are_not_echoed)
{
    record_free(record);
    record = build_record();
    sent(0, MS(1), TCP(.flags = "S", .seq = 1000, .tsval = 5000, .id = 1));
    sent(MS(1), BUILD_LOST,
         TCP(.reply = true, .flags = "S.", .seq = 8000, .ack = 1001, .tsval = 9000, .tsecr = 5000));
    sent(SEC(1), MS(1), TCP(.flags = "S", .seq = 1000, .tsval = 6000, .id = 2));
    sent(
        SEC(1) + MS(1), MS(1),
        TCP(.reply = true, .flags = "S.", .seq = 8000, .ack = 1001, .tsval = 10000, .tsecr = 5000));
    tell(0);
    ck_assert(story->segments.at[2].retransmission);
    ck_assert_uint_eq(story->segments.at[2].due_tsecr.value, 0);
    ck_assert_uint_eq(story->segments.at[2].due_seq.highest, 1);
    check_ecr(0, 0);
    check_ack(0, 1);
    ck_assert_uint_eq(tell(0)->due_tsval.earliest, 995);
    ck_assert_uint_eq(tell(0)->due_tsval.latest, 1005);
}
END_TEST

START_TEST(the_clock_of_timestamps)
{
    record->tick = 0;
    record->lateness = MS(3);
    record->clock_step = -MS(2);
    client(SEC(10) + 1, MS(1), 1, 10, 1, 10000, 30);
    ck_assert_uint_eq(tell(0)->due_tsval.earliest, 10000 - 16);
    ck_assert_uint_eq(tell(0)->due_tsval.latest, 10000 + 17);
}
END_TEST

START_TEST(of_an_end_that_was_not_captured_only_what_agrees_is_known)
{
    record_free(record);
    only_client = true;
    begin();
    build_uncaptured(record);
    client(MS(100), MS(30), 1, 10, 1, 100, 30);
    server(MS(131), MS(30), 1, 0, 11, 131, 100);
    client(MS(200), MS(30), 11, 10, 1, 200, 30);
    server(MS(331), MS(30), 1, 0, 11, 331, 100); /* it may not have got 11:21 */
    ck_assert_int_eq(tell(1)->fate, FATE_UNKNOWN);
    check_ack(1, 11);
    check_ecr(1, 100);
    ck_assert(!tell(3)->due_ack.known);
    ck_assert(!tell(3)->due_tsecr.known);
    ck_assert(tell(3)->due_tsval.known);
    ck_assert_uint_eq(tell(3)->due_tsval.latest - tell(3)->due_tsval.earliest, 50);
}
END_TEST

/* A client whose `connect` began 20 ms before its SYN was seen, `early` ms of which lay between
 * the SYN's making and its sending: the time stamps tell. */
static void begin_early(bool called, uint32_t early)
{
    record_free(record);
    record = build_record();
    if (called)
        build_call(record, 0, "connect", "server 1234", -MS(20), MS(61), 0, 0);
    sent(0, MS(30), TCP(.flags = "S", .seq = 1000, .tsval = 5000));
    sent(MS(30), MS(30),
         TCP(.reply = true, .flags = "S.", .seq = 8000, .ack = 1001, .tsval = 9000, .tsecr = 5000));
    sent(MS(60), MS(30),
         TCP(.flags = ".", .seq = 1001, .ack = 8001, .tsval = 5060 + early, .tsecr = 9000));
    client(MS(70), MS(30), 1, 10, 1, 70 + early, 0);
}

START_TEST(a_syn_may_be_made_before_it_is_seen)
{
    begin_early(true, 15);
    const struct story_segment *data = tell(0), *ack = data - 1;
    ck_assert_uint_ge(ack->due_tsval.latest, 75);
    ck_assert_uint_ge(data->due_tsval.latest, 85);
    ck_assert_int_eq(data->rtt, MS(76));
    ck_assert_int_eq(data->rtt_least, MS(60));
}
END_TEST

START_TEST(its_time_stamp_tells_how_long)
{
    begin_early(true, 0);
    const struct story_segment *data = tell(0);
    ck_assert_int_eq(data->rtt, MS(61));
    ck_assert_uint_lt(data->due_tsval.latest, 85);
}
END_TEST

START_TEST(but_not_longer_than_its_call)
{
    begin_early(true, 300);
    ck_assert_int_eq(tell(0)->rtt, MS(80));
    ck_assert_uint_lt(tell(0)->due_tsval.latest, 370);
}
END_TEST

START_TEST(nor_without_a_call)
{
    begin_early(false, 15);
    ck_assert_int_eq(tell(0)->rtt, MS(60));
    ck_assert_uint_lt((tell(0) - 1)->due_tsval.latest, 75);
}
END_TEST

static Suite *suite_story_history(void)
{
    Suite *s = suite_create("story-history");
    TCase *t = tcase_create("history");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_handshake_itself);
    tcase_add_test(t, data_is_acknowledged_when_it_arrived);
    tcase_add_test(t, what_arrived_a_moment_ago_may_be_unread);
    tcase_add_test(t, what_an_ack_leaves_out_is_read_after_it);
    tcase_add_test(t, an_ack_for_all_leaves_nothing_to_be_read);
    tcase_add_test(t, bad_checksums);
    tcase_add_test(t, a_gap_is_not_acknowledged_until_it_is_filled);
    tcase_add_test(t, karns_rule);
    tcase_add_test(t, an_old_double_changes_nothing);
    tcase_add_test(t, a_delayed_ack_echoes_the_first_of_two);
    tcase_add_test(t, fin_and_time_wait);
    tcase_add_test(t, a_bare_reset_takes_the_number_of_the_ack);
    tcase_add_test(t, what_the_window_does_not_allow_is_not_received);
    tcase_add_test(t, a_window_is_not_taken_back);
    tcase_add_test(t, taken_back_is_remembered);
    tcase_add_loop_test(t, a_window_without_scale, 0, 2);
    tcase_add_test(t, repeated_syns_are_not_echoed);
    tcase_add_test(t, the_clock_of_timestamps);
    tcase_add_test(t, a_syn_may_be_made_before_it_is_seen);
    tcase_add_test(t, its_time_stamp_tells_how_long);
    tcase_add_test(t, but_not_longer_than_its_call);
    tcase_add_test(t, nor_without_a_call);
    tcase_add_test(t, of_an_end_that_was_not_captured_only_what_agrees_is_known);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_story_history)
