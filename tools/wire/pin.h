/* Keeps frames that are sent soon after each other on one CPU.  What is sent through a veth
 * pair waits for the receiving side on the CPU that sent it (net/core/dev.c, netif_rx()), so
 * that two frames sent one after the other from two CPUs may change places. */
#ifndef WIRE_PIN_H
#define WIRE_PIN_H

#include <sched.h>
#include <stdbool.h>

#include "base/time.h"

/* Of the thread that sends; times are CLOCK_MONOTONIC. */
struct wire_pin {
    cpu_set_t cpus; /* those that it may have */
    bool pinned, sent_any;
    int cpu; /* of the last frame */
    nsec at; /* when that was sent */
};

/* Each is called in that thread. */
void wire_pin_init(struct wire_pin *pin);
/* Before it sends: stays on the CPU of the last frame, or may have all of them again. */
void wire_pin_keep(struct wire_pin *pin, nsec now);
/* When it has sent. */
void wire_pin_note(struct wire_pin *pin, nsec now);

#endif
