/* What a run makes of a script: limits, skips, drops, and scenes of many kinds, each
 * judged by the evidence that it left. */
#include "live.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lab/lab.h"
#include "play.h"
#include "record/load.h"

#define TWO_HOSTS                                                                                  \
    "host client 10.0.0.1/24\nhost server 10.0.0.2/24\ncapture client server \"tcp port 1234\"\n"

/* ---------------------------------------------------------- why a lab fails --- */

static const char syn_series[] =
    "host client 10.0.0.1/24\nhost server 10.0.0.2/24\nneighbour client server\n"
    "sysctl? client net.ipv4.tcp_syn_linear_timeouts %d\n"
    "sysctl client net.ipv4.tcp_syn_retries 2\n"
    "capture client server \"tcp port 1234\"\n"
    "unplug server\nclient connect server 1234 => ETIMEDOUT\n";

static const char two_retries[] =
    "+0 client.port > server.1234: Flags [S], seq 0, win 64240, …, length 0 lost\n"
    "+1s client.port > server.1234: Flags [S], seq 0, win 64240, …, length 0 lost\n"
    "+2s client.port > server.1234: Flags [S], seq 0, win 64240, …, length 0 lost\n"
    "+4s client: connect server 1234 => ETIMEDOUT\n";

START_TEST(linear_retries_are_named)
{
    if (access("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", F_OK) != 0) {
        live_skip("linear_retries_are_named", "this kernel knows no linear retries");
        return;
    }
    cleanup_free char *out = play_path("series"), *printed = NULL;
    cleanup_free char *classic_script = xasprintf(syn_series, 0);
    cleanup_free char *linear_script = xasprintf(syn_series, 4);
    cleanup_free char *classic = play_lab("classic", classic_script, two_retries);
    cleanup_free char *linear = play_lab("linear", linear_script, two_retries);
    int status = 0;
    for (int i = 0; i < 4 && (!printed || strstr(printed, "NOISY")); i++) {
        free(printed);
        status =
            play_run(&printed, (const char *[]){"-j2", "-q", "--out", out, classic, linear, NULL});
    }
    const char *line = strstr(printed, "FAIL  linear");
    ck_assert_msg(status == STATUS_FAILED, "status %d: %s", status, printed);
    ck_assert_msg(strstr(printed, "PASS  classic") && line, "%s", printed);
    ck_assert_msg(strstr(line, "tcp_syn_linear_timeouts"), "%s", printed);
}
END_TEST

/* ------------------------------------------------------------ limits, skips --- */

static const struct ending {
    const char *script, *says;
    int status;
} endings[] = {
    {TWO_HOSTS "server listen 1234\nserver accept within 300ms\n",
     "`server accept within 300ms` has not returned after 300 ms", STATUS_FAILED},
    {TWO_HOSTS "client recv 1\n", "`client recv 1` gave EBADF", STATUS_FAILED},
    /* a state is awaited, one that cannot come any more is not */
    {TWO_HOSTS "server listen 1234\nclient connect server 1234\n"
               "client state within 300ms => CLOSE-WAIT\n",
     "`client state within 300ms => CLOSE-WAIT` gave ESTABLISHED", STATUS_FAILED},
    {TWO_HOSTS "server listen 1234\nclient connect server 1234\nclient vanish\n"
               "client state => TIME-WAIT\n",
     "`client state => TIME-WAIT` gave CLOSED", STATUS_FAILED},
    {TWO_HOSTS "server listen 1234\nserver as b set reuseaddr 0\nserver as b listen 1234\n",
     "`server as b listen 1234` gave EADDRINUSE", STATUS_FAILED},
    {TWO_HOSTS "wait client > server [S] within 300ms\n", "only 0 seen after 300 ms",
     STATUS_FAILED},
    {TWO_HOSTS "limit 300ms\nrun client sleep 100\n", "has not returned after 300 ms",
     STATUS_FAILED},
    {TWO_HOSTS "run client yes within 300ms\n", "has not returned after 300 ms", STATUS_FAILED},
    {TWO_HOSTS "run client false\n", "`run client false` gave 1", STATUS_FAILED},
    {TWO_HOSTS "run client no-such-program-here\n", "ENOENT", STATUS_FAILED},
    /* what it leaves behind, with its output open, is not waited for */
    {TWO_HOSTS "run client sh -c \"sleep 100 & exit 3\" within 5s => 3\n", "PASS", STATUS_PASSED},
    {TWO_HOSTS "run client setsid -f sleep 100 within 5s\n", "PASS", STATUS_PASSED},
    {TWO_HOSTS "run client sh -c \"yes | head -c 1000000\" within 5s => 0\n", "PASS",
     STATUS_PASSED},
    /* what runs beside the script, programs beside connections */
    {TWO_HOSTS "server listen 1234\nserver accept &\nrun server sleep 100 &\n"
               "run server true\n",
     "PASS", STATUS_PASSED},
    {TWO_HOSTS "requires kernel 99.1\nwait 1ms\n", "it needs Linux 99.1 or later", STATUS_NOTHING},
    {TWO_HOSTS "requires program no-such-program-here\nwait 1ms\n", "is not installed",
     STATUS_NOTHING},
    {TWO_HOSTS "requires sysctl net.ipv4.no_such_key\nwait 1ms\n",
     "this kernel has no net.ipv4.no_such_key", STATUS_NOTHING},
    {TWO_HOSTS "requires congestion no-such\nwait 1ms\n",
     "this kernel has no congestion control no-such, or has not loaded tcp_no-such",
     STATUS_NOTHING},
    {TWO_HOSTS "requires congestion reno\nwait 1ms\n", "PASS", STATUS_PASSED},
    {TWO_HOSTS "client set congestion no-such\n", "`client set congestion no-such` gave ENOENT",
     STATUS_FAILED},
    {TWO_HOSTS "sysctl client net.ipv4.neigh.eth0.no_such_key 1\nwait 1ms\n",
     "this kernel has no net.ipv4.neigh.eth0.no_such_key", STATUS_NOTHING},
    {TWO_HOSTS "sysctl client net.ipv4.no_such_key 1\nwait 1ms\n",
     "this kernel has no net.ipv4.no_such_key", STATUS_NOTHING},
    {TWO_HOSTS "sysctl? client net.ipv4.no_such_key 1\nwait 1ms\n", "PASS", STATUS_PASSED},
};

START_TEST(a_script_ends_as_it_should)
{
    const struct ending *e = &endings[_i];
    struct traces traces;
    play_look(&traces);
    cleanup_free char *out = play_path("endings"), *printed = NULL;
    cleanup_free char *name = xasprintf("ending%d", _i);
    cleanup_free char *lab = play_lab(name, e->script, "quiet 1ms\n");
    nsec began = clock_ns(CLOCK_MONOTONIC);
    int status =
        play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    ck_assert_msg(strstr(printed, e->says) != NULL, "%s", printed);
    ck_assert_int_eq(status, e->status);
    ck_assert(clock_ns(CLOCK_MONOTONIC) - began < 4 * NSEC_PER_SEC);
    play_nothing_left(&traces);
}
END_TEST

/* Two files of one name would write into one folder. */
START_TEST(two_labs_of_one_name)
{
    cleanup_free char *printed = NULL, *same = NULL;
    cleanup_free char *out = play_path("same"),
                      *lab = play_lab("handshake", TWO_HOSTS "wait 1ms\n", "quiet 1ms\n");
    ck_assert_int_eq(play_run(&printed, (const char *[]){"--out", out, "handshake", lab, NULL}),
                     STATUS_USAGE);
    ck_assert_msg(strstr(printed, "are both named handshake"), "%s", printed);
    ck_assert_int_eq(
        play_run(&same, (const char *[]){"-q", "--out", out, "handshake", "handshake", NULL}),
        STATUS_PASSED);
}
END_TEST

/* Makes the folder, where nobody is judged until the descriptor is closed. */
static int take_turn(const char *out)
{
    ck_assert_int_eq(mkdir(out, 0755), 0);
    int turn = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(turn, LOCK_EX), 0);
    return turn;
}

/* Several labs at once are judged one after the other: while somebody else has the turn, all
 * wait for it, and nothing is written. */
START_TEST(labs_are_judged_in_turn)
{
    cleanup_free char *out = play_path("turn");
    cleanup_free char *one = play_lab("turn1", TWO_HOSTS "wait 1ms\n", "quiet 1ms\n");
    cleanup_free char *two = play_lab("turn2", TWO_HOSTS "wait 1ms\n", "quiet 1ms\n");
    cleanup_free char *first = play_path("turn/turn1/result.json");
    cleanup_free char *second = play_path("turn/turn2/result.json");
    int turn = take_turn(out);
    struct play play = play_start(
        -1, (const char *[]){"-j2", "-q", "--slack", "60s", "--out", out, one, two, NULL});
    play_await_waiters(out, 2);
    ck_assert(access(first, F_OK) != 0 && access(second, F_OK) != 0);
    close(turn);
    ck_assert_int_eq(play_await(&play, 20 * NSEC_PER_SEC), STATUS_PASSED);
    ck_assert(access(first, F_OK) == 0 && access(second, F_OK) == 0);
}
END_TEST

/* Of two that may be played at once, the longest is one from the beginning: while nobody is
 * judged, no third begins.  One after the other, they are played as they were named. */
START_TEST(the_longest_begins_first)
{
    cleanup_free char *out = play_path("order");
    cleanup_free char *one = play_lab("short1", TWO_HOSTS "wait 1ms\n", "quiet 1ms\n");
    cleanup_free char *two = play_lab("short2", TWO_HOSTS "wait 1ms\n", "quiet 1ms\n");
    cleanup_free char *three = play_lab("longest", TWO_HOSTS "wait 2ms\n", "quiet 2ms\n");
    cleanup_free char *second = play_path("order/short2");
    cleanup_free char *third = play_path("order/longest");
    int turn = take_turn(out);
    struct play play = play_start(
        -1, (const char *[]){"-j2", "-q", "--slack", "60s", "--out", out, one, two, three, NULL});
    play_await_waiters(out, 2);
    ck_assert(access(third, F_OK) == 0 && access(second, F_OK) != 0);
    close(turn);
    ck_assert_int_eq(play_await(&play, 20 * NSEC_PER_SEC), STATUS_PASSED);
    ck_assert_int_eq(access(second, F_OK), 0);
    cleanup_free char *printed = NULL;
    ck_assert_int_eq(play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, one,
                                                         three, NULL}),
                     STATUS_PASSED);
    const char *line = strstr(printed, "PASS  short1");
    ck_assert_msg(line && strstr(line, "PASS  longest"), "%s", printed);
}
END_TEST

/* ------------------------------------------------------------------- scenes --- */

#define PLUGGED "host client 10.0.0.1/24\nhost server 10.0.0.2/24\ncapture client server \"tcp\"\n"

static const struct scene {
    const char *name, *script;
    unsigned syns; /* that some host sent */
} scenes[] = {
    {"two connections",
     PLUGGED "server listen 1234\nserver listen 1235\nclient connect server 1234\n"
             "client as b connect server 1235\nserver as b accept 1235\nserver accept 1234\n"
             "client send \"one\\n\"\nclient as b send \"two\\n\"\nserver recv 4 => \"one\\n\"\n"
             "server as b recv 4 => \"two\\n\"\nclient close\nclient as b close\n"
             "server recv 1 => 0\nserver as b recv 1 => 0\nserver close\nserver as b close\n",
     2},
    {"router",
     "host client 10.0.0.1/24\nrouter r 10.0.0.254/24 10.0.1.254/24\nhost server 10.0.1.2/24\n"
     "route client default via 10.0.0.254\nroute server 10.0.0.0/24 via 10.0.1.254\n"
     "capture client server \"tcp\"\nserver listen 80\nclient connect server 80\nserver accept\n"
     "client send \"x\"\nserver recv 1 => \"x\"\nclient state => ESTABLISHED\n",
     1},
    {"IPv6 only",
     "host client fd00::1/64\nhost server fd00::2/64\ncapture client server \"tcp\"\n"
     "server listen 80\nclient connect server 80\nserver accept\nserver send \"hello\"\n"
     "client recv 5 => \"hello\"\n",
     1},
    {"three hosts, two of them with both versions",
     "host client 10.0.0.1/24,fd00::1/64\nhost server fd00::2/64\n"
     "host other 10.0.0.3/24,fd00::3/64\ncapture client server other \"tcp\"\nserver listen 80\n"
     "other listen 80\nclient connect server 80\nclient as o connect other 80\nserver accept\n"
     "other accept\n",
     2},
    {"replug",
     "host client 10.0.0.1/24\nhost server 10.0.0.2/24\nneighbour client server\n"
     "neighbour server client\ncapture client server \"tcp\"\nserver listen 80\n"
     "client connect server 80\nserver accept\nunplug server\nclient send \"lost\"\n"
     "wait client > server [P.] x2 within 5s\nreplug server\nserver recv 4 => \"lost\"\n",
     1},
    {"states of closed sockets",
     "host client 10.0.0.1/24\nhost server 10.0.0.2/24\nneighbour client server\n"
     "neighbour server client\ncapture client server \"tcp\"\nserver state => EBADF\n"
     "server listen 80\nserver state => LISTEN\nclient connect server 80\nserver accept\n"
     "client as b connect server 80\nserver as b accept\nclient close\n"
     "client state => FIN-WAIT-2\nserver state => CLOSE-WAIT\nunplug client\nserver close\n"
     "server state => LAST-ACK\nclient as b close\nclient as b state => FIN-WAIT-1\n"
     "server as b state => ESTABLISHED\nclient state => FIN-WAIT-2\n"
     "server as b vanish\nserver as b state => CLOSED\n",
     2},
    {"states of closed sockets, IPv6",
     "host client fd00::1/64\nhost server fd00::2/64\ncapture client server \"tcp\"\n"
     "server listen 80\nclient connect server 80\nserver accept\nclient shutdown write\n"
     "client state => FIN-WAIT-2\nserver close\nclient state => TIME-WAIT\nclient close\n"
     "client state => TIME-WAIT\nserver state => CLOSED\n",
     1},
    {"results of what runs beside the script",
     PLUGGED "server listen 80\nserver accept &\nclient connect server 80\n"
             "server recv 3 => \"abc\" &\nclient send \"abc\" => 3\nclient recv 1 => 0 &\n"
             "server shutdown write\nwait server > client [F.] within 5s\n",
     1},
    {"a megabyte",
     PLUGGED "server listen 80\nclient connect server 80\nserver accept\n"
             "client send 1000000 bytes => 1000000 &\nserver recv 1000000 => 1000000\n"
             "client close\nserver recv 1 => 0\n",
     1},
    {"loopback",
     "host box 127.0.0.1/8\ncapture box \"tcp\"\nbox listen 80\nbox connect box 80\n"
     "box as s accept\nbox send 100000 bytes => 100000 &\nbox as s recv 100000 => 100000\n",
     1},
    {"IPv6 loopback",
     "host box ::1/128\ncapture box \"tcp\"\nbox listen 80\nbox connect box 80\n"
     "box as s accept\n",
     1},
};

static struct record *play_scene(const char *name, const char *script)
{
    struct error err = ERROR_INIT;
    cleanup_free char *out = play_path("scenes"), *evidence = xasprintf("%s/%s", out, name);
    cleanup_free char *lab = play_lab(name, script, "quiet 1ms\n"), *printed = NULL;
    play_run(&printed, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    struct record *record = record_load(evidence, &err);
    ck_assert_msg(record != NULL, "%s; %s", err.message, printed);
    return record;
}

struct counts {
    unsigned syns, out, in;
    uint64_t bytes; /* of data, as sent */
};

static struct counts count(const struct record *r)
{
    struct counts c = {0};
    vec_each (&r->packets, rp) {
        struct packet p;
        packet_decode(&p, &rp->frame);
        c.in += rp->incoming;
        c.out += rp->outgoing;
        ck_assert_int_eq(p.transport, TRANSPORT_TCP);
        if (rp->outgoing && (p.tcp.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
            c.syns++;
        if (rp->outgoing)
            c.bytes += p.tcp.payload_len;
    }
    return c;
}

/* Every call gave what the script states, every packet was captured at both ends. */
static void check_scene(const char *name, const struct record *r, unsigned syns)
{
    ck_assert_msg(!r->stopped, "%s: %s", name, r->stopped);
    ck_assert_msg(!r->skipped, "%s: %s", name, r->skipped);
    vec_each (&r->calls, call)
        ck_assert_msg(call->as_stated && call->ended, "%s: %s %s", name, call->verb, call->args);
    vec_each (&r->points, p) {
        ck_assert_uint_eq(p->dropped, 0);
        ck_assert_uint_gt(p->received, 0);
    }
    ck_assert_msg(count(r).syns == syns, "%s: %u SYNs", name, count(r).syns);
}

START_TEST(scenes_of_many_kinds)
{
    const struct scene *s = &scenes[_i];
    cleanup_free char *name = xasprintf("scene%d", _i);
    struct record *r = play_scene(name, s->script);
    check_scene(s->name, r, s->syns);
    struct counts c = count(r);
    if (strstr(s->script, "unplug"))
        ck_assert_uint_gt(c.out, c.in);
    else if (r->points.n > 1) /* at a loopback interface both are one */
        ck_assert_uint_eq(c.out, c.in);
    if (strcmp(s->name, "a megabyte") == 0)
        ck_assert_uint_ge(c.bytes, 1000000); /* more, if a late machine sends some again */
    record_free(r);
}
END_TEST

START_TEST(twenty_hosts)
{
    struct strbuf script cleanup_strbuf = STRBUF_INIT;
    for (int i = 1; i <= 20; i++)
        strbuf_printf(&script, "host h%d 10.0.0.%d/24\n", i, i);
    for (int i = 1; i <= 20; i++)
        strbuf_printf(&script, "capture h%d \"tcp\"\n", i);
    strbuf_puts(&script, "h20 listen 80\n");
    for (int i = 1; i < 20; i++)
        strbuf_printf(&script, "h%d connect h20 80\nh20 as c%d accept\n", i, i);
    struct record *r = play_scene("twenty", strbuf_cstr(&script));
    check_scene("twenty hosts", r, 19);
    record_free(r);
}
END_TEST

/* As many as a lab may have, with cables whose news would fill a socket. */
START_TEST(sixty_four_hosts)
{
    struct strbuf script cleanup_strbuf = STRBUF_INIT;
    for (int i = 1; i <= LAB_MAX_HOSTS; i++)
        strbuf_printf(&script, "host h%d 10.0.0.%d/24,fd00::%d/64 10.1.0.%d/24 10.2.0.%d/24\n", i,
                      i, i, i, i);
    strbuf_puts(&script, "capture h1:eth2 \"tcp\"\nh64 listen 80\nh1 connect h64 80\n");
    struct record *r = play_scene("many", strbuf_cstr(&script));
    ck_assert_msg(!r->stopped && r->calls.n == 2, "%s", r->stopped);
    record_free(r);
}
END_TEST

/* More steps at once than a socket holds. */
START_TEST(a_thousand_steps_beside_the_script)
{
    struct strbuf script cleanup_strbuf = STRBUF_INIT;
    strbuf_puts(&script, PLUGGED "server listen 80\nclient connect server 80\nserver accept\n");
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&script, "client send \"x\" => 1 &\n");
    strbuf_puts(&script, "server recv 1000 => 1000\n");
    struct record *r = play_scene("thousand", strbuf_cstr(&script));
    check_scene("a thousand steps", r, 1);
    ck_assert_uint_ge(count(r).bytes, 1000);
    record_free(r);
}
END_TEST

/* -------------------------------------------------------------------- drops --- */

static uint64_t sent_by(pid_t pid)
{
    uint64_t bytes = 0;
    cleanup_free char *path = xasprintf("/proc/%d/net/dev", (int)pid);
    cleanup_free char *text = play_read(path);
    const char *line = text ? strstr(text, "eth0:") : NULL;
    if (line)
        sscanf(line, "eth0: %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &bytes);
    return bytes;
}

static pid_t find_agent(const struct cast *cast, const char *name)
{
    for (size_t i = 0; i < cast->n_agents; i++) {
        cleanup_free char *path = xasprintf("/proc/%d/comm", (int)cast->agents[i]);
        cleanup_free char *text = play_read(path);
        if (text && strcmp(text, name) == 0)
            return cast->agents[i];
    }
    ck_abort_msg("there is no %s", name);
    return -1;
}

/* The director is stopped while more is sent than its ring holds.  The sender is held
 * until then: its agent is stopped when the steps come that make it send. */
START_TEST(drops_are_noisy)
{
    static const char script[] =
        PLUGGED "server listen 80\nrun server touch $DIR/ready\n"
                "run server sh -c \"until test -e $DIR/held; do sleep 0.01; done\"\n"
                "client connect server 80 &\nclient send 20000000 bytes &\nserver accept &\n"
                "server recv 20000000 &\nrun server touch $DIR/asked\nwait 200ms\n";
    struct traces traces;
    struct cast cast;
    play_look(&traces);
    cleanup_free char *out = play_path("drops"), *lab = play_lab("drops", script, "quiet 1ms\n");
    struct play play =
        play_start(-1, (const char *[]){"-q", "--slack", "60s", "--out", out, lab, NULL});
    play_await_file("ready");
    play_find_cast(&play, &cast, 2);
    pid_t client = find_agent(&cast, "tcplab@client\n");
    kill(client, SIGSTOP);
    play_make_file("held");
    play_await_file("asked");
    kill(cast.director, SIGSTOP);
    kill(client, SIGCONT);
    for (nsec until = clock_ns(CLOCK_MONOTONIC) + 10 * NSEC_PER_SEC; sent_by(client) < 15000000;)
        ck_assert_msg(clock_ns(CLOCK_MONOTONIC) < until, "%" PRIu64 " bytes", sent_by(client));
    kill(cast.director, SIGCONT);
    int status = play_await(&play, 20 * NSEC_PER_SEC);
    cleanup_free char *printed = play_printed(&play);
    ck_assert_int_eq(status, STATUS_NOTHING);
    ck_assert_msg(strstr(printed, "NOISY") && strstr(printed, "dropped by capture point"), "%s",
                  printed);
    play_nothing_left(&traces);
}
END_TEST

static Suite *suite_run(void)
{
    Suite *s = suite_create("run");
    TCase *t = tcase_create("run");
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, play_set_up, play_tear_down);
    tcase_add_test(t, linear_retries_are_named);
    tcase_add_loop_test(t, a_script_ends_as_it_should, 0, ARRAY_SIZE(endings));
    tcase_add_test(t, two_labs_of_one_name);
    tcase_add_test(t, labs_are_judged_in_turn);
    tcase_add_test(t, the_longest_begins_first);
    tcase_add_loop_test(t, scenes_of_many_kinds, 0, ARRAY_SIZE(scenes));
    tcase_add_test(t, twenty_hosts);
    tcase_add_test(t, sixty_four_hosts);
    tcase_add_test(t, a_thousand_steps_beside_the_script);
    tcase_add_test(t, drops_are_noisy);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_run)
