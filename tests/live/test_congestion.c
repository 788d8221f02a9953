/* The labs on congestion and on fair queues, played wrong: with another algorithm, and
 * without the fair queue.  Their transcripts have to notice. */
#include "live.h"

#include <stdio.h>

#include "netns/congestion.h"
#include "play.h"

/* Appends the lines of `text` with `from` replaced by `to`.  What the script states of the
 * windows is left out: the transcript is to judge. */
static void add_script(struct strbuf *script, const char *text, const char *from, const char *to)
{
    for (const char *line = text; *line; line += strcspn(line, "\n") + (*line != '\0')) {
        size_t len = strcspn(line, "\n");
        const char *at = memmem(line, len, from, strlen(from));
        bool window = memmem(line, len, "info cwnd", 9) || memmem(line, len, "info ssthresh", 13);
        const char *arrow = window ? memmem(line, len, " => ", 4) : NULL;
        size_t end = arrow ? (size_t)(arrow - line) : len;
        if (at && at < line + end) {
            strbuf_add(script, line, (size_t)(at - line));
            strbuf_puts(script, to);
            at += strlen(from);
            strbuf_add(script, at, (size_t)(line + end - at));
        } else {
            strbuf_add(script, line, end);
        }
        strbuf_putc(script, '\n');
        if (line[len] == '\0')
            break;
    }
}

/* The lab's script as far as `script_end`, and its transcript as far as `transcript_end`
 * (NULL: all of it). */
static char *wrong_lab(const char *lab, const char *from, const char *to, const char *script_end,
                       const char *transcript_end)
{
    cleanup_free char *lab_path = xasprintf("labs/%s.md", lab);
    cleanup_free char *path = xasprintf("expected/%s.txt", lab);
    cleanup_free char *lesson = play_read(lab_path), *expected = play_read(path);
    ck_assert(lesson && expected);
    char *text = strstr(lesson, "```lab\n");
    ck_assert_ptr_nonnull(text);
    text += strlen("```lab\n");
    char *end = strstr(text, script_end);
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    char *cut = transcript_end ? strstr(expected, transcript_end) : NULL;
    ck_assert(cut || !transcript_end);
    if (cut)
        cut[1] = '\0';
    struct strbuf script cleanup_strbuf = STRBUF_INIT;
    add_script(&script, text, from, to);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&script), to));
    return play_lab("wrong", strbuf_cstr(&script), expected);
}

/* Fails, late machine or not, and for this reason. */
static void expect_failure(const char *lab, const char *reason)
{
    cleanup_free char *out = play_path("wrong-out"), *printed = NULL;
    int status =
        play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    ck_assert_msg(status == STATUS_FAILED && strstr(printed, reason), "%d: %s", status, printed);
}

static const struct {
    const char *lab, *other, *window, *instead;
} algorithms[] = {
    {"reno", "cubic", "6", "8"}, {"reno", "bbr", "6", "15"}, {"cubic", "reno", "8", "6"},
    {"cubic", "bbr", "8", "15"}, {"bbr", "reno", "15", "6"}, {"bbr", "cubic", "15", "8"},
};

/* The first part of each lab tells them apart. */
START_TEST(another_algorithm)
{
    const char *own = algorithms[_i].lab, *other = algorithms[_i].other;
    if (!congestion_is_available(own) || !congestion_is_available(other)) {
        live_skip("another_algorithm", "this kernel has not loaded both");
        return;
    }
    cleanup_free char *name = xasprintf("congestion-%s", own);
    cleanup_free char *from = xasprintf("set congestion %s", own);
    cleanup_free char *to = xasprintf("set congestion %s", other);
    cleanup_free char *lab = wrong_lab(name, from, to, "# The bottleneck.", "\n\n");
    cleanup_free char *reason =
        xasprintf("result is %s, expected %s", algorithms[_i].instead, algorithms[_i].window);
    expect_failure(lab, reason);
}
END_TEST

/* The first connection's second segment does not wait for its turn. */
START_TEST(no_fair_queue)
{
    cleanup_free char *lab =
        wrong_lab("fairness", "30 packets fair", "30 packets", "server as second recv", NULL);
    expect_failure(lab, "(a2)");
}
END_TEST

static Suite *suite_live_congestion(void)
{
    Suite *s = suite_create("live-congestion");
    TCase *t = tcase_create("wrong");
    tcase_add_unchecked_fixture(t, play_set_up, play_tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, another_algorithm, 0, (int)ARRAY_SIZE(algorithms));
    tcase_add_test(t, no_fair_queue);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_live_congestion)
