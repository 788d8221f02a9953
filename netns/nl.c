/* Theory of operation
 *
 * The kernel answers a netlink request within send(2), so a request and its
 * acknowledgement cost two system calls and never a wait.  Notifications about links
 * come on a socket of their own, subscribed to before the first request: an answer that
 * finds the receive buffer full of notifications is dropped by the kernel without a
 * word, and then it would be waited for in vain (64 hosts with 4 cables each do that).
 * Notifications that are dropped are told (ENOBUFS), and the state can be asked for
 * again.
 *
 * libnl builds the messages and its sockets; reading is done here, because libnl's
 * receive loop hides the kernel's words of explanation (NLMSGERR_ATTR_MSG). */
#include "netns/nl.h"

#include <errno.h>
#include <netlink/addr.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/memory.h"

/* Larger than any datagram the kernel builds for a dump (NLMSG_GOODSIZE, 32 KiB at most). */
enum { RECV_BYTES = 32768, ANSWER_LIMIT_SECONDS = 5 };

static struct nl_sock *open_socket(int protocol, unsigned group, struct error *err)
{
    struct nl_sock *sock = nl_socket_alloc();
    if (!sock) {
        error_set(err, STATUS_MACHINE, "cannot allocate a netlink socket");
        return NULL;
    }
    int rc = nl_connect(sock, protocol);
    if (rc == 0 && group)
        rc = nl_socket_add_membership(sock, (int)group);
    if (rc < 0) {
        nl_socket_free(sock);
        error_set(err, STATUS_MACHINE, "cannot open a netlink socket: %s", nl_geterror(rc));
        return NULL;
    }
    return sock;
}

int nl_conn_open(struct nl_conn *conn, int protocol, unsigned group, struct error *err)
{
    conn->sock = open_socket(protocol, 0, err);
    conn->news = conn->sock && group ? open_socket(protocol, group, err) : NULL;
    if (!conn->sock || (group && !conn->news)) {
        nl_conn_close(conn);
        return -1;
    }
    int fd = nl_socket_get_fd(conn->sock), on = 1;
    struct timeval limit = {.tv_sec = ANSWER_LIMIT_SECONDS};
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return 0;
}

void nl_conn_close(struct nl_conn *conn)
{
    nl_socket_free(conn->sock);
    nl_socket_free(conn->news);
    conn->sock = conn->news = NULL;
}

static int ack_status(const struct nlmsghdr *hdr)
{
    if (hdr->nlmsg_len < (uint32_t)nlmsg_size(sizeof(int)))
        return hdr->nlmsg_type == NLMSG_DONE ? 0 : EPROTO;
    int status;
    memcpy(&status, nlmsg_data(hdr), sizeof(status));
    return status < 0 ? -status : 0;
}

/* The kernel's words in an error message, or NULL. */
static const char *ack_words(struct nlmsghdr *hdr)
{
    if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS))
        return NULL;
    const struct nlmsgerr *e = nlmsg_data(hdr);
    size_t skip = sizeof(*e);
    if (!(hdr->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > sizeof(e->msg))
        skip += e->msg.nlmsg_len - sizeof(e->msg);
    skip = NLMSG_ALIGN(skip);
    if (hdr->nlmsg_len < nlmsg_total_size(0) + skip)
        return NULL;
    struct nlattr *words =
        nla_find((struct nlattr *)(void *)((char *)nlmsg_data(hdr) + skip),
                 (int)(hdr->nlmsg_len - (size_t)nlmsg_total_size(0) - skip), NLMSGERR_ATTR_MSG);
    if (!words || nla_len(words) < 1 || ((char *)nla_data(words))[nla_len(words) - 1] != '\0')
        return NULL;
    return nla_get_string(words);
}

static int fail(struct error *err, int sys, const char *words, const char *what)
{
    if (words && *words)
        error_sys(err, STATUS_MACHINE, sys, "cannot %s (%s)", what, words);
    else
        error_sys(err, STATUS_MACHINE, sys, "cannot %s", what);
    return -1;
}

int nl_request(struct nl_conn *conn, struct nl_msg *msg, struct error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *what = xvasprintf(fmt, ap);
    va_end(ap);

    int rc = nl_send_auto(conn->sock, msg);
    uint32_t seq = nlmsg_hdr(msg)->nlmsg_seq;
    nlmsg_free(msg);
    if (rc < 0)
        return error_set(err, STATUS_MACHINE, "cannot %s: %s", what, nl_geterror(rc));

    char buffer[RECV_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (;;) {
        ssize_t n = recv(nl_socket_get_fd(conn->sock), buffer, sizeof(buffer), 0);
        if (n < 0 && (errno == EINTR || errno == ENOBUFS))
            continue;
        if (n < 0)
            return fail(err, errno == EAGAIN ? ETIMEDOUT : errno, NULL, what);
        int left = (int)n;
        for (struct nlmsghdr *h = (void *)buffer; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
            bool end = h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE;
            if (end && h->nlmsg_seq == seq) {
                int sys = ack_status(h);
                return sys ? fail(err, sys, ack_words(h), what) : 0;
            }
            if (!end && conn->handler)
                conn->handler(conn->ctx, h);
        }
    }
}

int nl_drain(struct nl_conn *conn, bool *lost, struct error *err)
{
    char buffer[RECV_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
    for (;;) {
        ssize_t n = recv(nl_socket_get_fd(conn->news), buffer, sizeof(buffer), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == ENOBUFS) {
            *lost = true;
            continue;
        }
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0)
            return error_sys(err, STATUS_MACHINE, errno, "cannot read netlink notifications");
        int left = (int)n;
        for (struct nlmsghdr *h = (void *)buffer; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
            if (h->nlmsg_type != NLMSG_ERROR && h->nlmsg_type != NLMSG_DONE && conn->handler)
                conn->handler(conn->ctx, h);
    }
}

static _Noreturn void too_large(void)
{
    fputs("tcplab: a netlink message does not fit into its buffer\n", stderr);
    abort();
}

struct nl_msg *nl_new(int type, int flags)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);
    if (!msg)
        too_large();
    return msg;
}

void nl_put(struct nl_msg *msg, int attr, const void *data, size_t len)
{
    if (nla_put(msg, attr, (int)len, data) < 0)
        too_large();
}

void nl_put_u8(struct nl_msg *msg, int attr, uint8_t value)
{
    nl_put(msg, attr, &value, sizeof(value));
}

void nl_put_u32(struct nl_msg *msg, int attr, uint32_t value)
{
    nl_put(msg, attr, &value, sizeof(value));
}

void nl_put_str(struct nl_msg *msg, int attr, const char *s)
{
    nl_put(msg, attr, s, strlen(s) + 1);
}

struct nlattr *nl_nest(struct nl_msg *msg, int attr)
{
    struct nlattr *nest = nla_nest_start(msg, attr);
    if (!nest)
        too_large();
    return nest;
}

void *nl_header(struct nl_msg *msg, size_t len)
{
    void *room = nlmsg_reserve(msg, len, NLMSG_ALIGNTO);
    if (!room)
        too_large();
    return memset(room, 0, len);
}

struct nl_addr *nl_from_ipaddr(const struct ipaddr *a, unsigned prefix)
{
    struct nl_addr *addr =
        nl_addr_build(a->version == 6 ? AF_INET6 : AF_INET, a->bytes, ipaddr_bits(a) / 8);
    if (!addr)
        too_large();
    nl_addr_set_prefixlen(addr, (int)prefix);
    return addr;
}
