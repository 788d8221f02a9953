#include "decode/hop.h"

#include <linux/if_ether.h>
#include <stdbool.h>

enum { IP4_HEADER = 20, IP6_HEADER = 40 };

/* What routers change of a packet: single bytes, or bits of them. */
struct changed {
    uint32_t at;
    uint8_t bits;
};

static const struct changed in_ip4[] = {{1, 0x03}, {8, 0xff}, {10, 0xff}, {11, 0xff}, {0, 0}};
static const struct changed in_ip6[] = {{1, 0x30}, {7, 0xff}, {0, 0}};

static uint64_t mix(uint64_t h, uint8_t byte)
{
    return (h ^ byte) * UINT64_C(0x100000001b3);
}

static bool is_ip(const uint8_t *data, uint32_t n, uint16_t type, uint8_t version, uint32_t header)
{
    return n >= ETH_HLEN + header && data[12] == type >> 8 && data[13] == (type & 0xff) &&
           data[ETH_HLEN] >> 4 == version;
}

struct hop hop_of(const uint8_t *data, uint32_t n, uint32_t len)
{
    bool ip4 = is_ip(data, n, ETH_P_IP, 4, IP4_HEADER);
    bool ip6 = is_ip(data, n, ETH_P_IPV6, 6, IP6_HEADER);
    const struct changed *next = ip4 ? in_ip4 : in_ip6;
    struct hop hop = {.hash = UINT64_C(0xcbf29ce484222325) ^ len, .left = -1};
    uint32_t from = 0;
    if (ip4 || ip6) {
        from = ETH_HLEN;
        hop.left = data[ETH_HLEN + (ip4 ? 8 : 7)];
    }
    for (uint32_t i = from; i < n; i++) {
        bool is_changed = from && next->bits && i - from == next->at;
        hop.hash = mix(hop.hash, is_changed ? data[i] & (uint8_t)~next->bits : data[i]);
        next += is_changed;
    }
    return hop;
}
