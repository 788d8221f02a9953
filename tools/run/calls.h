/* The calls that a host's agent makes: one handler for each verb of HOST_VERBS. */
#ifndef RUN_CALLS_H
#define RUN_CALLS_H

#include <pthread.h>

#include "lab/lab.h"
#include "run/agent.h"
#include "run/sockets.h"

/* A listening socket; all connections of the host may accept from it. */
struct call_listener {
    int port;
    int fd;
};

struct call_host {
    const struct lab *lab;
    int host;                                       /* index into lab->hosts */
    void (*begun)(const struct agent_reply *reply); /* tells of a connection that begins */
    pthread_mutex_t lock;
    VEC(struct call_listener) listeners; /* under lock */
};

/* One connection by name; used by one thread only. */
struct call_conn {
    const char *as;
    struct call_host *host;
    int fd;                  /* -1: none */
    struct socket_pair pair; /* of the latest connection, which may be closed by now */
};

/* Makes the call of a step of this host and fills the reply but for its times. */
void call_make(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply);

#endif
