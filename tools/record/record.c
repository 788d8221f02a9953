#include "record/record.h"

struct record *record_new(void)
{
    struct record *r = xcalloc(1, sizeof(*r));
    r->ip = 4;
    return r;
}

static void free_things_seen(struct record *r)
{
    vec_each (&r->packets, p) {
        union {
            const uint8_t *read_only;
            void *owned;
        } data = {p->frame.data};
        free(data.owned);
    }
    vec_free(&r->packets);
    vec_each (&r->calls, c) {
        free(c->as);
        free(c->verb);
        free(c->args);
        free(c->text);
        free(c->expected);
    }
    vec_free(&r->calls);
    vec_free(&r->events);
    vec_free(&r->wire);
    vec_free(&r->wires);
    vec_free(&r->states);
}

static void free_stage(struct record *r)
{
    vec_each (&r->hosts, h) {
        free(h->name);
        vec_free(&h->addrs);
    }
    vec_free(&r->hosts);
    vec_free(&r->endpoints);
    vec_each (&r->points, p) {
        free(p->name);
        free(p->iface);
        free(p->filter);
    }
    vec_free(&r->points);
    vec_each (&r->sysctls, s) {
        free(s->key);
        free(s->value);
    }
    vec_free(&r->sysctls);
    vec_free(&r->stalls);
}

void record_free(struct record *r)
{
    if (!r)
        return;
    free_things_seen(r);
    free_stage(r);
    vec_each (&r->remarks, remark) {
        free(*remark);
    }
    vec_free(&r->remarks);
    free(r->lab);
    free(r->kernel);
    free(r->machine);
    free(r->version);
    free(r->clock);
    free(r->skipped);
    free(r->stopped);
    free(r);
}

void record_add_packet(struct record *r, int point, bool outgoing, bool incoming,
                       const struct frame *frame)
{
    struct record_packet *p = vec_add(&r->packets);
    p->point = point;
    p->outgoing = outgoing;
    p->incoming = incoming;
    p->frame = *frame;
    p->frame.data = frame->caplen ? xmemdup(frame->data, frame->caplen) : NULL;
}

/* A stable sort by a stamp that each element holds: qsort() promises no order
 * among equals, so what is sorted is (stamp, place) and the elements follow. */
struct rank {
    nsec time;
    size_t place;
};

static int compare_ranks(const void *pa, const void *pb)
{
    const struct rank *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

#define SORT_BY(v, field)                                                                          \
    do {                                                                                           \
        cleanup_free struct rank *ranks = xcalloc((v)->n + 1, sizeof(*ranks));                     \
        for (size_t i = 0; i < (v)->n; i++)                                                        \
            ranks[i] = (struct rank){(v)->at[i].field, i};                                         \
        qsort(ranks, (v)->n, sizeof(*ranks), compare_ranks);                                       \
        __typeof__((v)->at) sorted = xcalloc((v)->n + 1, sizeof(*sorted));                         \
        for (size_t i = 0; i < (v)->n; i++)                                                        \
            sorted[i] = (v)->at[ranks[i].place];                                                   \
        free((v)->at);                                                                             \
        (v)->at = sorted;                                                                          \
        (v)->cap = (v)->n + 1;                                                                     \
    } while (0)

void record_sort(struct record *r)
{
    SORT_BY(&r->packets, frame.time);
    SORT_BY(&r->calls, began);
    SORT_BY(&r->events, time);
    SORT_BY(&r->wire, time);
    SORT_BY(&r->states, time);
}

int record_find_host(const struct record *r, const struct ipaddr *addr)
{
    for (size_t i = 0; i < r->hosts.n; i++) {
        vec_each (&r->hosts.at[i].addrs, a) {
            if (ipaddr_equal(a, addr))
                return (int)i;
        }
    }
    return -1;
}

#define COPY_VEC(v)                                                                                \
    ((v)->at = xmemdup((v)->at ? (void *)(v)->at : "", (v)->n * sizeof(*(v)->at)),                 \
     (v)->cap = (v)->n)

struct record *record_glance(const struct record *r, nsec now)
{
    struct record *glance = xmemdup(r, sizeof(*r));
    COPY_VEC(&glance->packets);
    COPY_VEC(&glance->calls);
    COPY_VEC(&glance->events);
    COPY_VEC(&glance->wire);
    COPY_VEC(&glance->states);
    glance->ended = now;
    record_sort(glance);
    return glance;
}

void record_glance_free(struct record *glance)
{
    if (!glance)
        return;
    vec_free(&glance->packets);
    vec_free(&glance->calls);
    vec_free(&glance->events);
    vec_free(&glance->wire);
    vec_free(&glance->states);
    free(glance);
}

nsec record_lateness(const struct record *r, nsec from, nsec to)
{
    if (r->stalls.n == 0)
        return r->lateness;
    nsec worst = r->lateness < RECORD_STALL_MIN ? r->lateness : RECORD_STALL_MIN;
    vec_each (&r->stalls, s)
        if (s->from <= to && s->to >= from && s->to - s->from > worst)
            worst = s->to - s->from;
    return worst;
}
