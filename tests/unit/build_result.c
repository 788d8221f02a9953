#include "build_result.h"

#include <errno.h>
#include <stdlib.h>

#include "build_packet.h"

#define US NSEC_PER_USEC
#define MS NSEC_PER_MSEC
#define SYN_OPTIONS "options [mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7], length 0"
#define TS_OPTIONS "options [nop,nop,TS val 0 ecr 0], length 0"

const char *const build_scene_names[SCENE_COUNT] = {
    [SCENE_PASS] = "pass",       [SCENE_INTERVAL] = "interval",     [SCENE_FIELDS] = "fields",
    [SCENE_MISSING] = "missing", [SCENE_UNEXPECTED] = "unexpected", [SCENE_NOISY] = "noisy",
    [SCENE_SKIP] = "skip",       [SCENE_ERROR] = "error",           [SCENE_WIRE] = "wire",
    [SCENE_UNKIND] = "unkind",
};

static char *copy(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

/* ------------------------------------------------------------------ records */

static struct record *new_record(const char *lab)
{
    struct record *r = build_record();
    free(r->lab);
    r->lab = xstrdup(lab);
    free(r->clock);
    r->clock = xstrdup("real");
    r->lateness = 300 * US;
    static const char *const keys[] = {"net.ipv4.tcp_ecn", "net.ipv4.tcp_sack",
                                       "net.ipv4.tcp_syn_linear_timeouts"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        vec_push(&r->sysctls,
                 ((struct record_sysctl){
                     .host = 0, .key = xstrdup(keys[i]), .value = xstrdup("0"), .absent = i == 2}));
    return r;
}

static void send_at(struct record *r, nsec at, bool reply, const char *flags, uint32_t seq,
                    uint32_t ack)
{
    build_sent(
        r, at, 10 * US,
        &(struct build_tcp){.reply = reply, .flags = flags, .seq = seq, .ack = ack, .win = 502});
}

static struct record *handshake_record(void)
{
    struct record *r = new_record("handshake");
    build_call(r, 1, "listen", "1234", 1 * MS, 1 * MS + 12 * US, 0, 0);
    build_call(r, 0, "connect", "server 1234", 2 * MS, 2 * MS + 61 * US, 0, 0);
    send_at(r, 2 * MS + 20 * US, false, "S", 1000, 0);
    send_at(r, 2 * MS + 41 * US, true, "S.", 9000, 1001);
    send_at(r, 2 * MS + 55 * US, false, ".", 1001, 9001);
    build_call(r, 1, "accept", "", 3 * MS, 3 * MS + 8 * US, 0, 0);
    build_call(r, 0, "close", "", 4 * MS, 4 * MS + 20 * US, 0, 0);
    send_at(r, 4 * MS + 11 * US, false, "F.", 1001, 9001);
    build_call(r, 1, "close", "", 5 * MS, 5 * MS + 20 * US, 0, 0);
    send_at(r, 5 * MS + 9 * US, true, "F.", 9001, 1002);
    send_at(r, 5 * MS + 21 * US, false, ".", 1002, 9002);
    build_done(r, 6 * MS);
    return r;
}

/* -------------------------------------------------------------------- lines */

static struct result_line *add_line(struct result *r, enum line_kind kind, enum line_status status,
                                    const char *expected, const char *observed)
{
    struct result_line *line = vec_add(&r->lines);
    line->kind = kind;
    line->status = status;
    line->line_number = status == LINE_UNEXPECTED ? 0 : 2 * r->lines.n;
    line->expected = copy(expected);
    line->observed = copy(observed);
    line->segment = -1;
    line->call = line->event = -1;
    return line;
}

struct segment {
    const char *label, *note, *expected, *observed;
    nsec time, gap;
};

static struct result_line *add_segment(struct result *r, enum line_status status, long segment,
                                       const struct segment *s)
{
    struct result_line *line = add_line(r, LINE_SEGMENT, status, s->expected, s->observed);
    line->label = copy(s->label);
    line->note = copy(s->note);
    line->time = s->time;
    line->gap = s->gap;
    line->segment = segment;
    return line;
}

static void add_diff(struct result_line *line, const char *field, const char *expected,
                     const char *observed)
{
    const char *at_expected = expected ? strstr(line->expected, expected) : NULL;
    const char *at_observed = observed ? strstr(line->observed, observed) : NULL;
    struct field_diff *diff = vec_add(&line->diffs);
    diff->field = xstrdup(field);
    diff->expected = xstrdup(expected ? expected : "");
    diff->observed = xstrdup(observed ? observed : "");
    if (at_expected) {
        diff->expected_at = (size_t)(at_expected - line->expected);
        diff->expected_n = strlen(expected);
    }
    if (at_observed) {
        diff->observed_at = (size_t)(at_observed - line->observed);
        diff->observed_n = strlen(observed);
    }
}

static const struct segment handshake_lines[] = {
    {"syn", "The client opens: its SYN carries its options and takes one sequence number.",
     "+0 client.port > server.1234: Flags [S], seq 0, win 64240, " SYN_OPTIONS,
     "+0 client.port > server.1234: Flags [S], seq 0, win 64240, " SYN_OPTIONS, 0, 0},
    {"syn-ack",
     "The server has heard it (ack 1: next I expect number 1) and says where it starts itself.",
     "+0 server.1234 > client.port: Flags [S.], seq 0, ack 1, win 65160, " SYN_OPTIONS,
     "+21us server.1234 > client.port: Flags [S.], seq 0, ack 1, win 65160, " SYN_OPTIONS, 21 * US,
     21 * US},
    {"ack", "The client has heard the server. The connection is established; connect returns.",
     "+0 client.port > server.1234: Flags [.], ack 1, win 502, options [nop,nop,TS val ~ ecr ~], "
     "length 0",
     "+14us client.port > server.1234: Flags [.], ack 1, win 502, " TS_OPTIONS, 35 * US, 14 * US},
    {"fin", "The client closes: a FIN takes one sequence number, as a SYN does.",
     "client.port > server.1234: Flags [F.], seq 1, ack 1, win 502, options [nop,nop,TS val ~ ecr "
     "~], length 0",
     "+1.956ms client.port > server.1234: Flags [F.], seq 1, ack 1, win 502, " TS_OPTIONS,
     1991 * US, 1956 * US},
    {"fin-ack",
     "Only if the server's program is slower than its kernel's clock: a bare acknowledgment.",
     "server.1234 > client.port: Flags [.], ack 2, win 510, options [nop,nop,TS val ~ ecr ~], "
     "length 0 ?",
     NULL, 0, 0},
    {"fin2", "The server closes too; the same segment acknowledges the client's FIN.",
     "server.1234 > client.port: Flags [F.], seq 1, ack 2, win 510, options [nop,nop,TS val ~ ecr "
     "~], length 0",
     "+998us server.1234 > client.port: Flags [F.], seq 1, ack 2, win 510, " TS_OPTIONS, 2989 * US,
     998 * US},
    {"last", NULL,
     "+0 client.port > server.1234: Flags [.], ack 2, win 502, options [nop,nop,TS val ~ ecr ~], "
     "length 0",
     "+12us client.port > server.1234: Flags [.], ack 2, win 502, " TS_OPTIONS, 3001 * US, 12 * US},
};

static struct result *handshake(enum verdict verdict, const char *reason)
{
    struct result *r = result_new("handshake");
    r->verdict = verdict;
    r->title = xstrdup("Open and close a connection");
    r->reason = copy(reason);
    r->expected_path = xstrdup("expected/handshake.txt");
    r->record = handshake_record();
    r->lateness_limit = 100 * MS;
    r->wall = 31 * MS;
    return r;
}

static void add_handshake_lines(struct result *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct segment *s = &handshake_lines[i];
        add_segment(r, s->observed ? LINE_OK : LINE_ABSENT, s->observed ? (long)i - (i > 4) : -1,
                    s);
    }
}

/* ------------------------------------------------------------------- scenes */

static struct result *scene_pass(void)
{
    struct result *r = handshake(VERDICT_PASS, NULL);
    add_handshake_lines(r, 0, ARRAY_SIZE(handshake_lines));
    return r;
}

static const char retry_expected[] =
    "+2s client.port > server.1234: Flags [S], seq 0, win 64240, options [mss 1460,sackOK,TS val ~ "
    "ecr 0,nop,wscale 7], length 0 lost";

static struct record *retry_record(void)
{
    struct record *r = new_record("syn-retry");
    struct record_call *call =
        build_call(r, 0, "connect", "server 1234", MS, 7 * NSEC_PER_SEC, ETIMEDOUT, 0);
    call->expected = xstrdup("ETIMEDOUT");
    call->as_stated = true;
    for (int i = 0; i < 4; i++)
        build_sent(r, 2 * MS + i * 1024 * MS, BUILD_LOST, &(struct build_tcp){.flags = "S"});
    build_done(r, 0);
    return r;
}

static void judge_interval(struct result_line *line, const char *expected, const char *observed,
                           nsec nominal)
{
    add_diff(line, "interval", expected, observed);
    line->has_bounds = true;
    line->nominal = nominal;
    line->earliest = nominal - 4 * MS;
    line->latest = nominal + 40 * MS + 300 * US;
    line->derivation = xasprintf("%d s = %d ticks of 4 ms: granule 32 ms, rounding 8 ms, host "
                                 "lateness 0.3 ms",
                                 (int)(nominal / NSEC_PER_SEC), (int)(nominal / (4 * MS)));
}

static struct result *scene_interval(void)
{
    struct result *r = result_new("syn-retry");
    r->verdict = VERDICT_FAIL;
    r->title = xstrdup("Nobody answers");
    r->reason = xstrdup("the third SYN came 1.024 s after the second; expected 2 s … 2.04 s");
    r->expected_path = xstrdup("expected/syn-retry.txt");
    r->record = retry_record();
    r->wall = 7080 * MS;
    static const struct segment lines[] = {
        {"syn", "The client's SYN. Nobody answers.",
         "+0 client.port > server.1234: Flags [S], seq 0, win 64240, " SYN_OPTIONS " lost",
         "+0 client.port > server.1234: Flags [S], seq 0, win 64240, " SYN_OPTIONS " lost", 0, 0},
        {"retry1", "After one second it asks again.", "+1s client.port > …",
         "+1.024s client.port > server.1234: Flags [S], seq 0, win 64240, options [mss "
         "1460,sackOK,TS val 1024 ecr 0,nop,wscale 7], length 0 lost",
         1024 * MS, 1024 * MS},
        {"retry2", "Then after two: the time doubles.", retry_expected,
         "+1.024s client.port > server.1234: Flags [S], seq 0, win 64240, options [mss "
         "1460,sackOK,TS val 2048 ecr 0,nop,wscale 7], length 0 lost",
         2048 * MS, 1024 * MS},
        {NULL, NULL, "+4s client.port > …",
         "+1.024s client.port > server.1234: Flags [S], seq 0, win 64240, options [mss "
         "1460,sackOK,TS val 3072 ecr 0,nop,wscale 7], length 0 lost",
         3072 * MS, 1024 * MS},
    };
    add_segment(r, LINE_OK, 0, &lines[0]);
    add_segment(r, LINE_OK, 1, &lines[1]);
    struct result_line *line = add_segment(r, LINE_DIFFERS, 2, &lines[2]);
    judge_interval(line, "+2s", "+1.024s", 2 * NSEC_PER_SEC);
    line->meaning = xstrdup("The third SYN came 1.024 s after the second; expected 2 s … 2.04 s: "
                            "this kernel retries linearly, see tcp_syn_linear_timeouts.");
    line = add_segment(r, LINE_DIFFERS, 3, &lines[3]);
    judge_interval(line, "+4s", "+1.024s", 4 * NSEC_PER_SEC);
    line = add_line(r, LINE_QUIET, LINE_MISSING, "quiet 3s", NULL);
    line = add_line(r, LINE_CALL, LINE_OK, "client: connect server 1234 => ETIMEDOUT",
                    "client: connect server 1234 => ETIMEDOUT");
    line->call = 0;
    line->time = 6998 * MS;
    return r;
}

static struct result *scene_fields(void)
{
    struct result *r = handshake(VERDICT_FAIL, "line 6: the acknowledgment differs in win and ack");
    add_handshake_lines(r, 0, 2);
    struct segment s = handshake_lines[2];
    s.expected = "+0 client.port > server.1234: Flags [.], ack 1, win 502, options [nop,nop,TS val "
                 "~ ecr ~], length 0";
    s.observed = "+14us client.port > server.1234: Flags [.], ack 2, win 501, options [nop,nop,TS "
                 "val 0 ecr 0,unknown-253 0x1234], length 0";
    struct result_line *line = add_segment(r, LINE_DIFFERS, 2, &s);
    add_diff(line, "ack", "ack 1", "ack 2");
    add_diff(line, "win", "win 502", "win 501");
    add_diff(line, "options", NULL, "unknown-253 0x1234");
    line->meaning = xstrdup("The client acknowledges a byte that the server has not sent: ack is "
                            "one past the last number received.");
    add_handshake_lines(r, 3, 6);
    s = handshake_lines[6];
    s.observed = "+12us client.port > server.1234: Flags [R], seq 2, win 0, length 0";
    line = add_segment(r, LINE_DIFFERS, 5, &s);
    add_diff(line, "flags", "[.]", "[R]");
    return r;
}

static struct result *scene_missing(void)
{
    struct result *r = handshake(VERDICT_FAIL, "line 6: the third segment of the handshake is "
                                               "missing");
    struct record_call *call = &((struct record *)(uintptr_t)r->record)->calls.at[4];
    call->failed = true;
    call->errnum = EBADF;
    call->expected = xstrdup("0");
    call->as_stated = false;
    add_handshake_lines(r, 0, 2);
    struct segment s = handshake_lines[2];
    s.observed = NULL;
    struct result_line *line = add_segment(r, LINE_MISSING, -1, &s);
    line->meaning = xstrdup("The client never acknowledged the server's SYN.");
    add_handshake_lines(r, 3, 7);
    return r;
}

static struct result *scene_unexpected(void)
{
    struct result *r = handshake(VERDICT_FAIL, "a reset that the transcript does not have");
    add_handshake_lines(r, 0, 7);
    static const struct segment reset = {
        NULL,      NULL,  NULL, "+1ms server.1234 > client.port: Flags [R], seq 2, win 0, length 0",
        4001 * US, 1 * MS};
    struct result_line *line = add_segment(r, LINE_UNEXPECTED, -1, &reset);
    line->meaning = xstrdup("The server has forgotten this connection: it answers with a reset.");
    return r;
}

static struct result *scene_noisy(void)
{
    struct result *r = handshake(VERDICT_NOISY, "this machine was late by 240 ms, more than the "
                                                "100 ms up to which timings mean something");
    add_handshake_lines(r, 0, 7);
    return r;
}

static struct result *scene_without_record(enum verdict verdict, const char *lab,
                                           const char *reason)
{
    struct result *r = result_new(lab);
    r->verdict = verdict;
    r->title = xstrdup("Fast Open");
    r->reason = xstrdup(reason);
    return r;
}

static struct result *scene_wire(void)
{
    struct result *r = handshake(VERDICT_FAIL, "`wire drop client > server data 3` never happened: "
                                               "only 2 such segments came by");
    add_handshake_lines(r, 0, 2);
    static const struct segment lines[] = {
        {"ack", "The wire drops it.",
         "+0 client.port > server.1234: Flags [.], ack 1, win 502, options [nop,nop,TS val ~ ecr "
         "~], length 0 lost",
         "+14us client.port > server.1234: Flags [.], ack 1, win 502, " TS_OPTIONS " lost", 35 * US,
         14 * US},
        {"fin", NULL,
         "client.port > server.1234: Flags [F.], seq 1, ack 1, win 502, options [nop,nop,TS val ~ "
         "ecr ~], length 0 twice",
         "+1.956ms client.port > server.1234: Flags [F.], seq 1, ack 1, win 502, " TS_OPTIONS
         " twice",
         1991 * US, 1956 * US},
    };
    struct result_line *line = add_segment(r, LINE_OK, 2, &lines[0]);
    line->wire = xstrdup("dropped on the wire (wire drop client > server ack)");
    line = add_segment(r, LINE_OK, 3, &lines[1]);
    line->wire = xstrdup("doubled on the wire (wire duplicate client > server [F.])");
    line = add_line(r, LINE_WIRE, LINE_MISSING, "wire drop client > server data 3", NULL);
    line->line_number = 0;
    line->meaning = xstrdup(r->reason);
    return r;
}

static struct result *scene_unkind(void)
{
    struct result *r = result_new("un<kind> # \\ & \"lab\"");
    r->verdict = VERDICT_FAIL;
    r->title = xstrdup("\033[31mred\033[0m\a and \xff\xfe no UTF-8");
    r->reason = xstrdup("a reason\nof two lines, \001 control, ]]> and \xe2\x80\xae turned around");
    struct record *record = new_record("unkind");
    r->record = record;
    build_call(record, 0, "send", "\"\033]0;title\007\"", MS, 2 * MS, 0, 3);
    build_done(record, 0);
    static const struct segment s = {
        "x",
        "注释：客户端打开连接，它的 SYN 带着选项，并占用一个序号。这一行很长，所以必须折行。",
        "client.port > server.1234: Flags [S], seq 0, win 64240, " SYN_OPTIONS,
        "client.port > server.1234: Flags [S], seq 0, win \033[7m9\xc3\x28, " SYN_OPTIONS,
        0,
        0};
    struct result_line *line = add_segment(r, LINE_DIFFERS, 0, &s);
    struct field_diff *diff = vec_add(&line->diffs); /* places that are not there */
    diff->field = xstrdup("win\n");
    diff->expected = xstrdup("");
    diff->observed = xstrdup("\xff");
    diff->expected_at = SIZE_MAX;
    diff->expected_n = SIZE_MAX;
    diff->observed_at = 49;
    diff->observed_n = SIZE_MAX;
    line->meaning = xstrdup("averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryveryvery"
                            "veryveryveryveryveryveryveryveryverylongword\r\nnot ok 7");
    return r;
}

struct result *build_result(enum build_scene scene)
{
    switch (scene) {
    case SCENE_PASS:
        return scene_pass();
    case SCENE_INTERVAL:
        return scene_interval();
    case SCENE_FIELDS:
        return scene_fields();
    case SCENE_MISSING:
        return scene_missing();
    case SCENE_UNEXPECTED:
        return scene_unexpected();
    case SCENE_NOISY:
        return scene_noisy();
    case SCENE_SKIP:
        return scene_without_record(VERDICT_SKIP, "fast-open", "needs Linux 6.5, this is 6.1.0");
    case SCENE_ERROR:
        return scene_without_record(VERDICT_ERROR, "fast-open",
                                    "cannot create a network namespace: Operation not permitted");
    case SCENE_WIRE:
        return scene_wire();
    case SCENE_UNKIND:
    case SCENE_COUNT:
        break;
    }
    return scene_unkind();
}

void build_result_free(struct result *result)
{
    record_free((struct record *)(uintptr_t)result->record);
    result_free(result);
}

/* ---------------------------------------------------------------- the whole */

static struct ipaddr address(const char *text)
{
    struct ipaddr addr;
    return ipaddr_parse(&addr, text, strlen(text)) ? addr : (struct ipaddr){0};
}

static void add_states(struct record *r, nsec now)
{
    r->has_states = r->states_cut = true;
    struct record_state s = {.time = now,
                             .host = 1,
                             .local = address("0.0.0.0"),
                             .local_port = 1234,
                             .new = TCP_STATE_LISTEN};
    vec_push(&r->states, s);
    s = (struct record_state){.time = now + 1,
                              .local = address("fd00::1"),
                              .remote = address("fd00::2"),
                              .local_port = 65535,
                              .remote_port = 1,
                              .new = TCP_STATE_SYN_SENT};
    vec_push(&r->states, s);
    s.time = now + 2;
    s.after = now + 1;
    s.old = TCP_STATE_SYN_SENT;
    s.new = TCP_STATE_ESTABLISHED;
    s.has_values = true;
    int64_t value = 1000;
#define X(member, name) s.values.member = value++;
    RECORD_VALUES(X)
#undef X
    s.values.ca_state = 4;
    s.values.snd_wnd = -1;
    vec_push(&r->states, s);
}

struct record *build_full_record(void)
{
    struct record *r = handshake_record();
    r->clock_step = -1234567;
    r->has_calls = true;
    r->points.at[0].received = 7;
    r->points.at[0].dropped = 2;
    free(r->points.at[1].name);
    r->points.at[1].name = xstrdup("server:eth1");
    r->points.at[1].host = -1;
    free(r->points.at[1].iface);
    r->points.at[1].iface = NULL;
    free(r->points.at[1].filter);
    r->points.at[1].filter = xstrdup("");
    r->packets.at[1].incoming = false;
    r->packets.at[2].frame.wirelen += 1000;
    r->calls.at[1].as = xstrdup("second");
    r->calls.at[2].text = xmemdup("a\0\xff\n", 4);
    r->calls.at[2].text_len = 4;
    r->calls.at[2].expected = xstrdup("\"täxt\"");
    r->calls.at[3].text = xmemdup("with \0 nul", 10);
    r->calls.at[3].text_len = 10;
    r->calls.at[3].failed = true;
    r->calls.at[3].errnum = ECONNREFUSED;
    r->calls.at[3].value = -1;
    r->calls.at[3].as_stated = false;
    r->calls.at[4].ended = 0;
    for (int kind = EVENT_UNPLUG; kind <= EVENT_REPLUG; kind++)
        vec_push(&r->events, ((struct record_event){.kind = (enum event_kind)kind,
                                                    .time = build_time(kind * 2 * MS),
                                                    .host = kind % 2}));
    r->wire_dropped = 5;
    nsec now = build_time(3 * MS), passed = build_time(2 * MS + 40 * US);
    vec_push(&r->wire, ((struct record_wire){WIRE_DROP, passed, 0, 1, 3, 0, -1}));
    vec_push(&r->wire, ((struct record_wire){WIRE_LOSS, passed + 1, 0, 1, -1, -1, -1}));
    vec_push(&r->wire, ((struct record_wire){WIRE_INJECT, passed + 2, 1, 0, 4, -1, 3}));
    add_states(r, now);
    free(r->sysctls.at[2].value);
    r->sysctls.at[2].value = NULL;
    vec_push(&r->remarks, xstrdup("the clock was set while the lab ran"));
    vec_push(&r->remarks, xstrdup("two\nlines, \xff"));
    r->skipped = xstrdup("needs IPv6");
    r->stopped = xstrdup("connect took longer than 10 s");
    r->interrupted = true;
    return r;
}
