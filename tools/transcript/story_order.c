/* What overtook what, and what each sending follows.
 *
 * Theory of operation
 *
 * A segment is overtaken by those of its direction of the connection that were sent later
 * and had arrived before it.  Within a direction, in the order of sending, these are the
 * inversions of the order of arrival; a Fenwick tree over the ranks of the arrivals counts
 * them.  What nobody sent, what did not arrive and what is no TCP takes no part.
 *
 * What had reached a sender last, of the same connection, is what it may be answering: an
 * answer comes at once after it, however long that had been under way.  Of other packets it
 * is whatever had reached the host last. */
#include "transcript/story_build.h"

/* ------------------------------------------------------------------- overtaking */

struct runner {
    size_t group; /* flow and direction */
    size_t segment;
    long arrival;
};

static int compare_arrivals(const void *pa, const void *pb)
{
    const struct runner *a = pa, *b = pb;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

struct rank {
    size_t first, n, at; /* the group's part of the tree, and the place in it */
};

/* How many of the group have a place before this one; then takes it. */
static unsigned take_place(unsigned *tree, const struct rank *r)
{
    unsigned before = 0;
    for (size_t i = r->at; i > 0; i -= i & -i)
        before += tree[r->first + i - 1];
    for (size_t i = r->at + 1; i <= r->n; i += i & -i)
        tree[r->first + i - 1]++;
    return before;
}

static void rank_group(struct rank *ranks, const struct runner *runners, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        ranks[runners[i].segment] = (struct rank){from, to - from, i - from};
}

static void count_overtaken(struct story *story)
{
    VEC(struct runner) runners = {0};
    vec_each (&story->segments, s) {
        bool runs = s->flow >= 0 && s->arrival >= 0 && (size_t)s->arrival != s->packet;
        if (runs)
            vec_push(&runners, ((struct runner){(size_t)s->flow * 2 + (size_t)s->dir,
                                                (size_t)(s - story->segments.at), s->arrival}));
    }
    if (runners.n < 2) {
        vec_free(&runners);
        return;
    }
    qsort(runners.at, runners.n, sizeof(*runners.at), compare_arrivals);
    cleanup_free struct rank *ranks = xcalloc(story->segments.n, sizeof(*ranks));
    cleanup_free unsigned *tree = xcalloc(runners.n, sizeof(*tree));
    for (size_t i = 0, from = 0; i < runners.n; i++) {
        bool last = i + 1 == runners.n || runners.at[i + 1].group != runners.at[i].group;
        if (!last)
            continue;
        rank_group(ranks, runners.at, from, i + 1);
        from = i + 1;
    }
    vec_free(&runners);
    for (size_t i = story->segments.n; i-- > 0;)
        if (ranks[i].n)
            story->segments.at[i].overtaken = take_place(tree, &ranks[i]);
}

/* ---------------------------------------------------------------------- answers */

struct moment {
    nsec time;
    size_t packet;
    size_t segment;
    bool arrival;
};

/* At one packet (loopback) it is sent before it arrives. */
static int compare_moments(const void *pa, const void *pb)
{
    const struct moment *a = pa, *b = pb;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->packet != b->packet)
        return a->packet < b->packet ? -1 : 1;
    return a->arrival - b->arrival;
}

static struct moment *list_moments(const struct build *b, size_t *n)
{
    const struct story *story = b->story;
    struct moment *list = xcalloc(story->segments.n * 2 + 1, sizeof(*list));
    *n = 0;
    for (size_t i = 0; i < story->segments.n; i++) {
        const struct story_segment *s = &story->segments.at[i];
        bool received = b->roles[i] == ROLE_RECEIVED || b->roles[i] == ROLE_LOCAL;
        long arrival = s->arrival >= 0 ? s->arrival : received ? (long)s->packet : -1;
        if (b->roles[i] != ROLE_RECEIVED)
            list[(*n)++] =
                (struct moment){story_packet_stamp(b->record, s->packet), s->packet, i, false};
        if (arrival >= 0 && !s->damaged)
            list[(*n)++] = (struct moment){story_packet_stamp(b->record, (size_t)arrival),
                                           (size_t)arrival, i, true};
    }
    if (*n)
        qsort(list, *n, sizeof(*list), compare_moments);
    return list;
}

static void find_answers(struct build *b)
{
    struct story *story = b->story;
    size_t n, hosts = b->record->hosts.n;
    cleanup_free struct moment *list = list_moments(b, &n);
    /* The last arrival at each end of each flow, and then at each host; 0: none. */
    cleanup_free size_t *last = xcalloc(story->flows.n * 2 + hosts + 1, sizeof(*last));
    size_t *at_host = last + story->flows.n * 2;
    for (size_t i = 0; i < n; i++) {
        struct story_segment *s = &story->segments.at[list[i].segment];
        if (list[i].arrival) {
            if (s->flow >= 0)
                last[s->flow * 2 + !s->dir] = i + 1;
            if (s->to >= 0)
                at_host[s->to] = i + 1;
            continue;
        }
        size_t before = s->flow >= 0   ? last[s->flow * 2 + s->dir]
                        : s->from >= 0 ? at_host[s->from]
                                       : 0;
        if (!before)
            continue;
        s->answers = true;
        s->response = list[i].time - list[before - 1].time;
        s->cause = (long)list[before - 1].segment;
        s->direct = list[before - 1].segment + 1 == list[i].segment;
    }
}

void story_order(struct build *b)
{
    if (b->point < 0)
        count_overtaken(b->story);
    find_answers(b);
}
