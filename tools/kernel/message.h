/* Messages from a guest kernel's first process to the caller outside, over a serial
 * line: framed, numbered and summed, so that a lost byte is noticed.
 *
 *   "TLM1"  type (1 byte)  number (4)  length (4)  payload  CRC-32 of all before it (4)
 *
 * Numbers are little-endian; `number` counts messages from 0.  Both sides are the same
 * build of tcplab.  The reader trusts nothing: what comes may be anything. */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

/* X(ID, payload) */
#define MESSAGE_TYPES(X)                                                                           \
    X(UP)     /* uname -r: the guest is ready to play */                                           \
    X(CANNOT) /* one sentence, NUL, a hint or nothing: it cannot play any lab */                   \
    X(BEGIN)  /* index of the lab (4 bytes) that is played from here on */                         \
    X(BEAT)   /* nothing: a second of the guest's time has passed */                               \
    X(FILE)   /* name of a file of the lab's evidence; its bytes follow */                         \
    X(DATA)   /* bytes of that file */                                                             \
    X(STUCK)  /* nothing: the lab does not end, nor can it be ended */                             \
    X(END)    /* exit status (4 bytes), then what was printed as errors; no more of this lab */    \
    X(DONE)   /* nothing: all labs have been played */

enum message_type {
#define X(id) MESSAGE_##id,
    MESSAGE_TYPES(X)
#undef X
        MESSAGE_TYPE_COUNT
};

#define MESSAGE_MAX_PAYLOAD (32u << 10)

struct message {
    enum message_type type;
    const char *data; /* not NUL-terminated; valid until the next call */
    size_t len;
};

/* Appends one message; at most MESSAGE_MAX_PAYLOAD bytes of payload. */
void message_write(struct strbuf *out, uint32_t number, enum message_type type, const void *data,
                   size_t len);

struct message_reader {
    struct strbuf received;
    size_t at;       /* bytes of `received` that were taken */
    uint32_t number; /* of the next message */
};

void message_feed(struct message_reader *reader, const void *data, size_t len);
/* Takes the next message: 1, 0 if it has not come completely, or -1 and STATUS_MACHINE
 * when the line has been damaged (what comes after that means nothing). */
int message_next(struct message_reader *reader, struct message *message, struct error *err);
void message_reader_free(struct message_reader *reader);

/* Numbers in a payload. */
void message_put_u32(struct strbuf *out, uint32_t value);
uint32_t message_get_u32(const char *data);

#endif
