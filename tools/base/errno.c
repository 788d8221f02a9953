#include "base/errno.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"

enum { ERRNO_MAX = 133 }; /* EHWPOISON, the last of Linux */

static const struct alias {
    const char *name;
    int number;
} aliases[] = {
    {"EWOULDBLOCK", EWOULDBLOCK},
    {"EDEADLOCK", EDEADLOCK},
    {"ENOTSUP", ENOTSUP},
};

const char *errno_name(int errnum)
{
    const char *name = strerrorname_np(errnum);
    return name ? name : "?";
}

static int equal(const char *name, const char *word, size_t len)
{
    return name && strlen(name) == len && memcmp(name, word, len) == 0;
}

int errno_from_name(const char *name, size_t len)
{
    for (int e = 1; e <= ERRNO_MAX; e++)
        if (equal(strerrorname_np(e), name, len))
            return e;
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (equal(aliases[i].name, name, len))
            return aliases[i].number;
    return 0;
}

const char *errno_closest(const char *name, size_t len)
{
    const char *names[ERRNO_MAX];
    size_t n = 0;
    for (int e = 1; e <= ERRNO_MAX; e++)
        if (strerrorname_np(e))
            names[n++] = errno_name(e);
    return closest_name(name, len, names, n);
}
