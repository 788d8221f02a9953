#include "unit.h"

#include <pcap/dlt.h>

#include "base/memory.h"
#include "decode/cursor.h"
#include "decode/flows.h"
#include "transcript/print.h"

/* A SYN as Linux sends it, over IPv4 without a link header; the sums are right. */
static const uint8_t syn[] = {
    0x45, 0x00, 0x00, 0x3c, 0x00, 0x01, 0x40, 0x00, 0x40, 0x06, 0x26, 0xb9, 0x0a, 0x00, 0x00,
    0x01, 0x0a, 0x00, 0x00, 0x02, 0x0f, 0xa0, 0x04, 0xd2, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00,
    0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0xfc, 0xe6, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04,
    0x02, 0x08, 0x0a, 0x19, 0x6a, 0x0a, 0x62, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};
enum { IP = 20, TCP = 20 };

static struct packet decode_raw(const uint8_t *at, size_t n)
{
    struct packet p;
    struct frame frame = {
        .data = at, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .linktype = DLT_RAW};
    packet_decode(&p, &frame);
    return p;
}

/* An IPv4 segment with these options, padded with EOL. */
static struct packet decode_options(uint8_t buf[80], const uint8_t *options, size_t n)
{
    size_t padded = (n + 3) & ~(size_t)3;
    memset(buf, 0, 80);
    memcpy(buf, syn, IP + TCP);
    memcpy(buf + IP + TCP, options, n);
    buf[3] = (uint8_t)(IP + TCP + padded);
    buf[IP + 12] = (uint8_t)((TCP + padded) / 4 << 4);
    buf[IP + 13] = TCP_ACK;
    return decode_raw(buf, IP + TCP + padded);
}

static char *printed(const struct packet *p, const struct print_style *style)
{
    struct strbuf sb = STRBUF_INIT;
    print_packet(&sb, p, style);
    return strbuf_steal(&sb);
}

START_TEST(a_cursor_never_passes_the_end)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct cursor c = cursor_over(bytes, sizeof(bytes));
    ck_assert_uint_eq(cursor_u16(&c), 0x0102);
    ck_assert_uint_eq(cursor_u16(&c), 0);
    ck_assert(c.cut);
    ck_assert_uint_eq(cursor_u8(&c), 0); /* though one byte was there */
    c = cursor_over(bytes, sizeof(bytes));
    ck_assert_ptr_null(cursor_take(&c, SIZE_MAX));
    c = cursor_over(NULL, 10);
    ck_assert_uint_eq(cursor_u8(&c), 0);
    ck_assert(c.cut);
}
END_TEST

START_TEST(a_syn_and_its_options)
{
    struct packet p = decode_raw(syn, sizeof(syn));
    ck_assert_int_eq(p.net, NET_IP);
    ck_assert_int_eq(p.ip.sum, SUM_GOOD);
    ck_assert(p.ip.df && !p.ip.mf && !p.ip.fragment);
    ck_assert_int_eq(p.transport, TRANSPORT_TCP);
    ck_assert_uint_eq(p.tcp.sport, 4000);
    ck_assert_uint_eq(p.tcp.dport, 1234);
    ck_assert_uint_eq(p.tcp.seq, 1000);
    ck_assert_uint_eq(p.tcp.flags, TCP_SYN);
    ck_assert_uint_eq(p.tcp.window, 64240);
    ck_assert_int_eq(p.tcp.sum, SUM_GOOD);
    ck_assert_uint_eq(p.tcp.n_options, 5);
    ck_assert(p.tcp.has_mss && p.tcp.sack_ok && p.tcp.has_ts && p.tcp.has_wscale);
    ck_assert_uint_eq(p.tcp.mss, 1460);
    ck_assert_uint_eq(p.tcp.wscale, 7);
    ck_assert_uint_eq(p.tcp.tsval, 426379874);
    ck_assert_uint_eq(p.tcp.tsecr, 0);
    ck_assert_uint_eq(tcp_seq_len(&p.tcp), 1);
}
END_TEST

START_TEST(a_cut_header_is_no_transport)
{
    for (size_t n = 0; n < IP + TCP; n++)
        ck_assert_int_eq(decode_raw(syn, n).transport, TRANSPORT_NONE);
    for (size_t n = IP + TCP; n < sizeof(syn); n++) {
        struct packet p = decode_raw(syn, n);
        ck_assert_int_eq(p.transport, TRANSPORT_TCP);
        ck_assert_int_eq(p.tcp.sum, SUM_UNKNOWN);
        ck_assert_uint_eq(p.tcp.payload_len, 0);
        ck_assert(!p.tcp.has_wscale);
    }
}
END_TEST

START_TEST(a_wrong_checksum_is_told_from_the_right_one)
{
    uint8_t bad[sizeof(syn)];
    memcpy(bad, syn, sizeof(syn));
    bad[IP + 4] ^= 1;
    struct packet p = decode_raw(bad, sizeof(bad));
    ck_assert_int_eq(p.tcp.sum, SUM_BAD);
    ck_assert_uint_eq(p.tcp.sum_expected, 0xfbe6);
    ck_assert_int_eq(p.ip.sum, SUM_GOOD);
    bad[8]--;
    p = decode_raw(bad, sizeof(bad));
    ck_assert_int_eq(p.ip.sum, SUM_BAD);
    ck_assert_uint_eq(p.ip.sum_expected, 0x27b9);
}
END_TEST

START_TEST(only_a_right_length_makes_an_option_count)
{
    static const struct {
        uint8_t bytes[12];
        size_t n;
    } wrong[] = {
        {{2, 3, 5, 180}, 4}, {{2, 0, 5, 180}, 4}, {{2, 255, 5, 180}, 4},
        {{3, 4, 7, 0}, 4},   {{4, 3, 0, 0}, 4},   {{8, 8, 1, 2, 3, 4, 5, 6}, 8},
        {{1, 1, 1, 2}, 4},   {{0, 2, 4, 5}, 4},   {{5, 9, 1, 2, 3, 4, 5, 6, 7, 0}, 10},
        {{1, 1, 2, 4}, 4},
    };
    uint8_t buf[80];
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct packet p = decode_options(buf, wrong[i].bytes, wrong[i].n);
        ck_assert_int_eq(p.transport, TRANSPORT_TCP);
        ck_assert(!p.tcp.has_mss && !p.tcp.has_wscale && !p.tcp.sack_ok && !p.tcp.has_ts);
        ck_assert_uint_eq(p.tcp.n_sack, 0);
    }
}
END_TEST

START_TEST(forty_options_fit)
{
    uint8_t options[40], buf[80];
    memset(options, TCPOPT_NOP, sizeof(options));
    struct packet p = decode_options(buf, options, sizeof(options));
    ck_assert_uint_eq(p.tcp.n_options, TCP_MAX_OPTIONS);
    ck_assert_uint_eq(p.tcp.header_len, 60);
}
END_TEST

START_TEST(sack_blocks)
{
    static const uint8_t sack[] = {1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 9};
    uint8_t buf[80];
    struct packet p = decode_options(buf, sack, sizeof(sack));
    ck_assert_uint_eq(p.tcp.n_sack, 2);
    ck_assert_uint_eq(p.tcp.sack[1].left, 7);
    ck_assert_uint_eq(p.tcp.sack[1].right, 9);
    struct print_style style = {.ack_base = 1};
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    print_tcp_options(&sb, &p, &style);
    ck_assert_str_eq(strbuf_cstr(&sb), "nop,nop,sack 2 {0:1}{6:8}");
}
END_TEST

START_TEST(a_later_fragment_has_no_ports)
{
    uint8_t fragment[sizeof(syn)];
    memcpy(fragment, syn, sizeof(syn));
    fragment[7] = 10;
    struct packet p = decode_raw(fragment, sizeof(fragment));
    ck_assert_int_eq(p.transport, TRANSPORT_NONE);
    ck_assert(p.ip.fragment);
    ck_assert_uint_eq(p.ip.fragment_offset, 80);
    fragment[7] = 0;
    fragment[6] = 0x20; /* the first, more follow: its sum cannot be checked */
    p = decode_raw(fragment, sizeof(fragment));
    ck_assert_int_eq(p.transport, TRANSPORT_TCP);
    ck_assert_int_eq(p.tcp.sum, SUM_UNKNOWN);
}
END_TEST

START_TEST(padding_is_no_payload)
{
    uint8_t frame[sizeof(syn) + 6];
    memset(frame, 0xaa, sizeof(frame));
    memcpy(frame, syn, sizeof(syn));
    struct packet p = decode_raw(frame, sizeof(frame));
    ck_assert_uint_eq(p.tcp.payload_len, 0);
    ck_assert_uint_eq(p.tcp.payload_captured, 0);
    ck_assert_int_eq(p.tcp.sum, SUM_GOOD);
}
END_TEST

START_TEST(tcp_behind_ipv6_extension_headers)
{
    uint8_t six[40 + 8 + 8 + TCP] = {0x60, 0, 0, 0, 0, 8 + 8 + TCP, 0 /* hop by hop */, 64};
    six[8] = six[24] = 0xfd;
    six[23] = 1;
    six[39] = 2;
    six[40] = 60;          /* destination options are next */
    six[42] = six[50] = 1; /* PadN … */
    six[43] = six[51] = 4;
    six[48] = 6;
    memcpy(six + 56, syn + IP, TCP);
    six[56 + 12] = 0x50;
    struct packet p = decode_raw(six, sizeof(six));
    ck_assert_int_eq(p.transport, TRANSPORT_TCP);
    ck_assert_uint_eq(p.ip.version, 6);
    ck_assert_uint_eq(p.ip.next, 0);
    ck_assert_uint_eq(p.ip.proto, 6);
    ck_assert_uint_eq(p.tcp.dport, 1234);
    six[41] = 200; /* longer than the packet */
    p = decode_raw(six, sizeof(six));
    ck_assert_int_eq(p.transport, TRANSPORT_NONE);
    ck_assert_int_eq(p.ip.state, LAYER_BAD_EXTENSION);
}
END_TEST

START_TEST(an_icmp_error_quotes)
{
    uint8_t error[IP + 8 + IP + 8] = {0};
    memcpy(error, syn, IP);
    error[3] = sizeof(error);
    error[9] = 1;
    error[IP] = 3;
    error[IP + 1] = 4;
    error[IP + 6] = 0x05; /* mtu 1400 */
    error[IP + 7] = 0x78;
    memcpy(error + IP + 8, syn, IP + 8);
    struct packet p = decode_raw(error, sizeof(error)), inner;
    ck_assert_int_eq(p.transport, TRANSPORT_ICMP);
    ck_assert_uint_eq(p.icmp.mtu, 1400);
    ck_assert_uint_eq(p.icmp.target.bytes[3], 2);
    inner.frame.time = 0;
    packet_decode_inner(&inner, p.icmp.quoted, 4);
    ck_assert_int_eq(inner.transport, TRANSPORT_NONE);
    ck_assert_uint_eq(inner.tcp.sport, 4000);
    ck_assert_uint_eq(inner.tcp.dport, 1234);
    ck_assert_uint_eq(inner.tcp.seq, 1000);
}
END_TEST

START_TEST(every_link_type_at_every_length)
{
    static const int links[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,
                                DLT_LOOP,   DLT_RAW,       DLT_USER0,      -1};
    struct print_style style = {.checksums = true};
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        for (uint32_t n = 1; n <= sizeof(syn); n++) {
            cleanup_free uint8_t *copy = xmemdup(syn, n);
            struct frame frame = {.data = copy, .caplen = n, .wirelen = n, .linktype = links[i]};
            struct packet p;
            packet_decode(&p, &frame);
            cleanup_free char *line = printed(&p, &style);
            const char *c = line; /* safe for a terminal */
            while ((*c >= ' ' && *c < 127) || *c == '\n' || *c == '\t')
                c++;
            ck_assert_msg(*c == '\0', "%s", line);
        }
    }
}
END_TEST

/* -------------------------------------------------------------------------- printing */

static bool name_host(void *ctx, struct strbuf *sb, const struct ipaddr *addr)
{
    (void)ctx;
    if (addr->bytes[3] != 1)
        return false;
    strbuf_puts(sb, "client");
    return true;
}

START_TEST(relative_numbers_and_names)
{
    struct packet p = decode_raw(syn, sizeof(syn));
    struct print_style style = {.name = name_host,
                                .seq_base = 1000,
                                .tsval_base = 426379874,
                                .tsecr_base = 77,
                                .relative_syn = true};
    cleanup_free char *line = printed(&p, &style);
    ck_assert_str_eq(line, "IP client.4000 > 10.0.0.2.1234: Flags [S], seq 0, win 64240, options "
                           "[mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7], length 0");
    style.relative_syn = false;
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    print_tcp(&sb, &p, &style);
    ck_assert_str_eq(strbuf_cstr(&sb), "Flags [S], seq 1000, win 64240, options [mss 1460,sackOK,"
                                       "TS val 0 ecr 0,nop,wscale 7], length 0");
}
END_TEST

START_TEST(an_echo_of_zero_is_relative_where_it_is_one)
{
    uint8_t buf[80];
    static const uint8_t ts[] = {1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0};
    struct packet p = decode_options(buf, ts, sizeof(ts));
    struct print_style style = {.tsval_base = 4, .tsecr_base = 0xfffffffe};
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    print_tcp_options(&sb, &p, &style); /* a clock that wrapped */
    ck_assert_str_eq(strbuf_cstr(&sb), "nop,nop,TS val 5 ecr 2");
}
END_TEST

START_TEST(flags_in_tcpdumps_order)
{
    static const struct {
        uint16_t flags;
        const char *text;
    } all[] = {{0, "none"},
               {TCP_SYN | TCP_ACK, "S."},
               {TCP_FIN | TCP_ACK | TCP_PSH, "FP."},
               {TCP_RST | TCP_ACK, "R."},
               {TCP_SYN | TCP_ECE | TCP_CWR, "SEW"},
               {TCP_SYN | TCP_ACK | TCP_ECE, "S.E"},
               {TCP_ACK | TCP_URG, ".U"},
               {TCP_AE, "none"}};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct strbuf sb cleanup_strbuf = STRBUF_INIT;
        strbuf_tcp_flags(&sb, all[i].flags);
        ck_assert_str_eq(strbuf_cstr(&sb), all[i].text);
    }
}
END_TEST

START_TEST(flags_are_read_as_they_are_written)
{
    for (unsigned flags = 0; flags < TCP_AE; flags++) {
        struct strbuf sb cleanup_strbuf = STRBUF_INIT;
        uint16_t back = 0xffff;
        strbuf_tcp_flags(&sb, (uint16_t)flags);
        ck_assert(tcp_flags_read(sb.data, sb.len, &back));
        ck_assert_uint_eq(back, flags);
    }
    static const struct {
        const char *text;
        uint16_t flags;
        bool good;
    } others[] = {{"SEWe", TCP_SYN | TCP_ECE | TCP_CWR | TCP_AE, true},
                  {".S", TCP_SYN | TCP_ACK, true},
                  {"", 0, false},
                  {"Sx", 0, false},
                  {"s", 0, false},
                  {"non", 0, false},
                  {"none.", 0, false}};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        uint16_t flags = 0;
        ck_assert(tcp_flags_read(others[i].text, strlen(others[i].text), &flags) == others[i].good);
        ck_assert(!others[i].good || flags == others[i].flags);
    }
    uint16_t flags;
    ck_assert(!tcp_flags_read("S\0", 2, &flags));
}
END_TEST

/* ----------------------------------------------------------------- connection numbers */

static struct flow_bases number(struct flows *flows, uint16_t sport, uint16_t dport, uint32_t seq,
                                uint32_t ack, uint16_t flags)
{
    struct packet p = decode_raw(syn, sizeof(syn));
    if (sport > dport) {
        struct ipaddr src = p.ip.src;
        p.ip.src = p.ip.dst;
        p.ip.dst = src;
    }
    p.tcp.sport = sport;
    p.tcp.dport = dport;
    p.tcp.seq = seq;
    p.tcp.ack = ack;
    p.tcp.flags = flags;
    return flows_number(flows, &p);
}

START_TEST(numbers_are_relative_from_the_second_ack_on)
{
    struct flows *flows = flows_new();
    struct flow_bases b = number(flows, 1, 2, 100, 0, TCP_SYN);
    ck_assert(b.seq == 0 && b.ack == 0 && b.sack == 0);
    b = number(flows, 2, 1, 500, 101, TCP_SYN | TCP_ACK);
    ck_assert(b.seq == 0 && b.ack == 0);
    b = number(flows, 1, 2, 101, 501, TCP_ACK);
    ck_assert(b.seq == 100 && b.ack == 500);
    b = number(flows, 2, 1, 501, 101, TCP_ACK);
    ck_assert(b.seq == 500 && b.ack == 100);
    number(flows, 2, 1, 900, 701, TCP_SYN | TCP_ACK); /* the ports are used again */
    b = number(flows, 1, 2, 701, 901, TCP_ACK);
    ck_assert(b.seq == 700 && b.ack == 900);
    flows_free(flows);
}
END_TEST

START_TEST(many_connections_are_kept_apart)
{
    struct flows *flows = flows_new();
    for (uint32_t i = 0; i < 60000; i++)
        number(flows, 1, (uint16_t)(i + 2), i, 1, TCP_ACK);
    for (uint32_t i = 0; i < 60000; i++)
        assert_each(number(flows, 1, (uint16_t)(i + 2), i + 1, 1, TCP_ACK).seq == i);
    flows_free(flows);
}
END_TEST

static Suite *suite_decode(void)
{
    Suite *s = suite_create("decode");
    TCase *t = tcase_create("decode");
    tcase_add_test(t, a_cursor_never_passes_the_end);
    tcase_add_test(t, a_syn_and_its_options);
    tcase_add_test(t, a_cut_header_is_no_transport);
    tcase_add_test(t, a_wrong_checksum_is_told_from_the_right_one);
    tcase_add_test(t, only_a_right_length_makes_an_option_count);
    tcase_add_test(t, forty_options_fit);
    tcase_add_test(t, sack_blocks);
    tcase_add_test(t, a_later_fragment_has_no_ports);
    tcase_add_test(t, padding_is_no_payload);
    tcase_add_test(t, tcp_behind_ipv6_extension_headers);
    tcase_add_test(t, an_icmp_error_quotes);
    tcase_add_test(t, every_link_type_at_every_length);
    tcase_add_test(t, relative_numbers_and_names);
    tcase_add_test(t, an_echo_of_zero_is_relative_where_it_is_one);
    tcase_add_test(t, flags_in_tcpdumps_order);
    tcase_add_test(t, flags_are_read_as_they_are_written);
    tcase_add_test(t, numbers_are_relative_from_the_second_ack_on);
    tcase_add_test(t, many_connections_are_kept_apart);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_decode)
