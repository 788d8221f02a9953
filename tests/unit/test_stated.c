/* Evidence against the lab: what it says of itself is not believed. */

#include "record/stated.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "build_packet.h"
#include "unit.h"

static struct lab *lab;
static struct record *record;

static void build_wire(enum wire_action action, long step, int from)
{
    *vec_add(&record->wire) = (struct record_wire){.action = action,
                                                   .time = build_time(8),
                                                   .from = from,
                                                   .to = 1 - from,
                                                   .step = step,
                                                   .packet = -1,
                                                   .arrival = -1};
}

START_TEST(a_range_has_two_ends)
{
    struct lab_step step = {.verb = VERB_INFO,
                            .result = {.kind = RESULT_NUMBER, .number = 40, .most = 60}};
    static const int64_t inside[] = {40, 50, 60}, outside[] = {0, 39, 61};
    for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
        struct record_call call = {.ended = 1, .value = inside[i]};
        ck_assert(stated_fits(&step, &call));
        call.value = outside[i];
        ck_assert(!stated_fits(&step, &call));
        call.value = inside[i];
        call.failed = true;
        ck_assert(!stated_fits(&step, &call));
    }
}
END_TEST

static void setup(void)
{
    static const char text[] = "# A lab\n\nProse.\n\n```lab\n"
                               "host client 10.0.0.1/24,fd00::1/64\n"
                               "host server 10.0.0.2/24,fd00::2/64\n"
                               "capture client server \"tcp port 1234\"\n"
                               "server listen 1234\n"
                               "unplug server\n"
                               "client as a connect server 1234 => ETIMEDOUT\n"
                               "server recv 4 => \"yes\\n\"\n"
                               "server accept &\n"
                               "wire drop client > server data 2..3\n"
                               "wire client <> server loss 1%\n"
                               "wire clear server > client\n"
                               "wire server > client delay 1ms\n"
                               "wire inject server.1234 > client.port: Flags [R], seq 1\n"
                               "wire client > server delay 2ms\n"
                               "```\n";
    struct source src;
    struct diags diags = {0};
    source_from(&src, "lab.md", text, strlen(text));
    lab = lab_parse(&src, NULL, 0, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    diags_free(&diags);

    record = build_record();
    struct record_call *c = build_call(record, 1, "listen", "1234", 0, 1, 0, 0);
    *vec_add(&record->events) =
        (struct record_event){.kind = EVENT_UNPLUG, .time = build_time(2), .host = 1};
    c = build_call(record, 0, "connect", "server 1234", 3, 4, ETIMEDOUT, 0);
    c->as = xstrdup("a");
    c->step = 2;
    c = build_call(record, 1, "recv", "4", 5, 6, 0, 4);
    c->text = xstrdup("yes\n");
    c->text_len = 4;
    c->step = 3;
    c = build_call(record, 1, "accept", "", 7, 0, 0, 0);
    c->step = 4;
    vec_each (&record->calls, call)
        call->as_stated = true;
    build_wire(WIRE_DROP, 5, 0);
    build_wire(WIRE_DROP, 5, 0);
    build_wire(WIRE_LOSS, 6, 0);
    build_wire(WIRE_INJECT, 9, 1);
}

static void teardown(void)
{
    lab_free(lab);
    record_free(record);
}

static void accepts(void)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(stated_check(record, lab, &err) == 0, "%s", err.message);
}

static void refuses(const char *words)
{
    struct error err = ERROR_INIT;
    ck_assert_int_eq(stated_check(record, lab, &err), -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s", err.message);
    error_clear(&err);
}

START_TEST(what_was_stated_is_taken_from_the_lab)
{
    record->calls.at[1].expected = xstrdup("ECONNREFUSED");
    accepts();
    vec_each (&record->calls, c)
        ck_assert(c->as_stated);
    ck_assert_ptr_null(record->calls.at[0].expected);
    ck_assert_str_eq(record->calls.at[1].expected, "ETIMEDOUT");
    ck_assert_str_eq(record->calls.at[2].expected, "\"yes\\n\"");
}
END_TEST

START_TEST(results_are_judged_anew)
{
    record->calls.at[0].failed = true;
    record->calls.at[0].errnum = EADDRINUSE;
    record->calls.at[1].errnum = ECONNREFUSED;
    record->calls.at[2].text[0] = 'Y';
    accepts();
    for (size_t i = 0; i < 3; i++)
        ck_assert(!record->calls.at[i].as_stated);
    ck_assert(record->calls.at[3].as_stated);

    record->calls.at[1].errnum = ETIMEDOUT;
    record->calls.at[1].ended = 0; /* it had to return */
    accepts();
    ck_assert(!record->calls.at[1].as_stated);
}
END_TEST

START_TEST(a_step_without_trace)
{
    record->calls.n--;
    refuses("no trace of the step `server accept &`");
    record->stopped = xstrdup("`server recv 4` has not returned after 10 s");
    accepts();
    record->calls.n++;
    free(record->stopped);
    record->stopped = NULL;
    record->events.n = 0;
    refuses("no trace of the step `unplug server`");
}
END_TEST

START_TEST(a_call_of_another_script)
{
    struct record_call *c = &record->calls.at[1];
    c->args[0] = 'S';
    refuses("call \"connect\"");
    c->args[0] = 's';
    c->as[0] = 'b';
    refuses("call \"connect\"");
    c->as[0] = 'a';
    c->host = 1;
    refuses("call \"connect\"");
    c->host = 0;
    c->step = 0;
    refuses("call \"connect\"");
    c->step = 1;
    refuses("call \"connect\"");
    c->step = 5;
    refuses("call \"connect\"");
    c->step = 2;
    accepts();
    record->events.at[0].host = 0;
    refuses("step \"unplug\"");
}
END_TEST

START_TEST(what_the_wire_did_was_asked_for)
{
    static const struct {
        enum wire_action action;
        long step;
        int from;
        bool right;
    } more[] = {
        {WIRE_LOSS, 6, 0, true},     {WIRE_LOSS, 6, 1, true}, /* both directions */
        {WIRE_LOSS, 10, 0, true},                             /* still, since step 6 */
        {WIRE_DROP, 5, 0, false},                             /* a third of two */
        {WIRE_DROP, 5, 1, false},                             /* the other direction */
        {WIRE_DROP, 6, 0, false},    {WIRE_DROP, 0, 0, false},     {WIRE_DROP, -1, 0, false},
        {WIRE_DROP, 11, 0, false},   {WIRE_LOSS, 7, 1, false},     {WIRE_LOSS, 8, 1, false},
        {WIRE_LOSS, -1, 0, false},   {WIRE_OVERFLOW, 6, 0, false}, /* no queue */
        {WIRE_INJECT, 9, 1, false},                                /* once */
        {WIRE_CORRUPT, 5, 0, false}, {WIRE_HOLD, 5, 0, false},     {WIRE_STAY, -1, 0, true},
        {WIRE_STAY, -1, 1, true}, /* what a delay has still */
        {WIRE_STAY, 5, 0, false}, /* no rule that holds */
    };
    accepts();
    for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
        build_wire(more[i].action, more[i].step, more[i].from);
        if (more[i].right)
            accepts();
        else
            refuses("the wire's");
        record->wire.n--;
    }
}
END_TEST

/* The rule of step 5 is about data. */
START_TEST(a_rule_met_what_it_means)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    const struct build_tcp syn = {.flags = "S", .mss = 1460}, data = {.flags = "P.", .len = 10};
    for (int i = 0; i < 2; i++) {
        size_t n = build_tcp(buf, i ? &data : &syn);
        build_seen(record, 0, BUILD_OUT, build_time(1), buf, n);
    }
    record->wire.at[0].packet = 1;
    accepts();
    record->wire.at[0].packet = 0;
    refuses("the wire's \"drop\"");
}
END_TEST

START_TEST(a_rule_may_have_met_less_but_an_injection_happened)
{
    vec_each (&record->wire, w) {
        if (w->action == WIRE_DROP)
            w->action = WIRE_CORRUPT;
    }
    refuses("the wire's \"corrupt\"");
    memmove(record->wire.at, record->wire.at + 2, 2 * sizeof(*record->wire.at));
    record->wire.n = 2;
    accepts();
    record->wire.n = 1;
    refuses("no trace of the step `wire inject");
}
END_TEST

START_TEST(another_scene)
{
    record->points.at[0].filter[0] = 'T';
    refuses("capture point \"client\"");
    record->points.at[0].filter[0] = 't';
    record->points.at[1].host = -1;
    refuses("capture point \"server\"");
    build_uncaptured(record);
    refuses("capture point \"server\"");
    record->hosts.at[1].addrs.n--;
    refuses("host \"server\"");
}
END_TEST

START_TEST(a_run_of_the_other_version)
{
    record->ip = 6;
    refuses("a run with IPv6");
}
END_TEST

START_TEST(calls_cannot_be_left_out_as_a_whole)
{
    record->has_calls = false;
    refuses("no record of calls");
    record->has_calls = true;
    record->skipped = xstrdup("this kernel has no IPv6");
    accepts();
}
END_TEST

static Suite *suite_stated(void)
{
    Suite *s = suite_create("stated");
    TCase *t = tcase_create("stated");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_range_has_two_ends);
    tcase_add_test(t, what_was_stated_is_taken_from_the_lab);
    tcase_add_test(t, results_are_judged_anew);
    tcase_add_test(t, a_step_without_trace);
    tcase_add_test(t, a_call_of_another_script);
    tcase_add_test(t, what_the_wire_did_was_asked_for);
    tcase_add_test(t, a_rule_met_what_it_means);
    tcase_add_test(t, a_rule_may_have_met_less_but_an_injection_happened);
    tcase_add_test(t, another_scene);
    tcase_add_test(t, a_run_of_the_other_version);
    tcase_add_test(t, calls_cannot_be_left_out_as_a_whole);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_stated)
