#include "netns/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"

/* Whether this process may make network namespaces and rule in them as it is.  Root
 * in a container often may not, and then takes the ordinary user's way. */
static bool is_capable(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &head, data) < 0)
        return false;
    uint32_t need = 1u << CAP_SYS_ADMIN | 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;
    return (data[0].effective & need) == need;
}

static int write_file(const char *path, const char *text)
{
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static long read_number(const char *path, long otherwise)
{
    char text[32];
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return otherwise;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

const char *ns_obstacle(void)
{
    if (access("/proc/self/ns/net", F_OK) != 0)
        return "this kernel was built without network namespaces (CONFIG_NET_NS), or /proc is not "
               "mounted";
    if (read_number("/proc/sys/user/max_net_namespaces", 1) == 0)
        return "network namespaces are switched off: `sysctl -w user.max_net_namespaces=1024` as "
               "root";
    if (is_capable())
        return NULL;
    if (access("/proc/self/ns/user", F_OK) != 0)
        return "this kernel was built without user namespaces (CONFIG_USER_NS): run as root";
    if (read_number("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
        return "user namespaces are kept from ordinary users: `sysctl -w "
               "kernel.unprivileged_userns_clone=1` as root, or run as root";
    if (read_number("/proc/sys/user/max_user_namespaces", 1) == 0)
        return "user namespaces are switched off: `sysctl -w user.max_user_namespaces=1024` as "
               "root, or run as root";
    if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
        return "AppArmor keeps user namespaces from ordinary users: `sysctl -w "
               "kernel.apparmor_restrict_unprivileged_userns=0` as root, or run as root";
    return NULL;
}

static int fail(struct error *err, int sys, const char *what)
{
    const char *obstacle = ns_obstacle();
    error_sys(err, STATUS_MACHINE, sys, "cannot %s", what);
    if (obstacle)
        error_hint(err, "%s", obstacle);
    else if (sys == ENOSPC)
        error_hint(err, "a limit is reached: see user.max_user_namespaces and "
                        "user.max_net_namespaces");
    else if (sys == EUSERS)
        error_hint(err, "user namespaces are nested too deeply (32 levels)");
    else
        error_hint(err, "a container's seccomp or AppArmor profile may forbid it: start the "
                        "container with `--privileged`, or with `--cap-add NET_ADMIN "
                        "--cap-add SYS_ADMIN --security-opt apparmor=unconfined`");
    return -1;
}

static int open_own(struct error *err)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot open the network namespace");
    return fd;
}

static int enter_user_ns(int more, struct error *err)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | more) < 0)
        return fail(err, errno, "make a user namespace");
    char uids[32], gids[32];
    snprintf(uids, sizeof(uids), "0 %u 1", uid);
    snprintf(gids, sizeof(gids), "0 %u 1", gid);
    /* Older kernels have no setgroups file and need none (ENOENT). */
    if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
        return fail(err, errno, "give up setgroups in the user namespace");
    if (write_file("/proc/self/uid_map", uids) < 0)
        return fail(err, errno, "become root of the user namespace");
    if (write_file("/proc/self/gid_map", gids) < 0)
        return fail(err, errno, "map the group in the user namespace");
    return 0;
}

int ns_gain_rights(struct error *err)
{
    return is_capable() ? 0 : enter_user_ns(0, err);
}

int ns_leave_host(bool *user_ns, struct error *err)
{
    *user_ns = !is_capable();
    if (!*user_ns && unshare(CLONE_NEWNET) < 0) {
        if (errno != EPERM)
            return fail(err, errno, "make a network namespace");
        *user_ns = true;
    }
    if (*user_ns && enter_user_ns(CLONE_NEWNET, err) < 0)
        return -1;
    return open_own(err);
}

int ns_create(struct error *err)
{
    if (unshare(CLONE_NEWNET) < 0)
        return fail(err, errno, "make a network namespace");
    return open_own(err);
}

int ns_enter(int fd, struct error *err)
{
    if (setns(fd, CLONE_NEWNET) < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot enter a network namespace");
    return 0;
}
