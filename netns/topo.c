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
 * topo_up.c sets it up and waits for it. */
#include "netns/topo.h"

#include <linux/rtnetlink.h>
#include <stdio.h>

#include "base/memory.h"
#include "netns/addr.h"
#include "netns/link.h"
#include "netns/mld.h"
#include "netns/nl.h"
#include "netns/ns.h"
#include "netns/offload.h"
#include "netns/sysctl.h"
#include "netns/topo_internal.h"

/* Interface indexes: a cable's two ends never have the same, see link_add_cable(). */
enum { HOST_INDEX = 10, SWITCH_INDEX = 500, PORT_INDEX = 1000 };
/* The fourth byte of a hardware address. */
enum { MAC_HOST = 0, MAC_PORT = 1, MAC_SWITCH = 2 };

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
    vec_each (&topo->cables, c) {
        vec_free(&c->addrs);
        if (c->reports_fd >= 0)
            close(c->reports_fd);
    }
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
 * nothing that the lab did not ask for: no solicitation, and only of a router a link-local
 * address. */
static const char *const host_sysctls[][2] = {
    {"net.ipv6.conf.default.disable_ipv6", "1"},
    {"net.ipv6.conf.default.accept_dad", "0"},
    {"net.ipv6.conf.default.accept_ra", "0"},
    {"net.ipv6.conf.default.router_solicitations", "0"},
    {"net.ipv6.conf.default.autoconf", "0"},
    {"net.ipv6.conf.default.addr_gen_mode", "1"},
    {"net.ipv6.conf.default.mldv2_unsolicited_report_interval", "1000000000"}};
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

static int add_switch(struct topo *topo, const char *name, bool open, struct error *err)
{
    if (topo->switches.n == MAX_SWITCHES)
        return error_set(err, STATUS_USAGE, "a stage has at most %d switches", MAX_SWITCHES);
    if (!link_name_ok(name))
        return error_set(err, STATUS_USAGE, "a switch cannot be named \"%.40s\"", name);
    int index = (int)topo->switches.n;
    struct link_end bridge = {.ifindex = open ? 0 : SWITCH_INDEX + index};
    memcpy(bridge.name, name, strlen(name) + 1);
    set_mac(bridge.mac, MAC_SWITCH, 0, index);
    if (!open && link_add_bridge(&topo->space->links, &bridge, err) < 0)
        return -1;
    vec_push(&topo->switches, bridge);
    return index;
}

int topo_add_switch(struct topo *topo, const char *name, struct error *err)
{
    return add_switch(topo, name, false, err);
}

int topo_add_open_switch(struct topo *topo, const char *name, struct error *err)
{
    return add_switch(topo, name, true, err);
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

int topo_sysctls(struct topo *topo, int host, struct topo_setting *settings, size_t n,
                 struct error *err)
{
    const struct host *h = &topo->hosts.at[host];
    if (ns_enter(h->space->fd, err) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = sysctl_write(settings[i].key, settings[i].value, &settings[i].absent, err);
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

/* A namespace copies the timing of ARP from the host's `default`; these are the
 * kernel's own values (three questions, a second apart). */
static const char *const neighbour_sysctls[][2] = {{"mcast_solicit", "3"},
                                                   {"ucast_solicit", "3"},
                                                   {"app_solicit", "0"},
                                                   {"retrans_time_ms", "1000"},
                                                   {"base_reachable_time_ms", "30000"},
                                                   {"gc_stale_time", "60"},
                                                   {"delay_first_probe_time", "5"}};

static int watch_reports(const struct topo *topo, struct cable *c, struct error *err)
{
    if (ns_enter(topo->hosts.at[c->host].space->fd, err) < 0)
        return -1;
    c->reports_fd = mld_watch(c->end.ifindex, err);
    if (ns_enter(topo->space->fd, err) < 0)
        return -1;
    return c->reports_fd < 0 ? -1 : 0;
}

static int set_up_interface(struct topo *topo, struct cable *c, struct error *err)
{
    enum { N = ARRAY_SIZE(neighbour_sysctls) };
    struct topo_setting settings[2 * N + 1];
    char keys[2 * N + 1][64];
    size_t n = 0;
    bool ipv6 = false;
    vec_each (&c->addrs, a)
        ipv6 |= a->addr.version == 6;
    for (int version = 4; version <= (ipv6 ? 6 : 4); version += 2) {
        for (size_t i = 0; i < N; i++, n++) {
            snprintf(keys[n], sizeof(keys[n]), "net.ipv%d.neigh.%s.%s", version, c->end.name,
                     neighbour_sysctls[i][0]);
            settings[n] = (struct topo_setting){.key = keys[n], .value = neighbour_sysctls[i][1]};
        }
    }
    if (ipv6) {
        snprintf(keys[n], sizeof(keys[n]), "net.ipv6.conf.%s.disable_ipv6", c->end.name);
        settings[n] = (struct topo_setting){.key = keys[n], .value = "0"};
        n++;
    }
    if (topo_sysctls(topo, c->host, settings, n, err) < 0)
        return -1;
    if (ipv6 && settings[n - 1].absent)
        return error_set(err, STATUS_MACHINE, "this kernel has no IPv6");
    return ipv6 ? watch_reports(topo, c, err) : 0;
}

/* Made of the hardware address, as RFC 4291, appendix A, has it. */
static struct ipaddr link_local(const uint8_t mac[6])
{
    return (struct ipaddr){.version = 6,
                           .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
                                     0xfe, mac[3], mac[4], mac[5]}};
}

/* A router asks for the hardware address of somebody to whom it passes a packet on; as the
 * packet's source is not its own, it asks from its link-local address, or not at all
 * (ndisc_send_ns() in net/ipv6/ndisc.c). */
static int add_addresses(struct topo *topo, const struct cable *c, struct error *err)
{
    const struct host *h = &topo->hosts.at[c->host];
    struct nl_conn *links = &h->space->links;
    bool ipv6 = false;
    vec_each (&c->addrs, a) {
        ipv6 |= a->addr.version == 6;
        if (addr_add(links, c->end.ifindex, &a->addr, a->prefix, err) < 0)
            return -1;
    }
    struct ipaddr local = link_local(c->end.mac);
    return h->router && ipv6 ? addr_add(links, c->end.ifindex, &local, 64, err) : 0;
}

int topo_add_cable(struct topo *topo, int host, int sw, const struct topo_addr *addrs,
                   size_t n_addrs, unsigned mtu, struct error *err)
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
    c->reports_fd = -1;
    c->iface = h->n_ifaces++;
    c->sw = sw;
    c->forwarding = topo->switches.at[sw].ifindex == 0;
    c->end.mtu = c->port.mtu = mtu;
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
        set_up_interface(topo, c, err) < 0 || add_addresses(topo, c, err) < 0)
        return error_wrap(err, "host %s, %s", h->name, c->end.name);
    return c->iface;
}

/* ------------------------------------------------------------------------ asking */

struct cable *topo_find_cable(const struct topo *topo, int host, int iface)
{
    vec_each (&topo->cables, c)
        if (c->host == host && c->iface == iface)
            return c;
    return NULL;
}

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
    const struct cable *c = topo_find_cable(topo, host, iface);
    return c ? c->end.mac : NULL;
}

int topo_end(const struct topo *topo, int host, int iface)
{
    const struct cable *c = topo_find_cable(topo, host, iface);
    return c ? c->end.ifindex : 0;
}

int topo_port(const struct topo *topo, int host, int iface)
{
    const struct cable *c = topo_find_cable(topo, host, iface);
    return c ? c->port.ifindex : 0;
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
