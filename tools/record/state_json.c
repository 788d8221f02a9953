#include "record/state_json.h"

#include "record/json.h"

#define MAX_NUMBER (INT64_C(1) << 60)

/* ------------------------------------------------------------------ writing */

static json_t *address_to_json(const struct ipaddr *addr)
{
    if (addr->version == 0)
        return json_null();
    cleanup_strbuf struct strbuf text = STRBUF_INIT;
    strbuf_ipaddr(&text, addr);
    return json_string(strbuf_cstr(&text));
}

static json_t *known(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *values_to_json(const struct record_values *values)
{
    json_t *o = json_object();
#define X(member, name) json_object_set_new(o, name, known(values->member));
    RECORD_VALUES(X)
#undef X
    if (values->ca_state >= 0)
        json_object_set_new(o, "ca_state", json_string(tcp_ca_state_names[values->ca_state]));
    return o;
}

json_t *record_state_to_json(const struct record *r, const struct record_state *state)
{
    bool peer = state->remote.version != 0;
    json_t *o = json_object();
    json_object_set_new(o, "type", json_string("state"));
    json_object_set_new(o, "host", json_cstr(r->hosts.at[state->host].name));
    json_object_set_new(o, "local", address_to_json(&state->local));
    json_object_set_new(o, "local_port", json_integer(state->local_port));
    json_object_set_new(o, "remote", address_to_json(&state->remote));
    json_object_set_new(o, "remote_port", peer ? json_integer(state->remote_port) : json_null());
    json_object_set_new(o, "old", json_cstr(tcp_state_names[state->old]));
    json_object_set_new(o, "new", json_cstr(tcp_state_names[state->new]));
    json_object_set_new(o, "time_ns", json_integer(state->time));
    json_object_set_new(o, "after_ns", state->after ? json_integer(state->after) : json_null());
    json_object_set_new(o, "values",
                        state->has_values ? values_to_json(&state->values) : json_null());
    return o;
}

/* ------------------------------------------------------------------ reading */

static int take_host(const struct record *r, const json_t *o, int *out, struct error *err)
{
    cleanup_free char *name = NULL;
    if (json_take_cstr(o, "state", "host", false, &name, err) < 0)
        return -1;
    for (size_t i = 0; i < r->hosts.n; i++)
        if (strcmp(r->hosts.at[i].name, name) == 0) {
            *out = (int)i;
            return 0;
        }
    return error_set(err, STATUS_USAGE, "state.host: there is no host \"%s\"", name);
}

static int take_address(const json_t *o, const char *key, bool nullable, struct ipaddr *out,
                        struct error *err)
{
    cleanup_free char *text = NULL;
    *out = (struct ipaddr){0};
    if (json_take_cstr(o, "state", key, nullable, &text, err) < 0)
        return -1;
    if (text && !ipaddr_parse(out, text, strlen(text)))
        return error_set(err, STATUS_USAGE, "state.%s is no IP address", key);
    return 0;
}

static int take_ends(const json_t *o, struct record_state *s, struct error *err)
{
    int64_t local_port, remote_port;
    if (take_address(o, "local", false, &s->local, err) < 0 ||
        take_address(o, "remote", true, &s->remote, err) < 0 ||
        json_take_int(o, "state", "local_port", 1, UINT16_MAX, &local_port, err) < 0 ||
        json_take_int_or(o, "state", "remote_port", 1, UINT16_MAX, 0, &remote_port, err) < 0)
        return -1;
    if ((s->remote.version != 0) != (remote_port != 0) ||
        (s->remote.version != 0 && s->remote.version != s->local.version))
        return error_set(err, STATUS_USAGE, "state.remote does not fit the rest of the socket");
    s->local_port = (uint16_t)local_port;
    s->remote_port = (uint16_t)remote_port;
    return 0;
}

static int take_name(const json_t *o, const char *key, bool nullable, enum tcp_state *out,
                     struct error *err)
{
    cleanup_free char *name = NULL;
    *out = TCP_STATE_NONE;
    if (json_take_cstr(o, "state", key, nullable, &name, err) < 0)
        return -1;
    if (name)
        *out = tcp_state_from_name(name, strlen(name));
    if (name && *out == TCP_STATE_NONE)
        return error_set(err, STATUS_USAGE, "state.%s: \"%s\" is no state of TCP", key, name);
    return 0;
}

static int take_times(const struct record *r, const json_t *o, struct record_state *s,
                      struct error *err)
{
    nsec step = r->clock_step < 0 ? -r->clock_step : r->clock_step; /* the clock was set */
    nsec first = r->began > step ? r->began - step : 0, last = r->ended + step;
    if (json_take_int(o, "state", "time_ns", first, last, &s->time, err) < 0 ||
        json_take_int_or(o, "state", "after_ns", first, last, 0, &s->after, err) < 0)
        return -1;
    if ((s->after == 0) != (s->old == TCP_STATE_NONE))
        return error_set(err, STATUS_USAGE, "only one of state.old and state.after_ns is null");
    if (s->after > s->time + step)
        return error_set(err, STATUS_USAGE, "state.after_ns is after state.time_ns");
    return 0;
}

static int take_ca_state(const json_t *o, int64_t *out, struct error *err)
{
    cleanup_free char *name = NULL;
    *out = -1;
    if (json_take_cstr(o, "state.values", "ca_state", true, &name, err) < 0)
        return -1;
    for (int i = 0; name && i < TCP_CA_STATE_COUNT; i++)
        if (strcmp(tcp_ca_state_names[i], name) == 0)
            *out = i;
    if (name && *out < 0)
        return error_set(err, STATUS_USAGE,
                         "state.values.ca_state: \"%s\" is no state of congestion control", name);
    return 0;
}

static int take_values(const json_t *state, struct record_state *s, struct error *err)
{
    const json_t *o = json_object_get(state, "values");
    s->has_values = !json_is_null(o);
    if (!s->has_values)
        return 0;
    if (!json_is_object(o))
        return error_set(err, STATUS_USAGE, "state.values should be an object or null");
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
#define X(member, name) {name, offsetof(struct record_values, member)},
        RECORD_VALUES(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        int64_t *at = (int64_t *)((char *)&s->values + members[i].offset);
        int rc =
            strcmp(members[i].name, "ca_state") == 0
                ? take_ca_state(o, at, err)
                : json_take_int_or(o, "state.values", members[i].name, 0, MAX_NUMBER, -1, at, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

int record_take_state(struct record *r, const json_t *o, struct error *err)
{
    if (r->states.n == RECORD_STATES_MAX)
        return error_set(err, STATUS_USAGE, "there are more than %d states", RECORD_STATES_MAX);
    struct record_state *s = vec_add(&r->states);
    if (take_host(r, o, &s->host, err) < 0 || take_ends(o, s, err) < 0 ||
        take_name(o, "old", true, &s->old, err) < 0 ||
        take_name(o, "new", false, &s->new, err) < 0 || take_times(r, o, s, err) < 0)
        return -1;
    return take_values(o, s, err);
}
