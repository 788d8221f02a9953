/* Theory of operation: every file is first written under a name of its own that
 * nobody can have guessed (O_EXCL, so a link planted there is never opened), and
 * only when all are complete are they renamed, result.json last: it counts what
 * the others hold, so record_load() notices when a crash between two renames left
 * files of two runs.  All names are taken relative to one descriptor of the
 * directory, so that it cannot be exchanged on the way.  Nothing is synced to the
 * disk: a process that dies loses nothing, and a run is cheap to repeat after a
 * power cut. */
#include "report/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "record/save.h"
#include "report/html.h"
#include "report/json.h"
#include "report/report.h"
#include "transcript/story.h"

struct evidence {
    const struct record *record;
    const struct result *result;
    const struct lab *lab;
    const char *transcript;
    VEC(char *) comments; /* by packet */
};

/* ----------------------------------------------------------------- comments */

/* What is wrong with a line: what it means, or else which fields differ. */
static void add_fault(struct strbuf *sb, const struct result_line *line)
{
    strbuf_printf(sb, "%s[%s]", sb->len ? "\n" : "", line_status_name(line->status));
    if (line->meaning) {
        strbuf_printf(sb, " %s", line->meaning);
        return;
    }
    vec_each (&line->diffs, diff)
        strbuf_printf(sb, " %s: expected %s, observed %s;", diff->field, diff->expected,
                      diff->observed);
    if (line->diffs.n)
        strbuf_truncate(sb, sb->len - 1);
}

/* The note, and behind it what the wire did and what is wrong, if something is. */
static char *comment_of(const struct result_line *line)
{
    cleanup_strbuf struct strbuf sb = STRBUF_INIT;
    if (line->note)
        strbuf_puts(&sb, line->note);
    if (line->wire)
        strbuf_printf(&sb, "%s[%s]", sb.len ? "\n" : "", line->wire);
    if (!line_is_fine(line->status))
        add_fault(&sb, line);
    return sb.len ? strbuf_steal(&sb) : NULL;
}

static int find_point(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->points.n; i++)
        if (strcmp(r->points.at[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Puts the comments of the lines that are about this story: the whole run's
 * (point -1), or what one point saw. */
static void comment_story(struct evidence *e, int point)
{
    struct story *story = point < 0 ? story_new(e->record) : story_at(e->record, point);
    vec_each (&e->result->lines, line) {
        if (line->segment < 0 || (size_t)line->segment >= story->segments.n ||
            (line->point ? find_point(e->record, line->point) : -1) != point)
            continue;
        size_t packet = story->segments.at[line->segment].packet;
        if (packet < e->comments.n && !e->comments.at[packet])
            e->comments.at[packet] = comment_of(line);
    }
    story_free(story);
}

static void collect_comments(struct evidence *e)
{
    for (size_t i = 0; i < e->record->packets.n; i++)
        vec_push(&e->comments, NULL);
    comment_story(e, -1);
    for (size_t i = 0; i < e->record->points.n; i++)
        vec_each (&e->result->lines, line)
            if (line->point && find_point(e->record, line->point) == (int)i) {
                comment_story(e, (int)i);
                break;
            }
}

/* -------------------------------------------------------------------- files */

static int write_capture(FILE *to, const struct evidence *e, struct error *err)
{
    return record_write_capture(to, e->record, e->comments.at, err);
}

static int write_events(FILE *to, const struct evidence *e, struct error *err)
{
    return record_write_events(to, e->record, err);
}

static int write_transcript(FILE *to, const struct evidence *e, struct error *err)
{
    if (fputs(e->transcript, to) == EOF)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write the transcript");
    return 0;
}

static int write_result(FILE *to, const struct evidence *e, struct error *err)
{
    json_t *o = result_to_json(e->result);
    int rc = json_dumpf(o, to, RESULT_JSON_FLAGS);
    json_decref(o);
    if (rc < 0 || fputc('\n', to) == EOF)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write the result");
    return 0;
}

static int write_page(FILE *to, const struct evidence *e, struct error *err)
{
    cleanup_strbuf struct strbuf page = STRBUF_INIT;
    report_html(&page, e->result, e->lab);
    if (fwrite(page.data, 1, page.len, to) != page.len)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write the page");
    return 0;
}

/* In the order in which they take their names. */
static const struct file {
    const char *name;
    int (*write)(FILE *to, const struct evidence *e, struct error *err);
} files[] = {
    {EVIDENCE_CAPTURE, write_capture},       {EVIDENCE_EVENTS, write_events},
    {EVIDENCE_TRANSCRIPT, write_transcript}, {EVIDENCE_PAGE, write_page},
    {EVIDENCE_RESULT, write_result},
};

static bool has_content(const struct file *file, const struct evidence *e)
{
    if (file->write == write_transcript)
        return e->transcript != NULL;
    if (file->write == write_page)
        return e->lab != NULL;
    return file->write == write_result || e->record;
}

/* A new file under a name of its own; *name is set as soon as it exists. */
static FILE *create(int dir, const char *final, char **name, struct error *err)
{
    uint64_t random;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return error_sys(err, STATUS_MACHINE, errno, "cannot name a new file"), NULL;
    cleanup_free char *try = xasprintf(".%s.%016" PRIx64, final, random);
    cleanup_fd int fd =
        openat(dir, try, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot create a file"), NULL;
    *name = steal_pointer(&try);
    FILE *f = fdopen(fd, "w");
    if (!f)
        return error_sys(err, STATUS_MACHINE, errno, "cannot write"), NULL;
    steal_fd(&fd);
    return f;
}

static int write_new(int dir, const struct file *file, const struct evidence *e, char **name,
                     struct error *err)
{
    FILE *f = create(dir, file->name, name, err);
    if (!f)
        return -1;
    int rc = file->write(f, e, err);
    if (fclose(f) != 0 && rc == 0)
        rc = error_sys(err, STATUS_MACHINE, errno, "cannot write");
    return rc;
}

static int write_all(int dir, const struct evidence *e, char *names[], struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (has_content(&files[i], e) && write_new(dir, &files[i], e, &names[i], err) < 0)
            return error_wrap(err, "%s", files[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!names[i] && unlinkat(dir, files[i].name, 0) < 0 && errno != ENOENT)
            return error_sys(err, STATUS_MACHINE, errno, "cannot remove the old %s", files[i].name);
        if (names[i] && renameat(dir, names[i], dir, files[i].name) < 0)
            return error_sys(err, STATUS_MACHINE, errno, "cannot replace %s", files[i].name);
        free(names[i]);
        names[i] = NULL;
    }
    return 0;
}

/* mkdir -p. */
static int make_dirs(const char *dir, struct error *err)
{
    cleanup_free char *path = xstrdup(dir);
    for (char *p = path; *p; p++) {
        if (p == path || *p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return error_sys(err, STATUS_MACHINE, errno, "cannot make the folder %s", path);
        *p = '/';
    }
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return error_sys(err, STATUS_MACHINE, errno, "cannot make the folder %s", path);
    return 0;
}

static int no_folder(const char *dir, struct error *err)
{
    error_sys(err, STATUS_MACHINE, errno, "cannot write into the folder %s", dir);
    return error_hint(err, "evidence goes to a folder of yours with `--out DIR`");
}

int evidence_claim(const char *dir, struct error *err)
{
    if (make_dirs(dir, err) < 0)
        return -1;
    cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) < 0)
        return no_folder(dir, err);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        error_set(err, STATUS_MACHINE, "another run is writing its evidence into %s", dir);
        return error_hint(err, "wait for its end, or choose another folder with `--out DIR`");
    }
    return steal_fd(&fd); /* a file system without locks is no reason not to run */
}

int evidence_save(const char *dir, const struct lab *lab, const struct record *record,
                  const struct result *result, const char *transcript_text, struct error *err)
{
    if (make_dirs(dir, err) < 0)
        return -1;
    cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_sys(err, STATUS_MACHINE, errno, "cannot open the folder %s", dir);
    struct evidence e = {
        .record = record, .result = result, .lab = lab, .transcript = transcript_text};
    if (record)
        collect_comments(&e);
    char *names[ARRAY_SIZE(files)] = {0};
    int rc = write_all(fd, &e, names, err);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (names[i])
            unlinkat(fd, names[i], 0);
        free(names[i]);
    }
    vec_each (&e.comments, comment)
        free(*comment);
    vec_free(&e.comments);
    return rc < 0 ? error_wrap(err, "%s", dir) : 0;
}
