#include "cmd.h"

#include <stdarg.h>
#include <stdio.h>

int cmd_fail(struct error *err)
{
    int status = err->status;
    fflush(stdout);
    fprintf(stderr, "tcplab: %s\n", err->message ? err->message : "unknown error");
    if (err->hint)
        fprintf(stderr, "hint: %s\n", err->hint);
    error_clear(err);
    return status;
}

int cmd_fail_diags(struct diags *diags)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    fflush(stdout);
    diags_format(diags, &text);
    fputs(strbuf_cstr(&text), stderr);
    diags_free(diags);
    return STATUS_USAGE;
}

int cmd_usage_error(const char *name, const char *fmt, ...)
{
    va_list ap;
    fflush(stdout);
    fprintf(stderr, "tcplab %s: ", name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\nhint: `tcplab %s --help` lists what it takes\n", name);
    return STATUS_USAGE;
}
