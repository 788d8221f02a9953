#include "unit.h"

#include "build_packet.h"
#include "picture/picture.h"

#define MS NSEC_PER_MSEC

/* The rows in a few letters: S segment, D departure, A arrival, C call, B call begun, L link,
 * . silence; with the columns of what has two ends. */
static char *outline(const struct picture *picture)
{
    static const char letters[] = {
        [PICTURE_SEGMENT] = 'S', [PICTURE_DEPARTURE] = 'D',  [PICTURE_ARRIVAL] = 'A',
        [PICTURE_CALL] = 'C',    [PICTURE_CALL_BEGAN] = 'B', [PICTURE_LINK] = 'L',
        [PICTURE_SILENCE] = '.', [PICTURE_MISSING] = 'M'};
    struct strbuf sb = STRBUF_INIT;
    vec_each (&picture->rows, row) {
        strbuf_printf(&sb, "%s%c", sb.len ? " " : "", letters[row->kind]);
        if (row->segment >= 0)
            strbuf_printf(&sb, "%d%d", row->from, row->to);
    }
    return strbuf_steal(&sb);
}

static void check_outline(struct record *r, nsec ended, const char *want)
{
    build_done(r, build_time(ended));
    struct picture *picture = picture_new(r, NULL);
    cleanup_free char *got = outline(picture);
    ck_assert_str_eq(got, want);
    picture_free(picture);
    record_free(r);
}

static void sent(struct record *r, nsec at, nsec travel, bool reply, const char *flags)
{
    build_sent(r, at, travel, &(struct build_tcp){.reply = reply, .flags = flags});
}

START_TEST(what_comes_at_once_is_one_arrow)
{
    struct record *r = build_record();
    sent(r, 1 * MS, 20 * NSEC_PER_USEC, false, "S");
    sent(r, 1 * MS + 5 * NSEC_PER_USEC, 20 * NSEC_PER_USEC, false, ".");
    sent(r, 2 * MS, 20 * NSEC_PER_USEC, true, "S.");
    check_outline(r, 3 * MS, "S01 S01 S10");
}
END_TEST

START_TEST(what_travels_is_two_rows_if_something_happens_meanwhile)
{
    struct record *r = build_record();
    sent(r, 0, 50 * MS, false, "S");
    sent(r, 50 * MS, 50 * MS, true, "S.");
    sent(r, 100 * MS, 50 * MS, false, ".");
    sent(r, 110 * MS, 50 * MS, false, "P.");
    check_outline(r, 200 * MS, "S01 S10 D01 D01 A01 A01");
}
END_TEST

START_TEST(a_lost_segment_has_no_arrival)
{
    struct record *r = build_record();
    sent(r, 0, 50 * MS, false, "S");
    sent(r, 10 * MS, BUILD_LOST, false, "S");
    check_outline(r, 200 * MS, "D01 S01 A01");
}
END_TEST

/* A router between the two, with a capture point, as column 1. */
static struct record *routed(void)
{
    struct record *r = build_record();
    struct record_host *gate = vec_add(&r->hosts);
    struct ipaddr addr = {.version = 4, .bytes = {10, 0, 0, 254}};
    gate->name = xstrdup("gate");
    vec_push(&gate->addrs, addr);
    return r;
}

static void build_at_gate(struct record *r)
{
    struct record_point *point = vec_add(&r->points);
    *point = (struct record_point){.name = xstrdup("gate"),
                                   .host = 2,
                                   .iface = xstrdup("eth0"),
                                   .filter = xstrdup(""),
                                   .linktype = 1};
}

/* Nobody captured at the server, so how it went on behind the router is not known. */
START_TEST(an_arrow_ends_where_it_was_seen_last)
{
    static const struct build_tcp syn = {.flags = "S"};
    struct record *r = routed();
    build_uncaptured(r);
    build_at_gate(r);
    build_seen_tcp(r, 0, BUILD_OUT, 0, &syn);
    build_seen_tcp(r, 1, BUILD_IN, 20 * NSEC_PER_USEC, &syn);
    build_seen_tcp(r, 0, BUILD_OUT, 1 * MS, &syn);
    check_outline(r, 2 * MS, "S01 S02");
}
END_TEST

/* The router's message quotes the segment that got no further; another one's is nobody's. */
START_TEST(an_arrow_ends_at_the_router_that_says_so)
{
    uint8_t frame[BUILD_MAX_FRAME], icmp[BUILD_MAX_FRAME];
    struct build_tcp syn = {.flags = "S", .seq = 7};
    for (int same = 0; same < 2; same++) {
        struct record *r = routed();
        build_sent(r, 0, BUILD_LOST, &syn);
        struct build_tcp quoted = syn;
        quoted.seq += !same;
        size_t n = build_tcp(frame, &quoted);
        n = build_unreachable(icmp, "10.0.0.254", "10.0.0.1", 0, frame, n);
        build_seen(r, 0, BUILD_IN, 1 * MS, icmp, n);
        check_outline(r, 2 * MS, same ? "S01 S10" : "S02 S10");
    }
}
END_TEST

START_TEST(silence_is_when_nothing_is_under_way)
{
    struct record *r = build_record();
    sent(r, 0, 300 * MS, false, "S"); /* 300 ms under way are none */
    sent(r, 300 * MS, 1000, true, "S.");
    sent(r, 600 * MS, 1000, false, ".");
    sent(r, 650 * MS, 1000, false, "P."); /* nor is a short time */
    check_outline(r, 700 * MS, "S01 S10 . S01 S01");
}
END_TEST

START_TEST(a_call_is_one_row_unless_something_happens_meanwhile)
{
    struct record *r = build_record();
    build_call(r, 1, "listen", "1234", 0, 1 * MS, 0, 0);
    build_call(r, 0, "connect", "server 1234", 2 * MS, 5 * MS, 0, 0);
    build_call(r, 1, "accept", "", 6 * MS, 0, 0, 0);
    sent(r, 3 * MS, 1000, false, "S");
    check_outline(r, 10 * MS, "C B S01 C B");
}
END_TEST

/* A state hangs at the last row before the look that saw it; other values are no change. */
START_TEST(states_hang_at_what_they_follow)
{
    struct record *r = build_record();
    sent(r, 1 * MS, 1000, false, "S");
    sent(r, 300 * MS, 1000, true, "S.");
    static const struct {
        nsec at;
        enum tcp_state old, new;
    } looks[] = {{0, TCP_STATE_NONE, TCP_STATE_LISTEN},
                 {2 * MS, TCP_STATE_NONE, TCP_STATE_SYN_SENT},
                 {3 * MS, TCP_STATE_SYN_SENT, TCP_STATE_SYN_SENT},
                 {301 * MS, TCP_STATE_SYN_SENT, TCP_STATE_ESTABLISHED}};
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        vec_push(&r->states,
                 ((struct record_state){
                     .time = build_time(looks[i].at), .old = looks[i].old, .new = looks[i].new}));
    build_done(r, build_time(400 * MS));
    struct picture *picture = picture_new(r, NULL);
    cleanup_free char *rows = outline(picture);
    ck_assert_str_eq(rows, "S01 . S10");
    ck_assert_uint_eq(picture->rows.at[0].states.n, 2);
    ck_assert_uint_eq(picture->rows.at[0].states.at[1], 1);
    ck_assert_uint_eq(picture->rows.at[1].states.n, 0);
    ck_assert_uint_eq(picture->rows.at[2].states.n, 1);
    ck_assert_uint_eq(picture->rows.at[2].states.at[0], 3);
    picture_free(picture);
    record_free(r);
}
END_TEST

/* What tells connections apart: a port's name, or its number where it was chosen; nothing if
 * that is the same. */
START_TEST(words_tell_connections_apart)
{
    static const struct {
        uint16_t sport[2];
        const char *want[2];
    } cases[] = {{{5555, 40001}, {"5555: [S]", "port: [S]"}},
                 {{40000, 40001}, {"port: [S]", "port2: [S]"}},
                 {{5555, 5556}, {"5555: [S]", "5556: [S]"}}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = build_record();
        for (int k = 0; k < 2; k++) {
            cleanup_free char *port = xasprintf("%u", cases[i].sport[k]);
            if (cases[i].sport[k] < 10000)
                build_call(r, 0, "bind", port, 10 * MS, 11 * MS, 0, 0);
            build_sent(r, k * MS, 1000,
                       &(struct build_tcp){.flags = "S", .sport = cases[i].sport[k]});
        }
        build_done(r, 0);
        struct picture *picture = picture_new(r, NULL);
        for (int k = 0; k < 2; k++) {
            cleanup_strbuf struct strbuf words = STRBUF_INIT;
            picture_words(&words, picture, &picture->rows.at[k], PICTURE_FLAGS);
            ck_assert_str_eq(strbuf_cstr(&words), cases[i].want[k]);
        }
        picture_free(picture);
        record_free(r);
    }
}
END_TEST

/* A host that talks to itself: who connects is on the left, who listens on the right, with
 * their calls and states. */
START_TEST(a_host_alone_has_two_sides)
{
    static const struct {
        const char *as, *verb;
        int column;
    } calls[] = {{NULL, "listen", 1}, {"c", "connect", 0}, {"s", "accept", 1}, {"c", "close", 0}};
    struct record *r = build_record();
    build_uncaptured(r);
    struct record_host *server = &r->hosts.at[--r->hosts.n];
    free(server->name);
    vec_free(&server->addrs);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        struct record_call *call =
            build_call(r, 0, calls[i].verb, "", (nsec)i * MS, (nsec)i * MS + MS / 2, 0, 0);
        call->as = calls[i].as ? xstrdup(calls[i].as) : NULL;
    }
    struct build_tcp syn = {.src = "10.0.0.1", .dst = "10.0.0.1", .flags = "S"};
    struct build_tcp syn_ack = syn;
    syn_ack.reply = true;
    syn_ack.flags = "S.";
    build_seen_tcp(r, 0, BUILD_UNKNOWN, 10 * MS, &syn);
    build_seen_tcp(r, 0, BUILD_UNKNOWN, 11 * MS, &syn_ack);
    build_done(r, 0);
    struct picture *picture = picture_new(r, NULL);
    cleanup_free char *rows = outline(picture);
    ck_assert_str_eq(rows, "C C C C S01 S10");
    ck_assert_uint_eq(picture->columns.n, 2);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        ck_assert_int_eq(picture->rows.at[i].from, calls[i].column);
    ck_assert_str_eq(picture_column_name(picture, 1), "client");
    ck_assert_int_eq(picture_state_column(picture, &(struct record_state){.local_port = 1234}), 1);
    ck_assert_int_eq(picture_state_column(picture, &(struct record_state){.local_port = 40000}), 0);
    picture_free(picture);
    record_free(r);
}
END_TEST

/* A silence that was expected hangs at the one that is seen, with its note. */
START_TEST(an_expected_silence_has_a_row)
{
    struct record *r = build_record();
    sent(r, 0, 1000, false, "S");
    sent(r, 50 * MS, 1000, true, "S.");
    sent(r, 400 * MS, 1000, false, ".");
    build_done(r, build_time(NSEC_PER_SEC));
    struct result *result = result_new("a-lab");
    for (int k = 0; k < 2; k++) {
        struct result_line *line = vec_add(&result->lines);
        *line = (struct result_line){.kind = LINE_QUIET,
                                     .status = LINE_OK,
                                     .time = k ? 50 * MS : 0,
                                     .gap = k ? 350 * MS : 50 * MS,
                                     .segment = -1,
                                     .call = -1};
    }
    struct picture *picture = picture_new(r, result);
    cleanup_free char *rows = outline(picture);
    ck_assert_str_eq(rows, "S01 S10 . S01");
    ck_assert_uint_eq(picture->rows.at[2].lines.n, 1);
    ck_assert_ptr_eq(picture->rows.at[2].lines.at[0], &result->lines.at[1]);
    picture_free(picture);
    result_free(result);
    record_free(r);
}
END_TEST

static void words_are(const struct build_tcp *b, enum picture_detail detail, const char *want)
{
    struct record *r = build_record();
    build_sent(r, 0, 1000, b);
    build_done(r, 0);
    struct picture *picture = picture_new(r, NULL);
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    picture_words(&words, picture, &picture->rows.at[0], detail);
    ck_assert_str_eq(strbuf_cstr(&words), want);
    picture_free(picture);
    record_free(r);
}

START_TEST(words_are_as_many_as_asked_for)
{
    struct build_tcp syn = {.flags = "S", .win = 64240, .mss = 1460, .sack_ok = true};
    words_are(&syn, PICTURE_OPTIONS, "[S] seq 0 win 64240 <mss 1460,nop,nop,sackOK>");
    words_are(&syn, PICTURE_FIELDS, "[S] seq 0 win 64240 mss 1460");
    words_are(&syn, PICTURE_NO_WINDOW, "[S] seq 0 mss 1460");
    words_are(&syn, PICTURE_NUMBERS, "[S] seq 0");
    words_are(&syn, PICTURE_FLAGS, "[S]");
    struct build_tcp data = {.flags = "P.", .seq = 5, .ack = 7, .win = 10, .len = 100};
    words_are(&data, PICTURE_FIELDS, "[P.] seq 1:101 ack 1 win 10 len 100");
    words_are(&data, PICTURE_NO_ACK, "[P.] seq 1:101 len 100");
    words_are(&data, PICTURE_NUMBERS, "[P.] seq 1:101");
    struct build_tcp ack = {.flags = ".", .ack = 7, .win = 10};
    words_are(&ack, PICTURE_NO_ACK, "[.] ack 1");
}
END_TEST

START_TEST(words_of_a_transcripts_line)
{
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    picture_line_words(&words,
                       "+1s client.port > server.1234: Flags [.], ack 1, win ~, options "
                       "[nop,nop,sack 1 {1001:2001}], length 0 lost",
                       PICTURE_FIELDS);
    ck_assert_str_eq(strbuf_cstr(&words), "[.] ack 1 win ~ sack 1 {1001:2001}");
    strbuf_truncate(&words, 0);
    picture_line_words(&words, "+0 ARP, Request who-has server", PICTURE_FIELDS);
    ck_assert_str_eq(strbuf_cstr(&words), "ARP, Request who-has server");
    strbuf_truncate(&words, 0);
    picture_line_words(&words, "+0 gate > client: ICMP host server unreachable", PICTURE_FIELDS);
    ck_assert_str_eq(strbuf_cstr(&words), "ICMP host server unreachable");
}
END_TEST

static Suite *suite_picture(void)
{
    Suite *s = suite_create("picture");
    TCase *t = tcase_create("picture");
    tcase_add_test(t, what_comes_at_once_is_one_arrow);
    tcase_add_test(t, what_travels_is_two_rows_if_something_happens_meanwhile);
    tcase_add_test(t, a_lost_segment_has_no_arrival);
    tcase_add_test(t, an_arrow_ends_where_it_was_seen_last);
    tcase_add_test(t, an_arrow_ends_at_the_router_that_says_so);
    tcase_add_test(t, silence_is_when_nothing_is_under_way);
    tcase_add_test(t, a_call_is_one_row_unless_something_happens_meanwhile);
    tcase_add_test(t, states_hang_at_what_they_follow);
    tcase_add_test(t, a_host_alone_has_two_sides);
    tcase_add_test(t, an_expected_silence_has_a_row);
    tcase_add_test(t, words_tell_connections_apart);
    tcase_add_test(t, words_are_as_many_as_asked_for);
    tcase_add_test(t, words_of_a_transcripts_line);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_picture)
