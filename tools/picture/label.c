/* The labels of a run.
 *
 * Theory of operation
 *
 * The story is replayed: each sending and each arrival, in the order of time.  Of both ends
 * of every connection a model is kept (label_end.c): what it has sent and what of that is
 * acknowledged, how many duplicate ACKs have reached it, whether it is recovering from a
 * loss, which window it knows, what it has received and said.  At a sending the model is
 * what the sender knew, before it takes the segment in; so a rule can ask whether an ACK had
 * just arrived, or for how long nothing had.
 *
 * The rules, a file each, add labels to the segment at hand; some are about one that was
 * sent before, as what came of it is seen only later (it arrived for nothing, it was a probe
 * and no RTO).  docs/labels.md says in words what each label means and when it is given.
 *
 * "At once" is sooner than any timer of TCP's, as in transcript/timing.c.  What a timer
 * makes is known only of a sender whose own host was captured.
 *
 * What the wire injected has no labels, as nobody meant it; but it reaches its receiver. */
#include "picture/label.h"

#include "picture/label_model.h"

/* ---------------------------------------------------------------------- questions */

void replay_add(struct replay *r, size_t segment, struct label label)
{
    vec_push(&r->labels->entries, ((struct entry){segment, label}));
}

struct timing_host replay_host(const struct replay *r, nsec from, nsec now)
{
    return (struct timing_host){r->record->tick, record_lateness(r->record, from, now)};
}

nsec replay_at_once(const struct replay *r, nsec from, nsec now)
{
    nsec lateness = record_lateness(r->record, from, now);
    lateness = lateness < TIMING_MIN_LATENESS ? TIMING_MIN_LATENESS : lateness;
    return TIMING_AT_ONCE + (lateness > TIMING_LONGEST ? TIMING_LONGEST : lateness);
}

bool replay_prompt(const struct replay *r, nsec from, nsec now)
{
    return now - from <= replay_at_once(r, from, now);
}

bool replay_called(const struct replay *r, int host, const char *verb, nsec from, nsec to)
{
    const struct record *record = r->record;
    size_t low = 0, high = record->calls.n;
    while (low < high) { /* calls are in the order of their beginning */
        size_t middle = low + (high - low) / 2;
        if (record->calls.at[middle].began < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i < record->calls.n && record->calls.at[i].began <= to; i++)
        if (record->calls.at[i].host == host && strcmp(record->calls.at[i].verb, verb) == 0)
            return true;
    return false;
}

const struct story_segment *replay_answered(const struct replay *r, const struct moment_of *m)
{
    const struct story_segment *s = m->s;
    bool fresh = s->answers && s->cause >= 0 && s->cause != m->here->answered;
    bool prompt = !m->captured || replay_prompt(r, m->now - s->response, m->now);
    return fresh && prompt ? &r->story->segments.at[s->cause] : NULL;
}

/* -------------------------------------------------------------------------- replay */

/* Something that happens to a segment. */
struct happening {
    nsec time;
    size_t packet;
    bool arrival; /* of two at one packet (loopback) the sending comes first */
    size_t segment;
};

static int compare(const void *pa, const void *pb)
{
    const struct happening *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->packet != b->packet)
        return a->packet < b->packet ? -1 : 1;
    return a->arrival - b->arrival;
}

static nsec stamp(const struct record *r, size_t packet)
{
    nsec t = r->packets.at[packet].frame.time;
    return t < 0 ? 0 : t > INT64_MAX / 4 ? INT64_MAX / 4 : t;
}

static int captured_at(const struct record *r, size_t packet)
{
    int point = r->packets.at[packet].point;
    return point >= 0 && (size_t)point < r->points.n ? r->points.at[point].host : -1;
}

/* Whether it was seen leaving its sender's own host. */
static bool seen_sent(const struct record *r, const struct story_segment *s)
{
    return s->from >= 0 && captured_at(r, s->packet) == s->from &&
           !r->packets.at[s->packet].incoming && !s->unsent && !s->injected;
}

/* Whether its receiver's TCP gets it, so far as the record knows. */
static bool arrives(const struct record *r, const struct story_segment *s)
{
    if (s->damaged || s->fate == FATE_LOST || s->pending)
        return false;
    return s->arrival >= 0 || !seen_sent(r, s) || s->fate == FATE_UNKNOWN;
}

static bool tells_of_too_big(const struct story_segment *s)
{
    const struct icmp_header *h = &s->p->icmp;
    if (s->p->transport != TRANSPORT_ICMP || !h->quoted.n)
        return false;
    return s->p->ip.version == 4 ? h->type == 3 && h->code == 4 : h->type == 2;
}

static struct happening *list(const struct story *story, size_t *n)
{
    struct happening *all = xcalloc(story->segments.n * 2 + 1, sizeof(*all));
    *n = 0;
    for (size_t i = 0; i < story->segments.n; i++) {
        const struct story_segment *s = &story->segments.at[i];
        size_t arrival = s->arrival >= 0 ? (size_t)s->arrival : s->packet;
        if (s->flow < 0 && !tells_of_too_big(s))
            continue;
        if (s->flow >= 0 && !s->injected)
            all[(*n)++] = (struct happening){stamp(story->record, s->packet), s->packet, false, i};
        if (arrives(story->record, s))
            all[(*n)++] = (struct happening){stamp(story->record, arrival), arrival, true, i};
    }
    qsort(all, *n, sizeof(*all), compare);
    return all;
}

static void note_too_big(struct replay *r, const struct story_segment *s, nsec now)
{
    struct packet inner;
    packet_decode_inner(&inner, s->p->icmp.quoted, s->p->ip.version);
    if (s->to < 0 || inner.transport != TRANSPORT_TCP)
        return;
    r->too_big[s->to] = (struct too_big){.time = now,
                                         .src = inner.ip.src,
                                         .dst = inner.ip.dst,
                                         .sport = inner.tcp.sport,
                                         .dport = inner.tcp.dport};
}

static struct moment_of moment_at(struct replay *r, const struct happening *h)
{
    const struct story_segment *s = &r->story->segments.at[h->segment];
    struct flow_ends *f = &r->flows[s->flow];
    bool changed = h->arrival && s->arrived;
    int here = h->arrival ? !s->dir : s->dir;
    return (struct moment_of){.segment = h->segment,
                              .s = s,
                              .t = changed ? &s->arrived->tcp : &s->p->tcp,
                              .here = &f->end[here],
                              .there = &f->end[!here],
                              .captured = seen_sent(r->record, s),
                              .now = h->time};
}

static void sending(struct replay *r, const struct moment_of *m)
{
    struct end *e = m->here;
    e->rtt = (struct timing_rtt){m->s->rtt_least, m->s->rtt, m->s->rtt_single};
    label_probe(r, m);
    label_retransmission(r, m);
    label_opening(r, m);
    label_new_data(r, m);
    label_ack(r, m);
    label_closing(r, m);
    label_reset(r, m);
    label_congestion(r, m);
    end_sent(m);
    if (!arrives(r->record, m->s)) {
        struct moment_of lost = *m;
        lost.here = m->there;
        lost.there = m->here;
        label_arrival(r, &lost);
    }
}

static void play(struct replay *r)
{
    size_t n;
    cleanup_free struct happening *all = list(r->story, &n);
    for (size_t i = 0; i < n; i++) {
        const struct story_segment *s = &r->story->segments.at[all[i].segment];
        if (s->flow < 0) {
            note_too_big(r, s, all[i].time);
            continue;
        }
        struct moment_of m = moment_at(r, &all[i]);
        if (!all[i].arrival) {
            sending(r, &m);
            continue;
        }
        label_arrival(r, &m);
        end_got(r, &m);
    }
}

/* Of a setting that was written twice the later holds. */
static void read_settings(struct replay *r)
{
    size_t hosts = r->record->hosts.n;
    for (size_t i = 0; i < hosts; i++)
        r->early_retrans[i] = -1;
    vec_each (&r->record->sysctls, s) {
        bool known = s->host >= 0 && (size_t)s->host < hosts && !s->absent && s->value;
        if (known && strcmp(s->key, "net.ipv4.tcp_early_retrans") == 0)
            r->early_retrans[s->host] = strtol(s->value, NULL, 10);
    }
}

static void replay_story(struct labels *l, const struct story *story)
{
    size_t flows = story->flows.n, hosts = story->record->hosts.n;
    cleanup_free struct flow_ends *ends = xcalloc(flows + 1, sizeof(*ends));
    cleanup_free struct too_big *too_big = xcalloc(hosts + 1, sizeof(*too_big));
    cleanup_free uint8_t *probes = xcalloc(story->segments.n + 1, sizeof(*probes));
    cleanup_free long *early_retrans = xcalloc(hosts + 1, sizeof(*early_retrans));
    cleanup_free bool *under_way = xcalloc(story->segments.n + 1, sizeof(*under_way));
    struct replay r = {.story = story,
                       .record = story->record,
                       .labels = l,
                       .flows = ends,
                       .too_big = too_big,
                       .early_retrans = early_retrans,
                       .probes = probes,
                       .under_way = under_way};
    read_settings(&r);
    looks_index(&r.looks, story->record);
    for (size_t i = 0; i < flows * 2; i++) {
        struct end *e = &ends[i / 2].end[i % 2];
        e->undecided = NO_SEGMENT;
        e->answered = -1;
    }
    play(&r);
    for (size_t i = 0; i < flows * 2; i++)
        end_free(&ends[i / 2].end[i % 2]);
    vec_free(&r.looks);
}

/* ------------------------------------------------------------------------- results */

/* By segment; those of one stay in the order in which they were found. */
static void index_entries(struct labels *l)
{
    l->first = xcalloc(l->n + 1, sizeof(*l->first));
    l->flat = xcalloc(l->entries.n + 1, sizeof(*l->flat));
    vec_each (&l->entries, e) {
        l->first[e->segment + 1]++;
    }
    for (size_t i = 0; i < l->n; i++)
        l->first[i + 1] += l->first[i];
    cleanup_free size_t *next = xmemdup(l->first, (l->n + 1) * sizeof(*next));
    vec_each (&l->entries, e) {
        l->flat[next[e->segment]++] = e->label;
    }
    vec_free(&l->entries);
}

/* A capture point's view shows segments of the whole story, so it has their labels. */
static void take_whole(struct labels *l, const struct story *view)
{
    struct story *whole = story_new(view->record);
    struct labels *all = labels_new(whole);
    for (size_t i = 0; i < l->n; i++) {
        long owner = whole->owner[view->segments.at[i].packet];
        const struct label *first;
        size_t n = owner < 0 ? 0 : labels_of(all, (size_t)owner, &first);
        for (size_t k = 0; k < n; k++)
            vec_push(&l->entries, ((struct entry){i, first[k]}));
    }
    labels_free(all);
    story_free(whole);
}

struct labels *labels_new(const struct story *story)
{
    struct labels *l = xcalloc(1, sizeof(*l));
    l->n = story->segments.n;
    if (story->point >= 0)
        take_whole(l, story);
    else
        replay_story(l, story);
    index_entries(l);
    return l;
}

void labels_free(struct labels *labels)
{
    if (!labels)
        return;
    free(labels->flat);
    free(labels->first);
    free(labels);
}

size_t labels_of(const struct labels *labels, size_t segment, const struct label **first)
{
    size_t n = labels->first[segment + 1] - labels->first[segment];
    if (n)
        *first = &labels->flat[labels->first[segment]];
    return n;
}
