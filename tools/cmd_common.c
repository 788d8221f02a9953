#include "cmd.h"

#include <errno.h>
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

int cmd_option_error(const char *name, int refused, char **argv)
{
    const char *word = argv[optind - 1];
    bool is_long = strncmp(word, "--", 2) == 0;
    const char letter[] = {'-', (char)optopt, '\0'};
    if (refused != ':' && is_long && optopt)
        return cmd_usage_error(name, "%.*s takes no value", (int)strcspn(word, "="), word);
    return cmd_usage_error(name, refused == ':' ? "%s needs a value" : "there is no option %s",
                           is_long || !optopt ? word : letter);
}

int cmd_text_or_json(const char *name, const char *value, bool *json)
{
    *json = strcmp(value, "json") == 0;
    if (*json || strcmp(value, "text") == 0)
        return 0;
    return cmd_usage_error(name, "there is no format \"%s\": text or json", value);
}

int cmd_end(int status)
{
    struct error err = ERROR_INIT;
    if ((fflush(stdout) == 0 && !ferror(stdout)) || status != STATUS_PASSED)
        return status;
    error_sys(&err, STATUS_MACHINE, errno, "cannot write the output");
    return cmd_fail(&err);
}
