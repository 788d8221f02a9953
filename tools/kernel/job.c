#include "kernel/job.h"

#include <inttypes.h>
#include <stdio.h>

void kernel_job_write(struct strbuf *out, const struct kernel_job *job)
{
    vec_each (&job->options, option)
        strbuf_printf(out, "option %s\n", *option);
    vec_each (&job->labs, lab)
        strbuf_printf(out, "lab %" PRIu32 " %" PRId64 " %s\n", lab->number, lab->limit, lab->name);
}

static int read_line(struct kernel_job *job, const char *line)
{
    struct kernel_job_lab lab = {0};
    int at = 0;
    if (strncmp(line, "option ", 7) == 0) {
        vec_push(&job->options, xstrdup(line + 7));
        return 0;
    }
    if (sscanf(line, "lab %" SCNu32 " %" SCNd64 " %n", &lab.number, &lab.limit, &at) != 2 || !at ||
        !line[at] || strchr(line + at, '/') || lab.limit < 0)
        return -1;
    lab.name = xstrdup(line + at);
    vec_push(&job->labs, lab);
    return 0;
}

int kernel_job_read(struct kernel_job *job, const char *text, size_t len, struct error *err)
{
    *job = (struct kernel_job){0};
    for (size_t at = 0; at < len;) {
        size_t n = strcspn(text + at, "\n");
        cleanup_free char *line = xstrndup(text + at, n);
        if (read_line(job, line) < 0)
            return error_set(err, STATUS_USAGE, "the guest's job has a line \"%s\"", line);
        at += n + 1;
    }
    return 0;
}

void kernel_job_free(struct kernel_job *job)
{
    vec_each (&job->options, option)
        free(*option);
    vec_each (&job->labs, lab)
        free(lab->name);
    vec_free(&job->options);
    vec_free(&job->labs);
}
