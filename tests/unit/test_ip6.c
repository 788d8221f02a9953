/* Labs with IPv6 addresses in place of those they are written with. */
#include <stdio.h>

#include "lab_helpers.h"

static struct parsed parse_six(const char *lines)
{
    cleanup_free char *s = xasprintf("# A lab\n\n```lab\n%s\n```\n", lines);
    struct parsed r = {0};
    struct source src;
    source_from(&src, "labs/x.md", s, strlen(s));
    r.lab = lab_parse_ip(&src, NULL, 0, 6, &r.diags);
    diags_format(&r.diags, &r.text);
    return r;
}

static void assert_mapped(enum lab_mapping mapping, const char *from, unsigned prefix,
                          const char *to, unsigned to_prefix)
{
    struct ipaddr a;
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    ck_assert(ipaddr_parse(&a, from, strlen(from)));
    ip6_map(mapping, &a, &prefix);
    strbuf_ipaddr(&text, &a);
    ck_assert_str_eq(strbuf_cstr(&text), to);
    ck_assert_uint_eq(prefix, to_prefix);
}

START_TEST(addresses_stay_readable)
{
    assert_mapped(MAP_DECIMAL, "10.0.0.1", 24, "fd00:10::1", 64);
    assert_mapped(MAP_DECIMAL, "10.0.0.254", 16, "fd00:10::254", 48);
    assert_mapped(MAP_DECIMAL, "192.168.7.20", 32, "fd00:192:168:7::20", 128);
    assert_mapped(MAP_DECIMAL, "10.1.0.0", 8, "fd00:10:1::", 32);
    assert_mapped(MAP_DECIMAL, "127.0.0.1", 8, "::1", 128);
    assert_mapped(MAP_DECIMAL, "fd00::5", 48, "fd00::5", 48);
    assert_mapped(MAP_NOTHING, "10.0.0.1", 24, "10.0.0.1", 24);
    assert_mapped(MAP_HEXADECIMAL, "10.0.0.129", 30, "fd00:a::81", 126);
    assert_mapped(MAP_HEXADECIMAL, "10.0.0.129", 12, "fd00:a::81", 44);
}
END_TEST

/* Two addresses are in one network if and only if they were. */
START_TEST(networks_stay_what_they_are)
{
    static const char *const addrs[] = {"10.0.0.1",  "10.0.0.2",  "10.0.0.5",   "10.0.0.129",
                                        "10.0.1.1",  "10.16.0.1", "10.129.1.1", "11.0.0.1",
                                        "10.0.0.99", "10.0.0.100"};
    for (unsigned prefix = 1; prefix <= 32; prefix++) {
        for (size_t i = 0; i < ARRAY_SIZE(addrs) * ARRAY_SIZE(addrs); i++) {
            struct ipaddr a, b;
            const char *x = addrs[i / ARRAY_SIZE(addrs)], *y = addrs[i % ARRAY_SIZE(addrs)];
            ipaddr_parse(&a, x, strlen(x));
            ipaddr_parse(&b, y, strlen(y));
            bool before = ipaddr_same_net(&a, &b, prefix);
            enum lab_mapping mapping = prefix % 8 ? MAP_HEXADECIMAL : MAP_DECIMAL;
            unsigned mapped = prefix;
            ip6_map(mapping, &a, &mapped);
            ip6_map(mapping, &b, NULL);
            ck_assert_msg(ipaddr_same_net(&a, &b, mapped) == before, "%s and %s, /%u", x, y,
                          prefix);
        }
    }
}
END_TEST

static void assert_addr(const struct ipaddr *a, const char *text)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    strbuf_ipaddr(&sb, a);
    ck_assert_str_eq(strbuf_cstr(&sb), text);
}

START_TEST(a_whole_lab)
{
    struct parsed r cleanup_parsed = parse_six("host client 10.0.0.1/24\n"
                                               "router gate 10.0.0.254/24 10.0.1.254/24\n"
                                               "host server 10.0.1.1/24,fd99::1/64\n"
                                               "route client default via 10.0.0.254\n"
                                               "route server 10.0.0.0/24 via 10.0.1.254\n"
                                               "capture client \"icmp or host 10.0.1.1\"\n"
                                               "run client nc 10.0.1.1 http://10.0.1.1/ 10.9.9.9\n"
                                               "client connect server 80");
    assert_clean(r);
    const struct lab *lab = r.lab;
    ck_assert_uint_eq(lab->ip, 6);
    ck_assert_int_eq(lab->mapping, MAP_DECIMAL);
    ck_assert_uint_eq(lab->nets.n, 2);
    assert_addr(&lab->hosts.at[2].ifaces.at[0].addrs.at[0].addr, "fd00:10:0:1::1");
    assert_addr(&lab->hosts.at[2].ifaces.at[0].addrs.at[1].addr, "fd99::1");
    ck_assert_uint_eq(lab->routes.at[0].to.prefix, 0);
    ck_assert_uint_eq(lab->routes.at[0].to.addr.version, 6);
    assert_addr(&lab->routes.at[1].to.addr, "fd00:10::");
    ck_assert_uint_eq(lab->routes.at[1].to.prefix, 64);
    assert_addr(&lab->routes.at[1].via, "fd00:10:0:1::254");
    ck_assert_str_eq(lab->captures.at[0].filter, "icmp6 or host fd00:10:0:1::1");
    const struct lab_step *run = &lab->steps.at[0];
    ck_assert_str_eq(run->args.at[2].text, "fd00:10:0:1::1");
    ck_assert_str_eq(run->args.at[3].text, "http://[fd00:10:0:1::1]/");
    ck_assert_str_eq(run->args.at[4].text, "10.9.9.9"); /* nobody's */
}
END_TEST

START_TEST(a_network_of_another_length_makes_all_hexadecimal)
{
    struct parsed r cleanup_parsed = parse_six("host a 10.0.0.5/30\nhost b 10.0.0.6/30\n"
                                               "host c 10.0.0.9/30\ncapture a\na close");
    assert_clean(r);
    ck_assert_int_eq(r.lab->mapping, MAP_HEXADECIMAL);
    ck_assert_uint_eq(r.lab->nets.n, 2);
    assert_addr(&r.lab->hosts.at[1].ifaces.at[0].addrs.at[0].addr, "fd00:a::6");
}
END_TEST

START_TEST(a_lab_about_ipv4_is_read_as_it_is)
{
    struct parsed r cleanup_parsed =
        parse_six("host a 10.0.0.5/24\ncapture a \"arp or ip[8] < 5\"\na close\nrequires ipv4");
    assert_clean(r);
    ck_assert_uint_eq(r.lab->ip, 6);
    ck_assert_int_eq(r.lab->mapping, MAP_NOTHING);
    ck_assert_int_eq(r.lab->requires_.at[0].kind, REQUIRE_IPV4);
    assert_addr(&r.lab->hosts.at[0].ifaces.at[0].addrs.at[0].addr, "10.0.0.5");
}
END_TEST

START_TEST(the_version_is_that_of_the_addresses)
{
    struct parsed four cleanup_parsed = parse_lines("client close");
    struct parsed six cleanup_parsed = parse("```lab\nhost a fd00::1/64\ncapture a\na close\n```");
    ck_assert_uint_eq(four.lab->ip, 4);
    ck_assert_uint_eq(six.lab->ip, 6);
}
END_TEST

static const struct {
    const char *filter, *six; /* NULL: a mistake … */
    int column;               /* … at this column */
    const char *message;
} filters[] = {
    {"tcp port 1234", "tcp port 1234", 0, NULL},
    {"ip and not icmp", "ip6 and not icmp6", 0, NULL},
    {"ip6 or ip", "ip6 or ip6", 0, NULL},
    {"net 10.0.0.0/24", "net fd00:10::/64", 0, NULL},
    {"src host 10.0.0.1 and (dst port 80)", "src host fd00:10::1 and (dst port 80)", 0, NULL},
    {"host fd00::7 or tcp", "host fd00::7 or tcp", 0, NULL},
    {"arp", "(icmp6 and ip6[40] >= 135 and ip6[40] <= 136)", 0, NULL},
    {"ip6[53] & 2 != 0", "ip6[53] & 2 != 0", 0, NULL},
    {"tcp[13] & 2 != 0", NULL, 12, "\"tcp\" has no meaning with IPv6"},
    {"tcp and ip[8] < 5", NULL, 20, "\"ip\" has no meaning with IPv6"},
    {"net 10.0", NULL, 16, "\"10.0\" has no meaning with IPv6"},
    {"net 10", NULL, 16, "\"10\" has no meaning with IPv6"},
    {"ether broadcast", NULL, 18, "\"broadcast\" has no meaning with IPv6"},
    {"igmp", NULL, 12, "\"igmp\" has no meaning with IPv6"},
};

START_TEST(filters_are_translated_or_refused)
{
    cleanup_free char *lines =
        xasprintf("host a 10.0.0.5/24\ncapture a \"%s\"\na close", filters[_i].filter);
    struct parsed r cleanup_parsed = parse_six(lines);
    if (filters[_i].six) {
        assert_clean(r);
        ck_assert_str_eq(r.lab->captures.at[0].filter, filters[_i].six);
        return;
    }
    cleanup_free char *head =
        xasprintf("labs/x.md:5:%d: %s", filters[_i].column, filters[_i].message);
    ck_assert_msg(strncmp(strbuf_cstr(&r.text), head, strlen(head)) == 0, "%s",
                  strbuf_cstr(&r.text));
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&r.text), "`requires ipv4`"));
}
END_TEST

START_TEST(the_wire_and_the_mtu_are_of_the_version)
{
    static const char stage[] = "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
                                "capture client\n";
    cleanup_free char *lines =
        xasprintf("%s%s", stage, "wire drop client > server \"dst host 10.0.0.2\" 2\nclient close");
    struct parsed r cleanup_parsed = parse_six(lines);
    assert_clean(r);
    ck_assert_str_eq(r.lab->steps.at[0].wire.rule.pick.filter, "dst host fd00:10::2");
    ck_assert_uint_eq(r.lab->steps.at[0].wire.rule.pick.first, 2);

    cleanup_free char *small = xasprintf("%smtu client 1000\nclient close", stage);
    struct parsed six cleanup_parsed = parse_six(small);
    ck_assert_uint_eq(six.diags.list.n, 1);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&six.text), "at least 1280 bytes"));
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&six.text), "`requires ipv4`"));
    cleanup_free char *four = xasprintf("requires ipv4\n%s", small);
    struct parsed only cleanup_parsed = parse_six(four);
    assert_clean(only);
    ck_assert_uint_eq(only.lab->hosts.at[0].ifaces.at[0].mtu, 1000);
}
END_TEST

static Suite *suite_ip6(void)
{
    Suite *s = suite_create("ip6");
    TCase *t = tcase_create("ip6");
    tcase_add_test(t, addresses_stay_readable);
    tcase_add_test(t, networks_stay_what_they_are);
    tcase_add_test(t, a_whole_lab);
    tcase_add_test(t, a_network_of_another_length_makes_all_hexadecimal);
    tcase_add_test(t, a_lab_about_ipv4_is_read_as_it_is);
    tcase_add_test(t, the_version_is_that_of_the_addresses);
    tcase_add_loop_test(t, filters_are_translated_or_refused, 0, (int)ARRAY_SIZE(filters));
    tcase_add_test(t, the_wire_and_the_mtu_are_of_the_version);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_ip6)
