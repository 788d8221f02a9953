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
 * another is a double that nobody knows of; one that it injected was never sent.
 *
 * What a captured router forwards is a sighting in passing: of the latest sending that has
 * this identity, as it was sent or as the wire changed it. */
#include "transcript/story_match.h"

#define MAX_ALIKE 64 /* sendings on each side that are tried for one arrival */

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

struct sighting *match_sighting(const struct matching *m, const struct rank *r)
{
    return &m->b->seen.at[r->seen];
}

nsec match_stamp(const struct matching *m, const struct rank *r)
{
    return story_packet_stamp(m->b->record, match_sighting(m, r)->packet);
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
    struct sighting *s = match_sighting(m, sent), *r = match_sighting(m, received);
    bool broken = arrives_broken(s, r);
    s->arrivals++;
    s->broken += broken;
    r->sending = (long)sent->seen;
    if (s->arrivals > 1 && (broken || s->broken < s->arrivals - 1))
        return;
    s->arrival = (long)received->seen;
    s->fate = FATE_ARRIVED;
    nsec at = match_stamp(m, sent);
    if (!s->late)
        vec_push(&m->travels,
                 ((struct travel){s->from, s->to, at, match_stamp(m, received) - at, 0}));
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
        if (match_stamp(m, &received[i]) >= match_stamp(m, sent))
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
const struct travel *travel_near(const struct travel *t, size_t n, int from, int to, nsec sent)
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
        nsec at = match_stamp(m, r), off = at > guess ? at - guess : guess - at;
        if (off <= least + STORY_AT_ONCE && may_arrive(match_sighting(m, r)) &&
            !is_of_another(m, match_sighting(m, r), match_sighting(m, received)))
            return r;
    }
    return nearest;
}

/* Among equal frames: the sending that `received` most likely is of.  One that is
 * paired already is taken only if it explains `received` clearly better, or alone. */
static struct rank *likeliest(const struct matching *m, struct rank *sent, size_t n,
                              const struct rank *received, nsec usual)
{
    nsec when = match_stamp(m, received), guess = when - usual;
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (match_stamp(m, &sent[middle]) <= guess)
            low = middle + 1;
        else
            high = middle;
    }
    struct rank *best = NULL, *taken = NULL;
    nsec best_off = NSEC_NEVER, taken_off = NSEC_NEVER;
    size_t from = low > MAX_ALIKE ? low - MAX_ALIKE : 0;
    for (size_t i = from; i < n && i < low + MAX_ALIKE; i++) {
        nsec at = match_stamp(m, &sent[i]), off = at > guess ? at - guess : guess - at;
        if (at > when || is_of_another(m, match_sighting(m, &sent[i]), match_sighting(m, received)))
            continue;
        bool is_free = may_arrive(match_sighting(m, &sent[i]));
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
        if (match_stamp(m, &received[i]) < match_stamp(m, &sent[0]))
            continue;
        match_sighting(m, &received[i])->sending = (long)sent[0].seen;
        nsec usual =
            usual_travel(known, n_known, match_sighting(m, &sent[0]), match_stamp(m, &received[i]));
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

/* --------------------------------------------------------------------- passing */

static void rank_ways(struct matching *m)
{
    vec_each (&m->b->seen, s) {
        size_t i = (size_t)(s - m->b->seen.at);
        if (s->role != ROLE_SENT)
            continue;
        vec_push(&m->ways, ((struct rank){s->as_sent, i}));
        if (s->identity != s->as_sent)
            vec_push(&m->ways, ((struct rank){s->identity, i}));
    }
    if (m->ways.n)
        qsort(m->ways.at, m->ways.n, sizeof(*m->ways.at), compare_ranks);
}

/* The latest sending that the frame can be of, -1: none. */
static long sending_of(const struct matching *m, const struct sighting *passing)
{
    struct rank key = {passing->identity, (size_t)(passing - m->b->seen.at)};
    size_t low = 0, high = m->ways.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_ranks(&m->ways.at[middle], &key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && m->ways.at[low - 1].identity == key.identity ? (long)m->ways.at[low - 1].seen
                                                                   : -1;
}

static bool is_of_a_host(const struct record *r, const struct sighting *s)
{
    int point = r->packets.at[s->packet].point;
    return (size_t)point < r->points.n && r->points.at[point].host >= 0;
}

static void pair_passing(struct matching *m)
{
    rank_ways(m);
    vec_each (&m->b->seen, s)
        if (s->role == ROLE_PASSING && is_of_a_host(m->b->record, s))
            s->sending = sending_of(m, s);
}

void story_match(struct build *b)
{
    struct matching m = {.b = b};
    vec_each (&b->seen, s)
        s->identity = s->as_sent = identify(s->p);
    vec_each (&b->record->wire, w)
        m.corrupts |= w->action == WIRE_CORRUPT;
    story_wire(b);
    rank_all(&m);
    pair_groups(&m, false);
    sort_travels(&m);
    pair_groups(&m, true);
    sort_travels(&m);
    pair_passing(&m);
    story_fate(&m);
    vec_free(&m.sent);
    vec_free(&m.received);
    vec_free(&m.ways);
    vec_free(&m.travels);
}
