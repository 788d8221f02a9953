/* What the parts of picture/header.h share. */
#ifndef PICTURE_HEADER_PARTS_H
#define PICTURE_HEADER_PARTS_H

#include "picture/header.h"

/* What the fields are read from, and what is known besides. */
struct dissection {
    struct headers *headers;
    const struct frame *frame;
    const struct packet *p;              /* the same frame, decoded */
    const struct story *story;           /* NULL: nothing is known */
    const struct story_segment *segment; /* NULL: likewise */
};

/* How a field's value is written. */
enum header_style {
    HEADER_NUMBER,
    HEADER_HEX,
    HEADER_FLAG,    /* 0 or 1 */
    HEADER_ADDRESS, /* of IP, by its length */
    HEADER_MAC,
    HEADER_BYTES /* what it is, is not known here: as hexadecimal digits */
};

/* A field of a fixed header: the words for its meaning come from `say`, which adds to sb. */
struct header_spec {
    const char *name, *brief;
    uint16_t bit, bits;
    enum header_style style;
    void (*say)(struct strbuf *sb, const struct dissection *d, uint64_t value);
};

/* Begins a header of `len` bytes at `at`, which leads into the frame. */
struct header *header_add(struct dissection *d, const char *title, const char *source,
                          const uint8_t *at, uint32_t len);
/* Adds a field of the last header; the caller adds to its meaning: see header_say(). */
struct header_field *header_add_field(struct dissection *d, const char *name, const char *brief,
                                      uint32_t bit, uint32_t bits, enum header_style style);
void header_add_specs(struct dissection *d, const struct header_spec *specs, size_t n);
/* What the field means, in words; of one that was cut off, nothing is said. */
void header_say(struct header_field *field, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The value of at most 64 bits, of what was captured; false if not all was. */
bool header_read(const struct dissection *d, uint32_t offset, uint32_t bit, uint32_t bits,
                 uint64_t *value);

/* IP and the extension headers of IPv6. */
void header_add_ip(struct dissection *d);
/* Whether it is one, so that what it carries can be found. */
bool header_ip_is_readable(const struct ip_header *ip);
/* TCP with its options; the packet's transport is TCP, or its protocol says so. */
void header_add_tcp(struct dissection *d);

#endif
