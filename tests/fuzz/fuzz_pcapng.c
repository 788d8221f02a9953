/* Any bytes as a pcapng file, in both readers. */
#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/file.h"
#include "capture/pcapng_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const void *at, size_t n)
{
    static volatile uint8_t sink;
    for (size_t i = 0; i < n; i++)
        sink = ((const uint8_t *)at)[i];
    (void)sink;
}

static void read_packets(const char *path)
{
    struct error err = ERROR_INIT;
    struct pcapng_packet p;
    struct pcapng_reader *r = pcapng_open(fopen(path, "rbe"), path, &err);
    while (r && pcapng_next(r, &p, &err) > 0) {
        read_all(p.frame.data, p.frame.caplen);
        read_all(p.comment, p.comment_len);
        if (p.interface >= pcapng_interfaces(r))
            abort();
    }
    pcapng_close(r);
    error_clear(&err);
}

static void read_frames(const char *path)
{
    struct error err = ERROR_INIT;
    struct frame frame;
    struct capture_file *f = capture_file_open(path, "tcp", &err);
    while (f && capture_file_next(f, &frame, &err) > 0)
        read_all(frame.data, frame.caplen);
    capture_file_close(f);
    error_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_packets(path);
    read_frames(path);
    close(fd);
    return 0;
}
