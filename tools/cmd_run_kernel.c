/* Playing labs in a kernel under qemu: all in one boot, one after another.
 *
 * The evidence that comes out of the guest is judged and saved here, as if it had been
 * recorded here, so a report never rests on what the guest's copy of tcplab claimed. */

#include "cmd_run.h"

#include <inttypes.h>
#include <stdio.h>

#include "cmd.h"
#include "kernel/boot.h"
#include "transcript/pattern.h"

struct in_kernel {
    struct run *run;
    struct kernel_image image;
    VEC(struct boot_lab) labs;
    VEC(size_t) entries; /* of each lab, its index in run->entries */
    VEC(char *) options;
    bool over; /* the guest was ended by a signal to us */
};

static struct entry *entry_of(struct in_kernel *k, size_t lab)
{
    return &k->run->entries.at[k->entries.at[lab]];
}

/* Claims its folder, unless that has been done. */
static int begin(struct entry *e)
{
    return e->state == ENTRY_WAITING ? run_begin(e) : 0;
}

static void on_progress(void *ctx, long lab)
{
    struct in_kernel *k = ctx;
    struct run *run = k->run;
    free(run->progress);
    if (lab < 0) {
        run->progress = xasprintf("booting Linux %s", k->image.name);
        return;
    }
    struct entry *e = entry_of(k, (size_t)lab);
    run->progress = xasprintf("Linux %s: lab %zu of %zu, %s", k->image.name, run->reported + 1,
                              run->entries.n, e->cl.lab->name);
    e->began = clock_ns(CLOCK_MONOTONIC);
}

/* "tcplab: MESSAGE" and perhaps a hint, as cmd_fail() prints them. */
static void take_printed(struct error *err, const char *printed)
{
    const char *message = strncmp(printed, "tcplab: ", 8) == 0 ? printed + 8 : printed;
    const char *hint = strstr(message, "\nhint: ");
    size_t len = strcspn(message, "\n");
    error_set(err, STATUS_MACHINE, "inside the guest: %.*s", (int)(len ? len : 7),
              len ? message : "nothing");
    if (hint)
        error_hint(err, "%.*s", (int)strcspn(hint + 7, "\n"), hint + 7);
}

static void on_played(void *ctx, size_t lab, const char *dir, const char *printed)
{
    struct in_kernel *k = ctx;
    struct entry *e = entry_of(k, lab);
    struct error err = ERROR_INIT;
    cleanup_free char *result = xasprintf("%s/result.json", dir);
    if (access(result, F_OK) < 0)
        take_printed(&err, printed);
    struct record *record = error_is_set(&err) ? NULL : cmd_load_record(e->cl.lab, dir, &err);
    if (record && run_judge_and_save(e, record, &err) == 0)
        run_report_record(e, record);
    else
        run_report_error(e, &err);
    if (record)
        record_free(record);
}

static void on_broken(void *ctx, size_t lab, struct error *err, const char *console)
{
    struct in_kernel *k = ctx;
    struct entry *e = entry_of(k, lab);
    if (k->run->interrupted) {
        k->over = true;
        return;
    }
    run_erase_progress(k->run);
    if (*console) {
        fflush(stdout);
        fprintf(stderr, "tcplab: the last lines of the console of Linux %s:\n", k->image.name);
        for (const char *line = console; *line;) {
            int len = (int)strcspn(line, "\n");
            fprintf(stderr, "  %.*s\n", len, line);
            line += len + (line[len] == '\n');
        }
    }
    run_report_error(e, err);
}

static void choose_labs(struct in_kernel *k)
{
    struct run *run = k->run;
    for (size_t i = 0; i < run->entries.n; i++) {
        struct entry *e = &run->entries.at[i];
        if (begin(e) < 0)
            continue;
        vec_push(&k->labs, ((struct boot_lab){.lab = e->cl.lab,
                                              .expected = &e->cl.pattern->source,
                                              .limit = job_longest(e->cl.lab)}));
        vec_push(&k->entries, i);
    }
    vec_each (&run->judging.values.list, value) {
        vec_push(&k->options, xstrdup("--vary"));
        vec_push(&k->options, xasprintf("%s=%" PRId64, value->name, value->value));
    }
    if (run->judging.values.ip)
        vec_push(&k->options, xasprintf("--ip=%u", run->judging.values.ip));
}

static int play(struct in_kernel *k, struct error *err)
{
    struct run *run = k->run;
    struct boot_options options = {.kernel = &k->image,
                                   .labs = k->labs.at,
                                   .n_labs = k->labs.n,
                                   .run_options = (const char *const *)k->options.at,
                                   .n_run_options = k->options.n,
                                   .silence = run->silence};
    struct boot_events events = {
        .progress = on_progress, .played = on_played, .broken = on_broken, .ctx = k};
    if (k->labs.n == 0)
        return 0;
    run->boot = boot_start(run->loop, &options, &events, err);
    if (!run->boot)
        return -1;
    while (!k->over && !run->aborted && run->reported < run->entries.n)
        if (loop_run_once(run->loop, NSEC_NEVER, err) < 0)
            return -1;
    return 0;
}

int run_play_in_kernel(struct run *run, struct error *err)
{
    struct in_kernel k = {.run = run};
    int ret = kernel_find(&k.image, run->kernel, run->modules, err);
    if (ret == 0) {
        choose_labs(&k);
        ret = play(&k, err);
    }
    boot_free(run->boot);
    run->boot = NULL;
    kernel_image_free(&k.image);
    vec_each (&k.options, option)
        free(*option);
    vec_free(&k.options);
    vec_free(&k.labs);
    vec_free(&k.entries);
    return ret;
}
