/* Patterns as text: canonical, so that what is printed parses to the same. */

#include "transcript/pattern.h"

static void put(struct strbuf *sb, struct slice s)
{
    strbuf_add(sb, s.at, s.n);
}

/* Words with one blank between them. */
static void put_words(struct strbuf *sb, struct slice s)
{
    const char *before = "";
    for (struct slice w = slice_word(&s); w.n; w = slice_word(&s)) {
        strbuf_puts(sb, before);
        put(sb, slice_is_rest(w) ? slice_of("…") : w);
        before = " ";
    }
}

static void put_field(struct strbuf *sb, const struct pattern_item *item, enum field_id id)
{
    const char *before = "";
    strbuf_puts(sb, field_names[id]);
    strbuf_putc(sb, ' ');
    if (id == FIELD_FLAGS) {
        strbuf_putc(sb, '[');
        put(sb, item->fields[id].text);
        strbuf_putc(sb, ']');
    } else if (id == FIELD_OPTIONS) {
        strbuf_putc(sb, '[');
        vec_each (&item->options, option) {
            strbuf_puts(sb, before);
            put_words(sb, *option);
            before = ",";
        }
        strbuf_putc(sb, ']');
    } else {
        put(sb, item->fields[id].text);
    }
}

static void put_endpoint(struct strbuf *sb, const struct endpoint *e)
{
    put(sb, e->host);
    strbuf_putc(sb, '.');
    put(sb, e->port);
}

static void put_segment(struct strbuf *sb, const struct pattern_item *item)
{
    const char *before = ": ";
    put_endpoint(sb, &item->from);
    strbuf_puts(sb, " > ");
    put_endpoint(sb, &item->to);
    for (int id = 0; id <= FIELD_COUNT; id++) {
        if (item->rest && item->rest_at == id) {
            strbuf_puts(sb, before);
            strbuf_puts(sb, "…");
            before = ", ";
        }
        if (id == FIELD_COUNT || !item->fields[id].present)
            continue;
        strbuf_puts(sb, before);
        put_field(sb, item, (enum field_id)id);
        before = ", ";
    }
    if (item->ecn.n) {
        strbuf_putc(sb, ' ');
        put(sb, item->ecn);
    }
}

static void put_tail(struct strbuf *sb, const struct pattern_item *item)
{
    if (item->most > 1 && item->least < item->most)
        strbuf_printf(sb, " x%u..%u", item->least, item->most);
    else if (item->most > 1)
        strbuf_printf(sb, " x%u", item->most);
    if (item->optional)
        strbuf_puts(sb, " ?");
}

static void put_fate(struct strbuf *sb, const struct pattern_item *item)
{
    if (item->fate == FATE_IS_LOST) {
        strbuf_puts(sb, " lost");
    } else if (item->fate == FATE_ARRIVES) {
        strbuf_puts(sb, " arrives +");
        strbuf_duration(sb, item->travel);
        if (item->travel_most != item->travel) {
            strbuf_puts(sb, "..");
            strbuf_duration(sb, item->travel_most);
        }
    }
    for (int i = 0; i < MISHAP_COUNT; i++) {
        if (!(item->mishaps >> i & 1))
            continue;
        strbuf_printf(sb, " %s", mishap_words[i]);
        if (i == MISHAP_OVERTAKEN)
            strbuf_printf(sb, " %u", item->overtaken);
    }
}

static void put_call(struct strbuf *sb, const struct pattern_item *item)
{
    put(sb, item->host);
    if (item->as.n) {
        strbuf_puts(sb, " as ");
        put(sb, item->as);
    }
    strbuf_puts(sb, ": ");
    put(sb, item->verb);
    if (item->args.n) {
        strbuf_putc(sb, ' ');
        put(sb, item->args);
    }
    if (item->result.n) {
        strbuf_puts(sb, " => ");
        put(sb, item->result);
    }
}

static void put_body(struct strbuf *sb, const struct pattern_item *item, bool whole)
{
    switch (item->kind) {
    case ITEM_SEGMENT:
    case ITEM_WORDS:
        if (item->kind == ITEM_SEGMENT)
            put_segment(sb, item);
        else
            put_words(sb, item->text);
        if (whole)
            put_tail(sb, item);
        put_fate(sb, item);
        break;
    case ITEM_QUIET:
        strbuf_puts(sb, "quiet ");
        strbuf_duration(sb, item->quiet);
        break;
    case ITEM_CALL:
    case ITEM_STATE:
        put_call(sb, item);
        break;
    case ITEM_LINK:
        strbuf_puts(sb, "link ");
        put(sb, item->host);
        strbuf_puts(sb, item->up ? " up" : " down");
        break;
    case ITEM_GROUP_OPEN:
        strbuf_puts(sb, "any order {");
        break;
    case ITEM_MIX_OPEN:
        strbuf_printf(sb, "mix %u", item->least);
        if (item->most != item->least)
            strbuf_printf(sb, "..%u", item->most);
        strbuf_puts(sb, " {");
        break;
    case ITEM_GROUP_CLOSE:
        strbuf_putc(sb, '}');
        break;
    case ITEM_REMARK:
        break;
    }
}

static void put_interval(struct strbuf *sb, const struct pattern_item *item)
{
    if (item->has_interval) {
        strbuf_putc(sb, '+');
        strbuf_duration(sb, item->interval);
    }
    if (item->since.n) {
        strbuf_puts(sb, " after ");
        put(sb, item->since);
    }
}

void pattern_item_format(struct strbuf *sb, const struct pattern_item *item)
{
    put_interval(sb, item);
    if (item->has_interval)
        strbuf_putc(sb, ' ');
    put_body(sb, item, false);
}

struct columns {
    size_t label, interval; /* with the blank behind */
};

static void pad_to(struct strbuf *sb, size_t from, size_t width)
{
    size_t n = sb->len - from;
    strbuf_pad(sb, ' ', n < width ? width - n : 0);
}

static void put_note(struct strbuf *sb, const char *note)
{
    while (note) {
        const char *end = strchr(note, '\n');
        struct slice line = {note, end ? (size_t)(end - note) : strlen(note)};
        strbuf_puts(sb, line.n ? "# " : "#");
        put(sb, line);
        strbuf_putc(sb, '\n');
        note = end ? end + 1 : NULL;
    }
}

/* `at server: ` */
static void put_point(struct strbuf *sb, const struct pattern *p, const struct pattern_item *item)
{
    bool grouped = item->group && item->kind != ITEM_MIX_OPEN;
    if (item->point < 0 || grouped || item->kind == ITEM_GROUP_CLOSE)
        return;
    const struct pattern_point *point = &p->points.at[item->point];
    strbuf_puts(sb, "at ");
    put(sb, point->host);
    if (point->iface.n)
        strbuf_putc(sb, ':');
    put(sb, point->iface);
    strbuf_puts(sb, ": ");
}

/* All behind the label. */
static void put_rest(struct strbuf *sb, const struct pattern *p, const struct pattern_item *item,
                     struct columns columns)
{
    put_point(sb, p, item);
    size_t from = sb->len;
    put_interval(sb, item);
    if (item->has_interval)
        strbuf_putc(sb, ' ');
    pad_to(sb, from, columns.interval);
    put_body(sb, item, true);
}

static void put_label(struct strbuf *sb, const struct pattern_item *item, struct columns columns)
{
    size_t from = sb->len;
    if (item->label.n) {
        put(sb, item->label);
        strbuf_puts(sb, ": ");
    }
    pad_to(sb, from, columns.label);
}

/* `only`: "ipv6: " for a line of one version, else "". */
static void put_item(struct strbuf *sb, const struct pattern *p, const struct pattern_item *item,
                     const char *only, struct columns columns)
{
    put_note(sb, item->note);
    if (item->kind == ITEM_REMARK)
        return;
    put_label(sb, item, columns);
    strbuf_puts(sb, only);
    put_rest(sb, p, item, columns);
    strbuf_putc(sb, '\n');
}

static const char *only_of(const struct pattern *p)
{
    return p->ip == 6 ? "ipv6: " : "ipv4: ";
}

/* The same line of both versions as one; false if no pairs can say it. */
static bool merge(struct strbuf *out, const struct pattern *p, const struct pattern_item *item,
                  const struct pattern_item *twin)
{
    struct strbuf mine cleanup_strbuf = STRBUF_INIT, theirs cleanup_strbuf = STRBUF_INIT;
    put_rest(&mine, p, item, (struct columns){0});
    put_rest(&theirs, p->other, twin, (struct columns){0});
    struct slice a = {mine.data, mine.len}, b = {theirs.data, theirs.len};
    if (slice_equal(a, b)) {
        strbuf_add(out, a.at, a.n);
        return true;
    }
    return pairs_merge(out, p->ip == 6 ? b : a, p->ip == 6 ? a : b);
}

/* A line that was merged, with the note and the label of `face`. */
static void put_merged(struct strbuf *sb, const struct pattern_item *face, struct slice merged,
                       struct columns columns)
{
    struct slice rest = merged, word = slice_word(&rest);
    bool interval = word.n && word.at[0] == '+';
    put_note(sb, face->note);
    if (face->kind == ITEM_REMARK)
        return;
    put_label(sb, face, columns);
    size_t from = sb->len;
    if (interval) {
        put(sb, word);
        strbuf_putc(sb, ' ');
    }
    pad_to(sb, from, columns.interval);
    put(sb, slice_trim(interval ? rest : merged));
    strbuf_putc(sb, '\n');
}

/* The same line of both versions: one with pairs, or, if that cannot say it, two. */
static void put_both(struct strbuf *sb, const struct pattern *p, const struct pattern_item *item,
                     const struct pattern_item *twin, struct columns columns)
{
    struct strbuf merged cleanup_strbuf = STRBUF_INIT;
    if (slice_equal(item->label, twin->label) && merge(&merged, p, item, twin)) {
        put_merged(sb, item, (struct slice){merged.data, merged.len}, columns);
        return;
    }
    bool six = p->ip == 6;
    const struct pattern *first = six ? p->other : p, *second = six ? p : p->other;
    put_item(sb, first, six ? twin : item, only_of(first), columns);
    put_item(sb, second, six ? item : twin, only_of(second), columns);
}

static void widen(struct columns *columns, const struct pattern *p)
{
    struct strbuf scratch cleanup_strbuf = STRBUF_INIT;
    vec_each (&p->items, item) {
        if (item->label.n && item->label.n + 2 > columns->label)
            columns->label = item->label.n + 2;
        strbuf_truncate(&scratch, 0);
        put_interval(&scratch, item);
        if (scratch.len && scratch.len + 1 > columns->interval)
            columns->interval = scratch.len + 1;
    }
}

struct formatter {
    struct strbuf *sb;
    struct columns columns;
    const struct pattern_item *before;
};

static void put_blank(struct formatter *f, const struct pattern_item *item)
{
    if (f->before && (item->blank_before || f->before->kind == ITEM_REMARK))
        strbuf_putc(f->sb, '\n');
    f->before = item;
}

/* The lines of the other version alone that stand before line `number`. */
static size_t put_others(struct formatter *f, const struct pattern *p, size_t next, size_t number)
{
    const struct pattern *other = p->other;
    for (; other && next < other->items.n && other->items.at[next].line_number < number; next++) {
        const struct pattern_item *item = &other->items.at[next];
        put_blank(f, item);
        put_item(f->sb, other, item, only_of(other), f->columns);
    }
    return next;
}

static bool has_line(const struct pattern *p, size_t number)
{
    vec_each (&p->items, item)
        if (item->line_number == number)
            return true;
    return false;
}

/* A line that a recording has added, where the other version has a line of its own: they
 * are one if pairs can say so. */
static bool put_new(struct formatter *f, const struct pattern *p, const struct pattern_item *item,
                    size_t next)
{
    const struct pattern *other = p->other;
    if (item->line_number || next == other->items.n)
        return false;
    const struct pattern_item *twin = &other->items.at[next];
    struct strbuf merged cleanup_strbuf = STRBUF_INIT;
    if (twin->kind != item->kind || has_line(p, twin->line_number) ||
        !merge(&merged, p, item, twin))
        return false;
    put_blank(f, twin);
    put_merged(f->sb, twin, (struct slice){merged.data, merged.len}, f->columns);
    return true;
}

void pattern_format(struct strbuf *sb, const struct pattern *p)
{
    struct formatter f = {.sb = sb};
    const struct pattern *other = p->other;
    size_t next = 0;
    widen(&f.columns, p);
    if (other)
        widen(&f.columns, other);
    vec_each (&p->items, item) {
        if (item->line_number)
            next = put_others(&f, p, next, item->line_number);
        if (other && put_new(&f, p, item, next)) {
            next++;
            continue;
        }
        put_blank(&f, item);
        bool twin = other && item->line_number && next < other->items.n &&
                    other->items.at[next].line_number == item->line_number;
        if (twin)
            put_both(sb, p, item, &other->items.at[next++], f.columns);
        else
            put_item(sb, p, item, other ? only_of(p) : "", f.columns);
    }
    put_others(&f, p, next, SIZE_MAX);
}
