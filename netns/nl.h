/* One conversation with the kernel over netlink: a request, its answer, and
 * whatever notifications arrive in between. */
#ifndef NETNS_NL_H
#define NETNS_NL_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/netlink.h>

#include "base/error.h"
#include "base/ipaddr.h"

/* Takes a message that is not an acknowledgement: a notification, or part of an
 * answer.  It must not use the connection. */
typedef void nl_handler(void *ctx, struct nlmsghdr *hdr);

struct nl_conn {
    struct nl_sock *sock; /* requests and their answers */
    struct nl_sock *news; /* notifications, whose number has no bound: they have a socket
                             of their own, or an answer might find no room; may be NULL */
    nl_handler *handler;  /* may be NULL */
    void *ctx;
};

/* Opens its sockets in the namespace of the calling thread; group 0: no notifications. */
int nl_conn_open(struct nl_conn *conn, int protocol, unsigned group, struct error *err);
void nl_conn_close(struct nl_conn *conn);

/* Sends msg (freed in any case) and waits for the kernel's acknowledgement, or for
 * the end of a dump.  On failure err->sys is the kernel's errno, its own words (ext
 * ack) are in the message, and the sentence begins "cannot WHAT". */
int nl_request(struct nl_conn *conn, struct nl_msg *msg, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Takes what has arrived, without waiting.  *lost is set when the kernel had to drop
 * notifications, and the caller has to ask for the state again. */
int nl_drain(struct nl_conn *conn, bool *lost, struct error *err);

/* Messages are small and their sizes are known; each of these cannot fail. */
struct nl_msg *nl_new(int type, int flags);
void nl_put(struct nl_msg *msg, int attr, const void *data, size_t len);
void nl_put_u8(struct nl_msg *msg, int attr, uint8_t value);
void nl_put_u32(struct nl_msg *msg, int attr, uint32_t value);
void nl_put_str(struct nl_msg *msg, int attr, const char *s);
struct nlattr *nl_nest(struct nl_msg *msg, int attr);
/* Room behind the attributes so far, zeroed: for a family's header. */
void *nl_header(struct nl_msg *msg, size_t len);

/* The address as libnl's own type (the caller puts it back); prefix in bits. */
struct nl_addr *nl_from_ipaddr(const struct ipaddr *a, unsigned prefix);

#endif
