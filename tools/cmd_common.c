#include "cmd.h"

#include <getopt.h>
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

int cmd_option_error(const char *name, char **argv, int got)
{
    const char *word = argv[optind - 1];
    if (got == ':')
        return cmd_usage_error(name, "option %s needs a value", word);
    if (optopt && strncmp(word, "--", 2) == 0)
        return cmd_usage_error(name, "option %s takes no value", word);
    if (optopt)
        return cmd_usage_error(name, "unknown option -%c", optopt);
    return cmd_usage_error(name, "unknown option %s", word);
}
