/* Stages out of namespaces: links, routes, readiness, offloads, silence. */
#include "live.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "netns/offload.h"

enum { PORT = 1234 };

/* The first SYN must not be lost to a link that is not ready: then connect would
 * take a second. */
START_TEST(connect_right_after_up)
{
    const char *wanted = getenv("TCPLAB_ROUNDS");
    int rounds = wanted ? atoi(wanted) : 10;
    live_become(_i);
    for (int i = 0; i < rounds; i++) {
        struct topo *topo = live_pair("connect_right_after_up");
        if (!topo)
            return;
        int listener = live_listen(topo, SERVER, PORT);
        nsec start = clock_ns(CLOCK_MONOTONIC);
        int fd = live_connect(topo, CLIENT, "10.0.0.2", PORT);
        nsec took = clock_ns(CLOCK_MONOTONIC) - start;
        ck_assert_msg(took < 500 * NSEC_PER_MSEC, "round %d: connect took %lld ns", i,
                      (long long)took);
        int conn = accept(listener, NULL, NULL);
        char text[8] = "";
        ck_assert_int_eq(write(fd, "hello", 5), 5);
        ck_assert_int_eq(read(conn, text, sizeof(text)), 5);
        ck_assert_str_eq(text, "hello");
        close(fd);
        close(conn);
        close(listener);
        topo_free(topo);
    }
}
END_TEST

static bool has_carrier(const struct topo *topo, int host)
{
    struct error err = ERROR_INIT;
    struct ifreq request = {.ifr_name = "eth0"};
    live_check(topo_enter(topo, host, &err) == 0, &err);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &request), 0);
    close(fd);
    return request.ifr_flags & IFF_RUNNING;
}

START_TEST(unplug_and_replug)
{
    struct error err = ERROR_INIT;
    live_become(_i);
    struct topo *topo = live_pair("unplug_and_replug");
    if (!topo)
        return;
    int listener = live_listen(topo, SERVER, PORT);
    int fd = live_connect(topo, CLIENT, "10.0.0.2", PORT);
    int conn = accept(listener, NULL, NULL);

    live_check(topo_unplug(topo, SERVER, 0, NSEC_PER_SEC, &err) == 0, &err);
    ck_assert(has_carrier(topo, CLIENT));
    ck_assert(!has_carrier(topo, SERVER));
    live_check(topo_unplug(topo, SERVER, 0, NSEC_PER_SEC, &err) == 0, &err);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert(!live_readable(conn, 50));

    live_check(topo_replug(topo, SERVER, 0, NSEC_PER_SEC, &err) == 0, &err);
    ck_assert(has_carrier(topo, SERVER));
    ck_assert(live_readable(conn, 2000)); /* sent again after 0.2 or 0.4 s */

    ck_assert_int_lt(topo_unplug(topo, SERVER, 1, NSEC_PER_SEC, &err), 0);
    ck_assert_str_eq(err.message, "host server has no eth1");
    error_clear(&err);
    topo_free(topo);
}
END_TEST

START_TEST(links_that_do_not_come_up)
{
    struct error err = ERROR_INIT;
    struct topo *topo = live_pair("links_that_do_not_come_up");
    if (!topo)
        return;
    live_check(topo_unplug(topo, CLIENT, 0, NSEC_PER_SEC, &err) == 0, &err);
    ck_assert_int_lt(topo_replug(topo, CLIENT, 0, 0, &err), 0);
    ck_assert_str_eq(err.message, "the cable from client (eth0) to the switch switch did not come "
                                  "up at the host within 0");
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    error_clear(&err);
    topo_free(topo);
}
END_TEST

/* ------------------------------------------------------------------- offloads */

static uint16_t sum(const uint8_t *p, size_t len, uint32_t start)
{
    uint32_t total = start;
    for (size_t i = 0; i + 1 < len; i += 2)
        total += (uint32_t)(p[i] << 8 | p[i + 1]);
    if (len % 2)
        total += (uint32_t)p[len - 1] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)total;
}

/* An Ethernet frame with TCP in IPv4: its payload's length; checks the checksum. */
static size_t tcp_payload(const uint8_t *frame, size_t len)
{
    if (len < 54 || frame[12] != 0x08 || frame[13] != 0x00)
        return 0;
    const uint8_t *ip = frame + 14;
    size_t total = (size_t)(ip[2] << 8 | ip[3]), tcp_len = total - 20;
    ck_assert_uint_eq(ip[0], 0x45);
    ck_assert_uint_eq(ip[9], IPPROTO_TCP);
    ck_assert_uint_le(total + 14, len);
    uint32_t pseudo = sum(ip + 12, 8, IPPROTO_TCP + (uint32_t)tcp_len);
    ck_assert_msg(sum(ip + 20, tcp_len, pseudo) == 0xffff, "a wrong TCP checksum");
    return tcp_len - (size_t)(ip[32] >> 4) * 4;
}

START_TEST(segments_are_of_wire_size)
{
    enum { BYTES = 14480 }; /* ten segments of 1448 bytes: the initial window */
    live_become(_i);
    struct topo *topo = live_pair("segments_are_of_wire_size");
    if (!topo)
        return;
    int listener = live_listen(topo, SERVER, PORT);
    int fd = live_connect(topo, CLIENT, "10.0.0.2", PORT);
    int conn = accept(listener, NULL, NULL);
    int points[] = {live_packets(topo, CLIENT), live_packets(topo, SERVER)};

    static char data[BYTES];
    ck_assert_int_eq(write(fd, data, BYTES), BYTES);
    ck_assert_int_eq(recv(conn, data, BYTES, MSG_WAITALL), BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
        size_t seen = 0, segments = 0;
        while (seen < BYTES && live_readable(points[i], 1000)) {
            uint8_t frame[70000];
            ssize_t n = recv(points[i], frame, sizeof(frame), 0);
            ck_assert_int_gt(n, 0);
            ck_assert_int_le(n, 1514);
            size_t payload = tcp_payload(frame, (size_t)n);
            seen += payload;
            segments += payload > 0;
        }
        ck_assert_uint_eq(seen, BYTES);
        ck_assert_uint_eq(segments, 10);
    }
    topo_free(topo);
}
END_TEST

START_TEST(offloads_are_off)
{
    struct error err = ERROR_INIT;
    live_become(_i);
    struct topo *topo = live_pair("offloads_are_off");
    if (!topo)
        return;
    for (int h = CLIENT; h <= SERVER; h++) {
        struct nl_conn conn = {0};
        uint32_t on = 0;
        int family = 0;
        live_check(topo_enter(topo, h, &err) == 0, &err);
        live_check(offload_open(&conn, &family, &err) == 0, &err);
        live_check(offload_query(&conn, family, (int)if_nametoindex("eth0"), &on, &err) == 0, &err);
        for (unsigned i = 0; offload_name(i); i++)
            ck_assert_msg(!(on >> i & 1), "%s is on", offload_name(i));
        live_check(offload_query(&conn, family, (int)if_nametoindex("lo"), &on, &err) == 0, &err);
        for (unsigned i = 0; offload_name(i); i++)
            ck_assert_msg(!(on >> i & 1) || !strstr(offload_name(i), "segmentation"),
                          "%s is on at lo", offload_name(i));
        nl_conn_close(&conn);
    }
    topo_free(topo);
}
END_TEST

/* -------------------------------------------------------------------- silence */

static void expect_silence(const struct topo *topo, int n_hosts)
{
    int points[8];
    for (int h = 0; h < n_hosts; h++)
        points[h] = live_packets(topo, h);
    for (int h = 0; h < n_hosts; h++) {
        uint8_t frame[2048];
        if (!live_readable(points[h], 100))
            continue;
        ssize_t n = recv(points[h], frame, sizeof(frame), 0);
        ck_abort_msg("host %d: %zd bytes on a quiet stage, ether type %02x%02x, next header %d", h,
                     n, frame[12], frame[13], frame[20]);
    }
}

START_TEST(a_quiet_stage_is_quiet)
{
    live_become(_i);
    struct topo *topo = live_pair("a_quiet_stage_is_quiet");
    if (!topo)
        return;
    expect_silence(topo, 2);
    topo_free(topo);
}
END_TEST

static bool have_ipv6(const char *test)
{
    if (topo_has_sysctl("net.ipv6.conf.default.disable_ipv6"))
        return true;
    live_skip(test, "this kernel has no IPv6");
    return false;
}

static void add_pair_ipv6(struct topo *topo)
{
    struct error err = ERROR_INIT;
    live_check(topo_add_switch(topo, "switch", &err) == 0, &err);
    for (int h = CLIENT; h <= SERVER; h++) {
        struct topo_addr a[2] = {live_addr(h ? "10.0.0.2" : "10.0.0.1", 24),
                                 live_addr(h ? "fd00::2" : "fd00::1", 64)};
        live_check(topo_add_host(topo, h ? "server" : "client", false, &err) == h, &err);
        live_check(topo_add_cable(topo, h, 0, a, 2, 0, &err) == 0, &err);
    }
    live_check(topo_up(topo, 2 * NSEC_PER_SEC, &err) == 0, &err);
}

START_TEST(a_quiet_stage_with_ipv6_is_quiet)
{
    live_become(_i);
    struct topo *topo = live_topo("a_quiet_stage_with_ipv6_is_quiet");
    if (!topo || !have_ipv6("a_quiet_stage_with_ipv6_is_quiet"))
        return;
    add_pair_ipv6(topo);
    expect_silence(topo, 2);
    topo_free(topo);
}
END_TEST

START_TEST(ipv6_talks)
{
    struct error err = ERROR_INIT;
    live_become(_i);
    struct topo *topo = live_topo("ipv6_talks");
    if (!topo || !have_ipv6("ipv6_talks"))
        return;
    add_pair_ipv6(topo);
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    a.sin6_addr.s6_addr[0] = 0xfd;
    a.sin6_addr.s6_addr[15] = 2;
    live_check(topo_enter(topo, SERVER, &err) == 0, &err);
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    live_check(topo_enter(topo, CLIENT, &err) == 0, &err);
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    nsec start = clock_ns(CLOCK_MONOTONIC);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_lt(clock_ns(CLOCK_MONOTONIC) - start, 500 * NSEC_PER_MSEC);
    topo_free(topo);
}
END_TEST

/* ------------------------------------------------------------ routes and names */

START_TEST(two_networks_and_a_router)
{
    struct error err = ERROR_INIT;
    enum { ROUTER = 2 };
    live_become(_i);
    struct topo *topo = live_topo("two_networks_and_a_router");
    if (!topo)
        return;
    struct topo_addr left = live_addr("10.0.1.1", 24), left_gw = live_addr("10.0.1.254", 24);
    struct topo_addr right = live_addr("10.0.2.1", 24), right_gw = live_addr("10.0.2.254", 24);
    struct topo_addr any = live_addr("0.0.0.0", 0), inside = live_addr("10.0.1.77", 24);
    live_check(topo_add_switch(topo, "left", &err) == 0, &err);
    live_check(topo_add_switch(topo, "right", &err) == 1, &err);
    live_check(topo_add_host(topo, "client", false, &err) == CLIENT, &err);
    live_check(topo_add_host(topo, "server", false, &err) == SERVER, &err);
    live_check(topo_add_host(topo, "router", true, &err) == ROUTER, &err);
    live_check(topo_add_cable(topo, CLIENT, 0, &left, 1, 0, &err) == 0, &err);
    live_check(topo_add_cable(topo, SERVER, 1, &right, 1, 0, &err) == 0, &err);
    live_check(topo_add_cable(topo, ROUTER, 0, &left_gw, 1, 0, &err) == 0, &err);
    live_check(topo_add_cable(topo, ROUTER, 1, &right_gw, 1, 0, &err) == 1, &err);
    /* One route before the links are up and one after; one with host bits. */
    live_check(topo_add_route(topo, CLIENT, &any, &left_gw.addr, &err) == 0, &err);
    live_check(topo_up(topo, 2 * NSEC_PER_SEC, &err) == 0, &err);
    live_check(topo_add_route(topo, SERVER, &inside, &right_gw.addr, &err) == 0, &err);

    live_listen(topo, SERVER, PORT);
    nsec start = clock_ns(CLOCK_MONOTONIC);
    live_connect(topo, CLIENT, "10.0.2.1", PORT);
    ck_assert_int_lt(clock_ns(CLOCK_MONOTONIC) - start, 500 * NSEC_PER_MSEC);

    ck_assert_int_lt(topo_add_route(topo, CLIENT, &any, &right_gw.addr, &err), 0);
    ck_assert_str_eq(err.message, "the gateway 10.0.2.254 is on none of client's networks");
    ck_assert_int_eq(err.status, STATUS_USAGE);
    error_clear(&err);
    topo_free(topo);
}
END_TEST

/* What connect() says of a network that a host of its own refuses: the same errors as those
 * for which a router sends its ICMP messages (ip_error() in net/ipv4/route.c). */
START_TEST(routes_that_lead_nowhere)
{
    static const struct {
        const char *addr;
        enum route_refusal refusal;
        int errnum;
    } routes[] = {{"10.1.0.1", ROUTE_UNREACHABLE, EHOSTUNREACH},
                  {"10.2.0.1", ROUTE_PROHIBITED, EACCES},
                  {"10.3.0.1", ROUTE_BLACKHOLE, EINVAL}};
    struct error err = ERROR_INIT;
    live_become(_i);
    struct topo *topo = live_pair("routes_that_lead_nowhere");
    if (!topo)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        struct topo_addr dst = live_addr(routes[i].addr, 16);
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        memcpy(&to.sin_addr, dst.addr.bytes, 4);
        live_check(topo_refuse(topo, CLIENT, &dst, routes[i].refusal, &err) == 0, &err);
        live_check(topo_enter(topo, CLIENT, &err) == 0, &err);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
        ck_assert_int_eq(errno, routes[i].errnum);
        close(fd);
    }
    struct topo_addr again = live_addr("10.3.0.0", 16);
    ck_assert_int_lt(topo_refuse(topo, CLIENT, &again, ROUTE_PROHIBITED, &err), 0);
    ck_assert_ptr_nonnull(
        strstr(err.message, "host client: cannot add the route 10.3.0.0/16 prohibited"));
    error_clear(&err);
    topo_free(topo);
}
END_TEST

/* With the neighbour fixed, the client never asks for it. */
START_TEST(a_fixed_neighbour)
{
    struct error err = ERROR_INIT;
    live_become(_i);
    struct topo *topo = live_pair("a_fixed_neighbour");
    if (!topo)
        return;
    struct topo_addr server = live_addr("10.0.0.2", 24), none = live_addr("10.0.0.9", 24);
    live_check(topo_add_neighbour(topo, CLIENT, SERVER, &server.addr, &err) == 0, &err);
    live_listen(topo, SERVER, PORT);
    int point = live_packets(topo, CLIENT);
    live_connect(topo, CLIENT, "10.0.0.2", PORT);
    uint8_t frame[2048];
    ck_assert_int_gt(recv(point, frame, sizeof(frame), 0), 54);
    ck_assert_int_eq(memcmp(frame, topo_mac(topo, SERVER, 0), 6), 0);
    ck_assert_int_eq(memcmp(frame + 6, topo_mac(topo, CLIENT, 0), 6), 0);
    ck_assert_int_eq(frame[12] << 8 | frame[13], 0x0800);

    ck_assert_int_lt(topo_add_neighbour(topo, CLIENT, SERVER, &none.addr, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "share no network"));
    error_clear(&err);
    topo_free(topo);
}
END_TEST

/* A port of the switch is named after its host, whatever the host's name is. */
START_TEST(names_that_are_no_interface_names)
{
    static const char *const names[] = {"a-name-longer-than-a-port-can-be",
                                        "a-name-longer-than-a-port-is-too",
                                        "lo",
                                        "switch",
                                        "with/slash",
                                        "x"};
    struct error err = ERROR_INIT;
    struct topo *topo = live_topo("names_that_are_no_interface_names");
    if (!topo)
        return;
    live_check(topo_add_switch(topo, "switch", &err) == 0, &err);
    for (int h = 0; h < (int)ARRAY_SIZE(names); h++) {
        live_check(topo_add_host(topo, names[h], false, &err) == h, &err);
        live_check(topo_add_cable(topo, h, 0, NULL, 0, 0, &err) == 0, &err);
        live_check(topo_add_cable(topo, h, 0, NULL, 0, 0, &err) == 1, &err);
    }
    live_check(topo_up(topo, 2 * NSEC_PER_SEC, &err) == 0, &err);
    ck_assert_int_lt(topo_add_switch(topo, "a/b", &err), 0);
    error_clear(&err);
    topo_free(topo);
}
END_TEST

static Suite *suite_netns(void)
{
    Suite *s = suite_create("netns");
    TCase *t = tcase_create("stage");
    int users = live_users();
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, connect_right_after_up, 0, users);
    tcase_add_loop_test(t, unplug_and_replug, 0, users);
    tcase_add_test(t, links_that_do_not_come_up);
    tcase_add_loop_test(t, segments_are_of_wire_size, 0, users);
    tcase_add_loop_test(t, offloads_are_off, 0, users);
    tcase_add_loop_test(t, a_quiet_stage_is_quiet, 0, users);
    tcase_add_loop_test(t, a_quiet_stage_with_ipv6_is_quiet, 0, users);
    tcase_add_loop_test(t, ipv6_talks, 0, users);
    tcase_add_loop_test(t, two_networks_and_a_router, 0, users);
    tcase_add_loop_test(t, routes_that_lead_nowhere, 0, users);
    tcase_add_loop_test(t, a_fixed_neighbour, 0, users);
    tcase_add_test(t, names_that_are_no_interface_names);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_netns)
