/* The alignment fills only a part of its table: what it finds costs what the whole table,
 * filled here in the plainest way, says that it costs at least. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "transcript/match.h"
#include "unit.h"

enum { MOST = 64, WORDS = 5, LAYERS = 64, TEXT = 2 * WORDS };

/* One line of random words each; `groups` as the parser would leave them. */
struct problem {
    uint32_t state;
    char texts[2 * MOST][TEXT];
    size_t n_texts;
    struct pattern_item items[MOST];
    struct match_line lines[MOST];
    size_t n_lines;
    struct observed seen[MOST];
    size_t n_seen;
    unsigned long known[MOST + 1][LAYERS][MOST + 1]; /* 1 + the cost; 0: not known yet */
};

static unsigned draw(struct problem *p, unsigned n)
{
    p->state = p->state * 1664525 + 1013904223;
    return (p->state >> 8) % n;
}

static struct slice random_text(struct problem *p)
{
    char *text = p->texts[p->n_texts++];
    for (size_t i = 0; i < WORDS; i++) {
        text[2 * i] = (char)('a' + draw(p, 3));
        text[2 * i + 1] = ' ';
    }
    return (struct slice){text, TEXT - 1};
}

static struct pattern_item *add_line(struct problem *p, int group, bool optional)
{
    struct pattern_item *item = &p->items[p->n_lines];
    *item = (struct pattern_item){.kind = ITEM_WORDS, .group = group};
    item->text = random_text(p);
    p->lines[p->n_lines++] = (struct match_line){.item = item, .optional = optional};
    return item;
}

static void see(struct problem *p, struct slice text)
{
    if (p->n_seen == MOST)
        return;
    struct observed *o = &p->seen[p->n_seen++];
    *o = (struct observed){.plain = true};
    o->line.kind = ITEM_WORDS;
    o->line.text = text;
}

static void add_mix(struct problem *p, int group)
{
    struct pattern_item *mix = add_line(p, group, false);
    mix->kind = ITEM_MIX_OPEN;
    mix->least = draw(p, 4);
    mix->most = mix->least + draw(p, 12);
    struct slice texts[2] = {add_line(p, group, false)->text, add_line(p, group, false)->text};
    for (unsigned n = mix->least + draw(p, mix->most - mix->least + 1); n > 0; n--)
        see(p, texts[draw(p, 2)]);
}

/* Lines, and packets that fit them but for one in `spoilt` of a hundred. */
static void make_problem(struct problem *p, uint32_t seed, unsigned spoilt)
{
    memset(p, 0, sizeof(*p));
    p->state = seed;
    for (int group = 1; p->n_lines < 24; group++) {
        unsigned kind = draw(p, 12);
        if (kind == 0) {
            add_mix(p, group);
            continue;
        }
        for (unsigned n = kind == 1 ? 3 : 1; n > 0; n--) {
            bool optional = draw(p, 5) == 0;
            struct slice text = add_line(p, kind == 1 ? group : 0, optional)->text;
            if (draw(p, 100) < spoilt)
                text = random_text(p);
            if (draw(p, 100) >= spoilt / 2 && !(optional && draw(p, 2)))
                see(p, text);
            if (draw(p, 100) < spoilt / 2)
                see(p, text);
        }
    }
}

static void take_less(unsigned long *least, unsigned long cost)
{
    if (cost < *least)
        *least = cost;
}

static unsigned pair_cost(const struct problem *p, size_t line, size_t j)
{
    static const struct match_rules rules = {.complete = true};
    return match_compare(&rules, p->lines[line].item, &p->seen[j], NULL);
}

/* From block `i` on with `done` of it (a set of lines, or a number of packets) and packet
 * j next. */
static unsigned long cost_from(struct problem *p, size_t i, size_t done, size_t j)
{
    unsigned long *known = &p->known[i][done][j], least = ULONG_MAX;
    if (*known)
        return *known - 1;
    if (j < p->n_seen)
        least = MATCH_COST_UNEXPECTED + cost_from(p, i, done, j + 1);
    if (i == p->n_lines) {
        take_less(&least, (p->n_seen - j) * MATCH_COST_UNEXPECTED);
        *known = 1 + least;
        return least;
    }
    const struct pattern_item *first = p->lines[i].item;
    size_t n = 1;
    while (first->group && i + n < p->n_lines && p->lines[i + n].item->group == first->group)
        n++;
    if (first->kind == ITEM_MIX_OPEN) {
        for (size_t k = 1; k < n && j < p->n_seen && done < first->most; k++)
            take_less(&least, pair_cost(p, i + k, j) + cost_from(p, i, done + 1, j + 1));
        size_t missing = done < first->least ? first->least - done : 0;
        take_less(&least, missing * MATCH_COST_MISSING + cost_from(p, i + n, 0, j));
    } else if (done == ((size_t)1 << n) - 1) {
        least = cost_from(p, i + n, 0, j);
    } else {
        for (size_t k = 0; k < n; k++) {
            size_t then = done | (size_t)1 << k;
            if (then == done)
                continue;
            unsigned alone = p->lines[i + k].optional ? 0 : MATCH_COST_MISSING;
            take_less(&least, alone + cost_from(p, i, then, j));
            if (j < p->n_seen)
                take_less(&least, pair_cost(p, i + k, j) + cost_from(p, i, then, j + 1));
        }
    }
    *known = 1 + least;
    return least;
}

static unsigned long cost_of_path(const struct problem *p, const struct match_path *path)
{
    unsigned long cost = 0;
    vec_each (&path->steps, s) {
        const struct match_line *line = &p->lines[s->line];
        if (s->op == MATCH_UNEXPECTED)
            cost += MATCH_COST_UNEXPECTED;
        else if (s->op == MATCH_PAIR)
            cost += pair_cost(p, s->line, s->seen);
        else if (line->item->kind != ITEM_MIX_OPEN)
            cost += line->optional ? 0 : MATCH_COST_MISSING;
    }
    return cost;
}

static void align(struct problem *p, unsigned long below, struct match_path *path)
{
    static const struct match_rules rules = {.complete = true};
    struct error err = ERROR_INIT;
    *path = (struct match_path){.cost = 0};
    ck_assert_int_eq(
        match_align(&rules, p->lines, p->n_lines, p->seen, p->n_seen, below, path, &err), 0);
}

static void check_problem(struct problem *p)
{
    unsigned long least = cost_from(p, 0, 0, 0);
    struct match_path path;
    align(p, ULONG_MAX, &path);
    ck_assert_uint_eq(path.cost, least);
    ck_assert_uint_le(cost_of_path(p, &path), least); /* what a mix is short of is no step */
    size_t next = 0;
    vec_each (&path.steps, s)
        if (s->op == MATCH_UNEXPECTED || s->op == MATCH_PAIR)
            ck_assert_uint_eq(s->seen, next++);
    ck_assert_uint_eq(next, p->n_seen);
    vec_free(&path.steps);
    for (unsigned long below = 1; below < 2 * least; below += 1 + least / 3) {
        align(p, below, &path);
        if (least < below)
            ck_assert_uint_eq(path.cost, least);
        else
            ck_assert_uint_ge(path.cost, below);
        vec_free(&path.steps);
    }
}

START_TEST(as_cheap_as_the_whole_table)
{
    static const unsigned spoilt[] = {0, 3, 10, 40, 100};
    struct problem *p = xcalloc(1, sizeof(*p));
    for (uint32_t seed = 0; seed < 40; seed++) {
        make_problem(p, seed * 8 + (uint32_t)_i, spoilt[_i]);
        check_problem(p);
    }
    free(p);
}
END_TEST

static Suite *suite_align(void)
{
    Suite *s = suite_create("align");
    TCase *t = tcase_create("least cost");
    tcase_add_loop_test(t, as_cheap_as_the_whole_table, 0, 5);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_align)
