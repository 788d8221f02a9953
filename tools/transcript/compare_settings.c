/* What was set differently in two runs, and which states of sockets only one of them saw. */
#include "transcript/compare_parts.h"

/* ------------------------------------------------------------------- settings */

static void add_setting(struct compared *out, const char *name, const char *a, const char *b)
{
    if (strcmp(a ? a : "", b ? b : "") == 0)
        return;
    struct compared_setting *s = vec_add(&out->settings);
    s->name = xstrdup(name);
    s->value[0] = a ? xstrdup(a) : NULL;
    s->value[1] = b ? xstrdup(b) : NULL;
}

static char *tick_of(const struct record *r)
{
    struct strbuf sb = STRBUF_INIT;
    if (r->tick)
        strbuf_duration(&sb, r->tick);
    return r->tick ? strbuf_steal(&sb) : NULL;
}

static const char *host_name(const struct record *r, int host)
{
    return host >= 0 && (size_t)host < r->hosts.n ? r->hosts.at[host].name : "";
}

/* A setting of the host of that name; NULL: the record does not have it. */
static const struct record_sysctl *find_sysctl(const struct record *r,
                                               const struct record_sysctl *like, const char *host)
{
    vec_each (&r->sysctls, s)
        if (strcmp(s->key, like->key) == 0 && strcmp(host_name(r, s->host), host) == 0)
            return s;
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0 && !a == !b;
}

/* One row for all hosts that have the same two values. */
static void add_sysctl(struct compared *out, const char *key, const char *host, const char *a,
                       const char *b)
{
    vec_each (&out->settings, s) {
        if (!s->hosts || strcmp(s->name, key) != 0 || !same_text(s->value[0], a) ||
            !same_text(s->value[1], b))
            continue;
        char *more = xasprintf("%s, %s", s->hosts, host);
        free(s->hosts);
        s->hosts = more;
        return;
    }
    struct compared_setting *s = vec_add(&out->settings);
    *s = (struct compared_setting){.name = xstrdup(key),
                                   .hosts = xstrdup(host),
                                   .value = {a ? xstrdup(a) : NULL, b ? xstrdup(b) : NULL}};
}

static const char *value_of(const struct record_sysctl *s)
{
    return s && !s->absent ? s->value : NULL;
}

static void compare_sysctls(struct compared *out, const struct record *a, const struct record *b)
{
    vec_each (&a->sysctls, s) {
        const char *host = host_name(a, s->host);
        const char *x = value_of(s), *y = value_of(find_sysctl(b, s, host));
        if (!same_text(x, y))
            add_sysctl(out, s->key, host, x, y);
    }
    vec_each (&b->sysctls, s) {
        const char *host = host_name(b, s->host);
        if (!find_sysctl(a, s, host) && !s->absent)
            add_sysctl(out, s->key, host, NULL, s->value);
    }
}

void compare_settings(struct compared *out, const struct record *a, const struct record *b)
{
    cleanup_free char *tick_a = tick_of(a);
    cleanup_free char *tick_b = tick_of(b);
    static const char *const ip[] = {NULL, NULL, NULL, NULL, "4", NULL, "6"};
    /* Of a capture that somebody made, nothing is known. */
    if (!a->kernel || !b->kernel)
        return;
    add_setting(out, "lab", a->lab, b->lab);
    add_setting(out, "kernel", a->kernel, b->kernel);
    add_setting(out, "machine", a->machine, b->machine);
    add_setting(out, "clock", a->clock, b->clock);
    add_setting(out, "tick", tick_a, tick_b);
    add_setting(out, "IP version", ip[a->ip % 7], ip[b->ip % 7]);
    compare_sysctls(out, a, b);
}

/* --------------------------------------------------------------------- states */

static bool has_state(const struct record *r, const char *host, enum tcp_state state)
{
    vec_each (&r->states, s)
        if (s->new == state && strcmp(host_name(r, s->host), host) == 0)
            return true;
    return false;
}

/* Which states of a host were seen in one run only.  A look may miss one that did not last,
 * so this is told, and is no difference. */
void compare_states(struct compared *out, const struct record *a, const struct record *b)
{
    const struct record *r[2] = {a, b};
    if (!a->has_states || !b->has_states)
        return;
    for (int side = 0; side < 2; side++)
        vec_each (&r[side]->hosts, host)
            for (enum tcp_state state = 1; state < TCP_STATE_COUNT; state++)
                if (has_state(r[side], host->name, state) &&
                    !has_state(r[!side], host->name, state))
                    vec_push(&out->states, xasprintf("%s: %s was seen in %s only", host->name,
                                                     tcp_state_names[state], side ? "b" : "a"));
}
