#include "transcript/print_parts.h"

enum { TYPE_IPV4 = 0x0800, TYPE_TRAIL = 0x1000 };
enum { ARP_REQUEST = 1, ARP_REPLY, RARP_REQUEST, RARP_REPLY, INARP_REQUEST = 8, INARP_REPLY };

static const struct print_name hardware_names[] = {
    {1, "Ethernet"},   {6, "TokenRing"}, {7, "ArcNet"},      {15, "FrameRelay"}, {23, "Strip"},
    {24, "IEEE 1394"}, {19, "ATM"},      {32, "InfiniBand"}, {0, NULL}};

static const struct print_name op_names[] = {{ARP_REQUEST, "Request"},
                                             {ARP_REPLY, "Reply"},
                                             {RARP_REQUEST, "Reverse Request"},
                                             {RARP_REPLY, "Reverse Reply"},
                                             {INARP_REQUEST, "Inverse Request"},
                                             {INARP_REPLY, "Inverse Reply"},
                                             {10, "NACK Reply"},
                                             {0, NULL}};

static bool is_ip(const struct arp_header *a)
{
    return a->protocol == TYPE_IPV4 || a->protocol == TYPE_TRAIL;
}

static void print_kinds(struct printer *pr, const struct arp_header *a)
{
    const char *hardware = print_find(hardware_names, a->hardware);
    const char *protocol = print_ethertype(a->protocol);
    if (hardware)
        strbuf_puts(pr->sb, hardware);
    else
        strbuf_printf(pr->sb, "Unknown Hardware (%u)", a->hardware);
    strbuf_printf(pr->sb, " (len %u), ", a->hardware_len);
    if (protocol)
        strbuf_puts(pr->sb, protocol);
    else
        strbuf_printf(pr->sb, "Unknown Protocol (0x%04x)", a->protocol);
    strbuf_printf(pr->sb, " (len %u)", a->protocol_len);
}

static void print_protocol_addr(struct printer *pr, const struct arp_header *a, const uint8_t *at)
{
    struct cursor c = cursor_over(at, a->protocol_len);
    if (!is_ip(a))
        strbuf_puts(pr->sb, "<wrong proto type>");
    else if (a->protocol_len != 4)
        strbuf_puts(pr->sb, "<wrong len>");
    else
        print_addr_at(pr, &c, 4);
}

static void print_hardware_addr(struct printer *pr, const struct arp_header *a, const uint8_t *at)
{
    print_hw_addr(pr->sb, at, a->hardware_len);
}

static void print_request(struct printer *pr, const struct arp_header *a)
{
    bool known = false;
    for (unsigned i = 0; i < a->hardware_len; i++)
        known |= a->target_hw[i] != 0;
    strbuf_puts(pr->sb, "who-has ");
    print_protocol_addr(pr, a, a->target_addr);
    if (known) {
        strbuf_puts(pr->sb, " (");
        print_hardware_addr(pr, a, a->target_hw);
        strbuf_putc(pr->sb, ')');
    }
    strbuf_puts(pr->sb, " tell ");
    print_protocol_addr(pr, a, a->sender_addr);
}

/* What the operation says; false for one that is unknown. */
static bool print_operation(struct printer *pr, const struct arp_header *a)
{
    switch (a->op) {
    case ARP_REQUEST:
        print_request(pr, a);
        return true;
    case ARP_REPLY:
        print_protocol_addr(pr, a, a->sender_addr);
        strbuf_puts(pr->sb, " is-at ");
        print_hardware_addr(pr, a, a->sender_hw);
        return true;
    case RARP_REQUEST:
    case INARP_REQUEST:
        strbuf_puts(pr->sb, "who-is ");
        print_hardware_addr(pr, a, a->target_hw);
        strbuf_puts(pr->sb, " tell ");
        print_hardware_addr(pr, a, a->sender_hw);
        return true;
    case RARP_REPLY:
        print_hardware_addr(pr, a, a->target_hw);
        strbuf_puts(pr->sb, " at ");
        print_protocol_addr(pr, a, a->target_addr);
        return true;
    case INARP_REPLY:
        print_hardware_addr(pr, a, a->sender_hw);
        strbuf_puts(pr->sb, " at ");
        print_protocol_addr(pr, a, a->sender_addr);
        return true;
    default:
        return false;
    }
}

bool print_arp(struct printer *pr, const struct packet *p)
{
    const struct arp_header *a = &p->arp;
    bool verbose = pr->style->checksums;
    bool strange = !is_ip(a) || a->protocol_len != 4 || a->hardware_len == 0;
    if (a->state != LAYER_OK)
        return print_stop(pr, "arp");
    strbuf_puts(pr->sb, "ARP, ");
    if (strange || verbose)
        print_kinds(pr, a);
    if (!strange || verbose) {
        const char *op = print_find(op_names, a->op);
        if (verbose)
            strbuf_puts(pr->sb, ", ");
        if (op)
            strbuf_puts(pr->sb, op);
        else
            strbuf_printf(pr->sb, "Unknown (%u)", a->op);
        strbuf_putc(pr->sb, ' ');
        if (!print_operation(pr, a)) {
            print_dump(pr->sb, "\n\t", a->bytes.at, a->bytes.n, true);
            return true;
        }
    }
    strbuf_puts(pr->sb, ", length ");
    print_u32(pr->sb, a->bytes.len);
    return true;
}
