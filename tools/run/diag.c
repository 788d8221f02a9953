/* One request at a time, and nothing is waited for: the kernel has put the answer (of a
 * dump, its first part) into the socket's queue when send() returns, see
 * netlink_unicast_kernel(), and a dump's next part when recv() has taken one.
 *
 * libnl-idiag can only list all sockets, which takes milliseconds on a large machine, and
 * so does the table in /proc: a lookup of one takes four microseconds. */
#include "run/diag.h"

/* That of linux/, since glibc's own struct tcp_info ends earlier. */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/memory.h"

struct request {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
};

union answer {
    struct nlmsghdr header;
    char bytes[16384];
};

int diag_open(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/* ------------------------------------------------------------------ answers */

static struct ipaddr address_of(unsigned family, const __be32 words[4])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct ipaddr addr = {.version = family == AF_INET6 ? 6 : 4};
    memcpy(addr.bytes, words, ipaddr_bits(&addr) / 8);
    if (addr.version == 6 && memcmp(addr.bytes, mapped, sizeof(mapped)) == 0) {
        addr = (struct ipaddr){.version = 4};
        memcpy(addr.bytes, words + 3, 4);
    }
    return addr;
}

static void take_values(struct diag_socket *found, const void *data, size_t len)
{
    struct tcp_info info = {0};
    memcpy(&info, data, len < sizeof(info) ? len : sizeof(info));
    bool has_snd_wnd = len >= offsetof(struct tcp_info, tcpi_snd_wnd) + sizeof(info.tcpi_snd_wnd);
    found->has_values = true;
    found->values = (struct record_values){
        .rto = (nsec)info.tcpi_rto * NSEC_PER_USEC,
        .backoff = info.tcpi_backoff,
        .cwnd = info.tcpi_snd_cwnd,
        .ssthresh = info.tcpi_snd_ssthresh,
        .srtt = (nsec)info.tcpi_rtt * NSEC_PER_USEC,
        .rttvar = (nsec)info.tcpi_rttvar * NSEC_PER_USEC,
        .ca_state = info.tcpi_ca_state < TCP_CA_STATE_COUNT ? info.tcpi_ca_state : -1,
        .unacked = info.tcpi_unacked,
        .sacked = info.tcpi_sacked,
        .lost = info.tcpi_lost,
        .retrans = info.tcpi_retrans,
        .total_retrans = info.tcpi_total_retrans,
        .retransmits = info.tcpi_retransmits,
        .probes = info.tcpi_probes,
        .notsent_bytes = info.tcpi_notsent_bytes,
        .snd_wnd = has_snd_wnd ? (int64_t)info.tcpi_snd_wnd : -1,
        .rcv_space = info.tcpi_rcv_space,
    };
}

/* inet_sk_diag_fill() in net/ipv4/inet_diag.c. */
static bool take_socket(struct nlmsghdr *header, struct diag_socket *found)
{
    struct inet_diag_msg *msg = NLMSG_DATA(header);
    *found = (struct diag_socket){0};
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)) || msg->idiag_state == TCP_STATE_NONE ||
        msg->idiag_state >= TCP_STATE_COUNT)
        return false;
    found->state = (enum tcp_state)msg->idiag_state;
    found->pair.local = address_of(msg->idiag_family, msg->id.idiag_src);
    found->pair.local_port = ntohs(msg->id.idiag_sport);
    if (found->state != TCP_STATE_LISTEN) {
        found->pair.remote = address_of(msg->idiag_family, msg->id.idiag_dst);
        found->pair.remote_port = ntohs(msg->id.idiag_dport);
    }
    found->has_timer = msg->idiag_timer != 0;
    found->timer_left = msg->idiag_expires * NSEC_PER_MSEC;
    unsigned left = (unsigned)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));
    for (struct rtattr *a = (struct rtattr *)(msg + 1); RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == INET_DIAG_INFO && found->state != TCP_STATE_LISTEN)
            take_values(found, RTA_DATA(a), RTA_PAYLOAD(a));
    return true;
}

/* ----------------------------------------------------------------- requests */

static int ask(int fd, struct request *request, unsigned ip, uint16_t flags)
{
    static uint32_t sequence;
    request->header = (struct nlmsghdr){.nlmsg_len = sizeof(*request),
                                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                        .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
                                        .nlmsg_seq = ++sequence};
    request->body.sdiag_family = ip == 6 ? AF_INET6 : AF_INET;
    request->body.sdiag_protocol = IPPROTO_TCP;
    return send(fd, request, sizeof(*request), 0) < 0 ? -1 : 0;
}

/* The next part of the answer to this request; what an earlier one left is skipped. */
static ssize_t receive(int fd, const struct request *request, union answer *answer)
{
    ssize_t n;
    do {
        n = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
    } while (n >= (ssize_t)sizeof(answer->header) &&
             answer->header.nlmsg_seq != request->header.nlmsg_seq);
    return n;
}

/* Where no connection is found, inet_diag_find_one_icsk() goes on to the listener of the
 * port, which has no port at its other end; where there is none either, the answer is
 * ENOENT. */
static int find_once(int fd, const struct socket_pair *pair, bool values, struct diag_socket *found)
{
    struct request request = {
        .body = {.idiag_ext = values ? 1 << (INET_DIAG_INFO - 1) : 0,
                 .id = {.idiag_sport = htons(pair->local_port),
                        .idiag_dport = htons(pair->remote_port),
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}}};
    memcpy(request.body.id.idiag_src, pair->local.bytes, ipaddr_bits(&pair->local) / 8);
    if (pair->remote.version)
        memcpy(request.body.id.idiag_dst, pair->remote.bytes, ipaddr_bits(&pair->remote) / 8);
    union answer answer;
    ssize_t n;
    if (ask(fd, &request, pair->local.version, 0) < 0 || (n = receive(fd, &request, &answer)) < 0 ||
        !NLMSG_OK(&answer.header, (size_t)n))
        return -1;
    if (answer.header.nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(&answer.header);
        return answer.header.nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) && error->error == -ENOENT
                   ? 0
                   : -1;
    }
    if (!take_socket(&answer.header, found))
        return -1;
    return (found->state == TCP_STATE_LISTEN) == (pair->remote.version == 0);
}

/* A connection whose socket is being replaced (by its TIME-WAIT bucket, which FIN-WAIT-2
 * without a program is, too; or a request by its socket) is not found by who has the old one
 * in hand when it goes: __inet_lookup_established() finds its count to be 0 and gives up.  Or
 * the old one is found, and is CLOSED: tcp_time_wait() in net/ipv4/tcp_minisocks.c puts the
 * new one in its place first.  So the next look finds the new one, if there is one. */
int diag_find(int fd, const struct socket_pair *pair, bool values, struct diag_socket *found)
{
    int n = find_once(fd, pair, values, found);
    bool gone = n == 0 || (n > 0 && found->state == TCP_STATE_CLOSED);
    return gone ? find_once(fd, pair, values, found) : n;
}

/* A dump ends with NLMSG_DONE, or is refused with an error, which in a kernel without
 * sock_diag for TCP is ENOENT (in NLMSG_DONE since Linux 4.13). */
int diag_listeners(int fd, unsigned ip, void (*fn)(void *ctx, const struct diag_socket *found),
                   void *ctx)
{
    struct request request = {.body = {.idiag_states = 1U << TCP_STATE_LISTEN}};
    union answer answer;
    if (ask(fd, &request, ip, NLM_F_DUMP) < 0)
        return -1;
    for (;;) {
        ssize_t n = receive(fd, &request, &answer);
        if (n < (ssize_t)sizeof(answer.header))
            return -1;
        unsigned left = (unsigned)n;
        for (struct nlmsghdr *h = &answer.header; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            struct diag_socket found;
            if (h->nlmsg_type == NLMSG_DONE)
                return h->nlmsg_len >= NLMSG_LENGTH(sizeof(int)) && *(const int *)NLMSG_DATA(h) < 0
                           ? -1
                           : 0;
            if (h->nlmsg_type == NLMSG_ERROR)
                return -1;
            if (take_socket(h, &found))
                fn(ctx, &found);
        }
    }
}
