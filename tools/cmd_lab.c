#include "cmd_lab.h"

#include <langinfo.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/number.h"
#include "cmd.h"
#include "lab/find.h"
#include "record/from_capture.h"
#include "record/ip_of.h"
#include "record/load.h"
#include "record/stated.h"
#include "run/inject.h"
#include "transcript/pattern.h"

int cmd_add_value(struct cmd_values *values, const char *command, char *text)
{
    char *equals = strchr(text, '=');
    int64_t value;
    if (!equals || equals == text || !parse_number(equals + 1, INT64_MIN, INT64_MAX, &value))
        return cmd_usage_error(command, "\"%s\" is no NAME=NUMBER", text);
    *equals = '\0';
    vec_push(&values->list, ((struct lab_value){.name = text, .value = value}));
    return 0;
}

int cmd_take_ip(struct cmd_values *values, const char *command, const char *text)
{
    if (strcmp(text, "4") != 0 && strcmp(text, "6") != 0)
        return cmd_usage_error(command, "--ip is 4 or 6, not \"%s\"", text);
    values->ip = (unsigned)(*text - '0');
    return 0;
}

/* --------------------------------------------------------------- judging --- */

void cmd_judging_init(struct cmd_judging *judging)
{
    *judging =
        (struct cmd_judging){.slack = JUDGE_DEFAULT_SLACK, .format = report_format_find("text")};
}

void cmd_judging_free(struct cmd_judging *judging)
{
    vec_free(&judging->values.list);
}

int cmd_judging_option(struct cmd_judging *judging, const char *command, int option, char **argv)
{
    switch (option) {
    case 's':
        if (*optarg && parse_duration(optarg, strlen(optarg), &judging->slack) == strlen(optarg))
            return 0;
        return cmd_usage_error(command, "\"%s\" is no time such as 50ms", optarg);
    case 'q':
        judging->quiet = true;
        return 0;
    case 'f':
        judging->format = report_format_find(optarg);
        if (judging->format)
            return 0;
        return cmd_usage_error(command, "there is no format \"%s\": %s", optarg,
                               report_format_names());
    case 'W':
        if (strcmp(optarg, "ladder") == 0)
            judging->view = VIEW_LADDER;
        else if (strcmp(optarg, "lines") == 0)
            judging->view = VIEW_LINES;
        else
            return cmd_usage_error(command, "there is no view \"%s\": ladder or lines", optarg);
        return 0;
    case 'V':
        return cmd_add_value(&judging->values, command, optarg);
    case 'I':
        return cmd_take_ip(&judging->values, command, optarg);
    default:
        return cmd_option_error(command, option, argv);
    }
}

/* ------------------------------------------------------------------ labs --- */

static int load_expected(struct cmd_lab *cl, const char *name)
{
    struct error err = ERROR_INIT;
    struct source src;
    if (source_read(&src, cl->expected_path, &err) < 0) {
        error_wrap(&err, "lab %s has no expected transcript", name);
        error_hint(&err, "`tcplab record %s` writes one from a run; read it before you believe it",
                   name);
        return cmd_fail(&err);
    }
    struct diags diags = {0};
    cl->pattern = pattern_parse(&src, cl->lab, &diags);
    return diags.list.n ? cmd_fail_diags(&diags) : 0;
}

int cmd_load_lab(struct cmd_lab *cl, const char *name, const struct cmd_values *values,
                 bool with_expected)
{
    struct error err = ERROR_INIT;
    struct source src;
    cleanup_free char *path = NULL;
    *cl = (struct cmd_lab){0};
    if (lab_find(name, &path, &cl->expected_path, &err) < 0 || source_read(&src, path, &err) < 0)
        return cmd_fail(&err);
    struct diags diags = {0};
    cl->lab = lab_parse_ip(&src, values->list.at, values->list.n, values->ip, &diags);
    if (!diags.list.n)
        inject_check(cl->lab, &diags);
    if (diags.list.n)
        return cmd_fail_diags(&diags);
    return with_expected ? load_expected(cl, name) : 0;
}

void cmd_free_lab(struct cmd_lab *cl)
{
    if (cl->pattern)
        pattern_free(cl->pattern);
    if (cl->lab)
        lab_free(cl->lab);
    free(cl->expected_path);
    *cl = (struct cmd_lab){0};
}

/* What the lines of the story add up to. */
nsec cmd_lab_length(const struct cmd_lab *cl)
{
    nsec sum = 0;
    vec_each (&cl->pattern->items, item) {
        nsec least = item->optional || item->point >= 0 ? 0 : item->least;
        nsec interval = item->kind == ITEM_QUIET ? item->quiet : item->interval;
        if (__builtin_mul_overflow(interval, least, &interval) ||
            __builtin_add_overflow(sum, interval, &sum))
            return NSEC_NEVER;
    }
    return sum;
}

char *cmd_long_reason(const struct cmd_lab *cl)
{
    const nsec minute = 60 * NSEC_PER_SEC;
    nsec length = cmd_lab_length(cl);
    cleanup_free char *about =
        length < 2 * minute
            ? xasprintf("%d seconds", (int)(length / NSEC_PER_SEC))
            : xasprintf("%lld minutes",
                        (long long)(length / minute + (length % minute >= minute / 2)));
    return xasprintf("it takes about %s on the real clock: --long runs it, --kernel plays it on a "
                     "virtual one",
                     about);
}

int cmd_load_lab_for(struct cmd_lab *cl, const char *name, const struct cmd_values *values,
                     const char *from, bool with_expected)
{
    struct cmd_values its = *values;
    if (!its.ip)
        its.ip = record_ip_of(from);
    return cmd_load_lab(cl, name, &its, with_expected);
}

/* Of several labs each has a folder of its own, as --out of `tcplab run` has it. */
static void point_inside(const struct lab *lab, const char *dir, struct error *err)
{
    struct stat st;
    cleanup_free char *result = xasprintf("%s/%s/result.json", dir, lab->name);
    if (stat(result, &st) == 0)
        error_hint(err, "this lab's evidence is in %s/%s", dir, lab->name);
}

struct record *cmd_load_record(const struct lab *lab, const char *from, struct error *err)
{
    struct stat st;
    if (stat(from, &st) < 0 || !S_ISDIR(st.st_mode))
        return record_from_capture(lab, from, err);
    struct record *record = record_load(from, err);
    if (!record)
        point_inside(lab, from, err);
    if (record && stated_check(record, lab, err) < 0) {
        record_free(record);
        error_wrap(err, "%s", from);
        return NULL;
    }
    return record;
}

/* The terminal's, else what COLUMNS says, as for ls(1) and man(1). */
static int width_of(FILE *to)
{
    struct winsize size;
    if (isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    int64_t width;
    return columns && parse_number(columns, 1, 1000, &width) ? (int)width : 100;
}

bool cmd_has_codes(FILE *to)
{
    const char *term = getenv("TERM");
    return isatty(fileno(to)) && term && *term && strcmp(term, "dumb") != 0;
}

struct text_options cmd_text_options(FILE *to)
{
    struct text_options options = {.width = width_of(to)};
    const char *no_color = getenv("NO_COLOR");
    options.color = cmd_has_codes(to) && !(no_color && *no_color);
    setlocale(LC_CTYPE, "");
    options.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return options;
}

enum exit_status cmd_verdicts_status(const size_t counts[VERDICT_COUNT])
{
    if (counts[VERDICT_FAIL])
        return STATUS_FAILED;
    if (counts[VERDICT_ERROR])
        return STATUS_MACHINE;
    return counts[VERDICT_PASS] ? STATUS_PASSED : STATUS_NOTHING;
}
