/* Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng), which
 * libpcap can read but not write: one section, several named interfaces,
 * nanosecond stamps, directions and comments. */
#ifndef CAPTURE_PCAPNG_WRITE_H
#define CAPTURE_PCAPNG_WRITE_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/time.h"
#include "decode/packet.h"

/* Texts are UTF-8 and may be NULL, which leaves the option out everywhere below. */
struct pcapng_section {
    const char *hardware, *os, *application;
};

struct pcapng_interface {
    const char *name, *description;
    const char *filter; /* in the language of libpcap */
    int linktype;       /* a DLT_* value */
    uint32_t snaplen;   /* 0: no limit */
};

enum pcapng_direction { PCAPNG_UNKNOWN = 0, PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng_stats {
    nsec began, ended; /* stamps */
    uint64_t received, dropped;
};

/* Plain values; nothing to free.  The stream stays the caller's. */
struct pcapng_writer {
    FILE *to;
    uint32_t n_interfaces;
};

/* Each returns 0 (pcapng_add_interface: the interface's number, from 0), or -1 with
 * STATUS_MACHINE when the stream cannot be written, STATUS_USAGE when a value has no
 * place in the format: a stamp before 1970, an interface that was not added. */
int pcapng_begin(struct pcapng_writer *w, FILE *to, const struct pcapng_section *section,
                 struct error *err);
int pcapng_add_interface(struct pcapng_writer *w, const struct pcapng_interface *interface,
                         struct error *err);
int pcapng_add_packet(struct pcapng_writer *w, int interface, const struct frame *frame,
                      enum pcapng_direction direction, const char *comment, struct error *err);
/* What libpcap counted at an interface; belongs behind its packets. */
int pcapng_add_stats(struct pcapng_writer *w, int interface, const struct pcapng_stats *stats,
                     struct error *err);

#endif
