#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

/* `test-unit [SUITE…]` runs all suites or the ones named; CK_FORK=no for a debugger. */

static Suite *(*makers[64])(void);
static int n_makers;

void unit_register(Suite *(*make)(void))
{
    if (n_makers == sizeof(makers) / sizeof(makers[0])) {
        fputs("tests/unit/main.c: too many suites\n", stderr);
        abort();
    }
    makers[n_makers++] = make;
}

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    for (int i = 0; i < n_makers; i++)
        srunner_add_suite(runner, makers[i]());
    if (argc < 2)
        srunner_run_all(runner, CK_ENV);
    for (int i = 1; i < argc; i++)
        srunner_run(runner, argv[i], NULL, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    return failed || run == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
