/* `route`, `neighbour`, `capture`, `trace` and `mtu`. */
#include "lab/parser.h"

/* The interface through which a host reaches an address directly, or -1. */
static int iface_towards(const struct lab_host *h, const struct ipaddr *a)
{
    for (size_t i = 0; i < h->ifaces.n; i++)
        vec_each (&h->ifaces.at[i].addrs, own)
            if (ipaddr_same_net(&own->addr, a, own->prefix))
                return (int)i;
    return -1;
}

static bool has_bits_behind_prefix(const struct lab_addr *a)
{
    for (unsigned bit = a->prefix; bit < ipaddr_bits(&a->addr); bit++)
        if ((a->addr.bytes[bit / 8] >> (7 - bit % 8)) & 1)
            return true;
    return false;
}

/* `unreachable`, `prohibited` or `blackhole` instead of a gateway. */
static bool is_refusal(const struct token *t, enum lab_route_kind *kind)
{
    static const char *const words[] = {[LAB_ROUTE_UNREACHABLE] = "unreachable",
                                        [LAB_ROUTE_PROHIBITED] = "prohibited",
                                        [LAB_ROUTE_BLACKHOLE] = "blackhole"};
    for (size_t i = LAB_ROUTE_UNREACHABLE; i < ARRAY_SIZE(words); i++) {
        if (token_is(t, words[i])) {
            *kind = (enum lab_route_kind)i;
            return true;
        }
    }
    return false;
}

/* `via` and the gateway's address, or a refusal. */
static const struct token *route_way(struct parser *p, struct lab_route *route)
{
    static const char *const words[] = {"via", "unreachable", "prohibited", "blackhole"};
    char buffer[64];
    const struct token *t = need(p, "`via`");
    if (!t || is_refusal(t, &route->kind))
        return t;
    if (!token_is(t, "via")) {
        const char *near = closest_name(t->text, t->len, words, ARRAY_SIZE(words));
        cleanup_free char *hint =
            near ? xasprintf("did you mean \"%s\"?", near) : xstrdup(p->usage);
        complain(p, t->span, hint, "here stands %s instead of `via`", shown(p, t, buffer));
        return NULL;
    }
    t = need(p, "the gateway's address");
    return t && value_ipaddr(p, t->span, t->text, t->len, &route->via) ? t : NULL;
}

static bool check_gateway(struct parser *p, struct lab_route *route, bool any,
                          const struct token *via)
{
    if (any)
        route->to.addr.version = route->via.version;
    if (route->to.addr.version != route->via.version) {
        complain(p, via->span, NULL, "the gateway is not of the IP version of the route");
        return false;
    }
    if (iface_towards(&p->lab->hosts.at[route->host], &route->via) >= 0)
        return true;
    complain(p, via->span, "a gateway has an address on a network of the host itself",
             "host \"%s\" has no interface towards this gateway",
             p->lab->hosts.at[route->host].name);
    return false;
}

void parse_route(struct parser *p)
{
    const struct token *t = need(p, "the host");
    struct lab_route route = {.host = t ? value_host(p, t) : -1, .span = p->line};
    const struct token *to = t ? need(p, "where the route leads") : NULL;
    if (!to)
        return;
    bool any = token_is(to, "default"), good = route.host >= 0;
    if (!any)
        good &= value_network(p, to->span, to->text, to->len, &route.to);
    const struct token *way = route_way(p, &route);
    if (!way || !need_end(p) || !good)
        return;
    ip6_map(p->mapping, &route.to.addr, &route.to.prefix);
    ip6_map(p->mapping, &route.via, NULL);
    if (has_bits_behind_prefix(&route.to))
        complain(p, to->span, "such as 10.0.1.0/24",
                 "a route leads to a network, not to a host in it");
    else if (route.kind != LAB_ROUTE_VIA && any)
        complain(p, to->span, "such as 10.0.1.0/24", "a network is named when it is refused");
    else if (route.kind != LAB_ROUTE_VIA || check_gateway(p, &route, any, way))
        vec_push(&p->lab->routes, route);
}

void parse_neighbour(struct parser *p)
{
    const struct token *a = need(p, "the host");
    int host = a ? value_host(p, a) : -1;
    const struct token *b = a ? need(p, "the neighbour") : NULL;
    int peer = b ? value_host(p, b) : -1;
    if (!b || !need_end(p) || host < 0 || peer < 0)
        return;
    if (host == peer) {
        complain(p, b->span, NULL, "a host is not its own neighbour");
        return;
    }
    vec_push(&p->lab->neighbours, ((struct lab_neighbour){host, peer, p->line}));
}

/* HOST:IFACE by name.  `lo` is there on every host, declared or not. */
static int find_iface(struct lab_host *h, const char *name)
{
    for (size_t i = 0; i < h->ifaces.n; i++)
        if (strcmp(h->ifaces.at[i].name, name) == 0)
            return (int)i;
    if (strcmp(name, "lo") != 0)
        return -1;
    struct lab_iface *lo = vec_add(&h->ifaces);
    memcpy(lo->name, "lo", sizeof("lo"));
    lo->net = -1;
    return (int)h->ifaces.n - 1;
}

/* The interface of a host that has only one; -1: several cables, or none at all. */
static int only_iface(const struct lab_host *h)
{
    int found = -1, cables = 0;
    for (size_t i = 0; i < h->ifaces.n; i++) {
        if (strcmp(h->ifaces.at[i].name, "lo") != 0) {
            found = (int)i;
            cables++;
        }
    }
    if (cables == 0)
        return h->ifaces.n ? 0 : -1;
    return cables == 1 ? found : -1;
}

static int named_iface(struct parser *p, const struct token *t, int host, const char *name)
{
    struct lab_host *h = &p->lab->hosts.at[host];
    int iface = name ? find_iface(h, name) : only_iface(h);
    if (iface >= 0 || h->ifaces.n == 0) /* a host without any was reported already */
        return iface;
    struct strbuf hint cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&hint, name ? "it has" : "name one:");
    vec_each (&h->ifaces, i)
        strbuf_printf(&hint, " %s:%s", h->name, i->name);
    complain(p, t->span, strbuf_cstr(&hint),
             name ? "host \"%s\" has no such interface" : "host \"%s\" has several interfaces",
             h->name);
    return -1;
}

/* HOST[:IFACE]: the index of the interface, -1 after a mistake. */
static int value_iface(struct parser *p, const struct token *t, int *host)
{
    struct token name = *t;
    const char *colon = t->plain ? memchr(t->text, ':', t->len) : NULL;
    cleanup_free char *host_name = xstrndup(t->text, colon ? (size_t)(colon - t->text) : t->len);
    name.text = host_name;
    name.len = strlen(host_name);
    *host = value_host(p, &name);
    return *host < 0 ? -1 : named_iface(p, t, *host, colon ? colon + 1 : NULL);
}

static void add_capture(struct parser *p, const struct token *t, const char *filter)
{
    int host, iface = value_iface(p, t, &host);
    if (iface < 0)
        return;
    vec_each (&p->lab->captures, c) {
        if (c->host == host && c->iface == iface) {
            complain(p, t->span, "one capture point can take several kinds: \"tcp or udp\"",
                     "this interface has a capture point already");
            return;
        }
    }
    struct lab_capture *c = vec_add(&p->lab->captures);
    *c = (struct lab_capture){host, iface, xstrdup(filter), t->span};
}

bool value_filter(struct parser *p, const struct token *t, struct strbuf *out)
{
    if (!filter_check(p, t->span, t->text, t->len))
        return false;
    if (p->mapping == MAP_NOTHING) {
        strbuf_add(out, t->text, t->len);
        return true;
    }
    return ip6_filter(p, t->span, t->text, t->len, out) &&
           filter_check(p, t->span, strbuf_cstr(out), out->len);
}

void parse_capture(struct parser *p)
{
    size_t first = p->at, n = 0;
    while (peek(p) && !peek(p)->string) {
        p->at++;
        n++;
    }
    if (n == 0) {
        size_t end = p->tokens.at[0].span.to;
        complain(p, ((struct span){end, end}), p->usage, "the host on which to capture is missing");
        return;
    }
    struct strbuf filter cleanup_strbuf = STRBUF_INIT;
    const struct token *t = peek(p);
    if (t) {
        p->at++;
        if (!need_end(p) || !value_filter(p, t, &filter))
            strbuf_truncate(&filter, 0);
    }
    for (size_t i = first; i < first + n; i++)
        add_capture(p, &p->tokens.at[i], strbuf_cstr(&filter));
}

static void add_trace(struct parser *p, const struct token *t, nsec every)
{
    int host = value_host(p, t);
    if (host < 0)
        return;
    vec_each (&p->lab->traces, old) {
        if (old->host == host) {
            complain(p, t->span, NULL, "this host is traced already");
            return;
        }
    }
    vec_push(&p->lab->traces, ((struct lab_trace){host, every, t->span}));
}

void parse_trace(struct parser *p)
{
    size_t first = p->at;
    while (peek(p) && !token_is(peek(p), "every"))
        p->at++;
    size_t end = p->at;
    nsec every = 0;
    if (first == end) {
        size_t at = p->tokens.at[0].span.to;
        complain(p, ((struct span){at, at}), p->usage, "the host to trace is missing");
        return;
    }
    if (accept_word(p, "every")) {
        const struct token *t = need(p, "the duration");
        if (!t || !value_duration(p, t, &every) || !need_end(p))
            return;
        if (every < LAB_MIN_TRACE) {
            complain(p, t->span, NULL, "a trace looks at most once in a millisecond");
            return;
        }
    }
    for (size_t i = first; i < end; i++)
        add_trace(p, &p->tokens.at[i], every);
}

void parse_mtu(struct parser *p)
{
    const struct token *t = need(p, "the host");
    int host, i = t ? value_iface(p, t, &host) : -1;
    const struct token *bytes = t ? need(p, "the number of bytes") : NULL;
    int64_t mtu;
    if (!bytes || !value_number(p, bytes, "MTU", LAB_MIN_MTU, LAB_MAX_MTU, &mtu) || !need_end(p) ||
        i < 0)
        return;
    struct lab_iface *iface = &p->lab->hosts.at[host].ifaces.at[i];
    bool v6 = false;
    vec_each (&iface->addrs, a)
        v6 |= a->addr.version == 6;
    if (strcmp(iface->name, "lo") == 0)
        complain(p, t->span, "it belongs to an interface with a cable",
                 "the loopback interface keeps its MTU");
    else if (v6 && mtu < LAB_MIN_MTU_IPV6)
        complain(p, bytes->span, "RFC 8200, section 5; a lab that needs less says `requires ipv4`",
                 "an interface with IPv6 has an MTU of at least %d bytes", LAB_MIN_MTU_IPV6);
    else if (iface->mtu)
        complain(p, t->span, NULL, "this interface has an MTU already");
    else
        iface->mtu = (unsigned)mtu;
}

static bool on_one_net(const struct lab_host *a, const struct lab_host *b)
{
    vec_each (&a->ifaces, x)
        vec_each (&b->ifaces, y)
            if (x->net >= 0 && x->net == y->net)
                return true;
    return false;
}

static bool is_captured(const struct lab *lab, const struct lab_wait *wait)
{
    vec_each (&lab->captures, c)
        if (c->host == wait->from || c->host == wait->to)
            return true;
    return false;
}

void stage_check(struct parser *p)
{
    const struct lab *lab = p->lab;
    vec_each (&lab->neighbours, n)
        if (!on_one_net(&lab->hosts.at[n->host], &lab->hosts.at[n->peer]))
            complain(p, n->span, "neighbours have addresses in one network",
                     "hosts \"%s\" and \"%s\" share no network", lab->hosts.at[n->host].name,
                     lab->hosts.at[n->peer].name);
    vec_each (&lab->steps, s)
        if (s->verb == VERB_WAIT_PACKETS && p->diags->list.n == 0 && !is_captured(lab, &s->wait))
            complain(p, s->span, "`capture` one of the two hosts",
                     "neither host has a capture point that could see these packets");
    wire_check(p);
}
