#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "base/memory.h"

/* What the callbacks of a test share. */
struct seen {
    struct loop *loop;
    loop_id ids[3];
    int calls;
    char order[16];
    nsec due[8];
    int status;
};

static struct error err;
static struct seen seen;
static char names[] = "abctx"; /* of timers */

static void begin(void)
{
    seen = (struct seen){.loop = loop_new(&err)};
    ck_assert_ptr_nonnull(seen.loop);
}

static void end(void)
{
    loop_free(seen.loop);
    ck_assert_msg(!error_is_set(&err), "%s", err.message);
}

static void note(char c)
{
    ck_assert_int_lt(seen.calls, (int)sizeof(seen.order) - 1);
    seen.order[seen.calls++] = c;
}

static void on_timer(void *ctx, nsec due)
{
    ck_assert_int_ge(clock_ns(CLOCK_MONOTONIC), due);
    seen.due[seen.calls] = due;
    note(*(const char *)ctx);
}

START_TEST(timers_fire_in_the_order_of_their_time)
{
    loop_add_timer(seen.loop, 3 * NSEC_PER_MSEC, 0, on_timer, &names[2]);
    loop_add_timer(seen.loop, 1 * NSEC_PER_MSEC, 0, on_timer, &names[0]);
    loop_add_timer(seen.loop, 2 * NSEC_PER_MSEC, 0, on_timer, &names[1]);
    nsec before = clock_ns(CLOCK_MONOTONIC);
    ck_assert_int_eq(loop_run(seen.loop, &err), 0); /* ends: nothing is left to watch */
    ck_assert_int_ge(clock_ns(CLOCK_MONOTONIC) - before, 2 * NSEC_PER_MSEC);
    ck_assert_str_eq(seen.order, "abc");
}
END_TEST

static void stop_after_three(void *ctx, nsec due)
{
    (void)ctx;
    seen.due[seen.calls] = due;
    note('p');
    if (seen.calls == 3)
        loop_stop(seen.loop);
}

START_TEST(a_period_counts_from_the_first_moment)
{
    loop_add_timer(seen.loop, 0, NSEC_PER_MSEC, stop_after_three, NULL);
    loop_run(seen.loop, &err);
    ck_assert_int_eq(seen.calls, 3);
    ck_assert_int_gt(seen.due[1], seen.due[0]);
    ck_assert_int_eq((seen.due[1] - seen.due[0]) % NSEC_PER_MSEC, 0);
    ck_assert_int_eq((seen.due[2] - seen.due[0]) % NSEC_PER_MSEC, 0);
}
END_TEST

static void add_again(void *ctx, nsec due)
{
    (void)ctx;
    (void)due;
    note('a');
    loop_add_timer(seen.loop, 0, 0, add_again, NULL);
}

START_TEST(a_timer_that_adds_itself_does_not_keep_the_round_going)
{
    loop_add_timer(seen.loop, 0, 0, add_again, NULL);
    ck_assert_int_eq(loop_run_once(seen.loop, NSEC_NEVER, &err), 1);
    ck_assert_int_eq(loop_run_once(seen.loop, NSEC_NEVER, &err), 1);
    ck_assert_int_eq(seen.calls, 2);
}
END_TEST

START_TEST(a_wait_ends_with_its_timeout)
{
    loop_add_timer(seen.loop, NSEC_NEVER, 0, on_timer, &names[4]);
    nsec before = clock_ns(CLOCK_MONOTONIC);
    ck_assert_int_eq(loop_run_once(seen.loop, 0, &err), 0);
    ck_assert_int_eq(loop_run_once(seen.loop, 2 * NSEC_PER_MSEC, &err), 0);
    ck_assert_int_ge(clock_ns(CLOCK_MONOTONIC) - before, 2 * NSEC_PER_MSEC);
    ck_assert_int_eq(seen.calls, 0);
}
END_TEST

/* Whichever of the two readable descriptors comes first removes both. */
static void remove_all(void *ctx, int fd, uint32_t events)
{
    (void)ctx;
    (void)fd;
    ck_assert_uint_eq(events & EPOLLIN, EPOLLIN);
    note('r');
    for (size_t i = 0; i < ARRAY_SIZE(seen.ids); i++)
        loop_remove(seen.loop, seen.ids[i]);
}

START_TEST(a_watch_removed_in_a_callback_is_not_called)
{
    int a[2], b[2];
    ck_assert_int_eq(pipe2(a, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(b, O_CLOEXEC), 0);
    ck_assert_int_eq(write(a[1], "x", 1), 1);
    ck_assert_int_eq(write(b[1], "x", 1), 1);
    seen.ids[0] = loop_add_fd(seen.loop, a[0], EPOLLIN, remove_all, NULL, &err);
    seen.ids[1] = loop_add_fd(seen.loop, b[0], EPOLLIN, remove_all, NULL, &err);
    seen.ids[2] = loop_add_timer(seen.loop, 0, 0, on_timer, &names[3]);
    ck_assert_int_eq(loop_run_once(seen.loop, NSEC_NEVER, &err), 1);
    ck_assert_str_eq(seen.order, "r");
    loop_remove(seen.loop, seen.ids[0]); /* again: nothing */
    /* The number of a descriptor comes back, the number of a watch does not. */
    loop_id again = loop_add_fd(seen.loop, a[0], EPOLLIN, remove_all, NULL, &err);
    loop_remove(seen.loop, seen.ids[0]);
    ck_assert_uint_ne(again, seen.ids[0]);
    ck_assert_int_eq(loop_run_once(seen.loop, 0, &err), 1);
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}
END_TEST

static void drain(void *ctx, int fd, uint32_t events)
{
    char buf[4096];
    (void)events;
    ssize_t n = read(fd, buf, sizeof(buf));
    note(n > 0 ? 'd' : 'e');
    if (n <= 0)
        loop_remove(seen.loop, *(loop_id *)ctx);
}

START_TEST(a_regular_file_is_always_ready)
{
    FILE *f = tmpfile();
    ck_assert_ptr_nonnull(f);
    fputs("hello", f);
    rewind(f);
    seen.ids[0] = loop_add_fd(seen.loop, fileno(f), EPOLLIN, drain, &seen.ids[0], &err);
    ck_assert_uint_ne(seen.ids[0], 0);
    loop_run(seen.loop, &err);
    ck_assert_str_eq(seen.order, "de");
    fclose(f);
}
END_TEST

START_TEST(events_can_be_changed)
{
    int p[2];
    ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
    ck_assert_int_eq(write(p[1], "x", 1), 1);
    seen.ids[0] = loop_add_fd(seen.loop, p[0], 0, drain, &seen.ids[0], &err);
    ck_assert_int_eq(loop_run_once(seen.loop, 0, &err), 0);
    ck_assert_int_eq(loop_change_fd(seen.loop, seen.ids[0], EPOLLIN, &err), 0);
    ck_assert_int_eq(loop_run_once(seen.loop, 0, &err), 1);
    close(p[1]);
    loop_run(seen.loop, &err);
    ck_assert_str_eq(seen.order, "de");
    close(p[0]);
}
END_TEST

static void on_signal(void *ctx, int signo)
{
    (void)ctx;
    note(signo == SIGTERM ? 'T' : 'I');
    loop_stop(seen.loop);
}

START_TEST(a_signal_is_a_callback_and_the_mask_comes_back)
{
    sigset_t mask;
    ck_assert(loop_add_signal(seen.loop, SIGTERM, on_signal, NULL, &err) != 0);
    ck_assert(loop_add_signal(seen.loop, SIGINT, on_signal, NULL, &err) != 0);
    kill(getpid(), SIGTERM);
    loop_run(seen.loop, &err);
    ck_assert_str_eq(seen.order, "T");
    loop_free(seen.loop);
    seen.loop = NULL;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    ck_assert_int_eq(sigismember(&mask, SIGTERM), 0);
    ck_assert_int_eq(sigismember(&mask, SIGINT), 0);
}
END_TEST

static void on_child(void *ctx, pid_t pid, int status)
{
    ck_assert_int_eq(pid, *(pid_t *)ctx);
    seen.status = status;
    note('c');
}

START_TEST(a_child_is_reported_and_reaped)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    ck_assert_uint_ne(loop_add_child(seen.loop, pid, on_child, &pid, &err), 0);
    loop_run(seen.loop, &err);
    ck_assert_str_eq(seen.order, "c");
    ck_assert(WIFEXITED(seen.status) && WEXITSTATUS(seen.status) == 7);
    ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(what_cannot_be_watched_is_an_error)
{
    ck_assert_uint_eq(loop_add_fd(seen.loop, -1, EPOLLIN, drain, NULL, &err), 0);
    ck_assert(error_is_set(&err));
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    error_clear(&err);
    ck_assert_uint_eq(loop_add_child(seen.loop, -1, on_child, NULL, &err), 0);
    ck_assert(error_is_set(&err));
    error_clear(&err);
    ck_assert_int_eq(loop_run(seen.loop, &err), 0); /* and nothing of it stayed behind */
}
END_TEST

static Suite *suite_loop(void)
{
    Suite *s = suite_create("loop");
    TCase *t = tcase_create("loop");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, timers_fire_in_the_order_of_their_time);
    tcase_add_test(t, a_period_counts_from_the_first_moment);
    tcase_add_test(t, a_timer_that_adds_itself_does_not_keep_the_round_going);
    tcase_add_test(t, a_wait_ends_with_its_timeout);
    tcase_add_test(t, a_watch_removed_in_a_callback_is_not_called);
    tcase_add_test(t, a_regular_file_is_always_ready);
    tcase_add_test(t, events_can_be_changed);
    tcase_add_test(t, a_signal_is_a_callback_and_the_mask_comes_back);
    tcase_add_test(t, a_child_is_reported_and_reaped);
    tcase_add_test(t, what_cannot_be_watched_is_an_error);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_loop)
