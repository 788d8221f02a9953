/* Labels where the capture is not what one would draw: numbers that wrap, segments larger than
 * a packet, pieces of what was sent before, a connection whose beginning is not there. */
#include "label_scene.h"
#include "unit.h"

#define ISN 0xffffff00u /* the first data wrap */

START_TEST(numbers_wrap)
{
    setting("0");
    sent(0, CLIENT(.flags = "S", .seq = ISN, .sack_ok = true));
    sent(NOTHING, SERVER(.flags = "S.", .seq = 8000, .ack = ISN + 1, .sack_ok = true));
    sent(MS(1), CLIENT(.seq = ISN + 1));
    LAST("established: the handshake is complete");
    lost(MS(10), CLIENT(.seq = ISN + 1, .len = 400));
    sent(MS(10) + 1, CLIENT(.seq = ISN + 401, .len = 400));
    sent(MS(10) + 9, SERVER(.ack = ISN + 1, .n_sack = 1, .sack = {{ISN + 401, ISN + 801}}));
    LAST("duplicate ACK 1");
    sent(MS(214), CLIENT(.seq = ISN + 1, .len = 400));
    LAST("retransmission 1 (RTO, after 204 ms)");
    sent(MS(214) + 9, SERVER(.ack = ISN + 801));
    LAST("");
    sent(SEC(10), CLIENT(.seq = ISN + 800));
    LAST("keep-alive 1 (after 9.786 s)");
}
END_TEST

/* Where a network card cuts up large segments, as in captures of others. */
START_TEST(a_large_segment_is_sent_again_in_pieces)
{
    setting("0");
    handshake();
    lost(MS(10), CLIENT(.seq = 1001, .len = 4000));
    lost(MS(214), CLIENT(.seq = 1001, .len = 1000));
    LAST("retransmission 1 (RTO, after 204 ms)");
    sent(MS(622), CLIENT(.seq = 1001, .len = 1000));
    LAST("retransmission 2 (RTO, after 408 ms)");
    sent(MS(622) + 9, SERVER(.ack = 2001));
    sent(MS(622) + 20, CLIENT(.seq = 2001, .len = 1000));
    LAST("retransmission 1 (slow start after the RTO)");
    sent(MS(622) + 30, SERVER(.ack = 3001));
    sent(MS(622) + 40, CLIENT(.seq = 2501, .len = 2000)); /* half of it acknowledged */
    LAST("retransmission 1 (slow start after the RTO)");
    sent(MS(622) + 50, CLIENT(.seq = 3501, .len = 1000));
    LAST("retransmission 2 (the record does not tell why)");
    sent(MS(622) + 60, CLIENT(.seq = 4501, .len = 1000)); /* half of it is new */
    LAST("retransmission 1 (slow start after the RTO)");
}
END_TEST

START_TEST(keep_alives_of_a_byte_and_of_both_ends)
{
    handshake();
    data(MS(10), 1, true);
    ack(MS(10) + 9, 2);
    sent(SEC(2), CLIENT(.seq = DATA(2) - 1, .len = 1));
    LAST("keep-alive 1 (after 1.990 s)");
    ack(SEC(2) + 9, 2);
    LAST("answer to the keep-alive");
    sent(SEC(3), SERVER(.seq = 8000, .ack = DATA(2)));
    LAST("keep-alive 1 (after 1000 ms)");
    sent(SEC(3) + 9, CLIENT(.seq = DATA(2)));
    LAST("answer to the keep-alive");
}
END_TEST

/* One byte, or a FIN alone, has the form of a keep-alive; but it is not acknowledged. */
START_TEST(one_number_is_sent_again)
{
    setting("0");
    handshake();
    lost(MS(10), CLIENT(.seq = 1001, .len = 1));
    sent(MS(214), CLIENT(.seq = 1001, .len = 1));
    LAST("retransmission 1 (RTO, after 204 ms)");
    sent(MS(214) + 9, SERVER(.ack = 1002));
    lost(MS(300), CLIENT(.flags = "F.", .seq = 1002));
    sent(MS(504), CLIENT(.flags = "F.", .seq = 1002));
    LAST("retransmission 1 (RTO, after 204 ms)");
    sent(MS(504) + 9, SERVER(.ack = 1003));
    LAST("ACK of the FIN");
    sent(SEC(3), CLIENT(.seq = 1002)); /* in FIN-WAIT-2 */
    LAST("keep-alive 1 (after 2.496 s)");
}
END_TEST

/* Data and the FIN behind them are sent again as one. */
START_TEST(two_become_one)
{
    setting("0");
    handshake();
    lost(MS(10), CLIENT(.seq = 1001, .len = 100));
    lost(MS(10) + 1, CLIENT(.flags = "F.", .seq = 1101));
    sent(MS(214), CLIENT(.flags = "F.", .seq = 1001, .len = 100));
    LAST("retransmission 1 (RTO, after 204 ms)");
    sent(MS(214) + 9, SERVER(.ack = 1102));
    LAST("ACK of the FIN");
}
END_TEST

/* Somebody begins to capture a connection on which nobody speaks. */
START_TEST(it_begins_with_a_keep_alive)
{
    sent(0, CLIENT(.seq = 5000, .ack = 9001));
    LAST(""); /* nobody knows what the next number is */
    sent(9, SERVER(.seq = 9001, .ack = 5001));
    LAST("");
    sent(SEC(2), CLIENT(.seq = 5000, .ack = 9001));
    LAST("keep-alive 1 (after 2.000 s)");
    sent(SEC(2) + 9, SERVER(.seq = 9001, .ack = 5001));
    LAST("answer to the keep-alive");
    sent(SEC(4), CLIENT(.seq = 5001, .ack = 9001, .len = 100));
    LAST("");
}
END_TEST

START_TEST(it_begins_behind_a_hole)
{
    sent(0, CLIENT(.seq = 5101, .ack = 9001, .len = 100));
    sent(9, SERVER(.seq = 9001, .ack = 5001));
    sent(20, CLIENT(.seq = 5001, .ack = 9001, .len = 100));
    LAST("retransmission 1 (the record does not tell why)");
    sent(30, SERVER(.seq = 9001, .ack = 5201));
    LAST("");
}
END_TEST

/* An ACK of numbers that were never sent is not believed, as soon as it is known what was. */
START_TEST(an_ack_of_nothing)
{
    handshake();
    sent(MS(5), SERVER(.ack = DATA(5)));
    data(MS(10), 1, true);
    ack(MS(10) + 9, 2);
    LAST("");
    sent(SEC(2), CLIENT(.seq = DATA(2) - 1));
    LAST("keep-alive 1 (after 1.990 s)");
}
END_TEST

START_TEST(bare_acks_that_come_again)
{
    handshake();
    data(MS(10), 1, true);
    ack(MS(10) + 9, 2);
    ack(MS(10) + 19, 2);
    LAST(""); /* nothing is under way */
    data(MS(20), 2, true);
    data(MS(20) + 1, 3, true);
    ack(MS(20) + 9, 3);
    ack(MS(20) + 10, 3);
    LAST("duplicate ACK 1");
    ack(MS(20) + 11, 4);
    ack(MS(20) + 12, 3); /* an old one */
    LAST("");
}
END_TEST

START_TEST(six)
{
    setting("0");
#define SIX .src = "fd00::1", .dst = "fd00::2"
    sent(0, CLIENT(SIX, .flags = "S", .seq = 1000, .sack_ok = true));
    sent(NOTHING, SERVER(SIX, .flags = "S.", .seq = 8000, .ack = 1001, .sack_ok = true));
    sent(2 * NOTHING, CLIENT(SIX, .seq = 1001));
    lost(MS(10), CLIENT(SIX, .seq = 1001, .len = 100));
    lost(MS(214), CLIENT(SIX, .seq = 1001, .len = 100));
    LAST("retransmission 1 (RTO, after 204 ms)");
}
END_TEST

static Suite *suite_label_odd(void)
{
    Suite *s = suite_create("label-odd");
    TCase *tc = tcase_create("label-odd");
    tcase_add_checked_fixture(tc, label_scene_begin, label_scene_end);
    tcase_add_test(tc, numbers_wrap);
    tcase_add_test(tc, a_large_segment_is_sent_again_in_pieces);
    tcase_add_test(tc, keep_alives_of_a_byte_and_of_both_ends);
    tcase_add_test(tc, one_number_is_sent_again);
    tcase_add_test(tc, two_become_one);
    tcase_add_test(tc, it_begins_with_a_keep_alive);
    tcase_add_test(tc, it_begins_behind_a_hole);
    tcase_add_test(tc, an_ack_of_nothing);
    tcase_add_test(tc, bare_acks_that_come_again);
    tcase_add_test(tc, six);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_label_odd)
