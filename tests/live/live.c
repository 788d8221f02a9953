#include "live.h"

#include <arpa/inet.h>
#include <grp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { NOBODY = 65534 };

void live_skip(const char *test, const char *reason)
{
    const char *must = getenv("TCPLAB_MUST_RUN");
    if (must && strcmp(must, "1") == 0)
        ck_abort_msg("%s was skipped where it must run: %s", test, reason);
    printf("SKIP %s: %s\n", test, reason);
    fflush(stdout);
}

int live_users(void)
{
    return geteuid() == 0 ? 2 : 1;
}

void live_become(int i)
{
    if (i == 0)
        return;
    ck_assert_int_eq(setgroups(0, NULL), 0);
    ck_assert_int_eq(setgid(NOBODY), 0);
    ck_assert_int_eq(setuid(NOBODY), 0);
    /* As if this user had started the program: /proc/self is theirs. */
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

void live_check(bool ok, struct error *err)
{
    if (!ok)
        ck_abort_msg("%s%s%s", err->message ? err->message : "no message", err->hint ? "; " : "",
                     err->hint ? err->hint : "");
}

struct topo *live_topo(const char *test)
{
    struct error err = ERROR_INIT;
    struct topo *topo = topo_new(&err);
    if (!topo)
        live_skip(test, err.message);
    error_clear(&err);
    return topo;
}

struct topo_addr live_addr(const char *text, unsigned prefix)
{
    struct topo_addr a = {.prefix = prefix};
    ck_assert(ipaddr_parse(&a.addr, text, strlen(text)));
    return a;
}

struct sockaddr_in live_sockaddr(const char *text, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    ck_assert_int_eq(inet_pton(AF_INET, text, &a.sin_addr), 1);
    return a;
}

struct topo *live_pair(const char *test)
{
    static const char *const names[] = {"client", "server"};
    static const char *const addresses[] = {"10.0.0.1", "10.0.0.2"};
    struct error err = ERROR_INIT;
    struct topo *topo = live_topo(test);
    if (!topo)
        return NULL;
    live_check(topo_add_switch(topo, "switch", &err) == 0, &err);
    for (int h = CLIENT; h <= SERVER; h++) {
        struct topo_addr a = live_addr(addresses[h], 24);
        live_check(topo_add_host(topo, names[h], false, &err) == h, &err);
        live_check(topo_add_cable(topo, h, 0, &a, 1, 0, &err) == 0, &err);
    }
    live_check(topo_up(topo, 2 * NSEC_PER_SEC, &err) == 0, &err);
    return topo;
}

static void enter(const struct topo *topo, int host)
{
    struct error err = ERROR_INIT;
    live_check(topo_enter(topo, host, &err) == 0, &err);
}

int live_listen(const struct topo *topo, int host, uint16_t port)
{
    enter(topo, host);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

int live_connect(const struct topo *topo, int host, const char *to, uint16_t port)
{
    enter(topo, host);
    struct sockaddr_in a = live_sockaddr(to, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

int live_packets(const struct topo *topo, int host)
{
    enter(topo, host);
    struct sockaddr_ll a = {.sll_family = AF_PACKET,
                            .sll_protocol = htons(ETH_P_ALL),
                            .sll_ifindex = (int)if_nametoindex("eth0")};
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

bool live_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}
