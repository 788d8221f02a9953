#include "record/any_capture.h"

#include "record/doubles.h"
#include "record/frames.h"

/* -------------------------------------------------------------------- reading */

static int read_file(struct record *r, const char *path, size_t most, struct error *err)
{
    int ret = record_read_frames(r, path, NULL, most, "shown", err);
    if (ret < 0)
        return -1;
    if (ret > 0)
        vec_push(&r->remarks, xasprintf("only the first %zu packets are shown: `tcpdump -r … -w "
                                        "…` with a filter makes it smaller",
                                        most));
    if (r->packets.n == 0)
        return error_set(err, STATUS_USAGE, "%s has no packet", path);
    return 0;
}

/* ---------------------------------------------------------------------- hosts */

static void add_host(struct record *r, const struct ipaddr *addr)
{
    if (r->hosts.n == ANY_CAPTURE_HOSTS || addr->version == 0 || record_find_host(r, addr) >= 0)
        return;
    struct strbuf name = STRBUF_INIT;
    strbuf_ipaddr(&name, addr);
    struct record_host *host = vec_add(&r->hosts);
    host->name = strbuf_steal(&name);
    vec_push(&host->addrs, *addr);
}

static void find_hosts(struct record *r)
{
    cleanup_free struct packet *p = xcalloc(1, sizeof(*p));
    vec_each (&r->packets, rp) {
        packet_decode(p, &rp->frame);
        bool valid =
            p->net == NET_IP && (p->ip.state == LAYER_OK || p->ip.state == LAYER_BAD_EXTENSION);
        if (!valid)
            continue;
        add_host(r, &p->ip.src);
        add_host(r, &p->ip.dst);
        r->ip = r->ip ? r->ip : p->ip.src.version;
    }
}

struct record *record_from_any_capture(const char *path, size_t most, struct error *err)
{
    struct record *r = record_new();
    r->clock = xstrdup("real");
    if (read_file(r, path, most, err) < 0) {
        record_free(r);
        return NULL;
    }
    record_leave_out_doubles(r);
    find_hosts(r);
    r->began = r->packets.at[0].frame.time;
    r->ended = r->packets.at[r->packets.n - 1].frame.time;
    return r;
}
