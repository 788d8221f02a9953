/* One guest under qemu: an unmodified kernel, an initramfs, and a virtual clock that
 * jumps over idle time.  No KVM, no root, no network.  Watched from the loop. */
#ifndef KERNEL_VM_H
#define KERNEL_VM_H

#include "base/loop.h"
#include "kernel/message.h"

struct vm_options {
    const char *kernel; /* the bzImage */
    int vmlinux;        /* descriptor of what vmlinux_open() took out of it; -1: none.  Stays
                         * the caller's */
    int initrd;         /* descriptor of the initramfs; stays the caller's */
    const char *append; /* more of the kernel's command line */
    nsec silence;       /* a guest that says nothing for so long (wall time), or for four
                         * times as long while it boots, has hung */
};

struct vm_events {
    void (*message)(void *ctx, const struct message *message);
    /* Exactly once, when the guest has ended: `why` says how, in a few words that
     * another sentence can hold ("kernel panic", "the guest hung: …"); `detail` is what
     * the kernel said of a panic, else NULL. */
    void (*ended)(void *ctx, const char *why, const char *detail);
    void *ctx;
};

struct vm;

/* Starts it; NULL and STATUS_MACHINE if qemu is not there or does not start. */
struct vm *vm_start(struct loop *loop, const struct vm_options *options,
                    const struct vm_events *events, struct error *err);

/* Ends the guest now; no message is delivered from here on.  May be called from any
 * callback; `ended` follows. */
void vm_stop(struct vm *vm);

/* The last lines that the guest's console, or qemu itself, printed: each ends in a
 * newline, without control characters; "" if nothing.  The caller frees it. */
char *vm_last_lines(const struct vm *vm);

/* Kills what still runs.  Not from within its own callbacks. */
void vm_free(struct vm *vm);

#endif
