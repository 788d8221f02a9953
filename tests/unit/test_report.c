/* Every report of every scene against tests/golden/report/; `UPDATE=1` renews them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "build_packet.h"
#include "build_result.h"
#include "golden.h"
#include "record/save.h"
#include "report/json.h"
#include "report/report.h"
#include "report/states.h"
#include "report/words.h"
#include "report/wrap.h"
#include "unit.h"

static void check_golden(const char *name, const char *text, size_t len)
{
    cleanup_free char *path = xasprintf("report/%s", name);
    golden_check(path, text, len);
}

static const struct look {
    const char *suffix;
    struct text_options options;
} looks[] = {
    {"80.txt", {.width = 80, .utf8 = true}},
    {"100.txt", {.width = 100, .utf8 = true}},
    {"80-ascii.txt", {.width = 80}},
    {"80-color.txt", {.width = 80, .utf8 = true, .color = true}},
    {"quiet.txt", {.width = 80, .utf8 = true, .quiet = true}},
    {"lines-80.txt", {.view = VIEW_LINES, .width = 80, .utf8 = true}},
    {"lines-80-ascii.txt", {.view = VIEW_LINES, .width = 80}},
    {"lines-80-color.txt", {.view = VIEW_LINES, .width = 80, .utf8 = true, .color = true}},
};

START_TEST(text_goldens)
{
    struct result *result = build_result((enum build_scene)_i);
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
        cleanup_strbuf struct strbuf out = STRBUF_INIT;
        report_text(&out, result, &looks[i].options);
        cleanup_free char *name = xasprintf("%s-%s", build_scene_names[_i], looks[i].suffix);
        check_golden(name, out.data, out.len);
    }
    build_result_free(result);
}
END_TEST

/* Of a run that goes on nothing is called lost, missing or wrong. */
START_TEST(live_golden)
{
    struct result *result = build_result(SCENE_MISSING);
    cleanup_strbuf struct strbuf out = STRBUF_INIT;
    report_live(&out, result, &(struct text_options){.width = 80, .utf8 = true});
    check_golden("missing-live-80.txt", out.data, out.len);
    ck_assert(!strstr(out.data, "missing") && !strstr(out.data, "✗"));
    build_result_free(result);
}
END_TEST

/* Nothing may reach the terminal that was not meant: no control characters without
 * colours, ASCII only where asked, no row wider than the terminal. */
static void check_rows(const char *text, const struct text_options *options)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        ck_assert(options->quiet || glyphs_width(text, n, true) <= options->width);
        /* One assertion a row: Check writes a file at each. */
        bool harmless = true;
        for (size_t i = 0; i < n; i++) {
            unsigned char c = (unsigned char)text[i];
            harmless = harmless && c >= 0x20 && c != 0x7f && (options->utf8 || c < 0x80);
        }
        ck_assert_msg(harmless, "%.*s", (int)n, text);
        ck_assert(n == 0 || text[n - 1] != ' ');
        text += n + 1;
    }
}

/* A title goes on below itself where it is too long for the terminal. */
START_TEST(a_long_title)
{
    struct result *result = build_result(SCENE_PASS);
    free(result->title);
    result->title = xstrdup("A router that says nothing: black holes, and how TCP feels its way "
                            "out, told at some length");
    for (int width = 60; width < 130; width++) {
        struct text_options options = {.width = width, .utf8 = true};
        cleanup_strbuf struct strbuf out = STRBUF_INIT;
        report_text(&out, result, &options);
        check_rows(out.data, &options);
        ck_assert_ptr_nonnull(strstr(out.data, "length"));
    }
    build_result_free(result);
}
END_TEST

static void add_line(struct result *r, enum line_kind kind, enum line_status status,
                     const char *expected, const char *observed, nsec gap)
{
    struct result_line *line = vec_add(&r->lines);
    *line = (struct result_line){.kind = kind,
                                 .status = status,
                                 .line_number = r->lines.n,
                                 .expected = expected ? xstrdup(expected) : NULL,
                                 .observed = observed ? xstrdup(observed) : NULL,
                                 .gap = gap,
                                 .segment = -1,
                                 .call = -1};
}

/* Beside each other in 80 columns: how a call ended, an interval's unit, the numbers of data, a
 * field that differs though no words for it have room; and dots for what is cut off. */
START_TEST(halves_tell_what_matters)
{
    static const char *const told[] = {
        "≠  +1.0 ms │─ [P.] win 501 ",    "│─ [P.] seq 100001:101001 ─▶│",
        "  +10 ms │◀─ ICMP host",         "…",
        "second: connect => ETIMEDOUT  ", "client: recv … => \"yes\"",
        "   -408 µs client: close"};
    struct record *r = build_record();
    build_sent(r, 0, 1000, &(struct build_tcp){.flags = "S"});
    build_done(r, build_time(NSEC_PER_SEC));
    struct result *result = result_new("a-lab");
    result->record = r;
    result->verdict = VERDICT_FAIL;
    result->reason = xstrdup("it differs");
    add_line(result, LINE_SEGMENT, LINE_DIFFERS,
             "+1ms client.port > server.1234: Flags [P.], seq 1:1001, ack 1, win 502, length 1000",
             "+1ms client.port > server.1234: Flags [P.], seq 1:1001, ack 1, win 501, length 1000",
             NSEC_PER_MSEC);
    vec_push(&result->lines.at[0].diffs,
             ((struct field_diff){
                 .field = xstrdup("win"), .expected = xstrdup("502"), .observed = xstrdup("501")}));
    static const struct {
        enum line_kind kind;
        const char *text;
        nsec gap;
    } fine[] = {
        {LINE_SEGMENT,
         "+1ms client.port > server.1234: Flags [P.], seq 100001:101001, ack 1, win 502, options "
         "[nop,nop,TS val 1 ecr 1], length 1000",
         NSEC_PER_MSEC},
        {LINE_SEGMENT, "+10.118ms server > client: ICMP host server unreachable, length 68",
         10 * NSEC_PER_MSEC},
        {LINE_CALL, "+2s client as second: connect server 1234 => ETIMEDOUT", 2 * NSEC_PER_SEC},
        {LINE_CALL, "client: recv 100 some => \"yes\"", 0},
        {LINE_CALL, "-407.7us client: close", -408 * NSEC_PER_USEC},
    };
    for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
        add_line(result, fine[i].kind, LINE_OK, fine[i].text, fine[i].text, fine[i].gap);
    cleanup_strbuf struct strbuf out = STRBUF_INIT;
    report_text(&out, result, &(struct text_options){.width = 80, .utf8 = true});
    for (size_t i = 0; i < ARRAY_SIZE(told); i++)
        ck_assert_msg(strstr(out.data, told[i]), "no \"%s\" in\n%s", told[i], out.data);
    ck_assert(!strstr(out.data, "+10.118m "));
    result_free(result);
    record_free(r);
}
END_TEST

/* On the arrow of an arrival the time that it took comes before the window, which stands where it
 * was sent. */
START_TEST(an_arrival_tells_how_long_it_took)
{
    struct record *r = build_record();
    for (int i = 0; i < 3; i++)
        build_sent(
            r, i * NSEC_PER_MSEC, (40 + 10 * i) * NSEC_PER_MSEC,
            &(struct build_tcp){
                .flags = ".", .seq = 1 + 1000 * (unsigned)i, .ack = 1, .win = 502, .len = 1000});
    build_call(r, 0, "close", "", 90 * NSEC_PER_MSEC, 91 * NSEC_PER_MSEC, 0, 0);
    build_done(r, build_time(NSEC_PER_SEC));
    struct result result = {.record = r, .lab = r->lab, .verdict = VERDICT_PASS};
    for (int width = 70; width < 120; width++) {
        cleanup_strbuf struct strbuf out = STRBUF_INIT;
        report_text(&out, &result, &(struct text_options){.width = width, .utf8 = true});
        for (int i = 0; i < 3; i++) {
            cleanup_free char *time = xasprintf("─ %d ms ──▶│", 40 + 10 * i);
            ck_assert_msg(strstr(out.data, time), "%d columns: no %s in\n%s", width, time,
                          out.data);
        }
    }
    record_free(r);
}
END_TEST

/* However long its text and narrow the terminal, a lost segment's arrow has its cross. */
START_TEST(a_cross_is_never_covered)
{
    struct record *r = build_record();
    static const struct build_tcp lost[] = {
        {.flags = "S", .win = 1, .mss = 1460, .sack_ok = true, .ts = true, .wscale = 7},
        {.flags = "S.", .reply = true, .win = 64240, .mss = 1460, .sack_ok = true},
        {.flags = ".", .seq = 100001, .ack = 1, .win = 502, .len = 1000},
        {.flags = ".", .reply = true, .ack = 5, .win = 502, .n_sack = 2, .ts = true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
        build_sent(r, (nsec)i * NSEC_PER_MSEC, BUILD_LOST, &lost[i]);
    build_call(r, 0, "close", "", 5 * NSEC_PER_MSEC, 6 * NSEC_PER_MSEC, 0, 0);
    build_done(r, build_time(10 * NSEC_PER_SEC));
    struct result result = {.record = r, .lab = r->lab, .verdict = VERDICT_PASS};
    for (int width = 60; width < 200; width++) {
        cleanup_strbuf struct strbuf out = STRBUF_INIT;
        size_t crosses = 0;
        report_text(&out, &result, &(struct text_options){.width = width, .utf8 = true});
        for (const char *p = out.data; (p = strstr(p, "✗")); p++)
            crosses++;
        ck_assert_msg(crosses == ARRAY_SIZE(lost), "%d columns:\n%s", width, out.data);
    }
    record_free(r);
}
END_TEST

START_TEST(states_goldens)
{
    struct record *record = build_full_record();
    cleanup_strbuf struct strbuf table = STRBUF_INIT, tsv = STRBUF_INIT, none = STRBUF_INIT;
    report_states(&table, record);
    check_golden("states.txt", table.data, table.len);
    report_states_tsv(&tsv, record);
    check_golden("states.tsv", tsv.data, tsv.len);
    record->has_states = false;
    report_states(&none, record);
    ck_assert_str_eq(none.data, "Nobody looked at the states of sockets in this run.\n");
    record_free(record);
}
END_TEST

START_TEST(text_is_harmless)
{
    struct result *result = build_result((enum build_scene)_i);
    nsec wall = result->wall;
    for (int width = 60; width < 160; width += 7) {
        for (unsigned bits = 0; bits < 16; bits++) {
            struct text_options options = {.view = bits & 8 ? VIEW_LINES : VIEW_LADDER,
                                           .width = width,
                                           .utf8 = bits & 1,
                                           .quiet = bits & 2};
            result->wall = bits & 4 ? 31 * NSEC_PER_USEC : wall;
            cleanup_strbuf struct strbuf out = STRBUF_INIT;
            report_text(&out, result, &options);
            check_rows(out.data, &options);
        }
    }
    build_result_free(result);
}
END_TEST

/* Colours are an addition: without them the same text is left. */
START_TEST(color_only_adds)
{
    struct result *result = build_result((enum build_scene)_i);
    cleanup_strbuf struct strbuf plain = STRBUF_INIT, color = STRBUF_INIT, stripped = STRBUF_INIT;
    report_text(&plain, result, &(struct text_options){.width = 80, .utf8 = true});
    report_text(&color, result, &(struct text_options){.width = 80, .utf8 = true, .color = true});
    for (const char *p = color.data; *p; p++) {
        if (*p == '\033')
            p = strchr(p, 'm');
        else
            strbuf_putc(&stripped, *p);
    }
    ck_assert_str_eq(plain.data, stripped.data);
    build_result_free(result);
}
END_TEST

static char *whole_report(const struct report_format *format, size_t from, size_t to)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    struct error err = ERROR_INIT;
    struct text_options options = {.width = 80, .utf8 = true, .quiet = true};
    struct report *report = report_new(format, f, &options, to - from);
    for (size_t i = from; i < to; i++) {
        struct result *result = build_result((enum build_scene)i);
        report_one(report, result);
        build_result_free(result);
    }
    ck_assert_int_eq(report_end(report, &err), 0);
    fclose(f);
    return text;
}

static const char *const format_names[] = {"text", "json", "junit", "tap", "ktap"};

START_TEST(format_goldens)
{
    const struct report_format *format = report_format_find(format_names[_i]);
    ck_assert_ptr_nonnull(format);
    ck_assert_ptr_nonnull(strstr(report_format_names(), format_names[_i]));
    cleanup_free char *all = whole_report(format, 0, SCENE_COUNT);
    cleanup_free char *one = whole_report(format, SCENE_INTERVAL, SCENE_INTERVAL + 1);
    cleanup_free char *none = whole_report(format, 0, 0);
    const char *suffix = strcmp(format_names[_i], "junit") == 0  ? "junit.xml"
                         : strcmp(format_names[_i], "text") == 0 ? "summary.txt"
                                                                 : format_names[_i];
    cleanup_free char *all_name = xasprintf("all.%s", suffix);
    cleanup_free char *one_name = xasprintf("one.%s", suffix);
    cleanup_free char *none_name = xasprintf("none.%s", suffix);
    check_golden(all_name, all, strlen(all));
    check_golden(one_name, one, strlen(one));
    check_golden(none_name, none, strlen(none));
}
END_TEST

static int write_capture(FILE *to, const struct record *r, struct error *err)
{
    cleanup_free char **comments = xcalloc(r->packets.n, sizeof(*comments));
    char note[] = "The client opens.\nIts SYN …";
    comments[0] = note;
    return record_write_capture(to, r, comments, err);
}

/* The files of the evidence, from a record with a value in every field. */
START_TEST(evidence_goldens)
{
    static const struct {
        const char *golden;
        int (*write)(FILE *to, const struct record *r, struct error *err);
    } files[] = {{"full.pcapng", write_capture}, {"full.events.jsonl", record_write_events}};
    struct record *record = build_full_record();
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        cleanup_free char *text = NULL;
        size_t len = 0;
        struct error err = ERROR_INIT;
        FILE *f = open_memstream(&text, &len);
        ck_assert_int_eq(files[i].write(f, record, &err), 0);
        fclose(f);
        check_golden(files[i].golden, text, len);
    }
    struct result *result = build_result(SCENE_SKIP);
    result->record = record;
    json_t *o = result_to_json(result);
    cleanup_free char *text = json_dumps(o, RESULT_JSON_FLAGS);
    check_golden("full.json", text, strlen(text));
    json_decref(o);
    build_result_free(result);
}
END_TEST

START_TEST(unknown_format)
{
    ck_assert_ptr_null(report_format_find("pdf"));
    ck_assert_ptr_null(report_format_find(""));
}
END_TEST

START_TEST(full_disk)
{
    FILE *f = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(f);
    struct error err = ERROR_INIT;
    struct report *report =
        report_new(&report_tap_format, f, &(struct text_options){.width = 80}, 0);
    ck_assert_int_eq(report_end(report, &err), -1);
    ck_assert_int_eq(err.status, STATUS_MACHINE);
    error_clear(&err);
    fclose(f);
}
END_TEST

/* ---------------------------------------------------------------- KTAP reader */

/* Reads one level of KTAP from *p; checks numbers and the plan, and that a parent
 * with a failed subtest is not ok.  Returns the number of tests that failed. */
static unsigned read_ktap(const char **p, unsigned indent)
{
    unsigned plan = 0, seen = 0, failed = 0, failed_below = 0;
    bool version = false, planned = false;
    while (**p) {
        const char *line = *p + strspn(*p, " ");
        unsigned depth = (unsigned)(line - *p);
        unsigned number;
        if (depth < indent)
            break;
        if (depth > indent) {
            ck_assert_uint_eq(depth, indent + 2);
            failed_below = read_ktap(p, depth);
            continue;
        }
        *p = strchr(line, '\n') + 1;
        if (*line == '#')
            continue;
        if (strncmp(line, "KTAP version 1\n", 15) == 0) {
            ck_assert(!version);
            version = true;
        } else if (sscanf(line, "1..%u\n", &plan) == 1) {
            ck_assert(version && !planned);
            planned = true;
        } else {
            bool ok = strncmp(line, "ok ", 3) == 0;
            ck_assert_msg(planned && (ok || strncmp(line, "not ok ", 7) == 0), "line: %s", line);
            ck_assert_int_eq(sscanf(line + (ok ? 3 : 7), "%u", &number), 1);
            ck_assert_uint_eq(number, ++seen);
            ck_assert_msg(!ok || !failed_below, "ok above a failed subtest: %s", line);
            failed_below = 0;
            failed += !ok;
        }
    }
    ck_assert_uint_eq(plan, seen);
    return failed;
}

START_TEST(ktap_parses)
{
    cleanup_free char *text = whole_report(&report_ktap_format, 0, SCENE_COUNT);
    const char *p = text;
    ck_assert_uint_eq(read_ktap(&p, 0), 7); /* five FAIL, one ERROR, and the unkind one */
    ck_assert_str_eq(p, "");
}
END_TEST

/* -------------------------------------------------------------------- wrap */

START_TEST(wrap_rows)
{
    static const struct {
        const char *text;
        int width;
        bool fields;
        const char *rows; /* joined by | */
    } cases[] = {
        {"", 10, false, ""},
        {"   ", 10, false, ""},
        {"one two three", 7, false, "one two|three"},
        {"one two three", 6, false, "one|two|three"},
        {"one\ntwo\t three", 20, false, "one two  three"},
        {"abcdefghij", 4, false, "abcd|efgh|ij"},
        {"a, bb cc, dd", 8, true, "a,|bb cc,|dd"},
        {"a, bb cc, dd", 9, true, "a, bb cc,|dd"},
        {"o [nop,nop,TS val 1], n", 15, true, "o [nop,nop,|TS val 1], n"},
        {"a > b: Flags", 9, true, "a > b:|Flags"},
        {"fd00::1.80 > b", 11, true, "fd00::1.80|> b"},
        {"序号序号序号", 5, false, "序号|序号|序号"},
        {"x", 0, false, "x"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wrap w = {.s = cases[i].text,
                         .len = strlen(cases[i].text),
                         .fields = cases[i].fields,
                         .utf8 = true};
        cleanup_strbuf struct strbuf rows = STRBUF_INIT;
        size_t from, to;
        while (wrap_next(&w, cases[i].width, &from, &to)) {
            strbuf_puts(&rows, rows.len ? "|" : "");
            glyphs_put(&rows, cases[i].text + from, to - from, true);
        }
        ck_assert_str_eq(strbuf_cstr(&rows), cases[i].rows);
    }
}
END_TEST

/* Overlong forms, surrogates, cut-off characters: one replacement a byte. */
START_TEST(glyphs_ill_formed)
{
    static const char *const bad[] = {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
                                      "\x80",     "\xff",         "\xe0\x80\x80"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        size_t len = strlen(bad[i]);
        cleanup_strbuf struct strbuf out = STRBUF_INIT;
        glyphs_put(&out, bad[i], len, true);
        ck_assert_uint_eq(out.len, 3 * len);
        ck_assert_int_eq(glyphs_width(bad[i], len, false), (int)len);
    }
}
END_TEST

/* A segment that a second line looks at, at a capture point, is still one, but where there are
 * only capture points they count; and what is not TCP is no segment. */
START_TEST(the_verdict_counts_packets)
{
    static const char segment[] = "+0 client.port > server.1234: Flags [S], seq 0, length 0";
    struct result result = {.verdict = VERDICT_PASS};
    struct result_line once = {.kind = LINE_SEGMENT, .observed = xstrdup(segment)};
    struct result_line again = {
        .kind = LINE_SEGMENT, .point = xstrdup("server"), .observed = xstrdup(segment)};
    struct result_line arp = {.kind = LINE_SEGMENT,
                              .observed = xstrdup("+0 client > any: ARP, Request who-has server")};
    cleanup_strbuf struct strbuf one = STRBUF_INIT, two = STRBUF_INIT, three = STRBUF_INIT;
    vec_push(&result.lines, once);
    vec_push(&result.lines, again);
    words_verdict(&one, &result);
    ck_assert_str_eq(one.data, "1 segment, all as expected");
    vec_push(&result.lines, arp);
    words_verdict(&two, &result);
    ck_assert_str_eq(two.data, "2 packets, all as expected");
    vec_each (&result.lines, line)
        if (!line->point)
            line->point = xstrdup("client");
    words_verdict(&three, &result);
    ck_assert_str_eq(three.data, "3 packets, all as expected");
    vec_each (&result.lines, line) {
        free(line->observed);
        free(line->point);
    }
    vec_free(&result.lines);
}
END_TEST

static Suite *suite_report(void)
{
    Suite *s = suite_create("report");
    TCase *tc = tcase_create("report");
    tcase_add_loop_test(tc, text_goldens, 0, SCENE_COUNT);
    tcase_add_test(tc, live_golden);
    tcase_add_test(tc, the_verdict_counts_packets);
    tcase_add_test(tc, a_long_title);
    tcase_add_test(tc, an_arrival_tells_how_long_it_took);
    tcase_add_test(tc, halves_tell_what_matters);
    tcase_add_test(tc, a_cross_is_never_covered);
    tcase_add_loop_test(tc, text_is_harmless, 0, SCENE_COUNT);
    tcase_add_loop_test(tc, color_only_adds, 0, SCENE_COUNT);
    tcase_add_loop_test(tc, format_goldens, 0, ARRAY_SIZE(format_names));
    tcase_add_test(tc, evidence_goldens);
    tcase_add_test(tc, states_goldens);
    tcase_add_test(tc, unknown_format);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, ktap_parses);
    tcase_add_test(tc, wrap_rows);
    tcase_add_test(tc, glyphs_ill_formed);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_report)
