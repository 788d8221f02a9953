#include "record/load_capture.h"

#include <inttypes.h>

#include "capture/pcapng_read.h"

#define MAX_FRAME (1u << 18)

/* Whether interface i is the capture point of the same number. */
static int check_interface(const struct record *r, const struct pcapng_reader *reader, size_t i,
                           struct error *err)
{
    const struct pcapng_source *source = pcapng_interface(reader, i);
    if (i >= r->points.n)
        return error_set(err, STATUS_USAGE, "it has more interfaces than there are capture points");
    const struct record_point *point = &r->points.at[i];
    if (!source->name || strcmp(source->name, point->name) != 0)
        return error_set(err, STATUS_USAGE,
                         "its interface %zu is not named \"%s\", after its capture point", i,
                         point->name);
    if (source->linktype != point->linktype)
        return error_set(err, STATUS_USAGE,
                         "its interface %zu has another link type than its capture point", i);
    return 0;
}

static int check_interfaces(const struct record *r, const struct pcapng_reader *reader,
                            struct error *err)
{
    size_t n = pcapng_interfaces(reader);
    for (size_t i = 0; i < n; i++)
        if (check_interface(r, reader, i, err) < 0)
            return -1;
    if (n < r->points.n)
        return error_set(err, STATUS_USAGE, "it has %zu interfaces for %zu capture points", n,
                         r->points.n);
    return 0;
}

static int take_packet(struct record *r, const struct pcapng_packet *p, nsec max_stamp,
                       struct error *err)
{
    size_t number = r->packets.n + 1;
    if (p->interface >= r->points.n)
        return error_set(err, STATUS_USAGE, "packet %zu is of no capture point", number);
    if (p->frame.time < 0 || p->frame.time > max_stamp)
        return error_set(err, STATUS_USAGE, "the stamp of packet %zu is out of range", number);
    if (p->frame.caplen > MAX_FRAME || p->frame.caplen > p->frame.wirelen)
        return error_set(err, STATUS_USAGE, "the length of packet %zu is out of range", number);
    record_add_packet(r, (int)p->interface, p->outgoing, p->incoming, &p->frame);
    return 0;
}

int record_load_packets(struct record *r, FILE *from, nsec max_stamp, struct error *err)
{
    struct pcapng_packet packet;
    struct pcapng_reader *reader = pcapng_open(from, "it", err);
    if (!reader)
        return -1;
    int rc;
    while ((rc = pcapng_next(reader, &packet, err)) > 0 &&
           (rc = take_packet(r, &packet, max_stamp, err)) == 0)
        ;
    if (rc == 0)
        rc = check_interfaces(r, reader, err);
    pcapng_close(reader);
    return rc;
}
