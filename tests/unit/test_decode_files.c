#include "unit.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/memory.h"
#include "capture/file.h"
#include "capture/pcapng_read.h"

static char path[] = "/tmp/tcplab-test-XXXXXX";
static struct strbuf bytes;

static void setup(void)
{
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    strbuf_truncate(&bytes, 0);
}

static void teardown(void)
{
    unlink(path);
    strbuf_free(&bytes);
}

static void write_file(void)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(strbuf_cstr(&bytes), 1, bytes.len, f), bytes.len);
    ck_assert_int_eq(fclose(f), 0);
}

static void add(uint64_t v, unsigned n, bool big)
{
    for (unsigned i = 0; i < n; i++)
        strbuf_putc(&bytes, (char)(v >> 8 * (big ? n - 1 - i : i)));
}

static void add_block(uint32_t type, const struct strbuf *body, bool big)
{
    uint32_t len = (uint32_t)body->len + 12;
    add(type, 4, big);
    add(len, 4, big);
    strbuf_add(&bytes, strbuf_cstr(body), body->len);
    add(len, 4, big);
}

/* Numbers of a body in a row: { value, bytes } up to { 0, 0 }. */
struct number {
    uint64_t value;
    unsigned bytes;
};

static void add_numbers(uint32_t type, bool big, const struct number *n)
{
    struct strbuf whole = bytes;
    bytes = (struct strbuf)STRBUF_INIT;
    for (; n->bytes; n++)
        add(n->value, n->bytes, big);
    struct strbuf body = bytes;
    bytes = whole;
    add_block(type, &body, big);
    strbuf_free(&body);
}
#define ADD(type, big, ...) add_numbers(type, big, (const struct number[]){__VA_ARGS__, {0, 0}})

static void add_section(bool big)
{
    ADD(0x0a0d0d0a, big, {0x1a2b3c4d, 4}, {1, 2}, {0, 2}, {UINT64_MAX, 8});
}

/* An interface "eth0" with nanosecond stamps and the filter "tcp". */
static void add_ethernet(bool big)
{
    ADD(1, big, {DLT_EN10MB, 2}, {0, 2}, {0, 4},                /* */
        {2, 2}, {4, 2}, {'e', 1}, {'t', 1}, {'h', 1}, {'0', 1}, /* if_name */
        {9, 2}, {1, 2}, {9, 1}, {0, 3},                         /* if_tsresol */
        {11, 2}, {4, 2}, {0, 1}, {'t', 1}, {'c', 1}, {'p', 1},  /* if_filter */
        {0, 4});
}

static void add_packet(uint32_t interface, uint64_t time, bool big)
{
    ADD(6, big, {interface, 4}, {time >> 32, 4}, {time & 0xffffffff, 4}, {3, 4}, {60, 4}, {0xa, 1},
        {0xb, 1}, {0xc, 1}, {0, 1},                 /* data, padded */
        {1, 2}, {2, 2}, {'h', 1}, {'i', 1}, {0, 2}, /* opt_comment */
        {2, 2}, {4, 2}, {2, 4}, {0, 4});            /* epb_flags: outbound */
}

static struct pcapng_reader *open_pcapng(void)
{
    struct error err = ERROR_INIT;
    write_file();
    struct pcapng_reader *r = pcapng_open(fopen(path, "rbe"), path, &err);
    ck_assert_msg(r != NULL, "%s", err.message);
    return r;
}

/* Reads to an error, whose text must hold `text`; returns the packets before it. */
static int count_to_error(const char *text)
{
    struct error err = ERROR_INIT;
    struct pcapng_packet p;
    struct pcapng_reader *r = open_pcapng();
    int n = 0, got;
    while ((got = pcapng_next(r, &p, &err)) > 0)
        n++;
    ck_assert_int_eq(got, -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_msg(strstr(err.message, text) != NULL, "%s", err.message);
    error_clear(&err);
    pcapng_close(r);
    return n;
}

START_TEST(pcapng_in_both_byte_orders)
{
    bool big = _i;
    struct error err = ERROR_INIT;
    struct pcapng_packet p;
    add_section(big);
    add_ethernet(big);
    ADD(0x0bad, big, {1, 4});
    add_packet(0, 1700000000123456789, big);
    ADD(5, big, {0, 4}, {0, 8}, {4, 2}, {8, 2}, {10, 8}, {5, 2}, {8, 2}, {3, 8}, {0, 4});
    struct pcapng_reader *r = open_pcapng();
    ck_assert_int_eq(pcapng_next(r, &p, &err), 1);
    ck_assert(p.frame.time == 1700000000123456789);
    ck_assert_uint_eq(p.frame.caplen, 3);
    ck_assert_uint_eq(p.frame.wirelen, 60);
    ck_assert_uint_eq(p.frame.data[2], 0xc);
    ck_assert_int_eq(p.frame.linktype, DLT_EN10MB);
    ck_assert(p.outgoing && !p.incoming);
    ck_assert_uint_eq(p.comment_len, 2);
    ck_assert_int_eq(memcmp(p.comment, "hi", 2), 0);
    ck_assert_int_eq(pcapng_next(r, &p, &err), 0);
    ck_assert_uint_eq(pcapng_interfaces(r), 1);
    const struct pcapng_source *i = pcapng_interface(r, 0);
    ck_assert_str_eq(i->name, "eth0");
    ck_assert_str_eq(i->filter, "tcp");
    ck_assert(i->has_statistics && i->received == 10 && i->dropped == 3);
    pcapng_close(r);
}
END_TEST

START_TEST(interfaces_count_on_over_sections)
{
    struct error err = ERROR_INIT;
    struct pcapng_packet p;
    add_section(false);
    add_ethernet(false);
    add_section(true);
    ADD(1, true, {101, 2}, {0, 2}, {2, 4}); /* raw IP, snap length 2, no options: microseconds */
    add_packet(0, 1500000, true);
    ADD(3, true, {60, 4}, {0x4500, 2}, {0, 2});
    struct pcapng_reader *r = open_pcapng();
    ck_assert_int_eq(pcapng_next(r, &p, &err), 1);
    ck_assert_uint_eq(p.interface, 1);
    ck_assert_int_eq(p.frame.linktype, DLT_RAW);
    ck_assert(p.frame.time == 1500 * NSEC_PER_MSEC);
    ck_assert_int_eq(pcapng_next(r, &p, &err), 1);
    ck_assert_uint_eq(p.frame.caplen, 2);
    ck_assert_uint_eq(p.frame.wirelen, 60);
    ck_assert_ptr_null(pcapng_interface(r, 1)->name);
    pcapng_close(r);
}
END_TEST

START_TEST(a_cut_pcapng_gives_what_came_before)
{
    add_section(false);
    add_ethernet(false);
    add_packet(0, 1, false);
    size_t whole = bytes.len;
    add_packet(0, 2, false);
    for (size_t end = whole + 1; end < bytes.len; end++) {
        struct strbuf all = bytes;
        bytes.len = end;
        ck_assert_int_eq(count_to_error("cut off"), 1);
        bytes = all;
    }
}
END_TEST

START_TEST(damaged_blocks)
{
    static const struct {
        const char *text;
        uint32_t type;
        struct number body[8];
    } damages[] = {
        {"not described", 6, {{9, 4}, {0, 8}, {0, 4}, {0, 4}}},
        {"shorter than its packet", 6, {{0, 4}, {0, 8}, {1000, 4}, {1000, 4}}},
        {"shorter than its packet", 6, {{0, 4}, {0, 8}, {UINT32_MAX, 4}, {UINT32_MAX, 4}}},
        {"shorter than its packet", 6, {{0, 4}}},
        {"shorter than its packet", 3, {{1000, 4}}},
        {"too short", 1, {{1, 4}}},
        {"resolution", 1, {{1, 4}, {0, 4}, {9, 2}, {1, 2}, {20, 1}, {0, 3}}},
        {"resolution", 1, {{1, 4}, {0, 4}, {9, 2}, {1, 2}, {0xff, 1}, {0, 3}}},
        {"no byte order", 0x0a0d0d0a, {{0x12345678, 4}, {0, 4}}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        strbuf_truncate(&bytes, 0);
        add_section(false);
        add_ethernet(false);
        add_packet(0, 1, false);
        add_numbers(damages[i].type, false, damages[i].body);
        ck_assert_int_eq(count_to_error(damages[i].text), 1);
    }
}
END_TEST

START_TEST(lengths_that_lie)
{
    static const uint32_t lengths[] = {0, 4, 8, 13, 14, 15, 0x7ffffffc, 0xfffffffc};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        strbuf_truncate(&bytes, 0);
        add_section(false);
        add(6, 4, false);
        add(lengths[i], 4, false);
        strbuf_pad(&bytes, 'x', 64);
        ck_assert_int_eq(count_to_error("damaged"), 0);
    }
    strbuf_truncate(&bytes, 0);
    add_section(false);
    add(0x0bad, 4, false);
    add(16, 4, false);
    add(0, 4, false);
    add(20, 4, false);
    ck_assert_int_eq(count_to_error("two lengths"), 0);
}
END_TEST

START_TEST(option_lengths_that_lie)
{
    struct error err = ERROR_INIT;
    struct pcapng_packet p;
    add_section(false);
    add_ethernet(false);
    ADD(6, false, {0, 4}, {0, 8}, {0, 4}, {0, 4}, {1, 2}, {0xffff, 2}, {'x', 4});
    struct pcapng_reader *r = open_pcapng();
    ck_assert_int_eq(pcapng_next(r, &p, &err), 1);
    ck_assert_ptr_null(p.comment);
    pcapng_close(r);
}
END_TEST

static void fails_to_open(const char *text)
{
    struct error err = ERROR_INIT;
    write_file();
    ck_assert_ptr_null(capture_file_open(path, NULL, &err));
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_msg(strstr(err.message, text) != NULL, "%s", err.message);
    error_clear(&err);
}

START_TEST(files_that_are_no_capture)
{
    fails_to_open("is empty");
    strbuf_puts(&bytes, "This is a text, and no capture at all.");
    fails_to_open("is no capture file");
    struct error err = ERROR_INIT;
    ck_assert_ptr_null(pcapng_open(fopen(path, "rbe"), path, &err));
    ck_assert_ptr_nonnull(strstr(err.message, "no pcapng file"));
    error_clear(&err);
    ck_assert_ptr_null(capture_file_open("/nonexistent/x.pcap", NULL, &err));
    ck_assert_int_eq(err.sys, ENOENT);
    error_clear(&err);
}
END_TEST

static void add_pcap_frame(uint32_t sec, uint32_t nsec_part, uint32_t caplen, uint32_t present)
{
    add(sec, 4, false);
    add(nsec_part, 4, false);
    add(caplen, 4, false);
    add(caplen, 4, false);
    strbuf_pad(&bytes, '\x45', present);
}

static void add_pcap_header(void)
{
    add(0xa1b23c4d, 4, false);
    add(2, 2, false);
    add(4, 2, false);
    add(0, 8, false);
    add(65535, 4, false);
    add(101, 4, false);
}

START_TEST(a_cut_pcap_gives_what_came_before)
{
    struct error err = ERROR_INIT;
    struct frame frame;
    add_pcap_header();
    add_pcap_frame(7, 123456789, 40, 40);
    add_pcap_frame(8, 0, 40, 39);
    write_file();
    struct capture_file *f = capture_file_open(path, NULL, &err);
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(capture_file_linktype(f), DLT_RAW);
    ck_assert_int_eq(capture_file_next(f, &frame, &err), 1);
    ck_assert(frame.time == 7123456789);
    ck_assert_int_eq(capture_file_next(f, &frame, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "cut off"));
    error_clear(&err);
    capture_file_close(f);
}
END_TEST

START_TEST(filters)
{
    struct error err = ERROR_INIT;
    struct frame frame;
    add_pcap_header();
    add_pcap_frame(7, 0, 40, 40);
    add_pcap_frame(8, 0, 50, 50);
    write_file();
    struct capture_file *f = capture_file_open(path, "greater 50", &err);
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(capture_file_next(f, &frame, &err), 1);
    ck_assert_uint_eq(frame.caplen, 50);
    ck_assert_int_eq(capture_file_next(f, &frame, &err), 0);
    capture_file_close(f);
    ck_assert_ptr_null(capture_file_open(path, "prt 23", &err));
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_ptr_nonnull(err.hint);
    error_clear(&err);
}
END_TEST

static Suite *suite_decode_files(void)
{
    Suite *s = suite_create("decode-files");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, pcapng_in_both_byte_orders, 0, 2);
    tcase_add_test(t, interfaces_count_on_over_sections);
    tcase_add_test(t, a_cut_pcapng_gives_what_came_before);
    tcase_add_test(t, damaged_blocks);
    tcase_add_test(t, lengths_that_lie);
    tcase_add_test(t, option_lengths_that_lie);
    tcase_add_test(t, files_that_are_no_capture);
    tcase_add_test(t, a_cut_pcap_gives_what_came_before);
    tcase_add_test(t, filters);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_decode_files)
