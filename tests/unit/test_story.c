/* Which segments a story has, in which order, what became of them, how they are numbered. */
#include "unit.h"

#include "build_packet.h"
#include "transcript/story.h"

#define MS(n) ((n)*NSEC_PER_MSEC)
#define SEC(n) ((n)*NSEC_PER_SEC)
#define TCP(...) (&(struct build_tcp){__VA_ARGS__})

static struct record *record;
static struct story *story;

static void begin(void)
{
    record = build_record();
    story = NULL;
}

static void end(void)
{
    story_free(story);
    record_free(record);
}

static void tell(nsec ended)
{
    build_done(record, ended);
    story = story_new(record);
}

static const struct story_segment *segment(size_t i)
{
    ck_assert_uint_lt(i, story->segments.n);
    return &story->segments.at[i];
}

START_TEST(a_handshake)
{
    build_sent(record, 0, MS(1), TCP(.flags = "S", .seq = 7000));
    build_sent(record, MS(1), MS(1), TCP(.reply = true, .flags = "S.", .seq = 90, .ack = 7001));
    build_sent(record, MS(3), MS(1), TCP(.flags = ".", .seq = 7001, .ack = 91));
    build_sent(record, MS(4), MS(30), TCP(.flags = "P.", .seq = 7001, .ack = 91, .data = "hello"));
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 4);
    ck_assert_uint_eq(story->flows.n, 1);
    static const struct {
        int from, dir;
        uint32_t seq, ack;
        nsec time, gap, travel;
        const char *from_port, *to_port;
    } want[] = {
        {0, 0, 0, 0, 0, 0, MS(1), "port", "1234"},
        {1, 1, 0, 1, MS(1), MS(1), MS(1), "1234", "port"},
        {0, 0, 1, 1, MS(3), MS(2), MS(1), "port", "1234"},
        {0, 0, 1, 1, MS(4), MS(1), MS(30), "port", "1234"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        const struct story_segment *s = segment(i);
        ck_assert_int_eq(s->from, want[i].from);
        ck_assert_int_eq(s->to, !want[i].from);
        ck_assert_int_eq(s->dir, want[i].dir);
        ck_assert_uint_eq(s->seq, want[i].seq);
        ck_assert_uint_eq(s->ack, want[i].ack);
        ck_assert_int_eq(s->time, want[i].time);
        ck_assert_int_eq(s->gap, want[i].gap);
        ck_assert_int_eq(s->fate, FATE_ARRIVED);
        ck_assert_int_eq(s->travel, want[i].travel);
        ck_assert_str_eq(s->from_port, want[i].from_port);
        ck_assert_str_eq(s->to_port, want[i].to_port);
        ck_assert(record->packets.at[s->packet].outgoing);
        ck_assert(record->packets.at[s->arrival].incoming);
    }
}
END_TEST

START_TEST(lost_segments_and_their_retransmissions)
{
    build_sent(record, 0, BUILD_LOST, TCP(.flags = "S", .seq = 7000, .id = 1));
    build_sent(record, SEC(1), BUILD_LOST, TCP(.flags = "S", .seq = 7000, .id = 2));
    build_sent(record, SEC(3), MS(1), TCP(.flags = "S", .seq = 7000, .id = 3));
    tell(SEC(4));
    static const enum fate want[] = {FATE_LOST, FATE_LOST, FATE_ARRIVED};
    ck_assert_uint_eq(story->segments.n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(segment(i)->fate, want[i]);
        ck_assert_uint_eq(segment(i)->seq, 0);
        ck_assert_int_eq(segment(i)->retransmission, i > 0);
        ck_assert_str_eq(segment(i)->from_port, "port");
    }
}
END_TEST

START_TEST(lost_segments_that_are_alike_to_the_byte)
{
    /* the path takes 50 ms; the first is lost, the second arrives twice, the third once */
    build_sent(record, 0, MS(50), TCP(.flags = "S", .seq = 7000, .id = 1));
    build_sent(record, MS(50), BUILD_LOST, TCP(.reply = true, .flags = "S.", .seq = 90));
    build_sent(record, SEC(1), MS(50), TCP(.reply = true, .flags = "S.", .seq = 90));
    build_seen_tcp(record, 0, BUILD_IN, SEC(1) + MS(51),
                   TCP(.reply = true, .flags = "S.", .seq = 90));
    build_sent(record, SEC(3), MS(50), TCP(.reply = true, .flags = "S.", .seq = 90));
    tell(SEC(4));
    ck_assert_uint_eq(story->segments.n, 4);
    ck_assert_int_eq(segment(1)->fate, FATE_LOST);
    ck_assert_int_eq(segment(2)->fate, FATE_ARRIVED);
    ck_assert_int_eq(segment(2)->travel, MS(50));
    ck_assert_int_eq(segment(3)->fate, FATE_ARRIVED);
    ck_assert_int_eq(segment(3)->travel, MS(50));
}
END_TEST

START_TEST(alike_segments_on_a_path_longer_than_the_timer)
{
    build_sent(record, 0, MS(1500), TCP(.flags = "S", .seq = 7000, .id = 1));
    build_sent(record, SEC(2), MS(1500), TCP(.reply = true, .flags = "S.", .seq = 90));
    build_sent(record, SEC(3), MS(1500), TCP(.reply = true, .flags = "S.", .seq = 90));
    tell(SEC(5));
    ck_assert_uint_eq(story->segments.n, 3);
    ck_assert_int_eq(segment(1)->travel, MS(1500));
    ck_assert_int_eq(segment(2)->travel, MS(1500));
}
END_TEST

START_TEST(alike_segments_that_left_together_arrive_in_order)
{
    /* duplicate ACKs; the path takes a little longer than it did before, and than they are apart */
    enum { N = 4, APART = 20000, LONGER = 150000 };
    build_sent(record, 0, MS(50), TCP(.flags = "S", .seq = 7000, .id = 1));
    for (int i = 0; i < N; i++)
        build_sent(record, SEC(1) + i * APART, MS(50) + LONGER,
                   TCP(.reply = true, .flags = ".", .seq = 90, .ack = 7001));
    tell(SEC(2));
    ck_assert_uint_eq(story->segments.n, 1 + N);
    for (size_t i = 1; i <= N; i++) {
        ck_assert_int_eq(segment(i)->travel, MS(50) + LONGER);
        ck_assert_uint_eq(segment(i)->overtaken, 0);
    }
}
END_TEST

START_TEST(reordered_segments_stay_in_the_order_of_sending)
{
    build_sent(record, MS(0), MS(30), TCP(.flags = ".", .seq = 100, .ack = 5, .len = 10, .id = 1));
    build_sent(record, MS(1), MS(1), TCP(.flags = ".", .seq = 110, .ack = 5, .len = 10, .id = 2));
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 2);
    ck_assert_uint_eq(segment(0)->seq, 1);
    ck_assert_int_eq(segment(0)->travel, MS(30));
    ck_assert_uint_eq(segment(1)->seq, 11);
    ck_assert_int_eq(segment(1)->travel, MS(1));
    ck_assert(!segment(1)->retransmission);
}
END_TEST

START_TEST(a_double_made_by_the_path_is_no_segment)
{
    struct build_tcp *data = TCP(.flags = "P.", .seq = 100, .ack = 5, .len = 10, .id = 1);
    build_sent(record, MS(0), MS(1), data);
    build_seen_tcp(record, 1, BUILD_IN, MS(2), data);
    build_seen_tcp(record, 1, BUILD_IN, MS(3), data);
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 1);
    ck_assert_int_eq(segment(0)->travel, MS(1));
}
END_TEST

START_TEST(what_the_path_forged_is_a_segment)
{
    /* its checksum broken on the way; then a reset that nobody sent */
    build_sent(record, MS(0), BUILD_LOST, TCP(.flags = "P.", .seq = 100, .ack = 5, .len = 9));
    build_seen_tcp(record, 1, BUILD_IN, MS(1),
                   TCP(.flags = "P.", .seq = 100, .ack = 5, .len = 9, .bad_sum = true));
    build_seen_tcp(record, 1, BUILD_IN, MS(9), TCP(.flags = "R", .seq = 109));
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 2);
    ck_assert_int_eq(segment(0)->fate, FATE_ARRIVED);
    ck_assert(segment(0)->damaged);
    ck_assert_int_eq(segment(1)->fate, FATE_UNKNOWN);
    ck_assert_uint_eq(segment(1)->p->tcp.flags, TCP_RST);
}
END_TEST

START_TEST(a_sending_at_the_very_end_may_have_arrived)
{
    build_sent(record, MS(0), MS(300), TCP(.flags = ".", .seq = 100, .ack = 5, .id = 1));
    build_sent(record, MS(600), BUILD_LOST, TCP(.flags = ".", .seq = 100, .ack = 5, .id = 2));
    build_sent(record, MS(700), BUILD_LOST, TCP(.flags = ".", .seq = 100, .ack = 5, .id = 3));
    tell(MS(1000));
    ck_assert_int_eq(segment(1)->fate, FATE_LOST);
    ck_assert_int_eq(segment(2)->fate, FATE_UNKNOWN);
}
END_TEST

START_TEST(a_cable_that_is_out_delivers_nothing)
{
    struct record_event *e = vec_add(&record->events);
    *e = (struct record_event){.kind = EVENT_UNPLUG, .time = build_time(MS(500)), .host = 1};
    build_sent(record, MS(999), BUILD_LOST, TCP(.flags = "S", .seq = 100));
    tell(MS(1000));
    ck_assert_int_eq(segment(0)->fate, FATE_LOST);
}
END_TEST

START_TEST(a_receiver_whose_filter_leaves_it_out_says_nothing)
{
    free(record->points.at[1].filter);
    record->points.at[1].filter = xstrdup("udp");
    build_sent(record, MS(0), BUILD_LOST, TCP(.flags = "S", .seq = 100));
    tell(SEC(1));
    ck_assert_int_eq(segment(0)->fate, FATE_UNKNOWN);
    story_free(story);
    free(record->points.at[1].filter);
    record->points.at[1].filter = xstrdup("dst port 1234");
    story = story_new(record);
    ck_assert_int_eq(segment(0)->fate, FATE_LOST);
    story_free(story);
    free(record->points.at[1].filter);
    record->points.at[1].filter = xstrdup("this is ( no filter");
    story = story_new(record);
    ck_assert_int_eq(segment(0)->fate, FATE_UNKNOWN);
}
END_TEST

START_TEST(one_end_captured)
{
    build_uncaptured(record);
    build_seen_tcp(record, 0, BUILD_OUT, 0, TCP(.flags = "S", .seq = 7000));
    build_seen_tcp(record, 0, BUILD_IN, MS(40),
                   TCP(.reply = true, .flags = "S.", .seq = 90, .ack = 7001));
    build_seen_tcp(record, 0, BUILD_OUT, MS(41), TCP(.flags = ".", .seq = 7001, .ack = 91));
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(segment(i)->fate, FATE_UNKNOWN);
        ck_assert_int_eq(segment(i)->arrival, -1);
    }
    ck_assert_int_eq(segment(1)->from, 1);
    ck_assert_int_eq(segment(1)->time, MS(40));
}
END_TEST

START_TEST(loopback)
{
    struct ipaddr lo;
    ck_assert(ipaddr_parse(&lo, "127.0.0.1", 9));
    vec_push(&record->hosts.at[0].addrs, lo);
    vec_push(&record->hosts.at[1].addrs, lo);
    for (int point = 0; point < 2; point++) {
        build_seen_tcp(record, point, BUILD_IN, SEC(point),
                       TCP(.src = "127.0.0.1", .dst = "127.0.0.1", .flags = "S", .seq = 7000));
        build_seen_tcp(record, point, BUILD_IN, SEC(point) + 9,
                       TCP(.src = "127.0.0.1", .dst = "127.0.0.1", .reply = true, .flags = "S.",
                           .seq = 90, .ack = 7001));
    }
    tell(SEC(2));
    ck_assert_uint_eq(story->segments.n, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(segment(i)->from, (int)(i / 2));
        ck_assert_int_eq(segment(i)->to, (int)(i / 2));
        ck_assert_int_eq(segment(i)->fate, FATE_UNKNOWN);
        ck_assert_int_eq(segment(i)->dir, (int)(i % 2));
    }
    ck_assert_uint_eq(segment(1)->ack, 1);
}
END_TEST

START_TEST(what_a_router_forwards)
{
    struct record_host *h = vec_add(&record->hosts);
    h->name = xstrdup("router");
    struct record_point *p = vec_add(&record->points);
    *p = (struct record_point){.name = xstrdup("router"), .host = 2, .linktype = 1};
    struct build_tcp *syn = TCP(.flags = "S", .seq = 7000);
    build_sent(record, 0, MS(3), syn);
    build_seen_tcp(record, 2, BUILD_IN, MS(1), syn);
    build_seen_tcp(record, 2, BUILD_OUT, MS(2), syn);
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 1);
    ck_assert_int_eq(segment(0)->travel, MS(3));
    story_free(story);
    story = story_at(record, 2);
    ck_assert_uint_eq(story->segments.n, 2);
    ck_assert_int_eq(segment(0)->from, 0);
    ck_assert_int_eq(segment(1)->gap, MS(1));
    ck_assert_int_eq(segment(1)->fate, FATE_UNKNOWN);
}
END_TEST

START_TEST(a_reset_from_a_closed_port)
{
    build_sent(record, 0, 9, TCP(.flags = "S", .seq = 7000));
    build_sent(record, MS(1), 9, TCP(.reply = true, .flags = "R.", .seq = 0, .ack = 7001));
    tell(SEC(1));
    ck_assert_uint_eq(segment(1)->seq, 0);
    ck_assert_uint_eq(segment(1)->ack, 1);
    ck_assert(segment(1)->due_seq.known);
    ck_assert_uint_eq(segment(1)->due_seq.highest, 0);
    ck_assert_uint_eq(segment(1)->due_ack.value, 1);
}
END_TEST

START_TEST(simultaneous_open)
{
    build_call(record, 0, "bind", "5000", 1, 2, 0, 0);
    build_call(record, 1, "bind", "6000", 1, 2, 0, 0);
    build_call(record, 0, "connect", "server 6000", 3, 0, 0, 0);
    build_call(record, 1, "connect", "client 5000", 3, 0, 0, 0);
    struct build_tcp b = {.sport = 5000, .dport = 6000, .flags = "S", .seq = 7000};
    build_sent(record, 0, MS(10), &b);
    b = (struct build_tcp){.sport = 5000, .dport = 6000, .reply = true, .flags = "S", .seq = 90};
    build_sent(record, MS(1), MS(10), &b);
    b = (struct build_tcp){.sport = 5000, .dport = 6000, .flags = "S.", .seq = 7000, .ack = 91};
    build_sent(record, MS(11), MS(10), &b);
    b = (struct build_tcp){
        .sport = 5000, .dport = 6000, .reply = true, .flags = "S.", .seq = 90, .ack = 7001};
    build_sent(record, MS(12), MS(10), &b);
    tell(SEC(1));
    ck_assert_uint_eq(story->flows.n, 1);
    static const uint32_t acks[] = {0, 0, 1, 1};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(segment(i)->seq, 0);
        ck_assert_uint_eq(segment(i)->ack, acks[i]);
        ck_assert_int_eq(segment(i)->retransmission, i > 1);
        ck_assert_str_eq(segment(i)->from_port, i % 2 ? "6000" : "5000");
        ck_assert_int_eq(segment(i)->due_ack.known, i > 1);
    }
    ck_assert_uint_eq(segment(2)->due_ack.value, 1);
}
END_TEST

START_TEST(two_flows_and_a_port_used_again)
{
    build_sent(record, 0, 9, TCP(.flags = "S", .seq = 7000));
    build_sent(record, 1, 9, TCP(.sport = 40002, .flags = "S", .seq = 500));
    build_sent(record, 2, 9, TCP(.reply = true, .flags = "R.", .ack = 7001));
    build_sent(record, 3, 9, TCP(.flags = "S", .seq = 123456, .id = 7));
    build_sent(record, 4, 9, TCP(.reply = true, .flags = "S.", .seq = 33, .ack = 123457));
    tell(SEC(1));
    ck_assert_uint_eq(story->flows.n, 3);
    static const int flows[] = {0, 1, 0, 2, 2};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(segment(i)->flow, flows[i]);
        ck_assert_uint_eq(segment(i)->seq, 0);
    }
    ck_assert_str_eq(segment(0)->from_port, "port");
    ck_assert_str_eq(segment(1)->from_port, "port2");
    ck_assert_str_eq(segment(3)->from_port, "port");
    ck_assert_uint_eq(segment(4)->ack, 1);
}
END_TEST

START_TEST(which_port_is_ephemeral)
{
    build_call(record, 0, "bind", "5000", 1, 2, 0, 0);
    build_call(record, 1, "listen", "50000 backlog 1", 1, 2, 0, 0);
    build_sent(record, 0, 9, TCP(.sport = 5000, .flags = "S", .seq = 7000));
    build_sent(record, 1, 9, TCP(.sport = 60000, .dport = 50000, .flags = ".", .ack = 1));
    build_sent(record, 2, 9, TCP(.sport = 33000, .dport = 50000, .flags = ".", .ack = 1));
    build_sent(record, 3, 9, TCP(.sport = 2000, .dport = 3000, .flags = ".", .ack = 1));
    build_sent(record, 4, 9, TCP(.sport = 9999, .dport = 50001, .flags = "S.", .ack = 1));
    tell(SEC(1));
    static const char *const want[][2] = {
        {"5000", "1234"}, {"port", "50000"}, {"port2", "50000"},
        {"2000", "port"}, {"9999", "port2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        ck_assert_str_eq(segment(i)->from_port, want[i][0]);
        ck_assert_str_eq(segment(i)->to_port, want[i][1]);
    }
}
END_TEST

START_TEST(numbers_wrap_around)
{
    uint32_t isn = UINT32_MAX - 2;
    build_sent(record, 0, 9, TCP(.flags = "S", .seq = isn, .ts = true, .tsval = UINT32_MAX));
    build_sent(record, MS(1), 9,
               TCP(.reply = true, .flags = "S.", .win = 500, .seq = UINT32_MAX, .ack = isn + 1,
                   .ts = true, .tsval = 5, .tsecr = UINT32_MAX));
    build_sent(record, MS(2), 9,
               TCP(.flags = "P.", .seq = isn + 1, .ack = 0, .len = 100, .ts = true, .tsval = 1,
                   .tsecr = 5));
    build_sent(record, MS(3), 9,
               TCP(.reply = true, .flags = ".", .seq = 0, .ack = isn + 101, .ts = true, .tsval = 8,
                   .tsecr = 1));
    build_sent(record, MS(9), 9, TCP(.flags = "R.", .seq = isn + 101, .ack = 0));
    tell(SEC(1));
    ck_assert_uint_eq(segment(2)->seq, 1);
    ck_assert_uint_eq(segment(2)->ack, 1);
    ck_assert_uint_eq(segment(2)->tsval, 2);
    ck_assert_uint_eq(segment(2)->tsecr, 0);
    ck_assert_uint_eq(segment(3)->ack, 101);
    ck_assert_uint_eq(segment(3)->tsval, 3);
    ck_assert_uint_eq(segment(3)->tsecr, 2);
    ck_assert_uint_eq(segment(4)->seq, 101);
    for (size_t i = 0; i < 5; i++) {
        const struct story_segment *s = segment(i);
        if (i > 0)
            ck_assert(s->due_ack.known && s->due_ack.value == s->ack);
        ck_assert(s->due_seq.known && s->seq >= s->due_seq.lowest && s->seq <= s->due_seq.highest);
        ck_assert(!s->retransmission);
    }
    ck_assert_uint_eq(segment(3)->due_tsecr.value, 2);
}
END_TEST

START_TEST(a_capture_that_began_late)
{
    build_sent(record, 0, 9, TCP(.flags = "P.", .seq = 5000, .ack = 900, .len = 10));
    build_sent(record, 1, 9, TCP(.reply = true, .flags = ".", .seq = 900, .ack = 5010));
    build_sent(record, 2, 9, TCP(.reply = true, .flags = "F.", .seq = 900, .ack = 5010));
    tell(SEC(1));
    ck_assert_uint_eq(segment(0)->seq, 1);
    ck_assert_uint_eq(segment(0)->ack, 1);
    ck_assert_uint_eq(segment(1)->seq, 1);
    ck_assert_uint_eq(segment(1)->ack, 11);
    ck_assert(segment(1)->due_ack.known == false);
    ck_assert(segment(2)->due_ack.known);
    ck_assert_uint_eq(segment(2)->due_ack.value, 11);
    ck_assert_str_eq(segment(2)->to_port, "port");
}
END_TEST

START_TEST(version_6_and_others)
{
    static uint8_t buf[BUILD_MAX_FRAME], quoted[BUILD_MAX_FRAME];
    build_sent(record, 0, 9, TCP(.src = "fd00::1", .dst = "fd00::2", .flags = "S", .seq = 1));
    build_seen(record, 0, BUILD_OUT, MS(1), buf, build_arp(buf, 1, "10.0.0.1", "10.0.0.2"));
    build_seen(record, 1, BUILD_IN, MS(2), buf, build_arp(buf, 1, "10.0.0.1", "10.0.0.2"));
    build_seen(record, 0, BUILD_OUT, MS(3), buf, build_arp(buf, 1, "10.0.0.1", "10.0.0.9"));
    build_seen(record, 1, BUILD_IN, MS(3), buf, build_arp(buf, 1, "10.0.0.1", "10.0.0.9"));
    size_t n = build_tcp(quoted, TCP(.flags = "S", .dst = "10.0.0.9"));
    n = build_unreachable(buf, "10.0.0.7", "10.0.0.1", 1, quoted, n);
    build_seen(record, 0, BUILD_IN, MS(4), buf, n);
    tell(SEC(1));
    ck_assert_uint_eq(story->segments.n, 4);
    ck_assert_int_eq(segment(0)->fate, FATE_ARRIVED);
    ck_assert_int_eq(segment(0)->to, 1);
    ck_assert_int_eq(segment(1)->fate, FATE_ARRIVED);
    ck_assert_int_eq(segment(1)->flow, -1);
    ck_assert_int_eq(segment(1)->travel, MS(1));
    ck_assert_int_eq(segment(2)->to, -1);
    ck_assert_int_eq(segment(2)->fate, FATE_UNKNOWN);
    ck_assert_int_eq(segment(3)->from, -1);
    ck_assert_int_eq(segment(3)->to, 0);
}
END_TEST

START_TEST(unkind_records)
{
    story = story_new(record);
    ck_assert_uint_eq(story->segments.n, 0);
    story_free(story);
    /* a point that is not there, no bytes, stamps at the limits */
    record_add_packet(record, 77, true, false, &(struct frame){.time = INT64_MIN, .linktype = 1});
    record_add_packet(record, -5, false, true, &(struct frame){.time = INT64_MAX, .linktype = 1});
    record_add_packet(record, 0, true, true, &(struct frame){.time = 0, .linktype = 1});
    build_seen_tcp(record, 0, BUILD_OUT, 0, TCP(.flags = "S", .ts = true));
    build_seen_tcp(record, 0, BUILD_OUT, 1, TCP(.flags = "S", .ts = true));
    record->packets.at[3].frame.time = INT64_MIN;
    record->packets.at[4].frame.time = INT64_MAX;
    record->points.at[0].host = 12345;
    record->points.at[1].host = -9;
    record->tick = record->lateness = INT64_MAX;
    record->clock_step = INT64_MIN;
    record->ended = INT64_MIN;
    build_call(record, -3, "bind", "999999999999999999999", 0, 1, 0, 0);
    build_call(record, 99, "connect", "", 0, 1, 0, 0);
    *(struct record_event *)vec_add(&record->events) =
        (struct record_event){.kind = EVENT_UNPLUG, .host = 999};
    story = story_new(record);
    story_free(story);
    record->points.at[0].host = 0;
    story = story_new(record);
    story_free(story);
    story = story_at(record, 0);
    story_free(story);
    story = story_at(record, 5);
}
END_TEST

/* Many segments, of a kind that makes naive algorithms quadratic, in far less than a second. */
START_TEST(many)
{
    for (uint32_t i = 0; i < 20000; i++) {
        struct build_tcp b = {.flags = ".", .seq = 1000, .ack = 1, .len = 10};
        if (_i == 1) { /* every second one lost, never acknowledged */
            b.seq = 1000 + i * 10;
        } else if (_i == 2) { /* a flow each */
            b.sport = (uint16_t)(i + 40000);
            b.flags = "S";
        } else if (_i == 3) { /* gaps only */
            b.seq = 1000 + i * 20;
        }
        build_sent(record, i * NSEC_PER_MSEC, i % 2 ? BUILD_LOST : 9, &b);
    }
    build_done(record, SEC(100));
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    story = story_new(record);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    ck_assert_uint_eq(story->segments.n, 20000);
    ck_assert_int_eq(segment(19999)->fate, FATE_LOST);
    ck_assert_int_lt(to.tv_sec - from.tv_sec, 5); /* sanitizers too */
}
END_TEST

static Suite *suite_story(void)
{
    Suite *s = suite_create("story");
    TCase *t = tcase_create("story");
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_handshake);
    tcase_add_test(t, lost_segments_and_their_retransmissions);
    tcase_add_test(t, lost_segments_that_are_alike_to_the_byte);
    tcase_add_test(t, alike_segments_on_a_path_longer_than_the_timer);
    tcase_add_test(t, alike_segments_that_left_together_arrive_in_order);
    tcase_add_test(t, reordered_segments_stay_in_the_order_of_sending);
    tcase_add_test(t, a_double_made_by_the_path_is_no_segment);
    tcase_add_test(t, what_the_path_forged_is_a_segment);
    tcase_add_test(t, a_sending_at_the_very_end_may_have_arrived);
    tcase_add_test(t, a_cable_that_is_out_delivers_nothing);
    tcase_add_test(t, a_receiver_whose_filter_leaves_it_out_says_nothing);
    tcase_add_test(t, one_end_captured);
    tcase_add_test(t, loopback);
    tcase_add_test(t, what_a_router_forwards);
    tcase_add_test(t, a_reset_from_a_closed_port);
    tcase_add_test(t, simultaneous_open);
    tcase_add_test(t, two_flows_and_a_port_used_again);
    tcase_add_test(t, which_port_is_ephemeral);
    tcase_add_test(t, numbers_wrap_around);
    tcase_add_test(t, a_capture_that_began_late);
    tcase_add_test(t, version_6_and_others);
    tcase_add_test(t, unkind_records);
    tcase_add_loop_test(t, many, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_story)
