#include "unit.h"

#include "report/matrix.h"

static void set(struct matrix *m, size_t lab, size_t kernel, enum verdict verdict,
                const char *reason)
{
    struct matrix_cell *cell = &m->labs.at[lab].cells[kernel];
    cell->verdict = verdict;
    cell->reason = reason ? xstrdup(reason) : NULL;
}

static struct matrix build(void)
{
    static const char *const names[] = {"6.1", "vmlinuz-6.12.117", "host"};
    struct matrix m = {0};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        *vec_add(&m.kernels) = (struct matrix_kernel){.name = xstrdup(names[i])};
    m.kernels.at[0].release = xstrdup("6.1.0-56-amd64");
    m.kernels.at[0].clock = xstrdup("virtual");
    m.kernels.at[0].tick = 4 * NSEC_PER_MSEC;
    matrix_add_lab(&m, "handshake", "Open and close");
    matrix_add_lab(&m, "syn-retry", "Nobody answers");
    set(&m, 0, 1, VERDICT_SKIP, "a\nreason # with things");
    set(&m, 0, 2, VERDICT_NOISY, "it was late");
    set(&m, 1, 1, VERDICT_FAIL, "the second SYN came early");
    m.labs.at[1].cells[1].difference = xstrdup("SYN retry 2 after 1.02 s instead of 2.02 s");
    return m;
}

START_TEST(text)
{
    struct matrix m = build();
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    matrix_text(&out, &m, &(struct text_options){.width = 80});
    ck_assert_str_eq(strbuf_cstr(&out),
                     "           6.1      vmlinuz-6.12.117 host\n"
                     "handshake  PASS     SKIP             NOISY\n"
                     "syn-retry  PASS     FAIL*            PASS\n"
                     "\n"
                     "6.1               Linux 6.1.0-56-amd64, tick 4 ms, virtual clock\n"
                     "vmlinuz-6.12.117  nothing was played\n"
                     "host              nothing was played\n"
                     "\n"
                     "* The first difference from the first kernel that played the lab:\n"
                     "  syn-retry on vmlinuz-6.12.117: SYN retry 2 after 1.02 s instead of 2.02 s\n"
                     "\n"
                     "Failed:\n"
                     "  syn-retry on vmlinuz-6.12.117: the second SYN came early\n"
                     "\n"
                     "Not judged:\n"
                     "  handshake on vmlinuz-6.12.117: a reason # with things\n"
                     "  handshake on host: it was late\n");
    matrix_free(&m);
}
END_TEST

START_TEST(ktap)
{
    struct matrix m = build();
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    matrix_ktap(&out, &m);
    ck_assert_str_eq(strbuf_cstr(&out),
                     "KTAP version 1\n1..2\n"
                     "  KTAP version 1\n  1..3\n"
                     "  ok 1 6.1\n"
                     "  ok 2 vmlinuz-6.12.117 # SKIP a reason # with things\n"
                     "  ok 3 host # SKIP NOISY: it was late\n"
                     "ok 1 handshake\n"
                     "  KTAP version 1\n  1..3\n"
                     "  ok 1 6.1\n"
                     "  # difference: SYN retry 2 after 1.02 s instead of 2.02 s\n"
                     "  # FAIL: the second SYN came early\n"
                     "  not ok 2 vmlinuz-6.12.117\n"
                     "  ok 3 host\n"
                     "not ok 2 syn-retry\n");
    matrix_free(&m);
}
END_TEST

/* With a baseline only what has changed is wrong: a failure may have been blessed. */
START_TEST(a_baseline_decides)
{
    struct matrix m = build();
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    ck_assert(!matrix_cell_is_fine(&m, &m.labs.at[1].cells[1]));
    m.baseline = xstrdup("good");
    ck_assert(matrix_cell_is_fine(&m, &m.labs.at[1].cells[1]));
    ck_assert_uint_eq(matrix_count_changes(&m), 0);
    matrix_text(&out, &m, &(struct text_options){.width = 80});
    ck_assert_ptr_nonnull(strstr(out.data, "Nothing has changed since the baseline."));
    strbuf_truncate(&out, 0);
    m.labs.at[0].cells[0].change = xstrdup("PASS, was FAIL");
    ck_assert(!matrix_cell_is_fine(&m, &m.labs.at[0].cells[0]));
    ck_assert_uint_eq(matrix_count_changes(&m), 1);
    matrix_text(&out, &m, &(struct text_options){.width = 80});
    ck_assert_ptr_nonnull(strstr(out.data, "handshake  PASS!    SKIP"));
    ck_assert_ptr_nonnull(strstr(out.data, "! Changed since the baseline:\n"
                                           "  handshake on 6.1: PASS, was FAIL\n"));
    set(&m, 1, 0, VERDICT_ERROR, "the guest panicked");
    ck_assert(!matrix_cell_is_fine(&m, &m.labs.at[1].cells[0]));
    matrix_free(&m);
}
END_TEST

START_TEST(json)
{
    struct matrix m = build();
    json_t *o = matrix_json(&m), *cell, *lab;
    lab = json_array_get(json_object_get(o, "labs"), 1);
    cell = json_array_get(json_object_get(lab, "cells"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(cell, "verdict")), "FAIL");
    ck_assert_str_eq(json_string_value(json_object_get(cell, "difference")),
                     "SYN retry 2 after 1.02 s instead of 2.02 s");
    ck_assert(json_is_null(json_object_get(cell, "change")));
    ck_assert(json_is_null(json_object_get(o, "baseline")));
    ck_assert_int_eq(json_array_size(json_object_get(o, "kernels")), 3);
    json_decref(o);
    matrix_free(&m);
}
END_TEST

START_TEST(nothing_at_all)
{
    struct matrix m = {0};
    struct strbuf out cleanup_strbuf = STRBUF_INIT;
    matrix_text(&out, &m, &(struct text_options){.width = 80, .color = true});
    matrix_ktap(&out, &m);
    ck_assert_ptr_nonnull(strstr(out.data, "1..0\n"));
    matrix_free(&m);
}
END_TEST

static Suite *suite_matrix(void)
{
    Suite *s = suite_create("matrix");
    TCase *t = tcase_create("matrix");
    tcase_add_test(t, text);
    tcase_add_test(t, ktap);
    tcase_add_test(t, a_baseline_decides);
    tcase_add_test(t, json);
    tcase_add_test(t, nothing_at_all);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_matrix)
