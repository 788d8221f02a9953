#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/diag.h"
#include "base/ipaddr.h"
#include "base/number.h"
#include "base/program.h"
#include "base/socktext.h"
#include "base/time.h"

START_TEST(durations_round_trip)
{
    static const char *const forms[] = {"0",    "1s",    "200ms", "1.204s",
                                        "40us", "250ns", "900s",  "1.5ms"};
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        nsec t = -1;
        ck_assert_uint_eq(parse_duration(forms[i], strlen(forms[i]), &t), strlen(forms[i]));
        struct strbuf sb cleanup_strbuf = STRBUF_INIT;
        strbuf_duration(&sb, t);
        ck_assert_str_eq(strbuf_cstr(&sb), forms[i]);
    }
}
END_TEST

START_TEST(durations_that_are_none)
{
    static const char *const forms[] = {
        "", "5", "s", "1x", "-1s", "0x", "99999999999999999999s", "9999999999999m"};
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        nsec t;
        ck_assert_uint_eq(parse_duration(forms[i], strlen(forms[i]), &t), 0);
    }
}
END_TEST

START_TEST(addresses)
{
    struct ipaddr a, b;
    ck_assert(ipaddr_parse(&a, "10.0.0.1", 8));
    ck_assert(ipaddr_parse(&b, "10.0.0.200", 10));
    ck_assert(ipaddr_same_net(&a, &b, 24));
    ck_assert(!ipaddr_same_net(&a, &b, 25));
    ck_assert(!ipaddr_equal(&a, &b));
    ck_assert(ipaddr_parse(&a, "::1", 3));
    ck_assert(ipaddr_is_loopback(&a));
    ck_assert(!ipaddr_parse(&a, "10.0.0.256", 10));
    ck_assert(!ipaddr_parse(&a, "10.0.0.1\0x", 10));
}
END_TEST

START_TEST(carets_point_at_the_span)
{
    struct source src;
    source_from(&src, "x.md", "one\nserver lisen 1234\n", 22);
    struct diags diags = {.source = &src};
    diag_add(&diags, (struct span){11, 16}, "did you mean \"listen\"?", "unknown verb \"%s\"",
             "lisen");
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &sb);
    ck_assert_str_eq(strbuf_cstr(&sb), "x.md:2:8: unknown verb \"lisen\"\n"
                                       "    2 | server lisen 1234\n"
                                       "      |        ^~~~~\n"
                                       "hint: did you mean \"listen\"?\n");
    diags_free(&diags);
    source_free(&src);
}
END_TEST

START_TEST(close_names)
{
    static const char *const names[] = {"listen", "accept", "connect"};
    ck_assert_str_eq(closest_name("lisen", 5, names, 3), "listen");
    ck_assert_ptr_null(closest_name("zzzz", 4, names, 3));
}
END_TEST

START_TEST(the_first_error_wins)
{
    struct error err = ERROR_INIT;
    error_sys(&err, STATUS_MACHINE, 1, "first");
    error_set(&err, STATUS_USAGE, "second");
    error_wrap(&err, "while %s", "testing");
    ck_assert_str_eq(err.message, "while testing: first: Operation not permitted");
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    error_clear(&err);
    ck_assert(!error_is_set(&err));
}
END_TEST

START_TEST(numbers)
{
    static const char *const none[] = {"",
                                       "-",
                                       "+1",
                                       " 1",
                                       "1 ",
                                       "0x1",
                                       "1e3",
                                       "--1",
                                       "5",
                                       "11",
                                       "99999999999999999999",
                                       "-99999999999999999999"};
    int64_t n = 42;
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        ck_assert_msg(!parse_number(none[i], 6, 10, &n), "%s", none[i]);
    ck_assert_int_eq(n, 42);
    ck_assert(parse_number("6", 6, 10, &n) && n == 6);
    ck_assert(parse_number("010", 6, 10, &n) && n == 10);
    ck_assert(parse_number("-9223372036854775808", INT64_MIN, -1, &n) && n == INT64_MIN);
    ck_assert(!parse_number("9223372036854775808", INT64_MIN, INT64_MAX, &n));
    int64_t least, most;
    static const char *const no_range[] = {"",
                                           "1",
                                           "1..",
                                           "..2",
                                           "2..1",
                                           "1...2",
                                           "-1..2",
                                           "1..2x",
                                           "1..2..3",
                                           " 1..2",
                                           "1..9223372036854775808"};
    for (size_t i = 0; i < ARRAY_SIZE(no_range); i++)
        ck_assert_msg(!range_of_numbers(no_range[i], &least, &most), "%s", no_range[i]);
    ck_assert(range_of_numbers("40..60", &least, &most) && least == 40 && most == 60);
    ck_assert(range_of_numbers("7..7", &least, &most) && least == 7 && most == 7);
}
END_TEST

START_TEST(bytes_in_quotes)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    strbuf_escaped(&sb, "a\n\t\r\\\"\0\x7f\xc3\xa4", 10, false);
    ck_assert_str_eq(sb.data, "a\\n\\t\\r\\\\\\\"\\x00\\x7f\xc3\xa4");
    strbuf_truncate(&sb, 0);
    strbuf_escaped(&sb, "\xc3\xa4", 2, true);
    ck_assert_str_eq(sb.data, "\\xc3\\xa4");
}
END_TEST

/* Folders, and files that are not executable, are no programs; nor is what stands in
 * an empty element of PATH. */
START_TEST(programs_in_path)
{
    char top[] = "/tmp/tcplab-test-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(top));
    cleanup_free char *one = xasprintf("%s/one", top), *two = xasprintf("%s/two", top);
    cleanup_free char *folder = xasprintf("%s/x", one), *file = xasprintf("%s/x", two);
    ck_assert(mkdir(one, 0700) == 0 && mkdir(two, 0700) == 0 && mkdir(folder, 0700) == 0);
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    cleanup_free char *path = xasprintf(":%s::%s:", one, two);
    setenv("PATH", path, 1);
    ck_assert_ptr_null(program_find("x", NULL));
    ck_assert_int_eq(chmod(file, 0700), 0);
    cleanup_free char *found = program_find("x", NULL);
    ck_assert_str_eq(found, file);
    setenv("PATH", one, 1);
    ck_assert_ptr_null(program_find("x", NULL));
    cleanup_free char *behind = program_find("x", two);
    ck_assert_str_eq(behind, file);
    unsetenv("PATH");
    cleanup_free char *shell = program_find("sh", NULL);
    ck_assert_ptr_nonnull(shell);
    ck_assert(unlink(file) == 0 && rmdir(folder) == 0 && rmdir(one) == 0 && rmdir(two) == 0);
    ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

static Suite *suite_base(void)
{
    Suite *s = suite_create("base");
    TCase *t = tcase_create("base");
    tcase_add_test(t, durations_round_trip);
    tcase_add_test(t, durations_that_are_none);
    tcase_add_test(t, addresses);
    tcase_add_test(t, carets_point_at_the_span);
    tcase_add_test(t, close_names);
    tcase_add_test(t, the_first_error_wins);
    tcase_add_test(t, numbers);
    tcase_add_test(t, bytes_in_quotes);
    tcase_add_test(t, programs_in_path);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_base)
