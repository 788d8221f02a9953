#include "base/time.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static nsec from_timespec(struct timespec ts)
{
    return (nsec)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

nsec clock_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return from_timespec(ts);
}

nsec clock_tick(void)
{
    struct timespec ts;
    clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
    return from_timespec(ts);
}

static const struct unit {
    const char *name;
    nsec size;
} units[] = {
    {"ns", 1},           {"us", NSEC_PER_USEC},    {"ms", NSEC_PER_MSEC},
    {"s", NSEC_PER_SEC}, {"m", 60 * NSEC_PER_SEC},
};

static const struct unit *find_unit(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && isalpha((unsigned char)s[n]))
        n++;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == n && memcmp(units[i].name, s, n) == 0)
            return &units[i];
    return NULL;
}

size_t parse_duration(const char *s, size_t len, nsec *out)
{
    size_t i = 0;
    int64_t whole = 0;
    while (i < len && isdigit((unsigned char)s[i])) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, s[i] - '0', &whole))
            return 0;
        i++;
    }
    if (i == 0)
        return 0;
    int64_t fraction = 0, scale = 1;
    if (i + 1 < len && s[i] == '.' && isdigit((unsigned char)s[i + 1])) {
        for (i++; i < len && isdigit((unsigned char)s[i]); i++) {
            if (scale < NSEC_PER_SEC) {
                fraction = fraction * 10 + (s[i] - '0');
                scale *= 10;
            }
        }
    }
    const struct unit *unit = find_unit(s + i, len - i);
    if (!unit) {
        if (whole || fraction || (i < len && isalpha((unsigned char)s[i])))
            return 0;
        *out = 0;
        return i;
    }
    if (__builtin_mul_overflow(whole, unit->size, out) ||
        __builtin_add_overflow(*out, (nsec)((__int128)fraction * unit->size / scale), out))
        return 0;
    return i + strlen(unit->name);
}

/* t/size, with as many decimals as it takes. */
static void put_decimal(struct strbuf *sb, nsec t, nsec size, const char *unit)
{
    strbuf_printf(sb, "%" PRId64, t / size);
    nsec rest = t % size;
    if (rest)
        strbuf_putc(sb, '.');
    while (rest) {
        size /= 10;
        strbuf_putc(sb, (char)('0' + rest / size));
        rest %= size;
    }
    strbuf_puts(sb, unit);
}

void strbuf_duration(struct strbuf *sb, nsec t)
{
    if (t < 0) {
        strbuf_putc(sb, '-');
        t = -t;
    }
    if (t == 0)
        strbuf_putc(sb, '0');
    else if (t >= NSEC_PER_SEC)
        put_decimal(sb, t, NSEC_PER_SEC, "s");
    else if (t >= NSEC_PER_MSEC)
        put_decimal(sb, t, NSEC_PER_MSEC, "ms");
    else if (t >= NSEC_PER_USEC)
        put_decimal(sb, t, NSEC_PER_USEC, "us");
    else
        put_decimal(sb, t, 1, "ns");
}

void strbuf_approx(struct strbuf *sb, nsec t)
{
    if (t < 0) {
        strbuf_putc(sb, '-');
        t = -t;
    }
    if (t >= 100 * NSEC_PER_SEC)
        strbuf_printf(sb, "%.1f s", (double)t / 1e9);
    else if (t >= 10 * NSEC_PER_SEC)
        strbuf_printf(sb, "%.2f s", (double)t / 1e9);
    else if (t >= NSEC_PER_SEC)
        strbuf_printf(sb, "%.3f s", (double)t / 1e9);
    else if (t >= 10 * NSEC_PER_MSEC)
        strbuf_printf(sb, "%.0f ms", (double)t / 1e6);
    else if (t >= NSEC_PER_MSEC)
        strbuf_printf(sb, "%.1f ms", (double)t / 1e6);
    else
        strbuf_printf(sb, "%.0f µs", (double)t / 1e3);
}
