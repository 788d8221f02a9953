/* A lab while it is being played, for a terminal: the ladder so far, and how long until the
 * next segment should come.
 *
 * The director's process draws it when nothing happens (run/director.h), so that drawing
 * disturbs nothing; this process puts it on the screen, counts down, and takes it off again
 * before the report is printed. */
#include <stdio.h>
#include <sys/ioctl.h>

#include "cmd.h"
#include "cmd_run.h"
#include "picture/picture.h"
#include "report/wrap.h"
#include "transcript/judge.h"

/* A run of more packets is shown when it is over. */
enum { PACKETS_MAX = 600 };
/* Of a long ladder the end is told, as many rows as any screen has. */
enum { ROWS_MAX = 100 };

/* ------------------------------------------------- in the director's process --- */

/* The stamp of the last segment, and the line that the transcript has behind it. */
static const struct result_line *find_next(const struct result *result, nsec *last)
{
    const struct result_line *next = NULL;
    *last = 0;
    vec_each (&result->lines, line) {
        if (line->kind != LINE_SEGMENT || line->point)
            continue;
        if (line->observed) {
            *last = line->time;
            next = NULL;
        } else if (!next && line->status == LINE_MISSING) {
            next = line;
        }
    }
    return next;
}

/* "[S] seq 0 win 64240 (retry3)" */
static void put_next(struct strbuf *sb, const struct result_line *next)
{
    picture_line_words(sb, next->expected, PICTURE_NO_WINDOW);
    if (next->label)
        strbuf_printf(sb, " (%s)", next->label);
}

/* Its interval, if it has one. */
static bool takes(const struct result_line *line, nsec *interval)
{
    const char *s = line->expected;
    return s && *s == '+' && parse_duration(s + 1, strcspn(s + 1, " "), interval) > 0;
}

/* The last `most` rows of a text whose rows end with a newline; *rows: how many they are. */
static const char *last_rows(const char *text, size_t most, size_t *rows)
{
    const char *from = text + strlen(text);
    for (*rows = 0; from > text && *rows < most; ++*rows)
        for (from--; from > text && from[-1] != '\n'; from--)
            ;
    return from;
}

/* Told is, up to a NUL, what comes next, and then the ladder. */
void run_look(void *ctx, const struct lab *lab, const struct record *so_far, struct strbuf *seen,
              nsec *left)
{
    struct entry *e = ctx;
    struct text_options text = cmd_text_options(stdout);
    nsec now = clock_ns(CLOCK_REALTIME), last, interval;
    if (so_far->packets.n == 0 || so_far->packets.n > PACKETS_MAX)
        return;
    struct record *glance = record_glance(so_far, now);
    struct result *result = judge(lab, e->cl.pattern, glance, e->run->judging.slack);
    const struct result_line *next = find_next(result, &last);
    if (next && takes(next, &interval)) {
        put_next(seen, next);
        struct story *story = story_new(glance);
        *left = story_zero(story) + last + interval - now;
        story_free(story);
    }
    strbuf_putc(seen, '\0');
    struct strbuf ladder cleanup_strbuf = STRBUF_INIT;
    size_t rows;
    report_live(&ladder, result, &text);
    strbuf_puts(seen, last_rows(strbuf_cstr(&ladder), ROWS_MAX, &rows));
    result_free(result);
    record_glance_free(glance);
}

/* --------------------------------------------------------- in this process --- */

bool run_is_live(const struct run *run)
{
    struct text_options text = cmd_text_options(stdout);
    return run->entries.n == 1 && !run->kernel && !run->judging.quiet &&
           run->judging.view == VIEW_LADDER && run->judging.format == &report_text_format &&
           cmd_has_codes(stdout) && cmd_has_codes(stderr) && text.width >= 60;
}

void run_take_look(void *ctx, const char *seen, size_t len, nsec left)
{
    struct entry *e = ctx;
    const char *end = memchr(seen, '\0', len);
    if (!end)
        return;
    free(e->next);
    free(e->ladder);
    e->next = end > seen ? xstrdup(seen) : NULL;
    e->next_due = clock_ns(CLOCK_MONOTONIC) + left;
    e->ladder = xstrndup(end + 1, len - (size_t)(end + 1 - seen));
    e->ladder_width = cmd_text_options(stdout).width;
}

static int screen_height(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

/* The end of the ladder, as much as the screen has room for; returns the rows. */
size_t run_draw_ladder(const struct entry *e, size_t below)
{
    int height = screen_height() - (int)below - 1;
    if (!e->ladder || !*e->ladder || height < 2 ||
        e->ladder_width != cmd_text_options(stdout).width)
        return 0;
    size_t rows;
    fputs(last_rows(e->ladder, (size_t)height, &rows), stderr);
    return rows;
}

/* `[S] seq 0 (retry3) is due in 3.2 s`; nothing if it is not known. */
void run_put_due(struct strbuf *sb, const struct entry *e)
{
    if (!e->next)
        return;
    nsec left = e->next_due - clock_ns(CLOCK_MONOTONIC);
    if (left > 0)
        strbuf_printf(sb, "%s is due in %.1f s", e->next, (double)left / (double)NSEC_PER_SEC);
    else
        strbuf_printf(sb, "%s is due", e->next);
}
