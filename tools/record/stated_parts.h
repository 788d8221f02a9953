/* What the files stated*.c share. */
#ifndef RECORD_STATED_PARTS_H
#define RECORD_STATED_PARTS_H

#include "lab/lab.h"
#include "record/record.h"
#include "wire/pick.h"

/* Sets the error that something is not as in the lab; returns -1. */
int stated_other(struct error *err, const char *what, const char *name);
/* Whether the step is one of the wire, and about this direction. */
bool stated_is_about(const struct lab_step *step, int from, int to);

/* stated_meaning.c: which packets of the record the script's rules mean. */
struct stated_meaning {
    const struct record *record;
    const struct lab *lab;
    struct wire_picker *pickers; /* by step, of its rules */
    uint32_t *first;             /* by packet: the number that counts as 0 in its direction … */
    bool *has_first;             /* … where the record shows the SYN that it is of */
    uint64_t *hash;              /* by packet: what no router changes of it, decode/hop.h */
    unsigned *changes;           /* by packet: how many events say what became of it */
};

/* To be closed whether it succeeds or not; `r` and `lab` must outlive it. */
int stated_meaning_open(struct stated_meaning *m, const struct record *r, const struct lab *lab,
                        struct error *err);
void stated_meaning_close(struct stated_meaning *m);
/* Whether the rule of this step means the packet, which is decoded. */
bool stated_means(const struct stated_meaning *m, size_t step, size_t packet,
                  const struct packet *p);

/* stated_wire.c: whether the script asked for each thing that the wire did; notes the steps that
 * it made. */
int stated_check_wire(const struct record *r, const struct lab *lab, bool *made, struct error *err);
/* stated_picks.c: whether each rule met those frames that it means, by the order in which they
 * came. */
int stated_check_picks(const struct stated_meaning *m, struct error *err);

#endif
