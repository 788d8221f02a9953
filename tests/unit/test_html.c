/* report.html as text: what stands in it, and what never may.  tests/page/ looks at it in a
 * browser. */
#include "build_packet.h"
#include "build_result.h"
#include "lab_helpers.h"
#include "report/html.h"
#include "report/html_page.h"
#include "unit.h"

static char *page_of(const struct result *result, const struct lab *lab)
{
    struct strbuf out = STRBUF_INIT;
    report_html(&out, result, lab);
    return strbuf_steal(&out);
}

static bool is_void(const char *name, size_t n)
{
    static const char *const names[] = {"meta", "br", "hr", "col", "!DOCTYPE"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == n && memcmp(name, names[i], n) == 0)
            return true;
    return false;
}

/* Where a tag ends: behind the '>' that is in no quotes; NULL: nowhere. */
static const char *tag_end(const char *p)
{
    for (char quote = '\0'; *p; p++) {
        if (quote)
            quote = *p == quote ? '\0' : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '>')
            return p;
    }
    return NULL;
}

/* NULL: every element is closed where it has to be; else where not. */
static const char *find_fault(const char *html)
{
    struct {
        const char *name;
        size_t n;
    } open[200];
    size_t depth = 0;
    for (const char *p = html; (p = strchr(p, '<'));) {
        if (strncmp(p, "<!--", 4) == 0) {
            p = strstr(p, "-->");
            if (!p)
                return html;
            continue;
        }
        bool closes = p[1] == '/';
        const char *name = p + 1 + closes, *end = tag_end(p);
        size_t n = strcspn(name, " >/\n");
        if (!end || n == 0)
            return p;
        if (closes) {
            if (depth == 0 || open[depth - 1].n != n || memcmp(open[depth - 1].name, name, n) != 0)
                return p;
            depth--;
        } else if (end[-1] != '/' && !is_void(name, n)) {
            if (depth == ARRAY_SIZE(open))
                return p;
            open[depth].name = name;
            open[depth++].n = n;
        }
        p = end;
        if (!closes && n == 5 && memcmp(name, "style", n) == 0)
            p = strstr(p, "</style>");
        else if (!closes && n == 6 && memcmp(name, "script", n) == 0)
            p = strstr(p, "</script>");
    }
    return depth ? open[depth - 1].name : NULL;
}

START_TEST(test_every_scene)
{
    struct result *result = build_result((enum build_scene)_i);
    cleanup_free char *page = page_of(result, NULL), *again = page_of(result, NULL);
    const char *fault = find_fault(page);
    ck_assert_msg(!fault, "%s: not closed: %.60s", build_scene_names[_i], fault ? fault : "");
    ck_assert_str_eq(page, again);
    ck_assert_ptr_nonnull(strstr(page, verdict_name(result->verdict)));
    ck_assert_ptr_null(strstr(page, " style=\""));
    ck_assert_ptr_null(strstr(page, " onclick="));
    ck_assert_ptr_null(strstr(page, "src="));
    for (const char *p = page; (p = strstr(p, "href=\"")); p++)
        ck_assert_int_eq(p[6], '#');
    build_result_free(result);
}
END_TEST

/* Nothing that a host is called, a program sent or a note says becomes a tag, in the page or
 * in the data for its script. */
START_TEST(test_hostile)
{
    static const char evil[] = "</script><img src=x onerror=alert(1)>\"'&\x1b[2J\xe2\x80\xae\xff";
    struct result *result = build_result(SCENE_FIELDS);
    struct record *record = build_full_record();
    free(result->title);
    result->title = xstrdup(evil);
    vec_each (&result->lines, line) {
        free(line->note);
        line->note = xstrdup(evil);
    }
    vec_each (&record->hosts, host) {
        free(host->name);
        host->name = xstrdup(evil);
    }
    vec_each (&record->calls, call) {
        free(call->args);
        call->args = xstrdup(evil);
    }
    vec_push(&record->remarks, xstrdup(evil));
    const struct record *own = result->record;
    result->record = record;
    cleanup_free char *page = page_of(result, NULL);
    ck_assert_ptr_null(find_fault(page));
    ck_assert_ptr_null(strstr(page, "<img"));
    ck_assert_ptr_null(strchr(page, '\x1b'));
    ck_assert_ptr_null(strstr(page, "\xe2\x80\xae"));
    ck_assert_ptr_null(strstr(page, "\xff"));
    ck_assert_ptr_nonnull(strstr(page, "&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"));
    result->record = own;
    record_free(record);
    build_result_free(result);
}
END_TEST

/* Of what nothing is known but its packets: the ladder, and no word of a verdict. */
START_TEST(test_unjudged)
{
    static const char evil[] = "<img src=x>\x1b[2J.pcap";
    struct record *record = build_full_record();
    cleanup_strbuf struct strbuf page = STRBUF_INIT;
    report_html_unjudged(&page, record, evil);
    ck_assert_ptr_null(find_fault(page.data));
    ck_assert_ptr_null(strstr(page.data, "<img"));
    ck_assert_ptr_null(strchr(page.data, '\x1b'));
    ck_assert_ptr_nonnull(strstr(page.data, "&lt;img src=x&gt;"));
    ck_assert_ptr_nonnull(strstr(page.data, "<section id=\"ladder\""));
    ck_assert_ptr_nonnull(strstr(page.data, "not judged"));
    ck_assert_ptr_null(strstr(page.data, "class=\"badge"));
    ck_assert_ptr_null(strstr(page.data, "<section id=\"verdict\""));
    record_free(record);
}
END_TEST

START_TEST(test_lesson)
{
    static const char text[] =
        "# A *title*\n\nWords <script>x</script> and ![a picture](http://x/y.png), "
        "[a link](javascript:alert(1)).\n\n## A part\n\n```text\na   <b>\n```\n\n```lab\n"
        "host client 10.0.0.1/24\nhost server 10.0.0.2/24\n"
        "capture client server \"tcp port 1234\"\n"
        "server listen 1234\n```\n";
    struct parsed parsed = parse(text);
    struct result *result = build_result(SCENE_SKIP);
    cleanup_free char *page = page_of(result, parsed.lab);
    ck_assert_ptr_null(find_fault(page));
    ck_assert_ptr_null(strstr(page, "<script>x"));
    ck_assert_ptr_null(strstr(page, "<img"));
    ck_assert_ptr_null(strstr(page, "javascript:"));
    ck_assert_ptr_nonnull(strstr(page, "a picture"));
    ck_assert_ptr_nonnull(strstr(page, "<h3>A part</h3>"));
    ck_assert_ptr_nonnull(strstr(page, "<pre class=\"text\" tabindex=\"0\"><code>a   &lt;b&gt;\n"));
    ck_assert_ptr_nonnull(strstr(page, "server listen 1234"));
    ck_assert_ptr_nonnull(strstr(page, "is plugged into switch 1"));
    build_result_free(result);
    parsed_free(&parsed);
}
END_TEST

static char *page_of_record(struct record *record)
{
    struct strbuf page = STRBUF_INIT;
    report_html_unjudged(&page, record, "x.pcap");
    record_free(record);
    return strbuf_steal(&page);
}

static void shake_hands(struct record *r, uint8_t client, uint8_t server)
{
    build_sent(r, 0, NSEC_PER_MSEC, &(struct build_tcp){.flags = "S", .wscale = client});
    build_sent(
        r, 2 * NSEC_PER_MSEC, NSEC_PER_MSEC,
        &(struct build_tcp){.flags = "S.", .reply = true, .ack = 1, .wscale = server, .win = 9});
    build_sent(r, 4 * NSEC_PER_MSEC, NSEC_PER_MSEC,
               &(struct build_tcp){.flags = ".", .seq = 1, .ack = 1, .win = 9});
}

/* A shift count beyond 14 means 14 (RFC 7323 2.3); of one that is not the same for all, or that
 * only one side offers, nothing is said. */
START_TEST(test_scale)
{
    static const struct {
        uint8_t client, server;
        const char *said;
    } cases[] = {{7, 7, "units of 128 bytes, as the SYNs agree (wscale 7)."},
                 {255, 255, "units of 16384 bytes, as the SYNs agree (wscale 14)."},
                 {7, 8, NULL},
                 {7, 0, NULL}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record *r = build_record();
        shake_hands(r, cases[i].client, cases[i].server);
        build_sent(r, 6 * NSEC_PER_MSEC, NSEC_PER_MSEC,
                   &(struct build_tcp){.flags = "P.", .seq = 1, .ack = 1, .win = 9, .len = 5});
        build_done(r, build_time(NSEC_PER_SEC));
        cleanup_free char *page = page_of_record(r);
        ck_assert_int_eq(strstr(page, "the SYNs agree") != NULL, cases[i].said != NULL);
        ck_assert(!cases[i].said || strstr(page, cases[i].said));
    }
}
END_TEST

/* What is sent again while it is still under way counts twice there: the graph has room. */
START_TEST(test_room_under_way)
{
    struct record *r = build_record();
    shake_hands(r, 7, 7);
    for (uint32_t i = 0; i < 20; i++)
        build_sent(r, (100 + 20 * i) * NSEC_PER_MSEC, NSEC_PER_SEC,
                   &(struct build_tcp){.id = (uint16_t)(i + 1),
                                       .flags = "P.",
                                       .seq = 1 + i % 10 * 100,
                                       .ack = 1,
                                       .win = 9,
                                       .len = 100});
    build_sent(r, 2000 * NSEC_PER_MSEC, NSEC_PER_MSEC,
               &(struct build_tcp){.flags = ".", .reply = true, .seq = 1, .ack = 1001, .win = 9});
    build_done(r, build_time(3 * NSEC_PER_SEC));
    cleanup_free char *page = page_of_record(r);
    ck_assert_ptr_nonnull(strstr(page, "20 segments with 2000 bytes of data were sent, 10 of them "
                                       "again; 0 were lost; at the end 1001 numbers were"));
    ck_assert_ptr_nonnull(strstr(page, "At most 1000 numbers were sent and not yet acknowledged; "
                                       "at most 2000 bytes were under way"));
    char *graph = strstr(page, "aria-labelledby=\"fly0-t");
    ck_assert_ptr_nonnull(graph);
    *strstr(graph, "</svg>") = '\0';
    ck_assert_ptr_nonnull(strstr(graph, "class=\"g-fly\""));
    ck_assert_ptr_null(strstr(graph, "V-"));
}
END_TEST

/* Looks from before the first segment that was captured are in the plot as well. */
START_TEST(test_early_look)
{
    struct record *r = build_record();
    shake_hands(r, 7, 7);
    for (int i = 0; i < 3; i++)
        vec_push(&r->states,
                 ((struct record_state){.time = build_time((i - 2) * NSEC_PER_SEC),
                                        .host = 0,
                                        .local_port = 40000,
                                        .remote_port = 1234,
                                        .new = TCP_STATE_SYN_SENT,
                                        .has_values = true,
                                        .values = {.cwnd = 10 - i, .ssthresh = -1, .srtt = -1}}));
    build_done(r, build_time(NSEC_PER_SEC));
    cleanup_free char *page = page_of_record(r);
    char *graph = strstr(page, "aria-labelledby=\"cwnd0-t");
    ck_assert_ptr_nonnull(graph);
    *strstr(graph, "</svg>") = '\0';
    ck_assert_ptr_nonnull(strstr(graph, "class=\"g-fly\" d=\"M0 "));
}
END_TEST

/* What the lab sets, unless the kernel has no such setting. */
START_TEST(test_settings)
{
    struct parsed parsed = parse_lines("sysctl client net.ipv4.tcp_sack 0\n"
                                       "sysctl? client net.ipv4.tcp_new 1\n"
                                       "sysctl? server net.ipv4.tcp_new 2\nserver listen 1234");
    assert_clean(parsed);
    struct result *result = build_result(SCENE_PASS);
    struct record *r = build_record();
    vec_push(
        &r->sysctls,
        ((struct record_sysctl){
            .host = 0, .key = xstrdup("net.ipv4.tcp_new"), .value = xstrdup("1"), .absent = true}));
    const struct record *own = result->record;
    result->record = r;
    cleanup_free char *page = page_of(result, parsed.lab);
    ck_assert_ptr_nonnull(strstr(page, "net.ipv4.tcp_sack = 0<"));
    ck_assert_ptr_nonnull(strstr(page, "net.ipv4.tcp_new (this kernel has none)<"));
    ck_assert_ptr_null(strstr(page, "net.ipv4.tcp_new = 1<"));
    ck_assert_ptr_nonnull(strstr(page, "net.ipv4.tcp_new = 2<"));
    result->record = own;
    record_free(r);
    build_result_free(result);
    parsed_free(&parsed);
}
END_TEST

/* How the wire is, and how only later. */
START_TEST(test_wire)
{
    struct parsed parsed = parse_lines("wire client <> server delay 5ms\nserver listen 1234\n"
                                       "client connect server 1234\nserver accept\n"
                                       "wire client > server delay 7ms");
    assert_clean(parsed);
    struct result *result = build_result(SCENE_PASS);
    cleanup_free char *page = page_of(result, parsed.lab);
    ck_assert_ptr_nonnull(strstr(page, ">client &lt;&gt; server delay 5ms<"));
    ck_assert_ptr_nonnull(strstr(page, ">client &gt; server delay 7ms (later)<"));
    build_result_free(result);
    parsed_free(&parsed);
}
END_TEST

/* Code in a note, and what only looks like it. */
START_TEST(test_note)
{
    static const char *const cases[][2] = {
        {"`mss` speaks of `<a>`", "<code>mss</code> speaks of <code>&lt;a&gt;</code>"},
        {"one ` alone", "one ` alone"},
        {"`a` and ` alone", "<code>a</code> and ` alone"},
        {"", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cleanup_strbuf struct strbuf out = STRBUF_INIT;
        html_note(&out, cases[i][0]);
        ck_assert_str_eq(strbuf_cstr(&out), cases[i][1]);
    }
}
END_TEST

/* The walker itself. */
START_TEST(test_walker)
{
    ck_assert_ptr_null(find_fault("<p>a <b title=\"x > y\">b</b><br></p>"));
    ck_assert_ptr_nonnull(find_fault("<p>a <b>b</p>"));
    ck_assert_ptr_nonnull(find_fault("<p>a"));
    ck_assert_ptr_nonnull(find_fault("a < b"));
}
END_TEST

static Suite *suite_html(void)
{
    Suite *s = suite_create("html");
    TCase *tc = tcase_create("html");
    tcase_add_loop_test(tc, test_every_scene, 0, SCENE_COUNT);
    tcase_add_test(tc, test_hostile);
    tcase_add_test(tc, test_unjudged);
    tcase_add_test(tc, test_lesson);
    tcase_add_test(tc, test_scale);
    tcase_add_test(tc, test_room_under_way);
    tcase_add_test(tc, test_early_look);
    tcase_add_test(tc, test_settings);
    tcase_add_test(tc, test_wire);
    tcase_add_test(tc, test_note);
    tcase_add_test(tc, test_walker);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_html)
