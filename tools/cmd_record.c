/* tcplab record: writes a lab's expected transcript from a run of it. */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "run/job.h"

static const char help[] =
    "usage: tcplab record LAB [OPTIONS]\n"
    "\n"
    "Plays the lab (or takes stored evidence) and writes what was seen as its\n"
    "expected transcript.  Notes and labels of a transcript that is there already are\n"
    "kept where its lines still fit.  A transcript written this way says what\n"
    "happened, not what should have: read every line of it against the RFC before you\n"
    "believe it.\n"
    "\n"
    "  -o, --output FILE    where to (default: expected/LAB.txt; `-`: standard\n"
    "                       output)\n"
    "      --force          replace a file that exists\n"
    "  -F, --from DIR|FILE  from the evidence in DIR, or from a capture, instead of a\n"
    "                       new run\n"
    "      --vary NAME=N    the value of the lab's `vary NAME`\n"
    "      --ip 6           play it with IPv6 addresses: where a transcript that is there\n"
    "                       differs, its values become pairs, IPv4|IPv6\n"
    "  -h, --help\n";

struct recording {
    const char *output, *from;
    bool force;
    struct cmd_values values;
    struct cmd_lab cl;
    struct strbuf text;
    struct error err;
    bool finished;
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"force", no_argument, NULL, 'O'},
    {"from", required_argument, NULL, 'F'},
    {"vary", required_argument, NULL, 'V'},
    {"ip", required_argument, NULL, 'I'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int parse_option(struct recording *r, int option, char **argv)
{
    switch (option) {
    case 'o':
        r->output = optarg;
        return 0;
    case 'O':
        r->force = true;
        return 0;
    case 'F':
        r->from = optarg;
        return 0;
    case 'V':
        return cmd_add_value(&r->values, "record", optarg);
    case 'I':
        return cmd_take_ip(&r->values, "record", optarg);
    default:
        return cmd_option_error("record", option, argv);
    }
}

/* In the director's process. */
static int write_transcript(void *ctx, const struct lab *lab, struct record *record,
                            struct strbuf *reply, struct error *err)
{
    const struct recording *r = ctx;
    if (record->skipped)
        return error_set(err, STATUS_NOTHING, "lab %s cannot run here: %s", lab->name,
                         record->skipped);
    transcript_write(reply, lab, record, r->cl.pattern);
    if (record->stopped)
        return error_set(err, STATUS_FAILED, "lab %s did not get to its end: %s", lab->name,
                         record->stopped);
    return 0;
}

static void on_finished(void *ctx, const char *reply, size_t len, struct error *err)
{
    struct recording *r = ctx;
    r->finished = true;
    if (err) {
        r->err = *err;
        *err = (struct error)ERROR_INIT;
    } else {
        strbuf_add(&r->text, reply, len);
    }
}

static int play(struct recording *r, struct error *err)
{
    struct job_events events = {.finished = on_finished, .ctx = r};
    struct loop *loop = loop_new(err);
    if (!loop)
        return -1;
    const struct job_work work = {.body = write_transcript, .ctx = r};
    struct job *job = job_start(loop, r->cl.lab, &work, &events, err);
    while (job && !r->finished && loop_run_once(loop, NSEC_NEVER, err) >= 0)
        ;
    job_free(job);
    loop_free(loop);
    if (error_is_set(&r->err)) {
        *err = r->err;
        r->err = (struct error)ERROR_INIT;
    }
    return error_is_set(err) ? -1 : 0;
}

static int take_stored(struct recording *r, struct error *err)
{
    struct record *record = cmd_load_record(r->cl.lab, r->from, err);
    if (!record)
        return -1;
    int ret = write_transcript(r, r->cl.lab, record, &r->text, err);
    record_free(record);
    return ret;
}

static const char *output_of(const struct recording *r)
{
    return r->output ? r->output : r->cl.expected_path;
}

/* Before the lab is played, which may take minutes. */
static int check_output(const struct recording *r, struct error *err)
{
    const char *path = output_of(r);
    if (strcmp(path, "-") == 0 || r->force || access(path, F_OK) != 0)
        return 0;
    error_set(err, STATUS_USAGE, "%s exists already", path);
    return error_hint(err, "look at the new one with `-o -`, or replace it with --force");
}

/* The whole of it under another name first, so that the old one is never half gone. */
static int write_file(const char *path, const struct strbuf *text, struct error *err)
{
    cleanup_free char *new = xasprintf("%s.new", path);
    FILE *file = fopen(new, "wxe");
    if (!file)
        return error_sys(err, STATUS_USAGE, errno, "cannot write %s", new);
    bool bad = fputs(strbuf_cstr(text), file) == EOF;
    if (fclose(file) == 0 && !bad && rename(new, path) == 0)
        return 0;
    error_sys(err, STATUS_MACHINE, errno, "cannot write %s", path);
    unlink(new);
    return -1;
}

static int write_output(struct recording *r, struct error *err)
{
    const char *path = output_of(r);
    if (strcmp(path, "-") == 0) {
        fputs(strbuf_cstr(&r->text), stdout);
        return 0;
    }
    if (write_file(path, &r->text, err) < 0)
        return -1;
    fprintf(stderr, "tcplab: wrote %s\n", path);
    return 0;
}

/* The notes of a transcript that does not parse, or is not there, are not kept. */
static void load_old_notes(struct recording *r)
{
    struct error err = ERROR_INIT;
    struct source src;
    if (source_read(&src, r->cl.expected_path, &err) < 0) {
        error_clear(&err);
        return;
    }
    struct diags diags = {0};
    r->cl.pattern = pattern_parse(&src, r->cl.lab, &diags);
    if (diags.list.n) {
        pattern_free(r->cl.pattern);
        r->cl.pattern = NULL;
    }
    diags_free(&diags);
}

static int record_lab(struct recording *r, const char *name)
{
    struct error err = ERROR_INIT;
    int status = r->from ? cmd_load_lab_for(&r->cl, name, &r->values, r->from, false)
                         : cmd_load_lab(&r->cl, name, &r->values, false);
    if (status == 0) {
        load_old_notes(r);
        int ret = check_output(r, &err);
        if (ret == 0)
            ret = r->from ? take_stored(r, &err) : play(r, &err);
        if (ret < 0 || write_output(r, &err) < 0)
            status = cmd_fail(&err);
    }
    cmd_free_lab(&r->cl);
    strbuf_free(&r->text);
    return status;
}

int cmd_record(int argc, char **argv)
{
    struct recording r = {0};
    int option, status = 0;
    optind = 1;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":o:F:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        status = parse_option(&r, option, argv);
        if (status)
            break;
    }
    if (status == 0)
        status = optind == argc - 1 ? record_lab(&r, argv[optind])
                                    : cmd_usage_error("record", "exactly one lab is needed");
    vec_free(&r.values.list);
    return status;
}
