/* listener: accepts TCP connections and tells the result of every call. */

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/socktext.h"

static const char help[] =
    "usage: listener [OPTIONS] PORT\n"
    "\n"
    "Accepts TCP connections to PORT and tells the result of every call, until it is\n"
    "interrupted (Ctrl-C).\n"
    "\n"
    "  -e, --echo        send back what is received\n"
    "  -b, --backlog N   how many connections may wait for accept (default: 128)\n"
    "  -1, --once        take one connection, and end with it\n"
    "      --ip 4|6      IPv4 or IPv6 only (default: both)\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 interrupted, or the one connection ended well; 1 it failed;\n"
    "2 wrong usage; 3 this machine refuses (port in use, not permitted …)\n";

struct server;

struct connection {
    struct server *server;
    unsigned number; /* from 1 */
    int fd;
    loop_id watch;
    char buffer[16384]; /* to echo: bytes from..to have not been sent yet */
    size_t from, to;
    bool ended; /* the peer has closed; what is to echo still has to go */
};

struct server {
    struct loop *loop;
    int fd; /* -1 when it accepts no more */
    loop_id watch;
    bool echo, once, paused;
    int port, backlog, ip;
    unsigned accepted;
    VEC(struct connection *) open;
    int status;
};

/* One line: "[2] recv: …"; the first connection goes without a number. */
static void say(const struct connection *c, const char *call, const struct strbuf *result)
{
    if (c && c->number > 1)
        printf("[%u] ", c->number);
    printf("%s: %s\n", call, strbuf_cstr(result));
    fflush(stdout);
}

static void say_errno(const struct connection *c, const char *call, int errnum)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_errno(&text, errnum);
    say(c, call, &text);
}

static void say_bytes(const struct connection *c, const char *call, const char *bytes, size_t n)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_bytes(&text, bytes, n);
    say(c, call, &text);
}

static void say_text(const struct connection *c, const char *call, const char *words)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&text, words);
    say(c, call, &text);
}

static int fail(struct error *err)
{
    int status = err->status;
    fprintf(stderr, "listener: %s\n", err->message);
    if (err->hint)
        fprintf(stderr, "hint: %s\n", err->hint);
    error_clear(err);
    return status;
}

/* ----------------------------------------------------------- a connection --- */

static void end_connection(struct connection *c, bool failed)
{
    struct server *s = c->server;
    struct error err = ERROR_INIT;
    loop_remove(s->loop, c->watch);
    say_text(c, "close", close(c->fd) == 0 ? "0" : strerror(errno));
    vec_each (&s->open, other)
        if (*other == c) {
            *other = *vec_last(&s->open);
            s->open.n--;
            break;
        }
    free(c);
    if (s->once) {
        s->status = failed ? STATUS_FAILED : STATUS_PASSED;
        loop_stop(s->loop);
    } else if (s->paused) {
        s->paused = false;
        if (loop_change_fd(s->loop, s->watch, EPOLLIN, &err) < 0)
            s->status = fail(&err);
    }
}

/* Reads when nothing waits to be sent, and sends otherwise: memory stays bounded. */
static void watch_next(struct connection *c)
{
    struct error err = ERROR_INIT;
    if (c->ended && c->from == c->to) {
        end_connection(c, false);
    } else if (loop_change_fd(c->server->loop, c->watch, c->from < c->to ? EPOLLOUT : EPOLLIN,
                              &err) < 0) {
        fail(&err);
        end_connection(c, true);
    }
}

static void send_rest(struct connection *c)
{
    ssize_t n = send(c->fd, c->buffer + c->from, c->to - c->from, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        say_errno(c, "send", errno);
        end_connection(c, true);
        return;
    }
    say_bytes(c, "send", c->buffer + c->from, (size_t)n);
    c->from += (size_t)n;
    watch_next(c);
}

static void receive(struct connection *c)
{
    ssize_t n = recv(c->fd, c->buffer, sizeof(c->buffer), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        say_errno(c, "recv", errno);
        end_connection(c, true);
        return;
    }
    if (n == 0) {
        say_text(c, "recv", "0, the peer has closed");
        c->ended = true;
    } else {
        say_bytes(c, "recv", c->buffer, (size_t)n);
        c->from = 0;
        c->to = c->server->echo ? (size_t)n : 0;
    }
    watch_next(c);
}

static void on_connection(void *ctx, int fd, uint32_t events)
{
    struct connection *c = ctx;
    (void)fd;
    (void)events;
    if (c->from < c->to)
        send_rest(c);
    else
        receive(c);
}

/* ------------------------------------------------------------- the server --- */

static void begin_connection(struct server *s, int fd, const struct sockaddr_storage *peer)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    struct error err = ERROR_INIT;
    struct connection *c = xcalloc(1, sizeof(*c));
    c->server = s;
    c->fd = fd;
    c->number = ++s->accepted;
    vec_push(&s->open, c);
    strbuf_sockaddr(&text, peer);
    say(c, "accept", &text);
    if (s->once) {
        loop_remove(s->loop, s->watch);
        close(steal_fd(&s->fd));
    }
    c->watch = loop_add_fd(s->loop, fd, EPOLLIN, on_connection, c, &err);
    if (!c->watch) {
        fail(&err);
        end_connection(c, true);
    }
}

static void on_listener(void *ctx, int fd, uint32_t events)
{
    struct server *s = ctx;
    struct sockaddr_storage peer = {0};
    struct error err = ERROR_INIT;
    socklen_t len = sizeof(peer);
    (void)events;
    int conn = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (conn >= 0) {
        begin_connection(s, conn, &peer);
        return;
    }
    if (errno == EAGAIN || errno == EINTR)
        return;
    int errnum = errno;
    say_errno(NULL, "accept", errnum);
    if (errnum != EMFILE && errnum != ENFILE && errnum != ENOBUFS && errnum != ENOMEM)
        return; /* the error of that one connection, see accept(2) */
    s->paused = s->open.n > 0;
    if (!s->paused || loop_change_fd(s->loop, s->watch, 0, &err) < 0) {
        s->status = STATUS_MACHINE;
        loop_stop(s->loop);
    }
}

static void on_signal(void *ctx, int signo)
{
    struct server *s = ctx;
    printf("%s: the end\n", signo == SIGINT ? "SIGINT" : "SIGTERM");
    loop_stop(s->loop);
}

static int bind_one(struct server *s, int family, struct error *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } addr = {0};
    int on = 1, v6only = s->ip == 6;
    socklen_t len = family == AF_INET6 ? sizeof(addr.in6) : sizeof(addr.in);
    addr.any.sa_family = (sa_family_t)family;
    if (family == AF_INET6)
        addr.in6.sin6_port = htons((uint16_t)s->port);
    else
        addr.in.sin_port = htons((uint16_t)s->port);
    int fd cleanup_fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_sys(err, STATUS_MACHINE, errno, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
    if (bind(fd, &addr.any, len) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot bind to port %d", s->port);
    if (listen(fd, s->backlog) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot listen on port %d", s->port);
    s->fd = steal_fd(&fd);
    return 0;
}

/* On every address: IPv6 takes IPv4 too, where this machine has it. */
static int start(struct server *s, struct error *err)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    int result = bind_one(s, s->ip == 4 ? AF_INET : AF_INET6, err);
    if (result < 0 && s->ip == 0 && (err->sys == EAFNOSUPPORT || err->sys == EADDRNOTAVAIL)) {
        error_clear(err);
        result = bind_one(s, AF_INET, err);
    }
    if (result < 0) {
        if (err->sys == EADDRINUSE)
            error_hint(err, "`ss -ltn` shows which ports are taken");
        if (err->sys == EACCES)
            error_hint(err, "ports below 1024 are for root; take a higher one");
        return -1;
    }
    getsockname(s->fd, (struct sockaddr *)&addr, &len);
    strbuf_sockaddr(&text, &addr);
    strbuf_printf(&text, ", backlog %d", s->backlog);
    say(NULL, "listen", &text);
    s->loop = loop_new(err);
    if (!s->loop || !loop_add_signal(s->loop, SIGINT, on_signal, s, err) ||
        !loop_add_signal(s->loop, SIGTERM, on_signal, s, err))
        return -1;
    s->watch = loop_add_fd(s->loop, s->fd, EPOLLIN, on_listener, s, err);
    return s->watch ? 0 : -1;
}

/* ---------------------------------------------------------------- options --- */

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "listener: %s \"%s\"\nhint: `listener --help` lists what it takes\n", what,
            word);
    return STATUS_USAGE;
}

/* 0: go on; -1: done (--help); else the status to exit with. */
static int parse_options(struct server *s, int argc, char **argv)
{
    static const struct option options[] = {
        {"echo", no_argument, NULL, 'e'}, {"backlog", required_argument, NULL, 'b'},
        {"once", no_argument, NULL, '1'}, {"ip", required_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'}, {0},
    };
    int64_t number = 0;
    for (int c; (c = getopt_long(argc, argv, "eb:1h", options, NULL)) != -1;) {
        if (c == 'e') {
            s->echo = true;
        } else if (c == '1') {
            s->once = true;
        } else if (c == 'b') {
            if (!parse_number(optarg, 0, 65535, &number))
                return usage("no length of a queue:", optarg);
            s->backlog = (int)number;
        } else if (c == 'i') {
            if (!parse_number(optarg, 4, 6, &number) || number == 5)
                return usage("--ip takes 4 or 6, not", optarg);
            s->ip = (int)number;
        } else if (c == 'h') {
            return fputs(help, stdout), -1;
        } else {
            return STATUS_USAGE;
        }
    }
    if (argc - optind != 1)
        return fputs(help, stderr), STATUS_USAGE;
    if (!parse_number(argv[optind], 1, 65535, &number))
        return usage("no port from 1 to 65535:", argv[optind]);
    s->port = (int)number;
    return 0;
}

int main(int argc, char **argv)
{
    struct server s = {.fd = -1, .backlog = 128};
    struct error err = ERROR_INIT;
    int status = parse_options(&s, argc, argv);
    if (status)
        return status < 0 ? STATUS_PASSED : status;
    if (start(&s, &err) < 0 || loop_run(s.loop, &err) < 0)
        s.status = fail(&err);
    s.once = false;
    while (s.open.n) /* clang-tidy does not see that the entry goes with the connection */
        end_connection(s.open.at[0], false); // NOLINT(clang-analyzer-unix.Malloc)
    vec_free(&s.open);
    loop_free(s.loop);
    if (s.fd >= 0)
        close(s.fd);
    return s.status;
}
