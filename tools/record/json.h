/* Values of C as JSON and back; what the parts of the evidence share. */
#ifndef RECORD_JSON_H
#define RECORD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/error.h"

/* Bytes that must come back as they were: a JSON string where they are UTF-8,
 * else {"hex": "…"}; NULL is null.  The caller owns the reference. */
json_t *json_bytes(const char *s, size_t n);
/* The same for a C string. */
json_t *json_cstr(const char *s);
/* A text for readers only: bytes that are no UTF-8 become U+FFFD. */
json_t *json_readable(const char *s);

/* Members of an object.  Each returns 0, or -1 and an error that names the member.
 * `at` is the object's place, such as "record.points[1]"; "" at the top. */
int json_take_int(const json_t *object, const char *at, const char *key, int64_t low, int64_t high,
                  int64_t *out, struct error *err);
/* As json_take_int(); null gives `otherwise`. */
int json_take_int_or(const json_t *object, const char *at, const char *key, int64_t low,
                     int64_t high, int64_t otherwise, int64_t *out, struct error *err);
int json_take_bool(const json_t *object, const char *at, const char *key, bool *out,
                   struct error *err);
/* What json_bytes() wrote; the caller frees *out.  Null is allowed where `nullable`. */
int json_take_bytes(const json_t *object, const char *at, const char *key, bool nullable,
                    char **out, size_t *len, struct error *err);
/* The same without NUL bytes. */
int json_take_cstr(const json_t *object, const char *at, const char *key, bool nullable, char **out,
                   struct error *err);
/* An array (borrowed). */
int json_take_array(const json_t *object, const char *at, const char *key, json_t **out,
                    struct error *err);

#endif
