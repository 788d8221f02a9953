/* A frame on the wire: how far it is decoded, and what may be changed of it. */
#include "unit.h"

#include "base/memory.h"
#include "build_packet.h"
#include "wire/frame.h"

enum { ETHERNET = 14, ECT_0 = 2 };

static struct wire_frame *frame_of(const struct build_tcp *b)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    return wire_frame_new(buf, (uint32_t)build_tcp(buf, b), 0);
}

/* A long frame's data is not added up for them; a short one is decoded like any other. */
START_TEST(headers_alone)
{
    static const uint32_t lengths[] = {10, 1000};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct packet p;
        cleanup_free struct wire_frame *f =
            frame_of(&(struct build_tcp){.flags = ".", .seq = 7, .len = lengths[i], .ts = true});
        wire_frame_decode_headers(f, &p);
        ck_assert_int_eq(p.transport, TRANSPORT_TCP);
        ck_assert_uint_eq(p.tcp.seq, 7);
        ck_assert_uint_eq(p.tcp.payload_len, lengths[i]);
        ck_assert(p.tcp.has_ts);
        ck_assert_int_eq(p.tcp.sum, i ? SUM_UNKNOWN : SUM_GOOD);
    }
}
END_TEST

/* A long segment behind `n` bytes of destination options (RFC 8200 4.6), all of them Pad1. */
static struct wire_frame *behind_options(size_t n)
{
    enum { IP6 = 40, IP6_LENGTH = 4, IP6_NEXT = 6, DESTINATION_OPTIONS = 60 };
    const size_t at = ETHERNET + IP6;
    cleanup_free struct wire_frame *f = frame_of(&(struct build_tcp){
        .src = "fd00::1", .dst = "fd00::2", .flags = ".", .seq = 7, .len = 1000, .ts = true});
    cleanup_free uint8_t *data = xcalloc(1, f->len + n);
    size_t length = f->len - at + n;
    memcpy(data, f->data, at);
    memcpy(data + at + n, f->data + at, f->len - at);
    data[ETHERNET + IP6_LENGTH] = (uint8_t)(length >> 8);
    data[ETHERNET + IP6_LENGTH + 1] = (uint8_t)length;
    data[at] = data[ETHERNET + IP6_NEXT];
    data[at + 1] = (uint8_t)(n / 8 - 1);
    data[ETHERNET + IP6_NEXT] = DESTINATION_OPTIONS;
    return wire_frame_new(data, (uint32_t)(f->len + n), 0);
}

/* Wherever the headers of a segment end, they are read. */
START_TEST(many_headers)
{
    for (size_t n = 8; n <= 800; n += 8) {
        struct packet p;
        cleanup_free struct wire_frame *f = behind_options(n);
        wire_frame_decode_headers(f, &p);
        ck_assert_int_eq(p.transport, TRANSPORT_TCP);
        ck_assert_uint_eq(p.tcp.seq, 7);
        ck_assert_uint_eq(p.tcp.payload_len, 1000);
        ck_assert_msg(p.tcp.has_ts, "behind %zu bytes", n);
    }
}
END_TEST

START_TEST(changed_frames_have_right_sums)
{
    static const struct wire_rule rules[] = {
        {.action = WIRE_REWRITE, .rewrite = WIRE_REWRITE_MSS, .value = 536},
        {.action = WIRE_REWRITE, .rewrite = WIRE_REWRITE_WINDOW, .value = 100},
        {.action = WIRE_REWRITE, .rewrite = WIRE_REWRITE_WITHOUT, .value = TCPOPT_SACK_OK},
    };
    static const char *const sources[] = {"10.0.0.1", "fd00::1"};
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        struct packet p;
        cleanup_free struct wire_frame *f =
            frame_of(&(struct build_tcp){.src = sources[i],
                                         .dst = i ? "fd00::2" : NULL,
                                         .flags = "S",
                                         .seq = 5000,
                                         .win = 64240,
                                         .mss = 1460,
                                         .sack_ok = true,
                                         .ts = true,
                                         .wscale = 7});
        for (size_t j = 0; j < ARRAY_SIZE(rules); j++) {
            wire_frame_decode(f, &p);
            ck_assert(wire_frame_rewrite(f, &p, &rules[j]));
        }
        wire_frame_decode(f, &p);
        ck_assert(!wire_frame_mark(f, &p)); /* it is not ECN-capable: RFC 3168 5 */
        wire_frame_decode(f, &p);
        ck_assert_uint_eq(p.ip.tos & 3, 0);
        f->data[ETHERNET + 1] |= i ? ECT_0 << 4 : ECT_0;
        wire_frame_put_sums(f);
        wire_frame_decode(f, &p);
        ck_assert(wire_frame_mark(f, &p));
        wire_frame_decode(f, &p);
        ck_assert_uint_eq(p.tcp.mss, 536);
        ck_assert_uint_eq(p.tcp.window, 100);
        ck_assert(!p.tcp.sack_ok && p.tcp.has_ts && p.tcp.has_wscale);
        ck_assert_uint_eq(p.ip.tos & 3, 3);
        ck_assert_int_eq(p.tcp.sum, SUM_GOOD);
        ck_assert(p.ip.version == 6 || p.ip.sum == SUM_GOOD);
        ck_assert(!wire_frame_rewrite(f, &p, &rules[2])); /* it is gone already */
        ck_assert(wire_frame_corrupt(f, &p));
        wire_frame_decode(f, &p);
        ck_assert_int_eq(p.tcp.sum, SUM_BAD);
        ck_assert(!wire_frame_corrupt(f, &p)); /* that might mend it */
    }
}
END_TEST

static Suite *suite_wire_frame(void)
{
    Suite *s = suite_create("wire-frame");
    TCase *t = tcase_create("frame");
    tcase_add_test(t, headers_alone);
    tcase_add_test(t, many_headers);
    tcase_add_test(t, changed_frames_have_right_sums);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_wire_frame)
