/* Theory of operation
 *
 * Namespaces.  The process itself sits in the switches' namespace.  Each host is one
 * more, made with unshare(2) and known only by the descriptor of /proc/thread-self/ns/net
 * and by the sockets opened while the process was inside: a netlink socket stays with
 * its namespace, so nothing below has to move again to change a host's links.
 *
 * Links.  A cable is a veth pair whose ends are created where they belong, with their
 * final names, indexes and hardware addresses, and down.  Everything that makes a
 * device speak by itself (IPv6 autoconfiguration, duplicate detection) is off before
 * the device exists, by the namespace's defaults.
 *
 * Readiness.  The kernel reports a carrier from a work queue (net/core/link_watch.c),
 * later than the system call that caused it; until then the device has no queue and
 * silently drops what it is given: the first SYN, and the second one comes a second
 * later.  So topo_up() waits until both ends of every cable are operationally up and
 * every bridge port forwards, as the link notifications say; they are subscribed to
 * before the first link exists, so that none is missed. */
#include "netns/topo.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>

#include "base/memory.h"
#include "netns/addr.h"
#include "netns/link.h"
#include "netns/nl.h"
#include "netns/ns.h"
#include "netns/offload.h"
#include "netns/route.h"
#include "netns/sysctl.h"

/* What fits into hardware addresses (one byte each) and between the index ranges.
 * The ranges of a host's ends and of the ports must not meet: see link_add_cable(). */
enum { MAX_HOSTS = 200, MAX_SWITCHES = 200, MAX_IFACES = 100 };
enum { HOST_INDEX = 10, SWITCH_INDEX = 500, PORT_INDEX = 1000 };
enum { MAC_HOST = 0, MAC_PORT = 1, MAC_SWITCH = 2 };

/* A namespace: descriptor, conversation with its links, conversation with ethtool. */
struct space {
    struct topo *topo;
    int host; /* -1: the switches' */
    int fd;
    struct nl_conn links;
    struct nl_conn ethtool;
};

struct cable {
    int host, iface, sw;
    struct link_end end, port; /* at the host, at the switch */
    VEC(struct topo_addr) addrs;
    bool end_up, port_up, forwarding; /* as last notified */
};

struct host {
    char *name;
    bool router, has_ipv6;
    struct space *space;
    int n_ifaces;
};

struct pending_route {
    int host;
    struct topo_addr dst;
    struct ipaddr via;
};

struct pending_neighbour {
    int host, peer;
    struct ipaddr addr;
};

struct topo {
    bool user_ns, up;
    int ethtool_family;
    struct space *space;
    VEC(struct host) hosts;
    VEC(struct link_end) switches;
    VEC(struct cable) cables;
    VEC(struct pending_route) routes; /* a route needs its interface up */
    VEC(struct pending_neighbour) neighbours;
};

static void set_mac(uint8_t mac[6], uint8_t kind, int high, int low)
{
    const uint8_t value[6] = {2, 0, 0, kind, (uint8_t)high, (uint8_t)low};
    memcpy(mac, value, sizeof(value));
}

/* ------------------------------------------------------------------ namespaces */

static void space_free(struct space *space)
{
    if (!space)
        return;
    nl_conn_close(&space->links);
    nl_conn_close(&space->ethtool);
    if (space->fd >= 0)
        close(space->fd);
    free(space);
}

static void note_link(void *ctx, struct nlmsghdr *hdr)
{
    const struct space *space = ctx;
    struct link_state state;
    if (!link_parse(hdr, &state))
        return;
    vec_each (&space->topo->cables, c) {
        if (space->host < 0 && c->port.ifindex == state.ifindex) {
            if (state.has_oper)
                c->port_up = state.oper_up;
            if (state.has_port)
                c->forwarding = state.forwarding;
        } else if (space->host == c->host && c->end.ifindex == state.ifindex && state.has_oper) {
            c->end_up = state.oper_up;
        }
    }
}

/* Takes over fd, the namespace that the calling thread is in. */
static struct space *space_new(struct topo *topo, int host, int fd, struct error *err)
{
    struct space *space = xcalloc(1, sizeof(*space));
    space->topo = topo;
    space->host = host;
    space->fd = fd;
    space->links.handler = note_link;
    space->links.ctx = space;
    if (nl_conn_open(&space->links, NETLINK_ROUTE, RTNLGRP_LINK, err) == 0 &&
        offload_open(&space->ethtool, &topo->ethtool_family, err) == 0)
        return space;
    space_free(space);
    return NULL;
}

static int set_all(const char *const pairs[][2], size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool absent;
        if (sysctl_write(pairs[i][0], pairs[i][1], &absent, err) < 0)
            return -1;
    }
    return 0;
}

/* The switch must say nothing by itself, and no packet filter may look at what
 * passes through it. */
static const char *const switch_sysctls[][2] = {{"net.ipv6.conf.all.disable_ipv6", "1"},
                                                {"net.ipv6.conf.default.disable_ipv6", "1"},
                                                {"net.bridge.bridge-nf-call-iptables", "0"},
                                                {"net.bridge.bridge-nf-call-ip6tables", "0"},
                                                {"net.bridge.bridge-nf-call-arptables", "0"}};

struct topo *topo_new(struct error *err)
{
    struct topo *topo = xcalloc(1, sizeof(*topo));
    int fd = ns_leave_host(&topo->user_ns, err);
    if (fd >= 0)
        topo->space = space_new(topo, -1, fd, err);
    if (topo->space && set_all(switch_sysctls, ARRAY_SIZE(switch_sysctls), err) == 0)
        return topo;
    topo_free(topo);
    return NULL;
}

void topo_free(struct topo *topo)
{
    if (!topo)
        return;
    vec_each (&topo->hosts, h) {
        space_free(h->space);
        free(h->name);
    }
    vec_each (&topo->cables, c)
        vec_free(&c->addrs);
    space_free(topo->space);
    vec_free(&topo->hosts);
    vec_free(&topo->switches);
    vec_free(&topo->cables);
    vec_free(&topo->routes);
    vec_free(&topo->neighbours);
    free(topo);
}

/* ------------------------------------------------------------- hosts, switches */

/* IPv6 is off on every interface but those that get an IPv6 address; there it says
 * nothing that the lab did not ask for: no solicitation, no link-local address. */
static const char *const host_sysctls[][2] = {{"net.ipv6.conf.default.disable_ipv6", "1"},
                                              {"net.ipv6.conf.default.accept_dad", "0"},
                                              {"net.ipv6.conf.default.accept_ra", "0"},
                                              {"net.ipv6.conf.default.router_solicitations", "0"},
                                              {"net.ipv6.conf.default.autoconf", "0"},
                                              {"net.ipv6.conf.default.addr_gen_mode", "1"}};
static const char *const router_sysctls[][2] = {{"net.ipv4.ip_forward", "1"},
                                                {"net.ipv6.conf.all.forwarding", "1"}};

/* In the host's namespace, just made. */
static struct space *furnish_host(struct topo *topo, int index, bool router, int fd,
                                  struct error *err)
{
    struct space *space = space_new(topo, index, fd, err);
    if (space && set_all(host_sysctls, ARRAY_SIZE(host_sysctls), err) == 0 &&
        (!router || set_all(router_sysctls, ARRAY_SIZE(router_sysctls), err) == 0) &&
        offload_off(&space->ethtool, topo->ethtool_family, LINK_LO_INDEX, err) == 0 &&
        link_lo_up(&space->links, err) == 0)
        return space;
    space_free(space);
    return NULL;
}

int topo_add_host(struct topo *topo, const char *name, bool router, struct error *err)
{
    if (topo->hosts.n == MAX_HOSTS)
        return error_set(err, STATUS_USAGE, "a stage has at most %d hosts", MAX_HOSTS);
    int index = (int)topo->hosts.n;
    int fd = ns_create(err);
    if (fd < 0)
        return error_wrap(err, "host %s", name);
    struct space *space = furnish_host(topo, index, router, fd, err);
    struct error back = ERROR_INIT;
    if (ns_enter(topo->space->fd, &back) < 0) {
        space_free(space);
        error_set(err, back.status, "%s", back.message);
        error_clear(&back);
        return error_wrap(err, "host %s", name);
    }
    if (!space)
        return error_wrap(err, "host %s", name);
    vec_push(&topo->hosts,
             ((struct host){.name = xstrdup(name), .router = router, .space = space}));
    return index;
}

int topo_add_switch(struct topo *topo, const char *name, struct error *err)
{
    if (topo->switches.n == MAX_SWITCHES)
        return error_set(err, STATUS_USAGE, "a stage has at most %d switches", MAX_SWITCHES);
    if (!link_name_ok(name))
        return error_set(err, STATUS_USAGE, "a switch cannot be named \"%.40s\"", name);
    int index = (int)topo->switches.n;
    struct link_end bridge = {.ifindex = SWITCH_INDEX + index};
    memcpy(bridge.name, name, strlen(name) + 1);
    set_mac(bridge.mac, MAC_SWITCH, 0, index);
    if (link_add_bridge(&topo->space->links, &bridge, err) < 0)
        return -1;
    vec_push(&topo->switches, bridge);
    return index;
}

/* ---------------------------------------------------------------------- cables */

static bool is_port_name_free(const struct topo *topo, const char *name)
{
    if (!link_name_ok(name) || strcmp(name, "lo") == 0)
        return false;
    vec_each (&topo->switches, s)
        if (strcmp(s->name, name) == 0)
            return false;
    vec_each (&topo->cables, c)
        if (strcmp(c->port.name, name) == 0)
            return false;
    return true;
}

/* The port is named after the host, or after what fits of its name and a number.
 * There are more numbers than cables, so one is free. */
static void name_port(const struct topo *topo, const char *host, char name[LINK_NAME_MAX + 1])
{
    snprintf(name, LINK_NAME_MAX + 1, "%s", host);
    const char *stem = link_name_ok(name) ? host : "port";
    for (unsigned i = 1; !is_port_name_free(topo, name); i++) {
        cleanup_free char *number = xasprintf("-%u", i);
        cleanup_free char *full =
            xasprintf("%.*s%s", LINK_NAME_MAX - (int)strlen(number), stem, number);
        memcpy(name, full, strlen(full) + 1);
    }
}

int topo_sysctl(struct topo *topo, int host, const char *key, const char *value, bool *absent,
                struct error *err)
{
    const struct host *h = &topo->hosts.at[host];
    if (ns_enter(h->space->fd, err) < 0)
        return -1;
    int rc = sysctl_write(key, value, absent, err);
    if (ns_enter(topo->space->fd, err) < 0)
        rc = -1;
    return rc < 0 ? error_wrap(err, "host %s", h->name) : 0;
}

int topo_sysctl_get(struct topo *topo, int host, const char *key, char **value, bool *absent,
                    struct error *err)
{
    const struct host *h = &topo->hosts.at[host];
    *value = NULL;
    if (ns_enter(h->space->fd, err) < 0)
        return -1;
    int rc = sysctl_read(key, value, absent, err);
    if (ns_enter(topo->space->fd, err) < 0)
        rc = -1;
    return rc < 0 ? error_wrap(err, "host %s", h->name) : 0;
}

static int add_addresses(struct topo *topo, struct cable *c, struct error *err)
{
    struct space *space = topo->hosts.at[c->host].space;
    bool ipv6 = false;
    vec_each (&c->addrs, a)
        ipv6 |= a->addr.version == 6;
    if (ipv6) {
        cleanup_free char *key = xasprintf("net.ipv6.conf.%s.disable_ipv6", c->end.name);
        if (topo_sysctl(topo, c->host, key, "0", NULL, err) < 0)
            return -1;
        topo->hosts.at[c->host].has_ipv6 = true;
    }
    vec_each (&c->addrs, a)
        if (addr_add(&space->links, c->end.ifindex, &a->addr, a->prefix, err) < 0)
            return -1;
    return 0;
}

int topo_add_cable(struct topo *topo, int host, int sw, const struct topo_addr *addrs,
                   size_t n_addrs, struct error *err)
{
    struct host *h = &topo->hosts.at[host];
    if (h->n_ifaces == MAX_IFACES)
        return error_set(err, STATUS_USAGE, "host %s: a host has at most %d interfaces", h->name,
                         MAX_IFACES);
    char port_name[LINK_NAME_MAX + 1];
    name_port(topo, h->name, port_name);
    struct cable *c = vec_add(&topo->cables);
    memcpy(c->port.name, port_name, sizeof(port_name));
    c->host = host;
    c->iface = h->n_ifaces++;
    c->sw = sw;
    c->end.ifindex = HOST_INDEX + c->iface;
    c->port.ifindex = PORT_INDEX + (int)topo->cables.n;
    snprintf(c->end.name, sizeof(c->end.name), "eth%d", c->iface);
    set_mac(c->end.mac, MAC_HOST, host + 1, c->iface);
    set_mac(c->port.mac, MAC_PORT, host + 1, c->iface);
    for (size_t i = 0; i < n_addrs; i++)
        vec_push(&c->addrs, addrs[i]);

    int family = topo->ethtool_family;
    if (link_add_cable(&topo->space->links, &c->port, topo->switches.at[sw].ifindex, &c->end,
                       h->space->fd, err) < 0 ||
        offload_off(&topo->space->ethtool, family, c->port.ifindex, err) < 0 ||
        offload_off(&h->space->ethtool, family, c->end.ifindex, err) < 0 ||
        add_addresses(topo, c, err) < 0)
        return error_wrap(err, "host %s, %s", h->name, c->end.name);
    return c->iface;
}

static struct cable *find_cable(const struct topo *topo, int host, int iface)
{
    vec_each (&topo->cables, c)
        if (c->host == host && c->iface == iface)
            return c;
    return NULL;
}

/* --------------------------------------------------------------- waiting for links */

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
        fds[n++] = (struct pollfd){.fd = nl_socket_get_fd(h->space->links.sock), .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = nl_socket_get_fd(topo->space->links.sock), .events = POLLIN};

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
        if (link_set_up(ports, s->ifindex, true, err) < 0)
            return error_wrap(err, "switch %s", s->name);
    vec_each (&topo->cables, c) {
        const struct host *h = &topo->hosts.at[c->host];
        if (link_set_up(ports, c->port.ifindex, true, err) < 0 ||
            link_set_up(&h->space->links, c->end.ifindex, true, err) < 0)
            return error_wrap(err, "host %s, %s", h->name, c->end.name);
    }
    if (await(topo, is_ready, NULL, timeout, err) < 0)
        return -1;
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
    const struct cable *c = find_cable(topo, host, iface);
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

/* ------------------------------------------------------------------------ asking */

bool topo_has_sysctl(const char *key)
{
    struct error err = ERROR_INIT;
    cleanup_free char *path = sysctl_path(key, &err);
    error_clear(&err);
    return path && access(path, F_OK) == 0;
}

bool topo_in_user_ns(const struct topo *topo)
{
    return topo->user_ns;
}

const uint8_t *topo_mac(const struct topo *topo, int host, int iface)
{
    const struct cable *c = find_cable(topo, host, iface);
    return c ? c->end.mac : NULL;
}

int topo_ns_fd(const struct topo *topo, int host)
{
    return topo->hosts.at[host].space->fd;
}

int topo_enter(const struct topo *topo, int host, struct error *err)
{
    if (ns_enter(topo->hosts.at[host].space->fd, err) < 0)
        return error_wrap(err, "host %s", topo->hosts.at[host].name);
    return 0;
}
