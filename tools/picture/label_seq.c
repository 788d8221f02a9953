/* Ranges of sequence numbers. */
#include "picture/label_model.h"

#define MAX_SPANS 1024 /* evidence may say anything */

size_t seq_set_find(const struct seq_set *s, uint32_t from)
{
    size_t low = 0, high = s->list.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seq_before(from, s->list.at[middle].to))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool seq_set_have(const struct seq_set *s, struct seq_range span)
{
    size_t i = seq_set_find(s, span.from);
    return i < s->list.n && !seq_before(span.from, s->list.at[i].from) &&
           !seq_before(s->list.at[i].to, span.to);
}

void seq_set_add(struct seq_set *s, struct seq_range span)
{
    /* One that ends where it begins is joined as well. */
    size_t i = seq_set_find(s, span.from - 1), end = i;
    for (; end < s->list.n && !seq_before(span.to, s->list.at[end].from); end++) {
        if (seq_before(s->list.at[end].from, span.from))
            span.from = s->list.at[end].from;
        if (seq_before(span.to, s->list.at[end].to))
            span.to = s->list.at[end].to;
    }
    if (end == i && s->list.n >= MAX_SPANS)
        return;
    size_t tail = s->list.n - end;
    if (end == i)
        (void)vec_add(&s->list);
    memmove(&s->list.at[i + 1], &s->list.at[end], tail * sizeof(*s->list.at));
    s->list.at[i] = span;
    s->list.n = i + 1 + tail;
}

void seq_set_drop(struct seq_set *s, uint32_t from)
{
    size_t gone = seq_set_find(s, from);
    if (gone) {
        s->list.n -= gone;
        memmove(s->list.at, s->list.at + gone, s->list.n * sizeof(*s->list.at));
    }
    if (s->list.n && seq_before(s->list.at[0].from, from))
        s->list.at[0].from = from;
}
