#include "netns/congestion.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "netns/sysctl.h"

bool congestion_is_available(const char *name)
{
    struct error err = ERROR_INIT;
    cleanup_free char *list = NULL;
    bool absent = false, found = false;
    if (sysctl_read("net.ipv4.tcp_available_congestion_control", &list, &absent, &err) < 0)
        error_clear(&err);
    char *save = NULL;
    for (char *word = list ? strtok_r(list, " ", &save) : NULL; word && !found;
         word = strtok_r(NULL, " ", &save))
        found = strcmp(word, name) == 0;
    return found;
}

int congestion_try(const char *name)
{
    if (!congestion_is_available(name))
        return ENOENT;
    cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) < 0)
        return errno;
    return 0;
}
