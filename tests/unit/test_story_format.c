/* The story in words. */
#include "unit.h"

#include <errno.h>

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

static void check_line(size_t i, const char *want)
{
    if (!story) {
        build_done(record, SEC(10));
        story = story_new(record);
    }
    ck_assert_uint_lt(i, story->segments.n);
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    story_format(&sb, story, &story->segments.at[i]);
    ck_assert_str_eq(strbuf_cstr(&sb), want);
}

START_TEST(a_conversation)
{
    build_sent(record, 0, MS(1),
               TCP(.flags = "S", .seq = 77, .win = 64240, .mss = 1460, .sack_ok = true, .ts = true,
                   .tsval = 500, .wscale = 7));
    build_sent(record, MS(2), MS(50) + 400000,
               TCP(.reply = true, .flags = "S.", .seq = 900, .ack = 78, .win = 65160, .mss = 1460,
                   .sack_ok = true, .ts = true, .tsval = 70, .tsecr = 500, .wscale = 7));
    build_sent(record, MS(60), BUILD_LOST,
               TCP(.flags = "P.", .seq = 78, .ack = 901, .win = 502, .ts = true, .tsval = 560,
                   .tsecr = 70, .data = "hello world\n"));
    build_sent(record, MS(70), MS(20),
               TCP(.flags = ".", .seq = 90, .ack = 901, .win = 502, .ts = true, .tsval = 570,
                   .tsecr = 70, .n_sack = 1, .sack = {{905, 910}}));
    check_line(0, "client.port > server.1234: Flags [S], seq 0, win 64240, options [mss 1460,"
                  "sackOK,TS val 0 ecr 0,nop,wscale 7], length 0");
    check_line(1, "server.1234 > client.port: Flags [S.], seq 0, ack 1, win 65160, options [mss "
                  "1460,sackOK,TS val 0 ecr 0,nop,wscale 7], length 0 arrives +50ms");
    check_line(2, "client.port > server.1234: Flags [P.], seq 1:13, ack 1, win 502, options "
                  "[nop,nop,TS val 60 ecr 0], length 12 lost");
    check_line(3, "client.port > server.1234: Flags [.], ack 1, win 502, options "
                  "[nop,nop,TS val 70 ecr 0,nop,nop,sack 1 {5:10}], length 0");
}
END_TEST

START_TEST(a_closed_port)
{
    build_sent(record, 0, 9, TCP(.flags = "S", .seq = 77, .win = 64240));
    build_sent(record, 9, 9, TCP(.reply = true, .flags = "R.", .ack = 78));
    check_line(0, "client.port > server.1234: Flags [S], seq 0, win 64240, length 0");
    check_line(1, "server.1234 > client.port: Flags [R.], seq 0, ack 1, win 0, length 0");
}
END_TEST

START_TEST(other_packets)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    build_seen(record, 0, BUILD_OUT, 0, buf, build_arp(buf, 1, "10.0.0.1", "10.0.0.2"));
    build_seen(record, 0, BUILD_IN, 1, buf, build_arp(buf, 2, "10.0.0.2", "10.0.0.1"));
    build_seen(record, 0, BUILD_OUT, 2, buf,
               build_udp(buf, "10.0.0.1", 5000, "10.0.0.9", 6000, "abc", 3));
    build_seen(record, 0, BUILD_OUT, 3, buf,
               build_udp(buf, "fd00::1", 5000, "fd00::2", 6000, "", 0));
    build_seen_tcp(record, 0, BUILD_OUT, 4, TCP(.dst = "10.9.9.9", .flags = "S", .win = 9));
    build_seen_tcp(record, 0, BUILD_OUT, 5,
                   TCP(.src = "fd00::1", .dst = "fd00::9", .flags = "S", .win = 9, .len = 0));
    check_line(0, "ARP, Request who-has server tell client, length 28 lost");
    check_line(1, "ARP, Reply server is-at 02:00:00:00:00:02, length 28");
    check_line(2, "client.5000 > 10.0.0.9.6000: UDP, length 3");
    check_line(3, "client.5000 > server.6000: UDP, length 0 lost");
    check_line(4, "client.port > 10.9.9.9.1234: Flags [S], seq 0, win 9, length 0");
    check_line(5, "client.port > fd00::9.1234: Flags [S], seq 0, win 9, length 0");
}
END_TEST

START_TEST(segments_cut_off)
{
    /* a frame that ends inside the TCP header is no segment, but is told */
    static uint8_t buf[BUILD_MAX_FRAME];
    build_tcp(buf, TCP(.flags = "S", .seq = 77));
    for (size_t n = 0; n < 54; n++)
        build_seen(record, 0, BUILD_OUT, (nsec)n, buf, n);
    build_done(record, SEC(1));
    story = story_new(record);
    ck_assert_uint_gt(story->segments.n, 10);
    vec_each (&story->segments, s) {
        struct strbuf sb cleanup_strbuf = STRBUF_INIT;
        story_format(&sb, story, s);
        ck_assert_uint_gt(sb.len, 0);
    }
}
END_TEST

static void check_call(const struct record_call *c, const char *want)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    story_format_call(&sb, record, c);
    ck_assert_str_eq(strbuf_cstr(&sb), want);
}

START_TEST(calls)
{
    check_call(build_call(record, 0, "connect", "server 1234", 0, SEC(1), ETIMEDOUT, 0),
               "client: connect server 1234 => ETIMEDOUT");
    check_call(build_call(record, 1, "accept", "", 0, 1, 0, 0), "server: accept");
    check_call(build_call(record, 0, "send", "\"hello world\\n\"", 0, 1, 0, 12),
               "client: send \"hello world\\n\" => 12");
    check_call(build_call(record, 1, "recv", "12", 0, 1, 0, 0), "server: recv 12 => 0");
    check_call(build_call(record, 1, "recv", "12", 0, 0, 0, 0),
               "server: recv 12 => (not finished)");

    struct record_call *c = build_call(record, 0, "close", "", 0, 1, 0, 0);
    c->as = xstrdup("b");
    check_call(c, "client as b: close");
    c->expected = xstrdup("0");
    check_call(c, "client as b: close => 0");

    c = build_call(record, 0, "state", "", 0, 1, 0, 0);
    c->text = xstrdup("ESTABLISHED");
    c->text_len = strlen(c->text);
    check_call(c, "client: state => ESTABLISHED");

    c = build_call(record, 0, "recv", "9", 0, 1, 0, 6);
    static const char text[] = "a\"\n\\\0n";
    c->text = xmemdup(text, 6);
    c->text_len = 6;
    check_call(c, "client: recv 9 => 6");
    c->expected = xstrdup("\"…\"");
    check_call(c, "client: recv 9 => \"a\\\"\\n\\\\\\x00n\"");
    c->host = 55;
    c->ended = 0;
    check_call(c, "?: recv 9 => (not finished)");
}
END_TEST

static Suite *suite_story_format(void)
{
    Suite *s = suite_create("story-format");
    TCase *t = tcase_create("format");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, a_conversation);
    tcase_add_test(t, a_closed_port);
    tcase_add_test(t, other_packets);
    tcase_add_test(t, segments_cut_off);
    tcase_add_test(t, calls);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_story_format)
