#include "cmd_shown.h"

#include <sys/stat.h>

#include "cmd.h"
#include "lab/find.h"
#include "record/any_capture.h"
#include "record/load.h"
#include "record/stated.h"

void cmd_free_shown(struct cmd_shown *s)
{
    if (s->result)
        result_free(s->result);
    if (s->record)
        record_free(s->record);
    cmd_free_lab(&s->cl);
    free(s->name);
}

/* Only a plain name: it stands in a file that anybody may have written. */
static bool is_lab(const char *name)
{
    struct error err = ERROR_INIT;
    cleanup_free char *path = NULL, *expected = NULL;
    if (!name || !*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return false;
    bool found =
        lab_find(name, &path, &expected, &err) == 0 && expected && access(expected, R_OK) == 0;
    error_clear(&err);
    return found;
}

/* Judges evidence of a lab that is here; what stands in its way is a remark. */
static int judge_shown(struct cmd_shown *s, const char *dir, const struct cmd_judging *judging)
{
    struct error err = ERROR_INIT;
    if (!is_lab(s->record->lab) || s->record->skipped)
        return 0;
    int status = cmd_load_lab_for(&s->cl, s->record->lab, &judging->values, dir, true);
    if (status)
        return status;
    if (stated_check(s->record, s->cl.lab, &err) < 0) {
        vec_push(&s->record->remarks,
                 xasprintf("not judged, as it is not a run of the lab %s that is here: %s",
                           s->record->lab, err.message));
        error_clear(&err);
        return 0;
    }
    s->result = judge(s->cl.lab, s->cl.pattern, s->record, judging->slack);
    s->result->wall = s->record->ended - s->record->began;
    return 0;
}

int cmd_show_evidence(struct cmd_shown *s, const char *dir, const struct cmd_judging *judging)
{
    struct error err = ERROR_INIT;
    s->record = record_load(dir, &err);
    if (!s->record)
        return cmd_fail(&err);
    s->name = xstrdup(s->record->lab ? s->record->lab : dir);
    if (s->record->skipped) {
        error_set(&err, STATUS_NOTHING, "%s was not played: %s", s->name, s->record->skipped);
        return cmd_fail(&err);
    }
    return judge_shown(s, dir, judging);
}

int cmd_show_capture(struct cmd_shown *s, const char *path, size_t most)
{
    struct error err = ERROR_INIT;
    s->record = record_from_any_capture(path, most, &err);
    const char *slash = strrchr(path, '/');
    s->name = xstrdup(slash ? slash + 1 : path);
    return s->record ? 0 : cmd_fail(&err);
}

static bool is_evidence(const char *path)
{
    struct stat st;
    cleanup_free char *result = xasprintf("%s/result.json", path);
    return stat(result, &st) == 0;
}

/* A capture beside a result.json is a part of evidence, which says more than it alone. */
static char *evidence_around(const char *path)
{
    static const char name[] = "capture.pcapng";
    size_t n = strlen(path), m = strlen(name);
    if (n < m || strcmp(path + n - m, name) != 0 || (n > m && path[n - m - 1] != '/'))
        return NULL;
    char *dir = n > m ? xstrndup(path, n - m - 1) : xstrdup(".");
    if (is_evidence(dir))
        return dir;
    free(dir);
    return NULL;
}

int cmd_show_found(struct cmd_shown *s, const char *what, const struct cmd_judging *judging,
                   size_t most, bool *found)
{
    struct stat st;
    size_t n = strlen(what);
    bool exists = stat(what, &st) == 0;
    bool is_source = n > 3 && strcmp(what + n - 3, ".md") == 0;
    cleanup_free char *around = evidence_around(what);
    *found = true;
    if (around)
        return cmd_show_evidence(s, around, judging);
    if (exists && S_ISDIR(st.st_mode) && (is_evidence(what) || !is_lab(what)))
        return cmd_show_evidence(s, what, judging);
    if (exists && !S_ISDIR(st.st_mode) && !is_source)
        return cmd_show_capture(s, what, most);
    *found = false;
    return 0;
}
