/* The ferry between two hosts, without a lab: what its ports take, and what is lost there
 * without a word, as on any cable. */
#include "live.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "wire/ferry_parts.h"

enum { PORT = 7, SOON = 5000 /* ms */ };

/* Of the hosts' cables. */
static const unsigned mtus[] = {1500, 9000};

static struct topo *topo;
static struct ferry *ferry;
static int sockets[2]; /* for datagrams, of each host */
static int at_switch;  /* a socket there */

static const char *const addresses[] = {"10.0.0.1", "10.0.0.2"};

static void build_host(int h, struct ferry_port *port)
{
    struct error err = ERROR_INIT;
    struct topo_addr a = live_addr(addresses[h], 24);
    live_check(topo_add_host(topo, h == CLIENT ? "client" : "server", false, &err) == h, &err);
    live_check(topo_add_cable(topo, h, 0, &a, 1, mtus[h], &err) == 0, &err);
    *port = (struct ferry_port){.host = h,
                                .cable = {.netns = topo_ns_fd(topo, h),
                                          .end = topo_end(topo, h, 0),
                                          .switch_end = topo_port(topo, h, 0),
                                          .mtu = mtus[h]}};
    memcpy(port->mac, topo_mac(topo, h, 0), sizeof(port->mac));
}

static void open_datagrams(int h)
{
    struct error err = ERROR_INIT;
    struct sockaddr_in at = live_sockaddr(addresses[h], PORT),
                       to = live_sockaddr(addresses[!h], PORT);
    live_check(topo_enter(topo, h, &err) == 0, &err);
    sockets[h] = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(sockets[h], (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(connect(sockets[h], (struct sockaddr *)&to, sizeof(to)), 0);
}

/* False: this machine cannot. */
static bool start(const char *test)
{
    struct error err = ERROR_INIT;
    struct ferry_port ports[2];
    topo = live_topo(test);
    if (!topo)
        return false;
    at_switch = socket(AF_INET, SOCK_DGRAM, 0);
    live_check(topo_add_open_switch(topo, "net", &err) == 0, &err);
    for (int h = CLIENT; h <= SERVER; h++)
        build_host(h, &ports[h]);
    for (int h = CLIENT; h <= SERVER; h++) {
        struct topo_addr peer = live_addr(addresses[!h], 24);
        live_check(topo_add_neighbour(topo, h, !h, &peer.addr, &err) == 0, &err);
    }
    live_check(topo_up(topo, 2 * NSEC_PER_SEC, &err) == 0, &err);
    live_check((ferry = ferry_start(ports, 2, &err)), &err);
    open_datagrams(CLIENT);
    open_datagrams(SERVER);
    return true;
}

static void stop(void)
{
    ck_assert_uint_eq(ferry_dropped(ferry), 0);
    ferry_stop(ferry);
    topo_free(topo);
}

static void say(int h, size_t n)
{
    static const char data[8000];
    ck_assert_int_eq(send(sockets[h], data, n, 0), (ssize_t)n);
}

/* The wire has done with what was said. */
static void settle(void)
{
    while (!ferry_is_idle(ferry))
        sched_yield();
}

static void hears(int h, size_t n)
{
    char data[8000];
    ck_assert(live_readable(sockets[h], SOON));
    ck_assert_int_eq(recv(sockets[h], data, sizeof(data), 0), (ssize_t)n);
}

static void hears_nothing(int h)
{
    settle();
    ck_assert(!live_readable(sockets[h], 0));
}

/* fd: a socket in the interface's namespace. */
static struct ifreq interface(int fd, int index)
{
    struct ifreq r = {.ifr_ifindex = index};
    ck_assert_int_eq(ioctl(fd, SIOCGIFNAME, &r), 0);
    return r;
}

static void set_mtu(int fd, int index, int mtu)
{
    struct ifreq r = interface(fd, index);
    r.ifr_mtu = mtu;
    ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &r), 0);
}

/* What comes out at the switch's end of a cable need not come in the order in which it went
 * in, so the wire does not take it there: it does not even have to come out. */
START_TEST(taken_where_it_is_sent)
{
    if (!start("taken_where_it_is_sent"))
        return;
    set_mtu(at_switch, topo_port(topo, CLIENT, 0), 576);
    say(CLIENT, 1000);
    hears(SERVER, 1000);
    stop();
}
END_TEST

/* Though the host would send longer ones, and the other cable would carry them. */
START_TEST(what_the_cable_carries)
{
    if (!start("what_the_cable_carries"))
        return;
    set_mtu(sockets[CLIENT], topo_end(topo, CLIENT, 0), 9000);
    say(CLIENT, 1473);
    say(CLIENT, 3000);
    hears_nothing(SERVER);
    say(CLIENT, 1472);
    hears(SERVER, 1472);
    stop();
}
END_TEST

START_TEST(nobody_at_the_other_end)
{
    if (!start("nobody_at_the_other_end"))
        return;
    struct ifreq r = interface(sockets[SERVER], topo_end(topo, SERVER, 0));
    r.ifr_flags = 0;
    ck_assert_int_eq(ioctl(sockets[SERVER], SIOCSIFFLAGS, &r), 0);
    say(CLIENT, 100);
    hears_nothing(SERVER);
    stop();
}
END_TEST

START_TEST(a_pulled_cable)
{
    if (!start("a_pulled_cable"))
        return;
    say(CLIENT, 1);
    ferry_plug(ferry, SERVER, FERRY_OUT);
    hears(SERVER, 1); /* it was sent before */
    say(CLIENT, 2);
    hears_nothing(SERVER);
    say(SERVER, 3);
    hears_nothing(CLIENT);
    ferry_plug(ferry, SERVER, FERRY_GOING_IN);
    say(CLIENT, 4);
    hears_nothing(SERVER);
    say(SERVER, 5);
    hears(CLIENT, 5);
    ferry_plug(ferry, SERVER, FERRY_IN);
    say(CLIENT, 6);
    hears(SERVER, 6);
    ferry_plug(ferry, SERVER, FERRY_GOING_IN); /* which it is already */
    say(CLIENT, 7);
    hears(SERVER, 7);
    stop();
}
END_TEST

static void program(const struct lab_wire *w)
{
    struct error err = ERROR_INIT;
    live_check(ferry_program(ferry, 0, w, &err) == 0, &err);
}

enum { HELD = 3 * WIRE_BATCH };
static const struct lab_wire hold = {
    .kind = LAB_WIRE_RULE,
    .from = SERVER,
    .to = CLIENT,
    .both = true,
    .rule = {.action = WIRE_HOLD, .pick = {.first = 1}, .more = HELD}};
static const struct lab_wire let_go = {
    .kind = LAB_WIRE_CLEAR, .from = SERVER, .to = CLIENT, .both = true};

/* The first, the last and one within: what is put on together is WIRE_BATCH at the most. */
static bool is_too_long(size_t n)
{
    return n == 1 || n == WIRE_BATCH + 5 || n == HELD;
}

/* Held back, and let go in one moment: they come in order, and one that is too long for the
 * other cable takes none with it. */
START_TEST(many_at_once)
{
    if (!start("many_at_once"))
        return;
    program(&hold);
    for (size_t n = 1; n <= HELD; n++)
        say(SERVER, is_too_long(n) ? 3000 : n);
    hears_nothing(CLIENT);
    program(&let_go);
    for (size_t n = 1; n <= HELD; n++)
        if (!is_too_long(n))
            hears(CLIENT, n);
    hears_nothing(CLIENT);
    stop();
}
END_TEST

/* All of one way is due before the other: in their middle there is a batch that ends early. */
START_TEST(both_ways_at_once)
{
    if (!start("both_ways_at_once"))
        return;
    program(&hold);
    for (size_t n = 1; n < HELD; n++) {
        say(SERVER, n);
        say(CLIENT, 100 + n);
    }
    hears_nothing(CLIENT);
    hears_nothing(SERVER);
    program(&let_go);
    for (size_t n = 1; n < HELD; n++) {
        hears(CLIENT, n);
        hears(SERVER, 100 + n);
    }
    stop();
}
END_TEST

static void await_moment(nsec moment)
{
    struct timespec ts = {moment / NSEC_PER_SEC, moment % NSEC_PER_SEC};
    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == EINTR)
        continue;
}

/* Frames that were due while the thread could not send are told of, from when the first was. */
START_TEST(late_frames)
{
    enum { FRAMES = 3 };
    const nsec delay = 2 * NSEC_PER_MSEC, late = 20 * NSEC_PER_MSEC;
    static struct lab_wire slow = {.kind = LAB_WIRE_PROPERTIES,
                                   .from = CLIENT,
                                   .to = SERVER,
                                   .properties.has = WIRE_HAS_DELAY};
    if (!start("late_frames"))
        return;
    slow.properties.delay = delay;
    program(&slow);
    ferry_lock(ferry);
    nsec before = clock_ns(CLOCK_REALTIME);
    say(CLIENT, 1);
    nsec after = clock_ns(CLOCK_REALTIME);
    await_moment(after + late);
    for (size_t n = 2; n <= FRAMES; n++)
        say(CLIENT, n);
    await_moment(after + delay + 2 * late);
    nsec held_until = clock_ns(CLOCK_REALTIME);
    ferry_unlock(ferry);
    for (size_t n = 1; n <= FRAMES; n++)
        hears(SERVER, n);
    settle();
    struct ferry_stall *stalls = NULL;
    bool told = false;
    for (size_t n = ferry_take_stalls(ferry, &stalls); n > 0; n--)
        told = told || (stalls[n - 1].from > before + delay - NSEC_PER_MSEC &&
                        stalls[n - 1].from < after + delay + NSEC_PER_MSEC &&
                        stalls[n - 1].to >= held_until);
    ck_assert(told);
    free(stalls);
    stop();
}
END_TEST

static Suite *suite_ferry(void)
{
    Suite *s = suite_create("live-ferry");
    TCase *t = tcase_create("ferry");
    tcase_set_tags(t, LIVE_SAME_FOR_ALL);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, taken_where_it_is_sent);
    tcase_add_test(t, what_the_cable_carries);
    tcase_add_test(t, nobody_at_the_other_end);
    tcase_add_test(t, a_pulled_cable);
    tcase_add_test(t, many_at_once);
    tcase_add_test(t, both_ways_at_once);
    tcase_add_test(t, late_frames);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_ferry)
