/* What a guest is to play: the file /job of its root, lines of text.
 *
 *   option --slack
 *   option 50ms
 *   lab 0 41000000000 handshake     number, limit in nanoseconds of its own clock, name
 *
 * The lab is labs/NAME.md and what is expected of it expected/NAME.txt, as in any root
 * of labs.  Options go to each `tcplab run`. */
#ifndef KERNEL_JOB_H
#define KERNEL_JOB_H

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/time.h"

#define KERNEL_JOB_PATH "job"

struct kernel_job_lab {
    uint32_t number;
    nsec limit;
    char *name;
};

struct kernel_job {
    VEC(char *) options;
    VEC(struct kernel_job_lab) labs;
};

void kernel_job_write(struct strbuf *out, const struct kernel_job *job);
/* STATUS_USAGE for anything else than what kernel_job_write() writes. */
int kernel_job_read(struct kernel_job *job, const char *text, size_t len, struct error *err);
void kernel_job_free(struct kernel_job *job);

#endif
