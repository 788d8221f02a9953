/* What there is to say of a row. */
#include "watch/watch_parts.h"

static void end_line(struct strbuf *sb)
{
    if (sb->len && sb->data[sb->len - 1] != '\n')
        strbuf_putc(sb, '\n');
}

static bool is_labelled_again(enum label_kind kind)
{
    return kind == LABEL_SYN_RETRANSMISSION || kind == LABEL_SYN_ACK_RETRANSMISSION ||
           kind == LABEL_SYN_ACK_REPEATED || (kind >= LABEL_RTO && kind <= LABEL_SPURIOUS);
}

bool watch_is_remarkable(const struct watch *w, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(w->picture, row);
    if (!s || row->kind == PICTURE_ARRIVAL)
        return false;
    if (s->retransmission || s->fate == FATE_LOST || s->damaged)
        return true;
    const struct label *label = NULL;
    size_t n = labels_of(w->labels, (size_t)row->segment, &label);
    for (size_t i = 0; i < n; i++)
        if (is_labelled_again(label[i].kind))
            return true;
    return false;
}

void watch_line(struct strbuf *sb, const struct watch *w, const struct picture_row *row)
{
    const struct story_segment *s = picture_segment(w->picture, row);
    if (s) {
        story_format(sb, w->picture->story, s);
    } else if (row->call >= 0) {
        const struct record_call *call = &w->record->calls.at[row->call];
        strbuf_printf(sb, "%s: ", w->record->hosts.at[call->host].name);
        picture_call(sb, w->picture, row);
        if (row->kind == PICTURE_CALL_BEGAN)
            strbuf_puts(sb, call->ended ? " ..." : " ... (not finished)");
    } else if (row->event >= 0) {
        const struct record_event *event = &w->record->events.at[row->event];
        strbuf_printf(sb, "link %s %s", w->record->hosts.at[event->host].name,
                      event->kind == EVENT_UNPLUG ? "down" : "up");
    } else if (row->kind == PICTURE_SILENCE) {
        strbuf_puts(sb, "nothing happens for ");
        strbuf_approx(sb, row->gap);
    } else {
        const char *expected = row->lines.n ? row->lines.at[0]->expected : NULL;
        strbuf_printf(sb, "missing%s%s", expected ? ": " : "", expected ? expected : "");
    }
}

static void put_labels(struct strbuf *sb, const struct watch *w, const struct picture_row *row)
{
    const struct label *label = NULL;
    size_t n = labels_of(w->labels, (size_t)row->segment, &label);
    for (size_t i = 0; i < n; i++) {
        strbuf_puts(sb, i ? "; " : "");
        label_format(sb, &label[i]);
    }
    /* That it was lost, and how long it was under way, stands in its line. */
    const struct story_segment *s = picture_segment(w->picture, row);
    struct strbuf fate cleanup_strbuf = STRBUF_INIT;
    if (s->arrivals > 1 || s->damaged || s->rewritten || s->injected)
        picture_fate(&fate, w->picture, row);
    if (fate.len)
        strbuf_printf(sb, "%s%s", n ? "; " : "", fate.data);
    end_line(sb);
}

static void put_states(struct strbuf *sb, const struct watch *w, const struct picture_row *row)
{
    vec_each (&row->states, i) {
        const struct record_state *state = &w->record->states.at[*i];
        if (tcp_state_names[state->new])
            strbuf_printf(sb, "%s%s %s", i == row->states.at ? "then: " : ", ",
                          w->record->hosts.at[state->host].name, tcp_state_names[state->new]);
    }
    end_line(sb);
}

/* What is wrong, then what it is, what was done to it, the teacher's note. */
void watch_describe(struct strbuf *sb, const struct watch *w, const struct picture_row *row)
{
    vec_each (&row->lines, line) {
        struct strbuf fault cleanup_strbuf = STRBUF_INIT;
        if (line_is_fine((*line)->status))
            continue;
        text_fault(&fault, *line);
        strbuf_puts(sb, (*line)->meaning ? (*line)->meaning : strbuf_cstr(&fault));
        end_line(sb);
    }
    if (row->segment >= 0)
        put_labels(sb, w, row);
    vec_each (&row->lines, line) {
        if ((*line)->wire)
            strbuf_puts(sb, (*line)->wire);
        end_line(sb);
        picture_note(sb, *line);
        end_line(sb);
    }
    put_states(sb, w, row);
}
