#include "unit.h"

#include <errno.h>

#include "lab/lab.h"

/* A lab that every test can put lines into. */
#define STAGE                                                                                      \
    "# Handshake\n\nTwo *hosts* and\n`one` cable.\n\n```lab\n"                                     \
    "host client 10.0.0.1/24\nhost server 10.0.0.2/24\ncapture client server \"tcp port 1234\"\n"

struct parsed {
    struct lab *lab;
    struct diags diags;
    struct strbuf text; /* the diagnostics */
};

static struct parsed parse_bytes(const char *s, size_t len, const struct lab_value *v, size_t n)
{
    struct parsed r = {0};
    struct source src;
    source_from(&src, "labs/x.md", s, len);
    r.lab = lab_parse(&src, v, n, &r.diags);
    diags_format(&r.diags, &r.text);
    return r;
}

static struct parsed parse(const char *s)
{
    return parse_bytes(s, strlen(s), NULL, 0);
}

static void done(struct parsed *r)
{
    diags_free(&r->diags);
    strbuf_free(&r->text);
    lab_free(r->lab);
}
#define cleanup_parsed __attribute__((cleanup(done)))

static struct parsed parse_lines(const char *lines)
{
    cleanup_free char *s = xasprintf("%s%s\n```\n", STAGE, lines);
    return parse(s);
}

#define assert_clean(r) ck_assert_msg((r).diags.list.n == 0, "%s", strbuf_cstr(&(r).text))

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

static Suite *suite_lab(void)
{
    Suite *s = suite_create("lab");
    TCase *t = tcase_create("lab");
    tcase_add_test(t, the_lab_of_the_design);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_lab)
