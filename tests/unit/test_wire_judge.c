/* The script's `wire` steps against what the wire did, and times on a path that delays. */
#include "scenes.h"

#include <string.h>

#include "build_packet.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define WAY (30 * NSEC_PER_USEC)
#define TCP(...) (&(struct build_tcp){__VA_ARGS__})
#define UP "client.port > server.1234: "
#define DOWN "server.1234 > client.port: "

static struct lab *parse_lab(const char *steps)
{
    struct source src;
    struct diags diags = {0};
    cleanup_free char *text = xasprintf("# A lab\n\nProse.\n\n```lab\n"
                                        "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
                                        "capture client server\n%s```\n",
                                        steps);
    source_from(&src, "lab.md", text, strlen(text));
    struct lab *lab = lab_parse(&src, NULL, 0, &diags);
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &said);
    ck_assert_msg(diags.list.n == 0, "%s", strbuf_cstr(&said));
    diags_free(&diags);
    return lab;
}

/* The caller frees it. */
static struct result *judged(const char *steps, const struct record *r, const char *expected)
{
    struct source src;
    struct diags diags = {0};
    struct lab *lab = parse_lab(steps);
    source_from(&src, "expected/x.txt", expected, strlen(expected));
    struct pattern *p = pattern_parse(&src, lab, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    struct result *result = judge(lab, p, r, JUDGE_DEFAULT_SLACK);
    diags_free(&diags);
    pattern_free(p);
    lab_free(lab);
    return result;
}

/* `meaning` of the first line that is wrong, NULL: none is. */
static void expect(const char *steps, const struct record *r, const char *expected,
                   const char *meaning)
{
    struct result *result = judged(steps, r, expected);
    const struct result_line *bad = result_first_bad(result);
    ck_assert_msg(!meaning == !bad, "%s", bad && bad->meaning ? bad->meaning : "passed");
    if (meaning)
        ck_assert_str_eq(bad->meaning, meaning);
    ck_assert_int_eq(result->verdict, meaning ? VERDICT_FAIL : VERDICT_PASS);
    result_free(result);
}

/* ----------------------------------------------------------------- wire steps */

#define LISTEN "server listen 1234\n"

/* Three SYNs a second apart, each of another connection; they are packets 0, 2 and 4. */
static struct record *three(void)
{
    struct record *r = build_record();
    r->lateness = 300 * NSEC_PER_USEC;
    for (uint16_t i = 0; i < 3; i++)
        build_sent(r, 1000 * MS * i, WAY,
                   TCP(.flags = "S", .sport = (uint16_t)(40000 + i), .seq = 7, .win = 9, .id = i));
    build_done(r, 5000 * MS);
    return r;
}

static void did(struct record *r, enum wire_action action, long step, long packet)
{
    vec_push(&r->wire,
             ((struct record_wire){action, build_time(3000 * MS), 0, 1, step, packet, -1}));
}

#define THREE "client.* > server.1234: Flags [S], … x3\n"

START_TEST(a_rule_that_met_nothing)
{
    static const struct {
        const char *step, *meaning;
    } cases[] = {
        {"wire mark client > server [S] 4 ce",
         "`wire mark client > server [S] 4 ce` never happened: only 3 such segments came by"},
        {"wire drop client > server data",
         "`wire drop client > server data` never happened: no such segment came by"},
        {"wire drop client > server any 9..10",
         "`wire drop client > server any 9..10` never happened: only 3 such segments came by"},
        {"wire drop server > client any",
         "`wire drop server > client any` never happened: no such segment came by"},
        {"wire drop client > server seq 0 every 5th",
         "`wire drop client > server seq 0 every 5th` never happened: only 3 such segments came "
         "by"},
        {"wire drop client > server \"tcp[13] = 99\"",
         "`wire drop client > server \"tcp[13] = 99\"` never happened"},
        {"wire drop client > server [S] all", "`wire drop client > server [S] all` never happened"},
        {"wire mark client > server [S] 2 ce",
         "`wire mark client > server [S] 2 ce` never happened: 3 of the 3 such segments that came "
         "by were not ECN-capable, and these are not marked (RFC 3168)"},
        {"wire mark client > server \"tcp\" ce",
         "`wire mark client > server \"tcp\" ce` never happened: a packet that is not ECN-capable "
         "is not marked (RFC 3168)"},
        {"wire client > server loss 5%",
         "`wire client > server loss 5%` never happened: nothing was lost"},
        {"wire inject client.9 > server.1234: Flags [R], seq 1, win 0, length 0",
         "`wire inject client.9 > server.1234: Flags [R], seq 1, win 0, length 0` never happened"},
    };
    struct record *r = three();
    cleanup_free char *steps = xasprintf("%s\n" LISTEN, cases[_i].step);
    expect(steps, r, THREE, cases[_i].meaning);
    record_free(r);
}
END_TEST

START_TEST(a_rule_has_to_happen_as_often_as_it_says)
{
    static const char steps[] = "wire delay client > server [S] 1..3 by 1ms\n" LISTEN;
    struct record *r = three();
    did(r, WIRE_DELAY, 0, 0);
    did(r, WIRE_DELAY, 0, 2);
    did(r, WIRE_DELAY, 1, 4); /* another step's */
    expect(steps, r, THREE,
           "`wire delay client > server [S] 1..3 by 1ms` happened 2 times only, and should have 3 "
           "times");
    did(r, WIRE_MARK, 0, 4); /* another action */
    expect(steps, r, THREE,
           "`wire delay client > server [S] 1..3 by 1ms` happened 2 times only, and should have 3 "
           "times");
    did(r, WIRE_DELAY, 0, 4);
    expect(steps, r, THREE, NULL);
    expect("wire delay client > server [S] all by 1ms\n" LISTEN, r, THREE, NULL);
    record_free(r);
}
END_TEST

START_TEST(what_came_by_before_the_step_does_not_count)
{
    static const char steps[] =
        LISTEN "client connect server 1234\nwire drop client > server [S]\n";
    struct record *r = three();
    struct record_call *c = build_call(r, 1, "listen", "1234", 0, MS, 0, 0);
    c = build_call(r, 0, "connect", "server 1234", MS, 2500 * MS, 0, 0);
    c->step = 1;
    expect(steps, r, THREE,
           "`wire drop client > server [S]` never happened: no such segment came by");
    record_free(r);
}
END_TEST

START_TEST(a_loss_belongs_to_its_step)
{
    /* the second line changes something else, so that losses are by its step */
    static const char steps[] = "wire client <> server loss 5%\n"
                                "wire client > server delay 1ms\n"
                                "wire client > server loss 0%\n" LISTEN;
    struct record *r = three();
    did(r, WIRE_LOSS, 2, -1);
    expect(steps, r, THREE, "`wire client <> server loss 5%` never happened: nothing was lost");
    r->wire.at[0].step = 1;
    expect(steps, r, THREE, NULL);
    r->wire.at[0].from = 1; /* the other direction, where the third line says nothing */
    r->wire.at[0].to = 0;
    r->wire.at[0].step = 0;
    expect(steps, r, THREE, NULL);
    record_free(r);
}
END_TEST

START_TEST(what_is_held_at_the_end)
{
    static const char steps[] = "wire hold client > server [S] 3 until 2 more\n" LISTEN;
    struct record *r = three();
    did(r, WIRE_HOLD, 0, 4);
    expect(steps, r, THREE, NULL);
    build_unseen(r); /* it did not arrive */
    struct result *result = judged(steps, r, THREE);
    ck_assert_str_eq(result_first_bad(result)->meaning,
                     "the first SYN had not arrived when the capture ended");
    const struct result_line *last = vec_last(&result->lines);
    ck_assert_int_eq(last->kind, LINE_WIRE);
    ck_assert_str_eq(last->meaning, "`wire hold client > server [S] 3 until 2 more`: at the end it "
                                    "was held back still, fewer than 2 more had come by");
    result_free(result);
    record_free(r);
}
END_TEST

START_TEST(a_foreign_capture_knows_no_wire)
{
    struct record *r = three();
    r->has_calls = false;
    expect("wire drop client > server data\n" LISTEN, r, THREE, NULL);
    record_free(r);
}
END_TEST

/* Beside the packet stands what the wire did, and by which step. */
START_TEST(the_line_tells_what_the_wire_did)
{
    static const char steps[] = "wire mark client > server [S] 2 ce\n"
                                "wire duplicate client > server [S] 2\n" LISTEN;
    struct record *r = three();
    did(r, WIRE_MARK, 0, 2);
    did(r, WIRE_DUPLICATE, 1, 2);
    struct result *result = judged(steps, r, THREE);
    ck_assert_ptr_null(result->lines.at[0].wire);
    ck_assert_str_eq(result->lines.at[1].wire,
                     "marked CE on the wire (wire mark client > server [S] 2 ce); doubled on the "
                     "wire (wire duplicate client > server [S] 2)");
    ck_assert_ptr_null(result->lines.at[2].wire);
    result_free(result);
    record_free(r);
}
END_TEST

/* ---------------------------------------------------------------------- times */

#define DELAY "wire client <> server delay 50ms\n" LISTEN

/* A handshake, data and its answer over `way`; the answer comes `late` after the arrival. */
static struct record *far(nsec way, nsec late)
{
    struct record *r = build_record();
    r->lateness = 300 * NSEC_PER_USEC;
    nsec t = 0;
    build_sent(r, t, way, TCP(.flags = "S", .seq = 1000, .win = 9, .id = 1));
    t += way + WAY;
    build_sent(r, t, way,
               TCP(.reply = true, .flags = "S.", .seq = 5000, .ack = 1001, .win = 9000, .id = 1));
    t += way + WAY;
    build_sent(r, t, way, TCP(.flags = ".", .seq = 1001, .ack = 5001, .win = 9, .id = 2));
    t = 1000 * MS;
    build_sent(r, t, way,
               TCP(.flags = "P.", .seq = 1001, .ack = 5001, .win = 9, .len = 10, .id = 3));
    t += way + late;
    build_sent(r, t, way,
               TCP(.reply = true, .flags = ".", .seq = 5001, .ack = 1011, .win = 9, .id = 2));
    build_done(r, 3000 * MS);
    return r;
}

/* The answer's interval. */
#define FAR(interval)                                                                              \
    UP "Flags [S], … arrives +50ms\n" DOWN "Flags [S.], … arrives +50ms\n" UP                      \
       "Flags [.], ack 1, … arrives +50ms\n" UP "Flags [P.], … arrives +50ms\n" interval DOWN      \
       "Flags [.], ack 11, … arrives +50ms\n"

START_TEST(an_answer_comes_at_once_after_what_it_answers)
{
    static const struct {
        const char *text;
        nsec late; /* the answer, behind the arrival */
        bool fits;
    } cases[] = {
        {FAR("+50ms "), 10, true},       {FAR("+50ms "), 19 * MS, true},
        {FAR("+50ms "), 39 * MS, false}, {FAR("+30ms "), 10, false},
        {FAR("+70ms "), 10, false},      {FAR("+0 "), 10, false},
        {FAR("+100ms "), 10, false},     {FAR("+90ms "), 40 * MS, true}, /* a delayed ACK */
        {FAR("+90ms "), 10, false},      {FAR("+50ms "), 40 * MS, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = far(50 * MS + 100 * NSEC_PER_USEC, cases[i].late);
        struct result *result = judged(DELAY, r, cases[i].text);
        const struct result_line *bad = result_first_bad(result);
        ck_assert_msg(!bad == cases[i].fits, "case %zu: %s", i, bad ? bad->meaning : "passed");
        if (bad)
            ck_assert_str_eq(bad->diffs.at[0].field, "interval");
        result_free(result);
        record_free(r);
    }
}
END_TEST

/* The wire is never early; with jitter or a queue it may be. */
START_TEST(a_travel_is_exact)
{
    static const struct {
        const char *steps;
        nsec way;
        bool fits;
    } cases[] = {
        {DELAY, 50 * MS, true},
        {DELAY, 54 * MS, true},
        {DELAY, 55 * MS, false},
        {DELAY, 50 * MS - 1000, false},
        {"wire client <> server delay 50ms jitter 5ms\n" LISTEN, 45 * MS, true},
        {"wire client <> server delay 50ms jitter 5ms\n" LISTEN, 44 * MS, false},
        {"wire client <> server delay 50ms jitter 5ms\n" LISTEN, 59 * MS, true},
        {"wire client <> server delay 50ms jitter 5ms\n" LISTEN, 60 * MS, false},
        {"wire client <> server delay 50ms rate 1mbit\n" LISTEN, 46 * MS, true},
        {"wire client <> server delay 50ms rate 1mbit\n" LISTEN, 45 * MS, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = far(cases[i].way, WAY);
        struct result *result = judged(cases[i].steps, r, FAR(""));
        const struct result_line *bad = result_first_bad(result);
        ck_assert_msg(!bad == cases[i].fits, "case %zu: %s", i, bad ? bad->meaning : "passed");
        result_free(result);
        record_free(r);
    }
}
END_TEST

/* Where a queue may be longer or shorter. */
START_TEST(a_travel_has_two_ends)
{
#define BETWEEN                                                                                    \
    UP "Flags [S], … arrives +40ms..90ms\n" DOWN "Flags [S.], … arrives +40ms..90ms\n" UP          \
       "Flags [.], ack 1, … arrives +40ms..90ms\n" UP "Flags [P.], … arrives +40ms..90ms\n" DOWN   \
       "Flags [.], ack 11, … arrives +40ms..90ms\n"
    static const struct {
        nsec way;
        bool fits;
    } cases[] = {
        {39 * MS, false}, {40 * MS, true}, {70 * MS, true}, {94 * MS, true}, {96 * MS, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = far(cases[i].way, WAY);
        struct result *result = judged(DELAY, r, BETWEEN);
        const struct result_line *bad = result_first_bad(result);
        ck_assert_msg(!bad == cases[i].fits, "case %zu: %s", i, bad ? bad->meaning : "passed");
        if (bad)
            ck_assert_str_eq(bad->diffs.at[0].field, "arrival");
        result_free(result);
        record_free(r);
    }
}
END_TEST

static Suite *suite_wire_judge(void)
{
    Suite *s = suite_create("wire-judge");
    TCase *t = tcase_create("steps");
    tcase_add_loop_test(t, a_rule_that_met_nothing, 0, 11);
    tcase_add_test(t, a_rule_has_to_happen_as_often_as_it_says);
    tcase_add_test(t, what_came_by_before_the_step_does_not_count);
    tcase_add_test(t, a_loss_belongs_to_its_step);
    tcase_add_test(t, what_is_held_at_the_end);
    tcase_add_test(t, a_foreign_capture_knows_no_wire);
    tcase_add_test(t, the_line_tells_what_the_wire_did);
    suite_add_tcase(s, t);
    t = tcase_create("times");
    tcase_add_test(t, an_answer_comes_at_once_after_what_it_answers);
    tcase_add_test(t, a_travel_is_exact);
    tcase_add_test(t, a_travel_has_two_ends);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_wire_judge)
