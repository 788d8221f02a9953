#include "run/wire.h"

#include <inttypes.h>

#include "record/stated.h"
#include "run/inject.h"
#include "run/trace.h"
#include "wire/ferry.h"

int stage_start_wire(struct stage *stage, struct error *err)
{
    const struct lab *lab = stage->lab;
    VEC(struct ferry_port) ports = {0};
    for (size_t h = 0; h < lab->hosts.n; h++) {
        for (size_t i = 0; i < lab->hosts.at[h].ifaces.n; i++) {
            const struct lab_iface *iface = &lab->hosts.at[h].ifaces.at[i];
            if (iface->net < 0 || !lab->nets.at[iface->net].wired)
                continue;
            int cable = stage_cable(lab, (int)h, (int)i);
            struct ferry_port *port = vec_add(&ports);
            *port =
                (struct ferry_port){.host = (int)h,
                                    .net = iface->net,
                                    .cable = {.netns = topo_ns_fd(stage->topo, (int)h),
                                              .end = topo_end(stage->topo, (int)h, cable),
                                              .switch_end = topo_port(stage->topo, (int)h, cable),
                                              .mtu = iface->mtu}};
            memcpy(port->mac, topo_mac(stage->topo, (int)h, cable), sizeof(port->mac));
        }
    }
    if (ports.n)
        stage->ferry = ferry_start(ports.at, ports.n, err);
    bool good = ports.n == 0 || stage->ferry;
    vec_free(&ports);
    return good ? 0 : -1;
}

int stage_play_wire(struct stage *stage, const struct lab_step *step, struct error *err)
{
    long index = step - stage->lab->steps.at;
    int ret = 0;
    if (step->wire.kind == LAB_WIRE_INJECT) {
        struct wire_segment segment;
        struct diags none = {.source = &stage->lab->source};
        ret = inject_read(stage->lab, &step->wire, &segment, &none) < 0
                  ? error_set(err, STATUS_USAGE, "it cannot be read")
                  : ferry_inject(stage->ferry, index, &step->wire, &segment, err);
        diags_free(&none);
    } else {
        ret = ferry_program(stage->ferry, index, &step->wire, err);
    }
    return ret < 0 ? error_wrap(err, "`%s`", step->text) : 0;
}

/* ------------------------------------------------------------------ the record --- */

/* What the timers beside the run saw (run/lateness.h) is in the record already; if that was
 * too much to be listed, nothing is. */
static void note_stalls(struct ferry *ferry, struct record *record)
{
    cleanup_free struct ferry_stall *stalls = NULL;
    size_t n = ferry_take_stalls(ferry, &stalls);
    bool listed = record->stalls.n > 0 || record->lateness <= RECORD_STALL_MIN;
    for (size_t i = 0; i < n; i++) {
        nsec late = stalls[i].to - stalls[i].from;
        if (late > record->lateness)
            record->lateness = late;
        if (listed)
            vec_push(&record->stalls,
                     ((struct record_stall){.from = stalls[i].from, .to = stalls[i].to}));
    }
    if (n == FERRY_STALLS_MAX || record->stalls.n > RECORD_STALLS_MAX)
        vec_free(&record->stalls);
}

void stage_note_wire(struct stage *stage, struct record *record)
{
    cleanup_free struct ferry_event *events = NULL;
    if (!stage->ferry)
        return;
    size_t n = ferry_take_events(stage->ferry, &events);
    trace_events(record, events, n);
    record_sort(record); /* what happened on two hops need not have been told in its order */
    stated_wires(record, stage->lab);
    note_stalls(stage->ferry, record);
    record->wire_dropped = ferry_dropped(stage->ferry);
}
