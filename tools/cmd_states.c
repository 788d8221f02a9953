/* tcplab states: what the sockets of a stored run went through. */
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "record/load.h"
#include "report/states.h"

static const char help[] =
    "usage: tcplab states [--tsv] DIR\n\n"
    "Shows the states of the sockets in the evidence of a run, such as out/handshake,\n"
    "one line for each look that saw something new; where the lab says `trace`, also\n"
    "the congestion window, the retransmission timeout and more of its connections.\n\n"
    "  --tsv  every value in a column of its own, parted by tabs, to plot or to sum\n";

static int show(const char *dir, bool tsv)
{
    struct error err = ERROR_INIT;
    struct record *record = record_load(dir, &err);
    if (!record)
        return cmd_fail(&err);
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    if (tsv)
        report_states_tsv(&out, record);
    else
        report_states(&out, record);
    fputs(strbuf_cstr(&out), stdout);
    record_free(record);
    return STATUS_PASSED;
}

int cmd_states(int argc, char **argv)
{
    static const struct option options[] = {
        {"tsv", no_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool tsv = false;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (c != 't')
            return cmd_option_error("states", c, argv);
        tsv = true;
    }
    if (argc - optind != 1)
        return cmd_usage_error("states", optind < argc ? "it takes one folder"
                                                       : "the folder of evidence is missing");
    return show(argv[optind], tsv);
}
