/* tcplab list: all labs with their titles. */
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "lab/find.h"
#include "lab/lab.h"
#include "lab/render.h"

static const char help[] =
    "usage: tcplab list [--format text|json]\n"
    "\n"
    "Lists the labs in labs/ below $TCPLAB_ROOT, the current folder or where tcplab\n"
    "was built.  Labs that do not parse are listed as broken, and make the exit\n"
    "status 2.\n";

/* The mistake that comes first in the file, on one line. */
static void put_first(struct strbuf *out, const struct diags *diags)
{
    const struct diag *first = NULL;
    vec_each (&diags->list, d)
        if (!first || d->span.from < first->span.from)
            first = d;
    if (!first)
        return;
    size_t line, column;
    source_locate(diags->source, first->span.from, &line, &column);
    strbuf_printf(out, "%s:%zu:%zu: %s", diags->source->path, line, column, first->message);
}

/* Adds one lab to the text and the array; false if it is broken. */
static bool list_one(const char *name, int width, struct strbuf *text, json_t *array)
{
    cleanup_free char *path = NULL;
    struct source src = {0};
    struct diags diags = {0};
    struct error err = ERROR_INIT;
    struct lab *lab = NULL;
    struct strbuf broken cleanup_strbuf = STRBUF_INIT;
    json_t *entry = json_object();
    json_object_set_new(entry, "name", json_string(name));
    if (lab_find(name, &path, NULL, &err) < 0 || source_read(&src, path, &err) < 0) {
        strbuf_puts(&broken, err.message);
        error_clear(&err);
    } else {
        lab = lab_parse(&src, NULL, 0, &diags);
        json_object_set_new(entry, "path", json_string(path));
        json_object_set_new(entry, "title", json_string(lab->title));
        json_object_set_new(entry, "summary", json_string(lab->summary));
        json_object_set_new(entry, "hosts", json_integer((json_int_t)lab->hosts.n));
        json_object_set_new(entry, "long", json_boolean(lab->is_long));
        json_object_set_new(entry, "steps", json_integer((json_int_t)lab->steps.n));
        put_first(&broken, &diags);
    }
    if (broken.len)
        json_object_set_new(entry, "broken", json_string(strbuf_cstr(&broken)));
    strbuf_printf(text, "%-*s  ", width, name);
    strbuf_puts(text, broken.len ? "broken: " : "");
    const char *line = broken.len ? strbuf_cstr(&broken) : lab->title;
    render_plain(text, line, strlen(line));
    strbuf_putc(text, '\n');
    json_array_append_new(array, entry);
    diags_free(&diags);
    lab_free(lab);
    return broken.len == 0;
}

static int list_all(bool json)
{
    struct error err = ERROR_INIT;
    struct lab_names names = {0};
    if (lab_list(&names, &err) < 0)
        return cmd_fail(&err);
    int width = 0, status = STATUS_PASSED;
    vec_each (&names.list, name)
        width = (int)strlen(*name) > width ? (int)strlen(*name) : width;
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    json_t *array = json_array();
    vec_each (&names.list, name)
        if (!list_one(*name, width, &text, array))
            status = STATUS_USAGE;
    if (json) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        fputs(strbuf_cstr(&text), stdout);
    }
    json_decref(array);
    lab_names_free(&names);
    return status;
}

int cmd_list(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool json = false;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'h') {
            fputs(help, stdout);
            return STATUS_PASSED;
        }
        if (c != 'f')
            return cmd_option_error("list", c, argv);
        int status = cmd_text_or_json("list", optarg, &json);
        if (status)
            return status;
    }
    if (optind < argc)
        return cmd_usage_error("list", "it takes no argument \"%s\"", argv[optind]);
    return list_all(json);
}
