/* tcpdump's words for what packet_decode() found.
 *
 * tcpdump decodes while it prints, so where a packet ends early its text ends in
 * the middle of a header.  Here the values are complete before the first word;
 * `state` of each layer and the captured length of each part say where the text
 * has to end, and each part below reads on only as far as its bytes go. */
#include "transcript/print.h"

#include "transcript/print_parts.h"

bool print_cut(struct printer *pr, const char *protocol)
{
    strbuf_puts(pr->sb, " [|");
    strbuf_puts(pr->sb, protocol);
    strbuf_putc(pr->sb, ']');
    return false;
}

bool print_stop(struct printer *pr, const char *protocol)
{
    pr->stopped = true;
    return print_cut(pr, protocol);
}

bool print_bad_frame(struct strbuf *sb, const struct frame *frame)
{
    enum { LONGEST = 262144 }; /* libpcap's and tcpdump's own limit */
    const char *sep = "[Invalid header:";
    bool bad = false;
    if (frame->caplen == 0) {
        strbuf_printf(sb, "%s caplen==0", sep);
        sep = ",";
        bad = true;
    }
    if (frame->wirelen == 0 || frame->wirelen < frame->caplen) {
        strbuf_puts(sb, sep);
        if (frame->wirelen == 0)
            strbuf_puts(sb, " len==0");
        else
            strbuf_printf(sb, " len(%u) < caplen(%u)", frame->wirelen, frame->caplen);
        sep = ",";
        bad = true;
    }
    if (frame->caplen > LONGEST) {
        strbuf_printf(sb, "%s caplen(%u) > %u", sep, frame->caplen, LONGEST);
        sep = ",";
        bad = true;
    }
    if (frame->wirelen > LONGEST) {
        strbuf_printf(sb, "%s len(%u) > %u", sep, frame->wirelen, LONGEST);
        bad = true;
    }
    if (bad)
        strbuf_putc(sb, ']');
    return bad;
}

static void dump_payload(struct printer *pr, const struct packet *p)
{
    print_dump(pr->sb, "\n\t", p->link.payload.at, p->link.payload.n, true);
}

static void print_ethertype_of(struct printer *pr, uint16_t type)
{
    const char *name = print_ethertype(type);
    strbuf_printf(pr->sb, "ethertype %s (0x%04x)", name ? name : "Unknown", type);
}

static void print_unknown_ethernet(struct printer *pr, const struct packet *p)
{
    enum { LONGEST_LENGTH = 1500 }; /* a greater value is an EtherType */
    const struct link_header *link = &p->link;
    print_hw_addr(pr->sb, link->src, 6);
    strbuf_puts(pr->sb, " > ");
    print_hw_addr(pr->sb, link->dst, 6);
    strbuf_puts(pr->sb, ", ");
    if (link->protocol <= LONGEST_LENGTH)
        strbuf_puts(pr->sb, "802.3");
    else
        print_ethertype_of(pr, link->protocol);
    strbuf_printf(pr->sb, ", length %u: ", p->frame.wirelen);
    dump_payload(pr, p);
}

static const struct print_name packet_types[] = {{0, "In"}, {1, "B"},   {2, "M"},
                                                 {3, "P"},  {4, "Out"}, {0, NULL}};

static const char *packet_type(const struct link_header *link)
{
    const char *name = print_find(packet_types, link->packet_type);
    return name ? name : "?";
}

static void print_unknown_sll(struct printer *pr, const struct packet *p)
{
    enum { LONGEST_LENGTH = 1500, VLAN = 0x8100 };
    const struct link_header *link = &p->link;
    if (link->protocol > LONGEST_LENGTH) {
        if (link->kind == LINK_SLL)
            strbuf_printf(pr->sb, "%3s ", packet_type(link));
        else
            strbuf_printf(pr->sb, "ifindex %u ", link->ifindex);
        if (link->addr_len == 6) {
            print_hw_addr(pr->sb, link->src, 6);
            strbuf_putc(pr->sb, ' ');
        }
        print_ethertype_of(pr, link->n_vlans ? VLAN : link->protocol);
        strbuf_printf(pr->sb, ", length %u: ", p->frame.wirelen - link->n_vlans * 4);
    }
    dump_payload(pr, p);
}

static void print_sll_vlans(struct printer *pr, const struct link_header *link)
{
    const char *name = print_ethertype(link->protocol);
    for (unsigned i = 0; i < link->n_vlans; i++) {
        bool last = i + 1 == link->n_vlans && !link->cut_in_vlan;
        strbuf_printf(pr->sb, "ethertype %s, ", last ? name ? name : "Unknown" : "802.1Q");
    }
}

static void print_interface(struct printer *pr, const struct link_header *link)
{
    size_t start = pr->sb->len;
    if (!pr->style->iface || !pr->style->iface(pr->style->ctx, pr->sb, link->ifindex))
        strbuf_putc(pr->sb, '?');
    size_t width = pr->sb->len - start;
    strbuf_pad(pr->sb, ' ', width < 5 ? 6 - width : 1);
    strbuf_printf(pr->sb, "%-3s ", packet_type(link));
}

static void print_unknown_family(struct printer *pr, const struct packet *p)
{
    static const struct print_name families[] = {{2, "IPv4"},       {6, "NS"},    {7, "ISO"},
                                                 {16, "Appletalk"}, {23, "IPX"},  {24, "IPv6"},
                                                 {28, "IPv6"},      {30, "IPv6"}, {0, NULL}};
    const char *name = print_find(families, p->link.family);
    strbuf_printf(pr->sb, "AF %s (%u), length %u: ", name ? name : "Unknown", p->link.family,
                  p->frame.wirelen);
    dump_payload(pr, p);
}

static void print_unknown(struct printer *pr, const struct packet *p)
{
    switch (p->link.kind) {
    case LINK_ETHERNET:
        print_unknown_ethernet(pr, p);
        break;
    case LINK_SLL:
    case LINK_SLL2:
        print_unknown_sll(pr, p);
        break;
    case LINK_NULL:
        print_unknown_family(pr, p);
        break;
    case LINK_RAW:
    case LINK_UNKNOWN:
        strbuf_puts(pr->sb, "UNSUPPORTED");
        print_dump(pr->sb, "\n\t", p->frame.data, p->frame.caplen, true);
        break;
    }
}

static bool print_cut_link(struct printer *pr, const struct link_header *link)
{
    static const char *const names[] = {
        [LINK_ETHERNET] = "ether", [LINK_SLL] = "sll", [LINK_SLL2] = "sll2", [LINK_NULL] = "null"};
    if (!link->cut_in_vlan)
        return print_cut(pr, names[link->kind]);
    if (link->kind == LINK_SLL2)
        print_interface(pr, link);
    if (link->kind != LINK_ETHERNET)
        print_sll_vlans(pr, link);
    return print_cut(pr, "vlan");
}

void print_packet(struct strbuf *sb, const struct packet *p, const struct print_style *style)
{
    struct printer pr = {.sb = sb, .style = style};
    if (p->link.state != LAYER_OK) {
        print_cut_link(&pr, &p->link);
        return;
    }
    if (p->link.kind == LINK_SLL2)
        print_interface(&pr, &p->link);
    if (p->link.kind == LINK_SLL || p->link.kind == LINK_SLL2)
        print_sll_vlans(&pr, &p->link);
    switch (p->net) {
    case NET_ARP:
        print_arp(&pr, p);
        break;
    case NET_IP:
        print_ip(&pr, p);
        break;
    case NET_OTHER:
    case NET_NONE:
        print_unknown(&pr, p);
        break;
    }
}
