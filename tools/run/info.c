#include "run/info.h"

/* That of linux/, since glibc's own struct tcp_info ends earlier. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "base/tcp_state.h"
#include "lab/verbs.h"

static const struct field {
    const char *name;
    size_t offset, size;
} fields[] = {
#define X(name, member)                                                                            \
    {name, offsetof(struct tcp_info, member), sizeof(((struct tcp_info *)0)->member)},
    TCP_INFO_FIELDS(X)
#undef X
};

/* All of them are of one byte or of four. */
static int64_t number_at(const struct tcp_info *info, const struct field *f)
{
    const char *at = (const char *)info + f->offset;
    uint32_t wide;
    if (f->size == 1)
        return *(const unsigned char *)at;
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

int info_ask(int fd, const char *field, int64_t *value, const char **word)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return -1;
    if (strcmp(field, CA_STATE_FIELD) == 0 && info.tcpi_ca_state < TCP_CA_STATE_COUNT) {
        *word = tcp_ca_state_names[info.tcpi_ca_state];
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (strcmp(fields[i].name, field) != 0)
            continue;
        if (fields[i].offset + fields[i].size > len)
            break;
        *value = number_at(&info, &fields[i]);
        return 0;
    }
    errno = EOPNOTSUPP;
    return -1;
}
