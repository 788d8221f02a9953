/* What a socket's own numbers say of a label: they confirm it, they contradict it, or they
 * say nothing, because something else may have made the difference. */
#include "label_scene.h"
#include "unit.h"

#define OPEN TCP_CA_STATE_OPEN
#define RECOVERY TCP_CA_STATE_RECOVERY
#define LOSS TCP_CA_STATE_LOSS
#define LATEST record->states.at[record->states.n - 1]
#define LOOK 20000 /* ns, that a look comes after what it is for */

static void look_at(nsec at, struct record_values values)
{
    struct record_state *last = record->states.n ? &record->states.at[record->states.n - 1] : NULL;
    struct record_state *s = vec_add(&record->states);
    record->has_states = true;
    *s = (struct record_state){.time = build_time(at),
                               .after = last ? last->time : 0,
                               .host = 0,
                               .local_port = 40000,
                               .remote_port = 1234,
                               .old = last ? TCP_STATE_ESTABLISHED : TCP_STATE_NONE,
                               .new = TCP_STATE_ESTABLISHED,
                               .has_values = true,
                               .values = values};
    ck_assert(ipaddr_parse(&s->local, "10.0.0.1", 8) && ipaddr_parse(&s->remote, "10.0.0.2", 8));
}

/* How often it sent again, and of these by RTO in a row, and the state that it is in. */
static void look(nsec at, int total, int rtos, int state)
{
    return look_at(at, (struct record_values){.total_retrans = total,
                                              .retransmits = rtos,
                                              .backoff = rtos,
                                              .ca_state = state,
                                              .unacked = 1});
}

static void look_probe(nsec at, int probes, int backoff)
{
    look_at(at, (struct record_values){.probes = probes, .backoff = backoff});
}

/* A segment, lost, and again after `wait`; looks before that. */
static void lost_and_again(nsec wait)
{
    handshake();
    data(MS(10), 1, false);
    look(MS(10) + LOOK, 0, 0, OPEN);
    data(MS(10) + wait, 1, false);
}

START_TEST(rto_is_confirmed)
{
    setting("0");
    lost_and_again(MS(204));
    look(MS(214) + LOOK, 1, 1, LOSS);
    LAST("retransmission 1 (RTO, after 204 ms)");
    data(MS(622), 1, false);
    look(MS(622) + LOOK, 2, 2, LOSS);
    LAST("retransmission 2 (RTO, after 408 ms)");
}
END_TEST

/* The first time-out may be the second repetition: a probe was out before. */
START_TEST(which_rto)
{
    setting("3");
    lost_and_again(MS(204));
    look(MS(214) + LOOK, 1, 0, OPEN);
    LAST("retransmission 1 (tail loss probe, after 204 ms)");
    data(MS(422), 1, false);
    look(MS(422) + LOOK, 2, 1, LOSS);
    LAST("retransmission 2 (RTO 1, after 208 ms)");
    ck_assert_uint_eq(label_short_number(&(struct label){.kind = LABEL_RTO, .n = 2, .rto = 1}), 1);
    ck_assert_uint_eq(label_short_number(&(struct label){.kind = LABEL_RTO, .n = 2}), 2);
}
END_TEST

START_TEST(what_packets_do_not_decide)
{
    lost_and_again(MS(204));
    LAST("retransmission 1 (RTO or tail loss probe, after 204 ms)");
    look(MS(214) + LOOK, 1, 0, OPEN);
    LAST("retransmission 1 (tail loss probe, after 204 ms)");
    record->states.at[1].values = (struct record_values){
        .total_retrans = 1, .retransmits = 1, .backoff = 1, .ca_state = LOSS, .unacked = 1};
    LAST("retransmission 1 (RTO, after 204 ms)");
}
END_TEST

START_TEST(rto_is_contradicted)
{
    setting("0");
    lost_and_again(MS(204));
    look(MS(214) + LOOK, 1, 0, OPEN);
    LAST("retransmission 1 (tail loss probe, after 204 ms, as the kernel says)");
    LATEST.values.ca_state = RECOVERY;
    LAST("retransmission 1 (fast, as the kernel says)");
    record->states.at[0].values.ca_state = RECOVERY;
    LAST("retransmission 1 (in recovery, as the kernel says)");
    LATEST.values.ca_state = -1;
    LAST("retransmission 1 (RTO, after 204 ms)");
}
END_TEST

START_TEST(probe_is_contradicted)
{
    setting("3");
    lost_and_again(MS(204));
    LAST("retransmission 1 (tail loss probe, after 204 ms)");
    look(MS(214) + LOOK, 1, 1, LOSS);
    LAST("retransmission 1 (RTO, after 204 ms, as the kernel says)");
    LATEST.values.retransmits = 0; /* an RTO that it does not count, into a window of 0 */
    LAST("retransmission 1 (by a timer, the record does not tell which, after 204 ms)");
}
END_TEST

START_TEST(a_wait_that_no_timer_makes)
{
    setting("0");
    lost_and_again(MS(130));
    look(MS(140) + LOOK, 1, 1, LOSS);
    LAST("retransmission 1 (RTO, after 130 ms, as the kernel says)");
}
END_TEST

START_TEST(a_probe_is_of_the_tail)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    data(MS(10) + 9, 2, false);
    look(MS(10) + LOOK, 0, 0, OPEN);
    data(MS(214), 1, false);
    look(MS(214) + LOOK, 1, 0, OPEN);
    LAST("retransmission 1 (RTO, after 204 ms)");
}
END_TEST

START_TEST(what_follows_is_the_kernels)
{
    travel = MS(50);
    setting("0");
    handshake();
    data(MS(200), 1, false);
    data(MS(200) + 9, 2, false);
    look(MS(200) + LOOK, 0, 0, OPEN);
    data(MS(330), 1, true);
    look(MS(330) + LOOK, 1, 1, LOSS);
    ack(MS(380), 2);
    data(MS(430), 2, true);
    LAST("retransmission 1 (slow start after the RTO)");
}
END_TEST

/* ------------------------------------------------------------------- nothing is said */

#define AS_BY_RULE "retransmission 1 (RTO, after 204 ms)"

START_TEST(a_look_that_saw_it_as_it_was)
{
    setting("0");
    lost_and_again(MS(204));
    look(MS(214) + LOOK, 0, 0, RECOVERY); /* not sent again yet */
    LAST(AS_BY_RULE);
    LATEST.values.total_retrans = 2; /* one that was not captured */
    LAST(AS_BY_RULE);
    LATEST.values.total_retrans = -1; /* the kernel does not tell */
    LAST(AS_BY_RULE);
}
END_TEST

/* A filter may hide ACKs: an RTO whose ACK has come leaves the state as it was, too. */
START_TEST(an_ack_that_was_not_captured)
{
    setting("0");
    lost_and_again(MS(204));
    look(MS(214) + LOOK, 1, 0, OPEN);
    LATEST.values.unacked = 0;
    LAST(AS_BY_RULE);
}
END_TEST

START_TEST(two_were_sent_again)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    data(MS(10) + 9, 2, false);
    look(MS(10) + LOOK, 0, 0, OPEN);
    data(MS(214), 1, false);
    data(MS(214) + 9, 2, false);
    look(MS(214) + LOOK, 1, 0, OPEN);
    BACK(1, AS_BY_RULE);
}
END_TEST

START_TEST(something_has_come_since)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    look(MS(10) + LOOK, 0, 0, OPEN);
    data(MS(214), 1, true);
    ack(MS(214) + 9, 2);
    look(MS(214) + LOOK, 1, 0, OPEN);
    BACK(1, AS_BY_RULE); /* the state may be the ACK's work */
    LATEST.values.retransmits = 1;
    BACK(1, "retransmission 1 (RTO, after 204 ms)"); /* this count is not */
}
END_TEST

START_TEST(another_socket)
{
    setting("0");
    lost_and_again(MS(204));
    look(MS(214) + LOOK, 1, 0, OPEN);
    LATEST.local_port++;
    LAST(AS_BY_RULE);
    LATEST.local_port--;
    LATEST.host = 1;
    LAST(AS_BY_RULE);
    LATEST.host = 0;
    LATEST.remote.bytes[3]++;
    LAST(AS_BY_RULE);
    LATEST.remote.bytes[3]--;
    LATEST.has_values = false;
    LAST(AS_BY_RULE);
    LATEST.has_values = true;
    record->clock_step = MS(1);
    LAST(AS_BY_RULE);
    record->clock_step = -30; /* what reading two clocks takes */
    LAST("retransmission 1 (tail loss probe, after 204 ms, as the kernel says)");
}
END_TEST

START_TEST(only_one_look)
{
    setting("0");
    handshake();
    data(MS(10), 1, false);
    data(MS(214), 1, false);
    look(MS(214) + LOOK, 1, 0, OPEN);
    LAST(AS_BY_RULE); /* nobody knows what it was before */
}
END_TEST

/* ----------------------------------------------------------------------------- probes */

/* A probe, two seconds after the window was closed or not. */
static void probed(uint16_t win)
{
    handshake();
    data(MS(10), 1, true);
    window(MS(11), win);
    look_probe(MS(11) + LOOK, 0, 0);
    probe(SEC(2));
}

START_TEST(which_probe)
{
    probed(CLOSED);
    LAST("keep-alive or zero-window probe 1 (after 1.989 s)");
    look_probe(SEC(2) + LOOK, 1, 1);
    LAST("zero-window probe 1 (after 1.989 s)");
    LATEST.values.backoff = 0;
    LAST("keep-alive 1 (after 1.989 s)");
    LATEST.values.probes = 0; /* it may have been read before */
    LAST("keep-alive or zero-window probe 1 (after 1.989 s)");
    LATEST.after = build_time(SEC(2) + 9); /* no: a look since saw that nothing had changed */
    LAST("keep-alive 1 (after 1.989 s)");
}
END_TEST

START_TEST(an_answer_is_no_change)
{
    probed(CLOSED);
    window(SEC(2) + 9, CLOSED);
    look_probe(SEC(4), 0, 0);
    LATEST.after = build_time(SEC(2) + LOOK);
    BACK(1, "keep-alive 1 (after 1.989 s)");
    LAST("answer to the keep-alive");
}
END_TEST

START_TEST(an_answer_that_opens_the_window)
{
    probed(CLOSED);
    window(SEC(2) + 9, WIN);
    look_probe(SEC(4), 0, 0);
    LATEST.after = build_time(SEC(2) + LOOK);
    BACK(1, "keep-alive or zero-window probe 1 (after 1.989 s)");
}
END_TEST

START_TEST(keep_alive_is_contradicted)
{
    probed(WIN);
    LAST("keep-alive 1 (after 1.989 s)");
    look_probe(SEC(2) + LOOK, 1, 1);
    LAST("zero-window probe 1 (after 1.989 s, as the kernel says)");
}
END_TEST

START_TEST(zero_window_probe_is_contradicted)
{
    handshake();
    data(MS(10), 1, true);
    window(MS(50), CLOSED);
    look_probe(MS(50) + LOOK, 0, 0);
    probe(MS(258));
    LAST("zero-window probe 1 (after 208 ms)");
    look_probe(MS(258) + LOOK, 1, 0);
    LAST("keep-alive 1 (after 208 ms, as the kernel says)");
}
END_TEST

static Suite *suite_label_kernel(void)
{
    Suite *s = suite_create("label-kernel");
    TCase *tc = tcase_create("label-kernel");
    tcase_add_checked_fixture(tc, label_scene_begin, label_scene_end);
    tcase_add_test(tc, rto_is_confirmed);
    tcase_add_test(tc, which_rto);
    tcase_add_test(tc, what_packets_do_not_decide);
    tcase_add_test(tc, rto_is_contradicted);
    tcase_add_test(tc, probe_is_contradicted);
    tcase_add_test(tc, a_wait_that_no_timer_makes);
    tcase_add_test(tc, a_probe_is_of_the_tail);
    tcase_add_test(tc, what_follows_is_the_kernels);
    tcase_add_test(tc, a_look_that_saw_it_as_it_was);
    tcase_add_test(tc, an_ack_that_was_not_captured);
    tcase_add_test(tc, two_were_sent_again);
    tcase_add_test(tc, something_has_come_since);
    tcase_add_test(tc, another_socket);
    tcase_add_test(tc, only_one_look);
    tcase_add_test(tc, which_probe);
    tcase_add_test(tc, an_answer_is_no_change);
    tcase_add_test(tc, an_answer_that_opens_the_window);
    tcase_add_test(tc, keep_alive_is_contradicted);
    tcase_add_test(tc, zero_window_probe_is_contradicted);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_label_kernel)
