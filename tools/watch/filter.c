#include "watch/filter.h"

#include <ctype.h>
#include <pcap/pcap.h>
#include <strings.h>

#include "lab/filter.h"

/* An expression compiled for one link type. */
struct program {
    int linktype;
    bool good;
    struct bpf_program code;
};

struct filter {
    char *text;
    char *expression; /* with addresses for names; NULL: it is a text */
    VEC(struct program) programs;
};

/* ---------------------------------------------------------------- expressions */

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("._-", c));
}

/* An address of the host of that name, of a version that was seen. */
static const struct ipaddr *address_of(const struct record *record, const char *name, size_t n)
{
    vec_each (&record->hosts, host) {
        if (strlen(host->name) != n || memcmp(host->name, name, n) != 0)
            continue;
        const struct ipaddr *first = NULL;
        vec_each (&host->addrs, addr)
            if (!first ||
                (record->ip && addr->version == record->ip && first->version != record->ip))
                first = addr;
        return first;
    }
    return NULL;
}

static char *with_addresses(const char *text, const struct record *record)
{
    struct strbuf sb = STRBUF_INIT;
    for (const char *p = text; *p;) {
        size_t n = 0;
        while (in_word(p[n]))
            n++;
        const struct ipaddr *addr = n ? address_of(record, p, n) : NULL;
        n = n ? n : 1;
        if (addr)
            strbuf_ipaddr(&sb, addr);
        else
            strbuf_add(&sb, p, n);
        p += n;
    }
    return strbuf_steal(&sb);
}

static const struct program *program_for(struct filter *f, int linktype)
{
    vec_each (&f->programs, p)
        if (p->linktype == linktype)
            return p;
    struct program *p = vec_add(&f->programs);
    p->linktype = linktype;
    pcap_t *dead = pcap_open_dead(linktype, 262144);
    if (dead) {
        p->good = pcap_compile(dead, &p->code, f->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
        pcap_close(dead);
    }
    return p;
}

/* A single number is searched for: as an expression it would be a host's address. */
static bool is_number(const char *text)
{
    return text[strspn(text, "0123456789 ")] == '\0';
}

/* What the recording calls plain ASCII; a backslash would make names of libpcap's words. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e || *text == '\\')
            return false;
    return true;
}

static void try_expression(struct filter *f, const struct record *record)
{
    size_t at;
    if (is_number(f->text) || !is_plain(f->text))
        return;
    f->expression = with_addresses(f->text, record);
    int linktype = record->packets.n ? record->packets.at[0].frame.linktype : PCAP_ERROR;
    bool good = linktype >= 0 && !filter_find_lookup(f->expression, strlen(f->expression), &at) &&
                program_for(f, linktype)->good;
    if (good)
        return;
    free(f->expression);
    f->expression = NULL;
}

/* --------------------------------------------------------------------- filters */

struct filter *filter_new(const char *text, const struct record *record)
{
    struct filter *f = xcalloc(1, sizeof(*f));
    f->text = xstrdup(text);
    try_expression(f, record);
    return f;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    vec_each (&filter->programs, p)
        if (p->good)
            pcap_freecode(&p->code);
    vec_free(&filter->programs);
    free(filter->text);
    free(filter->expression);
    free(filter);
}

const char *filter_text(const struct filter *filter)
{
    return filter->text;
}

bool filter_is_expression(const struct filter *filter)
{
    return filter->expression != NULL;
}

bool filter_takes_frame(struct filter *filter, const struct frame *frame)
{
    const struct program *p = program_for(filter, frame->linktype);
    struct pcap_pkthdr header = {.caplen = frame->caplen, .len = frame->wirelen};
    return p->good && pcap_offline_filter(&p->code, &header, frame->data);
}

bool filter_takes_line(const struct filter *filter, const char *line)
{
    return strcasestr(line, filter->text) != NULL;
}
