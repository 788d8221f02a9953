/* Any bytes as a transcript: parsed; what is accepted must print and parse to the
 * same text, and can be judged against a run. */
#include <stdint.h>
#include <stdlib.h>

#include "lab/lab.h"
#include "record/record.h"
#include "transcript/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lab *make_lab(void)
{
    static const char text[] = "# A lab\n\nProse.\n\n```lab\n"
                               "host client 10.0.0.1/24\n"
                               "host server 10.0.0.2/24,fd00::2/64\n"
                               "capture client server \"tcp\"\n"
                               "vary port 1024..65535\n"
                               "server listen 1234\n"
                               "```\n";
    struct source src;
    struct diags diags = {0};
    source_from(&src, "lab.md", text, strlen(text));
    struct lab *lab = lab_parse(&src, NULL, 0, &diags);
    diags_free(&diags);
    return lab;
}

static struct pattern *parse(const struct lab *lab, const char *text, size_t len, size_t *errors)
{
    struct source src;
    struct diags diags = {0};
    struct strbuf said = STRBUF_INIT;
    source_from(&src, "x.txt", text, len);
    struct pattern *p = pattern_parse(&src, lab, &diags);
    diags_format(&diags, &said);
    *errors = diags.list.n;
    strbuf_free(&said);
    diags_free(&diags);
    return p;
}

static void judge_nothing(const struct lab *lab, const struct pattern *p)
{
    struct record *r = record_new();
    r->has_calls = true;
    struct result *result = judge(lab, p, r, JUDGE_DEFAULT_SLACK);
    struct strbuf text = STRBUF_INIT;
    transcript_write(&text, lab, r, p);
    strbuf_free(&text);
    result_free(result);
    record_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lab *lab;
    size_t errors;
    if (!lab)
        lab = make_lab();
    cleanup_free char *text = xmemdup(data, size);
    struct pattern *p = parse(lab, text, size, &errors);
    if (errors == 0) {
        struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
        pattern_format(&once, p);
        struct pattern *q = parse(lab, strbuf_cstr(&once), once.len, &errors);
        if (errors)
            abort();
        pattern_format(&twice, q);
        if (strcmp(strbuf_cstr(&once), strbuf_cstr(&twice)) != 0)
            abort();
        pattern_free(q);
        strbuf_free(&once);
        strbuf_free(&twice);
        judge_nothing(lab, p);
    }
    pattern_free(p);
    return 0;
}
