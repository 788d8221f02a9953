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
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/tcp_state.h"
#include "run/diag.h"

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

void socket_pair_begun(struct socket_pair *pair, int fd, const struct ipaddr *to, uint16_t port)
{
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof(local);
    *pair = (struct socket_pair){0};
    if (getsockname(fd, (struct sockaddr *)&local, &len) < 0)
        return;
    pair->local = address_of(&local, &pair->local_port);
    pair->remote = *to;
    pair->remote_port = port;
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
    return state ? state : broken ? -1 : TCP_STATE_CLOSED;
}

/* TCP_STATE_NONE: sock_diag does not find it; -1: it could not be asked. */
static int diag_state(const struct socket_pair *pair)
{
    struct diag_socket found;
    cleanup_fd int fd = diag_open();
    if (fd < 0)
        return -1;
    int n = diag_find(fd, pair, false, &found);
    return n > 0 ? (int)found.state : n;
}

int socket_state(struct socket_pair *pair)
{
    int state = diag_state(pair);
    if (state == TCP_STATE_NONE)
        return pair->looked_up ? TCP_STATE_CLOSED : table_state(pair);
    pair->looked_up |= state > 0;
    return state > 0 ? state : table_state(pair);
}
