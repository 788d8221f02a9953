/* Other programs, run without a shell: apt-get, dpkg-deb, sha256sum. */
#ifndef KERNEL_COMMAND_H
#define KERNEL_COMMAND_H

#include "base/error.h"
#include "base/strbuf.h"

struct command {
    const char *const *argv; /* found in PATH; ends with NULL */
    const char *folder;      /* to run it in; NULL: the current one */
    struct strbuf *out;      /* gets its standard output, up to a limit; NULL: thrown away */
    /* Called every 200 ms meanwhile; NULL: not needed. */
    void (*progress)(void *ctx);
    void *ctx;
};

/* Runs it with standard input empty and messages in English, until it ends or somebody
 * interrupts us (SIGINT, SIGTERM), which ends it too.  0, or STATUS_MACHINE: there is no
 * such program (err->sys is ENOENT), we were interrupted (EINTR), or it failed, with what it
 * said about it. */
int command_run(const struct command *command, struct error *err);

#endif
