/* The course: its statement, its order, what is wrong with it, and how it is shown. */
#include <stdio.h>

#include "lab/course.h"
#include "lab/find.h"
#include "lab_helpers.h"
#include "report/course.h"

/* A set of labs, each of which has only its place in the course. */
struct set {
    struct course_lab labs[8];
    struct diags diags[8];
    size_t n;
};

static void add(struct set *set, const char *name, const char *course)
{
    cleanup_free char *path = xasprintf("labs/%s.md", name);
    cleanup_free char *text = xasprintf("# About %s\n\n```lab\n%s\nhost a 10.0.0.1/24\n"
                                        "capture a\na close\n```\n",
                                        name, course);
    struct source src;
    source_from(&src, path, text, strlen(text));
    struct diags *diags = &set->diags[set->n];
    struct lab *lab = lab_parse(&src, NULL, 0, diags);
    set->labs[set->n++] = (struct course_lab){name, lab, diags};
}

static void free_set(struct set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        diags_free(set->labs[i].diags);
        lab_free(set->labs[i].lab);
    }
}
#define cleanup_set __attribute__((cleanup(free_set)))

static void assert_order(struct set *set, const char *names)
{
    struct strbuf got cleanup_strbuf = STRBUF_INIT;
    course_sort(set->labs, set->n);
    for (size_t i = 0; i < set->n; i++)
        strbuf_printf(&got, "%s%s", i ? " " : "", set->labs[i].name);
    ck_assert_str_eq(strbuf_cstr(&got), names);
}

START_TEST(the_statement)
{
    struct parsed r cleanup_parsed =
        parse_lines("course losing advanced after handshake tail-loss\nclient close");
    assert_clean(r);
    const struct lab_course *course = &r.lab->course;
    ck_assert_int_eq(course->group, GROUP_LOSING);
    ck_assert_int_eq(course->level, LEVEL_ADVANCED);
    ck_assert_uint_eq(course->after.n, 2);
    ck_assert_str_eq(course->after.at[1].name, "tail-loss");
    struct parsed none cleanup_parsed = parse_lines("client close");
    ck_assert_int_eq(none.lab->course.group, GROUP_NONE);
    struct parsed twice cleanup_parsed =
        parse_lines("course path beginner\ncourse path beginner\nclient close");
    ck_assert_ptr_nonnull(
        strstr(strbuf_cstr(&twice.text), "labs/x.md:11:1: the lab has its place"));
}
END_TEST

START_TEST(groups_then_what_comes_before_then_levels_then_names)
{
    struct set set cleanup_set = {0};
    add(&set, "a", "");
    add(&set, "b", "course path beginner");
    add(&set, "c", "course basics intermediate after f");
    add(&set, "d", "course basics beginner after g"); /* the level does not help it */
    add(&set, "e", "course basics beginner");
    add(&set, "f", "course basics beginner");
    add(&set, "g", "course basics advanced");
    assert_order(&set, "e f c g d b a");
}
END_TEST

START_TEST(what_comes_before_counts_by_way_of_another_group)
{
    struct set set cleanup_set = {0};
    add(&set, "a", "course basics beginner after b");
    add(&set, "b", "course losing beginner after c");
    add(&set, "c", "course basics advanced");
    course_check(set.labs, set.n);
    for (size_t i = 0; i < set.n; i++)
        ck_assert_uint_eq(set.diags[i].list.n, 0);
    assert_order(&set, "c a b");
}
END_TEST

static void assert_diags(struct set *set, size_t i, const char *text)
{
    struct strbuf got cleanup_strbuf = STRBUF_INIT;
    diags_format(&set->diags[i], &got);
    ck_assert_str_eq(strbuf_cstr(&got), text);
}

START_TEST(a_lab_that_is_not_there_is_a_mistake)
{
    struct set set cleanup_set = {0};
    add(&set, "handshake", "course basics beginner");
    add(&set, "second", "course basics beginner after handshake handshaek");
    course_check(set.labs, set.n);
    assert_diags(&set, 0, "");
    assert_diags(&set, 1,
                 "labs/second.md:4:40: there is no lab \"handshaek\"\n"
                 "    4 | course basics beginner after handshake handshaek\n"
                 "      |                                        ^~~~~~~~~\n"
                 "hint: did you mean \"handshake\"?\n");
}
END_TEST

START_TEST(a_circle_is_a_mistake_and_has_an_order_still)
{
    struct set set cleanup_set = {0};
    add(&set, "a", "course basics beginner after c");
    add(&set, "b", "course basics beginner after a");
    add(&set, "c", "course basics beginner after b");
    add(&set, "d", "course basics beginner after c"); /* behind the circle, not of it */
    course_check(set.labs, set.n);
    assert_diags(&set, 0,
                 "labs/a.md:4:30: \"c\" itself comes after \"a\"\n"
                 "    4 | course basics beginner after c\n"
                 "      |                              ^\n"
                 "hint: one of the two has to come first\n");
    ck_assert_uint_eq(set.diags[1].list.n, 1);
    ck_assert_uint_eq(set.diags[2].list.n, 1);
    ck_assert_uint_eq(set.diags[3].list.n, 0);
    assert_order(&set, "a b c d");
}
END_TEST

START_TEST(the_list)
{
    struct set set cleanup_set = {0};
    add(&set, "first", "course basics beginner");
    add(&set, "second", "course basics advanced after first");
    add(&set, "third-of-them", "course losing intermediate after second-of-them first");
    add(&set, "other-lab", "");
    course_check(set.labs, set.n);
    course_sort(set.labs, set.n);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    const struct text_options narrow = {.width = 50}, utf8 = {.width = 80, .utf8 = true};
    report_course(&text, set.labs, 2, &narrow);
    ck_assert_str_eq(strbuf_cstr(&text), "basics: a connection from its beginning to its end\n"
                                         "  first   *    About first\n"
                                         "  second  ***  About second (after first)\n"
                                         "\n"
                                         "  * beginner   ** intermediate   *** advanced\n");
    strbuf_truncate(&text, 0);
    report_course(&text, set.labs, set.n, &utf8);
    ck_assert_str_eq(strbuf_cstr(&text),
                     "basics: a connection from its beginning to its end\n"
                     "  first          ●    About first\n"
                     "  second         ●●●  About second (after first)\n"
                     "\n"
                     "losing: segments are lost, and TCP notices\n"
                     "  third-of-them  ●●   broken: labs/third-of-them.md:4:34: there is no lab\n"
                     "                              \"second-of-them\"\n"
                     "\n"
                     "other: labs without a place in the course\n"
                     "  other-lab           About other-lab\n"
                     "\n"
                     "  ● beginner   ●● intermediate   ●●● advanced\n");
}
END_TEST

START_TEST(what_does_not_fit_goes_below)
{
    struct set set cleanup_set = {0};
    add(&set, "lab", "course basics beginner after a-very-long-name another-long-name third");
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    const struct text_options narrow = {.width = 50};
    report_course(&text, set.labs, set.n, &narrow);
    ck_assert_str_eq(strbuf_cstr(&text), "basics: a connection from its beginning to its end\n"
                                         "  lab  *    About lab\n"
                                         "            (after a-very-long-name,\n"
                                         "             another-long-name, third)\n"
                                         "\n"
                                         "  * beginner   ** intermediate   *** advanced\n");
}
END_TEST

/* The labs of this tree: each has its place, and the places make an order. */
START_TEST(every_lab_has_its_place)
{
    struct error err = ERROR_INIT;
    struct lab_names names = {0};
    ck_assert_int_eq(lab_list(&names, &err), 0);
    ck_assert_uint_gt(names.list.n, 9);
    struct course_lab *labs = xcalloc(names.list.n, sizeof(*labs));
    struct diags *diags = xcalloc(names.list.n, sizeof(*diags));
    for (size_t i = 0; i < names.list.n; i++) {
        cleanup_free char *path = NULL;
        struct source src;
        ck_assert_int_eq(lab_find(names.list.at[i], &path, NULL, &err), 0);
        ck_assert_int_eq(source_read(&src, path, &err), 0);
        labs[i] =
            (struct course_lab){names.list.at[i], lab_parse(&src, NULL, 0, &diags[i]), &diags[i]};
        ck_assert_msg(labs[i].lab->course.group != GROUP_NONE, "%s has no line `course`", path);
    }
    course_check(labs, names.list.n);
    for (size_t i = 0; i < names.list.n; i++) {
        struct strbuf text cleanup_strbuf = STRBUF_INIT;
        diags_format(&diags[i], &text);
        ck_assert_str_eq(strbuf_cstr(&text), "");
        lab_free(labs[i].lab);
        diags_free(&diags[i]);
    }
    free(labs);
    free(diags);
    lab_names_free(&names);
}
END_TEST

static Suite *suite_course(void)
{
    Suite *s = suite_create("course");
    TCase *t = tcase_create("course");
    tcase_add_test(t, the_statement);
    tcase_add_test(t, groups_then_what_comes_before_then_levels_then_names);
    tcase_add_test(t, what_comes_before_counts_by_way_of_another_group);
    tcase_add_test(t, a_lab_that_is_not_there_is_a_mistake);
    tcase_add_test(t, a_circle_is_a_mistake_and_has_an_order_still);
    tcase_add_test(t, the_list);
    tcase_add_test(t, what_does_not_fit_goes_below);
    tcase_add_test(t, every_lab_has_its_place);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_course)
