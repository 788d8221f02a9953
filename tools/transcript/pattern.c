/* The transcript language: a file becomes items, one a line.
 *
 * Theory of operation.  Every line is cut into words of the source itself (struct
 * slice), so that a diagnostic can point at what it is about, and nothing is
 * copied.  A line is
 *
 *     [LABEL:] [at HOST[:IFACE]:] [+INTERVAL] BODY
 *
 * and its body tells its kind: a keyword (`quiet`, `any order {`, `link`), an
 * actor with a colon (`client: connect …`), or a packet.  Errors are collected and
 * reading goes on with the next line.  What story_format() prints for an observed
 * packet is read by the same code (pattern_read_line()), so expected and observed
 * are compared field by field in one notation, and cannot drift apart. */

#include "transcript/pattern.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_COMPLAINTS = 50 };

static struct span span_of(const struct reader *r, struct slice s)
{
    size_t from = (size_t)(s.at - r->base), to = from + s.n;
    if (!r->offsets)
        return (struct span){from, to};
    return (struct span){r->offsets[from], s.n ? r->offsets[to - 1] + 1 : r->offsets[from]};
}

void reader_complain(struct reader *r, struct slice where, const char *hint, const char *fmt, ...)
{
    r->errors++;
    if (!r->diags || r->diags->list.n > MAX_COMPLAINTS)
        return;
    struct span span = span_of(r, where);
    if (r->diags->list.n == MAX_COMPLAINTS) {
        diag_add(r->diags, span, NULL, "too many errors; the rest is not shown");
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    cleanup_free char *text = xvasprintf(fmt, ap);
    va_end(ap);
    diag_add(r->diags, span, hint, "%s", text);
}

void pattern_item_free(struct pattern_item *item)
{
    free(item->note);
    vec_free(&item->options);
    item->note = NULL;
}

void pattern_free(struct pattern *p)
{
    if (!p)
        return;
    vec_each (&p->items, item)
        pattern_item_free(item);
    vec_each (&p->owned, s)
        free(*s);
    vec_free(&p->items);
    vec_free(&p->points);
    vec_free(&p->names);
    vec_free(&p->owned);
    pairs_free(&p->chosen);
    pattern_free(p->other);
    source_free(&p->source);
    free(p);
}

/* ------------------------------------------------------------------ the file */

struct file {
    struct reader r;
    struct strbuf note; /* comment lines that wait for their line */
    size_t note_line;
    bool has_note, blank, note_blank;
    int group; /* the open `any order` or `mix`, 0: none */
    bool mix;
    int groups;
    size_t open, in_group;
    struct slice open_line;
    size_t line_number;
};

static const char *const group_names[] = {"`any order`", "`mix`"};

static int find_point(struct reader *r, struct slice host, struct slice iface)
{
    vec_each (&r->pattern->points, p)
        if (slice_equal(p->host, host) && slice_equal(p->iface, iface))
            return (int)(p - r->pattern->points.at);
    vec_push(&r->pattern->points, ((struct pattern_point){host, iface}));
    return (int)r->pattern->points.n - 1;
}

/* How many capture points the lab has there. */
static size_t count_points(const struct lab *lab, struct slice host, struct slice iface)
{
    size_t n = 0;
    vec_each (&lab->captures, c) {
        if (c->host < 0 || (size_t)c->host >= lab->hosts.n)
            continue;
        const struct lab_host *h = &lab->hosts.at[c->host];
        if (!slice_is(host, h->name))
            continue;
        if (iface.n && (c->iface < 0 || (size_t)c->iface >= h->ifaces.n ||
                        !slice_is(iface, h->ifaces.at[c->iface].name)))
            continue;
        n++;
    }
    return n;
}

/* `at HOST[:IFACE]:` */
static bool read_point(struct reader *r, struct slice *rest, struct pattern_item *item)
{
    struct slice left = *rest, at = slice_word(&left), where = slice_word(&left);
    if (!slice_is(at, "at") || item->point >= 0)
        return false;
    if (where.n < 2 || where.at[where.n - 1] != ':') {
        reader_complain(r, where.n ? where : at, "`at server: …` or `at router:eth1: …`",
                        "the capture point's name and a colon stand here");
        return false;
    }
    *rest = left;
    where.n--;
    size_t colon = slice_find(where, ':');
    struct slice host = {where.at, colon}, iface = {where.at + colon, 0};
    if (colon < where.n)
        iface = (struct slice){where.at + colon + 1, where.n - colon - 1};
    size_t n = r->lab ? count_points(r->lab, host, iface) : 1;
    if (!reader_actor(r, host))
        reader_complain(r, host, "`at HOST:` or `at HOST:IFACE:`", "the lab has no host \"%.*s\"",
                        (int)host.n, host.at);
    else if (n == 0)
        reader_complain(r, where, "the lab's `capture` lines say where it captures",
                        "the lab does not capture there");
    else if (n > 1)
        reader_complain(r, where, "`at HOST:IFACE:`", "the lab has %zu capture points there", n);
    item->point = find_point(r, host, iface);
    return true;
}

static bool read_label(struct reader *r, struct slice *rest, struct pattern_item *item)
{
    struct slice left = *rest, word = slice_word(&left);
    if (item->label.n || word.n < 2 || word.at[word.n - 1] != ':')
        return false;
    word.n--;
    if (reader_actor(r, word))
        return false;
    *rest = left;
    item->label = word;
    if (slice_is(word, "ipv4") || slice_is(word, "ipv6"))
        reader_complain(r, word, NULL, "\"%.*s:\" stands for a version, once in a line",
                        (int)word.n, word.at);
    else if (!slice_is_name(word))
        reader_complain(r, word, "a letter, then letters, digits, `-` and `_`",
                        "\"%.*s\" is no label", (int)word.n, word.at);
    return true;
}

/* Lines of different versions may share a label: only one of them is there. */
static void check_label(struct reader *r, const struct pattern_item *item)
{
    vec_each (&r->pattern->items, other) {
        if (item->label.n == 0 || !slice_equal(other->label, item->label))
            continue;
        reader_complain(r, item->label, NULL, "line %zu has this label already",
                        other->line_number);
        return;
    }
}

/* `ipv6:`, for lines that are there with one version only. */
static bool read_version(struct reader *r, struct slice *rest, unsigned *only)
{
    struct slice left = *rest, word = slice_word(&left);
    unsigned version = slice_is(word, "ipv4:") ? 4 : slice_is(word, "ipv6:") ? 6 : 0;
    if (!version || *only)
        return false;
    *only = version;
    *rest = left;
    r->pattern->has_versions = true;
    return true;
}

static void take_note(struct file *f, struct pattern_item *item)
{
    if (!f->has_note)
        return;
    item->note = strbuf_steal(&f->note);
    item->blank_before = f->note_blank;
    f->has_note = false;
}

/* A comment that no line follows at once. */
static void keep_remark(struct file *f)
{
    if (!f->has_note)
        return;
    struct pattern_item *item = vec_add(&f->r.pattern->items);
    *item = (struct pattern_item){.kind = ITEM_REMARK, .point = -1, .least = 1, .most = 1};
    item->line_number = f->note_line;
    item->group = f->group;
    take_note(f, item);
}

static void add_comment(struct file *f, struct slice text)
{
    if (!f->has_note) {
        f->note_line = f->line_number;
        f->note_blank = f->blank;
    } else {
        strbuf_putc(&f->note, '\n');
    }
    f->has_note = true;
    f->blank = false;
    slice_skip(&text, 1);
    text = slice_trim(text);
    strbuf_add(&f->note, text.at, text.n);
}

static void open_group(struct file *f, struct slice line, struct pattern_item *item)
{
    if (f->group)
        reader_complain(&f->r, line, "close the one before with `}`", "%s inside %s",
                        group_names[item->kind == ITEM_MIX_OPEN], group_names[f->mix]);
    if (item->has_interval || item->label.n)
        reader_complain(&f->r, line, "they belong to the lines inside",
                        "%s has no label and no interval",
                        group_names[item->kind == ITEM_MIX_OPEN]);
    f->group = ++f->groups;
    f->mix = item->kind == ITEM_MIX_OPEN;
    if (f->mix)
        item->group = f->group;
    f->open = f->r.pattern->items.n;
    f->open_line = line;
    f->in_group = 0;
}

static void close_group(struct file *f, struct slice line, struct pattern_item *item)
{
    item->kind = ITEM_GROUP_CLOSE;
    if (!f->group)
        reader_complain(&f->r, line, NULL, "no `any order {` is open here");
    else if (f->in_group == 0)
        reader_complain(&f->r, line, NULL, "nothing stands in this %s", group_names[f->mix]);
    f->group = 0;
}

/* A line of a mix stands for as many packets as fit it, so it counts none itself. */
static void check_mixed(struct file *f, struct slice line, struct pattern_item *item)
{
    item->mixed = f->mix;
    if (f->mix && (item->most != 1 || item->optional))
        reader_complain(&f->r, line, "`mix 100..2000 {` says how many packets fit its lines",
                        "a line of `mix` is neither repeated nor optional");
    if (f->mix && item->label.n)
        reader_complain(&f->r, item->label, NULL,
                        "a label names one packet, and a line of `mix` stands for many");
}

static void check_grouped(struct file *f, struct slice line, struct pattern_item *item)
{
    const struct pattern_item *open = &f->r.pattern->items.at[f->open];
    item->group = f->group;
    if (item->kind != ITEM_SEGMENT && item->kind != ITEM_WORDS)
        reader_complain(&f->r, line, NULL, "only packets stand in %s", group_names[f->mix]);
    else
        check_mixed(f, line, item);
    if (item->point >= 0)
        reader_complain(&f->r, line,
                        f->mix ? "`at HOST: mix 100..2000 {`" : "`at HOST: any order {`",
                        "the capture point stands in front of %s", group_names[f->mix]);
    item->point = open->point;
    bool fitted = f->in_group <= PATTERN_MAX_GROUP;
    f->in_group += item->most;
    if (fitted && f->in_group > PATTERN_MAX_GROUP)
        reader_complain(&f->r, line, NULL, "more than %d lines in %s", PATTERN_MAX_GROUP,
                        group_names[f->mix]);
}

static void add_line(struct file *f, struct slice line)
{
    struct reader *r = &f->r;
    struct pattern_item item = {.point = -1, .least = 1, .most = 1};
    struct slice rest = line;
    unsigned only = 0;
    item.line_number = f->line_number;
    item.span = span_of(r, line);
    item.blank_before = f->blank;
    f->blank = false;
    take_note(f, &item);
    while (read_version(r, &rest, &only) || read_label(r, &rest, &item) ||
           read_point(r, &rest, &item))
        ;
    if (only && only != r->pattern->ip) { /* the other version's reading looks at it */
        pattern_item_free(&item);
        return;
    }
    check_label(r, &item);
    reader_interval(r, &rest, &item);
    rest = slice_trim(rest);
    bool opens = reader_opens(r, rest, &item);
    if (opens)
        open_group(f, line, &item);
    else if (slice_is(rest, "}"))
        close_group(f, line, &item);
    else
        reader_body(r, rest, &item);
    if (item.since.n && item.kind != ITEM_CALL)
        reader_complain(r, item.since, "that of a packet begins at the packet before",
                        "only the interval of a call begins at a label");
    if (f->group && !opens && item.kind != ITEM_GROUP_CLOSE)
        check_grouped(f, line, &item);
    if (r->pattern->lines <= PATTERN_MAX_LINES && item.most > PATTERN_MAX_LINES - r->pattern->lines)
        reader_complain(r, line, NULL, "more than %d lines, with repetitions written out",
                        PATTERN_MAX_LINES);
    r->pattern->lines += item.most;
    vec_push(&r->pattern->items, item);
}

/* The first byte that is not UTF-8 (or NUL), or n. */
static size_t bad_byte(struct slice s)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.at[i];
        size_t more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
        uint32_t code = more == 3 ? c & 7u : more == 2 ? c & 15u : more == 1 ? c & 31u : c;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || i + more >= s.n + (more == 0))
            return i;
        for (size_t k = 1; k <= more; k++) {
            unsigned char d = (unsigned char)s.at[i + k];
            if ((d & 0xc0) != 0x80)
                return i;
            code = code << 6 | (d & 0x3f);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return i;
        i += more + 1;
    }
    return s.n;
}

static bool readable(struct reader *r, struct slice line)
{
    size_t bad = bad_byte(line);
    if (bad < line.n) {
        struct slice where = {line.at + bad, 1};
        if (line.at[bad])
            reader_complain(r, where, "save the file as UTF-8", "this is not UTF-8");
        else
            reader_complain(r, where, NULL, "a NUL byte");
        return false;
    }
    if (line.n > PATTERN_MAX_LINE) {
        reader_complain(r, (struct slice){line.at, 1}, NULL, "a line of more than %d bytes",
                        PATTERN_MAX_LINE);
        return false;
    }
    return true;
}

static void read_file_line(struct file *f, struct slice line)
{
    f->line_number++;
    if (!readable(&f->r, line))
        return;
    line = slice_trim(line);
    if (line.n == 0) {
        keep_remark(f);
        f->blank = true;
    } else if (line.at[0] == '#') {
        add_comment(f, line);
    } else {
        add_line(f, line);
    }
}

/* Reads the file as it is for p->ip. */
static void read_for_version(struct pattern *p, const struct lab *lab, struct diags *diags)
{
    struct file f = {.r = {.lab = lab, .pattern = p, .diags = diags, .base = p->source.text}};
    struct slice text = {p->source.text, p->source.len};
    if (pairs_choose(&p->chosen, text, p->ip)) {
        f.r.base = p->chosen.text;
        f.r.offsets = p->chosen.offsets;
        text = (struct slice){p->chosen.text, p->chosen.len};
    }
    if (slice_starts(text, "\xef\xbb\xbf"))
        slice_skip(&text, 3);
    while (text.n) {
        size_t n = slice_find(text, '\n');
        read_file_line(&f, (struct slice){text.at, n});
        slice_skip(&text, n < text.n ? n + 1 : n);
    }
    keep_remark(&f);
    if (f.group)
        reader_complain(&f.r, f.open_line, "close it with `}`", "this %s is not closed",
                        group_names[f.mix]);
    if (p->lines == 0 && f.r.errors == 0)
        reader_complain(&f.r, (struct slice){f.r.base, 0}, "`tcplab record NAME` writes one",
                        "an empty transcript");
    strbuf_free(&f.note);
}

static bool is_known(const struct diags *diags, const struct diag *d)
{
    vec_each (&diags->list, other)
        if (other->span.from == d->span.from && strcmp(other->message, d->message) == 0)
            return true;
    return false;
}

/* What the other version makes of the file, and what only that finds wrong in it. */
static void read_for_other(struct pattern *p, const struct lab *lab, struct diags *diags)
{
    struct diags found = {0};
    struct pattern *other = xcalloc(1, sizeof(*other));
    source_from(&other->source, p->source.path, p->source.text, p->source.len);
    other->ip = p->ip == 6 ? 4 : 6;
    read_for_version(other, lab, &found);
    vec_each (&found.list, d)
        if (!is_known(diags, d))
            diag_add(diags, d->span, d->hint, "%s", d->message);
    diags_free(&found);
    p->other = other;
}

struct pattern *pattern_parse(struct source *src, const struct lab *lab, struct diags *diags)
{
    struct pattern *p = xcalloc(1, sizeof(*p));
    p->source = *src;
    p->ip = lab && lab->ip == 6 ? 6 : 4;
    *src = (struct source){0};
    diags->source = &p->source;
    read_for_version(p, lab, diags);
    if (p->chosen.text || p->has_versions || (lab && lab->mapping != MAP_NOTHING))
        read_for_other(p, lab, diags);
    return p;
}
