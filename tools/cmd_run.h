/* What the parts of `tcplab run` share: cmd_run.c takes the options and the labs,
 * cmd_run_play.c plays them here, cmd_run_kernel.c in a kernel under qemu. */
#ifndef TOOLS_CMD_RUN_H
#define TOOLS_CMD_RUN_H

#include "base/loop.h"
#include "cmd_lab.h"
#include "record/record.h"
#include "report/report.h"
#include "run/job.h"

enum entry_state { ENTRY_WAITING, ENTRY_RUNNING, ENTRY_REPORTED };

struct run;

struct entry {
    struct run *run;
    struct cmd_lab cl;
    nsec length; /* of a run on the real clock */
    char *out;   /* DIR/LAB */
    int claim;   /* of that folder; -1: none */
    struct job *job;
    enum entry_state state;
    char *awaited;
    /* What is shown of it while it is played (cmd_run_live.c): */
    char *ladder, *next; /* next: a segment that is due at next_due; NULL: it is not known */
    int ladder_width;
    nsec next_due;        /* CLOCK_MONOTONIC */
    nsec began, deadline; /* CLOCK_MONOTONIC */
};

struct run {
    bool all, play_long, no_page;
    size_t jobs;
    const char *out;
    struct cmd_judging judging;
    VEC(struct entry) entries;
    struct loop *loop;
    struct report *report;
    size_t running, reported;
    bool interrupted, aborted, drawn;
    size_t drawn_rows; /* above the line on what is awaited */
    int drawn_width;   /* of that line */
    /* With --kernel: */
    const char *kernel, *modules;
    nsec silence;
    struct boot *boot;
    char *progress; /* what the guest is at */
};

/* Plays all labs and reports each; -1 and an error when that cannot go on. */
int run_play_here(struct run *run, struct error *err);
int run_play_in_kernel(struct run *run, struct error *err);

/* For cmd_run_kernel.c.  Claims the folder of a lab's evidence and begins its time; -1:
 * it could not, and that is reported. */
int run_begin(struct entry *e);
/* Judges a record and saves it as the lab's evidence. */
int run_judge_and_save(struct entry *e, struct record *record, struct error *err);
/* Judges a record and reports it. */
void run_report_record(struct entry *e, const struct record *record);
/* Prints the error and reports the lab as one that could not be played. */
void run_report_error(struct entry *e, struct error *err);
/* The line on the terminal about what is awaited; a timer draws it. */
void run_draw_progress(void *ctx, nsec due);
void run_erase_progress(struct run *run);

/* cmd_run_live.c: whether a run is shown while it is played. */
bool run_is_live(const struct run *run);
/* A job_look_fn, and what main does with it. */
void run_look(void *ctx, const struct lab *lab, const struct record *so_far, struct strbuf *seen,
              nsec *left);
void run_take_look(void *ctx, const char *seen, size_t len, nsec left);
/* Draws the end of the ladder, leaving `below` rows of the screen; returns how many it took. */
size_t run_draw_ladder(const struct entry *e, size_t below);
/* `[S] seq 0 (retry3) is due in 3.2 s`; nothing if it is not known what is. */
void run_put_due(struct strbuf *sb, const struct entry *e);

#endif
