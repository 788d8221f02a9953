/* A pcapng file is a row of blocks: type, length, body, length again.  A section
 * header block says in which byte order all numbers up to the next one are, and
 * interfaces are numbered from 0 in each section; here they are counted on over
 * all sections.  One block is in memory at a time, of at most MAX_BLOCK bytes.
 * Unknown blocks and options are passed over, as the format wants it. */
#include "capture/pcapng_read.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "capture/pcapng_format.h"
#include "decode/cursor.h"

enum { MAX_BLOCK = 16 << 20, MAX_INTERFACES = 4096 };

struct interface {
    struct pcapng_source public;
    uint64_t per_second; /* units of its time stamps */
    int64_t offset;      /* seconds to add */
};

struct pcapng_reader {
    FILE *stream;
    char *path;
    bool swapped;       /* the section is little-endian */
    uint64_t at;        /* offset of the block being read */
    size_t section;     /* index of the section's first interface */
    uint8_t *block;     /* the body of the last block read, with its second length … */
    uint32_t block_len; /* … the body's length, and the room there is */
    uint32_t block_cap;
    VEC(struct interface) interfaces;
};

/* The cursor reads big-endian numbers; a little-endian section's are turned round. */
static uint16_t u16(const struct pcapng_reader *r, struct cursor *c)
{
    uint16_t v = cursor_u16(c);
    return r->swapped ? __builtin_bswap16(v) : v;
}

static uint32_t u32(const struct pcapng_reader *r, struct cursor *c)
{
    uint32_t v = cursor_u32(c);
    return r->swapped ? __builtin_bswap32(v) : v;
}

static uint64_t u64(const struct pcapng_reader *r, struct cursor *c)
{
    uint64_t v = cursor_u64(c);
    return r->swapped ? __builtin_bswap64(v) : v;
}

struct pcapng_option {
    uint16_t code;
    struct cursor value;
};

static bool next_option(const struct pcapng_reader *r, struct cursor *c, struct pcapng_option *o)
{
    o->code = u16(r, c);
    size_t len = u16(r, c);
    const uint8_t *at = cursor_take(c, len);
    if (c->cut || o->code == OPTION_END)
        return false;
    o->value = cursor_over(at, len);
    cursor_skip(c, -len & 3);
    return true;
}

/* ------------------------------------------------------------------------ blocks */

static int damaged(const struct pcapng_reader *r, struct error *err, const char *what)
{
    return error_set(err, STATUS_USAGE, "%s is damaged: the block at byte %" PRIu64 " %s", r->path,
                     r->at, what);
}

static int cut_off(const struct pcapng_reader *r, struct error *err)
{
    if (ferror(r->stream))
        return error_sys(err, STATUS_USAGE, errno, "%s", r->path);
    return error_set(err, STATUS_USAGE, "%s is cut off inside the block at byte %" PRIu64, r->path,
                     r->at);
}

/* Sets the byte order of the section whose header has this magic number. */
static bool set_order(struct pcapng_reader *r, const uint8_t *magic)
{
    struct cursor c = cursor_over(magic, 4);
    uint32_t v = cursor_u32(&c);
    r->swapped = v != BYTE_ORDER_MAGIC;
    return v == BYTE_ORDER_MAGIC || __builtin_bswap32(v) == BYTE_ORDER_MAGIC;
}

/* Reads a block's body into r->block: 1, 0 at the end of the file, or -1. */
static int read_block(struct pcapng_reader *r, uint32_t *type, struct error *err)
{
    uint8_t head[12]; /* type, length, and what is in every block: 4 bytes more */
    size_t got = fread(head, 1, sizeof(head), r->stream);
    if (got == 0 && !ferror(r->stream))
        return 0;
    if (got < sizeof(head))
        return cut_off(r, err);
    struct cursor c = cursor_over(head, sizeof(head));
    *type = u32(r, &c);
    if (*type == BLOCK_SECTION && !set_order(r, head + 8))
        return damaged(r, err, "has no byte order");
    uint32_t len = u32(r, &c);
    if (len < 12 || len % 4)
        return damaged(r, err, "has a length that cannot be");
    if (len > MAX_BLOCK)
        return damaged(r, err, "is longer than 16 MB");
    r->block_len = len - 12;
    if (len > r->block_cap) {
        r->block = xrealloc(r->block, len, 1);
        r->block_cap = len;
    }
    memcpy(r->block, head + 8, 4); /* of an empty body, this is its second length */
    if (len > 12 && fread(r->block + 4, 1, len - 12, r->stream) < len - 12)
        return cut_off(r, err);
    struct cursor tail = cursor_over(r->block + r->block_len, 4);
    if (u32(r, &tail) != len)
        return damaged(r, err, "has two lengths");
    return 1;
}

static bool set_resolution(struct interface *i, uint8_t v)
{
    unsigned power = v & 0x7f;
    i->per_second = 1;
    if (v & 0x80) {
        if (power > 63)
            return false;
        i->per_second <<= power;
        return true;
    }
    if (power > 19)
        return false;
    while (power--)
        i->per_second *= 10;
    return true;
}

static int add_interface(struct pcapng_reader *r, struct error *err)
{
    struct cursor c = cursor_over(r->block, r->block_len);
    struct pcapng_option o;
    if (r->interfaces.n == MAX_INTERFACES)
        return damaged(r, err, "is one interface too many");
    struct interface *i = vec_add(&r->interfaces);
    i->per_second = 1000000;
    uint16_t linktype = u16(r, &c);
    i->public.linktype = linktype == LINKTYPE_RAW ? DLT_RAW : linktype;
    cursor_skip(&c, 2);
    i->public.snaplen = u32(r, &c);
    if (c.cut)
        return damaged(r, err, "is too short for an interface");
    while (next_option(r, &c, &o)) {
        const char *text = (const char *)o.value.at;
        if (o.code == INTERFACE_NAME && !i->public.name)
            i->public.name = xstrndup(text, o.value.left);
        else if (o.code == INTERFACE_FILTER && !i->public.filter && o.value.left > 0)
            i->public.filter = xstrndup(text + 1, o.value.left - 1); /* behind its kind */
        else if (o.code == INTERFACE_OFFSET)
            i->offset = (int64_t)u64(r, &o.value);
        else if (o.code == INTERFACE_RESOLUTION && !set_resolution(i, cursor_u8(&o.value)))
            return damaged(r, err, "has a time resolution that cannot be");
    }
    return 0;
}

static nsec to_nsec(const struct interface *i, uint64_t ticks)
{
    unsigned __int128 rest = (unsigned __int128)(ticks % i->per_second) * NSEC_PER_SEC;
    __int128 time = (__int128)(ticks / i->per_second) + i->offset;
    time = time * NSEC_PER_SEC + (__int128)(rest / i->per_second);
    return time > NSEC_NEVER || time < -(__int128)NSEC_NEVER ? NSEC_NEVER : (nsec)time;
}

static int find_interface(const struct pcapng_reader *r, uint32_t id, struct pcapng_packet *p,
                          struct error *err)
{
    if (id >= r->interfaces.n - r->section)
        return damaged(r, err, "is of an interface that was not described");
    p->interface = r->section + id;
    p->frame.linktype = r->interfaces.at[p->interface].public.linktype;
    return 0;
}

static void read_packet_options(struct pcapng_reader *r, struct cursor *c, struct pcapng_packet *p)
{
    struct pcapng_option o;
    while (next_option(r, c, &o)) {
        if (o.code == OPTION_COMMENT && !p->comment) {
            p->comment = (const char *)o.value.at;
            p->comment_len = o.value.left;
        } else if (o.code == PACKET_FLAGS && o.value.left == 4) {
            uint32_t flags = u32(r, &o.value);
            p->incoming = (flags & DIRECTION) == DIRECTION_IN;
            p->outgoing = (flags & DIRECTION) == DIRECTION_OUT;
        }
    }
}

static int read_enhanced(struct pcapng_reader *r, struct pcapng_packet *p, struct error *err)
{
    struct cursor c = cursor_over(r->block, r->block_len);
    uint32_t id = u32(r, &c);
    uint64_t ticks = (uint64_t)u32(r, &c) << 32;
    ticks |= u32(r, &c);
    p->frame.caplen = u32(r, &c);
    p->frame.wirelen = u32(r, &c);
    p->frame.data = cursor_take(&c, p->frame.caplen);
    if (c.cut)
        return damaged(r, err, "is shorter than its packet");
    if (find_interface(r, id, p, err) < 0)
        return -1;
    p->frame.time = to_nsec(&r->interfaces.at[p->interface], ticks);
    cursor_skip(&c, -(size_t)p->frame.caplen & 3);
    read_packet_options(r, &c, p);
    return 1;
}

/* A packet of the first interface without time or options. */
static int read_simple(struct pcapng_reader *r, struct pcapng_packet *p, struct error *err)
{
    struct cursor c = cursor_over(r->block, r->block_len);
    p->frame.wirelen = u32(r, &c);
    if (c.cut)
        return damaged(r, err, "is shorter than its packet");
    if (find_interface(r, 0, p, err) < 0)
        return -1;
    uint32_t snaplen = r->interfaces.at[p->interface].public.snaplen;
    p->frame.caplen = p->frame.wirelen;
    if (snaplen && p->frame.caplen > snaplen)
        p->frame.caplen = snaplen;
    if (p->frame.caplen > c.left)
        return damaged(r, err, "is shorter than its packet");
    p->frame.data = c.at;
    return 1;
}

static void read_statistics(struct pcapng_reader *r)
{
    struct cursor c = cursor_over(r->block, r->block_len);
    struct pcapng_option o;
    uint32_t id = u32(r, &c);
    cursor_skip(&c, 8); /* time */
    if (c.cut || id >= r->interfaces.n - r->section)
        return;
    struct pcapng_source *i = &r->interfaces.at[r->section + id].public;
    i->has_statistics = true;
    while (next_option(r, &c, &o)) {
        if (o.code == STATISTICS_RECEIVED && o.value.left == 8)
            i->received = u64(r, &o.value);
        else if (o.code == STATISTICS_DROPPED && o.value.left == 8)
            i->dropped = u64(r, &o.value);
    }
}

/* ------------------------------------------------------------------------ public */

struct pcapng_reader *pcapng_open(FILE *stream, const char *name, struct error *err)
{
    static const uint8_t section[] = {0x0a, 0x0d, 0x0d, 0x0a};
    uint8_t first[sizeof(section)];
    size_t got = fread(first, 1, sizeof(first), stream);
    if (got == sizeof(first) && memcmp(first, section, sizeof(section)) == 0) {
        rewind(stream);
        struct pcapng_reader *r = xcalloc(1, sizeof(*r));
        r->stream = stream;
        r->path = xstrdup(name);
        return r;
    }
    if (ferror(stream))
        error_sys(err, STATUS_USAGE, errno, "%s", name);
    else if (got == 0)
        error_set(err, STATUS_USAGE, "%s is empty: a capture has at least a file header", name);
    else
        error_set(err, STATUS_USAGE, "%s is no pcapng file", name);
    fclose(stream);
    return NULL;
}

void pcapng_close(struct pcapng_reader *r)
{
    if (!r)
        return;
    vec_each (&r->interfaces, i) {
        free(i->public.name);
        free(i->public.filter);
    }
    vec_free(&r->interfaces);
    fclose(r->stream);
    free(r->path);
    free(r->block);
    free(r);
}

int pcapng_next(struct pcapng_reader *r, struct pcapng_packet *p, struct error *err)
{
    uint32_t type = 0;
    int got;
    *p = (struct pcapng_packet){0};
    while ((got = read_block(r, &type, err)) > 0) {
        int found = 0;
        switch (type) {
        case BLOCK_SECTION:
            r->section = r->interfaces.n;
            break;
        case BLOCK_INTERFACE:
            found = add_interface(r, err);
            break;
        case BLOCK_PACKET:
            found = read_enhanced(r, p, err);
            break;
        case BLOCK_SIMPLE:
            found = read_simple(r, p, err);
            break;
        case BLOCK_STATISTICS:
            read_statistics(r);
            break;
        default:
            break;
        }
        if (found < 0)
            return found;
        r->at += r->block_len + 12;
        if (found > 0)
            return found;
    }
    return got;
}

size_t pcapng_interfaces(const struct pcapng_reader *r)
{
    return r->interfaces.n;
}

const struct pcapng_source *pcapng_interface(const struct pcapng_reader *r, size_t i)
{
    return &r->interfaces.at[i].public;
}
