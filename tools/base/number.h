/* Decimal numbers in arguments and texts. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Reads a text that is nothing but a decimal number from low to high (`-` before it
 * allowed); false, and *out as it was, if it is none. */
bool parse_number(const char *text, int64_t low, int64_t high, int64_t *out);
/* Reads `40..60`, two numbers without a sign, the smaller one first; false if it is none. */
bool range_of_numbers(const char *text, int64_t *least, int64_t *most);

#endif
