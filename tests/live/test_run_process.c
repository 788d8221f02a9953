/* `tcplab run` as a process: what a lab's program inherits, what an interruption leaves. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define HOSTS "```lab\nhost client 10.0.0.1/24\nhost server 10.0.0.2/24\ncapture client\n"

static char root[] = "/tmp/tcplab-run-XXXXXX";

static void write_lab(const char *name, const char *script, const char *expected)
{
    cleanup_free char *lab = xasprintf("%s/labs/%s.md", root, name);
    cleanup_free char *transcript = xasprintf("%s/expected/%s.txt", root, name);
    FILE *f = fopen(lab, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "# A lab\n\nOf a test.\n\n%s%s```\n", HOSTS, script);
    ck_assert_int_eq(fclose(f), 0);
    f = fopen(transcript, "w");
    ck_assert_ptr_nonnull(f);
    fputs(expected, f);
    ck_assert_int_eq(fclose(f), 0);
}

static void set_up(void)
{
    memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(root));
    static const char *const dirs[] = {"labs", "expected", "out"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        cleanup_free char *dir = xasprintf("%s/%s", root, dirs[i]);
        ck_assert_int_eq(mkdir(dir, 0755), 0);
    }
}

static void tear_down(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", root, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

/* Starts `tcplab run A [B]`; *output is what it prints, errors too. */
static pid_t start_run(const char *a, const char *b, int *output)
{
    const char *given = getenv("TCPLAB"), *program = given ? given : "build/tcplab";
    cleanup_free char *out = xasprintf("%s/out", root);
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        setenv("TCPLAB_ROOT", root, 1);
        execl(program, "tcplab", "run", "--slack", "1m", "--out", out, a, b, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *output = ends[0];
    return pid;
}

static void read_all(int fd, struct strbuf *sb)
{
    char chunk[4096];
    for (ssize_t n; (n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0)
            strbuf_add(sb, chunk, (size_t)n);
    close(fd);
}

static int wait_status(pid_t pid)
{
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool cannot_run(const char *test)
{
    struct topo *topo = live_topo(test);
    topo_free(topo);
    return !topo;
}

/* Standard input, output and errors, and nothing else: what a program held open of the
 * stage's, it could write into, and its end would not be seen. */
START_TEST(a_program_inherits_nothing)
{
    int output;
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    if (cannot_run(__func__))
        return;
    write_lab("fds",
              "run client sh -c 'for f in 3 4 5 6 7 8 9; do [ ! -e /proc/self/fd/$f ] || exit $f; "
              "done'\n",
              "quiet 5ms\n");
    pid_t pid = start_run("fds", NULL, &output);
    read_all(output, &said);
    ck_assert_msg(wait_status(pid) == STATUS_PASSED, "%s", strbuf_cstr(&said));
}
END_TEST

START_TEST(an_interruption_names_the_labs_left_out)
{
    int output;
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    if (cannot_run(__func__))
        return;
    cleanup_free char *fifo = xasprintf("%s/under-way", root);
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    cleanup_free char *script = xasprintf("run client sh -c 'echo >%s'\nwait 1m\n", fifo);
    write_lab("first", script, "quiet 5ms\n");
    write_lab("second", script, "quiet 5ms\n");
    int began = open(fifo, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(began, 0);
    pid_t pid = start_run("first", "second", &output);
    ck_assert_msg(live_readable(began, 10000), "the first lab does not begin");
    kill(pid, SIGINT);
    read_all(output, &said);
    close(began);
    ck_assert_int_eq(wait_status(pid), STATUS_MACHINE);
    ck_assert_msg(strstr(strbuf_cstr(&said), "interrupted at `"), "%s", strbuf_cstr(&said));
    ck_assert_msg(strstr(strbuf_cstr(&said), "interrupted: 1 of 2 labs were not judged"), "%s",
                  strbuf_cstr(&said));
}
END_TEST

static Suite *suite_run(void)
{
    Suite *s = suite_create("run-process");
    TCase *t = tcase_create("run");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_program_inherits_nothing);
    tcase_add_test(t, an_interruption_names_the_labs_left_out);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_run)
