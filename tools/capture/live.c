/* Theory of operation.
 *
 * A point is a libpcap handle in immediate mode, that is a TPACKET_V2 ring: slots
 * of one size, which the kernel fills and libpcap empties, so that a frame can be
 * read as soon as it was stamped.  Each slot has room for snaplen bytes; that is
 * why the snaplen follows the MTU here.  Fresh memory is what a large ring costs:
 * 16 MiB are 2 ms of a warm machine, and 60 ms of a virtual one that must first get
 * the pages from its host.
 *
 * Filter.  libpcap binds first and installs the filter next.  Frames of the moment
 * between are in the ring; set_kernel_filter() in pcap-linux.c first installs a
 * filter that refuses everything, and pcap_setfilter_linux() then has the frames that
 * stand in the ring filtered in user space.  So none slips through unfiltered.
 *
 * Direction.  The kernel knows it (sll_pkttype), libpcap does not hand it out for
 * Ethernet.  Two handles, one each way, would take twice the memory and lose the
 * order between them.  On a point-to-point cable the source address says the same: a
 * frame from the interface's own address is outgoing, all others came in.  On lo
 * every frame is both, and libpcap shows it once; cooked captures carry the type.
 *
 * Time, measured on Linux 6.18 with HZ=250.  Opening waits for one RCU grace period
 * (PACKET_RX_RING: packet_set_ring() in net/packet/af_packet.c, 8 to 16 ms; all else
 * together 0.7 ms), closing for two (packet_release(): one for the ring, one for the
 * socket, 22 to 32 ms).  Binding waits for none, since libpcap makes its socket with
 * protocol 0.  No order of calls avoids the grace periods, but they run side by side:
 * hence one thread a point.  Two points open in 13 to 16 ms and close in 31 ms.
 * live_close_behind() returns after 1.5 ms: a child holds the last reference to the
 * sockets, and waits in our place. */
#include "capture/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/memory.h"

enum {
    RING_MAX = 16 << 20,  /* of the default */
    SLOT_HEADER = 96,     /* tpacket2_hdr, sockaddr_ll and alignment, about */
    LINK_HEADER = 14 + 8, /* Ethernet with two VLAN tags */
    READ_MAX = 1 << 16,   /* frames of one live_read() */
    NSEC_OF_USEC = 1000,
};

struct live {
    pcap_t *pcap;
    int linktype;
    int stamp_unit; /* nanoseconds of one unit of tv_usec */
    bool loopback, only_own;
    uint8_t address[6];
    uint64_t received;
    /* During live_read(): */
    live_fn *fn;
    void *ctx;
};

/* What the interface is: asked through a socket of the calling thread's namespace. */
static void ask_interface(struct live *live, const char *iface, int *mtu)
{
    struct ifreq req = {0};
    int fd cleanup_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *mtu = LIVE_SNAPLEN;
    if (fd < 0 || strlen(iface) >= sizeof(req.ifr_name))
        return;
    memcpy(req.ifr_name, iface, strlen(iface));
    if (ioctl(fd, SIOCGIFMTU, &req) == 0)
        *mtu = req.ifr_mtu;
    if (ioctl(fd, SIOCGIFHWADDR, &req) == 0) {
        live->loopback = req.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
        memcpy(live->address, req.ifr_hwaddr.sa_data, sizeof(live->address));
    }
}

static void configure(struct live *live, const struct live_point *point)
{
    int mtu;
    ask_interface(live, point->iface, &mtu);
    live->only_own = point->only_own;
    int snaplen = point->snaplen;
    if (snaplen <= 0)
        snaplen = mtu < LIVE_SNAPLEN - LINK_HEADER ? mtu + LINK_HEADER : LIVE_SNAPLEN;
    size_t ring = point->ring;
    if (ring == 0) {
        ring = (size_t)LIVE_FRAMES * ((size_t)snaplen + SLOT_HEADER);
        if (ring > RING_MAX)
            ring = RING_MAX;
    }
    pcap_set_snaplen(live->pcap, snaplen);
    pcap_set_buffer_size(live->pcap, ring < INT_MAX ? (int)ring : INT_MAX);
    pcap_set_promisc(live->pcap, 0);
    pcap_set_immediate_mode(live->pcap, 1);
    pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static int activate(struct live *live, const char *iface, struct error *err)
{
    int status = pcap_activate(live->pcap);
    if (status >= 0) {
        /* For "any": version 2 has the interface's number, and is what tcpdump takes. */
        if (pcap_datalink(live->pcap) == DLT_LINUX_SLL)
            pcap_set_datalink(live->pcap, DLT_LINUX_SLL2);
        return 0;
    }
    const char *detail = pcap_geterr(live->pcap);
    if (status == PCAP_ERROR_NO_SUCH_DEVICE)
        return error_set(err, STATUS_USAGE, "there is no interface \"%s\"", iface);
    error_set(err, STATUS_MACHINE, "cannot capture on %s: %s", iface,
              status == PCAP_ERROR || !*pcap_statustostr(status) ? detail
                                                                 : pcap_statustostr(status));
    if (status == PCAP_ERROR_PERM_DENIED)
        error_hint(err, "capturing takes CAP_NET_RAW: be root, or work in a user namespace "
                        "(`unshare -rn`)");
    return -1;
}

static int install_filter(struct live *live, const char *filter, struct error *err)
{
    struct bpf_program program;
    if (!filter)
        filter = "";
    if (pcap_compile(live->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        return error_set(err, STATUS_USAGE, "filter \"%s\": %s", filter, pcap_geterr(live->pcap));
    int status = pcap_setfilter(live->pcap, &program);
    pcap_freecode(&program);
    if (status < 0)
        return error_set(err, STATUS_MACHINE, "cannot install filter \"%s\": %s", filter,
                         pcap_geterr(live->pcap));
    return 0;
}

static int prepare(struct live *live, const struct live_point *point, struct error *err)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    configure(live, point);
    if (activate(live, point->iface, err) < 0 || install_filter(live, point->filter, err) < 0)
        return -1;
    if (pcap_setnonblock(live->pcap, 1, text) < 0)
        return error_set(err, STATUS_MACHINE, "cannot capture on %s: %s", point->iface, text);
    fcntl(pcap_fileno(live->pcap), F_SETFD, FD_CLOEXEC); /* libpcap does not */
#ifdef PACKET_IGNORE_OUTGOING
    int on = 1; /* libpcap drops these on lo in user space, after they took a slot */
    if (live->loopback)
        setsockopt(pcap_fileno(live->pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
#endif
    live->linktype = pcap_datalink(live->pcap);
    live->stamp_unit =
        pcap_get_tstamp_precision(live->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : NSEC_OF_USEC;
    return 0;
}

static struct live *open_here(const struct live_point *point, struct error *err)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    struct live *live = xcalloc(1, sizeof(*live));
    live->pcap = pcap_create(point->iface, text);
    if (!live->pcap)
        error_set(err, STATUS_MACHINE, "cannot capture on %s: %s", point->iface, text);
    else if (prepare(live, point, err) == 0)
        return live;
    live_close(live);
    return NULL;
}

/* One point's thread: to open in the namespace of point, or to close. */
struct job {
    pthread_t thread;
    bool started;
    const struct live_point *point;
    struct live *live;
    struct error err;
};

static void *open_job(void *arg)
{
    struct job *job = arg;
    if (job->point->netns >= 0 && setns(job->point->netns, CLONE_NEWNET) < 0)
        error_sys(&job->err, STATUS_MACHINE, errno, "cannot enter a network namespace");
    else
        job->live = open_here(job->point, &job->err);
    return NULL;
}

static void *close_job(void *arg)
{
    struct job *job = arg;
    live_close(job->live);
    return NULL;
}

/* Runs all jobs side by side; false if a thread could not be started (its job has
 * not run).  The threads take no signals: those are for the caller's signalfd. */
static bool run_jobs(struct job *jobs, size_t n, void *(*run)(void *))
{
    sigset_t all, old;
    bool complete = true;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    for (size_t i = 0; i < n; i++)
        jobs[i].started = pthread_create(&jobs[i].thread, NULL, run, &jobs[i]) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].started)
            pthread_join(jobs[i].thread, NULL);
        complete &= jobs[i].started;
    }
    return complete;
}

int live_open_many(const struct live_point *points, size_t n, struct live **opened,
                   struct error *err)
{
    struct job *jobs cleanup_free = xcalloc(n, sizeof(*jobs));
    for (size_t i = 0; i < n; i++)
        jobs[i].point = &points[i];
    if (!run_jobs(jobs, n, open_job))
        error_set(err, STATUS_MACHINE, "cannot start a thread to open a capture point");
    for (size_t i = 0; i < n; i++) {
        opened[i] = jobs[i].live;
        if (error_is_set(&jobs[i].err)) {
            if (!error_is_set(err)) {
                *err = jobs[i].err;
                continue;
            }
            error_clear(&jobs[i].err);
        }
    }
    if (!error_is_set(err))
        return 0;
    live_close_many(opened, n);
    return -1;
}

struct live *live_open(const struct live_point *point, struct error *err)
{
    if (point->netns < 0)
        return open_here(point, err);
    struct live *live = NULL;
    live_open_many(point, 1, &live, err);
    return live;
}

int live_fd(const struct live *live)
{
    return pcap_get_selectable_fd(live->pcap);
}

int live_linktype(const struct live *live)
{
    return live->linktype;
}

/* Whether a frame that came in is for another host's card: a switch floods what it has no
 * port for, packet sockets see it, and no network card would take it. */
static bool is_for_others(const struct live *live, const u_char *bytes)
{
    bool group = bytes[0] & 1;
    return !group && memcmp(bytes, live->address, sizeof(live->address)) != 0;
}

/* sll_pkttype of a cooked frame, -1 if it is none. */
static int cooked_type(const struct live *live, const struct pcap_pkthdr *h, const u_char *bytes)
{
    if (live->linktype == DLT_LINUX_SLL && h->caplen >= 2)
        return bytes[0] << 8 | bytes[1];
    if (live->linktype == DLT_LINUX_SLL2 && h->caplen >= 11)
        return bytes[10];
    return -1;
}

static void hand_over(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct live *live = (struct live *)user;
    struct frame frame = {
        .time = (nsec)h->ts.tv_sec * NSEC_PER_SEC + (nsec)h->ts.tv_usec * live->stamp_unit,
        .wirelen = h->len,
        .caplen = h->caplen,
        .data = bytes,
        .linktype = live->linktype,
    };
    bool outgoing = live->loopback;
    bool incoming = outgoing;
    int type = cooked_type(live, h, bytes);
    if (type >= 0) {
        outgoing = type == PACKET_OUTGOING;
        incoming = !outgoing;
    } else if (!live->loopback && live->linktype == DLT_EN10MB && h->caplen >= 12) {
        outgoing = memcmp(bytes + 6, live->address, sizeof(live->address)) == 0;
        incoming = !outgoing;
        if (incoming && live->only_own && is_for_others(live, bytes))
            return;
    }
    live->received++;
    live->fn(live->ctx, &frame, outgoing, incoming);
}

int live_read(struct live *live, live_fn *fn, void *ctx, struct error *err)
{
    int total = 0, n;
    live->fn = fn;
    live->ctx = ctx;
    do {
        n = pcap_dispatch(live->pcap, READ_MAX - total, hand_over, (u_char *)live);
        if (n < 0)
            return error_set(err, STATUS_MACHINE, "capture failed: %s", pcap_geterr(live->pcap));
        total += n;
    } while (n > 0 && total < READ_MAX);
    return total;
}

void live_stats(const struct live *live, uint64_t *received, uint64_t *dropped)
{
    struct pcap_stat s = {0};
    pcap_stats(live->pcap, &s);
    *received = live->received;
    *dropped = (uint64_t)s.ps_drop + s.ps_ifdrop;
}

void live_close(struct live *live)
{
    if (!live)
        return;
    if (live->pcap)
        pcap_close(live->pcap);
    free(live);
}

void live_close_many(struct live **points, size_t n)
{
    struct job *jobs cleanup_free = xcalloc(n, sizeof(*jobs));
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (points[i])
            jobs[used++].live = points[i];
        points[i] = NULL;
    }
    if (used == 1) {
        live_close(jobs[0].live);
        return;
    }
    run_jobs(jobs, used, close_job);
    for (size_t i = 0; i < used; i++)
        if (!jobs[i].started)
            live_close(jobs[i].live);
}

/* Closes every descriptor but the capture points' and `pipe`. */
static void keep_only(struct live *const *points, size_t n, int pipe)
{
    int from = 0;
    for (;;) {
        int next = pipe >= from ? pipe : INT_MAX;
        for (size_t i = 0; i < n; i++) {
            int fd = points[i] ? pcap_fileno(points[i]->pcap) : -1;
            if (fd >= from && fd < next)
                next = fd;
        }
        if (next > from)
            close_range((unsigned)from, next == INT_MAX ? UINT_MAX : (unsigned)next - 1, 0);
        if (next == INT_MAX)
            return;
        from = next + 1;
    }
}

/* The child must not be the first to let go, or the parent would wait after all: it
 * waits for the end of the pipe, which the parent closes behind the points.  It was
 * forked from a process that may have threads, so it makes system calls only. */
static _Noreturn void hold_until_closed(struct live *const *points, size_t n, int pipe)
{
    char c;
    keep_only(points, n, pipe);
    while (read(pipe, &c, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

void live_close_behind(struct live **points, size_t n)
{
    int ends[2];
    pid_t pid = -1;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        live_close_many(points, n);
        return;
    }
    pid = fork(); /* twice, so that nobody has to wait for the second */
    if (pid == 0) {
        close(ends[1]);
        if (fork() == 0)
            hold_until_closed(points, n, ends[0]);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(ends[0]);
    live_close_many(points, n);
    close(ends[1]);
}
