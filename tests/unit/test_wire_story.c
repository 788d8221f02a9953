/* The wire in story and judgment: what it did to a frame, the words for that, and whether
 * the script's steps did what they had to. */
#include "scenes.h"

#include <string.h>

#include "build_packet.h"
#include "transcript/story.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define WAY (30 * NSEC_PER_USEC)
#define TCP(...) (&(struct build_tcp){__VA_ARGS__})
#define UP "client.port > server.1234: "
#define DOWN "server.1234 > client.port: "

/* ------------------------------------------------------------------------ records */

static struct record *new_run(void)
{
    struct record *r = build_record();
    r->lateness = 300 * NSEC_PER_USEC;
    return r;
}

#define SYN TCP(.flags = "S", .seq = 1000, .win = 9, .id = 1)
#define SYN_ACK TCP(.reply = true, .flags = "S.", .seq = 5000, .ack = 1001, .win = 9000, .id = 1)
#define ACK TCP(.flags = ".", .seq = 1001, .ack = 5001, .win = 9, .id = 2)
#define SEGMENT(n, window, ...)                                                                    \
    TCP(.flags = "P.", .seq = 1001 + 100 * (n), .ack = 5001, .win = (window), .len = 100,          \
        .id = 10 + (n), ##__VA_ARGS__)
#define DATA(n, ...) SEGMENT(n, 9, ##__VA_ARGS__)
#define ACKS(n)                                                                                    \
    TCP(.reply = true, .flags = ".", .seq = 5001, .ack = 1001 + 100 * (n), .win = 9, .id = 50 + (n))

static void handshake(struct record *r, nsec way)
{
    build_sent(r, 0, way, SYN);
    build_sent(r, way + MS / 100, way, SYN_ACK);
    build_sent(r, 2 * way + MS / 50, way, ACK);
}

/* The index of the nth packet that a point saw leave or come. */
static long packet(const struct record *r, int point, bool leaving, int nth)
{
    for (size_t i = 0; i < r->packets.n; i++) {
        const struct record_packet *p = &r->packets.at[i];
        if (p->point == point && p->outgoing == leaving && nth-- == 0)
            return (long)i;
    }
    ck_abort_msg("there is no such packet");
}

/* From the client to the server, to the nth frame; what came of it is the mth, -1: the same. */
static void did(struct record *r, enum wire_action action, long step, int nth, int mth)
{
    long sent = nth < 0 ? -1 : packet(r, 0, true, nth);
    long came = mth < 0 ? -1 : packet(r, 1, false, mth);
    nsec time = r->packets.at[sent < 0 ? came : sent].frame.time;
    vec_push(&r->wire, ((struct record_wire){action, time, 0, 1, step, sent, came}));
}

/* Three data segments, the fourth to the sixth frame that the client sends, after a
 * handshake.  The first suffers. */
static struct record *suffers(enum wire_action action)
{
    struct record *r = new_run();
    handshake(r, WAY);
    nsec t = 10 * MS;
    bool arrives = action != WIRE_DROP && action != WIRE_LOSS && action != WIRE_OVERFLOW &&
                   action != WIRE_CORRUPT && action != WIRE_REWRITE;
    nsec way = action == WIRE_HOLD ? MS / 5 : action == WIRE_DELAY ? 60 * MS : WAY;
    build_sent(r, t, arrives ? way : BUILD_LOST, DATA(0));
    if (action == WIRE_DUPLICATE)
        build_seen_tcp(r, 1, BUILD_IN, t + WAY + MS / 100, DATA(0));
    if (action == WIRE_CORRUPT)
        build_seen_tcp(r, 1, BUILD_IN, t + WAY, DATA(0, .bad_sum = true));
    if (action == WIRE_REWRITE)
        build_seen_tcp(r, 1, BUILD_IN, t + WAY, SEGMENT(0, 77));
    build_sent(r, t + MS / 10, WAY, DATA(1));
    build_sent(r, t + 11 * MS / 10, WAY, DATA(2));
    if (action == WIRE_INJECT)
        build_seen_tcp(r, 1, BUILD_IN, t + 2 * MS, TCP(.flags = "R", .seq = 1301));
    build_done(r, 3000 * MS);
    if (action == WIRE_INJECT)
        did(r, action, 0, -1, 5);
    else
        did(r, action, 0, 2, action == WIRE_REWRITE || action == WIRE_CORRUPT ? 2 : -1);
    return r;
}

#define BEGIN UP "Flags [S], …\n" DOWN "Flags [S.], …\n" UP "Flags [.], ack 1, …\n"
#define FIRST UP "Flags [P.], seq 1:101, …"
#define REST "\n" UP "Flags [P.], seq 101:201, …\n" UP "Flags [P.], seq 201:301, …\n"
#define RESET UP "Flags [R], seq 301, win 0, length 0"

static const struct {
    enum wire_action action;
    const char *tail;
} ways[] = {
    {WIRE_DROP, " lost"},
    {WIRE_LOSS, " lost"},
    {WIRE_OVERFLOW, " lost"},
    {WIRE_HOLD, " overtaken by 1"},
    {WIRE_DELAY, " arrives +60ms overtaken by 2"},
    {WIRE_DUPLICATE, " twice"},
    {WIRE_CORRUPT, " damaged"},
    {WIRE_REWRITE, " rewritten"},
    {WIRE_MARK, ""},
};

/* Each run passes with its own words, and with those of no other. */
START_TEST(each_way_has_its_words)
{
    struct record *r = suffers(ways[_i].action);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        cleanup_free char *text = xasprintf(BEGIN FIRST "%s" REST, ways[i].tail);
        bool same = strcmp(ways[i].tail, ways[_i].tail) == 0;
        struct result *result = scene_judge(r, text, same ? VERDICT_PASS : VERDICT_FAIL);
        const struct result_line *bad = result_first_bad(result);
        if (bad) {
            ck_assert_uint_eq(bad->line_number, 4);
            ck_assert_int_eq(bad->status, LINE_DIFFERS);
        }
        result_free(result);
    }
    record_free(r);
}
END_TEST

static const struct {
    enum wire_action action;
    const char *tail, *meaning;
} wrong[] = {
    {WIRE_HOLD, "",
     "the first data segment was overtaken by 1 that was sent later, and should have arrived in "
     "its turn"},
    {WIRE_HOLD, " overtaken by 2",
     "the first data segment was overtaken by 1 that was sent later, and should have been "
     "overtaken by 2"},
    {WIRE_MARK, " overtaken by 1",
     "the first data segment arrived before all that were sent later, and should have been "
     "overtaken by 1"},
    {WIRE_DELAY, " arrives +61ms overtaken by 2",
     "the first data segment arrived 60 ms later, and not when it should have, after 61 ms … 65 "
     "ms"},
    {WIRE_DELAY, " arrives +55ms overtaken by 2",
     "the first data segment arrived 60 ms later, and not when it should have, after 55 ms … 59 "
     "ms"},
    {WIRE_DUPLICATE, "", "the first data segment was sent once and arrived more than once"},
    {WIRE_MARK, " twice", "the first data segment arrived once, and should have arrived twice"},
    {WIRE_CORRUPT, " lost",
     "the first data segment arrived damaged: its checksum was wrong, and TCP did not see it"},
    {WIRE_MARK, " damaged",
     "the first data segment arrived undamaged, and should have been damaged on the way"},
    {WIRE_REWRITE, "",
     "the first data segment was changed on the way, and should have arrived as it was sent"},
    {WIRE_MARK, " rewritten",
     "the first data segment arrived as it was sent, and should have been changed on the way"},
    {WIRE_DROP, " damaged", "the first data segment was lost on the way, and should have arrived"},
    {WIRE_MARK, " injected",
     "the first data segment was sent, and should have been injected by the wire"},
};

START_TEST(what_is_wrong_is_told)
{
    struct record *r = suffers(wrong[_i].action);
    cleanup_free char *text = xasprintf(BEGIN FIRST "%s" REST, wrong[_i].tail);
    struct result *result = scene_judge(r, text, VERDICT_FAIL);
    ck_assert_str_eq(result_first_bad(result)->meaning, wrong[_i].meaning);
    result_free(result);
    record_free(r);
}
END_TEST

START_TEST(nobody_sends_what_is_injected)
{
    struct record *r = suffers(WIRE_INJECT);
    result_free(scene_judge(r, BEGIN FIRST REST RESET " injected", VERDICT_PASS));
    struct result *result = scene_judge(r, BEGIN FIRST REST RESET, VERDICT_FAIL);
    ck_assert_str_eq(result_first_bad(result)->meaning,
                     "client's reset was sent by nobody, the wire injected it");
    result_free(result);
    /* Its numbers are judged as all others; and without the wire's word it was not sent. */
    result_free(scene_judge(r, BEGIN FIRST REST UP "Flags [R], seq 300, win 0, length 0 injected",
                            VERDICT_FAIL));
    r->wire.n = 0;
    result_free(scene_judge(r, BEGIN FIRST REST RESET " injected", VERDICT_FAIL));
    result_free(scene_judge(r, BEGIN FIRST REST RESET, VERDICT_FAIL));
    record_free(r);
}
END_TEST

/* A capture of one end, of which there is no record, says nothing of the wire. */
START_TEST(a_foreign_capture_is_silent)
{
    static const char *const tails[] = {" twice", " damaged", " rewritten", " overtaken by 3",
                                        " injected"};
    struct record *r = suffers(WIRE_MARK);
    r->has_calls = false;
    r->wire.n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        /* Where both ends were captured, it says how often, whether whole, and in what order. */
        cleanup_free char *text = xasprintf(BEGIN FIRST "%s" REST, tails[i]);
        bool shown = i != 2 && i != 4;
        result_free(scene_judge(r, text, shown ? VERDICT_FAIL : VERDICT_PASS));
    }
    build_uncaptured(r);
    for (size_t i = r->packets.n; i-- > 0;) {
        if (r->packets.at[i].point == 0)
            continue;
        struct record_packet last = vec_last(&r->packets)[0];
        vec_last(&r->packets)[0] = r->packets.at[i];
        r->packets.at[i] = last;
        build_unseen(r);
    }
    record_sort(r);
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        cleanup_free char *one_end = xasprintf(BEGIN FIRST "%s" REST, tails[i]);
        result_free(scene_judge(r, one_end, VERDICT_PASS));
    }
    record_free(r);
}
END_TEST

/* -------------------------------------------------------------------------- fates */

START_TEST(a_drop_is_certain)
{
    /* nobody captured at the server, and the frame was sent at the very end */
    struct record *r = new_run();
    build_uncaptured(r);
    build_sent(r, 0, BUILD_LOST, SYN);
    record_sort(r);
    r->ended = build_time(MS);
    did(r, WIRE_DROP, 0, 0, -1);
    struct story *story = story_new(r);
    ck_assert_int_eq(story->segments.at[0].fate, FATE_LOST);
    story_free(story);
    r->wire.n = 0;
    story = story_new(r);
    ck_assert_int_eq(story->segments.at[0].fate, FATE_UNKNOWN);
    story_free(story);
    record_free(r);
}
END_TEST

/* Of three frames that are equal to the byte the wire dropped the first two. */
START_TEST(of_equal_frames_the_dropped_ones_are_known)
{
    struct record *r = new_run();
    for (int i = 0; i < 3; i++)
        build_sent(r, i * MS, i == 2 ? WAY : BUILD_LOST, SYN);
    build_done(r, 1000 * MS);
    did(r, WIRE_DROP, 0, 0, -1);
    did(r, WIRE_DROP, 0, 1, -1);
    struct story *story = story_new(r);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(story->segments.at[i].fate, i == 2 ? FATE_ARRIVED : FATE_LOST);
    story_free(story);
    record_free(r);
}
END_TEST

/* Where the wire tells of its losses, what neither arrived nor was lost is in its queue. */
START_TEST(what_a_wire_has_not_lost_is_under_way)
{
    struct record *r = new_run();
    build_sent(r, 0, BUILD_LOST, SYN);
    build_sent(r, 1000 * MS, BUILD_LOST, TCP(.flags = "S", .seq = 1000, .win = 9, .id = 9));
    build_done(r, 5000 * MS);
    did(r, WIRE_DROP, 0, 0, -1);
    struct story *story = story_new(r);
    ck_assert_int_eq(story->segments.at[0].fate, FATE_LOST);
    ck_assert_int_eq(story->segments.at[1].fate, FATE_UNKNOWN);
    ck_assert(story->segments.at[1].pending);
    story_free(story);
    r->wire.at[0].packet = -1; /* not every one that it lost was seen leaving */
    story = story_new(r);
    ck_assert_int_eq(story->segments.at[1].fate, FATE_LOST);
    story_free(story);
    record_free(r);
}
END_TEST

/* A frame that was doubled, and of which one copy was lost, arrives once. */
START_TEST(a_copy_that_is_lost)
{
    struct record *r = suffers(WIRE_MARK);
    did(r, WIRE_DUPLICATE, 0, 2, -1);
    did(r, WIRE_LOSS, 0, 2, -1);
    result_free(scene_judge(r, BEGIN FIRST REST, VERDICT_PASS));
    did(r, WIRE_LOSS, 0, 2, -1); /* it says that both are, but one came: it was not sent */
    result_free(scene_judge(r, BEGIN FIRST " lost" REST, VERDICT_FAIL));
    record_free(r);
}
END_TEST

START_TEST(copies_of_which_one_is_damaged)
{
    struct record *r = suffers(WIRE_CORRUPT);
    build_seen_tcp(r, 1, BUILD_IN, 10 * MS + 2 * WAY, DATA(0));
    build_done(r, 3000 * MS);
    static const char *const tails[] = {"", " twice", " damaged", " twice damaged", " lost"};
    for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
        cleanup_free char *text = xasprintf(BEGIN FIRST "%s" REST, tails[i]);
        result_free(scene_judge(r, text, VERDICT_FAIL));
    }
    record_free(r);
}
END_TEST

/* A frame that came three times has no word. */
START_TEST(thrice)
{
    struct record *r = suffers(WIRE_DUPLICATE);
    build_seen_tcp(r, 1, BUILD_IN, 10 * MS + 5 * WAY, DATA(0));
    build_done(r, 3000 * MS);
    result_free(scene_judge(r, BEGIN FIRST " twice" REST, VERDICT_FAIL));
    record_free(r);
}
END_TEST

/* ------------------------------------------------------------------------ history */

/* The server acknowledges what the wire gave it, and the client sends the same again. */
START_TEST(an_injected_segment_is_received)
{
    struct record *r = new_run();
    handshake(r, WAY);
    build_seen_tcp(r, 1, BUILD_IN, 10 * MS, DATA(0));
    build_sent(r, 10 * MS + WAY, WAY, ACKS(1));
    build_done(r, 1000 * MS);
    did(r, WIRE_INJECT, 0, -1, 2);
    result_free(
        scene_judge(r, BEGIN FIRST " injected\n+0 " DOWN "Flags [.], ack ~, …", VERDICT_PASS));
    result_free(
        scene_judge(r, BEGIN FIRST " injected\n+0 " DOWN "Flags [.], ack 1, …", VERDICT_FAIL));
    struct story *story = story_new(r);
    ck_assert_uint_eq(story->segments.at[4].due_ack.value, 101);
    story_free(story);
    record_free(r);
}
END_TEST

/* A spoofed SYN of an open connection begins no other, and changes no numbers. */
START_TEST(an_injected_syn_begins_nothing)
{
    struct record *r = new_run();
    handshake(r, WAY);
    build_seen_tcp(r, 1, BUILD_IN, 10 * MS, TCP(.flags = "S", .seq = 7777, .win = 9));
    build_sent(r, 20 * MS, WAY, DATA(0));
    build_done(r, 1000 * MS);
    did(r, WIRE_INJECT, 0, -1, 2);
    struct story *story = story_new(r);
    ck_assert_uint_eq(story->flows.n, 1);
    ck_assert_uint_eq(story->segments.at[3].seq, 6777);
    ck_assert(story->segments.at[3].injected);
    ck_assert_uint_eq(story->segments.at[4].seq, 1);
    story_free(story);
    record_free(r);
}
END_TEST

/* What was damaged was not received, what was rewritten was so as it came. */
START_TEST(what_reaches_the_receiver)
{
    static const struct {
        enum wire_action action;
        uint32_t ack;
    } cases[] = {{WIRE_CORRUPT, 1}, {WIRE_REWRITE, 301}, {WIRE_DROP, 1}, {WIRE_DUPLICATE, 301}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = suffers(cases[i].action);
        build_sent(r, 100 * MS, WAY, ACKS((int)cases[i].ack / 100));
        record_sort(r); /* the packet is the last: indexes stay */
        struct story *story = story_new(r);
        ck_assert_uint_eq(vec_last(&story->segments)->due_ack.value, cases[i].ack);
        story_free(story);
        record_free(r);
    }
}
END_TEST

/* A SYN of which the wire took the time stamps has none for the server. */
START_TEST(options_are_those_that_came)
{
    struct record *r = new_run();
    build_seen_tcp(r, 0, BUILD_OUT, 0, TCP(.flags = "S", .seq = 1000, .ts = true, .tsval = 7));
    build_seen_tcp(r, 1, BUILD_IN, WAY, TCP(.flags = "S", .seq = 1000));
    build_sent(r, MS, WAY,
               TCP(.reply = true, .flags = "S.", .seq = 5000, .ack = 1001, .ts = true, .tsval = 1));
    build_done(r, 1000 * MS);
    did(r, WIRE_REWRITE, 0, 0, 0);
    struct story *story = story_new(r);
    ck_assert(story->segments.at[0].rewritten);
    ck_assert(!story->segments.at[0].arrived->tcp.has_ts);
    ck_assert(!story->segments.at[1].due_tsecr.known);
    story_free(story);
    record_free(r);
}
END_TEST

/* A SYN of which the wire took the window scale: the server's windows are not scaled. */
START_TEST(windows_are_scaled_by_what_came)
{
    struct record *r = new_run();
    build_seen_tcp(r, 0, BUILD_OUT, 0, TCP(.flags = "S", .seq = 1000, .wscale = 7));
    build_seen_tcp(r, 1, BUILD_IN, WAY, TCP(.flags = "S", .seq = 1000));
    build_sent(r, MS, WAY,
               TCP(.reply = true, .flags = "S.", .seq = 5000, .ack = 1001, .wscale = 7));
    build_sent(r, 2 * MS, WAY, TCP(.flags = ".", .seq = 1001, .ack = 5001, .win = 9000));
    build_sent(r, 3 * MS, WAY,
               TCP(.reply = true, .flags = ".", .seq = 5001, .ack = 1001, .win = 9000, .id = 5));
    build_sent(r, 4 * MS, WAY,
               TCP(.reply = true, .flags = ".", .seq = 5001, .ack = 1101, .win = 8900, .id = 6));
    build_done(r, 1000 * MS);
    did(r, WIRE_REWRITE, 0, 0, 0);
    struct story *story = story_new(r);
    const struct story_segment *last = vec_last(&story->segments);
    ck_assert(last->due_win.known);
    ck_assert_uint_eq(last->due_win.least, 8900);
    story_free(story);
    record_free(r);
}
END_TEST

/* Two ACKs of which the second overtakes the first: neither takes anything back. */
START_TEST(a_view_knows_what_was_offered)
{
    struct record *r = new_run();
    handshake(r, WAY);
    nsec way[] = {WAY, 2 * MS, WAY};
    for (int i = 0; i < 3; i++)
        build_sent(r, (10 + i) * MS, way[i],
                   TCP(.reply = true, .flags = ".", .seq = 5001, .ack = 1001 + 100 * (uint32_t)i,
                       .win = (uint16_t)(9000 - 100 * i), .id = (uint16_t)(50 + i)));
    build_done(r, 3000 * MS);
    struct story *view = story_at(r, 0);
    const struct story_segment *s = vec_last(&view->segments);
    ck_assert_uint_eq(s->ack, 101);
    ck_assert(s->due_win.known);
    ck_assert_uint_eq(s->due_win.least, 8900);
    story_free(view);
    record_free(r);
}
END_TEST

/* At the receiver, long after it was sent: what was due is what its sender knew then. */
START_TEST(a_view_knows_when_it_was_sent)
{
    struct record *r = new_run();
    handshake(r, WAY);
    struct build_tcp *late = TCP(.flags = "P.", .seq = 1001, .ack = 5001, .win = 9, .len = 100,
                                 .ts = true, .tsval = 40, .tsecr = 20, .id = 10);
    build_sent(r, 0, WAY, TCP(.flags = "S", .sport = 9, .seq = 1, .ts = true, .tsval = 1));
    build_sent(r, 10 * MS, WAY,
               TCP(.reply = true, .flags = ".", .seq = 5001, .ack = 1001, .win = 9, .ts = true,
                   .tsval = 20, .tsecr = 1, .id = 50));
    build_sent(r, 20 * MS, 500 * MS, late);
    build_sent(r, 100 * MS, WAY,
               TCP(.reply = true, .flags = "P.", .seq = 5001, .ack = 1001, .win = 9, .len = 50,
                   .ts = true, .tsval = 110, .tsecr = 1, .id = 51));
    build_done(r, 3000 * MS);
    struct story *view = story_at(r, 1);
    const struct story_segment *s = vec_last(&view->segments);
    ck_assert_uint_eq(s->p->tcp.payload_len, 100);
    ck_assert(s->due_ack.known && s->due_tsecr.known && s->due_tsval.known);
    ck_assert_uint_eq(s->due_ack.value, 1);
    ck_assert_uint_eq(s->tsecr, s->due_tsecr.value);
    ck_assert_uint_le(s->due_tsval.earliest, s->tsval);
    ck_assert_uint_ge(s->due_tsval.latest, s->tsval);
    ck_assert_uint_lt(s->due_tsval.latest, s->tsval + 100);
    story_free(view);
    record_free(r);
}
END_TEST

/* ------------------------------------------------------------------ long overtaking */

START_TEST(overtaking_is_counted)
{
    /* each of 100 segments arrives in the reverse order */
    struct record *r = new_run();
    for (int i = 0; i < 100; i++)
        build_sent(r, i * MS, (300 - 2 * i) * MS, DATA(i));
    build_done(r, 3000 * MS);
    struct story *story = story_new(r);
    for (size_t i = 0; i < 100; i++)
        ck_assert_uint_eq(story->segments.at[i].overtaken, 99 - i);
    story_free(story);
    record_free(r);
}
END_TEST

/* Other connections and the other direction do not count. */
START_TEST(only_its_own_direction_overtakes)
{
    struct record *r = new_run();
    build_sent(r, 0, 10 * MS, DATA(0));
    build_sent(r, MS, WAY, DATA(0, .sport = 41000));
    build_sent(r, 2 * MS, WAY, ACKS(0));
    build_sent(r, 3 * MS, WAY, DATA(1));
    build_done(r, 3000 * MS);
    struct story *story = story_new(r);
    ck_assert_uint_eq(story->segments.at[0].overtaken, 1);
    story_free(story);
    record_free(r);
}
END_TEST

/* A switch changes no order, nor does TCP: one that is late, by this machine's doing, spoils
 * the run. */
START_TEST(at_a_switch_nothing_is_overtaken)
{
    static const char in_turn[] = UP "seq 1:101, ack 1, win 1000, length 100\n" UP
                                     "seq 101:201, ack 1, win 1000, length 100\n";
    struct record *r = build_record();
    build_sent(r, MS, 5 * MS, DATA(0));
    build_sent(r, 2 * MS, WAY, DATA(1));
    build_done(r, 3000 * MS);
    r->has_calls = true;
    scene_wired = false;
    struct result *result = scene_judge(r, in_turn, VERDICT_NOISY);
    ck_assert_msg(strstr(result->reason, "overtake") != NULL, "%s", result->reason);
    result_free(result);
    scene_wired = true;
    result_free(scene_judge(r, in_turn, VERDICT_FAIL));
    record_free(r);
}
END_TEST

static void at_a_wire(void)
{
    scene_wired = true;
}

static Suite *suite_wire_story(void)
{
    Suite *s = suite_create("wire-story");
    TCase *t = tcase_create("words");
    tcase_add_checked_fixture(t, at_a_wire, NULL);
    tcase_add_test(t, at_a_switch_nothing_is_overtaken);
    tcase_add_loop_test(t, each_way_has_its_words, 0, (int)ARRAY_SIZE(ways));
    tcase_add_loop_test(t, what_is_wrong_is_told, 0, (int)ARRAY_SIZE(wrong));
    tcase_add_test(t, nobody_sends_what_is_injected);
    tcase_add_test(t, a_foreign_capture_is_silent);
    suite_add_tcase(s, t);
    t = tcase_create("fates");
    tcase_add_test(t, a_drop_is_certain);
    tcase_add_test(t, of_equal_frames_the_dropped_ones_are_known);
    tcase_add_test(t, what_a_wire_has_not_lost_is_under_way);
    tcase_add_test(t, a_copy_that_is_lost);
    tcase_add_test(t, copies_of_which_one_is_damaged);
    tcase_add_test(t, thrice);
    suite_add_tcase(s, t);
    t = tcase_create("history");
    tcase_add_test(t, an_injected_segment_is_received);
    tcase_add_test(t, an_injected_syn_begins_nothing);
    tcase_add_test(t, what_reaches_the_receiver);
    tcase_add_test(t, options_are_those_that_came);
    tcase_add_test(t, windows_are_scaled_by_what_came);
    tcase_add_test(t, a_view_knows_what_was_offered);
    tcase_add_test(t, a_view_knows_when_it_was_sent);
    tcase_add_test(t, overtaking_is_counted);
    tcase_add_test(t, only_its_own_direction_overtakes);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_wire_story)
