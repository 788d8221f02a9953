/* What the names of ephemeral ports stand for.
 *
 * Theory of operation.  A transcript may call a host's ephemeral ports as it likes;
 * the story calls them port, port2 … in order of appearance.  Within a host one
 * name is one port and two names are two, so what is sought is a one-to-one choice
 * of observed ports for names under which the alignment is cheapest.  Whatever is
 * chosen is consistent, so a run can pass only under a consistent choice; the
 * search only has to be wide enough not to miss one:
 *
 *   1. the same name where the story has it, the others in order of first use;
 *   2. as an alignment that ignores names would have it;
 *   3. all in order of first use;
 *   4. every choice, if they are few.
 *
 * It ends at the first choice that costs no more than the alignment that ignores names,
 * since none can cost less. */

#include <limits.h>

#include "transcript/judge_parts.h"

enum { MAX_CHOICES = 120 };

struct seen_port {
    struct slice host, name;
};

struct search {
    struct judging *j;
    struct track *t;
    VEC(struct seen_port) seen;
    VEC(int) used; /* names in this track, in order of first use */
    struct slice *best;
    struct match_path best_path;
    unsigned long least; /* no choice can cost less */
    bool any;
};

static void note_seen(struct search *s, const struct endpoint *e)
{
    if (!slice_is_name(e->port_value))
        return;
    vec_each (&s->seen, p)
        if (slice_equal(p->host, e->host_value) && slice_equal(p->name, e->port_value))
            return;
    if (s->seen.n < PATTERN_MAX_PORT_NAMES * 4)
        vec_push(&s->seen, ((struct seen_port){e->host_value, e->port_value}));
}

static void note_used(struct search *s, const struct endpoint *e)
{
    if (e->name < 0)
        return;
    vec_each (&s->used, name)
        if (*name == e->name)
            return;
    vec_push(&s->used, e->name);
}

static bool host_fits(const struct search *s, int name, const struct seen_port *p)
{
    struct slice host = s->j->pattern->names.at[name].host;
    return slice_is(host, "*") || slice_equal(host, p->host);
}

static bool taken(const struct search *s, const struct seen_port *p)
{
    vec_each (&s->used, name)
        if (s->t->ports[*name].n && host_fits(s, *name, p) &&
            slice_equal(s->t->ports[*name], p->name))
            return true;
    return false;
}

static void unbind(struct search *s)
{
    vec_each (&s->used, name)
        s->t->ports[*name] = (struct slice){NULL, 0};
}

static void bind_by_name(struct search *s)
{
    vec_each (&s->used, name)
        vec_each (&s->seen, p)
            if (host_fits(s, *name, p) && slice_equal(s->j->pattern->names.at[*name].name, p->name))
                s->t->ports[*name] = p->name;
}

static void bind_by_order(struct search *s)
{
    vec_each (&s->used, name)
        vec_each (&s->seen, p)
            if (!s->t->ports[*name].n && host_fits(s, *name, p) && !taken(s, p))
                s->t->ports[*name] = p->name;
}

/* Aligns under the present choice and keeps it if it is the best so far. */
static int attempt(struct search *s, struct error *err)
{
    struct track *t = s->t;
    struct match_path path = {0};
    unsigned long below = s->any ? s->best_path.cost : ULONG_MAX;
    if (match_align(&t->rules, t->lines.at, t->lines.n, t->seen.at, t->seen.n, below, &path, err) <
        0)
        return -1;
    if (path.cost >= below) {
        vec_free(&path.steps);
        return 0;
    }
    vec_free(&s->best_path.steps);
    s->best_path = path;
    s->any = true;
    for (size_t i = 0; i < s->j->pattern->names.n; i++)
        s->best[i] = t->ports[i];
    return 0;
}

/* Whether nothing can be cheaper than what was found. */
static bool is_found(const struct search *s)
{
    return s->any && s->best_path.cost <= s->least;
}

static void bind_pair(struct search *s, const struct endpoint *e, const struct endpoint *o)
{
    struct seen_port p = {o->host_value, o->port_value};
    if (e->name >= 0 && !s->t->ports[e->name].n && slice_is_name(p.name) &&
        host_fits(s, e->name, &p) && !taken(s, &p))
        s->t->ports[e->name] = p.name;
}

/* Every name stands for any port: which would be taken, and what does it cost at least? */
static int bind_by_alignment(struct search *s, struct error *err)
{
    struct track *t = s->t;
    struct match_path path = {0};
    vec_each (&s->used, name)
        t->ports[*name] = slice_of("*");
    int failed = match_align(&t->rules, t->lines.at, t->lines.n, t->seen.at, t->seen.n,
                             s->best_path.cost, &path, err);
    unbind(s);
    s->least = path.cost;
    vec_each (&path.steps, step) {
        if (step->op != MATCH_PAIR)
            continue;
        bind_pair(s, &t->lines.at[step->line].item->from, &t->seen.at[step->seen].line.from);
        bind_pair(s, &t->lines.at[step->line].item->to, &t->seen.at[step->seen].line.to);
    }
    vec_free(&path.steps);
    return failed;
}

/* Whether all choices are few enough to try them, and each is quick. */
static bool few(const struct search *s)
{
    size_t layers = s->t->lines.n + 1;
    vec_each (&s->t->lines, line)
        if (line->item->kind == ITEM_MIX_OPEN)
            layers += line->item->most;
    size_t cells = layers * (s->t->seen.n + 1);
    size_t choices = 1;
    for (size_t i = 0; i < s->used.n; i++) {
        if (i >= s->seen.n || choices > MAX_CHOICES)
            break;
        choices *= s->seen.n - i;
    }
    return choices <= MAX_CHOICES && cells < (size_t)MATCH_MAX_CELLS / MAX_CHOICES;
}

/* Chooses for names from `next` on; depth is bounded by MAX_CHOICES. */
static int bind_all_ways(struct search *s, size_t next, struct error *err)
{
    if (next == s->used.n)
        return attempt(s, err);
    int name = s->used.at[next];
    bool any = false;
    vec_each (&s->seen, p) {
        if (is_found(s) || !host_fits(s, name, p) || taken(s, p))
            continue;
        any = true;
        s->t->ports[name] = p->name;
        int failed = bind_all_ways(s, next + 1, err);
        s->t->ports[name] = (struct slice){NULL, 0};
        if (failed)
            return failed;
    }
    return any || is_found(s) ? 0 : bind_all_ways(s, next + 1, err);
}

static int search(struct search *s, struct error *err)
{
    bind_by_name(s);
    bind_by_order(s);
    if (attempt(s, err) < 0)
        return -1;
    if (is_found(s) || s->used.n == 0)
        return 0;
    if (bind_by_alignment(s, err) < 0)
        return -1;
    if (!is_found(s) && attempt(s, err) < 0)
        return -1;
    unbind(s);
    bind_by_order(s);
    if (!is_found(s) && attempt(s, err) < 0)
        return -1;
    unbind(s);
    if (!is_found(s) && few(s) && s->seen.n > 1)
        return bind_all_ways(s, 0, err);
    return 0;
}

int track_align(struct judging *j, struct track *t, struct error *err)
{
    struct search s = {.j = j, .t = t};
    s.best = xcalloc(j->pattern->names.n, sizeof(*s.best));
    vec_each (&t->lines, line) {
        if (line->item->kind != ITEM_SEGMENT)
            continue;
        note_used(&s, &line->item->from);
        note_used(&s, &line->item->to);
    }
    vec_each (&t->seen, o) {
        if (o->line.kind != ITEM_SEGMENT)
            continue;
        note_seen(&s, &o->line.from);
        note_seen(&s, &o->line.to);
    }
    int failed = search(&s, err);
    t->path = s.best_path;
    for (size_t i = 0; i < j->pattern->names.n; i++)
        t->ports[i] = s.best[i];
    judge_series(t);
    free(s.best);
    vec_free(&s.seen);
    vec_free(&s.used);
    return failed;
}
