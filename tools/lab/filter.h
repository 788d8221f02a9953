/* Words of filter expressions. */
#ifndef LAB_FILTER_H
#define LAB_FILTER_H

#include <stddef.h>

/* The first word that libpcap would look up in the network or in /etc/services, as it is
 * none of its own, no number and no address: its length, and where it is; 0: there is none. */
size_t filter_find_lookup(const char *filter, size_t len, size_t *at);

#endif
