/* Where changes of sockets' states hang. */
#include "unit.h"

#include "build_packet.h"
#include "picture/picture.h"

#define MS NSEC_PER_MSEC
#define US NSEC_PER_USEC

static struct record *record;
static uint16_t id; /* of IPv4: tells a segment from one that is sent again */

static void set_up(void)
{
    record = build_record();
}

static void tear_down(void)
{
    record_free(record);
}

static void client(nsec at, nsec travel, const char *flags, uint32_t seq, uint32_t ack, size_t len)
{
    id++;
    build_sent(record, at, travel,
               &(struct build_tcp){.flags = flags, .id = id, .seq = seq, .ack = ack, .len = len});
}

static void server(nsec at, nsec travel, const char *flags, uint32_t seq, uint32_t ack, size_t len)
{
    build_sent(
        record, at, travel,
        &(struct build_tcp){.reply = true, .flags = flags, .seq = seq, .ack = ack, .len = len});
}

/* A look at the connection's socket on the host; `after` -1: the first. */
static void look(int host, nsec after, nsec time, enum tcp_state old, enum tcp_state new)
{
    struct ipaddr addr[] = {{.version = 4, .bytes = {10, 0, 0, 1}},
                            {.version = 4, .bytes = {10, 0, 0, 2}}};
    uint16_t port[] = {40000, 1234};
    vec_push(&record->states, ((struct record_state){.time = build_time(time),
                                                     .after = after < 0 ? 0 : build_time(after),
                                                     .host = host,
                                                     .local = addr[host],
                                                     .remote = addr[!host],
                                                     .local_port = port[host],
                                                     .remote_port = port[!host],
                                                     .old = old,
                                                     .new = new}));
}

/* The handshake, at once; each end is looked at when it is over. */
static void handshake(void)
{
    client(1 * MS, 20 * US, "S", 0, 0, 0);
    server(1 * MS + 30 * US, 20 * US, "S.", 0, 1, 0);
    client(1 * MS + 60 * US, 20 * US, ".", 1, 1, 0);
    look(0, -1, 1 * MS + 90 * US, TCP_STATE_NONE, TCP_STATE_ESTABLISHED);
    look(1, -1, 1 * MS + 91 * US, TCP_STATE_NONE, TCP_STATE_ESTABLISHED);
}

/* The states of each row, the client's without and the server's with a colon. */
static void check(const char *want)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    build_done(record, build_time(1000 * MS));
    struct picture *picture = picture_new(record, NULL);
    vec_each (&picture->rows, row) {
        strbuf_puts(&sb, "|");
        vec_each (&row->states, i) {
            const struct record_state *s = &record->states.at[*i];
            if (sb.data[sb.len - 1] != '|')
                strbuf_putc(&sb, ' ');
            strbuf_printf(&sb, "%s%s", s->host ? ":" : "", tcp_state_names[s->new]);
        }
    }
    picture_free(picture);
    ck_assert_str_eq(strbuf_cstr(&sb), want);
}

#define OPEN "||ESTABLISHED|:ESTABLISHED"

START_TEST(opening)
{
    handshake();
    check(OPEN);
}
END_TEST

/* One look came before the SYN-ACK and was not over until the call was. */
START_TEST(opening_seen_late)
{
    client(1 * MS, 20 * US, "S", 0, 0, 0);
    server(1 * MS + 30 * US, 20 * US, "S.", 0, 1, 0);
    client(1 * MS + 60 * US, 20 * US, ".", 1, 1, 0);
    build_call(record, 0, "connect", "server 1234", MS / 2, 1 * MS + 80 * US, 0, 0);
    look(0, -1, 1 * MS + 90 * US, TCP_STATE_NONE, TCP_STATE_SYN_SENT);
    look(1, -1, 1 * MS + 91 * US, TCP_STATE_NONE, TCP_STATE_SYN_RECEIVED);
    look(0, 1 * MS + 40 * US, 1 * MS + 99 * US, TCP_STATE_SYN_SENT, TCP_STATE_ESTABLISHED);
    look(1, 1 * MS + 40 * US, 1 * MS + 99 * US, TCP_STATE_SYN_RECEIVED, TCP_STATE_ESTABLISHED);
    check("||SYN-SENT :SYN-RECEIVED|ESTABLISHED|:ESTABLISHED|");
}
END_TEST

/* Which of two SYNs it was that made the server answer is not known: the looks say no more than
 * that it was one of them. */
START_TEST(one_of_two)
{
    client(1 * MS, 20 * US, "S", 0, 0, 0);
    client(2 * MS, 20 * US, "S", 0, 0, 0);
    server(2 * MS + 30 * US, 20 * US, "S.", 0, 1, 0);
    look(0, -1, 1 * MS + 10 * US, TCP_STATE_NONE, TCP_STATE_SYN_SENT);
    look(1, -1, 3 * MS, TCP_STATE_NONE, TCP_STATE_SYN_RECEIVED);
    check("|SYN-SENT||:SYN-RECEIVED");
}
END_TEST

/* With data instead of the last ACK; and with data in the SYN, which count. */
START_TEST(opening_with_data)
{
    client(1 * MS, 20 * US, "S", 0, 0, 6);
    server(1 * MS + 30 * US, 20 * US, "S.", 0, 7, 0);
    client(1 * MS + 60 * US, BUILD_LOST, ".", 7, 1, 0);
    client(2 * MS, 20 * US, "P.", 7, 1, 10);
    server(2 * MS + 30 * US, 20 * US, ".", 1, 17, 0);
    look(1, 1 * MS + 40 * US, 3 * MS, TCP_STATE_SYN_RECEIVED, TCP_STATE_ESTABLISHED);
    check("||||:ESTABLISHED|");
}
END_TEST

/* Each FIN leaves and arrives at rows of their own. */
START_TEST(closing)
{
    handshake();
    client(10 * MS, 10 * MS, "F.", 1, 1, 0);
    server(15 * MS, 10 * MS, "P.", 1, 1, 9);
    server(21 * MS, 10 * MS, ".", 10, 2, 0);
    client(26 * MS, 10 * MS, ".", 2, 10, 0);
    server(40 * MS, 20 * US, "F.", 10, 2, 0);
    client(41 * MS, 20 * US, ".", 2, 11, 0);
    look(0, 5 * MS, 50 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT_1);
    look(1, 5 * MS, 50 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE_WAIT);
    look(0, 20 * MS, 50 * MS, TCP_STATE_FIN_WAIT_1, TCP_STATE_FIN_WAIT_2);
    look(0, 39 * MS, 50 * MS, TCP_STATE_FIN_WAIT_2, TCP_STATE_TIME_WAIT);
    look(1, 39 * MS, 50 * MS, TCP_STATE_CLOSE_WAIT, TCP_STATE_LAST_ACK);
    look(1, 40 * MS, 50 * MS, TCP_STATE_LAST_ACK, TCP_STATE_CLOSED);
    check(OPEN "|FIN-WAIT-1||:CLOSE-WAIT||||FIN-WAIT-2||TIME-WAIT :LAST-ACK|:CLOSED");
}
END_TEST

/* The later of the peer's FIN and the ACK of one's own. */
START_TEST(closing_at_the_same_time)
{
    handshake();
    client(10 * MS, 10 * MS, "F.", 1, 1, 0);
    server(11 * MS, 10 * MS, "F.", 1, 1, 0);
    server(20 * MS + 30 * US, 10 * MS, ".", 2, 2, 0);
    client(21 * MS + 30 * US, 10 * MS, ".", 2, 2, 0);
    look(0, 15 * MS, 50 * MS, TCP_STATE_FIN_WAIT_1, TCP_STATE_CLOSING);
    look(0, 25 * MS, 50 * MS, TCP_STATE_CLOSING, TCP_STATE_TIME_WAIT);
    look(1, 15 * MS, 50 * MS, TCP_STATE_FIN_WAIT_1, TCP_STATE_TIME_WAIT);
    check(OPEN "|||||CLOSING||TIME-WAIT|:TIME-WAIT");
}
END_TEST

/* Data are missing before the FIN: not its arrival ends the connection's direction, but theirs. */
START_TEST(a_fin_behind_a_hole)
{
    handshake();
    client(10 * MS, BUILD_LOST, "P.", 1, 1, 9);
    client(11 * MS, 20 * US, "F.", 10, 1, 0);
    client(20 * MS, 20 * US, "P.", 1, 1, 9);
    look(1, 5 * MS, 50 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE_WAIT);
    check(OPEN "|||:CLOSE-WAIT");
}
END_TEST

START_TEST(resets)
{
    handshake();
    client(10 * MS, 5 * MS, "R.", 1, 1, 0);
    client(11 * MS, BUILD_LOST, "P.", 1, 1, 9);
    build_call(record, 1, "recv", "1", 5 * MS, 20 * MS, 104, 0);
    look(0, 5 * MS, 50 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSED);
    look(1, 5 * MS, 50 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSED);
    check(OPEN "||CLOSED||:CLOSED|");
}
END_TEST

/* A reset that came before the look which saw the state before has not ended it. */
START_TEST(what_came_before_is_no_cause)
{
    handshake();
    client(10 * MS, 20 * US, "R", 500, 0, 0);
    build_call(record, 1, "recv", "1", 30 * MS, 31 * MS, 110, 0);
    look(1, 20 * MS, 50 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSED);
    check(OPEN "||:CLOSED");
}
END_TEST

/* But an arrival may be stamped before a look that still sees the state before. */
START_TEST(what_was_not_taken_in_yet)
{
    handshake();
    client(10 * MS, 20 * US, "R.", 1, 1, 0);
    build_call(record, 1, "recv", "1", 10 * MS + 30 * US, 10 * MS + 90 * US, 104, 0);
    look(1, 10 * MS + 25 * US, 10 * MS + 99 * US, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSED);
    check(OPEN "|:CLOSED|");
}
END_TEST

/* A state whose cause is not known stands where it was seen, and the next one no earlier. */
START_TEST(states_keep_their_order)
{
    handshake();
    client(10 * MS, 20 * US, "F.", 1, 1, 0);
    server(11 * MS, 20 * US, ".", 1, 2, 0);
    client(12 * MS, BUILD_LOST, ".", 2, 1, 0);
    look(0, 10 * MS + 1 * US, 13 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT_1);
    look(0, 10 * MS + 2 * US, 14 * MS, TCP_STATE_FIN_WAIT_1, TCP_STATE_FIN_WAIT_2);
    check(OPEN "|||FIN-WAIT-1 FIN-WAIT-2");
}
END_TEST

/* The same ports once more: what the first connection did is no cause. */
START_TEST(a_connection_after_another)
{
    handshake();
    client(10 * MS, 20 * US, "F.", 1, 1, 0);
    server(11 * MS, 20 * US, "F.", 1, 2, 0);
    client(12 * MS, 20 * US, ".", 2, 2, 0);
    client(20 * MS, 20 * US, "S", 5000, 0, 0);
    server(20 * MS + 30 * US, 20 * US, "S.", 9000, 5001, 0);
    client(20 * MS + 60 * US, 20 * US, ".", 5001, 9001, 0);
    look(0, 15 * MS, 21 * MS, TCP_STATE_TIME_WAIT, TCP_STATE_ESTABLISHED);
    look(1, 15 * MS, 21 * MS, TCP_STATE_CLOSED, TCP_STATE_ESTABLISHED);
    look(0, 5 * MS, 30 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT_1);
    check(OPEN "|||||ESTABLISHED|:ESTABLISHED FIN-WAIT-1");
}
END_TEST

/* Nobody captured at the server: what it sends and gets has no time there. */
START_TEST(an_end_without_a_capture)
{
    build_uncaptured(record);
    build_seen_tcp(record, 0, BUILD_OUT, 1 * MS, &(struct build_tcp){.flags = "S"});
    build_seen_tcp(record, 0, BUILD_IN, 2 * MS,
                   &(struct build_tcp){.reply = true, .flags = "S.", .ack = 1});
    look(0, -1, 3 * MS, TCP_STATE_NONE, TCP_STATE_SYN_SENT);
    look(1, -1, 3 * MS, TCP_STATE_NONE, TCP_STATE_SYN_RECEIVED);
    check("|SYN-SENT|:SYN-RECEIVED");
}
END_TEST

/* What a timer does in the middle of a silence stands at the silence; what may have come with
 * the last segment does not. */
START_TEST(a_state_in_a_silence)
{
    handshake();
    look(1, 500 * MS, 508 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSED);
    client(900 * MS, 20 * US, "P.", 1, 1, 5);
    check(OPEN "|:CLOSED|");
}
END_TEST

START_TEST(a_state_before_a_silence)
{
    handshake();
    look(1, 2 * MS, 508 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSED);
    client(900 * MS, 20 * US, "P.", 1, 1, 5);
    check(OPEN " :CLOSED||");
}
END_TEST

static Suite *suite_picture_states(void)
{
    Suite *s = suite_create("picture-states");
    TCase *t = tcase_create("states");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, opening);
    tcase_add_test(t, opening_seen_late);
    tcase_add_test(t, one_of_two);
    tcase_add_test(t, opening_with_data);
    tcase_add_test(t, closing);
    tcase_add_test(t, closing_at_the_same_time);
    tcase_add_test(t, a_fin_behind_a_hole);
    tcase_add_test(t, resets);
    tcase_add_test(t, what_came_before_is_no_cause);
    tcase_add_test(t, what_was_not_taken_in_yet);
    tcase_add_test(t, states_keep_their_order);
    tcase_add_test(t, a_connection_after_another);
    tcase_add_test(t, an_end_without_a_capture);
    tcase_add_test(t, a_state_in_a_silence);
    tcase_add_test(t, a_state_before_a_silence);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_picture_states)
