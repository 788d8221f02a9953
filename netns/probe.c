/* Theory of operation
 *
 * To find out whether a lab can run, a small stage is built: two hosts, a switch, two
 * cables.  That leaves the host's network for good, so it is done in a child, which
 * sends what it found through a pipe, one probe a line, fields parted by tabs.  When
 * a step fails, those that build on it are reported as not tried. */
#include "netns/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/program.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "netns/ns.h"
#include "netns/topo.h"
#include "netns/tune.h"

enum { NEEDED = 1, EXTRA = 0, LIMIT_MS = 10000, MAX_BYTES = 65536 };

/* The greatest window that a scale of 7 can express; a larger net.core.rmem_max,
 * which belongs to the whole machine, makes Linux choose a larger scale. */
static const long SCALE_7_BYTES = 65535L << 7;

/* ------------------------------------------------------------- in the child */

static void add_field(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        strbuf_putc(out, *p == '\t' || *p == '\n' ? ' ' : *p);
}

static void add_probe(struct strbuf *out, const char *name, bool needed, bool ok,
                      const char *detail, const char *mend)
{
    add_field(out, name);
    strbuf_printf(out, "\t%d\t%d\t", needed, ok);
    add_field(out, detail);
    strbuf_putc(out, '\t');
    add_field(out, ok || !mend ? "" : mend);
    strbuf_putc(out, '\n');
}

static void add_error(struct strbuf *out, const char *name, struct error *err)
{
    add_probe(out, name, NEEDED, false, err->message,
              err->hint ? err->hint : "see the message beside it");
    error_clear(err);
}

static void read_line(const char *path, char *text, size_t size)
{
    text[0] = '\0';
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

static void probe_kernel(struct strbuf *out)
{
    struct utsname name;
    uname(&name);
    unsigned major = 0, minor = 0;
    sscanf(name.release, "%u.%u", &major, &minor);
    cleanup_free char *release = xasprintf("Linux %s, %s", name.release, name.machine);
    add_probe(out, "kernel", NEEDED, major > 5 || (major == 5 && minor >= 6), release,
              "Linux 5.6 or newer is needed (offloads are switched off by ethtool netlink)");

    struct strbuf tick cleanup_strbuf = STRBUF_INIT;
    strbuf_duration(&tick, clock_tick());
    strbuf_printf(&tick, " (HZ=%lld)", (long long)(NSEC_PER_SEC / clock_tick()));
    add_probe(out, "timer tick", EXTRA, true, strbuf_cstr(&tick), NULL);

    char source[64];
    read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", source,
              sizeof(source));
    add_probe(out, "clock source", EXTRA, true, *source ? source : "unknown", NULL);

    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    cleanup_free char *count = xasprintf("%ld", cpus);
    add_probe(out, "processors", EXTRA, true, count, NULL);
}

/* As an ordinary user, or root without the capabilities, this is the only way. */
static void probe_user_ns(struct strbuf *out)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER) < 0 ? errno : 0);
    int status = 0;
    bool ran = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    bool ok = ran && WEXITSTATUS(status) == 0;
    const char *obstacle = ns_obstacle();
    cleanup_free char *detail =
        ok ? xstrdup("can be made")
           : xasprintf("cannot be made: %s", ran ? strerror(WEXITSTATUS(status)) : "no process");
    add_probe(out, "user namespaces", EXTRA, ok, detail,
              obstacle ? obstacle : "not needed as root; a container's profile may forbid them");
}

static struct topo *probe_namespaces(struct strbuf *out, struct error *err)
{
    struct topo *topo = topo_new(err);
    if (!topo || topo_add_host(topo, "a", false, err) < 0 ||
        topo_add_host(topo, "b", false, err) < 0) {
        add_error(out, "network namespaces", err);
        topo_free(topo);
        return NULL;
    }
    cleanup_free char *way = xasprintf("as %s", topo_in_user_ns(topo) ? "root of a user namespace"
                                                                      : "root of this machine");
    add_probe(out, "network namespaces", NEEDED, true, way, NULL);
    add_probe(out, "offloads", NEEDED, true, "can be switched off by ethtool netlink", NULL);
    return topo;
}

static void probe_cables(struct strbuf *out, struct topo *topo, struct error *err)
{
    static const char *const addresses[] = {"10.0.0.1", "10.0.0.2"};
    if (topo_add_switch(topo, "switch", err) < 0) {
        error_hint(err, "`modprobe bridge` as root, or a kernel with CONFIG_BRIDGE");
        add_error(out, "bridge", err);
        return;
    }
    add_probe(out, "bridge", NEEDED, true, "can be made", NULL);
    for (int host = 0; host < 2; host++) {
        struct topo_addr a = {.prefix = 24};
        ipaddr_parse(&a.addr, addresses[host], strlen(addresses[host]));
        if (topo_add_cable(topo, host, 0, &a, 1, 0, err) < 0) {
            error_hint(err, "`modprobe veth` as root, or a kernel with CONFIG_VETH");
            add_error(out, "veth", err);
            return;
        }
    }
    nsec start = clock_ns(CLOCK_MONOTONIC);
    if (topo_up(topo, 2 * NSEC_PER_SEC, err) < 0) {
        add_error(out, "veth", err);
        return;
    }
    struct strbuf time cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&time, "can be made; two cables were up after ");
    strbuf_approx(&time, clock_ns(CLOCK_MONOTONIC) - start);
    add_probe(out, "veth", NEEDED, true, strbuf_cstr(&time), NULL);
}

static void note_absent(void *ctx, const char *key, const char *value, bool absent)
{
    struct strbuf *names = ctx;
    (void)value;
    if (!absent)
        return;
    strbuf_puts(names, names->len ? ", " : "not in this kernel: ");
    strbuf_puts(names, key);
}

static void probe_sysctls(struct strbuf *out, struct topo *topo, struct error *err)
{
    struct strbuf absent cleanup_strbuf = STRBUF_INIT;
    if (tune_baseline(topo, 0, note_absent, &absent, err) < 0) {
        add_error(out, "sysctls", err);
        return;
    }
    add_probe(out, "sysctls", NEEDED, true,
              absent.len ? strbuf_cstr(&absent) : "all of the baseline, reno too", NULL);
}

static void probe_sockets(struct strbuf *out, struct topo *topo, struct error *err)
{
    if (topo_enter(topo, 0, err) < 0) {
        add_error(out, "packet sockets", err);
        return;
    }
    cleanup_fd int packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    add_probe(out, "packet sockets", NEEDED, packet >= 0,
              packet >= 0 ? "can be opened" : strerror(errno),
              "a kernel with CONFIG_PACKET (`modprobe af_packet` as root)");

    int on = 1;
    cleanup_fd int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool repair = tcp >= 0 && setsockopt(tcp, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) == 0;
    add_probe(out, "TCP_REPAIR", EXTRA, repair,
              repair ? "a socket can vanish in silence" : strerror(errno),
              "labs with `vanish` need a kernel with CONFIG_CHECKPOINT_RESTORE");

    cleanup_fd int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ipv6 = six >= 0 && topo_has_sysctl("net.ipv6.conf.all.disable_ipv6");
    add_probe(out, "IPv6", EXTRA, ipv6, ipv6 ? "there" : "missing",
              "a kernel with CONFIG_IPV6, booted without ipv6.disable=1");
}

static void probe_window_scale(struct strbuf *out)
{
    char text[32];
    read_line("/proc/sys/net/core/rmem_max", text, sizeof(text));
    bool ok = strtol(text, NULL, 10) <= SCALE_7_BYTES;
    cleanup_free char *detail = xasprintf("net.core.rmem_max is %s", *text ? text : "unknown");
    cleanup_free char *mend = xasprintf("above %ld a SYN shows a greater wscale than 7: `sysctl -w "
                                        "net.core.rmem_max=4194304` as root",
                                        SCALE_7_BYTES);
    add_probe(out, "window scale", EXTRA, ok, detail, mend);
}

static void probe_tun(struct strbuf *out)
{
    cleanup_fd int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    add_probe(out, "TUN", EXTRA, fd >= 0, fd >= 0 ? "can be opened" : strerror(errno),
              "`modprobe tun` as root, and /dev/net/tun open to this user");
}

static void probe_programs(struct strbuf *out)
{
    static const char *const programs[][2] = {{"tcpdump", "tcpdump"},
                                              {"tshark", "tshark"},
                                              {"nc", "netcat-openbsd"},
                                              {"telnet", "telnet"},
                                              {"iperf", "iperf"},
                                              {"ss", "iproute2"},
                                              {"qemu-system-x86_64", "qemu-system-x86"}};
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        /* Where Debian keeps some of them, which an ordinary user's PATH does not name. */
        cleanup_free char *where = program_find(programs[i][0], "/usr/sbin:/sbin");
        cleanup_free char *mend = xasprintf("`apt-get install %s` (Debian's name)", programs[i][1]);
        add_probe(out, programs[i][0], EXTRA, where, where ? where : "not installed", mend);
    }
}

static void probe_all(struct strbuf *out)
{
    struct error err = ERROR_INIT;
    probe_kernel(out);
    probe_window_scale(out);
    probe_user_ns(out);
    probe_tun(out);
    struct topo *topo = probe_namespaces(out, &err);
    if (topo) {
        probe_sysctls(out, topo, &err);
        probe_cables(out, topo, &err);
        probe_sockets(out, topo, &err);
        topo_free(topo);
    } else {
        static const char *const rest[] = {"offloads", "sysctls", "bridge", "veth",
                                           "packet sockets"};
        for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
            add_probe(out, rest[i], NEEDED, false, "not tried", "namespaces come first");
    }
    probe_programs(out);
}

static _Noreturn void run_child(int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct strbuf out = STRBUF_INIT;
    probe_all(&out);
    size_t done = 0;
    while (done < out.len) {
        ssize_t n = write(fd, out.data + done, out.len - done);
        if (n <= 0)
            _exit(1);
        done += (size_t)n;
    }
    _exit(0);
}

/* ------------------------------------------------------------- in the parent */

static void parse_line(struct probes *probes, char *line)
{
    char *field[5];
    for (size_t i = 0; i < ARRAY_SIZE(field); i++)
        field[i] = strsep(&line, "\t");
    if (!field[4])
        return;
    struct probe *p = vec_add(&probes->list);
    p->name = xstrdup(field[0]);
    p->needed = *field[1] == '1';
    p->ok = *field[2] == '1';
    p->detail = xstrdup(field[3]);
    p->mend = p->ok ? NULL : xstrdup(field[4]);
}

/* Until the child closes its end. */
static int read_all(int fd, struct strbuf *text, struct error *err)
{
    nsec end = clock_ns(CLOCK_MONOTONIC) + LIMIT_MS * NSEC_PER_MSEC;
    for (;;) {
        nsec left = end - clock_ns(CLOCK_MONOTONIC);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = left <= 0 ? 0 : poll(&p, 1, (int)(left / NSEC_PER_MSEC) + 1);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return error_set(err, STATUS_MACHINE, "the machine could not be probed within 10s");
        char buffer[4096];
        ssize_t n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || text->len + (size_t)n > MAX_BYTES)
            return error_sys(err, STATUS_MACHINE, n < 0 ? errno : EFBIG, "cannot read the probes");
        if (n == 0)
            return 0;
        strbuf_add(text, buffer, (size_t)n);
    }
}

int probe_machine(struct probes *probes, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a pipe");
    cleanup_fd int from = ends[0];
    pid_t pid = fork();
    if (pid == 0)
        run_child(ends[1]);
    close(ends[1]);
    if (pid < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make a process");

    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    int rc = read_all(from, &text, err);
    if (rc < 0)
        kill(pid, SIGKILL);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (rc < 0)
        return -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, STATUS_MACHINE, "the process that probes the machine died");
    char *rest = text.data;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
        parse_line(probes, line);
    return 0;
}

bool probes_can_run(const struct probes *probes)
{
    vec_each (&probes->list, p)
        if (p->needed && !p->ok)
            return false;
    return probes->list.n > 0;
}

void probes_free(struct probes *probes)
{
    vec_each (&probes->list, p) {
        free(p->name);
        free(p->detail);
        free(p->mend);
    }
    vec_free(&probes->list);
}
