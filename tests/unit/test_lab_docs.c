/* docs/lab-language.md cannot rot: its tables are those of the parser, its scripts
 * (`lab`) and lines (`fragment`) parse, and its mistakes (`broken`) give the
 * messages that it shows (`message`). */
#include <cmark.h>

#include "lab_helpers.h"

#define DOCUMENT "docs/lab-language.md"

static struct source read_document(void)
{
    struct source src;
    struct error err = ERROR_INIT;
    ck_assert_msg(source_read(&src, DOCUMENT, &err) == 0, "%s", err.message);
    return src;
}

START_TEST(verbs_are_those_of_the_table)
{
    static const char begin[] = "<!-- verbs: begin -->\n", end[] = "\n<!-- verbs: end -->";
    struct source src = read_document();
    struct strbuf verbs_now cleanup_strbuf = STRBUF_INIT;
    verbs_reference(&verbs_now, 1);
    char *from = strstr(src.text, begin), *to = from ? strstr(from, end) : NULL;
    ck_assert_ptr_nonnull(to);
    *to = '\0';
    from += strlen(begin);
    ck_assert_msg(strcmp(from, strbuf_cstr(&verbs_now)) == 0,
                  "put the output of `tcplab verbs --markdown` between the marks of " DOCUMENT);
    source_free(&src);
}
END_TEST

static void check_example(const char *before, const char *code)
{
    cleanup_free char *file = xasprintf("```lab\n%s%s```\n", before, code);
    struct parsed r cleanup_parsed = parse(file);
    ck_assert_msg(r.diags.list.n == 0, "%s", strbuf_cstr(&r.text));
}

static void check_fragment(const char *code)
{
    cleanup_free char *with =
        xasprintf("%s%s", code, strstr(code, "capture") ? "" : "capture client\n");
    cleanup_free char *all = xasprintf("%sclient close\n", with);
    check_example("host client 10.0.0.1/24\nhost server 10.0.0.2/24\n", all);
}

static void check_messages(const char *code, const char *messages)
{
    cleanup_free char *file = xasprintf("```lab\n%s```\n", code);
    struct source src;
    struct diags diags = {0};
    struct strbuf text cleanup_strbuf = STRBUF_INIT;
    source_from(&src, "lab.md", file, strlen(file));
    struct lab *lab = lab_parse(&src, NULL, 0, &diags);
    diags_format(&diags, &text);
    ck_assert_str_eq(strbuf_cstr(&text), messages);
    diags_free(&diags);
    lab_free(lab);
}

START_TEST(examples_are_right)
{
    struct source src = read_document();
    cmark_node *document = cmark_parse_document(src.text, src.len, CMARK_OPT_DEFAULT);
    const char *broken = NULL;
    int labs = 0, fragments = 0, messages = 0;
    for (cmark_node *n = cmark_node_first_child(document); n; n = cmark_node_next(n)) {
        if (cmark_node_get_type(n) != CMARK_NODE_CODE_BLOCK)
            continue;
        const char *info = cmark_node_get_fence_info(n), *code = cmark_node_get_literal(n);
        if (strcmp(info, "lab") == 0) {
            labs++;
            check_example("", code);
        } else if (strcmp(info, "fragment") == 0) {
            fragments++;
            check_fragment(code);
        } else if (strcmp(info, "broken") == 0) {
            broken = code;
        } else if (strcmp(info, "message") == 0) {
            messages++;
            ck_assert_ptr_nonnull(broken);
            check_messages(broken, code);
        } else {
            ck_assert_str_eq(info, "text");
        }
    }
    ck_assert(labs >= 4 && fragments >= 8 && messages >= 1);
    cmark_node_free(document);
    source_free(&src);
}
END_TEST

static Suite *suite_lab_docs(void)
{
    Suite *s = suite_create("lab-docs");
    TCase *t = tcase_create("lab-docs");
    tcase_add_test(t, verbs_are_those_of_the_table);
    tcase_add_test(t, examples_are_right);
    suite_add_tcase(s, t);
    return s;
}
TEST_SUITE(suite_lab_docs)
