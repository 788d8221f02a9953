#include "base/ipaddr.h"

#include <arpa/inet.h>
#include <string.h>

bool ipaddr_parse(struct ipaddr *a, const char *s, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    *a = (struct ipaddr){0};
    if (len >= sizeof(text) || memchr(s, '\0', len))
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, a->bytes) == 1)
        a->version = 4;
    else if (inet_pton(AF_INET6, text, a->bytes) == 1)
        a->version = 6;
    return a->version != 0;
}

unsigned ipaddr_bits(const struct ipaddr *a)
{
    return a->version == 4 ? 32 : 128;
}

bool ipaddr_same_net(const struct ipaddr *a, const struct ipaddr *b, unsigned prefix)
{
    if (a->version != b->version || a->version == 0)
        return false;
    if (prefix > ipaddr_bits(a))
        prefix = ipaddr_bits(a);
    unsigned whole = prefix / 8, rest = prefix % 8;
    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0;
}

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
    return a->version == 0 ? b->version == 0 : ipaddr_same_net(a, b, ipaddr_bits(a));
}

bool ipaddr_is_loopback(const struct ipaddr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    if (a->version == 4)
        return a->bytes[0] == 127;
    return a->version == 6 && memcmp(a->bytes, one, sizeof(one)) == 0;
}

void strbuf_ipaddr(struct strbuf *sb, const struct ipaddr *a)
{
    char text[INET6_ADDRSTRLEN];
    if (a->version && inet_ntop(a->version == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text)))
        strbuf_puts(sb, text);
    else
        strbuf_putc(sb, '?');
}
