/* The ferry: carries frames between the ports of wired networks, in a thread of its own,
 * and does to them what the script's `wire` steps say. */
#ifndef WIRE_FERRY_H
#define WIRE_FERRY_H

#include "base/error.h"
#include "lab/lab.h"
#include "wire/port.h"
#include "wire/segment.h"

/* A host's cable into a wired network. */
struct ferry_port {
    int host, net; /* as in the lab */
    struct wire_cable cable;
    uint8_t mac[6];
};

#define FERRY_SNAP 128 /* bytes of a frame that tell it from all others */

struct ferry_frame {
    uint32_t len, n; /* 0: none */
    uint8_t data[FERRY_SNAP];
};

/* What the wire did to a frame. */
struct ferry_event {
    enum wire_action action;
    long step; /* -1: none */
    nsec time; /* CLOCK_REALTIME, when the frame came */
    int from, to;
    uint64_t number;           /* of the frame in its direction; 0: nobody sent it */
    struct ferry_frame frame;  /* as its sender sent it */
    struct ferry_frame result; /* what became of it, where that is another one */
};

struct ferry;

/* Opens the ports and starts; NULL on an error. */
struct ferry *ferry_start(const struct ferry_port *ports, size_t n, struct error *err);

/* Plays a `wire` step of the script (not an injection); w must outlive the ferry. */
int ferry_program(struct ferry *ferry, long step, const struct lab_wire *w, struct error *err);
/* Sends a segment that nobody sent, to the host w->to as if it came from w->from. */
int ferry_inject(struct ferry *ferry, long step, const struct lab_wire *w,
                 const struct wire_segment *segment, struct error *err);

/* The host's cables are pulled, or go in again.  The links themselves are somebody else's,
 * and take a while: one that is going down still lets the host send what nobody carries, and
 * one that comes up does so in steps, so that what arrives between two of them would be heard
 * and never answered. */
enum ferry_plug {
    FERRY_IN,
    FERRY_OUT,      /* to be said before the links go down */
    FERRY_GOING_IN, /* before they come up: what the host sends goes on, nothing goes to it */
};
void ferry_plug(struct ferry *ferry, int host, enum ferry_plug plug);

/* Whether nothing is under way; what a rule holds back does not count. */
bool ferry_is_idle(struct ferry *ferry);

/* Whether it still works. */
int ferry_check(struct ferry *ferry, struct error *err);

/* Notes WIRE_STAY of each frame that is on the wire still. */
void ferry_note_staying(struct ferry *ferry);

/* Takes out what has happened since the last call: the caller frees *events. */
size_t ferry_take_events(struct ferry *ferry, struct ferry_event **events);

/* A frame was due at `from` and went on at `to` (CLOCK_REALTIME). */
struct ferry_stall {
    nsec from, to;
};

#define FERRY_STALL_MIN NSEC_PER_MSEC /* shorter ones are not noted */
#define FERRY_STALLS_MAX 4096         /* nor are more */

/* Takes out when it has been late since the last call: the caller frees *stalls. */
size_t ferry_take_stalls(struct ferry *ferry, struct ferry_stall **stalls);

/* Frames that it had no room for, though no rule said so: a run in which that happened
 * proves nothing. */
uint64_t ferry_dropped(struct ferry *ferry);

/* Ends it; NULL is allowed. */
void ferry_stop(struct ferry *ferry);

#endif
