/* Sources, spans and diagnostics with a caret.
 *
 * A parser is pure: a source in, a model and a list of diagnostics out.  A span
 * counts bytes from the start of the whole file, also for a script that stands
 * inside a Markdown file, so that a message always names the file's own line. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"

struct source {
    char *path; /* as the user named it, for messages */
    char *text; /* NUL-terminated, but may hold NUL bytes: len is the truth */
    size_t len;
};

struct span {
    size_t from; /* byte offset of the first byte */
    size_t to;   /* one past the last; from == to marks a place between bytes */
};

struct diag {
    struct span span;
    char *message;
    char *hint; /* may be NULL */
};

struct diags {
    const struct source *source;
    VEC(struct diag) list;
};

#define SOURCE_MAX_BYTES (4u << 20)

/* Reads a whole file (at most SOURCE_MAX_BYTES; STATUS_USAGE when it cannot be read). */
int source_read(struct source *src, const char *path, struct error *err);
/* A source from memory; copies both. */
void source_from(struct source *src, const char *path, const char *text, size_t len);
void source_free(struct source *src);

/* Line and column (both from 1; a column counts bytes) of an offset. */
void source_locate(const struct source *src, size_t offset, size_t *line, size_t *column);

/* Adds a diagnostic; hint may be NULL. */
void diag_add(struct diags *diags, struct span span, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* All of them in the order of the file:
 *
 *   labs/x.md:12:8: unknown verb "conect"
 *     12 | client conect server 1234
 *        |        ^~~~~~
 *   hint: did you mean "connect"? …
 */
void diags_format(struct diags *diags, struct strbuf *out);

void diags_free(struct diags *diags);

/* The closest of n names to `word` by edit distance, or NULL if none is near. */
const char *closest_name(const char *word, size_t len, const char *const *names, size_t n);

#endif
