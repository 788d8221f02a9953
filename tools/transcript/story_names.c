/* Names of ports.
 *
 * Theory of operation
 *
 * One end of a flow usually has a port that its kernel chose.  It is another one in
 * every run, so the story calls it `port`, and a host's next ones `port2`, `port3` …
 * in the order in which they appear.  Which end that is:
 *
 *   - with a SYN: the end that sent the first one, unless the record's calls say that
 *     it was bound to this port (`bind`); the other end never.  Of a flow that begins
 *     with a SYN-ACK, the end that this goes to, in the same way;
 *   - without: the end whose port nobody listened on, connected to or bound, and that
 *     is 32768 or more (where Linux begins to choose).  If that holds for both or for
 *     neither, the end with the larger port, if nobody named it.
 *
 * A port that a foreign capture's endpoints name counts as bound. */
#include <limits.h>

#include "transcript/story_build.h"

#define FIRST_EPHEMERAL 32768

/* A port that a call named: a host, and 1 for bound or 0 for listened on or connected to. */
struct named_port {
    int host;
    uint16_t port;
    bool bound;
};

typedef VEC(struct named_port) named_ports;

/* One end of a flow with an ephemeral port. */
struct ephemeral {
    int host;
    struct ipaddr addr; /* version 0 unless the host is -1 */
    uint16_t port;
    size_t order; /* of its first appearance */
    size_t flow;
    int end;
};

/* -------------------------------------------------------- what the calls named */

static int compare_named(const void *pa, const void *pb)
{
    const struct named_port *a = pa, *b = pb;
    if (a->host != b->host)
        return a->host < b->host ? -1 : 1;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    return b->bound - a->bound;
}

/* The first number in s, if it is a port. */
static bool read_port(const char *s, uint16_t *port)
{
    char *end;
    unsigned long n = strtoul(s, &end, 10);
    if (end == s || (*end != '\0' && *end != ' ') || n == 0 || n > UINT16_MAX)
        return false;
    *port = (uint16_t)n;
    return true;
}

static int host_named(const struct record *r, const char *name, size_t len)
{
    for (size_t i = 0; i < r->hosts.n; i++) {
        if (strlen(r->hosts.at[i].name) == len && memcmp(r->hosts.at[i].name, name, len) == 0)
            return (int)i;
    }
    return -1;
}

static void read_call(const struct record *r, const struct record_call *c, named_ports *named)
{
    struct named_port n = {.host = c->host, .bound = strcmp(c->verb, "bind") == 0};
    const char *port = c->args;
    if (strcmp(c->verb, "connect") == 0) {
        size_t len = strcspn(c->args, " ");
        n.host = host_named(r, c->args, len);
        port = c->args + len;
    } else if (!n.bound && strcmp(c->verb, "listen") != 0) {
        return;
    }
    if (read_port(port, &n.port))
        vec_push(named, n);
}

static void read_names(const struct record *r, named_ports *named)
{
    vec_each (&r->calls, c) {
        if (c->verb && c->args)
            read_call(r, c, named);
    }
    vec_each (&r->endpoints, e) {
        vec_push(named, ((struct named_port){e->host, e->port, true}));
    }
    if (named->n)
        qsort(named->at, named->n, sizeof(*named->at), compare_named);
}

static bool is_named(const named_ports *named, int host, uint16_t port, bool bound)
{
    struct named_port key = {host, port, true};
    if (!named->n)
        return false;
    if (bsearch(&key, named->at, named->n, sizeof(key), compare_named))
        return true;
    key.bound = false;
    return !bound && bsearch(&key, named->at, named->n, sizeof(key), compare_named);
}

/* ------------------------------------------------------- which end is ephemeral */

static int without_syn(const named_ports *named, const struct story_flow *f)
{
    bool free_[2], high[2];
    for (int i = 0; i < 2; i++) {
        free_[i] = !is_named(named, f->host[i], f->port[i], false);
        high[i] = free_[i] && f->port[i] >= FIRST_EPHEMERAL;
    }
    if (high[0] != high[1])
        return high[1];
    int larger = f->port[1] > f->port[0];
    return free_[larger] ? larger : -1;
}

/* Index of the ephemeral end of each flow, -1: none. */
static int *find_ephemeral_ends(const struct story *story, const named_ports *named)
{
    int *end = xcalloc(story->flows.n, sizeof(*end));
    for (size_t i = 0; i < story->flows.n; i++)
        end[i] = INT_MIN;
    vec_each (&story->segments, s) {
        if (s->flow < 0 || end[s->flow] != INT_MIN || !(s->p->tcp.flags & TCP_SYN))
            continue;
        const struct story_flow *f = &story->flows.at[s->flow];
        int opener = s->p->tcp.flags & TCP_ACK ? !s->dir : s->dir;
        bool bound = is_named(named, f->host[opener], f->port[opener], true);
        end[s->flow] = bound ? -1 : opener;
    }
    for (size_t i = 0; i < story->flows.n; i++) {
        if (end[i] == INT_MIN)
            end[i] = without_syn(named, &story->flows.at[i]);
    }
    return end;
}

/* --------------------------------------------------------------------- numbers */

static int compare_hosts(const struct ephemeral *a, const struct ephemeral *b)
{
    if (a->host != b->host)
        return a->host < b->host ? -1 : 1;
    if (a->addr.version != b->addr.version)
        return a->addr.version < b->addr.version ? -1 : 1;
    return memcmp(a->addr.bytes, b->addr.bytes, sizeof(a->addr.bytes));
}

static int by_port(const void *pa, const void *pb)
{
    const struct ephemeral *a = pa, *b = pb;
    int order = compare_hosts(a, b);
    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static int by_appearance(const void *pa, const void *pb)
{
    const struct ephemeral *a = pa, *b = pb;
    int order = compare_hosts(a, b);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static struct ephemeral *collect(const struct story *story, const int *ends, size_t *n)
{
    struct ephemeral *e = xcalloc(story->flows.n, sizeof(*e));
    *n = 0;
    for (size_t i = 0; i < story->flows.n; i++) {
        if (ends[i] < 0)
            continue;
        const struct story_flow *f = &story->flows.at[i];
        int host = f->host[ends[i]];
        e[*n] = (struct ephemeral){
            .host = host, .port = f->port[ends[i]], .order = i, .flow = i, .end = ends[i]};
        if (host < 0)
            e[*n].addr = f->addr[ends[i]];
        ++*n;
    }
    return e;
}

/* Writes each flow's number of its ephemeral port, from 1; 0: none. */
static unsigned *number_ports(const struct story *story, const int *ends)
{
    unsigned *numbers = xcalloc(story->flows.n, sizeof(*numbers));
    size_t n;
    cleanup_free struct ephemeral *e = collect(story, ends, &n);
    qsort(e, n, sizeof(*e), by_port);
    for (size_t i = 1; i < n; i++) { /* flows of one port appear where its first does */
        if (compare_hosts(&e[i], &e[i - 1]) == 0 && e[i].port == e[i - 1].port)
            e[i].order = e[i - 1].order;
    }
    qsort(e, n, sizeof(*e), by_appearance);
    for (size_t i = 0; i < n; i++) {
        bool same_host = i > 0 && compare_hosts(&e[i], &e[i - 1]) == 0;
        unsigned before = same_host ? numbers[e[i - 1].flow] : 0;
        numbers[e[i].flow] = same_host && e[i].order == e[i - 1].order ? before : before + 1;
    }
    return numbers;
}

static char *port_name(uint16_t port, unsigned number)
{
    if (number == 0)
        return xasprintf("%u", port);
    return number == 1 ? xstrdup("port") : xasprintf("port%u", number);
}

void story_names(struct build *b)
{
    struct story *story = b->story;
    if (!story->flows.n)
        return;
    named_ports named = {0};
    read_names(b->record, &named);
    cleanup_free int *ends = find_ephemeral_ends(story, &named);
    cleanup_free unsigned *numbers = number_ports(story, ends);
    vec_free(&named);
    vec_each (&story->segments, s) {
        if (s->flow < 0)
            continue;
        unsigned number = numbers[s->flow];
        bool from_here = ends[s->flow] == s->dir;
        s->from_port = port_name(s->p->tcp.sport, from_here ? number : 0);
        s->to_port = port_name(s->p->tcp.dport, from_here ? 0 : number);
    }
}
