/* However a run ends, it ends soon, nothing of it is left and the host is as it was. */
#include "live.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lab/find.h"
#include "netns/ns.h"
#include "play.h"

/* Long enough that only something that hangs needs it. */
static const nsec SOON = 5 * NSEC_PER_SEC;

#define TWO_HOSTS                                                                                  \
    "host client 10.0.0.1/24\nhost server 10.0.0.2/24\ncapture client server \"tcp port 1234\"\n"

/* A run whose script waits: when the file "began" is there, in the middle of it. */
static const char waiting[] = TWO_HOSTS "server listen 1234\n"
                                        "run client touch $DIR/began\n"
                                        "server accept within 60s\n";

static struct play start_waiting(const char *out)
{
    cleanup_free char *began = play_path("began");
    cleanup_free char *lab = play_lab("waiting", waiting, "quiet 1ms\n");
    unlink(began);
    return play_start(-1, (const char *[]){"--out", out, lab, NULL});
}

static char *fresh_folder(void)
{
    char *out = play_path("out-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(out));
    return out;
}

/* ----------------------------------------------------------------------- kill */

enum victim { MAIN, LAUNCHER, DIRECTOR, AGENT, VICTIMS };
enum moment { AT_ONCE, IN_THE_MIDDLE, MOMENTS };

static pid_t find_victim(const struct cast *cast, enum victim victim)
{
    const pid_t pids[VICTIMS] = {cast->main, cast->launcher, cast->director, cast->agents[0]};
    return pids[victim];
}

START_TEST(killing_any_of_them_ends_all)
{
    enum victim victim = _i % VICTIMS;
    enum moment moment = _i / VICTIMS % MOMENTS;
    struct traces traces;
    struct cast cast;
    live_become(_i / VICTIMS / MOMENTS);
    cleanup_free char *out = fresh_folder();
    play_look(&traces);
    struct play play = start_waiting(out);
    /* At once: as soon as it exists, while the stage is being built. */
    if (moment == IN_THE_MIDDLE) {
        play_await_file("began");
        play_find_cast(&play, &cast, 2);
        play_note_namespaces(&traces, &cast);
        ck_assert_uint_ge(traces.namespaces.n, 4);
    } else {
        play_find_cast(&play, &cast, victim == AGENT);
    }
    ck_assert_int_eq(kill(find_victim(&cast, victim), SIGKILL), 0);
    int status = play_await(&play, SOON);
    play_nothing_left(&traces);
    cleanup_free char *printed = play_printed(&play);
    ck_assert_ptr_null(strstr(printed, "PASS"));
    ck_assert_int_eq(status, victim == MAIN ? 128 + SIGKILL : STATUS_MACHINE);
    if (victim != MAIN)
        ck_assert_msg(strstr(printed, "ERROR") && strstr(printed, "ended"), "%s", printed);
}
END_TEST

/* ------------------------------------------------------------------ interrupt */

START_TEST(interrupted_runs_keep_what_they_have)
{
    struct traces traces;
    struct cast cast;
    live_become(_i / 2);
    cleanup_free char *out = fresh_folder();
    play_look(&traces);
    struct play play = start_waiting(out);
    play_await_file("began");
    play_find_cast(&play, &cast, 2);
    play_note_namespaces(&traces, &cast);
    kill(play.pid, _i % 2 ? SIGTERM : SIGINT);
    ck_assert_int_ne(play_await(&play, SOON), STATUS_PASSED);
    play_nothing_left(&traces);
    cleanup_free char *result_path = xasprintf("%s/waiting/result.json", out);
    cleanup_free char *events_path = xasprintf("%s/waiting/events.jsonl", out);
    cleanup_free char *result = play_read(result_path), *events = play_read(events_path);
    ck_assert_ptr_nonnull(result);
    ck_assert_ptr_nonnull(events);
    ck_assert_ptr_nonnull(strstr(result, "interrupted at `"));
    ck_assert_ptr_nonnull(strstr(result, "\"verdict\": \"ERROR\""));
    ck_assert_ptr_nonnull(strstr(events, "\"listen\""));
}
END_TEST

/* A director that answers nobody is no reason to wait for. */
START_TEST(the_second_interrupt_waits_for_nobody)
{
    struct traces traces;
    struct cast cast;
    cleanup_free char *out = fresh_folder();
    play_look(&traces);
    struct play play = start_waiting(out);
    play_await_file("began");
    play_find_cast(&play, &cast, 2);
    play_note_namespaces(&traces, &cast);
    kill(cast.director, SIGSTOP);
    /* Two of a kind that come together are one, so these are two kinds. */
    kill(play.pid, SIGINT);
    kill(play.pid, SIGTERM);
    ck_assert_int_ne(play_await(&play, SOON), STATUS_PASSED);
    play_nothing_left(&traces);
}
END_TEST

/* A terminal's Ctrl-Z is for main: a scene that stood still would mean nothing. */
START_TEST(the_scene_is_in_no_group_of_the_terminal)
{
    struct cast cast;
    cleanup_free char *out = fresh_folder();
    struct play play = start_waiting(out);
    play_await_file("began");
    play_find_cast(&play, &cast, 2);
    ck_assert_int_eq(getpgid(play.pid), play.pid);
    ck_assert_int_ne(getpgid(cast.director), play.pid);
    ck_assert_int_ne(getpgid(cast.agents[0]), play.pid);
    kill(play.pid, SIGKILL);
    play_await(&play, SOON);
}
END_TEST

/* --------------------------------------------------------------------- output */

/* How `tcplab run handshake` ends when standard output is this. */
static int run_into(int output, const char *out, char **printed)
{
    struct play play = play_start(output, (const char *[]){"--out", out, "handshake", NULL});
    int status = play_await(&play, SOON);
    *printed = play_printed(&play);
    return status;
}

START_TEST(a_full_standard_output)
{
    cleanup_free char *out = fresh_folder(), *printed = NULL;
    cleanup_fd int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(run_into(full, out, &printed), STATUS_MACHINE);
    ck_assert_msg(strstr(printed, "cannot write the report: No space left"), "%s", printed);
}
END_TEST

START_TEST(a_closed_standard_output)
{
    cleanup_free char *out = fresh_folder(), *printed = NULL;
    /* Marked to be closed on exec: dup2() onto itself keeps the mark. */
    fcntl(STDOUT_FILENO, F_SETFD, FD_CLOEXEC);
    ck_assert_int_eq(run_into(STDOUT_FILENO, out, &printed), STATUS_MACHINE);
    ck_assert_msg(strstr(printed, "cannot write the report: Bad file descriptor"), "%s", printed);
    cleanup_free char *path = xasprintf("%s/handshake/result.json", out);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_pipe_that_nobody_reads)
{
    struct traces traces;
    int ends[2];
    cleanup_free char *out = fresh_folder();
    cleanup_free char *path = xasprintf("%s/handshake/result.json", out);
    play_look(&traces);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(ends[1], "x", 1) == 1)
        ;
    fcntl(ends[1], F_SETFL, 0);
    struct play play = play_start(ends[1], (const char *[]){"--out", out, "handshake", NULL});
    close(ends[1]);
    for (int i = 0; access(path, F_OK) != 0 && i < 5000; i++)
        poll(NULL, 0, 1);
    ck_assert_int_eq(access(path, F_OK), 0);
    close(ends[0]);
    play_await(&play, SOON);
    play_nothing_left(&traces);
}
END_TEST

/* ------------------------------------------------------------------- evidence */

START_TEST(a_folder_that_cannot_be_written)
{
    struct traces traces;
    bool as_root = geteuid() == 0 && _i == 0;
    live_become(_i);
    cleanup_free char *out = fresh_folder(), *printed = NULL;
    cleanup_free char *file = xasprintf("%s/file", out);
    play_look(&traces);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    ck_assert_int_eq(chmod(out, 0555), 0);
    /* Before anything runs: an hour's lab must not be lost at its end. */
    nsec began = clock_ns(CLOCK_MONOTONIC);
    int status = play_run(&printed,
                          (const char *[]){"--out", as_root ? file : out, "-q", "syn-retry", NULL});
    ck_assert_int_eq(status, STATUS_MACHINE);
    ck_assert(clock_ns(CLOCK_MONOTONIC) - began < SOON);
    ck_assert_msg(strstr(printed, as_root ? "Not a directory" : "Permission denied"), "%s",
                  printed);
    play_nothing_left(&traces);
}
END_TEST

START_TEST(a_full_file_system)
{
    cleanup_free char *tiny = play_path("tiny"), *printed = NULL;
    cleanup_free char *evidence = play_path("tiny/handshake");
    struct error err = ERROR_INIT;
    mkdir(tiny, 0777);
    if (ns_gain_rights(&err) < 0 || unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", tiny, "tmpfs", 0, "size=8k") < 0) {
        live_skip("a_full_file_system", "no file system can be mounted here");
        return;
    }
    int status = play_run(&printed, (const char *[]){"--out", tiny, "handshake", NULL});
    ck_assert_int_eq(status, STATUS_MACHINE);
    ck_assert_msg(strstr(printed, "No space left on device"), "%s", printed);
    ck_assert_int_eq(rmdir(evidence), 0); /* no half of a file is left in it */
}
END_TEST

START_TEST(two_runs_into_one_folder)
{
    struct traces traces;
    live_become(_i);
    cleanup_free char *out = fresh_folder(), *printed = NULL, *second = NULL;
    cleanup_free char *lab = play_path("waiting.md");
    play_look(&traces);
    struct play play = start_waiting(out);
    play_await_file("began");
    ck_assert_int_eq(play_run(&second, (const char *[]){"--out", out, lab, NULL}), STATUS_MACHINE);
    ck_assert_msg(strstr(second, "another run is writing its evidence into"), "%s", second);
    /* Another lab's evidence has another folder. */
    int other = play_run(NULL, (const char *[]){"--out", out, "handshake", NULL});
    ck_assert(other == STATUS_PASSED || other == STATUS_NOTHING); /* it may be NOISY */
    kill(play.pid, SIGINT);
    play_await(&play, SOON);
    printed = play_printed(&play);
    ck_assert_msg(strstr(printed, "interrupted at"), "%s", printed);
    play_nothing_left(&traces);
}
END_TEST

/* ------------------------------------------------------------- the host's own */

/* Everything below /proc/sys/net that has a value of its own. */
static void put_sysctls(struct strbuf *out, const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        cleanup_free char *below = xasprintf("%s/%s", path, e->d_name);
        if (e->d_type == DT_DIR) {
            put_sysctls(out, below);
        } else if (!strstr(e->d_name, "count")) { /* of connections tracked: it moves */
            cleanup_free char *value = play_read(below);
            strbuf_printf(out, "%s = %s\n", below, value ? value : "?");
        }
    }
    if (dir)
        closedir(dir);
}

/* What the kernel lists of one kind, without the parts that move by themselves. */
static void put_dump(struct strbuf *out, int type, const char *name)
{
    struct {
        struct nlmsghdr nlh;
        struct rtmsg body;
    } ask = {{sizeof(ask), (uint16_t)type, NLM_F_REQUEST | NLM_F_DUMP, 1, 0}, {.rtm_family = 0}};
    static char answer[65536];
    cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    ck_assert_int_eq(send(fd, &ask, sizeof(ask), 0), sizeof(ask));
    for (;;) {
        ssize_t got = recv(fd, answer, sizeof(answer), 0);
        ck_assert_int_gt(got, 0);
        unsigned n = (unsigned)got;
        for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
                return;
            int left = (int)RTM_PAYLOAD(h);
            strbuf_puts(out, name);
            for (struct rtattr *a = RTM_RTA((struct rtmsg *)NLMSG_DATA(h)); RTA_OK(a, left);
                 a = RTA_NEXT(a, left))
                for (size_t i = 0; a->rta_type != RTA_CACHEINFO && i < RTA_PAYLOAD(a); i++)
                    strbuf_printf(out, " %02x", ((unsigned char *)RTA_DATA(a))[i]);
            strbuf_putc(out, '\n');
        }
    }
}

static char *portrait_of_the_host(void)
{
    struct strbuf out = STRBUF_INIT;
    put_sysctls(&out, "/proc/sys/net");
    put_dump(&out, RTM_GETROUTE, "route");
    put_dump(&out, RTM_GETRULE, "rule");
    ck_assert_uint_gt(out.len, 1000);
    return strbuf_steal(&out);
}

static void same_portrait(const char *before, const char *when)
{
    cleanup_free char *now = portrait_of_the_host();
    size_t at = 0;
    while (before[at] && before[at] == now[at])
        at++;
    while (at > 0 && before[at - 1] != '\n')
        at--;
    ck_assert_msg(strcmp(before, now) == 0, "%s: %.100s, before: %.100s", when, now + at,
                  before + at);
}

/* All labs but the one that takes a minute. */
static bool is_slow(const char *lab)
{
    static const char *const slow[] = {"rto-giveup", "syn-giveup", "syn-retry"};
    for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
        if (strcmp(lab, slow[i]) == 0)
            return true;
    return false;
}

START_TEST(labs_pass_and_the_host_stays_as_it_is)
{
    struct error err = ERROR_INIT;
    struct lab_names names = {0};
    struct traces traces;
    struct cast cast;
    VEC(const char *) arguments = {0};
    live_become(_i);
    cleanup_free char *out = fresh_folder(), *before = portrait_of_the_host();
    vec_push(&arguments, "--quiet");
    vec_push(&arguments, "--jobs=4");
    vec_push(&arguments, "--out");
    vec_push(&arguments, out);
    live_check(lab_list(&names, &err) == 0, &err);
    vec_each (&names.list, name)
        if (!is_slow(*name))
            vec_push(&arguments, *name);
    vec_push(&arguments, NULL);
    play_look(&traces);
    struct play play = play_start(-1, arguments.at);
    play_find_cast(&play, &cast, 1);
    same_portrait(before, "during the run");
    int status = play_await(&play, 180 * NSEC_PER_SEC);
    cleanup_free char *printed = play_printed(&play);
    ck_assert_msg(status == STATUS_PASSED, "%s", printed);
    ck_assert_ptr_null(strstr(printed, "SKIP"));
    play_nothing_left(&traces);
    same_portrait(before, "after the run");
    vec_free(&arguments);
    lab_names_free(&names);
}
END_TEST

static Suite *suite_run_end(void)
{
    Suite *s = suite_create("run-end");
    TCase *t = tcase_create("run-end"), *all = tcase_create("all labs");
    int users = live_users();
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, play_set_up, play_tear_down);
    tcase_add_loop_test(t, killing_any_of_them_ends_all, 0, VICTIMS * MOMENTS * users);
    tcase_add_loop_test(t, interrupted_runs_keep_what_they_have, 0, 2 * users);
    tcase_add_test(t, the_second_interrupt_waits_for_nobody);
    tcase_add_test(t, the_scene_is_in_no_group_of_the_terminal);
    tcase_add_test(t, a_full_standard_output);
    tcase_add_test(t, a_closed_standard_output);
    tcase_add_test(t, a_pipe_that_nobody_reads);
    tcase_add_loop_test(t, a_folder_that_cannot_be_written, 0, users);
    tcase_add_test(t, a_full_file_system);
    tcase_add_loop_test(t, two_runs_into_one_folder, 0, users);
    suite_add_tcase(s, t);
    tcase_set_timeout(all, 60);
    tcase_set_tags(all, LIVE_SAME_FOR_ALL);
    tcase_add_unchecked_fixture(all, play_set_up, play_tear_down);
    tcase_add_loop_test(all, labs_pass_and_the_host_stays_as_it_is, 0, users);
    suite_add_tcase(s, all);
    return s;
}
TEST_SUITE(suite_run_end)
