/* tcplab verbs: the reference of the lab language, from the parser's own table. */
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "lab/verbs.h"

static const char help[] =
    "usage: tcplab verbs [--markdown]\n\n"
    "Lists the verbs of the lab language: what a host can call, and what the\n"
    "stage can do.\n\n"
    "  --markdown  as the tables that docs/lab-language.md contains\n";

int cmd_verbs(int argc, char **argv)
{
    static const struct option options[] = {
        {"markdown", no_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'}, {0}};
    int markdown = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (c != 'm')
            return cmd_option_error("verbs", c, argv);
        markdown = 1;
    }
    if (optind < argc)
        return cmd_usage_error("verbs", "it takes no argument \"%s\"", argv[optind]);
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    verbs_reference(&out, markdown);
    fputs(strbuf_cstr(&out), stdout);
    return STATUS_PASSED;
}
