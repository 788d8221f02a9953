#include "wire/pick.h"

#include <string.h>

#include "base/memory.h"

enum { SNAPLEN = 65535 };

static int compile(struct wire_picker *picker, struct error *err)
{
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, SNAPLEN);
    if (!dead)
        return error_set(err, STATUS_MACHINE, "libpcap cannot compile a filter here");
    int ret = 0;
    if (pcap_compile(dead, &picker->filter, picker->pick->filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        ret = error_set(err, STATUS_USAGE, "the filter \"%s\": %s", picker->pick->filter,
                        pcap_geterr(dead));
    pcap_close(dead);
    return ret;
}

int wire_picker_init(struct wire_picker *picker, const struct wire_pick *pick, struct error *err)
{
    *picker = (struct wire_picker){.pick = pick};
    if (pick->kind == WIRE_PICK_FLAGS &&
        !tcp_flags_read(pick->flags, strlen(pick->flags), &picker->flags))
        return error_set(err, STATUS_USAGE, "[%s] are no flags", pick->flags);
    return pick->kind == WIRE_PICK_FILTER ? compile(picker, err) : 0;
}

void wire_picker_free(struct wire_picker *picker)
{
    pcap_freecode(&picker->filter);
}

bool wire_picker_means(const struct wire_picker *picker, const struct packet *p, uint32_t first)
{
    const struct wire_pick *pick = picker->pick;
    const struct tcp_header *t = &p->tcp;
    struct pcap_pkthdr header = {.caplen = p->frame.caplen, .len = p->frame.wirelen};
    bool is_tcp = p->transport == TRANSPORT_TCP;
    switch (pick->kind) {
    case WIRE_PICK_ANY:
        return true;
    case WIRE_PICK_FLAGS:
        return is_tcp && t->flags == picker->flags;
    case WIRE_PICK_DATA:
        return is_tcp && t->payload_len > 0;
    case WIRE_PICK_ACK:
        return is_tcp && t->flags == TCP_ACK && t->payload_len == 0;
    case WIRE_PICK_SEQ:
        return is_tcp && tcp_seq_len(t) > 0 && t->seq - first == pick->seq;
    case WIRE_PICK_FILTER:
        return pcap_offline_filter(&picker->filter, &header, p->frame.data) != 0;
    }
    return false;
}

bool wire_picker_takes(struct wire_picker *picker, const struct packet *p, uint32_t first)
{
    const struct wire_pick *pick = picker->pick;
    if (!wire_picker_means(picker, p, first))
        return false;
    picker->seen++;
    if (pick->every)
        return picker->seen % pick->every == 0;
    return picker->seen >= pick->first && (pick->last == 0 || picker->seen <= pick->last);
}
