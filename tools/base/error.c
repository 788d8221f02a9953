#include "base/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

__attribute__((format(printf, 4, 0))) static void fill(struct error *err, enum exit_status status,
                                                       int sys, const char *fmt, va_list ap)
{
    if (err->message)
        return;
    err->status = status;
    err->sys = sys;
    err->message = xvasprintf(fmt, ap);
    if (sys) {
        char *plain = err->message;
        err->message = xasprintf("%s: %s", plain, strerror(sys));
        free(plain);
    }
}

int error_set(struct error *err, enum exit_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(err, status, 0, fmt, ap);
    va_end(ap);
    return -1;
}

int error_sys(struct error *err, enum exit_status status, int sys, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(err, status, sys, fmt, ap);
    va_end(ap);
    return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
    if (!err->message)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    char *context = xvasprintf(fmt, ap);
    va_end(ap);
    char *inner = err->message;
    err->message = xasprintf("%s: %s", context, inner);
    free(inner);
    free(context);
    return -1;
}

int error_hint(struct error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    free(err->hint);
    err->hint = xvasprintf(fmt, ap);
    va_end(ap);
    return -1;
}

int error_is_set(const struct error *err)
{
    return err->message != NULL;
}

void error_clear(struct error *err)
{
    free(err->message);
    free(err->hint);
    *err = (struct error)ERROR_INIT;
}
