/* tcplab report: the page of a run that is stored, or of any capture. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "cmd_shown.h"
#include "record/ip_of.h"
#include "record/save.h"
#include "report/html.h"

static const char help[] =
    "usage: tcplab report LAB [--from DIR|CAPTURE] [OPTIONS]\n"
    "       tcplab report DIR|CAPTURE [OPTIONS]\n"
    "\n"
    "Writes the page of a run, which is judged again for it: lesson, set-up, verdict,\n"
    "ladder, graphs and headers in one HTML file that loads nothing.  `tcplab run` writes\n"
    "it too; this is for evidence that was made elsewhere or before, and for capture files\n"
    "that tcpdump or Wireshark made of a lab's scene.  Without a lab's name, DIR is judged if\n"
    "it is a run of a lab that is here; and of any CAPTURE, pcap or pcapng, whatever is in\n"
    "it, there is a page without a verdict.\n"
    "\n"
    "  -F, --from DIR|FILE  the evidence (default: out/LAB)\n"
    "  -o, --output FILE    the page (default: report.html in DIR, or LAB.html for a\n"
    "                       capture, without a lab CAPTURE.html; \"-\": standard output)\n"
    "  -s, --slack TIME     the lateness past which a run is too noisy to judge\n"
    "                       (default: 100ms)\n"
    "      --vary NAME=N    the value of the lab's `vary NAME`\n"
    "      --ip 4|6         the version of IP, if that cannot be seen in what is judged\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 written, whatever the verdict, 2 wrong usage or a file that cannot be\n"
    "read, 3 the page cannot be written\n";

/* A page of more packets is slow. */
enum { PAGE_PACKETS = 5000 };

struct options {
    const char *from, *output;
    struct cmd_judging judging;
};

static const struct option long_options[] = {
    {"from", required_argument, NULL, 'F'},
    {"output", required_argument, NULL, 'o'},
    {"slack", required_argument, NULL, 's'},
    {"vary", required_argument, NULL, 'V'},
    {"ip", required_argument, NULL, 'I'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int write_page(const char *path, const struct strbuf *page, struct error *err)
{
    if (strcmp(path, "-") == 0) {
        fwrite(page->data, 1, page->len, stdout);
        return 0;
    }
    FILE *f = fopen(path, "we");
    bool bad = !f || fwrite(page->data, 1, page->len, f) != page->len;
    int sys = errno;
    if (f && fclose(f) != 0 && !bad) {
        bad = true;
        sys = errno;
    }
    return bad ? error_sys(err, STATUS_MACHINE, sys, "cannot write %s", path) : 0;
}

static char *default_output(const char *from, const char *lab)
{
    struct stat st;
    if (stat(from, &st) == 0 && S_ISDIR(st.st_mode))
        return xasprintf("%s/" EVIDENCE_PAGE, from);
    return xasprintf("%s.html", lab);
}

static int put_page(const char *output, const struct strbuf *page)
{
    struct error err = ERROR_INIT;
    if (write_page(output, page, &err) < 0)
        return cmd_fail(&err);
    if (strcmp(output, "-") != 0)
        printf("%s\n", output);
    return STATUS_PASSED;
}

static int judge_and_write(const struct options *options, const char *name)
{
    struct cmd_lab cl;
    struct error err = ERROR_INIT;
    struct strbuf page cleanup_strbuf = STRBUF_INIT;
    cleanup_free char *out_folder = xasprintf("out/%s", name);
    const char *from = options->from ? options->from : out_folder;
    int status = cmd_load_lab_for(&cl, name, &options->judging.values, from, true);
    struct record *record = status ? NULL : cmd_load_record(cl.lab, from, &err);
    if (record) {
        struct result *result = judge(cl.lab, cl.pattern, record, options->judging.slack);
        cleanup_free char *output =
            options->output ? xstrdup(options->output) : default_output(from, cl.lab->name);
        result->wall = record->ended - record->began;
        report_html(&page, result, cl.lab);
        status = put_page(output, &page);
        result_free(result);
        record_free(record);
    } else if (status == 0) {
        status = cmd_fail(&err);
    }
    cmd_free_lab(&cl);
    return status;
}

/* What is no lab's name. */
static int write_found(const struct options *options, const char *what, bool *found)
{
    struct cmd_shown s = {0};
    struct strbuf page cleanup_strbuf = STRBUF_INIT;
    int status = cmd_show_found(&s, what, &options->judging, PAGE_PACKETS, found);
    if (status == 0 && *found) {
        cleanup_free char *output =
            options->output ? xstrdup(options->output) : default_output(what, s.name);
        if (s.result)
            report_html(&page, s.result, s.cl.lab);
        else
            report_html_unjudged(&page, s.record, s.name);
        status = put_page(output, &page);
    }
    cmd_free_shown(&s);
    return status;
}

static int report(const struct options *options, const char *what)
{
    bool found = false;
    int status = options->from ? 0 : write_found(options, what, &found);
    return status || found ? status : judge_and_write(options, what);
}

int cmd_report(int argc, char **argv)
{
    struct options options = {0};
    int option, status = 0;
    cmd_judging_init(&options.judging);
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":F:o:s:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (option == 'F')
            options.from = optarg;
        else if (option == 'o')
            options.output = optarg;
        else if ((status = cmd_judging_option(&options.judging, "report", option, argv)))
            break;
    }
    if (status == 0 && optind != argc - 1)
        status =
            cmd_usage_error("report", "exactly one lab, folder of evidence or capture is needed");
    else if (status == 0)
        status = report(&options, argv[optind]);
    cmd_judging_free(&options.judging);
    return status;
}
