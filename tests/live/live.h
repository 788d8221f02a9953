/* What live tests share: skips, and a stage of two hosts. */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include "unit.h"

#include <netinet/in.h>

#include "netns/topo.h"

/* Prints why a test is skipped; where TCPLAB_MUST_RUN=1 (continuous integration) a
 * skip is a failure. */
void live_skip(const char *test, const char *reason);

/* Who runs a test: `tcase_add_loop_test(t, f, 0, live_users())` runs f as this user
 * (_i = 0) and, if this is root, once more as an ordinary one (_i = 1). */
int live_users(void);
/* Becomes user _i, in a test that Check has forked. */
void live_become(int i);
/* A tag for cases that tell an ordinary user nothing new when root has run them: they do
 * the same for all, or live_become() both.  CK_EXCLUDE_TAGS leaves them out. */
#define LIVE_SAME_FOR_ALL "same-for-all"
/* A tag for cases that play all labs: run.sh makes them one half of the live tests. */
#define LIVE_ALL_LABS "all-labs"

/* topo_new(); on a machine that cannot, skips the test and returns NULL. */
struct topo *live_topo(const char *test);

enum { CLIENT, SERVER };

/* Two hosts at one switch, 10.0.0.1 and 10.0.0.2, up. */
struct topo *live_pair(const char *test);

/* Fails the test with the error's message if ok is false. */
void live_check(bool ok, struct error *err);

struct topo_addr live_addr(const char *text, unsigned prefix);
struct sockaddr_in live_sockaddr(const char *text, uint16_t port);

/* Sockets of a host (in this process). */
int live_listen(const struct topo *topo, int host, uint16_t port);
int live_connect(const struct topo *topo, int host, const char *to, uint16_t port);
/* All packets of eth0, both ways. */
int live_packets(const struct topo *topo, int host);
/* Whether the descriptor becomes readable within so many milliseconds. */
bool live_readable(int fd, int ms);

#endif
