/* Where the judged lines hang, and with them the teacher's notes. */
#include "unit.h"

#include <string.h>

#include "build_packet.h"
#include "check_notes.h"
#include "scenes.h"

#define MS NSEC_PER_MSEC
#define UP "client.* > server.1234: "

static void sent(struct record *r, nsec at, nsec travel, const char *flags, uint32_t seq)
{
    build_sent(r, at, travel, &(struct build_tcp){.flags = flags, .seq = seq, .win = 100});
}

/* A SYN, two segments, a call, a cable that is pulled, a lost segment, and a call. */
static struct record *a_run(void)
{
    struct record *r = build_record();
    r->has_calls = true;
    sent(r, 0, 1000, "S", 0);
    sent(r, 10 * MS, 1000, "F.", 1);
    sent(r, 11 * MS, 1000, "P.", 1);
    build_call(r, 0, "shutdown", "", 30 * MS, 31 * MS, 0, 0);
    vec_push(&r->events,
             ((struct record_event){.kind = EVENT_UNPLUG, .time = build_time(50 * MS), .host = 1}));
    sent(r, 60 * MS, BUILD_LOST, "R", 2);
    build_done(r, build_time(1000 * MS));
    return r;
}

/* The notes in the order of the rows, each row's between bars. */
static char *notes_of(const struct picture *picture)
{
    struct strbuf sb = STRBUF_INIT;
    vec_each (&picture->rows, row) {
        strbuf_puts(&sb, "|");
        vec_each (&row->lines, line) {
            if ((*line)->note && sb.data[sb.len - 1] != '|')
                strbuf_puts(&sb, "; ");
            picture_note(&sb, *line);
        }
    }
    return strbuf_steal(&sb);
}

static void check(struct record *r, const char *text, const char *want)
{
    struct lab *lab = scene_lab();
    struct source src;
    struct diags diags = {0};
    source_from(&src, "expected.txt", text, strlen(text));
    struct pattern *pattern = pattern_parse(&src, lab, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    struct result *result = judge(lab, pattern, r, JUDGE_DEFAULT_SLACK);
    ck_assert_msg(result->verdict == VERDICT_PASS, "%s", result->reason);
    struct picture *picture = picture_new(r, result);
    cleanup_free char *got = notes_of(picture), *wrong = check_notes(pattern, picture);
    ck_assert_str_eq(got, want);
    ck_assert_msg(!wrong, "%s", wrong);
    picture_free(picture);
    result_free(result);
    pattern_free(pattern);
    diags_free(&diags);
    lab_free(lab);
    record_free(r);
}

#define SYN UP "Flags [S], …\n"
#define FIN UP "Flags [F.], …\n"
#define DATA UP "Flags [P.], …\n"
#define RESET UP "Flags [R], … lost\n"

START_TEST(a_link_has_its_note)
{
    check(a_run(), "# a\n" SYN FIN DATA "# b\nlink server down\n# c\n" RESET, "|a||||b|c");
}
END_TEST

/* A group's stands in front of that of its first line to happen, whichever that is. */
START_TEST(a_group_has_its_note)
{
    check(a_run(), SYN "# a\nany order {\n# b\n" DATA "# c\n" FIN "}\n" RESET, "||a c|b|||");
    check(a_run(), SYN "# a\nany order {\n# b\n" FIN DATA UP "Flags [U], … ?\n}\n" RESET,
          "||a b||||");
    check(a_run(),
          SYN "# a\nmix 2..9 {\n# b\n" DATA "# c\n" FIN "# d\n" UP "Flags [U], …\n}\n" RESET,
          "||a c|b|||");
}
END_TEST

/* Without a row of its own a silence stands behind the line before it. */
START_TEST(a_silence_has_its_note)
{
    check(a_run(), SYN FIN DATA "# a\nclient: shutdown\n# b\nquiet 40ms\n" RESET, "||||a; b||");
    check(a_run(), "# a\nquiet 1ms\n" SYN FIN DATA RESET, "|a|||||");
}
END_TEST

/* Beside the story's own, at the segment that the capture point saw. */
START_TEST(lines_of_a_capture_point_have_their_notes)
{
    check(a_run(),
          "# a\n" SYN "# b\n" FIN DATA RESET "# c\nat server: " SYN "at server: " FIN
          "# d\nat server: " DATA,
          "|a; at server: c|b|at server: d|||");
}
END_TEST

static Suite *suite_picture_lines(void)
{
    Suite *s = suite_create("picture-lines");
    TCase *t = tcase_create("picture_lines");
    tcase_add_test(t, a_link_has_its_note);
    tcase_add_test(t, a_group_has_its_note);
    tcase_add_test(t, a_silence_has_its_note);
    tcase_add_test(t, lines_of_a_capture_point_have_their_notes);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_picture_lines)
