#include <errno.h>

#include "lab_helpers.h"

START_TEST(the_lab_of_the_design)
{
    struct parsed r cleanup_parsed = parse_lines("server listen 1234\n"
                                                 "client connect server 1234   # a comment\n"
                                                 "server accept\n"
                                                 "client send \"hello # world\\n\"\n"
                                                 "server recv 12\n"
                                                 "client close\n"
                                                 "server recv 1 => 0\n"
                                                 "server close");
    assert_clean(r);
    const struct lab *lab = r.lab;
    ck_assert_str_eq(lab->name, "x");
    ck_assert_str_eq(lab->title, "Handshake");
    ck_assert_str_eq(lab->summary, "Two hosts and one cable.");
    ck_assert_uint_eq(lab->hosts.n, 2);
    ck_assert_uint_eq(lab->nets.n, 1);
    ck_assert_str_eq(lab->hosts.at[1].ifaces.at[0].name, "eth0");
    ck_assert_int_eq(lab->hosts.at[1].ifaces.at[0].net, 0);
    ck_assert_uint_eq(lab->captures.n, 2);
    ck_assert_str_eq(lab->captures.at[1].filter, "tcp port 1234");
    ck_assert_uint_eq(lab->steps.n, 8);
    const struct lab_step *s = lab->steps.at;
    ck_assert_int_eq(s[0].verb, VERB_LISTEN);
    ck_assert_int_eq(s[0].host, 1);
    ck_assert_int_eq(s[0].args.at[0].number, 1234);
    ck_assert_str_eq(s[1].text, "client connect server 1234");
    ck_assert_int_eq(s[1].args.at[0].host, 1);
    ck_assert_str_eq(s[3].args.at[0].text, "hello # world\n");
    ck_assert_uint_eq(s[3].args.at[0].len, 14);
    ck_assert_int_eq(s[6].result.kind, RESULT_NUMBER);
    ck_assert_int_eq(lab->limit, LAB_DEFAULT_LIMIT);
}
END_TEST

START_TEST(a_lab_may_be_long)
{
    struct parsed brief cleanup_parsed = parse_lines("server listen 80");
    struct parsed r cleanup_parsed = parse_lines("long\nserver listen 80");
    assert_clean(brief);
    assert_clean(r);
    ck_assert(!brief.lab->is_long);
    ck_assert(r.lab->is_long);
    struct parsed twice cleanup_parsed = parse_lines("long\nlong\nserver listen 80");
    ck_assert_ptr_nonnull(
        strstr(strbuf_cstr(&twice.text), "labs/x.md:11:1: the lab is long already"));
    struct parsed more cleanup_parsed = parse_lines("long 15m\nserver listen 80");
    ck_assert_ptr_nonnull(
        strstr(strbuf_cstr(&more.text), "labs/x.md:10:6: nothing more is expected"));
    struct parsed host cleanup_parsed = parse_lines("host long 10.0.0.9/24\nserver listen 80");
    ck_assert_uint_eq(host.diags.list.n, 1);
}
END_TEST

START_TEST(hosts_are_traced)
{
    struct parsed r cleanup_parsed = parse_lines("trace server\n"
                                                 "host other 10.0.0.9/24\n"
                                                 "trace client other every 10ms\n"
                                                 "server listen 80");
    assert_clean(r);
    ck_assert_uint_eq(r.lab->traces.n, 3);
    const struct lab_trace *t = r.lab->traces.at;
    ck_assert_int_eq(t[0].host, 1);
    ck_assert_int_eq(t[0].every, 0);
    ck_assert_int_eq(t[1].host, 0);
    ck_assert_int_eq(t[1].every, 10 * NSEC_PER_MSEC);
    ck_assert_int_eq(t[2].host, 2);
    ck_assert_int_eq(t[2].every, 10 * NSEC_PER_MSEC);
}
END_TEST

START_TEST(calls_with_all_that_can_stand_behind)
{
    struct parsed r cleanup_parsed =
        parse_lines("server listen 80 backlog 2\n"
                    "server as second listen 81\n"
                    "client connect server 80 within 40s => ETIMEDOUT &\n"
                    "client as second connect server 81 & # left running\n"
                    "client send 1000000 bytes => 1000000\n"
                    "client send \"\\x00\\xff\\\"\\\\\\t\\$\"\n"
                    "server recv 3 => \"yes\"\n"
                    "client state => ESTABLISHED\n"
                    "client state => ENOTCONN\n"
                    "client shutdown write\n"
                    "client set linger -1\n"
                    "client close => EWOULDBLOCK");
    assert_clean(r);
    const struct lab_step *s = r.lab->steps.at;
    ck_assert_uint_eq(s[0].args.n, 2);
    ck_assert_int_eq(s[0].args.at[1].number, 2);
    ck_assert_str_eq(s[1].as, "second");
    ck_assert_int_eq(s[2].within, 40 * NSEC_PER_SEC);
    ck_assert_int_eq(s[2].result.kind, RESULT_ERRNO);
    ck_assert_int_eq(s[2].result.number, ETIMEDOUT);
    ck_assert(s[2].background && !s[4].background);
    ck_assert_str_eq(s[3].text, "client as second connect server 81 &");
    ck_assert_ptr_null(s[4].args.at[0].text);
    ck_assert_int_eq(s[4].args.at[0].number, 1000000);
    ck_assert_uint_eq(s[5].args.at[0].len, 6);
    ck_assert_mem_eq(s[5].args.at[0].text, "\0\xff\"\\\t$", 6);
    ck_assert_int_eq(s[6].result.kind, RESULT_STRING);
    ck_assert_str_eq(s[6].result.text, "yes");
    ck_assert_int_eq(s[7].result.kind, RESULT_WORD);
    ck_assert_int_eq(s[8].result.kind, RESULT_ERRNO);
    ck_assert_str_eq(s[9].args.at[0].text, "write");
    ck_assert_int_eq(s[10].args.at[1].number, -1);
    ck_assert_int_eq(s[11].result.number, EAGAIN);
}
END_TEST

START_TEST(calls_with_a_word_behind)
{
    struct parsed r cleanup_parsed = parse_lines("client send \"!\" urgent => 1\n"
                                                 "client send 5 bytes more\n"
                                                 "server recv 100 some => \"x\"\n"
                                                 "server recv 1 urgent => EINVAL &\n"
                                                 "server sockatmark => 1\n"
                                                 "client set congestion cubic\n"
                                                 "client set keepidle 2\n"
                                                 "client info cwnd => 10\n"
                                                 "client info ca_state => Loss\n"
                                                 "client info rtt => 40..60");
    assert_clean(r);
    const struct lab_step *s = r.lab->steps.at;
    ck_assert_uint_eq(s[0].args.n, 2);
    ck_assert_str_eq(s[0].args.at[1].text, "urgent");
    ck_assert_int_eq(s[1].args.at[0].number, 5);
    ck_assert_str_eq(s[1].args.at[1].text, "more");
    ck_assert_str_eq(s[2].args.at[1].text, "some");
    ck_assert_int_eq(s[2].result.kind, RESULT_STRING);
    ck_assert(s[3].background);
    ck_assert_int_eq(s[4].result.number, 1);
    ck_assert_int_eq(s[5].args.at[1].kind, ARG_WORD);
    ck_assert_str_eq(s[5].args.at[1].text, "cubic");
    ck_assert_int_eq(s[6].args.at[1].kind, ARG_NUMBER);
    ck_assert_int_eq(s[6].args.at[1].number, 2);
    ck_assert_str_eq(s[7].args.at[0].text, "cwnd");
    ck_assert_int_eq(s[7].result.kind, RESULT_NUMBER);
    ck_assert_int_eq(s[8].result.kind, RESULT_WORD);
    ck_assert_int_eq(s[7].result.most, s[7].result.number);
    ck_assert_int_eq(s[9].result.kind, RESULT_NUMBER);
    ck_assert(s[9].result.number == 40 && s[9].result.most == 60);
}
END_TEST

START_TEST(steps_of_the_stage)
{
    struct parsed r cleanup_parsed = parse_lines("unplug server\n"
                                                 "wait 1.5s\n"
                                                 "wait client > server\n"
                                                 "wait client > server [P.] x6 within 15s\n"
                                                 "replug server within 2s");
    assert_clean(r);
    const struct lab_step *s = r.lab->steps.at;
    ck_assert_int_eq(s[0].verb, VERB_UNPLUG);
    ck_assert_int_eq(s[0].host, -1);
    ck_assert_int_eq(s[0].args.at[0].host, 1);
    ck_assert_int_eq(s[1].verb, VERB_WAIT_TIME);
    ck_assert_int_eq(s[1].args.at[0].duration, 1500 * NSEC_PER_MSEC);
    ck_assert_int_eq(s[2].verb, VERB_WAIT_PACKETS);
    ck_assert_ptr_null(s[2].wait.flags);
    ck_assert_uint_eq(s[2].wait.count, 1);
    ck_assert_int_eq(s[3].wait.from, 0);
    ck_assert_int_eq(s[3].wait.to, 1);
    ck_assert_str_eq(s[3].wait.flags, "P.");
    ck_assert_uint_eq(s[3].wait.count, 6);
    ck_assert_int_eq(s[3].within, 15 * NSEC_PER_SEC);
    ck_assert_int_eq(s[4].verb, VERB_REPLUG);
}
END_TEST

START_TEST(a_command_keeps_its_own_words)
{
    struct parsed r cleanup_parsed =
        parse_lines("vary port 5..9\n"
                    "run server nc -l $port -e 'a $port \"b\\n' \"x\\ty\"z \\# # comment\n"
                    "run server sh -c \"exit 3\" within 5s => 3\n"
                    "run server iperf -s &\n"
                    "run server grep within file");
    assert_clean(r);
    const struct lab_step *s = r.lab->steps.at;
    static const char *const argv[] = {"nc", "-l", "5", "-e", "a $port \"b\\n", "x\tyz", "#"};
    ck_assert_uint_eq(s[0].args.n, 1 + ARRAY_SIZE(argv));
    for (size_t i = 0; i < ARRAY_SIZE(argv); i++)
        ck_assert_str_eq(s[0].args.at[i + 1].text, argv[i]);
    ck_assert_int_eq(s[1].result.number, 3);
    ck_assert_int_eq(s[1].within, 5 * NSEC_PER_SEC);
    ck_assert_uint_eq(s[1].args.n, 4);
    ck_assert(s[2].background);
    ck_assert_uint_eq(s[3].args.n, 4);
}
END_TEST

START_TEST(settings)
{
    struct parsed r cleanup_parsed = parse_lines("sysctl client net.ipv4.tcp_rmem 1 2\t 3\n"
                                                 "sysctl? server net.ipv4.tcp_sack \"0\"\n"
                                                 "requires kernel 6.5\n"
                                                 "requires sysctl net.ipv4.tcp_sack\n"
                                                 "requires program nc\n"
                                                 "requires congestion bbr\n"
                                                 "requires ipv6\n"
                                                 "limit 30s\n"
                                                 "neighbor client server\n"
                                                 "client close");
    assert_clean(r);
    const struct lab *lab = r.lab;
    ck_assert_str_eq(lab->sysctls.at[0].value, "1 2 3");
    ck_assert(!lab->sysctls.at[0].optional && lab->sysctls.at[1].optional);
    ck_assert_uint_eq(lab->requires_.n, 5);
    ck_assert_str_eq(lab->requires_.at[0].what, "6.5");
    ck_assert_int_eq(lab->requires_.at[3].kind, REQUIRE_CONGESTION);
    ck_assert_str_eq(lab->requires_.at[3].what, "bbr");
    ck_assert_int_eq(lab->requires_.at[4].kind, REQUIRE_IPV6);
    ck_assert_int_eq(lab->limit, 30 * NSEC_PER_SEC);
    ck_assert_int_eq(lab->neighbours.at[0].peer, 1);
}
END_TEST

START_TEST(values_that_vary)
{
    static const char script[] = "```lab\nhost a 10.0.0.1/24\ncapture a \"port $port\"\n"
                                 "vary port 1024..65535\nvary x_1 0..3\n"
                                 "a listen $port # $nothing\na send \"$x_1 $ \\$x_1\"\n```\n";
    const struct lab_value given[] = {{"port", 4242}};
    cleanup_free char *moved = xasprintf("```lab\nvary port 1024..65535\n%s", script + 7);
    struct parsed early cleanup_parsed = parse(script);
    ck_assert_uint_eq(early.diags.list.n, 1); /* $port is used above its line */
    char *second = strstr(moved + 30, "vary port");
    memset(second, ' ', strlen("vary port 1024..65535"));
    struct parsed r cleanup_parsed = parse_bytes(moved, strlen(moved), given, 1);
    assert_clean(r);
    ck_assert_str_eq(r.lab->captures.at[0].filter, "port 4242");
    ck_assert_int_eq(r.lab->steps.at[0].args.at[0].number, 4242);
    ck_assert_str_eq(r.lab->steps.at[0].text, "a listen $port");
    ck_assert_str_eq(r.lab->steps.at[1].args.at[0].text, "0 $ $x_1");
    const struct lab_value wrong[] = {{"port", 80}, {"prot", 1}};
    struct parsed bad cleanup_parsed = parse_bytes(moved, strlen(moved), wrong, 2);
    ck_assert_uint_eq(bad.diags.list.n, 2);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&bad.text), "\"port\", 80, is out of this range"));
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&bad.text), "\"prot\", which this lab does not vary"));
}
END_TEST

START_TEST(networks_follow_from_the_addresses)
{
    struct parsed r cleanup_parsed =
        parse("```lab\n"
              "host a 10.0.0.1/24,fd00::1/64 127.0.0.1/8\n"
              "router r 10.0.1.254/24 10.0.0.254/24\n"
              "host b 10.0.1.1/24\n"
              "host c fd00::3/64\n"
              "host d 10.2.0.1/24\n"
              "host e 10.0.1.2/24,10.2.0.2/24\n" /* joins the networks of b and d */
              "route a default via 10.0.0.254\n"
              "route b 10.0.0.0/24 via 10.0.1.254\n"
              "route c fd01::/64 via fd00::1\n"
              "capture a a:lo r:eth1\n"
              "capture b:lo\n"
              "a close\n```\n");
    assert_clean(r);
    const struct lab *lab = r.lab;
    const struct lab_host *h = lab->hosts.at;
    ck_assert(h[1].router && !h[0].router);
    ck_assert_uint_eq(lab->nets.n, 2);
    ck_assert_str_eq(h[0].ifaces.at[1].name, "lo");
    ck_assert_int_eq(h[0].ifaces.at[1].net, -1);
    ck_assert_int_eq(h[0].ifaces.at[0].net, 0);
    ck_assert_int_eq(h[1].ifaces.at[0].net, 1);
    ck_assert_str_eq(h[1].ifaces.at[1].name, "eth1");
    ck_assert_int_eq(h[1].ifaces.at[1].net, 0);
    ck_assert_int_eq(h[3].ifaces.at[0].net, 0);
    ck_assert_int_eq(h[4].ifaces.at[0].net, 1);
    ck_assert_int_eq(h[5].ifaces.at[0].net, 1);
    ck_assert_uint_eq(lab->routes.n, 3);
    ck_assert_uint_eq(lab->routes.at[0].to.prefix, 0);
    ck_assert_uint_eq(lab->routes.at[0].to.addr.version, 4);
    ck_assert_int_eq(lab->captures.at[2].iface, 1);
    ck_assert_str_eq(h[2].ifaces.at[lab->captures.at[3].iface].name, "lo");
}
END_TEST

START_TEST(routes_that_lead_nowhere)
{
    struct parsed r cleanup_parsed = parse_lines("route client 10.1.0.0/16 unreachable\n"
                                                 "route client 10.2.0.0/16 prohibited\n"
                                                 "route client 10.3.0.1/32 blackhole\n"
                                                 "route client fd01::/64 unreachable\n"
                                                 "route client 10.4.0.0/16 via 10.0.0.2\n"
                                                 "client close");
    assert_clean(r);
    static const enum lab_route_kind kinds[] = {LAB_ROUTE_UNREACHABLE, LAB_ROUTE_PROHIBITED,
                                                LAB_ROUTE_BLACKHOLE, LAB_ROUTE_UNREACHABLE,
                                                LAB_ROUTE_VIA};
    ck_assert_uint_eq(r.lab->routes.n, ARRAY_SIZE(kinds));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        ck_assert_int_eq(r.lab->routes.at[i].kind, kinds[i]);
    ck_assert_uint_eq(r.lab->routes.at[2].to.prefix, 32);
    ck_assert_uint_eq(r.lab->routes.at[3].to.addr.version, 6);
}
END_TEST

static Suite *suite_lab(void)
{
    Suite *s = suite_create("lab");
    TCase *t = tcase_create("lab");
    tcase_add_test(t, the_lab_of_the_design);
    tcase_add_test(t, a_lab_may_be_long);
    tcase_add_test(t, hosts_are_traced);
    tcase_add_test(t, calls_with_all_that_can_stand_behind);
    tcase_add_test(t, calls_with_a_word_behind);
    tcase_add_test(t, steps_of_the_stage);
    tcase_add_test(t, a_command_keeps_its_own_words);
    tcase_add_test(t, settings);
    tcase_add_test(t, values_that_vary);
    tcase_add_test(t, networks_follow_from_the_addresses);
    tcase_add_test(t, routes_that_lead_nowhere);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_lab)
