/* Which frames a rule means, and how many of them have come. */
#ifndef WIRE_PICK_H
#define WIRE_PICK_H

#include <pcap/pcap.h>

#include "base/error.h"
#include "decode/packet.h"
#include "lab/wire.h"

struct wire_picker {
    const struct wire_pick *pick;
    uint16_t flags;
    struct bpf_program filter;
    uint64_t seen; /* frames that are so */
};

/* `pick` must outlive it. */
int wire_picker_init(struct wire_picker *picker, const struct wire_pick *pick, struct error *err);
void wire_picker_free(struct wire_picker *picker);

/* Whether a frame is so.  `first`: the sequence number that counts as 0 in its direction. */
bool wire_picker_means(const struct wire_picker *picker, const struct packet *p, uint32_t first);
/* Takes note of a frame: whether it is so, and one of those that count. */
bool wire_picker_takes(struct wire_picker *picker, const struct packet *p, uint32_t first);

#endif
