/* Routes that lead nowhere. */
#ifndef NETNS_REFUSAL_H
#define NETNS_REFUSAL_H

/* What a host does with a packet for which there is no way on purpose: answers with
 * ICMP (host unreachable; administratively prohibited), or says nothing at all. */
enum route_refusal { ROUTE_UNREACHABLE, ROUTE_PROHIBITED, ROUTE_BLACKHOLE };

#endif
