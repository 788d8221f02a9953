/* Pairs `IPv4|IPv6` and lines of one version: chosen, checked in both, and kept. */
#include <stdio.h>

#include "transcript/pattern.h"
#include "unit.h"

static struct lab *make_lab(unsigned ip)
{
    static const char text[] = "```lab\nhost client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
                               "capture client server \"tcp\"\nserver listen 1234\n```\n";
    struct source src;
    struct diags diags = {0};
    source_from(&src, "lab.md", text, strlen(text));
    struct lab *lab = lab_parse_ip(&src, NULL, 0, ip, &diags);
    ck_assert_uint_eq(diags.list.n, 0);
    diags_free(&diags);
    return lab;
}

static struct pattern *parse(const char *text, unsigned ip, struct diags *diags)
{
    struct source src;
    struct lab *lab = make_lab(ip);
    *diags = (struct diags){0};
    source_from(&src, "x.txt", text, strlen(text));
    struct pattern *p = pattern_parse(&src, lab, diags);
    lab_free(lab);
    return p;
}

static char *said_of(struct diags *diags)
{
    struct strbuf said = STRBUF_INIT;
    diags_format(diags, &said);
    return strbuf_steal(&said);
}

/* All lines as reports show them, for a version. */
static char *shown(const char *text, unsigned ip)
{
    struct diags diags;
    struct pattern *p = parse(text, ip, &diags);
    cleanup_free char *said = said_of(&diags);
    ck_assert_str_eq(said, "");
    struct strbuf out = STRBUF_INIT;
    vec_each (&p->items, item) {
        pattern_item_format(&out, item);
        strbuf_putc(&out, '\n');
    }
    pattern_free(p);
    diags_free(&diags);
    return strbuf_steal(&out);
}

#define LINE(win, mss, seq, length)                                                                \
    "client.* > server.1234: Flags [P.], seq " seq ", ack 1, win " win ", options [mss " mss       \
    ",sack 1 {" seq "}], length " length

#define PAIRS LINE("64240|64800", "1460|1440", "1:1449|1:1429", "1448|1428")

START_TEST(each_version_has_its_half)
{
    cleanup_free char *four = shown(PAIRS "\n", 4), *six = shown(PAIRS "\n", 6);
    ck_assert_str_eq(four, LINE("64240", "1460", "1:1449", "1448") "\n");
    ck_assert_str_eq(six, LINE("64800", "1440", "1:1429", "1428") "\n");
}
END_TEST

#define BOTH                                                                                       \
    "# of both\n"                                                                                  \
    "client.* > server.1234: Flags [S], …\n"                                                     \
    "# of the one\n"                                                                               \
    "answer: ipv4: +1s server > client: ICMP host server unreachable, length 68\n"                 \
    "# of the other\n"                                                                             \
    "answer: ipv6: +2s server > client: ICMP6, destination unreachable, …, length 68\n"

START_TEST(each_version_has_its_lines)
{
    cleanup_free char *four = shown(BOTH, 4), *six = shown(BOTH, 6);
    ck_assert_str_eq(four, "client.* > server.1234: Flags [S], …\n"
                           "+1s server > client: ICMP host server unreachable, length 68\n");
    ck_assert_str_eq(six, "client.* > server.1234: Flags [S], …\n"
                          "+2s server > client: ICMP6, destination unreachable, …, length 68\n");
}
END_TEST

static void assert_canonical(const char *text, const char *canonical)
{
    for (unsigned ip = 4; ip <= 6; ip += 2) {
        struct diags diags;
        struct pattern *p = parse(text, ip, &diags);
        cleanup_free char *said = said_of(&diags);
        ck_assert_str_eq(said, "");
        struct strbuf out cleanup_strbuf = STRBUF_INIT;
        pattern_format(&out, p);
        ck_assert_str_eq(strbuf_cstr(&out), canonical);
        pattern_free(p);
        diags_free(&diags);
    }
}

START_TEST(printed_as_they_were)
{
    static const char *const same[] = {
        PAIRS "\n",
        "# a note\nsyn: +1s|+2s " PAIRS " lost\n     +3s " PAIRS "\n",
        "client.* > server.1234: Flags [S|S.], …\n",
        "10.9.9.9.1|fd00::9.1 > 10.9.9.9.2|fd00::9.2: Flags [S], …\n",
        "at server: " PAIRS "\n",
        "any order {\n" PAIRS "\nserver > client: ICMP6|ICMP, …\n}\n",
        "client: send 1|2 bytes => 1|2\n",
        "quiet 1s|2s\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(same); i++)
        assert_canonical(same[i], same[i]);
    assert_canonical("a:   +1000ms|+2s   client: connect => 0\n",
                     "a: +1s|+2s client: connect => 0\n");
    /* What no pair can say takes two lines. */
    assert_canonical(PAIRS " x1|x2\n",
                     "ipv4: " LINE("64240", "1460", "1:1449", "1448") "\nipv6: " LINE(
                         "64800", "1440", "1:1429", "1428") " x2\n");
    assert_canonical(BOTH,
                     "# of both\n"
                     "            client.* > server.1234: Flags [S], …\n"
                     "# of the one\n"
                     "answer: ipv4: +1s server > client: ICMP host server unreachable, length 68\n"
                     "# of the other\n"
                     "answer: ipv6: +2s server > client: ICMP6, destination unreachable, …, "
                     "length 68\n");
}
END_TEST

START_TEST(what_is_no_pair)
{
    static const char *const same[] = {
        "client > server: frag (0|1448) TCP, length 1448\n",
        "client > server: [|tcp]\n",
        "client: send \"a|b\" => 3\n",
        "# a|b\nquiet 1s\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        struct diags diags;
        struct pattern *p = parse(same[i], 6, &diags);
        ck_assert_uint_eq(diags.list.n, 0);
        ck_assert_ptr_null(p->chosen.text);
        pattern_free(p);
        diags_free(&diags);
        assert_canonical(same[i], same[i]);
    }
}
END_TEST

/* Of whichever half, and at its place; once. */
START_TEST(mistakes_in_either_half)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"client.* > server.1: Flags [S], win 6x|7, length 0\n", "x.txt:1:37: \"6x\" is no number"},
        {"client.* > server.1: Flags [S], win 6|7x, length 0\n", "x.txt:1:39: \"7x\" is no number"},
        {"client.* > server.1: Flags [S], win 6|7, lenght 0\n", "x.txt:1:42: there is no field"},
        {"client.* > server.1: Flags [S], win 1|2|3, length 0\n", "x.txt:1:37: \"1|2|3\" is no"},
        {"ipv6: client.* > srver.1: Flags [S], …\nquiet 1s\n", "x.txt:1:18: the lab has no host"},
        {"ipv6: a: ipv4: quiet 1s\nquiet 1s\n", "x.txt:1:10: this is no line"},
        {"ipv6: ipv4: quiet 1s\nquiet 1s\n", "x.txt:1:7: \"ipv4:\" stands for a version"},
        {"ipv6: quiet 1s\n", "x.txt:1:1: an empty transcript"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned ip = 4; ip <= 6; ip += 2) {
            struct diags diags;
            struct pattern *p = parse(cases[i].text, ip, &diags);
            cleanup_free char *said = said_of(&diags);
            ck_assert_msg(strncmp(said, cases[i].said, strlen(cases[i].said)) == 0, "%s", said);
            ck_assert_uint_eq(diags.list.n, 1);
            pattern_free(p);
            diags_free(&diags);
        }
    }
}
END_TEST

static Suite *suite_pair(void)
{
    Suite *s = suite_create("pair");
    TCase *t = tcase_create("pair");
    tcase_add_test(t, each_version_has_its_half);
    tcase_add_test(t, each_version_has_its_lines);
    tcase_add_test(t, printed_as_they_were);
    tcase_add_test(t, what_is_no_pair);
    tcase_add_test(t, mistakes_in_either_half);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_pair)
