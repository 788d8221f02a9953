/* Prints a run's segments with their labels, from the evidence that it left.
 *
 * usage: print-labels DIR... */
#include <stdio.h>

#include "picture/label.h"
#include "record/load.h"

static void print_segment(const struct story *story, const struct labels *labels, size_t i)
{
    struct strbuf sb cleanup_strbuf = STRBUF_INIT;
    const struct story_segment *s = &story->segments.at[i];
    const struct label *first;
    size_t n = labels_of(labels, i, &first);
    strbuf_printf(&sb, "%9.3f  ", (double)s->time / NSEC_PER_SEC);
    story_format(&sb, story, s);
    strbuf_putc(&sb, '\n');
    for (size_t k = 0; k < n; k++) {
        strbuf_printf(&sb, "    %-13s  ", label_short(first[k].kind));
        label_format(&sb, &first[k]);
        if (first[k].basis == LABEL_CONFIRMED)
            strbuf_puts(&sb, " [confirmed]");
        strbuf_putc(&sb, '\n');
    }
    fputs(strbuf_cstr(&sb), stdout);
}

static int print_run(const char *dir)
{
    struct error err = ERROR_INIT;
    struct record *record = record_load(dir, &err);
    if (!record) {
        fprintf(stderr, "print-labels: %s\n", err.message);
        error_clear(&err);
        return 1;
    }
    struct story *story = story_new(record);
    struct labels *labels = labels_new(story);
    for (size_t i = 0; i < story->segments.n; i++)
        print_segment(story, labels, i);
    labels_free(labels);
    story_free(story);
    record_free(record);
    return 0;
}

int main(int argc, char **argv)
{
    int status = argc < 2 ? 2 : 0;
    for (int i = 1; i < argc && status == 0; i++)
        status = print_run(argv[i]);
    return status;
}
