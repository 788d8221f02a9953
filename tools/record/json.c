#include "record/json.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/strbuf.h"

static json_t *hex_of(const char *s, size_t n)
{
    cleanup_strbuf struct strbuf hex = STRBUF_INIT;
    for (size_t i = 0; i < n; i++)
        strbuf_printf(&hex, "%02x", (unsigned char)s[i]);
    return json_pack("{s:s}", "hex", strbuf_cstr(&hex));
}

json_t *json_bytes(const char *s, size_t n)
{
    if (!s)
        return json_null();
    json_t *string = json_stringn(s, n);
    return string ? string : hex_of(s, n);
}

json_t *json_cstr(const char *s)
{
    return json_bytes(s, s ? strlen(s) : 0);
}

/* The length of the UTF-8 character at s, 0 if there is none. */
static size_t utf8_len(const char *s, size_t n)
{
    for (size_t len = 1; len <= 4 && len <= n; len++) {
        json_t *one = json_stringn(s, len);
        if (one) {
            json_decref(one);
            return len;
        }
    }
    return 0;
}

json_t *json_readable(const char *s)
{
    if (!s)
        return json_null();
    json_t *string = json_string(s);
    if (string)
        return string;
    cleanup_strbuf struct strbuf clean = STRBUF_INIT;
    for (size_t n = strlen(s); n > 0;) {
        size_t len = utf8_len(s, n);
        if (len)
            strbuf_add(&clean, s, len);
        else
            strbuf_puts(&clean, "\xEF\xBF\xBD");
        len = len ? len : 1;
        s += len;
        n -= len;
    }
    return json_string(strbuf_cstr(&clean));
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static const char *dot(const char *at)
{
    return *at ? "." : "";
}

static int wrong_type(const json_t *value, const char *at, const char *key, const char *wanted,
                      struct error *err)
{
    if (!value)
        return error_set(err, STATUS_USAGE, "%s%s%s is missing", at, dot(at), key);
    return error_set(err, STATUS_USAGE, "%s%s%s should be %s and is %s", at, dot(at), key, wanted,
                     type_name(value));
}

int json_take_int(const json_t *object, const char *at, const char *key, int64_t low, int64_t high,
                  int64_t *out, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return wrong_type(value, at, key, "a whole number", err);
    int64_t n = json_integer_value(value);
    if (n < low || n > high)
        return error_set(err, STATUS_USAGE, "%s%s%s is %" PRId64 ", outside %" PRId64 " … %" PRId64,
                         at, dot(at), key, n, low, high);
    *out = n;
    return 0;
}

int json_take_int_or(const json_t *object, const char *at, const char *key, int64_t low,
                     int64_t high, int64_t otherwise, int64_t *out, struct error *err)
{
    if (json_is_null(json_object_get(object, key))) {
        *out = otherwise;
        return 0;
    }
    return json_take_int(object, at, key, low, high, out, err);
}

int json_take_bool(const json_t *object, const char *at, const char *key, bool *out,
                   struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        return wrong_type(value, at, key, "true or false", err);
    *out = json_is_true(value);
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* The bytes that hex_of() wrote; NULL if it did not write this. */
static char *hex_bytes(const json_t *hex, size_t *len)
{
    const char *s = json_string_value(hex);
    size_t n = json_string_length(hex);
    if (!s || n % 2)
        return NULL;
    cleanup_free char *bytes = xcalloc(n / 2 + 1, 1);
    for (size_t i = 0; i < n / 2; i++) {
        int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);
        if (high < 0 || low < 0)
            return NULL;
        bytes[i] = (char)(high << 4 | low);
    }
    *len = n / 2;
    return steal_pointer(&bytes);
}

int json_take_bytes(const json_t *object, const char *at, const char *key, bool nullable,
                    char **out, size_t *len, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (nullable && json_is_null(value)) {
        *out = NULL;
        *len = 0;
        return 0;
    }
    if (json_is_string(value)) {
        *len = json_string_length(value);
        *out = xcalloc(*len + 1, 1);
        memcpy(*out, json_string_value(value), *len);
        return 0;
    }
    char *bytes = NULL;
    if (json_is_object(value) && json_object_size(value) == 1)
        bytes = hex_bytes(json_object_get(value, "hex"), len);
    if (!bytes)
        return wrong_type(value, at, key, "a string or {\"hex\": …}", err);
    *out = bytes;
    return 0;
}

int json_take_cstr(const json_t *object, const char *at, const char *key, bool nullable, char **out,
                   struct error *err)
{
    cleanup_free char *s = NULL;
    size_t len;
    if (json_take_bytes(object, at, key, nullable, &s, &len, err) < 0)
        return -1;
    if (s && strlen(s) != len)
        return error_set(err, STATUS_USAGE, "%s%s%s holds a NUL byte", at, dot(at), key);
    *out = steal_pointer(&s);
    return 0;
}

int json_take_array(const json_t *object, const char *at, const char *key, json_t **out,
                    struct error *err)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        return wrong_type(value, at, key, "an array", err);
    *out = value;
    return 0;
}
