/* The statement `course`, and the order that the statements of all labs make.
 *
 * "Comes after" is followed through all labs, also through those of other groups, so
 * the order within a group keeps what holds between its labs by way of others.  There
 * are some dozens of labs: plain matrices and repeated scans do. */
#include "lab/course.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lab/parser.h"

const char *const course_group_names[COURSE_GROUP_COUNT] = {
#define X(id, name, about) name,
    COURSE_GROUPS(X)
#undef X
};

const char *const course_group_abouts[COURSE_GROUP_COUNT] = {
#define X(id, name, about) about,
    COURSE_GROUPS(X)
#undef X
};

const char *const course_level_names[LEVEL_COUNT] = {
#define X(id, name) name,
    COURSE_LEVELS(X)
#undef X
};

/* ------------------------------------------------------------- the statement */

/* The next token as one of n words; -1 after a mistake that it has reported. */
static int word_of(struct parser *p, const char *what, const char *const *words, size_t n)
{
    char buffer[64];
    cleanup_free char *missing = xasprintf("the %s", what);
    const struct token *t = need(p, missing);
    if (!t)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (token_is(t, words[i]))
            return (int)i;
    struct strbuf hint cleanup_strbuf = STRBUF_INIT;
    const char *near = closest_name(t->text, t->len, words, n);
    if (near) {
        strbuf_printf(&hint, "did you mean \"%s\"?", near);
    } else {
        strbuf_puts(&hint, "one of ");
        for (size_t i = 0; i < n; i++)
            strbuf_printf(&hint, "%s%s", i ? ", " : "", words[i]);
    }
    complain(p, t->span, strbuf_cstr(&hint), "%s is no %s of the course", shown(p, t, buffer),
             what);
    return -1;
}

static bool is_lab_name(const struct token *t)
{
    if (!t->plain || t->len == 0)
        return false;
    for (size_t i = 0; i < t->len; i++)
        if (!isalnum((unsigned char)t->text[i]) && !strchr("-_.", t->text[i]))
            return false;
    return true;
}

static bool take_after(struct parser *p, struct lab_course *course, const struct token *t)
{
    char buffer[64];
    if (!is_lab_name(t)) {
        complain(p, t->span, "as `tcplab list` shows it, such as handshake",
                 "%s is no name of a lab", shown(p, t, buffer));
        return false;
    }
    if (strcmp(t->text, p->lab->name) == 0) {
        complain(p, t->span, NULL, "a lab does not come after itself");
        return false;
    }
    vec_each (&course->after, known) {
        if (strcmp(known->name, t->text) == 0) {
            complain(p, t->span, NULL, "it comes after \"%s\" already", t->text);
            return false;
        }
    }
    vec_push(&course->after, ((struct course_after){xstrdup(t->text), t->span}));
    return true;
}

void parse_course(struct parser *p)
{
    struct lab_course *course = &p->lab->course;
    if (course->group != GROUP_NONE) {
        complain(p, p->line, NULL, "the lab has its place in the course already");
        return;
    }
    int group = word_of(p, "group", course_group_names, COURSE_GROUP_COUNT);
    int level = group < 0 ? -1 : word_of(p, "level", course_level_names, LEVEL_COUNT);
    if (level < 0)
        return;
    course->span = p->line;
    course->level = (enum course_level)level;
    course->group = (enum course_group)group;
    if (!peek(p) || !need_word(p, "after"))
        return;
    const struct token *t = need(p, "the lab that comes before");
    while (t && take_after(p, course, t))
        t = peek(p) ? need(p, "") : NULL;
}

/* ------------------------------------------------------------------ all labs */

/* after[i * n + k]: lab i comes after lab k, perhaps by way of others. */
struct order {
    size_t n;
    bool *after;
};

static int find_lab(const struct course_lab *labs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(labs[i].name, name) == 0)
            return (int)i;
    return -1;
}

static struct order find_order(const struct course_lab *labs, size_t n)
{
    struct order order = {n, xcalloc(n * n + 1, sizeof(bool))};
    for (size_t i = 0; i < n; i++) {
        if (!labs[i].lab)
            continue;
        vec_each (&labs[i].lab->course.after, after) {
            int k = find_lab(labs, n, after->name);
            if (k >= 0)
                order.after[i * n + (size_t)k] = true;
        }
    }
    for (size_t via = 0; via < n; via++)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; order.after[i * n + via] && k < n; k++)
                order.after[i * n + k] |= order.after[via * n + k];
    return order;
}

static void unknown_lab(const struct course_lab *labs, size_t n, const struct course_lab *here,
                        const struct course_after *after)
{
    const char **names = xcalloc(n, sizeof(*names));
    for (size_t i = 0; i < n; i++)
        names[i] = labs[i].name;
    const char *near = closest_name(after->name, strlen(after->name), names, n);
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near) : xstrdup("`tcplab list` names them all");
    diag_add(here->diags, after->span, hint, "there is no lab \"%s\"", after->name);
    free(names);
}

void course_check(const struct course_lab *labs, size_t n)
{
    struct order order = find_order(labs, n);
    for (size_t i = 0; i < n; i++) {
        if (!labs[i].lab)
            continue;
        vec_each (&labs[i].lab->course.after, after) {
            int k = find_lab(labs, n, after->name);
            if (k < 0)
                unknown_lab(labs, n, &labs[i], after);
            else if (order.after[(size_t)k * n + i])
                diag_add(labs[i].diags, after->span, "one of the two has to come first",
                         "\"%s\" itself comes after \"%s\"", after->name, labs[i].name);
        }
    }
    free(order.after);
}

static enum course_group group_of(const struct course_lab *lab)
{
    return lab->lab ? lab->lab->course.group : GROUP_NONE;
}

/* Which of two labs comes first where nothing else decides. */
static int compare(const struct course_lab *a, const struct course_lab *b)
{
    enum course_group x = group_of(a), y = group_of(b);
    if (x != y)
        return x < y ? -1 : 1;
    if (x != GROUP_NONE && a->lab->course.level != b->lab->course.level)
        return a->lab->course.level < b->lab->course.level ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Whether a lab of the same group, not yet taken, has to stand before lab i. */
static bool must_wait(const struct course_lab *labs, const struct order *order, const bool *taken,
                      size_t i)
{
    for (size_t k = 0; k < order->n; k++)
        if (!taken[k] && group_of(&labs[k]) == group_of(&labs[i]) &&
            order->after[i * order->n + k] && !order->after[k * order->n + i])
            return true;
    return false;
}

void course_sort(struct course_lab *labs, size_t n)
{
    struct order order = find_order(labs, n);
    struct course_lab *sorted = xcalloc(n + 1, sizeof(*sorted));
    bool *taken = xcalloc(n + 1, sizeof(*taken));
    for (size_t done = 0; done < n; done++) {
        size_t first = n;
        for (size_t i = 0; i < n; i++)
            if (!taken[i] && !must_wait(labs, &order, taken, i) &&
                (first == n || compare(&labs[i], &labs[first]) < 0))
                first = i;
        taken[first] = true;
        sorted[done] = labs[first];
    }
    if (n)
        memcpy(labs, sorted, n * sizeof(*labs));
    free(order.after);
    free(sorted);
    free(taken);
}
