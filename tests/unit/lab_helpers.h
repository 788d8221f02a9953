/* What the tests of the lab language share. */
#ifndef TESTS_UNIT_LAB_HELPERS_H
#define TESTS_UNIT_LAB_HELPERS_H

#include "unit.h"

#include "lab/lab.h"

/* A lab that a test can put lines into; they begin on line 10. */
#define STAGE                                                                                      \
    "# Handshake\n\nTwo *hosts* and\n`one` cable.\n\n```lab\n"                                     \
    "host client 10.0.0.1/24\nhost server 10.0.0.2/24\ncapture client server \"tcp port 1234\"\n"

struct parsed {
    struct lab *lab;
    struct diags diags;
    struct strbuf text; /* the diagnostics */
};

static inline struct parsed parse_bytes(const char *s, size_t len, const struct lab_value *v,
                                        size_t n)
{
    struct parsed r = {0};
    struct source src;
    source_from(&src, "labs/x.md", s, len);
    r.lab = lab_parse(&src, v, n, &r.diags);
    diags_format(&r.diags, &r.text);
    return r;
}

static inline struct parsed parse(const char *s)
{
    return parse_bytes(s, strlen(s), NULL, 0);
}

static inline void parsed_free(struct parsed *r)
{
    diags_free(&r->diags);
    strbuf_free(&r->text);
    lab_free(r->lab);
}
#define cleanup_parsed __attribute__((cleanup(parsed_free)))

static inline struct parsed parse_lines(const char *lines)
{
    cleanup_free char *s = xasprintf("%s%s\n```\n", STAGE, lines);
    return parse(s);
}

#define assert_clean(r) ck_assert_msg((r).diags.list.n == 0, "%s", strbuf_cstr(&(r).text))

#endif
