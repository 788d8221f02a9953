#include "record/doubles.h"

#define DOUBLE_WITHIN NSEC_PER_MSEC
#define DOUBLE_AMONG 16 /* frames that are looked back */

/* Its header is; what is behind it may be cut off. */
static bool is_whole(const struct ip_header *ip)
{
    return ip->state == LAYER_OK || ip->state == LAYER_BAD_EXTENSION;
}

static bool same_packet(const struct packet *a, const struct packet *b)
{
    const struct bytes *x = &a->ip.payload, *y = &b->ip.payload;
    return a->net == NET_IP && b->net == NET_IP && is_whole(&a->ip) && is_whole(&b->ip) &&
           ipaddr_equal(&a->ip.src, &b->ip.src) && ipaddr_equal(&a->ip.dst, &b->ip.dst) &&
           a->ip.proto == b->ip.proto && a->ip.id == b->ip.id && a->ip.flow == b->ip.flow &&
           a->ip.fragment_offset == b->ip.fragment_offset && x->len == y->len && x->n == y->n &&
           (x->n == 0 || memcmp(x->at, y->at, x->n) == 0);
}

static bool is_syn(const struct packet *p)
{
    return p->transport == TRANSPORT_TCP && p->tcp.flags & TCP_SYN;
}

/* Whether packet i equals one shortly before it that is not itself left out. */
static bool is_double(const struct record *r, const struct packet *window, const bool *out,
                      size_t i)
{
    const struct packet *p = &window[i % DOUBLE_AMONG];
    for (size_t back = 1; back < DOUBLE_AMONG && back <= i; back++) {
        const struct packet *q = &window[(i - back) % DOUBLE_AMONG];
        if (r->packets.at[i - back].frame.time < r->packets.at[i].frame.time - DOUBLE_WITHIN)
            return false;
        if (!out[i - back] && same_packet(p, q))
            return true;
    }
    return false;
}

void record_leave_out(struct record *r, const bool *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->packets.n; i++) {
        struct record_packet *p = &r->packets.at[i];
        union {
            const uint8_t *read_only;
            void *owned;
        } data = {p->frame.data};
        if (out[i])
            free(data.owned);
        else
            r->packets.at[kept++] = *p;
    }
    r->packets.n = kept;
}

void record_leave_out_doubles(struct record *r)
{
    cleanup_free struct packet *window = xcalloc(DOUBLE_AMONG, sizeof(*window));
    cleanup_free bool *out = xcalloc(r->packets.n, sizeof(*out));
    size_t doubles = 0;
    bool twice = false;
    for (size_t i = 0; i < r->packets.n; i++) {
        packet_decode(&window[i % DOUBLE_AMONG], &r->packets.at[i].frame);
        out[i] = is_double(r, window, out, i);
        doubles += out[i];
        twice = twice || (out[i] && is_syn(&window[i % DOUBLE_AMONG]));
    }
    if (!twice)
        return;
    record_leave_out(r, out);
    vec_push(&r->remarks,
             xasprintf("the capture holds packets twice, from several interfaces: %zu left out",
                       doubles));
}
