#include "base/socktext.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/errno.h"
#include "base/ipaddr.h"

enum { SHOWN = 64 };

void strbuf_sockaddr(struct strbuf *sb, const struct sockaddr_storage *addr)
{
    struct ipaddr ip = {0};
    in_port_t port;
    if (addr->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
        ip.version = 4;
        memcpy(ip.bytes, &in->sin_addr, 4);
        port = in->sin_port;
    } else if (addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        ip.version = mapped ? 4 : 6;
        memcpy(ip.bytes, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
        port = in6->sin6_port;
    } else {
        strbuf_putc(sb, '?');
        return;
    }
    strbuf_puts(sb, ip.version == 6 ? "[" : "");
    strbuf_ipaddr(sb, &ip);
    strbuf_printf(sb, "%s:%u", ip.version == 6 ? "]" : "", ntohs(port));
}

void strbuf_escaped(struct strbuf *sb, const char *bytes, size_t n, bool ascii)
{
    static const char special[] = "\n\t\r\\\"", letters[] = "ntr\\\"";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        const char *at = c ? strchr(special, c) : NULL;
        if (at)
            strbuf_printf(sb, "\\%c", letters[at - special]);
        else if ((c >= ' ' && c <= '~') || (c >= 0x80 && !ascii))
            strbuf_putc(sb, (char)c);
        else
            strbuf_printf(sb, "\\x%02x", c);
    }
}

void strbuf_bytes(struct strbuf *sb, const char *bytes, size_t n)
{
    strbuf_printf(sb, "%zu byte%s \"", n, n == 1 ? "" : "s");
    strbuf_escaped(sb, bytes, n < SHOWN ? n : SHOWN, true);
    strbuf_puts(sb, n > SHOWN ? "\" …" : "\"");
}

void strbuf_errno(struct strbuf *sb, int errnum)
{
    strbuf_printf(sb, "%s (%s)", errno_name(errnum), strerror(errnum));
}
