/* Capture files (pcap, pcapng) through libpcap, one frame at a time. */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include "base/error.h"
#include "decode/packet.h"

struct capture_file;

/* Opens a file ("-": standard input) and compiles `filter` (NULL or "": all frames).
 * NULL: STATUS_USAGE, the file cannot be read, is empty, is no capture, or the
 * filter is wrong. */
struct capture_file *capture_file_open(const char *path, const char *filter, struct error *err);
void capture_file_close(struct capture_file *file);
#define cleanup_capture_file __attribute__((cleanup(capture_file_close_p)))
static inline void capture_file_close_p(struct capture_file *const *file)
{
    capture_file_close(*file);
}

int capture_file_linktype(const struct capture_file *file);

/* The next frame that passes the filter: 1, or 0 at the end; its bytes last until
 * the next call.  -1 and STATUS_USAGE where the file is cut off or broken: what came
 * before has been delivered. */
int capture_file_next(struct capture_file *file, struct frame *frame, struct error *err);

#endif
