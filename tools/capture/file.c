#include "capture/file.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <string.h>

#include "base/memory.h"

struct capture_file {
    pcap_t *pcap;
    char *path;
    int linktype;
    struct bpf_program filter;
    bool has_filter;
};

static const char *shown(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* libpcap's messages are about the right thing, in its own words. */
static int fail_open(struct error *err, const char *path, const char *why)
{
    if (strstr(why, "unknown file format"))
        return error_set(err, STATUS_USAGE, "%s is no capture file: neither pcap nor pcapng",
                         shown(path));
    if (strstr(why, "truncated dump file"))
        return error_set(err, STATUS_USAGE, "%s is cut off inside its file header", shown(path));
    return error_set(err, STATUS_USAGE, "%s: %s", shown(path), why);
}

static bool is_empty(FILE *stream)
{
    int c = getc(stream);
    if (c == EOF)
        return !ferror(stream);
    ungetc(c, stream);
    return false;
}

static pcap_t *open_pcap(const char *path, struct error *err)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    bool from_stdin = strcmp(path, "-") == 0;
    FILE *stream = from_stdin ? stdin : fopen(path, "rbe");
    if (!stream) {
        error_sys(err, STATUS_USAGE, errno, "%s", path);
        return NULL;
    }
    pcap_t *pcap = NULL;
    if (is_empty(stream))
        error_set(err, STATUS_USAGE, "%s is empty: a capture has at least a file header",
                  shown(path));
    else if (ferror(stream))
        error_sys(err, STATUS_USAGE, errno, "%s", shown(path));
    else
        pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, why);
    if (pcap)
        return pcap;
    if (!error_is_set(err))
        fail_open(err, path, why);
    if (!from_stdin)
        fclose(stream);
    return NULL;
}

static int set_filter(struct capture_file *file, const char *filter, struct error *err)
{
    if (!filter || !*filter)
        return 0;
    if (pcap_compile(file->pcap, &file->filter, filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
        error_set(err, STATUS_USAGE, "filter \"%s\": %s", filter, pcap_geterr(file->pcap));
        return error_hint(err, "pcap-filter(7) describes filter expressions");
    }
    file->has_filter = true;
    return 0;
}

struct capture_file *capture_file_open(const char *path, const char *filter, struct error *err)
{
    pcap_t *pcap = open_pcap(path, err);
    if (!pcap)
        return NULL;
    struct capture_file *file = xcalloc(1, sizeof(*file));
    file->pcap = pcap;
    file->path = xstrdup(path);
    file->linktype = pcap_datalink(pcap);
    if (set_filter(file, filter, err) == 0)
        return file;
    capture_file_close(file);
    return NULL;
}

void capture_file_close(struct capture_file *file)
{
    if (!file)
        return;
    if (file->has_filter)
        pcap_freecode(&file->filter);
    pcap_close(file->pcap);
    free(file->path);
    free(file);
}

int capture_file_linktype(const struct capture_file *file)
{
    return file->linktype;
}

/* With nanosecond precision, tv_usec holds nanoseconds. */
static nsec stamp(const struct pcap_pkthdr *header)
{
    nsec time;
    if (__builtin_mul_overflow((nsec)header->ts.tv_sec, NSEC_PER_SEC, &time) ||
        __builtin_add_overflow(time, (nsec)header->ts.tv_usec, &time))
        return NSEC_NEVER;
    return time;
}

int capture_file_next(struct capture_file *file, struct frame *frame, struct error *err)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    for (;;) {
        int got = pcap_next_ex(file->pcap, &header, &data);
        if (got == PCAP_ERROR_BREAK)
            return 0;
        if (got != 1) {
            const char *why = pcap_geterr(file->pcap);
            bool cut = strstr(why, "truncated");
            error_set(err, STATUS_USAGE, "%s is %s: %s", shown(file->path),
                      cut ? "cut off" : "damaged", why);
            return error_hint(err, "all frames before that place have been read");
        }
        if (file->has_filter && !pcap_offline_filter(&file->filter, header, data))
            continue;
        *frame = (struct frame){
            .time = stamp(header),
            .wirelen = header->len,
            .caplen = header->caplen,
            .data = data,
            .linktype = file->linktype,
        };
        return 1;
    }
}
