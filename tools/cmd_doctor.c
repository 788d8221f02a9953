/* `tcplab doctor`: each ability of this machine, yes or no, and how to mend a no. */

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

#include "cmd.h"
#include "netns/probe.h"

static void print_help(void)
{
    puts("usage: tcplab doctor [--format text|json]\n"
         "\n"
         "Tries what labs need of this machine and this user, and says of each whether it\n"
         "works and how to mend it if not.  Nothing is changed.\n"
         "\n"
         "  --format text|json  how to print it (default: text)\n"
         "  --help              this text\n"
         "\n"
         "Exit status: 0 if labs can run here, 3 if not.");
}

static void print_group(const struct probes *probes, bool needed, int width)
{
    puts(needed ? "\nneeded by every lab:" : "\nneeded by some, or good to know:");
    vec_each (&probes->list, p) {
        if (p->needed != needed)
            continue;
        printf("  %-3s %-*s  %s\n", p->ok ? "ok" : "no", width, p->name, p->detail);
        if (!p->ok)
            printf("      %-*s  mend: %s\n", width, "", p->mend);
    }
}

static void print_text(const struct probes *probes)
{
    int width = 0;
    vec_each (&probes->list, p)
        if ((int)strlen(p->name) > width)
            width = (int)strlen(p->name);
    puts(probes_can_run(probes) ? "Labs can run on this machine."
                                : "Labs cannot run on this machine.");
    print_group(probes, true, width);
    print_group(probes, false, width);
}

static void print_json(const struct probes *probes)
{
    json_t *list = json_array();
    vec_each (&probes->list, p) {
        json_t *one = json_pack("{s:s, s:b, s:b, s:s}", "name", p->name, "ok", p->ok, "needed",
                                p->needed, "detail", p->detail);
        if (p->mend)
            json_object_set_new(one, "mend", json_string(p->mend));
        json_array_append_new(list, one);
    }
    json_t *top = json_pack("{s:b, s:o}", "can_run", probes_can_run(probes), "probes", list);
    json_dumpf(top, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(top);
}

int cmd_doctor(int argc, char **argv)
{
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'}, {"format", required_argument, NULL, 'f'}, {0}};
    bool json = false;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":hf:", options, NULL)) != -1;) {
        if (c == 'h') {
            print_help();
            return STATUS_PASSED;
        }
        if (c != 'f')
            return cmd_option_error("doctor", c, argv);
        int status = cmd_text_or_json("doctor", optarg, &json);
        if (status)
            return status;
    }
    if (optind < argc)
        return cmd_usage_error("doctor", "it takes no argument \"%s\"", argv[optind]);

    struct probes probes = {0};
    struct error err = ERROR_INIT;
    if (probe_machine(&probes, &err) < 0)
        return cmd_fail(&err);
    if (json)
        print_json(&probes);
    else
        print_text(&probes);
    int status = probes_can_run(&probes) ? STATUS_PASSED : STATUS_MACHINE;
    probes_free(&probes);
    return status;
}
