/* Theory of operation.
 *
 * Hosts and networks (a switch, or a wire that the script programs) are the nodes of a
 * graph, interfaces its edges.  A walk from the host that is leftmost in the ladder gives
 * each node a level, its distance, and a place among those of its level.  The drawing has
 * the levels side by side; if they are too many for a narrow page, there is a second one
 * with the levels below each other. */
#include "report/html_drawing.h"

struct node {
    int host, net; /* one of them is -1 */
    int level, place;
    int x, y, w, h; /* pixels; the middle, and the size */
};

struct drawing {
    const struct page *page;
    const struct lab *lab;
    VEC(struct node) nodes; /* hosts as in the lab, then its networks */
    VEC(int) counts;        /* nodes by level */
};

enum { CHAR = 8, LINE = 17, PAD = 10, GAP = 34, NARROW_LEVELS = 3 };

/* ---------------------------------------------------------------------- graph */

static bool joins(const struct drawing *d, const struct node *host, const struct node *net)
{
    vec_each (&d->lab->hosts.at[host->host].ifaces, iface)
        if (iface->net >= 0 && iface->net == net->net)
            return true;
    return false;
}

static bool are_joined(const struct drawing *d, const struct node *a, const struct node *b)
{
    if (a->host >= 0 && b->net >= 0)
        return joins(d, a, b);
    return a->net >= 0 && b->host >= 0 && joins(d, b, a);
}

static void give_level(struct drawing *d, struct node *node, int level)
{
    while (d->counts.n <= (size_t)level)
        vec_push(&d->counts, 0);
    node->level = level;
    node->place = d->counts.at[level]++;
}

/* From one node to all that can be reached, level by level. */
static void walk(struct drawing *d, struct node *first)
{
    give_level(d, first, first->level < 0 ? 0 : first->level);
    for (int level = first->level; (size_t)level < d->counts.n; level++)
        vec_each (&d->nodes, a)
            vec_each (&d->nodes, b)
                if (a->level == level && b->level < 0 && are_joined(d, a, b))
                    give_level(d, b, level + 1);
}

static void collect(struct drawing *d)
{
    for (size_t i = 0; i < d->lab->hosts.n; i++)
        vec_push(&d->nodes, ((struct node){.host = (int)i, .net = -1, .level = -1}));
    for (size_t i = 0; i < d->lab->nets.n; i++)
        vec_push(&d->nodes, ((struct node){.host = -1, .net = (int)i, .level = -1}));
    const struct picture *p = d->page->picture;
    const char *left = p && p->columns.n ? picture_column_name(p, 0) : NULL;
    int first = left ? lab_find_host(d->lab, left, strlen(left)) : -1;
    if (first >= 0)
        walk(d, &d->nodes.at[first]);
    vec_each (&d->nodes, node)
        if (node->level < 0)
            walk(d, node);
}

/* --------------------------------------------------------------------- places */

static void put_address(struct strbuf *sb, const struct lab_iface *iface, size_t k)
{
    strbuf_ipaddr(sb, &iface->addrs.at[k].addr);
    strbuf_printf(sb, "/%u", iface->addrs.at[k].prefix);
}

static void measure(const struct drawing *d, struct node *node)
{
    if (node->net >= 0) {
        node->w = 6 * CHAR + 2 * PAD;
        node->h = LINE + PAD;
        return;
    }
    const struct lab_host *host = &d->lab->hosts.at[node->host];
    size_t widest = strlen(host->name) + 2, lines = 1;
    vec_each (&host->ifaces, iface)
        for (size_t k = 0; k < iface->addrs.n; k++, lines++) {
            cleanup_strbuf struct strbuf text = STRBUF_INIT;
            put_address(&text, iface, k);
            widest = text.len > widest ? text.len : widest;
        }
    node->w = (int)widest * CHAR + 2 * PAD;
    node->h = (int)lines * LINE + PAD;
}

/* Sets the middles; *width and *height are of the whole. */
static void place(struct drawing *d, bool below, int *width, int *height)
{
    int along = 0, across = 0;
    for (int level = 0; (size_t)level < d->counts.n; level++) {
        int deep = 0, sum = -GAP / 2;
        vec_each (&d->nodes, n)
            if (n->level == level) {
                deep = (below ? n->h : n->w) > deep ? (below ? n->h : n->w) : deep;
                sum += (below ? n->w : n->h) + GAP / 2;
            }
        across = sum > across ? sum : across;
        vec_each (&d->nodes, n)
            if (n->level == level)
                *(below ? &n->y : &n->x) = along + deep / 2;
        along += deep + GAP;
    }
    for (int level = 0; (size_t)level < d->counts.n; level++) {
        int sum = -GAP / 2;
        vec_each (&d->nodes, n)
            sum += n->level == level ? (below ? n->w : n->h) + GAP / 2 : 0;
        int at = (across - sum) / 2;
        for (int k = 0; k < d->counts.at[level]; k++)
            vec_each (&d->nodes, n)
                if (n->level == level && n->place == k) {
                    int size = below ? n->w : n->h;
                    *(below ? &n->x : &n->y) = at + size / 2;
                    at += size + GAP / 2;
                }
    }
    *width = (below ? across : along - GAP) + 2;
    *height = (below ? along - GAP : across) + 2;
}

/* -------------------------------------------------------------------- drawing */

static bool is_captured(const struct drawing *d, int host)
{
    vec_each (&d->lab->captures, capture)
        if (capture->host == host)
            return true;
    return false;
}

static bool was_pulled(const struct drawing *d, int host)
{
    const struct record *r = d->page->record;
    const char *name = d->lab->hosts.at[host].name;
    vec_each (&r->events, event)
        if (event->kind == EVENT_UNPLUG && event->host >= 0 &&
            strcmp(r->hosts.at[event->host].name, name) == 0)
            return true;
    return false;
}

static void draw_cable(struct strbuf *out, const struct drawing *d, const struct node *host,
                       const struct node *net)
{
    bool pulled = d->page->record && was_pulled(d, host->host);
    strbuf_printf(out, "<line class=\"cable%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>",
                  pulled ? " pulled" : "", host->x, host->y, net->x, net->y);
}

static void draw_net(struct strbuf *out, const struct drawing *d, const struct node *n)
{
    bool wired = d->lab->nets.at[n->net].wired;
    strbuf_printf(out,
                  "<rect class=\"net\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>"
                  "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                  n->x - n->w / 2, n->y - n->h / 2, n->w, n->h, wired ? n->h / 2 : 3, n->x,
                  n->y + 5, wired ? "wire" : "switch");
}

static void draw_host(struct strbuf *out, const struct drawing *d, const struct node *n)
{
    const struct lab_host *host = &d->lab->hosts.at[n->host];
    strbuf_printf(out,
                  "<rect class=\"host\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/>",
                  n->x - n->w / 2, n->y - n->h / 2, n->w, n->h);
    int y = n->y - n->h / 2 + LINE;
    strbuf_printf(out, "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">", n->x, y);
    html_text(out, host->name);
    strbuf_puts(out, is_captured(d, n->host) ? " ◉</text>" : "</text>");
    vec_each (&host->ifaces, iface)
        for (size_t k = 0; k < iface->addrs.n; k++) {
            cleanup_strbuf struct strbuf text = STRBUF_INIT;
            put_address(&text, iface, k);
            strbuf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", n->x,
                          y += LINE, text.data);
        }
}

static void draw(struct strbuf *out, struct drawing *d, bool below, const char *class)
{
    int width, height;
    place(d, below, &width, &height);
    strbuf_printf(out,
                  "<svg class=\"drawing %s\" role=\"img\" aria-labelledby=\"%s-t %s-d\" "
                  "width=\"%d\" height=\"%d\" viewBox=\"-1 -1 %d %d\"><title id=\"%s-t\">"
                  "Hosts and cables</title><desc id=\"%s-d\">",
                  class, class, class, width, height, width, height, class, class);
    vec_each (&d->nodes, a)
        vec_each (&d->nodes, b)
            if (a->host >= 0 && b->net >= 0 && joins(d, a, b)) {
                html_text(out, d->lab->hosts.at[a->host].name);
                strbuf_printf(out, " is plugged into %s %d. ",
                              d->lab->nets.at[b->net].wired ? "wire" : "switch", b->net + 1);
            }
    strbuf_puts(out, "</desc>");
    vec_each (&d->nodes, a)
        vec_each (&d->nodes, b)
            if (a->host >= 0 && b->net >= 0 && joins(d, a, b))
                draw_cable(out, d, a, b);
    vec_each (&d->nodes, n)
        if (n->host >= 0)
            draw_host(out, d, n);
        else
            draw_net(out, d, n);
    strbuf_puts(out, "</svg>\n");
}

void html_drawing(struct strbuf *out, const struct page *page)
{
    struct drawing d = {.page = page, .lab = page->lab};
    collect(&d);
    vec_each (&d.nodes, node)
        measure(&d, node);
    bool deep = d.counts.n > NARROW_LEVELS;
    draw(out, &d, false, deep ? "wide" : "any");
    if (deep)
        draw(out, &d, true, "narrow");
    vec_free(&d.nodes);
    vec_free(&d.counts);
}
