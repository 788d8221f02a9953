/* lab_parse(): the file into a lab.
 *
 * 1. The text is checked as a whole (NUL bytes, UTF-8) and a clean copy is made, of
 *    the same length, so that every offset holds in both.
 * 2. lesson.c gives the lines of the script, wherever they stand in the Markdown.
 * 3. Each line becomes tokens (lex.c) and then one statement.  A line with a
 *    mistake adds a diagnostic and nothing else; the next line starts afresh.
 *    Hosts are kept even when one of their addresses is wrong, so that the lines
 *    which name them are not mistakes too.
 * 4. When all hosts are known, their interfaces are plugged into networks and what
 *    depends on those is checked. */
#include <string.h>

#include "lab/parser.h"

static const struct statement {
    const char *word;
    void (*parse)(struct parser *p);
    const char *usage;
} statements[] = {
    {"course", parse_course, "course GROUP LEVEL [after LAB…]"},
    {"host", parse_host, "host NAME ADDRESS/LENGTH[,ADDRESS/LENGTH…] …"},
    {"router", parse_host, "router NAME ADDRESS/LENGTH[,ADDRESS/LENGTH…] …"},
    {"route", parse_route,
     "route HOST default|ADDRESS/LENGTH via ADDRESS, "
     "route HOST ADDRESS/LENGTH unreachable|prohibited|blackhole"},
    {"neighbour", parse_neighbour, "neighbour HOST PEER"},
    {"neighbor", parse_neighbour, "neighbor HOST PEER"},
    {"capture", parse_capture, "capture HOST[:INTERFACE]… [\"FILTER\"]"},
    {"trace", parse_trace, "trace HOST… [every DURATION]"},
    {"mtu", parse_mtu, "mtu HOST[:INTERFACE] BYTES"},
    {"sysctl", parse_sysctl, "sysctl HOST KEY VALUE…"},
    {"sysctl?", parse_sysctl, "sysctl? HOST KEY VALUE…"},
    {"requires", parse_requires,
     "requires kernel VERSION | sysctl KEY | program NAME | congestion NAME | ipv4 | ipv6"},
    {"vary", parse_vary, "vary NAME LOW..HIGH"},
    {"limit", parse_limit, "limit DURATION"},
    {"long", parse_long, "long"},
    {"unplug", parse_stage_step, NULL},
    {"replug", parse_stage_step, NULL},
    {"wire", parse_stage_step, NULL},
    {"wait", parse_stage_step, NULL},
    {"run", parse_stage_step, NULL},
};

/* --------------------------------------------------------------- clean text */

/* The length of the UTF-8 character at s, 0 if there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool too_long = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool too_large = s[0] == 0xf4 && s[1] > 0x8f;
    return too_long || surrogate || too_large ? 0 : n;
}

static void clean_text(struct parser *p)
{
    const struct source *src = &p->lab->source;
    p->text = xmemdup(src->text, src->len + 1);
    for (size_t i = 0; i < src->len;) {
        size_t n = utf8_length((const unsigned char *)src->text + i, src->len - i);
        if (n > 0 && src->text[i] != '\0') {
            i += n;
            continue;
        }
        size_t from = i;
        for (; i < src->len && (src->text[i] == '\0') == (n == 1) &&
               utf8_length((const unsigned char *)src->text + i, src->len - i) == n;
             i++)
            p->text[i] = n ? ' ' : '?';
        if (n)
            complain(p, ((struct span){from, i}), "a lab is a text file",
                     i - from == 1 ? "a NUL byte" : "NUL bytes");
        else
            complain(p, ((struct span){from, i}), "save the file as UTF-8",
                     "bytes that are no UTF-8");
    }
}

/* --------------------------------------------------------------- statements */

static bool is_near_verb(const struct token *t)
{
    const char *names[VERB_COUNT + 1];
    size_t n = 0;
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (verbs[i].on_host)
            names[n++] = verbs[i].name;
    names[n++] = "as";
    const char *near = closest_name(t->text, t->len, names, n);
    return near && (strcmp(near, t->text) == 0 || t->len > 3);
}

/* A line that begins with neither a statement nor a host. */
static void unknown_word(struct parser *p)
{
    const struct token *t = &p->tokens.at[0];
    const char *names[ARRAY_SIZE(statements) + LAB_MAX_HOSTS];
    size_t n = 0;
    char buffer[64];
    if (p->tokens.n > 1 && is_near_verb(&p->tokens.at[1])) {
        p->saw_step = true;
        value_host(p, t);
        return;
    }
    for (; n < ARRAY_SIZE(statements); n++)
        names[n] = statements[n].word;
    vec_each (&p->lab->hosts, h)
        names[n++] = h->name;
    const char *near = closest_name(t->text, t->len, names, n);
    cleanup_free char *hint =
        near ? xasprintf("did you mean \"%s\"?", near)
             : xstrdup("a line begins with a host's name or a statement such as `host`, "
                       "`capture` or `wait`; docs/lab-language.md lists them");
    complain(p, t->span, hint, "unknown statement %s", shown(p, t, buffer));
}

static void parse_statement(struct parser *p)
{
    const struct token *first = need(p, "");
    for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
        if (token_is(first, statements[i].word)) {
            p->usage = statements[i].usage;
            statements[i].parse(p);
            return;
        }
    }
    int host = first->plain ? lab_find_host(p->lab, first->text, first->len) : -1;
    if (host >= 0)
        parse_call(p, host);
    else
        unknown_word(p);
}

static void parse_line(struct parser *p)
{
    if (p->line.to - p->line.from > LAB_MAX_LINE) {
        complain(p, ((struct span){p->line.from + LAB_MAX_LINE, p->line.to}),
                 "`N bytes` sends much without writing it out", "the line is longer than %d bytes",
                 LAB_MAX_LINE);
        p->saw_host = p->saw_capture = p->saw_step = true;
        return;
    }
    p->usage = NULL;
    bool good = lex_line(p);
    p->saw_host |= token_is(peek(p), "host") || token_is(peek(p), "router");
    p->saw_capture |= token_is(peek(p), "capture");
    p->saw_step |= !good;
    if (good && p->tokens.n)
        parse_statement(p);
}

/* ------------------------------------------------------------------ the whole */

static void check_values(struct parser *p)
{
    for (size_t i = 0; i < p->n_values; i++) {
        bool known = false;
        vec_each (&p->lab->varies, v)
            known |= strcmp(v->name, p->values[i].name) == 0;
        if (!known)
            complain(p, ((struct span){0, 0}), "a lab declares it: `vary NAME LOW..HIGH`",
                     "a value is given for \"%.40s\", which this lab does not vary",
                     p->values[i].name);
    }
}

static void check_whole(struct parser *p)
{
    const struct span start = {0, 0};
    struct span end = start;
    if (p->lines.n)
        end = *vec_last(&p->lines);
    if (p->n_blocks == 0) {
        complain(p, start, "the script stands in a fenced block: ```lab",
                 "there is no `lab` block in this file");
        return;
    }
    if (!p->saw_host && !p->saw_capture && !p->saw_step && p->diags->list.n == 0) {
        complain(p, end, "begin with `host client 10.0.0.1/24`", "the script is empty");
        return;
    }
    if (!p->saw_host)
        complain(p, end, "such as `host client 10.0.0.1/24`", "the script has no host");
    if (!p->saw_capture)
        complain(p, end, "such as `capture client server`; without one nothing can be judged",
                 "the script has no `capture` statement");
    if (!p->saw_step)
        complain(p, end, "such as `server listen 1234`", "the script has no step");
    stage_check(p);
    check_values(p);
}

static void name_lab(struct lab *lab)
{
    const char *slash = strrchr(lab->source.path, '/');
    const char *base = slash ? slash + 1 : lab->source.path;
    const char *dot = strrchr(base, '.');
    lab->name = xstrndup(base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
    lab->title = xstrdup("");
    lab->summary = xstrdup("");
    lab->course.group = GROUP_NONE;
    lab->limit = LAB_DEFAULT_LIMIT;
}

static struct lab *parse_mapped(struct source *src, const struct lab_value *values, size_t n_values,
                                enum lab_mapping mapping, struct diags *diags)
{
    struct lab *lab = xcalloc(1, sizeof(*lab));
    lab->source = *src;
    *src = (struct source){0};
    diags->source = &lab->source;
    name_lab(lab);
    lab->mapping = mapping;
    struct parser p = {
        .lab = lab, .diags = diags, .values = values, .n_values = n_values, .mapping = mapping};
    if (lab->source.len > LAB_MAX_BYTES) {
        diag_add(diags, (struct span){0, 0}, NULL, "a lab is at most %u KiB long",
                 LAB_MAX_BYTES >> 10);
        return lab;
    }
    clean_text(&p);
    lesson_read(&p);
    vec_each (&p.lines, line) {
        p.line = *line;
        parse_line(&p);
    }
    hosts_connect(lab);
    check_whole(&p);
    if (mapping != MAP_NOTHING)
        ip6_commands(lab);
    lex_free(&p);
    vec_free(&p.tokens);
    vec_free(&p.lines);
    free(p.text);
    return lab;
}

/* The lab says itself how its addresses are to be mapped, so it is read once as it is. */
static enum lab_mapping find_mapping(const struct source *src, const struct lab_value *values,
                                     size_t n_values)
{
    struct source copy;
    struct diags unseen = {0};
    source_from(&copy, src->path, src->text, src->len);
    struct lab *lab = parse_mapped(&copy, values, n_values, MAP_NOTHING, &unseen);
    enum lab_mapping mapping = ip6_mapping_for(lab);
    diags_free(&unseen);
    lab_free(lab);
    return mapping;
}

struct lab *lab_parse_ip(struct source *src, const struct lab_value *values, size_t n_values,
                         unsigned ip, struct diags *diags)
{
    enum lab_mapping mapping = ip == 6 ? find_mapping(src, values, n_values) : MAP_NOTHING;
    struct lab *lab = parse_mapped(src, values, n_values, mapping, diags);
    lab->ip = ip == 6 || ip6_only(lab) ? 6 : 4;
    return lab;
}

struct lab *lab_parse(struct source *src, const struct lab_value *values, size_t n_values,
                      struct diags *diags)
{
    return lab_parse_ip(src, values, n_values, 4, diags);
}
