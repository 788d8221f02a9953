/* The states of a run's sockets, and what was traced of them, as a table. */
#ifndef REPORT_STATES_H
#define REPORT_STATES_H

#include "base/strbuf.h"
#include "record/record.h"

/* For a person: one line a look that saw something new, its time counted from the first
 * packet (without one, from the run's beginning); columns of values only where something
 * was traced. */
void report_states(struct strbuf *out, const struct record *record);

/* For a plotting program: the same with every value in a column of its own, named in the
 * first line; columns are parted by tabs, what is not known is empty. */
void report_states_tsv(struct strbuf *out, const struct record *record);

#endif
