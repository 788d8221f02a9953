/* Labs played inside a kernel: all in one boot, or, where a lab brings the guest down,
 * the rest in a new one. */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include "base/diag.h"
#include "base/loop.h"
#include "kernel/image.h"
#include "lab/lab.h"

struct boot_lab {
    const struct lab *lab;
    const struct source *expected; /* its transcript */
    nsec limit;                    /* how long it may take, by the guest's clock */
};

struct boot_options {
    const struct kernel_image *kernel;
    const struct boot_lab *labs;
    size_t n_labs;
    const char *const *run_options; /* for each `tcplab run` in the guest */
    size_t n_run_options;
    nsec silence; /* wall time after which a guest that says nothing has hung (vm.h) */
};

struct boot_events {
    /* The guest is being booted (lab -1), or plays this lab from here on. */
    void (*progress)(void *ctx, long lab);
    /* Each lab comes to exactly one of these two.  Played: its evidence is in `dir`,
     * which is gone afterwards; without any, `printed` says why. */
    void (*played)(void *ctx, size_t lab, const char *dir, const char *printed);
    /* It brought the guest down, or the guest never came as far: err says so, and
     * `console` has the last lines of the guest's console ("" if none). */
    void (*broken)(void *ctx, size_t lab, struct error *err, const char *console);
    void *ctx;
};

struct boot;

/* Begins; NULL and an error if no guest can be made of this kernel here at all. */
struct boot *boot_start(struct loop *loop, const struct boot_options *options,
                        const struct boot_events *events, struct error *err);

/* Ends the guest; the lab at hand and all that were not played are broken. */
void boot_interrupt(struct boot *boot);

void boot_free(struct boot *boot);

#endif
