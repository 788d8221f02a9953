#include "label_scene.h"

#include <check.h>
#include <stdio.h>

struct record *record;
nsec travel;
bool sack = true;
bool only_client;
static uint16_t ids;

void sent_within(nsec at, nsec within, const struct build_tcp *given)
{
    struct build_tcp filled = *given, *b = &filled;
    b->id = ++ids;
    b->flags = b->flags ? b->flags : ".";
    b->win = b->win == CLOSED ? 0 : b->win ? b->win : WIN;
    b->seq = b->seq ? b->seq : b->reply ? 8001 : 1001;
    b->ack = b->ack || b->reply ? b->ack : 8001;
    if (!only_client)
        build_sent(record, at, within, b);
    else if (!b->reply)
        build_seen_tcp(record, 0, BUILD_OUT, at, b);
    else if (within != BUILD_LOST)
        build_seen_tcp(record, 0, BUILD_IN, at + within, b);
}

void sent(nsec at, const struct build_tcp *b)
{
    sent_within(at, travel, b);
}

void lost(nsec at, const struct build_tcp *b)
{
    sent_within(at, BUILD_LOST, b);
}

void data(nsec at, int n, bool arrives)
{
    sent_within(at, arrives ? travel : BUILD_LOST, CLIENT(.seq = DATA(n), .len = 100));
}

void ack(nsec at, int n)
{
    sent(at, SERVER(.ack = DATA(n)));
}

void ack_sack(nsec at, int n, int from, int to)
{
    sent(at, SERVER(.ack = DATA(n), .n_sack = 1, .sack = {{DATA(from), DATA(to)}}));
}

void handshake(void)
{
    sent(0, &(struct build_tcp){.flags = "S", .seq = 1000, .win = WIN, .sack_ok = sack});
    sent(travel, SERVER(.flags = "S.", .seq = 8000, .ack = 1001, .sack_ok = sack));
    sent(2 * travel, CLIENT(.seq = 1001));
}

void setting(const char *value)
{
    for (int host = 0; host < 2; host++)
        vec_push(&record->sysctls,
                 ((struct record_sysctl){.host = host,
                                         .key = xstrdup("net.ipv4.tcp_early_retrans"),
                                         .value = xstrdup(value)}));
}

void label_scene_begin(void)
{
    record = build_record();
    travel = NOTHING;
    sack = true;
    only_client = false;
}

void label_scene_end(void)
{
    record_free(record);
}

const char *labels_back(size_t back)
{
    static char text[400];
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    struct record *copy = record;
    build_done(copy, SEC(1000));
    struct story *story = story_new(copy);
    struct labels *labels = labels_new(story);
    ck_assert_uint_lt(back, story->segments.n);
    const struct label *first;
    size_t n = labels_of(labels, story->segments.n - 1 - back, &first);
    for (size_t i = 0; i < n; i++) {
        strbuf_puts(&sb, i ? "; " : "");
        label_format(&sb, &first[i]);
    }
    snprintf(text, sizeof(text), "%s", strbuf_cstr(&sb));
    labels_free(labels);
    story_free(story);
    return text;
}

void probe(nsec at)
{
    sent(at, CLIENT(.seq = DATA(2) - 1));
}

void window(nsec at, uint16_t win)
{
    sent(at, SERVER(.ack = DATA(2), .win = win));
}
