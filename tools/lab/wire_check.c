/* What of `wire` can be checked only when all hosts and steps are known: that one
 * network joins its two hosts, that what is held back can go on, and, because a line of
 * properties says only what changes, that each direction makes sense at every step of the
 * script. */
#include "lab/parser.h"

/* ----------------------------------------------------------------- networks */

/* How many networks two hosts have in common, and the first of them. */
static size_t count_shared(const struct lab *lab, int a, int b, int *net)
{
    size_t n = 0;
    for (int i = (int)lab->nets.n - 1; i >= 0; i--) {
        bool on_a = false, on_b = false;
        vec_each (&lab->hosts.at[a].ifaces, iface)
            on_a |= iface->net == i;
        vec_each (&lab->hosts.at[b].ifaces, iface)
            on_b |= iface->net == i;
        if (on_a && on_b) {
            *net = i;
            n++;
        }
    }
    return n;
}

static bool has_cable(const struct lab_host *h)
{
    vec_each (&h->ifaces, iface)
        if (iface->net >= 0)
            return true;
    return false;
}

/* The next host on a way from each host to `to` through routers, in hops[]; -1: none. */
static void find_hops(const struct lab *lab, int to, int hops[LAB_MAX_HOSTS])
{
    int queue[LAB_MAX_HOSTS], tail = 0, net;
    for (size_t i = 0; i < LAB_MAX_HOSTS; i++)
        hops[i] = -1;
    hops[to] = to;
    queue[tail++] = to;
    for (int head = 0; head < tail; head++) {
        int at = queue[head];
        if (at != to && !lab->hosts.at[at].router)
            continue;
        for (int i = 0; i < (int)lab->hosts.n; i++) {
            if (hops[i] >= 0 || count_shared(lab, i, at, &net) == 0)
                continue;
            hops[i] = at;
            queue[tail++] = i;
        }
    }
}

static void complain_apart(struct parser *p, const struct lab_step *s)
{
    const struct lab *lab = p->lab;
    const struct lab_host *from = &lab->hosts.at[s->wire.from], *to = &lab->hosts.at[s->wire.to];
    const struct lab_host *bare = has_cable(from) ? to : from;
    if (!has_cable(bare)) {
        complain(p, s->span, "loopback interfaces have none",
                 "host \"%s\" has no cable that could be a wire", bare->name);
        return;
    }
    int hops[LAB_MAX_HOSTS], last = s->wire.from;
    find_hops(lab, s->wire.to, hops);
    while (hops[last] >= 0 && hops[last] != s->wire.to)
        last = hops[last];
    cleanup_free char *hint =
        hops[s->wire.from] < 0
            ? xstrdup("a wire lies between two hosts whose addresses are in one network")
            : xasprintf(
                  "the way leads through a router; name one hop of it: `%s > %s` or `%s > %s`",
                  from->name, lab->hosts.at[hops[s->wire.from]].name, lab->hosts.at[last].name,
                  to->name);
    complain(p, s->span, hint, "hosts \"%s\" and \"%s\" share no network", from->name, to->name);
}

static bool find_net(struct parser *p, struct lab_step *s)
{
    struct lab *lab = p->lab;
    size_t n = count_shared(lab, s->wire.from, s->wire.to, &s->wire.net);
    if (n == 1) {
        lab->nets.at[s->wire.net].wired = true;
        return true;
    }
    if (n == 0)
        complain_apart(p, s);
    else
        complain(p, s->span, "the step would not say which; join them by one",
                 "hosts \"%s\" and \"%s\" share %zu networks", lab->hosts.at[s->wire.from].name,
                 lab->hosts.at[s->wire.to].name, n);
    return false;
}

/* --------------------------------------------------- directions, step by step */

static void merge(struct wire_properties *all, const struct wire_properties *w)
{
    all->has |= w->has;
    if (w->has & WIRE_HAS_DELAY)
        all->delay = w->delay;
    if (w->has & WIRE_HAS_JITTER)
        all->jitter = w->jitter;
}

static void check_direction(struct parser *p, const struct lab_step *s, int from, int to,
                            struct wire_properties *all)
{
    if (s->wire.kind == LAB_WIRE_CLEAR) {
        *all = (struct wire_properties){0};
        return;
    }
    merge(all, &s->wire.properties);
    cleanup_free char *direction =
        xasprintf("%s > %s", p->lab->hosts.at[from].name, p->lab->hosts.at[to].name);
    if (all->jitter > all->delay)
        complain(p, s->span, "a frame cannot arrive before it was sent: raise the `delay`",
                 "the jitter of %s is longer than its delay", direction);
    else if ((all->has & WIRE_HAS_QUEUE) && !(all->has & WIRE_HAS_RATE))
        complain(p, s->span, "give it a `rate` as well", "nothing queues in %s: it has no rate",
                 direction);
}

/* --------------------------------------------------------------------- rules */

static bool means_all(const struct wire_pick *pick)
{
    return pick->kind == WIRE_PICK_ANY && (pick->every ? pick->every == 1 : pick->last == 0);
}

/* Only what goes on counts as one more.  Where everything is held, that is nothing, unless
 * the direction is cleared. */
static void check_hold(struct parser *p, const struct lab_step *s)
{
    const struct lab_wire *w = &s->wire;
    if (w->kind != LAB_WIRE_RULE || w->rule.action != WIRE_HOLD || !means_all(&w->rule.pick))
        return;
    for (const struct lab_step *later = s + 1; later <= vec_last(&p->lab->steps); later++)
        if (later->verb == VERB_WIRE && later->wire.kind == LAB_WIRE_CLEAR &&
            later->wire.from == w->from && later->wire.to == w->to)
            return;
    cleanup_free char *hint =
        xasprintf("say which frames are held back, or let them go with `wire clear %s > %s`",
                  p->lab->hosts.at[w->from].name, p->lab->hosts.at[w->to].name);
    complain(p, s->span, hint, "every frame is held back until others have passed, and none can");
}

void wire_check(struct parser *p)
{
    struct lab *lab = p->lab;
    size_t n = lab->hosts.n;
    if (p->diags->list.n || n == 0)
        return;
    cleanup_free struct wire_properties *all = xcalloc(n * n, sizeof(*all));
    vec_each (&lab->steps, s) {
        const struct lab_wire *w = &s->wire;
        if (s->verb != VERB_WIRE || !find_net(p, s))
            continue;
        check_hold(p, s);
        if (w->kind != LAB_WIRE_PROPERTIES && w->kind != LAB_WIRE_CLEAR)
            continue;
        size_t there = (size_t)w->from * n + (size_t)w->to;
        size_t back = (size_t)w->to * n + (size_t)w->from;
        check_direction(p, s, w->from, w->to, &all[there]);
        if (w->both && p->diags->list.n == 0)
            check_direction(p, s, w->to, w->from, &all[back]);
    }
}
