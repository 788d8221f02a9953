/* The kernel's table of sockets, line by line. */
#include "unit.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "base/memory.h"
#include "run/sockets.h"

static struct socket_pair pair_of(const char *local, int local_port, const char *remote,
                                  int remote_port)
{
    struct socket_pair pair = {.local_port = (uint16_t)local_port,
                               .remote_port = (uint16_t)remote_port};
    ck_assert(ipaddr_parse(&pair.local, local, strlen(local)));
    ck_assert(ipaddr_parse(&pair.remote, remote, strlen(remote)));
    return pair;
}

/* The table prints 32 bits of an address as a number of the machine it runs on. */
static char *line_of(const uint32_t *local, const uint32_t *remote, size_t words, unsigned state)
{
    struct strbuf line = STRBUF_INIT;
    strbuf_puts(&line, "  17: ");
    for (size_t i = 0; i < words; i++)
        strbuf_printf(&line, "%08X", htonl(local[i]));
    strbuf_puts(&line, ":04D2 ");
    for (size_t i = 0; i < words; i++)
        strbuf_printf(&line, "%08X", htonl(remote[i]));
    strbuf_printf(&line, ":9C40 %02X 00000000:00000000 03:000017A0 00000000     0        0 0 3 ",
                  state);
    return strbuf_steal(&line);
}

static const uint32_t server4[] = {0x0a000002}, client4[] = {0x0a000001};
static const uint32_t server6[] = {0xfd000000, 0, 0, 2}, client6[] = {0xfd000000, 0, 0, 1};

START_TEST(a_line_gives_the_state_of_its_connection)
{
    struct socket_pair pair = pair_of("10.0.0.2", 1234, "10.0.0.1", 40000);
    struct socket_pair pair6 = pair_of("fd00::2", 1234, "fd00::1", 40000);
    static const unsigned states[] = {TCP_ESTABLISHED, TCP_FIN_WAIT2, TCP_TIME_WAIT, TCP_LAST_ACK,
                                      TCP_CLOSING};
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        cleanup_free char *line = line_of(server4, client4, 1, states[i]);
        cleanup_free char *line6 = line_of(server6, client6, 4, states[i]);
        ck_assert_int_eq(socket_line_state(line, &pair), (int)states[i]);
        ck_assert_int_eq(socket_line_state(line6, &pair6), (int)states[i]);
        ck_assert_int_eq(socket_line_state(line6, &pair), 0);
        ck_assert_int_eq(socket_line_state(line, &pair6), 0);
    }
}
END_TEST

START_TEST(other_lines_are_about_other_connections)
{
    static const struct {
        const char *local, *remote;
        int local_port, remote_port;
    } others[] = {
        {"10.0.0.1", "10.0.0.2", 40000, 1234}, /* the other end of the same connection */
        {"10.0.0.2", "10.0.0.1", 1234, 40001}, {"10.0.0.2", "10.0.0.1", 1235, 40000},
        {"10.0.0.2", "10.0.0.3", 1234, 40000}, {"10.0.0.3", "10.0.0.1", 1234, 40000},
        {"2.0.0.10", "1.0.0.10", 1234, 40000}, /* not the bytes the other way round */
    };
    cleanup_free char *line = line_of(server4, client4, 1, TCP_TIME_WAIT);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        struct socket_pair pair =
            pair_of(others[i].local, others[i].local_port, others[i].remote, others[i].remote_port);
        ck_assert_int_eq(socket_line_state(line, &pair), 0);
    }
}
END_TEST

START_TEST(what_is_no_line_gives_nothing)
{
    static const char *const lines[] = {
        "",
        "\n",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n",
        "  17: 0200000A:04D2",
        "  17: 0200000A:04D2 0100000A:9C40",
        "  17: 0200000A:04D2 0100000A:9C40 zz",
    };
    struct socket_pair pair = pair_of("10.0.0.2", 1234, "10.0.0.1", 40000);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        ck_assert_int_eq(socket_line_state(lines[i], &pair), 0);
}
END_TEST

static Suite *suite_sockets(void)
{
    Suite *s = suite_create("sockets");
    TCase *t = tcase_create("table");
    tcase_add_test(t, a_line_gives_the_state_of_its_connection);
    tcase_add_test(t, other_lines_are_about_other_connections);
    tcase_add_test(t, what_is_no_line_gives_nothing);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_sockets)
