/* The labs themselves: every one runs in real namespaces and passes; every wrong
 * transcript of it fails, and the line named is the one that is wrong. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "check_notes.h"
#include "lab/find.h"
#include "live.h"
#include "mutate.h"
#include "play.h"
#include "record/load.h"
#include "transcript/judge.h"

extern char **environ;

enum { NOISY_TURNS = 4 };

/* Of the one run, with IPv4 and with IPv6, that all tests here share: out_dir/4 and /6; and
 * the process that made it, and removes it at its end. */
static char *out_dir;
static pid_t owner;

static const char *tcplab(void)
{
    const char *path = getenv("TCPLAB");
    return path ? path : "build/tcplab";
}

/* `what`: a lab, or --all. */
static pid_t spawn(const char *what, unsigned ip)
{
    pid_t pid;
    char *const argv[] = {xstrdup(tcplab()),
                          xstrdup("run"),
                          xstrdup(what),
                          xstrdup("-j"),
                          xasprintf("--ip=%u", ip),
                          xasprintf("--out=%s/%u", out_dir, ip),
                          NULL};
    ck_assert_int_eq(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
    return pid;
}

static int await(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void remove_out_dir(void)
{
    if (getpid() == owner)
        play_remove(out_dir);
}

/* In the parent of both tests, which the first fills for the second. */
static void make_out_dir(void)
{
    static char template[] = "/tmp/tcplab-test-XXXXXX";
    if (out_dir)
        return;
    out_dir = mkdtemp(template);
    ck_assert_ptr_nonnull(out_dir);
    owner = getpid();
    ck_assert_int_eq(atexit(remove_out_dir), 0);
}

/* Both at once: they spend their time waiting. */
static void run_all_labs(void)
{
    cleanup_free char *dir = xasprintf("%s/4", out_dir);
    if (access(dir, F_OK) == 0)
        return;
    pid_t four = spawn("--all", 4), six = spawn("--all", 6);
    int status_four = await(four), status_six = await(six);
    ck_assert_int_eq(status_four, STATUS_PASSED);
    ck_assert_int_eq(status_six, STATUS_PASSED);
}

struct subject {
    struct lab *lab;
    struct source expected;
    struct record *record;
};

/* A long lab was skipped just now; what it left in a kernel on a virtual clock is
 * judged in its place. */
static void take_stored(struct subject *s, const char *name)
{
    struct error err = ERROR_INIT;
    cleanup_free char *dir = xasprintf("tests/golden/long/%s", name);
    ck_assert_msg(s->record->skipped && strstr(s->record->skipped, "--long"), "%s was not skipped",
                  name);
    record_free(s->record);
    s->record = record_load(dir, &err);
    ck_assert_msg(s->record != NULL, "%s", err.message);
}

static void load_subject(struct subject *s, const char *name, unsigned ip)
{
    struct error err = ERROR_INIT;
    struct diags diags = {0};
    struct source src;
    char *lab_path, *expected_path;
    ck_assert_int_eq(lab_find(name, &lab_path, &expected_path, &err), 0);
    ck_assert_int_eq(source_read(&src, lab_path, &err), 0);
    s->lab = lab_parse_ip(&src, NULL, 0, ip, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    ck_assert_int_eq(source_read(&s->expected, expected_path, &err), 0);
    cleanup_free char *dir = xasprintf("%s/%u/%s", out_dir, ip, name);
    s->record = record_load(dir, &err);
    ck_assert_msg(s->record != NULL, "%s", err.message);
    if (s->lab->is_long && ip == 4)
        take_stored(s, name);
    free(lab_path);
    free(expected_path);
}

static void free_subject(struct subject *s)
{
    lab_free(s->lab);
    source_free(&s->expected);
    record_free(s->record);
}

/* A run that fails on a machine that was late is NOISY; what is tried here is whether it
 * fails. */
static const nsec WRONG_IN_ANY_CASE = 3600 * NSEC_PER_SEC;

static struct pattern *parse_text(const struct subject *s, const char *text)
{
    struct source src;
    struct diags diags = {0};
    source_from(&src, "expected.txt", text, strlen(text));
    struct pattern *pattern = pattern_parse(&src, s->lab, &diags);
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &sb);
    ck_assert_msg(diags.list.n == 0, "%s", strbuf_cstr(&sb));
    return pattern;
}

static struct result *judge_text(const struct subject *s, const char *text, nsec slack)
{
    struct pattern *pattern = parse_text(s, text);
    struct result *result = judge(s->lab, pattern, s->record, slack);
    pattern_free(pattern);
    return result;
}

static const char *text_of_line(const struct result *result, size_t number)
{
    vec_each (&result->lines, line)
        if (line->line_number == number)
            return line->expected;
    return "";
}

/* One of a series deleted: the next line that waits longer comes too early (judge_series.c). */
static bool ends_the_series(const struct result_line *bad, size_t number)
{
    return bad->status == LINE_DIFFERS && bad->line_number > number && bad->diffs.n == 1 &&
           strcmp(bad->diffs.at[0].field, "interval") == 0 && bad->gap < bad->nominal;
}

/* The line that has to be named: the changed one itself; for a deleted line what was
 * then unexpected, or the end of its series; for a repeated one either of the two, or one
 * that reads the same.  Where packets of a mix can take a line's place, or the mix theirs,
 * it may be any line behind it. */
static bool names_the_line(const struct result *result, size_t number, enum mutation m,
                           bool has_mix)
{
    const struct result_line *bad = result_first_bad(result);
    if (has_mix && (m == MUTATE_DELETE || m == MUTATE_REPEAT) && bad->line_number > number)
        return true;
    if (m == MUTATE_DELETE)
        return bad->status == LINE_UNEXPECTED || ends_the_series(bad, number);
    if (m == MUTATE_REPEAT)
        return bad->status == LINE_MISSING &&
               (bad->line_number == number || bad->line_number == number + 1 ||
                strcmp(bad->expected, text_of_line(result, number)) == 0);
    return bad->line_number == number;
}

static size_t check_line(const struct subject *s, const char *name, unsigned ip, size_t number)
{
    size_t n = 0;
    for (enum mutation m = 0; m < MUTATION_COUNT; m++) {
        cleanup_free char *wrong = mutate(s->expected.text, number, m, ip);
        if (!wrong)
            continue;
        struct result *result = judge_text(s, wrong, WRONG_IN_ANY_CASE);
        const struct result_line *bad = result_first_bad(result);
        ck_assert_msg(result->verdict == VERDICT_FAIL && bad, "%s:%zu: %s: is %s", name, number,
                      mutation_name(m), verdict_name(result->verdict));
        ck_assert_msg(names_the_line(result, number, m, strstr(s->expected.text, "\nmix ")),
                      "%s:%zu: %s: line %zu is named (%s)", name, number, mutation_name(m),
                      bad->line_number, bad->meaning ? bad->meaning : "no meaning");
        ck_assert_ptr_nonnull(bad->meaning);
        result_free(result);
        n++;
    }
    return n;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* About the other version of IP, or too long for a machine that waits. */
static bool is_apart(const struct subject *s, unsigned ip)
{
    return ip == 6 && (s->lab->is_long || s->lab->mapping == MAP_NOTHING);
}

/* Loads and judges a run; of a machine that was late nothing can be said, so the lab is then
 * played again, but not where it FAILs.  `calm`: nor may the machine have been late where no
 * line needed it. */
static struct result *judge_right(struct subject *s, const char *name, unsigned ip, bool calm)
{
    load_subject(s, name, ip);
    struct result *right = judge_text(s, s->expected.text, JUDGE_DEFAULT_SLACK);
    for (int turn = 1; turn < NOISY_TURNS; turn++) {
        bool late = calm && s->record->lateness > JUDGE_DEFAULT_SLACK;
        if (right->verdict != VERDICT_NOISY && !(late && right->verdict == VERDICT_PASS))
            break;
        result_free(right);
        free_subject(s);
        await(spawn(name, ip));
        load_subject(s, name, ip);
        right = judge_text(s, s->expected.text, JUDGE_DEFAULT_SLACK);
    }
    return right;
}

/* The teacher's notes all have their places in the picture. */
static void check_picture(const struct subject *s, const struct result *result, const char *shown)
{
    struct pattern *pattern = parse_text(s, s->expected.text);
    struct picture *picture = picture_new(s->record, result);
    cleanup_free char *wrong = check_notes(pattern, picture);
    ck_assert_msg(!wrong, "%s: %s", shown, wrong);
    picture_free(picture);
    pattern_free(pattern);
}

static void check_right(const char *name, unsigned ip)
{
    struct subject s;
    struct result *right = judge_right(&s, name, ip, false);
    cleanup_free char *shown = xasprintf("%s, IPv%u", name, ip);
    enum verdict wanted = is_apart(&s, ip) ? VERDICT_SKIP : VERDICT_PASS;
    if (right->verdict == VERDICT_NOISY)
        live_skip(shown, right->reason);
    else
        ck_assert_msg(right->verdict == wanted, "%s: %s: %s", shown, verdict_name(right->verdict),
                      right->reason ? right->reason : "");
    if (right->verdict == VERDICT_PASS)
        check_picture(&s, right, shown);
    result_free(right);
    free_subject(&s);
}

/* On a machine that was very late, what is wrong by less cannot be told from what is right. */
static void check_wrong(const char *name, unsigned ip)
{
    struct subject s;
    struct result *right = judge_right(&s, name, ip, true);
    cleanup_free char *shown = xasprintf("%s, IPv%u", name, ip);
    size_t controls = 0;
    if (right->verdict == VERDICT_PASS && s.record->lateness <= JUDGE_DEFAULT_SLACK) {
        for (size_t line = 1; line <= count_lines(s.expected.text); line++)
            controls += check_line(&s, shown, ip, line);
        ck_assert_msg(controls >= 10, "%s: %zu controls", shown, controls);
    } else if (!is_apart(&s, ip)) {
        live_skip(shown, verdict_name(right->verdict));
    }
    result_free(right);
    free_subject(&s);
}

static void check_labs(void (*check)(const char *name, unsigned ip))
{
    struct error err = ERROR_INIT;
    struct lab_names names = {0};
    run_all_labs();
    ck_assert_int_eq(lab_list(&names, &err), 0);
    ck_assert_uint_ge(names.list.n, 8);
    vec_each (&names.list, name) {
        check(*name, 4);
        check(*name, 6);
    }
    lab_names_free(&names);
}

START_TEST(every_lab_passes)
{
    check_labs(check_right);
}
END_TEST

START_TEST(wrong_transcripts_fail)
{
    check_labs(check_wrong);
}
END_TEST

static Suite *suite_labs(void)
{
    Suite *s = suite_create("labs");
    TCase *t = tcase_create("labs"), *wrong = tcase_create("wrong transcripts");
    tcase_add_unchecked_fixture(t, make_out_dir, NULL);
    tcase_set_timeout(t, 150);
    tcase_set_tags(t, LIVE_ALL_LABS);
    tcase_add_test(t, every_lab_passes);
    suite_add_tcase(s, t);
    tcase_add_unchecked_fixture(wrong, make_out_dir, NULL);
    tcase_set_timeout(wrong, 150);
    tcase_set_tags(wrong, LIVE_ALL_LABS " " LIVE_SAME_FOR_ALL);
    tcase_add_test(wrong, wrong_transcripts_fail);
    suite_add_tcase(s, wrong);
    return s;
}
TEST_SUITE(suite_labs)
