#include "unit.h"

#include "build_packet.h"
#include "record/doubles.h"
#include "record/frames.h"

START_TEST(sorting_keeps_what_is_of_one_instant_in_order)
{
    struct record *r = build_record();
    for (uint16_t i = 0; i < 1000; i++)
        build_seen_tcp(r, 0, BUILD_OUT, (i % 10) * NSEC_PER_MSEC, &(struct build_tcp){.id = i});
    build_call(r, 0, "send", "b", 5, 6, 0, 0);
    build_call(r, 0, "send", "c", 5, 6, 0, 0);
    build_call(r, 0, "send", "a", 4, 6, 0, 0);
    record_sort(r);
    for (size_t i = 0; i < r->packets.n; i++) {
        unsigned id =
            (unsigned)r->packets.at[i].frame.data[18] << 8 | r->packets.at[i].frame.data[19];
        ck_assert_uint_eq(id, i % 100 * 10 + i / 100);
    }
    ck_assert_str_eq(r->calls.at[0].args, "a");
    ck_assert_str_eq(r->calls.at[1].args, "b");
    ck_assert_str_eq(r->calls.at[2].args, "c");
    /* and it can grow afterwards */
    build_seen_tcp(r, 0, BUILD_OUT, 0, &(struct build_tcp){.id = 1});
    ck_assert_uint_eq(r->packets.n, 1001);
    record_free(r);
}
END_TEST

START_TEST(an_empty_record_sorts_and_goes)
{
    struct record *r = record_new();
    record_sort(r);
    struct ipaddr a;
    ck_assert(ipaddr_parse(&a, "10.0.0.1", 8));
    ck_assert_int_eq(record_find_host(r, &a), -1);
    record_add_packet(r, 0, false, false, &(struct frame){.wirelen = 60});
    record_sort(r);
    ck_assert_uint_eq(r->packets.n, 1);
    record_free(r);
    record_free(NULL);
}
END_TEST

START_TEST(hosts_are_found_by_any_address)
{
    struct record *r = build_record();
    struct ipaddr a;
    ck_assert(ipaddr_parse(&a, "10.0.0.2", 8));
    ck_assert_int_eq(record_find_host(r, &a), 1);
    ck_assert(ipaddr_parse(&a, "fd00::1", 7));
    ck_assert_int_eq(record_find_host(r, &a), 0);
    ck_assert(ipaddr_parse(&a, "10.0.0.3", 8));
    ck_assert_int_eq(record_find_host(r, &a), -1);
    ck_assert_int_eq(record_find_host(r, &(struct ipaddr){0}), -1);
    record_free(r);
}
END_TEST

/* A glance is sorted; what it was taken from stays as it is, and goes on. */
START_TEST(a_glance_changes_nothing)
{
    struct record *r = build_record();
    build_seen_tcp(r, 0, BUILD_OUT, 2 * NSEC_PER_MSEC, &(struct build_tcp){.id = 2});
    build_seen_tcp(r, 1, BUILD_IN, 1 * NSEC_PER_MSEC, &(struct build_tcp){.id = 1});
    build_call(r, 0, "send", "b", 5, 6, 0, 0);
    build_call(r, 0, "send", "a", 4, 6, 0, 0);
    struct record *glance = record_glance(r, 7);
    ck_assert_int_eq(glance->packets.at[0].point, 1);
    ck_assert_str_eq(glance->calls.at[0].args, "a");
    ck_assert_int_eq(glance->ended, 7);
    record_glance_free(glance);
    record_glance_free(NULL);
    ck_assert_int_eq(r->packets.at[0].point, 0);
    ck_assert_str_eq(r->calls.at[0].args, "b");
    build_call(r, 0, "send", "c", 7, 8, 0, 0);
    record_free(r);
}
END_TEST

/* Wherever frames are cut off, of two equal ones of which an IP header is left one goes. */
START_TEST(doubles_that_are_cut_off)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    static const struct build_tcp syn = {.flags = "S"}, data = {.flags = "P.", .seq = 1, .len = 9};
    size_t len = build_tcp(buf, &data);
    for (size_t cut = 0; cut <= len; cut++) {
        struct record *r = build_record();
        for (int i = 0; i < 2; i++)
            build_seen_tcp(r, 0, BUILD_UNKNOWN, 0, &syn);
        for (int i = 0; i < 2; i++)
            build_seen(r, 0, BUILD_UNKNOWN, NSEC_PER_MSEC, buf, cut);
        build_done(r, 0);
        record_leave_out_doubles(r);
        ck_assert_msg(r->packets.n == (cut < 14 + 20 ? 3 : 2), "cut at %zu: %zu", cut,
                      r->packets.n);
        record_free(r);
    }
}
END_TEST

/* Whole, too long, cut off in a frame and in its header, with a filter that takes nothing. */
START_TEST(frames_of_a_file)
{
    static const struct {
        const char *path, *filter;
        size_t most, packets, remarks;
        int ret;
    } cases[] = {
        {"tcp-conversation.pcap", NULL, 1000, 44, 0, 0},
        {"tcp-conversation.pcap", NULL, 44, 44, 0, 0},
        {"tcp-conversation.pcap", NULL, 43, 43, 0, 1},
        {"tcp-conversation.pcap", "udp", 1000, 0, 0, 0},
        {"cut-in-frame.pcap", NULL, 1000, 1, 1, 0},
        {"cut-in-frame.pcap", NULL, 1, 1, 1, 0},
        {"cut-in-file-header.pcap", NULL, 1000, 0, 0, -1},
        {"nowhere.pcap", NULL, 1000, 0, 0, -1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        struct record *r = record_new();
        cleanup_free char *path = xasprintf("tests/golden/decode/%s", cases[i].path);
        int ret = record_read_frames(r, path, cases[i].filter, cases[i].most, "counted", &err);
        ck_assert_msg(ret == cases[i].ret && r->packets.n == cases[i].packets &&
                          r->remarks.n == cases[i].remarks,
                      "%s: %d, %zu packets, %zu remarks", path, ret, r->packets.n, r->remarks.n);
        ck_assert_int_eq(ret < 0, err.message != NULL);
        if (r->remarks.n)
            ck_assert(strstr(r->remarks.at[0], "what comes before that is counted"));
        error_clear(&err);
        record_free(r);
    }
}
END_TEST

static Suite *suite_record(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");
    tcase_add_test(t, sorting_keeps_what_is_of_one_instant_in_order);
    tcase_add_test(t, an_empty_record_sorts_and_goes);
    tcase_add_test(t, hosts_are_found_by_any_address);
    tcase_add_test(t, a_glance_changes_nothing);
    tcase_add_test(t, frames_of_a_file);
    tcase_add_test(t, doubles_that_are_cut_off);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_record)
