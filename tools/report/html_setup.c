/* Lesson, set-up and verdict. */
#include "lab/render_html.h"
#include "report/html_drawing.h"
#include "report/html_page.h"
#include "report/words.h"

void page_lesson(struct page *page)
{
    struct strbuf *out = &page->body;
    if (!page->lab)
        return;
    strbuf_puts(out, "<section id=\"lesson\" aria-labelledby=\"lesson-h\">\n"
                     "<h2 id=\"lesson-h\">Lesson</h2>\n");
    lab_render_html(out, page->lab);
    strbuf_puts(out, "</section>\n");
}

/* --------------------------------------------------------------------- set-up */

static void put_fact(struct strbuf *out, const char *kind, const char *name, const char *value)
{
    html_around(out, "<div><dt>", kind, "</dt><dd>");
    if (name)
        html_around(out, "<b>", name, "</b> ");
    html_around(out, "", value, "</dd></div>\n");
}

static bool is_router(const struct lab *lab, const char *name)
{
    if (lab)
        vec_each (&lab->hosts, host)
            if (host->router && strcmp(host->name, name) == 0)
                return true;
    return false;
}

static void put_hosts(struct strbuf *out, const struct record *r, const struct lab *lab)
{
    vec_each (&r->hosts, host) {
        cleanup_strbuf struct strbuf addrs = STRBUF_INIT;
        vec_each (&host->addrs, addr) {
            strbuf_puts(&addrs, addrs.len ? ", " : "");
            strbuf_ipaddr(&addrs, addr);
        }
        bool is_address = strcmp(host->name, strbuf_cstr(&addrs)) == 0;
        put_fact(out, is_router(lab, host->name) ? "router" : "host",
                 is_address ? NULL : host->name, strbuf_cstr(&addrs));
    }
}

/* Whether the kernel of the run did not have a setting that is `sysctl?` in the lab. */
static bool lacked(const struct record *r, const char *host, const char *key)
{
    vec_each (&r->sysctls, sysctl)
        if (sysctl->absent && strcmp(sysctl->key, key) == 0 &&
            (sysctl->host < 0 || strcmp(r->hosts.at[sysctl->host].name, host) == 0))
            return true;
    return false;
}

/* How the wire is, and what the lab itself has set.  What a script changes when something has been
 * sent already is no set-up, and says so. */
static void put_scene(struct strbuf *out, const struct record *r, const struct lab *lab)
{
    bool begun = false;
    vec_each (&lab->steps, step) {
        const char *text = strchr(step->text, ' ');
        begun = begun || step->verb == VERB_CONNECT || step->verb == VERB_RUN;
        if (step->verb != VERB_WIRE || !step->wire.properties.has || !text)
            continue;
        cleanup_free char *fact = xasprintf("%s%s", text + 1, begun ? " (later)" : "");
        put_fact(out, "wire", NULL, fact);
    }
    vec_each (&lab->sysctls, sysctl) {
        const char *host = lab->hosts.at[sysctl->host].name;
        cleanup_free char *text = lacked(r, host, sysctl->key)
                                      ? xasprintf("%s (this kernel has none)", sysctl->key)
                                      : xasprintf("%s = %s", sysctl->key, sysctl->value);
        put_fact(out, "setting", host, text);
    }
}

static void put_settings(struct strbuf *out, const struct record *r)
{
    if (!r->sysctls.n)
        return;
    strbuf_puts(out, "<details><summary>Kernel settings that were pinned</summary>\n"
                     "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"Kernel settings\"><table><thead><tr><th scope=\"col\">host</th>"
                     "<th scope=\"col\">setting</th><th scope=\"col\">value</th></tr></thead>"
                     "<tbody>\n");
    vec_each (&r->sysctls, sysctl) {
        html_around(out, "<tr><td>", sysctl->host >= 0 ? r->hosts.at[sysctl->host].name : "",
                    "</td>");
        html_around(out, "<td><code>", sysctl->key, "</code></td>");
        html_around(out, "<td>", sysctl->absent ? "(this kernel has none)" : sysctl->value,
                    "</td></tr>\n");
    }
    strbuf_puts(out, "</tbody></table></div></details>\n");
}

void page_setup(struct page *page)
{
    struct strbuf *out = &page->body;
    const struct record *r = page->record;
    if (!r && !page->lab)
        return;
    strbuf_puts(out, "<section id=\"setup\" aria-labelledby=\"setup-h\">\n"
                     "<h2 id=\"setup-h\">Set-up</h2>\n");
    if (page->lab) {
        strbuf_puts(out, "<figure>\n");
        html_drawing(out, page);
        strbuf_puts(out,
                    "<figcaption>◉ marks where packets were captured.</figcaption></figure>\n");
    }
    if (r) {
        strbuf_puts(out, "<dl class=\"facts\">\n");
        put_hosts(out, r, page->lab);
        vec_each (&r->points, point) {
            cleanup_strbuf struct strbuf line = STRBUF_INIT;
            words_point(&line, point);
            put_fact(out, "capture", point->name, line.data);
        }
        if (page->lab)
            put_scene(out, r, page->lab);
        if (r->kernel) {
            cleanup_strbuf struct strbuf line = STRBUF_INIT;
            words_machine(&line, r);
            put_fact(out, "machine", NULL, line.data);
        }
        vec_each (&r->remarks, remark)
            put_fact(out, "remark", NULL, *remark);
        strbuf_puts(out, "</dl>\n");
        put_settings(out, r);
    }
    strbuf_puts(out, "</section>\n");
}

/* -------------------------------------------------------------------- verdict */

void page_verdict(struct page *page)
{
    struct strbuf *out = &page->body;
    const struct result *r = page->result;
    cleanup_strbuf struct strbuf words = STRBUF_INIT, wall = STRBUF_INIT;
    if (!r)
        return;
    const struct result_line *bad = result_first_bad(r);
    words_verdict(&words, r);
    strbuf_puts(out, "<section id=\"verdict\" aria-labelledby=\"verdict-h\">\n"
                     "<h2 id=\"verdict-h\">Verdict</h2>\n<p class=\"verdict\">");
    html_badge(out, r->verdict);
    html_around(out, " <span>", strbuf_cstr(&words), "");
    if (r->wall && r->verdict != VERDICT_SKIP) {
        words_seconds(&wall, r->wall);
        strbuf_printf(out, " (%s)", wall.data);
    }
    strbuf_puts(out, "</span></p>\n");
    if (bad && r->verdict != VERDICT_PASS && r->verdict != VERDICT_ERROR) {
        cleanup_strbuf struct strbuf heading = STRBUF_INIT;
        words_fault(&heading, r, bad);
        html_around(out, "<h3>", heading.data, "</h3>\n");
        html_fault(out, bad);
        if (bad->wire)
            html_around(out, "<p>", bad->wire, "</p>");
        if (bad->note) {
            strbuf_puts(out, "<p class=\"note\">The transcript’s note: ");
            html_note(out, bad->note);
            strbuf_puts(out, "</p>");
        }
    }
    strbuf_puts(out, "</section>\n");
}
