/* Filters: which rows are shown. */
#ifndef WATCH_FILTER_H
#define WATCH_FILTER_H

#include "base/error.h"
#include "decode/packet.h"
#include "record/record.h"

struct filter;

/* A filter expression as pcap-filter(7) has it, if `text` is one; else a text to be found,
 * capitals or not.  Every word of an expression is one of libpcap's, a number, an address
 * or a host of the record: nothing is looked up. */
struct filter *filter_new(const char *text, const struct record *record);
void filter_free(struct filter *filter);

const char *filter_text(const struct filter *filter);
bool filter_is_expression(const struct filter *filter);
/* Of an expression: whether it takes the frame. */
bool filter_takes_frame(struct filter *filter, const struct frame *frame);
/* Of a text: whether it is in `line`. */
bool filter_takes_line(const struct filter *filter, const char *line);

#endif
