/* Congestion marks in transcripts, and what a foreign capture cannot say of them. */
#include "scenes.h"

#include "build_packet.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define WAY (30 * NSEC_PER_USEC)
#define TCP(...) (&(struct build_tcp){__VA_ARGS__})
#define SYN TCP(.flags = "S", .seq = 1000, .win = 9, .id = 1)
#define SYN_ACK TCP(.reply = true, .flags = "S.", .seq = 5000, .ack = 1001, .win = 9000, .id = 1)
#define DATA(bits)                                                                                 \
    TCP(.flags = "P.", .seq = 1001, .ack = 5001, .win = 9, .len = 100, .id = 10, .ecn = (bits))

#define UP "client.port > server.1234: "
#define DOWN "server.1234 > client.port: "
#define BEGIN UP "Flags [S], …\n" DOWN "Flags [S.], …\n" UP "Flags [.], ack 1, …\n"
#define FIRST UP "Flags [P.], seq 1:101, …"

/* ECN's bits in the header of IP: how the data was sent, how it came, and in what words. */
static const struct {
    uint8_t sent, came;
    const char *tail;
} marks[] = {
    {ECN_NOT_ECT, ECN_NOT_ECT, ""},        {ECN_ECT_0, ECN_ECT_0, " ECT(0)"},
    {ECN_ECT_1, ECN_ECT_1, " ECT(1)"},     {ECN_CE, ECN_CE, " CE"},
    {ECN_ECT_0, ECN_CE, " ECT(0) marked"}, {ECN_NOT_ECT, ECN_CE, " marked"},
};

static struct record *marked(size_t i, bool own)
{
    struct record *r = build_record();
    nsec t = 10 * MS;
    build_sent(r, 0, WAY, SYN);
    build_sent(r, WAY + MS / 100, WAY, SYN_ACK);
    build_sent(r, 2 * WAY + MS / 50, WAY,
               TCP(.flags = ".", .seq = 1001, .ack = 5001, .win = 9, .id = 2));
    build_seen_tcp(r, 0, BUILD_OUT, t, DATA(marks[i].sent));
    build_seen_tcp(r, 1, BUILD_IN, t + WAY, DATA(marks[i].came));
    build_done(r, 3000 * MS);
    r->has_calls = own;
    return r;
}

START_TEST(marks_have_their_words)
{
    struct record *r = marked((size_t)_i, true);
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        cleanup_free char *text =
            xasprintf(BEGIN UP "Flags [P.], seq 1:101, ack 1, win 9, length 100%s", marks[i].tail);
        result_free(scene_judge(r, text, i == (size_t)_i ? VERDICT_PASS : VERDICT_FAIL));
    }
    record_free(r);
}
END_TEST

/* Where a line does not state it, it may be either; a mark is never left open. */
START_TEST(an_open_line_leaves_it_open)
{
    struct record *r = marked((size_t)_i, true);
    bool is_marked = marks[_i].sent != marks[_i].came;
    result_free(scene_judge(r, BEGIN FIRST, is_marked ? VERDICT_FAIL : VERDICT_PASS));
    result_free(scene_judge(r, BEGIN FIRST " marked", is_marked ? VERDICT_PASS : VERDICT_FAIL));
    record_free(r);
}
END_TEST

/* A foreign capture of one host. */
static struct record *foreign_from(int host)
{
    struct record *r = build_record();
    build_uncaptured(r);
    r->points.at[0].host = host;
    r->has_calls = false;
    return r;
}

/* Only at the client can be seen what the client sent and nobody got. */
START_TEST(what_is_lost_is_not_looked_for_at_the_receiver)
{
    for (int host = 0; host < 2; host++) {
        struct record *r = foreign_from(host);
        build_seen_tcp(r, 0, host ? BUILD_IN : BUILD_OUT, 1000 * MS, SYN);
        build_seen_tcp(r, 0, host ? BUILD_OUT : BUILD_IN, 1001 * MS, SYN_ACK);
        build_done(r, 3000 * MS);
        result_free(scene_judge(r,
                                UP "Flags [S], … lost\n" UP "Flags [S], …\n" DOWN "Flags [S.], …\n",
                                host ? VERDICT_PASS : VERDICT_FAIL));
        record_free(r);
    }
}
END_TEST

/* A foreign sender may know ECN although the lab's does not; but not the other way. */
START_TEST(a_foreign_sender_may_know_ecn)
{
    static const char line[] = BEGIN UP "Flags [P.], seq 1:101, ack 1, win 9, length 100";
    struct record *knows = marked(1, false), *does_not = marked(0, false);
    result_free(scene_judge(knows, line, VERDICT_PASS));
    cleanup_free char *ect = xasprintf("%s ECT(0)", line);
    result_free(scene_judge(knows, ect, VERDICT_PASS));
    struct result *result = scene_judge(does_not, ect, VERDICT_FAIL);
    ck_assert_str_eq(result_first_bad(result)->meaning,
                     "ECN field is not-ECT, expected ECT(0): data is ECN-capable if both ends "
                     "agreed to it, see tcp_ecn; SYNs, bare ACKs and what is sent again are not");
    result_free(result);
    /* At the receiver alone it is seen behind the mark, so this says nothing. */
    struct record *behind = foreign_from(1);
    build_seen_tcp(behind, 0, BUILD_IN, 0, DATA(ECN_CE));
    build_done(behind, 3000 * MS);
    result_free(scene_judge(behind, UP "Flags [P.], …, length 100 ECT(0) marked", VERDICT_PASS));
    result_free(scene_judge(behind, UP "Flags [P.], …, length 100 ECT(0)", VERDICT_FAIL));
    record_free(behind);
    record_free(knows);
    record_free(does_not);
}
END_TEST

static Suite *suite_ecn(void)
{
    Suite *s = suite_create("ecn");
    TCase *t = tcase_create("marks");
    tcase_add_loop_test(t, marks_have_their_words, 0, (int)ARRAY_SIZE(marks));
    tcase_add_loop_test(t, an_open_line_leaves_it_open, 0, (int)ARRAY_SIZE(marks));
    tcase_add_test(t, what_is_lost_is_not_looked_for_at_the_receiver);
    tcase_add_test(t, a_foreign_sender_may_know_ecn);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_ecn)
