#include "golden.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "unit.h"

#define GOLDEN "tests/golden/"

static char *read_whole(const char *path, size_t *len)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    cleanup_strbuf struct strbuf sb = STRBUF_INIT;
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof(buf), f)) > 0;)
        strbuf_add(&sb, buf, n);
    fclose(f);
    *len = sb.len;
    return strbuf_steal(&sb);
}

/* The first line (of at most 200 bytes) in which two texts differ. */
static void first_difference(const char *want, const char *text)
{
    size_t at = 0, line = 1, start = 0;
    for (; want[at] && want[at] == text[at]; at++) {
        if (want[at] == '\n') {
            line++;
            start = at + 1;
        }
    }
    ck_abort_msg("line %zu should be\n%.*s\nand is\n%.*s", line,
                 (int)strcspn(want + start, "\n") % 200, want + start,
                 (int)strcspn(text + start, "\n") % 200, text + start);
}

void golden_check(const char *name, const char *text, size_t len)
{
    cleanup_free char *path = xasprintf(GOLDEN "%s", name);
    if (getenv("UPDATE")) {
        FILE *f = fopen(path, "w");
        ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
        ck_assert_uint_eq(fwrite(text, 1, len, f), len);
        ck_assert_int_eq(fclose(f), 0);
        return;
    }
    size_t want_len = 0;
    cleanup_free char *want = read_whole(path, &want_len);
    ck_assert_msg(want != NULL, "%s is missing (run from the top folder; UPDATE=1 makes it)", path);
    if (want_len != len || memcmp(want, text, len) != 0)
        first_difference(want, text);
}
