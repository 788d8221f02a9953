/* A pcapng file is a row of blocks: type, length, body, length again.  A body is a
 * fixed part and then options (code, length, value), each padded to four bytes.
 * All is written little-endian, whatever the machine; the section's magic number
 * tells readers so, and the same record gives the same bytes everywhere. */
#include "capture/pcapng_write.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <pcap/dlt.h>

#include "base/strbuf.h"
#include "capture/pcapng_format.h"

#define OPTION_MAX 0xFFFFu

static void put16(struct strbuf *sb, uint16_t v)
{
    strbuf_putc(sb, (char)(v & 0xFF));
    strbuf_putc(sb, (char)(v >> 8));
}

static void put32(struct strbuf *sb, uint32_t v)
{
    put16(sb, (uint16_t)(v & 0xFFFF));
    put16(sb, (uint16_t)(v >> 16));
}

static void put64(struct strbuf *sb, uint64_t v)
{
    put32(sb, (uint32_t)(v & 0xFFFFFFFF));
    put32(sb, (uint32_t)(v >> 32));
}

static void pad4(struct strbuf *sb)
{
    strbuf_pad(sb, '\0', (4 - sb->len % 4) % 4);
}

static void put_option(struct strbuf *sb, uint16_t code, const void *value, size_t len)
{
    put16(sb, code);
    put16(sb, (uint16_t)len);
    strbuf_add(sb, value, len);
    pad4(sb);
}

/* The longest beginning of s that an option has room for, whole UTF-8 characters only. */
static size_t text_len(const char *s, size_t max)
{
    size_t n = strlen(s);
    if (n <= max)
        return n;
    for (n = max; n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80;)
        n--;
    return n;
}

static void put_text(struct strbuf *sb, uint16_t code, const char *s)
{
    if (s)
        put_option(sb, code, s, text_len(s, OPTION_MAX));
}

static void put_filter(struct strbuf *sb, const char *filter)
{
    if (!filter)
        return;
    size_t n = text_len(filter, OPTION_MAX - 1);
    put16(sb, INTERFACE_FILTER);
    put16(sb, (uint16_t)(n + 1));
    strbuf_putc(sb, 0); /* kind 0: a libpcap expression */
    strbuf_add(sb, filter, n);
    pad4(sb);
}

/* Stamps stand as two halves, the high one first. */
static void put_stamp(struct strbuf *sb, nsec stamp)
{
    put32(sb, (uint32_t)((uint64_t)stamp >> 32));
    put32(sb, (uint32_t)((uint64_t)stamp & 0xFFFFFFFF));
}

static void put_stamp_option(struct strbuf *sb, uint16_t code, nsec stamp)
{
    put16(sb, code);
    put16(sb, 8);
    put_stamp(sb, stamp);
}

static void put_count_option(struct strbuf *sb, uint16_t code, uint64_t count)
{
    put16(sb, code);
    put16(sb, 8);
    put64(sb, count);
}

static int write_block(struct pcapng_writer *w, uint32_t type, const struct strbuf *body,
                       struct error *err)
{
    cleanup_strbuf struct strbuf block = STRBUF_INIT;
    uint32_t len = (uint32_t)body->len + 12;
    put32(&block, type);
    put32(&block, len);
    strbuf_add(&block, body->data, body->len);
    put32(&block, len);
    if (fwrite(block.data, 1, block.len, w->to) != block.len)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write the capture");
    return 0;
}

int pcapng_begin(struct pcapng_writer *w, FILE *to, const struct pcapng_section *section,
                 struct error *err)
{
    *w = (struct pcapng_writer){.to = to};
    cleanup_strbuf struct strbuf body = STRBUF_INIT;
    put32(&body, BYTE_ORDER_MAGIC);
    put16(&body, 1); /* version 1.0 */
    put16(&body, 0);
    put64(&body, UINT64_MAX); /* the section's length is not said */
    put_text(&body, SECTION_HARDWARE, section->hardware);
    put_text(&body, SECTION_OS, section->os);
    put_text(&body, SECTION_APPLICATION, section->application);
    put_option(&body, OPTION_END, "", 0);
    return write_block(w, BLOCK_SECTION, &body, err);
}

int pcapng_add_interface(struct pcapng_writer *w, const struct pcapng_interface *interface,
                         struct error *err)
{
    cleanup_strbuf struct strbuf body = STRBUF_INIT;
    int linktype = interface->linktype == DLT_RAW ? LINKTYPE_RAW : interface->linktype;
    if (linktype < 0 || linktype > UINT16_MAX)
        return error_set(err, STATUS_USAGE, "%d is no link type of a capture file", linktype);
    put16(&body, (uint16_t)linktype);
    put16(&body, 0);
    put32(&body, interface->snaplen);
    put_text(&body, INTERFACE_NAME, interface->name);
    put_text(&body, INTERFACE_DESCRIPTION, interface->description);
    put_filter(&body, interface->filter);
    put_option(&body, INTERFACE_RESOLUTION, "\x09", 1); /* 10^-9 s */
    put_option(&body, OPTION_END, "", 0);
    if (write_block(w, BLOCK_INTERFACE, &body, err) < 0)
        return -1;
    return (int)w->n_interfaces++;
}

static int check_place(const struct pcapng_writer *w, int interface, nsec stamp, struct error *err)
{
    if (interface < 0 || (uint32_t)interface >= w->n_interfaces)
        return error_set(err, STATUS_USAGE, "the capture has no interface %d", interface);
    if (stamp < 0)
        return error_set(err, STATUS_USAGE, "a capture cannot hold the stamp %" PRId64 " ns",
                         stamp);
    return 0;
}

int pcapng_add_packet(struct pcapng_writer *w, int interface, const struct frame *frame,
                      enum pcapng_direction direction, const char *comment, struct error *err)
{
    if (check_place(w, interface, frame->time, err) < 0)
        return -1;
    if (frame->caplen > INT32_MAX / 2)
        return error_set(err, STATUS_USAGE, "a frame of %" PRIu32 " bytes is too long",
                         frame->caplen);
    cleanup_strbuf struct strbuf body = STRBUF_INIT;
    put32(&body, (uint32_t)interface);
    put_stamp(&body, frame->time);
    put32(&body, frame->caplen);
    put32(&body, frame->wirelen);
    strbuf_add(&body, (const char *)frame->data, frame->caplen);
    pad4(&body);
    put_text(&body, OPTION_COMMENT, comment);
    if (direction != PCAPNG_UNKNOWN) {
        put16(&body, PACKET_FLAGS);
        put16(&body, 4);
        put32(&body, (uint32_t)direction);
    }
    if (comment || direction != PCAPNG_UNKNOWN)
        put_option(&body, OPTION_END, "", 0);
    return write_block(w, BLOCK_PACKET, &body, err);
}

int pcapng_add_stats(struct pcapng_writer *w, int interface, const struct pcapng_stats *stats,
                     struct error *err)
{
    if (check_place(w, interface, stats->began, err) < 0 ||
        check_place(w, interface, stats->ended, err) < 0)
        return -1;
    cleanup_strbuf struct strbuf body = STRBUF_INIT;
    put32(&body, (uint32_t)interface);
    put_stamp(&body, stats->ended);
    put_stamp_option(&body, STATISTICS_BEGAN, stats->began);
    put_stamp_option(&body, STATISTICS_ENDED, stats->ended);
    put_count_option(&body, STATISTICS_RECEIVED, stats->received);
    put_count_option(&body, STATISTICS_DROPPED, stats->dropped);
    put_option(&body, OPTION_END, "", 0);
    return write_block(w, BLOCK_STATISTICS, &body, err);
}
