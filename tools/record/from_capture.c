/* A record from a capture.
 *
 * Theory of operation
 *
 * What the lab knows of its connections is a list of roles: this host connects to
 * that one at this port, from `connect` and from `run` with a host and a port among
 * its words.  What the capture has is a list of addresses.  An address that is one of
 * the lab's is that host's.  Any other gets its host from the segments that it has
 * part in, those that open a connection first, then the rest: who sends to a role's
 * port is its client, who sends from there its server.  Where both ends have one
 * address (somebody's loopback) and the role has two hosts, the address is the
 * client's and the address with the role's port the server's.
 *
 * Frames are taken that one of the lab's capture filters takes and that have at least
 * one end in the lab; those that the capture holds twice (doubles.h) once. */
#include "record/from_capture.h"

#include "base/number.h"
#include "record/doubles.h"
#include "record/frames.h"

#define MAX_PACKETS 200000 /* more is no lab */
#define MAX_SHOWN 8        /* addresses in a message */

struct role {
    int client, server;
    uint16_t port;
};

/* An address that is in the capture and belongs to a host. */
struct known {
    struct ipaddr addr;
    int host;
};

struct reading {
    const struct lab *lab;
    const char *path, *shown; /* shown: for messages */
    struct record *record;
    VEC(struct role) roles;
    VEC(struct known) known;
};

/* ------------------------------------------------------------ what the lab says */

static void describe_hosts(struct record *r, const struct lab *lab)
{
    vec_each (&lab->hosts, h) {
        struct record_host *host = vec_add(&r->hosts);
        host->name = xstrdup(h->name);
        vec_each (&h->ifaces, iface) {
            vec_each (&iface->addrs, a)
                vec_push(&host->addrs, a->addr);
        }
    }
}

static void add_role(struct reading *in, int client, int server, int64_t port)
{
    if (client < 0 || server < 0 || port <= 0 || port > UINT16_MAX)
        return;
    vec_each (&in->roles, r) {
        if (r->client == client && r->server == server && r->port == port)
            return;
    }
    vec_push(&in->roles, ((struct role){client, server, (uint16_t)port}));
}

static int host_of_word(const struct reading *in, const char *word)
{
    struct ipaddr a;
    int host = lab_find_host(in->lab, word, strlen(word));
    if (host < 0 && ipaddr_parse(&a, word, strlen(word)))
        host = record_find_host(in->record, &a);
    return host;
}

/* `run client nc server 1234` */
static void roles_of_program(struct reading *in, const struct lab_step *step)
{
    int client = -1, server = -1;
    vec_each (&step->args, arg) {
        if (arg->kind == ARG_HOST) {
            client = arg->host;
            continue;
        }
        if (arg->kind != ARG_REST || !arg->text)
            continue;
        int64_t port;
        bool is_port = parse_number(arg->text, INT64_MIN, INT64_MAX, &port);
        if (is_port && server >= 0)
            add_role(in, client, server, port);
        server = is_port ? -1 : host_of_word(in, arg->text);
    }
}

static void find_roles(struct reading *in)
{
    vec_each (&in->lab->steps, step) {
        if (step->verb == VERB_CONNECT && step->args.n >= 2)
            add_role(in, step->host, step->args.at[0].host, step->args.at[1].number);
        else if (step->verb == VERB_RUN)
            roles_of_program(in, step);
    }
}

static bool has_filter_before(const struct lab *lab, const struct lab_capture *c)
{
    vec_each (&lab->captures, before) {
        if (before == c)
            break;
        if (strcmp(before->filter, c->filter) == 0)
            return true;
    }
    return false;
}

/* All filters of the lab in one; "" if one of them takes everything. */
static char *joined_filter(const struct lab *lab)
{
    struct strbuf sb = STRBUF_INIT;
    vec_each (&lab->captures, c) {
        if (!c->filter[0]) {
            strbuf_free(&sb);
            return xstrdup("");
        }
        if (!has_filter_before(lab, c))
            strbuf_printf(&sb, "%s(%s)", sb.len ? " or " : "", c->filter);
    }
    return strbuf_steal(&sb);
}

/* -------------------------------------------------------------------- reading */

static int read_file(struct reading *in, struct error *err)
{
    cleanup_free char *filter = joined_filter(in->lab);
    int ret = record_read_frames(in->record, in->path, filter, MAX_PACKETS, "judged", err);
    if (ret < 0)
        return -1;
    if (ret > 0) {
        error_set(err, STATUS_USAGE, "%s has more than %d packets of the lab %s", in->shown,
                  MAX_PACKETS, in->lab->name);
        return error_hint(err, "capture the lab's scene alone");
    }
    if (in->record->packets.n)
        return 0;
    error_set(err, STATUS_USAGE, "%s has no packet that the capture filter of the lab %s takes",
              in->shown, in->lab->name);
    return error_hint(err, "the filter is \"%s\"", filter);
}

static bool is_syn(const struct packet *p)
{
    return p->transport == TRANSPORT_TCP && p->tcp.flags & TCP_SYN;
}

/* -------------------------------------------------------------- who is who */

static int known_host(const struct reading *in, const struct ipaddr *addr)
{
    vec_each (&in->known, k) {
        if (ipaddr_equal(&k->addr, addr))
            return k->host;
    }
    return -1;
}

/* Whether the host has an address of that version in the capture already. */
static bool is_taken(const struct reading *in, int host, uint8_t version)
{
    vec_each (&in->known, k) {
        if (k->host == host && k->addr.version == version)
            return true;
    }
    return false;
}

static bool may_be(const struct reading *in, const struct ipaddr *addr, int host)
{
    int known = known_host(in, addr);
    return known < 0 ? !is_taken(in, host, addr->version) : known == host;
}

static void take_for(struct reading *in, const struct ipaddr *addr, int host)
{
    struct record *r = in->record;
    if (known_host(in, addr) >= 0)
        return;
    vec_push(&in->known, ((struct known){*addr, host}));
    vec_push(&r->hosts.at[host].addrs, *addr);
    struct strbuf sb = STRBUF_INIT;
    strbuf_ipaddr(&sb, addr);
    strbuf_printf(&sb, " was taken for %s", r->hosts.at[host].name);
    vec_push(&r->remarks, strbuf_steal(&sb));
}

/* Says that the port there is the host's, unless somebody's already; whether it was news. */
static bool name_port(struct record *r, const struct ipaddr *addr, int64_t port, int host)
{
    vec_each (&r->endpoints, e) {
        if (e->port == port && ipaddr_equal(&e->addr, addr))
            return false;
    }
    vec_push(&r->endpoints, ((struct record_endpoint){*addr, (uint16_t)port, host}));
    return true;
}

static void share(struct reading *in, const struct ipaddr *addr, const struct role *role)
{
    struct record *r = in->record;
    if (!name_port(r, addr, role->port, role->server))
        return;
    struct strbuf sb = STRBUF_INIT;
    strbuf_ipaddr(&sb, addr);
    strbuf_printf(&sb, " port %u was taken for %s", role->port, r->hosts.at[role->server].name);
    vec_push(&r->remarks, strbuf_steal(&sb));
}

static void meet(struct reading *in, const struct ipaddr *client, const struct ipaddr *server,
                 uint16_t port)
{
    bool one = ipaddr_equal(client, server);
    vec_each (&in->roles, role) {
        if (role->port != port || !may_be(in, client, role->client))
            continue;
        if (one && role->client != role->server) {
            take_for(in, client, role->client);
            share(in, server, role);
            return;
        }
        bool at_home = role->client == role->server && known_host(in, server) < 0;
        if (!at_home && !may_be(in, server, role->server))
            continue;
        take_for(in, client, role->client);
        take_for(in, server, role->server);
        return;
    }
}

static bool is_role_port(const struct reading *in, uint16_t port)
{
    vec_each (&in->roles, role) {
        if (role->port == port)
            return true;
    }
    return false;
}

static void meet_ends(struct reading *in, const struct packet *p, bool openings)
{
    const struct tcp_header *t = &p->tcp;
    if (p->transport != TRANSPORT_TCP || (openings && !is_syn(p)))
        return;
    bool answer = is_syn(p) ? t->flags & TCP_ACK : !is_role_port(in, t->dport);
    if (answer)
        meet(in, &p->ip.dst, &p->ip.src, t->sport);
    else
        meet(in, &p->ip.src, &p->ip.dst, t->dport);
}

/* Addresses of the lab that are in the capture. */
static void meet_exact(struct reading *in, const struct packet *p)
{
    const struct ipaddr *ends[] = {&p->ip.src, &p->ip.dst};
    for (size_t i = 0; p->net == NET_IP && i < ARRAY_SIZE(ends); i++) {
        int host = record_find_host(in->record, ends[i]);
        if (host >= 0 && known_host(in, ends[i]) < 0)
            vec_push(&in->known, ((struct known){*ends[i], host}));
    }
}

/* Ports that the script names are none that a kernel chose. */
static void name_ports(struct reading *in)
{
    vec_each (&in->known, k) {
        vec_each (&in->roles, role) {
            if (role->server == k->host)
                name_port(in->record, &k->addr, role->port, k->host);
        }
        vec_each (&in->lab->steps, step) {
            if (step->verb == VERB_BIND && step->host == k->host && step->args.n)
                name_port(in->record, &k->addr, step->args.at[0].number, k->host);
        }
    }
}

static void find_hosts(struct reading *in)
{
    enum { EXACT, OPENINGS, REST, PASSES };
    cleanup_free struct packet *p = xcalloc(1, sizeof(*p));
    for (int pass = EXACT; pass < PASSES; pass++) {
        vec_each (&in->record->packets, rp) {
            packet_decode(p, &rp->frame);
            if (pass == EXACT)
                meet_exact(in, p);
            else
                meet_ends(in, p, pass == OPENINGS);
        }
    }
    name_ports(in);
}

/* ------------------------------------------------------------- what is kept */

static bool has_end_in_lab(const struct record *r, const struct packet *p)
{
    struct ipaddr ends[2] = {p->ip.src, p->ip.dst};
    if (p->net == NET_ARP && p->arp.state == LAYER_OK && p->arp.protocol_len == 4) {
        ends[0].version = ends[1].version = 4;
        memcpy(ends[0].bytes, p->arp.sender_addr, 4);
        memcpy(ends[1].bytes, p->arp.target_addr, 4);
    } else if (p->net != NET_IP) {
        return false;
    }
    return record_find_host(r, &ends[0]) >= 0 || record_find_host(r, &ends[1]) >= 0;
}

static size_t leave_out_strangers(struct record *r)
{
    cleanup_free struct packet *p = xcalloc(1, sizeof(*p));
    cleanup_free bool *out = xcalloc(r->packets.n, sizeof(*out));
    size_t strangers = 0;
    for (size_t i = 0; i < r->packets.n; i++) {
        packet_decode(p, &r->packets.at[i].frame);
        out[i] = !has_end_in_lab(r, p);
        strangers += out[i];
    }
    record_leave_out(r, out);
    return strangers;
}

static int fail_strange(const struct reading *in, size_t packets, struct error *err)
{
    error_set(err, STATUS_USAGE,
              "%s: of %zu packet%s that the capture filter takes, none is of the lab %s", in->shown,
              packets, packets == 1 ? "" : "s", in->lab->name);
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    size_t shown = 0;
    vec_each (&in->roles, role) {
        if (shown++ < MAX_SHOWN)
            strbuf_printf(&sb, "%s%s connects to %s at port %u", sb.len ? ", " : "",
                          in->record->hosts.at[role->client].name,
                          in->record->hosts.at[role->server].name, role->port);
    }
    if (sb.len)
        return error_hint(err, "in this lab %s; so it must be in the capture", strbuf_cstr(&sb));
    return error_hint(err, "the capture has none of the addresses of the lab's hosts");
}

static int build(struct reading *in, struct error *err)
{
    struct record *r = in->record;
    r->lab = xstrdup(in->lab->name);
    r->clock = xstrdup("real");
    r->ip = in->lab->ip;
    describe_hosts(r, in->lab);
    find_roles(in);
    if (read_file(in, err) < 0)
        return -1;
    record_leave_out_doubles(r);
    find_hosts(in);
    size_t strangers = leave_out_strangers(r);
    if (r->packets.n == 0)
        return fail_strange(in, strangers, err);
    if (strangers)
        vec_push(&r->remarks,
                 xasprintf("%zu packet%s between other hosts %s left out", strangers,
                           strangers == 1 ? "" : "s", strangers == 1 ? "was" : "were"));
    vec_push(&r->remarks, xstrdup("window, mss and wscale follow from the settings of a machine of "
                                  "which nothing is known: of them only a window of 0 is judged"));
    r->began = r->packets.at[0].frame.time;
    r->ended = r->packets.at[r->packets.n - 1].frame.time;
    return 0;
}

struct record *record_from_capture(const struct lab *lab, const char *path, struct error *err)
{
    struct reading in = {.lab = lab,
                         .path = path,
                         .shown = strcmp(path, "-") == 0 ? "standard input" : path,
                         .record = record_new()};
    int failed = build(&in, err);
    vec_free(&in.roles);
    vec_free(&in.known);
    if (!failed)
        return in.record;
    record_free(in.record);
    return NULL;
}
