#include "lab_helpers.h"

/* One line of script (it stands on line 10) and the one diagnostic that it gives:
 * its column and the beginning of its message, and a part of its hint. */
static const struct {
    const char *line;
    int column;
    const char *message, *hint;
} mistakes[] = {
    {"client conect server 1234", 8, "unknown verb \"conect\"", "\"connect\""},
    {"client unplug", 8, "unknown verb \"unplug\"", "begins its line"},
    {"hots a 10.0.0.3/24", 1, "unknown statement \"hots\"", "\"host\""},
    {"clint connect server 1234", 1, "there is no host \"clint\"", "\"client\""},
    {"client connect sever 1234", 16, "there is no host \"sever\"", "\"server\""},
    {"client connect server", 22, "the port is missing", "client connect HOST PORT"},
    {"client connect server 1234 5", 28, "nothing more is expected", "connect HOST PORT"},
    {"client connect server 65536", 23, "\"65536\" is no port", "1 to 65535"},
    {"client connect server 0", 23, "\"0\" is no port", "1 to 65535"},
    {"client connect server 12x", 23, "\"12x\" is no port", NULL},
    {"client connect server 99999999999999999999", 23, "\"9999", NULL},
    {"client connect server 1234&", 23, "\"1234&\" is no port", "blank before the `&`"},
    {"client connect server \"1234\"", 23, "\"1234\" is no port", NULL},
    {"client connect server 1234 =>", 30, "the result is missing", "ECONNREFUSED"},
    {"client connect server 1234 => &", 30, "the result is missing", NULL},
    {"client connect server 1 => ETIMEDOT", 28, "\"ETIMEDOT\" is no error", "ETIMEDOUT"},
    {"client connect server 1 => refused", 28, "\"refused\" is no result", NULL},
    {"client connect server 1 => 1 => 2", 30, "a step has one result", NULL},
    {"client recv 12 within", 22, "the duration is missing", NULL},
    {"client recv 12 within 5", 23, "\"5\" is no duration", "200ms"},
    {"client recv 12 within 0s", 23, "a duration is more than nothing", NULL},
    {"client recv 12 within 25m within 1s", 27, "a step has one limit", NULL},
    {"wait 9999m", 6, "a duration is more than nothing and at most a day", NULL},
    {"client recv 0", 13, "\"0\" is no number of bytes", NULL},
    {"client recv 12 & x", 18, "nothing more is expected", NULL},
    {"client", 7, "the verb is missing", NULL},
    {"client as", 10, "the connection's name is missing", NULL},
    {"client as Two close", 11, "\"Two\" is no name for a connection", NULL},
    {"client send \"abc", 13, "unclosed quote", NULL},
    {"client send \"a\\q\"", 15, "unknown escape", "\\xHH"},
    {"client send \"a\\x1\"", 15, "unknown escape", NULL},
    {"client send \"a\"b", 16, "a string is a word of its own", NULL},
    {"client send a\"b\"", 14, "a string is a word of its own", NULL},
    {"client send abc", 13, "this is nothing to send", NULL},
    {"client send 5", 14, "`bytes` is missing", NULL},
    {"client send 5 byte", 15, "here stands \"byte\" instead of `bytes`", NULL},
    {"client send \"$port\"", 14, "there is no such `vary` name", "\\$"},
    {"client send \"a\x1b[1m\"", 15, "a control character", "\\xHH"},
    {"client send \"a\xc2\x9b\"", 15, "a control character", "\\xHH"},
    {"client shutdown sideways", 17, "\"sideways\" is no word that", "read, write, both"},
    {"client shutdown", 16, "the word is missing", "read|write|both"},
    {"client set nodely 1", 12, "\"nodely\" is no word that", "\"nodelay\""},
    {"client set nodelay", 19, "the value is missing", NULL},
    {"client set nodelay on", 20, "\"on\" is no number", NULL},
    {"client set congestion \"reno\"", 23, "here stands \"reno\" instead of a word",
     "client set OPTION VALUE"},
    {"client send \"a\" urgnt", 17, "\"urgnt\" is no word that", "\"urgent\""},
    {"client recv 5 all", 15, "\"all\" is no word that", "some, urgent"},
    {"client info cwmd", 13, "\"cwmd\" is no word that", "\"cwnd\""},
    {"client info ca_state => Lost", 25, "\"Lost\" is no state of congestion control",
     "Recovery, Loss"},
    {"client info cwnd => Open", 21, "\"Open\" is no result", NULL},
    {"client state => ESTABLISHD", 17, "\"ESTABLISHD\" is no state of TCP", "ESTABLISHED"},
    {"client state => up", 17, "\"up\" is no state of TCP", "CLOSE-WAIT"},
    {"client state => \x22up", 17, "unclosed quote", NULL},
    {"server listen 80 backlog", 25, "the number is missing", NULL},
    {"server listen 80 5", 18, "here stands \"5\" instead of `backlog`", NULL},
    {"host client 10.0.0.9/24", 6, "there is a host \"client\" already", NULL},
    {"host x 10.0.0.2/24", 8, "host \"server\" has this address already", NULL},
    {"host x 10.0.0.300/24", 8, "this is no IP address", NULL},
    {"host x 10.0.0.3", 8, "the address has no prefix length", NULL},
    {"host x 10.0.0.3/33", 8, "the prefix is too long", "1 to 32"},
    {"host x 10.0.0.3/24,fd00::1/129", 20, "the prefix is too long", "1 to 128"},
    {"host x 10.0.0.3/x", 8, "this is no prefix length", NULL},
    {"host x 10.0.0.0/24", 8, "this is the network's own address", NULL},
    {"host x 10.0.0.255/24", 8, "this is the network's broadcast address", NULL},
    {"host x 224.0.0.1/24", 8, "a multicast or reserved address", NULL},
    {"host x fe80::1/64", 8, "link-local addresses are the kernel's", NULL},
    {"host x 127.0.0.1/8,10.0.0.3/24", 20, "loopback and other addresses", "blank"},
    {"host x 10.0.0.3/24,", 20, "this is no IP address", NULL},
    {"host x \"10.0.0.3/24\"", 8, "an address stands without quotes", NULL},
    {"host x", 7, "an address is missing", "host NAME ADDRESS/LENGTH"},
    {"host", 5, "the host's name is missing", NULL},
    {"host Big 10.0.0.3/24", 6, "\"Big\" is no name for a host", NULL},
    {"host abcdefghijklmnop 10.0.0.3/24", 6, "\"abcdefghijklmnop\" is no name", NULL},
    {"host wait 10.0.0.3/24", 6, "\"wait\" is a word of the language", NULL},
    {"host net0 10.0.0.3/24", 6, "\"net0\" is a word of the language", NULL},
    {"route client default 10.0.0.2", 22, "here stands \"10.0.0.2\" instead of `via`", NULL},
    {"route client default via 10.9.0.1", 26, "host \"client\" has no interface", NULL},
    {"route client 10.1.0.1/16 via 10.0.0.2", 14, "a route leads to a network", NULL},
    {"route client fd00::/64 via 10.0.0.2", 28, "the gateway is not of the IP version", NULL},
    {"route client default unreachable", 14, "a network is named when it is refused", NULL},
    {"route client 10.1.0.0/16 prohibit", 26, "here stands \"prohibit\"", "\"prohibited\"?"},
    {"route client 10.1.0.1/16 blackhole", 14, "a route leads to a network", NULL},
    {"route client 10.1.0.0/16 blackhole via 10.0.0.2", 36, "nothing more is expected", NULL},
    {"route client 10.1.0.0/16", 25, "`via` is missing", "unreachable|prohibited|blackhole"},
    {"neighbour client client", 18, "a host is not its own neighbour", NULL},
    {"capture client", 9, "this interface has a capture point already", NULL},
    {"capture client:eth1", 9, "host \"client\" has no such interface", "client:eth0"},
    {"trace", 6, "the host to trace is missing", "trace HOST… [every DURATION]"},
    {"trace every 5ms", 6, "the host to trace is missing", NULL},
    {"trace sever", 7, "there is no host \"sever\"", "\"server\""},
    {"trace client client", 14, "this host is traced already", NULL},
    {"trace client every", 19, "the duration is missing", NULL},
    {"trace client every 999us", 20, "a trace looks at most once in a millisecond", NULL},
    {"trace client every 1s 2s", 23, "nothing more is expected", NULL},
    {"host every 10.0.0.9/24", 6, "\"every\"", NULL},
    {"capture", 8, "the host on which to capture is missing", NULL},
    {"capture \"tcp\"", 8, "the host on which to capture is missing", NULL},
    {"capture client:lo \"tcp prt 1\"", 24, "\"prt\" is no word of a filter", "\"port\""},
    {"capture client:lo \"host example.com\"", 25, "\"example.com\" is no word", "looked up"},
    {"capture client:lo \"host 1e.ca\"", 25, "\"1e.ca\" is no word", "looked up"},
    {"capture client:lo \"host \\\\tcp\"", 19, "a filter expression is plain ASCII", NULL},
    {"capture client:lo \"tcp and and\"", 19, "libpcap: ", "pcap-filter"},
    {"capture client:lo \"tcp and udp and ip6 and ip\"", 19, "libpcap: ", NULL},
    {"capture client:lo \"tcp\" server", 25, "nothing more is expected", NULL},
    {"sysctl client kernel.hostname x", 15, "\"kernel.hostname\" is no sysctl key", NULL},
    {"sysctl client net./../x 1", 15, "\"net./../x\" is no sysctl key", NULL},
    {"sysctl client net..x 1", 15, "\"net..x\" is no sysctl key", NULL},
    {"sysctl client net.ipv4.tcp_sack", 32, "the value is missing", NULL},
    {"course", 7, "the group is missing", "course GROUP LEVEL"},
    {"course loosing beginner", 8, "\"loosing\" is no group of the course", "\"losing\""},
    {"course sports beginner", 8, "\"sports\" is no group of the course", "path, attacks"},
    {"course \"path\" beginner", 8, "\"path\" is no group of the course", NULL},
    {"course path", 12, "the level is missing", "course GROUP LEVEL"},
    {"course path expert", 13, "\"expert\" is no level of the course", "beginner, inter"},
    {"course path begginer", 13, "\"begginer\" is no level of", "\"beginner\""},
    {"course path beginner handshake", 22, "here stands \"handshake\" instead of `after`", NULL},
    {"course path beginner after", 27, "the lab that comes before is missing", "[after LAB…]"},
    {"course path beginner after ../a", 28, "\"../a\" is no name of a lab", "handshake"},
    {"course path beginner after a x", 30, "a lab does not come after itself", NULL},
    {"course path beginner after a b a", 32, "it comes after \"a\" already", NULL},
    {"host course 10.0.0.3/24", 6, "\"course\" is a word of the language", NULL},
    {"requires", 9, "what is required is missing", NULL},
    {"requires root", 10, "\"root\" is nothing that a lab can require", NULL},
    {"requires kernel six", 17, "\"six\" is no kernel version", "6.5"},
    {"requires program /bin/nc", 18, "\"/bin/nc\" is no name of a program", NULL},
    {"requires congestion", 20, "its name is missing", NULL},
    {"requires congestion tcp/bbr", 21, "\"tcp/bbr\" is no name of a congestion control", "bbr"},
    {"requires congestion abcdefghijklmnop", 21, "\"abcdefghijklmnop\" is no name of", NULL},
    {"requires ipv6 please", 15, "nothing more is expected", NULL},
    {"vary x 5..3", 8, "the range ends before it begins", NULL},
    {"vary x 5-7", 8, "this is no range", "1024..65535"},
    {"vary X 5..7", 6, "\"X\" is no name for a value", NULL},
    {"limit soon", 7, "\"soon\" is no duration", NULL},
    {"unplug", 7, "the host's name is missing", NULL},
    {"unplug server => 0", 15, "this step has no result", NULL},
    {"unplug server &", 15, "this step cannot be left running", NULL},
    {"wait", 5, "what to wait for is missing", "FROM > TO"},
    {"wait 5s within 6s", 9, "a wait for a duration has no limit", NULL},
    {"wait client > sever [S]", 15, "there is no host \"sever\"", NULL},
    {"wait client server", 13, "here stands \"server\" instead of `>`", NULL},
    {"wait client > server [SF]", 22, "these are no flags", "F S R P"},
    {"wait client > server [S", 22, "these are no flags", NULL},
    {"wait client > server [S] x0", 26, "\"x0\" is no count", NULL},
    {"run client", 11, "the command is missing", NULL},
    {"run client ls | wc", 15, "`run` starts a program", "sh -c"},
    {"run client ls => ENOENT", 18, "\"ENOENT\" is no exit status", NULL},
    {"run client sh -c 'exit", 18, "unclosed quote", NULL},
};

START_TEST(each_mistake_has_its_place_message_and_hint)
{
    cleanup_free char *lines = xasprintf("%s\nclient close", mistakes[_i].line);
    struct parsed r cleanup_parsed = parse_lines(lines);
    cleanup_free char *head =
        xasprintf("labs/x.md:10:%d: %s", mistakes[_i].column, mistakes[_i].message);
    const char *text = strbuf_cstr(&r.text);
    ck_assert_msg(r.diags.list.n == 1 && strncmp(text, head, strlen(head)) == 0,
                  "expected: %s\nobserved: %s", head, text);
    const char *hint = strstr(text, "hint: ");
    ck_assert_msg(!mistakes[_i].hint || (hint && strstr(hint, mistakes[_i].hint)), "%s", text);
}
END_TEST

/* Whole files. */
static const struct {
    const char *file, *message;
} wholes[] = {
    {"", "labs/x.md:1:1: there is no `lab` block in this file"},
    {"# Title\n\nProse.\n\n    host a 10.0.0.1/24\n", "labs/x.md:1:1: there is no `lab` block"},
    {"```lab\n```\n", "labs/x.md:1:1: the script is empty"},
    {"```lab\n# nothing\n\n```\n", "labs/x.md:3:1: the script is empty"},
    {"```lab\nhost a 10.0.0.1/24\na close\n```\n", "labs/x.md:3:1: the script has no `capture`"},
    {"```lab\nhost a 10.0.0.1/24\ncapture a\n```\n", "labs/x.md:3:1: the script has no step"},
    {"```Lab\nhost a\n```\n\n```lab\nhost a 10.0.0.1/24\ncapture a\na close\n```\n",
     "labs/x.md:1:1: the block's info word is \"Lab\""},
    {"```lab\nhost a 10.0.0.1/24\nhost b 10.1.0.1/24\nneighbour a b\ncapture a\na close\n```\n",
     "labs/x.md:4:1: hosts \"a\" and \"b\" share no network"},
    {"```lab\nhost a 10.0.0.1/24\nhost b 10.0.0.2/24\nhost c 10.0.0.3/24\ncapture c\n"
     "wait a > b [S]\n```\n",
     "labs/x.md:6:1: neither host has a capture point"},
    {"```lab\nhost a 10.0.0.1/24 10.1.0.1/24\ncapture a\na close\n```\n",
     "labs/x.md:3:9: host \"a\" has several interfaces"},
};

START_TEST(files_that_are_no_labs)
{
    struct parsed r cleanup_parsed = parse(wholes[_i].file);
    const char *text = strbuf_cstr(&r.text);
    ck_assert_msg(r.diags.list.n == 1 &&
                      strncmp(text, wholes[_i].message, strlen(wholes[_i].message)) == 0,
                  "expected: %s\nobserved: %s", wholes[_i].message, text);
}
END_TEST

START_TEST(all_mistakes_at_once_in_order)
{
    struct parsed r cleanup_parsed = parse_lines("server lisen 1\n"
                                                 "client send \"open\n"
                                                 "client connect server 99999\n"
                                                 "client close");
    ck_assert_str_eq(strbuf_cstr(&r.text),
                     "labs/x.md:10:8: unknown verb \"lisen\"\n"
                     "   10 | server lisen 1\n"
                     "      |        ^~~~~\n"
                     "hint: did you mean \"listen\"?\n"
                     "labs/x.md:11:13: unclosed quote\n"
                     "   11 | client send \"open\n"
                     "      |             ^~~~~\n"
                     "hint: a string ends on its own line, with the quote it began with\n"
                     "labs/x.md:12:23: \"99999\" is no port\n"
                     "   12 | client connect server 99999\n"
                     "      |                       ^~~~~\n"
                     "hint: it is a whole number from 1 to 65535\n");
    ck_assert_uint_eq(r.lab->steps.n, 1);
}
END_TEST

START_TEST(bytes_that_no_text_has)
{
    static const char file[] = "# a\0b \xff\xfe\n\n```lab\nhost a 10.0.0.1/24\ncapture a\n"
                               "a send \"x\0\0y\xc0\xafz\"\n```\n";
    struct parsed r cleanup_parsed = parse_bytes(file, sizeof(file) - 1, NULL, 0);
    const char *text = strbuf_cstr(&r.text);
    ck_assert_uint_eq(r.diags.list.n, 4);
    ck_assert_ptr_nonnull(strstr(text, "x.md:1:4: a NUL byte"));
    ck_assert_ptr_nonnull(strstr(text, "x.md:1:7: bytes that are no UTF-8"));
    ck_assert_ptr_nonnull(strstr(text, "x.md:6:10: NUL bytes"));
    ck_assert_ptr_nonnull(strstr(text, "x.md:6:13: bytes that are no UTF-8"));
}
END_TEST

START_TEST(limits_hold)
{
    struct strbuf lines cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&lines, "client send \"");
    strbuf_pad(&lines, 'x', LAB_MAX_LINE - 14);
    strbuf_puts(&lines, "\"");
    struct parsed fits cleanup_parsed = parse_lines(strbuf_cstr(&lines));
    assert_clean(fits);
    strbuf_puts(&lines, " ");
    strbuf_puts(&lines, "=> 1");
    struct parsed over cleanup_parsed = parse_lines(strbuf_cstr(&lines));
    ck_assert_uint_eq(over.diags.list.n, 1);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&over.text), "longer than 1000 bytes"));

    strbuf_truncate(&lines, 0);
    for (int i = 2; i < LAB_MAX_HOSTS + 2; i++)
        strbuf_printf(&lines, "host h%d 10.0.1.%d/24\n", i, i);
    for (int i = 0; i < LAB_MAX_STEPS + 2; i++)
        strbuf_puts(&lines, "client close\n");
    struct parsed many cleanup_parsed = parse_lines(strbuf_cstr(&lines));
    ck_assert_uint_eq(many.lab->hosts.n, LAB_MAX_HOSTS);
    ck_assert_uint_eq(many.lab->steps.n, LAB_MAX_STEPS);
    ck_assert_uint_eq(many.diags.list.n, 2);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&many.text), "more than 64 hosts"));
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&many.text), "more than 10000 steps"));

    strbuf_truncate(&lines, 0);
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&lines, "client clsoe\n");
    struct parsed wrong cleanup_parsed = parse_lines(strbuf_cstr(&lines));
    ck_assert_uint_eq(wrong.diags.list.n, 101);
    ck_assert_ptr_nonnull(strstr(strbuf_cstr(&wrong.text), "too many mistakes"));

    strbuf_pad(&lines, '\n', LAB_MAX_BYTES);
    struct parsed huge cleanup_parsed = parse_lines(strbuf_cstr(&lines));
    ck_assert_uint_eq(huge.diags.list.n, 1);
}
END_TEST

static Suite *suite_lab_diags(void)
{
    Suite *s = suite_create("lab-diags");
    TCase *t = tcase_create("lab-diags");
    tcase_add_loop_test(t, each_mistake_has_its_place_message_and_hint, 0,
                        (int)ARRAY_SIZE(mistakes));
    tcase_add_loop_test(t, files_that_are_no_labs, 0, (int)ARRAY_SIZE(wholes));
    tcase_add_test(t, all_mistakes_at_once_in_order);
    tcase_add_test(t, bytes_that_no_text_has);
    tcase_add_test(t, limits_hold);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_lab_diags)
