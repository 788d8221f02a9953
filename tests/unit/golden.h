/* Texts against stored files; `UPDATE=1` renews them. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <stddef.h>

/* Compares with tests/golden/NAME; fails the test with the first line that differs. */
void golden_check(const char *name, const char *text, size_t len);

#endif
