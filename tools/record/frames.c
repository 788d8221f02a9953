#include "record/frames.h"

#include "capture/file.h"

static int read_frames(struct record *r, struct capture_file *file, size_t most, const char *done,
                       struct error *err)
{
    struct frame frame;
    int got;
    while ((got = capture_file_next(file, &frame, err)) > 0) {
        if (r->packets.n == most)
            return 1;
        if (frame.time < 0)
            frame.time = 0;
        record_add_packet(r, 0, false, false, &frame);
    }
    if (got == 0)
        return 0;
    if (r->packets.n == 0)
        return -1;
    vec_push(&r->remarks, xasprintf("%s: what comes before that is %s", err->message, done));
    error_clear(err);
    return 0;
}

int record_read_frames(struct record *r, const char *path, const char *filter, size_t most,
                       const char *done, struct error *err)
{
    struct capture_file *file cleanup_capture_file = capture_file_open(path, filter, err);
    if (!file)
        return -1;
    struct record_point *p = vec_add(&r->points);
    p->name = xstrdup("capture");
    p->host = -1;
    p->filter = xstrdup(filter ? filter : "");
    p->linktype = capture_file_linktype(file);
    int ret = read_frames(r, file, most, done, err);
    record_sort(r);
    return ret;
}
