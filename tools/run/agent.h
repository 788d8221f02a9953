/* Host agents: one process a host, which makes the calls of the script there. */
#ifndef RUN_AGENT_H
#define RUN_AGENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "lab/lab.h"
#include "run/sockets.h"

#define AGENT_TEXT_MAX 4096

/* What a step's call gave; one message on the agent's socket. */
struct agent_reply {
    uint32_t step;
    bool begun; /* the call has not returned: a connection has begun, which is `pair` */
    bool failed;
    int errnum;        /* when it failed */
    int64_t value;     /* when it did not */
    nsec began, ended; /* CLOCK_REALTIME */
    nsec unseen;       /* what was awaited and seen at `ended` may have been so for this long */
    struct socket_pair pair; /* of the connection after the call; version 0: none */
    uint32_t text_len;       /* of a word or of what was received; at most AGENT_TEXT_MAX */
    char text[AGENT_TEXT_MAX];
};

struct agent {
    pid_t pid;
    int fd; /* the director's end of the socket pair */
};

/* Starts the agent of lab->hosts.at[host] inside the namespace ns_fd.  The calling
 * process must have one thread.  The agent ends when its socket's other end is
 * closed, and is killed when the calling process ends. */
int agent_start(struct agent *agent, const struct lab *lab, int host, int ns_fd, struct error *err);

/* Asks for a step; the reply comes later.  Waits only where the agent has hundreds of
 * steps to take in first, which it does at once. */
int agent_ask(struct agent *agent, size_t step, struct error *err);

/* Takes one reply: 1 if there was one, 0 if not yet, -1 if the agent is gone. */
int agent_reply(struct agent *agent, struct agent_reply *reply, struct error *err);

/* Kills it and waits for its end. */
void agent_stop(struct agent *agent);

#endif
