/* What the wire is worth, in numbers: one line "NAME VALUE" for each, for bench_wire.sh.
 *
 * Two hosts, UDP from one to the other; a frame's travel is the time from just before the
 * call that sent it to the receiving kernel's stamp.  What else runs on the machine spoils
 * some of the measurements, so each is the median of five: of travels, five series of 2000.
 *
 *   bridge_p50, bridge_p99       travel over the kernel's bridge, us
 *   wire_p50, wire_p99           over a wire without properties
 *   delay_p50, delay_p99         over a wire of 10 ms, less those 10 ms
 *   netem_p50, netem_p99         over the bridge and netem of 10 ms, less those 10 ms;
 *                                absent where the kernel has no netem
 *   rate_error                   of a wire of 100 Mbit/s, percent
 *   packets, megabits            a second, that the ferry carries on one processor: frames of
 *                                1514 bytes, by the processor time of its thread, in which the
 *                                kernel hands them to the receiving host as well
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "netns/topo.h"
#include "wire/ferry.h"

enum { HOSTS = 2, PORT = 9, PROBES = 2000, PROBE_BYTES = 64, FULL = 1472, FULL_FRAME = 1514 };
enum { MEASUREMENTS = 5 };
static const nsec PROBE_GAP = NSEC_PER_MSEC, DELAY = 10 * NSEC_PER_MSEC;
static const uint64_t RATE = 100 * 1000 * 1000;
/* What is sent meanwhile, and waits in the queue then, fits into the receiving socket. */
static const nsec RATE_FLOOD = 200 * NSEC_PER_MSEC;

static struct error err = ERROR_INIT;

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench-wire: %s: %s\n", what,
            error_is_set(&err) ? err.message : strerror(errno));
    exit(1);
}

/* ------------------------------------------------------------------ the stage --- */

static struct topo_addr address(int host)
{
    struct topo_addr a = {.prefix = 24};
    cleanup_free char *text = xasprintf("10.0.0.%d", host + 1);
    check(ipaddr_parse(&a.addr, text, strlen(text)), "address");
    return a;
}

static struct topo *build(bool wired)
{
    struct topo *topo = topo_new(&err);
    check(topo, "topo");
    check((wired ? topo_add_open_switch : topo_add_switch)(topo, "net", &err) == 0, "switch");
    for (int h = 0; h < HOSTS; h++) {
        struct topo_addr a = address(h);
        cleanup_free char *name = xasprintf("host%d", h);
        check(topo_add_host(topo, name, false, &err) == h, "host");
        check(topo_add_cable(topo, h, 0, &a, 1, 0, &err) == 0, "cable");
    }
    for (int h = 0; h < HOSTS; h++) {
        struct topo_addr peer = address(!h);
        check(topo_add_neighbour(topo, h, !h, &peer.addr, &err) == 0, "neighbour");
    }
    check(topo_up(topo, 5 * NSEC_PER_SEC, &err) == 0, "up");
    return topo;
}

static struct ferry *start(const struct topo *topo)
{
    struct ferry_port ports[HOSTS];
    for (int h = 0; h < HOSTS; h++) {
        ports[h] = (struct ferry_port){.host = h,
                                       .cable = {.netns = topo_ns_fd(topo, h),
                                                 .end = topo_end(topo, h, 0),
                                                 .switch_end = topo_port(topo, h, 0)}};
        memcpy(ports[h].mac, topo_mac(topo, h, 0), sizeof(ports[h].mac));
    }
    struct ferry *ferry = ferry_start(ports, HOSTS, &err);
    check(ferry, "ferry");
    return ferry;
}

static void program(struct ferry *ferry, struct wire_properties properties)
{
    static struct lab_wire w;
    w = (struct lab_wire){.kind = LAB_WIRE_PROPERTIES, .from = 0, .to = 1};
    w.properties = properties;
    check(ferry_program(ferry, 0, &w, &err) == 0, "program");
}

static struct sockaddr_in to_address(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    a.sin_addr.s_addr = htonl(0x0a000002);
    return a;
}

static int open_sender(const struct topo *topo)
{
    struct sockaddr_in to = to_address();
    check(topo_enter(topo, 0, &err) == 0, "enter");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "sender");
    return fd;
}

static int open_receiver(const struct topo *topo)
{
    struct sockaddr_in to = to_address();
    const int on = 1, room = 4 << 20;
    check(topo_enter(topo, 1, &err) == 0, "enter");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "receiver");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    check(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0, "time stamps");
    return fd;
}

/* When the next datagram came, by the kernel's stamp, and when it was sent; false if none
 * comes for so long. */
static bool receive(int fd, nsec limit, nsec *sent, nsec *came)
{
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec data = {sent, sizeof(*sent)};
    struct msghdr m = {.msg_iov = &data,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, (int)(limit / NSEC_PER_MSEC)) != 1 || recvmsg(fd, &m, 0) < 0)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    struct timespec ts = {0};
    check(c && c->cmsg_type == SCM_TIMESTAMPNS, "a stamp");
    if (!c)
        return false;
    memcpy(&ts, CMSG_DATA(c), sizeof(ts));
    *came = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
    return true;
}

/* ------------------------------------------------------------------- travels --- */

static int compare(const void *a, const void *b)
{
    nsec x = *(const nsec *)a, y = *(const nsec *)b;
    return (x > y) - (x < y);
}

static void await(nsec moment)
{
    struct timespec ts = {moment / NSEC_PER_SEC, moment % NSEC_PER_SEC};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        continue;
}

static nsec median(nsec *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare);
    return values[n / 2];
}

static void measure_series(int from, int to, nsec less, nsec *p50, nsec *p99)
{
    static nsec travels[PROBES];
    size_t n = 0;
    nsec next = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < PROBES; i++, next += PROBE_GAP) {
        nsec probe[PROBE_BYTES / sizeof(nsec)] = {0};
        await(next);
        probe[0] = clock_ns(CLOCK_REALTIME);
        check(send(from, probe, sizeof(probe), 0) == sizeof(probe), "send");
        nsec sent, came;
        while (n < PROBES && receive(to, 0, &sent, &came))
            travels[n++] = came - sent - less;
    }
    nsec sent, came;
    while (n < PROBES && receive(to, 100 * NSEC_PER_MSEC, &sent, &came))
        travels[n++] = came - sent - less;
    check(n == PROBES, "some probes did not arrive");
    *p50 = median(travels, n);
    *p99 = travels[n * 99 / 100];
}

static void measure_travel(const struct topo *topo, const char *name, nsec less)
{
    int from = open_sender(topo), to = open_receiver(topo);
    nsec p50[MEASUREMENTS], p99[MEASUREMENTS];
    for (int i = 0; i < MEASUREMENTS; i++)
        measure_series(from, to, less, &p50[i], &p99[i]);
    printf("%s_p50 %.1f\n%s_p99 %.1f\n", name, (double)median(p50, MEASUREMENTS) / 1e3, name,
           (double)median(p99, MEASUREMENTS) / 1e3);
    close(from);
    close(to);
}

/* On host 0's interface; false where there is no such thing. */
static bool add_netem(const struct topo *topo)
{
    check(topo_enter(topo, 0, &err) == 0, "enter");
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execlp("tc", "tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "10ms", NULL);
        _exit(1);
    }
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* ---------------------------------------------------------- rate and throughput --- */

static nsec processor_time(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NSEC_PER_SEC +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NSEC_PER_USEC;
}

/* As fast as it goes; the number of datagrams. */
static uint64_t flood(int fd, nsec duration)
{
    static char data[FULL];
    uint64_t n = 0;
    for (nsec end = clock_ns(CLOCK_MONOTONIC) + duration; clock_ns(CLOCK_MONOTONIC) < end; n++)
        if (send(fd, data, sizeof(data), 0) < 0 && errno != ENOBUFS)
            break;
    return n;
}

static uint64_t frames_received(const struct topo *topo)
{
    uint64_t n = 0;
    char line[512];
    check(topo_enter(topo, 1, &err) == 0, "enter");
    FILE *f = fopen("/proc/thread-self/net/dev", "re");
    check(f, "/proc/net/dev");
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, " eth0: %*u %" SCNu64, &n) == 1)
            break;
    fclose(f);
    return n;
}

static void measure_rate(const struct topo *topo, struct ferry *ferry)
{
    program(ferry, (struct wire_properties){
                       .has = WIRE_HAS_RATE | WIRE_HAS_QUEUE, .rate = RATE, .queue = 1000});
    int from = open_sender(topo), to = open_receiver(topo);
    nsec sent, first, last = 0;
    flood(from, RATE_FLOOD);
    check(receive(to, NSEC_PER_SEC, &sent, &first), "nothing came");
    uint64_t n = 0;
    for (nsec came; receive(to, 100 * NSEC_PER_MSEC, &sent, &came); n++)
        last = came;
    double bits = (double)n * FULL_FRAME * 8, seconds = (double)(last - first) / 1e9;
    printf("rate_error %.3f\n", 100 * (bits / seconds / (double)RATE - 1));
    close(from);
    close(to);
    program(ferry, (struct wire_properties){.has = WIRE_HAS_RATE | WIRE_HAS_QUEUE});
}

/* Frames a second of the ferry's processor time. */
static nsec measure_flood(const struct topo *topo, struct ferry *ferry, int from)
{
    uint64_t before = frames_received(topo);
    nsec all = processor_time(RUSAGE_SELF), mine = processor_time(RUSAGE_THREAD);
    flood(from, NSEC_PER_SEC);
    while (!ferry_is_idle(ferry))
        await(clock_ns(CLOCK_MONOTONIC) + NSEC_PER_MSEC);
    nsec ferry_time = processor_time(RUSAGE_SELF) - all - (processor_time(RUSAGE_THREAD) - mine);
    check(ferry_time > 0, "processor time");
    return (nsec)(frames_received(topo) - before) * NSEC_PER_SEC / ferry_time;
}

static void measure_throughput(const struct topo *topo, struct ferry *ferry)
{
    int from = open_sender(topo), to = open_receiver(topo);
    nsec a_second[MEASUREMENTS];
    for (int i = 0; i < MEASUREMENTS; i++)
        a_second[i] = measure_flood(topo, ferry, from);
    nsec frames = median(a_second, MEASUREMENTS);
    printf("packets %" PRId64 "\nmegabits %.0f\n", frames, (double)frames * FULL_FRAME * 8 / 1e6);
    close(from);
    close(to);
}

/* Each stage leaves the process where it is, so each has a process of its own. */
static void in_child(void (*body)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    int status = 1;
    if (pid == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a part failed");
}

static void over_bridge(void)
{
    struct topo *topo = build(false);
    measure_travel(topo, "bridge", 0);
    if (add_netem(topo))
        measure_travel(topo, "netem", DELAY);
    topo_free(topo);
}

static void over_wire(void)
{
    struct topo *topo = build(true);
    struct ferry *ferry = start(topo);
    measure_travel(topo, "wire", 0);
    program(ferry, (struct wire_properties){.has = WIRE_HAS_DELAY, .delay = DELAY});
    measure_travel(topo, "delay", DELAY);
    program(ferry, (struct wire_properties){.has = WIRE_HAS_DELAY});
    measure_rate(topo, ferry);
    measure_throughput(topo, ferry);
    ferry_stop(ferry);
    topo_free(topo);
}

int main(void)
{
    in_child(over_bridge);
    in_child(over_wire);
    return 0;
}
