#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool parse_number(const char *text, int64_t low, int64_t high, int64_t *out)
{
    char *end;
    /* strtoll() alone would take blanks and a plus before it. */
    if (!isdigit((unsigned char)text[*text == '-']))
        return false;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || *end || n < low || n > high)
        return false;
    *out = n;
    return true;
}
