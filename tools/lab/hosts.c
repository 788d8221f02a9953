/* `host` and `router`, and the networks that their interfaces share. */
#include <stdio.h>

#include "lab/parser.h"

/* The place of len bytes of a token's text; the whole token where a `vary` value
 * stands in it. */
static struct span part_of(const struct token *t, size_t from, size_t len)
{
    if (t->span.to - t->span.from != t->len)
        return t->span;
    return (struct span){t->span.from + from, t->span.from + from + len};
}

/* Whether bits behind the prefix are all 0, or all 1. */
static bool rest_is(const struct lab_addr *a, bool ones)
{
    for (unsigned bit = a->prefix; bit < ipaddr_bits(&a->addr); bit++)
        if (((a->addr.bytes[bit / 8] >> (7 - bit % 8)) & 1) != ones)
            return false;
    return true;
}

static const char *why_not_of_a_host(const struct lab_addr *a)
{
    const uint8_t *b = a->addr.bytes;
    bool v4 = a->addr.version == 4;
    if (v4 ? b[0] == 0 : rest_is(&(struct lab_addr){a->addr, 0}, false))
        return "the unspecified address belongs to no host";
    if (v4 ? b[0] >= 224 : b[0] == 0xff)
        return "a multicast or reserved address belongs to no host";
    if (!v4 && b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        return "link-local addresses are the kernel's to give";
    if (v4 && !ipaddr_is_loopback(&a->addr) && a->prefix <= 30) {
        if (rest_is(a, false))
            return "this is the network's own address";
        if (rest_is(a, true))
            return "this is the network's broadcast address";
    }
    return NULL;
}

static bool is_taken(struct parser *p, const struct lab_host *here, const struct ipaddr *a,
                     struct span span)
{
    bool loopback = ipaddr_is_loopback(a);
    vec_each (&p->lab->hosts, h) {
        if (loopback && h != here)
            continue;
        vec_each (&h->ifaces, iface) {
            vec_each (&iface->addrs, other) {
                if (!ipaddr_equal(a, &other->addr))
                    continue;
                complain(p, span, NULL, "host \"%s\" has this address already", h->name);
                return true;
            }
        }
    }
    return false;
}

static struct lab_iface *add_iface(struct lab_host *h, bool lo)
{
    int cables = 0;
    vec_each (&h->ifaces, iface) {
        bool is_lo = strcmp(iface->name, "lo") == 0;
        if (lo && is_lo)
            return iface;
        cables += !is_lo;
    }
    struct lab_iface *iface = vec_add(&h->ifaces);
    iface->net = -1;
    if (lo)
        snprintf(iface->name, sizeof(iface->name), "lo");
    else
        snprintf(iface->name, sizeof(iface->name), "eth%d", cables);
    return iface;
}

/* One address of an interface token; *iface is NULL before the first. */
static void parse_addr(struct parser *p, struct lab_host *h, const struct token *t, size_t from,
                       size_t len, struct lab_iface **iface)
{
    struct span span = part_of(t, from, len);
    struct lab_addr a;
    if (!value_network(p, span, t->text + from, len, &a))
        return;
    const char *why = why_not_of_a_host(&a);
    if (why) {
        complain(p, span, "such as 10.0.0.1/24", "%s", why);
        return;
    }
    ip6_map(p->mapping, &a.addr, &a.prefix);
    if (is_taken(p, h, &a.addr, span))
        return;
    bool lo = ipaddr_is_loopback(&a.addr);
    if (!*iface)
        *iface = add_iface(h, lo);
    if (lo != (strcmp((*iface)->name, "lo") == 0))
        complain(p, span, "put a blank between them",
                 "loopback and other addresses cannot share an interface");
    else if ((*iface)->addrs.n == LAB_MAX_IFACES)
        complain(p, span, NULL, "more than %d addresses on one interface", LAB_MAX_IFACES);
    else
        vec_push(&(*iface)->addrs, a);
}

static void parse_iface(struct parser *p, struct lab_host *h, const struct token *t)
{
    if (!t->plain) {
        complain(p, t->span, p->usage, "an address stands without quotes");
        return;
    }
    if (h->ifaces.n >= LAB_MAX_IFACES) {
        complain(p, t->span, NULL, "more than %d interfaces on one host", LAB_MAX_IFACES);
        return;
    }
    struct lab_iface *iface = NULL;
    for (size_t from = 0; from <= t->len;) {
        const char *comma = memchr(t->text + from, ',', t->len - from);
        size_t len = comma ? (size_t)(comma - t->text) - from : t->len - from;
        parse_addr(p, h, t, from, len, &iface);
        from += len + 1;
    }
}

void parse_host(struct parser *p)
{
    bool router = token_is(&p->tokens.at[0], "router");
    const struct token *name = need(p, "the host's name");
    if (!name || !value_name(p, name, "host"))
        return;
    if (lab_find_host(p->lab, name->text, name->len) >= 0) {
        complain(p, name->span, NULL, "there is a host \"%s\" already", name->text);
        return;
    }
    if (p->lab->hosts.n == LAB_MAX_HOSTS) {
        if (!p->too_many_hosts)
            complain(p, name->span, NULL, "more than %d hosts", LAB_MAX_HOSTS);
        p->too_many_hosts = true;
        return;
    }
    struct lab_host *h = vec_add(&p->lab->hosts);
    h->name = xstrdup(name->text);
    h->router = router;
    h->span = name->span;
    const struct token *t = need(p, "an address");
    for (; t; t = peek(p) ? need(p, "") : NULL)
        parse_iface(p, h, t);
}

/* Two addresses are on one network if the shorter of their prefixes says so. */
static bool share(const struct lab_iface *a, const struct lab_iface *b)
{
    vec_each (&a->addrs, x)
        vec_each (&b->addrs, y)
            if (ipaddr_same_net(&x->addr, &y->addr, x->prefix < y->prefix ? x->prefix : y->prefix))
                return true;
    return false;
}

/* Gives every interface that shares a network with one of net `to`, or of a net
 * that turns out to be the same, the net of the lowest number. */
static void join(struct lab *lab, struct lab_iface *iface)
{
    vec_each (&lab->hosts, h) {
        vec_each (&h->ifaces, other) {
            if (other == iface)
                return;
            if (other->net < 0 || other->net == iface->net || !share(iface, other))
                continue;
            int keep = other->net < iface->net ? other->net : iface->net;
            int drop = other->net < iface->net ? iface->net : other->net;
            vec_each (&lab->hosts, g)
                vec_each (&g->ifaces, i)
                    i->net = i->net == drop ? keep : i->net;
        }
    }
}

void hosts_connect(struct lab *lab)
{
    int n = 0;
    vec_each (&lab->hosts, h) {
        vec_each (&h->ifaces, iface) {
            if (strcmp(iface->name, "lo") == 0)
                continue;
            iface->net = n++;
            join(lab, iface);
        }
    }
    /* Numbers of nets without gaps, in the order of their first interface. */
    VEC(int) renumbered = {0};
    for (int i = 0; i < n; i++)
        vec_push(&renumbered, -1);
    vec_each (&lab->hosts, h) {
        vec_each (&h->ifaces, iface) {
            if (iface->net < 0)
                continue;
            int *number = &renumbered.at[iface->net];
            if (*number < 0) {
                *number = (int)lab->nets.n;
                struct lab_net *net = vec_add(&lab->nets);
                snprintf(net->name, sizeof(net->name), "net%d", *number);
            }
            iface->net = *number;
        }
    }
    vec_free(&renumbered);
}
