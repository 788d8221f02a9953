/* Wrong runs that tcpdump's notation alone would not show. */

#include "scenes.h"

#include <string.h>

#include "build_packet.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define WAY (30 * NSEC_PER_USEC)
#define UP "client.port > server.1234: "
#define DOWN "server.1234 > client.port: "

static struct record *new_run(void)
{
    struct record *r = build_record();
    r->lateness = 300 * NSEC_PER_USEC;
    return r;
}

/* Judges, expects that `line` is the first that is wrong, and that its meaning has `words`. */
static void expect_differs(struct record *r, const char *text, size_t line, const char *words)
{
    struct result *result = scene_judge(r, text, VERDICT_FAIL);
    const struct result_line *bad = result_first_bad(result);
    ck_assert_int_eq(bad->status, LINE_DIFFERS);
    ck_assert_uint_eq(bad->line_number, line);
    ck_assert_msg(strstr(bad->meaning, words) != NULL, "%s", bad->meaning);
    result_free(result);
    record_free(r);
}

static void expect_pass(struct record *r, const char *text)
{
    result_free(scene_judge(r, text, VERDICT_PASS));
    record_free(r);
}

#define SYN (&(struct build_tcp){.flags = "S", .seq = 7000, .win = 9, .id = 1})
#define SYN_LINE UP "Flags [S], seq 0, win 9, length 0\n"
#define RESET (&(struct build_tcp){.reply = true, .flags = "R.", .ack = 7001, .id = 2})
#define RESET_LINE DOWN "Flags [R.], seq 0, ack 1, win 0, length 0\n"

START_TEST(what_arrived_was_sent)
{
    struct record *r = new_run();
    build_seen_tcp(r, 1, BUILD_IN, WAY, SYN);
    build_sent(r, MS, WAY, RESET);
    build_done(r, 2000 * MS);
    expect_differs(r, SYN_LINE RESET_LINE, 1, "the capture at its sender shows no such packet");
}
END_TEST

START_TEST(what_was_sent_at_the_very_end_arrived_too)
{
    struct record *r = new_run();
    build_sent(r, 0, WAY, SYN);
    build_sent(r, MS, BUILD_LOST, RESET);
    build_done(r, 3 * MS);
    expect_differs(r, SYN_LINE RESET_LINE, 2, "had not arrived when the capture ended");
}
END_TEST

START_TEST(what_was_sent_once_arrived_once)
{
    struct record *r = new_run();
    build_sent(r, 0, WAY, SYN);
    build_seen_tcp(r, 1, BUILD_IN, 2 * WAY, SYN);
    build_sent(r, MS, WAY, RESET);
    build_done(r, 2000 * MS);
    expect_differs(r, SYN_LINE RESET_LINE, 1, "was sent once and arrived more than once");
}
END_TEST

START_TEST(of_equal_segments_one_arrived_twice)
{
    struct record *r = new_run();
    build_sent(r, 0, WAY, SYN);
    build_sent(r, 1000 * MS, WAY, SYN);
    build_seen_tcp(r, 1, BUILD_IN, 1000 * MS + 2 * WAY, SYN);
    build_done(r, 3000 * MS);
    expect_differs(r, SYN_LINE SYN_LINE, 2, "was sent once and arrived more than once");
}
END_TEST

/* A host with two addresses may send by an interface at which nobody captured; a host
 * without capture point cannot have been seen sending. */
START_TEST(who_was_not_captured_may_have_sent_it)
{
    struct record *r = new_run();
    struct ipaddr second;
    ck_assert(ipaddr_parse(&second, "10.9.0.1", 8));
    vec_push(&r->hosts.at[0].addrs, second);
    build_seen_tcp(r, 1, BUILD_IN, WAY, SYN);
    build_done(r, 2000 * MS);
    expect_pass(r, SYN_LINE);

    r = new_run();
    build_uncaptured(r);
    build_seen_tcp(r, 0, BUILD_IN, WAY, RESET);
    build_done(r, 2000 * MS);
    expect_pass(r, "server.1234 > client.*: Flags [R.], seq 0, ack 1, win 0, length 0");
}
END_TEST

#define HELLO UP "Flags [P.], seq 1:4, ack 1, win 0, length 3\n"
#define ANSWER DOWN "Flags [.], ack 4, win 0, length 0\n"

static struct record *answered_with(nsec at, uint32_t seq)
{
    struct record *r = new_run();
    build_sent(r, 0, WAY,
               &(struct build_tcp){.flags = "P.", .seq = 7000, .ack = 90, .len = 3, .id = 1});
    build_sent(r, MS / 2, WAY,
               &(struct build_tcp){.reply = true, .flags = ".", .seq = 90, .ack = 7003, .id = 2});
    build_sent(r, at, WAY,
               &(struct build_tcp){.reply = true, .flags = ".", .seq = seq, .ack = 7003, .id = 3});
    build_done(r, at + 2000 * MS);
    return r;
}

START_TEST(a_pure_acks_number_is_judged_though_it_is_not_printed)
{
    expect_pass(answered_with(MS, 90), HELLO ANSWER ANSWER);
    expect_differs(answered_with(MS, 91), HELLO ANSWER ANSWER, 3,
                   "its sequence number, which tcpdump does not print, is 2, by the "
                   "connection's history it must be 1");
    expect_differs(answered_with(MS, 89), HELLO ANSWER ANSWER, 3, "is 0");
    /* `…` speaks of all that is not named; a keep-alive is one less, and not at once */
    expect_pass(answered_with(MS, 91), HELLO ANSWER DOWN "Flags [.], ack 4, …");
    expect_pass(answered_with(1000 * MS, 89), HELLO ANSWER ANSWER);
    expect_differs(answered_with(1000 * MS, 88), HELLO ANSWER ANSWER, 3, "is 4294967295");
}
END_TEST

static struct record *syn_again(uint32_t seq)
{
    struct record *r = new_run();
    build_sent(r, 0, BUILD_LOST, SYN);
    build_sent(r, 1024 * MS, BUILD_LOST,
               &(struct build_tcp){.flags = "S", .seq = seq, .win = 9, .id = 2});
    build_done(r, 3000 * MS);
    return r;
}

#define LOST_SYN_ANY UP "… lost\n"
#define LOST_SYN UP "Flags [S], seq 0, win 9, length 0 lost\n"

START_TEST(an_unanswered_syn_is_repeated_with_its_number)
{
    expect_pass(syn_again(7000), LOST_SYN "+1s " LOST_SYN);
    expect_differs(syn_again(7005), LOST_SYN "+1s " LOST_SYN, 2,
                   "seq is 5, expected 0: a SYN that nobody answered is repeated with its number");

    /* unless a program began another connection, or may have */
    struct record *r = syn_again(7005);
    build_call(r, 0, "connect", "server 1234", 1000 * MS, 1500 * MS, 0, 0);
    record_sort(r);
    expect_pass(r, LOST_SYN "+1s " LOST_SYN);
    r = syn_again(7005);
    build_call(r, 0, "run", "nc server 1234", 0, 1500 * MS, 0, 0);
    record_sort(r);
    expect_pass(r, LOST_SYN "+1s " LOST_SYN);
}
END_TEST

/* A point's own view: what the other end's host captured is not in it. */
START_TEST(at_one_point_the_history_is_known_too)
{
    struct record *r = scene_conversation();
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&text, scenes[0].expected);
    for (const char *line = scenes[0].expected; *line; line = strchr(line, '\n') + 1) {
        const char *body = strncmp(line, "+0 ", 3) == 0 ? line + 3 : line;
        strbuf_printf(&text, "at server: %.*s", (int)(strchr(line, '\n') + 1 - body), body);
    }
    expect_pass(r, strbuf_cstr(&text));
}
END_TEST

START_TEST(other_arguments_are_named)
{
    struct record *r = scene_conversation();
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_printf(&text, "client: connect server 99\n%s", scenes[0].expected);
    expect_differs(r, strbuf_cstr(&text), 1, "arguments are server 1234, expected server 99");
}
END_TEST

START_TEST(another_port_and_a_copy)
{
    struct record *r = answered_with(MS, 90);
    expect_differs(r, HELLO ANSWER "server.1234 > client.other: Flags [.], ack 4, win 0, length 0",
                   3, "the port is not the one that the transcript calls other");
    r = new_run();
    build_sent(r, 0, WAY, SYN);
    build_sent(r, MS, WAY, &(struct build_tcp){.flags = "S", .seq = 7000, .win = 9, .id = 5});
    build_done(r, 2000 * MS);
    struct result *result = scene_judge(r, SYN_LINE, VERDICT_FAIL);
    ck_assert_msg(strstr(result->reason, "sent again 1.0 ms after the packet before, sooner than "
                                         "any time-out") ||
                      strstr(result->reason, "sent again 1 ms after the packet before, sooner "
                                             "than any time-out"),
                  "%s", result->reason);
    result_free(result);
    record_free(r);
}
END_TEST

START_TEST(a_repetition_that_was_left_out)
{
    static const nsec syns[] = {3040 * MS}, data[] = {208 * MS, 1240 * MS};
    expect_differs(scene_syn_retry(syns, 1), LOST_SYN_ANY "+1s " LOST_SYN_ANY, 2,
                   "came 3.04 s after the first; expected 1 s … 1.04 s: the one in between was "
                   "not sent");
    struct record *r = scene_unplugged(data, 2);
    expect_differs(r,
                   "client.* > *.*: …\nserver.* > *.*: …\nclient.* > *.*: …\n" LOST_SYN_ANY
                   "+200ms " LOST_SYN_ANY "+400ms " LOST_SYN_ANY,
                   6, "the one in between was not sent");
}
END_TEST

/* Data, an ACK for it that is lost, and the same data again. */
static struct record *unheard_ack(nsec ack, nsec again)
{
    struct record *r = new_run();
    struct build_tcp data = {.flags = "P.", .seq = 7001, .ack = 9001, .win = 9, .len = 10};
    build_sent(r, 0, WAY, SYN);
    build_sent(r, MS, WAY,
               (&(struct build_tcp){.reply = true, .flags = "S.", .seq = 9000, .ack = 7001}));
    data.id = 3;
    build_sent(r, 2 * MS, WAY, &data);
    build_sent(r, 2 * MS + ack, BUILD_LOST,
               (&(struct build_tcp){
                   .reply = true, .flags = ".", .seq = 9001, .ack = 7011, .win = 9, .id = 3}));
    data.id = 4;
    build_sent(r, 2 * MS + again, WAY, &data);
    build_done(r, 3000 * MS);
    return r;
}

/* The timer runs from the sending, not from an answer that came a little later; but it is the
 * timer that has to be right, and the answer has to come at once. */
START_TEST(a_timer_runs_from_the_sending)
{
    static const char text[] =
        UP "Flags [S], …\n" DOWN "Flags [S.], …\n" UP "Flags [P.], …\n" DOWN "Flags [.], … lost\n"
           "+200ms " UP "Flags [P.], …\n";
    expect_pass(unheard_ack(15 * MS, 205 * MS), text);
    expect_pass(unheard_ack(MS / 10, 205 * MS), text);
    expect_differs(unheard_ack(15 * MS, 190 * MS), text, 5, "came 175 ms after");
    expect_differs(unheard_ack(60 * MS, 205 * MS), text, 5, "came 145 ms after");
}
END_TEST

static Suite *suite_judge_sound(void)
{
    Suite *s = suite_create("judge-sound");
    TCase *t = tcase_create("sound");
    tcase_add_test(t, what_arrived_was_sent);
    tcase_add_test(t, what_was_sent_at_the_very_end_arrived_too);
    tcase_add_test(t, what_was_sent_once_arrived_once);
    tcase_add_test(t, of_equal_segments_one_arrived_twice);
    tcase_add_test(t, who_was_not_captured_may_have_sent_it);
    tcase_add_test(t, a_pure_acks_number_is_judged_though_it_is_not_printed);
    tcase_add_test(t, an_unanswered_syn_is_repeated_with_its_number);
    tcase_add_test(t, at_one_point_the_history_is_known_too);
    tcase_add_test(t, other_arguments_are_named);
    tcase_add_test(t, another_port_and_a_copy);
    tcase_add_test(t, a_repetition_that_was_left_out);
    tcase_add_test(t, a_timer_runs_from_the_sending);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_judge_sound)
