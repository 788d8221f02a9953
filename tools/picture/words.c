/* A picture's rows in words: what fits on an arrow. */
#include <string.h>

#include "picture/picture.h"

/* ------------------------------------------------------------------- fields */

/* The next part of a tcpdump line that ends in ", ", brackets kept together. */
static const char *next_field(const char **p, size_t *n)
{
    const char *begin = *p, *s = begin;
    int depth = 0;
    if (!*s)
        return NULL;
    for (; *s; s++) {
        if (*s == '[')
            depth++;
        else if (*s == ']')
            depth--;
        else if (depth <= 0 && s[0] == ',' && s[1] == ' ')
            break;
    }
    *n = (size_t)(s - begin);
    *p = *s ? s + 2 : s;
    return begin;
}

static bool begins(const char *field, size_t n, const char *with)
{
    size_t len = strlen(with);
    return n >= len && memcmp(field, with, len) == 0;
}

static void put(struct strbuf *sb, const char *s, size_t n)
{
    if (sb->len && sb->data[sb->len - 1] != ' ')
        strbuf_putc(sb, ' ');
    strbuf_add(sb, s, n);
}

/* Of `options [mss 1460,sackOK,…]` the MSS and the blocks of SACK. */
static void put_options(struct strbuf *sb, const char *field, size_t n, bool all)
{
    static const char *const told[] = {"mss ", "sack "};
    size_t skip = strlen("options [");
    if (n <= skip + 1)
        return;
    if (all) {
        put(sb, "<", 1);
        strbuf_add(sb, field + skip, n - skip - 1);
        strbuf_putc(sb, '>');
        return;
    }
    for (size_t at = skip, end; at < n - 1; at = end + 1) {
        for (end = at; end < n - 1 && field[end] != ','; end++)
            ;
        for (size_t i = 0; i < ARRAY_SIZE(told); i++)
            if (begins(field + at, end - at, told[i]))
                put(sb, field + at, end - at);
    }
}

static void put_field(struct strbuf *sb, const char *field, size_t n, enum picture_detail detail)
{
    bool data = begins(field, n, "length ") && !(n == 8 && field[7] == '0');
    if (begins(field, n, "Flags ")) {
        put(sb, field + 6, n - 6);
    } else if (begins(field, n, "options ")) {
        if (detail <= PICTURE_NO_ACK)
            put_options(sb, field, n, detail == PICTURE_OPTIONS);
    } else if (begins(field, n, "length ")) {
        if (data && detail < PICTURE_NUMBERS) {
            put(sb, "len", 3);
            put(sb, field + 7, n - 7);
        }
    } else if (begins(field, n, "win ")) {
        if (detail < PICTURE_NO_WINDOW)
            put(sb, field, n);
    } else if (detail < PICTURE_FLAGS) {
        put(sb, field, n);
    }
}

/* Without data the acknowledged number is what a segment is about. */
static bool has_data(const char *fields)
{
    const char *length = strstr(fields, "length ");
    return length && strcmp(length, "length 0") != 0 && strncmp(length, "length 0 ", 9) != 0;
}

static void put_fields(struct strbuf *sb, const char *fields, enum picture_detail detail)
{
    size_t n;
    bool data = has_data(fields);
    for (const char *p = fields, *field; (field = next_field(&p, &n));) {
        if (begins(field, n, "ack ") && data && detail >= PICTURE_NO_ACK)
            continue;
        /* What became of it stands behind the last field. */
        const char *fate = begins(field, n, "length ") ? memchr(field + 7, ' ', n - 7) : NULL;
        put_field(sb, field, fate ? (size_t)(fate - field) : n, detail);
    }
}

/* Behind `client.port > server.1234: `. */
static const char *behind_ends(const char *line)
{
    const char *arrow = strstr(line, " > "), *colon = arrow ? strstr(arrow, ": ") : NULL;
    return colon ? colon + 2 : line;
}

void picture_line_words(struct strbuf *sb, const char *line, enum picture_detail detail)
{
    const char *s = line;
    if (*s == '+') {
        s += strcspn(s, " ");
        s += strspn(s, " ");
    }
    const char *fields = behind_ends(s);
    if (begins(fields, strlen(fields), "Flags "))
        put_fields(sb, fields, detail);
    else
        strbuf_puts(sb, fields);
}

/* --------------------------------------------------------------------- rows */

static bool is_number(const char *s)
{
    return s[strspn(s, "0123456789")] == '\0';
}

/* What tells the segment's connection from the others: the client's port, by its name if it
 * has one.  NULL: nothing does. */
static const char *connection_of(const struct story *story, const struct story_segment *s)
{
    if (!is_number(s->from_port) || !is_number(s->to_port))
        return is_number(s->from_port) ? s->to_port : s->from_port;
    const struct story_flow *flow = &story->flows.at[s->flow];
    vec_each (&story->flows, other)
        if (other->port[0] != flow->port[0])
            return s->dir ? s->to_port : s->from_port;
    return NULL;
}

void picture_words(struct strbuf *sb, const struct picture *picture, const struct picture_row *row,
                   enum picture_detail detail)
{
    const struct story_segment *s = picture_segment(picture, row);
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    story_format_sent(&line, picture->story, s);
    const char *fields = behind_ends(strbuf_cstr(&line));
    if (s->flow < 0) {
        strbuf_puts(sb, fields);
        return;
    }
    const char *name = picture->story->flows.n > 1 ? connection_of(picture->story, s) : NULL;
    if (name)
        strbuf_printf(sb, "%s: ", name);
    put_fields(sb, fields, detail);
}

static void put_word(struct strbuf *sb, const char *word)
{
    strbuf_puts(sb, sb->len ? ", " : "");
    strbuf_puts(sb, word);
}

void picture_mishaps(struct strbuf *sb, const struct picture *picture,
                     const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(picture, row);
    if (s->injected)
        put_word(sb, "sent by the wire, by nobody else");
    if (s->arrivals > 1)
        put_word(sb, "arrives twice");
    if (s->damaged)
        put_word(sb, "arrives damaged");
    if (s->rewritten)
        put_word(sb, "rewritten on the way");
}

void picture_fate(struct strbuf *sb, const struct picture *picture, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(picture, row);
    picture_mishaps(sb, picture, row);
    if (picture_is_stopped(picture, row)) {
        put_word(sb, "ends at ");
        strbuf_puts(sb, picture_column_name(picture, (size_t)row->to));
    } else if (s->fate == FATE_LOST) {
        put_word(sb, "lost");
    }
    if (s->overtaken) {
        put_word(sb, "overtaken by ");
        strbuf_printf(sb, "%u", s->overtaken);
    }
    if (s->fate == FATE_ARRIVED && s->travel >= NSEC_PER_MSEC) {
        put_word(sb, "");
        strbuf_approx(sb, s->travel);
        strbuf_puts(sb, " under way");
    }
}

void picture_call(struct strbuf *sb, const struct picture *picture, const struct picture_row *row)
{
    const struct record_call *call = &picture->record->calls.at[row->call];
    if (call->as)
        strbuf_printf(sb, "%s: ", call->as);
    size_t begin = sb->len;
    struct strbuf line cleanup_strbuf = STRBUF_INIT;
    if (row->kind == PICTURE_CALL || !call->ended)
        story_format_call(&line, picture->record, call);
    const char *colon = strstr(strbuf_cstr(&line), ": ");
    if (row->kind == PICTURE_CALL && colon) {
        strbuf_puts(sb, colon + 2);
        /* A transcript leaves a plain success out; here it tells that the call is over. */
        if (!strstr(sb->data + begin, " => "))
            strbuf_puts(sb, " => 0");
        return;
    }
    strbuf_puts(sb, call->verb);
    if (call->args && *call->args)
        strbuf_printf(sb, " %s", call->args);
}

void picture_note(struct strbuf *sb, const struct result_line *line)
{
    /* Of what came otherwise the note is not true. */
    if (!line->note || !line_is_fine(line->status))
        return;
    if (line->point)
        strbuf_printf(sb, "at %s: ", line->point);
    strbuf_puts(sb, line->note);
}
