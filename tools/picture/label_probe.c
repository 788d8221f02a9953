/* Empty segments of a timer's: keep-alives and zero-window probes.
 *
 * Both have the number before the next one, which is acknowledged already, so that an answer
 * has to come (RFC 9293 3.8.4, 3.8.6.1).  They are told apart by the window that the peer
 * has offered last.  Linux sends no keep-alive while data wait for the window, and a
 * keep-alive's times are whole seconds; so with a window of 0 it is a window probe if it
 * comes sooner than a second, or when the RTO says (doubled for each one before); otherwise
 * it may be either.  Where the socket's numbers are recorded they have the last word. */
#include "picture/label_model.h"

static bool has_form(const struct moment_of *m)
{
    const struct end *e = m->here;
    uint16_t flags = m->t->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK);
    uint32_t len = tcp_seq_len(m->t);
    bool idle = e->sent_any && e->una == e->nxt;
    return idle && flags == TCP_ACK && len <= 1 && m->s->seq == e->nxt - 1;
}

/* Other systems probe with a byte of the data that wait. */
static bool has_data_form(const struct moment_of *m)
{
    const struct end *e = m->here;
    bool beyond = e->has_edge && e->sent_any && m->s->seq == e->nxt && m->s->seq == e->edge;
    return m->captured && beyond && m->t->payload_len == 1 && e->has_window && e->window == 0;
}

static bool fits_rto(const struct replay *r, const struct moment_of *m, nsec waited)
{
    const struct end *e = m->here;
    struct timing_host host = replay_host(r, e->active, m->now);
    nsec second = NSEC_PER_SEC - (host.tick > 0 ? host.tick : TIMING_COARSEST_TICK);
    return waited < second ||
           (e->rtt.most && timing_may_be(&host, TIMING_WAIT_RTO, e->window_probes, e->rtt, waited));
}

static void take_word(struct label *label, enum kernel_says says)
{
    if (says != KERNEL_KEEPALIVE && says != KERNEL_ZERO_WINDOW_PROBE)
        return;
    enum label_kind kind = says == KERNEL_KEEPALIVE ? LABEL_KEEPALIVE : LABEL_ZERO_WINDOW_PROBE;
    bool fits = label->kind == kind || label->kind == LABEL_PROBE;
    label->kind = kind;
    label->basis = fits ? LABEL_CONFIRMED : LABEL_BY_KERNEL;
}

void label_probe(struct replay *r, const struct moment_of *m)
{
    struct end *e = m->here;
    bool data = has_data_form(m);
    if (!data && !has_form(m))
        return;
    nsec waited = m->now - e->active;
    if (m->captured && replay_prompt(r, e->active, m->now))
        return; /* not a timer's */
    struct label label = {.after = waited, .kind = LABEL_KEEPALIVE};
    if (data || (e->has_window && e->window == 0))
        label.kind = data || fits_rto(r, m, waited) ? LABEL_ZERO_WINDOW_PROBE : LABEL_PROBE;
    if (m->captured && !data)
        take_word(&label, kernel_says_probe(r, m));
    label.n = label.kind == LABEL_KEEPALIVE ? ++e->keepalives : ++e->window_probes;
    r->probes[m->segment] = (uint8_t)(label.kind + 1);
    replay_add(r, m->segment, label);
}
