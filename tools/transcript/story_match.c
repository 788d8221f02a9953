/* Sendings and arrivals.
 *
 * Theory of operation
 *
 * What a frame keeps on its way is its identity: addresses, protocol, IP
 * identification or flow label, and everything above, but not TTL, ECN marks or the
 * checksums (they change, or are not filled in yet at the sender).  A retransmission
 * differs by its IP identification or its TS option, so that nearly every identity
 * is sent once: its first arrival that is not before the sending is the one, and
 * further arrivals are doubles that the path made.
 *
 * Frames may be sent again byte for byte (a SYN-ACK without timestamps has IP
 * identification 0 each time, and duplicate ACKs of one millisecond are all alike with
 * IPv6).  Of those, an arrival belongs to the sending from which the path's usual travel
 * leads nearest to it: what the last frame with an identity of its own took on that path
 * before.  Of sendings about as near it is the first, so that those that left together
 * arrive in order.  Where that sending already has an arrival, and no other is about as
 * near, the arrival is a double.
 *
 * An arrival with a bad checksum of a frame that was sent with a good one is damaged:
 * the receiver's TCP never saw it.
 *
 * What the programmable wire did to a frame is known (story_wire.c) and goes before all
 * of this.  A frame that it dropped has no arrival; one that it doubled has two before
 * another is a double that nobody knows of; one that it injected was never sent.  And
 * between two hosts between which it is known to have done something, it is the wire
 * alone that loses frames, unless a cable was pulled: one without arrival and without
 * such an event is still under way, in its queue.
 *
 * Any other sending without arrival is lost if the receiver was captured (by a filter that
 * takes this frame) and the link had time: the slowest travel of that path in the
 * whole run, and STORY_AT_ONCE more, fit between it and the end of the record; or
 * if the cable of either host was out from before the sending to the end of the run.
 * Otherwise its fate is unknown.  It is noted if it was the time that was too short
 * (pending), and that an arrival has no sending although its sender was captured
 * (unsent). */
#include <pcap/pcap.h>

#include "transcript/story_build.h"

#define MAX_FILTER 1000 /* bytes: more is not compiled */
#define MAX_ALIKE 64    /* sendings on each side that are tried for one arrival */

struct rank {
    uint64_t identity;
    size_t seen; /* index into build.seen */
};

/* How long a frame took from one host to another. */
struct travel {
    int from, to;
    nsec sent, took;
    nsec slowest; /* of this path, up to here */
};

struct matching {
    struct build *b;
    VEC(struct rank) sent;
    VEC(struct rank) received;
    VEC(struct travel) travels; /* by path, then by time, once sorted */
    bool corrupts;              /* the wire is known to have damaged something */
    bool stays_unseen;          /* a frame that nobody saw leave was on the wire at the end */
    bool *wired;                /* by hosts: it is known when the wire lost a frame */
};

/* -------------------------------------------------------------------- identity */

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static uint64_t mix_but(uint64_t h, struct bytes bytes, uint32_t skip, uint32_t skip_n)
{
    uint32_t n = bytes.n < bytes.len ? bytes.n : bytes.len;
    if (n < skip + skip_n)
        return mix(h, bytes.at, n);
    h = mix(h, bytes.at, skip);
    return mix(h, bytes.at + skip + skip_n, n - skip - skip_n);
}

static uint64_t identify(const struct packet *p)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    if (p->net != NET_IP)
        return mix(h, p->frame.data, p->frame.caplen);
    size_t n = p->ip.version == 4 ? 4 : 16;
    h = mix(mix(h, p->ip.src.bytes, n), p->ip.dst.bytes, n);
    uint32_t fields[] = {p->ip.version,         p->ip.proto, p->ip.id,         p->ip.flow,
                         p->ip.fragment_offset, p->ip.mf,    p->ip.fragment_id};
    h = mix(h, fields, sizeof(fields));
    switch (p->transport) {
    case TRANSPORT_TCP:
        return mix_but(h, p->ip.payload, 16, 2);
    case TRANSPORT_UDP:
        return mix_but(h, p->ip.payload, 6, 2);
    case TRANSPORT_NONE:
    case TRANSPORT_ICMP:
    case TRANSPORT_OTHER:
        break;
    }
    return mix_but(h, p->ip.payload, 0, 0);
}

static int compare_ranks(const void *pa, const void *pb)
{
    const struct rank *a = pa, *b = pb;
    if (a->identity != b->identity)
        return a->identity < b->identity ? -1 : 1;
    return (a->seen > b->seen) - (a->seen < b->seen);
}

static void rank_all(struct matching *m)
{
    vec_each (&m->b->seen, s) {
        size_t i = (size_t)(s - m->b->seen.at);
        if (s->role == ROLE_SENT && s->to >= 0 && s->fate != FATE_LOST)
            vec_push(&m->sent, ((struct rank){s->identity, i}));
        else if (s->role == ROLE_RECEIVED && !s->injected)
            vec_push(&m->received, ((struct rank){s->identity, i}));
    }
    if (m->sent.n)
        qsort(m->sent.at, m->sent.n, sizeof(*m->sent.at), compare_ranks);
    if (m->received.n)
        qsort(m->received.at, m->received.n, sizeof(*m->received.at), compare_ranks);
}

/* --------------------------------------------------------------------- pairing */

static struct sighting *sighting(const struct matching *m, const struct rank *r)
{
    return &m->b->seen.at[r->seen];
}

static nsec stamp(const struct matching *m, const struct rank *r)
{
    return story_packet_stamp(m->b->record, sighting(m, r)->packet);
}

static bool arrives_broken(const struct sighting *sent, const struct sighting *received)
{
    return sent->p->transport == TRANSPORT_TCP && received->p->transport == TRANSPORT_TCP &&
           sent->p->tcp.sum == SUM_GOOD && received->p->tcp.sum == SUM_BAD;
}

/* How many of its frames can arrive, as far as is known. */
static bool may_arrive(const struct sighting *s)
{
    return s->arrivals < s->copies - s->gone;
}

/* One that its TCP took comes before one that it did not, else the first. */
static void pair(struct matching *m, const struct rank *sent, const struct rank *received)
{
    struct sighting *s = sighting(m, sent), *r = sighting(m, received);
    bool broken = arrives_broken(s, r);
    s->arrivals++;
    s->broken += broken;
    r->sending = (long)sent->seen;
    if (s->arrivals > 1 && (broken || s->broken < s->arrivals - 1))
        return;
    s->arrival = (long)received->seen;
    s->fate = FATE_ARRIVED;
    nsec at = stamp(m, sent);
    if (!s->late)
        vec_push(&m->travels, ((struct travel){s->from, s->to, at, stamp(m, received) - at, 0}));
}

/* The group of equal identities that begins at `from`. */
static size_t group_end(const struct rank *r, size_t from, size_t n)
{
    size_t to = from;
    while (to < n && r[to].identity == r[from].identity)
        to++;
    return to;
}

static void pair_single(struct matching *m, const struct rank *sent, struct rank *received,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (stamp(m, &received[i]) >= stamp(m, sent))
            pair(m, sent, &received[i]);
}

static int compare_travels(const void *pa, const void *pb)
{
    const struct travel *a = pa, *b = pb;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return (a->sent > b->sent) - (a->sent < b->sent);
}

static void sort_travels(struct matching *m)
{
    if (m->travels.n)
        qsort(m->travels.at, m->travels.n, sizeof(*m->travels.at), compare_travels);
    struct travel *before = NULL;
    vec_each (&m->travels, t) {
        bool same = before && before->from == t->from && before->to == t->to;
        t->slowest = same && before->slowest > t->took ? before->slowest : t->took;
        before = t;
    }
}

/* The last travel on a path that began at `sent` or before, else the first; NULL: none. */
static const struct travel *travel_near(const struct travel *t, size_t n, int from, int to,
                                        nsec sent)
{
    struct travel key = {.from = from, .to = to, .sent = sent};
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_travels(&t[middle], &key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && t[low - 1].from == from && t[low - 1].to == to)
        return &t[low - 1];
    return low < n && t[low].from == from && t[low].to == to ? &t[low] : NULL;
}

static nsec usual_travel(const struct travel *t, size_t n, const struct sighting *s, nsec at)
{
    const struct travel *near = travel_near(t, n, s->from, s->to, at);
    if (!near)
        near = travel_near(t, n, s->to, s->from, at);
    return near ? near->took : 0;
}

/* Whether the wire is known to have damaged the one, and not the other. */
static bool is_of_another(const struct matching *m, const struct sighting *sent,
                          const struct sighting *received)
{
    if (arrives_broken(sent, received))
        return m->corrupts && !sent->corrupted;
    return sent->corrupted >= sent->copies - sent->gone;
}

/* Of the sendings about as near as the nearest free one, the first: among equal frames that
 * left together nobody can tell that one overtook another. */
static struct rank *first_as_near(const struct matching *m, struct rank *from, struct rank *nearest,
                                  const struct rank *received, nsec guess, nsec least)
{
    for (struct rank *r = from; r < nearest; r++) {
        nsec at = stamp(m, r), off = at > guess ? at - guess : guess - at;
        if (off <= least + STORY_AT_ONCE && may_arrive(sighting(m, r)) &&
            !is_of_another(m, sighting(m, r), sighting(m, received)))
            return r;
    }
    return nearest;
}

/* Among equal frames: the sending that `received` most likely is of.  One that is
 * paired already is taken only if it explains `received` clearly better, or alone. */
static struct rank *likeliest(const struct matching *m, struct rank *sent, size_t n,
                              const struct rank *received, nsec usual)
{
    nsec when = stamp(m, received), guess = when - usual;
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stamp(m, &sent[middle]) <= guess)
            low = middle + 1;
        else
            high = middle;
    }
    struct rank *best = NULL, *taken = NULL;
    nsec best_off = NSEC_NEVER, taken_off = NSEC_NEVER;
    size_t from = low > MAX_ALIKE ? low - MAX_ALIKE : 0;
    for (size_t i = from; i < n && i < low + MAX_ALIKE; i++) {
        nsec at = stamp(m, &sent[i]), off = at > guess ? at - guess : guess - at;
        if (at > when || is_of_another(m, sighting(m, &sent[i]), sighting(m, received)))
            continue;
        bool is_free = may_arrive(sighting(m, &sent[i]));
        nsec *least = is_free ? &best_off : &taken_off;
        if (off >= *least)
            continue;
        *least = off;
        *(is_free ? &best : &taken) = &sent[i];
    }
    if (taken && best_off - STORY_AT_ONCE > taken_off)
        return taken;
    return best ? first_as_near(m, &sent[from], best, received, guess, best_off) : NULL;
}

static void pair_alike(struct matching *m, const struct travel *known, size_t n_known,
                       struct rank *sent, size_t n_sent, struct rank *received, size_t n_received)
{
    for (size_t i = 0; i < n_received; i++) {
        if (stamp(m, &received[i]) < stamp(m, &sent[0]))
            continue;
        sighting(m, &received[i])->sending = (long)sent[0].seen;
        nsec usual = usual_travel(known, n_known, sighting(m, &sent[0]), stamp(m, &received[i]));
        struct rank *s = likeliest(m, sent, n_sent, &received[i], usual);
        if (s)
            pair(m, s, &received[i]);
    }
}

/* Walks both sorted lists; `alike`: identities that were sent more than once, else the rest. */
static void pair_groups(struct matching *m, bool alike)
{
    size_t n_known = m->travels.n;
    cleanup_free struct travel *known =
        n_known ? xmemdup(m->travels.at, n_known * sizeof(*known)) : NULL;
    struct rank *s = m->sent.at, *r = m->received.at;
    for (size_t i = 0, j = 0; i < m->sent.n && j < m->received.n;) {
        if (s[i].identity != r[j].identity) {
            s[i].identity < r[j].identity ? i++ : j++;
            continue;
        }
        size_t i_end = group_end(s, i, m->sent.n), j_end = group_end(r, j, m->received.n);
        if (i_end - i > 1 && alike)
            pair_alike(m, known, n_known, &s[i], i_end - i, &r[j], j_end - j);
        else if (i_end - i == 1 && !alike)
            pair_single(m, &s[i], &r[j], j_end - j);
        i = i_end;
        j = j_end;
    }
}

/* ------------------------------------------------------------------------ fate */

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

static bool *wired_at(const struct matching *m, int from, int to)
{
    return &m->wired[(size_t)from * m->b->record->hosts.n + (size_t)to];
}

/* Whether the story has the sending of what the wire did something to, or would have it if
 * it were about that frame. */
static bool sees_leave(const struct matching *m, const struct record_wire *w)
{
    if (w->packet >= 0 && (size_t)w->packet < m->b->seen.n)
        return m->b->seen.at[w->packet].role == ROLE_SENT;
    vec_each (&m->b->record->points, p)
        if (p->host == w->from)
            return true;
    return false;
}

/* Between which hosts every loss is known: those that the wire is between, if their cables
 * stayed in, and if each frame that it dropped is one that was seen leaving. */
static void find_wires(struct matching *m)
{
    const struct record *r = m->b->record;
    m->wired = xcalloc(r->hosts.n * r->hosts.n + 1, sizeof(*m->wired));
    vec_each (&r->wire, w) {
        m->corrupts |= w->action == WIRE_CORRUPT;
        m->stays_unseen |= w->action == WIRE_STAY && !sees_leave(m, w);
        *wired_at(m, w->from, w->to) = *wired_at(m, w->to, w->from) = true;
    }
    vec_each (&r->wire, w) {
        bool dropped =
            w->action == WIRE_DROP || w->action == WIRE_LOSS || w->action == WIRE_OVERFLOW;
        if (dropped && w->packet < 0)
            *wired_at(m, w->from, w->to) = false;
    }
    vec_each (&r->events, e) {
        for (size_t h = 0; e->host >= 0 && (size_t)e->host < r->hosts.n && h < r->hosts.n; h++)
            *wired_at(m, e->host, (int)h) = *wired_at(m, (int)h, e->host) = false;
    }
}

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
    nsec end = record_end(r);
    vec_each (&m->sent, rank) {
        struct sighting *s = sighting(m, rank);
        nsec at = stamp(m, rank);
        if (s->stays && s->arrival < 0)
            s->pending = true;
        if (s->arrival >= 0 || s->pending || !would_see(f, s, s->to))
            continue;
        bool no_cable = out[s->to] <= at || (s->from >= 0 && out[s->from] <= at);
        bool kept = s->late || m->stays_unseen || (s->from >= 0 && *wired_at(m, s->from, s->to));
        bool had_time = at <= end - slowest_travel(m, s) - STORY_AT_ONCE;
        if (no_cable || (had_time && !kept))
            s->fate = FATE_LOST;
        else
            s->pending = true;
    }
    vec_each (&m->received, rank) {
        struct sighting *s = sighting(m, rank);
        s->unsent = s->sending < 0 && would_see_leaving(f, s);
    }
}

void story_match(struct build *b)
{
    struct matching m = {.b = b};
    vec_each (&b->seen, s)
        s->identity = identify(s->p);
    story_wire(b);
    find_wires(&m);
    rank_all(&m);
    pair_groups(&m, false);
    sort_travels(&m);
    pair_groups(&m, true);
    sort_travels(&m);
    size_t n = b->record->points.n;
    struct filters f = {.record = b->record,
                        .programs = xcalloc(n, sizeof(*f.programs)),
                        .tried = xcalloc(n, sizeof(*f.tried))};
    judge_unpaired(&m, &f);
    for (size_t i = 0; i < n; i++) {
        if (f.programs[i].bf_insns)
            pcap_freecode(&f.programs[i]);
    }
    free(f.programs);
    free(f.tried);
    vec_free(&m.sent);
    vec_free(&m.received);
    vec_free(&m.travels);
    free(m.wired);
}
