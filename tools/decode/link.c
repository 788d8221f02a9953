#include <pcap/dlt.h>
#include <string.h>

#include "decode/cursor.h"
#include "decode/layers.h"

enum { ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88a8, ETHERTYPE_9100 = 0x9100 };
enum { ETHERTYPE_9200 = 0x9200 };

static bool is_vlan(const struct link_header *link)
{
    switch (link->protocol) {
    case ETHERTYPE_VLAN:
        return true;
    case ETHERTYPE_QINQ:
    case ETHERTYPE_9100:
    case ETHERTYPE_9200:
        return link->kind == LINK_ETHERNET;
    default:
        return false;
    }
}

static void copy_address(uint8_t to[6], const uint8_t *from)
{
    if (from)
        memcpy(to, from, 6);
}

static void decode_ethernet(struct link_header *link, struct cursor *c)
{
    copy_address(link->dst, cursor_take(c, 6));
    copy_address(link->src, cursor_take(c, 6));
    link->protocol = cursor_u16(c);
}

/* "Linux cooked", version 1: what a capture on all interfaces has. */
static void decode_sll(struct link_header *link, struct cursor *c)
{
    link->packet_type = cursor_u16(c);
    cursor_skip(c, 2); /* ARPHRD type */
    link->addr_len = cursor_u16(c);
    const uint8_t *addr = cursor_take(c, 8);
    if (link->addr_len == 6)
        copy_address(link->src, addr);
    link->protocol = cursor_u16(c);
}

static void decode_sll2(struct link_header *link, struct cursor *c)
{
    link->protocol = cursor_u16(c);
    cursor_skip(c, 2);
    link->ifindex = cursor_u32(c);
    cursor_skip(c, 2); /* ARPHRD type */
    link->packet_type = cursor_u8(c);
    link->addr_len = cursor_u8(c);
    const uint8_t *addr = cursor_take(c, 8);
    if (link->addr_len == 6)
        copy_address(link->src, addr);
}

/* The family stands in the order of the machine that captured (DLT_NULL) or of
 * the network (DLT_LOOP); families are small, so a large one is the wrong way round. */
static void decode_null(struct link_header *link, struct cursor *c)
{
    const uint8_t *p = cursor_take(c, 4);
    if (!p)
        return;
    memcpy(&link->family, p, 4);
    if (link->family & 0xffff0000)
        link->family = __builtin_bswap32(link->family);
}

static void decode_vlans(struct link_header *link, struct cursor *c)
{
    while (!c->cut && is_vlan(link)) {
        uint16_t tag = cursor_u16(c);
        uint16_t inner = cursor_u16(c);
        if (c->cut) {
            link->cut_in_vlan = true;
            return;
        }
        if (link->n_vlans < LINK_MAX_VLANS)
            link->vlans[link->n_vlans] = tag;
        link->n_vlans++;
        link->protocol = inner;
    }
}

void decode_link(struct link_header *link, const struct frame *frame)
{
    struct cursor c = cursor_over(frame->data, frame->caplen);
    memset(link, 0, sizeof(*link));
    switch (frame->linktype) {
    case DLT_EN10MB:
        link->kind = LINK_ETHERNET;
        decode_ethernet(link, &c);
        break;
    case DLT_LINUX_SLL:
        link->kind = LINK_SLL;
        decode_sll(link, &c);
        break;
    case DLT_LINUX_SLL2:
        link->kind = LINK_SLL2;
        decode_sll2(link, &c);
        break;
    case DLT_NULL:
    case DLT_LOOP:
        link->kind = LINK_NULL;
        decode_null(link, &c);
        break;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        link->kind = LINK_RAW;
        break;
    default:
        link->kind = LINK_UNKNOWN;
        break;
    }
    if (link->kind == LINK_ETHERNET || link->kind == LINK_SLL || link->kind == LINK_SLL2)
        decode_vlans(link, &c);
    link->state = c.cut ? LAYER_CUT : LAYER_OK;
    uint32_t header = frame->caplen - (uint32_t)c.left;
    uint32_t len = frame->wirelen > header ? frame->wirelen - header : 0;
    link->payload = (struct bytes){.at = c.at, .n = (uint32_t)c.left, .len = len};
}
