/* tcplab list: all labs, in the order of the course. */
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cmd.h"
#include "cmd_lab.h"
#include "lab/find.h"
#include "lab/lab.h"
#include "report/course.h"

static const char help[] =
    "usage: tcplab list [--format text|json]\n"
    "\n"
    "Lists the labs in labs/ below $TCPLAB_ROOT, the current folder or where tcplab\n"
    "was built, in the order of the course: by group, and in a group what others come\n"
    "after before those, then by level.  Labs that do not parse, or that come after a\n"
    "lab that is not there or after themselves, are listed as broken, and make the\n"
    "exit status 2.  JSON has them by name.\n";

/* Every lab that there is, read and parsed. */
struct listing {
    struct lab_names names;
    VEC(struct course_lab) labs; /* in the order of the names, until they are sorted */
    VEC(char *) paths;
};

static void read_lab(struct listing *l, const char *name)
{
    struct source src = {0};
    struct error err = ERROR_INIT;
    struct course_lab *entry = vec_add(&l->labs);
    char **path = vec_add(&l->paths);
    *entry = (struct course_lab){.name = name, .diags = xcalloc(1, sizeof(struct diags))};
    if (lab_find(name, path, NULL, &err) < 0 || source_read(&src, *path, &err) < 0) {
        diag_add(entry->diags, (struct span){0, 0}, NULL, "%s", err.message);
        error_clear(&err);
        return;
    }
    entry->lab = lab_parse(&src, NULL, 0, entry->diags);
}

static void free_listing(struct listing *l)
{
    vec_each (&l->labs, entry) {
        diags_free(entry->diags);
        free(entry->diags);
        lab_free((struct lab *)entry->lab);
    }
    vec_each (&l->paths, path)
        free(*path);
    vec_free(&l->labs);
    vec_free(&l->paths);
    lab_names_free(&l->names);
}

static json_t *course_json(const struct lab_course *course)
{
    json_t *object = json_object(), *after = json_array();
    vec_each (&course->after, a)
        json_array_append_new(after, json_string(a->name));
    json_object_set_new(object, "group", json_string(course_group_names[course->group]));
    json_object_set_new(object, "level", json_string(course_level_names[course->level]));
    json_object_set_new(object, "after", after);
    return object;
}

static json_t *lab_json(const struct course_lab *entry, const char *path)
{
    struct strbuf broken cleanup_strbuf = STRBUF_INIT;
    const struct lab *lab = entry->lab;
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(entry->name));
    if (lab) {
        json_object_set_new(object, "path", json_string(path));
        json_object_set_new(object, "title", json_string(lab->title));
        json_object_set_new(object, "summary", json_string(lab->summary));
        json_object_set_new(object, "hosts", json_integer((json_int_t)lab->hosts.n));
        json_object_set_new(object, "long", json_boolean(lab->is_long));
        json_object_set_new(object, "steps", json_integer((json_int_t)lab->steps.n));
        if (lab->course.group != GROUP_NONE)
            json_object_set_new(object, "course", course_json(&lab->course));
    }
    course_first_mistake(&broken, entry->diags);
    if (broken.len)
        json_object_set_new(object, "broken", json_string(strbuf_cstr(&broken)));
    return object;
}

/* By name, whatever the course says. */
static void print_json(const struct listing *l)
{
    json_t *array = json_array();
    for (size_t i = 0; i < l->labs.n; i++)
        json_array_append_new(array, lab_json(&l->labs.at[i], l->paths.at[i]));
    json_dumpf(array, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(array);
}

static int list_all(bool json)
{
    struct error err = ERROR_INIT;
    struct listing l = {0};
    if (lab_list(&l.names, &err) < 0)
        return cmd_fail(&err);
    int status = STATUS_PASSED;
    vec_each (&l.names.list, name)
        read_lab(&l, *name);
    course_check(l.labs.at, l.labs.n);
    vec_each (&l.labs, entry)
        if (entry->diags->list.n)
            status = STATUS_USAGE;
    if (json) {
        print_json(&l);
    } else {
        struct strbuf text cleanup_strbuf = STRBUF_INIT;
        struct text_options options = cmd_text_options(stdout);
        if (!isatty(STDOUT_FILENO))
            options.width = 80;
        course_sort(l.labs.at, l.labs.n);
        report_course(&text, l.labs.at, l.labs.n, &options);
        fputs(strbuf_cstr(&text), stdout);
    }
    free_listing(&l);
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
