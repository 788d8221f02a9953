/* tcplab check: judges evidence, or somebody's capture, without running anything. */

#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "cmd_lab.h"

static const char help[] =
    "usage: tcplab check LAB --from DIR|CAPTURE [OPTIONS]\n"
    "\n"
    "Judges a run against the lab's expected transcript, from the evidence that\n"
    "`tcplab run` left in DIR, or from a capture file that tcpdump or Wireshark made\n"
    "of the same scene.  What DIR says about its own verdict is not believed:\n"
    "everything is judged again.\n"
    "\n"
    "  -F, --from DIR|FILE  the evidence (required)\n"
    "  -s, --slack TIME     the lateness past which a run is too noisy to judge\n"
    "                       (default: 100ms)\n"
    "  -q, --quiet          one line\n"
    "  -f, --format FORMAT  text, json, tap, ktap or junit\n"
    "      --view VIEW      the text's: ladder (the default), or lines, as tcpdump has them\n"
    "      --vary NAME=N    the value of the lab's `vary NAME`\n"
    "      --ip 4|6         the version of IP, if that cannot be seen in what is judged\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 passed, 1 failed, 2 wrong usage or a file that cannot be read,\n"
    "4 not judged\n";

struct check {
    const char *from;
    struct cmd_judging judging;
};

static const struct option long_options[] = {
    {"from", required_argument, NULL, 'F'},
    CMD_JUDGING_LONG,
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int judge_and_report(const struct check *check, const char *name)
{
    struct cmd_lab cl;
    struct error err = ERROR_INIT;
    size_t counts[VERDICT_COUNT] = {0};
    int status = cmd_load_lab_for(&cl, name, &check->judging.values, check->from, true);
    if (status) {
        cmd_free_lab(&cl);
        return status;
    }
    struct record *record = cmd_load_record(cl.lab, check->from, &err);
    if (!record) {
        cmd_free_lab(&cl);
        return cmd_fail(&err);
    }
    struct text_options text = cmd_text_options(stdout);
    text.quiet = check->judging.quiet;
    text.view = check->judging.view;
    struct result *result = judge(cl.lab, cl.pattern, record, check->judging.slack);
    result->wall = record->ended - record->began;
    counts[result->verdict]++;
    struct report *report = report_new(check->judging.format, stdout, &text, 1);
    report_one(report, result);
    status = report_end(report, &err) < 0 ? cmd_fail(&err) : (int)cmd_verdicts_status(counts);
    result_free(result);
    record_free(record);
    cmd_free_lab(&cl);
    return status;
}

int cmd_check(int argc, char **argv)
{
    struct check check = {0};
    int option, status = 0;
    cmd_judging_init(&check.judging);
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":F:h" CMD_JUDGING_SHORT, long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (option == 'F')
            check.from = optarg;
        else if ((status = cmd_judging_option(&check.judging, "check", option, argv)))
            break;
    }
    if (status == 0 && optind != argc - 1)
        status = cmd_usage_error("check", "exactly one lab is needed");
    else if (status == 0 && !check.from)
        status = cmd_usage_error("check", "--from says what is to be judged");
    else if (status == 0)
        status = judge_and_report(&check, argv[optind]);
    cmd_judging_free(&check.judging);
    return status;
}
