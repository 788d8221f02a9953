#include "kernel/message.h"

#include <string.h>
#include <zlib.h>

static const char magic[4] = {'T', 'L', 'M', '1'};

enum { AT_TYPE = 4, AT_NUMBER = 5, AT_LENGTH = 9, HEADER = 13, SUM = 4 };

void message_put_u32(struct strbuf *out, uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8)
        strbuf_putc(out, (char)(value >> shift));
}

uint32_t message_get_u32(const char *data)
{
    uint32_t value = 0;
    for (int i = 3; i >= 0; i--)
        value = value << 8 | (unsigned char)data[i];
    return value;
}

static uint32_t sum_of(const char *data, size_t len)
{
    return (uint32_t)crc32(0, (const Bytef *)data, (uInt)len);
}

void message_write(struct strbuf *out, uint32_t number, enum message_type type, const void *data,
                   size_t len)
{
    size_t start = out->len;
    strbuf_add(out, magic, sizeof(magic));
    strbuf_putc(out, (char)type);
    message_put_u32(out, number);
    message_put_u32(out, (uint32_t)len);
    strbuf_add(out, data, len);
    message_put_u32(out, sum_of(out->data + start, out->len - start));
}

void message_feed(struct message_reader *reader, const void *data, size_t len)
{
    if (reader->at) {
        size_t left = reader->received.len - reader->at;
        memmove(reader->received.data, reader->received.data + reader->at, left);
        strbuf_truncate(&reader->received, left);
        reader->at = 0;
    }
    strbuf_add(&reader->received, data, len);
}

static int damaged(struct error *err, const char *what)
{
    return error_set(err, STATUS_MACHINE, "what came from the guest is damaged: %s", what);
}

int message_next(struct message_reader *reader, struct message *message, struct error *err)
{
    const char *at = strbuf_cstr(&reader->received) + reader->at;
    size_t have = reader->received.len - reader->at;
    size_t known = have < sizeof(magic) ? have : sizeof(magic);
    if (memcmp(at, magic, known) != 0)
        return damaged(err, "no message where one should begin");
    if (have < HEADER)
        return 0;
    size_t len = message_get_u32(at + AT_LENGTH);
    if (len > MESSAGE_MAX_PAYLOAD)
        return damaged(err, "a message is too long");
    if (have < HEADER + len + SUM)
        return 0;
    if (message_get_u32(at + HEADER + len) != sum_of(at, HEADER + len))
        return damaged(err, "a checksum is wrong");
    if (message_get_u32(at + AT_NUMBER) != reader->number)
        return damaged(err, "a message is missing");
    if ((unsigned char)at[AT_TYPE] >= MESSAGE_TYPE_COUNT)
        return damaged(err, "a message is of no known type");
    *message =
        (struct message){.type = (enum message_type)at[AT_TYPE], .data = at + HEADER, .len = len};
    reader->at += HEADER + len + SUM;
    reader->number++;
    return 1;
}

void message_reader_free(struct message_reader *reader)
{
    strbuf_free(&reader->received);
}
