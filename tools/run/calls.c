#include "run/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/tcp_state.h"
#include "netns/congestion.h"
#include "run/info.h"
#include "run/program.h"

typedef int (*call_fn)(struct call_conn *, const struct lab_step *, struct agent_reply *);

/* A handler returns a value >= 0, or -1 with errno. */

static int fail(int errnum)
{
    errno = errnum;
    return -1;
}

/* ------------------------------------------------------------ addresses --- */

static socklen_t sockaddr_of(const struct ipaddr *a, int port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (a->version == 6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        memcpy(&in6->sin6_addr, a->bytes, 16);
        return sizeof(*in6);
    }
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    memcpy(&in->sin_addr, a->bytes, 4);
    return sizeof(*in);
}

static bool shares_net(const struct lab_host *host, const struct lab_addr *other)
{
    vec_each (&host->ifaces, iface)
        vec_each (&iface->addrs, a)
            if (ipaddr_same_net(&a->addr, &other->addr, a->prefix))
                return true;
    return false;
}

/* The address of `to` that `from` reaches directly, else its first. */
static const struct ipaddr *address_for(const struct lab *lab, int from, int to)
{
    const struct lab_host *peer = &lab->hosts.at[to];
    vec_each (&peer->ifaces, iface)
        vec_each (&iface->addrs, a)
            if (shares_net(&lab->hosts.at[from], a))
                return &a->addr;
    return &peer->ifaces.at[0].addrs.at[0].addr;
}

static int family_of(const struct call_conn *conn)
{
    const struct lab_host *host = &conn->host->lab->hosts.at[conn->host->host];
    vec_each (&host->ifaces, iface)
        vec_each (&iface->addrs, a)
            if (a->addr.version == 4)
                return AF_INET;
    return AF_INET6;
}

/* The connection's socket, made when a call first needs one; as servers do, with
 * SO_REUSEADDR, which a lab may take away. */
static int socket_of(struct call_conn *conn, int family)
{
    static const int on = 1;
    if (conn->fd >= 0)
        return conn->fd;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) {
        int cause = errno;
        close(fd);
        return fail(cause);
    }
    return conn->fd = fd;
}

static int bind_port(int fd, int family, int port)
{
    struct ipaddr any = {.version = family == AF_INET6 ? 6 : 4};
    struct sockaddr_storage addr;
    socklen_t len = sockaddr_of(&any, port, &addr);
    return bind(fd, (struct sockaddr *)&addr, len);
}

/* ---------------------------------------------------------------- calls --- */

static int do_LISTEN(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    (void)reply;
    int family = family_of(conn);
    int port = (int)step->args.at[0].number;
    int backlog = step->args.n > 1 ? (int)step->args.at[1].number : SOMAXCONN;
    int fd = socket_of(conn, family);
    if (fd < 0 || bind_port(fd, family, port) < 0 || listen(fd, backlog) < 0)
        return -1;
    conn->fd = -1;
    pthread_mutex_lock(&conn->host->lock);
    vec_push(&conn->host->listeners, ((struct call_listener){.port = port, .fd = fd}));
    pthread_mutex_unlock(&conn->host->lock);
    return 0;
}

/* The listener of a port, or the latest one for port 0; -1: none. */
static int listener_fd(struct call_host *host, int port)
{
    int fd = -1;
    pthread_mutex_lock(&host->lock);
    vec_each (&host->listeners, l)
        if (l->fd >= 0 && (port == 0 || l->port == port))
            fd = l->fd;
    pthread_mutex_unlock(&host->lock);
    return fd;
}

static int do_ACCEPT(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    (void)reply;
    int from = listener_fd(conn->host, step->args.n ? (int)step->args.at[0].number : 0);
    if (from < 0)
        return fail(EINVAL);
    if (conn->fd >= 0)
        return fail(EISCONN);
    conn->fd = accept4(from, NULL, NULL, SOCK_CLOEXEC);
    if (conn->fd < 0)
        return -1;
    socket_pair_of(&conn->pair, conn->fd);
    return 0;
}

static int do_BIND(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    (void)reply;
    int family = family_of(conn);
    int fd = socket_of(conn, family);
    return fd < 0 ? -1 : bind_port(fd, family, (int)step->args.at[0].number);
}

/* connect(), in two calls: the first returns when the socket is in SYN-SENT and has a port,
 * which nobody would know where no SYN gets out (ARP has no answer); the second waits, and
 * gives what one call would have given (__inet_stream_connect() in net/ipv4/af_inet.c). */
static int connect_and_tell(const struct call_conn *conn, int fd, const struct ipaddr *to,
                            uint16_t port, uint32_t step)
{
    struct sockaddr_storage addr;
    socklen_t len = sockaddr_of(to, port, &addr);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    int connected = connect(fd, (struct sockaddr *)&addr, len), cause = errno;
    if (fcntl(fd, F_SETFL, flags) < 0)
        return -1;
    if (connected < 0 && cause != EINPROGRESS)
        return fail(cause);
    if (connected == 0)
        return 0;
    struct agent_reply note = {.step = step, .begun = true};
    socket_pair_begun(&note.pair, fd, to, port);
    conn->host->begun(&note);
    return connect(fd, (struct sockaddr *)&addr, len);
}

static int do_CONNECT(struct call_conn *conn, const struct lab_step *step,
                      struct agent_reply *reply)
{
    const struct lab *lab = conn->host->lab;
    const struct ipaddr *to = address_for(lab, conn->host->host, step->args.at[0].host);
    uint16_t port = (uint16_t)step->args.at[1].number;
    int fd = socket_of(conn, to->version == 6 ? AF_INET6 : AF_INET);
    if (fd < 0 || connect_and_tell(conn, fd, to, port, reply->step) < 0)
        return -1;
    socket_pair_of(&conn->pair, fd);
    return 0;
}

/* Filler counts up in lines of 64 bytes, so that a capture shows where it is. */
static char *filler(size_t n)
{
    char *data = xcalloc(n + 65, 1);
    for (size_t i = 0; i < n; i += 64)
        snprintf(data + i, 65, "%-63zu\n", i);
    return data;
}

/* Whether the word that may stand behind the first argument does. */
static bool has_word(const struct lab_step *step, const char *word)
{
    return step->args.n > 1 && strcmp(step->args.at[1].text, word) == 0;
}

static int do_SEND(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    const struct lab_arg *arg = &step->args.at[0];
    bool text = arg->text != NULL;
    size_t len = text ? arg->len : (size_t)arg->number;
    cleanup_free char *made = text ? NULL : filler(len);
    const char *data = text ? arg->text : made;
    int flags = has_word(step, "urgent") ? MSG_OOB : has_word(step, "more") ? MSG_MORE : 0;
    ssize_t n = send(conn->fd, data, len, flags | MSG_NOSIGNAL);
    reply->value = n;
    return n < 0 ? -1 : 0;
}

/* `some` and `urgent`: one call, which gives what there is. */
static int recv_once(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    char piece[65536];
    int64_t want = step->args.at[0].number;
    size_t size = want < (int64_t)sizeof(piece) ? (size_t)want : sizeof(piece);
    ssize_t n = recv(conn->fd, piece, size, has_word(step, "urgent") ? MSG_OOB : 0);
    if (n < 0)
        return -1;
    reply->value = n;
    reply->text_len = (uint32_t)(n < AGENT_TEXT_MAX ? n : AGENT_TEXT_MAX);
    memcpy(reply->text, piece, reply->text_len);
    return 0;
}

/* As recv() with MSG_WAITALL, in pieces, of which the first bytes are kept. */
static int do_RECV(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    char piece[65536];
    int64_t want = step->args.at[0].number;
    if (step->args.n > 1)
        return recv_once(conn, step, reply);
    while (reply->value < want) {
        int64_t left = want - reply->value;
        size_t size = left < (int64_t)sizeof(piece) ? (size_t)left : sizeof(piece);
        ssize_t n = recv(conn->fd, piece, size, MSG_WAITALL);
        if (n < 0 && reply->value == 0)
            return -1;
        if (n <= 0)
            break;
        size_t room = AGENT_TEXT_MAX - reply->text_len;
        size_t keep = (size_t)n < room ? (size_t)n : room;
        memcpy(reply->text + reply->text_len, piece, keep);
        reply->text_len += (uint32_t)keep;
        reply->value += n;
    }
    return 0;
}

static int do_SOCKATMARK(struct call_conn *conn, const struct lab_step *step,
                         struct agent_reply *reply)
{
    (void)step;
    reply->value = sockatmark(conn->fd);
    return reply->value < 0 ? -1 : 0;
}

static int do_SHUTDOWN(struct call_conn *conn, const struct lab_step *step,
                       struct agent_reply *reply)
{
    static const struct {
        const char *word;
        int how;
    } hows[] = {{"read", SHUT_RD}, {"write", SHUT_WR}, {"both", SHUT_RDWR}};
    (void)reply;
    for (size_t i = 0; i < ARRAY_SIZE(hows); i++)
        if (strcmp(step->args.at[0].text, hows[i].word) == 0)
            return shutdown(conn->fd, hows[i].how);
    return fail(EINVAL);
}

static int close_listener(struct call_host *host)
{
    int fd = -1;
    pthread_mutex_lock(&host->lock);
    vec_each (&host->listeners, l) {
        if (l->fd >= 0 && fd < 0) {
            fd = l->fd;
            l->fd = -1;
        }
    }
    pthread_mutex_unlock(&host->lock);
    return fd < 0 ? fail(EBADF) : close(fd);
}

static int do_CLOSE(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    (void)step;
    (void)reply;
    if (conn->fd < 0)
        return close_listener(conn->host);
    int fd = conn->fd;
    conn->fd = -1;
    return close(fd);
}

static const struct option {
    const char *name;
    int level, option;
} options[] = {
#define X(name, level, option) {name, level, option},
    SOCKET_OPTIONS(X)
#undef X
};

static bool is_ipv6(int fd)
{
    int domain = AF_INET;
    socklen_t len = sizeof(domain);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_INET6;
}

static int do_SET(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    (void)reply;
    const char *name = step->args.at[0].text;
    const struct lab_arg *given = &step->args.at[1];
    int value = (int)given->number;
    int fd = socket_of(conn, family_of(conn));
    struct linger linger = {.l_onoff = value >= 0, .l_linger = value};
    if (fd < 0)
        return -1;
    if (strcmp(name, CONGESTION_OPTION) == 0 && !congestion_is_available(given->text))
        return fail(ENOENT);
    if (strcmp(name, CONGESTION_OPTION) == 0)
        return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, given->text, (socklen_t)given->len);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const struct option *o = &options[i];
        if (strcmp(name, o->name) != 0)
            continue;
        if (o->option == SO_LINGER && o->level == SOL_SOCKET)
            return setsockopt(fd, o->level, o->option, &linger, sizeof(linger));
        if (o->level == IPPROTO_IP && is_ipv6(fd)) /* where it is called the hop limit */
            return setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, sizeof(value));
        return setsockopt(fd, o->level, o->option, &value, sizeof(value));
    }
    return fail(ENOPROTOOPT);
}

/* The socket's own answer.  One that has no descriptor any more, or whose descriptor
 * says CLOSED, may live on without it, in TIME-WAIT for instance: the table knows. */
static int state_of(struct call_conn *conn)
{
    struct tcp_info info = {.tcpi_state = TCP_CLOSE};
    socklen_t len = sizeof(info);
    bool connected = conn->pair.local.version != 0;
    int fd = conn->fd >= 0 || connected ? conn->fd : listener_fd(conn->host, 0);
    if ((fd >= 0 || !connected) && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return -1;
    return info.tcpi_state == TCP_CLOSE && connected ? socket_state(&conn->pair) : info.tcpi_state;
}

/* A state that the script states is awaited until the step's limit, by asking again: the
 * kernel tells nobody of a change from one state to the next.  The pauses are a
 * five-hundredth of the time waited so far, at least a millisecond: little beside what a
 * kernel timer of that length may be late.  A late machine makes them longer, so the reply
 * says how long nobody had looked.  States only go forward: one that has been passed never
 * comes again, and CLOSED is the last. */
static int do_STATE(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    const struct lab_result *stated = &step->result;
    nsec limit = step->within ? step->within : conn->host->lab->limit;
    nsec began = clock_ns(CLOCK_MONOTONIC);
    for (nsec looked = began;;) {
        int state = state_of(conn);
        if (state < 0)
            return -1;
        if (state == TCP_STATE_NONE || state >= TCP_STATE_COUNT)
            return fail(EPROTO);
        const char *name = tcp_state_names[state];
        nsec now = clock_ns(CLOCK_MONOTONIC), waited = now - began;
        if (stated->kind != RESULT_WORD || state == TCP_CLOSE || strcmp(name, stated->text) == 0 ||
            waited >= limit) {
            reply->unseen = now - looked;
            reply->text_len = (uint32_t)strlen(name);
            memcpy(reply->text, name, reply->text_len);
            return 0;
        }
        looked = now;
        int pause = (int)(waited / 500 / NSEC_PER_MSEC);
        poll(NULL, 0, pause > 1 ? pause : 1);
    }
}

static bool is_stated(const struct lab_result *stated, int64_t value, const char *word)
{
    return word ? stated->kind != RESULT_WORD || strcmp(word, stated->text) == 0
                : stated->kind != RESULT_NUMBER ||
                      (value >= stated->number && value <= stated->most);
}

/* As with a state, what the script states is awaited: an acknowledgment that a capture
 * point has seen may not have reached the socket yet. */
static int do_INFO(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    nsec limit = step->within ? step->within : conn->host->lab->limit;
    nsec end = clock_ns(CLOCK_MONOTONIC) + limit - limit / 10; /* to say what it was instead */
    const char *word = NULL;
    for (;;) {
        if (info_ask(conn->fd, step->args.at[0].text, &reply->value, &word) < 0)
            return -1;
        if (is_stated(&step->result, reply->value, word) || clock_ns(CLOCK_MONOTONIC) >= end)
            break;
        poll(NULL, 0, 1);
    }
    if (word) {
        reply->text_len = (uint32_t)strlen(word);
        memcpy(reply->text, word, reply->text_len);
    }
    return 0;
}

/* A socket in repair mode goes without a word when it is closed (tcp_close() in
 * net/ipv4/tcp.c), which is what its peer sees of a host that lost power. */
static int do_VANISH(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    static const int on = 1;
    (void)step;
    (void)reply;
    if (setsockopt(conn->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
        return -1;
    int fd = conn->fd;
    conn->fd = -1;
    return close(fd);
}

static int do_RUN(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    (void)conn;
    return program_run(step, reply);
}

static const call_fn handlers[VERB_COUNT] = {
#define X(id, name, signature, help) [VERB_##id] = do_##id,
    HOST_VERBS(X)
#undef X
        [VERB_RUN] = do_RUN,
};

void call_make(struct call_conn *conn, const struct lab_step *step, struct agent_reply *reply)
{
    reply->failed = handlers[step->verb](conn, step, reply) < 0;
    reply->errnum = reply->failed ? errno : 0;
}
