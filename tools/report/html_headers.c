/* Theory of operation.
 *
 * page.js draws the header of the segment that is chosen.  It knows nothing of protocols: the
 * fields, with their values and meanings, are in the page's data.  Most of these are the same
 * in segment after segment, so the data has each text once (`texts`) and each layout of a
 * header once (`layouts`, with names, places and sizes of the fields); a segment (`segments`)
 * is then a list of headers, each the number of its layout, its offset, and three texts for
 * each field: hex, value, meaning. */
#include "report/html_page.h"

#include <inttypes.h>
#include <search.h>

#include "picture/header.h"

/* Of more segments the page has no figures but those that its script draws. */
enum { FIGURES_MOST = 64 };

/* Texts by content, numbered as they come. */
struct pool {
    void *tree; /* of struct pooled */
    struct strbuf json;
    size_t n;
};

struct pooled {
    size_t number;
    char *text;
};

static int compare_pooled(const void *a, const void *b)
{
    return strcmp(((const struct pooled *)a)->text, ((const struct pooled *)b)->text);
}

static void free_pooled(void *p)
{
    struct pooled *e = p;
    free(e->text);
    free(e);
}

static void pool_free(struct pool *pool)
{
    tdestroy(pool->tree, free_pooled);
    strbuf_free(&pool->json);
}

/* The number of a text; `json` is how it stands in the data. */
static size_t pool_find(struct pool *pool, const char *text, const char *json)
{
    struct pooled *new = xcalloc(1, sizeof(*new));
    new->text = xstrdup(text);
    struct pooled **found = tsearch(new, &pool->tree, compare_pooled);
    if (*found != new) {
        free_pooled(new);
        return (*found)->number;
    }
    new->number = pool->n++;
    strbuf_printf(&pool->json, "%s%s", new->number ? "," : "", json);
    return new->number;
}

/* A JSON string that is harmless inside <script>. */
static void put_string(struct strbuf *out, const char *s)
{
    cleanup_strbuf struct strbuf text = STRBUF_INIT;
    html_plain(&text, s);
    strbuf_putc(out, '"');
    for (const char *p = strbuf_cstr(&text); *p; p++) {
        if (*p == '"' || *p == '\\' || *p == '<' || *p == '>' || *p == '&' ||
            (unsigned char)*p < 32)
            strbuf_printf(out, "\\u%04x", *p);
        else
            strbuf_putc(out, *p);
    }
    strbuf_putc(out, '"');
}

static size_t find_text(struct pool *texts, const char *s)
{
    cleanup_strbuf struct strbuf json = STRBUF_INIT;
    put_string(&json, s);
    return pool_find(texts, s, json.data);
}

static size_t find_layout(struct pool *layouts, const struct header *h)
{
    cleanup_strbuf struct strbuf json = STRBUF_INIT;
    strbuf_puts(&json, "[");
    put_string(&json, h->title);
    strbuf_putc(&json, ',');
    put_string(&json, h->source ? h->source : "");
    vec_each (&h->fields, f) {
        strbuf_puts(&json, ",[");
        put_string(&json, f->name);
        strbuf_putc(&json, ',');
        put_string(&json, f->brief);
        strbuf_printf(&json, ",%" PRIu32 ",%" PRIu32 ",%d]", f->bit, f->bits, f->flag);
    }
    strbuf_putc(&json, ']');
    return pool_find(layouts, json.data, json.data);
}

static void put_segment(struct strbuf *out, struct pool *texts, struct pool *layouts,
                        const struct headers *headers)
{
    strbuf_putc(out, '[');
    for (size_t i = 0; i < headers->list.n; i++) {
        const struct header *h = &headers->list.at[i];
        strbuf_printf(out, "%s[%zu,%" PRIu32, i ? "," : "", find_layout(layouts, h), h->offset);
        vec_each (&h->fields, f)
            strbuf_printf(out, ",%zu,%zu,%zu", find_text(texts, f->hex), find_text(texts, f->value),
                          find_text(texts, f->meaning));
        strbuf_putc(out, ']');
    }
    strbuf_putc(out, ']');
}

void page_headers_data(struct strbuf *out, const struct page *page)
{
    struct pool texts = {0}, layouts = {0};
    if (!page->picture)
        return;
    strbuf_puts(out, ",\"segments\":[");
    const char *separator = "";
    vec_each (&page->picture->story->segments, s) {
        struct headers *headers = headers_new(&s->p->frame, page->picture->story, s);
        strbuf_puts(out, separator);
        put_segment(out, &texts, &layouts, headers);
        headers_free(headers);
        separator = ",";
    }
    strbuf_printf(out, "],\"layouts\":[%s],\"texts\":[%s]", strbuf_cstr(&layouts.json),
                  strbuf_cstr(&texts.json));
    pool_free(&texts);
    pool_free(&layouts);
}

void html_headers(struct strbuf *out, const struct page *page, const struct story_segment *s)
{
    struct headers *headers = headers_new(&s->p->frame, page->picture->story, s);
    const struct header *h = headers->list.n ? vec_last(&headers->list) : NULL;
    /* The transport's, or what is nearest to it. */
    vec_each (&headers->list, header)
        if (header->source && strcmp(header->title, "TCP") == 0)
            h = header;
    if (h && h->source && page->picture->story->segments.n <= FIGURES_MOST) {
        struct figure figure = {0};
        figure_draw(&figure, h);
        html_around(out, "<pre class=\"raw figure\" tabindex=\"0\">", h->title, " header, ");
        html_around(out, "", h->source, "\n");
        vec_each (&figure.rows, row)
            html_around(out, "", row->text, "\n");
        strbuf_puts(out, "</pre>");
        figure_free(&figure);
    }
    headers_free(headers);
}
