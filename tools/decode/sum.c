#include "decode/sum.h"

#include <string.h>

#include "decode/layers.h"

uint64_t sum_add(uint64_t sum, const uint8_t *at, size_t n)
{
    /* 32-bit words in the machine's order: ones' complement sums do not care about
     * byte order (RFC 1071 2.B), so the bytes are put right once, in fold(). */
    for (; n >= 4; at += 4, n -= 4) {
        uint32_t word;
        memcpy(&word, at, 4);
        sum += word;
    }
    uint8_t rest[4] = {0};
    if (n) {
        memcpy(rest, at, n);
        uint32_t word;
        memcpy(&word, rest, 4);
        sum += word;
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    const uint16_t one = 1;
    if (*(const uint8_t *)&one)
        sum = (sum & 0xff) << 8 | sum >> 8;
    return (uint16_t)sum;
}

enum sum_state sum_check(uint64_t sum, uint16_t field, uint16_t *expected)
{
    uint16_t computed = (uint16_t)~fold(sum);
    uint32_t should = (uint32_t)field + computed;
    should = (should & 0xffff) + (should >> 16);
    *expected = (uint16_t)should;
    return computed == 0 ? SUM_GOOD : SUM_BAD;
}

uint64_t sum_pseudo(const struct ip_header *ip, uint8_t proto, uint32_t len)
{
    struct ipaddr dst = ip_final_destination(ip);
    size_t n = ip->version == 4 ? 4 : 16;
    uint64_t sum = sum_add(sum_add(0, ip->src.bytes, n), dst.bytes, n);
    if (ip->version == 4)
        len &= 0xffff;
    uint8_t rest[8] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                       (uint8_t)len, [7] = proto};
    return sum_add(sum, rest, sizeof(rest));
}
