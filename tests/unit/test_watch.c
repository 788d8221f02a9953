#include "watch/watch.h"

#include <pcap/dlt.h>
#include <stdio.h>

#include "build_packet.h"
#include "build_result.h"
#include "golden.h"
#include "lab/filter.h"
#include "report/wrap.h"
#include "scenes.h"
#include "unit.h"
#include "watch/filter.h"

/* A person at a screen of a certain size. */
struct sitting {
    struct watch *watch;
    struct screen screen;
    struct strbuf text; /* of the screen */
    int width, height;
    bool utf8;
};

static void look(struct sitting *s)
{
    screen_free(&s->screen);
    screen_init(&s->screen, s->width, s->height, s->utf8);
    watch_draw(s->watch, &s->screen);
    strbuf_truncate(&s->text, 0);
    screen_dump(&s->text, &s->screen);
}

static struct sitting sit_down(const struct record *r, const struct result *result, int width,
                               int height, bool utf8)
{
    struct sitting s = {
        .watch = watch_new("a-lab", r, result), .width = width, .height = height, .utf8 = utf8};
    look(&s);
    return s;
}

static void get_up(struct sitting *s)
{
    watch_free(s->watch);
    screen_free(&s->screen);
    strbuf_free(&s->text);
}

/* Characters as they are; a page is settled after each key. */
static void press(struct sitting *s, const char *keys)
{
    for (; *keys; keys++) {
        watch_press(s->watch, (unsigned char)*keys);
        look(s);
    }
}

static void press_key(struct sitting *s, int key)
{
    watch_press(s->watch, key);
    look(s);
}

static bool shows(const struct sitting *s, const char *text)
{
    return strstr(strbuf_cstr(&s->text), text) != NULL;
}

#define assert_shows(s, wanted)                                                                    \
    ck_assert_msg(shows(s, wanted), "no \"%s\" in\n%s", wanted, strbuf_cstr(&(s)->text))
#define assert_not_shows(s, unwanted)                                                              \
    ck_assert_msg(!shows(s, unwanted), "\"%s\" in\n%s", unwanted, strbuf_cstr(&(s)->text))

static struct record *unplugged(void)
{
    static const nsec gaps[] = {208 * NSEC_PER_MSEC, 412 * NSEC_PER_MSEC, 832 * NSEC_PER_MSEC};
    return scene_unplugged(gaps, 3);
}

/* ------------------------------------------------------------------- goldens */

static const struct {
    const char *name, *keys;
    int width, height;
    bool utf8;
} views[] = {
    {"ladder-80.txt", "", 80, 24, true},
    {"ladder-80-ascii.txt", "", 80, 24, false},
    {"ladder-60.txt", "jjj", 60, 16, true},
    {"ladder-120.txt", "n", 120, 30, true},
    {"ladder-20.txt", "", 20, 5, true},
    {"filter-80.txt", "/tcp[13] & 8 != 0\n", 80, 24, true},
    {"typing-80.txt", "/conn", 80, 24, true},
    {"header-80.txt", "n\njjjj", 80, 40, true},
    {"header-60.txt", "n\njjjj", 60, 16, true},
    {"header-160.txt", "n\njjjj", 160, 50, true},
    {"compare-80.txt", "n n ", 80, 24, true},
    {"compare-all-60-ascii.txt", "n n a", 60, 16, false},
    {"help-80.txt", "?", 80, 24, true},
};

START_TEST(goldens)
{
    struct record *r = unplugged();
    struct sitting s = sit_down(r, NULL, views[_i].width, views[_i].height, views[_i].utf8);
    press(&s, views[_i].keys);
    cleanup_free char *name = xasprintf("watch/%s", views[_i].name);
    golden_check(name, s.text.data, s.text.len);
    get_up(&s);
    record_free(r);
}
END_TEST

START_TEST(judged_runs)
{
    struct result *result = build_result((enum build_scene)_i);
    if (result->record) {
        struct sitting s = sit_down(result->record, result, 80, 24, true);
        cleanup_free char *name = xasprintf("watch/judged-%s.txt", build_scene_names[_i]);
        golden_check(name, s.text.data, s.text.len);
        get_up(&s);
    }
    build_result_free(result);
}
END_TEST

/* --------------------------------------------------------------------- keys */

START_TEST(the_first_failed_line_is_where_it_begins)
{
    struct result *result = build_result(SCENE_INTERVAL);
    struct sitting s = sit_down(result->record, result, 80, 24, true);
    assert_shows(&s, "FAIL");
    assert_shows(&s, "retries linearly, see tcp_syn_linear_timeouts");
    press_key(&s, WATCH_HOME);
    assert_not_shows(&s, "retries linearly, see tcp_syn_linear_timeouts");
    press(&s, "f");
    assert_shows(&s, "retries linearly, see tcp_syn_linear_timeouts");
    /* The teacher's note tells what should have come. */
    assert_not_shows(&s, "Then after two: the time doubles.");
    get_up(&s);
    build_result_free(result);
}
END_TEST

START_TEST(n_goes_round)
{
    struct record *r = unplugged();
    struct sitting s = sit_down(r, NULL, 100, 30, true);
    press(&s, "n");
    assert_shows(&s, "lost");
    cleanup_free char *first = xstrdup(s.text.data);
    press(&s, "nnn");
    press(&s, "n");
    assert_shows(&s, "on from the beginning");
    press(&s, "k");
    press(&s, "n");
    ck_assert_str_eq(first, s.text.data);
    press(&s, "N");
    assert_shows(&s, "on from the end");
    get_up(&s);
    record_free(r);
}
END_TEST

START_TEST(filters_show_how_many)
{
    struct record *r = unplugged();
    struct sitting s = sit_down(r, NULL, 100, 30, true);
    press(&s, "/tcp[13] & 8 != 0\n");
    assert_shows(&s, "filter \"tcp[13] & 8 != 0\": 4 of ");
    assert_not_shows(&s, "[S]");
    press(&s, "/src host server\n");
    assert_shows(&s, "filter \"src host server\": 1 of ");
    press(&s, "/LOST\n");
    assert_shows(&s, "text \"LOST\": 4 of ");
    press(&s, "/nowhere\n");
    assert_shows(&s, "nothing passes the filter");
    press(&s, "jkgGnNf \n");
    press_key(&s, WATCH_ESCAPE);
    assert_shows(&s, "[S]");
    press(&s, "/abc");
    press_key(&s, WATCH_BACKSPACE);
    assert_shows(&s, "/ab\n");
    press(&s, "\xc3");
    press_key(&s, WATCH_CLEAR_LINE);
    press_key(&s, 0xe9);
    assert_shows(&s, "/\xc3\xa9\n");
    press_key(&s, WATCH_BACKSPACE);
    press_key(&s, WATCH_BACKSPACE);
    assert_shows(&s, "q: quit");
    get_up(&s);
    record_free(r);
}
END_TEST

START_TEST(header_and_comparison)
{
    struct record *r = unplugged();
    struct sitting s = sit_down(r, NULL, 100, 40, true);
    press(&s, "n\n");
    assert_shows(&s, "TCP, Source Port: ");
    press(&s, "jj");
    assert_shows(&s, "TCP, Sequence Number: ");
    press_key(&s, WATCH_BACKTAB);
    press_key(&s, WATCH_BACKTAB);
    assert_shows(&s, "IPv4, Version: 4");
    press_key(&s, WATCH_TAB);
    assert_shows(&s, "TCP, Source Port: ");
    press(&s, "n");
    press(&s, "?");
    assert_shows(&s, "The ladder");
    press(&s, "q");
    assert_shows(&s, "TCP, Source Port: ");
    press(&s, "q");
    assert_shows(&s, "q: quit");
    press(&s, " ");
    assert_shows(&s, "marked");
    press(&s, "n ");
    assert_shows(&s, "Timestamp Value");
    assert_not_shows(&s, "Destination Port");
    press(&s, "a");
    assert_shows(&s, "Destination Port");
    ck_assert(!watch_is_over(s.watch));
    press(&s, "qq");
    ck_assert(watch_is_over(s.watch));
    get_up(&s);
    record_free(r);
}
END_TEST

/* ----------------------------------------------------------------- any input */

static unsigned next(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

static void check_screen(const struct sitting *s)
{
    for (int y = 0; y < s->height; y++) {
        int width = 0;
        for (int x = 0; x < s->width; x++) {
            const char *text = s->screen.rows[y].cells[x].text;
            for (const char *p = text; *p; p++)
                if ((unsigned char)*p < 0x20 || *p == 0x7f || (!s->utf8 && (*p & 0x80)))
                    ck_abort_msg("a character that does not belong here: %d", *p);
            width += glyphs_width(text, strlen(text), true);
        }
        if (width > s->width)
            ck_abort_msg("row %d is %d wide", y, width);
    }
}

static void press_at_random(struct sitting *s, unsigned seed, int times)
{
    static const int keys[] = {WATCH_UP,
                               WATCH_DOWN,
                               WATCH_LEFT,
                               WATCH_RIGHT,
                               WATCH_PAGE_UP,
                               WATCH_PAGE_DOWN,
                               WATCH_HOME,
                               WATCH_END,
                               WATCH_BACKTAB,
                               WATCH_TAB,
                               WATCH_ENTER,
                               WATCH_ESCAPE,
                               WATCH_BACKSPACE,
                               'n',
                               'N',
                               'f',
                               'F',
                               ' ',
                               ' ',
                               'a',
                               't',
                               '?',
                               '/',
                               's',
                               'y',
                               'n',
                               'j',
                               'k',
                               0x4e2d,
                               0x301,
                               0x1f600,
                               0x85};
    for (int i = 0; i < times; i++) {
        s->width = (int)(next(&seed) % (i % 5 ? 130 : 12));
        s->height = (int)(next(&seed) % (i % 7 ? 50 : 5));
        watch_press(s->watch, keys[next(&seed) % ARRAY_SIZE(keys)]);
        look(s);
        check_screen(s);
    }
}

START_TEST(any_keys_at_any_size)
{
    struct result *result = build_result((enum build_scene)_i);
    for (unsigned utf8 = 0; utf8 < 2 && result->record; utf8++) {
        struct sitting s = sit_down(result->record, result, 80, 24, utf8);
        press_at_random(&s, (unsigned)_i * 2 + utf8 + 1, 250);
        get_up(&s);
    }
    build_result_free(result);
}
END_TEST

/* A capture of frames that were mutilated and cut off. */
START_TEST(garbage)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    unsigned seed = 7;
    struct record *r = build_record();
    for (int i = 0; i < 60; i++) {
        size_t len = build_tcp(buf, &(struct build_tcp){.flags = i % 3 ? "P." : "S",
                                                        .reply = i % 2,
                                                        .data = "hello",
                                                        .ts = true,
                                                        .n_sack = 1,
                                                        .sack = {{1, 2}}});
        for (int k = 0; k < 6; k++)
            buf[next(&seed) % len] = (uint8_t)next(&seed);
        build_seen(r, 0, BUILD_UNKNOWN, i * NSEC_PER_MSEC, buf, next(&seed) % (len + 1));
    }
    build_done(r, NSEC_PER_SEC);
    struct sitting s = sit_down(r, NULL, 80, 24, true);
    press_at_random(&s, 3, 400);
    get_up(&s);
    record_free(r);
}
END_TEST

/* One row for each frame: what is not all there ends in dots, with lifelines and without. */
START_TEST(what_is_cut_off_says_so)
{
    static uint8_t buf[BUILD_MAX_FRAME];
    static uint8_t frame[BUILD_MAX_FRAME];
    struct record *r = build_record();
    size_t n = build_tcp(frame, &(struct build_tcp){.flags = "S"});
    n = build_unreachable(buf, "10.0.0.2", "10.0.0.1", 1, frame, n);
    build_seen(r, 1, BUILD_OUT, 0, buf, n);
    build_seen(r, 0, BUILD_IN, 1000, buf, n);
    build_done(r, NSEC_PER_SEC);
    struct sitting s = sit_down(r, NULL, 60, 24, true);
    assert_shows(&s, "ICMP host server unreachable,…");
    get_up(&s);
    s = sit_down(r, NULL, 30, 24, false);
    assert_shows(&s, "ICMP host serve...");
    get_up(&s);
    s = sit_down(r, NULL, 16, 24, true);
    assert_shows(&s, "server >…");
    get_up(&s);
    record_free(r);
}
END_TEST

START_TEST(nothing_at_all)
{
    struct record *r = build_record();
    build_done(r, NSEC_PER_SEC);
    struct sitting s = sit_down(r, NULL, 80, 24, true);
    assert_shows(&s, "nothing happened");
    press_at_random(&s, 5, 100);
    get_up(&s);
    record_free(r);
}
END_TEST

/* -------------------------------------------------------------------- filters */

START_TEST(what_is_an_expression)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"tcp", true},
        {"src host client", true},
        {"tcp[13] & 4 != 0", true},
        {"port 1234", true},
        {"host 10.0.0.1 and tcp", true},
        {"1001", false},
        {"lost", false},
        {"example.org", false},
        {"host example.org", false},
        {"ack 1001", false},
        {"tcp and", false},
        {"port http", false},
        {"\xc3\xa9", false},
        {"\\tcp", false},
        {"ether host client", false},
    };
    struct record *r = unplugged();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct filter *f = filter_new(cases[i].text, r);
        ck_assert_msg(filter_is_expression(f) == cases[i].is, "%s", cases[i].text);
        filter_free(f);
    }
    record_free(r);
}
END_TEST

static Suite *suite_watch(void)
{
    Suite *s = suite_create("watch");
    TCase *tc = tcase_create("watch");
    tcase_add_loop_test(tc, goldens, 0, (int)ARRAY_SIZE(views));
    tcase_add_loop_test(tc, judged_runs, 0, SCENE_COUNT);
    tcase_add_test(tc, the_first_failed_line_is_where_it_begins);
    tcase_add_test(tc, n_goes_round);
    tcase_add_test(tc, filters_show_how_many);
    tcase_add_test(tc, header_and_comparison);
    tcase_add_loop_test(tc, any_keys_at_any_size, 0, SCENE_COUNT);
    tcase_add_test(tc, garbage);
    tcase_add_test(tc, what_is_cut_off_says_so);
    tcase_add_test(tc, nothing_at_all);
    tcase_add_test(tc, what_is_an_expression);
    suite_add_tcase(s, tc);
    return s;
}
TEST_SUITE(suite_watch)
