/* Live capture at two hosts on a cable, and on lo. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/dlt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "capture/live.h"

enum { SOUGHT = 2000, OTHER = 1000, BURST = 10000 };

static struct error err;
static struct topo *topo; /* NULL: this machine gives no namespaces */

static void set_up(void)
{
    topo = live_pair("capture");
}

static void tear_down(void)
{
    topo_free(topo);
    error_clear(&err);
}

/* UDP from the client to a port of the server. */
static int udp_socket(const char *to, uint16_t port)
{
    struct sockaddr_in addr = live_sockaddr(to, port);
    live_check(topo_enter(topo, CLIENT, &err) == 0, &err);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

/* So that nothing answers with ICMP. */
static int udp_sink(uint16_t port)
{
    struct sockaddr_in addr = live_sockaddr("0.0.0.0", port);
    live_check(topo_enter(topo, SERVER, &err) == 0, &err);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

static void send_many(int fd, int n)
{
    static const char data[1000];
    for (int sent = 0; sent < n;)
        sent += send(fd, data, sizeof(data), 0) == sizeof(data);
}

struct seen {
    int frames, outgoing, incoming, wrong_port;
    nsec first, last;
    struct frame any;
};

static void on_frame(void *ctx, const struct frame *frame, bool outgoing, bool incoming)
{
    struct seen *seen = ctx;
    struct packet p;
    packet_decode(&p, frame);
    if (!seen->frames)
        seen->first = frame->time;
    ck_assert_int_ge(frame->time, seen->last);
    seen->last = frame->time;
    seen->any = *frame;
    seen->frames++;
    seen->outgoing += outgoing;
    seen->incoming += incoming;
    seen->wrong_port += frame->caplen >= 38 && (frame->data[36] << 8 | frame->data[37]) != SOUGHT;
}

static struct live_point point_at(int host, const char *iface, const char *filter)
{
    return (struct live_point){.netns = topo_ns_fd(topo, host), .iface = iface, .filter = filter};
}

static struct seen read_all(struct live *live)
{
    struct seen seen = {0};
    while (live_read(live, on_frame, &seen, &err) > 0)
        ;
    live_check(!error_is_set(&err), &err);
    return seen;
}

START_TEST(two_points_see_the_two_ends)
{
    if (!topo)
        return;
    struct live_point points[] = {point_at(CLIENT, "eth0", "udp port 2000"),
                                  point_at(SERVER, "eth0", "udp port 2000")};
    struct live *live[2];
    int sink = udp_sink(SOUGHT), other = udp_socket("10.0.0.2", OTHER);
    int fd = udp_socket("10.0.0.2", SOUGHT);
    live_check(live_open_many(points, 2, live, &err) == 0, &err);
    nsec before = clock_ns(CLOCK_REALTIME);
    send_many(other, 5);
    send_many(fd, 10);
    nsec after = clock_ns(CLOCK_REALTIME);
    struct seen client = read_all(live[0]), server = read_all(live[1]);
    ck_assert_int_eq(client.frames, 10);
    ck_assert_int_eq(client.outgoing, 10);
    ck_assert_int_eq(client.incoming, 0);
    ck_assert_int_eq(server.frames, 10);
    ck_assert_int_eq(server.outgoing, 0);
    ck_assert_int_eq(server.incoming, 10);
    ck_assert_int_eq(client.any.linktype, DLT_EN10MB);
    ck_assert_uint_eq(client.any.wirelen, 14 + 20 + 8 + 1000);
    ck_assert_uint_eq(client.any.caplen, client.any.wirelen);
    ck_assert_int_ge(client.first, before);
    ck_assert_int_le(server.last, after);
    ck_assert_int_le(client.first, server.first);
    uint64_t received, dropped;
    live_stats(live[1], &received, &dropped);
    ck_assert_uint_eq(received, 10);
    ck_assert_uint_eq(dropped, 0);
    live_close_many(live, 2);
    close(fd);
    close(other);
    close(sink);
}
END_TEST

/* The server has not said a word, so the switch floods what is for it. */
START_TEST(a_point_may_leave_out_what_is_for_others)
{
    enum { THIRD = 2 };
    struct topo_addr mine[] = {live_addr("10.0.0.1", 24), live_addr("10.0.0.2", 24),
                               live_addr("10.0.0.3", 24)};
    topo_free(topo);
    topo = live_topo("a_point_may_leave_out_what_is_for_others");
    if (!topo)
        return;
    live_check(topo_add_switch(topo, "switch", &err) == 0, &err);
    for (int h = CLIENT; h <= THIRD; h++) {
        live_check(topo_add_host(topo, "x", false, &err) == h, &err);
        live_check(topo_add_cable(topo, h, 0, &mine[h], 1, 0, &err) == 0, &err);
    }
    live_check(topo_add_neighbour(topo, CLIENT, SERVER, &mine[1].addr, &err) == 0, &err);
    live_check(topo_up(topo, 2 * NSEC_PER_SEC, &err) == 0, &err);
    struct live_point points[] = {point_at(THIRD, "eth0", "udp"), point_at(THIRD, "eth0", "udp"),
                                  point_at(SERVER, "eth0", "udp")};
    points[1].only_own = points[2].only_own = true;
    struct live *live[3];
    live_check(live_open_many(points, 3, live, &err) == 0, &err);
    udp_sink(SOUGHT);
    send_many(udp_socket("10.0.0.2", SOUGHT), 10);
    ck_assert_int_eq(read_all(live[0]).frames, 10);
    ck_assert_int_eq(read_all(live[1]).frames, 0);
    ck_assert_int_eq(read_all(live[2]).frames, 10);
    live_close_many(live, 3);
}
END_TEST

START_TEST(lo_shows_a_frame_once_and_both_ways)
{
    if (!topo)
        return;
    struct live_point point = point_at(CLIENT, "lo", "udp");
    struct live *live = live_open(&point, &err);
    live_check(live != NULL, &err);
    int fd = udp_socket("127.0.0.1", SOUGHT);
    send_many(fd, 1);
    struct seen seen = read_all(live);
    ck_assert_int_eq(seen.frames, 1);
    ck_assert_int_eq(seen.outgoing, 1);
    ck_assert_int_eq(seen.incoming, 1);
    live_close(live);
    close(fd);
}
END_TEST

START_TEST(a_burst_fits_a_ring_that_is_large_enough)
{
    if (!topo)
        return;
    struct live_point point = point_at(CLIENT, "eth0", "udp");
    point.ring = 32 << 20;
    int sink = udp_sink(SOUGHT), fd = udp_socket("10.0.0.2", SOUGHT);
    struct live *live = live_open(&point, &err);
    live_check(live != NULL, &err);
    send_many(fd, BURST);
    struct seen seen = read_all(live);
    uint64_t received, dropped;
    live_stats(live, &received, &dropped);
    ck_assert_int_eq(seen.frames, BURST);
    ck_assert_uint_eq(received, BURST);
    ck_assert_uint_eq(dropped, 0);
    live_close(live);
    close(fd);
    close(sink);
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    if (!topo)
        return;
    struct live_point point = point_at(CLIENT, "eth0", "udp");
    int sink = udp_sink(SOUGHT), fd = udp_socket("10.0.0.2", SOUGHT);
    struct live *live = live_open(&point, &err);
    live_check(live != NULL, &err);
    send_many(fd, BURST);
    struct seen seen = read_all(live);
    uint64_t received, dropped;
    live_stats(live, &received, &dropped);
    ck_assert_int_ge(seen.frames, LIVE_FRAMES);
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_eq(received + dropped, BURST);
    live_close(live);
    close(fd);
    close(sink);
}
END_TEST

static atomic_bool flooding;

static void *flood(void *arg)
{
    while (atomic_load(&flooding))
        send_many(*(int *)arg, 1);
    return NULL;
}

START_TEST(the_filter_holds_from_the_first_frame)
{
    if (!topo)
        return;
    pthread_t thread;
    int sinks[] = {udp_sink(OTHER), udp_sink(SOUGHT)};
    int other = udp_socket("10.0.0.2", OTHER);
    int sought = udp_socket("10.0.0.2", SOUGHT);
    struct live_point point = point_at(CLIENT, "eth0", "udp dst port 2000");
    atomic_store(&flooding, true);
    pthread_create(&thread, NULL, flood, &other);
    for (int i = 0; i < 10; i++) {
        struct live *live = live_open(&point, &err);
        live_check(live != NULL, &err);
        ck_assert_int_eq(send(sought, "x", 1, MSG_DONTWAIT), 1);
        struct seen seen = read_all(live);
        ck_assert_int_eq(seen.frames, 1);
        ck_assert_int_eq(seen.wrong_port, 0);
        live_close_behind(&live, 1);
    }
    atomic_store(&flooding, false);
    pthread_join(thread, NULL);
    close(sought);
    close(other);
    close(sinks[0]);
    close(sinks[1]);
}
END_TEST

START_TEST(nothing_is_left_of_points_closed_behind)
{
    if (!topo)
        return;
    struct live_point points[] = {point_at(CLIENT, "eth0", ""), point_at(SERVER, "eth0", "")};
    struct live *live[2];
    live_check(live_open_many(points, 2, live, &err) == 0, &err);
    int fd = live_fd(live[0]);
    live_close_behind(live, 2);
    ck_assert_ptr_null(live[0]);
    ck_assert_ptr_null(live[1]);
    ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
    ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0); /* no child of ours, to be reaped or not */
    ck_assert_int_eq(errno, ECHILD);
}
END_TEST

static void expect_error(struct live_point bad, enum exit_status status, const char *words)
{
    struct live_point points[] = {point_at(CLIENT, "eth0", ""), bad};
    struct live *live[2] = {NULL, NULL};
    ck_assert_int_eq(live_open_many(points, 2, live, &err), -1);
    ck_assert_ptr_null(live[0]);
    ck_assert_ptr_null(live[1]);
    ck_assert_int_eq(err.status, status);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s", err.message);
    error_clear(&err);
}

START_TEST(one_bad_point_closes_all)
{
    if (!topo)
        return;
    expect_error(point_at(SERVER, "eth7", ""), STATUS_USAGE, "no interface \"eth7\"");
    expect_error(point_at(SERVER, "eth0", "tcp prot"), STATUS_USAGE, "tcp prot");
    expect_error(point_at(SERVER, "a-name-longer-than-any-interface", ""), STATUS_USAGE,
                 "a-name-longer");
    struct live_point nowhere = {.netns = 12345, .iface = "eth0"};
    expect_error(nowhere, STATUS_MACHINE, "cannot enter a network namespace");
}
END_TEST

static Suite *suite_capture(void)
{
    Suite *s = suite_create("capture");
    TCase *t = tcase_create("live");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, two_points_see_the_two_ends);
    tcase_add_test(t, a_point_may_leave_out_what_is_for_others);
    tcase_add_test(t, lo_shows_a_frame_once_and_both_ways);
    tcase_add_test(t, a_burst_fits_a_ring_that_is_large_enough);
    tcase_add_test(t, what_does_not_fit_is_counted);
    tcase_add_test(t, the_filter_holds_from_the_first_frame);
    tcase_add_test(t, nothing_is_left_of_points_closed_behind);
    tcase_add_test(t, one_bad_point_closes_all);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_capture)
