/* `tcplab matrix` on this machine: a matrix is stored, is found again unchanged, and
 * tells what has changed since.  Kernels in qemu are other columns of the same.  And
 * `tcplab compare --kernel`, which plays its two sides the same way. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/error.h"
#include "play.h"

extern char **environ;

static const char refused[] = "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
                              "capture client server \"tcp port 1234\"\n"
                              "client connect server 1234 => ECONNREFUSED\n";
static const char answered[] = "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
                               "capture client server \"tcp port 1234\"\n"
                               "server listen 1234\n"
                               "client connect server 1234\n";
static const char reset[] =
    "+0 client.port > server.1234: Flags [S], seq 0, win 64240, …, length 0\n"
    "+0 server.1234 > client.port: Flags [R.], seq 0, ack 1, win 0, length 0\n";

/* The exit status; what it printed, errors too, is *printed. */
static int tcplab(char **printed, const char *command, const char *const arguments[])
{
    cleanup_free char *program = play_path("tcplab"), *path = play_path("printed");
    VEC(char *) argv = {0};
    posix_spawn_file_actions_t files;
    pid_t pid;
    int status;
    vec_push(&argv, xstrdup(program));
    vec_push(&argv, xstrdup(command));
    for (size_t i = 0; arguments[i]; i++)
        vec_push(&argv, xstrdup(arguments[i]));
    vec_push(&argv, NULL);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, path, O_WRONLY | O_CREAT | O_TRUNC,
                                     0666);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    ck_assert_int_eq(posix_spawn(&pid, program, &files, NULL, argv.at, environ), 0);
    while (waitpid(pid, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    posix_spawn_file_actions_destroy(&files);
    vec_each (&argv, word)
        free(*word);
    vec_free(&argv);
    *printed = play_read(path);
    unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A machine that was too late to judge says nothing: once more. */
static int quiet_matrix(char **printed, const char *const arguments[])
{
    int status = 0;
    *printed = NULL;
    for (int i = 0; i < 5 && (!*printed || strstr(*printed, "NOISY")); i++) {
        free(*printed);
        status = tcplab(printed, "matrix", arguments);
    }
    return status;
}

static void expect(int wanted, const char *says, const char *const arguments[])
{
    cleanup_free char *printed = NULL;
    int status = quiet_matrix(&printed, arguments);
    ck_assert_msg(status == wanted && strstr(printed, says), "status %d: %s", status, printed);
}

START_TEST(a_change_is_found)
{
    cleanup_free char *out = play_path("matrix"), *stored = play_path("stored");
    cleanup_free char *lab = play_lab("scene", refused, reset);
    const char *const compare[] = {"-o", out, "--baseline", stored, lab, NULL};
    expect(STATUS_FAILED, "scene on host: it is not in the baseline", compare);
    expect(STATUS_PASSED, "PASS", (const char *[]){"-o", out, "--bless", stored, lab, NULL});
    expect(STATUS_PASSED, "Nothing has changed since the baseline.", compare);
    /* The kernel has "changed": it answers where it refused. */
    free(play_lab("scene", answered, reset));
    expect(STATUS_FAILED,
           "scene on host: FAIL, was PASS: segment 2 (SYN-ACK of server): Flags [S.] instead of "
           "[R.]",
           compare);
    /* As it should be, from now on: then even a failure is no change. */
    expect(STATUS_PASSED, "FAIL", (const char *[]){"-o", out, "--bless", stored, lab, NULL});
    expect(STATUS_PASSED, "Nothing has changed since the baseline.", compare);
    expect(STATUS_FAILED, "FAIL", (const char *[]){"-o", out, lab, NULL});
}
END_TEST

START_TEST(formats)
{
    cleanup_free char *out = play_path("matrix"), *printed = NULL;
    cleanup_free char *lab = play_lab("formats", refused, reset);
    cleanup_free char *slow = xasprintf("long\n%s", refused);
    cleanup_free char *long_lab = play_lab("slow", slow, reset);
    expect(STATUS_PASSED, "\n  ok 1 host # SKIP it takes about 0 seconds on the real clock",
           (const char *[]){"-o", out, "-f", "ktap", lab, long_lab, NULL});
    quiet_matrix(&printed, (const char *[]){"-o", out, "-f", "json", lab, long_lab, NULL});
    json_t *o = json_loads(printed, 0, NULL);
    json_t *row = json_array_get(json_object_get(o, "labs"), 0);
    json_t *cell = json_array_get(json_object_get(row, "cells"), 0);
    ck_assert_msg(json_is_object(cell), "%s", printed);
    ck_assert_str_eq(json_string_value(json_object_get(row, "name")), "formats");
    ck_assert_str_eq(json_string_value(json_object_get(cell, "verdict")), "PASS");
    json_decref(o);
}
END_TEST

START_TEST(both_sides_are_this_machine)
{
    cleanup_free char *out = play_path("compared"), *printed = NULL, *skipped = NULL;
    cleanup_free char *lab = play_lab("sides", refused, reset);
    cleanup_free char *slow = xasprintf("long\n%s", refused);
    cleanup_free char *long_lab = play_lab("sides-long", slow, reset);
    cleanup_free char *evidence = xasprintf("%s/host-again/sides/result.json", out);
    int status = tcplab(&printed, "compare",
                        (const char *[]){"-k", "host", "--kernel=host", "-o", out, lab, NULL});
    ck_assert_msg(status == STATUS_PASSED && strstr(printed, "\nSAME  2 packets"), "status %d: %s",
                  status, printed);
    ck_assert_int_eq(access(evidence, F_OK), 0);
    status = tcplab(&skipped, "compare",
                    (const char *[]){"-k", "host", "-k", "host", "-o", out, long_lab, NULL});
    ck_assert_msg(status == STATUS_NOTHING &&
                      strstr(skipped, "sides-long was not played on host: it takes about 0"),
                  "status %d: %s", status, skipped);
}
END_TEST

static Suite *suite_matrix_live(void)
{
    Suite *s = suite_create("matrix-live");
    TCase *t = tcase_create("matrix-live");
    tcase_set_timeout(t, 120);
    tcase_add_unchecked_fixture(t, play_set_up, play_tear_down);
    tcase_add_test(t, a_change_is_found);
    tcase_add_test(t, formats);
    tcase_add_test(t, both_sides_are_this_machine);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_matrix_live)
