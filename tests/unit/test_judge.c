/* The judge beyond plain lines: groups, repetitions, silence, names of ports, calls,
 * capture points, and evidence that is not sound. */

#include "scenes.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "build_packet.h"
#include "record/from_capture.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define UP "client.port > server.1234: "

static void expect(const struct record *r, const char *text, enum verdict verdict)
{
    result_free(scene_judge(r, text, verdict));
}

/* Judges, expects a failure, and hands out the first bad line's number and status. */
static enum line_status first_bad(const struct record *r, const char *text, size_t *line)
{
    struct result *result = scene_judge(r, text, VERDICT_FAIL);
    const struct result_line *bad = result_first_bad(result);
    ck_assert_ptr_nonnull(bad);
    ck_assert_ptr_nonnull(bad->meaning);
    ck_assert_ptr_nonnull(result->reason);
    enum line_status status = bad->status;
    *line = bad->line_number;
    result_free(result);
    return status;
}

static void expect_bad(const struct record *r, const char *text, size_t line,
                       enum line_status status)
{
    size_t at;
    enum line_status found = first_bad(r, text, &at);
    ck_assert_msg(found == status && at == line, "%s\nline %zu, status %d", text, at, (int)found);
}

static struct record *record_new_run(void)
{
    struct record *r = build_record();
    r->has_calls = true;
    r->lateness = 300 * NSEC_PER_USEC;
    return r;
}

/* A segment of a connection from client port `sport`. */
static void add(struct record *r, nsec at, uint16_t sport, const char *flags, uint32_t seq)
{
    build_sent(r, at, 30 * NSEC_PER_USEC,
               &(struct build_tcp){.sport = sport, .flags = flags, .seq = seq, .win = 100});
}

#define SEEN(port, flags) "client." port " > server.1234: Flags [" flags "], …\n"

/* ------------------------------------------------------------- repeats, groups */

static struct record *four_syns(void)
{
    static const nsec gaps[] = {1024 * MS, 1024 * MS, 1024 * MS};
    return scene_syn_retry(gaps, 3);
}

START_TEST(repetitions)
{
    struct record *r = four_syns();
    expect(r, SEEN("*", "S") "", VERDICT_FAIL);
    expect(r, "client.* > server.1234: … x4 lost", VERDICT_PASS);
    expect(r, "client.* > server.1234: … x2..4 lost", VERDICT_PASS);
    expect(r, "client.* > server.1234: … x1..9 lost", VERDICT_PASS);
    expect(r, "client.* > server.1234: … x1..9 ? lost", VERDICT_PASS);
    expect(r, "client.* > server.1234: … lost\n+1s client.* > server.1234: … x3 lost",
           VERDICT_PASS);
    expect_bad(r, "client.* > server.1234: … x5 lost", 1, LINE_MISSING);
    expect_bad(r, "client.* > server.1234: … x3 lost", 0, LINE_UNEXPECTED);
    expect_bad(r, "client.* > server.1234: … x1..3 lost", 0, LINE_UNEXPECTED);
    expect_bad(r, "client.* > server.1234: … lost\n+2s client.* > server.1234: … x3 lost", 2,
               LINE_DIFFERS);
    record_free(r);
}
END_TEST

START_TEST(optional_lines)
{
    struct record *r = four_syns();
    struct result *result =
        scene_judge(r, "client.* > server.1234: … x4 lost\nserver.1234 > client.*: Flags [R], … ?",
                    VERDICT_PASS);
    ck_assert_int_eq(result->lines.at[4].status, LINE_ABSENT);
    result_free(result);
    expect(r, "client.* > server.1234: … ? lost\nclient.* > server.1234: … x3 lost\n",
           VERDICT_PASS);
    expect(r, "client.* > server.1234: … ? lost\nclient.* > server.1234: … x4 lost\n",
           VERDICT_PASS);
    expect_bad(r, "client.* > server.1234: … x1..4 ?", 1, LINE_DIFFERS);
    record_free(r);
}
END_TEST

static struct record *three_flags(void)
{
    struct record *r = record_new_run();
    add(r, 0, 40000, "S", 0);
    add(r, MS, 40000, "P.", 1);
    add(r, 2 * MS, 40000, "F.", 1);
    add(r, 3 * MS, 40000, "R", 2);
    build_done(r, 5000 * MS);
    return r;
}

START_TEST(any_order)
{
    struct record *r = three_flags();
    expect(r, SEEN("*", "S") "any order {\n" SEEN("*", "F.") SEEN("*", "P.") "}\n" SEEN("*", "R"),
           VERDICT_PASS);
    expect(r, "any order {\n" SEEN("*", "R") SEEN("*", "F.") SEEN("*", "P.") SEEN("*", "S") "}\n",
           VERDICT_PASS);
    expect(r,
           "any order {\n" SEEN("*", "R") "client.* > server.1234: Flags [U], … ?\n" SEEN("*", "F.")
               SEEN("*", "P.") SEEN("*", "S") "}\n",
           VERDICT_PASS);
    expect(r, "any order {\nclient.* > server.1234: … x4\n}\n", VERDICT_PASS);
    expect_bad(r,
               SEEN("*", "S") "any order {\n" SEEN("*", "F.") SEEN("*", "P") "}\n" SEEN("*", "R"),
               4, LINE_DIFFERS);
    expect_bad(r,
               SEEN("*", "S") "any order {\n" SEEN("*", "F.") SEEN("*", "R") "}\n" SEEN("*", "P."),
               0, LINE_UNEXPECTED);
    expect_bad(r,
               "any order {\n" SEEN("*", "R") SEEN("*", "F.") SEEN("*", "P.")
                   SEEN("*", "S") "ARP, Request …\n}\n",
               6, LINE_MISSING);
    expect_bad(r, "any order {\n" SEEN("*", "R") SEEN("*", "F.") SEEN("*", "P.") "}\n", 0,
               LINE_UNEXPECTED);
    record_free(r);
}
END_TEST

#define MIX(range, lines) "mix " range " {\n" lines "}\n"
#define PF SEEN("*", "P.") SEEN("*", "F.")

START_TEST(mix)
{
    struct record *r = three_flags();
    expect(r, SEEN("*", "S") MIX("2", PF) SEEN("*", "R"), VERDICT_PASS);
    expect(r, SEEN("*", "S") MIX("1..5", SEEN("*", "F.") SEEN("*", "P.")) SEEN("*", "R"),
           VERDICT_PASS);
    expect(r, MIX("0..2", SEEN("*", "U")) MIX("4", SEEN("*", "*")), VERDICT_PASS);
    expect(r, MIX("1..4", SEEN("*", "*")) SEEN("*", "R"), VERDICT_PASS); /* as few as need be */
    expect(r, MIX("1..3", SEEN("*", "*")) MIX("1..3", SEEN("*", "*")), VERDICT_PASS);
    expect(r, SEEN("*", "S") MIX("2", "+1ms client.* > server.1234: …\n") SEEN("*", "R"),
           VERDICT_PASS);
    expect_bad(r, SEEN("*", "S") MIX("3..9", PF) SEEN("*", "R"), 2, LINE_MISSING);
    expect_bad(r, SEEN("*", "S") MIX("1", PF) SEEN("*", "R"), 0, LINE_UNEXPECTED);
    expect_bad(r, SEEN("*", "S") MIX("2", SEEN("*", "P.") SEEN("b", "S.")) SEEN("*", "R"), 3,
               LINE_DIFFERS);
    expect_bad(r, MIX("4", PF SEEN("*", "R") SEEN("*", "S.")), 2, LINE_DIFFERS);
    expect_bad(r, SEEN("*", "S") MIX("2", "+50ms client.* > server.1234: …\n") SEEN("*", "R"), 3,
               LINE_DIFFERS);
    record_free(r);
}
END_TEST

START_TEST(mix_tells_how_many)
{
    struct record *r = three_flags();
    struct result *result =
        scene_judge(r, SEEN("*", "S") MIX("4..9", PF) SEEN("*", "R"), VERDICT_FAIL);
    ck_assert_str_eq(result->reason, "line 2: 2 packets of this mix came, expected at least 4");
    result_free(result);
    record_free(r);
}
END_TEST

/* A note stands beside the first packet that it is about, and only there. */
START_TEST(mix_notes)
{
    struct record *r = three_flags();
    struct result *result =
        scene_judge(r, "# the mix\nmix 4 {\n# all\nclient.* > server.1234: …\n}\n", VERDICT_PASS);
    ck_assert_uint_eq(result->lines.n, 4);
    ck_assert_str_eq(result->lines.at[0].note, "the mix all");
    for (size_t i = 1; i < 4; i++)
        ck_assert_ptr_null(result->lines.at[i].note);
    ck_assert_uint_eq(result->lines.at[3].mix, result->lines.at[0].mix);
    result_free(result);
    record_free(r);
}
END_TEST

/* --------------------------------------------------------------------- silence */

START_TEST(quiet_times)
{
    struct record *r = three_flags();
#define ALL SEEN("*", "S") SEEN("*", "P.") SEEN("*", "F.") SEEN("*", "R")
    expect(r, ALL "quiet 4s\n", VERDICT_PASS);
    expect(r, ALL "quiet 4997ms\n", VERDICT_PASS);
    expect_bad(r, ALL "quiet 6s\n", 5, LINE_DIFFERS);
    expect_bad(r, SEEN("*", "S") "quiet 10ms\n" SEEN("*", "P.") SEEN("*", "F.") SEEN("*", "R"), 2,
               LINE_DIFFERS);
    record_free(r);

    r = record_new_run();
    add(r, 0, 40000, "S", 0);
    add(r, 4000 * MS, 40000, "R", 1);
    build_done(r, 5000 * MS);
    expect(r, SEEN("*", "S") "quiet 3s\n" SEEN("*", "R"), VERDICT_PASS);
    expect_bad(r, SEEN("*", "S") "quiet 3s\n", 0, LINE_UNEXPECTED);
    record_free(r);

    r = record_new_run();
    build_done(r, 5000 * MS);
    expect(r, "quiet 4s", VERDICT_PASS);
    expect_bad(r, "quiet 6s", 1, LINE_DIFFERS);
    record_free(r);
}
END_TEST

/* ------------------------------------------------------------- names of ports */

START_TEST(port_names)
{
    struct record *r = record_new_run();
    add(r, 0, 40000, "S", 0);
    add(r, MS, 40002, "S", 0);
    add(r, 2 * MS, 40000, "R", 1);
    add(r, 3 * MS, 40002, "R", 1);
    build_done(r, 0);
    expect(r, SEEN("port", "S") SEEN("port2", "S") SEEN("port", "R") SEEN("port2", "R"),
           VERDICT_PASS);
    expect(r, SEEN("a", "S") SEEN("b", "S") SEEN("a", "R") SEEN("b", "R"), VERDICT_PASS);
    expect(r, SEEN("port2", "S") SEEN("port", "S") SEEN("port2", "R") SEEN("port", "R"),
           VERDICT_PASS);
    expect(r, SEEN("*", "S") SEEN("b", "S") SEEN("*", "R") SEEN("b", "R"), VERDICT_PASS);
    expect(r, "any order {\n" SEEN("b", "S") SEEN("a", "S") "}\n" SEEN("a", "R") SEEN("b", "R"),
           VERDICT_PASS);
    /* one name is one port, two names are two */
    expect_bad(r, SEEN("a", "S") SEEN("b", "S") SEEN("b", "R") SEEN("a", "R"), 3, LINE_DIFFERS);
    expect(r, SEEN("a", "S") SEEN("a", "S") SEEN("a", "R") SEEN("a", "R"), VERDICT_FAIL);
    expect(r, SEEN("a", "S") SEEN("b", "S") SEEN("c", "R") SEEN("b", "R"), VERDICT_FAIL);
    expect(r, SEEN("40000", "S") SEEN("b", "S") SEEN("*", "R") SEEN("b", "R"), VERDICT_FAIL);
    record_free(r);
}
END_TEST

START_TEST(vary_values)
{
    struct record *r = four_syns();
    expect(r, "client.* > server.$port: … x4 lost", VERDICT_PASS);
    expect(r, "10.0.0.1.* > 10.0.0.2.$port: … x4 lost", VERDICT_PASS);
    expect(r, "10.0.0.3.* > 10.0.0.2.$port: … x4 lost", VERDICT_FAIL);
    record_free(r);
}
END_TEST

/* -------------------------------------------------------- calls, links, states */

#define TALK(before, between) before SEEN("*", "S") between "client.* > server.1234: … x3\n"

START_TEST(calls)
{
    struct record *r = three_flags();
    struct record_call *c = build_call(r, 0, "connect", "server 1234", 0, MS / 2, 0, 0);
    c = build_call(r, 0, "send", "\"hello\"", MS, MS + 1000, 0, 5);
    c = build_call(r, 0, "recv", "5", MS, 4000 * MS, ECONNRESET, 0);
    c->expected = xstrdup("ECONNRESET");
    c->as_stated = true;
    expect(r, TALK("", ""), VERDICT_PASS);
    expect(r, TALK("", "client: connect server 1234\n"), VERDICT_PASS);
    expect(r, TALK("", "client: connect\nclient: send => 5\n"), VERDICT_PASS);
    expect(r, TALK("", "client: connect server *\nclient: send => *\n"), VERDICT_PASS);
    expect(r, TALK("", "") "client: recv 5 => ECONNRESET\n", VERDICT_PASS);
    expect(r, TALK("", "") "+4s client: recv => ECONNRESET\n", VERDICT_PASS);
    expect_bad(r, TALK("", "client: connect server 1235\n"), 2, LINE_DIFFERS);
    expect_bad(r, TALK("", "client: connect => ECONNREFUSED\n"), 2, LINE_DIFFERS);
    expect_bad(r, TALK("", "client: send => 6\n"), 2, LINE_DIFFERS);
    expect(r, TALK("", "client: send => 4..6\n"), VERDICT_PASS);
    expect(r, TALK("", "client: send => 5..5\n"), VERDICT_PASS);
    expect_bad(r, TALK("", "client: send => 6..9\n"), 2, LINE_DIFFERS);
    expect_bad(r, TALK("", "client: send => 1..4\n"), 2, LINE_DIFFERS);
    expect_bad(r, TALK("", "client: shutdown write\n"), 2, LINE_MISSING);
    expect_bad(r, TALK("", "client as b: connect\n"), 2, LINE_MISSING);
    expect_bad(r, TALK("", "server: connect\n"), 2, LINE_MISSING);
    expect_bad(r, TALK("", "") "client: recv => EPIPE\n", 3, LINE_DIFFERS);
    expect_bad(r, TALK("", "") "+3s client: recv => ECONNRESET\n", 3, LINE_DIFFERS);
    /* far out of its place, and in the wrong order */
    expect_bad(r, TALK("", "client: recv => ECONNRESET\n"), 2, LINE_DIFFERS);
    expect_bad(r, TALK("", "client: send => 5\nclient: connect\n"), 3, LINE_MISSING);
    record_free(r);
}
END_TEST

START_TEST(calls_timed_from_a_label)
{
#define SYNS                                                                                       \
    "a: client.* > server.1234: … lost\nb: client.* > server.1234: … lost\n"                   \
    "client.* > server.1234: … x2 lost\n"
    struct record *r = four_syns();
    r->has_calls = true;
    build_call(r, 0, "connect", "server 1234", 0, 4072 * MS, 0, 0);
    expect(r, SYNS "+1s client: connect\n", VERDICT_PASS);
    expect(r, SYNS "+4s after a client: connect\n", VERDICT_PASS);
    expect(r, SYNS "+3s after b client: connect\n", VERDICT_PASS);
    expect_bad(r, SYNS "+4s client: connect\n", 4, LINE_DIFFERS);
    expect_bad(r, SYNS "+3s after a client: connect\n", 4, LINE_DIFFERS);
    expect_bad(r, SYNS "+4s after b client: connect\n", 4, LINE_DIFFERS);
    record_free(r);
}
END_TEST

START_TEST(calls_not_as_stated)
{
    struct record *r = three_flags();
    struct record_call *c = build_call(r, 0, "connect", "server 1234", 0, MS / 2, ETIMEDOUT, 0);
    c->as_stated = false;
    struct result *result = scene_judge(r, TALK("", ""), VERDICT_FAIL);
    const struct result_line *bad = result_first_bad(result);
    ck_assert_int_eq(bad->kind, LINE_CALL);
    ck_assert_int_eq(bad->call, 0);
    ck_assert_ptr_eq(bad, &result->lines.at[1]);
    ck_assert_str_eq(bad->expected, "client: connect server 1234 => success");
    ck_assert_str_eq(bad->meaning, "`client: connect server 1234` gave ETIMEDOUT, and the lab "
                                   "states success");
    result_free(result);
    result = scene_judge(r, TALK("", "client: connect => ETIMEDOUT\n"), VERDICT_FAIL);
    bad = result_first_bad(result);
    ck_assert_uint_eq(bad->line_number, 2);
    ck_assert_int_eq(bad->status, LINE_DIFFERS);
    ck_assert_str_eq(bad->meaning, "the result is ETIMEDOUT, as the transcript says, but the lab's "
                                   "script states success");
    result_free(result);
    r->has_calls = false;
    expect(r, TALK("", "client: connect => EPIPE\nlink server down\n"), VERDICT_PASS);
    record_free(r);
}
END_TEST

START_TEST(links_and_states)
{
    static const nsec gaps[] = {208 * MS};
    struct record *r = scene_unplugged(gaps, 1);
    struct record_call *c = build_call(r, 0, "state", "", 500 * MS, 501 * MS, 0, 0);
    c->text = xstrdup("ESTABLISHED");
    c->text_len = strlen(c->text);
    c = build_call(r, 0, "state", "", 502 * MS, 503 * MS, 0, 0);
    c->text = xstrdup("CLOSED");
    c->text_len = strlen(c->text);
    build_done(r, 600 * MS);
#define CABLE(line) "client.* > *.*: … x1..9 ?\nserver.* > *.*: …\nclient.* > *.*: …\n" line
#define REST "client.* > *.*: … lost\n+200ms client.* > *.*: … lost\n"
    expect(r, CABLE("link server down\n" REST), VERDICT_PASS);
    expect(r, CABLE(REST "client: state ESTABLISHED\nclient: state CLOSED\n"), VERDICT_PASS);
    expect_bad(r, CABLE("link server up\n" REST), 4, LINE_DIFFERS);
    expect_bad(r, CABLE("link client down\n" REST), 4, LINE_MISSING);
    expect_bad(r, CABLE(REST "link server down\n"), 6, LINE_DIFFERS);
    expect_bad(r, CABLE(REST "client: state CLOSED\nclient: state CLOSED\n"), 6, LINE_DIFFERS);
    expect_bad(r, CABLE(REST "client: state TIME-WAIT\n"), 6, LINE_DIFFERS);
    record_free(r);
}
END_TEST

/* -------------------------------------------------------------- capture points */

START_TEST(capture_points)
{
    struct record *r = record_new_run();
    add(r, 0, 40000, "S", 0);
    build_sent(r, MS, BUILD_LOST, &(struct build_tcp){.flags = "F", .seq = 5, .win = 1});
    add(r, 2 * MS, 40000, "R", 1);
    build_done(r, 100 * MS);
#define STORY SEEN("*", "S") "client.* > server.1234: Flags [F], … lost\n" SEEN("*", "R")
    expect(r, STORY, VERDICT_PASS);
    expect(r, STORY "at server: " SEEN("*", "S") "at server: +0 " SEEN("*", "R"), VERDICT_PASS);
    expect(r, "at server: " SEEN("*", "S") STORY "at server: " SEEN("*", "R"), VERDICT_PASS);
    expect(r, STORY "at server: any order {\n" SEEN("*", "R") SEEN("*", "S") "}\n", VERDICT_PASS);
    expect_bad(r, STORY "at server: " SEEN("*", "S"), 0, LINE_UNEXPECTED);
    expect_bad(r, STORY "at server: " SEEN("*", "S") "at server: " SEEN("*", "F"), 5, LINE_DIFFERS);
    expect_bad(r, STORY "at client: " SEEN("*", "S") "at client: " SEEN("*", "R"), 0,
               LINE_UNEXPECTED);
    /* lines of one point only: the story has to be told too */
    expect(r, "at server: " SEEN("*", "S") "at server: " SEEN("*", "R"), VERDICT_FAIL);
    record_free(r);
}
END_TEST

/* ------------------------------------------------------------- unsound evidence */

START_TEST(noise)
{
    struct record *r = three_flags();
    static const char right[] = "client.* > server.1234: … x4", wrong[] = "quiet 1s";
    expect(r, right, VERDICT_PASS);
    r->lateness = 101 * MS;
    expect(r, right, VERDICT_NOISY);
    expect(r, wrong, VERDICT_NOISY);
    r->lateness = 0;
    r->clock_step = -5 * MS;
    expect(r, right, VERDICT_NOISY);
    r->clock_step = 3 * MS;
    expect(r, right, VERDICT_PASS);
    r->points.at[1].dropped = 2;
    struct result *result = scene_judge(r, right, VERDICT_NOISY);
    ck_assert_str_eq(result->reason, "2 packets were dropped by capture point server");
    result_free(result);
    expect(r, wrong, VERDICT_NOISY);
    r->skipped = xstrdup("no such kernel");
    expect(r, wrong, VERDICT_SKIP);
    record_free(r);
}
END_TEST

/* The first repetition came 30 ms later than it may on a machine that keeps time. */
START_TEST(a_stall_excuses_what_it_touched)
{
    static const nsec gaps[] = {1070 * MS};
    static const char text[] =
        "client.* > server.1234: … lost\n+1s client.* > server.1234: … lost\n";
    static const struct {
        nsec from, to;
        enum verdict verdict;
    } stalls[] = {
        {1030 * MS, 1069 * MS, VERDICT_PASS},  /* as it was due */
        {500 * MS, 539 * MS, VERDICT_FAIL},    /* before: it does not explain it */
        {1075 * MS, 1114 * MS, VERDICT_FAIL},  /* behind */
        {500 * MS, 541 * MS, VERDICT_NOISY},   /* a timer of TCP's may have run meanwhile */
        {900 * MS, 1080 * MS, VERDICT_NOISY},  /* longer than the slack */
        {1200 * MS, 1380 * MS, VERDICT_NOISY}, /* who knows why it failed on such a machine */
    };
    for (size_t i = 0; i < ARRAY_SIZE(stalls); i++) {
        struct record *r = scene_syn_retry(gaps, 1);
        r->lateness = stalls[i].to - stalls[i].from;
        vec_push(&r->stalls, ((struct record_stall){.from = build_time(stalls[i].from),
                                                    .to = build_time(stalls[i].to)}));
        expect(r, text, stalls[i].verdict);
        record_free(r);
    }
}
END_TEST

START_TEST(a_stall_that_touched_nothing_does_not_matter)
{
    static const nsec gaps[] = {1006 * MS};
    static const char text[] =
        "client.* > server.1234: … lost\n+1s client.* > server.1234: … lost\n";
    struct record *r = scene_syn_retry(gaps, 1);
    r->lateness = 700 * MS;
    vec_push(&r->stalls, ((struct record_stall){build_time(100 * MS), build_time(800 * MS)}));
    expect(r, text, VERDICT_PASS);
    record_free(r);
}
END_TEST

START_TEST(stopped_runs_fail)
{
    struct record *r = three_flags();
    r->stopped = xstrdup("step 3 took too long");
    struct result *result = scene_judge(r, "client.* > server.1234: … x4", VERDICT_FAIL);
    ck_assert_str_eq(result->reason, "the script stopped: step 3 took too long");
    result_free(result);
    r->lateness = NSEC_PER_SEC;
    result = scene_judge(r, scenes[0].expected, VERDICT_NOISY);
    ck_assert_str_eq(result->reason,
                     "the script stopped: step 3 took too long; and the machine was 1 s late once, "
                     "more than the 40 ms that may be: its timings mean nothing");
    result_free(result);
    record_free(r);
}
END_TEST

/* Of what somebody did not want to wait for nothing can be said. */
START_TEST(interrupted_runs_are_not_judged)
{
    struct record *r = three_flags();
    r->stopped = xstrdup("interrupted at `wait 3s`");
    r->interrupted = true;
    struct result *result = scene_judge(r, "client.* > server.1234: … x4", VERDICT_ERROR);
    ck_assert_str_eq(result->reason, "interrupted at `wait 3s`");
    result_free(result);
    result = scene_judge(r, scenes[0].expected, VERDICT_ERROR);
    result_free(result);
    record_free(r);
}
END_TEST

/* ----------------------------------------------------------------------- size */

START_TEST(thousands_of_packets)
{
    struct record *r = record_new_run();
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    for (int i = 0; i < 5000; i++) {
        add(r, i * MS, 40000, i % 3 ? "." : "P.", (uint32_t)i);
        strbuf_puts(&text, i % 3 ? SEEN("*", ".") : SEEN("*", "P."));
    }
    build_done(r, 0);
    expect(r, text.data, VERDICT_PASS);
    strbuf_puts(&text, SEEN("*", "R"));
    expect_bad(r, text.data, 5001, LINE_MISSING);
    expect(r, "client.* > server.1234: … x50000", VERDICT_ERROR);
    record_free(r);
}
END_TEST

/* ------------------------------------------------------------ writing from a run */

static char *write_transcript(const struct record *r, const char *old)
{
    struct lab *lab = scene_lab();
    struct pattern *p = NULL;
    struct diags diags = {0};
    if (old) {
        struct source src;
        source_from(&src, "old.txt", old, strlen(old));
        p = pattern_parse(&src, lab, &diags);
        ck_assert_uint_eq(diags.list.n, 0);
    }
    struct strbuf text = STRBUF_INIT;
    transcript_write(&text, lab, r, p);
    pattern_free(p);
    lab_free(lab);
    return strbuf_steal(&text);
}

START_TEST(written_transcripts_pass)
{
    struct record *r = scenes[_i].build();
    cleanup_free char *text = write_transcript(r, NULL);
    expect(r, text, VERDICT_PASS);
    /* and are kept as they are */
    cleanup_free char *again = write_transcript(r, text);
    ck_assert_str_eq(text, again);
    record_free(r);
}
END_TEST

/* Time stamps may be made in one millisecond now and in two the next time. */
START_TEST(written_stamps_do_not_depend_on_the_millisecond)
{
    struct record *r = scenes[_i].build();
    cleanup_free char *text = write_transcript(r, NULL);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        const char *ts = strstr(line, "TS val 0");
        if (ts && ts < line + strcspn(line, "\n"))
            ck_assert_msg(memmem(line, strcspn(line, "\n"), "Flags [S", 8), "%s", line);
    }
    record_free(r);
}
END_TEST

/* Whatever a capture holds, the malformed too: its own transcript parses and passes. */
START_TEST(any_capture_passes_its_own_transcript)
{
    glob_t files;
    int n = 0;
    ck_assert_int_eq(glob("tests/golden/decode/*.pcap*", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct error err = ERROR_INIT;
        struct lab *lab = scene_lab();
        vec_each (&lab->captures, c)
            c->filter[0] = '\0';
        struct record *r = record_from_capture(lab, files.gl_pathv[i], &err);
        if (r) {
            struct strbuf text cleanup_strbuf = STRBUF_INIT;
            transcript_write(&text, lab, r, NULL);
            expect(r, strbuf_cstr(&text), VERDICT_PASS);
            n++;
        }
        error_clear(&err);
        record_free(r);
        lab_free(lab);
    }
    globfree(&files);
    ck_assert_int_ge(n, 20);
}
END_TEST

START_TEST(notes_survive_a_new_recording)
{
    struct record *r = four_syns();
    cleanup_free char *text = write_transcript(
        r, "# A remark.\n\n# The first.\nsyn: client.a > server.1234: Flags [S], seq "
           "0, win 1, …, length 0 lost\n# Again.\nagain: +1s client.a > "
           "server.1234: Flags [S], … x3 lost\n");
    ck_assert_ptr_nonnull(strstr(text, "# A remark.\n"));
    ck_assert_ptr_nonnull(strstr(text, "# The first.\nsyn:"));
    ck_assert_ptr_nonnull(strstr(text, "win 64240"));
    ck_assert_ptr_nonnull(
        strstr(text, "# Again.\nagain: +1s client.a > server.1234: Flags [S], … x3"));
    expect(r, text, VERDICT_PASS);
    record_free(r);
}
END_TEST

/* What a transcript says of the other version is not in this run, and stays. */
START_TEST(pairs_survive_a_new_recording)
{
    struct record *r = four_syns();
    cleanup_free char *plain = write_transcript(r, NULL);
    char *win = strstr(plain, "win 64240");
    ck_assert_ptr_nonnull(win);
    cleanup_free char *old = xasprintf("%.*swin 1|64800%s\nipv6: quiet 1s\n", (int)(win - plain),
                                       plain, win + strlen("win 64240"));
    cleanup_free char *text = write_transcript(r, old);
    ck_assert_msg(strstr(text, "win 64240|64800") != NULL, "%s", text);
    const char *six = strstr(text, "\nipv6: ");
    ck_assert_msg(six && strstr(six, " quiet 1s\n"), "%s", text);
    expect(r, text, VERDICT_PASS);
    cleanup_free char *again = write_transcript(r, text);
    ck_assert_str_eq(text, again);
    record_free(r);
}
END_TEST

static Suite *suite_judge(void)
{
    Suite *s = suite_create("judge");
    TCase *t = tcase_create("judge");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, repetitions);
    tcase_add_test(t, optional_lines);
    tcase_add_test(t, any_order);
    tcase_add_test(t, mix);
    tcase_add_test(t, mix_tells_how_many);
    tcase_add_test(t, mix_notes);
    tcase_add_test(t, quiet_times);
    tcase_add_test(t, port_names);
    tcase_add_test(t, vary_values);
    tcase_add_test(t, calls);
    tcase_add_test(t, calls_timed_from_a_label);
    tcase_add_test(t, calls_not_as_stated);
    tcase_add_test(t, links_and_states);
    tcase_add_test(t, capture_points);
    tcase_add_test(t, noise);
    tcase_add_test(t, a_stall_excuses_what_it_touched);
    tcase_add_test(t, a_stall_that_touched_nothing_does_not_matter);
    tcase_add_test(t, stopped_runs_fail);
    tcase_add_test(t, interrupted_runs_are_not_judged);
    tcase_add_test(t, thousands_of_packets);
    tcase_add_loop_test(t, written_transcripts_pass, 0, n_scenes);
    tcase_add_loop_test(t, written_stamps_do_not_depend_on_the_millisecond, 0, n_scenes);
    tcase_add_test(t, any_capture_passes_its_own_transcript);
    tcase_add_test(t, notes_survive_a_new_recording);
    tcase_add_test(t, pairs_survive_a_new_recording);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_judge)
