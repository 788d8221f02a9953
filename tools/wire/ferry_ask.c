/* What has become of what the ferry carried. */
#include "wire/ferry_parts.h"

bool ferry_is_idle(struct ferry *ferry)
{
    bool idle = true;
    ferry_lock(ferry);
    vec_each (&ferry->ways, way)
        idle = idle && lane_next(&way->lane) == NSEC_NEVER;
    vec_each (&ferry->ends, end)
        idle = idle && !wire_port_has(&end->port);
    ferry_unlock(ferry);
    return idle;
}

int ferry_check(struct ferry *ferry, struct error *err)
{
    ferry_lock(ferry);
    bool failed = error_is_set(&ferry->err);
    if (failed)
        error_set(err, ferry->err.status, "%s", ferry->err.message);
    ferry_unlock(ferry);
    return failed ? -1 : 0;
}

/* A frame that was changed is told of as it was sent: as the event of that change does. */
static void restore_sent(const struct ferry *ferry, struct ferry_event *stays)
{
    for (struct ferry_event *e = stays; e-- > ferry->events.at;) {
        if (e->number == stays->number && e->from == stays->from && e->to == stays->to) {
            stays->time = e->time;
            stays->frame = e->frame;
            return;
        }
    }
}

void ferry_note_staying(struct ferry *ferry)
{
    ferry_lock(ferry);
    ferry_take_all(ferry);
    size_t before = ferry->events.n;
    vec_each (&ferry->ways, way)
        lane_note_staying(&way->lane);
    for (size_t i = before; i < ferry->events.n; i++)
        restore_sent(ferry, &ferry->events.at[i]);
    ferry_unlock(ferry);
}

size_t ferry_take_events(struct ferry *ferry, struct ferry_event **events)
{
    ferry_lock(ferry);
    size_t n = ferry->events.n;
    *events = ferry->events.at;
    ferry->events.at = NULL;
    ferry->events.n = ferry->events.cap = 0;
    ferry_unlock(ferry);
    return n;
}

size_t ferry_take_stalls(struct ferry *ferry, struct ferry_stall **stalls)
{
    ferry_lock(ferry);
    size_t n = ferry->stalls.n;
    *stalls = ferry->stalls.at;
    ferry->stalls.at = NULL;
    ferry->stalls.n = ferry->stalls.cap = 0;
    ferry_unlock(ferry);
    return n;
}

uint64_t ferry_dropped(struct ferry *ferry)
{
    uint64_t n = 0;
    ferry_lock(ferry);
    vec_each (&ferry->ends, end)
        n += wire_port_dropped(&end->port);
    ferry_unlock(ferry);
    return n;
}
