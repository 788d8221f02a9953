/* tcplab guest: the first process of a kernel that `tcplab run --kernel` has booted.
 * Nobody types it. */

#include <stdio.h>

#include "cmd.h"
#include "kernel/guest.h"
#include "netns/probe.h"

/* Whether labs can run in this kernel at all; otherwise the first thing that they lack. */
static int check_machine(struct error *err)
{
    struct probes probes = {0};
    if (probe_machine(&probes, err) < 0)
        return -1;
    vec_each (&probes.list, p) {
        if (p->ok || !p->needed || error_is_set(err))
            continue;
        error_set(err, STATUS_MACHINE, "this kernel has no %s: %s", p->name, p->detail);
        error_hint(err, "labs need it: build it in, or give the kernel's modules with "
                        "--modules DIR");
    }
    probes_free(&probes);
    return error_is_set(err) ? -1 : 0;
}

int cmd_guest(int argc, char **argv)
{
    struct guest guest;
    struct error err = ERROR_INIT;
    (void)argc;
    (void)argv;
    if (getpid() != 1) {
        fputs("tcplab guest: this is for the first process of a booted kernel only\n"
              "hint: `tcplab run --kernel IMAGE LAB` boots one\n",
              stderr);
        return STATUS_USAGE;
    }
    if (guest_set_up(&guest, &err) < 0 || check_machine(&err) < 0 || guest_play(&guest, &err) < 0)
        guest_say_cannot(&guest, &err);
    else
        guest_say_done(&guest);
    guest_power_off(&guest);
}
