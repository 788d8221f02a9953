/* The kinds of lines: calls, links, quiet times; what is none of these is a packet. */

#include "base/errno.h"
#include "transcript/pattern.h"

bool reader_actor(const struct reader *r, struct slice name)
{
    if (!r->lab)
        return false;
    vec_each (&r->lab->hosts, h)
        if (slice_is(name, h->name))
            return true;
    return false;
}

static const char *const call_verbs[] = {
#define X(id, name, ...) name,
    HOST_VERBS(X)
#undef X
};

bool reader_has_call(struct slice verb)
{
    for (size_t i = 0; i < ARRAY_SIZE(call_verbs); i++)
        if (slice_is(verb, call_verbs[i]))
            return true;
    return false;
}

size_t reader_find_arrow(struct slice s)
{
    bool quoted = false;
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (quoted && s.at[i] == '\\')
            i++;
        else if (s.at[i] == '"')
            quoted = !quoted;
        else if (!quoted && s.at[i] == '=' && s.at[i + 1] == '>')
            return i;
    }
    return s.n;
}

/* A word in capitals that begins with E is an errno value's name. */
static void check_result(struct reader *r, struct slice result)
{
    if (result.n < 2 || result.at[0] != 'E' || !r->lab || slice_find(result, ' ') < result.n)
        return;
    for (size_t i = 1; i < result.n; i++)
        if (!((result.at[i] >= 'A' && result.at[i] <= 'Z') ||
              (result.at[i] >= '0' && result.at[i] <= '9')))
            return;
    if (errno_from_name(result.at, result.n) || slice_is(result, "ESTABLISHED"))
        return;
    const char *near = errno_closest(result.at, result.n);
    cleanup_free char *hint = near ? xasprintf("did you mean %s?", near) : NULL;
    reader_complain(r, result, hint, "there is no error \"%.*s\"", (int)result.n, result.at);
}

static void read_call(struct reader *r, struct slice rest, struct pattern_item *item)
{
    item->kind = ITEM_CALL;
    item->verb = slice_word(&rest);
    if (!reader_has_call(item->verb) && r->lab) {
        const char *near =
            closest_name(item->verb.at, item->verb.n, call_verbs, ARRAY_SIZE(call_verbs));
        cleanup_free char *hint =
            near ? xasprintf("did you mean \"%s\"?", near)
                 : xstrdup("behind `HOST:` stands a call; a label may not be a host's name");
        reader_complain(r, item->verb, hint, "a host cannot \"%.*s\"", (int)item->verb.n,
                        item->verb.at);
        return;
    }
    size_t arrow = reader_find_arrow(rest);
    item->args = slice_trim((struct slice){rest.at, arrow});
    if (arrow < rest.n) {
        struct slice where = {rest.at + arrow, 2};
        slice_skip(&rest, arrow + 2);
        item->result = slice_trim(rest);
        if (item->result.n == 0)
            reader_complain(r, where, "`=> 12`, `=> ECONNREFUSED`, `=> \"yes\\n\"` or `=> *`",
                            "the result is missing");
        check_result(r, item->result);
    }
    if (slice_is(item->verb, "state") && item->result.n == 0) {
        item->kind = ITEM_STATE;
        item->state = item->args;
        if (item->state.n == 0 || slice_find(item->state, ' ') < item->state.n)
            reader_complain(r, item->verb, "`client: state ESTABLISHED`",
                            "one state's name stands here");
    }
}

/* `client:` or `client as b:` at the front of *rest. */
static bool read_actor(struct reader *r, struct slice *rest, struct pattern_item *item)
{
    struct slice left = *rest, word = slice_word(&left);
    bool colon = word.n > 1 && word.at[word.n - 1] == ':';
    struct slice as = {0};
    if (!colon) {
        struct slice keyword = slice_word(&left);
        as = slice_word(&left);
        if (!slice_is(keyword, "as") || as.n < 2 || as.at[as.n - 1] != ':')
            return false;
        as.n--;
    }
    word.n -= colon;
    if (r->lab ? !reader_actor(r, word) : !slice_is_name(word))
        return false;
    item->host = word;
    item->as = as;
    *rest = left;
    return true;
}

static void read_link(struct reader *r, struct slice rest, struct pattern_item *item)
{
    slice_word(&rest);
    struct slice host = slice_word(&rest), way = slice_word(&rest);
    item->kind = ITEM_LINK;
    item->host = host;
    item->up = slice_is(way, "up");
    if (r->lab && !reader_actor(r, host))
        reader_complain(r, host, "`link server down`", "the lab has no host \"%.*s\"", (int)host.n,
                        host.at);
    if ((!item->up && !slice_is(way, "down")) || slice_word(&rest).n)
        reader_complain(r, way, "`link server down` or `link server up`", "a link goes up or down");
}

static void read_quiet(struct reader *r, struct slice rest, struct pattern_item *item)
{
    slice_word(&rest);
    struct slice time = slice_trim(rest);
    item->kind = ITEM_QUIET;
    if (parse_duration(time.at, time.n, &item->quiet) != time.n || item->quiet == 0 ||
        item->quiet > TIMING_LONGEST)
        reader_complain(r, time, "`quiet 3s`; units are ns, us, ms, s and m",
                        "how long is it quiet?");
    if (item->has_interval)
        reader_complain(r, item->interval_text, NULL, "quiet begins with the line before");
}

/* What tcpdump says inside a line about a segment that is cut off or malformed. */
static bool is_odd(struct slice body)
{
    static const char *const marks[] = {"[bad ", "[|", "[len ", "[RST", "[!RST", "[remaining "};
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (memmem(body.at, body.n, marks[i], strlen(marks[i])))
            return true;
    return false;
}

/* Of TCP, and well formed: anything else is compared as words. */
static bool is_segment(struct slice body)
{
    struct slice from = slice_word(&body), arrow = slice_word(&body), to = slice_word(&body);
    struct slice word = slice_word(&body);
    if (from.n == 0 || !slice_is(arrow, ">") || to.n < 2 || to.at[to.n - 1] != ':' || is_odd(body))
        return false;
    return slice_is(word, "Flags") || slice_starts(word, "Flags[") || slice_starts(word, "…") ||
           slice_starts(word, "...");
}

void reader_body(struct reader *r, struct slice body, struct pattern_item *item)
{
    struct slice rest = body, first = slice_word(&rest);
    if (slice_is(first, "quiet")) {
        read_quiet(r, body, item);
    } else if (slice_is(first, "link")) {
        read_link(r, body, item);
    } else if (read_actor(r, &body, item)) {
        read_call(r, body, item);
    } else if (first.n == 0) {
        reader_complain(r, body, NULL, "a line is missing here");
    } else {
        reader_tail(r, &body, item);
        if (is_segment(body))
            reader_segment(r, body, item);
        else
            reader_words(r, body, item);
    }
}

static bool is_group_open(struct slice line)
{
    struct slice any = slice_word(&line), order = slice_word(&line);
    if (slice_is(any, "any") && slice_is(order, "order{") && slice_trim(line).n == 0)
        return true;
    return slice_is(any, "any") && slice_is(order, "order") && slice_is(slice_trim(line), "{");
}

bool reader_opens(struct reader *r, struct slice line, struct pattern_item *item)
{
    struct slice rest = line;
    if (is_group_open(line)) {
        item->kind = ITEM_GROUP_OPEN;
        return true;
    }
    if (!slice_is(slice_word(&rest), "mix") || line.at[line.n - 1] != '{')
        return false;
    item->kind = ITEM_MIX_OPEN;
    rest = slice_trim((struct slice){rest.at, rest.n - 1});
    if (rest.n == 0)
        reader_complain(r, line, "`mix 100..2000 {`", "how many packets does this mix have?");
    else if (reader_range(r, rest, "`mix 6 {`, or `mix 100..2000 {`", &item->least, &item->most) &&
             item->most == 0)
        reader_complain(r, rest, NULL, "a mix of no packets says nothing");
    return true;
}

/* The line with this label, or NULL. */
static const struct pattern_item *labelled(const struct pattern *p, struct slice label)
{
    if (p)
        vec_each (&p->items, item)
            if (item->label.n && slice_equal(item->label, label))
                return item;
    return NULL;
}

/* `after LABEL` behind the interval; takes it off. */
static void read_since(struct reader *r, struct slice *rest, struct pattern_item *item)
{
    struct slice left = *rest, after = slice_word(&left), label = slice_word(&left);
    if (!slice_is(after, "after"))
        return;
    const struct pattern_item *since = labelled(r->pattern, label);
    bool packet = since && (since->kind == ITEM_SEGMENT || since->kind == ITEM_WORDS);
    *rest = left;
    item->since = label;
    if (r->diags && !since)
        reader_complain(r, label.n ? label : after, "`+2s after retry1 client: …`",
                        "no line above has this label");
    else if (r->diags &&
             (!packet || since->point >= 0 || since->group || since->optional || since->most != 1))
        reader_complain(r, label, "an interval begins at one packet, which has to come",
                        "this label names something else");
}

void reader_interval(struct reader *r, struct slice *rest, struct pattern_item *item)
{
    struct slice left = *rest, word = slice_word(&left);
    if (word.n == 0 || word.at[0] != '+')
        return;
    item->has_interval = true;
    item->interval_text = word;
    if (word.n < 2 || parse_duration(word.at + 1, word.n - 1, &item->interval) != word.n - 1)
        reader_complain(r, word, "`+1s`, `+200ms`, `+0`; units are ns, us, ms, s and m",
                        "this is no interval with its unit");
    else if (item->interval > TIMING_LONGEST)
        reader_complain(r, word, NULL, "an interval is 30 days at most");
    read_since(r, &left, item);
    *rest = left;
}

bool pattern_read_line(struct pattern_item *item, struct pattern *pattern, const struct lab *lab,
                       struct slice line)
{
    struct reader r = {.lab = lab, .pattern = pattern, .base = line.at};
    *item = (struct pattern_item){.point = -1, .least = 1, .most = 1};
    line = slice_trim(line);
    reader_interval(&r, &line, item);
    reader_body(&r, line, item);
    return r.errors == 0;
}
