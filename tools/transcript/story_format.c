/* The story in the words of a transcript. */
#include <ctype.h>
#include <inttypes.h>

#include "base/errno.h"
#include "base/socktext.h"
#include "transcript/print.h"
#include "transcript/story_build.h"

static bool name_address(void *ctx, struct strbuf *sb, const struct ipaddr *addr)
{
    const struct record *r = ctx;
    int host = record_find_host(r, addr);
    if (host < 0)
        return false;
    strbuf_puts(sb, r->hosts.at[host].name);
    return true;
}

static void put_endpoint(struct strbuf *sb, const struct record *r, int host,
                         const struct ipaddr *addr, const char *port)
{
    if (host >= 0)
        strbuf_puts(sb, r->hosts.at[host].name);
    else
        strbuf_ipaddr(sb, addr);
    strbuf_putc(sb, '.');
    strbuf_puts(sb, port);
}

/* What print_tcp() must subtract to print the story's numbers. */
static struct print_style style_of(const struct story_segment *s)
{
    const struct tcp_header *t = &s->p->tcp;
    return (struct print_style){.seq_base = t->seq - s->seq,
                                .ack_base = t->ack - s->ack,
                                .tsval_base = t->tsval - s->tsval,
                                .tsecr_base = t->tsecr - s->tsecr,
                                .relative_syn = true};
}

static void put_other(struct strbuf *sb, const struct record *r, const struct packet *p)
{
    /* print_style's context is not const because others write to theirs. */
    union {
        const struct record *read_only;
        void *ctx;
    } record = {r};
    struct print_style style = {.name = name_address, .ctx = record.ctx};
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    print_packet(&text, p, &style);
    const char *s = strbuf_cstr(&text);
    if (strncmp(s, "IP ", 3) == 0)
        s += 3;
    else if (strncmp(s, "IP6 ", 4) == 0)
        s += 4;
    strbuf_puts(sb, s);
}

void story_format_sent(struct strbuf *sb, const struct story *story, const struct story_segment *s)
{
    const struct record *r = story->record;
    if (s->flow >= 0) {
        struct print_style style = style_of(s);
        put_endpoint(sb, r, s->from, &s->p->ip.src, s->from_port);
        strbuf_puts(sb, " > ");
        put_endpoint(sb, r, s->to, &s->p->ip.dst, s->to_port);
        strbuf_puts(sb, ": ");
        print_tcp(sb, s->p, &style);
        unsigned ecn = packet_ecn(s->p);
        if (ecn != ECN_NOT_ECT)
            strbuf_printf(sb, " %s", print_ecn[ecn]);
    } else {
        put_other(sb, r, s->p);
    }
}

/* A path takes as long as it says, and then the host a little: whole milliseconds down. */
static void put_fate(struct strbuf *sb, const struct story_segment *s)
{
    if (s->fate == FATE_LOST) {
        strbuf_puts(sb, " lost");
    } else if (s->fate == FATE_ARRIVED && s->travel > STORY_AT_ONCE) {
        strbuf_puts(sb, " arrives +");
        strbuf_duration(sb, s->travel / NSEC_PER_MSEC * NSEC_PER_MSEC);
    }
    if (s->overtaken)
        strbuf_printf(sb, " overtaken by %u", s->overtaken);
    if (s->arrivals > 1)
        strbuf_puts(sb, " twice");
    if (s->damaged)
        strbuf_puts(sb, " damaged");
    if (s->marked)
        strbuf_puts(sb, " marked");
    if (s->rewritten)
        strbuf_puts(sb, " rewritten");
    if (s->injected)
        strbuf_puts(sb, " injected");
}

void story_format(struct strbuf *sb, const struct story *story, const struct story_segment *s)
{
    story_format_sent(sb, story, s);
    if (story->point < 0)
        put_fate(sb, s);
}

/* Whether the text is one word of printable characters. */
static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isgraph((unsigned char)text[i]) || text[i] == '"')
            return false;
    }
    return len > 0;
}

static void put_result(struct strbuf *sb, const struct record_call *c)
{
    bool counts = strcmp(c->verb, "send") == 0 || strcmp(c->verb, "recv") == 0;
    bool stated_text = c->expected && c->expected[0] == '"';
    if (c->text && (stated_text || !counts)) {
        strbuf_puts(sb, " => ");
        if (stated_text || !is_word(c->text, c->text_len)) {
            strbuf_putc(sb, '"');
            strbuf_escaped(sb, c->text, c->text_len, false);
            strbuf_putc(sb, '"');
        } else {
            strbuf_add(sb, c->text, c->text_len);
        }
    } else if (counts || c->value != 0 || c->expected) {
        strbuf_printf(sb, " => %" PRId64, c->value);
    }
}

void story_format_call(struct strbuf *sb, const struct record *r, const struct record_call *c)
{
    bool known = c->host >= 0 && (size_t)c->host < r->hosts.n;
    strbuf_puts(sb, known ? r->hosts.at[c->host].name : "?");
    if (c->as)
        strbuf_printf(sb, " as %s", c->as);
    strbuf_printf(sb, ": %s", c->verb);
    if (c->args && c->args[0])
        strbuf_printf(sb, " %s", c->args);
    if (c->ended == 0)
        strbuf_puts(sb, " => (not finished)");
    else if (c->failed)
        strbuf_printf(sb, " => %s", errno_name(c->errnum));
    else
        put_result(sb, c);
}
