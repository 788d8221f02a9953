/* The baseline: sysctls that a transcript shows, pinned on every host of every lab. */
#ifndef NETNS_TUNE_H
#define NETNS_TUNE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "netns/topo.h"

struct tune_pin {
    const char *key, *value;
    const char *why;
};

/* All of them, in the order in which they are set. */
const struct tune_pin *tune_pins(size_t *n);

typedef void tune_note(void *ctx, const char *key, const char *value, bool absent);

/* Pins them on the host and tells `note` of each (`absent`: this kernel lacks it).
 * To be called before the host's cables are made: interfaces take their settings from
 * net.ipv4.conf.default when they are born. */
int tune_baseline(struct topo *topo, int host, tune_note *note, void *ctx, struct error *err);

#endif
