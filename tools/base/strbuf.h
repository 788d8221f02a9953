/* A string that grows.  `data` is always a valid, NUL-terminated string once
 * anything was added; use strbuf_cstr() when it may be empty. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
    char *data;
    size_t len;
    size_t cap;
};

#define STRBUF_INIT                                                                                \
    {                                                                                              \
        0                                                                                          \
    }

void strbuf_add(struct strbuf *sb, const char *s, size_t n);
void strbuf_puts(struct strbuf *sb, const char *s);
void strbuf_putc(struct strbuf *sb, char c);
void strbuf_pad(struct strbuf *sb, char c, size_t n);
void strbuf_printf(struct strbuf *sb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *sb, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* n words with a blank between two. */
void strbuf_join(struct strbuf *sb, char *const *words, int n);
void strbuf_truncate(struct strbuf *sb, size_t len);
const char *strbuf_cstr(const struct strbuf *sb);
/* Hands the text over (never NULL; the caller frees) and empties sb. */
char *strbuf_steal(struct strbuf *sb);
void strbuf_free(struct strbuf *sb);

#define cleanup_strbuf __attribute__((cleanup(strbuf_free)))

#endif
