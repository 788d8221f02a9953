#include "run/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/memory.h"

extern char **environ;

/* Takes what there is; false when no more can come. */
static bool keep_output(int fd, struct agent_reply *reply)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    size_t room = AGENT_TEXT_MAX - reply->text_len;
    size_t keep = (size_t)n < room ? (size_t)n : room;
    memcpy(reply->text + reply->text_len, chunk, keep);
    reply->text_len += (uint32_t)keep;
    return true;
}

/* Until the program has ended.  What it prints beyond the room of a reply is read and
 * dropped, so that it never blocks on a full pipe.  A process that it left behind may
 * hold the pipe open, so the pipe's end is not awaited; what the program itself wrote
 * is in the pipe before it ends, and a pipe holds no more than PIPE_READS chunks. */
static int follow(pid_t pid, int output, struct agent_reply *reply)
{
    enum { PROGRAM, OUTPUT, PIPE_READS = 16 };
    struct pollfd fds[] = {
        [PROGRAM] = {.fd = pidfd_open(pid, 0), .events = POLLIN},
        [OUTPUT] = {.fd = output, .events = POLLIN},
    };
    if (fds[PROGRAM].fd < 0)
        return -1;
    while (!fds[PROGRAM].revents) {
        if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
            fds[PROGRAM].revents = fds[OUTPUT].revents = 0;
            continue;
        }
        if (fds[OUTPUT].revents && !keep_output(output, reply))
            fds[OUTPUT].fd = -1;
    }
    close(fds[PROGRAM].fd);
    fcntl(output, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < PIPE_READS && fds[OUTPUT].fd >= 0 && poll(&fds[OUTPUT], 1, 0) > 0; i++)
        if (!keep_output(output, reply))
            break;
    return 0;
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
    if (ret == 0 && follow(pid, ends[0], reply) < 0)
        ret = -1, cause = errno;
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
