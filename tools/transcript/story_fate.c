/* What became of a sending without arrival.
 *
 * Theory of operation
 *
 * It is lost if the receiver was captured (by a filter that takes this frame) and the link had
 * time: the slowest travel of that path in the whole run, and STORY_AT_ONCE more, fit between
 * it and the end of the record; or if the cable of either host was out from before the sending
 * to the end of the run.  Otherwise its fate is unknown.  It is noted if it was the time that
 * was too short (pending), and that an arrival has no sending although its sender was captured
 * (unsent).
 *
 * Between two hosts between which the programmable wire lies, it
 * is the wire alone that loses frames, unless a cable was pulled: one without arrival and
 * without such an event is still under way, in its queue.  Where routers lie between two
 * hosts that is not so: they may drop what they like. */
#include <pcap/pcap.h>

#include "transcript/story_match.h"

#define MAX_FILTER 1000 /* bytes: more is not compiled */

/* --------------------------------------------------------------------- filters */

/* Whether some point of the host would have kept this frame. */
struct filters {
    const struct record *record;
    struct bpf_program *programs; /* one a point; bf_insns NULL: not compiled */
    bool *tried;
};

static const struct bpf_program *filter_of(struct filters *f, size_t point)
{
    const struct record_point *p = &f->record->points.at[point];
    struct bpf_program *program = &f->programs[point];
    if (!f->tried[point] && strlen(p->filter) <= MAX_FILTER) {
        pcap_t *dead = pcap_open_dead(p->linktype, 262144);
        if (dead && pcap_compile(dead, program, p->filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
            program->bf_insns = NULL;
        if (dead)
            pcap_close(dead);
    }
    f->tried[point] = true;
    return program->bf_insns ? program : NULL;
}

static bool would_see(struct filters *f, const struct sighting *s, int host)
{
    const struct record *r = f->record;
    const struct record_packet *rp = &r->packets.at[s->packet];
    const char *own = r->points.at[rp->point].filter;
    for (size_t i = 0; i < r->points.n; i++) {
        const struct record_point *p = &r->points.at[i];
        if (p->host != host)
            continue;
        if (!p->filter || (own && strcmp(own, p->filter) == 0))
            return true;
        const struct bpf_program *program = filter_of(f, i);
        struct pcap_pkthdr header = {.caplen = rp->frame.caplen, .len = rp->frame.wirelen};
        if (program && p->linktype == rp->frame.linktype &&
            pcap_offline_filter(program, &header, rp->frame.data))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------ cables and wires */

/* Since when each host's cable is out, and stays so; NSEC_NEVER: it is in at the end. */
static nsec *cables_out(const struct record *r)
{
    nsec *out = xcalloc(r->hosts.n, sizeof(*out));
    for (size_t i = 0; i < r->hosts.n; i++)
        out[i] = NSEC_NEVER;
    vec_each (&r->events, e) {
        if (e->host < 0 || (size_t)e->host >= r->hosts.n)
            continue;
        if (e->kind == EVENT_UNPLUG && out[e->host] == NSEC_NEVER)
            out[e->host] = story_stamp(e->time);
        else if (e->kind == EVENT_REPLUG)
            out[e->host] = NSEC_NEVER;
    }
    return out;
}

/* By hosts: whether every loss between them is known. */
struct wires {
    bool *known;
    size_t n;
};

static bool *wired_at(const struct wires *w, int from, int to)
{
    return &w->known[(size_t)from * w->n + (size_t)to];
}

/* That is so between those that the wire is between, by the lab or by what it did, if their cables
 * stayed in, and if each frame that it dropped is one that was seen leaving. */
static struct wires find_wires(const struct record *r)
{
    struct wires wires = {xcalloc(r->hosts.n * r->hosts.n + 1, sizeof(*wires.known)), r->hosts.n};
    vec_each (&r->wires, w)
        *wired_at(&wires, w->a, w->b) = *wired_at(&wires, w->b, w->a) = true;
    vec_each (&r->wire, w)
        *wired_at(&wires, w->from, w->to) = *wired_at(&wires, w->to, w->from) = true;
    vec_each (&r->wire, w) {
        bool dropped =
            w->action == WIRE_DROP || w->action == WIRE_LOSS || w->action == WIRE_OVERFLOW;
        if (dropped && w->packet < 0)
            *wired_at(&wires, w->from, w->to) = false;
    }
    vec_each (&r->events, e) {
        for (size_t h = 0; e->host >= 0 && (size_t)e->host < r->hosts.n && h < r->hosts.n; h++)
            *wired_at(&wires, e->host, (int)h) = *wired_at(&wires, (int)h, e->host) = false;
    }
    return wires;
}

/* ------------------------------------------------------------------------ fate */

static nsec record_end(const struct record *r)
{
    nsec last = r->packets.n ? story_packet_stamp(r, r->packets.n - 1) : 0;
    nsec ended = story_stamp(r->ended);
    return last > ended ? last : ended;
}

static nsec slowest_travel(const struct matching *m, const struct sighting *s)
{
    const struct travel *t = travel_near(m->travels.at, m->travels.n, s->from, s->to, NSEC_NEVER);
    if (!t)
        t = travel_near(m->travels.at, m->travels.n, s->to, s->from, NSEC_NEVER);
    return t ? t->slowest : 0;
}

/* How many addresses of this version the host has. */
static size_t addresses_of(const struct record_host *host, unsigned version)
{
    size_t n = 0;
    vec_each (&host->addrs, a)
        n += a->version == version;
    return n;
}

/* Whether some point of its sender's host would have seen it leave.  A host with several
 * addresses may send from each by another interface, and not all need be captured. */
static bool would_see_leaving(struct filters *f, const struct sighting *s)
{
    return s->from >= 0 && would_see(f, s, s->from) &&
           (s->p->net != NET_IP ||
            addresses_of(&f->record->hosts.at[s->from], s->p->ip.src.version) <= 1);
}

static void judge_unpaired(const struct matching *m, struct filters *f)
{
    const struct record *r = m->b->record;
    cleanup_free nsec *out = cables_out(r);
    struct wires wires = find_wires(r);
    nsec end = record_end(r);
    vec_each (&m->sent, rank) {
        struct sighting *s = match_sighting(m, rank);
        nsec at = match_stamp(m, rank);
        if (s->stays && s->arrival < 0)
            s->pending = true;
        if (s->arrival >= 0 || s->pending || !would_see(f, s, s->to))
            continue;
        bool no_cable = out[s->to] <= at || (s->from >= 0 && out[s->from] <= at);
        bool kept = s->late || (s->from >= 0 && *wired_at(&wires, s->from, s->to));
        bool had_time = at <= end - slowest_travel(m, s) - STORY_AT_ONCE;
        if (no_cable || (had_time && !kept))
            s->fate = FATE_LOST;
        else
            s->pending = true;
    }
    vec_each (&m->received, rank) {
        struct sighting *s = match_sighting(m, rank);
        s->unsent = s->sending < 0 && would_see_leaving(f, s);
    }
    free(wires.known);
}

void story_fate(struct matching *m)
{
    size_t n = m->b->record->points.n;
    struct filters f = {.record = m->b->record,
                        .programs = xcalloc(n, sizeof(*f.programs)),
                        .tried = xcalloc(n, sizeof(*f.tried))};
    judge_unpaired(m, &f);
    for (size_t i = 0; i < n; i++)
        if (f.programs[i].bf_insns)
            pcap_freecode(&f.programs[i]);
    free(f.programs);
    free(f.tried);
}
