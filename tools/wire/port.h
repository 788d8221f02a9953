/* One port of the wire: a host's cable into it.  What the host sends is taken off, and what
 * is for it is put on, through packet sockets. */
#ifndef WIRE_PORT_H
#define WIRE_PORT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/time.h"
#include "wire/frame.h"

struct wire_port {
    int fd;     /* readable when a frame has come */
    int out_fd; /* puts frames on */
    int switch_end;
    uint32_t longest; /* frame that the cable carries, bytes */
    uint8_t *ring;
    unsigned next; /* slot of the ring */
    unsigned slots, slot_size;
    uint64_t dropped; /* frames for which there was no room, in or out */
};

/* The two ends of the cable. */
struct wire_cable {
    int netns;      /* the host's namespace */
    int end;        /* interface index of the host's end, there */
    int switch_end; /* and of the other, in the calling thread's namespace */
    unsigned mtu;   /* bytes, 0: the usual 1500 */
};

/* Opens them; the calling thread is in its own namespace again afterwards, also on an error. */
int wire_port_open(struct wire_port *port, const struct wire_cable *cable, struct error *err);
void wire_port_close(struct wire_port *port);

/* The next frame that has come, until wire_port_done(); NULL if there is none.  *len is 0 if
 * it is too long for the cable (a program may have raised the MTU at the host's end): it is
 * lost.  *stamp is when it came, CLOCK_REALTIME. */
const uint8_t *wire_port_take(struct wire_port *port, uint32_t *len, nsec *stamp);
void wire_port_done(struct wire_port *port);
/* Whether one has come that was not taken yet. */
bool wire_port_has(const struct wire_port *port);

enum { WIRE_BATCH = 32 };

/* Puts frames on, at most WIRE_BATCH.  One that meets a link that is down at either end, or is
 * too long for it, is lost, as on any cable. */
void wire_port_send(struct wire_port *port, struct wire_frame *const *frames, unsigned n);

/* Takes note that the link went down, or worse. */
int wire_port_check(struct wire_port *port, struct error *err);

/* How many frames had to be dropped for want of room, in or out, since the port was
 * opened: the wire may not do that. */
uint64_t wire_port_dropped(struct wire_port *port);

#endif
