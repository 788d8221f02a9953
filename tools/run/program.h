/* `run HOST COMMAND…`: a program of this machine, started inside a host. */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

#include "lab/lab.h"
#include "run/agent.h"

/* Starts it with /dev/null as its input and waits for its end.  The reply's value is
 * its exit status (128 + N after signal N), its text the beginning of what it printed.
 * 0, or -1 with errno when it could not be started. */
int program_run(const struct lab_step *step, struct agent_reply *reply);

#endif
