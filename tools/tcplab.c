/* The front door: a table of subcommands, no logic. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/version.h"
#include "cmd.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* NULL: not for people */
} commands[] = {
    {"run", cmd_run, "run labs and judge them"},
    {"check", cmd_check, "judge a stored run, or somebody's capture, again"},
    {"watch", cmd_watch, "show a run or a capture on the full screen"},
    {"compare", cmd_compare, "say whether two runs differ, where first, and why perhaps"},
    {"record", cmd_record, "write the expected transcript of a lab from a run"},
    {"report", cmd_report, "write the page of a stored run, or of somebody's capture"},
    {"new", cmd_new, "start a lab of your own"},
    {"list", cmd_list, "list the labs"},
    {"show", cmd_show, "show a lab: lesson, script and what is expected"},
    {"states", cmd_states, "show the states of a stored run's sockets, and what was traced"},
    {"verbs", cmd_verbs, "list the verbs of the lab language"},
    {"decode", cmd_decode, "print a capture file's packets as tcpdump does"},
    {"kernel", cmd_kernel, "list, fetch and add the kernels of `run --kernel`"},
    {"matrix", cmd_matrix, "run labs on several kernels and show where they differ"},
    {"doctor", cmd_doctor, "say what this machine can do, and how to mend what it cannot"},
    {"guest", cmd_guest, NULL},
};

static void print_help(FILE *to)
{
    fputs("usage: tcplab COMMAND [ARGUMENTS]\n\n", to);
    for (const struct command *c = commands; c < commands + ARRAY_SIZE(commands); c++)
        if (c->help)
            fprintf(to, "  %-9s %s\n", c->name, c->help);
    fputs("\n`tcplab COMMAND --help` tells more of each.\n", to);
}

static int unknown(const char *word)
{
    const char *names[ARRAY_SIZE(commands)];
    size_t n = 0;
    for (const struct command *c = commands; c < commands + ARRAY_SIZE(commands); c++)
        if (c->help)
            names[n++] = c->name;
    const char *near = closest_name(word, strlen(word), names, n);
    fprintf(stderr, "tcplab: there is no command \"%s\"\nhint: ", word);
    if (near)
        fprintf(stderr, "did you mean `tcplab %s`? ", near);
    fputs("`tcplab help` lists the commands\n", stderr);
    return STATUS_USAGE;
}

/* A standard descriptor that the caller closed must not become a socket or a pipe of
 * ours, into which the report would go.  What cannot be written to fails as it should. */
static void hold_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int run(int argc, char **argv)
{
    const char *word = argv[1];
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_help(stdout);
        return STATUS_PASSED;
    }
    if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
        puts("tcplab " TCPLAB_VERSION);
        return STATUS_PASSED;
    }
    for (const struct command *c = commands; c < commands + ARRAY_SIZE(commands); c++)
        if (strcmp(word, c->name) == 0)
            return cmd_end(c->run(argc - 1, argv + 1));
    return unknown(word);
}

int main(int argc, char **argv)
{
    hold_standard_descriptors();
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    int status = run(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_PASSED) {
        fprintf(stderr, "tcplab: cannot write the output: %s\n", strerror(errno));
        return STATUS_MACHINE;
    }
    return status;
}
