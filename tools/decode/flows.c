/* A hash table with open addressing, at most half full, that doubles as it fills.
 *
 * A connection's key is the same for both directions: the end with the lower port
 * (then the lower address) comes first. */
#include "decode/flows.h"

#include <assert.h>

#include <string.h>

#include "base/memory.h"

struct key {
    uint8_t low[16], high[16]; /* addresses of the two ends */
    uint16_t low_port, high_port;
    uint8_t version; /* 0: a free slot */
    uint8_t pad[3];
};

struct flow {
    struct key key;
    uint32_t low_first, high_first; /* each end's number that counts as 0 */
};

struct flows {
    struct flow *slots;
    size_t n, cap; /* cap is a power of two */
};

enum { FIRST_CAP = 256 };

struct flows *flows_new(void)
{
    struct flows *flows = xcalloc(1, sizeof(*flows));
    flows->cap = FIRST_CAP;
    flows->slots = xcalloc(flows->cap, sizeof(*flows->slots));
    return flows;
}

void flows_free(struct flows *flows)
{
    if (!flows)
        return;
    free(flows->slots);
    free(flows);
}

/* Whether the segment goes from the higher end to the lower one. */
static bool make_key(struct key *key, const struct packet *p)
{
    const struct ip_header *ip = &p->ip;
    const struct tcp_header *t = &p->tcp;
    size_t n = ip->version == 4 ? 4 : 16;
    bool down = t->sport > t->dport ||
                (t->sport == t->dport && memcmp(ip->src.bytes, ip->dst.bytes, n) > 0);
    memset(key, 0, sizeof(*key));
    key->version = ip->version;
    memcpy(key->low, down ? ip->dst.bytes : ip->src.bytes, n);
    memcpy(key->high, down ? ip->src.bytes : ip->dst.bytes, n);
    key->low_port = down ? t->dport : t->sport;
    key->high_port = down ? t->sport : t->dport;
    return down;
}

static size_t hash(const struct key *key)
{
    uint64_t h = 0x9e3779b97f4a7c15u, words[5];
    static_assert(sizeof(words) == sizeof(*key), "the key is hashed whole");
    memcpy(words, key, sizeof(words));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        h = (h ^ words[i]) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return (size_t)h;
}

static struct flow *find(struct flows *flows, const struct key *key)
{
    size_t i = hash(key) & (flows->cap - 1);
    while (flows->slots[i].key.version && memcmp(&flows->slots[i].key, key, sizeof(*key)) != 0)
        i = (i + 1) & (flows->cap - 1);
    return &flows->slots[i];
}

static void grow(struct flows *flows)
{
    struct flows old = *flows;
    flows->cap *= 2;
    flows->slots = xcalloc(flows->cap, sizeof(*flows->slots));
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].key.version)
            *find(flows, &old.slots[i].key) = old.slots[i];
    free(old.slots);
}

static struct flow *insert(struct flows *flows, const struct key *key)
{
    if (flows->n == FLOWS_MAX) {
        memset(flows->slots, 0, flows->cap * sizeof(*flows->slots));
        flows->n = 0;
    } else if (flows->n >= flows->cap / 2) {
        grow(flows);
    }
    flows->n++;
    struct flow *flow = find(flows, key);
    flow->key = *key;
    return flow;
}

struct flow_bases flows_number(struct flows *flows, const struct packet *p)
{
    const struct tcp_header *t = &p->tcp;
    struct key key;
    if (!(t->flags & TCP_ACK))
        return (struct flow_bases){0};
    bool down = make_key(&key, p);
    struct flow *flow = find(flows, &key);
    bool fresh = !flow->key.version;
    if (fresh)
        flow = insert(flows, &key);
    if (fresh || t->flags & TCP_SYN) {
        flow->low_first = down ? t->ack - 1 : t->seq;
        flow->high_first = down ? t->seq : t->ack - 1;
        return (struct flow_bases){.sack = t->ack - 1};
    }
    return (struct flow_bases){
        .seq = down ? flow->high_first : flow->low_first,
        .ack = down ? flow->low_first : flow->high_first,
    };
}
