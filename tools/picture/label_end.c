/* What each end of a connection knows: a replay of its sending and receiving.
 *
 * It is that of RFC 9293, 5681 and 6675: what is not acknowledged, what was sacked, how many
 * duplicate ACKs have come; and of the receiver what it has, and what it has said of that. */
#include "picture/label_model.h"

#define MAX_COVER 2048 /* segments that one repetition may cover, and of which one is divided */
#define MAX_WSCALE 14  /* RFC 7323 2.3 */

/* ---------------------------------------------------------------------- sending */

/* The first that ends behind `from`. */
static size_t find_unit(const struct end *e, uint32_t from)
{
    size_t low = e->head, high = e->units.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seq_before(from, e->units.at[middle].to))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct unit *end_find_unit(const struct end *e, uint32_t from)
{
    size_t i = find_unit(e, from);
    return i < e->units.n ? &e->units.at[i] : NULL;
}

size_t end_sacked_beyond(const struct end *e, uint32_t from, size_t enough)
{
    size_t n = 0;
    for (size_t i = seq_set_find(&e->sacked, from); i < e->sacked.list.n && n < enough; i++) {
        struct seq_range span = e->sacked.list.at[i];
        if (seq_before(span.from, from))
            span.from = from;
        n += find_unit(e, span.to - 1) - find_unit(e, span.from) + 1;
    }
    return n;
}

/* So that what was sent again of a larger segment has a count and a time of its own. */
static void split_unit(struct end *e, uint32_t at)
{
    size_t i = find_unit(e, at);
    bool inside = i < e->units.n && seq_before(e->units.at[i].from, at);
    if (!inside || e->units.n - e->head > MAX_COVER)
        return;
    (void)vec_add(&e->units);
    memmove(&e->units.at[i + 1], &e->units.at[i], (e->units.n - 1 - i) * sizeof(*e->units.at));
    e->units.at[i].to = e->units.at[i + 1].from = at;
}

static void send_again(struct end *e, struct seq_range span, nsec now)
{
    split_unit(e, span.from);
    split_unit(e, span.to);
    size_t first = find_unit(e, span.from);
    for (size_t i = first; i < e->units.n && i < first + MAX_COVER; i++) {
        struct unit *u = &e->units.at[i];
        if (!seq_before(u->from, span.to))
            break;
        u->times++;
        u->sent = now;
    }
}

static void send_numbers(struct end *e, struct seq_range span, nsec now)
{
    if (!e->sent_any) {
        e->sent_any = true;
        e->una = e->nxt = span.from;
    }
    if (span.from == span.to)
        return;
    if (seq_before(span.from, e->nxt))
        send_again(e, span, now);
    if (!seq_before(e->nxt, span.to))
        return;
    uint32_t from = seq_before(span.from, e->nxt) ? e->nxt : span.from;
    vec_push(&e->units, ((struct unit){.from = from, .to = span.to, .sent = now}));
    e->nxt = span.to;
}

static void send_syn(struct end *e, const struct tcp_header *t)
{
    e->sent_syn = true;
    e->sent_plain_syn |= !(t->flags & TCP_ACK);
}

bool offered_window(const struct end *from, const struct end *to, const struct tcp_header *t,
                    uint32_t *window)
{
    bool known = t->flags & TCP_SYN || (from->seen_offer && to->seen_offer);
    bool scaled = !(t->flags & TCP_SYN) && from->offers_wscale && to->offers_wscale;
    *window = (uint32_t)t->window << (known && scaled ? from->wscale : 0);
    return known;
}

static void send_ack(struct end *e, const struct moment_of *m)
{
    const struct tcp_header *t = m->t;
    uint32_t base = t->ack - m->s->ack;
    e->repeats = e->sent_ack && e->last_ack == m->s->ack ? e->repeats : 0;
    e->sent_ack = true;
    e->last_ack = m->s->ack;
    bool known = offered_window(e, m->there, t, &e->last_window), syn = t->flags & TCP_SYN;
    e->has_last_window = known || !syn;
    e->sent_ack_of_syn |= !syn;
    seq_set_drop(&e->told, e->last_ack);
    for (unsigned i = 0; i < t->n_sack; i++) {
        struct seq_range block = {t->sack[i].left - base, t->sack[i].right - base};
        if (seq_before(block.from, block.to) && !seq_before(block.from, e->last_ack))
            seq_set_add(&e->told, block);
    }
    if (!e->receiving || seq_before(e->rcv_nxt, e->last_ack)) { /* it knows better */
        e->receiving = true;
        e->rcv_nxt = e->last_ack;
        seq_set_drop(&e->early, e->rcv_nxt);
    }
    e->waiting = e->last_ack == e->rcv_nxt ? 0 : e->waiting;
}

void end_sent(const struct moment_of *m)
{
    struct end *e = m->here;
    const struct tcp_header *t = m->t;
    e->active = m->now;
    e->answered = m->s->cause;
    if (t->flags & TCP_RST)
        return;
    send_numbers(e, (struct seq_range){m->s->seq, m->s->seq + tcp_seq_len(t)}, m->now);
    if (t->flags & TCP_SYN)
        send_syn(e, t);
    if (t->flags & TCP_FIN && !e->sent_fin) {
        e->sent_fin = true;
        e->fin = m->s->seq + tcp_seq_len(t) - 1;
        e->fin_segment = m->segment;
    }
    if (t->flags & TCP_ACK)
        send_ack(e, m);
}

/* --------------------------------------------------------- acknowledgments arrive */

/* RACK.xmit_ts of RFC 8985 6.2; step 2 leaves out what may be the ACK of the first sending. */
static void deliver(struct end *e, const struct unit *u, nsec now)
{
    bool ambiguous = u->times && now - u->sent < e->rtt.least;
    if (!ambiguous && u->sent > e->rack_sent)
        e->rack_sent = u->sent;
}

/* A block of SACK; says whether it is new. */
static bool take_sack(struct end *e, struct seq_range block, nsec now)
{
    bool sane = !seq_before(block.from, e->una) && seq_before(block.from, block.to) &&
                !seq_before(e->nxt, block.to);
    if (!sane || seq_set_have(&e->sacked, block))
        return false;
    size_t known = seq_set_find(&e->sacked, block.from);
    uint32_t from = block.from;
    if (known < e->sacked.list.n && !seq_before(from, e->sacked.list.at[known].from))
        from = e->sacked.list.at[known].to;
    for (size_t i = find_unit(e, from); i < e->units.n; i++) {
        if (!seq_before(e->units.at[i].from, block.to))
            break;
        deliver(e, &e->units.at[i], now);
    }
    seq_set_add(&e->sacked, block);
    return true;
}

static bool take_sacks(struct end *e, const struct moment_of *m)
{
    uint32_t base = m->t->ack - m->s->ack;
    bool fresh = false;
    for (unsigned i = 0; i < m->t->n_sack; i++) {
        struct seq_range block = {m->t->sack[i].left - base, m->t->sack[i].right - base};
        fresh |= take_sack(e, block, m->now);
    }
    return fresh;
}

static void end_of_recovery(struct replay *r, struct end *e, const struct moment_of *m)
{
    bool over = !seq_before(e->una, e->recover);
    if (e->state == SENDER_RECOVERY)
        replay_add(r, m->segment,
                   (struct label){.kind = over ? LABEL_FULL_ACK : LABEL_PARTIAL_ACK});
    if (over)
        e->state = SENDER_CALM;
}

static void advance(struct replay *r, struct end *e, const struct moment_of *m)
{
    e->una = m->s->ack;
    for (; e->head < e->units.n && !seq_before(e->una, e->units.at[e->head].to); e->head++)
        deliver(e, &e->units.at[e->head], m->now);
    seq_set_drop(&e->sacked, e->una);
    e->dups = 0;
    e->progress = e->news = m->now;
    e->progressed = true;
    e->undecided = NO_SEGMENT;
    e->probed &= seq_before(e->una, e->probe_high);
    if (e->state != SENDER_CALM)
        end_of_recovery(r, e, m);
}

/* RFC 5681 2; with SACK what it newly says (RFC 6675 2) counts instead of the window. */
static bool is_duplicate(const struct end *e, const struct moment_of *m, bool fresh_sack)
{
    uint32_t window;
    (void)offered_window(m->there, e, m->t, &window);
    bool bare = !tcp_seq_len(m->t), same_window = e->has_window && e->window == window;
    return bare && m->s->ack == e->una && e->una != e->nxt && (same_window || fresh_sack);
}

static void take_window(struct end *e, const struct moment_of *m)
{
    uint32_t window;
    bool known = offered_window(m->there, e, m->t, &window);
    uint32_t edge = m->s->ack + window;
    if (known && (!e->has_edge || seq_before(e->edge, edge))) {
        e->edge = edge;
        e->has_edge = true;
    }
    e->has_window = known || !(m->t->flags & TCP_SYN);
    e->window = window;
    if (e->window)
        e->window_probes = 0;
}

static void got_ack(struct replay *r, struct end *e, const struct moment_of *m)
{
    if (!e->sent_any)
        return;
    if (seq_before(e->nxt, m->s->ack)) {
        if (e->sent_syn || e->units.n)
            return;
        e->una = e->nxt = m->s->ack; /* it began before the capture, with a keep-alive */
    }
    bool fresh = take_sacks(e, m);
    if (seq_before(e->una, m->s->ack)) {
        advance(r, e, m);
    } else if (is_duplicate(e, m, fresh)) {
        e->dups++;
        e->news = m->now;
    } else if (fresh) {
        e->news = m->now;
    }
    if (!seq_before(m->s->ack, e->una))
        take_window(e, m);
}

/* ------------------------------------------------------------------ data arrives */

static void got_numbers(struct end *e, struct seq_range span, nsec now)
{
    if (span.from == span.to || !seq_before(e->rcv_nxt, span.to))
        return;
    if (seq_before(e->rcv_nxt, span.from)) {
        seq_set_add(&e->early, span);
        return;
    }
    e->rcv_nxt = span.to;
    if (e->early.list.n && !seq_before(e->rcv_nxt, e->early.list.at[0].from)) {
        if (seq_before(e->rcv_nxt, e->early.list.at[0].to))
            e->rcv_nxt = e->early.list.at[0].to;
    }
    seq_set_drop(&e->early, e->rcv_nxt);
    if (!e->waiting)
        e->waiting = now;
}

static void got_syn(struct end *peer, const struct tcp_header *t)
{
    peer->seen_offer = true;
    peer->offers_sack = t->sack_ok;
    peer->offers_wscale = t->has_wscale;
    peer->wscale = t->wscale > MAX_WSCALE ? MAX_WSCALE : t->wscale;
}

void end_got(struct replay *r, const struct moment_of *m)
{
    struct end *e = m->here;
    const struct tcp_header *t = m->t;
    e->active = m->now;
    e->keepalives = 0;
    if (t->flags & TCP_RST)
        return;
    if (t->flags & TCP_SYN && !m->s->injected) {
        got_syn(m->there, t);
        if (!e->receiving) {
            e->receiving = true;
            e->rcv_nxt = m->s->seq + 1;
        }
    }
    if (t->flags & TCP_ACK)
        got_ack(r, e, m);
    if (e->receiving && !(t->flags & TCP_SYN))
        got_numbers(e, (struct seq_range){m->s->seq, m->s->seq + tcp_seq_len(t)}, m->now);
    if (t->flags & TCP_FIN && !e->got_fin) {
        e->got_fin = true;
        e->nxt_at_fin = e->nxt;
    }
}

void end_free(struct end *e)
{
    vec_free(&e->units);
    vec_free(&e->sacked.list);
    vec_free(&e->early.list);
    vec_free(&e->told.list);
}
