#include "run/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/memory.h"

extern char **environ;

/* What the program prints beyond the room of a reply is read and dropped, so that
 * it never blocks on a full pipe. */
static void keep_output(int fd, struct agent_reply *reply)
{
    char chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        size_t room = AGENT_TEXT_MAX - reply->text_len;
        size_t keep = (size_t)n < room ? (size_t)n : room;
        memcpy(reply->text + reply->text_len, chunk, keep);
        reply->text_len += (uint32_t)keep;
    }
}

static int spawn(const struct lab_step *step, int output, pid_t *pid)
{
    VEC(char *) words = {0};
    for (size_t i = 1; i < step->args.n; i++)
        vec_push(&words, step->args.at[i].text);
    vec_push(&words, NULL);

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);

    posix_spawnattr_t attributes;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

    int cause = posix_spawnp(pid, words.at[0], &files, &attributes, words.at, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    vec_free(&words);
    errno = cause;
    return cause ? -1 : 0;
}

int program_run(const struct lab_step *step, struct agent_reply *reply)
{
    int ends[2], status;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    int ret = spawn(step, ends[1], &pid), cause = errno;
    close(ends[1]);
    if (ret == 0)
        keep_output(ends[0], reply);
    close(ends[0]);
    errno = cause;
    if (ret < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    reply->value = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 0;
}
