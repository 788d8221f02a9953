/* Two ways to ask.  sock_diag looks one connection up, within microseconds, but needs
 * CONFIG_INET_TCP_DIAG: a kernel may lack it, and then says ENOENT, as it does of a
 * connection that it does not have.  The table in /proc is there wherever sysctls can be
 * set, but reading it walks through all the buckets of the kernel's hash table, which
 * takes milliseconds on a large machine.  So sock_diag is asked first.  When it does not
 * find a connection that it has found before, that is the end of it; otherwise the table
 * decides.
 *
 * tcp_time_wait() in net/ipv4/tcp_minisocks.c puts the small socket of TIME-WAIT (and of
 * an orphan's FIN-WAIT-2) into the hash chain of the one it replaces, under the chain's
 * lock, and the table's reader holds that lock for each chain: no moment is to be seen
 * at which a connection is in neither. */
#include "run/sockets.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/memory.h"

static struct ipaddr address_of(const struct sockaddr_storage *addr, uint16_t *port)
{
    struct ipaddr a = {0};
    if (addr->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
        a.version = 4;
        memcpy(a.bytes, &in->sin_addr, 4);
        *port = ntohs(in->sin_port);
    } else if (addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
        a.version = 6;
        memcpy(a.bytes, &in6->sin6_addr, 16);
        *port = ntohs(in6->sin6_port);
    }
    return a;
}

void socket_pair_of(struct socket_pair *pair, int fd)
{
    struct sockaddr_storage local = {0}, remote = {0};
    socklen_t local_len = sizeof(local), remote_len = sizeof(remote);
    *pair = (struct socket_pair){0};
    if (getsockname(fd, (struct sockaddr *)&local, &local_len) < 0 ||
        getpeername(fd, (struct sockaddr *)&remote, &remote_len) < 0)
        return;
    pair->local = address_of(&local, &pair->local_port);
    pair->remote = address_of(&remote, &pair->remote_port);
}

/* "0100007F:04D2": the address in words of 32 bits, each printed as a number of this
 * machine (get_tcp4_sock() and get_tcp6_sock()), then the port. */
static bool is_end(const char *text, const struct ipaddr *addr, uint16_t port)
{
    char expected[48];
    size_t n = 0;
    for (size_t i = 0; i < ipaddr_bits(addr) / 8; i += 4) {
        uint32_t word;
        memcpy(&word, addr->bytes + i, 4);
        n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%08" PRIX32, word);
    }
    snprintf(expected + n, sizeof(expected) - n, ":%04X", (unsigned)port);
    return strcmp(text, expected) == 0;
}

int socket_line_state(const char *line, const struct socket_pair *pair)
{
    char local[48], remote[48];
    unsigned state;
    if (sscanf(line, " %*[0-9]: %47s %47s %2x ", local, remote, &state) != 3)
        return 0;
    return is_end(local, &pair->local, pair->local_port) &&
                   is_end(remote, &pair->remote, pair->remote_port)
               ? (int)state
               : 0;
}

static int table_state(const struct socket_pair *pair)
{
    const char *path =
        pair->local.version == 6 ? "/proc/thread-self/net/tcp6" : "/proc/thread-self/net/tcp";
    FILE *table = fopen(path, "re");
    if (!table)
        return -1;
    cleanup_free char *line = NULL;
    size_t size = 0;
    int state = 0;
    while (state == 0 && getline(&line, &size, table) >= 0)
        state = socket_line_state(line, pair);
    bool broken = ferror(table) != 0;
    fclose(table);
    return state ? state : broken ? -1 : TCP_CLOSE;
}

/* A state, DIAG_NOT_FOUND, or -1: it could not be asked.  Where no connection is found,
 * inet_diag_find_one_icsk() goes on to the listener of the port, which has no port at its
 * other end; where there is none either, the answer is ENOENT. */
enum { DIAG_NOT_FOUND = 0 };
static int diag_state(const struct socket_pair *pair)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .body = {.sdiag_family = pair->local.version == 6 ? AF_INET6 : AF_INET,
                 .sdiag_protocol = IPPROTO_TCP,
                 .id = {.idiag_sport = htons(pair->local_port),
                        .idiag_dport = htons(pair->remote_port),
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    memcpy(request.body.id.idiag_src, pair->local.bytes, ipaddr_bits(&pair->local) / 8);
    memcpy(request.body.id.idiag_dst, pair->remote.bytes, ipaddr_bits(&pair->remote) / 8);
    struct {
        struct nlmsghdr header;
        union {
            struct inet_diag_msg found;
            struct nlmsgerr error;
        };
        char attributes[4096];
    } reply;
    cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0)
        return -1;
    size_t n = (size_t)recv(fd, &reply, sizeof(reply), 0);
    if (n > sizeof(reply) || n < sizeof(reply.header) + sizeof(reply.error))
        return -1;
    if (reply.header.nlmsg_type == NLMSG_ERROR)
        return reply.error.error == -ENOENT ? DIAG_NOT_FOUND : -1;
    if (reply.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        n < sizeof(reply.header) + sizeof(reply.found))
        return -1;
    return reply.found.id.idiag_dport == request.body.id.idiag_dport ? reply.found.idiag_state
                                                                     : DIAG_NOT_FOUND;
}

int socket_state(struct socket_pair *pair)
{
    int state = diag_state(pair);
    if (state == DIAG_NOT_FOUND)
        return pair->looked_up ? TCP_CLOSE : table_state(pair);
    pair->looked_up |= state > 0;
    return state > 0 ? state : table_state(pair);
}
