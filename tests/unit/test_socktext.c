#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/memory.h"
#include "base/socktext.h"

START_TEST(addresses_with_ports)
{
    static const struct {
        int family;
        const char *address, *text;
    } table[] = {
        {AF_INET, "10.0.0.1", "10.0.0.1:40000"},
        {AF_INET6, "fd00::1", "[fd00::1]:40000"},
        {AF_INET6, "::ffff:10.0.0.1", "10.0.0.1:40000"},
        {AF_UNIX, NULL, "?"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct sockaddr_storage addr = {.ss_family = (sa_family_t)table[i].family};
        struct sockaddr_in *in = (struct sockaddr_in *)&addr;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&addr;
        if (table[i].family == AF_INET)
            ck_assert_int_eq(inet_pton(AF_INET, table[i].address, &in->sin_addr), 1);
        if (table[i].family == AF_INET6)
            ck_assert_int_eq(inet_pton(AF_INET6, table[i].address, &in6->sin6_addr), 1);
        in->sin_port = htons(40000); /* at the same place in both */
        struct strbuf sb cleanup_strbuf = STRBUF_INIT;
        strbuf_sockaddr(&sb, &addr);
        ck_assert_str_eq(strbuf_cstr(&sb), table[i].text);
    }
}
END_TEST

static void expect_bytes(const char *bytes, size_t n, const char *text)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    strbuf_bytes(&sb, bytes, n);
    ck_assert_str_eq(strbuf_cstr(&sb), text);
}

START_TEST(bytes_of_a_peer_cannot_write_to_the_terminal)
{
    expect_bytes("hello world\n", 12, "12 bytes \"hello world\\n\"");
    expect_bytes("", 0, "0 bytes \"\"");
    expect_bytes("x", 1, "1 byte \"x\"");
    expect_bytes("\033[2J\a\0\x7f\xff\"\\\r\t", 12,
                 "12 bytes \"\\x1b[2J\\x07\\x00\\x7f\\xff\\\"\\\\\\r\\t\"");
    char many[1000];
    memset(many, 'z', sizeof(many));
    expect_bytes(
        many, sizeof(many),
        "1000 bytes \"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\" …");
}
END_TEST

START_TEST(errors_have_name_and_words)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    strbuf_errno(&sb, ECONNREFUSED);
    ck_assert_str_eq(strbuf_cstr(&sb), "ECONNREFUSED (Connection refused)");
}
END_TEST

static Suite *suite_socktext(void)
{
    Suite *s = suite_create("socktext");
    TCase *t = tcase_create("socktext");
    tcase_add_test(t, addresses_with_ports);
    tcase_add_test(t, bytes_of_a_peer_cannot_write_to_the_terminal);
    tcase_add_test(t, errors_have_name_and_words);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_socktext)
