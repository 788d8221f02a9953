#include "play.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "live.h"

static const nsec LIMIT = 20 * NSEC_PER_SEC;

static char *folder;
static char *root_before; /* TCPLAB_ROOT before play_set_up() */

/* Looks again every 2 ms; the test fails when the limit passes. */
static void again(nsec *until, const char *what)
{
    nsec now = clock_ns(CLOCK_MONOTONIC);
    if (*until == 0)
        *until = now + LIMIT;
    ck_assert_msg(now < *until, "waited too long: %s", what);
    poll(NULL, 0, 2);
}

/* ---------------------------------------------------------------- the folder --- */

static void copy_file(const char *from, const char *to, mode_t mode)
{
    cleanup_fd int in = open(from, O_RDONLY | O_CLOEXEC);
    cleanup_fd int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    char chunk[65536];
    ssize_t n;
    ck_assert_msg(in >= 0 && out >= 0, "cannot copy %s", from);
    while ((n = read(in, chunk, sizeof(chunk))) > 0)
        ck_assert_int_eq(write(out, chunk, (size_t)n), n);
    ck_assert_int_eq(fchmod(out, mode), 0);
}

static void make_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0777), 0);
    ck_assert_int_eq(chmod(path, 0777), 0);
}

static void copy_folder(const char *name)
{
    cleanup_free char *to = play_path(name);
    make_folder(to);
    DIR *dir = opendir(name);
    ck_assert_msg(dir != NULL, "run this where %s/ is", name);
    for (struct dirent *e; (e = readdir(dir));) {
        cleanup_free char *source = xasprintf("%s/%s", name, e->d_name);
        cleanup_free char *copy = xasprintf("%s/%s", to, e->d_name);
        if (e->d_name[0] != '.')
            copy_file(source, copy, 0644);
    }
    closedir(dir);
}

void play_set_up(void)
{
    const char *tcplab = getenv("TCPLAB");
    char template[] = "/tmp/tcplab-run-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(template));
    ck_assert_int_eq(chmod(template, 0777), 0);
    folder = xstrdup(template);
    cleanup_free char *program = play_path("tcplab");
    copy_file(tcplab ? tcplab : "build/tcplab", program, 0755);
    copy_folder("labs");
    copy_folder("expected");
    const char *root = getenv("TCPLAB_ROOT");
    root_before = root ? xstrdup(root) : NULL;
    setenv("TCPLAB_ROOT", folder, 1);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void play_remove(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void play_tear_down(void)
{
    play_remove(folder);
    free(folder);
    folder = NULL;
    /* What comes next, in this process, is not about this folder. */
    if (root_before)
        setenv("TCPLAB_ROOT", root_before, 1);
    else
        unsetenv("TCPLAB_ROOT");
    free(root_before);
    root_before = NULL;
}

char *play_path(const char *name)
{
    return xasprintf("%s/%s", folder, name);
}

static void write_text(const char *path, const char *text)
{
    unlink(path); /* it may be another user's */
    FILE *f = fopen(path, "w");
    ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

char *play_lab(const char *name, const char *script, const char *expected)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_printf(&text, "# %s\n\nA scene.\n\n```lab\n", name);
    for (const char *at = script; *at;) {
        const char *dollar = strstr(at, "$DIR");
        size_t len = dollar ? (size_t)(dollar - at) : strlen(at);
        strbuf_add(&text, at, len);
        at += len;
        if (!dollar)
            break;
        strbuf_puts(&text, folder);
        at += strlen("$DIR");
    }
    strbuf_puts(&text, "```\n");
    char *lab = xasprintf("%s/%s.md", folder, name);
    cleanup_free char *transcript = xasprintf("%s/%s.txt", folder, name);
    write_text(lab, strbuf_cstr(&text));
    write_text(transcript, expected);
    return lab;
}

char *play_read(const char *path)
{
    struct strbuf text = STRBUF_INIT;
    char chunk[4096];
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
        strbuf_add(&text, chunk, n);
    fclose(f);
    if (!text.len)
        return xstrdup("");
    return strbuf_steal(&text);
}

void play_await_file(const char *name)
{
    cleanup_free char *path = play_path(name);
    for (nsec until = 0; access(path, F_OK) != 0;)
        again(&until, name);
}

void play_make_file(const char *name)
{
    cleanup_free char *path = play_path(name);
    write_text(path, "");
}

/* A line of /proc/locks with an arrow is of one that waits; it ends with the file's device and
 * inode, and the range. */
static size_t count_waiters(ino_t inode)
{
    cleanup_free char *file = xasprintf(":%lu ", (unsigned long)inode);
    char line[256];
    size_t n = 0;
    FILE *f = fopen("/proc/locks", "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f))
        n += strstr(line, "-> FLOCK") && strstr(line, file);
    fclose(f);
    return n;
}

void play_await_waiters(const char *path, size_t n)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    for (nsec until = 0; count_waiters(st.st_ino) < n;)
        again(&until, path);
}

/* -------------------------------------------------------------------- the run --- */

struct play play_start(int output, const char *const arguments[])
{
    static int number;
    struct play play = {.began = clock_ns(CLOCK_MONOTONIC)};
    play.printed = xasprintf("%s/printed-%d-%d", folder, (int)getpid(), number++);
    cleanup_free char *program = play_path("tcplab");
    VEC(char *) argv = {0};
    vec_push(&argv, program);
    vec_push(&argv, xstrdup("run"));
    for (; *arguments; arguments++)
        vec_push(&argv, xstrdup(*arguments));
    vec_push(&argv, NULL);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    play.pid = fork();
    ck_assert_int_ge(play.pid, 0);
    if (play.pid == 0) {
        int fd = open(play.printed, O_WRONLY | O_CREAT | O_APPEND, 0666);
        setpgid(0, 0);
        dup2(output >= 0 ? output : fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(program, argv.at);
        _exit(127);
    }
    for (size_t i = 1; i < argv.n; i++)
        free(argv.at[i]);
    vec_free(&argv);
    return play;
}

int play_await(struct play *play, nsec limit)
{
    int status;
    cleanup_fd int fd = pidfd_open(play->pid, 0);
    ck_assert_int_ge(fd, 0);
    if (!live_readable(fd, (int)(limit / NSEC_PER_MSEC))) {
        kill(play->pid, SIGKILL);
        cleanup_free char *text = play_printed(play);
        ck_abort_msg("tcplab run has not ended; it printed: %s", text);
    }
    ck_assert_int_eq(waitpid(play->pid, &status, 0), play->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *play_printed(const struct play *play)
{
    char *text = play_read(play->printed);
    return text ? text : xstrdup("");
}

int play_run(char **printed, const char *const arguments[])
{
    struct play play = play_start(-1, arguments);
    int status = play_await(&play, LIMIT);
    if (printed)
        *printed = play_printed(&play);
    free(play.printed);
    return status;
}

/* ------------------------------------------------------------- its processes --- */

/* The children of a process, oldest first as far as their numbers tell. */
static size_t children_of(pid_t parent, pid_t *found, size_t max)
{
    size_t n = 0;
    DIR *dir = opendir("/proc");
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e; (e = readdir(dir)) && n < max;) {
        int pid = atoi(e->d_name), ppid;
        cleanup_free char *path = xasprintf("/proc/%s/stat", e->d_name);
        cleanup_free char *text = pid > 0 ? play_read(path) : NULL;
        const char *behind = text ? strrchr(text, ')') : NULL;
        if (behind && sscanf(behind + 1, " %*c %d", &ppid) == 1 && ppid == parent)
            found[n++] = pid;
    }
    closedir(dir);
    return n;
}

/* Whether this launcher's director has started its agents.  One of several labs may be
 * over already, so everything is looked for anew each time. */
static bool find_agents(pid_t launcher, struct cast *cast, size_t n_agents)
{
    cast->launcher = launcher;
    if (children_of(launcher, &cast->director, 1) == 0)
        return false;
    cast->n_agents = n_agents ? children_of(cast->director, cast->agents, 64) : 0;
    return cast->n_agents >= n_agents;
}

void play_find_cast(const struct play *play, struct cast *cast, size_t n_agents)
{
    pid_t launchers[64];
    for (nsec until = 0;; again(&until, "for the processes of the run")) {
        *cast = (struct cast){.main = play->pid};
        size_t n = children_of(play->pid, launchers, ARRAY_SIZE(launchers));
        for (size_t i = 0; i < n; i++)
            if (find_agents(launchers[i], cast, n_agents))
                return;
    }
}

/* --------------------------------------------------------------- what is left --- */

static const char *const kinds[] = {"net", "pid", "user", "mnt"};

static char *namespace_of(const char *pid, const char *kind)
{
    char text[64];
    cleanup_free char *path = xasprintf("/proc/%s/ns/%s", pid, kind);
    ssize_t n = readlink(path, text, sizeof(text) - 1);
    return n > 0 ? xstrndup(text, (size_t)n) : NULL;
}

static void note_process(struct traces *t, pid_t pid)
{
    cleanup_free char *number = xasprintf("%d", (int)pid);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        cleanup_free char *own = namespace_of("self", kinds[i]);
        char *its = namespace_of(number, kinds[i]);
        if (its && own && strcmp(its, own) != 0)
            vec_push(&t->namespaces, its);
        else
            free(its);
    }
}

void play_note_namespaces(struct traces *t, const struct cast *cast)
{
    note_process(t, cast->launcher);
    note_process(t, cast->director);
    for (size_t i = 0; i < cast->n_agents; i++)
        note_process(t, cast->agents[i]);
}

/* The names only: counters move. */
static char *list_interfaces(void)
{
    struct strbuf names = STRBUF_INIT;
    DIR *dir = opendir("/sys/class/net");
    for (struct dirent *e; dir && (e = readdir(dir));)
        strbuf_printf(&names, "%s ", e->d_name);
    if (dir)
        closedir(dir);
    strbuf_putc(&names, '\n');
    return strbuf_steal(&names);
}

void play_look(struct traces *t)
{
    *t = (struct traces){.interfaces = list_interfaces(),
                         .mounts = play_read("/proc/self/mountinfo")};
}

static bool is_noted(const struct traces *t, const char *ns)
{
    vec_each (&t->namespaces, noted)
        if (strcmp(*noted, ns) == 0)
            return true;
    return false;
}

static void no_process_is_in_them(const struct traces *t)
{
    DIR *dir = opendir("/proc");
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        for (size_t i = 0; atoi(e->d_name) > 0 && i < ARRAY_SIZE(kinds); i++) {
            cleanup_free char *ns = namespace_of(e->d_name, kinds[i]);
            ck_assert_msg(!ns || !is_noted(t, ns), "process %s is still in %s", e->d_name, ns);
        }
    }
    closedir(dir);
}

void play_nothing_left(struct traces *t)
{
    nsec until = 0;
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) >= 0;)
        if (pid == 0)
            again(&until, "for the run's processes to end");
    ck_assert_int_eq(errno, ECHILD);
    no_process_is_in_them(t);
    cleanup_free char *interfaces = list_interfaces();
    cleanup_free char *mounts = play_read("/proc/self/mountinfo");
    ck_assert_str_eq(interfaces, t->interfaces);
    ck_assert_str_eq(mounts, t->mounts);
    vec_each (&t->namespaces, ns)
        free(*ns);
    vec_free(&t->namespaces);
    free(t->interfaces);
    free(t->mounts);
}
