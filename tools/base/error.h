/* The error contract.
 *
 * A function that can fail takes a `struct error *` last, returns 0 (or a
 * pointer, or a count) on success and a negative number (or NULL) on failure,
 * and has then filled the error with one sentence for a person.  Callers add
 * context with error_wrap() and pass it up; only cmd_*.c prints it and exits.
 * Nothing below cmd_* writes to standard error or ends the process.
 *
 * Running out of memory is not an error of this kind: xmalloc() ends the
 * process, and the namespaces and helpers of a lab end with it. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

/* What the whole program exits with; docs/exit-status.md lists it for users. */
enum exit_status {
    STATUS_PASSED = 0,  /* every lab passed (skips allowed) */
    STATUS_FAILED = 1,  /* a lab failed */
    STATUS_USAGE = 2,   /* wrong usage, or an input that does not parse */
    STATUS_MACHINE = 3, /* this machine cannot run it, or somebody interrupted it */
    STATUS_NOTHING = 4, /* nothing ran: all skipped or noisy */
};

struct error {
    enum exit_status status; /* what cmd_* should exit with */
    int sys;                 /* errno behind it, 0 if none */
    char *message;           /* one sentence without a newline; NULL: no error */
    char *hint;              /* what to do about it; may be NULL */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }

/* Fills err; returns -1, so that a caller can `return error_set(…)`.  An error
 * that is already set is kept: the first cause wins. */
int error_set(struct error *err, enum exit_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set(), with ": strerror(sys)" behind the text. */
int error_sys(struct error *err, enum exit_status status, int sys, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the message of an error that is set; returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says what to do about an error that is set; returns -1. */
int error_hint(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int error_is_set(const struct error *err);

/* Frees the texts and makes err empty. */
void error_clear(struct error *err);

#endif
