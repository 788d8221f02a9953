/* Connections, directions and relative numbers.
 *
 * Theory of operation
 *
 * Segments with the same two ends (address and port) belong to one flow, until a SYN
 * comes that cannot be of it: its direction has had another initial sequence number,
 * or has spoken without one having been seen.  A SYN that nobody answered may only be
 * repeated as it was; where the record knows that no program has begun a connection
 * since, another number belongs to the same flow (and is wrong).  The first segment's
 * direction is 0.
 *
 * A direction's first number is its SYN's sequence number, so that a SYN prints
 * seq 0 and the first byte of data 1.  If no SYN of it was captured, it is chosen so
 * that what is seen first of it, its own sequence number or the other side's
 * acknowledgment, prints as 1, as after a handshake.  A closed port answers a SYN
 * with `R.` and a sequence number of 0 that it made up (RFC 9293 3.5.2): that is 0
 * as it stands, and no first number.
 *
 * A segment that the wire injected is of the connection whose ends it bears, and belongs
 * to no sender's history: it begins no connection, and its numbers are first ones only
 * where nobody else has any.
 *
 * Timestamps count from the direction's first TSval; if it sent none that was seen,
 * from the first that the other side echoed.  The echo of a segment without ACK is
 * not valid (RFC 7323 3.2): its 0 stays 0. */
#include "transcript/story_build.h"

/* An address and port, comparable as bytes. */
struct end {
    uint8_t bytes[19];
};

struct member {
    struct end low, high;
    bool from_high;
    size_t segment;
};

/* First numbers of a flow's directions, raw. */
struct bases {
    bool has_seq[2], has_ts[2];
    bool spoke[2]; /* while splitting: any segment of this direction */
    uint32_t seq[2], ts[2];
    nsec syn;  /* while splitting: stamp of the last SYN … */
    bool told; /* … and calls_tell() */
};

static struct end end_of(const struct ipaddr *addr, uint16_t port)
{
    struct end e = {{addr->version}};
    memcpy(e.bytes + 1, addr->bytes, addr->version == 4 ? 4 : 16);
    e.bytes[17] = (uint8_t)(port >> 8);
    e.bytes[18] = (uint8_t)port;
    return e;
}

static int compare_members(const void *pa, const void *pb)
{
    const struct member *a = pa, *b = pb;
    int order = memcmp(&a->low, &b->low, sizeof(a->low));
    if (order == 0)
        order = memcmp(&a->high, &b->high, sizeof(a->high));
    if (order == 0)
        order = (a->segment > b->segment) - (a->segment < b->segment);
    return order;
}

static struct member member_of(const struct packet *p, size_t segment)
{
    struct end src = end_of(&p->ip.src, p->tcp.sport), dst = end_of(&p->ip.dst, p->tcp.dport);
    bool from_high = memcmp(&src, &dst, sizeof(src)) > 0;
    return (struct member){from_high ? dst : src, from_high ? src : dst, from_high, segment};
}

/* Whether a program of the host may have begun a connection in between: by a call, or,
 * where it runs programs of its own, whenever it liked. */
static bool may_have_connected(const struct record *r, int host, nsec after, nsec until)
{
    size_t low = 0, high = r->calls.n;
    while (low < high) { /* calls are in the order of their beginning */
        size_t middle = low + (high - low) / 2;
        if (r->calls.at[middle].began <= after)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < r->calls.n && r->calls.at[i].began <= until; i++)
        if (r->calls.at[i].host == host && strcmp(r->calls.at[i].verb, "connect") == 0)
            return true;
    return false;
}

/* Whether calls say of all connections when they began. */
static bool calls_tell(const struct record *r)
{
    vec_each (&r->calls, c)
        if (strcmp(c->verb, "run") == 0)
            return false;
    return r->has_calls;
}

/* Whether this SYN opens another connection between the same ends. */
static bool begins_anew(const struct record *r, const struct bases *known, int side,
                        const struct story_segment *s)
{
    const struct tcp_header *t = &s->p->tcp;
    if ((t->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    if (!known->has_seq[side])
        return known->spoke[side];
    if (known->seq[side] == t->seq)
        return false;
    return known->spoke[!side] || !known->told ||
           may_have_connected(r, s->from, known->syn, story_packet_stamp(r, s->packet));
}

/* Numbers flows in the order of the sorted members; story_flows() renumbers them. */
static size_t split_flows(struct story *story, const struct member *members, size_t n)
{
    struct bases known = {0};
    bool told = calls_tell(story->record);
    size_t flows = 0;
    for (size_t i = 0; i < n; i++) {
        const struct member *m = &members[i];
        struct story_segment *s = &story->segments.at[m->segment];
        const struct tcp_header *t = &s->p->tcp;
        bool same_ends = i > 0 && memcmp(&m->low, &m[-1].low, sizeof(m->low)) == 0 &&
                         memcmp(&m->high, &m[-1].high, sizeof(m->high)) == 0;
        if (!same_ends || (!s->injected && begins_anew(story->record, &known, m->from_high, s))) {
            known = (struct bases){.told = told};
            flows++;
        }
        s->flow = (int)flows - 1;
        if (s->injected)
            continue;
        known.spoke[m->from_high] = true;
        if (t->flags & TCP_SYN)
            known.syn = story_packet_stamp(story->record, s->packet);
        if (t->flags & TCP_SYN && !known.has_seq[m->from_high]) {
            known.has_seq[m->from_high] = true;
            known.seq[m->from_high] = t->seq;
        }
    }
    return flows;
}

static void open_flow(struct story *story, const struct story_segment *first)
{
    struct story_flow *f = vec_add(&story->flows);
    *f = (struct story_flow){.host = {first->from, first->to},
                             .port = {first->p->tcp.sport, first->p->tcp.dport},
                             .addr = {first->p->ip.src, first->p->ip.dst}};
}

/* Flows in the order in which they first appear. */
static void number_flows(struct story *story, size_t n)
{
    cleanup_free int *number = xcalloc(n, sizeof(*number));
    vec_each (&story->segments, s) {
        if (s->flow < 0)
            continue;
        int *known = &number[s->flow];
        if (*known == 0) {
            open_flow(story, s);
            *known = (int)story->flows.n;
        }
        s->flow = *known - 1;
        const struct story_flow *f = &story->flows.at[s->flow];
        s->dir = f->port[0] != s->p->tcp.sport || !ipaddr_equal(&f->addr[0], &s->p->ip.src);
    }
}

/* -------------------------------------------------------------- first numbers */

static bool made_up_zero(const struct tcp_header *t)
{
    return t->seq == 0 && (t->flags & (TCP_RST | TCP_ACK)) == (TCP_RST | TCP_ACK);
}

static void first_number(bool *has, uint32_t *base, uint32_t value)
{
    if (!*has) {
        *has = true;
        *base = value;
    }
}

/* Of what was sent, or of what was injected. */
static void find_bases(const struct story *story, struct bases *bases, bool injected)
{
    vec_each (&story->segments, s) {
        if (s->flow < 0 || s->injected != injected || !(s->p->tcp.flags & TCP_SYN))
            continue;
        struct bases *b = &bases[s->flow];
        first_number(&b->has_seq[s->dir], &b->seq[s->dir], s->p->tcp.seq);
    }
    vec_each (&story->segments, s) {
        if (s->flow < 0 || s->injected != injected)
            continue;
        const struct tcp_header *t = &s->p->tcp;
        struct bases *b = &bases[s->flow];
        int d = s->dir;
        if (!made_up_zero(t))
            first_number(&b->has_seq[d], &b->seq[d], t->seq - 1);
        if (t->flags & TCP_ACK)
            first_number(&b->has_seq[!d], &b->seq[!d], t->ack - 1);
        if (t->has_ts)
            first_number(&b->has_ts[d], &b->ts[d], t->tsval);
    }
    vec_each (&story->segments, s) {
        if (s->flow < 0 || s->injected != injected || !s->p->tcp.has_ts ||
            !(s->p->tcp.flags & TCP_ACK))
            continue;
        struct bases *b = &bases[s->flow];
        first_number(&b->has_ts[!s->dir], &b->ts[!s->dir], s->p->tcp.tsecr);
    }
}

/* Whether the direction has numbers of its own, beside a made-up zero. */
static void note_voices(const struct story *story, struct bases *bases)
{
    vec_each (&story->segments, s) {
        if (s->flow >= 0 && !made_up_zero(&s->p->tcp))
            bases[s->flow].spoke[s->dir] = true;
    }
}

static void make_relative(struct story_segment *s, const struct bases *b)
{
    const struct tcp_header *t = &s->p->tcp;
    int d = s->dir;
    bool zero = made_up_zero(t) && !b->spoke[d];
    s->seq = zero ? 0 : t->seq - b->seq[d];
    if (t->flags & TCP_ACK)
        s->ack = t->ack - b->seq[!d];
    if (!t->has_ts)
        return;
    s->tsval = t->tsval - b->ts[d];
    bool echoes = t->flags & TCP_ACK || t->tsecr != 0;
    s->tsecr = echoes ? t->tsecr - b->ts[!d] : 0;
}

void story_flows(struct build *b)
{
    struct story *story = b->story;
    VEC(struct member) members = {0};
    vec_each (&story->segments, s) {
        if (s->p->transport == TRANSPORT_TCP)
            vec_push(&members, member_of(s->p, (size_t)(s - story->segments.at)));
    }
    if (!members.n)
        return;
    qsort(members.at, members.n, sizeof(*members.at), compare_members);
    number_flows(story, split_flows(story, members.at, members.n));
    vec_free(&members);
    cleanup_free struct bases *bases = xcalloc(story->flows.n, sizeof(*bases));
    find_bases(story, bases, false);
    find_bases(story, bases, true);
    note_voices(story, bases);
    vec_each (&story->segments, s) {
        if (s->flow >= 0)
            make_relative(s, &bases[s->flow]);
    }
}
