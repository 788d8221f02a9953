#include "picture/header.h"

#include <pcap/dlt.h>

#include "base/memory.h"
#include "build_packet.h"
#include "golden.h"
#include "scenes.h"
#include "unit.h"

static struct frame frame_of(const uint8_t *buf, size_t len)
{
    return (struct frame){
        .data = buf, .caplen = (uint32_t)len, .wirelen = (uint32_t)len, .linktype = DLT_EN10MB};
}

static const struct header_field *find(const struct headers *h, const char *title, const char *name)
{
    vec_each (&h->list, header)
        if (strcmp(header->title, title) == 0)
            vec_each (&header->fields, f)
                if (strcmp(f->name, name) == 0)
                    return f;
    ck_abort_msg("no %s in %s", name, title);
    return NULL;
}

#define assert_field(h, title, name, wanted_offset, wanted_hex, wanted_value, wanted_meaning)      \
    do {                                                                                           \
        const struct header_field *f_ = find(h, title, name);                                      \
        ck_assert_uint_eq(f_->offset, wanted_offset);                                              \
        ck_assert_str_eq(f_->hex, wanted_hex);                                                     \
        ck_assert_str_eq(f_->value, wanted_value);                                                 \
        ck_assert_str_eq(f_->meaning, wanted_meaning);                                             \
    } while (0)

static void put(struct strbuf *sb, const struct headers *headers)
{
    vec_each (&headers->list, h) {
        struct figure figure;
        strbuf_printf(sb, "%s (%s), at byte %u, %u bytes\n", h->title,
                      h->source ? h->source : "drawn nowhere", h->offset, h->len);
        figure_draw(&figure, h);
        for (struct figure_row *row = figure.rows.at;
             h->source && row < figure.rows.at + figure.rows.n; row++) {
            if (row->offset >= 0)
                strbuf_printf(sb, "%4ld  %s\n", row->offset, row->text);
            else
                strbuf_printf(sb, "      %s\n", row->text);
        }
        figure_free(&figure);
        vec_each (&h->fields, f)
            strbuf_printf(sb, "%4u  %s = %s (%s)%s%s\n", f->offset, f->name, f->value, f->hex,
                          f->meaning[0] ? ": " : "", f->meaning);
        strbuf_putc(sb, '\n');
    }
}

static void put_segment(struct strbuf *sb, const struct story *story, size_t i)
{
    const struct story_segment *s = &story->segments.at[i];
    struct headers *h = headers_new(&story->record->packets.at[s->packet].frame, story, s);
    put(sb, h);
    headers_free(h);
}

START_TEST(a_conversation)
{
    struct record *r = scene_conversation();
    struct story *story = story_new(r);
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    put_segment(&sb, story, 0);
    put_segment(&sb, story, 3);
    golden_check("header/conversation.txt", sb.data, sb.len);
    story_free(story);
    record_free(r);
}
END_TEST

START_TEST(other_packets)
{
    static uint8_t buf[BUILD_MAX_FRAME], inner[BUILD_MAX_FRAME];
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    size_t len[5], n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(len); i++) {
        if (i == 0)
            n = build_tcp(buf, &(struct build_tcp){.src = "fd00::1",
                                                   .dst = "fd00::2",
                                                   .flags = ".",
                                                   .seq = 1,
                                                   .ack = 5,
                                                   .win = 9,
                                                   .ts = true,
                                                   .n_sack = 2,
                                                   .sack = {{10, 20}, {30, 40}}});
        else if (i == 1)
            n = build_udp(buf, "10.0.0.1", 53, "10.0.0.2", 5353, "abc", 3);
        else if (i == 2)
            n = build_arp(buf, 1, "10.0.0.1", "10.0.0.2");
        else if (i == 3)
            n = build_unreachable(buf, "10.0.0.2", "10.0.0.1", 3, inner,
                                  build_tcp(inner, &(struct build_tcp){.flags = "S"}));
        else
            n = build_tcp(buf, &(struct build_tcp){.flags = "F",
                                                   .bad_sum = true,
                                                   .options = (const uint8_t *)"\1\1\x7f\6abcd",
                                                   .options_len = 8});
        struct frame frame = frame_of(buf, n);
        struct headers *h = headers_new(&frame, NULL, NULL);
        put(&sb, h);
        headers_free(h);
    }
    golden_check("header/others.txt", sb.data, sb.len);
}
END_TEST

START_TEST(fields_of_a_syn)
{
    struct record *r = build_record();
    build_sent(r, 0, NSEC_PER_USEC,
               &(struct build_tcp){.flags = "S",
                                   .seq = 0x01020304,
                                   .win = 64240,
                                   .mss = 1460,
                                   .wscale = 7,
                                   .sack_ok = true,
                                   .ts = true,
                                   .tsval = 500});
    build_done(r, NSEC_PER_SEC);
    struct story *story = story_new(r);
    const struct story_segment *s = &story->segments.at[0];
    struct headers *h = headers_new(&r->packets.at[s->packet].frame, story, s);
    assert_field(h, "IPv4", "Source Address", 26, "0x0a000001", "10.0.0.1", "client");
    assert_field(h, "IPv4", "Protocol", 23, "0x06", "6", "TCP");
    assert_field(h, "TCP", "Source Port", 34, "0x9c40", "40000",
                 "of client, whose kernel chose it: port in the transcript");
    assert_field(h, "TCP", "Destination Port", 36, "0x04d2", "1234", "of server");
    assert_field(h, "TCP", "Sequence Number", 38, "0x01020304", "16909060",
                 "relative 0: where this direction begins; SYN takes this number");
    assert_field(h, "TCP", "Data Offset", 46, "0x0a", "10",
                 "10 words of 32 bits: a header of 40 bytes, 20 of them options");
    assert_field(h, "TCP", "SYN", 47, "0x01", "1",
                 "synchronize: opens this direction, and takes a sequence number");
    assert_field(h, "TCP", "Window", 48, "0xfaf0", "64240",
                 "64240 bytes: in a SYN it is never scaled");
    assert_field(h, "TCP", "Maximum Segment Size", 56, "0x05b4", "1460",
                 "bytes of data that a segment to the sender of this may carry");
    assert_field(h, "TCP", "Shift Count", 73, "0x07", "7",
                 "the windows that follow count in units of 128 bytes, if both sides scale");
    headers_free(h);
    story_free(story);
    record_free(r);
}
END_TEST

/* Whatever is missing or wrong: nothing is read that is not there, and every row is a row. */
START_TEST(frames_cut_off_and_broken)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    size_t len = build_tcp(
        buf, &(struct build_tcp){
                 .flags = "P.", .data = "hello", .ts = true, .n_sack = 1, .sack = {{1, 2}}});
    unsigned seed = 1;
    for (int round = 0; round < 600; round++) {
        size_t n = (size_t)round % (len + 1);
        uint8_t *copy = xmemdup(buf, n ? n : 1);
        for (int i = 0; round > (int)len && i < 3 && n; i++) {
            seed = seed * 1103515245 + 12345;
            copy[seed / 65536 % n] = (uint8_t)(seed >> 8);
        }
        struct frame frame = frame_of(copy, n);
        frame.wirelen = (uint32_t)len;
        struct headers *h = headers_new(&frame, NULL, NULL);
        vec_each (&h->list, header) {
            struct figure figure;
            figure_draw(&figure, header);
            vec_each (&figure.rows, row)
                ck_assert_uint_le(strlen(row->text), FIGURE_WIDTH);
            vec_each (&figure.spans, span) {
                ck_assert_uint_lt(span->field, header->fields.n);
                ck_assert_int_le(span->column + span->width, FIGURE_WIDTH);
                ck_assert_uint_lt((size_t)span->row, figure.rows.n);
            }
            figure_free(&figure);
            vec_each (&header->fields, f)
                ck_assert_int_eq(f->cut, strcmp(f->value, "?") == 0);
        }
        headers_free(h);
        free(copy);
    }
}
END_TEST

START_TEST(a_field_is_found_in_another_frame)
{
    static uint8_t a[BUILD_MAX_FRAME], b[BUILD_MAX_FRAME];
    struct frame frames[2] = {
        frame_of(a, build_tcp(a, &(struct build_tcp){.flags = "S", .mss = 1460, .wscale = 7})),
        frame_of(b, build_tcp(b, &(struct build_tcp){.flags = ".", .win = 7}))};
    struct headers *h[2] = {headers_new(&frames[0], NULL, NULL),
                            headers_new(&frames[1], NULL, NULL)};
    const struct header *tcp = &h[0]->list.at[2];
    ck_assert_str_eq(tcp->title, "TCP");
    for (size_t i = 0; i < tcp->fields.n; i++) {
        const struct header_field *f = headers_find(h[1], h[0], 2, i);
        ck_assert_int_eq(f != NULL, i < 17); /* the second has no options */
        if (f)
            ck_assert_str_eq(f->name, tcp->fields.at[i].name);
    }
    headers_free(h[0]);
    headers_free(h[1]);
}
END_TEST

static Suite *suite_header(void)
{
    Suite *s = suite_create("header");
    TCase *tc = tcase_create("header");
    tcase_add_test(tc, a_conversation);
    tcase_add_test(tc, other_packets);
    tcase_add_test(tc, fields_of_a_syn);
    tcase_add_test(tc, frames_cut_off_and_broken);
    tcase_add_test(tc, a_field_is_found_in_another_frame);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_header)
