/* A reader of pcapng files for what libpcap does not tell: interfaces with their
 * names, to which one each frame belongs, its direction and its comment.
 * Format: draft-ietf-opsawg-pcapng. */
#ifndef CAPTURE_PCAPNG_READ_H
#define CAPTURE_PCAPNG_READ_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "decode/packet.h"

/* An interface of the file. */
struct pcapng_source {
    char *name, *filter; /* NULL: the file does not say */
    int linktype;        /* a DLT_* value */
    uint32_t snaplen;    /* 0: no limit */
    bool has_statistics; /* an Interface Statistics Block came; the last one counts */
    uint64_t received, dropped;
};

struct pcapng_packet {
    struct frame frame; /* its bytes last until the next call */
    size_t interface;   /* index among all interfaces of the file, over all sections */
    bool incoming, outgoing;
    const char *comment; /* the first; not terminated, NULL: none */
    size_t comment_len;
};

struct pcapng_reader;

/* Reads from a stream that can be rewound, which is closed in any case; `name` is what
 * messages call it.  NULL and STATUS_USAGE: cannot be read, is empty, or is no pcapng. */
struct pcapng_reader *pcapng_open(FILE *stream, const char *name, struct error *err);
void pcapng_close(struct pcapng_reader *reader);

/* The next packet: 1, or 0 at the end.  -1 and STATUS_USAGE where the file is cut off
 * or damaged, with the byte offset of the block; what came before was delivered. */
int pcapng_next(struct pcapng_reader *reader, struct pcapng_packet *packet, struct error *err);

/* The interfaces seen so far (statistics stand at the end of a file). */
size_t pcapng_interfaces(const struct pcapng_reader *reader);
const struct pcapng_source *pcapng_interface(const struct pcapng_reader *reader, size_t i);

#endif
