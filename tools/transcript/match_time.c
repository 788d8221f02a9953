/* Which bounds a line's times have when a packet is taken for it. */

#include "transcript/match.h"

/* What the host's lateness is at the least, whenever it was. */
static struct timing_host calm_host(const struct match_rules *rules)
{
    struct timing_host host = rules->host;
    if (rules->record)
        host.lateness = record_lateness(rules->record, 0, 0);
    return host;
}

/* And what it was in the last `back` ns before the packet's stamp, and `ahead` behind it. */
static struct timing_host host_then(const struct match_rules *rules, const struct observed *o,
                                    nsec ahead, nsec back)
{
    struct timing_host host = rules->host;
    if (rules->record) {
        nsec stamp = rules->record->packets.at[o->s->packet].frame.time;
        host.lateness = record_lateness(rules->record, stamp - back, stamp + ahead);
    }
    return host;
}

/* --------------------------------------------------------------------- travels */

/* What the wire held back goes on behind others, so it waits for what these wait for: for
 * a timer, for an arrival, or for nothing. */
static struct timing_bounds held_travel(const struct timing_host *host, nsec nominal,
                                        const struct timing_path *path, struct timing_rtt rtt)
{
    struct timing_bounds b = timing_answer_later(host, nominal, path);
    nsec latest = timing_derive(host, nominal, TIMING_DATA, rtt).latest;
    b.kind = TIMING_TRAVEL;
    if (latest > b.latest)
        b.latest = latest;
    return b;
}

struct timing_rtt match_rtt(const struct story_segment *s)
{
    return (struct timing_rtt){s->rtt_least, s->rtt, s->rtt_single};
}

static struct timing_bounds travel_by(const struct match_rules *rules,
                                      const struct timing_host *host, nsec nominal,
                                      const struct observed *o)
{
    if (o->s->held)
        return held_travel(host, nominal, &rules->path, match_rtt(o->s));
    return timing_travel(host, nominal, &rules->path);
}

/* From the least that the line says to the most. */
static struct timing_bounds travel_for(const struct match_rules *rules,
                                       const struct timing_host *host, const struct pattern_item *e,
                                       const struct observed *o)
{
    if (e->fate != FATE_ARRIVES)
        return travel_by(rules, host, 0, o);
    struct timing_bounds b = travel_by(rules, host, e->travel_most, o);
    if (e->travel != e->travel_most)
        b.earliest = travel_by(rules, host, e->travel, o).earliest;
    return b;
}

struct timing_bounds match_travel(const struct match_rules *rules, const struct pattern_item *e,
                                  const struct observed *o)
{
    struct timing_host host = calm_host(rules);
    struct timing_bounds b = travel_for(rules, &host, e, o);
    if (timing_within(&b, o->s->travel))
        return b;
    host = host_then(rules, o, o->s->travel, 0);
    return travel_for(rules, &host, e, o);
}

/* ------------------------------------------------------------------- intervals */

static enum timing_base base_of(const struct pattern_item *line)
{
    struct slice flags = line->fields[FIELD_FLAGS].value;
    if (line->kind != ITEM_SEGMENT)
        return TIMING_OTHER;
    return slice_find(flags, 'S') < flags.n ? TIMING_SYN : TIMING_DATA;
}

/* A timer that was set when something arrived, `since` after the segment before. */
static struct timing_bounds timer_since(const struct match_rules *rules,
                                        const struct timing_host *host, nsec nominal,
                                        const struct observed *o, nsec since)
{
    (void)rules;
    struct timing_bounds b =
        timing_derive(host, nominal - since, base_of(&o->line), match_rtt(o->s));
    b.nominal += since;
    b.earliest += since;
    b.latest += since;
    return b;
}

/* A timer runs from the sending.  Where another segment, such as an answer that is lost, comes in
 * between, the transcript counts from that; it came at once, but that is a moment, too, and the
 * interval is the shorter for it. */
static bool timer_of_sending(const struct observed *o, struct timing_bounds *b)
{
    nsec moment = o->s->waited - o->gap;
    if (o->s->waited == 0 || moment <= 0 || moment > TIMING_AT_ONCE + b->lateness ||
        !timing_within(b, o->s->waited))
        return false;
    b->earliest -= moment;
    b->latest -= moment;
    return true;
}

/* By the timer or the arrival that explains the interval, if one does. */
static bool bounds_by(const struct match_rules *rules, const struct timing_host *host, nsec nominal,
                      const struct observed *o, struct timing_bounds *b)
{
    *b = timing_derive(host, nominal, base_of(&o->line), match_rtt(o->s));
    if (nominal == 0 || timing_within(b, o->gap))
        return timing_within(b, o->gap);
    if (timer_of_sending(o, b))
        return true;
    if (!o->s->answers)
        return false;
    struct timing_bounds answer = o->s->direct
                                      ? timing_answer(host, nominal, &rules->path, o->s->response)
                                      : timing_answer_later(host, nominal, &rules->path);
    bool at_once = o->s->response <= TIMING_AT_ONCE + answer.lateness;
    nsec since = o->gap - o->s->response;
    if (at_once && timing_within(&answer, o->gap)) {
        *b = answer;
        return true;
    }
    if (since > 0 && since < nominal) {
        struct timing_bounds later = timer_since(rules, host, nominal, o, since);
        if (timing_within(&later, o->gap)) {
            *b = later;
            return true;
        }
    }
    /* What is told of one that nothing explains. */
    if (at_once && since > TIMING_AT_ONCE)
        *b = answer;
    return false;
}

struct timing_bounds match_bounds(const struct match_rules *rules, const struct pattern_item *e,
                                  const struct observed *o)
{
    /* A late machine excuses only what it was late at: from the moment at which the
     * timer was due at the earliest. */
    struct timing_host host = calm_host(rules);
    struct timing_bounds b;
    if (bounds_by(rules, &host, e->interval, o, &b))
        return b;
    host = host_then(rules, o, 0, o->gap > b.earliest ? o->gap - b.earliest : o->gap);
    bounds_by(rules, &host, e->interval, o, &b);
    return b;
}
