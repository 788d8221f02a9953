/* Theory of operation
 *
 * A new network namespace does not start from the kernel's defaults alone: the
 * congestion control, tcp_rmem, tcp_wmem and all of net.ipv4.conf are copied from the
 * host's (net/ipv4/tcp_ipv4.c tcp_sk_init(), net/ipv4/devinet.c devinet_init_net()),
 * distributions set those, and defaults have changed between kernels.  So each setting
 * that can change a segment or its time is written down here, with the default of
 * Linux 6.1 unless its reason says something else. */
#include "netns/tune.h"

#include "base/memory.h"

#define IPV4_CONF(name, value, why)                                                                \
    {"net.ipv4.conf.all." name, value, why},                                                       \
    {                                                                                              \
        "net.ipv4.conf.default." name, value, why                                                  \
    }

static const struct tune_pin pins[] = {
    {"net.ipv4.tcp_congestion_control", "reno",
     "the one that every kernel allows; the host's may be any"},
    {"net.ipv4.tcp_rmem", "4096 131072 6291456",
     "the SYN shows it: win 64240 from the second number, wscale 7 from the third"},
    {"net.ipv4.tcp_wmem", "4096 16384 4194304", "how much a send call takes at once"},
    {"net.ipv4.tcp_ecn", "2",
     "ECN is granted but not asked for: a SYN without ECE and CWR, and a lab that asks for it on "
     "one side gets it, as between real machines"},
    {"net.ipv4.tcp_no_metrics_save", "1",
     "not the default: a connection must not depend on the one before it"},
    {"net.ipv4.ip_local_port_range", "32768 60999", "local ports look the same everywhere"},
    {"net.ipv4.tcp_timestamps", "1", "an option of every segment"},
    {"net.ipv4.tcp_sack", "1", "an option of the SYN"},
    {"net.ipv4.tcp_dsack", "1", "a segment received twice is reported"},
    {"net.ipv4.tcp_window_scaling", "1", "an option of the SYN"},
    {"net.ipv4.tcp_fastopen", "1", "clients may, servers only when a lab says so"},
    {"net.ipv4.tcp_fastopen_blackhole_timeout_sec", "0", "an earlier failure is not remembered"},
    {"net.ipv4.tcp_syn_retries", "6", "how often a SYN is repeated"},
    {"net.ipv4.tcp_syn_linear_timeouts", "4", "and how often after one second each (Linux 6.5)"},
    {"net.ipv4.tcp_synack_retries", "5", "how often a SYN-ACK is repeated"},
    {"net.ipv4.tcp_retries1", "3", "when the route is asked again"},
    {"net.ipv4.tcp_retries2", "15", "when an established connection is given up"},
    {"net.ipv4.tcp_orphan_retries", "0", "and one that its process has closed (0 means 8)"},
    {"net.ipv4.tcp_rto_min_us", "200000", "the least retransmission timeout (Linux 6.11)"},
    {"net.ipv4.tcp_rto_max_ms", "120000", "and the greatest (Linux 6.15)"},
    {"net.ipv4.tcp_early_retrans", "3", "tail loss probes are sent"},
    {"net.ipv4.tcp_recovery", "1", "loss is found by time (RACK)"},
    {"net.ipv4.tcp_frto", "2", "spurious timeouts are found (F-RTO)"},
    {"net.ipv4.tcp_reordering", "3", "duplicate ACKs before a fast retransmission"},
    {"net.ipv4.tcp_max_reordering", "300", "and the most it may grow to"},
    {"net.ipv4.tcp_thin_linear_timeouts", "0", "timeouts double, for thin streams too"},
    {"net.ipv4.tcp_retrans_collapse", "1", "small segments are joined when sent again"},
    {"net.ipv4.tcp_slow_start_after_idle", "1", "the window shrinks while nothing is sent"},
    {"net.ipv4.tcp_moderate_rcvbuf", "1", "the receive window grows with the need"},
    {"net.ipv4.tcp_shrink_window", "0", "an offered window is never taken back"},
    {"net.ipv4.tcp_adv_win_scale", "1", "half of the buffer is window (before Linux 6.6)"},
    {"net.ipv4.tcp_autocorking", "1", "small writes may be joined"},
    {"net.ipv4.tcp_notsent_lowat", "4294967295", "no limit on what is written but unsent"},
    {"net.ipv4.tcp_limit_output_bytes", "1048576", "what may wait below TCP"},
    {"net.ipv4.tcp_comp_sack_delay_ns", "1000000", "how long SACKs may be held back"},
    {"net.ipv4.tcp_comp_sack_slack_ns", "100000", "and how exactly"},
    {"net.ipv4.tcp_comp_sack_nr", "44", "and how many"},
    {"net.ipv4.tcp_backlog_ack_defer", "1", "ACKs for queued segments are joined (Linux 6.7)"},
    {"net.ipv4.tcp_pingpong_thresh", "1",
     "exchanges before a connection counts as interactive and delays its ACKs (Linux 6.3)"},
    {"net.ipv4.tcp_mtu_probing", "0", "no probing for a larger segment size"},
    {"net.ipv4.tcp_keepalive_time", "7200", "seconds until the first keep-alive probe"},
    {"net.ipv4.tcp_keepalive_intvl", "75", "seconds between probes"},
    {"net.ipv4.tcp_keepalive_probes", "9", "probes before a connection is given up"},
    {"net.ipv4.tcp_fin_timeout", "60", "seconds in FIN-WAIT-2 after close"},
    {"net.ipv4.tcp_tw_reuse", "2", "a port in TIME-WAIT is used again on loopback only"},
    {"net.ipv4.tcp_rfc1337", "0", "a reset ends TIME-WAIT"},
    {"net.ipv4.tcp_syncookies", "1", "cookies when the queue of SYNs is full"},
    {"net.ipv4.tcp_max_syn_backlog", "1024",
     "the length of that queue; the default depends on the machine's memory"},
    {"net.ipv4.tcp_abort_on_overflow", "0", "a full accept queue is silent"},
    {"net.core.somaxconn", "4096", "the greatest backlog that listen accepts"},
    {"net.ipv4.tcp_challenge_ack_limit", "2147483647", "challenge ACKs are not rationed"},
    {"net.ipv4.tcp_invalid_ratelimit", "500", "milliseconds between answers to odd segments"},
    {"net.ipv4.ip_default_ttl", "64", "in every packet"},
    {"net.ipv4.ip_no_pmtu_disc", "0", "DF is set"},
    {"net.ipv4.icmp_ratelimit", "1000", "milliseconds between ICMP errors to one host"},
    /* These a namespace copies from the host. */
    IPV4_CONF("rp_filter", "0", "a packet may come in where its answer would not go out"),
    IPV4_CONF("accept_redirects", "1", "a router may name a better one"),
    IPV4_CONF("send_redirects", "1", "and does"),
    IPV4_CONF("accept_local", "0", "packets from own addresses are dropped"),
    IPV4_CONF("route_localnet", "0", "127/8 stays on lo"),
    IPV4_CONF("arp_ignore", "0", "on any interface"),
    IPV4_CONF("arp_announce", "0", "and asked with any"),
    IPV4_CONF("arp_filter", "0", "whichever way the route goes"),
    IPV4_CONF("arp_notify", "0", "a link that comes up is not announced"),
    IPV4_CONF("ignore_routes_with_linkdown", "0", "an unplugged interface keeps its routes"),
    IPV4_CONF("log_martians", "0", "the host's log stays clean"),
};

const struct tune_pin *tune_pins(size_t *n)
{
    *n = ARRAY_SIZE(pins);
    return pins;
}

int tune_baseline(struct topo *topo, int host, tune_note *note, void *ctx, struct error *err)
{
    struct topo_setting settings[ARRAY_SIZE(pins)];
    for (size_t i = 0; i < ARRAY_SIZE(pins); i++)
        settings[i] = (struct topo_setting){.key = pins[i].key, .value = pins[i].value};
    if (topo_sysctls(topo, host, settings, ARRAY_SIZE(settings), err) < 0)
        return error_wrap(err, "baseline");
    for (size_t i = 0; note && i < ARRAY_SIZE(pins); i++)
        note(ctx, pins[i].key, pins[i].value, settings[i].absent);
    return 0;
}
