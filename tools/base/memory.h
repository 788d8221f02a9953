/* Allocation that cannot fail, scope cleanup and growable arrays.
 *
 * `cleanup_free char *s = …;` frees at the end of the scope;
 * `return steal_pointer(&s);` hands it on instead. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Each ends the process with a message when memory runs out. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static inline void cleanup_free_p(void *p)
{
    free(*(void **)p);
}
#define cleanup_free __attribute__((cleanup(cleanup_free_p)))

static inline void cleanup_fd_p(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define cleanup_fd __attribute__((cleanup(cleanup_fd_p)))

static inline int steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Takes the pointer out of a variable that would free it. */
#define steal_pointer(pp)                                                                          \
    ({                                                                                             \
        __typeof__(*(pp)) taken_ = *(pp);                                                          \
        *(pp) = NULL;                                                                              \
        taken_;                                                                                    \
    })

/* `VEC(struct step) steps;` is { at, n, cap }, all zero when empty. */
#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t n;                                                                                  \
        size_t cap;                                                                                \
    }

/* Room for one more element, zeroed; returns its address (until the next push). */
#define vec_add(v)                                                                                 \
    ((__typeof__((v)->at))vec_grow((void **)&(v)->at, &(v)->n, &(v)->cap, sizeof(*(v)->at)))
#define vec_push(v, value) ((void)(*vec_add(v) = (value)))
#define vec_each(v, it) for (__typeof__(*(v)->at) *it = (v)->at; it && it < (v)->at + (v)->n; it++)
/* Of an array that is not empty. */
#define vec_last(v) (&(v)->at[(v)->n - 1])
/* Frees the array, not what its elements own. */
#define vec_free(v) (free((v)->at), (v)->at = NULL, (v)->n = (v)->cap = 0)

void *vec_grow(void **at, size_t *n, size_t *cap, size_t size);

#endif
