/* The lesson for a terminal.
 *
 * libcmark's tree is walked once.  Inline nodes fill `word`, the piece since the
 * last blank, which may hold escape sequences; its width counts only what is seen.
 * A blank ends the word: it goes on the line if it fits, else on the next one.
 * Block nodes change `prefix`, what stands before every line (the indentation of a
 * list, the bar of a quotation), and ask for blank lines between them.  The prefix
 * stops growing at half the width, so that deep nesting costs neither room nor
 * memory. */
#include "lab/render.h"

#include <cmark.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PREFIX = 80 };

struct renderer {
    struct strbuf *out;
    size_t width;
    bool color;
    char prefix[MAX_PREFIX + 1];
    size_t prefix_len;
    char bullet[16]; /* stands once in place of the end of the prefix */
    struct strbuf word;
    size_t word_width, column; /* column 0: the line has not begun */
    bool blank_wanted;         /* an empty line before the next block */
    size_t widest;             /* of the paragraph or heading at hand */
};

/* ------------------------------------------------------------------- output */

static size_t char_length(const char *s, size_t left)
{
    size_t n = 1;
    while (n < left && ((unsigned char)s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static bool is_control(const char *s, size_t left)
{
    unsigned char c = (unsigned char)*s;
    return c < 0x20 || c == 0x7f || (c == 0xc2 && left > 1 && (unsigned char)s[1] < 0xa0);
}

void render_plain(struct strbuf *out, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n) {
        n = char_length(text + i, len - i);
        if (text[i] != '\n' && text[i] != '\t' && is_control(text + i, n)) {
            if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
                strbuf_putc(out, '?');
        } else {
            strbuf_add(out, text + i, n);
        }
    }
}

static void style(struct renderer *r, const char *sequence)
{
    if (r->color)
        strbuf_printf(&r->word, "\033[%sm", sequence);
}

static void begin_line(struct renderer *r)
{
    size_t bullet = strlen(r->bullet);
    if (bullet > r->prefix_len)
        bullet = r->prefix_len;
    strbuf_add(r->out, r->prefix, r->prefix_len - bullet);
    strbuf_add(r->out, r->bullet, bullet);
    r->bullet[0] = '\0';
    r->column = r->prefix_len;
}

static void end_line(struct renderer *r)
{
    while (r->out->len && r->out->data[r->out->len - 1] == ' ')
        strbuf_truncate(r->out, r->out->len - 1);
    strbuf_putc(r->out, '\n');
    if (r->column > r->widest)
        r->widest = r->column;
    r->column = 0;
}

/* Puts the word on the line, or on a new one. */
static void flush_word(struct renderer *r)
{
    if (r->word.len == 0)
        return;
    bool begun = r->column > r->prefix_len;
    if (begun && r->word_width && r->column + 1 + r->word_width > r->width) {
        end_line(r);
        begun = false;
    }
    if (r->column == 0)
        begin_line(r);
    if (begun && r->word_width) {
        strbuf_putc(r->out, ' ');
        r->column++;
    }
    strbuf_add(r->out, strbuf_cstr(&r->word), r->word.len);
    r->column += r->word_width;
    strbuf_truncate(&r->word, 0);
    r->word_width = 0;
}

static void put_text(struct renderer *r, const char *s)
{
    size_t len = strlen(s);
    for (size_t i = 0, n; i < len; i += n) {
        n = char_length(s + i, len - i);
        if (s[i] == ' ' || s[i] == '\n' || s[i] == '\t') {
            flush_word(r);
        } else if (is_control(s + i, n)) {
            strbuf_putc(&r->word, '?');
            r->word_width++;
        } else {
            strbuf_add(&r->word, s + i, n);
            r->word_width++;
        }
    }
}

static void end_paragraph(struct renderer *r)
{
    flush_word(r);
    if (r->column)
        end_line(r);
}

/* Where a block begins. */
static void begin_block(struct renderer *r)
{
    if (r->blank_wanted && r->out->len) {
        size_t n = r->prefix_len;
        while (n && r->prefix[n - 1] == ' ')
            n--;
        strbuf_add(r->out, r->prefix, n);
        strbuf_putc(r->out, '\n');
    }
    r->blank_wanted = false;
    r->widest = 0;
}

static void grow_prefix(struct renderer *r, const char *more)
{
    size_t n = strlen(more);
    if (r->prefix_len + n > r->width / 2 || r->prefix_len + n > MAX_PREFIX)
        return;
    memcpy(r->prefix + r->prefix_len, more, n + 1);
    r->prefix_len += n;
}

/* ------------------------------------------------------------------- blocks */

static void put_code_block(struct renderer *r, const char *code)
{
    begin_block(r);
    while (*code) {
        size_t n = strcspn(code, "\r\n");
        begin_line(r);
        strbuf_puts(r->out, "    ");
        if (r->color && n)
            strbuf_puts(r->out, "\033[36m");
        render_plain(r->out, code, n);
        if (r->color && n)
            strbuf_puts(r->out, "\033[0m");
        end_line(r);
        code += n;
        code += *code == '\r' && code[1] == '\n' ? 2 : *code != '\0';
    }
    r->blank_wanted = true;
}

static void put_heading(struct renderer *r, cmark_node *node, bool enter)
{
    int level = cmark_node_get_heading_level(node);
    if (enter) {
        begin_block(r);
        style(r, "1");
        return;
    }
    style(r, "22");
    end_paragraph(r);
    if (level <= 2 && r->widest > r->prefix_len) {
        size_t n = r->widest - r->prefix_len;
        begin_line(r);
        strbuf_pad(r->out, level == 1 ? '=' : '-', n);
        end_line(r);
    }
    r->blank_wanted = true;
}

static bool in_tight_list(cmark_node *node)
{
    cmark_node *item = cmark_node_parent(node);
    return item && cmark_node_get_type(item) == CMARK_NODE_ITEM &&
           cmark_node_get_list_tight(cmark_node_parent(item));
}

/* ------------------------------------------------- lists and quotations */

/* Numbers that a node needs from its beginning to its end stand in its user data,
 * so that the walk needs no stack of its own. */
static void remember(cmark_node *node, size_t number)
{
    cmark_node_set_user_data(node, (void *)(uintptr_t)number);
}

static size_t remembered(cmark_node *node)
{
    return (size_t)(uintptr_t)cmark_node_get_user_data(node);
}

static void make_bullet(cmark_node *item, char bullet[16])
{
    cmark_node *list = cmark_node_parent(item);
    if (cmark_node_get_list_type(list) != CMARK_ORDERED_LIST) {
        snprintf(bullet, 16, "- ");
        return;
    }
    size_t before = remembered(list);
    remember(list, before + 1);
    snprintf(bullet, 16, "%u. ", (unsigned)cmark_node_get_list_start(list) + (unsigned)before);
}

static void put_item(struct renderer *r, cmark_node *node, bool enter)
{
    static const char blanks[] = "               ";
    if (enter) {
        char bullet[16];
        make_bullet(node, bullet);
        if (r->blank_wanted)
            begin_block(r);
        remember(node, r->prefix_len);
        grow_prefix(r, blanks + sizeof(blanks) - 1 - strlen(bullet));
        memcpy(r->bullet, bullet, sizeof(bullet));
        return;
    }
    if (r->bullet[0]) {
        begin_line(r);
        end_line(r);
    }
    r->prefix_len = remembered(node);
}

static void put_quotation(struct renderer *r, cmark_node *node, bool enter)
{
    if (enter) {
        begin_block(r);
        remember(node, r->prefix_len);
        grow_prefix(r, "| ");
        return;
    }
    r->prefix_len = remembered(node);
    r->blank_wanted = true;
}

/* ------------------------------------------------------------------- inline */

static void put_code(struct renderer *r, const char *code)
{
    if (r->color)
        style(r, "36");
    else
        put_text(r, "`");
    put_text(r, code);
    if (r->color)
        style(r, "39");
    else
        put_text(r, "`");
}

/* The address behind a link's text, unless the text is the address. */
static void put_url(struct renderer *r, cmark_node *link)
{
    const char *url = cmark_node_get_url(link);
    cmark_node *text = cmark_node_first_child(link);
    const char *literal = text ? cmark_node_get_literal(text) : NULL;
    if (!url || !*url || (literal && strcmp(literal, url) == 0))
        return;
    put_text(r, " <");
    put_text(r, url);
    put_text(r, ">");
}

static void put_inline(struct renderer *r, cmark_node *node, cmark_node_type type, bool enter)
{
    switch ((int)type) {
    case CMARK_NODE_TEXT:
        put_text(r, cmark_node_get_literal(node));
        break;
    case CMARK_NODE_CODE:
        put_code(r, cmark_node_get_literal(node));
        break;
    case CMARK_NODE_SOFTBREAK:
        flush_word(r);
        break;
    case CMARK_NODE_LINEBREAK:
        end_paragraph(r);
        break;
    case CMARK_NODE_EMPH:
        style(r, enter ? "3" : "23");
        break;
    case CMARK_NODE_STRONG:
        style(r, enter ? "1" : "22");
        break;
    case CMARK_NODE_LINK:
        if (!enter)
            put_url(r, node);
        break;
    default: /* pieces of HTML, and the frame of an image, show nothing */
        break;
    }
}

static void put_node(struct renderer *r, cmark_node *node, bool enter)
{
    cmark_node_type type = cmark_node_get_type(node);
    switch ((int)type) {
    case CMARK_NODE_HEADING:
        put_heading(r, node, enter);
        break;
    case CMARK_NODE_PARAGRAPH:
        if (enter) {
            begin_block(r);
        } else {
            end_paragraph(r);
            r->blank_wanted = !in_tight_list(node);
        }
        break;
    case CMARK_NODE_CODE_BLOCK:
        put_code_block(r, cmark_node_get_literal(node));
        break;
    case CMARK_NODE_LIST:
        r->blank_wanted |= !enter;
        break;
    case CMARK_NODE_ITEM:
        put_item(r, node, enter);
        break;
    case CMARK_NODE_BLOCK_QUOTE:
        put_quotation(r, node, enter);
        break;
    case CMARK_NODE_THEMATIC_BREAK:
        begin_block(r);
        begin_line(r);
        strbuf_pad(r->out, '-', r->width - r->prefix_len);
        end_line(r);
        r->blank_wanted = true;
        break;
    default:
        put_inline(r, node, type, enter);
        break;
    }
}

/* -------------------------------------------------------------------- whole */

static cmark_node *parse_lesson(const struct lab *lab)
{
    size_t len = lab->source.len < LAB_MAX_BYTES ? lab->source.len : LAB_MAX_BYTES;
    return cmark_parse_document(lab->source.text, len, CMARK_OPT_VALIDATE_UTF8);
}

void lab_render(struct strbuf *out, const struct lab *lab, int width, bool color)
{
    struct renderer r = {.out = out, .width = width > 20 ? (size_t)width : 20, .color = color};
    cmark_node *document = parse_lesson(lab);
    cmark_iter *it = cmark_iter_new(document);
    cmark_event_type event;
    while ((event = cmark_iter_next(it)) != CMARK_EVENT_DONE)
        put_node(&r, cmark_iter_get_node(it), event == CMARK_EVENT_ENTER);
    cmark_iter_free(it);
    cmark_node_free(document);
    strbuf_free(&r.word);
}

void lab_render_script(struct strbuf *out, const struct lab *lab)
{
    cmark_node *document = parse_lesson(lab);
    cmark_iter *it = cmark_iter_new(document);
    cmark_event_type event;
    bool first = true;
    while ((event = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
        cmark_node *node = cmark_iter_get_node(it);
        if (cmark_node_get_type(node) != CMARK_NODE_CODE_BLOCK)
            continue;
        const char *info = cmark_node_get_fence_info(node);
        const char *code = cmark_node_get_literal(node);
        if (!info || strcspn(info, " \t") != 3 || memcmp(info, "lab", 3) != 0)
            continue;
        if (!first)
            strbuf_putc(out, '\n');
        first = false;
        render_plain(out, code, strlen(code));
    }
    cmark_iter_free(it);
    cmark_node_free(document);
}
