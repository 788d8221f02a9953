#include "scenes.h"

#include <stdio.h>

#include <errno.h>

#include "build_packet.h"
#include "unit.h"

bool scene_wired;

struct lab *scene_lab(void)
{
    static const char text[] = "# A lab\n\nProse.\n\n```lab\n"
                               "host client 10.0.0.1/24\n"
                               "host server 10.0.0.2/24\n"
                               "capture client server \"tcp\"\n"
                               "vary port 1024..65535\n"
                               "server listen 1234\n"
                               "```\n";
    struct source src;
    struct diags diags = {0};
    struct lab_value value = {"port", 1234};
    source_from(&src, "lab.md", text, strlen(text));
    struct lab *lab = lab_parse(&src, &value, 1, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    diags_free(&diags);
    vec_each (&lab->nets, net)
        net->wired = scene_wired;
    return lab;
}

#define CLIENT_ISN 1000000
#define SERVER_ISN 4294967290u /* wraps */
#define MS NSEC_PER_MSEC

/* One segment of the conversation: sender, moment, flags, relative numbers. */
struct part {
    bool reply;
    nsec at;
    const char *flags;
    uint32_t seq, ack;
    size_t len;
    nsec travel;
};

/* TSval counts milliseconds, as Linux does. */
static uint32_t clock_of(bool reply, nsec at)
{
    return (reply ? 700000u : 5000u) + (uint32_t)(at / MS);
}

static void send_part(struct record *r, const struct part *p, uint32_t tsecr)
{
    bool syn = strchr(p->flags, 'S') != NULL;
    struct build_tcp b = {.reply = p->reply,
                          .flags = p->flags,
                          .seq = p->seq + (p->reply ? SERVER_ISN : CLIENT_ISN),
                          .win = syn ? 64240 : 502,
                          .ts = true,
                          .tsval = clock_of(p->reply, p->at),
                          .tsecr = tsecr,
                          .len = p->len};
    if (strchr(p->flags, '.'))
        b.ack = p->ack + (p->reply ? CLIENT_ISN : SERVER_ISN);
    if (syn) {
        b.mss = 1460;
        b.sack_ok = true;
        b.wscale = 7;
    }
    build_sent(r, p->at, p->travel, &b);
}

static void play(struct record *r, const struct part *parts, size_t n)
{
    uint32_t latest[2] = {0, 0}; /* the time stamp each side last got */
    for (size_t i = 0; i < n; i++) {
        send_part(r, &parts[i], latest[parts[i].reply]);
        if (parts[i].travel != BUILD_LOST)
            latest[!parts[i].reply] = clock_of(parts[i].reply, parts[i].at);
    }
}

#define WAY (30 * NSEC_PER_USEC)

static const struct part talk[] = {
    {false, 0, "S", 0, 0, 0, WAY},
    {true, MS / 10, "S.", 0, 1, 0, WAY},
    {false, 2 * MS / 10, ".", 1, 1, 0, WAY},
    {false, 5 * MS, "P.", 1, 1, 12, WAY},
    {true, 51 * MS / 10, ".", 1, 13, 0, WAY},
    {true, 9 * MS, "P.", 1, 13, 4, WAY},
    {false, 91 * MS / 10, ".", 13, 5, 0, WAY},
    {false, 12 * MS, "F.", 13, 5, 0, WAY},
    {true, 13 * MS, "F.", 5, 14, 0, WAY},
    {false, 131 * MS / 10, ".", 14, 6, 0, WAY},
};

struct record *scene_conversation(void)
{
    struct record *r = build_record();
    r->has_calls = true;
    r->lateness = 300 * NSEC_PER_USEC;
    play(r, talk, ARRAY_SIZE(talk));
    build_call(r, 0, "connect", "server 1234", 0, 2 * MS / 10, 0, 0);
    build_call(r, 1, "accept", "", 0, 4 * MS / 10, 0, 0);
    build_call(r, 0, "send", "\"hello world\\n\"", 4 * MS, 6 * MS, 0, 12);
    build_done(r, 3100 * MS);
    return r;
}

struct record *scene_syn_retry(const nsec *gaps, size_t n)
{
    struct record *r = build_record();
    nsec at = 0;
    r->has_calls = true;
    r->lateness = 300 * NSEC_PER_USEC;
    for (size_t i = 0; i <= n; i++) {
        struct part syn = {false, at, "S", 0, 0, 0, BUILD_LOST};
        send_part(r, &syn, 0);
        at += i < n ? gaps[i] : 0;
    }
    struct record_call *c =
        build_call(r, 0, "connect", "server 1234", 0, at + 32256 * MS, ETIMEDOUT, 0);
    c->expected = xstrdup("ETIMEDOUT");
    c->as_stated = true;
    build_done(r, 0);
    return r;
}

struct record *scene_unplugged(const nsec *gaps, size_t n)
{
    struct record *r = build_record();
    r->has_calls = true;
    r->lateness = 300 * NSEC_PER_USEC;
    play(r, talk, 3);
    *vec_add(&r->events) =
        (struct record_event){.kind = EVENT_UNPLUG, .time = build_time(20 * MS), .host = 1};
    nsec at = 100 * MS;
    for (size_t i = 0; i <= n; i++) {
        struct part data = {false, at, "P.", 1, 1, 12, BUILD_LOST};
        send_part(r, &data, clock_of(true, talk[1].at));
        at += i < n ? gaps[i] : 0;
    }
    build_done(r, at);
    return r;
}

static struct record *build_syn_retry(void)
{
    static const nsec gaps[] = {1005 * MS, 2016 * MS, 4064 * MS, 8192 * MS, 16132 * MS};
    return scene_syn_retry(gaps, ARRAY_SIZE(gaps));
}

static struct record *build_unplugged(void)
{
    static const nsec gaps[] = {208 * MS, 412 * MS, 832 * MS, 1664 * MS, 3456 * MS};
    return scene_unplugged(gaps, ARRAY_SIZE(gaps));
}

static struct record *build_closed_port(void)
{
    struct record *r = build_record();
    r->has_calls = true;
    r->lateness = 300 * NSEC_PER_USEC;
    struct part syn = {false, 0, "S", 0, 0, 0, WAY};
    send_part(r, &syn, 0);
    build_sent(r, MS / 10, WAY,
               &(struct build_tcp){.reply = true, .flags = "R.", .ack = CLIENT_ISN + 1});
    struct record_call *c =
        build_call(r, 0, "connect", "server 1234", 0, 2 * MS / 10, ECONNREFUSED, 0);
    c->expected = xstrdup("ECONNREFUSED");
    c->as_stated = true;
    build_done(r, 0);
    return r;
}

#define UP "client.port > server.1234: "
#define DOWN "server.1234 > client.port: "
#define SYN_OPTIONS "options [mss 1460,sackOK,TS val "
#define LATER "win 502, options [nop,nop,TS val ~ ecr ~], length "

const struct scene scenes[] = {
    {"conversation", scene_conversation,
     "+0 " UP "Flags [S], seq 0, win 64240, " SYN_OPTIONS "0 ecr 0,nop,wscale 7], length 0\n"
     "+0 " DOWN "Flags [S.], seq 0, ack 1, win 64240, " SYN_OPTIONS "0 ecr 0,nop,wscale 7], length "
     "0\n"
     "+0 " UP "Flags [.], ack 1, " LATER "0\n"
     "" UP "Flags [P.], seq 1:13, ack 1, " LATER "12\n"
     "+0 " DOWN "Flags [.], ack 13, " LATER "0\n"
     "" DOWN "Flags [P.], seq 1:5, ack 13, " LATER "4\n"
     "+0 " UP "Flags [.], ack 5, " LATER "0\n"
     "" UP "Flags [F.], seq 13, ack 5, " LATER "0\n"
     "" DOWN "Flags [F.], seq 5, ack 14, " LATER "0\n"
     "+0 " UP "Flags [.], ack 6, " LATER "0\n"},
#define SYN                                                                                        \
    UP "Flags [S], seq 0, win 64240, options [mss 1460,sackOK,TS val ~ ecr 0,nop,wscale 7], "      \
       "length 0 lost\n"
    {"syn-retry", build_syn_retry,
     "+0 " SYN "+1s " SYN "+2s " SYN "+4s " SYN "+8s " SYN "+16s " SYN},
#define DATA UP "Flags [P.], seq 1:13, ack 1, " LATER "12 lost\n"
    {"unplugged", build_unplugged,
     "+0 " UP "Flags [S], seq 0, win 64240, " SYN_OPTIONS "0 ecr 0,nop,wscale 7], length 0\n"
     "+0 " DOWN "Flags [S.], seq 0, ack 1, win 64240, " SYN_OPTIONS "0 ecr 0,nop,wscale 7], length "
     "0\n"
     "+0 " UP "Flags [.], ack 1, " LATER "0\n"
     "" DATA "+200ms " DATA "+400ms " DATA "+800ms " DATA "+1.6s " DATA "+3.2s " DATA},
    {"closed-port", build_closed_port,
     "+0 " UP "Flags [S], seq 0, win 64240, " SYN_OPTIONS "0 ecr 0,nop,wscale 7], length 0\n"
     "+0 " DOWN "Flags [R.], seq 0, ack 1, win 0, length 0\n"},
};

const int n_scenes = (int)ARRAY_SIZE(scenes);

static void show(const struct result *result, const char *expected)
{
    printf("%s\n%s: %s\n", expected, verdict_name(result->verdict),
           result->reason ? result->reason : "");
    vec_each (&result->lines, l)
        printf("  %d line %zu\n    - %s\n    + %s\n    %s\n", (int)l->status, l->line_number,
               l->expected ? l->expected : "", l->observed ? l->observed : "",
               l->meaning ? l->meaning : "");
    fflush(stdout);
}

struct result *scene_judge(const struct record *r, const char *expected, enum verdict verdict)
{
    struct source src;
    struct diags diags = {0};
    struct lab *lab = scene_lab();
    source_from(&src, "expected/x.txt", expected, strlen(expected));
    struct pattern *p = pattern_parse(&src, lab, &diags);
    struct strbuf said cleanup_strbuf = STRBUF_INIT;
    diags_format(&diags, &said);
    ck_assert_msg(diags.list.n == 0, "%s", strbuf_cstr(&said));
    struct result *result = judge(lab, p, r, JUDGE_DEFAULT_SLACK);
    if (result->verdict != verdict)
        show(result, expected);
    ck_assert_str_eq(verdict_name(result->verdict), verdict_name(verdict));
    diags_free(&diags);
    pattern_free(p);
    lab_free(lab);
    return result;
}
