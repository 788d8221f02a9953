/* Theory of operation.
 *
 * The page's parts write into `body`; what they need of CSS beyond page.css (the places of
 * the ladder's rows) and of data for page.js they collect beside it.  When all have
 * written, the head is known: its Content-Security-Policy allows this style and this
 * script by their hashes and forbids everything else, so that a page which somebody's
 * packets had broken out of could neither run nor load anything.
 *
 * Everything is there without the script: it draws the header of the segment that is
 * chosen, marks it in the graphs, and moves with the arrow keys. */
#include "report/html.h"

#include <sha256.h>

#include "report/html_assets.h"
#include "report/html_page.h"
#include "report/words.h"

/* ---------------------------------------------------------------------- head */

static void put_base64(struct strbuf *sb, const unsigned char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned long bits = (unsigned long)p[i] << 16;
        bits |= i + 1 < n ? (unsigned long)p[i + 1] << 8 : 0;
        bits |= i + 2 < n ? (unsigned long)p[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            strbuf_putc(sb, i + k > n ? '=' : digits[bits >> (18 - 6 * k) & 63]);
    }
}

static void put_hash(struct strbuf *sb, const char *text, size_t len)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA2_CTX ctx;
    SHA256Init(&ctx);
    SHA256Update(&ctx, (const unsigned char *)text, len);
    SHA256Final(digest, &ctx);
    strbuf_puts(sb, " 'sha256-");
    put_base64(sb, digest, sizeof(digest));
    strbuf_putc(sb, '\'');
}

static void put_policy(struct strbuf *out, const struct page *page)
{
    strbuf_puts(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                     "base-uri 'none'; form-action 'none'; style-src");
    put_hash(out, page_css, strlen(page_css));
    put_hash(out, strbuf_cstr(&page->style), page->style.len);
    strbuf_puts(out, "; script-src");
    put_hash(out, page_js, strlen(page_js));
    strbuf_puts(out, "\">\n");
}

static void put_head(struct strbuf *out, const struct page *page)
{
    const struct result *r = page->result;
    const char *title = r && r->title ? r->title : page->name;
    strbuf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put_policy(out, page);
    strbuf_puts(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html_text(out, title);
    strbuf_printf(out, "%s%s</title>\n<style>", r ? " – " : "", r ? verdict_name(r->verdict) : "");
    strbuf_puts(out, page_css);
    strbuf_puts(out, "</style>\n<style>");
    strbuf_add(out, strbuf_cstr(&page->style), page->style.len);
    strbuf_puts(out, "</style>\n</head>\n");
}

/* ---------------------------------------------------------------------- body */

static void put_banner(struct strbuf *out, const struct page *page)
{
    const struct result *r = page->result;
    cleanup_strbuf struct strbuf words = STRBUF_INIT;
    strbuf_puts(out, "<header class=\"banner\">\n");
    if (!r) {
        size_t n = page->picture->story->segments.n;
        html_around(out, "<p class=\"over\">tcplab</p>\n<h1>", page->name, "</h1>\n");
        strbuf_printf(out, "<p class=\"verdict\">%zu packet%s, not judged</p>\n</header>\n", n,
                      n == 1 ? "" : "s");
        return;
    }
    words_verdict(&words, r);
    html_around(out, "<p class=\"over\">tcplab · <code>", page->name, "</code></p>\n");
    html_around(out, "<h1>", r->title ? r->title : page->name, "</h1>\n<p class=\"verdict\">");
    html_badge(out, r->verdict);
    html_around(out, " <span>", strbuf_cstr(&words), "</span></p>\n</header>\n");
}

/* Which sections there are is read off the body: each begins with its id. */
static void put_contents(struct strbuf *out, const struct page *page)
{
    static const struct {
        const char *id, *title;
    } parts[] = {
        {"lesson", "Lesson"},        {"setup", "Set-up"},     {"verdict", "Verdict"},
        {"ladder", "What happened"}, {"graphs", "Graphs"},    {"backoff", "Intervals"},
        {"events", "Events"},        {"repeat", "Repeat it"},
    };
    static const char section[] = "<section id=\"";
    strbuf_puts(out, "<nav aria-label=\"Contents\"><ul>");
    for (const char *p = strbuf_cstr(&page->body); (p = strstr(p, section)); p++)
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
            size_t n = strlen(parts[i].id);
            const char *id = p + strlen(section);
            if (strncmp(id, parts[i].id, n) == 0 && id[n] == '"')
                strbuf_printf(out, "<li><a href=\"#%s\">%s</a></li>", parts[i].id, parts[i].title);
        }
    strbuf_puts(out, "</ul></nav>\n");
}

static void put_body(struct strbuf *out, const struct page *page)
{
    strbuf_puts(out, "<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n");
    put_banner(out, page);
    put_contents(out, page);
    strbuf_puts(out, "<main id=\"main\" tabindex=\"-1\">\n");
    strbuf_add(out, strbuf_cstr(&page->body), page->body.len);
    strbuf_puts(out, "</main>\n<footer><p>Written by tcplab");
    if (page->record && page->record->version)
        html_around(out, " ", page->record->version, "");
    strbuf_puts(out, ". This page is one file and loads nothing.</p></footer>\n");
    strbuf_printf(out, "<script type=\"application/json\" id=\"data\">{\"charts\":[%s]",
                  strbuf_cstr(&page->charts));
    page_headers_data(out, page);
    strbuf_puts(out, "}</script>\n<script>");
    strbuf_puts(out, page_js);
    strbuf_puts(out, "</script>\n</body>\n</html>\n");
}

static void find_unit(struct page *page)
{
    nsec last = page->record->ended - page->picture->zero;
    vec_each (&page->picture->rows, row)
        last = row->time > last ? row->time : last;
    page->seconds = picture_in_seconds(last);
}

/* The ladder, and beside it, where there is room, the graphs and the header that is chosen.
 * Of a long ladder the graphs tell the story, so there they come first. */
static void put_work(struct page *page)
{
    bool graphs_first = page->picture && page->picture->rows.n > PAGE_BIG;
    if (!graphs_first)
        page_ladder(page);
    size_t begin = page->body.len;
    strbuf_puts(&page->body, "<div class=\"side\">\n");
    size_t empty = page->body.len;
    page_graphs(page);
    if (page->body.len == empty) {
        strbuf_truncate(&page->body, begin);
        strbuf_puts(&page->body, "<div class=\"side bare\">\n");
    }
    strbuf_puts(&page->body, "</div>\n");
    if (graphs_first)
        page_ladder(page);
}

static void write_page(struct strbuf *out, struct page page)
{
    if (page.record) {
        page.picture = picture_new(page.record, page.result);
        page.labels = labels_new(page.picture->story);
        find_unit(&page);
    }
    strbuf_puts(&page.body, "<div class=\"intro\">\n");
    page_lesson(&page);
    page_setup(&page);
    page_verdict(&page);
    strbuf_puts(&page.body, "</div>\n<div class=\"work\">\n");
    put_work(&page);
    strbuf_puts(&page.body, "</div>\n");
    page_backoff(&page);
    page_events(&page);
    page_repeat(&page);
    put_head(out, &page);
    put_body(out, &page);
    if (page.labels)
        labels_free(page.labels);
    picture_free(page.picture);
    strbuf_free(&page.body);
    strbuf_free(&page.style);
    strbuf_free(&page.charts);
}

void report_html(struct strbuf *out, const struct result *result, const struct lab *lab)
{
    write_page(
        out,
        (struct page){.name = result->lab, .result = result, .record = result->record, .lab = lab});
}

void report_html_unjudged(struct strbuf *out, const struct record *record, const char *name)
{
    write_page(out, (struct page){.name = name, .record = record});
}
