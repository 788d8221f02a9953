/* The host is left as it was: nothing stays behind, nothing of it can be changed. */
#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "netns/probe.h"
#include "netns/tune.h"

static char *read_file(const char *path)
{
    struct strbuf text = STRBUF_INIT;
    char buffer[4096];
    ssize_t n;
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return xstrdup("(none)");
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        strbuf_add(&text, buffer, (size_t)n);
    return strbuf_steal(&text);
}

/* ------------------------------------------------------------------- sysctls */

/* Settings of the whole machine, and of the host's own network. */
static const char *const host_keys[] = {"net.core.rmem_max",
                                        "net.core.wmem_max",
                                        "net.core.rmem_default",
                                        "net.core.default_qdisc",
                                        "net.core.bpf_jit_enable",
                                        "net.core.netdev_max_backlog",
                                        "net.core.netdev_budget",
                                        "net.ipv4.tcp_mem",
                                        "net.ipv4.udp_mem",
                                        "net.ipv4.tcp_max_orphans",
                                        "net.ipv4.tcp_low_latency",
                                        "net.ipv4.tcp_allowed_congestion_control",
                                        "net.ipv4.inet_peer_maxttl",
                                        "net.ipv6.mld_max_msf",
                                        "net.ipv4.neigh.default.gc_thresh1",
                                        "net.ipv4.tcp_rmem",
                                        "net.ipv4.tcp_sack",
                                        "net.ipv4.tcp_congestion_control",
                                        "net.ipv4.ip_forward",
                                        "net.ipv4.conf.all.rp_filter",
                                        "net.ipv4.conf.default.rp_filter",
                                        "net.ipv6.conf.all.disable_ipv6",
                                        "net.ipv6.conf.default.disable_ipv6"};
enum { N_GLOBAL = 15 }; /* the first ones: a lab must not get at them at all */

static char *snapshot(void)
{
    struct strbuf all = STRBUF_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(host_keys); i++) {
        cleanup_free char *path = xasprintf("/proc/sys/%s", host_keys[i]);
        for (char *p = path; *p; p++)
            if (*p == '.')
                *p = '/';
        cleanup_free char *text = read_file(path);
        strbuf_printf(&all, "%s = %s\n", host_keys[i], text);
    }
    return strbuf_steal(&all);
}

/* In a child, which leaves the host: writes all of them, and the baseline. */
static int write_all_settings(int user)
{
    live_become(user);
    struct error err = ERROR_INIT;
    struct topo *topo = live_pair("the_host_keeps_its_sysctls");
    if (!topo)
        return 0;
    live_check(tune_baseline(topo, CLIENT, NULL, NULL, &err) == 0, &err);
    for (size_t i = 0; i < ARRAY_SIZE(host_keys); i++) {
        const char *value = strstr(host_keys[i], "mem") ? "5000 200000 8000000" : "1";
        bool absent = false;
        int rc = topo_sysctl(topo, CLIENT, host_keys[i], value, &absent, &err);
        ck_assert_msg(i >= N_GLOBAL || rc < 0 || absent, "%s could be set", host_keys[i]);
        error_clear(&err);
    }
    topo_free(topo);
    return 0;
}

START_TEST(the_host_keeps_its_sysctls)
{
    cleanup_free char *before = snapshot();
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(write_all_settings(_i));
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    cleanup_free char *after = snapshot();
    ck_assert_str_eq(before, after);
}
END_TEST

START_TEST(sysctls_of_a_host)
{
    static const char *const refused[] = {"kernel.panic",
                                          "vm.swappiness",
                                          "fs.file-max",
                                          "user.max_user_namespaces",
                                          "net",
                                          "net.",
                                          "net.netfilter.nf_conntrack_max",
                                          "net.ipv4..tcp_sack",
                                          "",
                                          "net.ipv4.../tcp_sack",
                                          "net/ipv4/tcp_sack",
                                          "net.ipv4.tcp sack",
                                          ".net.ipv4.tcp_sack",
                                          "net.ipv4.tcp_sack."};
    struct error err = ERROR_INIT;
    bool absent = false;
    char *value;
    live_become(_i);
    struct topo *topo = live_pair("sysctls_of_a_host");
    if (!topo)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        ck_assert_msg(topo_sysctl(topo, CLIENT, refused[i], "1", &absent, &err) < 0, "%s",
                      refused[i]);
        ck_assert_int_eq(err.status, STATUS_USAGE);
        ck_assert(!topo_has_sysctl(refused[i]));
        error_clear(&err);
    }
    live_check(topo_sysctl(topo, CLIENT, "net.ipv4.tcp_sack", "0", NULL, &err) == 0, &err);
    live_check(topo_sysctl_get(topo, CLIENT, "net.ipv4.tcp_sack", &value, NULL, &err) == 0, &err);
    ck_assert_str_eq(value, "0");
    free(value);
    live_check(topo_sysctl_get(topo, SERVER, "net.ipv4.tcp_sack", &value, NULL, &err) == 0, &err);
    ck_assert_str_eq(value, "1");
    free(value);

    ck_assert_int_lt(topo_sysctl(topo, CLIENT, "net.ipv4.tcp_sack", "many", NULL, &err), 0);
    ck_assert_int_eq(err.status, STATUS_USAGE);
    error_clear(&err);
    ck_assert_int_lt(topo_sysctl(topo, CLIENT, "net.ipv4.tcp_no_such", "1", NULL, &err), 0);
    error_clear(&err);
    live_check(topo_sysctl(topo, CLIENT, "net.ipv4.tcp_no_such", "1", &absent, &err) == 0, &err);
    ck_assert(absent);
    ck_assert(topo_has_sysctl("net.ipv4.tcp_sack"));
    ck_assert(!topo_has_sysctl("net.ipv4.tcp_no_such"));
    topo_free(topo);
}
END_TEST

/* What the baseline says is what the kernel then has. */
START_TEST(the_baseline_holds)
{
    struct error err = ERROR_INIT;
    size_t n;
    const struct tune_pin *pins = tune_pins(&n);
    struct topo *topo = live_pair("the_baseline_holds");
    if (!topo)
        return;
    live_check(tune_baseline(topo, CLIENT, NULL, NULL, &err) == 0, &err);
    for (size_t i = 0; i < n; i++) {
        char *value;
        bool absent;
        live_check(topo_sysctl_get(topo, CLIENT, pins[i].key, &value, &absent, &err) == 0, &err);
        if (!absent)
            ck_assert_msg(strcmp(value, pins[i].value) == 0, "%s is %s", pins[i].key, value);
        free(value);
    }
    topo_free(topo);
}
END_TEST

/* --------------------------------------------------------------- left behind */

/* Processes in the network namespace, or with a descriptor of it. */
static int count_users(const char *ns)
{
    int n = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *e; (e = readdir(proc));) {
        cleanup_free char *path = xasprintf("/proc/%s/ns/net", e->d_name);
        char target[64] = "";
        if (readlink(path, target, sizeof(target) - 1) > 0)
            n += strcmp(target, ns) == 0;
    }
    closedir(proc);
    return n;
}

static _Noreturn void hold_stage(int user, int out)
{
    struct error err = ERROR_INIT;
    char names[2][64] = {"", ""};
    live_become(user);
    struct topo *topo = live_pair("killed");
    if (topo) {
        live_check(readlink("/proc/self/ns/net", names[1], 63) > 0, &err);
        live_check(topo_enter(topo, CLIENT, &err) == 0, &err);
        live_check(readlink("/proc/self/ns/net", names[0], 63) > 0, &err);
    }
    if (write(out, names, sizeof(names)) != sizeof(names))
        _exit(1);
    for (;;)
        pause();
}

/* What another lab of this machine cannot change while this test runs. */
static char *host_state(void)
{
    struct strbuf all = STRBUF_INIT;
    cleanup_free char *devices = read_file("/proc/net/dev");
    char *rest = devices;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        strbuf_printf(&all, "%.*s\n", (int)strcspn(line, ":|"), line);
    cleanup_free char *mounts = read_file("/proc/self/mountinfo");
    cleanup_free char *routes = read_file("/proc/net/route");
    strbuf_printf(&all, "%s%s", mounts, routes);
    DIR *named = opendir("/run/netns");
    for (struct dirent *e; named && (e = readdir(named));)
        strbuf_printf(&all, "netns %s\n", e->d_name);
    if (named)
        closedir(named);
    return strbuf_steal(&all);
}

START_TEST(kill_leaves_nothing)
{
    int ends[2];
    char names[2][64];
    ck_assert_int_eq(pipe(ends), 0);
    cleanup_free char *before = host_state();
    pid_t pid = fork();
    if (pid == 0)
        hold_stage(_i, ends[1]);
    ck_assert_int_eq(read(ends[0], names, sizeof(names)), sizeof(names));
    bool ran = names[0][0];
    if (ran) {
        cleanup_free char *during = host_state();
        ck_assert_str_eq(before, during);
        ck_assert_int_eq(count_users(names[0]), 1);
    }
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    cleanup_free char *after = host_state();
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(ran ? count_users(names[0]) + count_users(names[1]) : 0, 0);
}
END_TEST

START_TEST(probing_leaves_the_caller_alone)
{
    struct error err = ERROR_INIT;
    struct probes probes = {0};
    char before[64] = "", after[64] = "";
    live_become(_i);
    ck_assert_int_gt(readlink("/proc/self/ns/net", before, 63), 0);
    live_check(probe_machine(&probes, &err) == 0, &err);
    ck_assert_int_gt(readlink("/proc/self/ns/net", after, 63), 0);
    ck_assert_str_eq(before, after);
    ck_assert_uint_gt(probes.list.n, 10);
    vec_each (&probes.list, p)
        ck_assert_msg(p->ok != (p->mend && *p->mend), "%s", p->name);
    struct topo *topo = live_topo("probing_leaves_the_caller_alone");
    if (topo)
        ck_assert(probes_can_run(&probes));
    topo_free(topo);
    probes_free(&probes);
}
END_TEST

static Suite *suite_netns_host(void)
{
    Suite *s = suite_create("netns-host");
    TCase *t = tcase_create("host");
    int users = live_users();
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, the_host_keeps_its_sysctls, 0, users);
    tcase_add_loop_test(t, sysctls_of_a_host, 0, users);
    tcase_add_test(t, the_baseline_holds);
    tcase_add_loop_test(t, kill_leaves_nothing, 0, users);
    tcase_add_loop_test(t, probing_leaves_the_caller_alone, 0, users);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_netns_host)
