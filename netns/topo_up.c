/* Theory of operation
 *
 * Readiness.  The kernel reports a carrier from a work queue (net/core/link_watch.c),
 * later than the system call that caused it; until then the device has no queue and
 * silently drops what it is given: the first SYN, and the second one comes a second
 * later.  So topo_up() waits until both ends of every cable are operationally up and
 * every bridge port forwards, as the link notifications say; they are subscribed to
 * before the first link exists, so that none is missed. */
#include <errno.h>
#include <poll.h>

#include "base/memory.h"
#include "netns/link.h"
#include "netns/mld.h"
#include "netns/nl.h"
#include "netns/route.h"
#include "netns/topo.h"
#include "netns/topo_internal.h"

/* Listener reports come two to three ticks after the link is up (30 ms at HZ=100).  On
 * a kernel that sends none there is nothing to keep out of captures. */
static const nsec REPORT_LIMIT = 100 * NSEC_PER_MSEC;

typedef bool cable_test(const struct cable *c);

static bool is_ready(const struct cable *c)
{
    return c->end_up && c->port_up && c->forwarding;
}

static bool is_dead(const struct cable *c)
{
    return !c->end_up;
}

static int take_news(struct space *space, struct error *err)
{
    bool lost = false;
    if (nl_drain(&space->links, &lost, err) < 0)
        return -1;
    return lost ? link_dump(&space->links, err) : 0;
}

/* The first cable (or the one given) that does not pass the test yet. */
static const struct cable *find_failing(const struct topo *topo, cable_test *test,
                                        const struct cable *only)
{
    vec_each (&topo->cables, c)
        if ((!only || c == only) && !test(c))
            return c;
    return NULL;
}

static int fail_late(const struct topo *topo, const struct cable *c, bool up, nsec timeout,
                     struct error *err)
{
    struct strbuf limit cleanup_strbuf = STRBUF_INIT;
    strbuf_duration(&limit, timeout);
    return error_set(err, STATUS_MACHINE,
                     "the cable from %s (%s) to the switch %s did not %s within %s",
                     topo->hosts.at[c->host].name, c->end.name, topo->switches.at[c->sw].name,
                     !up           ? "lose its carrier"
                     : !c->end_up  ? "come up at the host"
                     : !c->port_up ? "come up at the switch"
                                   : "begin to forward at the switch",
                     strbuf_cstr(&limit));
}

static int await(struct topo *topo, cable_test *test, const struct cable *only, nsec timeout,
                 struct error *err)
{
    struct pollfd fds[MAX_HOSTS + 1];
    nfds_t n = 0;
    vec_each (&topo->hosts, h)
        fds[n++] = (struct pollfd){.fd = nl_socket_get_fd(h->space->links.news), .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = nl_socket_get_fd(topo->space->links.news), .events = POLLIN};

    nsec start = clock_ns(CLOCK_MONOTONIC);
    for (;;) {
        const struct cable *c = find_failing(topo, test, only);
        if (!c)
            return 0;
        nsec left = timeout - (clock_ns(CLOCK_MONOTONIC) - start);
        if (left <= 0)
            return fail_late(topo, c, test == is_ready, timeout, err);
        struct timespec ts = {left / NSEC_PER_SEC, left % NSEC_PER_SEC};
        if (ppoll(fds, n, &ts, NULL) < 0 && errno != EINTR)
            return error_sys(err, STATUS_MACHINE, errno, "cannot wait for links");
        for (nfds_t i = 0; i < n; i++) {
            struct space *space = i < topo->hosts.n ? topo->hosts.at[i].space : topo->space;
            if (fds[i].revents && take_news(space, err) < 0)
                return -1;
        }
    }
}

/* ------------------------------------------------------------- routes, neighbours */

/* The host's cable on whose network the address is. */
static const struct cable *find_cable_to(const struct topo *topo, int host,
                                         const struct ipaddr *addr)
{
    vec_each (&topo->cables, c) {
        if (c->host != host)
            continue;
        vec_each (&c->addrs, a)
            if (ipaddr_same_net(&a->addr, addr, a->prefix))
                return c;
    }
    return NULL;
}

static int apply_route(struct topo *topo, const struct pending_route *r, struct error *err)
{
    const struct host *h = &topo->hosts.at[r->host];
    const struct cable *c = find_cable_to(topo, r->host, &r->via);
    if (!c) {
        struct strbuf via cleanup_strbuf = STRBUF_INIT;
        strbuf_ipaddr(&via, &r->via);
        return error_set(err, STATUS_USAGE, "the gateway %s is on none of %s's networks",
                         strbuf_cstr(&via), h->name);
    }
    if (route_add(&h->space->links, c->end.ifindex, &r->dst.addr, r->dst.prefix, &r->via, err) < 0)
        return error_wrap(err, "host %s", h->name);
    return 0;
}

static int apply_neighbour(struct topo *topo, const struct pending_neighbour *p, struct error *err)
{
    const struct host *h = &topo->hosts.at[p->host];
    vec_each (&topo->cables, there) {
        if (there->host != p->peer)
            continue;
        bool has = false;
        vec_each (&there->addrs, a)
            has |= ipaddr_equal(&a->addr, &p->addr);
        vec_each (&topo->cables, here) {
            if (!has || here->host != p->host || here->sw != there->sw)
                continue;
            if (neighbour_add(&h->space->links, here->end.ifindex, &p->addr, there->end.mac, err) <
                0)
                return error_wrap(err, "host %s", h->name);
            return 0;
        }
    }
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&text, &p->addr);
    return error_set(err, STATUS_USAGE, "%s and the interface of %s with %s share no network",
                     h->name, topo->hosts.at[p->peer].name, strbuf_cstr(&text));
}

int topo_add_route(struct topo *topo, int host, const struct topo_addr *dst,
                   const struct ipaddr *via, struct error *err)
{
    struct pending_route r = {.host = host, .dst = *dst, .via = *via};
    if (dst->addr.version != via->version || dst->prefix > ipaddr_bits(via))
        return error_set(err, STATUS_USAGE, "host %s: a route and its gateway differ in version",
                         topo->hosts.at[host].name);
    if (topo->up)
        return apply_route(topo, &r, err);
    vec_push(&topo->routes, r);
    return 0;
}

int topo_refuse(struct topo *topo, int host, const struct topo_addr *dst,
                enum route_refusal refusal, struct error *err)
{
    const struct host *h = &topo->hosts.at[host];
    if (dst->prefix > ipaddr_bits(&dst->addr))
        return error_set(err, STATUS_USAGE, "host %s: no network is /%u", h->name, dst->prefix);
    if (route_refuse(&h->space->links, &dst->addr, dst->prefix, refusal, err) < 0)
        return error_wrap(err, "host %s", h->name);
    return 0;
}

int topo_add_neighbour(struct topo *topo, int host, int peer, const struct ipaddr *addr,
                       struct error *err)
{
    struct pending_neighbour p = {.host = host, .peer = peer, .addr = *addr};
    if (topo->up)
        return apply_neighbour(topo, &p, err);
    vec_push(&topo->neighbours, p);
    return 0;
}

/* ------------------------------------------------------------ up, unplug, replug */

int topo_up(struct topo *topo, nsec timeout, struct error *err)
{
    struct nl_conn *ports = &topo->space->links;
    vec_each (&topo->switches, s)
        if (s->ifindex && link_set_up(ports, s->ifindex, true, err) < 0)
            return error_wrap(err, "switch %s", s->name);
    vec_each (&topo->cables, c) {
        const struct host *h = &topo->hosts.at[c->host];
        if (link_set_up(ports, c->port.ifindex, true, err) < 0 ||
            link_set_up(&h->space->links, c->end.ifindex, true, err) < 0)
            return error_wrap(err, "host %s, %s", h->name, c->end.name);
    }
    if (await(topo, is_ready, NULL, timeout, err) < 0)
        return -1;
    vec_each (&topo->cables, c)
        if (c->reports_fd >= 0)
            mld_await(c->reports_fd, REPORT_LIMIT);
    topo->up = true;
    vec_each (&topo->routes, r)
        if (apply_route(topo, r, err) < 0)
            return -1;
    vec_each (&topo->neighbours, p)
        if (apply_neighbour(topo, p, err) < 0)
            return -1;
    return 0;
}

static int plug(struct topo *topo, int host, int iface, bool in, nsec timeout, struct error *err)
{
    const struct cable *c = topo_find_cable(topo, host, iface);
    if (!c)
        return error_set(err, STATUS_USAGE, "host %s has no eth%d", topo->hosts.at[host].name,
                         iface);
    if (link_set_up(&topo->space->links, c->port.ifindex, in, err) < 0)
        return error_wrap(err, "host %s, %s", topo->hosts.at[host].name, c->end.name);
    return await(topo, in ? is_ready : is_dead, c, timeout, err);
}

int topo_unplug(struct topo *topo, int host, int iface, nsec timeout, struct error *err)
{
    return plug(topo, host, iface, false, timeout, err);
}

int topo_replug(struct topo *topo, int host, int iface, nsec timeout, struct error *err)
{
    return plug(topo, host, iface, true, timeout, err);
}
