/* tcplab decode: a capture file in tcpdump's words. */

#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/number.h"
#include "capture/file.h"
#include "cmd.h"
#include "decode/flows.h"
#include "transcript/print.h"

static const char usage[] =
    "usage: tcplab decode [OPTIONS] FILE [FILTER EXPRESSION]\n"
    "\n"
    "Prints the packets of a capture file (pcap or pcapng, - for standard input) as\n"
    "`tcpdump -n -r FILE` does, up to the length of what TCP and UDP carry.\n"
    "\n"
    "  -c COUNT  stop after COUNT packets\n"
    "  -n        addresses and ports as numbers (always so)\n"
    "  -r FILE   the file, if it is not the first argument\n"
    "  -S        sequence numbers as they are, not relative to the connection's first\n"
    "  -t        no time stamps\n"
    "  -tt       seconds since 1970\n"
    "  -ttt      time since the packet before\n"
    "  -tttt     date and time\n"
    "  -ttttt    time since the first packet\n"
    "  -v        also the IP header, and whether checksums are right\n"
    "  --help    this text\n"
    "\n"
    "pcap-filter(7) describes filter expressions.  Exit status 2: the file could not\n"
    "be read, or not to its end.\n";

enum time_style {
    TIME_CLOCK,
    TIME_NONE,
    TIME_UNIX,
    TIME_SINCE_LAST,
    TIME_DATE,
    TIME_SINCE_FIRST,
    TIME_STYLES
};

struct options {
    const char *path;
    char *filter;  /* owned */
    int64_t count; /* 0: no limit */
    enum time_style time;
    bool absolute, verbose;
};

struct decoder {
    struct options options;
    struct flows *flows;
    struct print_style style;
    struct strbuf line;
    nsec reference; /* the first packet's or the last one's, in microseconds; 0: none yet */
    time_t shown;   /* the second whose text is in `clock` */
    char clock[32];
};

/* -------------------------------------------------------------------- arguments */

enum parsed { PARSED_RUN, PARSED_HELP, PARSED_WRONG };

static enum parsed parse_options(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {0}};
    int c, time = TIME_CLOCK;
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    while ((c = getopt_long(argc, argv, ":c:nr:Stv", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            if (parse_number(optarg, 1, INT64_MAX, &o->count))
                break;
            cmd_usage_error("decode", "-c needs a number of packets, not \"%s\"", optarg);
            return PARSED_WRONG;
        case 'n':
            break;
        case 'r':
            o->path = optarg;
            break;
        case 'S':
            o->absolute = true;
            break;
        case 't':
            time++;
            break;
        case 'v':
            o->verbose = true;
            break;
        case 'h':
            return PARSED_HELP;
        default:
            cmd_option_error("decode", c, argv);
            return PARSED_WRONG;
        }
    }
    if (time >= TIME_STYLES) {
        cmd_usage_error("decode", "at most five -t");
        return PARSED_WRONG;
    }
    o->time = (enum time_style)time;
    if (!o->path && optind < argc)
        o->path = argv[optind++];
    if (!o->path) {
        cmd_usage_error("decode", "which file?");
        return PARSED_WRONG;
    }
    /* tcpdump's way: the words of an expression need no quotes around them all. */
    struct strbuf filter = STRBUF_INIT;
    strbuf_join(&filter, argv + optind, argc - optind);
    o->filter = strbuf_steal(&filter);
    return PARSED_RUN;
}

/* ------------------------------------------------------------------------- time */

enum { USEC_PER_SEC = 1000000 };

static void print_of_day(struct decoder *d, time_t seconds, bool date, bool local)
{
    struct tm tm;
    if (seconds != d->shown || !d->clock[0]) {
        if (!(local ? localtime_r(&seconds, &tm) : gmtime_r(&seconds, &tm)) ||
            strftime(d->clock, sizeof(d->clock), "%Y-%m-%d %H:%M:%S", &tm) == 0)
            snprintf(d->clock, sizeof(d->clock), "? ?");
        d->shown = seconds;
    }
    strbuf_puts(&d->line, date ? d->clock : strchr(d->clock, ' ') + 1);
}

static void print_time(struct decoder *d, nsec stamp)
{
    /* What tcpdump has by default: microseconds, the rest cut off. */
    int64_t usec = stamp / NSEC_PER_USEC;
    enum time_style style = d->options.time;
    if (style == TIME_NONE)
        return;
    if (style == TIME_SINCE_LAST || style == TIME_SINCE_FIRST) {
        int64_t reference = d->reference ? d->reference : usec;
        if (style == TIME_SINCE_LAST || !d->reference)
            d->reference = usec;
        usec -= reference;
        strbuf_putc(&d->line, usec < 0 ? '-' : ' ');
        if (usec < 0)
            usec = -usec;
    }
    time_t seconds = (time_t)(usec / USEC_PER_SEC);
    if (seconds & 0x80000000) {
        strbuf_puts(&d->line, "[Error converting time] ");
        return;
    }
    if (style == TIME_UNIX)
        strbuf_printf(&d->line, "%u", (unsigned)seconds);
    else
        print_of_day(d, seconds, style == TIME_DATE, style == TIME_CLOCK || style == TIME_DATE);
    strbuf_printf(&d->line, ".%06u ", (unsigned)(usec % USEC_PER_SEC));
}

/* ----------------------------------------------------------------------- packets */

static void number(void *ctx, const struct packet *p, struct print_style *style)
{
    struct decoder *d = ctx;
    struct flow_bases bases = flows_number(d->flows, p);
    style->seq_base = bases.seq;
    style->ack_base = bases.ack;
    style->sack_base = bases.sack;
}

/* tcpdump takes the index for one of the machine that reads the file. */
static bool interface_name(void *ctx, struct strbuf *sb, uint32_t ifindex)
{
    char name[IF_NAMESIZE];
    (void)ctx;
    if (!if_indextoname(ifindex, name))
        return false;
    strbuf_puts(sb, name);
    return true;
}

static void print_frame(struct decoder *d, const struct frame *frame)
{
    strbuf_truncate(&d->line, 0);
    if (!print_bad_frame(&d->line, frame)) {
        struct packet p;
        print_time(d, frame->time);
        packet_decode(&p, frame);
        print_packet(&d->line, &p, &d->style);
    }
    strbuf_putc(&d->line, '\n');
    fwrite(d->line.data, 1, d->line.len, stdout);
}

static int decode_file(struct decoder *d, struct error *err)
{
    struct capture_file *file cleanup_capture_file =
        capture_file_open(d->options.path, d->options.filter, err);
    if (!file)
        return -1;
    bool live = strcmp(d->options.path, "-") == 0; /* perhaps another tcpdump's, still at work */
    int64_t n = 0;
    struct frame frame;
    int got = 0;
    while ((n < d->options.count || d->options.count == 0) &&
           (got = capture_file_next(file, &frame, err)) > 0) {
        print_frame(d, &frame);
        n++;
        if (live)
            fflush(stdout);
        if (ferror(stdout))
            break;
    }
    return got < 0 ? -1 : 0;
}

int cmd_decode(int argc, char **argv)
{
    struct decoder d = {.style = {.iface = interface_name}};
    struct error err = ERROR_INIT;
    enum parsed parsed = parse_options(&d.options, argc, argv);
    if (parsed == PARSED_HELP)
        fputs(usage, stdout);
    if (parsed != PARSED_RUN)
        return parsed == PARSED_HELP ? STATUS_PASSED : STATUS_USAGE;
    d.flows = flows_new();
    d.style.ctx = &d;
    d.style.number = d.options.absolute ? NULL : number;
    d.style.checksums = d.options.verbose;
    int failed = decode_file(&d, &err);
    flows_free(d.flows);
    strbuf_free(&d.line);
    free(d.options.filter);
    return failed ? cmd_fail(&err) : STATUS_PASSED;
}
