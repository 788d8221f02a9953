/* `tcplab record`: a written transcript says what every run does, and no more. */

#include "scenes.h"

#include <errno.h>
#include <string.h>

#include "build_packet.h"
#include "unit.h"

#define MS NSEC_PER_MSEC
#define WAY (30 * NSEC_PER_USEC)

static char *write_again(const struct record *r, const char *old)
{
    struct source src;
    struct diags diags = {0};
    struct lab *lab = scene_lab();
    struct pattern *p = NULL;
    if (old) {
        source_from(&src, "expected/x.txt", old, strlen(old));
        p = pattern_parse(&src, lab, &diags);
        ck_assert_uint_eq(diags.list.n, 0);
    }
    struct strbuf text = STRBUF_INIT;
    transcript_write(&text, lab, r, p);
    diags_free(&diags);
    pattern_free(p);
    lab_free(lab);
    return strbuf_steal(&text);
}

static size_t count(const char *text, const char *words)
{
    size_t n = 0;
    for (const char *at = strstr(text, words); at; at = strstr(at + 1, words))
        n++;
    return n;
}

static void has(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) != NULL, "%s", text);
}

/* The handshake is over within a millisecond here, but need not be in the next run. */
START_TEST(only_the_first_time_stamps_are_literal)
{
    struct record *r = scene_conversation();
    cleanup_free char *text = write_again(r, NULL);
    ck_assert_uint_eq(count(text, "TS val 0 ecr 0"), 2);
    ck_assert_uint_eq(count(text, "TS val ~ ecr ~"), 8);
    result_free(scene_judge(r, text, VERDICT_PASS));
    record_free(r);
}
END_TEST

/* As its author wrote it, if it still fits; else as what was seen. */
START_TEST(a_mix_is_kept_while_it_fits)
{
    static const nsec gaps[] = {1005 * MS, 2016 * MS, 4064 * MS};
    static const char fits[] =
        "# Many SYNs.\nmix 2..9 {\n# Lost.\nclient.port > server.1234: Flags "
        "[S], … lost\n# a remark\n\nARP, …\n}\n# the end\n";
    struct record *r = scene_syn_retry(gaps, 3);
    cleanup_free char *kept = write_again(r, fits);
    ck_assert_str_eq(kept, fits);
    cleanup_free char *few = write_again(r, "mix 5..9 {\nclient.port > server.1234: … lost\n}\n");
    cleanup_free char *other = write_again(r, "mix 4 {\nclient.port > server.1234: …\n}\n");
    ck_assert_uint_eq(count(few, "mix"), 0);
    ck_assert_uint_eq(count(few, "Flags [S], seq 0"), 4);
    ck_assert_uint_eq(count(other, "Flags [S], seq 0"), 4);
    result_free(scene_judge(r, few, VERDICT_PASS));
    cleanup_free char *none =
        write_again(r, "mix 0..9 {\nARP, …\n}\nclient.port > server.1234: … x4 "
                       "lost\n");
    has(none, "mix 0..9 {\nARP, …\n}\n");
    record_free(r);
}
END_TEST

START_TEST(the_end_of_connect_has_its_time_out)
{
    static const nsec gaps[] = {1005 * MS, 2016 * MS, 4064 * MS, 8192 * MS, 16132 * MS};
    struct record *r = scene_syn_retry(gaps, ARRAY_SIZE(gaps));
    cleanup_free char *text = write_again(r, NULL);
    has(text, "\n+32s client: connect server 1234 => ETIMEDOUT\n");
    result_free(scene_judge(r, text, VERDICT_PASS));
    record_free(r);
}
END_TEST

/* `[R]` answers a segment of a connection that is unknown; `[R.]` with a number of its own
 * is a program's abort, whenever that comes. */
START_TEST(answers_are_at_once)
{
    struct record *r = build_record();
    build_sent(r, 0, WAY, &(struct build_tcp){.flags = "S", .seq = 7, .win = 1});
    build_sent(r, MS, WAY, &(struct build_tcp){.reply = true, .flags = "S.", .seq = 90, .ack = 8});
    build_sent(r, 2 * MS, WAY, &(struct build_tcp){.flags = "R", .seq = 8, .id = 2});
    build_sent(r, 4 * MS, WAY,
               &(struct build_tcp){.reply = true, .flags = "R.", .seq = 91, .ack = 8, .id = 3});
    struct record_call *c = build_call(r, 0, "connect", "server 1234", 0, 3 * MS, ECONNREFUSED, 0);
    c->expected = xstrdup("ECONNREFUSED");
    c->as_stated = true;
    build_done(r, 2000 * MS);
    cleanup_free char *text = write_again(r, NULL);
    has(text, "+0 client.port > server.1234: Flags [R], ");
    has(text, "\n+0 client: connect server 1234 => ECONNREFUSED\n");
    has(text, "\n   server.1234 > client.port: Flags [R.], ");
    result_free(scene_judge(r, text, VERDICT_PASS));
    record_free(r);
}
END_TEST

START_TEST(an_old_transcript_that_fits_stays_as_it_is)
{
    struct record *r = scene_conversation();
    cleanup_free char *all = write_again(r, NULL);
    ck_assert_uint_eq(count(all, "client: "), 0);
    /* its author lists one of the calls, and leaves its arguments out */
    char *at = strstr(all, "Flags [P.], seq 1:5");
    while (at[-1] != '\n')
        at--;
    cleanup_free char *moved =
        xasprintf("%.*s# Twelve bytes.\nsent: client: send => 12\n%.*s", (int)(at - all), all,
                  (int)(strlen(all) - (size_t)(at - all)), at);
    result_free(scene_judge(r, moved, VERDICT_PASS));
    cleanup_free char *once = write_again(r, moved), *twice = write_again(r, once);
    has(once, "# Twelve bytes.\nsent:    client: send => 12\n");
    ck_assert_uint_eq(count(once, "client: "), 1);
    ck_assert_str_eq(once, twice);
    record_free(r);
}
END_TEST

START_TEST(a_call_that_changed_keeps_its_note)
{
    static const nsec gaps[] = {1005 * MS};
    struct record *r = scene_syn_retry(gaps, 1);
    cleanup_free char *text =
        write_again(r, "client.port > server.1234: Flags [S], … lost\n"
                       "client.port > server.1234: Flags [S], … lost\n"
                       "# It is told.\nend: client: connect server 1234 => ECONNREFUSED\n");
    has(text, "# It is told.\nend: client: connect server 1234 => ETIMEDOUT\n");
    record_free(r);
}
END_TEST

START_TEST(a_capture_without_calls_takes_none_away)
{
    struct record *r = scene_conversation();
    r->has_calls = false;
    cleanup_free char *all = write_again(r, NULL);
    cleanup_free char *old = xasprintf("client: connect server 1234\n%s# Closed.\n"
                                       "client: recv => 0\n",
                                       all);
    cleanup_free char *text = write_again(r, old);
    has(text, "   client: connect server 1234\n+0 client.port");
    has(text, "# Closed.\n   client: recv => 0\n");
    record_free(r);
}
END_TEST

/* A program's end is stated in the lab; a transcript has no line for it. */
START_TEST(a_program_is_no_line)
{
    for (int i = 0; i < 2; i++) {
        struct record *r = scene_conversation();
        free(r->calls.at[0].verb);
        free(r->calls.at[0].expected);
        r->calls.at[0].verb = xstrdup(i ? "run" : "listen");
        r->calls.at[0].expected = xstrdup("0");
        cleanup_free char *text = write_again(r, NULL);
        ck_assert_uint_eq(count(text, ": listen"), !i);
        ck_assert_uint_eq(count(text, ": run"), 0);
        result_free(scene_judge(r, text, VERDICT_PASS));
        record_free(r);
    }
}
END_TEST

static Suite *suite_judge_write(void)
{
    Suite *s = suite_create("judge-write");
    TCase *t = tcase_create("write");
    tcase_add_test(t, only_the_first_time_stamps_are_literal);
    tcase_add_test(t, a_mix_is_kept_while_it_fits);
    tcase_add_test(t, the_end_of_connect_has_its_time_out);
    tcase_add_test(t, answers_are_at_once);
    tcase_add_test(t, an_old_transcript_that_fits_stays_as_it_is);
    tcase_add_test(t, a_call_that_changed_keeps_its_note);
    tcase_add_test(t, a_capture_without_calls_takes_none_away);
    tcase_add_test(t, a_program_is_no_line);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_judge_write)
