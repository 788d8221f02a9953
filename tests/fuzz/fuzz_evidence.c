/* Evidence from strangers: one of its files is the input (its first byte says which),
 * the others are whole.  What loads must be safe to tell, to label and to report. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "picture/label.h"
#include "record/load.h"
#include "record/save.h"
#include "report/evidence.h"
#include "report/report.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/tcplab-fuzz-XXXXXX";
static const char *const names[] = {EVIDENCE_CAPTURE, EVIDENCE_EVENTS, EVIDENCE_RESULT};

static void save(void)
{
    struct error err = ERROR_INIT;
    struct record *r = record_new();
    struct record_host *host = vec_add(&r->hosts);
    host->name = xstrdup("a");
    vec_push(&r->points, ((struct record_point){.name = xstrdup("a"), .linktype = 1}));
    vec_push(&r->calls, ((struct record_call){.verb = xstrdup("close"), .args = xstrdup("")}));
    r->has_states = true;
    vec_push(&r->states, ((struct record_state){.local.version = 4,
                                                .remote.version = 4,
                                                .local_port = 1,
                                                .remote_port = 2,
                                                .new = TCP_STATE_LISTEN,
                                                .has_values = true}));
    static const uint8_t bytes[60];
    record_add_packet(r, 0, true, false,
                      &(struct frame){.caplen = 60, .wirelen = 60, .data = bytes, .linktype = 1});
    struct result *result = result_new("a");
    result->record = r;
    if (evidence_save(dir, NULL, r, result, NULL, &err) < 0)
        abort();
    result_free(result);
    record_free(r);
}

static void remove_all(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cleanup_free char *path = xasprintf("%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (!mkdtemp(dir) || atexit(remove_all) != 0)
        abort();
    save();
    return 0;
}

static void replace(const char *name, const uint8_t *data, size_t size)
{
    cleanup_free char *path = xasprintf("%s/%s", dir, name);
    cleanup_fd int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
}

static void label_all(const struct record *r)
{
    struct story *story = story_new(r);
    struct labels *labels = labels_new(story);
    struct strbuf out = STRBUF_INIT;
    for (size_t i = 0; i < story->segments.n; i++) {
        const struct label *first;
        size_t n = labels_of(labels, i, &first);
        for (size_t k = 0; k < n; k++)
            label_format(&out, &first[k]);
    }
    strbuf_free(&out);
    labels_free(labels);
    story_free(story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int last = -1;
    if (size == 0)
        return -1;
    int file = data[0] % (int)ARRAY_SIZE(names);
    if (last >= 0 && file != last)
        save();
    last = file;
    replace(names[file], data + 1, size - 1);
    struct error err = ERROR_INIT;
    struct record *r = record_load(dir, &err);
    if (!r) {
        if (!error_is_set(&err))
            abort();
        error_clear(&err);
        return 0;
    }
    label_all(r);
    struct result *result = result_new("a");
    result->record = r;
    struct strbuf out = STRBUF_INIT;
    report_text(&out, result, &(struct text_options){.width = 80, .utf8 = true});
    strbuf_free(&out);
    result_free(result);
    record_free(r);
    return 0;
}
