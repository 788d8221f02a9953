/* The sentence for a person: for each kind of difference, what it says. */

#include "scenes.h"

#include <string.h>

#include "build_packet.h"
#include "unit.h"

#define MS NSEC_PER_MSEC

static char *replace(const char *text, const char *from, const char *to)
{
    const char *p = strstr(text, from);
    ck_assert_msg(p != NULL, "no %s in\n%s", from, text);
    return xasprintf("%.*s%s%s", (int)(p - text), text, to, p + strlen(from));
}

static void check(const struct record *r, const char *expected, const char *meaning)
{
    struct result *result = scene_judge(r, expected, VERDICT_FAIL);
    ck_assert_str_eq(result_first_bad(result)->meaning, meaning);
    result_free(result);
}

/* A conversation against its transcript with one thing changed. */
static const struct change {
    const char *from, *to, *meaning;
} changes[] = {
    {"win 502", "win 503",
     "window is 502, expected 503: the window follows the receive buffer, "
     "see tcp_rmem"},
    {"mss 1460", "mss 1400",
     "mss is 1460, expected 1400: the MSS follows the MTU of the way out, see ip link and "
     "tcp_base_mss"},
    {"wscale 7", "wscale 8",
     "wscale is 7, expected 8: the scale follows the largest receive buffer, see "
     "tcp_rmem and tcp_window_scaling"},
    {"options [mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7]",
     "options [mss 1460,sackOK,nop,wscale 7]",
     "options are mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7, expected mss "
     "1460,sackOK,nop,wscale 7: one of them has no time stamps, see tcp_timestamps"},
    {"Flags [S]", "Flags [SEW]",
     "the flags are [S], expected [SEW]: the flags E and W negotiate and report congestion, see "
     "tcp_ecn"},
    {"Flags [P.]", "Flags [.]", "the flags are [P.], expected [.]"},
    {"length 12", "length 12 lost",
     "the first data segment arrived 30 µs later, and should have been lost"},
    {"length 12", "length 12 arrives +50ms",
     "the first data segment arrived 30 µs later, and not when it should have, after 50 ms … 54 "
     "ms"},
    {"+0 server", "+1s server",
     "server's SYN-ACK came 0.1 ms after the packet before; expected 1 s … 1.04 s"},
    {"seq 1:13", "seq 2:14",
     "seq is 1:13, expected 2:14: its data stands elsewhere in the stream: some was sent again, or "
     "never"},
    {"ack 13", "ack 12",
     "ack is 13, expected 12: the sender had received more, or less, when it sent this"},
    {"TS val ~ ecr ~", "TS val 9 ecr ~",
     "TS val is 0, expected 9: the time stamp does not follow the sender's clock"},
    {"client.port", "client.99",
     "port is port, expected 99: it belongs to another connection, or to another service"},
};

START_TEST(one_change)
{
    const struct change *c = &changes[_i];
    struct record *r = scene_conversation();
    cleanup_free char *text = replace(scenes[0].expected, c->from, c->to);
    check(r, text, c->meaning);
    record_free(r);
}
END_TEST

/* Words of what is not TCP, without the punctuation that belongs to the line. */
START_TEST(a_word_of_another_packet)
{
    static const struct {
        const char *expected, *meaning;
    } cases[] = {
        {"ARP, Request who-has client tell server, length 28",
         "it says `server`, expected `client`"},
        {"ARP, Reply who-has server tell client, length 28", "it says `Request`, expected `Reply`"},
        {"ARP, Request who-has server tell client and all, length 28",
         "it says `client,`, expected `client`"},
        {"ARP, Request who-has server tell client, length 28 …", NULL},
        {"ARP, Request who-has server tell client, length", "it also says `28`"},
        {"ARP, Request who-has server tell client, length 28 bytes", "it does not say `bytes`"},
    };
    uint8_t frame[BUILD_MAX_FRAME];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = build_record();
        build_seen(r, 0, BUILD_OUT, 0, frame, build_arp(frame, 1, "10.0.0.1", "10.0.0.2"));
        build_seen(r, 1, BUILD_IN, 1000, frame, build_arp(frame, 1, "10.0.0.1", "10.0.0.2"));
        build_done(r, build_time(NSEC_PER_SEC));
        if (cases[i].meaning)
            check(r, cases[i].expected, cases[i].meaning);
        else
            result_free(scene_judge(r, cases[i].expected, VERDICT_PASS));
        record_free(r);
    }
}
END_TEST

START_TEST(what_is_out_of_order_was_sent)
{
    struct record *r = scene_conversation();
    const char *text = scenes[0].expected, *five = text, *six, *end;
    for (int i = 0; i < 4; i++)
        five = strchr(five, '\n') + 1;
    six = strchr(five, '\n') + 1;
    end = strchr(six, '\n') + 1;
    cleanup_free char *swapped = xasprintf("%.*s%.*s%.*s%s", (int)(five - text), text,
                                           (int)(end - six), six, (int)(six - five), five, end);
    check(r, swapped,
          "the first data segment is out of order: it was sent later than the "
          "transcript has it");
    cleanup_free char *early =
        xasprintf("%.*s%s%.*s", (int)(five - text), text, six, (int)(six - five), five);
    check(r, early, "server's ACK is out of order: the transcript has it in line 10");
    record_free(r);
}
END_TEST

START_TEST(linear_retries)
{
    static const nsec gaps[] = {1028 * MS, 1024 * MS, 1024 * MS, 1024 * MS, 1024 * MS};
    struct record *r = scene_syn_retry(gaps, ARRAY_SIZE(gaps));
    struct result *result = scene_judge(r, scenes[1].expected, VERDICT_FAIL);
    const struct result_line *bad = result_first_bad(result);
    ck_assert_uint_eq(bad->line_number, 3);
    ck_assert_str_eq(bad->meaning,
                     "the third SYN came 1.024 s after the second; expected 2 s … 2.044 s: this "
                     "kernel retries linearly, see tcp_syn_linear_timeouts");
    ck_assert_str_eq(result->reason + strlen("line 3: "), bad->meaning);
    ck_assert_str_eq(bad->derivation, "2 s = 500 ticks of 4 ms: granule 32 ms, rounding 8 ms, "
                                      "one tick, host lateness 0.3 ms");
    result_free(result);
    record_free(r);
}
END_TEST

/* As many SYNs as the kernel sends then: the classic ones are all there, and more. */
START_TEST(linear_retries_to_the_end)
{
    static const nsec gaps[] = {1028 * MS, 1024 * MS, 1024 * MS, 1024 * MS, 1024 * MS,
                                2016 * MS, 4064 * MS, 8192 * MS, 16128 * MS};
    struct record *r = scene_syn_retry(gaps, ARRAY_SIZE(gaps));
    struct result *result = scene_judge(r, scenes[1].expected, VERDICT_FAIL);
    ck_assert_str_eq(result->reason,
                     "line 3: the third SYN came 1.024 s after the second; expected 2 s … "
                     "2.044 s: this kernel retries linearly, see tcp_syn_linear_timeouts");
    result_free(result);
    record_free(r);
}
END_TEST

START_TEST(linear_retries_missed)
{
    struct record *r = scenes[1].build();
    cleanup_free char *text = replace(scenes[1].expected, "+2s", "+1s");
    check(r, text,
          "the third SYN came 2.016 s after the second; expected 1 s … 1.04 s: this kernel "
          "doubles the time between SYNs earlier, see tcp_syn_linear_timeouts");
    record_free(r);
}
END_TEST

START_TEST(tail_loss_probe)
{
    static const nsec with[] = {204 * MS, 208 * MS, 428 * MS, 832 * MS, 1664 * MS, 3296 * MS};
    struct record *r = scene_unplugged(with, ARRAY_SIZE(with));
    check(r, scenes[2].expected,
          "the third data segment came 208 ms after the second; expected 400 ms … 444 ms: a tail "
          "loss probe (TLP) comes before the first RTO, see tcp_early_retrans");
    record_free(r);

    static const nsec as_many[] = {204 * MS, 208 * MS, 428 * MS, 832 * MS, 1664 * MS};
    r = scene_unplugged(as_many, ARRAY_SIZE(as_many));
    check(r, scenes[2].expected,
          "the third data segment came 208 ms after the second; expected 400 ms … 444 ms: a tail "
          "loss probe (TLP) comes before the first RTO, see tcp_early_retrans");
    record_free(r);
}
END_TEST

START_TEST(nobody_listens)
{
    struct record *r = scenes[3].build();
    cleanup_free char *text = replace(scenes[3].expected, "Flags [R.], seq 0, ack 1, win 0",
                                      "Flags [S.], seq 0, ack 1, win 64240, options [mss "
                                      "1460,sackOK,TS val ~ ecr ~,nop,wscale 7]");
    check(r, text, "nobody listens on port 1234 of server: it answered with a reset");
    record_free(r);
}
END_TEST

START_TEST(delayed_ack)
{
    struct record *r = scene_conversation();
    vec_each (&r->packets, p)
        if (p->frame.time >= build_time(51 * MS / 10))
            p->frame.time += 41 * MS;
    r->ended += 41 * MS;
    check(r, scenes[0].expected,
          "server's ACK came 41 ms after the packet before; expected at most 20 ms: a delayed "
          "ACK, the receiver waited for data to send it with (40 ms and more)");
    record_free(r);
}
END_TEST

/* Cuts the record before its nth packet, or takes one line out of the transcript. */
START_TEST(missing_and_unexpected)
{
    struct record *r = scene_conversation();
    cleanup_free char *twice = replace(
        scenes[0].expected, "+0 client.port > server.1234: Flags [.], ack 5",
        "server.1234 > client.port: Flags [F.], …\n+0 client.port > server.1234: Flags [.], ack 5");
    check(r, twice, "server sent no such FIN: it did not close the connection");
    cleanup_free char *arp = xasprintf("%sARP, Request …\n", scenes[0].expected);
    check(r, arp, "no such packet was seen");
    cleanup_free char *fin =
        xasprintf("%sclient.port > server.1234: Flags [F.], … lost\n", scenes[0].expected);
    check(r, fin,
          "client sent no such FIN: it did not close the connection; nothing more was captured");
    cleanup_free char *call = xasprintf("%sclient: shutdown write\n", scenes[0].expected);
    check(r, call, "no such call was made");
    check(r, "quiet 1s\n", "the first SYN is not in the transcript: another connection was opened");
    record_free(r);
}
END_TEST

START_TEST(a_duplicate_ack)
{
    struct record *r = scene_conversation();
    build_sent(r, 131 * MS / 10 + 1000, 1000,
               &(struct build_tcp){.flags = ".",
                                   .seq = 1000014,
                                   .ack = 4294967290u + 6,
                                   .win = 502,
                                   .ts = true,
                                   .tsval = 5013,
                                   .tsecr = 700013});
    build_done(r, 3000 * MS);
    check(r, scenes[0].expected,
          "the fourth ACK is not in the transcript: a duplicate ACK, for something that came twice "
          "or out of order");
    record_free(r);
}
END_TEST

START_TEST(a_window_that_is_taken_back)
{
    struct record *r = scene_conversation();
    struct build_tcp ack = {.flags = ".",
                            .seq = 1000014,
                            .ack = 4294967290u + 6,
                            .win = 502,
                            .ts = true,
                            .tsval = 5013,
                            .tsecr = 700013};
    cleanup_free char *text =
        xasprintf("%sclient.port > server.1234: Flags [.], ack ~, win ~, …\n", scenes[0].expected);
    ack.win = _i ? 502 : 501;
    build_sent(r, 15 * MS, 1000, &ack);
    build_done(r, 3000 * MS);
    if (_i)
        result_free(scene_judge(r, text, VERDICT_PASS));
    else
        check(r, text,
              "win is 501, which takes back what had been offered: it must be 502 at least, see "
              "RFC 9293, 3.8.6");
    record_free(r);
}
END_TEST

START_TEST(silence)
{
    struct record *r = scene_conversation();
    cleanup_free char *text = xasprintf("%squiet 10s\n", scenes[0].expected);
    check(r, text, "it was quiet for 3.087 s only, expected at least 10 s");
    record_free(r);
}
END_TEST

static Suite *suite_explain(void)
{
    Suite *s = suite_create("explain");
    TCase *t = tcase_create("explain");
    tcase_add_loop_test(t, one_change, 0, (int)ARRAY_SIZE(changes));
    tcase_add_test(t, a_word_of_another_packet);
    tcase_add_test(t, what_is_out_of_order_was_sent);
    tcase_add_test(t, linear_retries);
    tcase_add_test(t, linear_retries_to_the_end);
    tcase_add_test(t, linear_retries_missed);
    tcase_add_test(t, tail_loss_probe);
    tcase_add_test(t, nobody_listens);
    tcase_add_test(t, delayed_ack);
    tcase_add_test(t, missing_and_unexpected);
    tcase_add_test(t, a_duplicate_ack);
    tcase_add_loop_test(t, a_window_that_is_taken_back, 0, 2);
    tcase_add_test(t, silence);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_explain)
