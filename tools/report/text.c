/* The report in the terminal: what was set up, the timeline, the verdict. */
#include "report/text.h"

#include "picture/picture.h"
#include "report/words.h"
#include "report/wrap.h"
#include "transcript/story.h"

#define MIN_WIDTH 60
#define MAX_WIDTH 400

static enum style verdict_style(enum verdict v)
{
    switch (v) {
    case VERDICT_PASS:
        return STYLE_GOOD;
    case VERDICT_FAIL:
    case VERDICT_ERROR:
        return STYLE_BAD;
    case VERDICT_SKIP:
    case VERDICT_NOISY:
        break;
    }
    return STYLE_WARN;
}

/* -------------------------------------------------------------------- parts */

static void put_title(struct text *t)
{
    const struct result *r = t->result;
    const char *rule = text_pick(t, "─", "-");
    cleanup_strbuf struct strbuf line = STRBUF_INIT;
    for (int i = 0; i < 2; i++)
        text_put(t, STYLE_DIM, rule);
    strbuf_puts(&line, r->lab);
    if (r->title && strcmp(r->title, r->lab) != 0)
        strbuf_printf(&line, ": %s", r->title);
    struct wrap w = {.s = line.data, .len = line.len, .utf8 = t->options->utf8};
    size_t from, to;
    int left = 0;
    for (bool begun = false; wrap_next(&w, t->width - 4, &from, &to); begun = true) {
        strbuf_puts(t->out, begun ? "\n   " : " ");
        text_put_n(t, STYLE_TITLE, line.data + from, to - from);
        left = t->width - 4 - glyphs_width(line.data + from, to - from, t->options->utf8);
    }
    strbuf_puts(t->out, left > 0 ? " " : "");
    cleanup_strbuf struct strbuf rules = STRBUF_INIT;
    for (; left > 0; left--)
        strbuf_puts(&rules, rule);
    text_put(t, STYLE_DIM, strbuf_cstr(&rules));
    strbuf_putc(t->out, '\n');
}

void text_heading(struct text *t, const char *s)
{
    strbuf_putc(t->out, '\n');
    text_wrapped(t, STYLE_TITLE, s, strlen(s), 0, 2, false);
}

/* `  host     client    10.0.0.1` */
static void put_fact(struct text *t, const char *kind, const char *name, const char *value)
{
    strbuf_puts(t->out, "  ");
    text_put_padded(t, STYLE_DIM, kind, 9);
    int indent = 11;
    if (name) {
        text_put_padded(t, STYLE_TITLE, name, 10);
        int width = glyphs_width(name, strlen(name), t->options->utf8);
        indent += width < 10 ? 10 : width + 1;
    }
    text_wrapped(t, STYLE_PLAIN, value, strlen(value), indent < t->width / 2 ? indent : 11, 0,
                 false);
}

static void put_hosts(struct text *t)
{
    vec_each (&t->record->hosts, host) {
        cleanup_strbuf struct strbuf addrs = STRBUF_INIT;
        vec_each (&host->addrs, addr) {
            strbuf_puts(&addrs, addrs.len ? ", " : "");
            strbuf_ipaddr(&addrs, addr);
        }
        put_fact(t, "host", host->name, strbuf_cstr(&addrs));
    }
}

static void put_points(struct text *t)
{
    vec_each (&t->record->points, point) {
        cleanup_strbuf struct strbuf line = STRBUF_INIT;
        words_point(&line, point);
        put_fact(t, "capture", point->name, line.data);
    }
}

static void put_machine(struct text *t)
{
    if (!t->record->kernel)
        return;
    cleanup_strbuf struct strbuf line = STRBUF_INIT;
    words_machine(&line, t->record);
    put_fact(t, "machine", NULL, line.data);
}

static void put_setup(struct text *t)
{
    put_hosts(t);
    put_points(t);
    put_machine(t);
    vec_each (&t->record->remarks, remark)
        put_fact(t, "remark", NULL, *remark);
}

/* `PASS  handshake: 7 segments and 9 calls, all as expected        0.03 s` */
static void put_verdict(struct text *t)
{
    const struct result *r = t->result;
    cleanup_strbuf struct strbuf line = STRBUF_INIT, words = STRBUF_INIT;
    strbuf_printf(&line, "%s", r->lab);
    words_verdict(&words, r);
    if (words.len)
        strbuf_printf(&line, ": %s", words.data);
    if (r->wall) {
        strbuf_puts(&line, " (");
        words_seconds(&line, r->wall);
        strbuf_putc(&line, ')');
    }
    strbuf_putc(t->out, '\n');
    const char *name = verdict_name(r->verdict);
    text_put(t, verdict_style(r->verdict), name);
    strbuf_puts(t->out, "  ");
    text_wrapped(t, STYLE_PLAIN, line.data, line.len, (int)strlen(name) + 2, 0, false);
}

/* -------------------------------------------------------------------- whole */

/* When the story began, and whether seconds or milliseconds suit its times. */
static void find_times(struct text *t)
{
    if (!t->record)
        return;
    struct story *story = story_new(t->record);
    t->has_zero = true;
    t->zero = story_zero(story);
    story_free(story);
    nsec last = t->record->ended - t->zero;
    vec_each (&t->result->lines, line)
        last = line->observed && line->time > last ? line->time : last;
    t->seconds = picture_in_seconds(last);
}

static void put_quiet(struct text *t)
{
    const struct result *r = t->result;
    text_put_padded(t, verdict_style(r->verdict), verdict_name(r->verdict), 6);
    text_put_padded(t, STYLE_PLAIN, r->lab, 20);
    cleanup_strbuf struct strbuf wall = STRBUF_INIT;
    if (r->wall)
        words_seconds(&wall, r->wall);
    int width = glyphs_width(strbuf_cstr(&wall), wall.len, t->options->utf8);
    strbuf_pad(t->out, ' ', width < 9 ? (size_t)(9 - width) : 0);
    text_put(t, STYLE_PLAIN, strbuf_cstr(&wall));
    if (r->verdict != VERDICT_PASS && r->reason) {
        strbuf_puts(t->out, "  ");
        text_put(t, STYLE_PLAIN, r->reason);
    }
    while (t->out->data[t->out->len - 1] == ' ')
        strbuf_truncate(t->out, t->out->len - 1);
    strbuf_putc(t->out, '\n');
}

static int clamp_width(int width)
{
    return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
}

static struct text new_text(struct strbuf *out, const struct result *result,
                            const struct text_options *options)
{
    return (struct text){
        .out = out,
        .options = options,
        .width = clamp_width(options->width),
        .result = result,
        .record = result->record,
    };
}

void report_text(struct strbuf *out, const struct result *result,
                 const struct text_options *options)
{
    struct text t = new_text(out, result, options);
    if (options->quiet) {
        put_quiet(&t);
        return;
    }
    find_times(&t);
    put_title(&t);
    if (t.record)
        put_setup(&t);
    if (result->lines.n || (t.record && t.record->calls.n)) {
        strbuf_putc(out, '\n');
        if (options->view != VIEW_LADDER || !text_ladder(&t))
            text_timeline(&t);
    }
    put_verdict(&t);
}

void report_live(struct strbuf *out, const struct result *so_far,
                 const struct text_options *options)
{
    struct text t = new_text(out, so_far, options);
    t.live = true;
    find_times(&t);
    text_ladder(&t);
}

/* ------------------------------------------------------------------- format */

static void text_begin(struct report *report)
{
    (void)report;
}

static void text_one(struct report *report, const struct result *result)
{
    /* Reports at length stand apart from what is around them; single lines do not. */
    if (report->done && (!report->text.quiet || !report->was_quiet))
        strbuf_putc(&report->out, '\n');
    report->was_quiet = report->text.quiet;
    report_text(&report->out, result, &report->text);
}

static void text_end(struct report *report)
{
    static const struct {
        enum verdict verdict;
        const char *words;
    } parts[] = {
        {VERDICT_PASS, "passed"},
        {VERDICT_FAIL, "failed"},
        {VERDICT_ERROR, "could not be run"},
        {VERDICT_SKIP, "skipped"},
        {VERDICT_NOISY, "too noisy to judge"},
    };
    if (report->total < 2)
        return;
    struct text t = {.out = &report->out, .options = &report->text};
    strbuf_printf(&report->out, "\n%zu lab%s", report->done, report->done == 1 ? "" : "s");
    const char *before = ": ";
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        size_t n = report->counts[parts[i].verdict];
        if (!n)
            continue;
        cleanup_free char *part = xasprintf("%zu %s", n, parts[i].words);
        strbuf_puts(&report->out, before);
        before = ", ";
        text_put(&t, verdict_style(parts[i].verdict), part);
    }
    strbuf_putc(&report->out, '\n');
}

const struct report_format report_text_format = {"text", text_begin, text_one, text_end};
