/* The Markdown side of a lab: libcmark finds the heading, the first paragraph and
 * the fenced blocks; this maps what stands in `lab` and `question` blocks back to
 * the bytes of the file.
 *
 * libcmark says on which line a block starts, and gives its content without the
 * marks of the containers around it (indentation of a list, `>` of a quotation).
 * What it takes away always stands before the content, so a line of content is
 * the tail of its line in the file, and that is how its span is found.  Lines are
 * counted as CommonMark does: "\n", "\r\n" and a lone "\r" each end one. */
#include <cmark.h>
#include <string.h>
#include <strings.h>

#include "lab/parser.h"

struct lesson {
    struct parser *p;
    VEC(struct span) file_lines; /* of the file, without their ends */
    bool has_title, has_summary;
};

/* The line at `at`, without its end; *next is where the next one starts. */
static struct span cut_line(const char *s, size_t at, size_t len, size_t *next)
{
    size_t end = at;
    while (end < len && s[end] != '\n' && s[end] != '\r')
        end++;
    *next = end < len ? end + 1 : end;
    if (end + 1 < len && s[end] == '\r' && s[end + 1] == '\n')
        *next = end + 2;
    return (struct span){at, end};
}

static struct span trim(const char *s, struct span span)
{
    while (span.from < span.to && (s[span.from] == ' ' || s[span.from] == '\t'))
        span.from++;
    while (span.from < span.to && (s[span.to - 1] == ' ' || s[span.to - 1] == '\t'))
        span.to--;
    return span;
}

/* Where the trimmed line of content stands in the file's line of this number. */
static struct span find_line(const struct lesson *l, size_t number, const char *content,
                             struct span part)
{
    const char *s = l->p->text;
    if (number >= l->file_lines.n)
        return (struct span){l->p->lab->source.len, l->p->lab->source.len};
    struct span raw = trim(s, l->file_lines.at[number]);
    size_t len = part.to - part.from;
    if (len <= raw.to - raw.from && memcmp(s + raw.to - len, content + part.from, len) == 0)
        raw.from = raw.to - len;
    return raw;
}

static void take_script(struct lesson *l, const char *content, size_t line)
{
    size_t len = strlen(content), next;
    l->p->n_blocks++;
    for (size_t at = 0; at < len; at = next) {
        struct span part = trim(content, cut_line(content, at, len, &next));
        vec_push(&l->p->lines, find_line(l, line++, content, part));
    }
}

static void take_question(struct lesson *l, const char *content, size_t line)
{
    struct lab_question *q = vec_add(&l->p->lab->questions);
    size_t len = strlen(content), next;
    q->text = xstrdup(content);
    q->span = find_line(l, line, "", (struct span){0, 0});
    bool first = true;
    for (size_t at = 0; at < len; at = next) {
        struct span part = trim(content, cut_line(content, at, len, &next));
        struct span here = find_line(l, line++, content, part);
        if (first)
            q->span.from = here.from;
        q->span.to = here.to;
        first = false;
    }
}

/* A word that someone may have meant to be `lab` or `question`. */
static const char *meant(const char *info, size_t len)
{
    static const struct {
        const char *written, *meant;
    } words[] = {{"lab", "lab"},
                 {"labs", "lab"},
                 {"tcplab", "lab"},
                 {"question", "question"},
                 {"questions", "question"}};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strlen(words[i].written) == len && strncasecmp(words[i].written, info, len) == 0)
            return words[i].meant;
    return NULL;
}

static void take_block(struct lesson *l, cmark_node *node)
{
    const char *info = cmark_node_get_fence_info(node);
    const char *content = cmark_node_get_literal(node);
    if (!info || !content)
        return;
    size_t len = strcspn(info, " \t");
    size_t line = (size_t)cmark_node_get_start_line(node); /* from 1: the line behind the fence */
    const char *word = meant(info, len);
    if (word && strlen(word) == len && memcmp(word, info, len) == 0) {
        if (*word == 'l')
            take_script(l, content, line);
        else
            take_question(l, content, line);
    } else if (word) {
        cleanup_free char *hint = xasprintf("write ```%s", word);
        struct span fence = find_line(l, line - 1, "", (struct span){0, 0});
        fence = trim(l->p->text, line <= l->file_lines.n ? l->file_lines.at[line - 1] : fence);
        complain(l->p, fence, hint, "the block's info word is \"%.*s\", so it is no part of the %s",
                 (int)len, info, *word == 'l' ? "script" : "questions");
    }
}

/* The text of a heading or paragraph on one line. */
static char *plain_text(cmark_node *node)
{
    struct strbuf out = STRBUF_INIT;
    cmark_iter *it = cmark_iter_new(node);
    cmark_event_type event;
    while ((event = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
        cmark_node *n = cmark_iter_get_node(it);
        cmark_node_type type = cmark_node_get_type(n);
        const char *text = cmark_node_get_literal(n);
        if (event != CMARK_EVENT_ENTER)
            continue;
        if ((type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) && text)
            strbuf_puts(&out, text);
        else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)
            strbuf_putc(&out, ' ');
    }
    cmark_iter_free(it);
    return strbuf_steal(&out);
}

static void take_node(struct lesson *l, cmark_node *node)
{
    struct lab *lab = l->p->lab;
    cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_HEADING && !l->has_title) {
        free(lab->title);
        lab->title = plain_text(node);
        l->has_title = true;
    } else if (type == CMARK_NODE_PARAGRAPH && !l->has_summary) {
        free(lab->summary);
        lab->summary = plain_text(node);
        l->has_summary = true;
    } else if (type == CMARK_NODE_CODE_BLOCK) {
        take_block(l, node);
    }
}

void lesson_read(struct parser *p)
{
    struct lesson l = {.p = p};
    size_t len = p->lab->source.len, next;
    for (size_t at = 0; at < len; at = next)
        vec_push(&l.file_lines, cut_line(p->text, at, len, &next));
    cmark_node *document = cmark_parse_document(p->text, len, CMARK_OPT_DEFAULT);
    cmark_iter *it = cmark_iter_new(document);
    cmark_event_type event;
    while ((event = cmark_iter_next(it)) != CMARK_EVENT_DONE)
        if (event == CMARK_EVENT_ENTER)
            take_node(&l, cmark_iter_get_node(it));
    cmark_iter_free(it);
    cmark_node_free(document);
    vec_free(&l.file_lines);
}
