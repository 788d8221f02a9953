/* Any bytes as a frame of each link type: decoded, and printed in each style.
 *
 * The first byte chooses link type and style, the second how many bytes more the
 * wire had than were captured; the rest is the frame. */
#include <pcap/dlt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "decode/flows.h"
#include "transcript/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void number(void *ctx, const struct packet *p, struct print_style *style)
{
    struct flow_bases bases = flows_number(ctx, p);
    style->seq_base = bases.seq;
    style->ack_base = bases.ack;
    style->sack_base = bases.sack;
}

static bool no_name(void *ctx, struct strbuf *sb, const struct ipaddr *addr)
{
    (void)ctx;
    if (addr->bytes[0] & 1)
        return false;
    strbuf_puts(sb, "host");
    return true;
}

static void read_all(const uint8_t *at, size_t n)
{
    static volatile uint8_t sink;
    for (size_t i = 0; i < n; i++)
        sink = at[i];
    (void)sink;
}

/* What the values lead to must be readable by those who use it. */
static void use_values(const struct packet *p)
{
    if (p->transport == TRANSPORT_TCP)
        read_all(p->tcp.payload, p->tcp.payload_captured);
    if (p->transport == TRANSPORT_UDP)
        read_all(p->udp.payload.at, p->udp.payload.n);
    if (p->transport == TRANSPORT_ICMP)
        read_all(p->icmp.quoted.at, p->icmp.quoted.n);
    for (unsigned i = 0; p->transport == TRANSPORT_TCP && i < p->tcp.n_options; i++)
        if (!p->tcp.options[i].bad)
            read_all(p->tcp.options[i].data, tcp_option_data_size(&p->tcp.options[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int linktypes[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,
                                    DLT_LOOP,   DLT_RAW,       DLT_IPV4,       DLT_USER0};
    if (size < 2)
        return 0;
    size_t n = size - 2;
    uint8_t *copy = malloc(n ? n : 1); /* of its very size, so that a read past it is seen */
    if (!copy)
        abort();
    memcpy(copy, data + 2, n);
    struct flows *flows = flows_new();
    struct frame frame = {.data = copy,
                          .caplen = (uint32_t)n,
                          .wirelen = (uint32_t)n + data[1],
                          .linktype = linktypes[data[0] & 7]};
    struct print_style style = {.ctx = flows,
                                .number = data[0] & 0x08 ? number : NULL,
                                .name = data[0] & 0x10 ? no_name : NULL,
                                .checksums = data[0] & 0x20,
                                .relative_syn = data[0] & 0x40};
    struct strbuf sb = STRBUF_INIT;
    struct packet p;
    if (!print_bad_frame(&sb, &frame)) {
        packet_decode(&p, &frame);
        print_packet(&sb, &p, &style);
        if (p.transport == TRANSPORT_TCP) {
            print_tcp(&sb, &p, &style);
            print_tcp_options(&sb, &p, &style);
        }
        use_values(&p);
    }
    strbuf_free(&sb);
    flows_free(flows);
    free(copy);
    return 0;
}
