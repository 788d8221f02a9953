/* Checks of the values that a segment's line may hold. */

#include "transcript/pattern.h"

static void check_flags(struct reader *r, struct slice v)
{
    static const char order[] = "FSRP.UEWe";
    const char *last = NULL;
    if (slice_is(v, "none") || slice_is(v, "*"))
        return;
    bool ordered = v.n > 0;
    for (size_t i = 0; i < v.n; i++) {
        const char *p = v.at[i] ? strchr(order, v.at[i]) : NULL;
        if (!p) {
            reader_complain(r, (struct slice){v.at + i, 1},
                            "S SYN, F FIN, R RST, P PSH, . ACK, U URG, E ECE, W CWR, e AE; "
                            "`none` for no flag",
                            "there is no such flag");
            return;
        }
        ordered = ordered && (!last || p > last);
        last = p;
    }
    if (!ordered)
        reader_complain(r, v, "tcpdump's order is F S R P . U E W e, each at most once",
                        v.n ? "flags in an order that tcpdump never prints" : "no flags");
}

static void check_number(struct reader *r, struct slice v, uint64_t max, bool due)
{
    uint64_t n;
    const char *hint =
        due ? "a number, `*` for any, `~` for what it must be" : "a number, or `*` for any";
    if (slice_number(v, max, &n) || slice_is(v, "*") || (due && slice_is(v, "~")))
        return;
    if (v.n > 1 && v.at[0] == '$')
        return;
    if (slice_is(v, "~"))
        reader_complain(r, v, "`~` is for seq, ack, win, TS val and ecr; `*` is any value",
                        "a connection's history does not determine this value");
    else if (v.n == 0)
        reader_complain(r, v, hint, "a value is missing");
    else
        reader_complain(r, v, hint, "\"%.*s\" is no number up to %llu", (int)v.n, v.at,
                        (unsigned long long)max);
}

void reader_check_field(struct reader *r, enum field_id id, struct slice v)
{
    static const uint64_t max[FIELD_COUNT] = {
        [FIELD_SEQ] = UINT32_MAX, [FIELD_ACK] = UINT32_MAX,    [FIELD_WIN] = 65535,
        [FIELD_URG] = 65535,      [FIELD_LENGTH] = UINT32_MAX,
    };
    if (id == FIELD_FLAGS) {
        check_flags(r, v);
        return;
    }
    size_t colon = slice_find(v, ':');
    if (id == FIELD_SEQ && colon < v.n) {
        check_number(r, (struct slice){v.at, colon}, UINT32_MAX, false);
        check_number(r, (struct slice){v.at + colon + 1, v.n - colon - 1}, UINT32_MAX, false);
        return;
    }
    check_number(r, v, max[id], id == FIELD_SEQ || id == FIELD_ACK || id == FIELD_WIN);
}

/* Options by tcpdump's names. */
static const char *const option_names[] = {
    "mss",
    "nop",
    "wscale",
    "sackOK",
    "sack",
    "TS",
    "eol",
    "echo",
    "echoreply",
    "cc",
    "md5",
    "ccnew",
    "ccecho",
    "scps",
    "uto",
    "ao",
    "tcp-ao",
    "mptcp",
    "tfo",
    "exp",
    "skeeter",
    "bubba",
    "trailer-checksum",
    "snap",
    "selective-neg-ack",
    "record-bound",
    "corruption-exp",
    "enhanced-auth",
};

static bool known_option(struct slice name)
{
    uint64_t value;
    if (slice_number(name, UINT32_MAX, &value)) /* CC.ECHO, for which tcpdump has no name */
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(option_names); i++)
        if (slice_is(name, option_names[i]))
            return true;
    return slice_is(name, "*") || slice_is(name, "Unknown") || slice_starts(name, "unknown-") ||
           slice_starts(name, "exp-");
}

static void check_option(struct reader *r, struct slice option)
{
    struct slice rest = option, name = slice_word(&rest), value = slice_word(&rest);
    if (name.n == 0) {
        reader_complain(r, option, NULL, "an option is missing");
        return;
    }
    if (!known_option(name)) {
        const char *near = closest_name(name.at, name.n, option_names, ARRAY_SIZE(option_names));
        cleanup_free char *hint = near ? xasprintf("did you mean \"%s\"?", near) : NULL;
        reader_complain(r, name, hint, "\"%.*s\" is no option that tcpdump prints", (int)name.n,
                        name.at);
    } else if (slice_is(name, "mss") || slice_is(name, "wscale")) {
        check_number(r, value, slice_is(name, "mss") ? 65535 : 255, false);
        if (slice_word(&rest).n)
            reader_complain(r, option, NULL, "too much in this option");
    } else if (slice_is(name, "TS")) {
        struct slice val = slice_word(&rest), ecr = slice_word(&rest), echo = slice_word(&rest);
        if (!slice_is(value, "val") || !slice_is(ecr, "ecr") || slice_word(&rest).n) {
            reader_complain(r, option, "TS val 0 ecr 0", "a time stamp has a val and an ecr");
            return;
        }
        check_number(r, val, UINT32_MAX, true);
        check_number(r, echo, UINT32_MAX, true);
    } else if ((slice_is(name, "nop") || slice_is(name, "sackOK") || slice_is(name, "eol") ||
                slice_is(name, "*")) &&
               value.n) {
        reader_complain(r, value, "commas separate options", "this option has no value");
    }
}

void reader_options(struct reader *r, struct slice text, struct pattern_item *item)
{
    bool rest = false, comma;
    do {
        size_t n = text.n;
        struct slice option = slice_until_comma(&text);
        comma = option.n < n;
        if (comma && slice_starts(option, "md5 ") && slice_starts(text, " can't check")) {
            /* The only option in which tcpdump prints a comma. */
            struct slice more = slice_until_comma(&text);
            comma = (size_t)(more.at + more.n - option.at) < n;
            option.n = (size_t)(more.at + more.n - option.at);
        }
        option = slice_trim(option);
        if (!slice_is_rest(option))
            check_option(r, option);
        else if (rest)
            reader_complain(r, option, NULL, "`…` may stand once among the options");
        rest = rest || slice_is_rest(option);
        vec_push(&item->options, option);
    } while (comma);
}
