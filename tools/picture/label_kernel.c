/* What the kernel's own numbers say of a segment that was sent again, or of a probe.
 *
 * Where a lab traces a host, its record has looks at each socket: one after each packet, and
 * written down if a number has changed.  So two looks, before a segment and after it, show
 * what sending it did to its socket (net/ipv4/tcp_timer.c, tcp_input.c, tcp_output.c):
 *
 *   retransmits    is increased by each RTO, and by nothing else (tcp_retransmit_timer())
 *   total_retrans  by each retransmission
 *   ca_state       Loss after an RTO, Recovery in a fast one or RACK's; a tail loss probe
 *                  changes nothing (tcp_send_loss_probe())
 *   backoff        is increased by a zero-window probe (tcp_send_probe0()) and not by a
 *                  keep-alive (tcp_keepalive_timer())
 *
 * The looks come a moment later, so in between something else may have happened.  They are
 * taken at their word only where nothing else can have made the difference: `total_retrans`
 * has grown by one, this is the only one of its kind between the looks, and, where the state
 * counts, nothing had reached the host since. */
#include "picture/label_model.h"

enum { MOST_PACKETS = 64 /* between two looks; with more nothing is said */ };

/* Two clocks are read one after the other to see a step: shorter than a look is none. */
static const nsec STEP_MOST = 10 * NSEC_PER_USEC;

static int compare_addresses(const struct ipaddr *a, const struct ipaddr *b)
{
    return a->version != b->version ? a->version - b->version
                                    : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_sockets(const struct record_state *a, const struct record_state *b)
{
    if (a->host != b->host)
        return a->host - b->host;
    if (a->local_port != b->local_port)
        return a->local_port - b->local_port;
    if (a->remote_port != b->remote_port)
        return a->remote_port - b->remote_port;
    int local = compare_addresses(&a->local, &b->local);
    return local ? local : compare_addresses(&a->remote, &b->remote);
}

static int compare_looks(const void *pa, const void *pb)
{
    const struct record_state *a = *(const struct record_state *const *)pa;
    const struct record_state *b = *(const struct record_state *const *)pb;
    int sockets = compare_sockets(a, b);
    if (sockets)
        return sockets;
    /* record.states is by time, and stays so within a socket */
    return a < b ? -1 : a > b;
}

void looks_index(looks *list, const struct record *r)
{
    bool traced = false;
    vec_each (&r->states, s)
        traced |= s->has_values;
    /* Where the clock was set, looks and packets are not in the order of their stamps. */
    bool set = r->clock_step > STEP_MOST || r->clock_step < -STEP_MOST;
    if (!traced || !r->has_states || set)
        return;
    vec_each (&r->states, s)
        vec_push(list, s);
    if (list->n)
        qsort(list->at, list->n, sizeof(const struct record_state *), compare_looks);
}

/* The first look at the segment's socket that was over at `now` or later; list->n if none. */
static size_t look_after(const looks *list, const struct record_state *socket, nsec now)
{
    size_t low = 0, high = list->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_sockets(list->at[middle], socket);
        if (order < 0 || (order == 0 && list->at[middle]->time < now))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The numbers before a segment was sent and after it, and when these were read. */
struct change {
    const struct record_values *before, *after;
    nsec from, by;
    bool later; /* the second look began after the segment was sent; else it may have seen the
                   socket as it was before, unless a number says otherwise */
};

static bool find_change(const struct replay *r, const struct moment_of *m, struct change *c)
{
    if (!m->captured || r->looks.n == 0)
        return false;
    struct record_state socket = {.host = m->s->from,
                                  .local = m->s->p->ip.src,
                                  .remote = m->s->p->ip.dst,
                                  .local_port = m->t->sport,
                                  .remote_port = m->t->dport};
    size_t i = look_after(&r->looks, &socket, m->now);
    if (i == 0 || i == r->looks.n)
        return false;
    const struct record_state *old = r->looks.at[i - 1], *next = r->looks.at[i];
    if (compare_sockets(old, &socket) != 0 || compare_sockets(next, &socket) != 0 ||
        !old->has_values)
        return false;
    if (next->after >= m->now) { /* a look in between saw that nothing had changed */
        *c = (struct change){&old->values, &old->values, old->time, next->after, true};
        return true;
    }
    *c = (struct change){&old->values, &next->values, next->after, next->time, false};
    return next->has_values;
}

/* ---------------------------------------------------- what else was between the looks */

struct between {
    size_t again, sent; /* how many the sender sent again, and in all; this one is counted */
    bool closed_only;   /* what had reached it since had no data and a window of 0 */
    bool arrived;       /* something had reached it since */
    bool too_many;
};

static void count_packet(struct between *b, const struct replay *r, const struct moment_of *m,
                         size_t packet, bool since)
{
    const struct story *story = r->story;
    long owner = story->owner[packet];
    if (owner < 0)
        return;
    const struct story_segment *s = &story->segments.at[owner];
    if (s->flow != m->s->flow) {
        /* what is not TCP may be about this connection: an ICMP error */
        b->arrived |= since && s->flow < 0 && s->to == m->s->from;
        return;
    }
    int point = r->record->packets.at[packet].point;
    bool here = point >= 0 && (size_t)point < r->record->points.n &&
                r->record->points.at[point].host == m->s->from;
    if (s->dir == m->s->dir) {
        bool sending = s->packet == packet;
        b->sent += sending;
        b->again += sending && s->retransmission;
    } else if (since && here) {
        b->closed_only &= s->p->tcp.window == 0 && tcp_seq_len(&s->p->tcp) == 0;
        b->arrived = true;
    }
}

static struct between look_between(const struct replay *r, const struct moment_of *m,
                                   const struct change *c)
{
    const struct record *record = r->record;
    struct between b = {.closed_only = true};
    size_t n = 0, i = m->s->packet;
    count_packet(&b, r, m, i, false);
    for (i = m->s->packet + 1; i < record->packets.n && n < MOST_PACKETS; i++, n++) {
        if (record->packets.at[i].frame.time > c->by)
            break;
        count_packet(&b, r, m, i, true);
    }
    for (i = m->s->packet; i > 0 && n < MOST_PACKETS; i--, n++) {
        if (record->packets.at[i - 1].frame.time < c->from)
            break;
        count_packet(&b, r, m, i - 1, false);
    }
    b.too_many = n == MOST_PACKETS;
    return b;
}

/* ------------------------------------------------------------------------- answers */

struct kernel_word kernel_says_again(const struct replay *r, const struct moment_of *m)
{
    struct change c;
    struct kernel_word word = {.says = KERNEL_NOTHING};
    if (!find_change(r, m, &c) || c.before->total_retrans < 0 || c.before->retransmits < 0 ||
        c.after->total_retrans != c.before->total_retrans + 1)
        return word;
    struct between b = look_between(r, m, &c);
    if (b.too_many || b.again != 1)
        return word;
    if (c.after->retransmits > c.before->retransmits) {
        word.says = KERNEL_RTO;
        word.rto = c.after->retransmits < 1000 ? (unsigned)c.after->retransmits : 0;
    } else if (!b.arrived && c.after->retransmits == 0) {
        word.entered = c.before->ca_state != c.after->ca_state;
        /* After an ACK that was not captured, less would be under way. */
        bool under_way = c.after->unacked > 0 && c.after->unacked >= c.before->unacked;
        word.says = c.after->ca_state == TCP_CA_STATE_LOSS       ? KERNEL_LOSS
                    : c.after->ca_state == TCP_CA_STATE_RECOVERY ? KERNEL_RECOVERY
                    : c.after->ca_state >= 0 && under_way        ? KERNEL_PROBE
                                                                 : KERNEL_NOTHING;
    }
    return word;
}

enum kernel_says kernel_says_probe(const struct replay *r, const struct moment_of *m)
{
    struct change c;
    if (!find_change(r, m, &c) || c.before->backoff < 0 || c.after->backoff < 0)
        return KERNEL_NOTHING;
    struct between b = look_between(r, m, &c);
    bool sees_it = c.later || (b.sent == 1 && c.after->probes > c.before->probes);
    if (b.too_many)
        return KERNEL_NOTHING;
    if (b.sent == 1 && c.after->backoff > c.before->backoff)
        return KERNEL_ZERO_WINDOW_PROBE;
    /* An answer that opens the window would have ended the back-off. */
    bool opened = b.arrived && !(b.closed_only && m->here->has_window && m->here->window == 0);
    return sees_it && !opened && c.before->backoff == 0 && c.after->backoff == 0 ? KERNEL_KEEPALIVE
                                                                                 : KERNEL_NOTHING;
}
