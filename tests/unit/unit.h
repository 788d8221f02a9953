/* Unit tests: each file registers its suite, tests/unit/main.c runs them all.
 *
 *     static Suite *suite_diag(void) { … }
 *     TEST_SUITE(suite_diag)
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>

void unit_register(Suite *(*make)(void));

/* ck_assert() for what holds ten thousand times: Check writes each assertion that held
 * to a file and reads them all again, which takes longer than the test. */
#define assert_each(expr) ((expr) ? (void)0 : ck_abort_msg("Assertion '%s' failed", #expr))

#define TEST_SUITE(make)                                                                           \
    __attribute__((constructor)) static void register_##make(void)                                 \
    {                                                                                              \
        unit_register(make);                                                                       \
    }

#endif
