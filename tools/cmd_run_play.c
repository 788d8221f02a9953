/* Playing labs here: each in processes of its own.  Progress and reports.
 *
 * The director's process judges the run and saves the evidence; this process
 * reads the evidence back and judges it again, so what is reported is always what
 * the files in out/NAME/ say. */

#include "cmd_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "cmd.h"
#include "report/evidence.h"
#include "report/wrap.h"
#include "run/stage.h"

static const nsec PROGRESS_AFTER = NSEC_PER_SEC / 2;

/* --------------------------------------------------------------- progress --- */

void run_erase_progress(struct run *run)
{
    if (run->drawn && !cmd_has_codes(stderr))
        fprintf(stderr, "\r%*s\r", run->drawn_width, "");
    else if (run->drawn && run->drawn_rows)
        fprintf(stderr, "\r\033[%zuA\033[J", run->drawn_rows);
    else if (run->drawn)
        fputs("\r\033[K", stderr);
    run->drawn = false;
    run->drawn_rows = 0;
}

/* Puts what is awaited and how long yet into one row; when it is too narrow for both,
 * the former is cut, since the latter moves. */
static void put_progress(struct strbuf *row, const char *awaited, const char *how_long,
                         const struct text_options *text)
{
    const char *dots = text->utf8 ? "…" : "...";
    int room = text->width - 1 - glyphs_width(how_long, strlen(how_long), text->utf8);
    size_t len = strlen(awaited), keep = 0;
    struct glyph g;
    if (glyphs_width(awaited, len, text->utf8) <= room) {
        glyphs_put(row, awaited, len, text->utf8);
    } else if (room > 3) {
        int width = text->utf8 ? 1 : 3;
        for (; keep < len; keep += g.bytes, width += g.width) {
            glyph_at(&g, awaited + keep, len - keep, text->utf8);
            if (width + g.width > room)
                break;
        }
        glyphs_put(row, awaited, keep, text->utf8);
        strbuf_puts(row, dots);
    }
    if (room >= 0)
        strbuf_puts(row, how_long);
}

static void draw_row(struct run *run, const char *awaited, const char *how_long)
{
    struct text_options text = cmd_text_options(stderr);
    struct strbuf row cleanup_strbuf = STRBUF_INIT;
    put_progress(&row, awaited, how_long, &text);
    fputs(strbuf_cstr(&row), stderr);
    run->drawn = true;
    run->drawn_width = glyphs_width(strbuf_cstr(&row), row.len, text.utf8);
}

void run_draw_progress(void *ctx, nsec due)
{
    struct run *run = ctx;
    struct entry *shown = NULL;
    nsec now = clock_ns(CLOCK_MONOTONIC);
    (void)due;
    if (run->progress) {
        run_erase_progress(run);
        draw_row(run, run->progress, "");
        return;
    }
    vec_each (&run->entries, e)
        if (e->state == ENTRY_RUNNING && e->awaited && now - e->began > PROGRESS_AFTER &&
            (!shown || e->deadline > shown->deadline))
            shown = e;
    run_erase_progress(run);
    if (!shown)
        return;
    nsec left = shown->deadline > now ? shown->deadline - now : 0;
    int seconds = (int)(left / NSEC_PER_SEC);
    struct strbuf how_long cleanup_strbuf = STRBUF_INIT;
    strbuf_printf(&how_long, ", at most %d s more", seconds);
    if (run->running > 1 && cmd_text_options(stderr).width > 60)
        strbuf_printf(&how_long, "; %zu labs running", run->running);
    struct strbuf due_next cleanup_strbuf = STRBUF_INIT;
    run_put_due(&due_next, shown);
    cleanup_free char *awaited = due_next.len
                                     ? xasprintf("%s; %s", due_next.data, shown->awaited)
                                     : xasprintf("%s: %s", shown->cl.lab->name, shown->awaited);
    run->drawn_rows = run_draw_ladder(shown, 1);
    draw_row(run, awaited, strbuf_cstr(&how_long));
}

static void on_progress(void *ctx, const char *awaited, nsec left)
{
    struct entry *e = ctx;
    free(e->awaited);
    e->awaited = xstrdup(awaited);
    e->deadline = clock_ns(CLOCK_MONOTONIC) + left;
}

/* ------------------------------------------------------------------- jobs --- */

int run_judge_and_save(struct entry *e, struct record *record, struct error *err)
{
    struct result *result = judge(e->cl.lab, e->cl.pattern, record, e->run->judging.slack);
    result->wall = clock_ns(CLOCK_MONOTONIC) - e->began;
    struct strbuf transcript cleanup_strbuf = STRBUF_INIT;
    transcript_write(&transcript, e->cl.lab, record, e->cl.pattern);
    const struct lab *lab = e->run->no_page ? NULL : e->cl.lab;
    int ret = evidence_save(e->out, lab, record, result, strbuf_cstr(&transcript), err);
    result_free(result);
    return ret;
}

/* Waits until no other lab is judged: several at once, with their pages, would take the
 * processors from those that are still played, and make them late.  Ends with the process, or
 * when the descriptor is closed; -1: there is no turn to be had, and nothing to wait for. */
static int take_turn(const struct run *run)
{
    int fd = run->jobs > 1 ? open(run->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    return fd;
}

/* In the director's process. */
static int judge_and_save(void *ctx, const struct lab *lab, struct record *record,
                          struct strbuf *reply, struct error *err)
{
    (void)lab;
    (void)reply;
    const struct entry *e = ctx;
    int turn = take_turn(e->run);
    int ret = run_judge_and_save(ctx, record, err);
    if (turn >= 0)
        close(turn);
    return ret;
}

static void report_result(struct entry *e, struct result *result)
{
    struct run *run = e->run;
    result->wall = clock_ns(CLOCK_MONOTONIC) - e->began;
    run_erase_progress(run);
    /* Of many labs, those that passed need no more than their line. */
    run->report->text.quiet =
        run->judging.quiet || (run->entries.n > 1 && result->verdict == VERDICT_PASS);
    run->report->text.width = cmd_text_options(stdout).width; /* it may have changed */
    report_one(run->report, result);
    fflush(stdout);
    if (e->claim >= 0)
        close(e->claim);
    e->claim = -1;
    e->state = ENTRY_REPORTED;
    run->reported++;
    run->running--;
}

void run_report_record(struct entry *e, const struct record *record)
{
    struct result *result = judge(e->cl.lab, e->cl.pattern, record, e->run->judging.slack);
    report_result(e, result);
    result_free(result);
}

void run_report_error(struct entry *e, struct error *err)
{
    struct result *result = result_new(e->cl.lab->name);
    result->verdict = VERDICT_ERROR;
    result->title = xstrdup(e->cl.lab->title ? e->cl.lab->title : e->cl.lab->name);
    result->reason = xstrdup(err->message);
    run_erase_progress(e->run);
    cmd_fail(err);
    report_result(e, result);
    result_free(result);
}

static void on_finished(void *ctx, const char *reply, size_t len, struct error *err)
{
    struct entry *e = ctx;
    struct error local = ERROR_INIT;
    (void)reply;
    (void)len;
    if (err) {
        run_report_error(e, err);
        return;
    }
    struct record *record = cmd_load_record(e->cl.lab, e->out, &local);
    if (!record) {
        run_report_error(e, &local);
        return;
    }
    run_report_record(e, record);
    record_free(record);
}

static bool is_too_long(const struct entry *e)
{
    return e->cl.lab->is_long && !e->run->play_long && !stage_clock_is_virtual();
}

/* Leaves evidence, as any run: what is in DIR/LAB must not be of an earlier one. */
static void skip_long(struct entry *e)
{
    struct error err = ERROR_INIT;
    struct record *record = record_new();
    cleanup_free char *reason = cmd_long_reason(&e->cl);
    stage_note_skipped(record, e->cl.lab, reason);
    if (run_judge_and_save(e, record, &err) < 0)
        run_report_error(e, &err);
    else
        run_report_record(e, record);
    record_free(record);
}

int run_begin(struct entry *e)
{
    struct error err = ERROR_INIT;
    e->state = ENTRY_RUNNING;
    e->run->running++;
    e->began = clock_ns(CLOCK_MONOTONIC);
    e->claim = evidence_claim(e->out, &err);
    if (e->claim < 0)
        run_report_error(e, &err);
    return e->claim < 0 ? -1 : 0;
}

static void start(struct entry *e)
{
    struct error err = ERROR_INIT;
    bool live = run_is_live(e->run);
    struct job_events events = {
        .seen = run_take_look, .progress = on_progress, .finished = on_finished, .ctx = e};
    const struct job_work work = {judge_and_save, live ? run_look : NULL, e};
    if (run_begin(e) < 0)
        return;
    if (is_too_long(e)) {
        skip_long(e);
        return;
    }
    e->job = job_start(e->run->loop, e->cl.lab, &work, &events, &err);
    if (!e->job)
        run_report_error(e, &err);
}

/* Side by side the longest begins, so that none is left over at the end; else the first. */
static struct entry *next_waiting(const struct run *run)
{
    struct entry *next = NULL;
    vec_each (&run->entries, e)
        if (e->state == ENTRY_WAITING && (!next || (run->jobs > 1 && e->length > next->length)))
            next = e;
    return next;
}

static void start_more(struct run *run)
{
    struct entry *next;
    while (run->running < run->jobs && !run->interrupted && (next = next_waiting(run)))
        start(next);
}

static bool is_over(const struct run *run)
{
    return run->aborted ||
           (run->running == 0 && (run->interrupted || run->reported == run->entries.n));
}

int run_play_here(struct run *run, struct error *err)
{
    for (start_more(run); !is_over(run); start_more(run))
        if (loop_run_once(run->loop, NSEC_NEVER, err) < 0)
            return -1;
    return 0;
}
