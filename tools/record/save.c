#include "record/save.h"

#include <errno.h>

#include "base/strbuf.h"
#include "capture/pcapng_write.h"
#include "record/event_names.h"
#include "record/json.h"
#include "record/state_json.h"
#include "record/wire_json.h"

/* ------------------------------------------------------------------ packets */

static int write_interfaces(struct pcapng_writer *w, const struct record *r, struct error *err)
{
    vec_each (&r->points, point) {
        cleanup_strbuf struct strbuf description = STRBUF_INIT;
        if (point->host >= 0)
            strbuf_printf(&description, "%s of %s", point->iface ? point->iface : "an interface",
                          r->hosts.at[point->host].name);
        struct pcapng_interface interface = {
            .name = point->name,
            .description = description.len ? description.data : NULL,
            .filter = point->filter && *point->filter ? point->filter : NULL,
            .linktype = point->linktype,
        };
        if (pcapng_add_interface(w, &interface, err) < 0)
            return -1;
    }
    return 0;
}

static enum pcapng_direction direction_of(const struct record_packet *packet)
{
    if (packet->outgoing)
        return PCAPNG_OUTBOUND;
    return packet->incoming ? PCAPNG_INBOUND : PCAPNG_UNKNOWN;
}

int record_write_capture(FILE *to, const struct record *r, char *const *comments, struct error *err)
{
    cleanup_free char *os = r->kernel ? xasprintf("Linux %s", r->kernel) : NULL;
    cleanup_free char *application = r->version ? xasprintf("tcplab %s", r->version) : NULL;
    struct pcapng_section section = {.hardware = r->machine, .os = os, .application = application};
    struct pcapng_writer w;
    if (pcapng_begin(&w, to, &section, err) < 0 || write_interfaces(&w, r, err) < 0)
        return -1;
    for (size_t i = 0; i < r->packets.n; i++) {
        const struct record_packet *packet = &r->packets.at[i];
        if (pcapng_add_packet(&w, packet->point, &packet->frame, direction_of(packet),
                              comments ? comments[i] : NULL, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < r->points.n; i++) {
        const struct record_point *point = &r->points.at[i];
        struct pcapng_stats stats = {r->began, r->ended, point->received, point->dropped};
        if (pcapng_add_stats(&w, (int)i, &stats, err) < 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------- events */

static json_t *host_name(const struct record *r, int host)
{
    return host < 0 ? json_null() : json_cstr(r->hosts.at[host].name);
}

static json_t *call_to_json(const struct record *r, const struct record_call *call)
{
    json_t *o = json_object();
    json_object_set_new(o, "type", json_string("call"));
    json_object_set_new(o, "host", host_name(r, call->host));
    json_object_set_new(o, "as", json_cstr(call->as));
    json_object_set_new(o, "verb", json_cstr(call->verb));
    json_object_set_new(o, "args", json_cstr(call->args));
    json_object_set_new(o, "began_ns", json_integer(call->began));
    json_object_set_new(o, "ended_ns", call->ended ? json_integer(call->ended) : json_null());
    json_object_set_new(o, "failed", json_boolean(call->failed));
    json_object_set_new(o, "value", json_integer(call->value));
    json_object_set_new(o, "errno", json_integer(call->errnum));
    json_object_set_new(o, "error", json_cstr(call->failed ? strerrorname_np(call->errnum) : NULL));
    json_object_set_new(o, "text", json_bytes(call->text, call->text_len));
    json_object_set_new(o, "expected", json_cstr(call->expected));
    json_object_set_new(o, "as_stated", json_boolean(call->as_stated));
    json_object_set_new(o, "step", json_integer((json_int_t)call->step));
    return o;
}

static json_t *event_to_json(const struct record *r, const struct record_event *event)
{
    json_t *o = json_object();
    json_object_set_new(o, "type", json_string(event_kind_names[event->kind]));
    json_object_set_new(o, "host", host_name(r, event->host));
    json_object_set_new(o, "time_ns", json_integer(event->time));
    return o;
}

static int write_line(FILE *to, json_t *object, struct error *err)
{
    int rc = json_dumpf(object, to, JSON_COMPACT);
    json_decref(object);
    if (rc < 0 || fputc('\n', to) == EOF)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write the events");
    return 0;
}

/* How much of each has been written. */
struct written {
    size_t calls, events, wire, states;
};

/* Takes the earliest of what is left; what was done comes before what came of it. */
static json_t *next_event(const struct record *r, struct written *n)
{
    nsec call = n->calls < r->calls.n ? r->calls.at[n->calls].began : NSEC_NEVER;
    nsec event = n->events < r->events.n ? r->events.at[n->events].time : NSEC_NEVER;
    nsec wire = n->wire < r->wire.n ? r->wire.at[n->wire].time : NSEC_NEVER;
    nsec state = n->states < r->states.n ? r->states.at[n->states].time : NSEC_NEVER;
    if (n->calls < r->calls.n && call <= event && call <= wire && call <= state)
        return call_to_json(r, &r->calls.at[n->calls++]);
    if (n->events < r->events.n && event <= wire && event <= state)
        return event_to_json(r, &r->events.at[n->events++]);
    if (n->wire < r->wire.n && wire <= state)
        return record_wire_to_json(r, &r->wire.at[n->wire++]);
    return n->states < r->states.n ? record_state_to_json(r, &r->states.at[n->states++]) : NULL;
}

int record_write_events(FILE *to, const struct record *r, struct error *err)
{
    struct written written = {0};
    for (json_t *object; (object = next_event(r, &written));)
        if (write_line(to, object, err) < 0)
            return -1;
    return 0;
}

/* ----------------------------------------------------------------- the rest */

static json_t *hosts_to_json(const struct record *r)
{
    json_t *hosts = json_array();
    vec_each (&r->hosts, host) {
        json_t *addresses = json_array();
        vec_each (&host->addrs, addr) {
            cleanup_strbuf struct strbuf text = STRBUF_INIT;
            strbuf_ipaddr(&text, addr);
            json_array_append_new(addresses, json_string(strbuf_cstr(&text)));
        }
        json_t *o = json_object();
        json_object_set_new(o, "name", json_cstr(host->name));
        json_object_set_new(o, "addresses", addresses);
        json_array_append_new(hosts, o);
    }
    return hosts;
}

static json_t *points_to_json(const struct record *r)
{
    json_t *points = json_array();
    vec_each (&r->points, point) {
        json_t *o = json_object();
        json_object_set_new(o, "name", json_cstr(point->name));
        json_object_set_new(o, "host", host_name(r, point->host));
        json_object_set_new(o, "interface", json_cstr(point->iface));
        json_object_set_new(o, "filter", json_cstr(point->filter));
        json_object_set_new(o, "linktype", json_integer(point->linktype));
        json_object_set_new(o, "received", json_integer((json_int_t)point->received));
        json_object_set_new(o, "dropped", json_integer((json_int_t)point->dropped));
        json_array_append_new(points, o);
    }
    return points;
}

static json_t *sysctls_to_json(const struct record *r)
{
    json_t *sysctls = json_array();
    vec_each (&r->sysctls, sysctl) {
        json_t *o = json_object();
        json_object_set_new(o, "host", host_name(r, sysctl->host));
        json_object_set_new(o, "key", json_cstr(sysctl->key));
        json_object_set_new(o, "value", json_cstr(sysctl->value));
        json_object_set_new(o, "absent", json_boolean(sysctl->absent));
        json_array_append_new(sysctls, o);
    }
    return sysctls;
}

static json_t *stalls_to_json(const struct record *r)
{
    json_t *array = json_array();
    vec_each (&r->stalls, s) {
        json_t *o = json_object();
        json_object_set_new(o, "from_ns", json_integer(s->from));
        json_object_set_new(o, "to_ns", json_integer(s->to));
        json_array_append_new(array, o);
    }
    return array;
}

json_t *record_to_json(const struct record *r)
{
    json_t *remarks = json_array();
    vec_each (&r->remarks, remark)
        json_array_append_new(remarks, json_cstr(*remark));
    json_t *o = json_object();
    json_object_set_new(o, "lab", json_cstr(r->lab));
    json_object_set_new(o, "kernel", json_cstr(r->kernel));
    json_object_set_new(o, "machine", json_cstr(r->machine));
    json_object_set_new(o, "version", json_cstr(r->version));
    json_object_set_new(o, "clock", json_cstr(r->clock));
    json_object_set_new(o, "ip", json_integer(r->ip));
    json_object_set_new(o, "tick_ns", json_integer(r->tick));
    json_object_set_new(o, "lateness_ns", json_integer(r->lateness));
    json_object_set_new(o, "stalls", stalls_to_json(r));
    json_object_set_new(o, "clock_step_ns", json_integer(r->clock_step));
    json_object_set_new(o, "began_ns", json_integer(r->began));
    json_object_set_new(o, "ended_ns", json_integer(r->ended));
    json_object_set_new(o, "has_calls", json_boolean(r->has_calls));
    json_object_set_new(o, "hosts", hosts_to_json(r));
    json_object_set_new(o, "points", points_to_json(r));
    json_object_set_new(o, "packets", json_integer((json_int_t)r->packets.n));
    json_object_set_new(o, "calls", json_integer((json_int_t)r->calls.n));
    json_object_set_new(o, "events", json_integer((json_int_t)r->events.n));
    json_object_set_new(o, "wire", json_integer((json_int_t)r->wire.n));
    json_object_set_new(o, "states",
                        r->has_states ? json_integer((json_int_t)r->states.n) : json_null());
    json_object_set_new(o, "states_cut", json_boolean(r->states_cut));
    json_object_set_new(o, "wire_dropped", json_integer((json_int_t)r->wire_dropped));
    json_object_set_new(o, "sysctls", sysctls_to_json(r));
    json_object_set_new(o, "skipped", json_cstr(r->skipped));
    json_object_set_new(o, "stopped", json_cstr(r->stopped));
    json_object_set_new(o, "interrupted", json_boolean(r->interrupted));
    json_object_set_new(o, "remarks", remarks);
    return o;
}
