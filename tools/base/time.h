/* Times are signed 64-bit nanoseconds everywhere: `nsec`.  A stamp counts from
 * the Unix epoch (CLOCK_REALTIME, which is what the kernel stamps packets with);
 * an interval is a difference of two. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/strbuf.h"

typedef int64_t nsec;

#define NSEC_PER_USEC INT64_C(1000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_NEVER INT64_MAX

nsec clock_ns(clockid_t clock);
/* The kernel's timer tick, 1/HZ, read as the resolution of CLOCK_MONOTONIC_COARSE. */
nsec clock_tick(void);

/* Parses "200ms", "1.5s", "40us", "250ns", "15m", "0" at the start of s;
 * returns the number of characters taken, 0 if there is no duration (a bare
 * number other than 0 has no unit and is none; overflow is none). */
size_t parse_duration(const char *s, size_t len, nsec *out);

/* Writes the shortest form that parse_duration() reads back to the same value:
 * "1s", "200ms", "1.204s". */
void strbuf_duration(struct strbuf *sb, nsec t);

/* For people: three to four significant digits, "1.02 s", "204 ms", "31 µs". */
void strbuf_approx(struct strbuf *sb, nsec t);

#endif
