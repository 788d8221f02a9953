/* Live capture at one interface of one network namespace. */
#ifndef CAPTURE_LIVE_H
#define CAPTURE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "decode/packet.h"

struct live;

struct live_point {
    int netns;          /* descriptor of the network namespace; -1: the caller's */
    const char *iface;  /* "eth0", "lo", or "any" */
    const char *filter; /* a pcap filter expression; NULL or "": everything */
    int snaplen;        /* bytes kept of a frame; 0: whole frames, at most LIVE_SNAPLEN */
    size_t ring;        /* bytes of buffer; 0: for LIVE_FRAMES frames, at most 16 MiB */
    bool only_own;      /* without what comes in for another host's card */
};

/* Jumbo frames fit; on lo, whose frames reach 64 KiB, long ones are cut. */
#define LIVE_SNAPLEN 9216
#define LIVE_FRAMES 2500

/* outgoing, incoming: as the interface's host sees the frame; both on a loopback
 * interface, neither where the link type does not tell.  The frame's bytes are
 * valid during the call only. */
typedef void live_fn(void *ctx, const struct frame *frame, bool outgoing, bool incoming);

/* Opens one point.  When it returns, every matching frame sent from then on is seen.
 * STATUS_USAGE: no such interface, or a filter that does not compile; STATUS_MACHINE:
 * not permitted, or the interface is down. */
struct live *live_open(const struct live_point *point, struct error *err);

/* Opens n points side by side, in the time of one; all or none.  The calling thread
 * stays in its namespace. */
int live_open_many(const struct live_point *points, size_t n, struct live **opened,
                   struct error *err);

/* To poll for reading. */
int live_fd(const struct live *live);
int live_linktype(const struct live *live);

/* Hands over what is queued, without waiting: the number of frames, or -1. */
int live_read(struct live *live, live_fn *fn, void *ctx, struct error *err);

/* received: frames that matched and were handed over; dropped: frames that matched and
 * found the buffer full. */
void live_stats(const struct live *live, uint64_t *received, uint64_t *dropped);

void live_close(struct live *live);
/* Closes n points side by side; NULL entries are skipped. */
void live_close_many(struct live **points, size_t n);
/* As live_close_many(), but returns at once: a process of its own, which holds nothing
 * else of ours, does the waiting and ends.  Without one it closes here and now. */
void live_close_behind(struct live **points, size_t n);

#endif
