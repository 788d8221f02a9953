/* sniffer: the capture of the labs as a program; prints what tcpdump -n prints. */

#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>

#include "base/loop.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/version.h"
#include "capture/live.h"
#include "capture/pcapng_write.h"
#include "decode/flows.h"
#include "transcript/print.h"

static const char help[] =
    "usage: sniffer [OPTIONS] [FILTER…]\n"
    "\n"
    "Captures at a network interface and prints packets as `tcpdump -n` does, until\n"
    "it is interrupted (Ctrl-C).  FILTER is a filter expression such as `tcp port\n"
    "1234`.\n"
    "\n"
    "  -i IFACE      the interface; `any` for all (default: the first that is up, or\n"
    "                lo)\n"
    "  -c N          end after N packets\n"
    "  -s BYTES      keep so many bytes of a packet (default: the interface's MTU;\n"
    "                with -w, whole packets)\n"
    "  -w FILE       write a pcapng file (`-`: to standard output), do not print\n"
    "      --print   print as well\n"
    "  -S            sequence numbers as they are, not relative to the connection's\n"
    "                first\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 interrupted, or N packets seen; 2 wrong usage; 3 this machine\n"
    "refuses (not permitted, interface down, disk full …)\n";

enum {
    WHOLE = 65535 + 14,    /* snaplen with -w: packets of any length */
    WHOLE_RING = 32 << 20, /* and the buffer for them */
};

struct sniffer {
    char *iface, *filter;
    int snaplen;
    int64_t wanted; /* 0: no limit */
    const char *path;
    bool print, absolute;

    struct loop *loop;
    struct live *live;
    FILE *file; /* of -w */
    struct pcapng_writer writer;
    nsec began;
    int64_t seen;
    struct flows *flows;
    struct strbuf line;
    struct error err;
};

static int fail(struct error *err)
{
    int status = err->status;
    fflush(stdout);
    fprintf(stderr, "sniffer: %s\n", err->message);
    if (err->hint)
        fprintf(stderr, "hint: %s\n", err->hint);
    error_clear(err);
    return status;
}

/* ------------------------------------------------------------------ packets --- */

static bool iface_name(void *ctx, struct strbuf *sb, uint32_t ifindex)
{
    char name[IF_NAMESIZE];
    (void)ctx;
    if (!if_indextoname(ifindex, name))
        return false;
    strbuf_puts(sb, name);
    return true;
}

static void number(void *ctx, const struct packet *p, struct print_style *style)
{
    struct sniffer *s = ctx;
    struct flow_bases bases = flows_number(s->flows, p);
    style->seq_base = bases.seq;
    style->ack_base = bases.ack;
    style->sack_base = bases.sack;
}

static void print_frame(struct sniffer *s, const struct frame *frame)
{
    struct print_style style = {
        .iface = iface_name, .number = s->absolute ? NULL : number, .ctx = s};
    time_t seconds = (time_t)(frame->time / NSEC_PER_SEC);
    struct packet packet;
    struct tm tm;
    char clock[16];
    strbuf_truncate(&s->line, 0);
    if (!localtime_r(&seconds, &tm) || !strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
        clock[0] = '\0';
    strbuf_printf(&s->line, "%s.%06" PRId64 " ", clock, frame->time % NSEC_PER_SEC / NSEC_PER_USEC);
    packet_decode(&packet, frame);
    print_packet(&s->line, &packet, &style);
    puts(strbuf_cstr(&s->line));
}

static void on_frame(void *ctx, const struct frame *frame, bool outgoing, bool incoming)
{
    struct sniffer *s = ctx;
    if (s->wanted && s->seen == s->wanted)
        return;
    s->seen++;
    enum pcapng_direction direction = outgoing == incoming ? PCAPNG_UNKNOWN
                                      : outgoing           ? PCAPNG_OUTBOUND
                                                           : PCAPNG_INBOUND;
    if (s->file)
        pcapng_add_packet(&s->writer, 0, frame, direction, NULL, &s->err);
    if (s->print)
        print_frame(s, frame);
}

static void flush(struct sniffer *s, FILE *to, const char *name)
{
    if (to && (fflush(to) != 0 || ferror(to)))
        error_sys(&s->err, STATUS_MACHINE, errno, "cannot write to %s", name);
}

static void on_readable(void *ctx, int fd, uint32_t events)
{
    struct sniffer *s = ctx;
    (void)fd;
    (void)events;
    live_read(s->live, on_frame, s, &s->err);
    flush(s, s->print ? stdout : NULL, "standard output");
    flush(s, s->file, s->path);
    if (error_is_set(&s->err) || (s->wanted && s->seen == s->wanted))
        loop_stop(s->loop);
}

static void on_signal(void *ctx, int signo)
{
    struct sniffer *s = ctx;
    (void)signo;
    loop_stop(s->loop);
}

/* ------------------------------------------------------------ begin and end --- */

/* The first interface that is up and no loopback, else lo. */
static char *default_iface(void)
{
    struct ifaddrs *all = NULL;
    char *name = NULL;
    if (getifaddrs(&all) == 0)
        for (struct ifaddrs *a = all; a && !name; a = a->ifa_next)
            if ((a->ifa_flags & (IFF_UP | IFF_RUNNING | IFF_LOOPBACK)) == (IFF_UP | IFF_RUNNING))
                name = xstrdup(a->ifa_name);
    if (all)
        freeifaddrs(all);
    return name ? name : xstrdup("lo");
}

static int begin_file(struct sniffer *s)
{
    struct pcapng_section section = {.application = "sniffer " TCPLAB_VERSION};
    struct pcapng_interface interface = {.name = s->iface,
                                         .filter = *s->filter ? s->filter : NULL,
                                         .linktype = live_linktype(s->live),
                                         .snaplen = (uint32_t)s->snaplen};
    if (!s->path)
        return 0;
    s->file = strcmp(s->path, "-") == 0 ? stdout : fopen(s->path, "we");
    if (!s->file)
        return error_sys(&s->err, STATUS_MACHINE, errno, "cannot write %s", s->path);
    if (pcapng_begin(&s->writer, s->file, &section, &s->err) < 0 ||
        pcapng_add_interface(&s->writer, &interface, &s->err) < 0)
        return -1;
    flush(s, s->file, s->path);
    return error_is_set(&s->err) ? -1 : 0;
}

static int begin(struct sniffer *s)
{
    struct live_point point = {.netns = -1,
                               .iface = s->iface,
                               .filter = s->filter,
                               .snaplen = s->snaplen,
                               .ring = s->path ? WHOLE_RING : 0};
    s->flows = flows_new();
    s->loop = loop_new(&s->err);
    if (!s->loop || !loop_add_signal(s->loop, SIGINT, on_signal, s, &s->err) ||
        !loop_add_signal(s->loop, SIGTERM, on_signal, s, &s->err))
        return -1;
    s->live = live_open(&point, &s->err);
    if (!s->live)
        return -1;
    s->began = clock_ns(CLOCK_REALTIME);
    if (begin_file(s) < 0 ||
        !loop_add_fd(s->loop, live_fd(s->live), EPOLLIN, on_readable, s, &s->err))
        return -1;
    fprintf(stderr, "sniffer: listening on %s%s%s\n", s->iface, *s->filter ? ", filter: " : "",
            s->filter);
    return 0;
}

/* What came until now still counts; then the statistics. */
static void end(struct sniffer *s)
{
    struct pcapng_stats stats = {.began = s->began, .ended = clock_ns(CLOCK_REALTIME)};
    live_read(s->live, on_frame, s, &s->err);
    live_stats(s->live, &stats.received, &stats.dropped);
    stats.received = s->seen;
    if (s->file)
        pcapng_add_stats(&s->writer, 0, &stats, &s->err);
    flush(s, s->print ? stdout : NULL, "standard output");
    flush(s, s->file, s->path);
    fprintf(stderr, "sniffer: %" PRIu64 " packet%s captured, %" PRIu64 " dropped%s\n", s->seen,
            s->seen == 1 ? "" : "s", stats.dropped,
            stats.dropped ? ": they came faster than they could be read" : "");
}

/* ------------------------------------------------------------------ options --- */

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "sniffer: %s%s%s\nhint: `sniffer --help` lists what it takes\n", what,
            *word ? " " : "", word);
    return STATUS_USAGE;
}

/* 0: go on; -1: done (--help); else the status to exit with. */
static int parse_options(struct sniffer *s, int argc, char **argv)
{
    static const struct option options[] = {
        {"print", no_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int64_t number = 0;
    struct strbuf filter = STRBUF_INIT;
    bool print = false;
    for (int c; (c = getopt_long(argc, argv, "+i:c:s:w:Sh", options, NULL)) != -1;) {
        if (c == 'i') {
            free(s->iface);
            s->iface = xstrdup(optarg);
        } else if (c == 'c' && !parse_number(optarg, 1, INT64_MAX, &s->wanted)) {
            return usage("no number of packets:", optarg);
        } else if (c == 's' && !parse_number(optarg, 1, 262144, &number)) {
            return usage("no number of bytes from 1 to 262144:", optarg);
        } else if (c == 'w') {
            s->path = optarg;
        } else if (c == 'p') {
            print = true;
        } else if (c == 'S') {
            s->absolute = true;
        } else if (c == 'h') {
            return fputs(help, stdout), -1;
        } else if (c == '?') {
            return STATUS_USAGE;
        }
    }
    s->print = print || !s->path;
    s->snaplen = number ? (int)number : s->path ? WHOLE : 0;
    strbuf_join(&filter, argv + optind, argc - optind);
    s->filter = strbuf_steal(&filter);
    if (!s->iface)
        s->iface = default_iface();
    if (s->path && strcmp(s->path, "-") == 0) {
        if (print)
            return usage("--print and -w - both take standard output", "");
        if (isatty(STDOUT_FILENO))
            return usage("a capture file is nothing for a terminal: redirect it, or -w FILE", "");
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sniffer s = {.err = ERROR_INIT};
    int status = parse_options(&s, argc, argv);
    if (status == 0) {
        if (begin(&s) == 0) {
            loop_run(s.loop, &s.err);
            end(&s);
        }
        if (error_is_set(&s.err))
            status = fail(&s.err);
    }
    if (s.file && s.file != stdout)
        fclose(s.file);
    live_close_behind(&s.live, 1);
    loop_free(s.loop);
    flows_free(s.flows);
    strbuf_free(&s.line);
    free(s.iface);
    free(s.filter);
    return status < 0 ? STATUS_PASSED : status;
}
