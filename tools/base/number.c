#include "base/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

bool range_of_numbers(const char *text, int64_t *least, int64_t *most)
{
    char low[24];
    const char *dots = strstr(text, "..");
    if (!dots || (size_t)(dots - text) >= sizeof(low) || *text == '-')
        return false;
    memcpy(low, text, (size_t)(dots - text));
    low[dots - text] = '\0';
    return parse_number(low, 0, INT64_MAX, least) &&
           parse_number(dots + 2, *least, INT64_MAX, most);
}
