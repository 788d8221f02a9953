/* Theory of operation
 *
 * The wire does things on one hop: what it did stands between two neighbours, FROM and TO,
 * either of which may be a router that nobody captures at.  Of an event it knows the frame
 * as it came on that hop, and as it went on where it changed it (decode/hop.h tells how to
 * know a frame again on another hop).  In the record stands instead
 *
 *   packet    where the frame was first seen on its way before the wire: at its sender,
 *             if that was captured;
 *   arrival   where what became of it was last seen: at its receiver.
 *
 * Upstream of the wire is what has more hops to live than the frame had there, or as many
 * and leaves FROM; downstream, what has fewer, or as many and comes to TO.  Of equal
 * frames it is the latest before the wire, and the earliest behind it.
 *
 * A frame may be changed on one hop and meet the wire again on the next: it is then one that
 * an earlier event was the making of, and its packet is that event's; and what became of
 * the earlier one is what became of the later one.
 *
 * All is found by binary search in lists that are sorted by the frames' hashes. */
#include "run/trace.h"

#include "decode/hop.h"

/* A frame that was seen: at a capture point, or by the wire. */
struct seen {
    struct hop hop;
    size_t index; /* into the record's packets, or the events */
};

struct trace {
    const struct record *record;
    const struct ferry_event *events;
    struct seen *packets; /* each list by hash, then by index, which is by time */
    struct seen *changed; /* frames that the wire changed, as they came to it … */
    struct seen *results; /* … and as they went on */
    size_t n_packets, n_changed, n_results;
    long *origins, *ends; /* of each event; -1: nobody saw it */
};

static int compare_seen(const void *pa, const void *pb)
{
    const struct seen *a = pa, *b = pb;
    if (a->hop.hash != b->hop.hash)
        return a->hop.hash < b->hop.hash ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static void sort_seen(struct seen *list, size_t n)
{
    if (n)
        qsort(list, n, sizeof(*list), compare_seen);
}

static struct hop frame_hop(const struct ferry_frame *f)
{
    return hop_of(f->data, f->n, f->len);
}

static struct hop packet_hop(const struct record_packet *rp)
{
    uint32_t n = rp->frame.caplen < FERRY_SNAP ? rp->frame.caplen : FERRY_SNAP;
    return hop_of(rp->frame.data, n, rp->frame.wirelen);
}

/* Those of the list that are this frame on some hop. */
static const struct seen *find_equal(const struct seen *list, size_t n, uint64_t hash,
                                     size_t *found)
{
    size_t low = 0, high = n, end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle].hop.hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < n && list[end].hop.hash == hash; end++)
        continue;
    *found = end - low;
    return &list[low];
}

/* ------------------------------------------------------------------- upstream */

static bool is_upstream(const struct trace *t, const struct seen *s, const struct ferry_event *e,
                        int left)
{
    const struct record_packet *rp = &t->record->packets.at[s->index];
    if (rp->frame.time > e->time)
        return false;
    bool leaves_from = rp->outgoing && t->record->points.at[rp->point].host == e->from;
    return s->hop.left > left || (s->hop.left == left && leaves_from);
}

static long first_seen(const struct trace *t, const struct ferry_event *e, const struct hop *hop)
{
    const struct seen *best = NULL;
    size_t n;
    const struct seen *s = find_equal(t->packets, t->n_packets, hop->hash, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_upstream(t, &s[i], e, hop->left))
            continue;
        bool leaves = t->record->packets.at[s[i].index].outgoing;
        if (!best || s[i].hop.left > best->hop.left ||
            (s[i].hop.left == best->hop.left &&
             leaves >= t->record->packets.at[best->index].outgoing))
            best = &s[i];
    }
    return best ? (long)best->index : -1;
}

static long find_origin(const struct trace *t, size_t event)
{
    const struct ferry_event *e = &t->events[event];
    size_t n;
    if (e->frame.n == 0)
        return -1;
    struct hop hop = frame_hop(&e->frame);
    const struct seen *s = find_equal(t->results, t->n_results, hop.hash, &n);
    for (size_t i = n; i-- > 0;)
        if (s[i].index < event && s[i].hop.left > hop.left && t->origins[s[i].index] >= 0)
            return t->origins[s[i].index];
    return first_seen(t, e, &hop);
}

/* ----------------------------------------------------------------- downstream */

static bool is_downstream(const struct trace *t, const struct seen *s, const struct ferry_event *e,
                          int left)
{
    const struct record_packet *rp = &t->record->packets.at[s->index];
    if (rp->frame.time < e->time)
        return false;
    bool comes_to = rp->incoming && t->record->points.at[rp->point].host == e->to;
    return s->hop.left < left || (s->hop.left == left && comes_to);
}

static long last_seen(const struct trace *t, const struct ferry_event *e, const struct hop *hop)
{
    const struct seen *best = NULL;
    size_t n;
    const struct seen *s = find_equal(t->packets, t->n_packets, hop->hash, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_downstream(t, &s[i], e, hop->left))
            continue;
        bool comes = t->record->packets.at[s[i].index].incoming;
        if (!best || s[i].hop.left < best->hop.left ||
            (s[i].hop.left == best->hop.left &&
             comes > t->record->packets.at[best->index].incoming))
            best = &s[i];
    }
    return best ? (long)best->index : -1;
}

static long find_end(const struct trace *t, size_t event)
{
    const struct ferry_event *e = &t->events[event];
    size_t n;
    if (e->result.n == 0)
        return -1;
    struct hop hop = frame_hop(&e->result);
    const struct seen *s = find_equal(t->changed, t->n_changed, hop.hash, &n);
    for (size_t i = 0; i < n; i++)
        if (s[i].index > event && s[i].hop.left < hop.left && t->ends[s[i].index] >= 0)
            return t->ends[s[i].index];
    return last_seen(t, e, &hop);
}

/* ------------------------------------------------------------------ the lists */

static void list_packets(struct trace *t)
{
    const struct record *r = t->record;
    t->packets = xcalloc(r->packets.n + 1, sizeof(*t->packets));
    for (size_t i = 0; i < r->packets.n; i++)
        t->packets[t->n_packets++] = (struct seen){packet_hop(&r->packets.at[i]), i};
    sort_seen(t->packets, t->n_packets);
}

static void list_changes(struct trace *t, size_t n)
{
    t->changed = xcalloc(n + 1, sizeof(*t->changed));
    t->results = xcalloc(n + 1, sizeof(*t->results));
    for (size_t i = 0; i < n; i++) {
        const struct ferry_event *e = &t->events[i];
        if (e->result.n == 0)
            continue;
        t->results[t->n_results++] = (struct seen){frame_hop(&e->result), i};
        if (e->frame.n)
            t->changed[t->n_changed++] = (struct seen){frame_hop(&e->frame), i};
    }
    sort_seen(t->changed, t->n_changed);
    sort_seen(t->results, t->n_results);
}

void trace_events(struct record *record, const struct ferry_event *events, size_t n)
{
    struct trace t = {.record = record, .events = events};
    if (n == 0)
        return;
    list_packets(&t);
    list_changes(&t, n);
    t.origins = xcalloc(n, sizeof(*t.origins));
    t.ends = xcalloc(n, sizeof(*t.ends));
    for (size_t i = 0; i < n; i++)
        t.origins[i] = find_origin(&t, i);
    for (size_t i = n; i-- > 0;)
        t.ends[i] = find_end(&t, i);
    for (size_t i = 0; i < n; i++)
        vec_push(&record->wire, ((struct record_wire){.action = events[i].action,
                                                      .time = events[i].time,
                                                      .from = events[i].from,
                                                      .to = events[i].to,
                                                      .step = events[i].step,
                                                      .packet = t.origins[i],
                                                      .arrival = t.ends[i]}));
    free(t.packets);
    free(t.changed);
    free(t.results);
    free(t.origins);
    free(t.ends);
}
