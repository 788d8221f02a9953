/* The matcher.
 *
 * Theory of operation.  Expected lines and observed packets are two sequences;
 * judging them is finding the cheapest way to turn one into the other (Needleman
 * and Wunsch, 1970): a packet taken for a line costs what differs (0 if nothing
 * does), a line without a packet is MISSING, a packet without a line UNEXPECTED.
 * Every check is local, an interval to the packet *observed* before, so the table
 * below finds the true minimum, and the run is right exactly if that is 0.
 *
 * The costs (match_compare.c) are chosen so that the result reads as a person
 * would tell it.  MISSING and UNEXPECTED cost 100 each and no single field as
 * much, so one changed field is one line that DIFFERS; as the number of lines and
 * packets decides how many stay alone, one deleted line is one UNEXPECTED packet
 * and one added line one MISSING.  Two lines whose differences cost more than 200
 * are two different things: MISSING and UNEXPECTED.
 *
 * The table.  Layer i stands for "lines before i are done", column j for "packets
 * before j are done"; a cell holds the cheapest cost to the end, so it is filled
 * from the end, and the path is read from the start.  Of equally cheap ways the
 * path takes, in this order, a pair, a line alone, a packet alone: of several equal
 * lines the last is missing.  Only the costs of two layers are kept; a byte a cell
 * remembers the choice.
 *
 * Most runs are right, and walk_straight() finds that out without the table.  Most wrong
 * runs are right but for a few lines, and their path keeps near the diagonal: where the
 * lines before a layer account for `least` to `most` packets, being in column j there has
 * cost 100 for each packet that j is past the one or short of the other, and so do the
 * packets from j on and the lines behind.  So only columns within `slip` of what the lines
 * account for are filled, and a whole that costs no more than 100 * slip cannot have been
 * cheaper outside them; else the table is filled again with a larger slip (Ukkonen, 1985).
 *
 * `mix N..M { … }` is M + 1 layers, one for each number of packets that are taken
 * already; a packet is taken for the line of the mix that it costs least.  Leaving the
 * mix in a layer before N costs a MISSING for each packet that it is short of.
 *
 * `any order { … }` of m lines is 2^m layers, one for each set of lines that are
 * done; a choice then names its line.  A quiet line consumes nothing: passing it in
 * column j costs nothing if it was silent long enough before packet j. */

#include "transcript/match.h"

#include <limits.h>

enum {
    COST_QUIET = 30,
    COST_INFINITE = 0x3fffffff, /* of a cell outside the band */
    FIRST_SLIP = 4,
    SLIP_GROWTH = 4,
};

/* A choice: UNEXPECTED, or 1 + 2 * member + (0: pair, 1: missing). */
enum { CHOICE_UNEXPECTED, CHOICE_PAIR, CHOICE_MISSING };
_Static_assert(CHOICE_MISSING + 2 * (PATTERN_MAX_GROUP - 1) <= UCHAR_MAX, "a choice is a byte");

/* For how many packets some lines account at no cost. */
struct share {
    long least, most;
};

/* A line that stands alone, the members of a group, or a mix and its lines. */
struct block {
    const struct pattern_item *mix; /* NULL: none */
    size_t first, n;
    size_t layer; /* its first layer in the table */
    struct share before, behind;
};

struct table {
    const struct match_rules *rules;
    const struct match_line *lines;
    const struct observed *seen;
    size_t n_lines, n_seen;
    VEC(struct block) blocks;
    struct share all;
    long slip;
    size_t layers;
    unsigned char *choices; /* layers * (n_seen + 1) */
    unsigned *costs;        /* of the layers of one block, and of the one behind it */
};

static size_t width(const struct table *t)
{
    return t->n_seen + 1;
}

static size_t layers_of(const struct block *b)
{
    if (b->mix)
        return (size_t)b->mix->most + 1;
    return b->n > 1 ? (size_t)1 << b->n : 1;
}

/* Of how many layers the costs are kept at a time. */
static size_t rows_of(const struct block *b)
{
    return b->mix ? 2 : layers_of(b);
}

static struct share line_share(const struct match_line *line)
{
    if (line->item->kind == ITEM_QUIET)
        return (struct share){0, 0};
    return (struct share){!line->optional, 1};
}

static struct share block_share(const struct table *t, const struct block *b)
{
    struct share all = {0, 0};
    if (b->mix)
        return (struct share){(long)b->mix->least, (long)b->mix->most};
    for (size_t i = 0; i < b->n; i++) {
        struct share one = line_share(&t->lines[b->first + i]);
        all.least += one.least;
        all.most += one.most;
    }
    return all;
}

static void find_shares(struct table *t)
{
    vec_each (&t->blocks, b) {
        struct share own = block_share(t, b);
        b->before = t->all;
        t->all.least += own.least;
        t->all.most += own.most;
        b->behind = t->all;
    }
    vec_each (&t->blocks, b) {
        b->behind.least = t->all.least - b->behind.least;
        b->behind.most = t->all.most - b->behind.most;
    }
}

/* Columns, the last one included; none if it is before the first. */
struct band {
    long first, last;
};

/* Of a layer before which lines account for `before` packets, and for `rest` behind. */
static struct band band_of(const struct table *t, struct share before, struct share rest)
{
    long n = (long)t->n_seen;
    long first = before.least > n - rest.most ? before.least : n - rest.most;
    long last = before.most < n - rest.least ? before.most : n - rest.least;
    first -= t->slip;
    last += t->slip;
    return (struct band){first < 0 ? 0 : first, last > n ? n : last};
}

static struct share sum(struct share a, struct share b)
{
    return (struct share){a.least + b.least, a.most + b.most};
}

/* The columns of all layers of a block. */
static struct band block_band(const struct table *t, const struct block *b)
{
    struct share own = block_share(t, b);
    return band_of(t, (struct share){b->before.least, b->before.most + own.most},
                   (struct share){b->behind.least, b->behind.most + own.most});
}

static void clear_costs(unsigned *costs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        costs[i] = COST_INFINITE;
}

static int lay_out(struct table *t, struct error *err)
{
    size_t most = 1;
    for (size_t i = 0; i < t->n_lines;) {
        struct block b = {.first = i, .n = 1, .layer = t->layers};
        int group = t->lines[i].item->group;
        if (t->lines[i].item->kind == ITEM_MIX_OPEN)
            b.mix = t->lines[i].item;
        while (group && i + b.n < t->n_lines && b.n < PATTERN_MAX_GROUP + (b.mix != NULL) &&
               t->lines[i + b.n].item->group == group)
            b.n++;
        i += b.n;
        t->layers += layers_of(&b);
        if (rows_of(&b) > most)
            most = rows_of(&b);
        vec_push(&t->blocks, b);
        if ((int64_t)t->layers > MATCH_MAX_CELLS / (int64_t)width(t))
            return error_set(err, STATUS_USAGE,
                             "%zu lines and %zu packets are too many to compare: the table has "
                             "room for %lld cells",
                             t->n_lines, t->n_seen, (long long)MATCH_MAX_CELLS);
    }
    find_shares(t);
    t->choices = xcalloc(t->layers, width(t));
    t->costs = xcalloc((most + 1) * width(t), sizeof(*t->costs));
    return 0;
}

/* Of two lines that one packet fits, the one that says less of it is missing. */
static unsigned missing_cost(const struct match_line *line)
{
    return line->optional ? 0 : MATCH_COST_MISSING + line->item->has_interval;
}

static void keep(unsigned *best, unsigned char *choice, unsigned cost, size_t as)
{
    if (cost < *best) {
        *best = cost;
        *choice = (unsigned char)as;
    }
}

/* One line: `next` are the costs behind it. */
static void fill_line(struct table *t, const struct block *b, const unsigned *next, unsigned *cost)
{
    const struct match_line *line = &t->lines[b->first];
    unsigned char *choice = t->choices + b->layer * width(t);
    bool quiet = line->item->kind == ITEM_QUIET;
    struct band band = band_of(t, b->before, sum(line_share(line), b->behind));
    clear_costs(cost, width(t));
    for (long at = band.last; at >= band.first; at--) {
        size_t j = (size_t)at;
        unsigned best = COST_INFINITE;
        if (quiet)
            keep(&best, &choice[j],
                 next[j] + (match_quiet(t->rules, line->item, t->seen, t->n_seen, j) == QUIET_BROKEN
                                ? COST_QUIET
                                : 0),
                 CHOICE_MISSING);
        else if (j < t->n_seen)
            keep(&best, &choice[j],
                 next[j + 1] + match_compare(t->rules, line->item, &t->seen[j], NULL), CHOICE_PAIR);
        if (!quiet)
            keep(&best, &choice[j], next[j] + missing_cost(line), CHOICE_MISSING);
        if (j < t->n_seen)
            keep(&best, &choice[j], cost[j + 1] + MATCH_COST_UNEXPECTED, CHOICE_UNEXPECTED);
        cost[j] = best;
    }
}

/* The layer of a group where the members in `done` are done. */
static void fill_set(struct table *t, const struct block *b, const unsigned *pairs, size_t done)
{
    unsigned *cost = t->costs + done * width(t);
    unsigned char *choice = t->choices + (b->layer + done) * width(t);
    struct share before = b->before, rest = b->behind;
    for (size_t k = 0; k < b->n; k++) {
        struct share *side = done >> k & 1 ? &before : &rest;
        *side = sum(*side, line_share(&t->lines[b->first + k]));
    }
    struct band band = band_of(t, before, rest);
    clear_costs(cost, width(t));
    for (long at = band.last; at >= band.first; at--) {
        size_t j = (size_t)at;
        unsigned best = COST_INFINITE;
        for (size_t k = 0; k < b->n && j < t->n_seen; k++)
            if (!(done >> k & 1))
                keep(&best, &choice[j],
                     t->costs[(done | (size_t)1 << k) * width(t) + j + 1] +
                         pairs[k * t->n_seen + j],
                     CHOICE_PAIR + 2 * k);
        for (size_t k = 0; k < b->n; k++)
            if (!(done >> k & 1))
                keep(&best, &choice[j],
                     t->costs[(done | (size_t)1 << k) * width(t) + j] +
                         missing_cost(&t->lines[b->first + k]),
                     CHOICE_MISSING + 2 * k);
        if (j < t->n_seen)
            keep(&best, &choice[j], cost[j + 1] + MATCH_COST_UNEXPECTED, CHOICE_UNEXPECTED);
        cost[j] = best;
    }
}

/* A group: the set of all members has the costs of what stands behind. */
static void fill_group(struct table *t, const struct block *b, const unsigned *next)
{
    size_t all = layers_of(b) - 1;
    unsigned *pairs = xcalloc(b->n * (t->n_seen ? t->n_seen : 1), sizeof(*pairs));
    struct band band = block_band(t, b);
    for (size_t k = 0; k < b->n; k++)
        for (long j = band.first; j <= band.last && j < (long)t->n_seen; j++)
            pairs[k * t->n_seen + (size_t)j] =
                match_compare(t->rules, t->lines[b->first + k].item, &t->seen[j], NULL);
    memmove(t->costs + all * width(t), next, width(t) * sizeof(*next));
    for (size_t done = all; done-- > 0;)
        fill_set(t, b, pairs, done);
    free(pairs);
}

/* What it costs least to take a packet for a line of a mix, and which line that is. */
struct fit {
    unsigned cost;
    unsigned char member;
};

static struct fit *fits_of(const struct table *t, const struct block *b)
{
    struct fit *fits = xcalloc(t->n_seen ? t->n_seen : 1, sizeof(*fits));
    struct band band = block_band(t, b);
    for (long j = band.first; j <= band.last && j < (long)t->n_seen; j++) {
        fits[j].cost = MATCH_COST_NEVER;
        for (size_t k = 0; k + 1 < b->n && fits[j].cost; k++) {
            unsigned cost =
                match_compare(t->rules, t->lines[b->first + 1 + k].item, &t->seen[j], NULL);
            if (cost < fits[j].cost)
                fits[j] = (struct fit){cost, (unsigned char)k};
        }
    }
    return fits;
}

/* Layer k: k packets are taken. */
static void fill_mix(struct table *t, const struct block *b, const unsigned *next)
{
    struct fit *fits = fits_of(t, b);
    unsigned *cost = t->costs, *more = t->costs + width(t);
    for (size_t k = layers_of(b); k-- > 0;) {
        unsigned char *choice = t->choices + (b->layer + k) * width(t);
        unsigned short_of = k < b->mix->least ? (unsigned)(b->mix->least - k) : 0;
        struct share taken = {(long)k, (long)k}, left = {short_of, (long)(b->mix->most - k)};
        struct band band = band_of(t, sum(b->before, taken), sum(left, b->behind));
        clear_costs(cost, width(t));
        for (long at = band.last; at >= band.first; at--) {
            size_t j = (size_t)at;
            unsigned best = COST_INFINITE;
            if (j < t->n_seen && k < b->mix->most)
                keep(&best, &choice[j], more[j + 1] + fits[j].cost,
                     CHOICE_PAIR + (size_t)2 * fits[j].member);
            keep(&best, &choice[j], next[j] + short_of * MATCH_COST_MISSING, CHOICE_MISSING);
            if (j < t->n_seen)
                keep(&best, &choice[j], cost[j + 1] + MATCH_COST_UNEXPECTED, CHOICE_UNEXPECTED);
            cost[j] = best;
        }
        unsigned *done = cost;
        cost = more;
        more = done;
    }
    memmove(t->costs, more, width(t) * sizeof(*more));
    free(fits);
}

/* Fills from the end; returns the cost of the whole. */
static unsigned fill(struct table *t)
{
    unsigned *behind = xcalloc(width(t), sizeof(*behind));
    for (size_t j = 0; j < t->n_seen; j++)
        behind[j] = (unsigned)(t->n_seen - j) * MATCH_COST_UNEXPECTED;
    for (size_t i = t->blocks.n; i-- > 0;) {
        const struct block *b = &t->blocks.at[i];
        if (b->mix)
            fill_mix(t, b, behind);
        else if (b->n > 1)
            fill_group(t, b, behind);
        else
            fill_line(t, b, behind, t->costs);
        memcpy(behind, t->costs, width(t) * sizeof(*behind));
    }
    unsigned cost = behind[0];
    free(behind);
    return cost;
}

/* Fills as much as the cheapest path may need, while that may cost less than `below`; what
 * one filling found bounds the next. */
static unsigned long fill_near(struct table *t, unsigned long below)
{
    for (t->slip = FIRST_SLIP;;) {
        unsigned long cost = fill(t), sure = (unsigned long)t->slip * MATCH_COST_UNEXPECTED;
        if (cost <= sure || below <= sure)
            return cost;
        long enough = (long)(cost + MATCH_COST_UNEXPECTED - 1) / MATCH_COST_UNEXPECTED;
        long more = t->slip * SLIP_GROWTH;
        t->slip = enough < more ? enough : more;
    }
}

static void step(struct match_path *path, enum match_op op, size_t line, size_t seen)
{
    vec_push(&path->steps, ((struct match_step){op, line, seen}));
}

/* The choices of one block, from packet j on; returns the packet behind it. */
static size_t walk_block(const struct table *t, const struct block *b, size_t j,
                         struct match_path *path)
{
    size_t done = 0, left = b->n;
    while (left) {
        size_t choice = t->choices[(b->layer + done) * width(t) + j];
        if (choice == CHOICE_UNEXPECTED) {
            step(path, MATCH_UNEXPECTED, 0, j++);
            continue;
        }
        size_t member = (choice - 1) / 2, line = b->first + member;
        bool pair = choice % 2 == CHOICE_PAIR;
        enum match_op alone = t->lines[line].item->kind == ITEM_QUIET ? MATCH_PLACE : MATCH_MISSING;
        step(path, pair ? MATCH_PAIR : alone, line, j);
        j += pair;
        done |= (size_t)1 << member;
        left--;
    }
    return j;
}

/* The same of a mix. */
static size_t walk_mix(const struct table *t, const struct block *b, size_t j,
                       struct match_path *path)
{
    for (size_t taken = 0;;) {
        size_t choice = t->choices[(b->layer + taken) * width(t) + j];
        if (choice == CHOICE_UNEXPECTED) {
            step(path, MATCH_UNEXPECTED, 0, j++);
        } else if (choice == CHOICE_MISSING) {
            if (taken < b->mix->least || taken == 0)
                step(path, MATCH_MISSING, b->first, j);
            return j;
        } else {
            step(path, MATCH_PAIR, b->first + 1 + (choice - 1) / 2, j++);
            taken++;
        }
    }
}

static void walk(const struct table *t, struct match_path *path)
{
    size_t j = 0;
    vec_each (&t->blocks, b)
        j = b->mix ? walk_mix(t, b, j, path) : walk_block(t, b, j, path);
    while (j < t->n_seen)
        step(path, MATCH_UNEXPECTED, 0, j++);
}

/* A run that is right line by line needs no table: the walk that takes a pair wherever
 * nothing differs, and else a line that may be absent.  Where it comes to the end at no
 * cost it is the path of the table, too, which prefers a pair among the cheapest.  False,
 * and a path that is to be forgotten, where it does not, or where it is not that simple. */
static bool walk_straight(const struct table *t, struct match_path *path)
{
    size_t j = 0;
    for (size_t i = 0; i < t->n_lines; i++) {
        const struct match_line *line = &t->lines[i];
        if (line->item->group)
            return false;
        if (line->item->kind == ITEM_QUIET) {
            if (match_quiet(t->rules, line->item, t->seen, t->n_seen, j) == QUIET_BROKEN)
                return false;
            step(path, MATCH_PLACE, i, j);
        } else if (j < t->n_seen && match_compare(t->rules, line->item, &t->seen[j], NULL) == 0) {
            step(path, MATCH_PAIR, i, j++);
        } else if (line->optional) {
            step(path, MATCH_MISSING, i, j);
        } else {
            return false;
        }
    }
    return j == t->n_seen;
}

int match_align(const struct match_rules *rules, const struct match_line *lines, size_t n_lines,
                const struct observed *seen, size_t n_seen, unsigned long below,
                struct match_path *path, struct error *err)
{
    struct table t = {.rules = rules, .lines = lines, .seen = seen};
    t.n_lines = n_lines;
    t.n_seen = n_seen;
    int failed = n_seen > (size_t)MATCH_MAX_CELLS
                     ? error_set(err, STATUS_USAGE, "%zu packets are too many to compare", n_seen)
                     : lay_out(&t, err);
    if (!failed && !walk_straight(&t, path)) {
        path->steps.n = 0;
        path->cost = fill_near(&t, below);
        if (path->cost < below)
            walk(&t, path);
    }
    vec_free(&t.blocks);
    free(t.choices);
    free(t.costs);
    return failed;
}
