#include "netns/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { KEY_MAX_BYTES = 200, VALUE_MAX_BYTES = 4000 };

static const char *const rooms[] = {"net.bridge.", "net.core.",  "net.ipv4.",
                                    "net.ipv6.",   "net.mptcp.", "net.unix."};

static bool is_key(const char *key)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(key);
    if (len > KEY_MAX_BYTES)
        return false;
    for (const char *part = key;;) {
        size_t n = strspn(part, allowed);
        if (n == 0)
            return false;
        if (part[n] == '\0')
            return true;
        if (part[n] != '.')
            return false;
        part += n + 1;
    }
}

char *sysctl_path(const char *key, struct error *err)
{
    if (!is_key(key)) {
        error_set(err, STATUS_USAGE, "\"%.60s\" is no sysctl key, such as net.ipv4.tcp_sack", key);
        return NULL;
    }
    bool open = false;
    for (size_t i = 0; i < ARRAY_SIZE(rooms); i++)
        open |= strncmp(key, rooms[i], strlen(rooms[i])) == 0;
    if (!open) {
        error_set(err, STATUS_USAGE, "a lab may not set %s: it belongs to the whole machine", key);
        error_hint(err, "settings of a host are those below net.ipv4, net.ipv6, net.core, "
                        "net.mptcp and net.unix");
        return NULL;
    }
    char *path = xasprintf("/proc/sys/%s", key);
    for (char *p = path; *p; p++)
        if (*p == '.')
            *p = '/';
    return path;
}

static int open_key(const char *key, int flags, bool *absent, struct error *err)
{
    cleanup_free char *path = sysctl_path(key, err);
    if (!path)
        return -1;
    int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno == ENOENT && absent) {
        *absent = true;
        return -1;
    }
    if (errno == ENOENT) {
        error_sys(err, STATUS_MACHINE, errno, "no host of a lab has the sysctl %s", key);
        error_hint(err, "this kernel lacks it, or keeps one for the whole machine; a lab that can "
                        "do without says `sysctl?`");
    } else if ((errno == EACCES || errno == EPERM) && flags != O_RDONLY) {
        error_sys(err, STATUS_MACHINE, errno, "cannot set the sysctl %s", key);
        error_hint(err, "it belongs to the whole machine, which a lab never changes");
    } else {
        error_sys(err, STATUS_MACHINE, errno, "cannot open the sysctl %s", key);
        if (errno == EROFS)
            error_hint(err, "/proc/sys is mounted read-only here, as in many containers");
    }
    return -1;
}

int sysctl_write(const char *key, const char *value, bool *absent, struct error *err)
{
    bool missing = false;
    if (strlen(value) > VALUE_MAX_BYTES)
        return error_set(err, STATUS_USAGE, "the value for %s is too long", key);
    cleanup_fd int fd = open_key(key, O_WRONLY, absent ? &missing : NULL, err);
    if (absent)
        *absent = missing;
    if (fd < 0)
        return missing ? 0 : -1;
    ssize_t n = write(fd, value, strlen(value));
    if (n == (ssize_t)strlen(value))
        return 0;
    if (n >= 0)
        return error_set(err, STATUS_MACHINE, "the kernel took only a part of %s = %s", key, value);
    return error_sys(err, errno == EINVAL ? STATUS_USAGE : STATUS_MACHINE, errno,
                     "cannot set the sysctl %s to \"%s\"", key, value);
}

int sysctl_read(const char *key, char **value, bool *absent, struct error *err)
{
    bool missing = false;
    *value = NULL;
    cleanup_fd int fd = open_key(key, O_RDONLY, absent ? &missing : NULL, err);
    if (absent)
        *absent = missing;
    if (fd < 0)
        return missing ? 0 : -1;
    char text[VALUE_MAX_BYTES + 1];
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot read the sysctl %s", key);
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    for (char *p = text; *p; p++)
        if (*p == '\t')
            *p = ' ';
    *value = xstrdup(text);
    return 0;
}
