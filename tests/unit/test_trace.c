/* A frame on its way through routers: known again on each hop, and what the wire did to it on
 * one of them found where it was captured. */
#include "run/trace.h"

#include <string.h>

#include "build_packet.h"
#include "decode/hop.h"
#include "record/wire_json.h"
#include "transcript/story.h"
#include "unit.h"

#define US NSEC_PER_USEC
#define MS NSEC_PER_MSEC
#define ETHERNET 14

/* ------------------------------------------------------------------------ hops */

static uint8_t frame[BUILD_MAX_FRAME];

static size_t segment(const char *src, const char *dst)
{
    return build_tcp(frame, &(struct build_tcp){.src = src, .dst = dst, .flags = "P.", .len = 300});
}

static struct hop hop_now(size_t n)
{
    return hop_of(frame, (uint32_t)n, (uint32_t)n);
}

START_TEST(what_routers_change_is_not_looked_at)
{
    static const struct {
        const char *src, *dst;
        size_t changed[5]; /* bytes of the packet; 0: no more */
        size_t left;
    } versions[] = {{"10.0.0.1", "10.0.0.2", {8, 10, 11}, 8}, {"fd00::1", "fd00::2", {7}, 7}};
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        size_t n = segment(versions[v].src, versions[v].dst);
        struct hop hop = hop_now(n);
        ck_assert_int_eq(hop.left, frame[ETHERNET + versions[v].left]);
        for (size_t i = 0; i < 12; i++)
            frame[i] ^= 0x5a; /* hardware addresses */
        frame[ETHERNET + 1] |= v == 0 ? 3 : 3 << 4;
        for (const size_t *at = versions[v].changed; *at; at++)
            frame[ETHERNET + *at]--;
        ck_assert_uint_eq(hop_now(n).hash, hop.hash);
        ck_assert_int_eq(hop_now(n).left, hop.left - 1);
        /* Anything else is another frame. */
        for (size_t i = 0; i < n - ETHERNET; i++) {
            bool is_changed = i == versions[v].left || (v == 0 && (i == 10 || i == 11));
            frame[ETHERNET + i] ^= 4;
            ck_assert_msg((hop_now(n).hash == hop.hash) == is_changed, "byte %zu", i);
            frame[ETHERNET + i] ^= 4;
        }
        ck_assert_uint_ne(hop_of(frame, (uint32_t)n, (uint32_t)n + 1).hash, hop.hash);
    }
}
END_TEST

START_TEST(no_router_passes_on_what_is_no_ip)
{
    size_t n = build_arp(frame, 1, "10.0.0.1", "10.0.0.2");
    struct hop hop = hop_now(n);
    ck_assert_int_eq(hop.left, -1);
    frame[0] ^= 1;
    ck_assert_uint_ne(hop_now(n).hash, hop.hash);
    n = segment("10.0.0.1", "10.0.0.2");
    for (uint32_t cut = 0; cut < ETHERNET + 20; cut++)
        ck_assert_int_eq(hop_of(frame, cut, (uint32_t)n).left, -1);
    ck_assert_int_eq(hop_of(frame, ETHERNET + 20, (uint32_t)n).left, frame[ETHERNET + 8]);
}
END_TEST

/* ----------------------------------------------------------------------- traces
 *
 *     client ── gate ── server
 *        0    1      2    3      capture points, the router's two among them
 */

enum { CLIENT, SERVER, GATE };
enum { AT_CLIENT = 0, AT_SERVER = 1, AT_LEFT = 2, AT_RIGHT = 3 };

static struct record *r;
static struct ferry_event events[8];
static size_t n_events;

static void add_point(const char *iface)
{
    struct record_point *p = vec_add(&r->points);
    *p = (struct record_point){.name = xasprintf("gate:%s", iface),
                               .host = GATE,
                               .iface = xstrdup(iface),
                               .filter = xstrdup("tcp port 1234"),
                               .linktype = 1};
}

static void setup(void)
{
    r = build_record();
    vec_add(&r->hosts)->name = xstrdup("gate");
    add_point("eth0");
    add_point("eth1");
    memset(events, 0, sizeof(events));
    n_events = 0;
}

static void teardown(void)
{
    record_free(r);
}

/* The frame as it is behind so many routers. */
static size_t behind(unsigned routers, const struct build_tcp *b)
{
    size_t n = build_tcp(frame, b);
    struct packet p;
    frame[ETHERNET + 8] = (uint8_t)(64 - routers);
    frame[5] = (uint8_t)(7 + routers);
    packet_decode(&p,
                  &(struct frame){
                      .wirelen = (uint32_t)n, .caplen = (uint32_t)n, .data = frame, .linktype = 1});
    frame[ETHERNET + 10] = (uint8_t)(p.ip.sum_expected >> 8);
    frame[ETHERNET + 11] = (uint8_t)p.ip.sum_expected;
    return n;
}

static void seen(int point, nsec at, const struct build_tcp *b)
{
    bool out = point == AT_CLIENT || point == AT_RIGHT;
    size_t n = behind(point == AT_CLIENT || point == AT_LEFT ? 0 : 1, b);
    build_seen(r, point, out ? BUILD_OUT : BUILD_IN, at, frame, n);
}

static void put(struct ferry_frame *to, unsigned routers, const struct build_tcp *b)
{
    if (!b)
        return;
    to->len = (uint32_t)behind(routers, b);
    to->n = to->len < FERRY_SNAP ? to->len : FERRY_SNAP;
    memcpy(to->data, frame, to->n);
}

/* On the first hop or the second. */
static void did(enum wire_action action, int hop, nsec at, const struct build_tcp *before,
                const struct build_tcp *after)
{
    struct ferry_event *e = &events[n_events++];
    *e = (struct ferry_event){.action = action,
                              .time = build_time(at),
                              .from = hop == 1 ? CLIENT : GATE,
                              .to = hop == 1 ? GATE : SERVER};
    put(&e->frame, (unsigned)hop - 1, before);
    put(&e->result, (unsigned)hop - 1, after);
}

static void trace(void)
{
    struct error err = ERROR_INIT;
    record_sort(r);
    trace_events(r, events, n_events);
    r->ended = build_time(5000 * NSEC_PER_MSEC);
    ck_assert_uint_eq(r->wire.n, n_events);
    ck_assert_msg(record_check_wire(r, &err) == 0, "%s", err.message);
}

/* What the point saw; -1: nothing. */
static void is_at(long index, int point)
{
    ck_assert_int_eq(index < 0 ? -1 : r->packets.at[index].point, point);
}

static void is_about(size_t event, int packet, int arrival)
{
    is_at(r->wire.at[event].packet, packet);
    is_at(r->wire.at[event].arrival, arrival);
}

#define DATA (&(struct build_tcp){.flags = "P.", .seq = 1001, .win = 9, .len = 200, .id = 7})
#define SMALLER (&(struct build_tcp){.flags = "P.", .seq = 1001, .win = 5, .len = 200, .id = 7})
#define SMALLEST (&(struct build_tcp){.flags = "P.", .seq = 1001, .win = 2, .len = 200, .id = 7})

/* A frame that is sent at `at` and passes the router a millisecond later; it comes to it as
 * `b`, goes on as `b` and arrives as `c`.  NULL: nobody saw it there. */
static void goes(nsec at, bool gate, const struct build_tcp *a, const struct build_tcp *b,
                 const struct build_tcp *c)
{
    if (a)
        seen(AT_CLIENT, at, a);
    if (gate && b) {
        seen(AT_LEFT, at + MS - US, b);
        seen(AT_RIGHT, at + MS, b);
    }
    if (c)
        seen(AT_SERVER, at + 2 * MS, c);
}

/* When it comes to the wire on the first hop, and on the second: as it leaves the one before. */
#define FIRST 0
#define SECOND MS

static struct story_segment only(void)
{
    struct story *story = story_new(r);
    ck_assert_uint_eq(story->segments.n, 1);
    struct story_segment s = story->segments.at[0];
    story_free(story);
    return s;
}

/* On either hop, with the router captured and without. */
START_TEST(a_change_on_a_hop)
{
    int hop = 1 + _i % 2;
    bool gate = _i / 2;
    goes(0, gate, DATA, hop == 1 ? SMALLER : DATA, SMALLER);
    did(WIRE_REWRITE, hop, hop == 1 ? FIRST : SECOND, DATA, SMALLER);
    trace();
    is_about(0, AT_CLIENT, AT_SERVER);
    struct story_segment s = only();
    ck_assert(s.rewritten && s.fate == FATE_ARRIVED && !s.unsent);
}
END_TEST

START_TEST(a_loss_on_a_hop)
{
    int hop = 1 + _i % 2;
    bool gate = _i / 2;
    goes(0, gate, DATA, hop == 1 ? NULL : DATA, NULL);
    did(WIRE_DROP, hop, hop == 1 ? FIRST : SECOND, DATA, NULL);
    trace();
    r->ended = build_time(3 * MS); /* by the clock alone it would be too early to say */
    is_about(0, AT_CLIENT, -1);
    ck_assert_int_eq(only().fate, FATE_LOST);
    r->wire.n = 0;
    ck_assert_int_eq(only().fate, FATE_UNKNOWN);
}
END_TEST

START_TEST(damage_on_a_hop)
{
    int hop = 1 + _i % 2;
    bool gate = _i / 2;
    struct build_tcp bad = *DATA;
    bad.bad_sum = true;
    goes(0, gate, DATA, hop == 1 ? &bad : DATA, &bad);
    did(WIRE_CORRUPT, hop, hop == 1 ? FIRST : SECOND, DATA, &bad);
    trace();
    is_about(0, AT_CLIENT, AT_SERVER);
    ck_assert(only().damaged);
}
END_TEST

/* Changed on the first hop and, as that made it, changed again or lost on the second. */
START_TEST(two_events_on_two_hops)
{
    bool gate = _i % 2, lost = _i / 2;
    goes(0, gate, DATA, SMALLER, lost ? NULL : SMALLEST);
    did(WIRE_REWRITE, 1, FIRST, DATA, SMALLER);
    did(lost ? WIRE_DROP : WIRE_REWRITE, 2, SECOND, SMALLER, lost ? NULL : SMALLEST);
    trace();
    is_about(0, AT_CLIENT, !lost ? AT_SERVER : gate ? AT_RIGHT : -1);
    is_about(1, AT_CLIENT, lost ? -1 : AT_SERVER);
    struct story_segment s = only();
    ck_assert_int_eq(s.fate, lost ? FATE_LOST : FATE_ARRIVED);
    ck_assert(s.rewritten != lost);
}
END_TEST

/* Doubled on the first hop, and one of the two lost on the second: it arrives once. */
START_TEST(a_copy_is_lost_on_the_next_hop)
{
    goes(0, false, DATA, NULL, DATA);
    did(WIRE_DUPLICATE, 1, FIRST, DATA, NULL);
    did(WIRE_DROP, 2, SECOND, DATA, NULL);
    trace();
    struct story_segment s = only();
    ck_assert(s.fate == FATE_ARRIVED && s.arrivals == 1);
}
END_TEST

/* Who was not captured has not seen it; the nearest to it has. */
START_TEST(only_some_were_captured)
{
    goes(0, true, NULL, DATA, NULL);
    did(WIRE_REWRITE, 2, SECOND, DATA, SMALLER);
    did(WIRE_DELAY, 1, FIRST, DATA, NULL);
    did(WIRE_REWRITE, 1, FIRST, SMALLER, DATA);
    trace();
    vec_each (&r->wire, w)
        is_at(w->packet, w->from == CLIENT ? -1 : AT_LEFT);
    is_at(r->wire.at[0].arrival, -1);
    is_at(r->wire.at[2].arrival, AT_RIGHT);
}
END_TEST

/* Of frames that are equal to the byte, the latest before the wire, and the earliest behind. */
START_TEST(of_equal_frames_the_nearest)
{
    for (int i = 0; i < 3; i++) {
        goes(10 * i * MS, true, DATA, DATA, i == 1 ? NULL : DATA);
        goes(10 * i * MS + 5 * MS, false, NULL, NULL, SMALLER);
    }
    did(WIRE_DROP, 2, 10 * MS + SECOND, DATA, NULL);
    did(WIRE_REWRITE, 1, 10 * MS + FIRST, DATA, SMALLER);
    trace();
    ck_assert_int_eq(r->packets.at[r->wire.at[0].packet].frame.time, build_time(10 * MS));
    ck_assert_int_eq(r->packets.at[r->wire.at[1].arrival].frame.time, build_time(17 * MS));
}
END_TEST

/* A frame does not go back: what was seen behind the wire was not seen before it. */
START_TEST(downstream_is_not_upstream)
{
    goes(0, true, NULL, DATA, DATA);
    did(WIRE_DELAY, 1, 4 * MS, DATA, NULL);
    trace();
    is_about(0, -1, -1);
}
END_TEST

/* A router's capture points show which sending it was that they saw pass. */
START_TEST(a_frame_in_passing_is_a_sighting_of_its_sending)
{
    goes(0, true, DATA, SMALLER, SMALLER);
    did(WIRE_REWRITE, 1, FIRST, DATA, SMALLER);
    trace();
    struct story *story = story_new(r);
    for (size_t i = 0; i < r->packets.n; i++)
        ck_assert_int_eq(story->owner[i], 0);
    story_free(story);
    r->wire.n = 0; /* without the wire's word it is another frame */
    story = story_new(r);
    ck_assert_int_eq(story->owner[1], -1);
    story_free(story);
}
END_TEST

/* ------------------------------------------------------------------- evidence */

static const struct forgery {
    const char *member;
    int packet, arrival; /* points, -1: none */
    nsec time;
} forgeries[] = {
    {NULL, AT_CLIENT, AT_SERVER, SECOND}, {NULL, AT_LEFT, AT_SERVER, SECOND},
    {NULL, AT_CLIENT, -1, SECOND},        {"packet", AT_SERVER, -1, 3 * MS}, /* it had arrived */
    {"packet", AT_CLIENT, AT_SERVER, -1}, {"arrival", AT_CLIENT, AT_SERVER, 3 * MS},
    {"arrival", AT_CLIENT, AT_CLIENT, 0},
};

START_TEST(evidence_that_cannot_be)
{
    const struct forgery *f = &forgeries[_i];
    struct error err = ERROR_INIT;
    goes(0, true, DATA, DATA, SMALLER);
    record_sort(r);
    long index[] = {-1, -1, -1, -1};
    for (size_t i = 0; i < r->packets.n; i++)
        index[r->packets.at[i].point] = (long)i;
    vec_push(&r->wire, ((struct record_wire){WIRE_REWRITE, build_time(f->time), GATE, SERVER, 0,
                                             f->packet < 0 ? -1 : index[f->packet],
                                             f->arrival < 0 ? -1 : index[f->arrival]}));
    int ret = record_check_wire(r, &err);
    ck_assert_int_eq(ret, f->member ? -1 : 0);
    cleanup_free char *wanted = xasprintf("`%s` does not fit", f->member ? f->member : "");
    ck_assert_msg(!f->member || strstr(err.message, wanted), "%s", err.message);
    error_clear(&err);
}
END_TEST

static Suite *suite_trace(void)
{
    Suite *s = suite_create("trace");
    TCase *t = tcase_create("hops");
    tcase_add_test(t, what_routers_change_is_not_looked_at);
    tcase_add_test(t, no_router_passes_on_what_is_no_ip);
    suite_add_tcase(s, t);
    t = tcase_create("traces");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_change_on_a_hop, 0, 4);
    tcase_add_loop_test(t, a_loss_on_a_hop, 0, 4);
    tcase_add_loop_test(t, damage_on_a_hop, 0, 4);
    tcase_add_loop_test(t, two_events_on_two_hops, 0, 4);
    tcase_add_test(t, a_copy_is_lost_on_the_next_hop);
    tcase_add_test(t, only_some_were_captured);
    tcase_add_test(t, of_equal_frames_the_nearest);
    tcase_add_test(t, downstream_is_not_upstream);
    tcase_add_test(t, a_frame_in_passing_is_a_sighting_of_its_sending);
    tcase_add_loop_test(t, evidence_that_cannot_be, 0, (int)ARRAY_SIZE(forgeries));
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_trace)
