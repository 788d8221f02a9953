/* Host agents.
 *
 * The director forks one agent for each host.  An agent knows the lab already
 * (it is a copy of the director), so a request is the number of a step and a
 * reply what its call gave; of a connection that begins there is one before, with its ends.  Within
 * an agent every connection (`as NAME`, or the host's own) has a thread, which makes its calls one
 * after another and lets them block as a student's program would: what the kernel answers is the
 * result.  A program that the lab runs is no connection's call and has a thread to itself.
 *
 * There is nothing to cancel: a call that does not return is the director's
 * business, which gives up at the step's limit and kills the agent.  An agent
 * ends by itself when the director's end of the socket is gone. */
#include "run/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "run/calls.h"

enum { AGENT_SOCKET = 3, STACK_SIZE = 256 << 10 };

/* One connection's thread and what it still has to do. */
struct worker {
    struct call_conn conn;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    VEC(uint32_t) queue;
};

struct agent_process {
    const struct lab *lab;
    struct call_host host;
    VEC(struct worker *) workers;
};

static void send_reply(const struct agent_reply *reply)
{
    size_t len = offsetof(struct agent_reply, text) + reply->text_len;
    if (send(AGENT_SOCKET, reply, len, MSG_NOSIGNAL) < 0)
        _exit(0);
}

static void answer(struct worker *w, uint32_t number)
{
    const struct lab_step *step = &w->conn.host->lab->steps.at[number];
    struct agent_reply reply = {.step = number};
    reply.began = clock_ns(CLOCK_REALTIME);
    call_make(&w->conn, step, &reply);
    reply.ended = clock_ns(CLOCK_REALTIME);
    reply.pair = w->conn.pair;
    send_reply(&reply);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    for (size_t next = 0;; next++) {
        pthread_mutex_lock(&w->lock);
        while (next == w->queue.n)
            pthread_cond_wait(&w->wake, &w->lock);
        uint32_t number = w->queue.at[next];
        pthread_mutex_unlock(&w->lock);
        answer(w, number);
    }
    return NULL;
}

static void *work_once(void *arg)
{
    struct worker *w = arg;
    answer(w, w->queue.at[0]);
    vec_free(&w->queue);
    free(w);
    return NULL;
}

static int start_thread(struct worker *w, void *(*run)(void *), bool detached)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes,
                                detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    int cause = pthread_create(&w->thread, &attributes, run, w);
    pthread_attr_destroy(&attributes);
    return cause;
}

static void start_program(struct agent_process *a, uint32_t number)
{
    struct worker *w = xcalloc(1, sizeof(*w));
    w->conn = (struct call_conn){.as = "", .host = &a->host, .fd = -1};
    vec_push(&w->queue, number);
    if (start_thread(w, work_once, true) != 0)
        work_once(w); /* too many at a time: this one is waited for */
}

static struct worker *find_worker(struct agent_process *a, const char *as)
{
    vec_each (&a->workers, w)
        if (strcmp((*w)->conn.as, as) == 0)
            return *w;
    struct worker *w = xcalloc(1, sizeof(*w));
    w->conn = (struct call_conn){.as = as, .host = &a->host, .fd = -1};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (start_thread(w, work, false) != 0)
        _exit(1);
    vec_push(&a->workers, w);
    return w;
}

static _Noreturn void agent_main(const struct lab *lab, int host)
{
    struct agent_process a = {.lab = lab, .host = {.lab = lab, .host = host, .begun = send_reply}};
    pthread_mutex_init(&a.host.lock, NULL);
    for (;;) {
        uint32_t number;
        ssize_t n = recv(AGENT_SOCKET, &number, sizeof(number), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof(number) || number >= lab->steps.n)
            _exit(0);
        if (lab->steps.at[number].verb == VERB_RUN) {
            start_program(&a, number);
            continue;
        }
        const char *as = lab->steps.at[number].as;
        struct worker *w = find_worker(&a, as ? as : "");
        pthread_mutex_lock(&w->lock);
        vec_push(&w->queue, number);
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
    }
}

static _Noreturn void become_agent(const struct lab *lab, int host, int ns_fd, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    if (setns(ns_fd, CLONE_NEWNET) < 0)
        _exit(1);
    /* Nothing else of the director's may stay open here: another agent's socket
     * kept open would hide the director's end from it. */
    if (dup2(fd, AGENT_SOCKET) < 0 || close_range(AGENT_SOCKET + 1, ~0U, 0) < 0 ||
        fcntl(AGENT_SOCKET, F_SETFD, FD_CLOEXEC) < 0)
        _exit(1);
    char name[16];
    snprintf(name, sizeof(name), "tcplab@%.8s", lab->hosts.at[host].name);
    prctl(PR_SET_NAME, name);
    agent_main(lab, host);
}

int agent_start(struct agent *agent, const struct lab *lab, int host, int ns_fd, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a socket pair");
    pid_t pid = fork();
    if (pid < 0) {
        int cause = errno;
        close(ends[0]);
        close(ends[1]);
        return error_sys(err, STATUS_MACHINE, cause, "cannot start the agent of host %s",
                         lab->hosts.at[host].name);
    }
    if (pid == 0)
        become_agent(lab, host, ns_fd, ends[1]);
    close(ends[1]);
    *agent = (struct agent){.pid = pid, .fd = ends[0]};
    return 0;
}

int agent_ask(struct agent *agent, size_t step, struct error *err)
{
    uint32_t number = (uint32_t)step;
    if (send(agent->fd, &number, sizeof(number), MSG_NOSIGNAL) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot reach a host's agent");
    return 0;
}

int agent_reply(struct agent *agent, struct agent_reply *reply, struct error *err)
{
    ssize_t n = recv(agent->fd, reply, sizeof(*reply), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return error_set(err, STATUS_MACHINE, "the agent of a host has ended unexpectedly");
    if ((size_t)n < offsetof(struct agent_reply, text) || reply->text_len > AGENT_TEXT_MAX ||
        (size_t)n != offsetof(struct agent_reply, text) + reply->text_len)
        return error_set(err, STATUS_MACHINE, "a host's agent sent half a reply");
    return 1;
}

void agent_stop(struct agent *agent)
{
    if (agent->pid <= 0)
        return;
    kill(agent->pid, SIGKILL);
    while (waitpid(agent->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(agent->fd);
    *agent = (struct agent){.fd = -1};
}
