/* sock_diag: the kernel's own word on its TCP sockets, by netlink (man 7 sock_diag). */
#ifndef RUN_DIAG_H
#define RUN_DIAG_H

#include "base/tcp_state.h"
#include "base/time.h"
#include "record/record.h"
#include "run/sockets.h"

/* What the kernel tells of one socket. */
struct diag_socket {
    enum tcp_state state;
    struct socket_pair pair; /* of a listener, only `local` */
    bool has_timer;
    nsec timer_left; /* until its timer (retransmission, probe, TIME-WAIT …) is due, in
                        milliseconds; 0 also when it is overdue */
    bool has_values;
    struct record_values values;
};

/* Opens a conversation about the sockets of the calling thread's network namespace, which
 * stays about these wherever the thread goes.  The descriptor, or -1 and errno. */
int diag_open(void);

/* Looks one connection up; where pair->remote has no version, the listener at pair->local.
 * `values`: with the numbers of struct tcp_info, for which the kernel locks the socket.
 * 1: found; 0: there is none, or this kernel has no sock_diag for TCP (both are ENOENT to it);
 * -1: it could not be asked. */
int diag_find(int fd, const struct socket_pair *pair, bool values, struct diag_socket *found);

/* Every listener of one version of IP.  0, or -1: this kernel has no sock_diag for TCP, or
 * could not be asked.  It is quick, since listeners have a small table to themselves; a list
 * of all sockets would walk through the whole of ehash. */
int diag_listeners(int fd, unsigned ip, void (*fn)(void *ctx, const struct diag_socket *found),
                   void *ctx);

#endif
