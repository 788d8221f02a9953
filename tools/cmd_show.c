/* tcplab show: a lab for reading. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "lab/find.h"
#include "lab/lab.h"
#include "lab/render.h"

static const char help[] =
    "usage: tcplab show [--script | --expected] LAB\n\n"
    "Shows a lab: the lesson with its script, and the transcript that is expected.\n"
    "LAB is a name that `tcplab list` shows, or a path that ends in .md.\n\n"
    "  --script    only the script\n"
    "  --expected  only the expected transcript\n";

enum part { PART_ALL, PART_SCRIPT, PART_EXPECTED };

/* The terminal's width, kept readable; 80 columns in a pipe. */
static int prose_width(const struct text_options *text)
{
    int widest = isatty(STDOUT_FILENO) ? 100 : 80;
    return text->width < widest ? text->width : widest;
}

static void put_title(struct strbuf *out, const char *title, bool color)
{
    strbuf_printf(out, "\n%s%s%s\n", color ? "\033[1m" : "", title, color ? "\033[22m" : "");
    strbuf_pad(out, '-', strlen(title));
    strbuf_puts(out, "\n\n");
}

/* The expected transcript; a lab without one is an error only if it was asked for. */
static int put_expected(struct strbuf *out, const char *path, enum part part, bool color,
                        struct error *err)
{
    struct source src = {0};
    if (part == PART_ALL && access(path, F_OK) < 0)
        return 0;
    if (source_read(&src, path, err) < 0)
        return -1;
    if (part == PART_ALL) {
        cleanup_free char *title = xasprintf("What is expected (%s)", path);
        put_title(out, title, color);
    }
    render_plain(out, src.text, src.len);
    source_free(&src);
    return 0;
}

static int show(const char *name, enum part part)
{
    cleanup_free char *path = NULL, *expected = NULL;
    struct error err = ERROR_INIT;
    struct source src = {0};
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    if (lab_find(name, &path, &expected, &err) < 0 || source_read(&src, path, &err) < 0)
        return cmd_fail(&err);
    struct diags diags = {0};
    struct lab *lab = lab_parse(&src, NULL, 0, &diags);
    struct text_options text = cmd_text_options(stdout);
    int status = STATUS_PASSED;
    if (part == PART_SCRIPT)
        lab_render_script(&out, lab);
    else if (part == PART_ALL)
        lab_render(&out, lab, prose_width(&text), text.color);
    if (part != PART_SCRIPT && put_expected(&out, expected, part, text.color, &err) < 0)
        status = STATUS_USAGE;
    fputs(strbuf_cstr(&out), stdout);
    if (status != STATUS_PASSED)
        cmd_fail(&err);
    if (diags.list.n)
        status = cmd_fail_diags(&diags);
    lab_free(lab);
    return status;
}

int cmd_show(int argc, char **argv)
{
    static const struct option options[] = {{"script", no_argument, NULL, PART_SCRIPT},
                                            {"expected", no_argument, NULL, PART_EXPECTED},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    enum part part = PART_ALL;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (c == '?')
            return cmd_option_error("show", c, argv);
        if (part != PART_ALL && part != (enum part)c)
            return cmd_usage_error("show", "--script and --expected exclude each other");
        part = (enum part)c;
    }
    if (optind + 1 != argc)
        return cmd_usage_error("show", optind < argc ? "one lab at a time" : "which lab?");
    return show(argv[optind], part);
}
