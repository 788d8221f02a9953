/* Theory of operation
 *
 * An interface with an IPv6 address joins the multicast groups by which neighbours
 * find it, and no setting keeps the kernel from reporting that (RFC 3810): once, two
 * to three ticks after its link is up, and again after a random part of
 * net.ipv6.conf.*.mldv2_unsolicited_report_interval, which topo.c makes so long that it
 * never happens.  The first report is waited for, so that it is over before anyone
 * captures.  No notification tells of it: only the packet itself does. */
#include "netns/mld.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/memory.h"

/* Offsets in an Ethernet frame with IPv6, a hop-by-hop header of 8 bytes, ICMPv6. */
enum { AT_ETHER_TYPE = 12, AT_NEXT_HEADER = 20, AT_OPTIONS_NEXT = 54, AT_ICMP_TYPE = 62 };
enum { HOP_BY_HOP = 0, ICMPV6 = 58, LISTENER_REPORT_V2 = 143 };

static int set_filter(int fd, struct sock_filter *code, unsigned short n)
{
    struct sock_fprog program = {.len = n, .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int mld_watch(int ifindex, struct error *err)
{
    struct sock_filter reports[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 9),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_ETHER_TYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 7),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_NEXT_HEADER),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOP_BY_HOP, 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_OPTIONS_NEXT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMPV6, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_ICMP_TYPE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LISTENER_REPORT_V2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL), /* else only what comes in */
                                  .sll_ifindex = ifindex};
    cleanup_fd int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0 || set_filter(fd, reports, ARRAY_SIZE(reports)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot open a packet socket");
    /* That the interface is still down is an error of the socket; take it. */
    int down;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &down, &(socklen_t){sizeof(down)});
    return steal_fd(&fd);
}

bool mld_await(int fd, nsec limit)
{
    struct timespec ts = {limit / NSEC_PER_SEC, limit % NSEC_PER_SEC};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready;
    do
        ready = ppoll(&p, 1, &ts, NULL);
    while (ready < 0 && errno == EINTR);
    /* It stays open, since closing it takes the kernel ten milliseconds; from now on
     * it takes nothing. */
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    set_filter(fd, nothing, ARRAY_SIZE(nothing));
    return ready == 1 && (p.revents & POLLIN);
}
