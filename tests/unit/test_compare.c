#include "transcript/compare.h"

#include <errno.h>

#include "build_packet.h"
#include "golden.h"
#include "report/compare.h"
#include "scenes.h"
#include "unit.h"

#define MS NSEC_PER_MSEC

/* Two records and what compares them; all freed by leave(). */
struct sides {
    struct record *record[2];
    struct story *story[2];
    struct compared *c;
};

static struct sides compare(struct record *a, struct record *b)
{
    struct sides s = {.record = {a, b}, .story = {story_new(a), story_new(b)}};
    struct differ_run runs[2] = {{s.story[0], NULL}, {s.story[1], NULL}};
    s.c = compare_runs(&runs[0], &runs[1]);
    ck_assert_uint_eq(s.c->gaps.n, s.c->lines->lines.n);
    ck_assert_int_eq(s.c->first.sentence == NULL, s.c->first_line == s.c->lines->lines.n);
    return s;
}

static void leave(struct sides *s)
{
    compared_free(s->c);
    for (int i = 0; i < 2; i++) {
        story_free(s->story[i]);
        record_free(s->record[i]);
    }
}

static size_t count(const struct compared *c, enum line_status status)
{
    size_t n = 0;
    vec_each (&c->lines->lines, line)
        n += line->status == status;
    return n;
}

static bool has_diff(const struct compared *c, size_t line, const char *field)
{
    vec_each (&c->lines->lines.at[line].diffs, d)
        if (strcmp(d->field, field) == 0)
            return true;
    return false;
}

static struct record *syn_retry(nsec second)
{
    const nsec gaps[] = {1024 * MS, second, 4064 * MS};
    return scene_syn_retry(gaps, 3);
}

START_TEST(a_run_and_itself)
{
    for (int i = 0; i < n_scenes; i++) {
        struct sides s = compare(scenes[i].build(), scenes[i].build());
        ck_assert_ptr_null(s.c->first.sentence);
        ck_assert_uint_eq(count(s.c, LINE_OK), s.c->lines->lines.n);
        ck_assert_uint_eq(s.c->lines->lines.n, s.c->segments[0]);
        ck_assert_uint_eq(s.c->settings.n, 0);
        leave(&s);
    }
}
END_TEST

START_TEST(intervals_count_as_timers_do)
{
    struct sides s = compare(syn_retry(2016 * MS), syn_retry(2044 * MS));
    ck_assert_ptr_null(s.c->first.sentence);
    leave(&s);
    s = compare(syn_retry(2016 * MS), syn_retry(1024 * MS));
    ck_assert_str_eq(s.c->first.sentence, "SYN retry 2 after 1.024 s instead of 2.016 s");
    ck_assert_uint_eq(s.c->first_line, 2);
    ck_assert(has_diff(s.c, 2, "interval"));
    ck_assert_uint_eq(s.c->lines->lines.at[2].diffs.n, 1);
    ck_assert_int_eq(s.c->gaps.at[2].of[0], 2016 * MS);
    ck_assert_int_eq(s.c->gaps.at[2].of[1], 1024 * MS);
    leave(&s);
}
END_TEST

static struct record *exchange(bool with_probe, uint16_t win)
{
    struct record *r = build_record();
    r->has_calls = true;
    build_sent(r, 0, 30 * NSEC_PER_USEC, &(struct build_tcp){.flags = "S", .seq = 77, .win = win});
    build_sent(r, MS, 30 * NSEC_PER_USEC,
               &(struct build_tcp){.flags = "S.", .seq = 5, .ack = 78, .win = 9, .reply = true});
    build_sent(r, 2 * MS, 30 * NSEC_PER_USEC,
               &(struct build_tcp){.flags = ".", .seq = 78, .ack = 6, .win = 9});
    if (with_probe)
        build_sent(r, 3 * MS, 30 * NSEC_PER_USEC,
                   &(struct build_tcp){.flags = ".", .seq = 77, .ack = 6, .win = 9});
    build_sent(r, 4 * MS, 30 * NSEC_PER_USEC,
               &(struct build_tcp){.flags = "P.", .seq = 78, .ack = 6, .win = 9, .data = "x"});
    build_sent(r, 5 * MS, 30 * NSEC_PER_USEC,
               &(struct build_tcp){.flags = ".", .seq = 6, .ack = 79, .win = 9, .reply = true});
    build_done(r, NSEC_PER_SEC);
    return r;
}

/* What one run has more does not make the rest look different. */
START_TEST(one_segment_more)
{
    struct sides s = compare(exchange(false, 100), exchange(true, 100));
    ck_assert_ptr_nonnull(s.c->first.sentence);
    ck_assert_uint_eq(count(s.c, LINE_UNEXPECTED), 1);
    ck_assert_uint_eq(count(s.c, LINE_OK), 5);
    ck_assert_int_eq(s.c->lines->lines.at[3].status, LINE_UNEXPECTED);
    leave(&s);
    s = compare(exchange(true, 100), exchange(false, 100));
    ck_assert_uint_eq(count(s.c, LINE_MISSING), 1);
    ck_assert_int_eq(s.c->lines->lines.at[3].status, LINE_MISSING);
    leave(&s);
}
END_TEST

START_TEST(fields)
{
    struct sides s = compare(exchange(false, 100), exchange(false, 200));
    ck_assert_uint_eq(s.c->first_line, 0);
    ck_assert(has_diff(s.c, 0, "win"));
    ck_assert_uint_eq(count(s.c, LINE_DIFFERS), 1);
    leave(&s);
}
END_TEST

static struct record *with_call(int errnum, nsec ended)
{
    struct record *r = exchange(false, 100);
    build_call(r, 0, "connect", "server 1234", -MS, ended, errnum, 0);
    build_done(r, NSEC_PER_SEC);
    return r;
}

START_TEST(calls)
{
    struct sides s = compare(with_call(0, 2 * MS + MS / 2), with_call(ETIMEDOUT, 2 * MS + MS / 2));
    ck_assert_str_eq(s.c->first.sentence, "client: connect server 1234 => ETIMEDOUT instead of "
                                          "success");
    ck_assert_uint_eq(s.c->lines->lines.n, 6);
    ck_assert_uint_eq(s.c->first_line, 3);
    ck_assert_int_eq(s.c->lines->lines.at[3].kind, LINE_CALL);
    ck_assert_int_eq(s.c->gaps.at[3].of[0], -1);
    leave(&s);
    s = compare(with_call(0, 2 * MS), with_call(0, 3 * MS));
    ck_assert_ptr_null(s.c->first.sentence);
    leave(&s);
}
END_TEST

static void set(struct record *r, int host, const char *key, const char *value)
{
    vec_push(&r->sysctls, ((struct record_sysctl){.host = host,
                                                  .key = xstrdup(key),
                                                  .value = value ? xstrdup(value) : NULL,
                                                  .absent = !value}));
}

START_TEST(settings)
{
    struct record *a = exchange(false, 100), *b = exchange(false, 100);
    for (int host = 0; host < 2; host++) {
        set(a, host, "net.ipv4.tcp_sack", "1");
        set(b, host, "net.ipv4.tcp_sack", "0");
        set(a, host, "net.ipv4.tcp_dsack", "1");
        set(b, host, "net.ipv4.tcp_dsack", "1");
    }
    set(a, 1, "net.ipv4.tcp_new", NULL);
    set(b, 1, "net.ipv4.tcp_new", "4");
    b->tick = 10 * MS;
    struct sides s = compare(a, b);
    ck_assert_ptr_null(s.c->first.sentence);
    ck_assert_uint_eq(s.c->settings.n, 3);
    ck_assert_str_eq(s.c->settings.at[0].name, "tick");
    ck_assert_str_eq(s.c->settings.at[0].value[1], "10ms");
    ck_assert_str_eq(s.c->settings.at[1].hosts, "client, server");
    ck_assert_str_eq(s.c->settings.at[1].value[0], "1");
    ck_assert_str_eq(s.c->settings.at[2].hosts, "server");
    ck_assert_ptr_null(s.c->settings.at[2].value[0]);
    leave(&s);
}
END_TEST

START_TEST(nothing_and_something)
{
    struct sides s = compare(build_record(), exchange(false, 100));
    ck_assert_uint_eq(count(s.c, LINE_UNEXPECTED), 5);
    leave(&s);
    s = compare(build_record(), build_record());
    ck_assert_ptr_null(s.c->first.sentence);
    leave(&s);
}
END_TEST

static const struct text_options looks[] = {
    {.width = 80, .utf8 = true}, {.width = 80}, {.width = 120, .utf8 = true}};

START_TEST(goldens)
{
    struct record *a = with_call(0, 2 * MS + MS / 2), *b = with_call(ETIMEDOUT, 2 * MS + MS / 2);
    set(a, 0, "net.ipv4.tcp_sack", "1");
    set(b, 0, "net.ipv4.tcp_sack", "0");
    build_sent(b, 700 * MS, BUILD_LOST,
               &(struct build_tcp){.flags = "P.", .seq = 79, .ack = 6, .win = 9, .data = "yy"});
    build_done(b, NSEC_PER_SEC);
    struct sides s = compare(a, b);
    struct compare_report report = {s.c, {"before", "after"}, {a, b}};
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
        struct strbuf out cleanup_strbuf = STRBUF_INIT;
        compare_text(&out, &report, &looks[i]);
        cleanup_free char *name =
            xasprintf("compare/unit-%d%s.txt", looks[i].width, looks[i].utf8 ? "" : "-ascii");
        golden_check(name, out.data, out.len);
    }
    leave(&s);
}
END_TEST

/* A transfer of many segments; one of them is not sent. */
static struct record *transfer(size_t n, size_t without)
{
    struct record *r = build_record();
    build_sent(r, 0, 1000, &(struct build_tcp){.flags = "S", .seq = 1000, .win = 100});
    for (size_t i = 0; i < n; i++) {
        nsec at = MS + (nsec)i * 10000;
        uint32_t seq = 1001 + (uint32_t)i * 10;
        if (i != without)
            build_sent(r, at, 1000, &(struct build_tcp){.flags = ".", .seq = seq, .len = 10});
    }
    build_done(r, 10 * NSEC_PER_SEC);
    return r;
}

/* All with all would be more than a table has room for. */
START_TEST(one_of_many_is_missing)
{
    struct sides s = compare(transfer(7000, 7000), transfer(7000, 4000));
    ck_assert_ptr_nonnull(s.c->first.sentence);
    ck_assert_uint_eq(count(s.c, LINE_MISSING), 1);
    ck_assert_uint_eq(count(s.c, LINE_OK), 7000);
    ck_assert_uint_eq(s.c->first_line, 4001);
    leave(&s);
    s = compare(transfer(7000, 4000), transfer(7000, 7000));
    ck_assert_uint_eq(count(s.c, LINE_UNEXPECTED), 1);
    ck_assert_uint_eq(s.c->first_line, 4001);
    leave(&s);
    s = compare(transfer(7000, 0), transfer(7000, 6999)); /* too many in between */
    ck_assert_uint_eq(s.c->lines->lines.n, 7000);
    leave(&s);
}
END_TEST

static Suite *suite_compare(void)
{
    Suite *s = suite_create("compare");
    TCase *tc = tcase_create("compare");
    tcase_add_test(tc, a_run_and_itself);
    tcase_add_test(tc, intervals_count_as_timers_do);
    tcase_add_test(tc, one_segment_more);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, calls);
    tcase_add_test(tc, settings);
    tcase_add_test(tc, nothing_and_something);
    tcase_add_test(tc, goldens);
    tcase_add_test(tc, one_of_many_is_missing);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_compare)
