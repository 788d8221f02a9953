/* What each segment is called, and that it is not called so when one fact is another. */
#include <stdio.h>

#include "label_scene.h"
#include "unit.h"

/* --------------------------------------------------------------------- time-outs */

START_TEST(time_outs_double)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    data(MS(214), 1, false);
    LAST("retransmission 1 (RTO, after 204 ms)");
    data(MS(622), 1, false);
    LAST("retransmission 2 (RTO, after 408 ms)");
    data(MS(1454), 1, true);
    LAST("retransmission 3 (RTO, after 832 ms)");
}
END_TEST

START_TEST(a_wait_that_no_timer_makes)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    data(MS(140), 1, false);
    LAST("retransmission 1 (by a timer, the record does not tell which, after 130 ms)");
    data(MS(740), 1, false);
    LAST("retransmission 2 (by a timer, the record does not tell which, after 600 ms)");
}
END_TEST

START_TEST(a_probe_is_no_time_out)
{
    setting("3");
    handshake();
    data(MS(10), 1, false);
    data(MS(214), 1, false);
    LAST("retransmission 1 (tail loss probe, after 204 ms)");
    data(MS(422), 1, false);
    LAST("retransmission 2 (RTO, after 208 ms)");
    data(MS(830), 1, false);
    LAST("retransmission 3 (RTO, after 408 ms)");
}
END_TEST

START_TEST(no_probe_without_sack)
{
    sack = false;
    setting("3");
    handshake();
    data(MS(10), 1, false);
    data(MS(214), 1, false);
    LAST("retransmission 1 (RTO, after 204 ms)");
}
END_TEST

START_TEST(a_probe_is_the_last_segment_and_a_time_out_the_first)
{
    travel = MS(50);
    handshake();
    data(MS(200), 1, false);
    data(MS(200), 2, false);
    data(MS(408), 2, true);
    LAST("retransmission 1 (tail loss probe, after 208 ms)");
    build_unseen(record);
    build_unseen(record);
    data(MS(508), 1, true);
    LAST("retransmission 1 (RTO, after 308 ms)");
}
END_TEST

START_TEST(the_next_time_out_tells_which_the_first_was)
{
    handshake();
    data(MS(10), 1, false);
    data(MS(214), 1, false);
    LAST("retransmission 1 (RTO or tail loss probe, after 204 ms)");
    data(MS(422), 1, false);
    BACK(1, "retransmission 1 (tail loss probe, after 204 ms)");
    LAST("retransmission 2 (RTO, after 208 ms)");
    build_unseen(record);
    data(MS(622), 1, false);
    BACK(1, "retransmission 1 (RTO, after 204 ms)");
    LAST("retransmission 2 (RTO, after 408 ms)");
}
END_TEST

START_TEST(an_ack_sets_the_timer_anew)
{
    setting("0");
    travel = MS(50);
    handshake();
    data(MS(200), 1, true);
    data(MS(200), 2, false);
    data(MS(210), 3, false);
    ack(MS(250), 2);
    data(MS(608), 2, true);
    LAST("retransmission 1 (RTO, 308 ms after an ACK)");
    ack(MS(658), 3);
    data(MS(708), 3, true);
    LAST("retransmission 1 (slow start after the RTO)");
}
END_TEST

/* ------------------------------------------------------------------ fast, and RACK */

/* Five segments, the second of them lost; `dups` duplicate ACKs.  The travel is 50 ms. */
static void second_lost(int dups)
{
    travel = MS(50);
    handshake();
    for (int n = 1; n <= 5; n++)
        data(MS(200) + n, n, n != 2);
    ack(MS(250) + 10, 2);
    for (int i = 1; i <= dups; i++)
        sack ? ack_sack(MS(250) + 10 + i, 2, 3, 3 + i) : ack(MS(250) + 10 + i, 2);
}

START_TEST(three_duplicate_acks)
{
    sack = false;
    second_lost(3);
    LAST("duplicate ACK 3");
    BACK(3, "");
    data(MS(301), 2, true);
    LAST("retransmission 1 (fast)");
    ack(MS(351), 6);
    LAST("full ACK: nothing from before the recovery is missing");
}
END_TEST

START_TEST(two_duplicate_acks_are_too_few)
{
    sack = false;
    second_lost(2);
    data(MS(301), 2, true);
    LAST("retransmission 1 (the record does not tell why)");
}
END_TEST

START_TEST(duplicate_acks_that_do_not_arrive)
{
    sack = false;
    second_lost(2);
    lost(MS(251), SERVER(.ack = DATA(2)));
    LAST("duplicate ACK 3");
    data(MS(301), 2, true);
    LAST("retransmission 1 (the record does not tell why)");
}
END_TEST

START_TEST(a_duplicate_ack_says_nothing_new)
{
    const struct build_tcp *others[] = {SERVER(.ack = DATA(2), .win = WIN + 1),
                                        SERVER(.ack = DATA(2), .len = 10),
                                        SERVER(.flags = "F.", .ack = DATA(2))};
    static const char *const want[] = {"window update", "", ""};
    sack = false;
    second_lost(1);
    LAST("duplicate ACK 1");
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        label_scene_end();
        label_scene_begin();
        sack = false;
        second_lost(0);
        sent(MS(251), others[i]);
        LAST(want[i]);
    }
}
END_TEST

START_TEST(nothing_outstanding_no_duplicate)
{
    handshake();
    data(MS(10), 1, true);
    ack(MS(11), 2);
    ack(MS(12), 2);
    LAST("");
}
END_TEST

START_TEST(with_sack)
{
    second_lost(3);
    data(MS(301), 2, true);
    LAST("retransmission 1 (fast)");
}
END_TEST

START_TEST(rack_waits_a_quarter_of_a_round_trip)
{
    second_lost(1);
    data(MS(328), 2, true);
    LAST("retransmission 1 (RACK, 28 ms after an ACK)");
    build_unseen(record);
    build_unseen(record);
    data(MS(378), 2, true); /* too late for that, too early for the rest */
    LAST("retransmission 1 (by a timer, the record does not tell which, after 178 ms)");
}
END_TEST

START_TEST(recovery_goes_on)
{
    travel = MS(50);
    handshake();
    for (int n = 1; n <= 8; n++)
        data(MS(200) + n, n, n != 1 && n != 4);
    for (int n = 2; n <= 3; n++)
        ack_sack(MS(250) + n, 1, 2, n + 1);
    sent(MS(250) + 5,
         SERVER(.ack = DATA(1), .n_sack = 2, .sack = {{DATA(5), DATA(9)}, {DATA(2), DATA(4)}}));
    data(MS(301), 1, true);
    data(MS(301) + 9, 4, true);
    BACK(1, "retransmission 1 (fast)");
    LAST("retransmission 1 (in recovery)");
    ack_sack(MS(351), 4, 5, 9);
    LAST("partial ACK");
}
END_TEST

START_TEST(limited_transmit)
{
    sack = false;
    second_lost(1);
    data(MS(301), 6, true);
    LAST("limited transmit");
    build_call(record, 0, "send", "100 bytes", MS(300) + MS(1) / 2, MS(301), 0, 100);
    LAST("");
}
END_TEST

/* ---------------------------------------------------------------------- arrived? */

START_TEST(spurious)
{
    setting("0");
    handshake();
    travel = MS(400);
    data(MS(10), 1, true);
    data(MS(214), 1, true);
    travel = NOTHING;
    ack(MS(410) + 9, 2);
    sent(MS(614) + 9, SERVER(.ack = DATA(2), .n_sack = 1, .sack = {{DATA(1), DATA(2)}}));
    BACK(2, "retransmission 1 (RTO, after 204 ms); spurious: what it repeats is still under way");
    LAST("DSACK: 1:101 had arrived before");
}
END_TEST

/* It lies at the receiver when it is sent again; that this has not been said yet, or is said
 * behind a hole, changes nothing. */
START_TEST(spurious_for_what_had_arrived)
{
    setting("0");
    handshake();
    travel = MS(100);
    data(MS(10), 1, true);
    data(MS(214), 1, true);
    travel = NOTHING;
    ack(MS(300), 2);
    BACK(1, "retransmission 1 (RTO, after 204 ms); spurious: it had arrived already");
    data(MS(400), 2, false);
    data(MS(401), 3, true);
    sent(MS(402), SERVER(.ack = DATA(2), .n_sack = 1, .sack = {{DATA(3), DATA(4)}}));
    data(MS(450), 3, true);
    LAST("retransmission 1 (by a timer, the record does not tell which, after 49 ms); spurious: it "
         "had arrived already");
}
END_TEST

START_TEST(not_spurious)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    data(MS(214), 1, true);
    ack(MS(214) + 9, 2);
    BACK(1, "retransmission 1 (RTO, after 204 ms)");
}
END_TEST

START_TEST(overtaken)
{
    handshake();
    sent_within(MS(10), MS(9), CLIENT(.seq = DATA(1), .len = 100));
    sent_within(MS(11), MS(1), CLIENT(.seq = DATA(2), .len = 100));
    BACK(1, "out of order: overtaken by 1");
    LAST("");
}
END_TEST

START_TEST(what_one_end_cannot_tell)
{
    only_client = true;
    handshake();
    data(MS(10), 1, true);
    data(MS(11), 2, true);
    sent(MS(12), SERVER(.seq = 8101, .ack = DATA(3), .len = 100));
    sent(MS(13), SERVER(.seq = 8001, .ack = DATA(3), .len = 100));
    LAST("behind later data: overtaken, or a retransmission");
    sent(MS(14), SERVER(.seq = 8101, .ack = DATA(3), .len = 100));
    LAST("retransmission (the record does not tell why)");
}
END_TEST

/* ---------------------------------------------------------------------- windows */

START_TEST(zero_window)
{
    handshake();
    data(MS(10), 1, true);
    window(MS(50), CLOSED);
    LAST("zero window; delayed ACK (after 40 ms)");
    probe(MS(258));
    LAST("zero-window probe 1 (after 208 ms)");
    window(MS(258) + 9, CLOSED);
    LAST("answer to the zero-window probe");
    probe(MS(666));
    LAST("zero-window probe 2 (after 408 ms)");
    window(MS(666) + 9, CLOSED);
    window(MS(700), 300);
    LAST("window update");
}
END_TEST

START_TEST(an_open_window_is_not_probed)
{
    handshake();
    data(MS(10), 1, true);
    window(MS(11), 1);
    LAST("");
    probe(SEC(2));
    LAST("keep-alive 1 (after 1.989 s)");
    window(SEC(2) + 9, 1);
    LAST("answer to the keep-alive");
    probe(SEC(4));
    LAST("keep-alive 1 (after 2.000 s)");
    probe(SEC(5));
    LAST("keep-alive 2 (after 1.000 s)");
}
END_TEST

START_TEST(either_probe)
{
    handshake();
    data(MS(10), 1, true);
    window(MS(11), CLOSED);
    probe(SEC(2));
    LAST("keep-alive or zero-window probe 1 (after 1.989 s)");
    window(SEC(2) + 9, CLOSED);
    LAST("answer to the probe");
}
END_TEST

START_TEST(a_late_answer_is_none)
{
    handshake();
    data(MS(10), 1, true);
    window(MS(11), WIN);
    probe(SEC(2));
    window(SEC(3), WIN);
    LAST("");
}
END_TEST

START_TEST(window_full)
{
    handshake();
    sent(MS(10), CLIENT(.seq = DATA(1), .len = WIN));
    LAST("the peer's window is full");
    build_unseen(record);
    build_unseen(record);
    sent(MS(10), CLIENT(.seq = DATA(1), .len = WIN - 1));
    LAST("");
}
END_TEST

START_TEST(delayed_ack)
{
    handshake();
    data(MS(10), 1, true);
    ack(MS(52), 2);
    LAST("delayed ACK (after 42 ms)");
    data(MS(60), 2, true);
    ack(MS(70), 3);
    LAST("");
}
END_TEST

/* ------------------------------------------------------------- opening and closing */

START_TEST(syn_again)
{
    const struct build_tcp *syn = &(struct build_tcp){.flags = "S", .seq = 1000};
    const struct build_tcp *answer = SERVER(.flags = "S.", .seq = 8000, .ack = 1001);
    lost(0, syn);
    sent(SEC(1), syn);
    LAST("SYN retransmission 1 (after 1.000 s)");
    lost(SEC(1) + 9, answer);
    LAST("");
    lost(SEC(2) + 9, answer);
    LAST("SYN-ACK retransmission 1 (after 1.000 s)");
    sent(SEC(3), syn);
    sent(SEC(3) + 9, answer);
    LAST("SYN-ACK retransmission 2 (the SYN has come again)");
    sent(SEC(3) + 19, CLIENT(.seq = 1001));
    LAST("established: the handshake is complete");
    ack(SEC(4), 1);
    LAST("");
}
END_TEST

START_TEST(simultaneous_open)
{
    travel = MS(100);
    sent(0, &(struct build_tcp){.flags = "S", .seq = 1000});
    sent(MS(50), &(struct build_tcp){.flags = "S", .seq = 8000, .reply = true});
    sent(MS(100), SERVER(.flags = "S.", .seq = 8000, .ack = 1001));
    LAST("simultaneous open: the SYNs cross");
    sent(MS(150), CLIENT(.flags = "S.", .seq = 1000));
    sent(MS(200), CLIENT(.seq = 1001));
    LAST("established: the handshake is complete");
}
END_TEST

START_TEST(challenge)
{
    handshake();
    data(MS(10), 1, true);
    ack(MS(10) + 1, 2);
    sent(MS(20), CLIENT(.flags = "R", .seq = DATA(3), .ack = 0));
    ack(MS(20) + 9, 2);
    LAST("challenge ACK");
    build_unseen(record);
    build_unseen(record);
    ack(MS(60), 2); /* not in answer to it */
    LAST("");
}
END_TEST

START_TEST(closing)
{
    handshake();
    sent(MS(10), CLIENT(.flags = "F.", .seq = 1001));
    sent(MS(11), SERVER(.ack = 1002));
    LAST("ACK of the FIN");
    BACK(1, "");
    sent(MS(12), SERVER(.ack = 1002, .len = 10));
    sent(MS(12) + 9, CLIENT(.seq = 1002, .ack = 8011));
    BACK(3, "half-close: the other direction goes on");
    sent(MS(20), SERVER(.flags = "F.", .seq = 8011, .ack = 1002));
    lost(MS(21), CLIENT(.seq = 1002, .ack = 8012));
    LAST("last ACK: both directions are closed");
    sent(MS(228), SERVER(.flags = "F.", .seq = 8011, .ack = 1002));
    LAST("retransmission 1 (RTO or tail loss probe, after 208 ms); spurious: it had arrived "
         "already");
    sent(MS(229), CLIENT(.seq = 1002, .ack = 8012));
    LAST("ACK out of TIME-WAIT");
}
END_TEST

START_TEST(simultaneous_close)
{
    travel = MS(10);
    handshake();
    sent(MS(100), CLIENT(.flags = "F.", .seq = 1001));
    sent(MS(105), SERVER(.flags = "F.", .ack = 1001));
    BACK(1, "simultaneous close: the FINs cross");
    LAST("simultaneous close: the FINs cross");
    sent(MS(110), SERVER(.seq = 8002, .ack = 1002));
    LAST("ACK of the FIN");
}
END_TEST

START_TEST(one_after_the_other)
{
    travel = MS(10);
    handshake();
    sent(MS(100), CLIENT(.flags = "F.", .seq = 1001));
    sent(MS(111), SERVER(.flags = "F.", .ack = 1002));
    BACK(1, "");
    LAST("");
}
END_TEST

START_TEST(resets)
{
    sent(0, &(struct build_tcp){.flags = "S", .seq = 1000});
    sent(9, SERVER(.flags = "R.", .seq = 0, .ack = 1001));
    LAST("reset: connection refused");
    build_unseen(record);
    build_unseen(record);
    sent(9, SERVER(.flags = "R.", .seq = 0, .ack = 1002));
    LAST("reset (the record does not tell why)");
}
END_TEST

START_TEST(resets_of_a_connection)
{
    handshake();
    data(MS(10), 1, true);
    sent(MS(11), SERVER(.flags = "R", .ack = 0));
    LAST("reset: no such connection");
    build_unseen(record);
    build_unseen(record);
    sent(MS(11), SERVER(.flags = "R", .seq = 8002, .ack = 0)); /* not what the data acknowledged */
    LAST("reset (the record does not tell why)");
    build_unseen(record);
    build_unseen(record);
    sent(MS(500), SERVER(.flags = "R.", .ack = DATA(2)));
    LAST("reset: abort");
}
END_TEST

START_TEST(data_for_a_closed_end)
{
    handshake();
    sent(MS(10), SERVER(.flags = "F.", .ack = 1001));
    sent(MS(11), CLIENT(.seq = 1001, .ack = 8002));
    sent(MS(90), CLIENT(.seq = 1001, .ack = 8002, .len = 10));
    sent(MS(91), SERVER(.flags = "R", .seq = 8002, .ack = 0));
    LAST("reset: data after the close");
}
END_TEST

START_TEST(giving_up)
{
    handshake();
    lost(SEC(2), CLIENT(.seq = 1000));
    LAST("keep-alive 1 (after 2.000 s)");
    lost(SEC(3), CLIENT(.flags = "R.", .seq = 1001));
    LAST("reset: gave up");
}
END_TEST

/* --------------------------------------------------------------------------- rest */

START_TEST(names)
{
    for (int k = 0; k < LABEL_KINDS_N; k++) {
        struct strbuf sb cleanup_strbuf = STRBUF_INIT;
        label_format(&sb, &(struct label){.kind = (enum label_kind)k, .n = 2, .after = MS(3)});
        ck_assert_uint_gt(sb.len, 0);
        ck_assert_uint_le(strlen(label_short((enum label_kind)k)), 13);
        for (int other = 0; other < k; other++)
            ck_assert_str_ne(label_name((enum label_kind)k), label_name((enum label_kind)other));
    }
}
END_TEST

/* docs/labels.md has each label: its name, how it is written, its short form. */
START_TEST(documentation)
{
    FILE *f = fopen("docs/labels.md", "r");
    ck_assert_msg(f != NULL, "docs/labels.md: run from the top folder");
    cleanup_strbuf struct strbuf sb = STRBUF_INIT;
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof(buf), f)) > 0;)
        strbuf_add(&sb, buf, n);
    fclose(f);
    for (int k = 0; k < LABEL_KINDS_N; k++) {
        enum label_kind kind = (enum label_kind)k;
        cleanup_strbuf struct strbuf row = STRBUF_INIT;
        strbuf_printf(&row, "\n| `%s` | ", label_name(kind));
        label_format(&row, &(struct label){kind, .n = 2, .after = MS(408), .from = 1, .to = 1001});
        strbuf_printf(&row, " | %s | ", label_short(kind));
        ck_assert_msg(strstr(strbuf_cstr(&sb), strbuf_cstr(&row)) != NULL,
                      "docs/labels.md lacks the row%s", strbuf_cstr(&row));
    }
}
END_TEST

static Suite *suite_label(void)
{
    Suite *s = suite_create("label");
    TCase *tc = tcase_create("label");
    tcase_add_checked_fixture(tc, label_scene_begin, label_scene_end);
    tcase_add_test(tc, time_outs_double);
    tcase_add_test(tc, a_wait_that_no_timer_makes);
    tcase_add_test(tc, a_probe_is_no_time_out);
    tcase_add_test(tc, no_probe_without_sack);
    tcase_add_test(tc, a_probe_is_the_last_segment_and_a_time_out_the_first);
    tcase_add_test(tc, the_next_time_out_tells_which_the_first_was);
    tcase_add_test(tc, an_ack_sets_the_timer_anew);
    tcase_add_test(tc, three_duplicate_acks);
    tcase_add_test(tc, two_duplicate_acks_are_too_few);
    tcase_add_test(tc, duplicate_acks_that_do_not_arrive);
    tcase_add_test(tc, a_duplicate_ack_says_nothing_new);
    tcase_add_test(tc, nothing_outstanding_no_duplicate);
    tcase_add_test(tc, with_sack);
    tcase_add_test(tc, rack_waits_a_quarter_of_a_round_trip);
    tcase_add_test(tc, recovery_goes_on);
    tcase_add_test(tc, limited_transmit);
    tcase_add_test(tc, spurious);
    tcase_add_test(tc, spurious_for_what_had_arrived);
    tcase_add_test(tc, not_spurious);
    tcase_add_test(tc, overtaken);
    tcase_add_test(tc, what_one_end_cannot_tell);
    tcase_add_test(tc, zero_window);
    tcase_add_test(tc, an_open_window_is_not_probed);
    tcase_add_test(tc, either_probe);
    tcase_add_test(tc, a_late_answer_is_none);
    tcase_add_test(tc, window_full);
    tcase_add_test(tc, delayed_ack);
    tcase_add_test(tc, syn_again);
    tcase_add_test(tc, simultaneous_open);
    tcase_add_test(tc, challenge);
    tcase_add_test(tc, closing);
    tcase_add_test(tc, simultaneous_close);
    tcase_add_test(tc, one_after_the_other);
    tcase_add_test(tc, resets);
    tcase_add_test(tc, resets_of_a_connection);
    tcase_add_test(tc, data_for_a_closed_end);
    tcase_add_test(tc, giving_up);
    tcase_add_test(tc, names);
    tcase_add_test(tc, documentation);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_label)
