/* Hosts, switches and cables out of network namespaces and veth pairs.
 *
 * Knows the kernel, knows no lab syntax and no TCP.  Every namespace is anonymous,
 * held by a file descriptor only: when the process ends, however it ends, the
 * kernel takes everything away. */
#ifndef NETNS_TOPO_H
#define NETNS_TOPO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ipaddr.h"
#include "base/time.h"
#include "netns/refusal.h"

struct topo;

struct topo_addr {
    struct ipaddr addr;
    unsigned prefix;
};

/* Moves this process away from the host's network for good: into a user namespace
 * of its own when it may not create network namespaces itself (not root), and into
 * a first namespace, in which the switches live.  The process must have one thread. */
struct topo *topo_new(struct error *err);
void topo_free(struct topo *topo);

/* A host: a namespace with `lo` up.  Returns its index, or -1. */
int topo_add_host(struct topo *topo, const char *name, bool router, struct error *err);

/* A switch (bridge without STP, ageing or multicast snooping).  Returns its index, or -1. */
int topo_add_switch(struct topo *topo, const char *name, struct error *err);

/* The same without a bridge: nothing carries frames from one of its ports to another
 * until somebody does who holds them (topo_end(), topo_port()). */
int topo_add_open_switch(struct topo *topo, const char *name, struct error *err);

/* A cable from the host's next interface (eth0, eth1 …) to the switch, with the
 * addresses on the host's end, offloads off at both ends and a hardware address
 * that is the same in every run; mtu in bytes, 0: 1500.  Returns the interface's index
 * on the host, or -1. */
int topo_add_cable(struct topo *topo, int host, int sw, const struct topo_addr *addrs,
                   size_t n_addrs, unsigned mtu, struct error *err);

/* Sets everything up and waits, by netlink event, until both ends of every cable
 * are operational; -1 and a message that names the cable when `timeout` passes. */
int topo_up(struct topo *topo, nsec timeout, struct error *err);

/* Route to dst/prefix via a gateway (dst.version is that of via; prefix 0: default). */
int topo_add_route(struct topo *topo, int host, const struct topo_addr *dst,
                   const struct ipaddr *via, struct error *err);

/* What the host forwards or sends to dst/prefix goes nowhere. */
int topo_refuse(struct topo *topo, int host, const struct topo_addr *dst,
                enum route_refusal refusal, struct error *err);

/* A permanent neighbour entry on host: addr is at the interface of `peer` that has it. */
int topo_add_neighbour(struct topo *topo, int host, int peer, const struct ipaddr *addr,
                       struct error *err);

/* Pulls, at the switch, the cable of the host's interface; the host loses its carrier,
 * everybody else keeps theirs.  Waits for the host's end to be down. */
int topo_unplug(struct topo *topo, int host, int iface, nsec timeout, struct error *err);
/* And plugs it in again; waits for both ends to be up. */
int topo_replug(struct topo *topo, int host, int iface, nsec timeout, struct error *err);

/* Writes a sysctl ("net.ipv4.tcp_sack") in the host's namespace.  A key that this
 * kernel lacks sets *absent and is no error when absent is not NULL.  A setting that
 * belongs to the whole machine is refused.  The calling thread must be the one of
 * topo_new(), which is back in the switches' namespace afterwards. */
int topo_sysctl(struct topo *topo, int host, const char *key, const char *value, bool *absent,
                struct error *err);

/* Writes several, each optional: `absent` says which this kernel lacks. */
struct topo_setting {
    const char *key, *value;
    bool absent;
};
int topo_sysctls(struct topo *topo, int host, struct topo_setting *settings, size_t n,
                 struct error *err);
/* Reads one: *value is the caller's, NULL when *absent. */
int topo_sysctl_get(struct topo *topo, int host, const char *key, char **value, bool *absent,
                    struct error *err);

/* Whether hosts on this kernel have the sysctl; to be asked after topo_new(). */
bool topo_has_sysctl(const char *key);

/* Whether the stage is inside a user namespace, in which this process is root. */
bool topo_in_user_ns(const struct topo *topo);
/* The hardware address of the host's interface; NULL if there is none. */
const uint8_t *topo_mac(const struct topo *topo, int host, int iface);

/* Its interface index, in the host's namespace; 0 if there is none. */
int topo_end(const struct topo *topo, int host, int iface);
/* The interface index of the switch's end of that cable, in the namespace in which the
 * thread of topo_new() is; 0 if there is none. */
int topo_port(const struct topo *topo, int host, int iface);

/* The descriptor of the host's namespace (owned by topo). */
int topo_ns_fd(const struct topo *topo, int host);
/* Moves the calling thread into the host's namespace. */
int topo_enter(const struct topo *topo, int host, struct error *err);

#endif
