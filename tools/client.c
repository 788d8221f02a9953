/* client: opens a TCP connection, sends, prints what comes back, and tells the
 * result of every call. */

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/socktext.h"

static const char help[] =
    "usage: client [OPTIONS] HOST PORT [TEXT…]\n"
    "\n"
    "Opens a TCP connection to HOST and PORT and sends TEXT and a newline, or what\n"
    "comes from standard input; then says that it will send no more (shutdown), and\n"
    "prints what comes back until the other side has closed too.  The result of every\n"
    "call is told.\n"
    "\n"
    "  -n, --no-newline  TEXT goes without a newline behind it\n"
    "      --ip 4|6      only IPv4 or only IPv6 addresses of HOST\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 all went well; 1 the connection could not be made, or failed;\n"
    "2 wrong usage, or there is no such host; 3 this machine refuses\n";

struct client {
    struct loop *loop;
    struct addrinfo *addrs, *next; /* next: to be tried if this one fails */
    int fd;                        /* -1: none */
    loop_id watch, input;          /* input: standard input, 0 when not watched */
    bool connected;
    bool finished; /* there is nothing more to send than what is in `out` */
    bool was_shut; /* and the peer has been told so */
    struct strbuf out;
    size_t sent;
    int status;
};

static void say(const char *call, const char *words)
{
    printf("%s: %s\n", call, words);
    fflush(stdout);
}

static void say_errno(const char *call, int errnum)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_errno(&text, errnum);
    say(call, strbuf_cstr(&text));
}

static void say_bytes(const char *call, const char *bytes, size_t n)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_bytes(&text, bytes, n);
    say(call, strbuf_cstr(&text));
}

static int fail(struct error *err)
{
    int status = err->status;
    fprintf(stderr, "client: %s\n", err->message);
    if (err->hint)
        fprintf(stderr, "hint: %s\n", err->hint);
    error_clear(err);
    return status;
}

static void stop(struct client *c, int status)
{
    c->status = status;
    loop_stop(c->loop);
}

/* For calls of the loop itself, which fail only when the machine is out of something. */
static bool loop_failed(struct client *c, struct error *err)
{
    if (!error_is_set(err))
        return false;
    stop(c, fail(err));
    return true;
}

/* ------------------------------------------------------------ the exchange --- */

static void on_input(void *ctx, int fd, uint32_t events);

/* Reads input only when all that was read before is sent: memory stays bounded. */
static void watch_next(struct client *c)
{
    struct error err = ERROR_INIT;
    bool pending = c->sent < c->out.len;
    if (!pending && c->finished && !c->was_shut) {
        c->was_shut = true;
        if (shutdown(c->fd, SHUT_WR) == 0)
            say("shutdown", "0, nothing more will be sent");
        else
            say_errno("shutdown", errno);
    }
    if (pending && c->input) {
        loop_remove(c->loop, c->input);
        c->input = 0;
    } else if (!pending && !c->finished && !c->input) {
        c->input = loop_add_fd(c->loop, STDIN_FILENO, EPOLLIN, on_input, c, &err);
    }
    loop_change_fd(c->loop, c->watch, pending ? EPOLLIN | EPOLLOUT : EPOLLIN, &err);
    loop_failed(c, &err);
}

static void on_input(void *ctx, int fd, uint32_t events)
{
    struct client *c = ctx;
    char buffer[16384];
    (void)events;
    ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        c->finished = true;
        loop_remove(c->loop, c->input);
        c->input = 0;
        if (n < 0)
            say_errno("read from standard input", errno);
    } else {
        strbuf_truncate(&c->out, 0);
        c->sent = 0;
        strbuf_add(&c->out, buffer, (size_t)n);
    }
    watch_next(c);
}

static void send_rest(struct client *c)
{
    ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        say_errno("send", errno);
        stop(c, STATUS_FAILED);
        return;
    }
    say_bytes("send", c->out.data + c->sent, (size_t)n);
    c->sent += (size_t)n;
    watch_next(c);
}

static void receive(struct client *c)
{
    char buffer[16384];
    ssize_t n = recv(c->fd, buffer, sizeof(buffer), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        say_errno("recv", errno);
        stop(c, STATUS_FAILED);
    } else if (n == 0) {
        say("recv", "0, the peer has closed");
        stop(c, STATUS_PASSED);
    } else {
        say_bytes("recv", buffer, (size_t)n);
    }
}

/* -------------------------------------------------------------- connecting --- */

static void try_next(struct client *c);

static void say_connected(struct client *c)
{
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&text, "0, from ");
    getsockname(c->fd, (struct sockaddr *)&addr, &len);
    strbuf_sockaddr(&text, &addr);
    len = sizeof(addr);
    strbuf_puts(&text, " to ");
    if (getpeername(c->fd, (struct sockaddr *)&addr, &len) == 0)
        strbuf_sockaddr(&text, &addr);
    else
        strbuf_puts(&text, "a peer that is gone already");
    say("connect", strbuf_cstr(&text));
}

static void connect_failed(struct client *c, int errnum)
{
    say_errno("connect", errnum);
    loop_remove(c->loop, c->watch);
    close(steal_fd(&c->fd));
    try_next(c);
}

static void on_socket(void *ctx, int fd, uint32_t events)
{
    struct client *c = ctx;
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    if (!c->connected) {
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
        if (errnum) {
            connect_failed(c, errnum);
        } else {
            c->connected = true;
            say_connected(c);
            watch_next(c);
        }
        return;
    }
    /* What came in is told before what a send would meet: a reset shows as recv's. */
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(c);
    else if (events & EPOLLOUT)
        send_rest(c);
}

static void try_next(struct client *c)
{
    struct error err = ERROR_INIT;
    struct addrinfo *ai = c->next;
    if (!ai) {
        stop(c, STATUS_FAILED);
        return;
    }
    c->next = ai->ai_next;
    struct sockaddr_storage addr = {0};
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    memcpy(&addr, ai->ai_addr, ai->ai_addrlen);
    strbuf_sockaddr(&text, &addr);
    say("connecting to", strbuf_cstr(&text));
    c->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0) {
        say_errno("socket", errno);
        try_next(c);
        return;
    }
    int result = connect(c->fd, ai->ai_addr, ai->ai_addrlen), errnum = errno;
    c->watch = loop_add_fd(c->loop, c->fd, EPOLLOUT, on_socket, c, &err);
    if (!loop_failed(c, &err) && result < 0 && errnum != EINPROGRESS)
        connect_failed(c, errnum);
}

static void on_signal(void *ctx, int signo)
{
    struct client *c = ctx;
    printf("%s: the end\n", signo == SIGINT ? "SIGINT" : "SIGTERM");
    stop(c, c->connected ? STATUS_PASSED : STATUS_FAILED);
}

/* ----------------------------------------------------------------- options --- */

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "client: %s \"%s\"\nhint: `client --help` lists what it takes\n", what, word);
    return STATUS_USAGE;
}

static int resolve(struct client *c, const char *host, const char *port, int family)
{
    int64_t number;
    if (!parse_number(port, 1, 65535, &number))
        return usage("no port from 1 to 65535:", port);
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int code = getaddrinfo(host, port, &hints, &c->addrs);
    if (code == 0)
        return 0;
    fprintf(stderr, "client: host \"%s\": %s\n", host,
            code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
    return code == EAI_AGAIN || code == EAI_SYSTEM ? STATUS_MACHINE : STATUS_USAGE;
}

/* 0: go on; -1: done (--help); else the status to exit with. */
static int parse_options(struct client *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"no-newline", no_argument, NULL, 'n'},
        {"ip", required_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool newline = true;
    int family = AF_UNSPEC;
    /* `+`: TEXT may begin with a dash. */
    for (int o; (o = getopt_long(argc, argv, "+nh", options, NULL)) != -1;) {
        if (o == 'n')
            newline = false;
        else if (o == 'i' && strcmp(optarg, "4") != 0 && strcmp(optarg, "6") != 0)
            return usage("--ip takes 4 or 6, not", optarg);
        else if (o == 'i')
            family = *optarg == '4' ? AF_INET : AF_INET6;
        else if (o == 'h')
            return fputs(help, stdout), -1;
        else
            return STATUS_USAGE;
    }
    if (argc - optind < 2)
        return fputs(help, stderr), STATUS_USAGE;
    strbuf_join(&c->out, argv + optind + 2, argc - optind - 2);
    c->finished = argc - optind > 2;
    if (c->finished && newline)
        strbuf_putc(&c->out, '\n');
    return resolve(c, argv[optind], argv[optind + 1], family);
}

static int run(struct client *c)
{
    struct error err = ERROR_INIT;
    c->loop = loop_new(&err);
    if (!c->loop || !loop_add_signal(c->loop, SIGINT, on_signal, c, &err) ||
        !loop_add_signal(c->loop, SIGTERM, on_signal, c, &err))
        return fail(&err);
    c->next = c->addrs;
    try_next(c);
    if (loop_run(c->loop, &err) < 0)
        return fail(&err);
    return c->status;
}

int main(int argc, char **argv)
{
    struct client c = {.fd = -1};
    int status = parse_options(&c, argc, argv);
    if (status == 0)
        status = run(&c);
    loop_free(c.loop);
    if (c.fd >= 0)
        say("close", close(c.fd) == 0 ? "0" : strerror(errno));
    if (c.addrs)
        freeaddrinfo(c.addrs);
    strbuf_free(&c.out);
    return status < 0 ? STATUS_PASSED : status;
}
