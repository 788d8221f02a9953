/* A frame's headers, field by field, as the RFCs draw them: what each bit is called, what it
 * holds and what that means here.
 *
 *     struct headers *headers = headers_new(&frame, story, segment);
 *     vec_each (&headers->list, header)
 *         vec_each (&header->fields, field) …
 *     headers_free(headers);
 *
 * Pure.  A frame that is cut off or malformed gives what can be read of it. */
#ifndef PICTURE_HEADER_H
#define PICTURE_HEADER_H

#include "transcript/story.h"

struct header_field {
    const char *name;  /* as the RFC's figure has it: "Sequence Number" */
    const char *brief; /* where there is little room: "Seq"; never NULL */
    uint32_t bit;      /* where it begins, from the first bit of its header … */
    uint32_t bits;     /* … and how many it takes; 0: data of length 0 */
    uint32_t offset;   /* of the byte in which it begins, from the beginning of the frame */
    bool cut;          /* not all of it was captured: it has no value */
    bool flag;         /* a bit with a name of its own, drawn on end */
    char *hex;         /* the value, two digits for each byte that it fills: "0x04d2"; "" if cut */
    char *value;       /* the value as a person writes it: "1234", "10.0.0.1"; "?" if cut */
    char *meaning;     /* what it says here, in words; "" if the value says it */
};

struct header {
    const char *title;  /* "TCP" */
    const char *source; /* where it is drawn: "RFC 9293, figure 1"; NULL: nowhere, and a
                           figure would show nothing */
    uint32_t offset;    /* from the beginning of the frame, in bytes */
    uint32_t len;       /* bytes, by what the header itself says */
    VEC(struct header_field) fields;
};

struct headers {
    VEC(struct header) list; /* link, network, transport, data: those that are there */
};

/* Takes a frame apart.  With a segment of a story (it may be NULL; the frame is the one that
 * its sender sent or its receiver got) numbers are also told relative, and hosts by name. */
struct headers *headers_new(const struct frame *frame, const struct story *story,
                            const struct story_segment *segment);
void headers_free(struct headers *headers);

/* The field of `other` that is the same one: of the same header, name and turn; NULL: none. */
const struct header_field *headers_find(const struct headers *other, const struct headers *headers,
                                        size_t header, size_t field);

/* ------------------------------------------------------------------ the figure */

/* Columns of a figure: 32 bits of two columns each, and the last line. */
#define FIGURE_WIDTH 65

/* Where a field stands in the figure. */
struct figure_span {
    size_t field;
    int row, column, width;
};

struct figure_row {
    char *text;  /* FIGURE_WIDTH characters at most, ASCII */
    long offset; /* of a row that begins a word: of its first byte, from the beginning of the
                    header; else -1 */
};

struct figure {
    VEC(struct figure_row) rows;
    VEC(struct figure_span) spans;
};

/* Draws the header as RFCs do: rows of 32 bits below a ruler, each field's name and value
 * in its cell. */
void figure_draw(struct figure *figure, const struct header *header);
void figure_free(struct figure *figure);

#endif
