/* Calls and links between the packets, for a transcript that is written from a run. */
#include <stdlib.h>

#include "base/number.h"
#include "transcript/judge_write.h"

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

/* Those of which the old transcript speaks; its author left the others out. */
static size_t old_moments(struct judging *j, const struct call_lines *c, struct moment *list)
{
    size_t n = 0;
    vec_each (&j->pattern->items, item) {
        bool fits;
        const char *text = call_lines_text(j, c, item, &fits);
        nsec time = text ? call_lines_moment(c, item) : 0;
        if (time)
            list[n++] = (struct moment){time, item, NULL, fits ? NULL : xstrdup(text)};
    }
    return n;
}

/* What the script leaves open, a rerun does. */
static void put_range(struct strbuf *text, const struct record_call *call)
{
    int64_t least, most;
    if (!call->as_stated || !call->expected || !range_of_numbers(call->expected, &least, &most))
        return;
    strbuf_truncate(text, reader_find_arrow((struct slice){text->data, text->len}));
    strbuf_printf(text, "=> %s", call->expected);
}

/* Calls whose result the script states or that failed, and links. */
static size_t new_moments(const struct record *r, struct moment *list)
{
    size_t n = 0;
    vec_each (&r->calls, call) {
        struct strbuf text = STRBUF_INIT;
        if (call->ended == 0 || (!call->expected && !call->failed) ||
            !reader_has_call(slice_of(call->verb)))
            continue;
        story_format_call(&text, r, call);
        put_range(&text, call);
        list[n++] = (struct moment){call->ended, NULL, call, strbuf_steal(&text)};
    }
    vec_each (&r->events, e) {
        if (e->host < 0 || (size_t)e->host >= r->hosts.n)
            continue;
        char *text = xasprintf("link %s %s", r->hosts.at[e->host].name,
                               e->kind == EVENT_REPLUG ? "up" : "down");
        list[n++] = (struct moment){e->time, NULL, NULL, text};
    }
    return n;
}

struct moment *write_moments(struct judging *j, const struct track *t, size_t *n)
{
    const struct record *r = j->record;
    const struct pattern *old = j->pattern;
    struct moment *list = xcalloc(r->calls.n + r->events.n + old->items.n, sizeof(*list));
    if (old->items.n) {
        struct call_lines *c = call_lines_new(j, t);
        *n = old_moments(j, c, list);
        call_lines_free(c);
    } else {
        *n = new_moments(r, list);
    }
    if (*n)
        qsort(list, *n, sizeof(*list), by_time);
    return list;
}
