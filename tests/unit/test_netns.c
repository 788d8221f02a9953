/* The pure parts of netns: names of sysctls and of interfaces. */
#include "unit.h"

#include "base/memory.h"
#include "netns/link.h"
#include "netns/sysctl.h"
#include "netns/tune.h"

START_TEST(sysctl_paths)
{
    struct error err = ERROR_INIT;
    cleanup_free char *path = sysctl_path("net.ipv4.conf.eth0.rp_filter", &err);
    ck_assert_str_eq(path, "/proc/sys/net/ipv4/conf/eth0/rp_filter");
}
END_TEST

START_TEST(sysctl_keys_that_are_refused)
{
    static const char *const keys[] = {"",
                                       ".",
                                       "net",
                                       "net.",
                                       "net.ipv4.",
                                       "net.ipv4..x",
                                       "net.ipv4.../../kernel/panic",
                                       "net/ipv4/tcp_sack",
                                       "net.ipv4.tcp_sack\n",
                                       "kernel.panic",
                                       "netx.ipv4.tcp_sack",
                                       "net.netfilter.nf_conntrack_max",
                                       "net.ipv4x.tcp_sack"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct error err = ERROR_INIT;
        ck_assert_msg(!sysctl_path(keys[i], &err), "%s", keys[i]);
        ck_assert_int_eq(err.status, STATUS_USAGE);
        error_clear(&err);
    }
    char longest[400] = "net.ipv4.";
    memset(longest + 9, 'x', sizeof(longest) - 10);
    struct error err = ERROR_INIT;
    ck_assert_ptr_null(sysctl_path(longest, &err));
    error_clear(&err);
}
END_TEST

/* A key twice, or one that would be refused, is a slip in the table. */
START_TEST(baseline_keys)
{
    size_t n;
    const struct tune_pin *pins = tune_pins(&n);
    for (size_t i = 0; i < n; i++) {
        struct error err = ERROR_INIT;
        cleanup_free char *path = sysctl_path(pins[i].key, &err);
        ck_assert_msg(path, "%s", pins[i].key);
        ck_assert_msg(*pins[i].value && *pins[i].why, "%s", pins[i].key);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(pins[i].key, pins[j].key);
    }
}
END_TEST

START_TEST(interface_names)
{
    ck_assert(link_name_ok("eth0"));
    ck_assert(link_name_ok("fifteen-letters"));
    ck_assert(!link_name_ok("sixteen-letters!"));
    ck_assert(!link_name_ok(""));
    ck_assert(!link_name_ok("."));
    ck_assert(!link_name_ok(".."));
    ck_assert(!link_name_ok("a/b"));
    ck_assert(!link_name_ok("a:b"));
    ck_assert(!link_name_ok("a b"));
}
END_TEST

static Suite *suite_netns_names(void)
{
    Suite *s = suite_create("netns-names");
    TCase *t = tcase_create("names");
    tcase_add_test(t, sysctl_paths);
    tcase_add_test(t, sysctl_keys_that_are_refused);
    tcase_add_test(t, baseline_keys);
    tcase_add_test(t, interface_names);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_netns_names)
