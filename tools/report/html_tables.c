/* What stands in tables and lists: events, and how to repeat the run. */
#include "report/html_page.h"

#include "lab/wire.h"

/* --------------------------------------------------------------------- events */

static void put_event(struct page *page, nsec time, const char *host, const char *what)
{
    struct strbuf *out = &page->body;
    strbuf_puts(out, "<tr><td class=\"num\">");
    html_time(out, page, time - page->picture->zero);
    html_around(out, "</td><td>", host, "</td>");
    html_around(out, "<td><code>", what, "</code></td></tr>\n");
}

static const char *host_name(const struct record *r, int host)
{
    return host >= 0 && (size_t)host < r->hosts.n ? r->hosts.at[host].name : "?";
}

static void put_calls(struct page *page)
{
    const struct record *r = page->record;
    vec_each (&r->calls, call) {
        cleanup_strbuf struct strbuf line = STRBUF_INIT;
        story_format_call(&line, r, call);
        const char *colon = strstr(strbuf_cstr(&line), ": ");
        cleanup_strbuf struct strbuf text = STRBUF_INIT;
        strbuf_puts(&text, colon ? colon + 2 : strbuf_cstr(&line));
        if (call->ended) {
            strbuf_puts(&text, " (took ");
            strbuf_approx(&text, call->ended - call->began);
            strbuf_puts(&text, ")");
        } else {
            strbuf_puts(&text, " (had not returned at the end)");
        }
        put_event(page, call->began, host_name(r, call->host), text.data);
    }
}

static void put_wire(struct page *page)
{
    const struct record *r = page->record;
    vec_each (&r->wire, wire) {
        cleanup_strbuf struct strbuf text = STRBUF_INIT;
        strbuf_printf(&text, "the wire %s a frame from %s to %s",
                      wire_action_names[wire->action].past, host_name(r, wire->from),
                      host_name(r, wire->to));
        put_event(page, wire->time, "–", text.data);
    }
}

static void put_table(struct page *page, const char *title, void (*put)(struct page *), size_t n)
{
    struct strbuf *out = &page->body;
    if (!n)
        return;
    strbuf_printf(out,
                  "<details><summary>%s (%zu)</summary>\n"
                  "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
                  "<table><thead><tr><th scope=\"col\">time/%s</th>"
                  "<th scope=\"col\">host</th><th scope=\"col\">event</th></tr></thead><tbody>\n",
                  title, n, title, html_unit(page));
    put(page);
    strbuf_puts(out, "</tbody></table></div></details>\n");
}

static void put_links(struct page *page)
{
    vec_each (&page->record->events, event)
        put_event(page, event->time, host_name(page->record, event->host),
                  event->kind == EVENT_UNPLUG ? "its cable is pulled"
                                              : "its cable is plugged in again");
}

static void put_states(struct page *page)
{
    const struct record *r = page->record;
    vec_each (&r->states, state) {
        if (state->old == state->new)
            continue;
        cleanup_strbuf struct strbuf text = STRBUF_INIT;
        strbuf_printf(&text, "port %u: %s → %s", state->local_port,
                      state->old ? tcp_state_names[state->old] : "(new)",
                      tcp_state_names[state->new]);
        put_event(page, state->time, host_name(r, state->host), text.data);
    }
}

static size_t count_states(const struct record *r)
{
    size_t n = 0;
    vec_each (&r->states, state)
        n += state->old != state->new;
    return n;
}

void page_events(struct page *page)
{
    const struct record *r = page->record;
    if (!r || r->calls.n + r->events.n + r->wire.n + r->states.n == 0)
        return;
    strbuf_puts(&page->body, "<section id=\"events\" aria-labelledby=\"events-h\">\n"
                             "<h2 id=\"events-h\">Events</h2>\n");
    put_table(page, "Calls of the programs", put_calls, r->calls.n);
    put_table(page, "Cables", put_links, r->events.n);
    put_table(page, "What the wire did", put_wire, r->wire.n);
    put_table(page, "States of the sockets", put_states, count_states(r));
    strbuf_puts(&page->body, "</section>\n");
}

/* --------------------------------------------------------------------- repeat */

static void put_command(struct strbuf *out, const char *what, const char *command)
{
    html_around(out, "<div><dt>", what, "</dt>");
    html_around(out, "<dd><code>", command, "</code></dd></div>\n");
}

void page_repeat(struct page *page)
{
    struct strbuf *out = &page->body;
    const char *lab = page->name;
    if (!page->result)
        return;
    cleanup_strbuf struct strbuf options = STRBUF_INIT;
    if (page->lab && page->record && page->record->ip == 6 && page->lab->mapping)
        strbuf_puts(&options, " --ip 6");
    if (page->lab)
        vec_each (&page->lab->varies, vary)
            strbuf_printf(&options, " --vary %s=%lld", vary->name, (long long)vary->value);
    strbuf_puts(out, "<section id=\"repeat\" aria-labelledby=\"repeat-h\">\n"
                     "<h2 id=\"repeat-h\">Repeat it</h2>\n<dl class=\"facts commands\">\n");
    bool skipped = page->result->verdict == VERDICT_SKIP;
    if (skipped && page->lab && page->lab->is_long)
        strbuf_puts(&options, " --long");
    cleanup_free char *run = xasprintf("tcplab run %s%s", lab, strbuf_cstr(&options));
    cleanup_free char *check = xasprintf("tcplab check %s --from out/%s", lab, lab);
    cleanup_free char *shark = xasprintf("wireshark out/%s/capture.pcapng", lab);
    put_command(out, skipped ? "play it" : "play it again", run);
    if (page->record && !skipped) {
        put_command(out, "judge this run again", check);
        put_command(out, "look at its packets", shark);
    }
    strbuf_puts(out, "</dl>\n</section>\n");
}
