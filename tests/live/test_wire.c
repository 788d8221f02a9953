/* The wire between real hosts: each thing that it can do is done to a conversation, and
 * the evidence has to show it at both ends, and say so. */
#include "live.h"

#include <stdio.h>

#include "play.h"
#include "record/load.h"

#define CAPTURED                                                                                   \
    "host client 10.0.0.1/24\nhost server 10.0.0.2/24\nneighbour client server\n"                  \
    "neighbour server client\ncapture client server \"tcp\"\n"
#define CONNECTED "server listen 80\nclient connect server 80\nserver accept\n"
#define ECN "sysctl client net.ipv4.tcp_ecn 1\nsysctl server net.ipv4.tcp_ecn 1\n"
#define DATA "client send 1000 bytes\nserver recv 1000\n"

/* What an event has to be consistent with. */
typedef void scene_check(const struct record *r, const struct record_wire *w);

static struct packet packet_at(const struct record *r, long index)
{
    struct packet p;
    ck_assert(index >= 0 && (size_t)index < r->packets.n);
    packet_decode(&p, &r->packets.at[index].frame);
    return p;
}

static unsigned count(const struct record *r, bool outgoing)
{
    unsigned n = 0;
    vec_each (&r->packets, p)
        n += outgoing ? p->outgoing : p->incoming;
    return n;
}

/* The first arrival at the server of what the client sent as packet `sent`; -1: none. */
static long arrival_of(const struct record *r, long sent)
{
    struct packet p = packet_at(r, sent);
    for (size_t i = (size_t)sent; i < r->packets.n; i++) {
        struct packet q = packet_at(r, (long)i);
        if (r->packets.at[i].incoming && r->packets.at[i].point == 1 && q.ip.id == p.ip.id &&
            q.tcp.seq == p.tcp.seq)
            return (long)i;
    }
    return -1;
}

static nsec travel(const struct record *r, long sent)
{
    long came = arrival_of(r, sent);
    ck_assert_int_ge(came, 0);
    return r->packets.at[came].frame.time - r->packets.at[sent].frame.time;
}

static void is_dropped(const struct record *r, const struct record_wire *w)
{
    ck_assert_int_eq(arrival_of(r, w->packet), -1);
    ck_assert_uint_eq(count(r, true), count(r, false) + 1);
}

static void is_doubled(const struct record *r, const struct record_wire *w)
{
    ck_assert_int_ge(arrival_of(r, w->packet), 0);
    ck_assert_uint_eq(count(r, true) + 1, count(r, false));
}

static void is_late(const struct record *r, const struct record_wire *w)
{
    ck_assert_int_ge(travel(r, w->packet), 50 * NSEC_PER_MSEC);
    ck_assert_int_lt(travel(r, w->packet), 50 * NSEC_PER_MSEC + 2 * NSEC_PER_MSEC + r->lateness);
}

static void is_held(const struct record *r, const struct record_wire *w)
{
    struct packet held = packet_at(r, w->packet);
    long came = arrival_of(r, w->packet);
    unsigned before = 0;
    for (long i = 0; i < came; i++) {
        struct packet p = packet_at(r, i);
        before += r->packets.at[i].incoming && r->packets.at[i].point == 1 && p.tcp.payload_len &&
                  (int32_t)(p.tcp.seq - held.tcp.seq) > 0;
    }
    ck_assert_uint_eq(before, 2);
}

static void is_corrupt(const struct record *r, const struct record_wire *w)
{
    ck_assert_int_eq(packet_at(r, w->packet).tcp.sum, SUM_GOOD);
    ck_assert_int_eq(packet_at(r, w->arrival).tcp.sum, SUM_BAD);
}

static void is_marked(const struct record *r, const struct record_wire *w)
{
    ck_assert_uint_ne(packet_at(r, w->packet).ip.tos & 3, 3);
    ck_assert_uint_eq(packet_at(r, w->arrival).ip.tos & 3, 3);
    ck_assert_int_eq(packet_at(r, w->arrival).ip.sum, SUM_GOOD);
}

static void is_smaller(const struct record *r, const struct record_wire *w)
{
    ck_assert_uint_eq(packet_at(r, w->packet).tcp.mss, 1460);
    ck_assert_uint_eq(packet_at(r, w->arrival).tcp.mss, 536);
}

static void is_injected(const struct record *r, const struct record_wire *w)
{
    struct packet p = packet_at(r, w->arrival);
    ck_assert_int_eq(w->packet, -1);
    ck_assert_uint_eq(p.tcp.flags, TCP_RST);
    ck_assert(r->packets.at[w->arrival].incoming);
}

static const struct wire_scene {
    const char *script;
    enum wire_action action;
    scene_check *check;
} scenes[] = {
    {CAPTURED "wire drop client > server data 1\n" CONNECTED DATA, WIRE_DROP, is_dropped},
    {CAPTURED "wire drop client > server \"tcp[13] & 2 != 0\"\n" CONNECTED, WIRE_DROP, is_dropped},
    {CAPTURED "wire duplicate client > server seq 1\n" CONNECTED DATA, WIRE_DUPLICATE, is_doubled},
    {CAPTURED "wire delay client > server data 1 by 50ms\n" CONNECTED DATA, WIRE_DELAY, is_late},
    {CAPTURED "wire hold client > server data 1 until 2 more\n"
              "wire client <> server delay 20ms\n" /* nothing is sent again meanwhile */
     CONNECTED "client set nodelay 1\nclient send 100 bytes\nclient send 100 bytes\n"
              "client send 100 bytes\nserver recv 300\n",
     WIRE_HOLD, is_held},
    {CAPTURED "wire corrupt client > server data 1\n" CONNECTED DATA, WIRE_CORRUPT, is_corrupt},
    {CAPTURED ECN "wire mark client > server data 1 ce\n" CONNECTED DATA, WIRE_MARK, is_marked},
    {CAPTURED "wire rewrite client > server [S] mss 536\n" CONNECTED DATA, WIRE_REWRITE,
     is_smaller},
    {CAPTURED CONNECTED DATA "wire inject client.port > server.80: Flags [R], seq 1001, win 0, "
                             "length 0\nserver recv 1 => ECONNRESET\n",
     WIRE_INJECT, is_injected},
};

static struct record *play_scene(const char *name, const char *script)
{
    struct error err = ERROR_INIT;
    cleanup_free char *folder = xasprintf("wire-%u", geteuid()); /* each user has one */
    cleanup_free char *out = play_path(folder), *evidence = xasprintf("%s/%s", out, name);
    cleanup_free char *lab = play_lab(name, script, "quiet 1ms\n"), *printed = NULL;
    play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    struct record *record = record_load(evidence, &err);
    ck_assert_msg(record != NULL, "%s; %s", err.message, printed);
    ck_assert_msg(!record->stopped, "%s: %s", name, record->stopped);
    return record;
}

START_TEST(one_thing_is_done)
{
    const struct wire_scene *s = &scenes[_i / live_users()];
    live_become(_i % live_users());
    cleanup_free char *name = xasprintf("one%d", _i);
    struct record *r = play_scene(name, s->script);
    ck_assert_uint_eq(r->wire_dropped, 0);
    ck_assert_uint_eq(r->wire.n, 1);
    ck_assert_int_eq(r->wire.at[0].action, s->action);
    ck_assert_int_ge(r->wire.at[0].step, 0);
    ck_assert_int_eq(r->wire.at[0].from, CLIENT);
    ck_assert_int_eq(r->wire.at[0].to, SERVER);
    s->check(r, &r->wire.at[0]);
    record_free(r);
}
END_TEST

/* Each way by itself; and in an IPv6 network with three hosts only one pair. */
START_TEST(properties_of_one_direction)
{
    struct record *r = play_scene(
        "oneway", "host client fd00::1/64\nhost server fd00::2/64\nhost other fd00::3/64\n"
                  "capture client server other \"tcp\"\nwire client > server delay 20ms\n"
                  "server listen 80\nother listen 80\nclient connect server 80\nserver accept\n"
                  "client as o connect other 80\nother accept\n");
    for (size_t i = 0; i < r->packets.n; i++) {
        const struct record_packet *sent = &r->packets.at[i];
        struct packet p = packet_at(r, (long)i), q = {0};
        nsec took = -1;
        for (size_t j = i; sent->outgoing && j < r->packets.n && took < 0; j++) {
            q = packet_at(r, (long)j);
            if (r->packets.at[j].incoming && q.tcp.seq == p.tcp.seq && q.tcp.ack == p.tcp.ack &&
                ipaddr_equal(&q.ip.dst, &p.ip.dst))
                took = r->packets.at[j].frame.time - sent->frame.time;
        }
        if (!sent->outgoing)
            continue;
        bool slow = sent->point == 0 && p.ip.dst.bytes[15] == 2;
        ck_assert_int_ge(took, slow ? 20 * NSEC_PER_MSEC : 0);
        if (!slow)
            ck_assert_int_lt(took, 5 * NSEC_PER_MSEC + r->lateness);
    }
    ck_assert_uint_eq(r->wire.n, 0);
    record_free(r);
}
END_TEST

static uint64_t mix(uint64_t h, long value)
{
    return (h ^ (uint64_t)value) * UINT64_C(0x100000001b3);
}

/* Which of the client's data segments were lost, by their numbers. */
static uint64_t losses(const char *name, unsigned *n)
{
    struct strbuf script cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&script, CAPTURED "sysctl client net.ipv4.tcp_sack 0\n" CONNECTED
                                  "wire client > server loss 20% seed 3\nclient set nodelay 1\n");
    for (int i = 1; i <= 10; i++)
        strbuf_printf(
            &script, "client send 1000 bytes\nserver recv 1000\nwait server > client [.] x%d\n", i);
    struct record *r = play_scene(name, strbuf_cstr(&script));
    uint64_t h = 0;
    *n = 0;
    vec_each (&r->wire, w) {
        ck_assert_int_eq(w->action, WIRE_LOSS);
        struct packet p = packet_at(r, w->packet), first = packet_at(r, 0);
        h = mix(h, (long)(p.tcp.seq - first.tcp.seq));
        ++*n;
    }
    record_free(r);
    return h;
}

START_TEST(loss_is_repeatable)
{
    unsigned first, again;
    uint64_t h = losses("loss1", &first);
    ck_assert_uint_gt(first, 0);
    ck_assert_uint_eq(losses("loss2", &again), h);
    ck_assert_uint_eq(first, again);
}
END_TEST

/* A queue behind a slow rate: what it drops is said, and the rate is kept.  So slow that it
 * overflows, too, if the machine stands still for a third of a second amid the ten segments. */
START_TEST(bottleneck)
{
    struct record *r = play_scene("bottleneck", CAPTURED CONNECTED
                                  "wire client > server rate 200kbit queue 4 packets\n"
                                  "client send 14480 bytes\nserver recv 14480\n");
    ck_assert_uint_gt(r->wire.n, 0);
    vec_each (&r->wire, w) {
        ck_assert_int_eq(w->action, WIRE_OVERFLOW);
        ck_assert_int_eq(arrival_of(r, w->packet), -1);
    }
    nsec before = 0;
    vec_each (&r->packets, rp) {
        struct packet p;
        packet_decode(&p, &rp->frame);
        if (!rp->incoming || rp->point != 1 || p.tcp.payload_len < 1000)
            continue;
        /* 1514 bytes at 200 kbit/s are 60.56 ms. */
        ck_assert_int_ge(rp->frame.time - before, 60560 * NSEC_PER_USEC - r->lateness);
        before = rp->frame.time;
    }
    record_free(r);
}
END_TEST

/* A cable may be pulled out of a wire, too, with a frame under way on it, which would have
 * arrived before the cable is plugged in again, 600 ms later at the earliest. */
START_TEST(unplugged_wire)
{
    struct record *r = play_scene("pulled", CAPTURED CONNECTED
                                  "wire client > server delay 400ms\nclient send 100 bytes\n"
                                  "wait client > server [P.]\nunplug server\n"
                                  "wire clear client > server\nwait client > server [P.] x3\n"
                                  "replug server\nserver recv 100\n");
    ck_assert_uint_gt(count(r, true), count(r, false) + 1);
    record_free(r);
}
END_TEST

/* Also where the packet just fits the ring's slot, and where it just does not. */
START_TEST(whole_packets)
{
    static const unsigned mtus[] = {1968, 1969, 1982, 4016, 4030, 8126, 9000};
    cleanup_free char *script =
        xasprintf(CAPTURED "requires ipv4\nmtu client %u\nmtu server %u\n" CONNECTED
                           "wire duplicate client > server data 1\nclient send 20000 bytes\n"
                           "server recv 20000 within 5s => 20000\n",
                  mtus[_i], mtus[_i]);
    struct record *r = play_scene("whole", script);
    ck_assert_uint_eq(r->wire_dropped, 0);
    ck_assert_uint_eq(r->wire.n, 1);
    is_doubled(r, &r->wire.at[0]);
    ck_assert_uint_eq(packet_at(r, r->wire.at[0].packet).ip.payload.n + 20, mtus[_i]);
    record_free(r);
}
END_TEST

/* What is on the wire still when the run ends is not lost, and no `hold` that holds it has
 * done what it should, whoever was captured. */
static const struct stay_scene {
    const char *points, *wire, *after, *fate, *says;
} stays[] = {
    {"client server", "delay client > server data all by 1m", "wait client > server [P.] x2\n",
     "lost", "had not arrived when the capture ended"},
    {"client server",
     "delay client > server data all by 1m\nwire rewrite client > server data all win 100",
     "wait client > server [P.] x2\n", "lost", "had not arrived when the capture ended"},
    {"client", "delay client > server data all by 1m", "wait client > server [P.] x2\n", "lost",
     "had not arrived when the capture ended"},
    {"server", "hold client > server data until 9 more", "server recv 100\n", "",
     "at the end it was held back still"},
};

START_TEST(stays_on_the_wire)
{
    const struct stay_scene *s = &stays[_i];
    cleanup_free char *out = play_path("wire-stay"), *printed = NULL;
    cleanup_free char *script =
        xasprintf("host client 10.0.0.1/24\nhost server 10.0.0.2/24\nneighbour client server\n"
                  "neighbour server client\ncapture %s \"tcp\"\n" CONNECTED
                  "wire %s\nclient send 100 bytes\n%s",
                  s->points, s->wire, s->after);
    cleanup_free char *expected = xasprintf(
        "client.port > server.80: Flags [S], …\nserver.80 > client.port: Flags [S.], …\n"
        "client.port > server.80: Flags [.], …\nmix 1..9 {\n"
        "client.port > server.80: Flags [P.], … %s\nserver.80 > client.port: Flags [.], …\n}\n",
        s->fate);
    cleanup_free char *lab = play_lab("stay", script, expected);
    int status =
        play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    ck_assert_msg(status == 1 && strstr(printed, s->says), "%d: %s", status, printed);
}
END_TEST

/* Behind a router the wire's events are about one hop, and the story tells what became of the
 * segment all the same, whether the router was captured or not. */
static const struct hop_scene {
    const char *wire, *syn, *data;
    enum wire_action action;
    long arrives; /* point at which what became of it is another frame */
} hops[] = {
    {"rewrite client > gate [S] mss 1000", "rewritten", "", WIRE_REWRITE, SERVER},
    {"rewrite gate > server [S] mss 1000", "rewritten", "", WIRE_REWRITE, SERVER},
    {"rewrite client > gate [S] mss 1000\nwire rewrite gate > server [S] win 5000", "rewritten", "",
     WIRE_REWRITE, SERVER},
    {"corrupt client > gate data", "", "damaged", WIRE_CORRUPT, SERVER},
    {"corrupt gate > server data", "", "damaged", WIRE_CORRUPT, SERVER},
    {"drop client > gate data", "", "lost", WIRE_DROP, -1},
    {"drop gate > server data", "", "lost", WIRE_DROP, -1},
    {"duplicate gate > server data", "", "twice", WIRE_DUPLICATE, -1},
    {"delay gate > server data by 50ms", "", "arrives +50ms", WIRE_DELAY, -1},
};

#define ROUTED                                                                                     \
    "host client 10.0.0.1/24\nrouter gate 10.0.0.254/24 10.0.1.254/24\nhost server 10.0.1.1/24\n"  \
    "route client default via 10.0.0.254\nroute server default via 10.0.1.254\n"                   \
    "neighbour client gate\nneighbour gate client\nneighbour gate server\n"                        \
    "neighbour server gate\n"

START_TEST(on_one_hop)
{
    const struct hop_scene *s = &hops[_i / 2];
    cleanup_free char *out = play_path("wire-hop"), *printed = NULL;
    cleanup_free char *evidence = xasprintf("%s/hop", out);
    cleanup_free char *script =
        xasprintf(ROUTED "capture client server%s \"tcp\"\nwire %s\n" CONNECTED DATA,
                  _i % 2 ? " gate:eth0 gate:eth1" : "", s->wire);
    cleanup_free char *expected = xasprintf(
        "client.port > server.80: Flags [S], … %s\nserver.80 > client.port: Flags [S.], …\n"
        "client.port > server.80: Flags [.], …\n"
        "client.port > server.80: Flags [P.], seq 1:1001, … %s\nmix 1..4 {\n"
        "client.port > server.80: Flags [P.], seq 1:1001, …\n"
        "server.80 > client.port: Flags [.], ack 1001, …\n}\n",
        s->syn, s->data);
    cleanup_free char *lab = play_lab("hop", script, expected);
    int status =
        play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    ck_assert_msg(status == 0, "%s: %d: %s", s->wire, status, printed);
    struct error err = ERROR_INIT;
    struct record *r = record_load(evidence, &err);
    ck_assert_msg(r != NULL, "%s", err.message);
    ck_assert_uint_ge(r->wire.n, 1);
    vec_each (&r->wire, w) {
        ck_assert_int_eq(w->action, s->action);
        ck_assert_int_ge(w->packet, 0);
        ck_assert_int_eq(r->packets.at[w->packet].point, CLIENT);
        ck_assert_int_eq(w->arrival < 0 ? -1 : r->packets.at[w->arrival].point, s->arrives);
    }
    record_free(r);
}
END_TEST

/* A router finds out by itself to whom it passes a packet on, with either version of IP. */
START_TEST(a_router_asks_for_its_neighbours)
{
    cleanup_free char *out = play_path("wire-router"), *printed = NULL;
    cleanup_free char *lab = play_lab(
        "router",
        "host client 10.0.0.1/24\nrouter gate 10.0.0.254/24 10.0.1.254/24\n"
        "host server 10.0.1.1/24\nroute client default via 10.0.0.254\n"
        "route server default via 10.0.1.254\ncapture client server \"tcp\"\n" CONNECTED DATA,
        "client.port > server.80: Flags [S], …\nserver.80 > client.port: Flags [S.], …\n"
        "client.port > server.80: Flags [.], …\n"
        "client.port > server.80: Flags [P.], seq 1:1001, …\n"
        "server.80 > client.port: Flags [.], ack 1001, …\n");
    int status = play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, "--ip",
                                                     _i ? "6" : "4", lab, NULL});
    ck_assert_msg(status == 0, "%d: %s", status, printed);
}
END_TEST

/* An injection is read before anything runs, and its numbers have to be there. */
START_TEST(injection_without_a_number)
{
    cleanup_free char *out = play_path("wire-number"), *printed = NULL;
    cleanup_free char *lab =
        play_lab("number",
                 CAPTURED CONNECTED "wire inject client.port > server.80: Flags [.], ack 1, "
                                    "win 0, length 0\n",
                 "quiet 1ms\n");
    int status = play_run(&printed, (const char *[]){"-q", "--out", out, lab, NULL});
    ck_assert_msg(status == 2 && strstr(printed, "the sequence number is missing"), "%d: %s",
                  status, printed);
}
END_TEST

static Suite *suite_live_wire(void)
{
    Suite *s = suite_create("live-wire");
    TCase *t = tcase_create("wire");
    tcase_add_unchecked_fixture(t, play_set_up, play_tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, one_thing_is_done, 0, live_users() * (int)ARRAY_SIZE(scenes));
    tcase_add_test(t, properties_of_one_direction);
    tcase_add_test(t, loss_is_repeatable);
    tcase_add_test(t, bottleneck);
    tcase_add_test(t, unplugged_wire);
    tcase_add_test(t, injection_without_a_number);
    tcase_add_loop_test(t, whole_packets, 0, 7);
    tcase_add_loop_test(t, stays_on_the_wire, 0, (int)ARRAY_SIZE(stays));
    tcase_add_loop_test(t, a_router_asks_for_its_neighbours, 0, 2);
    tcase_add_loop_test(t, on_one_hop, 0, 2 * (int)ARRAY_SIZE(hops));
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_live_wire)
