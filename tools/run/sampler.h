/* The sampler: looks, beside a lab, at the TCP sockets of its hosts, and writes what has
 * changed into record->states. */
#ifndef RUN_SAMPLER_H
#define RUN_SAMPLER_H

#include "base/loop.h"
#include "decode/packet.h"
#include "lab/lab.h"
#include "netns/topo.h"
#include "record/record.h"
#include "run/sockets.h"

struct sampler;

/* Gets ready to look at every host of the topology.  A kernel that does not tell is no
 * error: then record->has_states stays false, and the sampler does nothing.  The thread
 * is back in its namespace afterwards.  The loop must outlive the sampler. */
struct sampler *sampler_new(const struct lab *lab, const struct topo *topo, struct record *record,
                            struct loop *loop, struct error *err);

/* What may have changed a state; nothing is looked at yet. */
void sampler_note_packet(struct sampler *s, const struct packet *p);
/* A connection of the host has begun; its call has not returned. */
void sampler_note_begun(struct sampler *s, int host, const struct socket_pair *pair);
/* A call of the host has returned; `pair` is the connection that it has now. */
void sampler_note_call(struct sampler *s, int host, enum verb_id verb,
                       const struct socket_pair *pair);

/* Looks at what was noted since the last look, and at sockets whose timers are due: to be
 * called whenever the loop has run. */
void sampler_look(struct sampler *s);

/* The last look, at everything. */
void sampler_finish(struct sampler *s);

/* NULL is allowed. */
void sampler_free(struct sampler *s);

#endif
