#include "unit.h"

#include <errno.h>

#include "build_packet.h"
#include "scenes.h"
#include "transcript/differ.h"

#define MS NSEC_PER_MSEC
#define S NSEC_PER_SEC

/* Both records and marks are freed with the answer. */
static struct difference compare(struct record *a, const enum differ_mark *marks_a,
                                 struct record *b, const enum differ_mark *marks_b)
{
    struct story *story_a = story_new(a), *story_b = story_new(b);
    struct differ_run run_a = {story_a, marks_a}, run_b = {story_b, marks_b};
    struct difference d;
    ck_assert_int_eq(differ(&run_a, &run_b, &d), d.sentence != NULL);
    ck_assert_int_eq(d.kind == DIFFERENCE_NONE, d.sentence == NULL);
    story_free(story_a);
    story_free(story_b);
    record_free(a);
    record_free(b);
    return d;
}

#define assert_difference(d, wanted_kind, text)                                                    \
    do {                                                                                           \
        ck_assert_ptr_nonnull((d).sentence);                                                       \
        ck_assert_str_eq((d).sentence, text);                                                      \
        ck_assert_int_eq((d).kind, wanted_kind);                                                   \
        difference_free(&(d));                                                                     \
    } while (0)

static void assert_same(struct record *a, struct record *b)
{
    struct difference d = compare(a, NULL, b, NULL);
    ck_assert_msg(!d.sentence, "%s", d.sentence ? d.sentence : "");
}

START_TEST(a_run_does_not_differ_from_itself)
{
    for (int i = 0; i < n_scenes; i++)
        assert_same(scenes[i].build(), scenes[i].build());
}
END_TEST

START_TEST(a_linear_retry_is_told_from_a_doubled_one)
{
    const nsec doubled[] = {1005 * MS, 2016 * MS, 4064 * MS};
    const nsec linear[] = {1028 * MS, 1024 * MS, 1024 * MS};
    struct difference d =
        compare(scene_syn_retry(doubled, 3), NULL, scene_syn_retry(linear, 3), NULL);
    ck_assert_int_eq(d.segment[0], 2);
    ck_assert_int_eq(d.segment[1], 2);
    assert_difference(d, DIFFERENCE_INTERVAL, "SYN retry 2 after 1.024 s instead of 2.016 s");
}
END_TEST

/* Measured: Linux 6.18, and 6.1 and 6.12 under qemu. */
START_TEST(what_the_timer_wheel_explains_is_no_difference)
{
    const nsec a[] = {1005 * MS, 2016 * MS, 4064 * MS, 8192 * MS, 16132 * MS, 32256 * MS};
    const nsec b[] = {1030 * MS, 2016 * MS, 4224 * MS, 8192 * MS, 16128 * MS, 33792 * MS};
    assert_same(scene_syn_retry(a, 6), scene_syn_retry(b, 6));
    assert_same(scene_syn_retry(b, 6), scene_syn_retry(a, 6));
    const nsec hz250[] = {208 * MS, 412 * MS, 832 * MS, 1664 * MS, 3456 * MS, 6656 * MS};
    const nsec hz100[] = {210 * MS, 410 * MS, 870 * MS, 1680 * MS, 3280 * MS, 6960 * MS};
    struct record *slow = scene_unplugged(hz100, 6);
    slow->tick = 10 * MS;
    assert_same(scene_unplugged(hz250, 6), slow);
}
END_TEST

START_TEST(a_tail_loss_probe_is_a_difference)
{
    const nsec without[] = {208 * MS, 412 * MS, 832 * MS, 1664 * MS};
    const nsec with[] = {204 * MS, 208 * MS, 428 * MS, 832 * MS};
    struct difference d =
        compare(scene_unplugged(without, 4), NULL, scene_unplugged(with, 4), NULL);
    assert_difference(d, DIFFERENCE_INTERVAL, "data retry 2 after 208 ms instead of 412 ms");
}
END_TEST

START_TEST(what_was_sent_less_or_more)
{
    const nsec gaps[] = {1005 * MS, 2016 * MS, 4064 * MS};
    struct difference d = compare(scene_syn_retry(gaps, 3), NULL, scene_syn_retry(gaps, 2), NULL);
    ck_assert_int_eq(d.segment[0], 3);
    ck_assert_int_eq(d.segment[1], -1);
    assert_difference(d, DIFFERENCE_MISSING, "SYN retry 3 is not sent");
    d = compare(scene_syn_retry(gaps, 2), NULL, scene_syn_retry(gaps, 3), NULL);
    assert_difference(d, DIFFERENCE_MORE, "SYN retry 3 is sent as well, after 4.064 s");
}
END_TEST

START_TEST(an_empty_run)
{
    const nsec gaps[] = {1005 * MS};
    assert_same(build_record(), build_record());
    struct difference d = compare(scene_syn_retry(gaps, 1), NULL, build_record(), NULL);
    assert_difference(d, DIFFERENCE_MISSING, "segment 1 (SYN of client) is not sent");
}
END_TEST

/* One segment each way, the second as given. */
static struct record *answer(const struct build_tcp *b)
{
    struct record *r = build_record();
    r->has_calls = true;
    build_sent(r, 0, 30 * NSEC_PER_USEC,
               &(struct build_tcp){.flags = "S", .seq = 77, .win = 64240});
    build_sent(r, MS, 30 * NSEC_PER_USEC, b);
    build_done(r, 2 * S);
    return r;
}

START_TEST(fields)
{
    const struct build_tcp plain = {.reply = true, .flags = "S.", .ack = 78, .win = 65160};
    struct build_tcp other = plain;
    other.win = 64000;
    struct difference d = compare(answer(&plain), NULL, answer(&other), NULL);
    assert_difference(d, DIFFERENCE_FIELD,
                      "segment 2 (SYN-ACK of server): win 64000 instead of 65160");
    other = plain;
    other.mss = 1400;
    d = compare(answer(&plain), NULL, answer(&other), NULL);
    ck_assert_int_eq(d.kind, DIFFERENCE_FIELD);
    ck_assert_ptr_nonnull(strstr(d.sentence, "SYN-ACK of server"));
    difference_free(&d);
    other = (struct build_tcp){.reply = true, .flags = "R.", .ack = 78};
    d = compare(answer(&plain), NULL, answer(&other), NULL);
    assert_difference(d, DIFFERENCE_FIELD,
                      "segment 2 (reset of server): Flags [R.] instead of [S.]");
    other = (struct build_tcp){.flags = "R", .seq = 78};
    d = compare(answer(&plain), NULL, answer(&other), NULL);
    ck_assert_ptr_nonnull(strstr(d.sentence, "is `client."));
    ck_assert_ptr_nonnull(strstr(d.sentence, "` instead of `server.1234 > client."));
    difference_free(&d);
}
END_TEST

START_TEST(random_numbers_and_clocks_are_no_difference)
{
    const struct build_tcp a = {
        .reply = true, .flags = "S.", .seq = 1, .ack = 78, .win = 1, .ts = true, .tsval = 5};
    struct build_tcp b = a;
    b.seq = 4000000000u;
    b.tsval = 123456;
    assert_same(answer(&a), answer(&b));
}
END_TEST

/* The peer's very first stamp is 0 in relative numbers, and a good echo. */
static struct record *echo(uint32_t first, uint32_t tsecr)
{
    struct record *r = build_record();
    build_sent(r, 0, MS,
               &(struct build_tcp){.flags = "S", .seq = 7, .win = 1, .ts = true, .tsval = first});
    build_sent(r, 2 * MS, MS,
               &(struct build_tcp){
                   .flags = "S.", .reply = true, .ack = 8, .win = 1, .ts = true, .tsecr = tsecr});
    build_done(r, S);
    return r;
}

START_TEST(an_echo_that_is_due_is_no_difference)
{
    assert_same(echo(500, 500), echo(900, 900));
    struct difference d = compare(echo(500, 500), NULL, echo(500, 400), NULL);
    ck_assert_int_eq(d.kind, DIFFERENCE_FIELD);
    ck_assert_ptr_nonnull(strstr(d.sentence, " ecr ~"));
    difference_free(&d);
}
END_TEST

START_TEST(what_became_of_a_segment)
{
    struct record *r[2];
    for (int i = 0; i < 2; i++) {
        r[i] = build_record();
        build_sent(r[i], 0, i ? BUILD_LOST : MS, &(struct build_tcp){.flags = "S", .win = 1});
        build_done(r[i], 9 * S);
    }
    struct difference d = compare(r[0], NULL, r[1], NULL);
    assert_difference(d, DIFFERENCE_FIELD, "segment 1 (SYN of client) is lost instead of arriving");
}
END_TEST

/* The handshake's tail: what one scheduler shows and another does not. */
static struct record *tail(bool bare_ack, nsec fin)
{
    struct record *r = build_record();
    build_sent(r, 0, MS, &(struct build_tcp){.flags = "F.", .seq = 1, .ack = 1, .win = 5});
    if (bare_ack)
        build_sent(r, 40 * MS, MS,
                   &(struct build_tcp){.reply = true, .flags = ".", .seq = 1, .ack = 2, .win = 5});
    build_sent(r, fin, MS,
               &(struct build_tcp){.reply = true, .flags = "F.", .seq = 1, .ack = 2, .win = 5});
    build_done(r, 2 * S);
    return r;
}

START_TEST(marks)
{
    const enum differ_mark with[] = {DIFFER_COUNTS, DIFFER_IGNORED, DIFFER_COUNTS};
    const enum differ_mark untimed[] = {DIFFER_COUNTS, DIFFER_UNTIMED};
    struct difference d = compare(tail(false, 2 * MS), NULL, tail(true, 41 * MS), NULL);
    ck_assert_int_eq(d.kind, DIFFERENCE_FIELD);
    difference_free(&d);
    d = compare(tail(false, 2 * MS), NULL, tail(true, 41 * MS), with);
    ck_assert_ptr_null(d.sentence);
    d = compare(tail(false, 2 * MS), NULL, tail(false, 300 * MS), NULL);
    assert_difference(d, DIFFERENCE_INTERVAL,
                      "segment 2 (FIN of server) after 300 ms instead of 2 ms");
    d = compare(tail(false, 2 * MS), NULL, tail(false, 300 * MS), untimed);
    ck_assert_ptr_null(d.sentence);
}
END_TEST

static struct record *calls(nsec connected, int errnum, int64_t sent)
{
    const nsec gaps[] = {1005 * MS, 2016 * MS};
    struct record *r = scene_syn_retry(gaps, 2);
    r->has_calls = true;
    build_call(r, 0, "connect", "server 1234", 0, connected, errnum, 0)->step = 1;
    build_call(r, 0, "send", "\"x\"", connected + 5 * S, connected + 5 * S + MS, 0, sent)->step = 2;
    build_done(r, connected + 9 * S);
    return r;
}

START_TEST(calls_differ_by_result_and_time)
{
    assert_same(calls(7 * S, ETIMEDOUT, 1), calls(7 * S + 100 * MS, ETIMEDOUT, 1));
    struct difference d =
        compare(calls(7 * S, ETIMEDOUT, 1), NULL, calls(7 * S, EHOSTUNREACH, 2), NULL);
    ck_assert_int_eq(d.call[0], d.call[1]);
    ck_assert_int_ge(d.call[0], 0);
    assert_difference(d, DIFFERENCE_CALL,
                      "client: connect server 1234 => EHOSTUNREACH instead of ETIMEDOUT");
    d = compare(calls(7 * S, 0, 1), NULL, calls(7 * S, ETIMEDOUT, 1), NULL);
    assert_difference(d, DIFFERENCE_CALL,
                      "client: connect server 1234 => ETIMEDOUT instead of success");
    d = compare(calls(7 * S, ETIMEDOUT, 1), NULL, calls(7 * S, 0, 1), NULL);
    assert_difference(d, DIFFERENCE_CALL,
                      "client: connect server 1234 => success instead of ETIMEDOUT");
    d = compare(calls(7 * S, 0, 1), NULL, calls(7 * S, 0, 2), NULL);
    assert_difference(d, DIFFERENCE_CALL, "client: send \"x\" => 2 instead of 1");
    d = compare(calls(7021 * MS, ETIMEDOUT, 1), NULL, calls(11021 * MS, ETIMEDOUT, 1), NULL);
    assert_difference(d, DIFFERENCE_CALL,
                      "client: connect server 1234 => ETIMEDOUT after 8 s instead of 4 s");
}
END_TEST

START_TEST(steps_of_another_script_are_not_compared)
{
    struct record *a = calls(7 * S, 0, 1), *b = calls(7 * S, 0, 1);
    build_call(a, 0, "state", "", 0, 8 * S, 0, 0)->step = 3;
    build_call(b, 0, "close", "", 0, 8 * S, EBADF, 0)->step = 3;
    assert_same(a, b);
}
END_TEST

START_TEST(a_foreign_capture_has_no_calls_to_compare)
{
    struct record *foreign = calls(7 * S, EHOSTUNREACH, 2);
    foreign->has_calls = false;
    assert_same(calls(7 * S, ETIMEDOUT, 1), foreign);
}
END_TEST

/* The segment came first, and the call is its consequence. */
START_TEST(the_first_difference_is_told)
{
    const nsec gaps[] = {1005 * MS, 2016 * MS, 4064 * MS};
    struct record *a = scene_syn_retry(gaps, 2), *b = scene_syn_retry(gaps, 3);
    build_call(a, 0, "state", "", 0, 1, 0, 0)->step = 90;
    build_call(b, 0, "state", "", 0, 1, ENOTCONN, 0)->step = 90;
    a->has_calls = b->has_calls = true;
    struct difference d = compare(a, NULL, b, NULL);
    assert_difference(d, DIFFERENCE_CALL, "client: state => ENOTCONN instead of success");
}
END_TEST

/* Three segments, of which the wire does something to the second. */
static struct record *with_wire(enum wire_action action)
{
    struct record *r = build_record();
    for (int i = 0; i < 3; i++) {
        struct build_tcp data = {.flags = ".", .seq = 100 + 10 * (uint32_t)i, .ack = 5, .len = 10};
        data.id = (uint16_t)(i + 1);
        nsec at = i * MS, way = i == 1 && action == WIRE_HOLD ? 2 * MS : MS / 10;
        bool changed = i == 1 && (action == WIRE_CORRUPT || action == WIRE_REWRITE);
        if (i == 1 && action == WIRE_INJECT)
            build_seen_tcp(r, 1, BUILD_IN, at, &data);
        else
            build_sent(r, at, changed ? BUILD_LOST : way, &data);
        data.bad_sum = action == WIRE_CORRUPT;
        data.win += action == WIRE_REWRITE;
        if (changed || (i == 1 && action == WIRE_DUPLICATE))
            build_seen_tcp(r, 1, BUILD_IN, at + MS / 5, &data);
    }
    build_done(r, 1000 * MS);
    long sent = action == WIRE_INJECT ? -1 : 2;
    long came = action == WIRE_INJECT ? 2 : action == WIRE_REWRITE ? 3 : -1;
    vec_push(&r->wire, ((struct record_wire){action, build_time(MS), 0, 1, 0, sent, came}));
    return r;
}

START_TEST(what_the_wire_did_is_a_difference)
{
    static const struct {
        enum wire_action action;
        const char *done, *undone;
    } cases[] = {
        {WIRE_HOLD, "segment 2 (data of client) was overtaken by 1 instead of 0",
         "segment 2 (data of client) was overtaken by 0 instead of 1"},
        {WIRE_DUPLICATE, "segment 2 (data of client) arrives more than once",
         "segment 2 (data of client) arrives once only"},
        {WIRE_CORRUPT, "segment 2 (data of client) was damaged on the way",
         "segment 2 (data of client) was not damaged on the way"},
        {WIRE_REWRITE, "segment 2 (data of client) was rewritten on the way",
         "segment 2 (data of client) was not rewritten on the way"},
        {WIRE_INJECT, "segment 2 (data of client) was injected by the wire",
         "segment 2 (data of client) was sent, not injected"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct difference d = compare(with_wire(WIRE_MARK), NULL, with_wire(cases[i].action), NULL);
        assert_difference(d, DIFFERENCE_FIELD, cases[i].done);
        d = compare(with_wire(cases[i].action), NULL, with_wire(WIRE_MARK), NULL);
        assert_difference(d, DIFFERENCE_FIELD, cases[i].undone);
        assert_same(with_wire(cases[i].action), with_wire(cases[i].action));
    }
}
END_TEST

static struct record *with_ecn(uint8_t sent, uint8_t came)
{
    struct record *r = build_record();
    struct build_tcp data = {.flags = ".", .seq = 100, .ack = 5, .len = 10, .ecn = sent};
    build_seen_tcp(r, 0, BUILD_OUT, 0, &data);
    data.ecn = came;
    build_seen_tcp(r, 1, BUILD_IN, MS / 10, &data);
    build_done(r, 1000 * MS);
    return r;
}

START_TEST(a_mark_is_a_difference)
{
    struct difference d =
        compare(with_ecn(ECN_ECT_0, ECN_ECT_0), NULL, with_ecn(ECN_ECT_0, ECN_CE), NULL);
    assert_difference(d, DIFFERENCE_FIELD, "segment 1 (data of client) was marked CE on the way");
    d = compare(with_ecn(ECN_ECT_0, ECN_CE), NULL, with_ecn(ECN_ECT_0, ECN_ECT_0), NULL);
    assert_difference(d, DIFFERENCE_FIELD,
                      "segment 1 (data of client) was not marked CE on the way");
    d = compare(with_ecn(ECN_NOT_ECT, ECN_NOT_ECT), NULL, with_ecn(ECN_ECT_0, ECN_ECT_0), NULL);
    assert_difference(d, DIFFERENCE_FIELD,
                      "segment 1 (data of client) is ECT(0) instead of not ECN-capable");
}
END_TEST

static Suite *suite_differ(void)
{
    Suite *s = suite_create("differ");
    TCase *t = tcase_create("differ");
    tcase_add_test(t, a_run_does_not_differ_from_itself);
    tcase_add_test(t, what_the_wire_did_is_a_difference);
    tcase_add_test(t, a_mark_is_a_difference);
    tcase_add_test(t, a_linear_retry_is_told_from_a_doubled_one);
    tcase_add_test(t, what_the_timer_wheel_explains_is_no_difference);
    tcase_add_test(t, a_tail_loss_probe_is_a_difference);
    tcase_add_test(t, what_was_sent_less_or_more);
    tcase_add_test(t, an_empty_run);
    tcase_add_test(t, fields);
    tcase_add_test(t, random_numbers_and_clocks_are_no_difference);
    tcase_add_test(t, an_echo_that_is_due_is_no_difference);
    tcase_add_test(t, what_became_of_a_segment);
    tcase_add_test(t, marks);
    tcase_add_test(t, calls_differ_by_result_and_time);
    tcase_add_test(t, steps_of_another_script_are_not_compared);
    tcase_add_test(t, a_foreign_capture_has_no_calls_to_compare);
    tcase_add_test(t, the_first_difference_is_told);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_differ)
