/* A ring shared with the kernel (TPACKET_V2, Documentation/networking/packet_mmap.rst): a
 * frame that comes is a slot whose status changes, and reading it costs no system call.
 * V3 delivers blocks, and makes the first frame of one wait for the others.
 *
 * TAP devices were measured too, when frames were still taken at the switch's end (two
 * hosts, segments of 1448 bytes, one connection, both processors): 640 Mbit/s, where packet
 * sockets on veth pairs made 640 Mbit/s; a round trip took 0.24 ms on average against
 * 0.27 ms.  They need /dev/net/tun and its module, which containers and small kernels do not
 * have; packet sockets are there wherever one can capture.
 *
 * Order.  A veth pair does not keep it: what leaves one end waits for the other on the CPU
 * that sent it (net/core/dev.c, netif_rx()), and an ACK that a timer sent on one CPU may be
 * overtaken by the FIN that a process sent after it on another.  So a frame is not taken
 * where it comes out, but where it goes in: at the host's end, as it is handed to the device
 * (dev_queue_xmit_nit()), which TCP does for a connection under the lock of its socket.  What
 * the pair then carries to the switch's end is nobody's; there frames are only put on.  What
 * a program sends past that place (PACKET_QDISC_BYPASS, AF_XDP) no capture at the host sees,
 * and neither does the wire.
 *
 * Time.  Captures ask the kernel for stamps (libpcap: SO_TIMESTAMPNS), so it stamps a frame
 * once for all packet sockets.  Until that is switched on, which it does in its own time,
 * each socket takes its own, and the one that was bound last comes first: capture points are
 * opened after the ports, so that a frame is never at the wire before it is at its sender. */
#include "wire/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/memory.h"

enum { RING_BYTES = 8 << 20, BLOCK_BYTES = 1 << 16, SMALLEST_SLOT = 2048, USUAL_MTU = 1500 };

static int set_option(int fd, int option, const void *value, socklen_t n, struct error *err)
{
    if (setsockopt(fd, SOL_PACKET, option, value, n) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot prepare a packet socket");
    return 0;
}

/* A slot has room for what the cable carries. */
static int map_ring(struct wire_port *port, unsigned mtu, struct error *err)
{
    /* Where tpacket_rcv() (net/packet/af_packet.c) puts the packet behind its Ethernet header. */
    const unsigned packet_at = TPACKET_ALIGN(TPACKET2_HDRLEN + 16);
    port->slot_size = SMALLEST_SLOT;
    while (port->slot_size < packet_at + mtu)
        port->slot_size *= 2;
    port->slots = RING_BYTES / port->slot_size;
    struct tpacket_req request = {.tp_block_size = BLOCK_BYTES,
                                  .tp_block_nr = RING_BYTES / BLOCK_BYTES,
                                  .tp_frame_size = port->slot_size,
                                  .tp_frame_nr = port->slots};
    const int version = TPACKET_V2;
    if (set_option(port->fd, PACKET_VERSION, &version, sizeof(version), err) < 0 ||
        set_option(port->fd, PACKET_RX_RING, &request, sizeof(request), err) < 0)
        return -1;
    void *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, port->fd, 0);
    if (ring == MAP_FAILED)
        return error_sys(err, STATUS_MACHINE, errno, "cannot map the ring of a packet socket");
    port->ring = ring;
    return 0;
}

/* No protocol yet: it must not hear other interfaces before it is bound. */
static int open_socket(struct error *err)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? error_sys(err, STATUS_MACHINE, errno, "cannot open a packet socket") : fd;
}

/* A socket stays in the namespace in which it was made. */
static int open_socket_in(int netns, struct error *err)
{
    cleanup_fd int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(netns, CLONE_NEWNET) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot enter a network namespace");
    cleanup_fd int fd = open_socket(err);
    if (setns(own, CLONE_NEWNET) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot leave a network namespace");
    return steal_fd(&fd);
}

static int bind_socket(int fd, int ifindex, int protocol, struct error *err)
{
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol), .sll_ifindex = ifindex};
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot bind a packet socket to a port");
    return 0;
}

/* Only what the host sends. */
static int hear_outgoing(int fd, struct error *err)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot prepare a packet socket");
    return 0;
}

int wire_port_open(struct wire_port *port, const struct wire_cable *cable, struct error *err)
{
    const int on = 1;
    const unsigned mtu = cable->mtu ? cable->mtu : USUAL_MTU;
    *port = (struct wire_port){.fd = open_socket_in(cable->netns, err),
                               .out_fd = -1,
                               .switch_end = cable->switch_end,
                               .longest = ETH_HLEN + mtu};
    if (port->fd < 0 || (port->out_fd = open_socket(err)) < 0 || hear_outgoing(port->fd, err) < 0 ||
        map_ring(port, mtu, err) < 0 ||
        set_option(port->out_fd, PACKET_QDISC_BYPASS, &on, sizeof(on), err) < 0 ||
        bind_socket(port->fd, cable->end, ETH_P_ALL, err) < 0 ||
        bind_socket(port->out_fd, cable->switch_end, 0, err) < 0) {
        wire_port_close(port);
        return -1;
    }
    return 0;
}

void wire_port_close(struct wire_port *port)
{
    if (port->ring)
        munmap(port->ring, RING_BYTES);
    if (port->fd >= 0)
        close(port->fd);
    if (port->out_fd >= 0)
        close(port->out_fd);
    *port = (struct wire_port){.fd = -1, .out_fd = -1};
}

static struct tpacket2_hdr *slot(const struct wire_port *port)
{
    return (struct tpacket2_hdr *)(void *)(port->ring + (size_t)port->next * port->slot_size);
}

bool wire_port_has(const struct wire_port *port)
{
    return __atomic_load_n(&slot(port)->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

const uint8_t *wire_port_take(struct wire_port *port, uint32_t *len, nsec *stamp)
{
    const struct tpacket2_hdr *h = slot(port);
    if (!wire_port_has(port))
        return NULL;
    *len = h->tp_len <= port->longest ? h->tp_len : 0;
    *stamp = (nsec)h->tp_sec * NSEC_PER_SEC + h->tp_nsec;
    return (const uint8_t *)h + h->tp_mac;
}

void wire_port_done(struct wire_port *port)
{
    __atomic_store_n(&slot(port)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    port->next = (port->next + 1) % port->slots;
}

/* Whether nobody is at the other end; not, if that cannot be found out. */
static bool lacks_carrier(const struct wire_port *port)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq r = {.ifr_ifindex = port->switch_end};
    if (ioctl(port->out_fd, SIOCGIFNAME, &r) < 0)
        return false;
    r.ifr_data = (void *)&link;
    return ioctl(port->out_fd, SIOCETHTOOL, &r) == 0 && !link.data;
}

static void note_unsent(struct wire_port *port)
{
    if (errno != ENETDOWN && errno != ENXIO && errno != EMSGSIZE)
        port->dropped += errno != ENOBUFS || !lacks_carrier(port);
}

void wire_port_send(struct wire_port *port, struct wire_frame *const *frames, unsigned n)
{
    struct mmsghdr messages[WIRE_BATCH];
    struct iovec data[WIRE_BATCH];
    for (unsigned i = 0; i < n; i++) {
        data[i] = (struct iovec){frames[i]->data, frames[i]->len};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &data[i], .msg_iovlen = 1}};
    }
    for (unsigned done = 0; done < n;) {
        /* Where one cannot be sent, it returns those before; the next call says why. */
        int sent = sendmmsg(port->out_fd, &messages[done], n - done, 0);
        if (sent > 0) {
            done += (unsigned)sent;
        } else {
            note_unsent(port);
            done++;
        }
    }
}

int wire_port_check(struct wire_port *port, struct error *err)
{
    int cause = 0;
    socklen_t n = sizeof(cause);
    getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &cause, &n);
    if (cause && cause != ENETDOWN)
        return error_sys(err, STATUS_MACHINE, cause, "a port of the wire has failed");
    return 0;
}

uint64_t wire_port_dropped(struct wire_port *port)
{
    struct tpacket_stats stats = {0};
    socklen_t n = sizeof(stats);
    getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &n);
    port->dropped += stats.tp_drops; /* the kernel counts from the last time it was asked */
    return port->dropped;
}
