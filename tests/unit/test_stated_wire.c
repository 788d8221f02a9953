/* What the wire did, by evidence, against the lab and the packets: each forgery is refused, and
 * what a right run may leave is not. */
#include "record/stated.h"

#include <stdio.h>
#include <string.h>

#include "build_packet.h"
#include "transcript/story.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define WAY (30 * NSEC_PER_USEC)

static struct lab *lab;
static struct record *record;

enum { SEGMENTS = 6, STEP = 3 }; /* the step under test; before it are three calls */

/* The step is played between 60 ms and 100 ms; the SYN was long before. */
static void begin(const char *step, const char *filter)
{
    cleanup_free char *text = xasprintf("# A lab\n\nProse.\n\n```lab\n"
                                        "host client 10.0.0.1/24,fd00::1/64\n"
                                        "host server 10.0.0.2/24,fd00::2/64\n"
                                        "capture client server \"%s\"\n"
                                        "server listen 1234\n"
                                        "client connect server 1234\n"
                                        "server accept\n"
                                        "%s\n"
                                        "client send 600 bytes\n```\n",
                                        filter, step);
    struct source src;
    struct diags diags = {0};
    source_from(&src, "lab.md", text, strlen(text));
    lab = lab_parse(&src, NULL, 0, &diags);
    ck_assert_msg(diags.list.n == 0, "%s: %s", step, diags.list.n ? diags.list.at[0].message : "");
    diags_free(&diags);
    record = build_record();
    for (size_t i = 0; i < record->points.n; i++) {
        free(record->points.at[i].filter);
        record->points.at[i].filter = xstrdup(filter);
    }
    build_call(record, 1, "listen", "1234", 0, MS, 0, 0);
    build_call(record, 0, "connect", "server 1234", MS, 2 * MS, 0, 0);
    build_call(record, 1, "accept", "", 2 * MS, 60 * MS, 0, 0);
    build_call(record, 0, "send", "600 bytes", 100 * MS, 101 * MS, 0, 600)->step = 4;
    build_sent(record, MS, WAY, &(struct build_tcp){.flags = "S", .seq = 1000, .mss = 1460});
}

static void teardown(void)
{
    lab_free(lab);
    record_free(record);
}

static const struct build_tcp *data(int i)
{
    static struct build_tcp b;
    b = (struct build_tcp){.flags = "P.",
                           .seq = 1001 + 100 * (uint32_t)i,
                           .ack = 1,
                           .win = 9,
                           .len = 100,
                           .id = (uint16_t)(10 + i)};
    return &b;
}

/* The client's packets are 0, 2, 4 …: the SYN, and data from 2 on. */
static void sends(nsec at, nsec apart)
{
    for (int i = 0; i < SEGMENTS; i++)
        build_sent(record, at + i * apart, WAY, data(i));
}

static void did(enum wire_action action, long packet, long arrival)
{
    nsec time = record->packets.at[packet].frame.time + 10;
    vec_push(&record->wire, ((struct record_wire){action, time, 0, 1, STEP, packet, arrival}));
}

static int check(struct error *err)
{
    record->ended = build_time(5000 * MS);
    return stated_check(record, lab, err);
}

static void accepts(void)
{
    struct error err = ERROR_INIT;
    ck_assert_msg(check(&err) == 0, "%s", err.message);
}

static void refuses(const char *words)
{
    struct error err = ERROR_INIT;
    ck_assert_int_eq(check(&err), -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s", err.message);
    error_clear(&err);
}

/* Of the packets that the client sends (0: the SYN), those that the wire says it dropped. */
static const struct forgery {
    const char *which, *filter;
    int dropped[4];      /* -1: no more */
    const char *refused; /* NULL: it may be so */
} forgeries[] = {
    {"data 3", "tcp port 1234", {3, -1}, NULL},
    {"data 3", "tcp port 1234", {4, -1}, "met other frames than it means"},
    {"data 3", "tcp port 1234", {2, -1}, "met other frames than it means"},
    {"data 3", "tcp port 1234", {-1}, "met other frames than it means"},
    {"data 3", "tcp port 1234", {0, -1}, "the wire's \"drop\""},
    {"data 3", "tcp", {4, -1}, "met other frames than it means"},
    {"data 3", "", {4, -1}, "met other frames than it means"},
    /* Where the capture need not show all, it is not counted. */
    {"data 3", "tcp port 1234 and host 10.0.0.1", {4, -1}, NULL},
    {"data 2..3", "tcp", {2, 3, -1}, NULL},
    {"data 2..3", "tcp", {2, -1}, "met other frames than it means"},
    {"data 2..3", "tcp", {2, 4, -1}, "met other frames than it means"},
    {"data all", "tcp", {1, 2, 3, -1}, "met other frames than it means"},
    {"data every 3rd", "tcp", {3, 6, -1}, NULL},
    {"data every 3rd", "tcp", {2, 6, -1}, "met other frames than it means"},
    {"data every 3rd", "tcp", {3, -1}, "met other frames than it means"},
    {"any 4", "", {4, -1}, NULL}, /* the SYN was before the step */
    {"any 4", "", {3, -1}, "met other frames than it means"},
    {"any 4", "tcp", {3, -1}, NULL}, /* it may be about ARP */
    {"[P.] 2", "tcp", {2, -1}, NULL},
    {"[P.] 2", "tcp", {5, -1}, "met other frames than it means"},
    /* The first number is the SYN's, so 201 is that of the third. */
    {"seq 201", "tcp", {3, -1}, NULL},
    {"seq 201", "tcp", {2, -1}, "the wire's \"drop\""},
    {"seq 202", "tcp", {3, -1}, "the wire's \"drop\""},
    /* What a filter means. */
    {"\"tcp[4:4] = 1201\"", "tcp", {3, -1}, NULL},
    {"\"tcp[4:4] = 1201\"", "tcp", {2, -1}, "the wire's \"drop\""},
    {"\"ip[4:2] > 12\" 2", "", {5, -1}, NULL},
    {"\"ip[4:2] > 12\" 2", "", {4, -1}, "met other frames than it means"},
};

START_TEST(a_rule_met_what_it_means)
{
    const struct forgery *f = &forgeries[_i];
    cleanup_free char *step = xasprintf("wire drop client > server %s", f->which);
    begin(step, f->filter);
    sends(110 * MS, 10 * MS);
    for (const int *at = f->dropped; *at >= 0; at++)
        did(WIRE_DROP, 2 * *at, -1);
    if (f->refused)
        refuses(f->refused);
    else
        accepts();
}
END_TEST

/* Nothing is said of what left at nearly the same time, or when the step may have been played. */
START_TEST(what_cannot_be_told_is_not_refused)
{
    static const struct {
        nsec at, apart, lateness;
        int dropped;
        bool right;
    } cases[] = {
        {110 * MS, 50 * NSEC_PER_USEC, 0, 2, true},
        {110 * MS, 50 * NSEC_PER_USEC, 0, 6, false},
        {110 * MS, MS, 2 * MS, 5, true},
        {110 * MS, MS, 0, 5, false},
        /* While the step was played the first two had left already, or had not. */
        {85 * MS, 8 * MS, 0, 3, true},
        {85 * MS, 8 * MS, 0, 4, true},
        {85 * MS, 8 * MS, 0, 5, true},
        {85 * MS, 8 * MS, 0, 6, false},
        {85 * MS, 8 * MS, 0, 2, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        begin("wire drop client > server data 3", "tcp");
        record->lateness = cases[i].lateness;
        sends(cases[i].at, cases[i].apart);
        record_sort(record);
        for (size_t p = 0; p < record->packets.n; p++) {
            struct packet packet;
            packet_decode(&packet, &record->packets.at[p].frame);
            if (record->packets.at[p].outgoing &&
                packet.ip.id == 10 + (unsigned)cases[i].dropped - 1)
                did(WIRE_DROP, (long)p, -1);
        }
        struct error err = ERROR_INIT;
        int ret = check(&err);
        ck_assert_msg((ret == 0) == cases[i].right, "case %zu: %s", i, err.message);
        error_clear(&err);
        if (i + 1 < ARRAY_SIZE(cases))
            teardown();
    }
}
END_TEST

/* Frames that are equal to the byte cannot be told from each other. */
START_TEST(of_equal_frames_any_may_be_meant)
{
    begin("wire drop client > server data 3", "tcp");
    for (int i = 0; i < SEGMENTS; i++)
        build_sent(record, (110 + 10 * i) * MS, WAY, data(0));
    did(WIRE_DROP, 2 * 5, -1);
    accepts();
}
END_TEST

START_TEST(what_a_rule_dropped_no_later_one_counts)
{
    begin("wire drop client > server data 1\nwire drop client > server data 2", "tcp");
    record->calls.at[3].step = 5;
    sends(110 * MS, 10 * MS);
    did(WIRE_DROP, 2, -1);
    did(WIRE_DROP, 6, -1);
    record->wire.at[1].step = STEP + 1;
    accepts();
    record->wire.at[1].packet = 4;
    refuses("met other frames than it means");
}
END_TEST

START_TEST(a_cleared_rule_meets_nothing)
{
    begin("wire duplicate client > server data all\nclient send 100 bytes\nwire clear client > "
          "server",
          "tcp");
    record->calls.at[3].step = 6;
    build_call(record, 0, "send", "100 bytes", 62 * MS, 63 * MS, 0, 100)->step = 4;
    sends(70 * MS, 20 * MS); /* the first two at a time at which it may be cleared, or not */
    did(WIRE_DUPLICATE, 2, -1);
    accepts();
    did(WIRE_DUPLICATE, 6, -1);
    refuses("met other frames than it means");
}
END_TEST

/* What came has to be what the rule makes of what was sent. */
START_TEST(a_change_is_what_the_rule_makes)
{
    static const struct {
        const char *rule;
        struct build_tcp came;
        enum wire_action action;
        bool ect, right;
    } cases[] = {
        {"corrupt client > server data", {.bad_sum = true, .win = 9}, WIRE_CORRUPT, false, true},
        {"corrupt client > server data", {.win = 9}, WIRE_CORRUPT, false, false},
        {"rewrite client > server data win 77", {.win = 77}, WIRE_REWRITE, false, true},
        {"rewrite client > server data win 77", {.win = 78}, WIRE_REWRITE, false, false},
        {"rewrite client > server data mss 536", {.mss = 536}, WIRE_REWRITE, false, true},
        {"rewrite client > server data mss 536", {.mss = 537}, WIRE_REWRITE, false, false},
        {"rewrite client > server data mss 536", {.win = 9}, WIRE_REWRITE, false, false},
        {"rewrite client > server data without TS", {.win = 9}, WIRE_REWRITE, false, true},
        {"rewrite client > server data without TS", {.ts = true}, WIRE_REWRITE, false, false},
        {"mark client > server data ce", {.win = 9}, WIRE_MARK, false, false},
        {"mark client > server data ce", {.win = 9}, WIRE_MARK, true, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_free char *step = xasprintf("wire %s", cases[i].rule);
        begin(step, "tcp");
        static uint8_t buf[BUILD_MAX_FRAME];
        size_t n = build_tcp(buf, data(0));
        buf[15] |= cases[i].ect ? 2 : 0;
        build_seen(record, 0, BUILD_OUT, 110 * MS, buf, n);
        struct build_tcp came = cases[i].came;
        came.flags = came.mss ? "S" : "P.";
        came.seq = 1001;
        came.len = 100;
        n = build_tcp(buf, &came);
        build_seen(record, 1, BUILD_IN, 111 * MS, buf, n);
        did(cases[i].action, 2, 3);
        if (cases[i].right)
            accepts();
        else
            refuses("the wire's");
        if (cases[i].action == WIRE_MARK && cases[i].ect) {
            union {
                const uint8_t *read_only;
                uint8_t *owned;
            } frame = {record->packets.at[3].frame.data};
            frame.owned[15] |= 3;
            accepts();
        }
        if (i + 1 < ARRAY_SIZE(cases))
            teardown();
    }
}
END_TEST

/* A frame that vanished, and of which no event says how, was not lost: a wire that lies between
 * two hosts says what it loses.  So an event that was taken away is missed. */
START_TEST(a_stay_that_was_removed_is_missed)
{
    begin("wire client > server delay 1ms", "tcp");
    build_sent(record, 110 * MS, BUILD_LOST, data(0));
    did(WIRE_STAY, 2, -1);
    record->wire.at[0].step = -1;
    for (int i = 0; i < 2; i++) {
        accepts();
        struct story *story = story_new(record);
        ck_assert(story->segments.at[1].pending);
        story_free(story);
        record->wire.n = 0;
    }
    record->wires.n = 0; /* without a wire it was */
    struct story *story = story_new(record);
    ck_assert_int_eq(story->segments.at[1].fate, FATE_LOST);
    story_free(story);
}
END_TEST

static Suite *suite_stated_wire(void)
{
    Suite *s = suite_create("stated-wire");
    TCase *t = tcase_create("stated-wire");
    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, a_rule_met_what_it_means, 0, (int)ARRAY_SIZE(forgeries));
    tcase_add_test(t, what_cannot_be_told_is_not_refused);
    tcase_add_test(t, of_equal_frames_any_may_be_meant);
    tcase_add_test(t, what_a_rule_dropped_no_later_one_counts);
    tcase_add_test(t, a_cleared_rule_meets_nothing);
    tcase_add_test(t, a_change_is_what_the_rule_makes);
    tcase_add_test(t, a_stay_that_was_removed_is_missed);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_stated_wire)
