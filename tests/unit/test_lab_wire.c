/* `wire` and `mtu`: what the parser makes of right lines, and what it says of wrong ones. */
#include "lab_helpers.h"

/* ------------------------------------------------------------------- right */

static struct lab_wire wire_of(struct parsed *r, const char *line)
{
    cleanup_free char *lines = xasprintf("%s\nclient close", line);
    *r = parse_lines(lines);
    assert_clean(*r);
    ck_assert_int_eq(r->lab->steps.at[0].verb, VERB_WIRE);
    ck_assert_int_eq(r->lab->steps.at[0].host, -1);
    ck_assert_str_eq(r->lab->steps.at[0].text, line);
    const struct lab_wire *w = &r->lab->steps.at[0].wire;
    ck_assert_int_eq(w->net, 0);
    ck_assert(r->lab->nets.at[0].wired);
    return *w;
}

/* Lines, and the rule that each is. */
static const struct {
    const char *line;
    struct wire_rule rule;
} rules[] = {
    {"wire drop client > server [S]",
     {.action = WIRE_DROP, .pick = {WIRE_PICK_FLAGS, (char[]){"S"}, NULL, 0, 1, 1, 0}}},
    {"wire drop client > server [none] all",
     {.action = WIRE_DROP, .pick = {WIRE_PICK_FLAGS, (char[]){"none"}, NULL, 0, 1, 0, 0}}},
    {"wire drop client > server data 2",
     {.action = WIRE_DROP, .pick = {WIRE_PICK_DATA, NULL, NULL, 0, 2, 2, 0}}},
    {"wire drop client > server seq 1449 2..1000000",
     {.action = WIRE_DROP, .pick = {WIRE_PICK_SEQ, NULL, NULL, 1449, 2, 1000000, 0}}},
    {"wire drop client > server seq 4294967295",
     {.action = WIRE_DROP, .pick = {WIRE_PICK_SEQ, NULL, NULL, UINT32_MAX, 1, 1, 0}}},
    {"wire corrupt client > server any every 3rd",
     {.action = WIRE_CORRUPT, .pick = {WIRE_PICK_ANY, NULL, NULL, 0, 0, 0, 3}}},
    {"wire duplicate client > server ack every 11th",
     {.action = WIRE_DUPLICATE, .pick = {WIRE_PICK_ACK, NULL, NULL, 0, 0, 0, 11}}},
    {"wire duplicate client > server ack every 5",
     {.action = WIRE_DUPLICATE, .pick = {WIRE_PICK_ACK, NULL, NULL, 0, 0, 0, 5}}},
    {"wire delay client > server \"tcp port 1234\" 1..1 by 1.5s",
     {.action = WIRE_DELAY,
      .pick = {WIRE_PICK_FILTER, NULL, (char[]){"tcp port 1234"}, 0, 1, 1, 0},
      .delay = 1500 * NSEC_PER_MSEC}},
    {"wire hold client > server data until 3 more",
     {.action = WIRE_HOLD, .pick = {WIRE_PICK_DATA, NULL, NULL, 0, 1, 1, 0}, .more = 3}},
    {"wire swap client > server data 4",
     {.action = WIRE_HOLD, .pick = {WIRE_PICK_DATA, NULL, NULL, 0, 4, 4, 0}, .more = 1}},
    {"wire mark client > server data every 102nd ce",
     {.action = WIRE_MARK, .pick = {WIRE_PICK_DATA, NULL, NULL, 0, 0, 0, 102}}},
    {"wire rewrite client > server [.] all win 0",
     {.action = WIRE_REWRITE,
      .pick = {WIRE_PICK_FLAGS, (char[]){"."}, NULL, 0, 1, 0, 0},
      .rewrite = WIRE_REWRITE_WINDOW}},
    {"wire rewrite client > server [S] mss 536",
     {.action = WIRE_REWRITE,
      .pick = {WIRE_PICK_FLAGS, (char[]){"S"}, NULL, 0, 1, 1, 0},
      .rewrite = WIRE_REWRITE_MSS,
      .value = 536}},
    {"wire rewrite client > server [S] without sackOK",
     {.action = WIRE_REWRITE,
      .pick = {WIRE_PICK_FLAGS, (char[]){"S"}, NULL, 0, 1, 1, 0},
      .rewrite = WIRE_REWRITE_WITHOUT,
      .value = 4}},
};

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

START_TEST(rules_are_read)
{
    struct parsed r cleanup_parsed = {0};
    struct lab_wire w = wire_of(&r, rules[_i].line);
    const struct wire_rule *expected = &rules[_i].rule;
    ck_assert_int_eq(w.kind, LAB_WIRE_RULE);
    ck_assert(w.from == 0 && w.to == 1 && !w.both);
    ck_assert_int_eq(w.rule.action, expected->action);
    ck_assert_int_eq(w.rule.pick.kind, expected->pick.kind);
    ck_assert(same_text(w.rule.pick.flags, expected->pick.flags));
    ck_assert(same_text(w.rule.pick.filter, expected->pick.filter));
    ck_assert_uint_eq(w.rule.pick.seq, expected->pick.seq);
    ck_assert_uint_eq(w.rule.pick.first, expected->pick.first);
    ck_assert_uint_eq(w.rule.pick.last, expected->pick.last);
    ck_assert_uint_eq(w.rule.pick.every, expected->pick.every);
    ck_assert_int_eq(w.rule.delay, expected->delay);
    ck_assert_uint_eq(w.rule.more, expected->more);
    ck_assert_int_eq(w.rule.rewrite, expected->rewrite);
    ck_assert_uint_eq(w.rule.value, expected->value);
}
END_TEST

START_TEST(each_option_has_its_kind)
{
    static const struct {
        const char *word;
        unsigned kind; /* RFC 9293, 7323 and 2018 */
    } options[] = {{"mss", 2}, {"wscale", 3}, {"sackOK", 4}, {"TS", 8}};
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        struct parsed r cleanup_parsed = {0};
        cleanup_free char *line =
            xasprintf("wire rewrite server > client [S.] without %s", options[i].word);
        struct lab_wire w = wire_of(&r, line);
        ck_assert_uint_eq(w.rule.value, options[i].kind);
        ck_assert(w.from == 1 && w.to == 0);
    }
}
END_TEST

START_TEST(how_many_frames_a_rule_wants)
{
    static const struct {
        const char *count;
        unsigned wants;
    } counts[] = {{"", 1}, {"7", 1}, {"2..5", 4}, {"all", 1}, {"every 4th", 1}};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct parsed r cleanup_parsed = {0};
        cleanup_free char *line = xasprintf("wire drop client > server data%s%s",
                                            *counts[i].count ? " " : "", counts[i].count);
        struct lab_wire w = wire_of(&r, line);
        ck_assert_uint_eq(wire_rule_wants(&w.rule), counts[i].wants);
    }
}
END_TEST

START_TEST(properties_are_read)
{
    struct parsed r cleanup_parsed = {0};
    struct lab_wire w = wire_of(&r, "wire client <> server delay 50ms jitter 5ms loss 0.5% "
                                    "seed 7 rate 1.5mbit queue 20 packets");
    const struct wire_properties *all = &w.properties;
    ck_assert_int_eq(w.kind, LAB_WIRE_PROPERTIES);
    ck_assert(w.from == 0 && w.to == 1 && w.both);
    ck_assert_uint_eq(all->has, WIRE_HAS_DELAY | WIRE_HAS_JITTER | WIRE_HAS_LOSS | WIRE_HAS_SEED |
                                    WIRE_HAS_RATE | WIRE_HAS_QUEUE);
    ck_assert_int_eq(all->delay, 50 * NSEC_PER_MSEC);
    ck_assert_int_eq(all->jitter, 5 * NSEC_PER_MSEC);
    ck_assert_uint_eq(all->loss, 5000);
    ck_assert_uint_eq(all->seed, 7);
    ck_assert_uint_eq(all->rate, 1500000);
    ck_assert_uint_eq(all->queue, 20);
    ck_assert(!all->queue_bytes && !all->queue_fair);

    struct parsed one cleanup_parsed = {0};
    w = wire_of(&one, "wire server > client queue 3000 bytes rate 1gbit");
    ck_assert(w.from == 1 && w.to == 0 && !w.both);
    ck_assert_uint_eq(w.properties.has, WIRE_HAS_RATE | WIRE_HAS_QUEUE);
    ck_assert(w.properties.queue_bytes);
    ck_assert_uint_eq(w.properties.queue, 3000);
    ck_assert_uint_eq(w.properties.rate, 1000000000);
    ck_assert(!w.properties.queue_fair);

    struct parsed fair cleanup_parsed = {0};
    w = wire_of(&fair, "wire server > client queue 3000 bytes fair rate 1gbit");
    ck_assert(w.properties.queue_bytes && w.properties.queue_fair);
    struct parsed packets cleanup_parsed = {0};
    w = wire_of(&packets, "wire server > client rate 1gbit queue 5 packets fair");
    ck_assert(!w.properties.queue_bytes && w.properties.queue_fair);
}
END_TEST

START_TEST(shares_and_rates)
{
    static const struct {
        const char *written;
        uint64_t value;
    } losses[] = {{"0%", 0},      {"1%", 10000},   {"100%", 1000000},   {"100.0000%", 1000000},
                  {"0.0001%", 1}, {"0.50%", 5000}, {"33.3333%", 333333}},
      rates[] = {{"1000bit", 1000},     {"1kbit", 1000},
                 {"0.001mbit", 1000},   {"100gbit", UINT64_C(100000000000)},
                 {"512kbit", 512000},   {"0.000001gbit", 1000},
                 {"1.544mbit", 1544000}};
    for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
        struct parsed r cleanup_parsed = {0};
        cleanup_free char *line = xasprintf("wire client > server loss %s", losses[i].written);
        struct lab_wire w = wire_of(&r, line);
        ck_assert_uint_eq(w.properties.loss, losses[i].value);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        struct parsed r cleanup_parsed = {0};
        cleanup_free char *line = xasprintf("wire client > server rate %s", rates[i].written);
        struct lab_wire w = wire_of(&r, line);
        ck_assert_uint_eq(w.properties.rate, rates[i].value);
    }
}
END_TEST

START_TEST(a_direction_remembers_what_it_was_given)
{
    struct parsed r cleanup_parsed = parse_lines("wire client <> server delay 50ms rate 1mbit\n"
                                                 "wire client > server jitter 50ms\n"
                                                 "wire server > client queue 5 packets\n"
                                                 "wire clear client > server\n"
                                                 "wire client > server delay 1ms\n"
                                                 "wire client > server delay 0ms loss 0%");
    assert_clean(r);
    ck_assert_int_eq(r.lab->steps.at[3].wire.kind, LAB_WIRE_CLEAR);
    ck_assert_uint_eq(r.lab->steps.at[5].wire.properties.has, WIRE_HAS_DELAY | WIRE_HAS_LOSS);
    ck_assert_int_eq(r.lab->steps.at[5].wire.properties.delay, 0);
}
END_TEST

START_TEST(a_segment_is_kept_as_written)
{
    static const char line[] =
        "wire inject client.port > server.$port: Flags [R],  seq 100, win 0, "
        "options [nop,TS val 1 ecr 0], length 0";
    cleanup_free char *lines = xasprintf("vary port 1024..65535\n%s   # a reset\n", line);
    struct parsed r cleanup_parsed = parse_lines(lines);
    assert_clean(r);
    const struct lab_wire *w = &r.lab->steps.at[0].wire;
    ck_assert_int_eq(w->kind, LAB_WIRE_INJECT);
    ck_assert(w->from == 0 && w->to == 1);
    ck_assert_str_eq(w->segment, line + strlen("wire inject "));
    size_t n = w->segment_span.to - w->segment_span.from;
    ck_assert_uint_eq(n, strlen(w->segment));
    ck_assert_mem_eq(r.lab->source.text + w->segment_span.from, w->segment, n);
}
END_TEST

/* A word is an action only where a host and an arrow follow. */
START_TEST(hosts_may_be_named_like_actions)
{
    struct parsed r cleanup_parsed = parse("```lab\n"
                                           "host drop 10.0.0.1/24\n"
                                           "host inject 10.0.0.2/24\n"
                                           "capture drop\n"
                                           "wire drop > inject delay 1ms\n"
                                           "wire drop drop > inject data\n"
                                           "wire inject <> drop loss 1%\n"
                                           "wire inject inject.1 > drop.2: Flags [R], …\n"
                                           "```\n");
    assert_clean(r);
    const struct lab_step *s = r.lab->steps.at;
    ck_assert_int_eq(s[0].wire.kind, LAB_WIRE_PROPERTIES);
    ck_assert_int_eq(s[1].wire.kind, LAB_WIRE_RULE);
    ck_assert_int_eq(s[2].wire.kind, LAB_WIRE_PROPERTIES);
    ck_assert_int_eq(s[3].wire.kind, LAB_WIRE_INJECT);
}
END_TEST

START_TEST(only_networks_with_a_wire_step_are_wired)
{
    struct parsed r cleanup_parsed = parse("```lab\n"
                                           "host client 10.0.0.1/24\n"
                                           "router gate 10.0.0.254/24 10.0.1.254/24\n"
                                           "host server 10.0.1.1/24\n"
                                           "capture client\n"
                                           "wire gate > server delay 1ms\n"
                                           "```\n");
    assert_clean(r);
    ck_assert_uint_eq(r.lab->nets.n, 2);
    ck_assert(!r.lab->nets.at[0].wired && r.lab->nets.at[1].wired);
    ck_assert_int_eq(r.lab->steps.at[0].wire.net, 1);
}
END_TEST

/* Who else passes, or that all may go in the end, is a way on. */
START_TEST(what_is_held_back_can_go_on)
{
    static const char *const lines[] = {
        "wire hold client > server any all until 2 more\nwire clear client > server",
        "wire hold client > server any 2..9 until 2 more",
        "wire hold client > server any every 2nd until 2 more",
        "wire hold client > server data all until 2 more",
        "wire hold client > server \"tcp\" all until 2 more",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct parsed r cleanup_parsed = parse_lines(lines[i]);
        assert_clean(r);
    }
    struct parsed r cleanup_parsed =
        parse_lines("wire clear client > server\nwire hold client > server any all until 2 more\n"
                    "wire clear server > client");
    ck_assert_uint_eq(r.diags.list.n, 1);
}
END_TEST

START_TEST(mtus)
{
    struct parsed r cleanup_parsed = parse("```lab\n"
                                           "host client 10.0.0.1/24,fd00::1/64 127.0.0.1/8\n"
                                           "router gate 10.0.0.254/24 10.0.1.254/24\n"
                                           "mtu client:eth0 1280\n"
                                           "mtu gate:eth1 576\n"
                                           "capture client\n"
                                           "client close\n```\n");
    assert_clean(r);
    const struct lab_host *h = r.lab->hosts.at;
    ck_assert_uint_eq(h[0].ifaces.at[0].mtu, 1280);
    ck_assert_uint_eq(h[0].ifaces.at[1].mtu, 0);
    ck_assert_uint_eq(h[1].ifaces.at[0].mtu, 0);
    ck_assert_uint_eq(h[1].ifaces.at[1].mtu, 576);
}
END_TEST

/* ------------------------------------------------------------------- wrong */

/* One line of script (it stands on line 10) and the one diagnostic that it gives:
 * its column and the beginning of its message, and a part of its hint. */
static const struct mistake {
    const char *line;
    int column;
    const char *message, *hint;
} mistakes[] = {
    {"wire", 5, "what to do is missing", "wire [ACTION] FROM > TO"},
    {"wire dorp client > server data", 6, "\"dorp\" is nothing that a wire does", "\"drop\""},
    {"wire clint delay 5ms", 6, "\"clint\" is nothing that a wire does", "\"client\""},
    {"wire explode client > server data", 6, "\"explode\" is nothing", "tcplab verbs"},
    {"wire drop > server data", 6, "there is no host \"drop\"", NULL},
    {"wire client server delay 5ms", 13, "here stands \"server\" instead of `>`",
     "wire FROM > TO PROPERTY"},
    {"client wire server delay 5ms", 8, "unknown verb \"wire\"", "begins its line"},

    {"wire drop", 10, "the sender is missing", "wire drop FROM > TO WHICH"},
    {"wire drop client", 17, "`>` is missing", "wire drop FROM > TO WHICH"},
    {"wire drop client >", 19, "the receiver is missing", NULL},
    {"wire drop clint > server data", 11, "there is no host \"clint\"", "\"client\""},
    {"wire drop client > sever data", 20, "there is no host \"sever\"", "\"server\""},
    {"wire drop client > client data", 20, "a host has no wire to itself", "two hosts"},
    {"wire drop client <> server data", 18, "only properties are given to both", "each direction"},
    {"wire clear client <> server", 19, "only properties are given to both", NULL},
    {"wire clear client > server data", 28, "nothing more is expected", "wire clear FROM > TO"},

    {"wire drop client > server", 26, "it is not said which frames", "WHICH"},
    {"wire drop client > server dta", 27, "\"dta\" says not which frames", "\"data\""},
    {"wire drop client > server 3", 27, "\"3\" says not which frames", "a number stands behind it"},
    {"wire drop client > server [SF]", 27, "these are no flags", "F S R P"},
    {"wire drop client > server [S", 27, "these are no flags", NULL},
    {"wire drop client > server seq", 30, "the sequence number is missing", NULL},
    {"wire drop client > server seq 4294967296", 31,
     "\"4294967296\" is no relative sequence number", "4294967295"},
    {"wire drop client > server seq -1", 31, "\"-1\" is no relative sequence", NULL},
    {"wire drop client > server \"tcp prt 1\"", 32, "\"prt\" is no word of a filter", "\"port\""},
    {"wire drop client > server \"tcp and and\"", 27, "libpcap: ", NULL},
    {"wire drop client > server \"\"", 27, "an empty filter says not which frames", "`any`"},
    {"wire drop client > server data 0", 32, "\"0\" is no number of a frame", "1 to 1000000"},
    {"wire drop client > server data 1000001", 32, "\"1000001\" is no number", NULL},
    {"wire drop client > server data 1x", 32, "\"1x\" is no number of a frame", NULL},
    {"wire drop client > server data 3..", 32, "this is no range", "2..5"},
    {"wire drop client > server data 3..x", 32, "this is no range", NULL},
    {"wire drop client > server data 0..3", 32, "\"0\" is no number of a frame", NULL},
    {"wire drop client > server data 3..1000001", 35, "\"1000001\" is no number", NULL},
    {"wire drop client > server data 3..2", 32, "the range ends before it begins", NULL},
    {"wire drop client > server data every", 37, "the number is missing", NULL},
    {"wire drop client > server data every nth", 38, "\"nth\" is no number of a frame", NULL},
    {"wire drop client > server data every 2th", 38, "\"2th\" is no number of", "every 2nd"},
    {"wire drop client > server data every 0", 38, "\"0\" is no number of a frame", NULL},
    {"wire drop client > server data x2", 32, "nothing more is expected", "WHICH"},
    {"wire drop client > server data 2 3", 34, "nothing more is expected", NULL},

    {"wire delay client > server data", 32, "`by` is missing", "WHICH by DURATION"},
    {"wire delay client > server data 5ms", 33, "\"5ms\" is no number of a frame", NULL},
    {"wire delay client > server data by", 35, "the duration is missing", NULL},
    {"wire delay client > server data by 5", 36, "\"5\" is no duration", "200ms"},
    {"wire delay client > server data by 0ms", 36, "a duration is more than nothing", NULL},
    {"wire delay client > server data by 1441m", 36, "a duration is more than nothing", NULL},
    {"wire hold client > server data", 31, "`until` is missing", "until N more"},
    {"wire hold client > server data until", 37, "the number of frames is missing", NULL},
    {"wire hold client > server data until 0 more", 38, "\"0\" is no number of frames", NULL},
    {"wire hold client > server data until 2", 39, "`more` is missing", NULL},
    {"wire hold client > server any all until 2 more", 1, "every frame is held back until others",
     "wire clear client > server"},
    {"wire hold client > server any every 1st until 2 more", 1, "every frame is held back", NULL},
    {"wire swap client > server any all", 1, "every frame is held back until others", NULL},
    {"wire swap client > server data until 2 more", 32, "nothing more is expected", NULL},
    {"wire mark client > server data", 31, "`ce` is missing", NULL},
    {"wire mark client > server data CE", 32, "here stands \"CE\" instead of `ce`", NULL},
    {"wire rewrite client > server [S]", 33, "what to rewrite is missing", "win N | mss N"},
    {"wire rewrite client > server [S] ttl 3", 34, "\"ttl\" is nothing that the wire", "win N"},
    {"wire rewrite client > server [S] win", 37, "the value is missing", NULL},
    {"wire rewrite client > server [S] win 65536", 38, "\"65536\" is no value of 16 bits", NULL},
    {"wire rewrite client > server [S] mss -1", 38, "\"-1\" is no value of 16 bits", NULL},
    {"wire rewrite client > server [S] without", 41, "the option is missing", NULL},
    {"wire rewrite client > server [S] without ts", 42, "\"ts\" is no option", "sackOK and TS"},

    {"wire drop client > server data within 5s", 32, "a step of the wire takes no time", NULL},
    {"wire drop client > server data => 0", 32, "this step has no result", NULL},
    {"wire drop client > server data &", 32, "this step cannot be left running", NULL},
    {"wire drop client > server => 0", 26, "it is not said which frames", NULL},
    {"wire inject client.1 > server.2: Flags [R], … => 0", 49, "this step has no result", NULL},
    {"wire inject client.1 > server.2: => 0", 33, "what the segment holds is missing", NULL},

    {"wire client > server", 21, "a property is missing", "delay 50ms"},
    {"wire client > server dealy 5ms", 22, "\"dealy\" is no property", "\"delay\""},
    {"wire client > server data", 22, "\"data\" is no property of a wire", NULL},
    {"wire client > server drop data", 22, "\"drop\" is no property", NULL},
    {"wire client > server delay", 27, "the duration is missing", NULL},
    {"wire client > server delay 5", 28, "\"5\" is no duration", "200ms"},
    {"wire client > server delay 1441m", 28, "a duration is more than nothing", NULL},
    {"wire client > server delay 5ms delay 5ms", 32, "`delay` stands on this line already", NULL},
    {"wire client > server jitter", 28, "the duration is missing", NULL},
    {"wire client > server delay 5ms jitter 6ms", 1, "the jitter of client > server is longer",
     "raise the `delay`"},
    {"wire client > server jitter 1ms", 1, "the jitter of client > server is longer", NULL},
    {"wire server <> client jitter 1ms", 1, "the jitter of server > client is longer", NULL},
    {"wire client > server loss", 26, "the share is missing", NULL},
    {"wire client > server loss 1", 27, "\"1\" is no share of the frames", "0.5%"},
    {"wire client > server loss 100.0001%", 27, "\"100.0001%\" is no share", NULL},
    {"wire client > server loss 0.00001%", 27, "\"0.00001%\" is no share", "four decimal"},
    {"wire client > server loss .5%", 27, "\".5%\" is no share of the frames", NULL},
    {"wire client > server loss 1.%", 27, "\"1.%\" is no share of the frames", NULL},
    {"wire client > server loss -1%", 27, "\"-1%\" is no share of the frames", NULL},
    {"wire client > server loss 99999999999999999999%", 27, "\"9999", NULL},
    {"wire client > server seed 7", 22, "`seed` stands with the `loss`", "loss 1% seed 7"},
    {"wire client > server loss 1% seed x", 35, "\"x\" is no seed", NULL},
    {"wire client > server rate", 26, "the rate is missing", NULL},
    {"wire client > server rate 10", 27, "\"10\" is no rate", "512kbit"},
    {"wire client > server rate 999bit", 27, "\"999bit\" is no rate", "1kbit to 100gbit"},
    {"wire client > server rate 100.1gbit", 27, "\"100.1gbit\" is no rate", NULL},
    {"wire client > server rate 1.0001kbit", 27, "\"1.0001kbit\" is no rate", NULL},
    {"wire client > server rate 1Mbit", 27, "\"1Mbit\" is no rate", "1.5mbit"},
    {"wire client > server rate 1mbit queue", 38, "the length is missing", NULL},
    {"wire client > server rate 1mbit queue 5", 40, "`packets` is missing", NULL},
    {"wire client > server rate 1mbit queue 5 fair", 41, "\"fair\" is nothing that a queue",
     "queue N packets"},
    {"wire client > server rate 1mbit queue 5 packets unfair", 49, "\"unfair\" is no property",
     NULL},
    {"wire client > server rate 1mbit queue 5 frames", 41, "\"frames\" is nothing that a queue",
     "queue N bytes"},
    {"wire client > server rate 1mbit queue 0 packets", 39, "\"0\" is no number of packets", NULL},
    {"wire client > server rate 1mbit queue 1000001 packets", 39, "\"1000001\" is no number", NULL},
    {"wire client > server rate 1mbit queue 1073741825 bytes", 39, "\"1073741825\" is no number",
     NULL},
    {"wire client > server queue 5 packets", 1, "nothing queues in client > server", "`rate`"},

    {"wire inject", 12, "the segment is missing", "FROM.PORT > TO.PORT:"},
    {"wire inject client > server: Flags [R]", 13, "a port is missing", "client.port"},
    {"wire inject client. > server.1: Flags [R]", 13, "a port is missing", NULL},
    {"wire inject clint.1 > server.1: Flags [R]", 13, "there is no host \"clint\"", "\"client\""},
    {"wire inject client.1 server.1: Flags [R]", 22, "here stands \"server.1:\" instead", NULL},
    {"wire inject client.1 > sever.1: Flags [R]", 24, "there is no host \"sever\"", NULL},
    {"wire inject client.1 > server: Flags [R]", 24, "a port is missing", NULL},
    {"wire inject client.1 > server.1 Flags [R]", 32, "a `:` is missing here", NULL},
    {"wire inject client.1 >", 23, "the receiver is missing", NULL},
    {"wire inject client.1 > server.1:", 33, "what the segment holds is missing", NULL},
    {"wire inject client.1 > client.2: Flags [R]", 24, "a host has no wire to itself", NULL},
    {"wire inject client.1 > server.$prt: Flags [R]", 31, "there is no such `vary` name", NULL},

    {"mtu", 4, "the host is missing", "mtu HOST[:INTERFACE] BYTES"},
    {"mtu clint 1400", 5, "there is no host \"clint\"", "\"client\""},
    {"mtu client", 11, "the number of bytes is missing", NULL},
    {"mtu client 575", 12, "\"575\" is no MTU", "576 to 9000"},
    {"mtu client 9001", 12, "\"9001\" is no MTU", NULL},
    {"mtu client:eth1 1400", 5, "host \"client\" has no such interface", "client:eth0"},
    {"mtu client:lo 1400", 5, "the loopback interface keeps its MTU", "cable"},
    {"mtu client 1400 bytes", 17, "nothing more is expected", NULL},
    {"host mtu 10.0.0.3/24", 6, "\"mtu\" is a word of the language", NULL},
};

static void check_mistake(struct parsed *r, int line, const struct mistake *m)
{
    cleanup_free char *head = xasprintf("labs/x.md:%d:%d: %s", line, m->column, m->message);
    const char *text = strbuf_cstr(&r->text);
    ck_assert_msg(r->diags.list.n == 1 && strncmp(text, head, strlen(head)) == 0,
                  "expected: %s\nobserved: %s", head, text);
    const char *hint = strstr(text, "hint: ");
    ck_assert_msg(!m->hint || (hint && strstr(hint, m->hint)), "%s", text);
}

START_TEST(each_mistake_has_its_place_message_and_hint)
{
    cleanup_free char *lines = xasprintf("%s\nclient close", mistakes[_i].line);
    struct parsed r cleanup_parsed = parse_lines(lines);
    check_mistake(&r, 10, &mistakes[_i]);
}
END_TEST

/* What one line alone does not show; the mistake stands on line 12. */
static const struct {
    const char *lines;
    struct mistake mistake;
} later[] = {
    {"wire client <> server delay 10ms\nwire client > server jitter 10ms\n"
     "wire client <> server delay 5ms\n",
     {NULL, 1, "the jitter of client > server is longer than its delay", "raise"}},
    {"wire client > server delay 10ms rate 1mbit\nwire clear client > server\n"
     "wire client > server queue 5 packets\n",
     {NULL, 1, "nothing queues in client > server: it has no rate", NULL}},
    {"wire server > client delay 10ms\nwire server > client jitter 1ms\n"
     "wire client <> server jitter 1ms\n",
     {NULL, 1, "the jitter of client > server is longer than its delay", NULL}},
    {"mtu client 1400\nmtu server 1400\nmtu client 1400\n",
     {NULL, 5, "this interface has an MTU already", NULL}},
    {"host third fd00::3/64\n\nmtu third 1279\n",
     {NULL, 11, "an interface with IPv6 has an MTU of at least 1280 bytes", "RFC 8200"}},
    {"host alone 127.0.0.1/8\n\nwire drop alone > client data\n",
     {NULL, 1, "host \"alone\" has no cable that could be a wire", "loopback"}},
    {"host alone 127.0.0.1/8\n\nwire drop client > alone data\n",
     {NULL, 1, "host \"alone\" has no cable that could be a wire", NULL}},
    {"host far 10.9.0.1/24\n\nwire client > far delay 1ms\n",
     {NULL, 1, "hosts \"client\" and \"far\" share no network", "in one network"}},
    {"router gate 10.0.0.254/24 10.9.0.254/24\nhost far 10.9.0.1/24\nwire client > far delay 1ms\n",
     {NULL, 1, "hosts \"client\" and \"far\" share no network", "`client > gate` or `gate > far`"}},
    {"router a 10.0.0.9/24 10.1.0.9/24\nrouter b 10.1.0.8/24 10.2.0.8/24\n"
     "wire inject b.1 > client.2: Flags [R], …\n",
     {NULL, 1, "hosts \"b\" and \"client\" share no network", "`b > a` or `a > client`"}},
    {"host c 10.1.0.3/24 10.0.0.3/24\nhost d 10.1.0.4/24 10.0.0.4/24\nwire drop c > d data\n",
     {NULL, 1, "hosts \"c\" and \"d\" share 2 networks", "join them by one"}},
};

START_TEST(mistakes_that_other_lines_make)
{
    cleanup_free char *lines = xasprintf("%sclient close", later[_i].lines);
    struct parsed r cleanup_parsed = parse_lines(lines);
    check_mistake(&r, 12, &later[_i].mistake);
}
END_TEST

START_TEST(values_that_vary_stand_in_a_wire_step)
{
    struct parsed r cleanup_parsed =
        parse_lines("vary n 3..9\nwire drop client > server data $n..$n\n"
                    "wire client > server loss $n% rate ${n}mbit\n");
    ck_assert_uint_eq(r.diags.list.n, 1);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&r.text), "12:36: \"${n}mbit\" is no rate"));
    ck_assert_uint_eq(r.lab->steps.at[0].wire.rule.pick.first, 3);
    ck_assert_uint_eq(r.lab->steps.at[0].wire.rule.pick.last, 3);
}
END_TEST

static Suite *suite_lab_wire(void)
{
    Suite *s = suite_create("lab-wire");
    TCase *t = tcase_create("lab-wire");
    tcase_add_loop_test(t, rules_are_read, 0, (int)ARRAY_SIZE(rules));
    tcase_add_test(t, each_option_has_its_kind);
    tcase_add_test(t, how_many_frames_a_rule_wants);
    tcase_add_test(t, properties_are_read);
    tcase_add_test(t, shares_and_rates);
    tcase_add_test(t, a_direction_remembers_what_it_was_given);
    tcase_add_test(t, a_segment_is_kept_as_written);
    tcase_add_test(t, hosts_may_be_named_like_actions);
    tcase_add_test(t, only_networks_with_a_wire_step_are_wired);
    tcase_add_test(t, what_is_held_back_can_go_on);
    tcase_add_test(t, mtus);
    tcase_add_loop_test(t, each_mistake_has_its_place_message_and_hint, 0,
                        (int)ARRAY_SIZE(mistakes));
    tcase_add_loop_test(t, mistakes_that_other_lines_make, 0, (int)ARRAY_SIZE(later));
    tcase_add_test(t, values_that_vary_stand_in_a_wire_step);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_lab_wire)
