#include "lab/render_html.h"

#include <cmark.h>

#include "lab/render.h"

/* An image is replaced by what stands in its brackets. */
static void replace_image(cmark_node *image)
{
    for (cmark_node *child; (child = cmark_node_first_child(image));)
        cmark_node_insert_before(image, child);
    cmark_node_free(image);
}

static cmark_node *first_of(cmark_node *document, cmark_node_type type)
{
    cmark_node *found = NULL;
    cmark_iter *it = cmark_iter_new(document);
    for (cmark_event_type event; !found && (event = cmark_iter_next(it)) != CMARK_EVENT_DONE;)
        if (event == CMARK_EVENT_ENTER && cmark_node_get_type(cmark_iter_get_node(it)) == type)
            found = cmark_iter_get_node(it);
    cmark_iter_free(it);
    return found;
}

static void lower_headings(cmark_node *document)
{
    cmark_iter *it = cmark_iter_new(document);
    for (cmark_event_type event; (event = cmark_iter_next(it)) != CMARK_EVENT_DONE;) {
        cmark_node *node = cmark_iter_get_node(it);
        if (event != CMARK_EVENT_ENTER || cmark_node_get_type(node) != CMARK_NODE_HEADING)
            continue;
        int level = cmark_node_get_heading_level(node);
        cmark_node_set_heading_level(node, level < 3 ? 3 : level < 6 ? level + 1 : 6);
    }
    cmark_iter_free(it);
}

/* A block of text is a table or a drawing: it scrolls where there is not enough room, also by
 * the keyboard.  (In a text there is no such tag: there `<` is written `&lt;`.) */
static void put_blocks(struct strbuf *out, const char *html)
{
    static const char plain[] = "<pre><code class=\"language-text\">";
    for (const char *next; (next = strstr(html, plain)); html = next + strlen(plain)) {
        strbuf_add(out, html, (size_t)(next - html));
        strbuf_puts(out, "<pre class=\"text\" tabindex=\"0\"><code>");
    }
    strbuf_puts(out, html);
}

void lab_render_html(struct strbuf *out, const struct lab *lab)
{
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    render_plain(&text, lab->source.text, lab->source.len);
    cmark_node *document = cmark_parse_document(strbuf_cstr(&text), text.len, CMARK_OPT_DEFAULT);
    cmark_node *title = first_of(document, CMARK_NODE_HEADING);
    if (title)
        cmark_node_free(title);
    for (cmark_node *image; (image = first_of(document, CMARK_NODE_IMAGE));)
        replace_image(image);
    lower_headings(document);
    char *html = cmark_render_html(document, CMARK_OPT_VALIDATE_UTF8);
    put_blocks(out, html);
    free(html);
    cmark_node_free(document);
}
