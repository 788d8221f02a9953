/* The story of a run.
 *
 * Theory of operation
 *
 * A record holds frames as capture points saw them: a segment that was sent and
 * arrived is in it twice, once at its sender's host and once at its receiver's.
 * The story holds one entry for each segment, as its sender sent it, in steps, a file
 * each:
 *
 *   story.c          decodes every frame and says where on its way it was seen: at
 *                    its sender, at its receiver, at both (loopback) or in passing.
 *                    A frame is its host's own when the source address is one of
 *                    the host's (of an ARP packet the sender's protocol address),
 *                    or when it went out and the source is nobody's.
 *   story_wire.c     notes what the record knows of the programmable wire.
 *   story_match.c    pairs sendings with arrivals, and story_fate.c says what became of
 *                    those that have none.  An entry is then a sending, or
 *                    an arrival whose sending nobody saw, or a loopback frame.  What
 *                    a captured router forwards is no entry: story_at() shows it.
 *                    What was seen at a point of unknown host (a foreign capture)
 *                    is one, as seen.
 *   story_flow.c     groups entries into connections, and makes numbers relative.
 *   story_names.c    names ports.
 *   story_history.c  plays the entries through a small model of both TCP endpoints
 *                    and notes, at each sending, what the history determines.
 *   story_order.c    counts who was overtaken on the way, and finds the arrival that
 *                    each sending may be the answer to.
 *
 * A capture point's own view, story_at(), holds every frame that passed there, as it
 * passed.  What is known only at the other end (when it was sent, what its sender knew
 * then, that nobody sent it) is taken from the whole story.
 *
 * Everything is O(n log n) in the number of frames, by sorting, whatever they are:
 * a capture is input from anywhere. */
#include "transcript/story.h"

#include "transcript/story_build.h"

static bool host_has(const struct record *r, int host, const struct ipaddr *addr)
{
    if (host < 0 || (size_t)host >= r->hosts.n)
        return false;
    vec_each (&r->hosts.at[host].addrs, a) {
        if (ipaddr_equal(a, addr))
            return true;
    }
    return false;
}

/* Hosts may share an address (127.0.0.1), so the host that captured is asked first. */
static int find_host(const struct record *r, int near, const struct ipaddr *addr, uint16_t port)
{
    vec_each (&r->endpoints, e) {
        if (e->port == port && ipaddr_equal(&e->addr, addr))
            return e->host;
    }
    return host_has(r, near, addr) ? near : record_find_host(r, addr);
}

static void find_addresses(const struct packet *p, struct ipaddr *src, struct ipaddr *dst)
{
    *src = *dst = (struct ipaddr){0};
    if (p->net == NET_IP) {
        *src = p->ip.src;
        *dst = p->ip.dst;
    } else if (p->net == NET_ARP && p->arp.state == LAYER_OK && p->arp.protocol_len == 4) {
        src->version = dst->version = 4;
        memcpy(src->bytes, p->arp.sender_addr, 4);
        memcpy(dst->bytes, p->arp.target_addr, 4);
    }
}

static bool is_local(const struct sighting *s, int host, const struct ipaddr *src,
                     const struct ipaddr *dst)
{
    if (host >= 0)
        return s->from == host && s->to == host;
    return s->from >= 0 && s->to >= 0 && src->version &&
           (ipaddr_equal(src, dst) || (ipaddr_is_loopback(src) && ipaddr_is_loopback(dst)));
}

static void find_role(const struct record *r, struct sighting *s)
{
    const struct record_packet *rp = &r->packets.at[s->packet];
    int host = (size_t)rp->point < r->points.n ? r->points.at[rp->point].host : -1;
    bool tcp = s->p->transport == TRANSPORT_TCP;
    struct ipaddr src, dst;
    find_addresses(s->p, &src, &dst);
    s->from = find_host(r, host, &src, tcp ? s->p->tcp.sport : 0);
    s->to = find_host(r, host, &dst, tcp ? s->p->tcp.dport : 0);
    if (is_local(s, host, &src, &dst))
        s->role = ROLE_LOCAL;
    else if (host < 0)
        s->role = ROLE_PASSING;
    else if (s->from == host && !rp->incoming)
        s->role = ROLE_SENT;
    else if (s->to == host && !rp->outgoing)
        s->role = ROLE_RECEIVED;
    else if (rp->outgoing && s->from < 0)
        s->role = ROLE_SENT;
    else if (rp->incoming && s->to < 0 && s->from < 0)
        s->role = ROLE_RECEIVED;
    else
        s->role = ROLE_PASSING;
}

static void see(struct build *b, size_t packet)
{
    struct sighting *s = vec_add(&b->seen);
    s->packet = packet;
    s->p = xcalloc(1, sizeof(*s->p));
    packet_decode(s->p, &b->record->packets.at[packet].frame);
    s->arrival = s->sending = -1;
    s->copies = 1;
    find_role(b->record, s);
}

static bool is_entry(const struct build *b, const struct sighting *s)
{
    const struct record_packet *rp = &b->record->packets.at[s->packet];
    switch (s->role) {
    case ROLE_SENT:
    case ROLE_LOCAL:
        return true;
    case ROLE_RECEIVED:
        return s->sending < 0;
    case ROLE_PASSING:
        break;
    }
    return (size_t)rp->point >= b->record->points.n || b->record->points.at[rp->point].host < 0;
}

static void enter_travel(struct build *b, const struct sighting *s, struct story_segment *e)
{
    const struct record *r = b->record;
    if (s->injected) {
        e->fate = FATE_ARRIVED;
        e->arrival = (long)s->packet;
        e->arrivals = 1;
    } else if (s->arrival >= 0) {
        struct sighting *a = &b->seen.at[s->arrival];
        e->arrival = (long)a->packet;
        e->travel = story_packet_stamp(r, a->packet) - story_packet_stamp(r, s->packet);
        e->marked = packet_ecn(a->p) == ECN_CE && packet_ecn(e->p) != ECN_CE;
        if (s->rewritten)
            e->arrived = steal_pointer(&a->p);
    }
}

static void enter(struct build *b, struct sighting *s)
{
    struct story_segment *e = vec_add(&b->story->segments);
    const struct record *r = b->record;
    e->packet = s->packet;
    e->p = steal_pointer(&s->p);
    e->from = s->from;
    e->to = s->to;
    e->fate = s->fate;
    e->unsent = s->unsent;
    e->pending = s->pending;
    e->arrivals = s->arrivals;
    e->damaged = s->arrivals && s->broken == s->arrivals;
    e->mixed = s->broken && s->broken < s->arrivals;
    e->rewritten = s->rewritten && s->arrivals;
    e->held = s->held;
    e->injected = s->injected;
    e->flow = -1;
    e->arrival = e->cause = -1;
    enter_travel(b, s, e);
    e->time =
        story_packet_stamp(r, e->packet) - story_packet_stamp(r, b->story->segments.at[0].packet);
    e->gap = b->story->segments.n > 1 ? e->time - e[-1].time : 0;
    b->roles[b->story->segments.n - 1] = s->role;
    b->story->owner[s->packet] = (long)b->story->segments.n - 1;
}

static struct build begin(const struct record *record, int point)
{
    struct build b = {.record = record, .point = point};
    b.story = xcalloc(1, sizeof(*b.story));
    b.story->record = record;
    b.story->point = point;
    b.story->owner = xcalloc(record->packets.n + 1, sizeof(*b.story->owner));
    for (size_t i = 0; i < record->packets.n; i++) {
        b.story->owner[i] = -1;
        if (point < 0 || record->packets.at[i].point == point)
            see(&b, i);
    }
    b.roles = xcalloc(b.seen.n + 1, sizeof(*b.roles));
    return b;
}

static void end(struct build *b)
{
    vec_each (&b->seen, s) {
        if (s->sending >= 0)
            b->story->owner[s->packet] = b->story->owner[b->seen.at[s->sending].packet];
        free(s->p);
    }
    vec_free(&b->seen);
    free(b->roles);
}

struct story *story_new(const struct record *record)
{
    struct build b = begin(record, -1);
    story_match(&b);
    vec_each (&b.seen, s) {
        if (is_entry(&b, s))
            enter(&b, s);
    }
    story_flows(&b);
    story_names(&b);
    story_history(&b);
    story_order(&b);
    end(&b);
    return b.story;
}

/* -------------------------------------------------------------- a point's view */

/* What the segment's sender knew when it sent it: `e` is an arrival of `w`. */
static void take_sending(struct story_segment *e, const struct story_segment *w)
{
    uint32_t seq = e->seq - w->seq, ack = e->ack - w->ack;
    uint32_t tsval = e->tsval - w->tsval, tsecr = e->tsecr - w->tsecr;
    e->due_seq = w->due_seq;
    e->due_seq.lowest += seq;
    e->due_seq.highest += seq;
    e->due_ack = w->due_ack;
    e->due_ack.value += ack;
    e->due_ack.before += ack;
    if (e->p->tcp.has_ts && w->p->tcp.has_ts) {
        e->due_tsval = w->due_tsval;
        e->due_tsval.earliest += tsval;
        e->due_tsval.latest += tsval;
        e->due_tsecr = w->due_tsecr;
        e->due_tsecr.value += tsecr;
        e->due_tsecr.before += tsecr;
    }
    if (e->p->tcp.window == w->p->tcp.window)
        e->due_win = w->due_win; /* else rewritten on the way */
    e->retransmission = w->retransmission;
    e->rtt = w->rtt;
    e->rtt_least = w->rtt_least;
    e->rtt_single = w->rtt_single;
    e->answers = w->answers;
    e->response = w->response;
    e->cause = -1;
    e->direct = false;
}

/* The whole story's segment that an entry of a view is a sighting of, or NULL. */
static const struct story_segment *in_whole(const struct story *whole,
                                            const struct story_segment *e)
{
    long owner = whole->owner[e->packet];
    return owner < 0 ? NULL : &whole->segments.at[owner];
}

struct story *story_at(const struct record *record, int point)
{
    struct story *whole = story_new(record);
    struct build b = begin(record, point);
    vec_each (&b.seen, s) {
        enter(&b, s);
        struct story_segment *e = vec_last(&b.story->segments);
        const struct story_segment *w = in_whole(whole, e);
        if (w && (s->role == ROLE_RECEIVED || s->role == ROLE_PASSING)) {
            e->injected = w->injected;
            e->damaged = e->p->transport == TRANSPORT_TCP && e->p->tcp.sum == SUM_BAD &&
                         (w->damaged || w->mixed);
        }
    }
    story_flows(&b);
    story_names(&b);
    story_history(&b);
    story_order(&b);
    vec_each (&b.story->segments, e) {
        const struct story_segment *w = in_whole(whole, e);
        bool sent_elsewhere = w && w->packet != e->packet && !w->unsent && !w->injected;
        if (sent_elsewhere && w->flow >= 0 && e->flow >= 0)
            take_sending(e, w);
    }
    end(&b);
    story_free(whole);
    return b.story;
}

nsec story_zero(const struct story *story)
{
    const struct record *r = story->record;
    return story->segments.n ? r->packets.at[story->segments.at[0].packet].frame.time : r->began;
}

void story_free(struct story *story)
{
    if (!story)
        return;
    vec_each (&story->segments, s) {
        free(s->p);
        free(s->arrived);
        free(s->from_port);
        free(s->to_port);
    }
    vec_free(&story->segments);
    vec_free(&story->flows);
    free(story->owner);
    free(story);
}
