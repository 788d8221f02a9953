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

static void put_item(struct strbuf *sb, const struct pattern *p, const struct pattern_item *item,
                     struct columns columns)
{
    put_note(sb, item->note);
    if (item->kind == ITEM_REMARK)
        return;
    size_t from = sb->len;
    if (item->label.n) {
        put(sb, item->label);
        strbuf_puts(sb, ": ");
    }
    pad_to(sb, from, columns.label);
    bool grouped = item->group && item->kind != ITEM_GROUP_OPEN;
    if (item->point >= 0 && !grouped && item->kind != ITEM_GROUP_CLOSE) {
        const struct pattern_point *point = &p->points.at[item->point];
        strbuf_puts(sb, "at ");
        put(sb, point->host);
        if (point->iface.n)
            strbuf_putc(sb, ':');
        put(sb, point->iface);
        strbuf_puts(sb, ": ");
    }
    from = sb->len;
    put_interval(sb, item);
    if (item->has_interval)
        strbuf_putc(sb, ' ');
    pad_to(sb, from, columns.interval);
    put_body(sb, item, true);
    strbuf_putc(sb, '\n');
}

void pattern_format(struct strbuf *sb, const struct pattern *p)
{
    struct columns columns = {0, 0};
    struct strbuf scratch cleanup_strbuf = STRBUF_INIT;
    vec_each (&p->items, item) {
        if (item->label.n && item->label.n + 2 > columns.label)
            columns.label = item->label.n + 2;
        strbuf_truncate(&scratch, 0);
        put_interval(&scratch, item);
        if (scratch.len && scratch.len + 1 > columns.interval)
            columns.interval = scratch.len + 1;
    }
    const struct pattern_item *before = NULL;
    vec_each (&p->items, item) {
        if (before && (item->blank_before || before->kind == ITEM_REMARK))
            strbuf_putc(sb, '\n');
        put_item(sb, p, item, columns);
        before = item;
    }
}
