#include "base/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

int source_read(struct source *src, const char *path, struct error *err)
{
    *src = (struct source){0};
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_sys(err, STATUS_USAGE, errno, "cannot open %s", path);
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, STATUS_USAGE, "%s is not a regular file", path);
    if (st.st_size > (off_t)SOURCE_MAX_BYTES)
        return error_set(err, STATUS_USAGE, "%s is larger than %u MiB", path,
                         SOURCE_MAX_BYTES >> 20);
    size_t room = (size_t)st.st_size, got = 0;
    cleanup_free char *text = xcalloc(room + 1, 1);
    while (got < room) {
        ssize_t n = read(fd, text + got, room - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, STATUS_USAGE, errno, "cannot read %s", path);
        if (n == 0)
            break;
        got += (size_t)n;
    }
    src->path = xstrdup(path);
    src->text = steal_pointer(&text);
    src->len = got;
    return 0;
}

void source_from(struct source *src, const char *path, const char *text, size_t len)
{
    src->path = xstrdup(path);
    src->text = xcalloc(len + 1, 1);
    if (len)
        memcpy(src->text, text, len);
    src->len = len;
}

void source_free(struct source *src)
{
    free(src->path);
    free(src->text);
    *src = (struct source){0};
}

static size_t line_start(const struct source *src, size_t offset)
{
    while (offset > 0 && src->text[offset - 1] != '\n')
        offset--;
    return offset;
}

void source_locate(const struct source *src, size_t offset, size_t *line, size_t *column)
{
    if (offset > src->len)
        offset = src->len;
    *line = 1;
    for (size_t i = 0; i < offset; i++)
        *line += src->text[i] == '\n';
    *column = offset - line_start(src, offset) + 1;
}

void diag_add(struct diags *diags, struct span span, const char *hint, const char *fmt, ...)
{
    struct diag *d = vec_add(&diags->list);
    va_list ap;
    va_start(ap, fmt);
    d->span = span;
    d->message = xvasprintf(fmt, ap);
    d->hint = hint ? xstrdup(hint) : NULL;
    va_end(ap);
}

/* Shown bytes: tabs become one blank, other control bytes a dot, long lines a window. */
enum { WINDOW = 100 };

static void put_excerpt(struct strbuf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        strbuf_putc(out, c == '\t' ? ' ' : (c < 0x20 || c == 0x7f) ? '.' : (char)c);
    }
}

/* Columns that n bytes of UTF-8 take: continuation bytes take none. */
static size_t columns(const char *text, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void format_one(const struct source *src, const struct diag *d, struct strbuf *out)
{
    size_t line, column;
    source_locate(src, d->span.from, &line, &column);
    strbuf_printf(out, "%s:%zu:%zu: %s\n", src->path, line, column, d->message);

    size_t begin = line_start(src, d->span.from < src->len ? d->span.from : src->len);
    size_t end = begin;
    while (end < src->len && src->text[end] != '\n')
        end++;
    size_t from = d->span.from < end ? d->span.from : end;
    size_t to = d->span.to < end ? d->span.to : end;
    size_t left = from - begin > WINDOW - 20 ? from - (WINDOW - 20) : begin;
    while (left > begin && ((unsigned char)src->text[left] & 0xc0) == 0x80)
        left--;
    size_t right = end - left > WINDOW ? left + WINDOW : end;
    while (right < end && ((unsigned char)src->text[right] & 0xc0) == 0x80)
        right++;
    if (to > right)
        to = right;

    strbuf_printf(out, "%5zu | ", line);
    put_excerpt(out, src->text + left, right - left);
    strbuf_puts(out, "\n      | ");
    strbuf_pad(out, ' ', columns(src->text + left, from - left));
    strbuf_putc(out, '^');
    size_t width = to > from ? columns(src->text + from, to - from) : 0;
    if (width > 1)
        strbuf_pad(out, '~', width - 1);
    strbuf_putc(out, '\n');
    if (d->hint)
        strbuf_printf(out, "hint: %s\n", d->hint);
}

static int by_place(const void *a, const void *b)
{
    const struct diag *x = a, *y = b;
    return (x->span.from > y->span.from) - (x->span.from < y->span.from);
}

void diags_format(struct diags *diags, struct strbuf *out)
{
    if (diags->list.n)
        qsort(diags->list.at, diags->list.n, sizeof(*diags->list.at), by_place);
    vec_each (&diags->list, d)
        format_one(diags->source, d, out);
}

void diags_free(struct diags *diags)
{
    vec_each (&diags->list, d) {
        free(d->message);
        free(d->hint);
    }
    vec_free(&diags->list);
}

/* Levenshtein distance, up to words of 31 letters. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[32];
    if (n > 31 || m > 31)
        return 32;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[m];
}

const char *closest_name(const char *word, size_t len, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_distance = len / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, len, names[i], strlen(names[i]));
        if (d < best_distance) {
            best_distance = d;
            best = names[i];
        }
    }
    return best;
}
