/* Reads pcapng (draft-ietf-opsawg-pcapng) as the evidence has it: one section, named
 * interfaces, nanoseconds.  libpcap cannot be used here: it hides which interface
 * a packet belongs to, and its direction.
 *
 * Every block is read whole and then only through a cursor that cannot leave it.
 * Of the blocks, those that a resaved file may hold besides (names, statistics,
 * comments, anything unknown) are passed over. */
#include "record/load_capture.h"

#include <errno.h>
#include <inttypes.h>

#include <pcap/dlt.h>

enum {
    BLOCK_SECTION = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_PACKET = 6,
};

enum { OPTION_END = 0, INTERFACE_NAME = 2, INTERFACE_RESOLUTION = 9, INTERFACE_OFFSET = 14 };
enum { PACKET_FLAGS = 2 };
enum { LINKTYPE_RAW = 101, NANOSECONDS = 9 };

#define BYTE_ORDER_MAGIC 0x1A2B3C4Du
#define MAX_BLOCK (1u << 24)
#define MAX_FRAME (1u << 18)

struct reader {
    struct record *record;
    FILE *from;
    nsec max_stamp;
    bool big_endian, in_section;
    size_t n_interfaces;
    uint8_t *block; /* the body of the present block */
    size_t cap;
    uint64_t offset; /* of the present block in the file */
};

/* What is left of a block. */
struct cursor {
    const struct reader *reader;
    const uint8_t *at;
    size_t left;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
    if (n > c->left)
        return NULL;
    const uint8_t *p = c->at;
    c->at += n;
    c->left -= n;
    return p;
}

static uint32_t number(const struct reader *r, const uint8_t *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint32_t)p[i] << 8 * (r->big_endian ? n - 1 - i : i);
    return v;
}

static bool take_number(struct cursor *c, size_t n, uint32_t *out)
{
    const uint8_t *p = take(c, n);
    if (p)
        *out = number(c->reader, p, n);
    return p != NULL;
}

static int bad_block(const struct reader *r, const char *what, struct error *err)
{
    return error_set(err, STATUS_USAGE, "byte %" PRIu64 ": %s", r->offset, what);
}

/* The next option: 1, 0 at the end, -1 where it does not fit. */
static int take_option(struct cursor *c, uint32_t *code, const uint8_t **value, uint32_t *len)
{
    if (c->left == 0)
        return 0;
    if (!take_number(c, 2, code) || !take_number(c, 2, len))
        return -1;
    *value = take(c, *len);
    if (!*value || !take(c, (4 - *len % 4) % 4))
        return -1;
    return *code == OPTION_END ? 0 : 1;
}

/* ------------------------------------------------------------------- blocks */

static int read_section(struct reader *r, const struct cursor *body, struct error *err)
{
    struct cursor c = *body;
    uint32_t magic, major;
    if (r->in_section)
        return bad_block(r, "a second section begins", err);
    if (!take_number(&c, 4, &magic) || magic != BYTE_ORDER_MAGIC || !take_number(&c, 2, &major) ||
        major != 1)
        return bad_block(r, "this is no section of pcapng version 1", err);
    r->in_section = true;
    return 0;
}

static int check_interface(struct reader *r, uint32_t linktype, const uint8_t *name,
                           uint32_t name_len, struct error *err)
{
    if (r->n_interfaces == r->record->points.n)
        return bad_block(r, "there are more interfaces than capture points", err);
    const struct record_point *point = &r->record->points.at[r->n_interfaces++];
    if (!name || strlen(point->name) != name_len || memcmp(point->name, name, name_len) != 0)
        return error_set(err, STATUS_USAGE,
                         "byte %" PRIu64 ": interface %zu is not named \"%s\", after its capture "
                         "point",
                         r->offset, r->n_interfaces - 1, point->name);
    int dlt = linktype == LINKTYPE_RAW ? DLT_RAW : (int)linktype;
    if (dlt != point->linktype)
        return bad_block(r, "its link type is not the one of the capture point", err);
    return 0;
}

static int read_interface(struct reader *r, const struct cursor *body, struct error *err)
{
    struct cursor c = *body;
    const uint8_t *value, *name = NULL;
    uint32_t linktype, code, len, name_len = 0, resolution = 6;
    bool offset = false;
    if (!take_number(&c, 2, &linktype) || !take(&c, 6))
        return bad_block(r, "the interface is cut off", err);
    int rc;
    while ((rc = take_option(&c, &code, &value, &len)) > 0) {
        if (code == INTERFACE_NAME) {
            name = value;
            name_len = len;
        } else if (code == INTERFACE_RESOLUTION && len == 1) {
            resolution = value[0];
        } else if (code == INTERFACE_OFFSET) {
            offset = true;
        }
    }
    if (rc < 0)
        return bad_block(r, "an option of the interface is cut off", err);
    if (resolution != NANOSECONDS || offset)
        return bad_block(r, "its stamps are not nanoseconds since 1970", err);
    return check_interface(r, linktype, name, name_len, err);
}

static int take_direction(struct cursor *c, uint32_t *direction)
{
    const uint8_t *value;
    uint32_t code, len;
    int rc;
    *direction = 0;
    while ((rc = take_option(c, &code, &value, &len)) > 0)
        if (code == PACKET_FLAGS && len == 4)
            *direction = number(c->reader, value, 4) & 3;
    return rc;
}

static int read_packet(struct reader *r, const struct cursor *body, struct error *err)
{
    struct cursor c = *body;
    uint32_t interface, high, low, direction;
    struct frame frame = {0};
    if (!take_number(&c, 4, &interface) || !take_number(&c, 4, &high) ||
        !take_number(&c, 4, &low) || !take_number(&c, 4, &frame.caplen) ||
        !take_number(&c, 4, &frame.wirelen))
        return bad_block(r, "the packet is cut off", err);
    uint64_t stamp = (uint64_t)high << 32 | low;
    if (interface >= r->n_interfaces)
        return bad_block(r, "the packet is of an interface that is not there", err);
    if (stamp > (uint64_t)r->max_stamp)
        return bad_block(r, "the packet's stamp is out of range", err);
    if (frame.caplen > MAX_FRAME || frame.caplen > frame.wirelen)
        return bad_block(r, "the packet's length is out of range", err);
    frame.data = take(&c, frame.caplen);
    if (!frame.data || !take(&c, (4 - frame.caplen % 4) % 4) || take_direction(&c, &direction) < 0)
        return bad_block(r, "the packet is cut off", err);
    frame.time = (nsec)stamp;
    frame.linktype = r->record->points.at[interface].linktype;
    record_add_packet(r->record, (int)interface, direction == 2, direction == 1, &frame);
    return 0;
}

static int read_body(struct reader *r, uint32_t type, size_t len, struct error *err)
{
    struct cursor body = {r, r->block, len};
    switch (type) {
    case BLOCK_SECTION:
        return read_section(r, &body, err);
    case BLOCK_INTERFACE:
        return read_interface(r, &body, err);
    case BLOCK_PACKET:
        return read_packet(r, &body, err);
    case BLOCK_OLD_PACKET:
    case BLOCK_SIMPLE_PACKET:
        return bad_block(r, "the packet has no direction", err);
    default:
        return 0;
    }
}

/* One block: 1, or 0 at the end of the file. */
static int read_block(struct reader *r, struct error *err)
{
    uint8_t head[12];
    size_t n = fread(head, 1, 8, r->from);
    if (n == 0 && feof(r->from))
        return 0;
    if (n < 8)
        return bad_block(r, "the file is cut off", err);
    uint32_t type = number(r, head, 4);
    if (type == BLOCK_SECTION) { /* reads the same in either order; the magic decides */
        if (fread(head + 8, 1, 4, r->from) != 4 || fseek(r->from, -4, SEEK_CUR) < 0)
            return bad_block(r, "the file is cut off", err);
        r->big_endian = false;
        r->big_endian = number(r, head + 8, 4) != BYTE_ORDER_MAGIC;
    } else if (!r->in_section) {
        return error_set(err, STATUS_USAGE, "it is no pcapng file");
    }
    uint32_t len = number(r, head + 4, 4);
    if (len < 12 || len % 4 || len > MAX_BLOCK)
        return bad_block(r, "a block has a length that cannot be", err);
    size_t body = len - 8; /* with the length at the end */
    if (body > r->cap) {
        r->block = xrealloc(r->block, body, 1);
        r->cap = body;
    }
    if (fread(r->block, 1, body, r->from) != body)
        return bad_block(r, "the file is cut off", err);
    if (number(r, r->block + body - 4, 4) != len)
        return bad_block(r, "a block's two lengths differ", err);
    if (read_body(r, type, body - 4, err) < 0)
        return -1;
    r->offset += len;
    return 1;
}

int record_load_packets(struct record *r, FILE *from, nsec max_stamp, struct error *err)
{
    struct reader reader = {.record = r, .from = from, .max_stamp = max_stamp};
    int rc;
    while ((rc = read_block(&reader, err)) > 0)
        ;
    free(reader.block);
    if (rc < 0)
        return -1;
    if (!reader.in_section)
        return error_set(err, STATUS_USAGE, "it is empty");
    if (reader.n_interfaces < r->points.n)
        return error_set(err, STATUS_USAGE, "it has %zu interfaces for %zu capture points",
                         reader.n_interfaces, r->points.n);
    return 0;
}
