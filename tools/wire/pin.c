#include "wire/pin.h"

/* So long after a frame it may not have been taken in yet. */
static const nsec SAME_CPU = 20 * NSEC_PER_MSEC;

void wire_pin_init(struct wire_pin *pin)
{
    *pin = (struct wire_pin){0};
    sched_getaffinity(0, sizeof(pin->cpus), &pin->cpus);
}

void wire_pin_keep(struct wire_pin *pin, nsec now)
{
    bool soon = pin->sent_any && now - pin->at < SAME_CPU;
    cpu_set_t cpus = pin->cpus;
    if (soon == pin->pinned)
        return;
    if (soon) {
        CPU_ZERO(&cpus);
        CPU_SET((size_t)pin->cpu, &cpus);
    }
    pin->pinned = sched_setaffinity(0, sizeof(cpus), &cpus) == 0 && soon;
}

void wire_pin_note(struct wire_pin *pin, nsec now)
{
    pin->at = now;
    if (pin->pinned)
        return;
    int cpu = sched_getcpu();
    pin->sent_any = cpu >= 0 && cpu < CPU_SETSIZE;
    pin->cpu = cpu;
}
