/* The kernel's own view of a TCP connection, also when no descriptor holds it any more:
 * in FIN-WAIT-2, LAST-ACK, TIME-WAIT … */
#ifndef RUN_SOCKETS_H
#define RUN_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ipaddr.h"

/* A connection as one of its ends names it. */
struct socket_pair {
    struct ipaddr local, remote; /* version 0: no connection */
    uint16_t local_port, remote_port;
    bool looked_up; /* sock_diag has found it, so its later "no such connection" counts */
};

/* The two ends of a connected socket; version 0 where it is not connected. */
void socket_pair_of(struct socket_pair *pair, int fd);

/* Of a socket that is connecting, and so has no peer that getpeername() would give. */
void socket_pair_begun(struct socket_pair *pair, int fd, const struct ipaddr *to, uint16_t port);

/* The state (enum tcp_state) that one line of /proc/net/tcp or tcp6
 * gives for this connection; 0 if the line is about another one, or about none. */
int socket_line_state(const char *line, const struct socket_pair *pair);

/* In the calling thread's network namespace: TCP_STATE_CLOSED if there is no such connection,
 * -1 and errno if nobody can say. */
int socket_state(struct socket_pair *pair);

#endif
