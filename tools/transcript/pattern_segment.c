/* One packet's line: `SRC > DST: Flags [S], seq 0, …, length 0 x2 ? lost`, or, of
 * any protocol but TCP, words.  The same code reads what an author wrote (with
 * diagnostics) and what story_format() printed (without). */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transcript/pattern.h"
#include "transcript/print.h"

const char *const field_names[FIELD_COUNT] = {
#define X(id, name) [FIELD_##id] = name,
    SEGMENT_FIELDS(X)
#undef X
};

#define FIELD_ORDER "Flags, seq, ack, win, urg, options, length"

struct slice reader_resolve(struct reader *r, struct slice value)
{
    if (!r->lab || value.n < 2 || value.at[0] != '$')
        return value;
    const char *names[64] = {NULL};
    size_t n = 0;
    vec_each (&r->lab->varies, v) {
        if (slice_equal(slice_of(v->name), (struct slice){value.at + 1, value.n - 1})) {
            if (!r->pattern)
                return value;
            char *text = xasprintf("%lld", (long long)v->value);
            vec_push(&r->pattern->owned, text);
            return slice_of(text);
        }
        if (n < ARRAY_SIZE(names))
            names[n++] = v->name;
    }
    const char *near = closest_name(value.at + 1, value.n - 1, names, n);
    cleanup_free char *hint =
        near ? xasprintf("did you mean $%s?", near)
             : xstrdup("a value is declared in the lab: `vary port 1024..65535`");
    reader_complain(r, value, hint, "the lab varies no \"%.*s\"", (int)value.n - 1, value.at + 1);
    return value;
}

/* A copy that lives as long as the pattern. */
static struct slice own(struct reader *r, const char *text)
{
    if (!r->pattern)
        return slice_of(text);
    char *copy = xstrdup(text);
    vec_push(&r->pattern->owned, copy);
    return slice_of(copy);
}

bool reader_host(struct reader *r, struct slice host, struct slice *value)
{
    *value = host;
    struct ipaddr addr;
    if (!r->lab || slice_is(host, "*"))
        return true;
    vec_each (&r->lab->hosts, h)
        if (slice_is(host, h->name))
            return true;
    if (!ipaddr_parse(&addr, host.at, host.n))
        return false;
    for (size_t h = 0; h < r->lab->hosts.n; h++)
        vec_each (&r->lab->hosts.at[h].ifaces, iface)
            vec_each (&iface->addrs, a)
                if (ipaddr_equal(&a->addr, &addr)) {
                    *value = own(r, r->lab->hosts.at[h].name);
                    return true;
                }
    return true;
}

static void unknown_host(struct reader *r, struct slice host)
{
    const char *names[64] = {NULL};
    size_t n = 0;
    vec_each (&r->lab->hosts, h)
        if (n < ARRAY_SIZE(names))
            names[n++] = h->name;
    const char *near = closest_name(host.at, host.n, names, n);
    struct strbuf hint cleanup_strbuf = STRBUF_INIT;
    if (near)
        strbuf_printf(&hint, "did you mean \"%s\"?", near);
    else
        strbuf_puts(&hint, "the lab's hosts are:");
    for (size_t i = 0; !near && i < n; i++)
        strbuf_printf(&hint, " %s", names[i]);
    reader_complain(r, host, strbuf_cstr(&hint), "the lab has no host \"%.*s\"", (int)host.n,
                    host.at);
}

/* The number of a port's name, which binds at its first use. */
static int port_name(struct reader *r, struct slice host, struct slice name)
{
    for (size_t i = 0; i < r->pattern->names.n; i++)
        if (slice_equal(r->pattern->names.at[i].host, host) &&
            slice_equal(r->pattern->names.at[i].name, name))
            return (int)i;
    if (r->pattern->names.n == PATTERN_MAX_PORT_NAMES) {
        reader_complain(r, name, NULL, "more than %d names for ports", PATTERN_MAX_PORT_NAMES);
        return -1;
    }
    vec_push(&r->pattern->names, ((struct port_name){host, name}));
    return (int)r->pattern->names.n - 1;
}

static void read_port(struct reader *r, struct endpoint *e)
{
    uint64_t number;
    struct slice port = e->port;
    e->name = -1;
    e->port_value = reader_resolve(r, port);
    if (slice_number(port, 65535, &number) || slice_is(port, "*") || (port.n && port.at[0] == '$'))
        return;
    if (!slice_is_name(port))
        reader_complain(r, port, "a number up to 65535, a name such as `port`, `$NAME` or `*`",
                        "\"%.*s\" is no port", (int)port.n, port.at);
    else if (r->pattern)
        e->name = port_name(r, e->host_value, port);
}

void reader_endpoint(struct reader *r, struct slice word, struct endpoint *e)
{
    size_t dot = word.n;
    while (dot && word.at[dot - 1] != '.')
        dot--;
    *e = (struct endpoint){.host = word, .host_value = word, .name = -1};
    if (dot < 2) {
        reader_complain(r, word, "HOST.PORT, for example client.port, server.1234 or client.*",
                        "\"%.*s\" has no port", (int)word.n, word.at);
        return;
    }
    e->host.n = dot - 1;
    e->port = (struct slice){word.at + dot, word.n - dot};
    if (!reader_host(r, e->host, &e->host_value))
        unknown_host(r, e->host);
    read_port(r, e);
}

static int field_by_name(struct slice name)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (slice_is(name, field_names[i]))
            return i;
    return -1;
}

static void unknown_field(struct reader *r, struct slice name)
{
    const char *near = closest_name(name.at, name.n, field_names, FIELD_COUNT);
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near) : xstrdup("the fields are " FIELD_ORDER);
    reader_complain(r, name, hint, "there is no field \"%.*s\"", (int)name.n, name.at);
}

/* `Flags [S]`, `options [mss 1460]`: takes it off *part. */
static bool bracketed(struct reader *r, struct slice part, struct slice *inside)
{
    struct slice value = slice_trim(part);
    size_t depth = 0;
    if (value.n == 0 || value.at[0] != '[') {
        reader_complain(r, value.n ? value : part, "its value stands in [ ]", "a [ is missing");
        return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        depth += value.at[i] == '[';
        if (value.at[i] != ']' || --depth)
            continue;
        if (i + 1 < value.n)
            reader_complain(r, (struct slice){value.at + i + 1, value.n - i - 1},
                            "a comma separates fields", "this does not belong here");
        *inside = (struct slice){value.at + 1, i - 1};
        return i + 1 == value.n;
    }
    reader_complain(r, value, "close it with ]", "this [ is not closed");
    return false;
}

static void read_field(struct reader *r, struct slice part, struct pattern_item *item, int *last)
{
    struct slice rest = part, name = slice_word(&rest), value = slice_trim(rest);
    size_t bracket = slice_find(name, '[');
    if (bracket < name.n) {
        rest = (struct slice){name.at + bracket, part.n - (size_t)(name.at + bracket - part.at)};
        name.n = bracket;
    }
    int id = field_by_name(name);
    if (id < 0) {
        unknown_field(r, name.n ? name : part);
        return;
    }
    if (item->fields[id].present)
        reader_complain(r, name, NULL, "\"%s\" stands here twice", field_names[id]);
    else if (id < *last)
        reader_complain(r, name, "tcpdump's order is " FIELD_ORDER, "\"%s\" stands too late",
                        field_names[id]);
    if (id > *last)
        *last = id;
    if ((id == FIELD_FLAGS || id == FIELD_OPTIONS) && !bracketed(r, rest, &value))
        return;
    struct field *f = &item->fields[id];
    f->present = true;
    f->text = value;
    f->value = reader_resolve(r, value);
    if (id == FIELD_OPTIONS)
        reader_options(r, value, item);
    else
        reader_check_field(r, (enum field_id)id, f->value);
}

/* What stands behind `SRC > DST:`. */
static void read_fields(struct reader *r, struct slice rest, struct pattern_item *item)
{
    int last = -1;
    bool comma;
    unsigned errors = r->errors;
    do {
        struct slice before = rest, part = slice_until_comma(&rest);
        comma = part.n < before.n;
        part = slice_trim(part);
        if (part.n == 0) {
            reader_complain(r, (struct slice){before.at, comma}, NULL, "a field is missing");
        } else if (slice_is_rest(part)) {
            if (item->rest)
                reader_complain(r, part, NULL, "`…` may stand once among the fields");
            item->rest = true;
            item->rest_at = last + 1;
        } else {
            read_field(r, part, item, &last);
        }
    } while (comma);
    static const enum field_id always[] = {FIELD_FLAGS, FIELD_WIN, FIELD_LENGTH};
    for (size_t i = 0; i < ARRAY_SIZE(always) && !item->rest && r->errors == errors; i++)
        if (!item->fields[always[i]].present)
            reader_complain(r, item->text, "`…` stands for fields that are not mentioned",
                            "\"%s\" is missing, which every segment has", field_names[always[i]]);
}

static bool is_ecn(struct slice word)
{
    for (size_t i = 1; i < ARRAY_SIZE(print_ecn); i++)
        if (slice_is(word, print_ecn[i]))
            return true;
    return false;
}

/* `ECT(0)` behind the fields; takes it off.  False (complained of) if it is elsewhere. */
static bool read_ecn(struct reader *r, struct slice *rest, struct pattern_item *item)
{
    struct slice before = *rest, word = slice_last_word(&before), more = before;
    if (!is_ecn(word))
        return true;
    struct slice last = slice_last_word(&more);
    if (is_ecn(last) || reader_is_tail(last) || slice_is(slice_last_word(&more), "by")) {
        reader_complain(r, word, "`length 1000 ECT(0) lost`",
                        "\"%.*s\" stands once, directly behind the length", (int)word.n, word.at);
        return false;
    }
    item->ecn = word;
    *rest = before;
    return true;
}

/* `win ~` where its sender has offered nothing before, or does not now. */
static void check_window(struct reader *r, const struct pattern_item *item)
{
    const struct field *win = &item->fields[FIELD_WIN], *flags = &item->fields[FIELD_FLAGS];
    if (slice_is(win->value, "~") && (memchr(flags->value.at, 'S', flags->value.n) ||
                                      memchr(flags->value.at, 'R', flags->value.n)))
        reader_complain(r, win->value, "a number, or `*` for any",
                        "the window of a SYN or a reset does not follow from others");
}

void reader_segment(struct reader *r, struct slice body, struct pattern_item *item)
{
    struct slice rest = body;
    item->kind = ITEM_SEGMENT;
    item->text = slice_trim(body);
    struct slice from = slice_word(&rest);
    slice_word(&rest); /* > */
    struct slice to = slice_word(&rest);
    to.n--; /* : */
    reader_endpoint(r, from, &item->from);
    reader_endpoint(r, to, &item->to);
    if (!read_ecn(r, &rest, item))
        return;
    read_fields(r, rest, item);
    if (item->fields[FIELD_WIN].present && item->fields[FIELD_FLAGS].present)
        check_window(r, item);
}

static void check_words_host(struct reader *r, struct slice word)
{
    struct slice value;
    if (slice_is(word, "*") || slice_is_rest(word) || reader_host(r, word, &value))
        return;
    struct slice host = word;
    while (host.n && host.at[host.n - 1] != '.')
        host.n--;
    if (host.n < 2) {
        unknown_host(r, word);
        return;
    }
    host.n--;
    if (!reader_host(r, host, &value))
        unknown_host(r, host);
}

/* Whether tcpdump begins or ends a line so that is not `SRC > DST: …`. */
static bool is_packet(struct slice body)
{
    static const char *const begins[] = {
        "ARP, ",     "RARP, ", "Reverse ARP, ", "ethertype ", "truncated-ip", "bad-len ",
        "bad-hlen ", "IP",     "STP ",          "LLC, ",      "vlan ",        "[remaining "};
    for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
        if (slice_starts(body, begins[i]))
            return true;
    if (memmem(body.at, body.n, "[|", 2))
        return true;
    struct slice last = slice_last_word(&body);
    return slice_is_rest(last) || slice_is(slice_last_word(&body), "length");
}

void reader_words(struct reader *r, struct slice body, struct pattern_item *item)
{
    static const char *const flags[] = {"Flags"};
    struct slice rest = body, from = slice_word(&rest), arrow = slice_word(&rest),
                 to = slice_word(&rest), word = slice_word(&rest);
    item->kind = ITEM_WORDS;
    item->text = slice_trim(body);
    if (!r->lab)
        return;
    if (slice_is(arrow, ">") && to.n > 1) {
        to.n -= to.at[to.n - 1] == ':';
        check_words_host(r, from);
        check_words_host(r, to);
        if (!slice_is(word, flags[0]) && closest_name(word.at, word.n, flags, 1))
            reader_complain(r, word, "did you mean \"Flags\"?", "this is no packet's line");
    } else if (!is_packet(body)) {
        reader_complain(r, item->text, "a packet's line is `SRC > DST: …` or `ARP, …`",
                        "this is no line of a transcript");
    }
}
