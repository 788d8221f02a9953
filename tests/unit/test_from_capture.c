/* Records from captures that somebody made elsewhere. */
#include "unit.h"

#include <pcap/pcap.h>
#include <stdio.h>

#include "build_packet.h"
#include "record/from_capture.h"
#include "transcript/story.h"

#define TCP(...) (&(struct build_tcp){__VA_ARGS__})

static const char two_hosts[] = "# A lab\n\nText.\n\n```lab\n"
                                "host client 10.0.0.1/24\n"
                                "host server 10.0.0.2/24\n"
                                "capture client server \"tcp port 1234\"\n"
                                "server listen 1234\n"
                                "client connect server 1234\n"
                                "server accept\n"
                                "```\n";

static char path[] = "/tmp/test-from-capture-XXXXXX";
static struct lab *lab;
static struct diags diags;
static pcap_t *dead;
static pcap_dumper_t *dumper;
static size_t strip;
static struct record *record;
static struct story *story;
static struct error err;

static void use_lab(const char *text)
{
    struct source src;
    lab_free(lab);
    source_from(&src, "labs/x.md", text, strlen(text));
    lab = lab_parse(&src, NULL, 0, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
}

/* Frames go to the file from their Ethernet header on, or, with DLT_RAW, behind it. */
static void use_link(int linktype)
{
    if (dumper) {
        pcap_dump_close(dumper);
        pcap_close(dead);
    }
    dead = pcap_open_dead_with_tstamp_precision(linktype, 262144, PCAP_TSTAMP_PRECISION_NANO);
    dumper = pcap_dump_open(dead, path);
    ck_assert_ptr_nonnull(dumper);
    strip = linktype == DLT_RAW ? 14 : 0;
}

static void begin(void)
{
    strcpy(path, "/tmp/test-from-capture-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    lab = NULL;
    dumper = NULL;
    record = NULL;
    story = NULL;
    err = (struct error)ERROR_INIT;
    use_lab(two_hosts);
    use_link(DLT_EN10MB);
}

static void end(void)
{
    story_free(story);
    record_free(record);
    error_clear(&err);
    lab_free(lab);
    diags_free(&diags);
    unlink(path);
}

static void put(nsec at, const uint8_t *buf, size_t n)
{
    struct pcap_pkthdr h = {.ts = {.tv_sec = at / NSEC_PER_SEC, .tv_usec = at % NSEC_PER_SEC},
                            .caplen = (bpf_u_int32)(n - strip),
                            .len = (bpf_u_int32)(n - strip)};
    pcap_dump((u_char *)dumper, &h, buf + strip);
}

static void put_tcp(nsec at, const struct build_tcp *b)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    put(at, buf, build_tcp(buf, b));
}

static void put_handshake(const char *client, const char *server, uint16_t sport, uint16_t dport)
{
    put_tcp(1, TCP(.src = client, .dst = server, .sport = sport, .dport = dport, .flags = "S",
                   .seq = 500));
    put_tcp(2, TCP(.src = client, .dst = server, .sport = sport, .dport = dport, .reply = true,
                   .flags = "S.", .seq = 900, .ack = 501));
    put_tcp(3, TCP(.src = client, .dst = server, .sport = sport, .dport = dport, .flags = ".",
                   .seq = 501, .ack = 901));
}

static void load(void)
{
    pcap_dump_close(dumper);
    pcap_close(dead);
    dumper = NULL;
    record = record_from_capture(lab, path, &err);
    if (record)
        story = story_new(record);
}

static void check(size_t i, const char *want)
{
    ck_assert_msg(record != NULL, "%s", err.message);
    ck_assert_uint_lt(i, story->segments.n);
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    story_format(&sb, story, &story->segments.at[i]);
    ck_assert_msg(strncmp(strbuf_cstr(&sb), want, strlen(want)) == 0, "%s", strbuf_cstr(&sb));
}

static void check_handshake(size_t segments)
{
    check(0, "client.port > server.1234: Flags [S], seq 0, ");
    check(1, "server.1234 > client.port: Flags [S.], seq 0, ack 1, ");
    check(2, "client.port > server.1234: Flags [.], ack 1, ");
    ck_assert_uint_eq(story->segments.n, segments);
    ck_assert(!record->has_calls);
    ck_assert_int_eq(record->tick, 0);
}

START_TEST(the_labs_own_addresses)
{
    put_handshake("10.0.0.1", "10.0.0.2", 40000, 1234);
    load();
    check_handshake(3);
    ck_assert_uint_eq(record->remarks.n, 1);
    ck_assert_int_eq(story->segments.at[0].fate, FATE_UNKNOWN);
    ck_assert(story->segments.at[1].due_ack.known);
}
END_TEST

START_TEST(other_addresses_by_their_role)
{
    put_tcp(0, TCP(.src = "192.168.0.7", .dst = "192.168.0.8", .dport = 80, .flags = "S"));
    put_tcp(0, TCP(.src = "192.168.0.9", .dst = "192.168.0.1", .dport = 1234, .sport = 1,
                   .reply = true, .flags = "."));
    put_handshake("192.168.0.9", "192.168.0.1", 50000, 1234);
    load();
    check(0, "server.1234 > client.1: Flags [.], ");
    check(1, "client.port > server.1234: Flags [S], ");
    ck_assert_uint_eq(record->packets.n, 4);
    ck_assert_uint_eq(record->remarks.n, 3);
    ck_assert_str_eq(record->remarks.at[0], "192.168.0.9 was taken for client");
    ck_assert_str_eq(record->remarks.at[1], "192.168.0.1 was taken for server");
}
END_TEST

START_TEST(a_capture_that_began_after_the_handshake)
{
    put_tcp(2, TCP(.src = "192.168.0.1", .dst = "192.168.0.9", .sport = 1234, .dport = 50000,
                   .flags = "P.", .seq = 77, .ack = 99, .len = 4));
    load();
    check(0, "server.1234 > client.port: Flags [P.], seq 1:5, ack 1, ");
}
END_TEST

START_TEST(both_ends_on_loopback)
{
    use_link(DLT_RAW);
    put_handshake("127.0.0.1", "127.0.0.1", 36702, 1234);
    load();
    check_handshake(3);
    ck_assert_str_eq(record->remarks.at[0], "127.0.0.1 was taken for client");
    ck_assert_str_eq(record->remarks.at[1], "127.0.0.1 port 1234 was taken for server");
    ck_assert_int_eq(record->points.at[0].linktype, DLT_RAW);
}
END_TEST

START_TEST(version_6)
{
    put_handshake("2001:db8::5", "2001:db8::6", 36702, 1234);
    load();
    check_handshake(3);
}
END_TEST

START_TEST(a_third_machine_stays_a_stranger)
{
    put_handshake("192.168.0.9", "192.168.0.1", 50000, 1234);
    put_tcp(9, TCP(.src = "192.168.0.66", .dst = "192.168.0.1", .flags = "S"));
    put_tcp(9, TCP(.src = "192.168.0.66", .dst = "192.168.0.67", .flags = "."));
    load();
    check_handshake(4);
    check(3, "192.168.0.66.port > server.1234: Flags [S], ");
    ck_assert_str_eq(record->remarks.at[2], "1 packet between other hosts was left out");
}
END_TEST

START_TEST(each_packet_twice)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    struct build_tcp b = {.flags = "S", .seq = 500, .id = 1};
    for (nsec at = 0; at < 3; at++) {
        b.id++;
        put(at * NSEC_PER_SEC, buf, build_tcp(buf, &b));
        buf[22]--; /* a router's TTL, and its checksum is nobody's business here */
        put(at * NSEC_PER_SEC + 40, buf, build_tcp(buf, &b));
    }
    load();
    ck_assert_uint_eq(story->segments.n, 3);
    ck_assert_uint_eq(record->remarks.n, 2);
    check(2, "client.port > server.1234: Flags [S], ");
}
END_TEST

START_TEST(equal_packets_that_are_two)
{
    struct build_tcp b = {.flags = "S", .seq = 500};
    put_tcp(0, &b);
    put_tcp(NSEC_PER_SEC, &b);
    b = (struct build_tcp){.flags = ".", .seq = 501, .ack = 1, .len = 1};
    put_tcp(2 * NSEC_PER_SEC, &b);
    put_tcp(2 * NSEC_PER_SEC + 1, &b);
    load();
    ck_assert_uint_eq(story->segments.n, 4);
    ck_assert(story->segments.at[1].retransmission);
}
END_TEST

START_TEST(a_bound_port_is_no_ephemeral_one)
{
    use_lab("# A lab\n\nText.\n\n```lab\n"
            "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
            "capture client \"tcp port 1234\"\ncapture server \"\"\n"
            "server listen 1234\nclient bind 5000\nclient connect server 1234\n```\n");
    put_handshake("1.1.1.1", "2.2.2.2", 5000, 1234);
    load();
    check(0, "client.5000 > server.1234: Flags [S], ");
    ck_assert_str_eq(record->points.at[0].filter, "");
}
END_TEST

START_TEST(programs_have_roles_too)
{
    use_lab("# A lab\n\nText.\n\n```lab\n"
            "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
            "capture client server \"tcp\"\n"
            "run server nc -l -p 99 &\nrun client nc -n 10.0.0.2 99\n```\n");
    put_handshake("1.1.1.1", "2.2.2.2", 5000, 99);
    load();
    check(0, "client.port > server.99: Flags [S], ");
}
END_TEST

START_TEST(nothing_that_fits)
{
    put_handshake("1.1.1.1", "2.2.2.2", 5000, 80);
    load();
    ck_assert_ptr_null(record);
    ck_assert_ptr_nonnull(strstr(err.message, "no packet that the capture filter of the lab x"));
    ck_assert_str_eq(err.hint, "the filter is \"(tcp port 1234)\"");
    ck_assert_int_eq(err.status, STATUS_USAGE);
}
END_TEST

START_TEST(nobody_of_the_lab)
{
    use_lab("# A lab\n\nText.\n\n```lab\n"
            "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
            "capture client \"tcp\"\n"
            "server listen 1234\nclient connect server 1234\n```\n");
    put_handshake("1.1.1.1", "2.2.2.2", 5000, 80);
    load();
    ck_assert_ptr_null(record);
    ck_assert_ptr_nonnull(strstr(err.message, "of 3 packets that the capture filter takes"));
    ck_assert_str_eq(err.hint, "in this lab client connects to server at port 1234; so it must be "
                               "in the capture");
}
END_TEST

START_TEST(unkind_files)
{
    pcap_dump_close(dumper);
    pcap_close(dead);
    ck_assert_ptr_null(record_from_capture(lab, "/nowhere/at/all.pcap", &err));
    ck_assert_int_eq(err.status, STATUS_USAGE);
    error_clear(&err);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_ptr_null(record_from_capture(lab, path, &err));
    error_clear(&err);
    dumper = NULL;
    use_link(DLT_EN10MB);
    put_handshake("10.0.0.1", "10.0.0.2", 40000, 1234);
    pcap_dump_close(dumper);
    pcap_close(dead);
    ck_assert_int_eq(truncate(path, 24 + 2 * (16 + 54) + 30), 0);
    record = record_from_capture(lab, path, &err);
    ck_assert_ptr_nonnull(record);
    ck_assert(!error_is_set(&err));
    ck_assert_uint_eq(record->packets.n, 2);
    ck_assert_ptr_nonnull(strstr(record->remarks.at[0], "is cut off"));
}
END_TEST

static Suite *suite_from_capture(void)
{
    Suite *s = suite_create("from-capture");
    TCase *t = tcase_create("from-capture");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, the_labs_own_addresses);
    tcase_add_test(t, other_addresses_by_their_role);
    tcase_add_test(t, a_capture_that_began_after_the_handshake);
    tcase_add_test(t, both_ends_on_loopback);
    tcase_add_test(t, version_6);
    tcase_add_test(t, a_third_machine_stays_a_stranger);
    tcase_add_test(t, each_packet_twice);
    tcase_add_test(t, equal_packets_that_are_two);
    tcase_add_test(t, a_bound_port_is_no_ephemeral_one);
    tcase_add_test(t, programs_have_roles_too);
    tcase_add_test(t, nothing_that_fits);
    tcase_add_test(t, nobody_of_the_lab);
    tcase_add_test(t, unkind_files);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_from_capture)
