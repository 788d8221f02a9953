/* Negative controls: every way to be wrong must fail, at the right line; every
 * way that does not matter must pass. */

#include "scenes.h"

#include <stdio.h>
#include <string.h>

#include "build_packet.h"
#include "unit.h"

struct lines {
    VEC(char *) list;
};

static struct lines split(const char *text)
{
    struct lines l = {0};
    while (*text) {
        size_t n = strcspn(text, "\n");
        vec_push(&l.list, xstrndup(text, n));
        text += n + (text[n] == '\n');
    }
    return l;
}

static void free_lines(struct lines *l)
{
    vec_each (&l->list, s)
        free(*s);
    vec_free(&l->list);
}

/* All lines, with line `at` replaced (NULL: left out). */
static char *join(const struct lines *l, size_t at, const char *replacement)
{
    struct strbuf sb = STRBUF_INIT;
    for (size_t i = 0; i < l->list.n; i++) {
        const char *s = i == at ? replacement : l->list.at[i];
        if (!s)
            continue;
        strbuf_puts(&sb, s);
        strbuf_putc(&sb, '\n');
    }
    return strbuf_steal(&sb);
}

static size_t count_bad(const struct result *r)
{
    size_t n = 0;
    vec_each (&r->lines, l)
        n += l->status != LINE_OK && l->status != LINE_ABSENT && l->status != LINE_UNJUDGED;
    return n;
}

/* One line of a right transcript changed: exactly that line differs. */
static void check_changed(const struct record *r, const struct lines *l, size_t at,
                          const char *changed)
{
    cleanup_free char *text = join(l, at, changed);
    struct result *result = scene_judge(r, text, VERDICT_FAIL);
    const struct result_line *bad = result_first_bad(result);
    ck_assert_msg(bad->line_number == at + 1 && count_bad(result) == 1 &&
                      bad->status == LINE_DIFFERS && bad->diffs.n && bad->meaning,
                  "line %zu to\n%s\ngives %zu bad lines, first line %zu: %s", at + 1, changed,
                  count_bad(result), bad->line_number, result->reason);
    result_free(result);
}

static struct record *record_of(int scene)
{
    return scenes[scene].build();
}

START_TEST(right_runs_pass)
{
    struct record *r = record_of(_i);
    struct result *result = scene_judge(r, scenes[_i].expected, VERDICT_PASS);
    ck_assert_ptr_null(result->reason);
    ck_assert_ptr_null(result_first_bad(result));
    vec_each (&result->lines, line) {
        ck_assert_ptr_nonnull(line->expected);
        ck_assert_ptr_nonnull(line->observed);
        ck_assert_int_eq(line->has_bounds, line->expected[0] == '+');
    }
    result_free(result);
    record_free(r);
}
END_TEST

START_TEST(changed_flags)
{
    static const char *const others[] = {"S",  "S.", ".",   "P.", "F.",   "R",
                                         "R.", "P",  "FP.", "SE", "none", "SEW"};
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        const char *open = strstr(l.list.at[at], "Flags [") + 7, *close = strchr(open, ']');
        for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
            if (strlen(others[k]) == (size_t)(close - open) &&
                strncmp(others[k], open, strlen(others[k])) == 0)
                continue;
            cleanup_free char *changed =
                xasprintf("%.*s%s%s", (int)(open - l.list.at[at]), l.list.at[at], others[k], close);
            check_changed(r, &l, at, changed);
        }
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(changed_numbers)
{
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        const char *line = l.list.at[at], *p = strstr(line, "client.");
        const char *server = strstr(line, "server.");
        for (p = p < server ? p : server; *p; p++) {
            if (*p < '0' || *p > '9')
                continue;
            char *end;
            unsigned long number = strtoul(p, &end, 10);
            unsigned long others[] = {number + 1, number ? number - 1 : 2, number * 2 + 3};
            for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
                if (others[k] > 65535 || (number == 7 && others[k] > 255))
                    continue;
                cleanup_free char *changed =
                    xasprintf("%.*s%lu%s", (int)(p - line), line, others[k], end);
                check_changed(r, &l, at, changed);
            }
            p = end - 1;
        }
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(changed_intervals)
{
    static const char *const others[] = {"+0",  "+40ms", "+200ms", "+400ms", "+800ms",
                                         "+1s", "+1.6s", "+2s",    "+3.2s",  "+4s",
                                         "+8s", "+16s",  "+32s"};
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        const char *line = l.list.at[at];
        if (line[0] != '+')
            continue;
        size_t n = strcspn(line, " ");
        for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
            if (strlen(others[k]) == n && strncmp(line, others[k], n) == 0)
                continue;
            cleanup_free char *changed = xasprintf("%s%s", others[k], line + n);
            check_changed(r, &l, at, changed);
        }
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(changed_fates)
{
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        cleanup_free char *line = xstrdup(l.list.at[at]);
        char *lost = strstr(line, " lost");
        if (lost)
            *lost = '\0';
        cleanup_free char *later = xasprintf("%s arrives +50ms", line);
        cleanup_free char *never = xasprintf("%s lost", line);
        check_changed(r, &l, at, later);
        check_changed(r, &l, at, lost ? line : never);
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(changed_options)
{
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        const char *line = l.list.at[at], *options = strstr(line, "options [");
        if (!options)
            continue;
        const char *close = strchr(options, ']'), *first = options + strlen("options [");
        const char *second = strchr(first, ',') + 1;
        int before = (int)(options - line);
        cleanup_free char *none = xasprintf("%.*s%s", before, line, close + strlen("], "));
        cleanup_free char *fewer = xasprintf("%.*soptions [%s", before, line, second);
        cleanup_free char *more = xasprintf("%.*soptions [nop,%s", before, line, first);
        check_changed(r, &l, at, none);
        check_changed(r, &l, at, fewer);
        check_changed(r, &l, at, more);
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

/* The packet of a line that was left out is unexpected, in its place; nothing else. */
START_TEST(deleted_lines)
{
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n && l.list.n > 1; at++) {
        cleanup_free char *text = join(&l, at, NULL);
        struct result *result = scene_judge(r, text, VERDICT_FAIL);
        ck_assert_uint_eq(count_bad(result), 1);
        ck_assert_uint_eq(result->lines.n, l.list.n);
        ck_assert_int_eq(result->lines.at[at].status, LINE_UNEXPECTED);
        ck_assert_ptr_null(result->lines.at[at].expected);
        ck_assert_ptr_nonnull(result->lines.at[at].meaning);
        result_free(result);
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(added_lines)
{
    static const char *const strange[] = {
        "server.1234 > client.port: Flags [R], seq 77, win 0, length 0",
        "client.port > server.1234: Flags [S], seq 0, win 1, length 0",
        "ARP, Request who-has server tell client, length 28",
    };
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        for (size_t k = 0; k <= ARRAY_SIZE(strange); k++) {
            const char *extra = k < ARRAY_SIZE(strange) ? strange[k] : l.list.at[at];
            cleanup_free char *both = xasprintf("%s\n%s", extra, l.list.at[at]);
            cleanup_free char *text = join(&l, at, both);
            struct result *result = scene_judge(r, text, VERDICT_FAIL);
            const struct result_line *bad = result_first_bad(result);
            ck_assert_uint_eq(count_bad(result), 1);
            ck_assert_int_eq(bad->status, LINE_MISSING);
            ck_assert_uint_ge(bad->line_number, at + 1);
            ck_assert_uint_le(bad->line_number, at + 1 + (k == ARRAY_SIZE(strange)));
            ck_assert_ptr_nonnull(bad->meaning);
            result_free(result);
        }
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(swapped_hosts)
{
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    for (size_t at = 0; at < l.list.n; at++) {
        char from[64], to[64];
        const char *line =
            l.list.at[at] + (l.list.at[at][0] == '+' ? strcspn(l.list.at[at], " ") + 1 : 0);
        ck_assert_int_eq(sscanf(line, "%63s > %63[^:]", from, to), 2);
        cleanup_free char *changed = xasprintf("%s > %s:%s", to, from, strchr(line, ':') + 1);
        cleanup_free char *text = join(&l, at, changed);
        struct result *result = scene_judge(r, text, VERDICT_FAIL);
        ck_assert_uint_eq(result_first_bad(result)->line_number, at + 1);
        ck_assert_uint_le(count_bad(result), 2);
        result_free(result);
        cleanup_free char *other = xstrdup(l.list.at[at]);
        memcpy(strstr(other, "client."), "server.", 7);
        check_changed(r, &l, at, other);
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

START_TEST(what_does_not_matter)
{
    struct record *r = record_of(_i);
    struct lines l = split(scenes[_i].expected);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&text, "# A remark.\n\n\n");
    for (size_t at = 0; at < l.list.n; at++) {
        strbuf_printf(&text, "# A note.\r\nlabel%zu:\t ", at);
        for (const char *p = l.list.at[at]; *p; p++) {
            strbuf_putc(&text, *p);
            if (*p == ' ')
                strbuf_puts(&text, " \t");
        }
        strbuf_puts(&text, "  \r\n");
    }
    strbuf_puts(&text, "# The end");
    struct result *result = scene_judge(r, strbuf_cstr(&text), VERDICT_PASS);
    ck_assert_str_eq(result->lines.at[0].note, "A note.");
    ck_assert_str_eq(result->lines.at[0].label, "label0");
    result_free(result);
    free_lines(&l);
    record_free(r);
}
END_TEST

/* Marks stand under what differs, in both texts. */
START_TEST(marks)
{
    struct record *r = scene_conversation();
    struct lines l = split(scenes[0].expected);
    static const struct {
        const char *from, *to, *field;
    } cases[] = {
        {"win 502", "win 503", "win"},
        {"seq 1:13", "seq 1:14", "seq"},
        {"client.port", "client.1000", "port"},
        {"nop,nop,TS val ~ ecr ~", "nop,nop,TS val 9 ecr ~", "TS val"},
        {"length 12", "length 11", "length"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *line = l.list.at[3], *p = strstr(line, cases[i].from);
        cleanup_free char *changed =
            xasprintf("%.*s%s%s", (int)(p - line), line, cases[i].to, p + strlen(cases[i].from));
        cleanup_free char *text = join(&l, 3, changed);
        struct result *result = scene_judge(r, text, VERDICT_FAIL);
        const struct result_line *bad = result_first_bad(result);
        ck_assert_uint_eq(bad->diffs.n, 1);
        const struct field_diff *d = bad->diffs.at;
        ck_assert_str_eq(d->field, cases[i].field);
        ck_assert_int_eq(strncmp(bad->expected + d->expected_at, d->expected, d->expected_n), 0);
        ck_assert_int_eq(strncmp(bad->observed + d->observed_at, d->observed, d->observed_n), 0);
        ck_assert_uint_eq(strlen(d->expected), d->expected_n);
        ck_assert_uint_eq(strlen(d->observed), d->observed_n);
        result_free(result);
    }
    free_lines(&l);
    record_free(r);
}
END_TEST

static Suite *suite_match(void)
{
    Suite *s = suite_create("match");
    TCase *t = tcase_create("negative controls");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, right_runs_pass, 0, n_scenes);
    tcase_add_loop_test(t, changed_flags, 0, n_scenes);
    tcase_add_loop_test(t, changed_numbers, 0, n_scenes);
    tcase_add_loop_test(t, changed_intervals, 0, n_scenes);
    tcase_add_loop_test(t, changed_fates, 0, n_scenes);
    tcase_add_loop_test(t, changed_options, 0, n_scenes);
    tcase_add_loop_test(t, deleted_lines, 0, n_scenes);
    tcase_add_loop_test(t, added_lines, 0, n_scenes);
    tcase_add_loop_test(t, swapped_hosts, 0, n_scenes);
    tcase_add_loop_test(t, what_does_not_matter, 0, n_scenes);
    tcase_add_test(t, marks);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_match)
