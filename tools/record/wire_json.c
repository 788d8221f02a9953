#include "record/wire_json.h"

#include <limits.h>

#include "record/json.h"

static json_t *index_to_json(long index)
{
    return index < 0 ? json_null() : json_integer(index);
}

json_t *record_wire_to_json(const struct record *r, const struct record_wire *wire)
{
    json_t *o = json_object();
    json_object_set_new(o, "type", json_string("wire"));
    json_object_set_new(o, "action", json_string(wire_action_names[wire->action].word));
    json_object_set_new(o, "from", json_cstr(r->hosts.at[wire->from].name));
    json_object_set_new(o, "to", json_cstr(r->hosts.at[wire->to].name));
    json_object_set_new(o, "time_ns", json_integer(wire->time));
    json_object_set_new(o, "step", index_to_json(wire->step));
    json_object_set_new(o, "packet", index_to_json(wire->packet));
    json_object_set_new(o, "arrival", index_to_json(wire->arrival));
    return o;
}

static int take_host(const struct record *r, const json_t *o, const char *key, int *out,
                     struct error *err)
{
    cleanup_free char *name = NULL;
    if (json_take_cstr(o, "wire", key, false, &name, err) < 0)
        return -1;
    for (size_t i = 0; i < r->hosts.n; i++)
        if (strcmp(r->hosts.at[i].name, name) == 0) {
            *out = (int)i;
            return 0;
        }
    return error_set(err, STATUS_USAGE, "wire.%s: there is no host \"%s\"", key, name);
}

static int take_action(const json_t *o, enum wire_action *out, struct error *err)
{
    cleanup_free char *word = NULL;
    if (json_take_cstr(o, "wire", "action", false, &word, err) < 0)
        return -1;
    for (size_t i = 0; i < WIRE_ACTION_COUNT; i++)
        if (strcmp(wire_action_names[i].word, word) == 0) {
            *out = (enum wire_action)i;
            return 0;
        }
    return error_set(err, STATUS_USAGE, "wire.action: a wire does not \"%s\"", word);
}

static int take_index(const json_t *o, const char *key, long *out, struct error *err)
{
    int64_t index;
    if (json_take_int_or(o, "wire", key, 0, INT32_MAX, -1, &index, err) < 0)
        return -1;
    *out = (long)index;
    return 0;
}

int record_take_wire(struct record *r, const json_t *o, nsec max_stamp, struct error *err)
{
    struct record_wire *w = vec_add(&r->wire);
    if (take_action(o, &w->action, err) < 0 || take_host(r, o, "from", &w->from, err) < 0 ||
        take_host(r, o, "to", &w->to, err) < 0 ||
        json_take_int(o, "wire", "time_ns", 0, max_stamp, &w->time, err) < 0 ||
        take_index(o, "step", &w->step, err) < 0 || take_index(o, "packet", &w->packet, err) < 0 ||
        take_index(o, "arrival", &w->arrival, err) < 0)
        return -1;
    return 0;
}

/* A packet that an event is about, and where it was seen. */
struct place {
    struct packet p;
    nsec time;
    int host;             /* of the capture point */
    int sender, receiver; /* by the packet's addresses; -1: nobody's, or it has none */
    bool came, left;      /* seen from that host */
};

static bool find_place(const struct record *r, long index, struct place *at)
{
    if ((size_t)index >= r->packets.n)
        return false;
    const struct record_packet *rp = &r->packets.at[index];
    packet_decode(&at->p, &rp->frame);
    bool is_ip = at->p.net == NET_IP;
    at->time = rp->frame.time;
    at->host = r->points.at[rp->point].host;
    at->sender = is_ip ? record_find_host(r, &at->p.ip.src) : -1;
    at->receiver = is_ip ? record_find_host(r, &at->p.ip.dst) : -1;
    at->came = rp->incoming;
    at->left = rp->outgoing;
    return true;
}

/* Whether it can be on its way to the wire: seen before, not when it had come to its receiver,
 * and, if no router passes it on, when it left for this hop. */
static bool is_before(const struct record *r, const struct record_wire *w)
{
    struct place at;
    if (w->packet < 0)
        return true;
    if (w->action == WIRE_INJECT || !find_place(r, w->packet, &at) || at.time > w->time)
        return false;
    if (at.p.net != NET_IP || at.host == at.sender)
        return !at.came && (at.p.net == NET_IP || at.host == w->from);
    return !at.came || at.host != at.receiver;
}

static bool is_behind(const struct record *r, const struct record_wire *w)
{
    struct place at, before;
    if (w->arrival < 0)
        return true;
    if (!find_place(r, w->arrival, &at) || at.time < w->time)
        return false;
    if (w->packet >= 0 && find_place(r, w->packet, &before) &&
        (before.p.net != at.p.net || before.sender != at.sender || before.receiver != at.receiver))
        return false;
    if (at.p.net != NET_IP || at.host == at.receiver)
        return !at.left && (at.p.net == NET_IP || at.host == w->to);
    return !at.left || at.host != at.sender;
}

int record_check_wire(const struct record *r, struct error *err)
{
    vec_each (&r->wire, w) {
        const char *word = wire_action_names[w->action].word;
        const char *member = w->from == w->to   ? "to"
                             : !is_before(r, w) ? "packet"
                             : !is_behind(r, w) ? "arrival"
                                                : NULL;
        if (!member)
            continue;
        error_set(err, STATUS_USAGE, "the wire's \"%s\" from %s to %s: `%s` does not fit", word,
                  r->hosts.at[w->from].name, r->hosts.at[w->to].name, member);
        return error_hint(err, "the files are of different runs, or one of them was changed");
    }
    return 0;
}
