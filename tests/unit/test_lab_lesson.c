/* The Markdown side: places in the file, questions, the lesson on a terminal, and
 * where labs are found. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/errno.h"
#include "lab/find.h"
#include "lab/render.h"
#include "lab_helpers.h"

/* Each file has one wrong verb, `clsoe`; its place must be exact wherever it stands. */
static const struct {
    const char *file;
    int line, column;
} places[] = {
    {"```lab\nhost a 10.0.0.1/24\ncapture a\na clsoe\n```\n", 4, 3},
    {"\xef\xbb\xbf```lab\r\nhost a 10.0.0.1/24\r\ncapture a\r\na clsoe\r\n```\r\n", 4, 3},
    {"  ~~~ lab extra\n  host a 10.0.0.1/24\n capture a\n    a clsoe\n  ~~~\n", 4, 7},
    {"1. x\n\n   ```lab\n   host a 10.0.0.1/24\n\n   capture a\n   a clsoe\n   ```\n", 7, 6},
    {"> - ```lab\n>   host a 10.0.0.1/24\n>   capture a\n>   \ta clsoe \t\n>   ```\n", 4, 8},
    {"- ```lab\n\thost a 10.0.0.1/24\n\tcapture a\n\ta clsoe\n  ```\n", 4, 4},
    {"```lab\nhost a 10.0.0.1/24\n```\n\n```c\na clsoe\n```\n\n```lab\ncapture a\na clsoe", 11, 3},
    {"`````lab\nhost a 10.0.0.1/24\n```\ncapture a\na clsoe\n`````\n", 0, 0},
};

START_TEST(places_are_exact_in_every_container)
{
    struct parsed r cleanup_parsed = parse(places[_i].file);
    if (places[_i].line == 0) { /* the shorter fence is a line of the script */
        ck_assert_uint_eq(r.diags.list.n, 2);
        ck_assert_ptr_nonnull(strstr(strbuf_cstr(&r.text), "x.md:3:1: unknown statement"));
        return;
    }
    cleanup_free char *head =
        xasprintf("labs/x.md:%d:%d: unknown verb", places[_i].line, places[_i].column);
    ck_assert_msg(r.diags.list.n == 1 && strncmp(strbuf_cstr(&r.text), head, strlen(head)) == 0,
                  "expected: %s\nobserved: %s", head, strbuf_cstr(&r.text));
    const struct span *span = &r.diags.list.at[0].span;
    ck_assert_mem_eq(r.lab->source.text + span->from, "clsoe", 5);
    ck_assert_uint_eq(span->to - span->from, 5);
}
END_TEST

START_TEST(questions_are_kept)
{
    struct parsed r cleanup_parsed = parse("```lab\nhost a 10.0.0.1/24\ncapture a\na close\n```\n"
                                           "- ```question\n  Why?\n\n    because\n  ```\n");
    assert_clean(r);
    ck_assert_uint_eq(r.lab->questions.n, 1);
    const struct lab_question *q = &r.lab->questions.at[0];
    ck_assert_str_eq(q->text, "Why?\n\n  because\n");
    ck_assert_mem_eq(r.lab->source.text + q->span.from, "Why?", 4);
    ck_assert_mem_eq(r.lab->source.text + q->span.to - 7, "because", 7);
}
END_TEST

static const char lesson[] =
    "# A *fine* lesson\n\nOne two three four five six seven `eight nine` ten.\n\n"
    "## Part\n\n- first item which is too long for one line\n- second\n  1. inner\n\n"
    "> quoted [link](https://example.org)\n\n```lab\nhost a 10.0.0.1/24\n```\n\n***\nend\x1b[31m\n";

START_TEST(a_lesson_on_a_terminal)
{
    struct parsed r cleanup_parsed = parse(lesson);
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    lab_render(&out, r.lab, 30, false);
    ck_assert_str_eq(strbuf_cstr(&out), "A fine lesson\n"
                                        "=============\n"
                                        "\n"
                                        "One two three four five six\n"
                                        "seven `eight nine` ten.\n"
                                        "\n"
                                        "Part\n"
                                        "----\n"
                                        "\n"
                                        "- first item which is too long\n"
                                        "  for one line\n"
                                        "- second\n"
                                        "  1. inner\n"
                                        "\n"
                                        "| quoted link\n"
                                        "| <https://example.org>\n"
                                        "\n"
                                        "    host a 10.0.0.1/24\n"
                                        "\n"
                                        "------------------------------\n"
                                        "\n"
                                        "end?[31m\n");
    strbuf_truncate(&out, 0);
    lab_render(&out, r.lab, 30, true);
    ck_assert_ptr_nonnull(
        strstr(strbuf_cstr(&out), "\033[1mA \033[3mfine\033[23m lesson\033[22m\n"));
    ck_assert_ptr_null(strstr(strbuf_cstr(&out), "\033[31m"));
    strbuf_truncate(&out, 0);
    lab_render_script(&out, r.lab);
    ck_assert_str_eq(strbuf_cstr(&out), "host a 10.0.0.1/24\n");
}
END_TEST

START_TEST(deep_nesting_costs_little)
{
    struct strbuf file cleanup_strbuf = STRBUF_INIT, out cleanup_strbuf = STRBUF_INIT;
    strbuf_pad(&file, '>', 20000);
    strbuf_puts(&file, " x\n\n");
    for (int i = 0; i < 20000; i++)
        strbuf_puts(&file, "- ");
    strbuf_puts(&file, "y\n");
    struct parsed r cleanup_parsed = parse_bytes(file.data, file.len, NULL, 0);
    lab_render(&out, r.lab, 80, false);
    ck_assert_uint_lt(out.len, 1000);
}
END_TEST

static void put_file(const char *path)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
}

START_TEST(labs_are_found_by_name_and_by_path)
{
    char root[] = "/tmp/tcplab-find-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(root));
    setenv("TCPLAB_ROOT", root, 1);
    struct error err = ERROR_INIT;
    struct lab_names names = {0};
    ck_assert_int_eq(lab_list(&names, &err), -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    error_clear(&err);

    cleanup_free char *labs = xasprintf("%s/labs", root);
    cleanup_free char *b = xasprintf("%s/labs/bravo.md", root);
    cleanup_free char *a = xasprintf("%s/labs/alpha.md", root);
    cleanup_free char *other = xasprintf("%s/labs/notes.txt", root);
    ck_assert_int_eq(mkdir(labs, 0700), 0);
    put_file(b);
    put_file(a);
    put_file(other);
    ck_assert_int_eq(lab_list(&names, &err), 0);
    ck_assert_uint_eq(names.list.n, 2);
    ck_assert_str_eq(names.list.at[0], "alpha");
    lab_names_free(&names);

    cleanup_free char *path = NULL, *expected = NULL, *path2 = NULL, *expected2 = NULL;
    cleanup_free char *want = xasprintf("%s/expected/alpha.txt", root);
    cleanup_free char *want2 = xasprintf("%s/labs/../expected/alpha.txt", root);
    ck_assert_int_eq(lab_find("alpha", &path, &expected, &err), 0);
    ck_assert_str_eq(path, a);
    ck_assert_str_eq(expected, want);
    ck_assert_int_eq(lab_find(a, &path2, &expected2, &err), 0);
    ck_assert_str_eq(path2, a);
    ck_assert_str_eq(expected2, want2);

    char *none = NULL;
    ck_assert_int_eq(lab_find("alpa", &none, NULL, &err), -1);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    ck_assert_str_eq(err.hint, "did you mean \"alpha\"?");
    error_clear(&err);
    ck_assert_int_eq(lab_find("../labs/alpha", &none, NULL, &err), -1);
    error_clear(&err);
    ck_assert_int_eq(lab_find("", &none, NULL, &err), -1);
    error_clear(&err);
    ck_assert_int_eq(lab_find("/nowhere/x.md", &none, NULL, &err), -1);
    ck_assert_int_eq(err.sys, ENOENT);
    error_clear(&err);
    unlink(a);
    unlink(b);
    unlink(other);
    rmdir(labs);
    rmdir(root);
}
END_TEST

START_TEST(names_of_errors)
{
    ck_assert_str_eq(errno_name(ECONNREFUSED), "ECONNREFUSED");
    ck_assert_str_eq(errno_name(100000), "?");
    for (int e = 1; e < 200; e++)
        if (errno_name(e)[0] != '?')
            ck_assert_int_eq(errno_from_name(errno_name(e), strlen(errno_name(e))), e);
    ck_assert_int_eq(errno_from_name("EWOULDBLOCK", 11), EAGAIN);
    ck_assert_int_eq(errno_from_name("EPIPEX", 5), EPIPE);
    ck_assert_int_eq(errno_from_name("?", 1), 0);
    ck_assert_int_eq(errno_from_name("", 0), 0);
    ck_assert_str_eq(errno_closest("ETIMEOUT", 8), "ETIMEDOUT");
}
END_TEST

static Suite *suite_lab_lesson(void)
{
    Suite *s = suite_create("lab-lesson");
    TCase *t = tcase_create("lab-lesson");
    tcase_add_loop_test(t, places_are_exact_in_every_container, 0, (int)ARRAY_SIZE(places));
    tcase_add_test(t, questions_are_kept);
    tcase_add_test(t, a_lesson_on_a_terminal);
    tcase_add_test(t, deep_nesting_costs_little);
    tcase_add_test(t, labs_are_found_by_name_and_by_path);
    tcase_add_test(t, names_of_errors);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_lab_lesson)
