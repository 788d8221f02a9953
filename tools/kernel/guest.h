/* Inside a guest: its first process sets the machine up, plays the labs of its job in
 * turn, sends what each left, and ends the machine.  kernel/boot.c is the other side. */
#ifndef KERNEL_GUEST_H
#define KERNEL_GUEST_H

#include "base/error.h"
#include "kernel/job.h"

struct guest {
    int line; /* the serial port for messages; -1: none */
    uint32_t sent;
    struct kernel_job job;
};

/* Mounts what programs expect, opens the line, loads the modules of the root and reads
 * the job. */
int guest_set_up(struct guest *guest, struct error *err);

/* Says that no lab can be played, and why; where nobody can hear it, on the console. */
void guest_say_cannot(struct guest *guest, const struct error *why);

/* Says that it is up and plays all labs. */
int guest_play(struct guest *guest, struct error *err);

/* Says that all is done. */
void guest_say_done(struct guest *guest);

/* Waits until the line is empty and ends the machine. */
_Noreturn void guest_power_off(struct guest *guest);

#endif
