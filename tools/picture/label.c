/* The labels of a run. */
#include "picture/label.h"

#include "picture/label_model.h"

static void add(struct labels *l, size_t segment, struct label label)
{
    vec_push(&l->entries, ((struct entry){segment, label}));
}

static void label_segment(struct labels *l, const struct story_segment *s, size_t i)
{
    const struct tcp_header *t = &s->p->tcp;
    bool syn = t->flags & TCP_SYN;
    if (s->retransmission && !syn)
        add(l, i, (struct label){.kind = LABEL_RETRANSMISSION});
    if (s->overtaken && tcp_seq_len(t))
        add(l, i, (struct label){.kind = LABEL_OUT_OF_ORDER, .n = s->overtaken});
    if (t->flags & TCP_ECE && !syn)
        add(l, i, (struct label){.kind = LABEL_ECE});
    if (t->flags & TCP_CWR && !syn)
        add(l, i, (struct label){.kind = LABEL_CWR});
}

/* Entries are in the order of their segments already where nothing was found out later. */
static void index_entries(struct labels *l)
{
    l->first = xcalloc(l->n + 1, sizeof(*l->first));
    l->flat = xcalloc(l->entries.n + 1, sizeof(*l->flat));
    vec_each (&l->entries, e) {
        l->first[e->segment + 1]++;
    }
    for (size_t i = 0; i < l->n; i++)
        l->first[i + 1] += l->first[i];
    cleanup_free size_t *next = xmemdup(l->first, (l->n + 1) * sizeof(*next));
    vec_each (&l->entries, e) {
        l->flat[next[e->segment]++] = e->label;
    }
}

struct labels *labels_new(const struct story *story)
{
    struct labels *l = xcalloc(1, sizeof(*l));
    l->n = story->segments.n;
    for (size_t i = 0; i < l->n; i++)
        if (story->segments.at[i].flow >= 0)
            label_segment(l, &story->segments.at[i], i);
    index_entries(l);
    return l;
}

void labels_free(struct labels *labels)
{
    if (!labels)
        return;
    vec_free(&labels->entries);
    free(labels->flat);
    free(labels->first);
    free(labels);
}

size_t labels_of(const struct labels *labels, size_t segment, const struct label **first)
{
    size_t n = labels->first[segment + 1] - labels->first[segment];
    if (n)
        *first = &labels->flat[labels->first[segment]];
    return n;
}
