/* Theory of operation: result.json comes first, because it names the hosts and the
 * capture points that the other two refer to and counts what they hold.  Every
 * number is checked against the range in which arithmetic on it cannot overflow
 * (stamps up to 2^62, durations up to 2^60 ns), every name against the names that
 * are there.  The verdict that stands in result.json is not looked at. */
#include "record/load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "record/event_names.h"
#include "record/json.h"
#include "record/load_capture.h"
#include "record/save.h"
#include "record/state_json.h"
#include "record/wire_json.h"

#define MAX_STAMP (INT64_C(1) << 62)
#define MAX_DURATION (INT64_C(1) << 60)
#define MAX_TICK (NSEC_PER_SEC / 24 + 1) /* HZ=24, the lowest that Linux has (arch/mips) */
#define MAX_ERRNO 4095
#define MAX_LINKTYPE 65535
#define MAX_HOSTS 256 /* and capture points: names are searched one by one */

/* -------------------------------------------------------------------- files */

/* Opens a regular file of the folder; a pipe or device in its place would hang us,
 * a symbolic link would lead to somebody else's evidence. */
static FILE *open_file(int dir, const char *name, off_t max, struct error *err)
{
    cleanup_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 && errno == ELOOP)
        return error_set(err, STATUS_USAGE, "it is a symbolic link"), NULL;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_sys(err, STATUS_USAGE, errno, "cannot open it"), NULL;
    if (!S_ISREG(st.st_mode))
        return error_set(err, STATUS_USAGE, "it is no regular file"), NULL;
    if (st.st_size > max)
        return error_set(err, STATUS_USAGE, "it has %" PRIdMAX " bytes; the limit is %" PRIdMAX,
                         (intmax_t)st.st_size, (intmax_t)max),
               NULL;
    FILE *f = fdopen(fd, "r");
    if (!f)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read it"), NULL;
    steal_fd(&fd);
    return f;
}

/* ------------------------------------------------------------------ objects */

/* The element of an array, which must be an object; `at` becomes its place. */
static int take_element(const json_t *array, size_t i, const char *name, struct strbuf *at,
                        const json_t **out, struct error *err)
{
    strbuf_truncate(at, 0);
    strbuf_printf(at, "%s[%zu]", name, i);
    *out = json_array_get(array, i);
    if (!json_is_object(*out))
        return error_set(err, STATUS_USAGE, "%s should be an object", at->data);
    return 0;
}

static int take_nsec(const json_t *o, const char *at, const char *key, nsec low, nsec high,
                     nsec *out, struct error *err)
{
    return json_take_int(o, at, key, low, high, out, err);
}

static int find_host(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->hosts.n; i++)
        if (strcmp(r->hosts.at[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* A host by its name; null is -1 where `nullable`. */
static int take_host(const struct record *r, const json_t *o, const char *at, bool nullable,
                     int *out, struct error *err)
{
    cleanup_free char *name = NULL;
    if (json_take_cstr(o, at, "host", nullable, &name, err) < 0)
        return -1;
    *out = name ? find_host(r, name) : -1;
    if (name && *out < 0)
        return error_set(err, STATUS_USAGE, "%s: there is no host \"%s\"", at, name);
    return 0;
}

/* -------------------------------------------------------------- result.json */

static int take_addresses(struct record_host *host, const json_t *o, const char *at,
                          struct error *err)
{
    json_t *addresses;
    if (json_take_array(o, at, "addresses", &addresses, err) < 0)
        return -1;
    size_t i;
    json_t *value;
    json_array_foreach(addresses, i, value)
    {
        struct ipaddr addr;
        if (!json_is_string(value) ||
            !ipaddr_parse(&addr, json_string_value(value), json_string_length(value)))
            return error_set(err, STATUS_USAGE, "%s.addresses[%zu] is no IP address", at, i);
        vec_push(&host->addrs, addr);
    }
    return 0;
}

static int take_hosts(struct record *r, const json_t *hosts, struct error *err)
{
    cleanup_strbuf struct strbuf at = STRBUF_INIT;
    for (size_t i = 0; i < json_array_size(hosts); i++) {
        const json_t *o;
        cleanup_free char *name = NULL;
        if (take_element(hosts, i, "record.hosts", &at, &o, err) < 0 ||
            json_take_cstr(o, at.data, "name", false, &name, err) < 0)
            return -1;
        if (!*name)
            return error_set(err, STATUS_USAGE, "%s.name is empty", at.data);
        if (find_host(r, name) >= 0)
            return error_set(err, STATUS_USAGE, "%s: there are two hosts \"%s\"", at.data, name);
        struct record_host *host = vec_add(&r->hosts);
        host->name = steal_pointer(&name);
        if (take_addresses(host, o, at.data, err) < 0)
            return -1;
    }
    return 0;
}

static int take_point(struct record *r, const json_t *o, const char *at, struct error *err)
{
    struct record_point *point = vec_add(&r->points);
    point->host = -1;
    int64_t linktype, received, dropped;
    if (json_take_cstr(o, at, "name", false, &point->name, err) < 0 ||
        take_host(r, o, at, true, &point->host, err) < 0 ||
        json_take_cstr(o, at, "interface", true, &point->iface, err) < 0 ||
        json_take_cstr(o, at, "filter", true, &point->filter, err) < 0 ||
        json_take_int(o, at, "linktype", 0, MAX_LINKTYPE, &linktype, err) < 0 ||
        json_take_int(o, at, "received", 0, INT64_MAX, &received, err) < 0 ||
        json_take_int(o, at, "dropped", 0, INT64_MAX, &dropped, err) < 0)
        return -1;
    point->linktype = (int)linktype;
    point->received = (uint64_t)received;
    point->dropped = (uint64_t)dropped;
    return 0;
}

static int take_points(struct record *r, const json_t *points, struct error *err)
{
    cleanup_strbuf struct strbuf at = STRBUF_INIT;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *o;
        if (take_element(points, i, "record.points", &at, &o, err) < 0 ||
            take_point(r, o, at.data, err) < 0)
            return -1;
    }
    return 0;
}

static int take_sysctls(struct record *r, const json_t *sysctls, struct error *err)
{
    cleanup_strbuf struct strbuf at = STRBUF_INIT;
    for (size_t i = 0; i < json_array_size(sysctls); i++) {
        const json_t *o;
        if (take_element(sysctls, i, "record.sysctls", &at, &o, err) < 0)
            return -1;
        struct record_sysctl *sysctl = vec_add(&r->sysctls);
        if (take_host(r, o, at.data, false, &sysctl->host, err) < 0 ||
            json_take_cstr(o, at.data, "key", false, &sysctl->key, err) < 0 ||
            json_take_cstr(o, at.data, "value", true, &sysctl->value, err) < 0 ||
            json_take_bool(o, at.data, "absent", &sysctl->absent, err) < 0)
            return -1;
    }
    return 0;
}

static int take_remarks(struct record *r, json_t *remarks, struct error *err)
{
    /* The helpers take members of objects, so each remark becomes one. */
    for (size_t i = 0; i < json_array_size(remarks); i++) {
        json_t *o = json_pack("{s:O}", "remark", json_array_get(remarks, i));
        char **remark = vec_add(&r->remarks);
        int rc = json_take_cstr(o, "record.remarks", "remark", false, remark, err);
        json_decref(o);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int take_machine(struct record *r, const json_t *o, struct error *err)
{
    const char *at = "record";
    int64_t ip = 0;
    if (json_take_cstr(o, at, "lab", true, &r->lab, err) < 0 ||
        json_take_cstr(o, at, "kernel", true, &r->kernel, err) < 0 ||
        json_take_cstr(o, at, "machine", true, &r->machine, err) < 0 ||
        json_take_cstr(o, at, "version", true, &r->version, err) < 0 ||
        json_take_cstr(o, at, "clock", true, &r->clock, err) < 0 ||
        json_take_int(o, at, "ip", 4, 6, &ip, err) < 0 ||
        take_nsec(o, at, "tick_ns", 0, MAX_TICK, &r->tick, err) < 0 ||
        take_nsec(o, at, "lateness_ns", 0, MAX_DURATION, &r->lateness, err) < 0 ||
        take_nsec(o, at, "clock_step_ns", -MAX_DURATION, MAX_DURATION, &r->clock_step, err) < 0 ||
        take_nsec(o, at, "began_ns", 0, MAX_STAMP, &r->began, err) < 0 ||
        take_nsec(o, at, "ended_ns", 0, MAX_STAMP, &r->ended, err) < 0 ||
        json_take_bool(o, at, "has_calls", &r->has_calls, err) < 0 ||
        json_take_cstr(o, at, "skipped", true, &r->skipped, err) < 0 ||
        json_take_cstr(o, at, "stopped", true, &r->stopped, err) < 0 ||
        (json_object_get(o, "interrupted") &&
         json_take_bool(o, at, "interrupted", &r->interrupted, err) < 0))
        return -1;
    r->ip = (unsigned)ip;
    if (r->interrupted && !r->stopped)
        return error_set(err, STATUS_USAGE, "record.interrupted is true, and record.stopped null");
    if (ip == 5)
        return error_set(err, STATUS_USAGE, "record.ip is 5; it is 4 or 6");
    if (r->ended < r->began)
        return error_set(err, STATUS_USAGE, "record.ended_ns is before record.began_ns");
    return 0;
}

static int take_stalls(struct record *r, const json_t *stalls, struct error *err)
{
    cleanup_strbuf struct strbuf at = STRBUF_INIT;
    if (json_array_size(stalls) > RECORD_STALLS_MAX)
        return error_set(err, STATUS_USAGE, "record.stalls has more than %d elements",
                         RECORD_STALLS_MAX);
    for (size_t i = 0; i < json_array_size(stalls); i++) {
        const json_t *o;
        struct record_stall *s = vec_add(&r->stalls);
        if (take_element(stalls, i, "record.stalls", &at, &o, err) < 0 ||
            take_nsec(o, at.data, "from_ns", 0, MAX_STAMP, &s->from, err) < 0 ||
            take_nsec(o, at.data, "to_ns", 0, MAX_STAMP, &s->to, err) < 0)
            return -1;
        if (s->to < s->from || s->to - s->from > r->lateness)
            return error_set(err, STATUS_USAGE, "%s is longer than record.lateness_ns, or negative",
                             at.data);
    }
    return 0;
}

/* What result.json says that the other files hold. */
struct counts {
    int64_t packets, calls, events, wire, states;
};

/* Evidence of an earlier tcplab has neither member: nobody looked at states. */
static int take_state_count(struct record *r, const json_t *o, int64_t *count, struct error *err)
{
    const char *at = "record";
    *count = -1;
    if (!json_object_get(o, "states"))
        return 0;
    if (json_take_int_or(o, at, "states", 0, RECORD_STATES_MAX, -1, count, err) < 0 ||
        json_take_bool(o, at, "states_cut", &r->states_cut, err) < 0)
        return -1;
    r->has_states = *count >= 0;
    return 0;
}

static int take_record(struct record *r, const json_t *o, struct counts *counts, struct error *err)
{
    json_t *hosts, *points, *sysctls, *stalls, *remarks;
    const char *at = "record";
    int64_t wire_dropped;
    if (take_machine(r, o, err) < 0 || json_take_array(o, at, "hosts", &hosts, err) < 0 ||
        json_take_array(o, at, "points", &points, err) < 0 ||
        json_take_array(o, at, "sysctls", &sysctls, err) < 0 ||
        json_take_array(o, at, "stalls", &stalls, err) < 0 ||
        json_take_array(o, at, "remarks", &remarks, err) < 0 ||
        json_take_int(o, at, "packets", 0, INT64_MAX, &counts->packets, err) < 0 ||
        json_take_int(o, at, "calls", 0, INT64_MAX, &counts->calls, err) < 0 ||
        json_take_int(o, at, "events", 0, INT64_MAX, &counts->events, err) < 0 ||
        json_take_int(o, at, "wire", 0, INT64_MAX, &counts->wire, err) < 0 ||
        take_state_count(r, o, &counts->states, err) < 0 ||
        json_take_int(o, at, "wire_dropped", 0, INT64_MAX, &wire_dropped, err) < 0)
        return -1;
    r->wire_dropped = (uint64_t)wire_dropped;
    if (json_array_size(hosts) > MAX_HOSTS || json_array_size(points) > MAX_HOSTS)
        return error_set(err, STATUS_USAGE, "there are more than %d hosts or capture points",
                         MAX_HOSTS);
    if (take_hosts(r, hosts, err) < 0 || take_points(r, points, err) < 0 ||
        take_sysctls(r, sysctls, err) < 0 || take_stalls(r, stalls, err) < 0 ||
        take_remarks(r, remarks, err) < 0)
        return -1;
    return 0;
}

static int malformed(const json_error_t *e, size_t line, struct error *err)
{
    return error_set(err, STATUS_USAGE, "line %zu, column %d: %s", line ? line : (size_t)e->line,
                     e->column, e->text);
}

static int load_result(int dir, struct record *r, struct counts *counts, struct error *err)
{
    FILE *f = open_file(dir, EVIDENCE_RESULT, EVIDENCE_MAX_JSON, err);
    if (!f)
        return -1;
    json_error_t e;
    json_t *root = json_loadf(f, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    fclose(f);
    if (!root)
        return malformed(&e, 0, err);
    int64_t schema;
    int rc = json_take_int(root, "", "schema_version", 1, INT64_MAX, &schema, err);
    const json_t *o = json_object_get(root, "record");
    if (rc == 0 && schema != EVIDENCE_SCHEMA)
        rc = error_set(err, STATUS_USAGE,
                       "schema_version is %" PRId64 "; this tcplab reads version %d", schema,
                       EVIDENCE_SCHEMA);
    else if (rc == 0 && !json_is_object(o))
        rc = error_set(err, STATUS_USAGE, "it holds no record: the lab was not run");
    else if (rc == 0)
        rc = take_record(r, o, counts, err);
    json_decref(root);
    return rc;
}

/* ------------------------------------------------------------- events.jsonl */

static int take_call(struct record *r, const json_t *o, struct error *err)
{
    const char *at = "call";
    struct record_call *call = vec_add(&r->calls);
    int64_t errnum, step;
    if (take_host(r, o, at, false, &call->host, err) < 0 ||
        json_take_cstr(o, at, "as", true, &call->as, err) < 0 ||
        json_take_cstr(o, at, "verb", false, &call->verb, err) < 0 ||
        json_take_cstr(o, at, "args", false, &call->args, err) < 0 ||
        take_nsec(o, at, "began_ns", 0, MAX_STAMP, &call->began, err) < 0 ||
        json_take_int_or(o, at, "ended_ns", 1, MAX_STAMP, 0, &call->ended, err) < 0 ||
        json_take_bool(o, at, "failed", &call->failed, err) < 0 ||
        json_take_int(o, at, "value", INT64_MIN, INT64_MAX, &call->value, err) < 0 ||
        json_take_int(o, at, "errno", 0, MAX_ERRNO, &errnum, err) < 0 ||
        json_take_bytes(o, at, "text", true, &call->text, &call->text_len, err) < 0 ||
        json_take_cstr(o, at, "expected", true, &call->expected, err) < 0 ||
        json_take_bool(o, at, "as_stated", &call->as_stated, err) < 0 ||
        json_take_int(o, at, "step", 0, INT32_MAX, &step, err) < 0)
        return -1;
    if (call->ended && call->ended < call->began)
        return error_set(err, STATUS_USAGE, "call.ended_ns is before call.began_ns");
    call->errnum = (int)errnum;
    call->step = (size_t)step;
    return 0;
}

static int take_event(struct record *r, const json_t *o, const char *type, struct error *err)
{
    size_t kind = 0;
    while (kind < ARRAY_SIZE(event_kind_names) && strcmp(event_kind_names[kind], type) != 0)
        kind++;
    if (kind == ARRAY_SIZE(event_kind_names))
        return error_set(err, STATUS_USAGE, "there is no event of type \"%s\"", type);
    struct record_event *event = vec_add(&r->events);
    event->kind = (enum event_kind)kind;
    if (take_host(r, o, type, true, &event->host, err) < 0 ||
        take_nsec(o, type, "time_ns", 0, MAX_STAMP, &event->time, err) < 0)
        return -1;
    return 0;
}

static int take_line(struct record *r, const char *text, size_t len, size_t line, struct error *err)
{
    json_error_t e;
    json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    if (!o)
        return malformed(&e, line, err);
    cleanup_free char *type = NULL;
    int rc = json_take_cstr(o, "", "type", false, &type, err);
    if (rc == 0)
        rc = strcmp(type, "call") == 0    ? take_call(r, o, err)
             : strcmp(type, "wire") == 0  ? record_take_wire(r, o, MAX_STAMP, err)
             : strcmp(type, "state") == 0 ? record_take_state(r, o, err)
                                          : take_event(r, o, type, err);
    json_decref(o);
    return rc < 0 ? error_wrap(err, "line %zu", line) : 0;
}

static int load_events(int dir, struct record *r, struct error *err)
{
    FILE *f = open_file(dir, EVIDENCE_EVENTS, EVIDENCE_MAX_JSON, err);
    if (!f)
        return -1;
    cleanup_free char *text = NULL;
    size_t size = 0, line = 0;
    int rc = 0;
    for (ssize_t len; rc == 0 && (len = getline(&text, &size, f)) > 0;)
        rc = take_line(r, text, (size_t)len, ++line, err);
    if (rc == 0 && ferror(f))
        rc = error_sys(err, STATUS_MACHINE, errno, "cannot read it");
    fclose(f);
    return rc;
}

/* -------------------------------------------------------------------- whole */

static int load_packets(int dir, struct record *r, struct error *err)
{
    FILE *f = open_file(dir, EVIDENCE_CAPTURE, EVIDENCE_MAX_CAPTURE, err);
    return f ? record_load_packets(r, f, MAX_STAMP, err) : -1;
}

static int check_count(const char *file, const char *what, size_t held, int64_t said,
                       struct error *err)
{
    if ((uint64_t)said == held)
        return 0;
    error_set(err, STATUS_USAGE, "%s holds %zu %s, but %s counts %" PRId64, file, held, what,
              EVIDENCE_RESULT, said);
    return error_hint(err, "the files are of different runs, or one of them was changed");
}

/* The record ends at one moment; what came later is in none of the files. */
static int check_end(const struct record *r, struct error *err)
{
    nsec last = r->packets.n ? vec_last(&r->packets)->frame.time : 0;
    vec_each (&r->calls, c)
        last = c->ended > last ? c->ended : c->began > last ? c->began : last;
    if (r->events.n && vec_last(&r->events)->time > last)
        last = vec_last(&r->events)->time;
    if (r->wire.n && vec_last(&r->wire)->time > last)
        last = vec_last(&r->wire)->time;
    nsec step = r->clock_step < 0 ? -r->clock_step : 0; /* the clock was set back */
    if (last <= r->ended + step)
        return 0;
    error_set(err, STATUS_USAGE, "%s: record.ended_ns is before the last packet or call",
              EVIDENCE_RESULT);
    return error_hint(err, "the files are of different runs, or one of them was changed");
}

static int load_all(int dir, struct record *r, struct error *err)
{
    struct counts counts = {0};
    if (load_result(dir, r, &counts, err) < 0)
        return error_wrap(err, "%s", EVIDENCE_RESULT);
    if (load_events(dir, r, err) < 0)
        return error_wrap(err, "%s", EVIDENCE_EVENTS);
    if (load_packets(dir, r, err) < 0)
        return error_wrap(err, "%s", EVIDENCE_CAPTURE);
    if (check_count(EVIDENCE_EVENTS, "calls", r->calls.n, counts.calls, err) < 0 ||
        check_count(EVIDENCE_EVENTS, "events", r->events.n, counts.events, err) < 0 ||
        check_count(EVIDENCE_EVENTS, "things that the wire did", r->wire.n, counts.wire, err) < 0 ||
        check_count(EVIDENCE_EVENTS, "states", r->states.n, r->has_states ? counts.states : 0,
                    err) < 0 ||
        check_count(EVIDENCE_CAPTURE, "packets", r->packets.n, counts.packets, err) < 0)
        return -1;
    record_sort(r);
    if (record_check_wire(r, err) < 0)
        return error_wrap(err, "%s", EVIDENCE_EVENTS);
    return check_end(r, err);
}

struct record *record_load(const char *dir, struct error *err)
{
    cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_sys(err, STATUS_USAGE, errno, "cannot open the evidence in %s", dir);
        return NULL;
    }
    struct record *r = record_new();
    if (load_all(fd, r, err) < 0) {
        error_wrap(err, "%s", dir);
        record_free(r);
        return NULL;
    }
    return r;
}
