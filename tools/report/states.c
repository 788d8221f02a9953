#include "report/states.h"

#include <inttypes.h>

#include "report/plain.h"

/* TCP_INFINITE_SSTHRESH of include/net/tcp.h: nothing was lost so far. */
#define INFINITE_SSTHRESH 0x7fffffff

/* Columns of the table; a time is shown in milliseconds. */
static const struct column {
    const char *title;
    size_t offset;
    bool is_time;
} columns[] = {
    {"cwnd", offsetof(struct record_values, cwnd), false},
    {"ssthresh", offsetof(struct record_values, ssthresh), false},
    {"unacked", offsetof(struct record_values, unacked), false},
    {"lost", offsetof(struct record_values, lost), false},
    {"retrans", offsetof(struct record_values, retrans), false},
    {"backoff", offsetof(struct record_values, backoff), false},
    {"rto/ms", offsetof(struct record_values, rto), true},
    {"srtt/ms", offsetof(struct record_values, srtt), true},
};

static int64_t value_of(const struct record_values *values, const struct column *c)
{
    return *(const int64_t *)((const char *)values + c->offset);
}

static nsec origin_of(const struct record *record)
{
    return record->packets.n ? record->packets.at[0].frame.time : record->began;
}

/* "client.34406", or the address where no host has it. */
static void put_end(struct strbuf *out, const struct record *record, int host,
                    const struct ipaddr *addr, unsigned port)
{
    if (host >= 0)
        plain_add(out, record->hosts.at[host].name);
    else
        strbuf_ipaddr(out, addr);
    strbuf_printf(out, ".%u", port);
}

static void put_socket(struct strbuf *out, const struct record *record,
                       const struct record_state *s)
{
    put_end(out, record, s->host, &s->local, s->local_port);
    if (s->remote.version == 0)
        return;
    strbuf_puts(out, " > ");
    put_end(out, record, record_find_host(record, &s->remote), &s->remote, s->remote_port);
}

static void put_value(struct strbuf *out, const struct column *c,
                      const struct record_values *values)
{
    int64_t value = values ? value_of(values, c) : -1;
    int width = (int)strlen(c->title) < 6 ? 6 : (int)strlen(c->title);
    bool infinite =
        c->offset == offsetof(struct record_values, ssthresh) && value == INFINITE_SSTHRESH;
    if (value < 0 || infinite)
        strbuf_printf(out, "  %*s", width, "-");
    else if (c->is_time)
        strbuf_printf(out, "  %*.*f", width, value < 100 * NSEC_PER_MSEC ? 2 : 0,
                      (double)value / NSEC_PER_MSEC);
    else
        strbuf_printf(out, "  %*" PRId64, width, value);
}

static void put_titles(struct strbuf *out, size_t width, bool traced)
{
    strbuf_printf(out, "   time/ms  %-*s  state", (int)width, "socket");
    if (traced) {
        strbuf_pad(out, ' ', strlen("SYN-RECEIVED") - strlen("state"));
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
            int least = (int)strlen(columns[i].title) < 6 ? 6 : (int)strlen(columns[i].title);
            strbuf_printf(out, "  %*s", least, columns[i].title);
        }
    }
    strbuf_putc(out, '\n');
}

static void put_row(struct strbuf *out, const struct record *record, const struct record_state *s,
                    size_t width)
{
    struct strbuf socket cleanup_strbuf = STRBUF_INIT;
    put_socket(&socket, record, s);
    strbuf_printf(out, "%10.3f  %-*s  ", (double)(s->time - origin_of(record)) / NSEC_PER_MSEC,
                  (int)width, strbuf_cstr(&socket));
    strbuf_printf(out, s->has_values ? "%-12s" : "%s", tcp_state_names[s->new]);
    for (size_t i = 0; s->has_values && i < ARRAY_SIZE(columns); i++)
        put_value(out, &columns[i], &s->values);
    strbuf_putc(out, '\n');
}

void report_states(struct strbuf *out, const struct record *record)
{
    size_t width = strlen("socket");
    bool traced = false;
    if (!record->has_states) {
        strbuf_puts(out, "Nobody looked at the states of sockets in this run.\n");
        return;
    }
    vec_each (&record->states, s) {
        struct strbuf socket cleanup_strbuf = STRBUF_INIT;
        put_socket(&socket, record, s);
        width = socket.len > width ? socket.len : width;
        traced |= s->has_values;
    }
    put_titles(out, width, traced);
    vec_each (&record->states, s)
        put_row(out, record, s, width);
    if (record->states_cut)
        strbuf_puts(out, "There was more to see than a record has room for.\n");
}

static void put_number(struct strbuf *out, const struct record_state *s, const int64_t *value)
{
    strbuf_putc(out, '\t');
    if (!s->has_values || *value < 0)
        return;
    if (value == &s->values.ca_state)
        strbuf_puts(out, tcp_ca_state_names[*value]);
    else
        strbuf_printf(out, "%" PRId64, *value);
}

void report_states_tsv(struct strbuf *out, const struct record *record)
{
    strbuf_puts(out, "time_ns\tsocket\told\tnew");
#define X(member, name) strbuf_puts(out, "\t" name);
    RECORD_VALUES(X)
#undef X
    strbuf_putc(out, '\n');
    vec_each (&record->states, s) {
        strbuf_printf(out, "%" PRId64 "\t", s->time - origin_of(record));
        put_socket(out, record, s);
        strbuf_printf(out, "\t%s\t%s", s->old ? tcp_state_names[s->old] : "",
                      tcp_state_names[s->new]);
#define X(member, name) put_number(out, s, &s->values.member);
        RECORD_VALUES(X)
#undef X
        strbuf_putc(out, '\n');
    }
}
