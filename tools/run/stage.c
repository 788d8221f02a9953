#include "run/stage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/program.h"
#include "base/version.h"
#include "netns/congestion.h"
#include "netns/tune.h"
#include "run/wire.h"
#include "wire/ferry.h"

static const nsec LINK_LIMIT = 5 * NSEC_PER_SEC;

/* How often lateness is looked for.  Short beside the kernel's tick, so that a stall of
 * a tick cannot fall between two looks; at this pace a processor spends about a
 * thousandth of its time on it, and as much on the wheel.  On a virtual clock nothing can hold the
 * processor up, and every look would cost what waiting there does not: wall time. */
static const nsec LATENESS_REAL = 2 * NSEC_PER_MSEC;
static const nsec LATENESS_VIRTUAL = NSEC_PER_SEC;

/* ------------------------------------------------------------- the record --- */

bool stage_clock_is_virtual(void)
{
    const char *clock = getenv("TCPLAB_CLOCK");
    return clock && strcmp(clock, "virtual") == 0;
}

static void note_kernel(struct record *record)
{
    struct utsname name;
    uname(&name);
    record->kernel = xstrdup(name.release);
    record->machine = xstrdup(name.machine);
    record->version = xstrdup(TCPLAB_VERSION);
    record->clock = xstrdup(stage_clock_is_virtual() ? "virtual" : "real");
    record->tick = clock_tick();
    record->has_calls = true;
}

static void note_hosts(struct record *record, const struct lab *lab)
{
    record->ip = lab->ip;
    vec_each (&lab->hosts, h) {
        struct record_host *rh = vec_add(&record->hosts);
        rh->name = xstrdup(h->name);
        vec_each (&h->ifaces, iface)
            vec_each (&iface->addrs, a)
                vec_push(&rh->addrs, a->addr);
    }
}

static bool is_only_point(const struct lab *lab, const struct lab_capture *c)
{
    size_t n = 0;
    vec_each (&lab->captures, other)
        n += other->host == c->host;
    return n == 1;
}

static void note_points(struct record *record, const struct lab *lab)
{
    vec_each (&lab->captures, c) {
        const struct lab_host *host = &lab->hosts.at[c->host];
        const char *iface = host->ifaces.at[c->iface].name;
        struct record_point *p = vec_add(&record->points);
        p->host = c->host;
        p->iface = xstrdup(iface);
        p->name =
            is_only_point(lab, c) ? xstrdup(host->name) : xasprintf("%s:%s", host->name, iface);
        p->filter = xstrdup(c->filter);
    }
}

void stage_note_skipped(struct record *record, const struct lab *lab, const char *reason)
{
    record->lab = xstrdup(lab->name);
    record->skipped = xstrdup(reason);
    note_kernel(record);
    note_hosts(record, lab);
    note_points(record, lab);
}

static void note_sysctl(struct record *record, int host, const char *key, const char *value,
                        bool absent)
{
    vec_each (&record->sysctls, s) {
        if (s->host == host && strcmp(s->key, key) == 0) {
            free(s->value);
            s->value = xstrdup(value);
            s->absent = absent;
            return;
        }
    }
    struct record_sysctl *s = vec_add(&record->sysctls);
    *s = (struct record_sysctl){
        .host = host, .key = xstrdup(key), .value = xstrdup(value), .absent = absent};
}

/* -------------------------------------------------------------- requires --- */

/* Compares dotted numbers; what follows the numbers of `wanted` does not matter. */
static bool kernel_is_at_least(const char *release, const char *wanted)
{
    while (*wanted) {
        char *rest, *have_rest;
        long want = strtol(wanted, &rest, 10);
        long have = strtol(release, &have_rest, 10);
        if (have != want)
            return have > want;
        wanted = *rest == '.' ? rest + 1 : "";
        release = *have_rest == '.' ? have_rest + 1 : "0";
    }
    return true;
}

static char *lacks_congestion(const char *name)
{
    int lack = congestion_try(name);
    switch (lack) {
    case 0:
        return NULL;
    case ENOENT:
        return xasprintf("this kernel has no congestion control %s, or has not loaded tcp_%s", name,
                         name);
    case EPERM:
        return xasprintf("this user may not choose the congestion control %s", name);
    default:
        return xasprintf("the congestion control %s cannot be had: %s", name, strerror(lack));
    }
}

static char *unmet(const struct lab_require *r, const struct record *record)
{
    cleanup_free char *program = NULL;
    switch (r->kind) {
    case REQUIRE_KERNEL:
        if (kernel_is_at_least(record->kernel, r->what))
            return NULL;
        return xasprintf("it needs Linux %s or later, and this is %s", r->what, record->kernel);
    case REQUIRE_SYSCTL:
        return topo_has_sysctl(r->what) ? NULL : xasprintf("this kernel has no %s", r->what);
    case REQUIRE_PROGRAM:
        program = program_find(r->what, NULL);
        return program ? NULL : xasprintf("the program %s is not installed", r->what);
    case REQUIRE_CONGESTION:
        return lacks_congestion(r->what);
    case REQUIRE_IPV4:
        return record->ip == 4 ? NULL : xstrdup("it is about IPv4, and this is a run with IPv6");
    case REQUIRE_IPV6:
        return access("/proc/sys/net/ipv6", F_OK) == 0 ? NULL : xstrdup("this kernel has no IPv6");
    }
    return NULL;
}

static bool meets_requirements(const struct lab *lab, struct record *record)
{
    static const struct lab_require ipv6 = {.kind = REQUIRE_IPV6};
    if (lab->mapping != MAP_NOTHING)
        record->skipped = unmet(&ipv6, record);
    if (record->skipped)
        return false;
    vec_each (&lab->requires_, r) {
        record->skipped = unmet(r, record);
        if (record->skipped)
            return false;
    }
    return true;
}

/* ----------------------------------------------------------------- build --- */

int stage_cable(const struct lab *lab, int host, int iface)
{
    const struct lab_host *h = &lab->hosts.at[host];
    int cable = -1;
    for (int i = 0; i <= iface; i++)
        cable += h->ifaces.at[i].net >= 0;
    return h->ifaces.at[iface].net >= 0 ? cable : -1;
}

static int add_cable(struct stage *stage, int host, const struct lab_iface *iface,
                     struct error *err)
{
    VEC(struct topo_addr) addrs = {0};
    vec_each (&iface->addrs, a)
        vec_push(&addrs, ((struct topo_addr){.addr = a->addr, .prefix = a->prefix}));
    int index = topo_add_cable(stage->topo, host, iface->net, addrs.at, addrs.n, iface->mtu, err);
    vec_free(&addrs);
    return index < 0 ? -1 : 0;
}

static int build_links(struct stage *stage, struct error *err)
{
    const struct lab *lab = stage->lab;
    vec_each (&lab->nets, net)
        if ((net->wired ? topo_add_open_switch(stage->topo, net->name, err)
                        : topo_add_switch(stage->topo, net->name, err)) < 0)
            return -1;
    for (size_t h = 0; h < lab->hosts.n; h++)
        vec_each (&lab->hosts.at[h].ifaces, iface)
            if (iface->net >= 0 && add_cable(stage, (int)h, iface, err) < 0)
                return -1;
    return 0;
}

static int build_hosts(struct stage *stage, struct error *err)
{
    vec_each (&stage->lab->hosts, h)
        if (topo_add_host(stage->topo, h->name, h->router, err) < 0)
            return -1;
    return 0;
}

/* Of a router, a neighbour knows the side that it is on. */
static bool is_on(const struct lab *lab, int host, int net)
{
    vec_each (&lab->hosts.at[host].ifaces, iface)
        if (net >= 0 && iface->net == net)
            return true;
    return false;
}

static int add_route(struct stage *stage, const struct lab_route *r, struct error *err)
{
    struct topo_addr to = {.addr = r->to.addr, .prefix = r->to.prefix};
    switch (r->kind) {
    case LAB_ROUTE_VIA:
        return topo_add_route(stage->topo, r->host, &to, &r->via, err);
    case LAB_ROUTE_UNREACHABLE:
        return topo_refuse(stage->topo, r->host, &to, ROUTE_UNREACHABLE, err);
    case LAB_ROUTE_PROHIBITED:
        return topo_refuse(stage->topo, r->host, &to, ROUTE_PROHIBITED, err);
    case LAB_ROUTE_BLACKHOLE:
        return topo_refuse(stage->topo, r->host, &to, ROUTE_BLACKHOLE, err);
    }
    return 0;
}

/* What topo_up() makes possible: routes need links that are up. */
static int build_paths(struct stage *stage, struct error *err)
{
    const struct lab *lab = stage->lab;
    vec_each (&lab->routes, r)
        if (add_route(stage, r, err) < 0)
            return -1;
    vec_each (&lab->neighbours, n)
        vec_each (&lab->hosts.at[n->peer].ifaces, iface)
            vec_each (&iface->addrs, a)
                if (is_on(lab, n->host, iface->net) &&
                    topo_add_neighbour(stage->topo, n->host, n->peer, &a->addr, err) < 0)
                    return -1;
    return 0;
}

struct baseline {
    struct record *record;
    int host;
};

static void note_baseline(void *ctx, const char *key, const char *value, bool absent)
{
    struct baseline *b = ctx;
    note_sysctl(b->record, b->host, key, value, absent);
}

/* Whether the key is one of a cable's interface, such as net.ipv4.neigh.eth0.mcast_solicit:
 * it is there only when the cable is. */
static bool is_of_cable(const char *key)
{
    static const char *const rooms[] = {"net.ipv4.conf.eth", "net.ipv4.neigh.eth",
                                        "net.ipv6.conf.eth", "net.ipv6.neigh.eth"};
    for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
        if (strncmp(key, rooms[i], strlen(rooms[i])) == 0)
            return true;
    return false;
}

/* What the lab sets itself: of_cables says which of the two kinds. */
static int apply_sysctls(struct stage *stage, bool of_cables, struct record *record,
                         struct error *err)
{
    vec_each (&stage->lab->sysctls, s) {
        bool absent = false;
        if (is_of_cable(s->key) != of_cables)
            continue;
        if (topo_sysctl(stage->topo, s->host, s->key, s->value, &absent, err) < 0)
            return -1;
        note_sysctl(record, s->host, s->key, s->value, absent);
        if (absent && !s->optional) {
            record->skipped = xasprintf("this kernel has no %s", s->key);
            return 0;
        }
    }
    return 0;
}

/* The baseline of every host, then what the lab sets itself. */
static int tune(struct stage *stage, struct record *record, struct error *err)
{
    for (size_t h = 0; h < stage->lab->hosts.n; h++) {
        struct baseline b = {.record = record, .host = (int)h};
        if (tune_baseline(stage->topo, (int)h, note_baseline, &b, err) < 0)
            return -1;
    }
    return apply_sysctls(stage, false, record, err);
}

static int start_agents(struct stage *stage, struct error *err)
{
    for (size_t h = 0; h < stage->lab->hosts.n; h++) {
        struct agent agent;
        if (agent_start(&agent, stage->lab, (int)h, topo_ns_fd(stage->topo, (int)h), err) < 0)
            return -1;
        vec_push(&stage->agents, agent);
    }
    return 0;
}

static int open_captures(struct stage *stage, const struct record *record, struct error *err)
{
    VEC(struct live_point) points = {0};
    vec_each (&record->points, p)
        vec_push(&points, ((struct live_point){
                              .netns = topo_ns_fd(stage->topo, p->host),
                              .iface = p->iface,
                              .filter = p->filter,
                              .only_own = true,
                          }));
    for (size_t i = 0; i < points.n; i++)
        vec_push(&stage->captures, NULL);
    int ret = live_open_many(points.at, points.n, stage->captures.at, err);
    vec_free(&points);
    return ret;
}

int stage_build(struct stage *stage, const struct lab *lab, struct record *record,
                struct error *err)
{
    *stage = (struct stage){.lab = lab};
    note_kernel(record);
    note_hosts(record, lab);
    note_points(record, lab);
    stage->topo = topo_new(err);
    if (!stage->topo)
        return -1;
    if (!meets_requirements(lab, record))
        return 0;
    if (build_hosts(stage, err) < 0 || start_agents(stage, err) < 0)
        return -1;
    if (tune(stage, record, err) < 0 || record->skipped)
        return error_is_set(err) ? -1 : 0;
    if (build_links(stage, err) < 0 || apply_sysctls(stage, true, record, err) < 0)
        return -1;
    if (record->skipped)
        return 0;
    if (topo_up(stage->topo, LINK_LIMIT, err) < 0 || build_paths(stage, err) < 0 ||
        stage_start_wire(stage, err) < 0)
        return -1;
    stage->lateness = stage_clock_is_virtual() ? lateness_start(LATENESS_VIRTUAL, 0, err)
                                               : lateness_start(LATENESS_REAL, clock_tick(), err);
    if (!stage->lateness)
        return -1;
    /* Behind the wire: wire/port.c says why. */
    return open_captures(stage, record, err);
}

void stage_free(struct stage *stage)
{
    vec_each (&stage->agents, a)
        agent_stop(a);
    vec_free(&stage->agents);
    live_close_many(stage->captures.at, stage->captures.n);
    vec_free(&stage->captures);
    lateness_free(stage->lateness);
    ferry_stop(stage->ferry);
    topo_free(stage->topo);
    *stage = (struct stage){0};
}
